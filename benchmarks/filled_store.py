"""A store of many cases for measuring lists and figures: rows as the program writes them, without image files.

Masks are a few small ones, used again and again. Everything is drawn from a seed.
"""

import hashlib
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
from sqlalchemy import insert
from sqlalchemy.orm import Session

from benchmarks.shared import drawn_manifest
from colpo_core.images.masks import encode_rle
from colpo_core.labels import RULES_VERSION
from colpo_core.services.snapshots.learned import fill_learned
from colpo_core.store import Store
from colpo_core.store.case_summaries import sum_up
from colpo_core.store.tables import (
    Annotation,
    AnnotationVersion,
    Base,
    Case,
    CaseLabel,
    Checkpoint,
    Image,
    ImageFigures,
    Job,
    Mask,
    Patient,
    Person,
    Prediction,
    Promotion,
    Review,
    Snapshot,
)
from colpo_core.terms import (
    AnnotationState,
    Colposcopy,
    Finding,
    Grade,
    JobKind,
    JobState,
    Label,
    LabelSource,
    MaskOrigin,
    Role,
    Stage,
    Start,
    Verdict,
)

_FIRST_DAY = datetime(2021, 1, 1, 8, tzinfo=UTC)
_DAYS = 5 * 365
_DEVICES = ("Colposcope A", "Colposcope B", "Mobile C", None)
_GRADES = (*Grade, None)
_SHARES = (0.30, 0.15, 0.20, 0.10, 0.08, 0.005, 0.005, 0.16)
_SIDE_PX = 64
_AT_ONCE = 20_000
Row = dict[str, Any]


def fill(store: Store, n_cases: int, *, seed: int = 0) -> None:
    """Write cases of five years with all that lists and figures count.

    Every fifth patient has two cases, a case one to three images, most of them with acetic acid. Two checkpoints have
    predicted them; the second is promoted. A third of the images is annotated, some by two people, and a tenth of the
    predictions reviewed.

    Args:
        store: An open, empty store.
        n_cases: How many.
        seed: What all is drawn from.
    """
    chance = np.random.default_rng(seed)
    with store.writing() as session:
        people = _people(session)
        checkpoints = _checkpoints(session, people[0])
        masks = _masks(session, chance)
        _write(session, Patient, ({"id": row, "code": f"P-{row:06d}", "simulated": False, "created_at": _FIRST_DAY}
                                  for row in range(1, n_cases + 1)))  # fmt: skip
        days = np.sort(chance.integers(0, _DAYS, n_cases))
        grades = chance.choice(len(_GRADES), n_cases, p=_SHARES)
        _write(session, Case, _cases(chance, days))
        _write(session, CaseLabel, _labels(grades))
        images = list(_images(chance, days))
        _write(session, Image, images)
        acetic = [image for image in images if image["stage"] is Stage.ACETIC_ACID]
        severe = {case_id: _GRADES[grade] in (Grade.CIN2, Grade.CIN3) for case_id, grade in enumerate(grades, start=1)}
        predictions = [
            row for checkpoint_id in checkpoints for row in _predictions(chance, acetic, checkpoint_id, severe, masks)
        ]
        for row_id, prediction in enumerate(predictions, start=1):
            prediction["id"] = row_id
        _write(session, Prediction, predictions)
        # Another stream of chance, so that stores of before keep their other figures.
        _write(session, ImageFigures, _image_figures(np.random.default_rng(seed + 1), acetic))
        _annotate(session, chance, acetic, people, masks)
        _write(session, Review, _reviews(chance, predictions, checkpoints[-1], people))
        sum_up(session, None)


def give_manifest(store: Store) -> None:
    """A snapshot from which nothing was learned, so that every case counts as one that the model has not met."""
    with store.writing() as session:
        session.query(Snapshot).one().sha256 = store.blobs.put(drawn_manifest().to_json())
    fill_learned(store)


