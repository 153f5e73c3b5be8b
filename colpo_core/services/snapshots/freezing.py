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
from colpo_core.errors import Conflict, InputRejected, NotFound
from colpo_core.labels import RULES_VERSION
from colpo_core.records.cases.images import AskedImage, Contradiction
from colpo_core.records.people import Actor
from colpo_core.records.snapshots.snapshots import MaskAuthor, SnapshotPreview, SnapshotQuery, SnapshotRecord
from colpo_core.services.agreement.consensus import Consensus, keep_consensus
from colpo_core.services.annotations.submitted_masks import find_annotator_masks
from colpo_core.services.cases.fingerprints import fill_fingerprints, fingerprints
from colpo_core.services.common import audit, exposures
from colpo_core.services.common.permissions import CLINICIANS, require
from colpo_core.services.snapshots.external_sets import Kept, find_kept, group_patients, who_has_learned
from colpo_core.services.snapshots.gathering import Gathered, Usable, gather
from colpo_core.services.snapshots.rows import snapshot_record, snapshot_rows
from colpo_core.services.snapshots.shortcuts import search_shortcuts, snapshot_shortcuts
from colpo_core.store import Store
from colpo_core.store.tables import Person, Snapshot
from colpo_core.terms import ExposureKind, Finding, Label, Split

FEWEST_OF_A_LABEL = 10
_KEEPS_EVERYBODY = (
    "The set keeps every patient who can be trained on now, and this cannot be undone. Choose some patients or days, "
    "or train on those who come later."
)


def preview_snapshot(
    store: Store, *, actor: Actor, query: SnapshotQuery, measure_at_most: int | None = None
) -> SnapshotPreview:
    """What a query would freeze now: how much, what is left out and why, and whether a training could start.

    Masks that a policy makes of several are computed, and not stored.

    Args:
        store: The open store.
        actor: Who asks.
        query: What to freeze.
        measure_at_most: How many images are measured now for the search for shortcuts, where an image has not been
            yet; all that it needs when None.

    Raises:
        InputRejected: The fractions do not make sense, a patient's code is unknown, or nothing at all can be frozen.
        NotFound: There is no such annotator, or the file of an image that is looked at for the first time is lost.
    """
    require(actor, CLINICIANS)
    found = _gather_all(store, query, partial(_note_contradictions, store, actor))
    manifest = found.manifest
    with store.reading() as session:
        equals = session.scalar(select(Snapshot.name).where(Snapshot.sha256 == manifest.sha256))
        annotator = _annotator_name(session, query)
        seen = who_has_learned(store, session, manifest, found.fingerprints) if query.external else ()
    counts = found.counts
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
        contradictions=found.contradictions,
        asked=found.asked,
        shortcuts=search_shortcuts(store, manifest, at_most=measure_at_most),
    )


def freeze_snapshot(store: Store, *, actor: Actor, query: SnapshotQuery) -> SnapshotRecord:
    """Freeze what a query finds; the same query under the same name gives the same snapshot again.

    From the moment that an external test set is frozen, its patients stand in no other snapshot, and neither does
    whoever shares an image or a near copy with them.

    Raises:
        InputRejected: The fractions do not make sense, a patient's code is unknown, or nothing at all can be frozen.
        Conflict: The name stands for other content, or the same content stands under another name.
        LeakageFound: The same patient, image or near copy would stand on two sides.
        NotFound: There is no such annotator, or the file of an image that is looked at for the first time is lost.
    """
    require(actor, CLINICIANS)
    return _freeze(store, actor, query, partial(_note_contradictions, store, actor))


def freeze_unattended(store: Store, *, actor: Actor, query: SnapshotQuery) -> SnapshotRecord:
    """`freeze_snapshot` where nobody looks on, so that nobody counts as having seen which labels contradict each other.

    Raises:
        InputRejected: See `freeze_snapshot`, as all others.
        Conflict: See there.
        LeakageFound: See there.
        NotFound: See there.
    """
    require(actor, CLINICIANS)
    return _freeze(store, actor, query, None)


