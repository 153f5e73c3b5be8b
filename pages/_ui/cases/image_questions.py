"""What is asked about images, with a button for each answer; used where images come in and before a snapshot."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from colpo_core.records.cases.images import AskedImage, Contradiction, grouped_questions, question_text
from colpo_core.services.cases.image_questions import confirm_images, refile_images
from colpo_core.services.common.stored_images import mark_image
from colpo_core.terms import ImageQuestion, Stage
from pages._ui.shared.context import page_context
from pages._ui.shared.formats import count_text
from pages._ui.shared.messages import run_action, show_message
from pages._ui.shared.words import STAGES

_SHOWN = 8
_MOST_ROWS = 200
_BETTER = {
    ImageQuestion.IODINE: (Stage.LUGOL,),
    ImageQuestion.GREEN_FILTER: (Stage.GREEN_FILTER,),
    ImageQuestion.NO_IODINE: (Stage.ACETIC_ACID, Stage.NATIVE),
    ImageQuestion.NO_GREEN: (Stage.ACETIC_ACID, Stage.NATIVE),
}
_NO_CERVIX = {
    ImageQuestion.GREY, ImageQuestion.DARK, ImageQuestion.BRIGHT, ImageQuestion.BLURRED, ImageQuestion.DRAWN,
    ImageQuestion.NO_TISSUE, ImageQuestion.SMALL,
}  # fmt: skip


def show_questions(asked: Sequence[AskedImage], *, key: str) -> None:
    """Draw the questions, those of one kind together; an answer is stored at once.

    Args:
        asked: What is asked.
        key: Prefix of the widgets' keys, unique on the page.
    """
    message_key = f"{key}_said"
    show_message(message_key)
    for (question, stage), images in grouped_questions(asked).items():
        with st.expander(_head(question, stage, images), icon=":material/help:"):
            table = f"{key}_{question.value}_{stage.value}"
            _table(images, table)
            with st.container(horizontal=True):
                for better in _stages(question, stage):
                    st.button(
                        f"File as {STAGES[better]}",
                        key=f"{table}_{better.value}",
                        on_click=_refile,
                        args=(images, table, better, message_key),
                    )
                if question in _NO_CERVIX:
                    st.button(
                        "Not for learning",
                        key=f"{table}_no_cervix",
                        help="The images stay, and are left out of snapshots: they do not show the cervix well enough.",
                        on_click=_leave_out,
                        args=(images, table, message_key),
                    )
                st.button(
                    "Right as they are" if len(images) > 1 else "Right as it is",
                    key=f"{table}_right",
                    help="Kept under your name, and not asked again.",
                    on_click=_confirm,
                    args=(images, table, question, message_key),
                )


def contradiction_text(contradictions: Sequence[Contradiction]) -> str:
    """Which cases hold copies of one photograph and contradict each other, and what a snapshot does about it."""
    pairs = sorted(
        {tuple(sorted((contradiction.case_id, contradiction.other_case_id))) for contradiction in contradictions}
    )
    named = ", ".join(f"{first} and {second}" for first, second in pairs[:_SHOWN])
    more = f" and {len(pairs) - _SHOWN} more pairs" if len(pairs) > _SHOWN else ""
    return (
        f"The same photograph, or a near copy, is filed in cases whose labels contradict each other: cases {named}"
        f"{more}. A snapshot takes neither image. Find out which case it belongs to, and mark the other image as not "
        "showing the cervix, or correct the histology."
    )


def _head(question: ImageQuestion, stage: Stage, images: Sequence[AskedImage]) -> str:
    cases = list(dict.fromkeys(image.case_id for image in images))
    named = ", ".join(str(case_id) for case_id in cases[:_SHOWN])
    more = f" and {len(cases) - _SHOWN} more" if len(cases) > _SHOWN else ""
    return f"{question_text(question, stage, len(images))} (case{'s' if len(cases) > 1 else ''} {named}{more})"


def _stages(question: ImageQuestion, stage: Stage) -> tuple[Stage, ...]:
    if question is ImageQuestion.STAGE_GUESSED:
        return tuple(other for other in Stage if other is not stage)
    return _BETTER.get(question, ())


def _table(images: Sequence[AskedImage], key: str) -> None:
    shown = images[:_MOST_ROWS]
    st.dataframe(
        pd.DataFrame(
            {
                "Photograph": [f"/colpo/images/{image.image_id}/thumbnail" for image in shown],
                "Case": [f"/cases?case={image.case_id}" for image in shown],
                "Image": [image.image_id for image in shown],
            }
        ),
        key=key,
        hide_index=True,
        width="stretch",
        row_height=64,
        height=min(330, 38 + 64 * len(shown)),
        on_select="rerun",
        selection_mode="multi-row",
        column_config={
            "Photograph": st.column_config.ImageColumn(width="small"),
            "Case": st.column_config.LinkColumn(display_text=r"case=(\d+)", width="small"),
        },
    )
    if len(images) > 1:
        st.caption("An answer holds for the ticked images; for all of them where none is ticked.")


def _meant(images: Sequence[AskedImage], key: str) -> list[int]:
    """The ticked images, or all."""
    rows = st.session_state[key].selection.rows
    return [images[row].image_id for row in rows] or [image.image_id for image in images]


def _refile(images: Sequence[AskedImage], key: str, stage: Stage, message_key: str) -> None:
    def action() -> str:
        changed = refile_images(page_context().caller, image_ids=_meant(images, key), stage=stage)
        return f"{count_text(changed, 'image')} filed as {STAGES[stage]}."

    run_action(action, key=message_key)


def _confirm(images: Sequence[AskedImage], key: str, question: ImageQuestion, message_key: str) -> None:
    def action() -> str:
        caller, meant = page_context().caller, _meant(images, key)
        confirm_images(caller, image_ids=meant, question=question)
        return f"{count_text(len(meant), 'image')} right as filed, by {caller.actor.display_name}."

    run_action(action, key=message_key)


def _leave_out(images: Sequence[AskedImage], key: str, message_key: str) -> None:
    def action() -> str:
        caller, meant = page_context().caller, _meant(images, key)
        for image_id in meant:
            mark_image(caller, image_id=image_id, shows_cervix=False)
        return f"{count_text(len(meant), 'image')} left out of learning."

    run_action(action, key=message_key)
