"""Serves the pages of one project on this machine's own address."""

from __future__ import annotations

import errno
import socket
from typing import TYPE_CHECKING, Any

from desireline.vocabulary.errors import DesirelineError

if TYPE_CHECKING:
    from uvicorn import Server

LOOPBACK = "127.0.0.1"


def server_of(project: Any, listening: socket.socket) -> Server:
    """A server of the pages alone, on a socket that already listens. No proxy is trusted, no request is logged."""
    import uvicorn

    from desireline.faces.web.app import create_app

    app = create_app(project, port=listening.getsockname()[1])
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=2,
    )
    return uvicorn.Server(config)


def listen(port: int) -> socket.socket:
    """A listening socket on the loopback address; a port that is taken is said so."""
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((LOOPBACK, port))
        listening.listen(128)
    except OSError as error:
        listening.close()
        if error.errno in (errno.EADDRINUSE, errno.EACCES):
            raise DesirelineError(
                f"Port {port} is taken on this machine. Choose another one: PORT=8766, or --port 0."
            ) from None
        raise
    return listening
