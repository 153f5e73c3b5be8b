"""What the buttons of the annotation page do. They run before the page is drawn, and leave a message for it to show."""

from collections.abc import Sequence

import streamlit as st

from colpo_core.errors import ColpoError, InputRejected, MaskDoubted
from colpo_core.records.annotations import StartSource
from colpo_core.services.annotations import biopsy_points, clear_images, confirmation, own_masks
from colpo_core.services.annotations import starts as starting
from colpo_core.services.annotations import versions as annotation_versions
from colpo_core.services.imports import filling
from colpo_core.services.tasks import queue as task_queue
from colpo_core.terms import Finding, Start
from pages._ui.annotations.mask_questions import MaskQuestion, drop_question, keep_question
from pages._ui.components.mask_editor import MaskSubmission
from pages._ui.shared.context import PageContext
from pages._ui.shared.messages import button_action
from pages._ui.shared.words import joined

SAID = "annotate_said"
FINDING = "annotate_finding"
START = "annotate_start"
QUESTIONS = "annotate_questions"
_ANSWER = "annotate_answer"
_LOAD = "annotate_load"
_PAIR = "annotate_pair"
MASKS, IMPORTED, STAGES, FORM, BIOPSY = "My masks", "Imported mask", "Compare stages", "Case form", "Biopsy points"


def mode_key(image_id: int) -> str:
    """Where the session keeps what is shown of an image."""
    return f"annotate_mode_{image_id}"


def restore_key(version_id: int) -> str:
    """Where the session keeps whether the question about restoring a version is open."""
    return f"annotate_restoring_{version_id}"


def counter(name: str) -> int:
    """How often something happened in this session: `answer` or `load`."""
    return int(st.session_state.get(f"annotate_{name}", 0))


def open_image(image_id: int) -> None:
    """Show another image, in the same task if there is one; its address changes too."""
    st.query_params["image"] = str(image_id)


def choose_finding(finding: Finding) -> None:
    """Follow the layer that the person has picked in the editor, so that what is beside it matches."""
    st.session_state[FINDING] = finding


@button_action(SAID)
def submit(ctx: PageContext, submissions: Sequence[MaskSubmission], names: dict[str, str]) -> str:
    """Make a version of each mask on the screen; one that is refused or questioned does not hold up the others.

    Args:
        ctx: The page's context.
        submissions: One for each finding.
        names: The findings' names, by document.
    """
    _count(_ANSWER)
    made, refused = [], []
    for submission in submissions:
        name = names[submission.document_id].lower()
        try:
            version = own_masks.submit_annotation(
                ctx.caller, document_id=submission.document_id, seq=submission.seq, note=submission.note
            )
            made.append((name, version.number))
            drop_question(QUESTIONS, submission.document_id)
        except MaskDoubted as asked:
            keep_question(QUESTIONS, submission, names[submission.document_id], asked)
        except ColpoError as error:
            refused.append(f"Not submitted: {name}. {error}")
    text = _submitted_text(made)
    if refused:
        raise InputRejected(" ".join(filter(None, [text, *refused])))
    return text


@button_action(SAID)
def submit_as_it_is(ctx: PageContext, question: MaskQuestion) -> str:
    """Submit a mask that the person says is right."""
    submission = question.submission
    drop_question(QUESTIONS, submission.document_id)
    _count(_LOAD)
    version = own_masks.submit_annotation(
        ctx.caller,
        document_id=submission.document_id,
        seq=submission.seq,
        note=submission.note,
        sure={question.doubt},
    )
    return _submitted_text([(question.name.lower(), version.number)])


@button_action(SAID)
def fill(ctx: PageContext, question: MaskQuestion) -> str:
    """Fill an outline in the editor, as a step that Undo takes back."""
    submission = question.submission
    filling.fill_draft(ctx.caller, document_id=submission.document_id, seq=submission.seq)
    drop_question(QUESTIONS, submission.document_id)
    _count(_LOAD)
    return "Filled: look at it, then submit it. Undo (Ctrl+Z) brings the line back."


@button_action(SAID)
def fill_imported(ctx: PageContext, document_id: str, version_id: int, image_id: int) -> str:
    """Start my own mask from an imported outline, filled."""
    filling.start_filled(ctx.caller, document_id=document_id, version_id=version_id)
    _count(_LOAD)
    st.session_state[mode_key(image_id)] = MASKS
    return "Filled: look at it, then submit it. It takes the place of the imported outline."


