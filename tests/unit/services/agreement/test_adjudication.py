"""Deciding which mask counts: who may, how a decision came about, and what it leaves behind."""

import io

import numpy as np
import pytest
from PIL import Image as Picture
from sqlalchemy import select

from colpo_core.errors import Blinding, Conflict, InputRejected, NotFound, PermissionDenied
from colpo_core.evaluation.consensus import combine_masks
from colpo_core.images.masks import decode_rle
from colpo_core.records.people import Actor
from colpo_core.services.agreement import adjudication
from colpo_core.services.agreement import overview as agreement
from colpo_core.services.annotations import own_masks
from colpo_core.services.common.callers import Caller
from colpo_core.store import Store
from colpo_core.store.tables import AnnotationVersion, AuditEntry, TaskItem
from colpo_core.terms import (
    AdjudicationMethod,
    AnnotationState,
    Combination,
    Finding,
    MaskOrigin,
    Role,
    Start,
    TaskItemState,
)
from tests.conftest import add_person
from tests.support.clinic import SIDE_PX, Clinic
from tests.support.several_annotators import add_task, paint, square, submit

MASKS = [square(10, 10), square(10, 14), square(20, 24, 12)]


@pytest.fixture
def senior(store: Store) -> Actor:
    return add_person(store, "senta", Role.ANNOTATOR)


@pytest.fixture
def image_id(store: Store) -> int:
    return Clinic(store).add_case(masked=False).image_id


@pytest.fixture
def versions(store: Store, people: list[Actor], image_id: int) -> list[int]:
    return [submit(store, person, image_id, mask) for person, mask in zip(people, MASKS, strict=True)]


def combine(store: Store, actor: Actor, image_id: int, how: Combination, ids: list[int]) -> int:
    return adjudication.start_combination(
        Caller(store, actor), image_id=image_id, finding=Finding.ACETOWHITE, combination=how, version_ids=ids
    ).seq


def drawn(store: Store, actor: Actor, image_id: int) -> np.ndarray:
    opened = own_masks.open_annotation(Caller(store, actor), image_id=image_id)
    return decode_rle(opened.rle, height_px=SIDE_PX, width_px=SIDE_PX)


def document_of(actor: Actor, image_id: int) -> str:
    return f"i{image_id}-p{actor.person_id}-{Finding.ACETOWHITE.value}"


def test_a_mask_is_taken_as_it_is(store: Store, administrator: Actor, versions: list[int], image_id: int) -> None:
    decision = adjudication.take_mask(Caller(store, administrator), version_id=versions[1], note=" clearer ")
    assert (decision.version_id, decision.author, decision.method) == (versions[1], "Clara", AdjudicationMethod.TAKEN)
    assert (decision.sources, decision.decided_by, decision.note) == (tuple(versions), "Ada", "clearer")
    assert decision.is_current
    found = agreement.image_agreement(Caller(store, administrator), image_id=image_id)
    assert found.adjudication == decision
    assert agreement.agreement_overview(Caller(store, administrator)).images[0].is_adjudicated
    with store.reading() as session:
        entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "adjudicate")).one()
        assert (entry.subject, entry.detail["method"]) == (f"image {image_id}", "taken")
        assert session.get_one(AnnotationVersion, versions[1]).origin is MaskOrigin.PAINTED


def test_the_newest_decision_counts_and_none_is_changed(
    store: Store, administrator: Actor, versions: list[int], image_id: int
) -> None:
    decisions = [adjudication.take_mask(Caller(store, administrator), version_id=one) for one in versions]
    listed = adjudication.list_adjudications(Caller(store, administrator))
    assert listed == tuple(reversed(decisions))
    assert agreement.image_agreement(Caller(store, administrator), image_id=image_id).adjudication == decisions[2]
    page = adjudication.list_adjudications(Caller(store, administrator), before=decisions[2].id, limit=1)
    assert page == (decisions[1],)
    assert adjudication.list_adjudications(Caller(store, administrator), finding=Finding.MOSAIC) == ()
    assert adjudication.list_adjudications(Caller(store, administrator), image_id=image_id + 1) == ()
    with pytest.raises(ValueError, match="limit"):
        adjudication.list_adjudications(Caller(store, administrator), limit=0)


