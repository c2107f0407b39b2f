"""A real S3 service for tests: SeaweedFS as a child process, every port of its own, on this machine only."""

import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.alerts.brokers import free_port

ACCESS_KEY_ID = "tea"
SECRET_ACCESS_KEY = "watch-the-secret"
READER = ("reader", "who-may-not-write")
PATIENCE_S = 60


class Seaweed:
    """Started and stopped at will; what it keeps outlives that."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ports = {name: free_port() for name in ("master.port", "volume.port", "filer.port", "s3.port")}
        self._ports |= {f"{name}.grpc": free_port() for name in tuple(self._ports)}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def endpoint(self) -> str:
        """Where S3 is spoken."""
        return f"http://127.0.0.1:{self._ports['s3.port']}"

    def start(self) -> None:
        """Return when it takes and gives."""
        people = {
            (ACCESS_KEY_ID, SECRET_ACCESS_KEY): ["Admin", "Read", "Write", "List"],
            READER: ["Read", "List"],
        }
        identities = [
            {"name": key, "credentials": [{"accessKey": key, "secretKey": secret}], "actions": actions}
            for (key, secret), actions in people.items()
        ]
        config = self.folder / "s3.json"
        config.write_text(json.dumps({"identities": identities}))
        ports = [f"-{name}={port}" for name, port in self._ports.items()]
        fixed = ("ip=127.0.0.1", "ip.bind=127.0.0.1", "filer", "s3", f"s3.config={config}", f"dir={self.folder}")
        frugal = ("master.volumeSizeLimitMB=64", "volume.max=8", "s3.port.iceberg=0", "s3.port.lance=0")
        options = [f"-{option}" for option in (*fixed, *frugal, "master.telemetry=false")]
        weed = shutil.which("weed", path=str(Path(sys.executable).parent)) or "weed"
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen([weed, "server", *options, *ports], stdout=log, stderr=log)
        deadline_s = time.monotonic() + PATIENCE_S
        while not self._answers():
            assert self._process.poll() is None, (self.folder / "log").read_text()[-2000:]
            assert time.monotonic() < deadline_s, (self.folder / "log").read_text()[-2000:]
            time.sleep(0.05)

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.endpoint}/healthz", timeout=2).is_success
        except httpx.HTTPError:
            return False

    def stop(self) -> None:
        """End it at once; safe to call twice."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait(10)
            self._process = None


@contextmanager
def running(folder: Path) -> Iterator[Seaweed]:
    """One that is stopped at the end."""
    made = Seaweed(folder)
    try:
        made.start()
        yield made
    finally:
        made.stop()
