import pytest

from colpo_core.errors import CheckpointMismatch, JobCancelled, JobFailed
from colpo_core.records.training.settings import TrainingEvent
from colpo_core.training.outlook import look_ahead
from colpo_core.training.stages import stage_passes
from tests.support.blobs import blobs, tiny
from tests.support.training_runs import quiet_watch


def test_every_stage_takes_its_time_and_twice_the_epochs_twice_of_it() -> None:
    manifest = blobs((8, 2, 2)).manifest
    told: list[TrainingEvent] = []
    short = look_ahead(manifest, tiny(), watch=quiet_watch(told=told))
    assert list(short.stage_seconds) == list(stage_passes(manifest, tiny()))
    assert min(short.stage_seconds.values()) > 0
    assert short.seconds == pytest.approx(sum(short.stage_seconds.values()))
    assert told[-1].progress == 1.0
    longer = look_ahead(manifest, tiny(classification_epochs=200), watch=quiet_watch())
    assert longer.seconds > 5 * short.seconds


def test_a_wider_net_keeps_more() -> None:
    manifest = blobs((8, 2, 2)).manifest
    narrow, wide = (look_ahead(manifest, tiny(segnet_width=w), watch=quiet_watch()) for w in (0.1, 0.5))
    assert wide.weights_bytes > narrow.weights_bytes


def test_what_will_fail_is_said_before_a_step() -> None:
    manifest = blobs((8, 2, 2)).manifest
    with pytest.raises(CheckpointMismatch):
        look_ahead(manifest, tiny(pretrained="nowhere/at/all"), watch=quiet_watch())
    with pytest.raises(JobFailed, match="mask"):
        look_ahead(blobs((8, 2, 2), masks=False).manifest, tiny(), watch=quiet_watch())


def test_it_stops_where_a_person_wants() -> None:
    with pytest.raises(JobCancelled):
        look_ahead(
            blobs((4, 2, 2)).manifest, tiny(), watch=quiet_watch(cancelled=iter([False, True, True, True]).__next__)
        )
