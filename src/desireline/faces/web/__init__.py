"""The pages: the one screen, live, maps, people and files in, for this machine only."""

from desireline.faces.web.app import create_app
from desireline.faces.web.serving import listen, server_of

__all__ = ["create_app", "listen", "server_of"]
