"""One person's mask of one finding on one image, for tests: paint, submit and start over as the editor does."""

from collections.abc import Collection

import numpy as np
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from colpo_core.images.masks import decode_rle, encode_rle
from colpo_core.records.annotations import OpenAnnotation, SavedDraft, StartSource, VersionRecord
from colpo_core.services.annotations import own_masks
from colpo_core.services.annotations.rows import Document
from colpo_core.services.annotations.starts import start_from
from colpo_core.services.common.callers import Caller
from colpo_core.store import Store
from colpo_core.store.tables import (
    Annotation,
    AnnotationVersion,
    AuditEntry,
    Case,
    Image,
    Mask,
    Patient,
    TaskItem,
)
from colpo_core.terms import Finding, MaskDoubt, Stage, Start
from tests.support import several_annotators

HEIGHT, WIDTH = 12, 16
NOTHING = StartSource(Start.NOTHING)


def add_image(store: Store, *, case_id: int | None = None, size: tuple[int, int] = (HEIGHT, WIDTH)) -> int:
    with store.writing() as session:
        number = session.scalar(select(func.count()).select_from(Image)) or 0
        case = session.get(Case, case_id) if case_id else Case(patient=Patient(code=f"p-{number}"))
        image = Image(case=case, sha256=f"{number:064}", media_type="image/png", stage=Stage.ACETIC_ACID)
        image.height_px, image.width_px = size
        session.add(image)
        session.flush()
        return image.id


def case_of(store: Store, image_id: int) -> int:
    with store.reading() as session:
        return session.get_one(Image, image_id).case_id


def pixels(seed: int, size: tuple[int, int] = (HEIGHT, WIDTH)) -> np.ndarray:
    return np.random.default_rng(seed).random(size) < 0.5


class Desk:
    """One person's mask of one finding on one image."""

    def __init__(self, caller: Caller, image_id: int, finding: Finding = Finding.ACETOWHITE) -> None:
        self.caller, self.image_id, self.finding = caller, image_id, finding
        self.document_id = Document(image_id, caller.person_id, finding).id

    @property
    def opened(self) -> OpenAnnotation:
        return own_masks.open_document(self.caller, document_id=self.document_id)

    @property
    def mask(self) -> np.ndarray:
        image = self.opened.image
        return decode_rle(self.opened.rle, height_px=image.height_px, width_px=image.width_px)

    def paint(self, mask: np.ndarray, *, strokes: int = 1, active_ms: int = 100) -> SavedDraft:
        return own_masks.save_draft(
            self.caller,
            document_id=self.document_id,
            base_seq=self.opened.seq,
            rle=encode_rle(mask),
            strokes=strokes,
            active_ms=active_ms,
        )

    def submit(self, *, sure: Collection[MaskDoubt] = frozenset(MaskDoubt)) -> VersionRecord:
        """Submit what was painted; the masks of most tests mean nothing, so they are not asked about."""
        return own_masks.submit_annotation(self.caller, document_id=self.document_id, seq=self.opened.seq, sure=sure)

    def submit_painted(self, mask: np.ndarray) -> VersionRecord:
        self.paint(mask, strokes=0, active_ms=0)
        return self.submit()

    def row(self, session: Session) -> Annotation:
        return session.scalars(select(Annotation).where(Annotation.document_id == self.document_id)).one()

    def start(self, source: StartSource) -> SavedDraft:
        return start_from(self.caller, document_id=self.document_id, source=source)


def made(version: VersionRecord) -> tuple[object, ...]:
    """How a version was made, but for the shares."""
    return (
        version.start,
        version.start_version_id,
        version.start_prediction_id,
        version.proposal_shown,
        version.strokes,
        version.active_ms,
    )


def add_task(store: Store, image_id: int, *people: Caller, blind: bool = False, proposals: bool = True) -> int:
    """A task that the first of these people made, and all of them have one image of."""
    return several_annotators.add_task(
        store, [image_id], list(people), creator=people[0], blind=blind, proposals=proposals
    )


def rows(store: Store, *tables: type) -> list[list[object]]:
    with store.reading() as session:
        return [list(session.execute(select(*table.__table__.columns)).all()) for table in tables]


def everything(store: Store) -> list[list[object]]:
    return rows(store, Annotation, AnnotationVersion, Mask, AuditEntry, TaskItem)
