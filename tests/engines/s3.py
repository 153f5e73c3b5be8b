"""A server on the loopback that speaks S3, in a process of its own."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import httpx

from tests.support.ports import free_port

_START_WITHIN_SECONDS = 60


@dataclass
class Bucket:
    """An empty bucket.

    Attributes:
        port: Of the server.
        log: File that takes what the server prints.
        name: The bucket's.
    """

    port: int
    log: Path
    name: str = field(default_factory=lambda: f"colpo-{uuid4().hex[:12]}")
    _process: "subprocess.Popen[bytes] | None" = None

    @property
    def url(self) -> str:
        return f"s3://{self.name}/clinic"

    @property
    def environment(self) -> dict[str, str]:
        """By which a process finds the server."""
        return {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.port}",
            "AWS_ACCESS_KEY_ID": "a-key",
            "AWS_SECRET_ACCESS_KEY": "a-secret",
            "AWS_DEFAULT_REGION": "us-east-1",
        }

    def start(self) -> None:
        """The server keeps what it holds in its memory, so a bucket is new with it."""
        with self.log.open("ab") as out:
            command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self.port)]
            self._process = subprocess.Popen(command, stdout=out, stderr=out)
        until = time.monotonic() + _START_WITHIN_SECONDS
        while True:
            try:
                httpx.put(f"http://127.0.0.1:{self.port}/{self.name}", timeout=5).raise_for_status()
            except httpx.TransportError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.1)
            else:
                return

    def freeze(self) -> None:
        """It does not answer any more, as a network that is cut."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def wake(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()


@contextmanager
def serving_s3(log: Path) -> Iterator[Bucket]:
    bucket = Bucket(free_port(), log)
    bucket.start()
    try:
        yield bucket
    finally:
        bucket.kill()