def _freeze(store: Store, actor: Actor, query: SnapshotQuery, tell: "_Tell | None") -> SnapshotRecord:
    found = _gather_all(store, query, tell)
    manifest = found.manifest
    check_leakage(manifest, found.fingerprints)
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
                counts=found.counts,
                simulated=manifest.simulated,
                external=query.external,
                created_by=actor.person_id,
            )
            session.add(equal)
            for consensus in found.consensus:
                keep_consensus(session, consensus)
            session.flush()
            detail = {"sha256": sha256, "external": query.external, "asked_about": found.counts["asked_about"]}
            audit.record(session, actor, "freeze snapshot", f"snapshot {equal.id}", **detail)
        elif equal.name != query.name:
            raise Conflict(
                f"Nothing was frozen: snapshot “{equal.name}” holds exactly the same images, masks, labels and split. "
                "Use that one."
            )
        snapshot_id = equal.id
    snapshot_shortcuts(store, snapshot_id, manifest)
    return get_snapshot(store, actor=actor, snapshot_id=snapshot_id)


def list_snapshots(store: Store, *, actor: Actor) -> tuple[SnapshotRecord, ...]:
    """All snapshots, newest first."""
    require(actor, CLINICIANS)
    with store.reading() as session:
        return tuple(snapshot_record(row) for row in session.execute(snapshot_rows().order_by(Snapshot.id.desc())))


def get_snapshot(store: Store, *, actor: Actor, snapshot_id: int) -> SnapshotRecord:
    """One snapshot.

    Raises:
        NotFound: There is no such snapshot.
    """
    require(actor, CLINICIANS)
    with store.reading() as session:
        row = session.execute(snapshot_rows().where(Snapshot.id == snapshot_id)).one_or_none()
        if row is None:
            raise NotFound(f"There is no snapshot {snapshot_id}. Choose one of the list.")
        return snapshot_record(row)


def find_snapshot(store: Store, *, actor: Actor, name: str) -> SnapshotRecord:
    """The snapshot of a name.

    Raises:
        NotFound: There is no such snapshot.
    """
    require(actor, CLINICIANS)
    with store.reading() as session:
        row = session.execute(snapshot_rows().where(Snapshot.name == name.strip())).one_or_none()
        if row is None:
            raise NotFound(f"There is no snapshot “{name}”. Choose one of the list.")
        return snapshot_record(row)


