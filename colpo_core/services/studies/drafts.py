"""What a reader has set on the case that waits, kept until the answer locks: biopsy sites and findings."""

from sqlalchemy.orm import Session

from colpo_core.store.tables import ReadingDraft, utc_now


def draft_of(session: Session, token: str, phase: int) -> ReadingDraft | None:
    """What is set so far on a showing for its call of a phase."""
    return session.get(ReadingDraft, (token, phase))


def write_draft(session: Session, token: str, phase: int, *, points: list[list[float]], findings: list[str]) -> None:
    """Keep what is set now in place of what was."""
    draft = draft_of(session, token, phase)
    if draft is None:
        session.add(ReadingDraft(token=token, phase=phase, points=points, findings=findings))
        return
    draft.points, draft.findings, draft.set_at = points, findings, utc_now()


def drop_draft(session: Session, token: str, phase: int) -> None:
    """Forget what was set: the answer has it now."""
    draft = draft_of(session, token, phase)
    if draft is not None:
        session.delete(draft)
