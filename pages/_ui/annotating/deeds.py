"""What the buttons of the annotation page do. They run before the page is drawn, and leave a word for it to say."""

import streamlit as st

from colpo_core.services import annotations
from pages._ui.here import Here
from pages._ui.mask_editor import MaskSubmission
from pages._ui.told import doing

_SAID = "annotate_said"
_ANSWER = "annotate_answer"
_LOAD = "annotate_load"
MINE, IMPORTED, BIOPSY = "My mask", "Imported mask", "Biopsy points"


def mode_key(image_id: int) -> str:
    """Where the session keeps what is shown of an image."""
    return f"annotate_mode_{image_id}"


def counter(name: str) -> int:
    """How often something happened in this session: `answer` or `load`."""
    return int(st.session_state.get(f"annotate_{name}", 0))


def open_image(image_id: int) -> None:
    """Show another image; its address changes too."""
    st.query_params["image"] = str(image_id)


def say_what_happened() -> None:
    """Show what a button has done, or why it could not."""
    said = st.session_state.pop(_SAID, None)
    if said is None:
        return
    text, is_error = said
    if is_error:
        st.error(text, icon=":material/error:")
    else:
        st.success(text, icon=":material/check_circle:")


def submit(here: Here, submission: MaskSubmission) -> None:
    """Make a version of what is on the screen."""

    def deed() -> str:
        version = annotations.submit_annotation(
            here.store,
            actor=here.actor,
            document_id=submission.document_id,
            seq=submission.seq,
            note=submission.note,
        )
        return f"Version {version.number} submitted"

    doing(deed, key=_SAID)
    _count(_ANSWER)


def confirm(here: Here, annotation_id: int, next_image_id: int | None) -> None:
    """Confirm an imported mask and go on to the next."""

    def deed() -> str:
        annotations.confirm_annotation(here.store, actor=here.actor, annotation_id=annotation_id)
        return "Confirmed: training may use this mask"

    _go_on(doing(deed, key=_SAID), next_image_id)


def reject(here: Here, annotation_id: int, reason_key: str, next_image_id: int | None) -> None:
    """Reject an imported mask and go on to the next."""

    def deed() -> str:
        reason = st.session_state.get(reason_key) or ""
        annotations.reject_annotation(here.store, actor=here.actor, annotation_id=annotation_id, reason=reason)
        return "Rejected: training leaves this mask out"

    _go_on(doing(deed, key=_SAID), next_image_id)


def correct(here: Here, version_id: int, image_id: int) -> None:
    """Start my own mask from another one."""

    def deed() -> str:
        annotations.start_from_version(here.store, actor=here.actor, version_id=version_id)
        return "Correct the mask, then submit it: it takes the place of the imported one"

    if doing(deed, key=_SAID):
        _count(_LOAD)
        st.session_state[mode_key(image_id)] = MINE


def save_points(here: Here, image_id: int, points: list[tuple[float, float]]) -> None:
    """Keep biopsy points."""

    def deed() -> str:
        annotations.save_biopsy_points(here.store, actor=here.actor, image_id=image_id, points=points)
        return ""

    doing(deed, key=_SAID)


def _go_on(is_done: bool, next_image_id: int | None) -> None:
    if is_done and next_image_id is not None:
        open_image(next_image_id)


def _count(key: str) -> None:
    st.session_state[key] = int(st.session_state.get(key, 0)) + 1
