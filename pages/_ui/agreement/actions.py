"""What the buttons of the agreement page do. They run before the page is drawn, and leave a message for it to show."""

import streamlit as st

from colpo_core.errors import MaskDoubted
from colpo_core.services.agreement import adjudication
from colpo_core.services.imports import filling
from colpo_core.terms import Combination, Finding, MaskDoubt
from pages._ui.annotations.mask_questions import MaskQuestion, drop_question, keep_question
from pages._ui.components.mask_editor import MaskSubmission
from pages._ui.shared.context import PageContext
from pages._ui.shared.messages import button_action
from pages._ui.shared.words import FINDINGS

SAID = "agreement_said"
QUESTIONS = "agreement_questions"
_LOAD, _ANSWER = "agreement_load", "agreement_answer"


def counter(name: str) -> int:
    """How often something happened in this session: `load` or `answer`."""
    return int(st.session_state.get(f"agreement_{name}", 0))


def painting_key(image_id: int, finding: Finding) -> str:
    """Where the session keeps whether the editor is open on an image."""
    return f"agreement_painting_{image_id}_{finding}"


def note_key(image_id: int) -> str:
    """Where the session keeps what was written of a decision."""
    return f"agreement_note_{image_id}"


def open_image(image_id: int) -> None:
    """Show one image with all its masks."""
    st.query_params["image"] = str(image_id)


def back() -> None:
    """Show the overview again."""
    st.query_params.pop("image", None)


def open_editor(image_id: int, finding: Finding) -> None:
    """Let adjudicators paint on their draft."""
    st.session_state[painting_key(image_id, finding)] = True


def close_editor(image_id: int, finding: Finding) -> None:
    """Show the masks again; what was painted stays as a draft."""
    st.session_state.pop(painting_key(image_id, finding), None)


@button_action(SAID)
def take(ctx: PageContext, version_id: int, image_id: int) -> str:
    """Decide that one mask counts, unchanged."""
    note = str(st.session_state.get(note_key(image_id), ""))
    decision = adjudication.take_mask(ctx.caller, version_id=version_id, note=note)
    return f"Decided: the mask of {decision.author} counts"


@button_action(SAID)
def combine(
    ctx: PageContext, image_id: int, finding: Finding, combination: Combination, version_ids: tuple[int, ...]
) -> str:
    """Combine masks into one's own draft, and open it."""
    adjudication.start_combination(
        ctx.caller,
        image_id=image_id,
        finding=finding,
        combination=combination,
        version_ids=version_ids,
    )
    st.session_state[_LOAD] = counter("load") + 1
    open_editor(image_id, finding)
    return ""


def adjudicate(ctx: PageContext, image_id: int, finding: Finding, submissions: tuple[MaskSubmission, ...]) -> None:
    """Decide that the mask on the screen counts."""
    for submission in submissions:
        _adjudicate(ctx, image_id, finding, submission, sure=())
    st.session_state[_ANSWER] = counter("answer") + 1


def adjudicate_as_it_is(ctx: PageContext, image_id: int, finding: Finding, question: MaskQuestion) -> None:
    """Decide that a mask counts that the adjudicator says is right."""
    drop_question(QUESTIONS, question.submission.document_id)
    _adjudicate(ctx, image_id, finding, question.submission, sure=(question.doubt,))


@button_action(SAID)
def fill(ctx: PageContext, question: MaskQuestion) -> str:
    """Fill an outline in the editor, as a step that Undo takes back."""
    submission = question.submission
    filling.fill_draft(ctx.caller, document_id=submission.document_id, seq=submission.seq)
    drop_question(QUESTIONS, submission.document_id)
    st.session_state[_LOAD] = counter("load") + 1
    return "Filled: look at it, then press Adjudicate. Undo (Ctrl+Z) brings the line back."


@button_action(SAID)
def _adjudicate(
    ctx: PageContext, image_id: int, finding: Finding, submission: MaskSubmission, *, sure: tuple[MaskDoubt, ...]
) -> str:
    try:
        adjudication.adjudicate(
            ctx.caller,
            document_id=submission.document_id,
            seq=submission.seq,
            note=submission.note,
            sure=sure,
        )
    except MaskDoubted as asked:
        keep_question(QUESTIONS, submission, FINDINGS[finding], asked)
        return ""
    drop_question(QUESTIONS, submission.document_id)
    close_editor(image_id, finding)
    return "Decided: your mask counts"