def _write(session: Session, table: type[Base], rows: Iterator[Row] | Sequence[Row]) -> None:
    portion: list[Row] = []
    for row in rows:
        portion.append(row)
        if len(portion) == _AT_ONCE:
            session.execute(insert(table), portion)
            portion.clear()
    if portion:
        session.execute(insert(table), portion)


def _people(session: Session) -> list[int]:
    people = [
        Person(username=name, display_name=name.title(), role=role, active=True)
        for name, role in (("ada", Role.ADMINISTRATOR), ("anna", Role.ANNOTATOR), ("ben", Role.ANNOTATOR))
    ]
    session.add_all(people)
    session.flush()
    return [person.id for person in people]


def _checkpoints(session: Session, administrator_id: int) -> list[int]:
    snapshot = Snapshot(
        name="first", sha256="5" * 64, label_source=LabelSource.HISTOLOGY, rules_version=RULES_VERSION, seed=0,
        counts={}, created_by=administrator_id,
    )  # fmt: skip
    session.add(snapshot)
    session.flush()
    checkpoint_ids = []
    for number in (1, 2):
        checkpoint = Checkpoint(
            name=f"model-{number}", sha256=f"{number}" * 64, snapshot_id=snapshot.id,
            label_source=LabelSource.HISTOLOGY, card={},
        )  # fmt: skip
        session.add(checkpoint)
        session.flush()
        session.add(Promotion(checkpoint_id=checkpoint.id, promoted_by=administrator_id, reason="better"))
        session.flush()
        checkpoint_ids.append(checkpoint.id)
    session.add(
        Job(kind=JobKind.PREDICT, state=JobState.DONE, settings={"checkpoint_id": checkpoint_ids[-1], "image_ids": []},
            created_by=administrator_id, progress=1.0)
    )  # fmt: skip
    return checkpoint_ids


def _masks(session: Session, chance: np.random.Generator) -> list[tuple[int, float]]:
    """Row and share of the image of each mask."""
    rows, columns = np.mgrid[:_SIDE_PX, :_SIDE_PX]
    masks = []
    for _number in range(40):
        centre, radius = chance.integers(16, 48, 2), chance.integers(4, 20)
        pixels = (rows - centre[0]) ** 2 + (columns - centre[1]) ** 2 < radius**2
        code = encode_rle(pixels)
        mask = Mask(
            sha256=hashlib.sha256(code).hexdigest(), width_px=_SIDE_PX, height_px=_SIDE_PX, area_px=int(pixels.sum()),
            rle=code,
        )  # fmt: skip
        if all(mask.sha256 != other.sha256 for other, _ in masks):
            masks.append((mask, float(pixels.mean())))
    session.add_all(mask for mask, _ in masks)
    session.flush()
    return [(mask.id, share) for mask, share in masks]


def _cases(chance: np.random.Generator, days: np.ndarray) -> Iterator[Row]:
    device = chance.integers(0, len(_DEVICES), len(days))
    for place, day in enumerate(days):
        came_in = _FIRST_DAY + timedelta(days=int(day), seconds=place % 30_000)
        shared = place % 5 == 4  # the patient of the case before, another day
        yield {
            "id": place + 1, "patient_id": place if shared else place + 1, "case_date": _day(int(day) + shared),
            "colposcopy": Colposcopy.NOT_RECORDED, "device": _DEVICES[device[place]], "simulated": False,
            "created_at": came_in, "version": 1,
        }  # fmt: skip


def _day(number: int) -> date:
    return (_FIRST_DAY + timedelta(days=number)).date()


def _labels(grades: np.ndarray) -> Iterator[Row]:
    for case_id, place in enumerate(grades, start=1):
        grade = _GRADES[place]
        beyond = grade in (Grade.ADENOCARCINOMA_IN_SITU, Grade.INVASIVE_CARCINOMA)
        label = None if grade is None or beyond else Label.HSIL if grade in (Grade.CIN2, Grade.CIN3) else Label.NORMAL
        yield {
            "case_id": case_id, "source": LabelSource.HISTOLOGY, "label": label, "grade": grade, "reason": "drawn",
            "flagged": beyond, "rules_version": RULES_VERSION, "decided_at": _FIRST_DAY,
        }  # fmt: skip


