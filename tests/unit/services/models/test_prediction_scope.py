"""Which images a prediction job is for, and that no image is predicted twice or forgotten."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import and_, delete

from colpo_core.errors import InputRejected, NotFound
from colpo_core.records.jobs.settings import PredictionSettings, write_settings
from colpo_core.services.common.callers import Caller
from colpo_core.services.models.prediction_scope import images_of, settle_scope, shares_of, unpredicted
from colpo_core.store import Store
from colpo_core.store.dialects import among
from colpo_core.store.tables import Image, Job, Prediction
from colpo_core.terms import JobKind, JobState, Stage
from tests.support.clinic import PredictedClinic
from tests.support.store_rows import add, rows


@pytest.fixture
def desk(administrator: Caller) -> PredictedClinic:
    desk = PredictedClinic(administrator)
    for _ in range(4):
        desk.clinic.add_case()
    desk.clinic.add_case(stage=Stage.LUGOL)
    desk.clinic.add_case(shows_cervix=False)
    return desk


def left_of(store: Store, scope: PredictionSettings) -> list[int]:
    """What a runner would take up."""
    return rows(store, Image.id, and_(images_of(scope), unpredicted(scope.checkpoint_id)))


def queue(caller: Caller, scope: PredictionSettings, state: JobState = JobState.QUEUED) -> None:
    add(
        caller.store,
        Job(kind=JobKind.PREDICT, state=state, settings=write_settings(scope), created_by=caller.person_id),
    )


def test_the_whole_store_is_told_in_four_numbers(store: Store, annotator: Caller, desk: PredictedClinic) -> None:
    with store.writing() as session:
        scope = settle_scope(session, desk.checkpoint_id, None)
    assert len(json.dumps(write_settings(scope))) < 150, "a store of 100,000 images names none of them"
    assert left_of(store, scope) == [4, 5, 6, 7]
    assert scope.n_images == 4


def test_what_arrives_later_is_not_the_jobs(store: Store, annotator: Caller, desk: PredictedClinic) -> None:
    with store.writing() as session:
        first = settle_scope(session, desk.checkpoint_id, None)
    queue(annotator, first)
    later = desk.clinic.add_case().image_id
    assert later not in left_of(store, first)
    with store.writing() as session:
        second = settle_scope(session, desk.checkpoint_id, None)
    assert left_of(store, second) == [later]


def test_what_is_over_or_about_to_be_cancelled_covers_nothing(annotator: Caller, desk: PredictedClinic) -> None:
    with annotator.store.writing() as session:
        scope = settle_scope(session, desk.checkpoint_id, None)
    queue(annotator, scope, JobState.FAILED)
    with annotator.store.writing() as session:
        values = write_settings(scope)
        session.add(Job(kind=JobKind.PREDICT, settings=values, cancel_requested=True, created_by=annotator.person_id))
    with annotator.store.writing() as session:
        assert settle_scope(session, desk.checkpoint_id, None) == scope


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(asked=st.lists(st.one_of(st.none(), st.sets(st.integers(1, 7), min_size=1)), min_size=1, max_size=5))
def test_jobs_share_the_images_out_among_themselves(
    store: Store, annotator: Caller, desk: PredictedClinic, asked: list[set[int] | None]
) -> None:
    with store.writing() as session:
        session.execute(delete(Job))
    scopes = []
    for wanted in asked:
        with store.writing() as session:
            scope = settle_scope(session, desk.checkpoint_id, None if wanted is None else sorted(wanted))
        if scope is not None:
            queue(annotator, scope)
            scopes.append(scope)
    taken: set[int] = set()
    for scope in scopes:  # one after the other: what the one before has predicted is no longer left
        mine = set(left_of(store, scope)) - taken
        assert len(mine) == scope.n_images, "each tells how many it will predict"
        taken |= mine
    done = set(rows(store, Prediction.image_id, Prediction.checkpoint_id == desk.checkpoint_id))
    assert taken == set().union(*({4, 5, 6, 7} if one is None else one for one in asked)) - done, "none is forgotten"


@pytest.mark.parametrize(
    ("image_ids", "error", "sentence"),
    [
        ([], InputRejected, "at least one"),
        ([1, 900, 901], NotFound, "no image 900"),
        ([4, 8], InputRejected, "Image 8 was not taken after acetic acid"),
        ([9], InputRejected, "Image 9 is marked as not showing the cervix"),
    ],
)
def test_what_cannot_be_predicted_is_named(
    store: Store, desk: PredictedClinic, image_ids: list[int], error: type[Exception], sentence: str
) -> None:
    with store.writing() as session, pytest.raises(error, match=sentence):
        settle_scope(session, desk.checkpoint_id, image_ids)


def test_more_numbers_than_a_statement_takes_parameters(store: Store, desk: PredictedClinic) -> None:
    assert list(rows(store, Image.id, among(Image.id, range(3, 400_000, 2)))) == [3, 5, 7, 9]
    assert rows(store, Image.id, among(Image.id, ())) == []


def shared_out(store: Store, scope: PredictionSettings, shard_images: int | None) -> list[PredictionSettings]:
    with store.reading() as session:
        return shares_of(session, scope, shard_images=shard_images)


@given(data=st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30, deadline=None)
def test_shares_hold_every_image_once(annotator: Caller, desk: PredictedClinic, data: st.DataObject) -> None:
    with annotator.store.writing() as session:
        session.execute(delete(Job))
    predicted = data.draw(st.sets(st.sampled_from([4, 5, 6, 7])))
    named = data.draw(st.none() | st.just([4, 5, 6, 7]))
    shard_images = data.draw(st.integers(1, 5))
    queue(annotator, PredictionSettings(desk.checkpoint_id, tuple(sorted(predicted)), 1))
    with annotator.store.writing() as session:
        scope = settle_scope(session, desk.checkpoint_id, named)
    if scope is None:
        assert predicted == {4, 5, 6, 7}
        return
    shares = shared_out(annotator.store, scope, shard_images)
    assert [share.n_images for share in shares[:-1]] == [shard_images] * (len(shares) - 1)
    assert sum(share.n_images for share in shares) == scope.n_images
    wanted = [image_id for share in shares for image_id in left_of(annotator.store, share) if image_id not in predicted]
    assert wanted == sorted({4, 5, 6, 7} - predicted)
    assert all(share.shards == len(shares) for share in shares)


def test_a_small_prediction_and_one_place_mean_one_job(store: Store, annotator: Caller, desk: PredictedClinic) -> None:
    with store.writing() as session:
        scope = settle_scope(session, desk.checkpoint_id, None)
    assert scope is not None
    assert shared_out(store, scope, None) == [scope]
    assert shared_out(store, scope, 4) == [scope]
