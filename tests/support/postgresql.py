"""A PostgreSQL server of the tests' own: started in a folder, on loopback, ended with the block."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

import psycopg

from tests.support.ports import free_port

PATIENCE_SECONDS = 60


class Server:
    """A running server; whoever connects from loopback is let in as `colpo`.

    Attributes:
        port: On loopback.
    """

    def __init__(self, programs: Path, folder: Path, port: int) -> None:
        self._programs = programs
        self._folder = folder
        self.port = port

    @property
    def address(self) -> str:
        return f"colpo@127.0.0.1:{self.port}"

    def start(self) -> None:
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c max_connections=400"
        self._control("start", "-w", "-l", str(self._folder / "server.log"), "-o", options)

    def stop(self, mode: str = "fast") -> None:
        """Stop it; `immediate` is what a crash looks like."""
        self._control("stop", "-w", "-m", mode)

    def restart_at_once(self) -> None:
        self.stop("immediate")
        self.start()

    def new_database(self) -> str:
        """An empty database; returns its URL."""
        name = f"colpo_{uuid4().hex}"
        with psycopg.connect(f"postgresql://{self.address}/postgres", autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        return f"postgresql+psycopg://{self.address}/{name}"

    def _control(self, *words: str) -> None:
        command = [str(self._programs / "pg_ctl"), "-D", str(self._folder / "cluster"), "-s", *words]
        subprocess.run(_as_its_user(command), check=True, timeout=PATIENCE_SECONDS, cwd="/", stdout=subprocess.DEVNULL)


def programs_dir() -> Path | None:
    """Where PostgreSQL's programs lie: on the path, or where Debian puts them; None where it is not installed."""
    if found := shutil.which("pg_ctl"):
        return Path(found).parent
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"), key=lambda place: place.parts[-3])
    return installed[-1].parent if installed else None


@contextmanager
def serving(folder: Path) -> Iterator[Server]:
    """A server in a new folder."""
    programs = programs_dir()
    if programs is None:
        raise RuntimeError("PostgreSQL is not installed: scripts/install_postgresql.sh installs it")
    folder.mkdir(parents=True)
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")  # the server refuses to run as root
        for parent in folder.parents:
            with suppress(PermissionError):
                parent.chmod(parent.stat().st_mode | 0o011)
            if parent == Path("/tmp"):  # noqa: S108
                break
    command = [str(programs / "initdb"), "-D", str(folder / "cluster"), "-U", "colpo", "--auth=trust", "-N"]
    subprocess.run(_as_its_user(command), check=True, timeout=PATIENCE_SECONDS, cwd="/", stdout=subprocess.DEVNULL)
    server = Server(programs, folder, free_port())
    server.start()
    try:
        yield server
    finally:
        with suppress(subprocess.CalledProcessError):
            server.stop("immediate")


def _as_its_user(command: list[str]) -> list[str]:
    return ["runuser", "-u", "postgres", "--", *command] if os.geteuid() == 0 else command
