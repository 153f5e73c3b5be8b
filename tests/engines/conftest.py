"""One cluster of each engine for the kill suite."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from colpo_core.settings import Settings
from tests.engines import clusters
from tests.engines.clusters import Cluster, RayHead
from tests.engines.s3 import Bucket, serving_s3
from tests.support.ports import free_port

ENGINES = [
    "local",
    pytest.param("procrastinate", marks=pytest.mark.engines),
    pytest.param("ray", marks=pytest.mark.engines),
    pytest.param("apart", marks=pytest.mark.engines),
]


@pytest.fixture(scope="session")
def ray_head(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RayHead]:
    head = RayHead(port=free_port(), dashboard_port=free_port(), folder=tmp_path_factory.mktemp("ray"))
    head.start()
    yield head
    head.kill()


@pytest.fixture
def bucket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    """An empty bucket of a server that speaks S3; this process and those that it starts find it."""
    with serving_s3(tmp_path / "s3.log") as made:
        for name, value in made.environment.items():
            monkeypatch.setenv(name, value)
        yield made


@pytest.fixture(params=ENGINES)
def cluster(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Cluster]:
    with ExitStack() as stack:
        made: Cluster
        if request.param == "local":
            made = stack.enter_context(clusters.local(tmp_path))
        elif request.param == "procrastinate":
            made = stack.enter_context(clusters.procrastinate(tmp_path, _server(request)))
        elif request.param == "apart":
            bucket: Bucket = request.getfixturevalue("bucket")
            made = stack.enter_context(clusters.apart(tmp_path, _server(request), bucket.url))
        else:
            head: RayHead = request.getfixturevalue("ray_head")
            made = stack.enter_context(clusters.ray(tmp_path, _server(request), head))
        yield made
        clusters.kill_runners(made.settings)


@pytest.fixture
def settings(cluster: Cluster) -> Settings:
    """The store of these tests is the cluster's."""
    return cluster.settings


def _server(request: pytest.FixtureRequest) -> Any:
    return request.getfixturevalue("postgresql")
