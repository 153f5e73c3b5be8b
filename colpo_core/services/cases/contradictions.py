"""One photograph in two cases: who holds it, and where the two cases' labels contradict each other."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import chain

from sqlalchemy import select
from sqlalchemy.orm import Session

from colpo_core.records.cases.images import Contradiction
from colpo_core.services.cases.fingerprints import near_copies
from colpo_core.store.tables import Case, CaseLabel, Image
from colpo_core.terms import LabelSource

LEFT_OUT = "the same photograph, or a near copy, is filed in another case whose label contradicts this one's"
_FLAGGED = "flagged"
_SHOWN = 5


def rows_text(noun: str, ids: Sequence[int]) -> str:
    """Such as `cases 3, 7 and 2 more`."""
    more = f" and {len(ids) - _SHOWN} more" if len(ids) > _SHOWN else ""
    return f"{noun}{'s' if len(ids) > 1 else ''} {', '.join(map(str, ids[:_SHOWN]))}{more}"


def near_copy_text(case_ids: Sequence[int]) -> str:
    """That an image is a near copy of one in some cases of other patients, and what to do."""
    return (
        f"It is a near copy of an image of another patient, in {rows_text('case', case_ids)}. One photograph may be "
        "filed under two codes: compare the two."
    )


def held_by_others(session: Session, image_ids: Collection[int], *, patient_id: int) -> tuple[int, ...]:
    """Cases of other patients that hold some images, in order.

    Args:
        session: A session of the store.
        image_ids: Rows of the images.
        patient_id: Row of the patient who does not count.
    """
    if not image_ids:
        return ()
    query = select(Image.case_id).join(Case, Case.id == Image.case_id)
    query = query.where(Image.id.in_(image_ids), Case.patient_id != patient_id).distinct()
    return tuple(sorted(session.scalars(query)))


def contradicting(session: Session, case_id: int, others: Iterable[int]) -> tuple[int, ...]:
    """Those of some cases whose histology contradicts that of one case."""
    words = _words(session, LabelSource.HISTOLOGY)
    own = words.get(case_id)
    return tuple(other for other in others if own is not None and words.get(other) not in (None, own))


def find_contradictions(
    session: Session, source: LabelSource, looks: Mapping[int, str], *, include_simulated: bool
) -> tuple[Contradiction, ...]:
    """Pairs of images that are copies of each other and stand in two cases whose labels contradict each other.

    The whole store is looked through, whatever a snapshot takes: the other of the two may lie outside. Flagged cases
    count as labelled, for what may be invasive is not normal.

    Args:
        session: A session of the store.
        source: Which labels.
        looks: Perceptual hash of each image by its row.
        include_simulated: Whether images that the program drew are looked at.
    """
    words = _words(session, source)
    query = select(Image.id, Image.case_id).where(Image.shows_cervix)
    query = query if include_simulated else query.where(Image.simulated.is_(False))
    cases = {image_id: case_id for image_id, case_id in session.execute(query) if case_id in words}
    contradictions = []
    for first_image_id, second_image_id in near_copies(cases, looks):
        first, second = cases[first_image_id], cases[second_image_id]
        if words[first] != words[second]:
            contradictions.append(Contradiction(first_image_id, first, second_image_id, second))
    return tuple(contradictions)


def images_of(contradictions: Iterable[Contradiction]) -> set[int]:
    """Rows of the images that stand in them."""
    return set(
        chain.from_iterable((contradiction.image_id, contradiction.other_image_id) for contradiction in contradictions)
    )


def _words(session: Session, source: LabelSource) -> dict[int, str]:
    """The label of each case that has one, or that it is flagged, whatever the labels rest on."""
    words: dict[int, str] = {}
    for row in session.execute(select(CaseLabel.case_id, CaseLabel.source, CaseLabel.label, CaseLabel.flagged)):
        if row.flagged:
            words[row.case_id] = _FLAGGED
        elif row.label is not None and row.source is source:
            words.setdefault(row.case_id, row.label.value)
    return words
