"""Deciding which mask counts: who may, how a decision came about, and what it leaves behind."""

import io

import numpy as np
import pytest
from PIL import Image as Picture

from colpo_core.errors import Blinding, Conflict, InputRejected, NotFound, PermissionDenied
from colpo_core.evaluation.consensus import combine_masks
from colpo_core.images.masks import decode_rle
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
from tests.support.refusals import refused
from tests.support.several_annotators import add_task, paint, square, submit
from tests.support.store_rows import change_all, get, row

MASKS = [square(10, 10), square(10, 14), square(20, 24, 12)]


@pytest.fixture
def senior(store: Store) -> Caller:
    return add_person(store, "senta", Role.ANNOTATOR)


@pytest.fixture
def image_id(store: Store) -> int:
    return Clinic(store).add_case(masked=False).image_id


@pytest.fixture
def versions(people: list[Caller], image_id: int) -> list[int]:
    return [submit(person, image_id, mask) for person, mask in zip(people, MASKS, strict=True)]


def combine(caller: Caller, image_id: int, how: Combination, ids: list[int]) -> int:
    return adjudication.start_combination(
        caller, image_id=image_id, finding=Finding.ACETOWHITE, combination=how, version_ids=ids
    ).seq


def drawn(caller: Caller, image_id: int) -> np.ndarray:
    return decode_rle(own_masks.open_annotation(caller, image_id=image_id).rle, height_px=SIDE_PX, width_px=SIDE_PX)


def document_of(caller: Caller, image_id: int) -> str:
    return f"i{image_id}-p{caller.person_id}-{Finding.ACETOWHITE.value}"


def test_a_mask_is_taken_as_it_is(store: Store, administrator: Caller, versions: list[int], image_id: int) -> None:
    decision = adjudication.take_mask(administrator, version_id=versions[1], note=" clearer ")
    assert (decision.version_id, decision.author, decision.method) == (versions[1], "Clara", AdjudicationMethod.TAKEN)
    assert (decision.sources, decision.decided_by, decision.note) == (tuple(versions), "Ada", "clearer")
    assert decision.is_current
    assert agreement.image_agreement(administrator, image_id=image_id).adjudication == decision
    assert agreement.agreement_overview(administrator).images[0].is_adjudicated
    entry = row(store, AuditEntry, AuditEntry.action == "adjudicate")
    assert (entry.subject, entry.detail["method"]) == (f"image {image_id}", "taken")
    assert get(store, AnnotationVersion, versions[1]).origin is MaskOrigin.PAINTED


def test_the_newest_decision_counts_and_none_is_changed(
    administrator: Caller, versions: list[int], image_id: int
) -> None:
    decisions = [adjudication.take_mask(administrator, version_id=one) for one in versions]
    assert adjudication.list_adjudications(administrator) == tuple(reversed(decisions))
    assert agreement.image_agreement(administrator, image_id=image_id).adjudication == decisions[2]
    assert adjudication.list_adjudications(administrator, before=decisions[2].id, limit=1) == (decisions[1],)
    assert adjudication.list_adjudications(administrator, finding=Finding.MOSAIC) == ()
    assert adjudication.list_adjudications(administrator, image_id=image_id + 1) == ()
    refused(ValueError, lambda: adjudication.list_adjudications(administrator, limit=0), match="limit")


@pytest.mark.parametrize("how", list(Combination))
def test_a_combination_becomes_the_adjudicators_draft(
    store: Store, administrator: Caller, versions: list[int], image_id: int, how: Combination
) -> None:
    seq = combine(administrator, image_id, how, versions)
    assert np.array_equal(drawn(administrator, image_id), combine_masks(MASKS, how))
    document_id = document_of(administrator, image_id)
    decision = adjudication.adjudicate(administrator, document_id=document_id, seq=seq, note="so")
    assert (decision.method, decision.author, decision.sources) == (
        AdjudicationMethod.COMBINED, "Ada", tuple(versions)
    )  # fmt: skip
    version = get(store, AnnotationVersion, decision.version_id)
    assert (version.origin, version.start, version.note) == (MaskOrigin.ADJUDICATED, Start.COMBINATION, "so")
    assert (version.kept_share, version.added_share) in {(1.0, 0.0), (None, None)}