@pytest.mark.parametrize("how", list(Combination))
def test_a_combination_becomes_the_adjudicators_draft(
    store: Store, administrator: Actor, versions: list[int], image_id: int, how: Combination
) -> None:
    seq = combine(store, administrator, image_id, how, versions)
    assert np.array_equal(drawn(store, administrator, image_id), combine_masks(MASKS, how))
    document_id = document_of(administrator, image_id)
    decision = adjudication.adjudicate(Caller(store, administrator), document_id=document_id, seq=seq, note="so")
    assert (decision.method, decision.author, decision.sources) == (
        AdjudicationMethod.COMBINED, "Ada", tuple(versions)
    )  # fmt: skip
    with store.reading() as session:
        version = session.get_one(AnnotationVersion, decision.version_id)
        assert (version.origin, version.start, version.note) == (MaskOrigin.ADJUDICATED, Start.COMBINATION, "so")
        assert (version.kept_share, version.added_share) in {(1.0, 0.0), (None, None)}


def test_a_corrected_combination_is_painted(
    store: Store, administrator: Actor, versions: list[int], image_id: int
) -> None:
    combine(store, administrator, image_id, Combination.UNION, versions[:2])
    assert np.array_equal(drawn(store, administrator, image_id), MASKS[0] | MASKS[1])
    document_id, seq = paint(store, administrator, image_id, MASKS[0] | MASKS[1] | square(50, 50, 5))
    decision = adjudication.adjudicate(Caller(store, administrator), document_id=document_id, seq=seq)
    assert decision.method is AdjudicationMethod.PAINTED
    with pytest.raises(InputRejected, match="Nothing has changed"):
        adjudication.adjudicate(Caller(store, administrator), document_id=document_id, seq=seq)
    assert len(adjudication.list_adjudications(Caller(store, administrator))) == 1


def test_painting_from_nothing_is_painted_and_can_be_taken_again(
    store: Store, administrator: Actor, versions: list[int], image_id: int
) -> None:
    document_id, seq = paint(store, administrator, image_id, square(1, 1))
    painted = adjudication.adjudicate(Caller(store, administrator), document_id=document_id, seq=seq)
    assert painted.method is AdjudicationMethod.PAINTED
    found = agreement.image_agreement(Caller(store, administrator), image_id=image_id)
    assert [version.version_id for version in found.versions] == versions, "the decision is not an annotator's mask"
    assert found.may_adjudicate
    adjudication.take_mask(Caller(store, administrator), version_id=versions[0])
    again = adjudication.take_mask(Caller(store, administrator), version_id=painted.version_id)
    assert (again.version_id, again.method) == (painted.version_id, AdjudicationMethod.TAKEN)


def test_what_is_not_on_the_screen_is_not_decided(
    store: Store, administrator: Actor, people: list[Actor], versions: list[int], image_id: int
) -> None:
    document_id, seq = paint(store, administrator, image_id, square(1, 1))
    with pytest.raises(Conflict, match="not the one on your screen"):
        adjudication.adjudicate(Caller(store, administrator), document_id=document_id, seq=seq - 1)
    with pytest.raises(NotFound):
        adjudication.adjudicate(Caller(store, administrator), document_id=document_of(people[0], image_id), seq=1)
    with pytest.raises(InputRejected, match="longer"):
        adjudication.adjudicate(Caller(store, administrator), document_id=document_id, seq=seq, note="x" * 2001)
    assert adjudication.list_adjudications(Caller(store, administrator)) == ()


def test_who_may_decide(
    store: Store, administrator: Actor, reader: Actor, people: list[Actor], senior: Actor, versions: list[int],
    image_id: int,
) -> None:  # fmt: skip
    deeds = (
        lambda actor: adjudication.take_mask(Caller(store, actor), version_id=versions[0]),
        lambda actor: combine(store, actor, image_id, Combination.MAJORITY, versions),
        lambda actor: adjudication.adjudicate(Caller(store, actor), document_id=document_of(actor, image_id), seq=0),
    )
    for deed in deeds:
        for person in (senior, reader):
            with pytest.raises(PermissionDenied):
                deed(person)
        with pytest.raises(PermissionDenied):
            deed(people[0])
    add_task(store, [image_id], [senior], creator=administrator, adjudicator=senior, finding=Finding.MOSAIC)
    with pytest.raises(PermissionDenied):
        deeds[0](senior)
    add_task(store, [image_id], people, creator=administrator, adjudicator=senior, blind=False)
    assert adjudication.take_mask(Caller(store, senior), version_id=versions[0]).decided_by == "Senta"
    assert agreement.image_agreement(Caller(store, senior), image_id=image_id).may_adjudicate


