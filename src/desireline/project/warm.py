"""Compile every kernel into the cache: `python -m desireline.project.warm`, run beside the first work."""

from __future__ import annotations

from desireline import journeys, people, promises


def warm() -> None:
    """Compile the kernels of every room, or find them in the cache."""
    people.warm()
    promises.warm()
    journeys.warm()


if __name__ == "__main__":
    warm()
