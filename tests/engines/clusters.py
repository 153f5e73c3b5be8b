"""A small cluster of real processes for each engine: its app, its workers, and what can be done to them."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from colpo_core.settings import Settings
from colpo_core.store import Store
from colpo_core.store.tables import Job
from tests.support.processes import ROOT

LEASE_SECONDS = 4.0
NO_GPUS = ()


@dataclass
class Cluster:
    """The processes that serve one store.

    Attributes:
        settings: Those of the store and of every process.
        server: The PostgreSQL server, where there is one.
        ray: Ray's head, where there is one.
        apart: Whether every app is a machine of its own: all they share is the database and the shared files.
    """

    settings: Settings
    server: Any = None
    ray: "RayHead | None" = None
    apart: bool = False
    _apps: "list[subprocess.Popen[bytes]]" = field(default_factory=list)
    _started: int = 0

    def unfinished(self, job_id: int, pattern: str) -> list[Path]:
        """Files of a job's unfinished work, on whatever machine."""
        homes = [self.settings.data_dir, *self.settings.data_dir.glob("machine-*")]
        return [place for home in homes for place in (home / "jobs" / str(job_id) / "work").glob(pattern)]

    def start_app(self) -> None:
        """A process that supervises the jobs, and takes some where the engine has workers."""
        self._started += 1
        home = self.settings.data_dir / f"machine-{self._started}" if self.apart else self.settings.data_dir
        home.mkdir(exist_ok=True)
        log = self.settings.data_dir / f"app-{len(self._apps)}.log"
        with log.open("wb") as out:
            self._apps.append(
                subprocess.Popen(
                    [sys.executable, "-m", "colpo_core", "worker"],
                    cwd=ROOT,
                    env=os.environ | replace(self.settings, data_dir=home).to_environment(),
                    stdout=out,
                    stderr=out,
                    start_new_session=True,
                )
            )

    def kill_apps(self) -> None:
        """SIGKILL, as the machine's out-of-memory killer would."""
        for app in self._apps:
            app.kill()
            app.wait()
        self._apps.clear()

    def told_by_apps(self) -> str:
        return "\n".join(log.read_text() for log in sorted(self.settings.data_dir.glob("app-*.log")))


@dataclass(frozen=True)
class RayHead:
    """Ray's head on loopback."""

    port: int
    dashboard_port: int
    folder: Path

    def start(self) -> None:
        subprocess.run(self._command("start", *self._where()), check=True, timeout=120, env=_quiet(), cwd=ROOT,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip

    def kill(self) -> None:
        """SIGKILL of all that belongs to it; runners are in sessions of their own or die with it."""
        for process in _processes():
            if f"--port={self.port}" in process.words or any(str(self.folder) in word for word in process.words):
                _kill(process.pid)

    def _where(self) -> tuple[str, ...]:
        return ("--head", "--node-ip-address=127.0.0.1", f"--port={self.port}", "--dashboard-host=127.0.0.1",
                f"--dashboard-port={self.dashboard_port}", f"--temp-dir={self.folder}", "--num-cpus=2",
                "--disable-usage-stats")  # fmt: skip

    @staticmethod
    def _command(*words: str) -> list[str]:
        return [str(Path(sys.executable).parent / "ray"), *words]


def _quiet() -> dict[str, str]:
    return os.environ | {"RAY_USAGE_STATS_ENABLED": "0", "RAY_DISABLE_IMPORT_WARNING": "1"}


@dataclass(frozen=True)
class Process:
    """A process of this machine that is no zombie."""

    pid: int
    words: tuple[str, ...]


def _processes() -> Iterator[Process]:
    for place in Path("/proc").glob("[0-9]*"):
        try:
            words = tuple(place.joinpath("cmdline").read_text(errors="replace").split("\0"))
        except (FileNotFoundError, ProcessLookupError):
            continue
        if any(words):
            yield Process(int(place.name), words)


def runners_of(job_id: int | None, settings: Settings) -> list[int]:
    """Process ids of all runners of a job of this store; of all its jobs where none is named."""
    found = []
    for process in _processes():
        if "run-job" in process.words and (job_id is None or str(job_id) in process.words):
            try:
                environment = Path(f"/proc/{process.pid}/environ").read_bytes()
            except (FileNotFoundError, ProcessLookupError):
                continue
            if str(settings.data_dir).encode() in environment:
                found.append(process.pid)
    return found


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def kill_runners(settings: Settings) -> None:
    """End whatever a test has left behind."""
    for pid in runners_of(None, settings):
        _kill(pid)


def row(store: Store, job_id: int) -> Job:
    with store.reading() as session:
        job = session.get_one(Job, job_id)
        session.expunge(job)
        return job


@contextmanager
def local(folder: Path) -> Iterator[Cluster]:
    cluster = Cluster(_settings(folder))
    yield cluster
    cluster.kill_apps()


@contextmanager
def procrastinate(folder: Path, server: Any) -> Iterator[Cluster]:
    settings = replace(_settings(folder), database_url=server.new_database(), engine="procrastinate")
    cluster = Cluster(settings, server=server)
    yield cluster
    cluster.kill_apps()


@contextmanager
def apart(folder: Path, server: Any, files_url: str) -> Iterator[Cluster]:
    settings = replace(
        _settings(folder), database_url=server.new_database(), engine="procrastinate", files_url=files_url
    )
    cluster = Cluster(settings, server=server, apart=True)
    yield cluster
    cluster.kill_apps()


@contextmanager
def ray(folder: Path, server: Any, head: RayHead) -> Iterator[Cluster]:
    address = f"http://127.0.0.1:{head.dashboard_port}"
    settings = replace(
        _settings(folder), database_url=server.new_database(), engine="ray", ray_address=address, gpus=NO_GPUS
    )
    cluster = Cluster(settings, server=server, ray=head)
    yield cluster
    cluster.kill_apps()


def _settings(folder: Path) -> Settings:
    return Settings(
        data_dir=folder / "data", lease_seconds=LEASE_SECONDS, supervise_seconds=1.0, checkpoint_seconds=0.001
    )


def ray_workers() -> list[int]:
    """Process ids of all processes of fits that Ray Train has started."""
    return [process.pid for process in _processes() if any("RayTrainWorker" in word for word in process.words)]
