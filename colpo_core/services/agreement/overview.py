"""How several annotators agree on the same images. Only masks that the actor may see take part."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import hypot, inf
from statistics import fmean

from sqlalchemy import select
from sqlalchemy.orm import Session

from colpo_core.errors import InputRejected
from colpo_core.evaluation.agreement import mean_over_patients
from colpo_core.records.agreement import (
    AgreementOverview,
    ImageAgreement,
    ImageRow,
    PairAgreement,
    PairFigures,
    VersionPair,
)
from colpo_core.records.people import Actor
from colpo_core.records.statistics.figures import Bounds, Estimate
from colpo_core.services.agreement.decisions import annotators_versions, decision_record, newest_decisions, refusals
from colpo_core.services.annotations.comparing import _Compared, compare_masks
from colpo_core.services.annotations.rows import version_record
from colpo_core.services.annotations.submitted_masks import (
    AnnotatorMask,
    masks_of_task,
    visible_masks,
)
from colpo_core.services.common import exposures
from colpo_core.services.common.callers import Caller
from colpo_core.services.common.permissions import CLINICIANS, allowed
from colpo_core.services.common.stored_images import image_record
from colpo_core.services.tasks.rows import find_task
from colpo_core.store.facts import find_row
from colpo_core.store.tables import AnnotationVersion, Case, Image, Patient
from colpo_core.terms import ExposureKind, Finding


@allowed(CLINICIANS)
def agreement_overview(
    caller: Caller, *, finding: Finding = Finding.ACETOWHITE, task_id: int | None = None
) -> AgreementOverview:
    """How annotators agree on a finding, over all images that at least two have annotated, or those of a task.

    Without a task each annotator's newest mask counts. Of a task, the versions count that its annotators have
    submitted for it: in a blind one those from before the masks opened to each other.

    Args:
        caller: Who asks; masks that they must not see yet take no part.
        finding: What the masks show.
        task_id: Row of a task of this finding, or None.

    Raises:
        InputRejected: The task is of another finding.
        NotFound: There is no such task, or the caller takes no part in it.
    """
    with caller.store.reading() as session:
        if task_id is None:
            masks = visible_masks(session, caller.actor, finding=finding)
        else:
            task = find_task(session, caller.actor, task_id)
            if task.finding is not finding:
                raise InputRejected("This task is of another finding. Choose the finding first, then its task.")
            masks = masks_of_task(session, caller.actor, task)
        compared = _compare_all(session, masks)
        overview = AgreementOverview(
            finding=finding,
            n_images=len(compared),
            n_patients=len({image.patient_id for image in compared}),
            dice=_mean(compared, lambda image: image.dice),
            iou=_mean(compared, lambda image: image.iou),
            hd95_px=_mean(compared, lambda image: image.hd95_px, (0.0, inf)),
            hd95_percent=_mean(compared, lambda image: image.hd95_percent, (0.0, 100.0)),
            kappa=_mean(compared, lambda image: image.kappa, (-1.0, 1.0)),
            n_one_empty=sum(image.count_empty(1) for image in compared),
            n_both_empty=sum(image.count_empty(2) for image in compared),
            pairs=_pairs_of_people(compared),
            images=_image_rows(session, caller.actor, finding, compared),
        )
    exposures.note(caller, [(image.case_id, ExposureKind.MASK) for image in overview.images])
    return overview


@allowed(CLINICIANS)
def image_agreement(caller: Caller, *, image_id: int, finding: Finding = Finding.ACETOWHITE) -> ImageAgreement:
    """All masks of a finding on an image that the caller may see, how each two agree, and what was decided on them.

    Raises:
        NotFound: There is no such image.
    """
    with caller.store.reading() as session:
        image = find_row(session, Image, image_id)
        case = session.get_one(Case, image.case_id)
        n_all = len(annotators_versions(session, image_id=image_id, finding=finding))
        masks = visible_masks(session, caller.actor, finding=finding, image_id=image_id).get(image_id, ())
        refused = refusals(session, caller.actor, finding=finding, masks={image_id: masks}).get(image_id)
        decision = newest_decisions(session, finding=finding, image_id=image_id).get(image_id)
        agreement = ImageAgreement(
            image=image_record(image),
            case_id=case.id,
            patient_code=case.patient.code,
            finding=finding,
            versions=tuple(
                version_record(session, session.get_one(AnnotationVersion, mask.version_id)) for mask in masks
            ),
            pairs=tuple(
                _version_pair(first, second, figures) for first, second, figures in compare_masks(session, masks)
            ),
            n_hidden=n_all - len(masks),
            adjudication=decision_record(session, caller.actor, decision) if decision is not None else None,
            may_adjudicate=refused is None,
            why_not=str(refused or ""),
        )
    exposures.note_masks(caller, agreement.versions)
    return agreement


@allowed(CLINICIANS)
def image_figures(caller: Caller) -> dict[int, tuple[int, float | None, float | None]]:
    """Of every image that two or more have searched for lesions: its patient, and mean Dice and kappa of its pairs.

    A mean is None where both of every pair are empty.
    """
    with caller.store.reading() as session:
        masks = visible_masks(session, caller.actor, finding=Finding.ACETOWHITE)
        return {image.image_id: (image.patient_id, image.dice, image.kappa) for image in _compare_all(session, masks)}


@dataclass(frozen=True)
class _Image:
    """The pairs of masks of one image; a mean is over those pairs that have such a figure, None without any."""

    image_id: int
    case_id: int
    patient_id: int
    patient_code: str
    diagonal_px: float
    n_masks: int
    pairs: tuple[_Compared, ...]

    @property
    def dice(self) -> float | None:
        return _mean_or_none(figures.dice for _, _, figures in self.pairs if figures.n_empty < 2)

    @property
    def iou(self) -> float | None:
        return _mean_or_none(figures.iou for _, _, figures in self.pairs if figures.n_empty < 2)

    @property
    def hd95_px(self) -> float | None:
        distances = [figures.hd95_px for _, _, figures in self.pairs if figures.n_empty == 0]
        return _mean_or_none(distance for distance in distances if distance is not None)

    @property
    def hd95_percent(self) -> float | None:
        return None if self.hd95_px is None else 100 * self.hd95_px / self.diagonal_px

    @property
    def kappa(self) -> float | None:
        return _mean_or_none(figures.kappa for _, _, figures in self.pairs if figures.kappa is not None)

    def count_empty(self, n_empty: int) -> int:
        return sum(figures.n_empty == n_empty for _, _, figures in self.pairs)


def _compare_all(session: Session, masks: Mapping[int, Sequence[AnnotatorMask]]) -> list[_Image]:
    rows = session.execute(
        select(Image.id, Image.case_id, Image.width_px, Image.height_px, Patient.id, Patient.code)
        .join(Case, Case.id == Image.case_id)
        .join(Patient, Patient.id == Case.patient_id)
        .order_by(Image.id)
    )
    compared = []
    for image_id, case_id, width_px, height_px, patient_id, code in rows:
        pairs = tuple(compare_masks(session, masks.get(image_id, ())))
        if pairs:
            diagonal_px = hypot(width_px, height_px)
            compared.append(_Image(image_id, case_id, patient_id, code, diagonal_px, len(masks[image_id]), pairs))
    return compared


def _pairs_of_people(images: Sequence[_Image]) -> tuple[PairAgreement, ...]:
    names: dict[int, str] = {}
    shared: dict[tuple[int, int], list[_Image]] = {}
    for image in images:
        for first, second, figures in image.pairs:
            names |= {first.annotator_id: first.annotator, second.annotator_id: second.annotator}
            first_mask, other = sorted((first, second), key=lambda mask: (mask.annotator.casefold(), mask.annotator_id))
            only = replace(image, n_masks=2, pairs=((first_mask, other, figures),))
            shared.setdefault((first_mask.annotator_id, other.annotator_id), []).append(only)
    pairs = [
        PairAgreement(
            first_id=first_id,
            first=names[first_id],
            second_id=second_id,
            second=names[second_id],
            n_images=len(images),
            dice=_mean(images, lambda image: image.dice),
            iou=_mean(images, lambda image: image.iou),
            hd95_px=_mean(images, lambda image: image.hd95_px, (0.0, inf)),
            kappa=_mean(images, lambda image: image.kappa, (-1.0, 1.0)),
            n_one_empty=sum(image.count_empty(1) for image in images),
            n_both_empty=sum(image.count_empty(2) for image in images),
        )
        for (first_id, second_id), images in shared.items()
    ]
    return tuple(sorted(pairs, key=lambda pair: (pair.first.casefold(), pair.second.casefold(), pair.first_id)))


def _image_rows(session: Session, actor: Actor, finding: Finding, images: Sequence[_Image]) -> tuple[ImageRow, ...]:
    decided = newest_decisions(session, finding=finding)
    # Whether they may decide depends on all that they see of the image, not on a task's versions alone.
    shown = visible_masks(session, actor, finding=finding)
    asked = {image.image_id: shown.get(image.image_id, ()) for image in images}
    refused = refusals(session, actor, finding=finding, masks=asked)
    rows = [
        ImageRow(
            image_id=image.image_id,
            case_id=image.case_id,
            patient_code=image.patient_code,
            n_masks=image.n_masks,
            dice_mean=1.0 if image.dice is None else image.dice,
            iou_mean=1.0 if image.iou is None else image.iou,
            hd95_px_mean=0.0 if image.count_empty(2) == len(image.pairs) else image.hd95_px,
            is_adjudicated=image.image_id in decided,
            may_adjudicate=image.image_id not in refused,
        )
        for image in images
    ]
    return tuple(sorted(rows, key=lambda row: (row.dice_mean, row.image_id)))


def _version_pair(first: AnnotatorMask, second: AnnotatorMask, figures: PairFigures) -> VersionPair:
    diagonal_px = hypot(first.width_px, first.height_px)
    return VersionPair(
        first_id=first.version_id,
        first=first.annotator,
        second_id=second.version_id,
        second=second.annotator,
        figures=figures,
        hd95_percent=None if figures.hd95_px is None else 100 * figures.hd95_px / diagonal_px,
    )


def _mean(images: Sequence[_Image], figure: Callable[[_Image], float | None], within: Bounds = (0.0, 1.0)) -> Estimate:
    values = [(value, image.patient_id) for image in images if (value := figure(image)) is not None]
    return mean_over_patients(
        tuple(value for value, _ in values), tuple(patient_id for _, patient_id in values), within=within
    )


def _mean_or_none(values: Iterable[float]) -> float | None:
    listed = list(values)
    return fmean(listed) if listed else None
