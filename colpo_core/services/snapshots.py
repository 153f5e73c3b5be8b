"""Snapshots: what a model learns from, gathered from the store and frozen under its hash."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Row, Select, select
from sqlalchemy.orm import Session, aliased

from colpo_core.datasets.guard import check_leakage
from colpo_core.datasets.kin import kin_by_image
from colpo_core.datasets.manifest import LeftOut, Manifest, ManifestItem
from colpo_core.datasets.splits import patient_stratum, split_patients
from colpo_core.errors import Conflict, InputRejected, NotFound, SnapshotMismatch
from colpo_core.labels import RULES_VERSION
from colpo_core.records.checkpoints import MaskAuthor, SnapshotPreview, SnapshotQuery, SnapshotRecord
from colpo_core.records.people import Actor
from colpo_core.services import audit
from colpo_core.services.annotator_masks import find_annotator_masks
from colpo_core.services.consensus import Consensus, keep_consensus
from colpo_core.services.permissions import CLINICIANS, require
from colpo_core.services.trainable_masks import TrainableMask, find_masks
from colpo_core.store import Store
from colpo_core.store.tables import Case, CaseLabel, Image, Person, Snapshot
from colpo_core.terms import Finding, Label, LabelSource, MaskPolicy, Split, Stage


def preview_snapshot(store: Store, *, actor: Actor, query: SnapshotQuery) -> SnapshotPreview:
    """What a query would freeze now: how much, what is left out and why, and whether a training could start.

    Masks that a policy makes of several are computed, and not stored.

    Raises:
        InputRejected: The fractions do not make sense, or nothing at all can be frozen.
        NotFound: There is no such annotator.
    """
    require(actor, CLINICIANS)
    manifest = gather_manifest(store, query)
    with store.reading() as session:
        equals = session.scalar(select(Snapshot.name).where(Snapshot.sha256 == manifest.sha256))
        annotator = _annotator_name(session, query)
    counts = manifest.counts()
    problems, warnings = judge_counts(counts)
    return SnapshotPreview(
        manifest.sha256, counts, manifest.simulated, equals, problems, warnings, query.mask_policy, annotator
    )


def freeze_snapshot(store: Store, *, actor: Actor, query: SnapshotQuery) -> SnapshotRecord:
    """Freeze what a query finds; the same query under the same name gives the same snapshot again.

    Raises:
        InputRejected: The fractions do not make sense, or nothing at all can be frozen.
        Conflict: The name stands for other content, or the same content stands under another name.
        LeakageFound: The same patient or image would stand on two sides.
        NotFound: There is no such annotator.
    """
    require(actor, CLINICIANS)
    manifest, made = _gather_all(store, query)
    check_leakage(manifest)
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
                counts=manifest.counts(),
                simulated=manifest.simulated,
                created_by=actor.person_id,
            )
            session.add(equal)
            for consensus in made:
                keep_consensus(session, consensus)
            session.flush()
            audit.record(session, actor, "freeze snapshot", f"snapshot {equal.id}", sha256=sha256)
        elif equal.name != query.name:
            raise Conflict(
                f"Nothing was frozen: snapshot “{equal.name}” holds exactly the same images, masks, labels and split. "
                "Use that one."
            )
        snapshot_id = equal.id
    return get_snapshot(store, actor=actor, snapshot_id=snapshot_id)


def list_snapshots(store: Store, *, actor: Actor) -> tuple[SnapshotRecord, ...]:
    """All snapshots, newest first."""
    require(actor, CLINICIANS)
    with store.reading() as session:
        return tuple(_record(row) for row in session.execute(_snapshots().order_by(Snapshot.id.desc())))


def get_snapshot(store: Store, *, actor: Actor, snapshot_id: int) -> SnapshotRecord:
    """One snapshot.

    Raises:
        NotFound: There is no such snapshot.
    """
    require(actor, CLINICIANS)
    with store.reading() as session:
        row = session.execute(_snapshots().where(Snapshot.id == snapshot_id)).one_or_none()
        if row is None:
            raise NotFound(f"There is no snapshot {snapshot_id}. Choose one of the list.")
        return _record(row)


def find_snapshot(store: Store, *, actor: Actor, name: str) -> SnapshotRecord:
    """The snapshot of a name.

    Raises:
        NotFound: There is no such snapshot.
    """
    require(actor, CLINICIANS)
    with store.reading() as session:
        row = session.execute(_snapshots().where(Snapshot.name == name.strip())).one_or_none()
        if row is None:
            raise NotFound(f"There is no snapshot “{name}”. Choose one of the list.")
        return _record(row)


def snapshot_manifest(store: Store, *, actor: Actor, snapshot_id: int) -> Manifest:
    """What a snapshot holds, checked against its hash.

    Raises:
        NotFound: There is no such snapshot, or its file is missing or damaged.
        SnapshotMismatch: Its file is not what this version reads.
    """
    require(actor, CLINICIANS)
    return read_manifest(store, get_snapshot(store, actor=actor, snapshot_id=snapshot_id).sha256)


def read_manifest(store: Store, sha256: str) -> Manifest:
    """Read a manifest back and check that it is the one that was frozen.

    Raises:
        NotFound: Its file is missing or damaged.
        SnapshotMismatch: It is not what its hash says, or not what this version reads.
    """
    manifest = Manifest.from_json(store.blobs.get(sha256))
    if manifest.sha256 != sha256:
        raise SnapshotMismatch("The snapshot is not what its hash says. Freeze it again with this version.")
    return manifest


def judge_counts(counts: dict[str, Any]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Why no training could start on what `Manifest.counts` counted, and what its figures would lack."""
    problems = []
    if not counts["masks"][Split.TRAIN]:
        problems.append(
            "No submitted mask that the snapshot takes stands in train. Annotate acetic-acid images, confirm masks "
            "that wait, or take other masks."
        )
    missing = _lacking(counts, Split.TRAIN)
    if missing:
        problems.append(f"Train holds no case labelled {' and none labelled '.join(missing)}. Enter histology first.")
    warnings = []
    for split in (Split.VALIDATION, Split.TEST):
        missing = _lacking(counts, split)
        if missing:
            warnings.append(f"{split.value.capitalize()} holds no case labelled {' or '.join(missing)}.")
        if not counts["masks"][split]:
            warnings.append(f"{split.value.capitalize()} holds no mask.")
    return tuple(problems), tuple(warnings)


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
        InputRejected: The fractions do not make sense, or nothing at all can be frozen.
        NotFound: There is no such annotator.
    """
    return _gather_all(store, query)[0]


def _gather_all(store: Store, query: SnapshotQuery) -> tuple[Manifest, tuple[Consensus, ...]]:
    """The manifest, and the masks that it takes and the store does not hold before they are frozen."""
    with store.reading() as session:
        _annotator_name(session, query)
        gathered = _gather(session, query)
    if not gathered.usable:
        raise InputRejected(
            "Nothing can be frozen yet: no acetic-acid image has a label or a submitted mask. "
            "Enter histology or annotate images first."
        )
    kin = kin_by_image((found.patient_id, found.image.sha256) for found in gathered.usable)
    sides = split_patients(gathered.strata(kin), fractions=query.fractions, seed=query.seed)
    items = tuple(found.item(sides[kin[found.patient_id]]) for found in gathered.usable)
    manifest = Manifest(
        items,
        tuple(gathered.left_out),
        query.label_source,
        RULES_VERSION,
        query.seed,
        query.fractions,
        query.mask_policy,
        query.mask_annotator_id,
    )
    masks = [found.mask for found in gathered.usable if found.mask is not None]
    return manifest, tuple(mask.consensus for mask in masks if mask.consensus is not None)


def _annotator_name(session: Session, query: SnapshotQuery) -> str | None:
    if query.mask_annotator_id is None:
        return None
    person = session.get(Person, query.mask_annotator_id)
    if person is None:
        raise NotFound(f"There is no person {query.mask_annotator_id}. Choose an annotator with submitted masks.")
    return person.display_name


@dataclass(frozen=True)
class _Usable:
    """An image that takes part, before it has a side."""

    image: Image
    patient_id: int
    label: CaseLabel | None
    mask: TrainableMask | None

    def item(self, split: Split) -> ManifestItem:
        return ManifestItem(
            image_sha256=self.image.sha256,
            image_id=self.image.id,
            case_id=self.image.case_id,
            patient_id=self.patient_id,
            split=split,
            width_px=self.image.width_px,
            height_px=self.image.height_px,
            label=self.label.label if self.label else None,
            grade=self.label.grade if self.label else None,
            mask_sha256=self.mask.sha256 if self.mask else None,
            mask_origin=self.mask.origin if self.mask else None,
            simulated=self.image.simulated,
        )


@dataclass
class _Gathered:
    """What a query found: what takes part, and what does not."""

    usable: list[_Usable] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)

    def strata(self, kin: Mapping[int, int]) -> dict[int, str]:
        """Stratum of each group of patients who share an image, by the group's head."""
        labels: dict[int, list[Label | None]] = {}
        masked: set[int] = set()
        for found in self.usable:
            head = kin[found.patient_id]
            labels.setdefault(head, []).append(found.label.label if found.label else None)
            if found.mask:
                masked.add(head)
        return {patient: patient_stratum(seen, has_mask=patient in masked) for patient, seen in labels.items()}


