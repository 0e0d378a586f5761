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


@dataclass
class Mailbox:
    """A server with one user, `anna`, whose letters lie in `folder` (a Maildir); it may be stopped and started again.

    certificate: the file with the authority that its TLS is trusted by; without TLS there is none.
    """

    port: int
    home: Path
    certificate: Path | None = None
    process: subprocess.Popen[bytes] | None = None

    @property
    def folder(self) -> Path:
        return self.home / "mail"

    def start(self) -> None:
        self.process = subprocess.Popen(
            [str(DOVECOT), "-F", "-c", str(self.home / "dovecot.conf")], stderr=subprocess.PIPE
        )
        _wait_for(self.port, self.process, self.home)

    def stop(self) -> None:
        assert self.process is not None
        self.process.terminate()
        self.process.wait(60)

    def let_in_with(self, password: str) -> None:
        """From now on the user is let in with this password only."""
        (self.home / "users").write_text(f"anna:{{PLAIN}}{password}::::::\n")

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
def dovecot(*, tls: bool = False) -> Iterator[Mailbox]:
    """Dovecot, started for the block in a folder that its processes can reach."""
    with tempfile.TemporaryDirectory(prefix="dovecot-", ignore_cleanup_errors=True) as name:
        home = Path(name)
        home.chmod(0o755)
        running = Mailbox(free_port(), home, _certificate(home) if tls else None)
        _prepare(running)
        running.start()
        try:
            yield running
        finally:
            running.stop()


def _certificate(home: Path) -> Path:
    """A key and a certificate for `localhost` that it signs itself."""
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", "/CN=localhost"]
    command += ["-addext", "subjectAltName=DNS:localhost", "-keyout", str(home / "key.pem")]
    subprocess.run([*command, "-out", str(home / "certificate.pem")], check=True, capture_output=True)
    return home / "certificate.pem"


def _prepare(box: Mailbox) -> None:
    for name in ("tmp", "new", "cur"):
        (box.folder / name).mkdir(parents=True)
        shutil.chown(box.folder / name, OWNER, GROUP)
    shutil.chown(box.folder, OWNER, GROUP)
    box.let_in_with("secret")
    secure = (
        f"ssl = required\nssl_cert = <{box.certificate}\nssl_key = <{box.home}/key.pem"
        if box.certificate
        else "ssl = no"
    )
    plain, over_tls = (0, box.port) if box.certificate else (box.port, 0)
    (box.home / "dovecot.conf").write_text(
        f"""base_dir = {box.home}/run
log_path = {box.home}/log
protocols = imap
listen = 127.0.0.1
{secure}
disable_plaintext_auth = no
auth_failure_delay = 0
mail_location = maildir:{box.folder}
first_valid_uid = 0
first_valid_gid = 0
passdb {{
  driver = passwd-file
  args = {box.home}/users
}}
userdb {{
  driver = static
  args = uid={OWNER} gid={GROUP} home={box.folder}
}}
service imap-login {{
  inet_listener imap {{
    port = {plain}
  }}
  inet_listener imaps {{
    port = {over_tls}
  }}
}}
"""
    )


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