def judge_counts(counts: dict[str, Any], *, external: bool = False) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Why no training could start on what `Manifest.counts` counted, and what its figures would lack.

    Args:
        counts: The counts.
        external: Whether it is an external test set, which has a test side alone and no training to start.
    """
    if external:
        return (), _warnings(counts, Split.TEST)
    problems = []
    if not counts["masks"][Split.TRAIN]:
        problems.append(
            "No submitted mask that the snapshot takes stands in train. Annotate acetic-acid images, confirm masks "
            "that wait, or take other masks."
        )
    missing = _lacking(counts, Split.TRAIN)
    if missing:
        problems.append(f"Train holds no case labelled {' and none labelled '.join(missing)}. Enter histology first.")
    return tuple(problems), (
        *_too_few(counts, Split.TRAIN),
        *_warnings(counts, Split.VALIDATION),
        *_warnings(counts, Split.TEST),
    )


def _warnings(counts: dict[str, Any], split: Split) -> tuple[str, ...]:
    found = []
    missing = _lacking(counts, split)
    if missing:
        found.append(f"{split.value.capitalize()} holds no case labelled {' or '.join(missing)}.")
    if not counts["masks"][split]:
        found.append(f"{split.value.capitalize()} holds no mask.")
    return (*found, *_too_few(counts, split))


def _too_few(counts: dict[str, Any], split: Split) -> tuple[str, ...]:
    """What a side says of a label with so few cases that one more or less changes it."""
    few = [
        f"{counts['case_labels'][split][label]} labelled {label.value}"
        for label in Label
        if 0 < counts["case_labels"][split][label] < FEWEST_OF_A_LABEL
    ]
    if not few:
        return ()
    what = "what a model learns of it" if split is Split.TRAIN else "the figures"
    return (
        f"{split.value.capitalize()} holds only {' and '.join(few)}: with fewer than {FEWEST_OF_A_LABEL} cases of a "
        f"label, one case more or less changes {what} a lot.",
    )


def _lacking(counts: dict[str, Any], split: Split) -> list[str]:
    return [label.value for label in Label if not counts["case_labels"][split][label]]


def mask_authors(store: Store, *, actor: Actor) -> tuple[MaskAuthor, ...]:
    """Who has masks of acetowhite epithelium that training may use, by name."""
    require(actor, CLINICIANS)
    with store.reading() as session:
        masks = [one.mask for one in find_annotator_masks(session, finding=Finding.ACETOWHITE) if one.mask is not None]
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
class _Found:
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
        return {**self.manifest.counts(), "asked_about": sum(one.image_id in held for one in self.asked)}


_Tell = Callable[[tuple[Contradiction, ...]], None]


def _note_contradictions(store: Store, actor: Actor, contradictions: tuple[Contradiction, ...]) -> None:
    """Whoever is told that two labels contradict each other, and knows one, knows the other."""
    cases = {case_id for one in contradictions for case_id in (one.case_id, one.other_case_id)}
    exposures.note(store, actor, [(case_id, ExposureKind.LABEL) for case_id in cases])


def _gather_all(store: Store, query: SnapshotQuery, tell: _Tell | None) -> _Found:
    """Gather; `tell` is called with the contradictions before anything is refused for them."""
    fill_fingerprints(store)
    with store.reading() as session:
        _annotator_name(session, query)
        looks = fingerprints(session)
        gathered = gather(session, query, looks)
        kept = find_kept(store, session, but=query.name if query.external else None)
    if tell is not None:
        tell(gathered.contradictions)
    images = [(found.image.id, found.patient_id, found.image.sha256) for found in gathered.usable]
    others = [(item.image_id, item.patient_id, item.image_sha256) for item in kept.items]
    kin = group_patients((*images, *others), looks)
    usable, kept_back = _without_kept(gathered, kept, kin)
    _refuse_nothing(query, usable, kept_back, gathered.contradictions)
    items = tuple(found.item(Split.TEST) for found in usable)
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
    masks = [found.mask for found in usable if found.mask is not None]
    consensus = tuple(mask.consensus for mask in masks if mask.consensus is not None)
    return _Found(manifest, consensus, looks, gathered.contradictions, gathered.asked)


def _without_kept(gathered: Gathered, kept: Kept, kin: dict[int, int]) -> tuple[list[Usable], list[LeftOut]]:
    """Set aside the images of whoever is kept for an external test set, or is kin to somebody who is."""
    names = kept.names_by_head(kin)
    usable = [found for found in gathered.usable if kin[found.patient_id] not in names]
    kept_back = [
        LeftOut("image", found.image.id, f"kept for the external test set “{names[kin[found.patient_id]]}”")
        for found in gathered.usable
        if kin[found.patient_id] in names
    ]
    return usable, kept_back


def _refuse_nothing(
    query: SnapshotQuery, usable: list[Usable], kept_back: list[LeftOut], contradictions: tuple[Contradiction, ...]
) -> None:
    if usable:
        return
    if contradictions and not kept_back:
        one = contradictions[0]
        raise InputRejected(
            "Nothing can be frozen: every image with a label or a mask is a copy of one in another case whose label "
            f"contradicts its own, such as those of cases {one.case_id} and {one.other_case_id}. Correct the "
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
    person = session.get(Person, query.mask_annotator_id)
    if person is None:
        raise NotFound(f"There is no person {query.mask_annotator_id}. Choose an annotator with submitted masks.")
    return person.display_name


def _refuse_taken_name(session: Session, name: str) -> None:
    taken = session.scalar(select(Snapshot.created_at).where(Snapshot.name == name))
    if taken is not None:
        raise Conflict(
            f"A snapshot named “{name}” was frozen on {taken:%Y-%m-%d} with other content. Choose another name."
        )
