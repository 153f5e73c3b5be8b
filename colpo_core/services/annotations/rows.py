"""What the services of annotations share: naming documents, finding rows, and turning rows into records."""

import re
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from colpo_core.errors import NotFound
from colpo_core.records.annotations import BiopsyPointRecord, OpenAnnotation, VersionRecord
from colpo_core.records.copying import copied
from colpo_core.records.people import Actor
from colpo_core.services.common.mask_rows import empty_code
from colpo_core.services.common.stored_images import image_record
from colpo_core.store.tables import Annotation, AnnotationVersion, BiopsyPoint, Image, Mask, Person
from colpo_core.terms import AnnotationState, Finding, Start

_DOCUMENT = re.compile(r"i(\d{1,12})-p(\d{1,12})-([a-z_]{1,30})", re.ASCII)


@dataclass(frozen=True)
class Document:
    """What a mask in the making is about; its name says so, so that no row is needed before the first stroke."""

    image_id: int
    annotator_id: int
    finding: Finding

    @property
    def id(self) -> str:
        """The name, such as `i12-p3-mosaic`."""
        return f"i{self.image_id}-p{self.annotator_id}-{self.finding.value}"

    @classmethod
    def read(cls, document_id: str, actor: Actor) -> "Document":
        """Read a name, for the person that it belongs to.

        Raises:
            NotFound: It is no name of a document, or another person's; both look the same from outside.
        """
        parts = _DOCUMENT.fullmatch(document_id)
        if parts is None or parts[3] not in set(Finding) or int(parts[2]) != actor.person_id:
            raise NotFound("You have no annotation of this name. Open the image again.")
        return cls(int(parts[1]), actor.person_id, Finding(parts[3]))


def find_own(session: Session, document: Document) -> Annotation | None:
    """The row of a document, or None before its first save."""
    return session.scalar(
        select(Annotation).where(
            Annotation.image_id == document.image_id,
            Annotation.annotator_id == document.annotator_id,
            Annotation.finding == document.finding,
        )
    )


def newest_version(session: Session, annotation_id: int) -> AnnotationVersion | None:
    """The newest version of an annotation, or None."""
    return next(iter(versions_of(session, annotation_id, limit=1)), None)


def versions_of(session: Session, annotation_id: int, *, limit: int | None = None) -> list[AnnotationVersion]:
    """The versions of an annotation, newest first; all of them where there is no limit."""
    versions = select(AnnotationVersion).where(AnnotationVersion.annotation_id == annotation_id)
    return list(session.scalars(versions.order_by(AnnotationVersion.number.desc()).limit(limit)))


def newest_versions(
    session: Session, *, image_id: int, state: AnnotationState, finding: Finding | None = None
) -> list[AnnotationVersion]:
    """The newest version of each annotation of an image in a state, the newest first."""
    query = select(Annotation.id).where(Annotation.image_id == image_id, Annotation.state == state)
    if finding is not None:
        query = query.where(Annotation.finding == finding)
    newest = [newest_version(session, annotation_id) for annotation_id in session.scalars(query)]
    return sorted((row for row in newest if row is not None), key=lambda row: row.id, reverse=True)


def shown_mask_id(annotation: Annotation, newest: AnnotationVersion | None) -> int | None:
    """Row of the mask that its annotator sees: the draft's, else the newest version's, else none."""
    return annotation.draft_mask_id or (newest.mask_id if newest else None)


def open_record(session: Session, document: Document, image: Image) -> OpenAnnotation:
    """A document as it stands now."""
    annotation = find_own(session, document)
    version = newest_version(session, annotation.id) if annotation else None
    draft_id = annotation.draft_mask_id if annotation else None
    shown_id = shown_mask_id(annotation, version) if annotation else None
    empty = empty_code(image.height_px, image.width_px)
    rle = session.get_one(Mask, shown_id).rle if shown_id is not None else empty
    painted = draft_id is not None and (version.mask_id != draft_id if version else rle != empty)
    return OpenAnnotation(
        document_id=document.id,
        annotation_id=annotation.id if annotation else None,
        image=image_record(image),
        finding=document.finding,
        seq=annotation.draft_seq if annotation else 0,
        rle=rle,
        state=annotation.state if annotation else AnnotationState.DRAFT,
        version_number=version.number if version else None,
        changed=painted,
        saved_at=annotation.draft_saved_at if annotation else None,
        start=annotation.draft_start if annotation else Start.NOTHING,
        strokes=annotation.draft_strokes if annotation else 0,
        active_ms=annotation.draft_active_ms if annotation else 0,
    )


def version_record(session: Session, version: AnnotationVersion) -> VersionRecord:
    """The record of a version."""
    annotation, mask = version.annotation, version.mask
    return copied(
        VersionRecord,
        version,
        version_id=version.id,
        annotation_id=annotation.id,
        image_id=annotation.image_id,
        finding=annotation.finding,
        author=session.get_one(Person, version.author_id).display_name,
        state=annotation.state,
        area_px=mask.area_px,
        area_share=mask.area_px / (mask.width_px * mask.height_px),
        absence_confirmed=bool(version.absence_confirmed),
    )


def own_biopsy_points(session: Session, actor: Actor, image_id: int) -> tuple[BiopsyPointRecord, ...]:
    """The actor's biopsy points on an image, in order."""
    rows = session.scalars(
        select(BiopsyPoint)
        .where(BiopsyPoint.image_id == image_id, BiopsyPoint.annotator_id == actor.person_id)
        .order_by(BiopsyPoint.position)
    )
    return tuple(BiopsyPointRecord(row.position, row.x_px, row.y_px) for row in rows)
