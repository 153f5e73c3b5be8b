"""Snapshots: what a model learns from, gathered from the store and frozen under its hash."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from colpo_core.datasets.guard import check_leakage
from colpo_core.datasets.manifest import LeftOut, Manifest, ManifestItem
from colpo_core.datasets.splits import split_patients, strata_of
from colpo_core.errors import Conflict, InputRejected
from colpo_core.labels import RULES_VERSION
from colpo_core.records.cases.images import AskedImage, Contradiction
from colpo_core.records.snapshots.snapshots import MaskAuthor, SnapshotPreview, SnapshotQuery, SnapshotRecord
from colpo_core.services.agreement.consensus import Consensus, keep_consensus
from colpo_core.services.annotations.submitted_masks import find_annotator_masks
from colpo_core.services.cases.fingerprints import fill_fingerprints, fingerprints
from colpo_core.services.common import audit, exposures
from colpo_core.services.common.callers import Caller
from colpo_core.services.common.permissions import CLINICIANS, allowed
from colpo_core.services.snapshots.count_checks import judge_counts
from colpo_core.services.snapshots.external_sets import (
    ReservedPatients,
    group_patients,
    reserved_patients,
    who_has_learned,
)
from colpo_core.services.snapshots.gathering import Gathered, Usable, gather
from colpo_core.services.snapshots.rows import snapshot_record, snapshot_rows
from colpo_core.services.snapshots.shortcuts import search_shortcuts, snapshot_shortcuts
from colpo_core.store import Store
from colpo_core.store.facts import find_one, find_row
from colpo_core.store.tables import Person, Snapshot
from colpo_core.terms import ExposureKind, Finding, Split

_KEEPS_EVERYBODY = (
    "The set keeps every patient who can be trained on now, and this cannot be undone. Choose some patients or days, "
    "or train on those who come later."
)


@allowed(CLINICIANS)
def preview_snapshot(caller: Caller, *, query: SnapshotQuery, measure_at_most: int | None = None) -> SnapshotPreview:
    """What a query would freeze now: how much, what is left out and why, and whether a training could start.

    Masks that a policy makes of several are computed, and not stored.

    Args:
        caller: Who asks.
        query: What to freeze.
        measure_at_most: How many images are measured now for the search for shortcuts, where an image has not been
            yet; all that it needs when None.

    Raises:
        InputRejected: The fractions do not make sense, a patient's code is unknown, or nothing at all can be frozen.
        NotFound: There is no such annotator, or the file of an image that is looked at for the first time is lost.
    """
    gathered = _gather_all(caller.store, query, partial(_note_contradictions, caller))
    manifest = gathered.manifest
    with caller.store.reading() as session:
        equals = session.scalar(select(Snapshot.name).where(Snapshot.sha256 == manifest.sha256))
        annotator = _annotator_name(session, query)
        seen = who_has_learned(caller.store, session, manifest, gathered.fingerprints) if query.external else ()
    counts = gathered.counts
    problems, warnings = judge_counts(counts, external=query.external)
    if query.external and not query.is_restricted:
        warnings += (_KEEPS_EVERYBODY,)
    return SnapshotPreview(
        sha256=manifest.sha256,
        counts=counts,
        simulated=manifest.simulated,
        equals=equals,
        problems=problems,
        warnings=warnings + seen,
        mask_policy=query.mask_policy,
        mask_annotator=annotator,
        external=query.external,
        contradictions=gathered.contradictions,
        asked=gathered.asked,
        shortcuts=search_shortcuts(caller.store, manifest, at_most=measure_at_most),
    )


@allowed(CLINICIANS)
def freeze_snapshot(caller: Caller, *, query: SnapshotQuery) -> SnapshotRecord:
    """Freeze what a query finds; the same query under the same name gives the same snapshot again.

    From the moment that an external test set is frozen, its patients stand in no other snapshot, and neither does
    whoever shares an image or a near copy with them.

    Raises:
        InputRejected: The fractions do not make sense, a patient's code is unknown, or nothing at all can be frozen.
        Conflict: The name stands for other content, or the same content stands under another name.
        LeakageFound: The same patient, image or near copy would stand on two sides.
        NotFound: There is no such annotator, or the file of an image that is looked at for the first time is lost.
    """
    return _freeze(caller, query, partial(_note_contradictions, caller))


@allowed(CLINICIANS)
def freeze_unattended(caller: Caller, *, query: SnapshotQuery) -> SnapshotRecord:
    """`freeze_snapshot` where nobody looks on, so that nobody counts as having seen which labels contradict each other.

    Raises:
        InputRejected: See `freeze_snapshot`, as all others.
        Conflict: See there.
        LeakageFound: See there.
        NotFound: See there.
    """
    return _freeze(caller, query, None)


def _freeze(caller: Caller, query: SnapshotQuery, tell: "_Tell | None") -> SnapshotRecord:
    store, actor = caller.store, caller.actor
    gathered = _gather_all(store, query, tell)
    manifest = gathered.manifest
    check_leakage(manifest, gathered.fingerprints)
    sha256 = store.blobs.put(manifest.to_json())
    with store.writing() as session:
        equal = session.scalar(select(Snapshot).where(Snapshot.sha256 == sha256))
        if equal is None:
            _refuse_taken_name(session, query.name)
            equal = Snapshot(
                name=query.name,
                sha256=sha256,
                label_source=manifest.label_source,
                rules_version=manifest.rules_version,
                mask_policy=manifest.mask_policy,
                mask_annotator_id=manifest.mask_annotator_id,
                seed=manifest.seed,
                counts=gathered.counts,
                simulated=manifest.simulated,
                external=query.external,
                created_by=actor.person_id,
            )
            session.add(equal)
            for consensus in gathered.consensus:
                keep_consensus(session, consensus)
            session.flush()
            detail = {"sha256": sha256, "external": query.external, "asked_about": gathered.counts["asked_about"]}
            audit.record(session, actor, "freeze snapshot", f"snapshot {equal.id}", **detail)
        elif equal.name != query.name:
            raise Conflict(
                f"Nothing was frozen: snapshot “{equal.name}” holds exactly the same images, masks, labels and split. "
                "Use that one."
            )
        snapshot_id = equal.id
    snapshot_shortcuts(store, snapshot_id, manifest)
    return get_snapshot(caller, snapshot_id=snapshot_id)


@allowed(CLINICIANS)
def list_snapshots(caller: Caller) -> tuple[SnapshotRecord, ...]:
    """All snapshots, newest first."""
    with caller.store.reading() as session:
        return tuple(snapshot_record(row) for row in session.execute(snapshot_rows().order_by(Snapshot.id.desc())))


@allowed(CLINICIANS)
def get_snapshot(caller: Caller, *, snapshot_id: int) -> SnapshotRecord:
    """One snapshot.

    Raises:
        NotFound: There is no such snapshot.
    """
    with caller.store.reading() as session:
        return snapshot_record(find_one(session, snapshot_rows().where(Snapshot.id == snapshot_id), snapshot_id))


@allowed(CLINICIANS)
def find_snapshot(caller: Caller, *, name: str) -> SnapshotRecord:
    """The snapshot of a name.

    Raises:
        NotFound: There is no such snapshot.
    """
    with caller.store.reading() as session:
        return snapshot_record(find_one(session, snapshot_rows().where(Snapshot.name == name.strip()), name))


@allowed(CLINICIANS)
def mask_authors(caller: Caller) -> tuple[MaskAuthor, ...]:
    """Who has masks of acetowhite epithelium that training may use, by name."""
    with caller.store.reading() as session:
        judged = find_annotator_masks(session, finding=Finding.ACETOWHITE)
        masks = [candidate.mask for candidate in judged if candidate.mask is not None]
    images = Counter((mask.annotator_id, mask.annotator) for mask in masks)
    authors = [MaskAuthor(person_id, name, n_images) for (person_id, name), n_images in images.items()]
    return tuple(sorted(authors, key=lambda author: (author.name.casefold(), author.person_id)))


def gather_manifest(store: Store, query: SnapshotQuery) -> Manifest:
    """Gather what a query finds at one moment, split by patients.

    Raises:
        InputRejected: The fractions do not make sense, a patient's code is unknown, or nothing at all can be frozen.
        NotFound: There is no such annotator, or the file of an image that is looked at for the first time is lost.
    """
    return _gather_all(store, query, None).manifest


@dataclass(frozen=True)
class _Frozen:
    """What a query would freeze.

    Attributes:
        manifest: The manifest.
        consensus: Masks that it takes and that the store does not hold before they are frozen.
        fingerprints: Perceptual hash of every image of the store that has one, by its row.
        contradictions: Copies of one photograph in cases whose labels contradict each other.
        asked: Images about which something is asked.
    """

    manifest: Manifest
    consensus: tuple[Consensus, ...]
    fingerprints: dict[int, str]
    contradictions: tuple[Contradiction, ...]
    asked: tuple[AskedImage, ...]

    @property
    def counts(self) -> dict[str, Any]:
        """What the manifest counts, and how many of its images have an open question about them."""
        held = {item.image_id for item in self.manifest.items}
        return {**self.manifest.counts(), "asked_about": sum(question.image_id in held for question in self.asked)}


_Tell = Callable[[tuple[Contradiction, ...]], None]


def _note_contradictions(caller: Caller, contradictions: tuple[Contradiction, ...]) -> None:
    """Whoever is told that two labels contradict each other, and knows one, knows the other."""
    cases = {case_id for pair in contradictions for case_id in (pair.case_id, pair.other_case_id)}
    exposures.note(caller, [(case_id, ExposureKind.LABEL) for case_id in cases])


def _gather_all(store: Store, query: SnapshotQuery, tell: _Tell | None) -> _Frozen:
    """Gather; `tell` is called with the contradictions before anything is refused for them."""
    fill_fingerprints(store)
    with store.reading() as session:
        _annotator_name(session, query)
        looks = fingerprints(session)
        gathered = gather(session, query, looks)
        reserved = reserved_patients(store, session, but=query.name if query.external else None)
    if tell is not None:
        tell(gathered.contradictions)
    images = [(image.image.id, image.patient_id, image.image.sha256) for image in gathered.usable]
    others = [(item.image_id, item.patient_id, item.image_sha256) for item in reserved.items]
    kin = group_patients((*images, *others), looks)
    usable, kept_back = _without_reserved(gathered, reserved, kin)
    _refuse_nothing(query, usable, kept_back, gathered.contradictions)
    items = tuple(image.item(Split.TEST) for image in usable)
    manifest = Manifest(
        items if query.external else _on_sides(items, kin, query),
        (*gathered.left_out, *kept_back),
        query.label_source,
        RULES_VERSION,
        query.seed,
        query.fractions,
        query.mask_policy,
        query.mask_annotator_id,
    )
    masks = [image.mask for image in usable if image.mask is not None]
    consensus = tuple(mask.consensus for mask in masks if mask.consensus is not None)
    return _Frozen(manifest, consensus, looks, gathered.contradictions, gathered.asked)


def _without_reserved(
    gathered: Gathered, reserved: ReservedPatients, kin: dict[int, int]
) -> tuple[list[Usable], list[LeftOut]]:
    """Set aside the images of patients whom an external test set reserves, and of their kin."""
    names = {kin[patient_id]: name for patient_id, name in reserved.names.items()}
    usable = [image for image in gathered.usable if kin[image.patient_id] not in names]
    kept_back = [
        LeftOut("image", image.image.id, f"kept for the external test set “{names[kin[image.patient_id]]}”")
        for image in gathered.usable
        if kin[image.patient_id] in names
    ]
    return usable, kept_back


def _refuse_nothing(
    query: SnapshotQuery, usable: list[Usable], kept_back: list[LeftOut], contradictions: tuple[Contradiction, ...]
) -> None:
    if usable:
        return
    if contradictions and not kept_back:
        pair = contradictions[0]
        raise InputRejected(
            "Nothing can be frozen: every image with a label or a mask is a copy of one in another case whose label "
            f"contradicts its own, such as those of cases {pair.case_id} and {pair.other_case_id}. Correct the "
            "histology, or mark one image of each pair as not showing the cervix."
        )
    chosen = " of the chosen patients and days" if query.is_restricted else ""
    if kept_back:
        raise InputRejected(
            f"Nothing is left to freeze: every image{chosen} with a label or a mask is kept for an external test set. "
            "Import and label more cases first, or choose other patients and days."
        )
    if chosen:
        raise InputRejected(
            f"Nothing can be frozen: no acetic-acid image{chosen} has a label or a submitted mask. Choose others."
        )
    raise InputRejected(
        "Nothing can be frozen yet: no acetic-acid image has a label or a submitted mask. "
        "Enter histology or annotate images first."
    )


def _on_sides(items: tuple[ManifestItem, ...], kin: dict[int, int], query: SnapshotQuery) -> tuple[ManifestItem, ...]:
    sides = split_patients(strata_of(items, kin), fractions=query.fractions, seed=query.seed)
    return tuple(replace(item, split=sides[kin[item.patient_id]]) for item in items)


def _annotator_name(session: Session, query: SnapshotQuery) -> str | None:
    if query.mask_annotator_id is None:
        return None
    return find_row(session, Person, query.mask_annotator_id).display_name


def _refuse_taken_name(session: Session, name: str) -> None:
    taken = session.scalar(select(Snapshot.created_at).where(Snapshot.name == name))
    if taken is not None:
        raise Conflict(
            f"A snapshot named “{name}” was frozen on {taken:%Y-%m-%d} with other content. Choose another name."
        )
