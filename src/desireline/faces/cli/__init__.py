"""The command line: `desireline`. Every command has `--json`; exit 0 done, 1 a finding, 2 wrong use, 3 failed."""

from __future__ import annotations

import sys

__all__ = ["main"]


def main() -> None:
    """Run the command line; Ctrl-C is heard from the first moment on, while the commands are still being gathered."""
    try:
        from desireline.faces.cli.app import main as run
    except KeyboardInterrupt:
        sys.stderr.write("Stopped.\n")
        sys.exit(130)
    run()