def _gather(session: Session, query: SnapshotQuery) -> _Gathered:
    rows = session.execute(select(Image, Case.patient_id).join(Case, Case.id == Image.case_id).order_by(Image.id)).all()
    gathered = _Gathered()
    taking_part: list[tuple[Image, int]] = []
    for image, patient_id in rows:
        reason = _why_not(image, query)
        if reason is None:
            taking_part.append((image, patient_id))
        else:
            gathered.left_out.append(LeftOut("image", image.id, reason))
    judged = _judge_cases(session, query.label_source, {image.case_id for image, _ in taking_part})
    gathered.left_out += [LeftOut("case", case_id, case.reason) for case_id, case in judged.items() if case.reason]
    masks, masks_left_out = find_masks(
        session,
        {image.id: (image.height_px, image.width_px) for image, _ in taking_part},
        policy=query.mask_policy,
        annotator_id=query.mask_annotator_id,
    )
    gathered.left_out += masks_left_out
    for image, patient_id in taking_part:
        case, mask = judged[image.case_id], masks.get(image.id)
        if case.barred:
            gathered.left_out.append(LeftOut("image", image.id, "its case is kept from training"))
        elif case.label is None and mask is None:
            gathered.left_out.append(LeftOut("image", image.id, _why_nothing(query)))
        else:
            gathered.usable.append(_Usable(image, patient_id, case.label, mask))
    return gathered


