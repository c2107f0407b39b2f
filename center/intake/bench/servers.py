"""A broker and a database of the bench's own: Mosquitto and PostgreSQL on free ports, in folders of their own."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Self

from alerts.inbox import BATCH
from center.errors import ServerMissing

START_S = 30.0
STOP_S = 10.0
NOBODY = "nobody"


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody has now."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def find_program(name: str, package: str) -> str:
    """Where this program is. Raises ServerMissing, which names the Debian package."""
    folders = [os.environ.get("PATH", ""), "/usr/sbin", *sorted(map(str, Path("/usr/lib/postgresql").glob("*/bin")))]
    found = shutil.which(name, path=os.pathsep.join(reversed(folders)))
    if found is None:
        raise ServerMissing(f"{name} is missing: apt-get install {package}")
    return found


class _Server:
    """A child process that listens on `port`; a context manager."""

    def __init__(self) -> None:
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    def _launch(self, command: Sequence[str], *, user: str | None = None) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - programs found by `find_program`
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, user=user, cwd="/"
        )
        deadline = time.monotonic() + START_S
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise ServerMissing(f"{command[0]} did not start")
            time.sleep(0.02)

    def _answers(self) -> bool:
        with closing(socket.socket()) as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """End it; safe to call twice."""
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(how)
            process.wait(STOP_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


class Mosquitto(_Server):
    """The broker as a centre of some size runs it: a password of each user, and as many messages in flight as come.

    Mosquitto's default of 20 messages in flight would be the size of every batch.
    """

    def __init__(self, folder: Path, passwords: Mapping[str, str]) -> None:
        """Start in this folder."""
        super().__init__()
        users = folder / "passwords"
        users.write_text("".join(f"{name}:{password}\n" for name, password in passwords.items()))
        users.chmod(0o600)
        subprocess.run([find_program("mosquitto_passwd", "mosquitto"), "-U", str(users)], check=True)  # noqa: S603 - found above
        config = folder / "mosquitto.conf"
        config.write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous false\npassword_file {users}\npersistence false\n"
            f"max_inflight_messages {2 * BATCH}\nmax_queued_messages 0\nlog_dest none\n"
            f"user {pwd.getpwuid(os.geteuid()).pw_name}\n"
        )
        self._launch([find_program("mosquitto", "mosquitto"), "-c", str(config)])


class PostgreSQL(_Server):
    """A PostgreSQL server; as root it runs as nobody, for it refuses to be root's."""

    def __init__(self, *, durable: bool = True) -> None:
        """Start in a new folder; not `durable`, it is quicker and forgets what a power cut interrupts."""
        super().__init__()
        user = NOBODY if os.geteuid() == 0 else None
        self._folder = Path(tempfile.mkdtemp(prefix="teawatch-postgres-"))
        if user is not None:
            shutil.chown(self._folder, user)
        data = str(self._folder / "data")
        options = ["-D", data, "-A", "trust", "-U", "teawatch", "-E", "UTF8", "--locale", "C", "--no-sync"]
        subprocess.run(  # noqa: S603 - found above
            [find_program("initdb", "postgresql"), *options], check=True, stdout=subprocess.DEVNULL, user=user, cwd="/"
        )
        quick = [] if durable else ["-c", "fsync=off", "-c", "full_page_writes=off"]
        listen = ["-k", str(self._folder), "-h", "127.0.0.1", "-p", str(self.port)]
        self._launch([find_program("postgres", "postgresql"), "-D", data, *listen, *quick], user=user)

    def _answers(self) -> bool:
        """It listens before it is ready: what it says of itself is in this file."""
        said = self._folder / "data" / "postmaster.pid"
        return super()._answers() and "\nready" in said.read_text(encoding="utf-8")

    def url(self, database: str = "postgres") -> str:
        """As the setting `database_url` takes it."""
        return f"postgresql://teawatch@127.0.0.1:{self.port}/{database}"

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """End it and delete what it held."""
        super().stop(how)
        shutil.rmtree(self._folder, ignore_errors=True)