def test_a_corrected_combination_is_painted(administrator: Caller, versions: list[int], image_id: int) -> None:
    combine(administrator, image_id, Combination.UNION, versions[:2])
    assert np.array_equal(drawn(administrator, image_id), MASKS[0] | MASKS[1])
    document_id, seq = paint(administrator, image_id, MASKS[0] | MASKS[1] | square(50, 50, 5))
    decision = adjudication.adjudicate(administrator, document_id=document_id, seq=seq)
    assert decision.method is AdjudicationMethod.PAINTED
    with pytest.raises(InputRejected, match="Nothing has changed"):
        adjudication.adjudicate(administrator, document_id=document_id, seq=seq)
    assert len(adjudication.list_adjudications(administrator)) == 1


def test_painting_from_nothing_is_painted_and_can_be_taken_again(
    administrator: Caller, versions: list[int], image_id: int
) -> None:
    document_id, seq = paint(administrator, image_id, square(1, 1))
    painted = adjudication.adjudicate(administrator, document_id=document_id, seq=seq)
    assert painted.method is AdjudicationMethod.PAINTED
    found = agreement.image_agreement(administrator, image_id=image_id)
    assert [version.version_id for version in found.versions] == versions, "the decision is not an annotator's mask"
    assert found.may_adjudicate
    adjudication.take_mask(administrator, version_id=versions[0])
    again = adjudication.take_mask(administrator, version_id=painted.version_id)
    assert (again.version_id, again.method) == (painted.version_id, AdjudicationMethod.TAKEN)


def test_what_is_not_on_the_screen_is_not_decided(
    administrator: Caller, people: list[Caller], versions: list[int], image_id: int
) -> None:
    document_id, seq = paint(administrator, image_id, square(1, 1))
    with pytest.raises(Conflict, match="not the one on your screen"):
        adjudication.adjudicate(administrator, document_id=document_id, seq=seq - 1)
    with pytest.raises(NotFound):
        adjudication.adjudicate(administrator, document_id=document_of(people[0], image_id), seq=1)
    with pytest.raises(InputRejected, match="longer"):
        adjudication.adjudicate(administrator, document_id=document_id, seq=seq, note="x" * 2001)
    assert adjudication.list_adjudications(administrator) == ()


def test_who_may_decide(
    store: Store, administrator: Caller, reader: Caller, people: list[Caller], senior: Caller, versions: list[int],
    image_id: int) -> None:  # fmt: skip
    deeds = (
        lambda caller: adjudication.take_mask(caller, version_id=versions[0]),
        lambda caller: combine(caller, image_id, Combination.MAJORITY, versions),
        lambda caller: adjudication.adjudicate(caller, document_id=document_of(caller, image_id), seq=0),
    )
    for deed in deeds:
        for person in (senior, reader):
            with pytest.raises(PermissionDenied):
                deed(person)
        with pytest.raises(PermissionDenied):
            deed(people[0])
    add_task(store, [image_id], [senior], creator=administrator, adjudicator=senior, finding=Finding.MOSAIC)
    refused(PermissionDenied, lambda: deeds[0](senior))
    add_task(store, [image_id], people, creator=administrator, adjudicator=senior, blind=False)
    assert adjudication.take_mask(senior, version_id=versions[0]).decided_by == "Senta"
    assert agreement.image_agreement(senior, image_id=image_id).may_adjudicate


def test_nobody_decides_between_his_own_mask_and_others(
    administrator: Caller, versions: list[int], image_id: int
) -> None:
    submit(administrator, image_id, square(3, 3))
    found = agreement.image_agreement(administrator, image_id=image_id)
    assert not found.may_adjudicate
    assert "mask of your own" in found.why_not
    refused(Conflict, lambda: adjudication.take_mask(administrator, version_id=versions[0]), match="mask of your own")
    assert not agreement.agreement_overview(administrator).images[0].may_adjudicate


