"""What somebody was shown, by the log of exposures."""

from sqlalchemy import select

from colpo_core.services.common.callers import Caller
from colpo_core.store.tables import Exposure
from colpo_core.terms import ExposureKind


def seen_by(caller: Caller) -> set[tuple[int, ExposureKind]]:
    """The cases that a person was exposed to, each with the kind of what they saw."""
    with caller.store.reading() as session:
        rows = session.scalars(select(Exposure).where(Exposure.person_id == caller.person_id))
        return {(row.case_id, row.kind) for row in rows}
