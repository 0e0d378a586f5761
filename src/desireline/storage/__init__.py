"""Where things are kept: the lake (`lake`), what is true now (`state`), the journey store and the engines.

Each is imported from its own module, so that asking for one does not load the others.
"""