@button_action(SAID)
def say_nothing_there(ctx: PageContext, document_id: str, next_image_id: int | None) -> str:
    """Say that the finding is not on the image, and go on to the next."""
    version = clear_images.confirm_absence(ctx.caller, document_id=document_id)
    drop_question(QUESTIONS, document_id)
    _count(_LOAD)
    _go_on(next_image_id)
    return f"Version {version.number} submitted: nothing acetowhite on image {version.image_id}."


def show_unmarked() -> None:
    """Show the images without a mask, to say of many at once that nothing is on them."""
    st.query_params.from_dict({"unmarked": "1"})


@button_action(SAID)
def confirm(ctx: PageContext, annotation_id: int, next_image_id: int | None) -> str:
    """Confirm an imported mask and go on to the next."""
    confirmation.confirm_annotation(ctx.caller, annotation_id=annotation_id)
    _go_on(next_image_id)
    return "Confirmed: training may use this mask"


@button_action(SAID)
def reject(ctx: PageContext, annotation_id: int, reason_key: str, next_image_id: int | None) -> str:
    """Reject an imported mask and go on to the next."""
    reason = st.session_state.get(reason_key) or ""
    confirmation.reject_annotation(ctx.caller, annotation_id=annotation_id, reason=reason)
    _go_on(next_image_id)
    return "Rejected: training leaves this mask out"


@button_action(SAID)
def correct(ctx: PageContext, document_id: str, version_id: int, image_id: int) -> str:
    """Start my own mask from an imported one."""
    _start(ctx, document_id, StartSource(Start.OTHER_VERSION, version_id=version_id))
    st.session_state[mode_key(image_id)] = MASKS
    return "Correct the mask, then submit it: it takes the place of the imported one."


@button_action(SAID)
def start(ctx: PageContext, document_id: str, source: StartSource, message: str) -> str:
    """Close the choice, replace what is painted of a finding by another mask, and let the editor load it."""
    st.session_state[START] = False
    _start(ctx, document_id, source)
    return message


@button_action(SAID)
def restore(ctx: PageContext, version_id: int) -> str:
    """Make a new version of an earlier one."""
    st.session_state[restore_key(version_id)] = False
    made = annotation_versions.restore_version(ctx.caller, version_id=version_id)
    _count(_LOAD)
    return f"Restored as version {made.number}."


@button_action(SAID)
def skip(ctx: PageContext, item_id: int, next_image_id: int | None, reason_key: str) -> str:
    """Skip an image of a task, and go on to the next."""
    reason = str(st.session_state.get(reason_key) or "")
    task_queue.skip_item(ctx.caller, item_id=item_id, reason=reason)
    _go_on(next_image_id)
    return "Skipped. You can take it up again from your queue."


@button_action(SAID)
def resume(ctx: PageContext, item_id: int) -> str:
    """Take a skipped image up again."""
    task_queue.resume_item(ctx.caller, item_id=item_id)
    return "The image waits for your mask again."


def compare(image_id: int, version_ids: tuple[int, int]) -> None:
    """Show two versions of an image's masks over each other."""
    st.session_state[f"{_PAIR}_{image_id}"] = version_ids


def stop_comparing(image_id: int) -> None:
    """Go back to painting."""
    st.session_state.pop(f"{_PAIR}_{image_id}", None)


def compared(image_id: int) -> tuple[int, int] | None:
    """The two versions that are being compared, if any."""
    pair: tuple[int, int] | None = st.session_state.get(f"{_PAIR}_{image_id}")
    return pair


@button_action(SAID)
def save_points(ctx: PageContext, image_id: int, points: list[tuple[float, float]]) -> str:
    """Keep biopsy points."""
    biopsy_points.save_biopsy_points(ctx.caller, image_id=image_id, points=points)
    return ""


def _submitted_text(made: Sequence[tuple[str, int]]) -> str:
    if len(made) == 1:
        ((name, number),) = made
        return f"Version {number} submitted: {name}."
    return f"Submitted: {joined([f'{name}, version {number}' for name, number in made])}." if made else ""


def _start(ctx: PageContext, document_id: str, source: StartSource) -> None:
    starting.start_from(ctx.caller, document_id=document_id, source=source)
    _count(_LOAD)


def _go_on(next_image_id: int | None) -> None:
    if next_image_id is not None:
        open_image(next_image_id)


def _count(key: str) -> None:
    st.session_state[key] = int(st.session_state.get(key, 0)) + 1
