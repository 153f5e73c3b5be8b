"""Typed configuration from the environment."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

PROGRAM_DIR = Path(__file__).resolve().parents[1]
"""The folder that holds `colpo_core` and `pages`: where every process of the program is started."""
LOCAL = "local"
PROCRASTINATE = "procrastinate"
RAY = "ray"
ENGINES = (LOCAL, PROCRASTINATE, RAY)
_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?|[0-9a-f:]{2,39}")
FILE_PROTOCOLS = ("s3", "gs", "abfs", "file")
"""Where shared files may lie: each of these writes a file whole or not at all."""


def keep_files_private() -> None:
    """Let every file and folder that this process and its children make be for the program's account alone."""
    os.umask(0o077)


@dataclass(frozen=True)
class Settings:
    """Where the program keeps its things and how long it waits.

    Attributes:
        data_dir: Folder of the store (`COLPO_DATA`, default `data`), absolute.
        session_hours: How long a sign-in lasts (`COLPO_SESSION_HOURS`, default 12).
        lease_seconds: How long a silent job keeps its place (`COLPO_LEASE_SECONDS`, default 30).
        cancel_grace_seconds: How long a cancelled job's process may go on before it is killed
            (`COLPO_CANCEL_GRACE_SECONDS`, default 20).
        checkpoint_seconds: After how long an unfinished training is kept again, so that no more is lost by a crash
            (`COLPO_CHECKPOINT_SECONDS`, default 300).
        supervise_seconds: How often a serving process looks after the jobs (`COLPO_SUPERVISE_SECONDS`, default 15).
        hosts: Names under which the clinic's browsers reach the program over HTTPS (`COLPO_HOSTS`, with commas between
            them, such as `colpo.clinic.example`); this machine's own names need no mention.
        database_url: Where the database is (`COLPO_DATABASE_URL`, such as `postgresql+psycopg://colpo@host/colpo`);
            None for a SQLite file in the folder of the store, which is the default. It may hold a password.
        files_url: Where images and checkpoints lie that several machines share (`COLPO_FILES`, such as
            `s3://bucket/colpo` or `file:///shared/colpo`); None for the store's folder, which is the default.
        cache_gb: How many gigabytes of shared files a machine keeps in its own folder (`COLPO_CACHE_GB`, default 50).
        shard_images: How many images one job predicts where several jobs can at the same time; a larger prediction is
            shared out among several (`COLPO_SHARD_IMAGES`, default 5000).
        engine: What places jobs (`COLPO_ENGINE`): `local`, on this machine alone, which is the default; `procrastinate`
            or `ray`, on several.
        ray_address: Where Ray's jobs are taken in (`COLPO_RAY_ADDRESS`, default `http://127.0.0.1:8265`).
        gpus: GPUs that jobs may use (`COLPO_GPUS`: `auto` for all that the driver knows, which is the default; `none`;
            or identifiers with commas between them, as CUDA takes them); None for `auto`.
    """

    data_dir: Path
    session_hours: float = 12.0
    lease_seconds: float = 30.0
    hosts: frozenset[str] = frozenset()
    cancel_grace_seconds: float = 20.0
    checkpoint_seconds: float = 300.0
    supervise_seconds: float = 15.0
    gpus: tuple[str, ...] | None = None
    database_url: str | None = field(default=None, repr=False)
    engine: str = LOCAL
    ray_address: str = "http://127.0.0.1:8265"
    files_url: str | None = None
    cache_gb: float = 50.0
    shard_images: int = 5000

    @property
    def database_path(self) -> Path:
        """The SQLite file."""
        return self.data_dir / "colpodesk.sqlite"

    @property
    def blobs_dir(self) -> Path:
        """Folder of content-addressed files; this machine's copies of them where they are shared."""
        return self._files_dir / "blobs"

    @property
    def checkpoints_dir(self) -> Path:
        """Folder with one folder a checkpoint; this machine's copies of them where they are shared."""
        return self._files_dir / "checkpoints"

    @property
    def jobs_dir(self) -> Path:
        """Folder with one folder a job: its log and its unfinished work."""
        return self.data_dir / "jobs"

    @property
    def frames_dir(self) -> Path:
        """Folder of snapshots' decoded images, made again when they are missing."""
        return self.data_dir / "frames"

    @property
    def cache_dir(self) -> Path:
        """Folder of this machine's copies of what lies elsewhere; no store has its own files there, since copies go."""
        return self.data_dir / "cache"

    @property
    def _files_dir(self) -> Path:
        return self.cache_dir if self.files_url else self.data_dir

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> "Settings":
        """Read the settings.

        Args:
            environment: Variables to read; `os.environ` when None.

        Raises:
            ValueError: A variable holds what cannot be read.
        """
        env = os.environ if environment is None else environment
        return cls(
            data_dir=Path(env.get("COLPO_DATA") or "data").expanduser().resolve(),
            session_hours=_positive(env, "COLPO_SESSION_HOURS", 12.0),
            lease_seconds=_positive(env, "COLPO_LEASE_SECONDS", 30.0),
            hosts=_hosts(env.get("COLPO_HOSTS") or ""),
            cancel_grace_seconds=_positive(env, "COLPO_CANCEL_GRACE_SECONDS", 20.0),
            checkpoint_seconds=_positive(env, "COLPO_CHECKPOINT_SECONDS", 300.0),
            supervise_seconds=_positive(env, "COLPO_SUPERVISE_SECONDS", 15.0),
            gpus=_gpus(env.get("COLPO_GPUS") or "auto"),
            database_url=_database_url(env.get("COLPO_DATABASE_URL")),
            engine=_engine(env),
            ray_address=env.get("COLPO_RAY_ADDRESS") or "http://127.0.0.1:8265",
            files_url=_files_url(env),
            cache_gb=_positive(env, "COLPO_CACHE_GB", 50.0),
            shard_images=max(1, round(_positive(env, "COLPO_SHARD_IMAGES", 5000.0))),
        )

    def to_environment(self) -> dict[str, str]:
        """The variables that `from_environment` reads, for a process that is to work on the same store."""
        found = {
            "COLPO_DATA": str(self.data_dir),
            "COLPO_SESSION_HOURS": str(self.session_hours),
            "COLPO_LEASE_SECONDS": str(self.lease_seconds),
            "COLPO_CANCEL_GRACE_SECONDS": str(self.cancel_grace_seconds),
            "COLPO_CHECKPOINT_SECONDS": str(self.checkpoint_seconds),
            "COLPO_SUPERVISE_SECONDS": str(self.supervise_seconds),
            "COLPO_HOSTS": ",".join(sorted(self.hosts)),
            "COLPO_GPUS": "auto" if self.gpus is None else ",".join(self.gpus) or "none",
            "COLPO_ENGINE": self.engine,
            "COLPO_RAY_ADDRESS": self.ray_address,
            "COLPO_CACHE_GB": str(self.cache_gb),
            "COLPO_SHARD_IMAGES": str(self.shard_images),
        }
        urls = {"COLPO_DATABASE_URL": self.database_url, "COLPO_FILES": self.files_url}
        return found | {name: url for name, url in urls.items() if url}