def _why_not(image: Image, query: SnapshotQuery) -> str | None:
    if image.simulated and not query.include_simulated:
        return "simulated"
    if image.stage is not Stage.ACETIC_ACID:
        return f"not taken after acetic acid but in stage {image.stage.value.replace('_', ' ')}"
    if not image.shows_cervix:
        return "does not show the cervix"
    return None


def _why_nothing(query: SnapshotQuery) -> str:
    if query.mask_policy is MaskPolicy.NEWEST:
        return "neither a label nor a submitted mask"
    return "neither a label nor a mask that the snapshot takes"


@dataclass(frozen=True)
class _JudgedCase:
    """A case's label, or why it has none; barred cases lend no mask either."""

    label: CaseLabel | None = None
    reason: str = ""
    barred: bool = False


def _judge_cases(session: Session, source: LabelSource, case_ids: Iterable[int]) -> dict[int, _JudgedCase]:
    wanted = set(case_ids)
    rows: dict[int, dict[LabelSource, CaseLabel]] = {case_id: {} for case_id in wanted}
    for label in session.scalars(select(CaseLabel)):
        if label.case_id in wanted:
            rows[label.case_id][label.source] = label
    return {case_id: _judge_case(rows[case_id], source) for case_id in sorted(wanted)}


def _judge_case(labels: dict[LabelSource, CaseLabel], source: LabelSource) -> _JudgedCase:
    # Invasive disease bars a case whatever the labels rest on: it must never pass as a mask or as `normal`.
    flagged = next((label for label in labels.values() if label.flagged), None)
    if flagged is not None:
        return _JudgedCase(reason=flagged.reason, barred=True)
    label = labels.get(source)
    if label is None:
        missing = "no histology" if source is LabelSource.HISTOLOGY else "no complete Swede score"
        return _JudgedCase(reason=f"excluded: {missing}")
    if label.rules_version != RULES_VERSION:
        return _JudgedCase(
            reason=f"excluded: labelled by older rules ({label.rules_version}); enter its histology again"
        )
    return _JudgedCase(label=label) if label.label else _JudgedCase(reason=label.reason)


def _refuse_taken_name(session: Session, name: str) -> None:
    taken = session.scalar(select(Snapshot.created_at).where(Snapshot.name == name))
    if taken is not None:
        raise Conflict(
            f"A snapshot named “{name}” was frozen on {taken:%Y-%m-%d} with other content. Choose another name."
        )


def _snapshots() -> Select[Snapshot, str, str | None]:
    annotator = aliased(Person)
    return (
        select(Snapshot, Person.display_name, annotator.display_name)
        .join(Person, Person.id == Snapshot.created_by)
        .outerjoin(annotator, annotator.id == Snapshot.mask_annotator_id)
    )


def _record(row: Row[Snapshot, str, str | None]) -> SnapshotRecord:
    snapshot, created_by, annotator = row
    return SnapshotRecord(
        id=snapshot.id,
        name=snapshot.name,
        sha256=snapshot.sha256,
        label_source=snapshot.label_source,
        rules_version=snapshot.rules_version,
        seed=snapshot.seed,
        counts=dict(snapshot.counts),
        simulated=snapshot.simulated,
        mask_policy=snapshot.mask_policy,
        mask_annotator_id=snapshot.mask_annotator_id,
        mask_annotator=annotator,
        created_by=created_by,
        created_at=snapshot.created_at,
    )
