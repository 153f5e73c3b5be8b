from pathlib import Path

import pytest

from colpo_core.settings import Settings


def test_nothing_set_is_one_machine_with_sqlite(tmp_path: Path) -> None:
    found = Settings.from_environment({"COLPO_DATA": str(tmp_path)})
    assert (found.data_dir, found.database_url, found.engine, found.gpus) == (tmp_path, None, "local", None)
    assert found == Settings(data_dir=tmp_path)


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"COLPO_GPUS": "none"},
        {"COLPO_GPUS": "GPU-a, GPU-b", "COLPO_LEASE_SECONDS": "7.5", "COLPO_HOSTS": "colpo.clinic.example, desk"},
        {"COLPO_DATABASE_URL": "postgresql+psycopg://colpo@db/colpo", "COLPO_ENGINE": "procrastinate"},
        {"COLPO_CHECKPOINT_SECONDS": "60", "COLPO_SUPERVISE_SECONDS": "2", "COLPO_SESSION_HOURS": "1"},
        {"COLPO_FILES": "s3://bucket/clinic/", "COLPO_DATABASE_URL": "postgresql+psycopg://colpo@db/colpo"},
        {"COLPO_CACHE_GB": "2.5", "COLPO_SHARD_IMAGES": "100"},
    ],
)
def test_a_process_that_is_started_reads_the_same_settings(tmp_path: Path, environment: dict[str, str]) -> None:
    found = Settings.from_environment({"COLPO_DATA": str(tmp_path)} | environment)
    assert Settings.from_environment(found.to_environment()) == found


def test_a_password_does_not_get_into_logs(tmp_path: Path) -> None:
    found = Settings(data_dir=tmp_path, database_url="postgresql+psycopg://colpo:secret@db/colpo")
    assert "secret" not in repr(found)


def test_copies_of_shared_files_never_lie_where_a_store_has_its_own(tmp_path: Path) -> None:
    own, shared = Settings(data_dir=tmp_path), Settings(data_dir=tmp_path, files_url="s3://bucket/clinic")
    assert own.blobs_dir == tmp_path / "blobs"
    assert shared.blobs_dir == tmp_path / "cache" / "blobs"
    assert shared.checkpoints_dir == tmp_path / "cache" / "checkpoints"
    assert (shared.jobs_dir, shared.frames_dir) == (own.jobs_dir, own.frames_dir)


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"COLPO_LEASE_SECONDS": "soon"}, "must be a number"),
        ({"COLPO_SUPERVISE_SECONDS": "0"}, "above 0"),
        ({"COLPO_GPUS": "auto,GPU-a"}, "COLPO_GPUS"),
        ({"COLPO_GPUS": "GPU-a,GPU-a"}, "COLPO_GPUS"),
        ({"COLPO_DATABASE_URL": "mysql://x"}, "postgresql"),
        ({"COLPO_ENGINE": "celery", "COLPO_DATABASE_URL": "postgresql+psycopg://x"}, "procrastinate"),
        ({"COLPO_ENGINE": "procrastinate"}, "COLPO_DATABASE_URL"),
        ({"COLPO_FILES": "s3://bucket"}, "COLPO_DATABASE_URL"),
        ({"COLPO_FILES": "ftp://server/files", "COLPO_DATABASE_URL": "postgresql+psycopg://x"}, "s3://"),
        ({"COLPO_FILES": "s3://", "COLPO_DATABASE_URL": "postgresql+psycopg://x"}, "name a place"),
    ],
)
def test_what_cannot_be_read_is_named(environment: dict[str, str], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Settings.from_environment(environment)
