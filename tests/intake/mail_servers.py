"""Real mail servers for the tests: Dovecot with a mailbox of its own, on a free port of the loopback."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from free_ports import free_port

DOVECOT = shutil.which("dovecot") or ("/usr/sbin/dovecot" if Path("/usr/sbin/dovecot").exists() else None)
OWNER, GROUP = "nobody", "nogroup"
WHY_NOT = "" if DOVECOT and os.geteuid() == 0 else "no Dovecot, or not root: apt-get install dovecot-imapd"


@dataclass(frozen=True)
class Mailbox:
    """A running server with one user, `anna`, whose letters lie in `folder` (a Maildir)."""

    port: int
    folder: Path

    def deliver(self, raw: bytes, *, name: str) -> None:
        """Put a letter into the mailbox, as a mail server does."""
        place = self.folder / "tmp" / name
        place.write_bytes(raw)
        place.chmod(0o666)
        place.rename(self.folder / "new" / name)

    def number_anew(self) -> None:
        """Give the letters another numbering (UIDVALIDITY), as a restored mailbox has."""
        listed = self.folder / "dovecot-uidlist"
        numbering = re.sub(r"V(\d+)", lambda found: f"V{int(found[1]) + 1000}", listed.read_text(), count=1)
        for file in self.folder.glob("dovecot*"):
            file.unlink()
        listed.write_text(numbering)
        shutil.chown(listed, OWNER, GROUP)


@contextmanager
def dovecot() -> Iterator[Mailbox]:
    """Dovecot, started for the block in a folder that its processes can reach."""
    with tempfile.TemporaryDirectory(prefix="dovecot-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        with _running(folder) as running:
            yield running


@contextmanager
def _running(folder: Path) -> Iterator[Mailbox]:
    port, mail = free_port(), folder / "mail"
    for name in ("tmp", "new", "cur"):
        (mail / name).mkdir(parents=True)
        shutil.chown(mail / name, OWNER, GROUP)
    shutil.chown(mail, OWNER, GROUP)
    (folder / "users").write_text("anna:{PLAIN}secret::::::\n")
    (folder / "dovecot.conf").write_text(
        f"""base_dir = {folder}/run
log_path = {folder}/log
protocols = imap
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
mail_location = maildir:{mail}
first_valid_uid = 0
first_valid_gid = 0
passdb {{
  driver = passwd-file
  args = {folder}/users
}}
userdb {{
  driver = static
  args = uid={OWNER} gid={GROUP} home={mail}
}}
service imap-login {{
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
"""
    )
    process = subprocess.Popen([str(DOVECOT), "-F", "-c", str(folder / "dovecot.conf")], stderr=subprocess.PIPE)
    try:
        _wait_for(port, process, folder)
        yield Mailbox(port, mail)
    finally:
        process.terminate()
        process.wait(60)


def _wait_for(port: int, process: subprocess.Popen[bytes], folder: Path) -> None:
    for _ in range(1_200):
        if process.poll() is not None:
            said = process.stderr.read().decode() if process.stderr else ""
            raise RuntimeError(
                f"Dovecot ended: {said} {(folder / 'log').read_text() if (folder / 'log').exists() else ''}"
            )
        try:
            socket.create_connection(("127.0.0.1", port), 0.2).close()
            return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError("Dovecot does not listen")
