"""Questions about masks that look unintended, with a button for each answer."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import streamlit as st

from colpo_core.errors import MaskDoubted
from colpo_core.terms import MaskDoubt
from pages._ui.components.mask_editor import MaskSubmission


@dataclass(frozen=True)
class MaskQuestion:
    """A mask that was questioned and is not submitted yet.

    Attributes:
        submission: What the person wanted to submit.
        name: What the finding is called.
        doubt: What the mask looks like.
        sentence: The question.
    """

    submission: MaskSubmission
    name: str
    doubt: MaskDoubt
    sentence: str


def keep_question(key: str, submission: MaskSubmission, name: str, asked: MaskDoubted) -> None:
    """Remember a question until it is answered.

    Args:
        key: Where the session keeps the questions.
        submission: What was not taken.
        name: What the finding is called.
        asked: What the service asked.
    """
    questions = {question.submission.document_id: question for question in st.session_state.get(key, ())}
    questions[submission.document_id] = MaskQuestion(submission, name, asked.doubt, str(asked))
    st.session_state[key] = tuple(questions.values())


def drop_question(key: str, document_id: str) -> None:
    """Forget a question, because it is answered or the mask is painted on."""
    st.session_state[key] = tuple(
        question for question in st.session_state.get(key, ()) if question.submission.document_id != document_id
    )


def ask_questions(
    key: str,
    document_ids: set[str],
    *,
    on_sure: Callable[[MaskQuestion], None],
    on_fill: Callable[[MaskQuestion], None],
) -> None:
    """Draw the open questions about the masks of one image; those of other images are forgotten.

    Args:
        key: Where the session keeps them.
        document_ids: The documents of the image that is shown.
        on_sure: Submits a mask as it is.
        on_fill: Fills an outline.
    """
    asked: Sequence[MaskQuestion] = st.session_state.get(key, ())
    questions = tuple(question for question in asked if question.submission.document_id in document_ids)
    st.session_state[key] = questions
    for question in questions:
        document_id = question.submission.document_id
        with st.container(border=True, key=f"mask_question_{document_id}"):
            st.markdown(f":material/help: **{question.name}: not submitted yet.**  \n{question.sentence}")
            if question.doubt is MaskDoubt.OUTLINE:
                _button("Fill it", "format_color_fill", "fill", question, on_fill, primary=True)
                _button("Submit the line", "check", "sure", question, on_sure)
            elif question.doubt is MaskDoubt.EMPTY:
                _button(f"There is none: no {question.name.lower()}", "check", "sure", question, on_sure, primary=True)
            else:
                _button("It is right: submit it", "check", "sure", question, on_sure)
            st.button(
                "Not painted yet" if question.doubt is MaskDoubt.EMPTY else "Paint on",
                icon=":material/brush:",
                key=f"mask_question_back_{document_id}",
                width="stretch",
                on_click=drop_question,
                args=(key, document_id),
            )


def _button(
    text: str,
    icon: str,
    what: str,
    question: MaskQuestion,
    action: Callable[[MaskQuestion], None],
    *,
    primary: bool = False,
) -> None:
    st.button(
        text,
        icon=f":material/{icon}:",
        type="primary" if primary else "secondary",
        key=f"mask_question_{what}_{question.submission.document_id}",
        width="stretch",
        on_click=action,
        args=(question,),
    )