def test_nobody_decides_between_his_own_mask_and_others(
    store: Store, administrator: Actor, versions: list[int], image_id: int
) -> None:
    submit(store, administrator, image_id, square(3, 3))
    found = agreement.image_agreement(Caller(store, administrator), image_id=image_id)
    assert not found.may_adjudicate
    assert "mask of your own" in found.why_not
    with pytest.raises(Conflict, match="mask of your own"):
        adjudication.take_mask(Caller(store, administrator), version_id=versions[0])
    assert not agreement.agreement_overview(Caller(store, administrator)).images[0].may_adjudicate


def test_a_blind_task_is_done_first(store: Store, administrator: Actor, people: list[Actor], image_id: int) -> None:
    add_task(store, [image_id], people, creator=administrator)
    first = submit(store, people[0], image_id, MASKS[0])
    second = submit(store, people[1], image_id, MASKS[1])
    with pytest.raises(Conflict, match="waits for 1 more"):
        adjudication.take_mask(Caller(store, administrator), version_id=first)
    with pytest.raises(Blinding):
        adjudication.take_mask(Caller(store, people[2]), version_id=first)
    with pytest.raises(InputRejected, match="hidden from you"):
        adjudication.combination_overlay(
            Caller(store, people[2]), image_id=image_id, combination=Combination.UNION, version_ids=[first, second]
        )
    third = submit(store, people[2], image_id, MASKS[2])
    assert adjudication.take_mask(Caller(store, administrator), version_id=third).is_current


def test_whoever_still_has_to_annotate_does_not_decide(
    store: Store, administrator: Actor, versions: list[int], image_id: int
) -> None:
    add_task(store, [image_id], [administrator], creator=administrator, blind=False)
    with pytest.raises(Conflict, match="annotate this image yourself"):
        adjudication.take_mask(Caller(store, administrator), version_id=versions[0])
    with store.writing() as session:
        item = session.scalars(select(TaskItem)).one()
        item.state, item.skip_reason = TaskItemState.SKIPPED, "blurred"
    document_id, seq = paint(store, administrator, image_id, square(1, 1))
    adjudication.adjudicate(Caller(store, administrator), document_id=document_id, seq=seq)
    with store.reading() as session:
        assert session.scalars(select(TaskItem)).one().state is TaskItemState.SKIPPED


def test_there_is_something_to_decide_on(store: Store, administrator: Actor, image_id: int) -> None:
    with pytest.raises(Conflict, match="nothing to decide"):
        adjudication.adjudicate(Caller(store, administrator), document_id=document_of(administrator, image_id), seq=0)
    with pytest.raises(NotFound):
        adjudication.take_mask(Caller(store, administrator), version_id=99)


def test_only_the_newest_confirmed_version_is_taken(
    store: Store, administrator: Actor, people: list[Actor], versions: list[int], image_id: int
) -> None:
    newer = submit(store, people[0], image_id, square(11, 11))
    with pytest.raises(Conflict, match="newer one"):
        adjudication.take_mask(Caller(store, administrator), version_id=versions[0])
    with pytest.raises(InputRejected, match="not the newest"):
        combine(store, administrator, image_id, Combination.UNION, versions)
    assert adjudication.take_mask(Caller(store, administrator), version_id=newer).version_id == newer
    with store.writing() as session:
        session.get_one(AnnotationVersion, versions[1]).annotation.state = AnnotationState.TO_CONFIRM
    with pytest.raises(Conflict, match="waits for confirmation"):
        adjudication.take_mask(Caller(store, administrator), version_id=versions[1])


def test_a_decision_tells_when_somebody_has_submitted_since(
    store: Store, administrator: Actor, people: list[Actor], versions: list[int], image_id: int
) -> None:
    adjudication.take_mask(Caller(store, administrator), version_id=versions[0])
    submit(store, people[2], image_id, square(30, 30))
    (decision,) = adjudication.list_adjudications(Caller(store, administrator))
    assert not decision.is_current
    assert decision.sources == tuple(versions)


def test_a_combination_is_shown_before_it_is_started(
    store: Store, annotator: Actor, versions: list[int], image_id: int
) -> None:
    png = adjudication.combination_overlay(
        Caller(store, annotator), image_id=image_id, combination=Combination.MAJORITY, version_ids=versions
    )
    alpha = np.asarray(Picture.open(io.BytesIO(png)).convert("RGBA"))[..., 3] > 0
    assert np.array_equal(alpha, combine_masks(MASKS, Combination.MAJORITY))
    for ids, said in ((versions[:1], "at least two"), ([*versions, 99], "not the newest")):
        with pytest.raises(InputRejected, match=said):
            adjudication.combination_overlay(
                Caller(store, annotator), image_id=image_id, combination=Combination.UNION, version_ids=ids
            )
