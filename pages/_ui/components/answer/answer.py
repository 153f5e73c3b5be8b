"""The answer panel: the call and the confidence are chosen in the browser, and the server hears the whole answer."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import streamlit as st

from colpo_core.errors import InputRejected
from colpo_core.terms import Label
from pages._ui.components.scripts import component_script, read_text


@dataclass(frozen=True)
class Answer:
    """One answer as the browser sent it.

    Attributes:
        token: Of the case that was on the screen when the reader answered.
        call: `normal` or `hsil`.
        confidence: 0 (a guess) to 100 (certain).
        active_ms: Time on the case without pauses, a hidden window or idleness; None where the browser sent none.
    """

    token: str
    call: Label
    confidence: int
    active_ms: int | None = None


_panel = st.components.v2.component(
    "colpodesk_answer",
    css=read_text(__file__, "answer.css"),
    js=component_script("answer/main.js", template=read_text(__file__, "answer.html")),
)


def answer_panel(
    key: str,
    *,
    token: str,
    number: int,
    total: int,
    part: str,
    five_steps: bool,
    attempt: int,
    on_answer: Callable[[], None],
) -> None:
    """Show the panel for one case. Nothing that the reader sets reruns the page before the answer is confirmed.

    Args:
        key: Widget key, unique on the page.
        token: Of the case on the screen; another token clears the panel.
        number: Position of the case in the reader's order, from 1.
        total: Images of the session.
        part: What is being read, such as a session or practice; empty to show nothing.
        five_steps: Whether the confidence is set in five steps instead of from 0 to 100.
        attempt: Rises when an answer was refused, so that the reader can try again.
        on_answer: Called before the page reruns; `given_answer(key)` then has the answer.
    """
    _panel(
        key=key,
        data={
            "token": token,
            "number": number,
            "total": total,
            "part": part,
            "fiveSteps": five_steps,
            "attempt": attempt,
        },
        on_answer_change=on_answer,
        width="stretch",
    )


def given_answer(key: str) -> Answer:
    """The answer that has just come from the browser.

    Raises:
        InputRejected: What came is no answer.
    """
    sent: Any = st.session_state[key].get("answer")
    try:
        active_ms = sent.get("activeMs")
        return Answer(
            token=str(sent["token"]),
            call=Label(sent["call"]),
            confidence=int(sent["confidence"]),
            active_ms=None if active_ms is None else int(active_ms),
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise InputRejected("The answer did not arrive whole. Reload the page and answer again.") from error
