import pytest

from colpo_core.errors import CheckpointMismatch, JobCancelled, JobFailed
from colpo_core.records.training.settings import TrainingEvent
from colpo_core.training.resource_estimate import estimate_resources
from colpo_core.training.stages import stage_passes
from tests.support.blobs import blobs, tiny
from tests.support.training_runs import quiet_progress, stopping_after


def test_every_stage_takes_its_time_and_twice_the_epochs_twice_of_it() -> None:
    manifest = blobs((8, 2, 2)).manifest
    told: list[TrainingEvent] = []
    short = estimate_resources(manifest, tiny(), progress=quiet_progress(told=told))
    assert list(short.stage_seconds) == list(stage_passes(manifest, tiny()))
    assert min(short.stage_seconds.values()) > 0
    assert short.seconds == pytest.approx(sum(short.stage_seconds.values()))
    assert told[-1].progress == 1.0
    longer = estimate_resources(manifest, tiny(classification_epochs=200), progress=quiet_progress())
    assert longer.seconds > 5 * short.seconds


def test_a_wider_net_keeps_more() -> None:
    manifest = blobs((8, 2, 2)).manifest
    narrow, wide = (estimate_resources(manifest, tiny(segnet_width=w), progress=quiet_progress()) for w in (0.1, 0.5))
    assert wide.weights_bytes > narrow.weights_bytes


def test_what_will_fail_is_said_before_a_step() -> None:
    manifest = blobs((8, 2, 2)).manifest
    with pytest.raises(CheckpointMismatch):
        estimate_resources(manifest, tiny(pretrained="nowhere/at/all"), progress=quiet_progress())
    with pytest.raises(JobFailed, match="mask"):
        estimate_resources(blobs((8, 2, 2), masks=False).manifest, tiny(), progress=quiet_progress())


def test_it_stops_where_a_person_wants() -> None:
    with pytest.raises(JobCancelled):
        estimate_resources(blobs((4, 2, 2)).manifest, tiny(), progress=quiet_progress(stopping_after(1)))
