"""Which mask of an image a snapshot takes, by its policy."""

import numpy as np
import pytest

from colpo_core.datasets.manifest import Manifest
from colpo_core.errors import InputRejected, NotFound
from colpo_core.evaluation.consensus import combine_masks
from colpo_core.images.masks import encode_rle, mask_sha256
from colpo_core.services.common.callers import Caller
from colpo_core.services.snapshots import freezing
from colpo_core.services.snapshots.freezing import SnapshotQuery
from colpo_core.store import Store
from colpo_core.store.tables import Adjudication, AnnotationVersion, ConsensusMask, Mask
from colpo_core.terms import AdjudicationMethod, Combination, Finding, MaskOrigin, MaskPolicy
from colpo_core.workers.stored_pixels import StoredPixels
from tests.support.clinic import SIDE_PX, Clinic, ClinicCase
from tests.support.refusals import refused
from tests.support.several_annotators import square, submit
from tests.support.snapshots import manifest_of
from tests.support.store_rows import add, change, count, rows

MASKS = [square(10, 10), square(12, 12), square(20, 24, 12)]


@pytest.fixture
def case(clinic: Clinic, people: list[Caller]) -> ClinicCase:
    """An image that all three have annotated, dora last."""
    case = clinic.add_case(masked=False)
    for person, mask in zip(people, MASKS, strict=True):
        submit(person, case.image_id, mask)
    return case


def gather(store: Store, policy: MaskPolicy, annotator_id: int | None = None) -> Manifest:
    return freezing.gather_manifest(store, SnapshotQuery("any", mask_policy=policy, mask_annotator_id=annotator_id))


def sha_of(mask: np.ndarray) -> str:
    return mask_sha256(encode_rle(mask))


def decide(store: Store, case: ClinicCase, version_id: int, caller: Caller) -> None:
    add(
        store,
        Adjudication(
            image_id=case.image_id,
            finding=Finding.ACETOWHITE,
            version_id=version_id,
            method=AdjudicationMethod.TAKEN,
            sources=[version_id],
            decided_by=caller.person_id,
        ),
    )


def versions(store: Store) -> list[int]:
    return rows(store, AnnotationVersion.id)


def test_the_newest_of_all_is_the_default(store: Store, case: ClinicCase) -> None:
    (item,) = gather(store, MaskPolicy.NEWEST).items
    assert (item.mask_sha256, item.mask_origin) == (sha_of(MASKS[2]), MaskOrigin.PAINTED)
    assert SnapshotQuery("x").mask_policy is MaskPolicy.NEWEST


def test_one_annotators_masks_leave_the_others_out(
    store: Store, clinic: Clinic, people: list[Caller], case: ClinicCase
) -> None:
    other = clinic.add_case()
    manifest = gather(store, MaskPolicy.ANNOTATOR, people[0].person_id)
    by_image = {item.image_id: item for item in manifest.items}
    assert by_image[case.image_id].mask_sha256 == sha_of(MASKS[0])
    assert by_image[other.image_id].mask_sha256 is None
    reasons = [(gone.what, gone.id, gone.reason) for gone in manifest.left_out if gone.what == "annotation"]
    assert reasons == [("annotation", other.annotation_id, "the mask is not the chosen annotator's")]


@pytest.mark.parametrize("policy", [MaskPolicy.MAJORITY, MaskPolicy.STAPLE])
def test_a_consensus_is_made_of_all_annotators(
    store: Store, clinic: Clinic, case: ClinicCase, policy: MaskPolicy
) -> None:
    alone = clinic.add_case()
    expected = combine_masks(MASKS, Combination(policy.value))
    manifest = gather(store, policy)
    by_image = {item.image_id: item for item in manifest.items}
    made = by_image[case.image_id]
    assert (made.mask_sha256, made.mask_origin) == (sha_of(expected), MaskOrigin(policy.value))
    assert by_image[alone.image_id].mask_origin is MaskOrigin.PAINTED
    assert (manifest.mask_policy, manifest.mask_annotator_id) == (policy, None)
    change(store, AnnotationVersion, versions(store)[0], origin=MaskOrigin.ADJUDICATED)
    without = {item.image_id: item for item in gather(store, policy).items}[case.image_id]
    assert without.mask_sha256 == sha_of(combine_masks(MASKS[1:], Combination(policy.value)))


