"""Looks at the log of record, at the disk under it, and at the server that writes it."""

from __future__ import annotations

import http.client
import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from desireline.project.finding import Finding, fault, look, ok
from desireline.project.handing_over import LOOPBACK, running_server
from desireline.project.manifest import LOG
from desireline.storage.log import Damage, LogLimits, check_log, read_log
from desireline.storage.log.recovery import look as look_at_log
from desireline.storage.log.room import BALLAST
from desireline.vocabulary.units import moment_text

if TYPE_CHECKING:
    from desireline.project.project import Project

AHEAD_MS = 5 * 60_000
"""An entry that came so much after now means that somebody set the clock back."""
ENOUGH_FREE_SHARE = 0.10
ANSWER_SECONDS = 5


def log_is_whole(project: Project, _environment: Mapping[str, str]) -> Iterator[Finding]:
    """Whether the log can be read from its beginning to its end, and whether its clock makes sense."""
    folder = project.data / LOG
    if not folder.exists():
        yield look("log", "there is none yet", "it begins with the first thing that comes in")
        return
    found = look_at_log(folder)
    for damage in found.damage:
        yield _damage(damage)
    if not found.damage:
        yield ok("log", f"{found.last:,} entries in {len(found.segments)} files, no damage at their ends")
    kept = sorted((folder / "damaged").glob("*")) if (folder / "damaged").exists() else []
    if kept:
        yield look(
            "log", f"{len(kept)} damaged pieces were set aside in damaged/", "keep them until a backup is checked"
        )
    last = next(iter(read_log(folder, after=found.last - 1)), None) if found.last else None
    now = project.now()
    if last is not None and last.received_at > now + AHEAD_MS:
        what = (
            f"the last entry came {moment_text(last.received_at)}, now it is {moment_text(now)}: the clock was set back"
        )
        yield fault("clock", what, "set the clock right; order does not suffer, it goes by sequence")
    else:
        yield ok("clock", "not behind the log")


def every_byte(folder: Path) -> Iterator[Finding]:
    """Every byte of a copy of the log against its sums."""
    damage = check_log(folder)
    yield from map(_damage, damage)
    if not damage:
        yield ok("log", "every byte of it agrees with its sums")


def room_on_disk(project: Project, _environment: Mapping[str, str]) -> Iterator[Finding]:
    """Whether there is room for what comes in."""
    project_disk = shutil.disk_usage(project.data if project.data.exists() else project.folder)
    share = project_disk.free / project_disk.total
    says = f"{project_disk.free / 1e9:,.1f} GB free ({share:.0%})"
    if share <= LogLimits().kept_free_share:
        yield fault("disk", f"{says}: nothing is taken in any more", "make room; it heals by itself")
    elif share < ENOUGH_FREE_SHARE:
        yield look("disk", says, f"make room before {LogLimits().kept_free_share:.0%}: then nothing is taken in")
    else:
        yield ok("disk", says)
    if (project.data / LOG).exists() and not (project.data / LOG / BALLAST).exists():
        yield look("disk", "the log's ballast is gone: it was needed for cleaning up", "make room; it comes back")


def server_is_well(project: Project, _environment: Mapping[str, str]) -> Iterator[Finding]:
    """Whether the server that holds this project is ready, and why not."""
    server = running_server(project)
    if server is None:
        yield ok("server", "no server runs on this project")
        return
    connection = http.client.HTTPConnection(LOOPBACK, server.port, timeout=ANSWER_SECONDS)
    try:
        connection.request("GET", "/ready")
        said = json.loads(connection.getresponse().read())
        reasons, warnings = said["reasons"], said.get("warnings", [])
    except (OSError, ValueError, KeyError, http.client.HTTPException) as error:
        yield fault("server", f"it does not answer ({type(error).__name__})", "look at its output; start it again")
        return
    finally:
        connection.close()
    for reason in reasons:
        yield fault("server", reason, "look at its output")
    for warning in warnings:
        yield look("server", warning, "see its page Live")
    if not reasons:
        yield ok("server", f"ready on port {server.port}")


def _damage(damage: Damage) -> Finding:
    if damage.first_missing:
        what = f"{damage.segment}: entries {damage.first_missing} to {damage.last_missing} are lost. {damage.says}"
        return fault("log", what.rstrip("."), "bring that file back from a backup")
    return look("log", f"{damage.segment}: {damage.says}".rstrip("."), "nothing is lost; look at the disk")
