"""What a clinic at work was told is kept, held against its store."""

import json
from collections.abc import Iterable
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from colpo_core.images.masks import rle_area
from colpo_core.store import Store
from colpo_core.store.tables import (
    Annotation,
    AnnotationVersion,
    Histology,
    Image,
    Presentation,
    Promotion,
    Reading,
    Snapshot,
)


def read_lines(text: bytes) -> list[dict[str, Any]]:
    """The confirmed writes on a process's standard output; a line that was cut off was confirmed to nobody."""
    whole, _, _ = text.rpartition(b"\n")
    return [json.loads(line) for line in whole.splitlines() if line]


def missing(store: Store, confirmed: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The confirmed writes that are not in a store, with their files."""
    with store.reading() as session:
        return [line for line in confirmed if not _is_kept(store, session, line)]


def _is_kept(store: Store, session: Session, line: dict[str, Any]) -> bool:
    match line:
        case {"image": key}:
            image = session.get(Image, key)
            return image is not None and len(store.blobs.get(image.sha256)) > 0
        case {"draft": document_id, "seq": seq}:
            row = session.scalar(select(Annotation).where(Annotation.document_id == document_id))
            return row is not None and row.draft_seq >= seq
        case {"version": key}:
            version = session.get(AnnotationVersion, key)
            return version is not None and rle_area(version.mask.rle, version.mask.height_px, version.mask.width_px) > 0
        case {"specimen": key}:
            return session.get(Histology, key) is not None
        case {"snapshot": key}:
            snapshot = session.get(Snapshot, key)
            return snapshot is not None and len(store.blobs.get(snapshot.sha256)) > 0
        case {"promotion": reason}:
            reasons = session.scalars(select(Promotion.reason)).all()
            return any(kept.startswith(reason) for kept in reasons)
        case {"reading": token}:
            shown = session.get_one(Presentation, token.split(".")[0])
            same = (Reading.study_id == shown.study_id, Reading.reader_id == shown.reader_id)
            return session.scalar(select(Reading.id).where(*same, Reading.case_id == shown.case_id)) is not None
    return True  # back-ups and restored stores have checks of their own
