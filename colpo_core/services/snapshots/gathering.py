"""What a query for a snapshot finds in the store: what takes part, and what does not and why."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from colpo_core.datasets.manifest import LeftOut, ManifestItem
from colpo_core.errors import InputRejected
from colpo_core.labels import RULES_VERSION
from colpo_core.records.cases.images import AskedImage, Contradiction
from colpo_core.records.snapshots.snapshots import SnapshotQuery
from colpo_core.services.cases.contradictions import LEFT_OUT as CONTRADICTION
from colpo_core.services.cases.contradictions import find_contradictions, images_of
from colpo_core.services.cases.image_questions import open_questions
from colpo_core.services.snapshots.trainable_masks import TrainableMask, find_masks
from colpo_core.store.tables import Case, CaseLabel, Image, Patient
from colpo_core.terms import LabelSource, MaskPolicy, Split, Stage


@dataclass(frozen=True)
class Usable:
    """An image that takes part, before it has a side."""

    image: Image
    patient_id: int
    label: CaseLabel | None
    mask: TrainableMask | None

    def item(self, split: Split) -> ManifestItem:
        """What the manifest holds of it, on a side."""
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
            confirmed_clear=self.mask is not None and self.mask.confirmed_clear,
        )


@dataclass
class Gathered:
    """What a query found.

    Attributes:
        usable: Images that take part.
        left_out: What does not, with the reason.
        contradictions: Of the patients and days that are asked for: photographs that stand in two cases whose labels
            contradict each other. Neither takes part.
        asked: Images of those patients and days about which something is asked; they take part as they are filed.
    """

    usable: list[Usable] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    contradictions: tuple[Contradiction, ...] = ()
    asked: tuple[AskedImage, ...] = ()


def gather(session: Session, query: SnapshotQuery, looks: Mapping[int, str]) -> Gathered:
    """Find what a query asks for at one moment; who is kept for an external test set is not looked at here.

    Args:
        session: A session of the store.
        query: What is asked for.
        looks: Perceptual hash of each image by its row, by which copies are found.

    Raises:
        InputRejected: A patient's code is not in the store.
    """
    _check_codes(session, query)
    gathered = Gathered()
    taking_part: list[tuple[Image, int]] = []
    within: set[int] = set()
    for image, patient_id, is_within, reason in _judge_images(session, query):
        if is_within:
            within.add(image.id)
        if reason is None:
            taking_part.append((image, patient_id))
        else:
            gathered.left_out.append(LeftOut("image", image.id, reason))
    contradictions = find_contradictions(session, query.label_source, looks, include_simulated=query.include_simulated)
    contradicting = images_of(contradictions)
    gathered.contradictions = tuple(pair for pair in contradictions if {pair.image_id, pair.other_image_id} & within)
    gathered.asked = open_questions(session, within)
    judged = _judge_cases(session, query.label_source, {image.case_id for image, _ in taking_part})
    gathered.left_out += [LeftOut("case", case_id, case.reason) for case_id, case in judged.items() if case.reason]
    masks, masks_left_out = find_masks(
        session,
        {image.id: (image.height_px, image.width_px) for image, _ in taking_part},
        policy=query.mask_policy,
        annotator_id=query.mask_annotator_id,
    )
    gathered.left_out += masks_left_out
    is_newest = query.mask_policy is MaskPolicy.NEWEST
    nothing = f"neither a label nor a {'submitted mask' if is_newest else 'mask that the snapshot takes'}"
    for image, patient_id in taking_part:
        case, mask = judged[image.case_id], masks.get(image.id)
        if case.barred:
            gathered.left_out.append(LeftOut("image", image.id, "its case is kept from training"))
        elif image.id in contradicting:
            gathered.left_out.append(LeftOut("image", image.id, CONTRADICTION))
        elif case.label is None and mask is None:
            gathered.left_out.append(LeftOut("image", image.id, nothing))
        else:
            gathered.usable.append(Usable(image, patient_id, case.label, mask))
    return gathered


def _judge_images(session: Session, query: SnapshotQuery) -> Iterator[tuple[Image, int, bool, str | None]]:
    """Every image with its patient, whether patient and day are asked for, and why it does not take part."""
    rows = session.execute(
        select(Image, Case.patient_id, Case.case_date, Patient.code)
        .join(Case, Case.id == Image.case_id)
        .join(Patient, Patient.id == Case.patient_id)
        .order_by(Image.id)
    )
    for image, patient_id, case_date, code in rows:
        outside = _why_outside(query, code, case_date)
        yield image, patient_id, outside is None, outside or _why_not(image, query)


def _check_codes(session: Session, query: SnapshotQuery) -> None:
    if not query.patient_codes:
        return
    unknown = set(query.patient_codes) - set(session.scalars(select(func.lower(Patient.code))))
    if unknown:
        raise InputRejected(
            f"{len(unknown)} of the {len(query.patient_codes)} patient codes are not in the store. Check the codes."
        )


def _why_outside(query: SnapshotQuery, code: str, case_date: date | None) -> str | None:
    """Why an image lies outside the patients and days that the query asks for."""
    if query.patient_codes and code.lower() not in query.patient_codes:
        return "not of the chosen patients"
    if query.date_from is None and query.date_to is None:
        return None
    if case_date is None:
        return "examined on a day that is not recorded"
    is_early = query.date_from is not None and case_date < query.date_from
    is_late = query.date_to is not None and case_date > query.date_to
    return "not examined on the chosen days" if is_early or is_late else None


def _why_not(image: Image, query: SnapshotQuery) -> str | None:
    if image.simulated and not query.include_simulated:
        return "simulated"
    if image.stage is not Stage.ACETIC_ACID:
        return f"not taken after acetic acid but in stage {image.stage.value.replace('_', ' ')}"
    if not image.shows_cervix:
        return "does not show the cervix"
    return None


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
