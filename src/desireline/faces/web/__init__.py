"""The pages: the one screen, maps, people and files in, for this machine only."""

from __future__ import annotations

from desireline.faces.web.serving import serve

__all__ = ["serve"]
