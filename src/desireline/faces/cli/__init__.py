"""The command line: `desireline`. Every command has `--json`; exit 0 done, 1 a finding, 2 wrong use, 3 failed."""

from desireline.faces.cli.app import main

__all__ = ["main"]
