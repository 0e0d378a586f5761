"""Which run of the machine this is: what was written before a power cut, but never synced, must not be trusted."""

from __future__ import annotations

from pathlib import Path

_BOOT = Path("/proc/sys/kernel/random/boot_id")


def boot_name() -> str:
    """A name of the machine's present run; empty where the system does not tell (then everything is synced)."""
    try:
        return _BOOT.read_text().strip()
    except OSError:
        return ""