def _positive(env: Mapping[str, str], name: str, default: float) -> float:
    text = env.get(name)
    if not text:
        return default
    try:
        value = float(text)
    except ValueError as error:
        raise ValueError(f"{name} must be a number, not {text!r}") from error
    if value <= 0:
        raise ValueError(f"{name} must be above 0, not {text!r}")
    return value


def _hosts(text: str) -> frozenset[str]:
    named = frozenset(part.strip().lower() for part in text.split(",") if part.strip())
    if any(not _HOST.fullmatch(name) for name in named):
        raise ValueError(f"COLPO_HOSTS must be names with commas between them, without https:// and port, not {text!r}")
    return named


def _engine(env: Mapping[str, str]) -> str:
    engine = env.get("COLPO_ENGINE") or LOCAL
    if engine not in ENGINES:
        raise ValueError(f"COLPO_ENGINE must be one of {', '.join(ENGINES)}, not {engine!r}")
    if engine != LOCAL and not env.get("COLPO_DATABASE_URL"):
        raise ValueError(f"COLPO_ENGINE={engine} needs COLPO_DATABASE_URL: several machines cannot share a SQLite file")
    return engine


def _database_url(text: str | None) -> str | None:
    if not text:
        return None
    if not text.startswith("postgresql+psycopg://"):
        raise ValueError(
            "COLPO_DATABASE_URL must begin with postgresql+psycopg://; leave it out for SQLite in the store's folder"
        )
    return text


def _files_url(env: Mapping[str, str]) -> str | None:
    text = (env.get("COLPO_FILES") or "").rstrip("/")
    if not text:
        return None
    if text.partition("://")[0] not in FILE_PROTOCOLS or not text.partition("://")[2]:
        known = ", ".join(f"{protocol}://" for protocol in FILE_PROTOCOLS)
        raise ValueError(
            f"COLPO_FILES must begin with one of {known} and name a place; leave it out for the store's folder"
        )
    if not env.get("COLPO_DATABASE_URL"):
        raise ValueError("COLPO_FILES needs COLPO_DATABASE_URL: without it the store's folder holds its files")
    return text


def _gpus(text: str) -> tuple[str, ...] | None:
    named = tuple(part.strip() for part in text.split(",") if part.strip())
    if named == ("auto",):
        return None
    if named == ("none",):
        return ()
    if "auto" in named or "none" in named or len(set(named)) < len(named):
        raise ValueError(f"COLPO_GPUS must be auto, none, or different identifiers with commas between, not {text!r}")
    return named
