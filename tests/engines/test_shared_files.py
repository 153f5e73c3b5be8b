"""Files on a server that speaks S3: what is stored is there for all machines; a server that is away is waited for."""

from pathlib import Path

import pytest

from colpo_core.cluster.shared_blobs import SharedBlobs
from colpo_core.cluster.shared_files import FsspecFiles
from colpo_core.errors import FilesUnreachable
from colpo_core.services.common.callers import Caller
from colpo_core.services.jobs import control as jobs
from colpo_core.store import Store
from colpo_core.terms import JobState
from tests.engines.clusters import Cluster, row
from tests.engines.s3 import Bucket
from tests.engines.test_kills import begin, ends_once_with_the_same_weights, running, undisturbed
from tests.support.processes import wait_for

pytestmark = pytest.mark.engines
__all__ = ["undisturbed"]


def test_a_bucket_keeps_files_by_their_names(bucket: Bucket, tmp_path: Path) -> None:
    files = FsspecFiles(bucket.url)
    assert files.answers()
    assert files.names("jobs") == []
    assert files.read("jobs/1/a") is None
    assert files.size("jobs/1/a") is None
    large = tmp_path / "large"
    large.write_bytes(bytes(range(256)) * 400_000)  # in several parts
    files.send(large, "jobs/1/work/large")
    files.write("jobs/1/a", b"small")
    files.write("jobs/10/a", b"another")
    assert files.names("jobs/1") == ["jobs/1/a", "jobs/1/work/large"]
    assert files.size("jobs/1/work/large") == large.stat().st_size
    assert files.fetch("jobs/1/work/large", tmp_path / "fetched")
    assert (tmp_path / "fetched").read_bytes() == large.read_bytes()
    assert not files.fetch("jobs/1/nothing", tmp_path / "nothing")
    files.write("jobs/1/a", b"newer")
    assert FsspecFiles(bucket.url).read("jobs/1/a") == b"newer"
    files.remove("jobs/1")
    assert files.names("jobs") == ["jobs/10/a"]
    files.delete("jobs/1/a")


def test_two_machines_share_what_either_stores(bucket: Bucket, tmp_path: Path) -> None:
    one, other = (SharedBlobs(tmp_path / name, FsspecFiles(bucket.url), limit_bytes=1e9) for name in ("one", "other"))
    sha256 = one.put(b"an image")
    assert other.get(sha256) == b"an image"


def test_a_bucket_that_is_not_there_or_forbidden_is_named(bucket: Bucket) -> None:
    with pytest.raises(FilesUnreachable, match="s3://no-such-bucket/clinic do not answer"):
        FsspecFiles("s3://no-such-bucket/clinic").write("a", b"content")


@pytest.mark.parametrize("cluster", ["apart"], indirect=True)
def test_a_server_that_is_away_for_a_while_is_waited_for(
    cluster: Cluster, store: Store, annotator: Caller, undisturbed: str, bucket: Bucket
) -> None:
    cluster.start_app()
    job_id = begin(annotator)
    running(store, job_id)
    bucket.freeze()
    try:
        wait_for(lambda: row(store, job_id).state.is_over or "do not answer" in said(cluster, job_id), "a long silence")
        assert row(store, job_id).state is JobState.RUNNING
    finally:
        bucket.wake()
    ends_once_with_the_same_weights(cluster, store, annotator, job_id, undisturbed)
    assert store.files is not None
    wait_for(lambda: not store.files or not store.files.names(f"jobs/{job_id}/work"), "the work to be cleared")
    assert "taken up by process" in jobs.job_log(annotator, job_id=job_id)


def said(cluster: Cluster, job_id: int) -> str:
    logs = cluster.settings.data_dir.glob(f"machine-*/jobs/{job_id}/log.txt")
    return "\n".join(log.read_text() for log in logs)