def test_a_blind_task_is_done_first(store: Store, administrator: Caller, people: list[Caller], image_id: int) -> None:
    add_task(store, [image_id], people, creator=administrator)
    first = submit(people[0], image_id, MASKS[0])
    second = submit(people[1], image_id, MASKS[1])
    refused(Conflict, lambda: adjudication.take_mask(administrator, version_id=first), match="waits for 1 more")
    refused(Blinding, lambda: adjudication.take_mask(people[2], version_id=first))
    with pytest.raises(InputRejected, match="hidden from you"):
        adjudication.combination_overlay(
            people[2], image_id=image_id, combination=Combination.UNION, version_ids=[first, second]
        )
    assert adjudication.take_mask(administrator, version_id=submit(people[2], image_id, MASKS[2])).is_current


def test_whoever_still_has_to_annotate_does_not_decide(
    store: Store, administrator: Caller, versions: list[int], image_id: int
) -> None:
    add_task(store, [image_id], [administrator], creator=administrator, blind=False)
    with pytest.raises(Conflict, match="annotate this image yourself"):
        adjudication.take_mask(administrator, version_id=versions[0])
    change_all(store, TaskItem, state=TaskItemState.SKIPPED, skip_reason="blurred")
    document_id, seq = paint(administrator, image_id, square(1, 1))
    adjudication.adjudicate(administrator, document_id=document_id, seq=seq)
    assert row(store, TaskItem).state is TaskItemState.SKIPPED


def test_there_is_something_to_decide_on(administrator: Caller, image_id: int) -> None:
    with pytest.raises(Conflict, match="nothing to decide"):
        adjudication.adjudicate(administrator, document_id=document_of(administrator, image_id), seq=0)
    refused(NotFound, lambda: adjudication.take_mask(administrator, version_id=99))


def test_only_the_newest_confirmed_version_is_taken(
    store: Store, administrator: Caller, people: list[Caller], versions: list[int], image_id: int
) -> None:
    newer = submit(people[0], image_id, square(11, 11))
    refused(Conflict, lambda: adjudication.take_mask(administrator, version_id=versions[0]), match="newer one")
    with pytest.raises(InputRejected, match="not the newest"):
        combine(administrator, image_id, Combination.UNION, versions)
    assert adjudication.take_mask(administrator, version_id=newer).version_id == newer
    with store.writing() as session:
        session.get_one(AnnotationVersion, versions[1]).annotation.state = AnnotationState.TO_CONFIRM
    with pytest.raises(Conflict, match="waits for confirmation"):
        adjudication.take_mask(administrator, version_id=versions[1])


def test_a_decision_tells_when_somebody_has_submitted_since(
    administrator: Caller, people: list[Caller], versions: list[int], image_id: int
) -> None:
    adjudication.take_mask(administrator, version_id=versions[0])
    submit(people[2], image_id, square(30, 30))
    (decision,) = adjudication.list_adjudications(administrator)
    assert not decision.is_current
    assert decision.sources == tuple(versions)


def test_a_combination_is_shown_before_it_is_started(annotator: Caller, versions: list[int], image_id: int) -> None:
    png = adjudication.combination_overlay(
        annotator, image_id=image_id, combination=Combination.MAJORITY, version_ids=versions
    )
    alpha = np.asarray(Picture.open(io.BytesIO(png)).convert("RGBA"))[..., 3] > 0
    assert np.array_equal(alpha, combine_masks(MASKS, Combination.MAJORITY))
    for ids, said in ((versions[:1], "at least two"), ([*versions, 99], "not the newest")):
        with pytest.raises(InputRejected, match=said):
            adjudication.combination_overlay(
                annotator, image_id=image_id, combination=Combination.UNION, version_ids=ids
            )
