"""Typed configuration from the environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Settings:
    """Where the program keeps its things and how long it waits.

    Attributes:
        data_dir: Folder of the store (`COLPO_DATA`, default `data`), absolute.
        session_hours: How long a sign-in lasts (`COLPO_SESSION_HOURS`, default 12).
        lease_seconds: How long a silent job keeps its place (`COLPO_LEASE_SECONDS`, default 45).
        cancel_grace_seconds: How long a cancelled job's process may go on before it is killed
            (`COLPO_CANCEL_GRACE_SECONDS`, default 20).
        secure_cookie: Whether the cookie is sent over HTTPS only (`COLPO_SECURE_COOKIE=1`, default off for loopback).
    """

    data_dir: Path
    session_hours: float = 12.0
    lease_seconds: float = 45.0
    secure_cookie: bool = False
    cancel_grace_seconds: float = 20.0

    @property
    def database_path(self) -> Path:
        """The SQLite file."""
        return self.data_dir / "colpodesk.sqlite"

    @property
    def blobs_dir(self) -> Path:
        """Folder of content-addressed files."""
        return self.data_dir / "blobs"

    @property
    def checkpoints_dir(self) -> Path:
        """Folder with one folder a checkpoint."""
        return self.data_dir / "checkpoints"

    @property
    def jobs_dir(self) -> Path:
        """Folder with one folder a job: its log and its unfinished work."""
        return self.data_dir / "jobs"

    @property
    def frames_dir(self) -> Path:
        """Folder of snapshots' decoded images, made again when they are missing."""
        return self.data_dir / "frames"

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
            lease_seconds=_positive(env, "COLPO_LEASE_SECONDS", 45.0),
            secure_cookie=env.get("COLPO_SECURE_COOKIE", "0") == "1",
            cancel_grace_seconds=_positive(env, "COLPO_CANCEL_GRACE_SECONDS", 20.0),
        )


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