def _images(chance: np.random.Generator, days: np.ndarray) -> Iterator[Row]:
    number = 0
    for case_id, n_images in enumerate(chance.integers(1, 4, len(days)), start=1):
        for place in range(n_images):
            number += 1
            yield {
                "id": number, "case_id": case_id, "sha256": hashlib.sha256(str(number).encode()).hexdigest(),
                "media_type": "image/jpeg", "width_px": 1504, "height_px": 1000,
                "stage": (Stage.ACETIC_ACID, Stage.NATIVE, Stage.LUGOL)[place], "shows_cervix": True,
                "simulated": False, "created_at": _FIRST_DAY + timedelta(days=int(days[case_id - 1])),
            }  # fmt: skip


def _predictions(
    chance: np.random.Generator,
    images: Sequence[Row],
    checkpoint_id: int,
    severe: dict[int, bool],
    masks: list[tuple[int, float]],
) -> Iterator[Row]:
    for image in images:
        if chance.random() < 0.05:
            continue
        centre = 0.68 if severe[image["case_id"]] else 0.32
        three, four = np.clip(chance.normal(centre, 0.2, 2), 0.01, 0.99)
        mask_id, share = masks[chance.integers(len(masks))]
        yield {
            "image_id": image["id"], "checkpoint_id": checkpoint_id, "prob_hsil_3ch": float(three),
            "prob_hsil_4ch": float(four), "threshold_3ch": 0.5, "threshold_4ch": 0.5, "acetowhite_fraction": share,
            "mask_entropy": float(chance.random() * 0.2), "mask_id": mask_id, "maps_sha256": "0" * 64,
            "created_at": image["created_at"],
        }  # fmt: skip


def _image_figures(chance: np.random.Generator, images: Sequence[Row]) -> Iterator[Row]:
    for image in images:
        brightness, contrast, saturation = chance.normal((0.45, 0.15, 0.4), 0.03)
        yield {
            "image_id": image["id"], "brightness": float(brightness), "contrast": float(contrast),
            "saturation": float(saturation), "sharpness": float(chance.normal(-2.5, 0.2)),
        }  # fmt: skip


def _annotate(
    session: Session,
    chance: np.random.Generator,
    images: Sequence[Row],
    people: Sequence[int],
    masks: list[tuple[int, float]],
) -> None:
    annotations, versions = [], []
    for image in images:
        for annotator_id in people[1:2] if chance.random() < 0.3 else people[1:3] if chance.random() < 0.05 else ():
            row_id = len(annotations) + 1
            annotations.append({
                "id": row_id, "image_id": image["id"], "annotator_id": annotator_id, "finding": Finding.ACETOWHITE,
                "state": AnnotationState.SUBMITTED, "document_id": f"d{row_id}", "draft_seq": 0,
                "draft_start": Start.NOTHING, "draft_proposal_shown": False, "draft_strokes": 0, "draft_active_ms": 0,
                "created_at": image["created_at"],
            })  # fmt: skip
            versions.append({
                "annotation_id": row_id, "number": 1, "author_id": annotator_id,
                "mask_id": masks[chance.integers(len(masks))][0], "origin": MaskOrigin.PAINTED, "note": "",
                "active_ms": int(chance.integers(20_000, 240_000)), "created_at": image["created_at"],
            })  # fmt: skip
    _write(session, Annotation, annotations)
    _write(session, AnnotationVersion, versions)


def _reviews(
    chance: np.random.Generator, predictions: Sequence[Row], checkpoint_id: int, people: Sequence[int]
) -> Iterator[Row]:
    for prediction in predictions:
        if prediction["checkpoint_id"] == checkpoint_id and chance.random() < 0.1:
            yield {
                "prediction_id": prediction["id"], "reviewer_id": people[int(chance.integers(len(people)))],
                "verdict": Verdict.OVERRULE if chance.random() < 0.2 else Verdict.AGREE, "reason": "drawn",
                "at": prediction["created_at"],
            }  # fmt: skip
