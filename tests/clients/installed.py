"""Where the unmodified JavaScript clients lie; `tests/run.sh` installs them, pinned, from their lock file."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CLIENTS = Path(os.environ.get("CLIENTS", ROOT / ".venv" / "clients"))
MODULES = CLIENTS / "node_modules"
NODE = shutil.which("node") or ""
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
CHROMIUM_ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
                      "--disable-sync", "--no-first-run"]  # fmt: skip

needs_node = pytest.mark.skipif(
    not NODE or not MODULES.is_dir(), reason="the JavaScript clients are not installed: make test does it, with npm"
)