def test_freezing_keeps_the_consensus_once_and_previewing_does_not(
    store: Store, administrator: Caller, case: ClinicCase
) -> None:
    query = SnapshotQuery("agreed", mask_policy=MaskPolicy.STAPLE)
    before = count(store, Mask)
    preview = freezing.preview_snapshot(administrator, query=query)
    assert count(store, ConsensusMask) == 0
    assert count(store, Mask) == before
    frozen = freezing.freeze_snapshot(administrator, query=query)
    assert frozen.sha256 == preview.sha256
    assert freezing.freeze_snapshot(administrator, query=query) == frozen
    (kept,) = rows(store, ConsensusMask)
    assert (kept.image_id, kept.method, kept.sources) == (case.image_id, Combination.STAPLE, versions(store))
    (item,) = manifest_of(store, frozen.id).items
    assert item.mask_sha256 is not None
    mask = StoredPixels(store).load_mask(item.mask_sha256, SIDE_PX, SIDE_PX)
    assert np.array_equal(mask, combine_masks(MASKS, Combination.STAPLE))


def test_what_was_frozen_once_is_not_made_anew(
    store: Store, administrator: Caller, case: ClinicCase, monkeypatch: pytest.MonkeyPatch
) -> None:
    query = SnapshotQuery("agreed", mask_policy=MaskPolicy.STAPLE)
    frozen = freezing.freeze_snapshot(administrator, query=query)
    monkeypatch.setattr("colpo_core.services.agreement.consensus._combine", lambda *_: encode_rle(square(0, 0)))
    monkeypatch.setattr("colpo_core.services.agreement.consensus._CODES._values", {})
    assert freezing.gather_manifest(store, query).sha256 == frozen.sha256


def test_a_newer_version_makes_another_consensus(store: Store, people: list[Caller], case: ClinicCase) -> None:
    before = gather(store, MaskPolicy.MAJORITY)
    submit(people[0], case.image_id, square(30, 30))
    assert gather(store, MaskPolicy.MAJORITY).sha256 != before.sha256


def test_several_masks_without_a_decision_are_left_out(administrator: Caller, clinic: Clinic, case: ClinicCase) -> None:
    alone = clinic.add_case()
    manifest = gather(administrator.store, MaskPolicy.ADJUDICATED)
    by_image = {item.image_id: item for item in manifest.items}
    assert by_image[case.image_id].mask_sha256 is None
    assert by_image[alone.image_id].mask_origin is MaskOrigin.PAINTED
    reasons = [gone.reason for gone in manifest.left_out if gone.what == "annotation"]
    assert reasons == ["several annotators' masks, and nobody has adjudicated"] * 3
    first, second, _, _ = versions(administrator.store)
    decide(administrator.store, case, first, administrator)
    decide(administrator.store, case, second, administrator)
    decided = {item.image_id: item for item in gather(administrator.store, MaskPolicy.ADJUDICATED).items}[case.image_id]
    assert (decided.mask_sha256, decided.mask_origin) == (sha_of(MASKS[1]), MaskOrigin.ADJUDICATED)


def test_an_image_with_neither_label_nor_counting_mask_says_so(
    store: Store, people: list[Caller], clinic: Clinic
) -> None:
    clinic.add_case()
    bare = clinic.add_case(grades=(), masked=False)
    for person, mask in zip(people[:2], MASKS, strict=False):
        submit(person, bare.image_id, mask)
    reasons = {(gone.what, gone.id): gone.reason for gone in gather(store, MaskPolicy.ADJUDICATED).left_out}
    assert reasons["image", bare.image_id] == "neither a label nor a mask that the snapshot takes"


def test_a_snapshot_says_which_masks_it_holds(administrator: Caller, people: list[Caller], case: ClinicCase) -> None:
    query = SnapshotQuery("clara's", mask_policy=MaskPolicy.ANNOTATOR, mask_annotator_id=people[1].person_id)
    preview = freezing.preview_snapshot(administrator, query=query)
    frozen = freezing.freeze_snapshot(administrator, query=query)
    assert (frozen.mask_policy, frozen.mask_annotator) == (MaskPolicy.ANNOTATOR, "Clara")
    assert frozen.mask_annotator_id == people[1].person_id
    assert preview.masks_text == frozen.masks_text == "the masks of Clara (1 painted)"
    newest = freezing.freeze_snapshot(administrator, query=SnapshotQuery("all"))
    assert (newest.mask_policy, newest.mask_annotator) == (MaskPolicy.NEWEST, None)
    assert newest.sha256 != frozen.sha256


def test_authors_are_those_with_usable_masks(annotator: Caller, clinic: Clinic, case: ClinicCase) -> None:
    clinic.add_case()
    found = [(author.name, author.n_images) for author in freezing.mask_authors(annotator)]
    assert found == [("Berta", 1), ("Clara", 1), ("Dora", 1), ("Painter", 1)]


def test_bad_policies_are_refused(store: Store, case: ClinicCase) -> None:
    refused(InputRejected, lambda: SnapshotQuery("x", mask_policy=MaskPolicy.ANNOTATOR), match="Name the annotator")
    refused(InputRejected, lambda: SnapshotQuery("x", mask_annotator_id=1), match="only where")
    refused(NotFound, lambda: gather(store, MaskPolicy.ANNOTATOR, 999), match="no person 999")
