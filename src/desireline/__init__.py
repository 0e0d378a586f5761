"""Desireline: the journey you promised beside the journey people lived.

>>> import desireline
>>> desireline.__version__
'0.1.0'
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from desireline.project import Opened

__version__ = "0.1.0"
__all__ = ["__version__", "open"]


def open(path: Path | str = ".") -> Opened:
    """Open the project in a folder; raises `DesirelineError` when there is none."""
    from desireline.project import Opened

    return Opened(path)
