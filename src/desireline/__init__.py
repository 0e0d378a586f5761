"""Desireline: the journey you promised beside the journey people lived.

>>> import desireline
>>> desireline.__version__
'0.1.0'
"""

__version__ = "0.1.0"
