"""What a button has done is kept for the page; an error that a person can mend is kept as its message."""

import pytest
import streamlit as st

from colpo_core.errors import InputRejected
from pages._ui.shared.messages import button_action


@pytest.mark.parametrize(
    ("outcome", "kept"),
    [("Saved.", {"said": ("Saved.", False)}), ("", {}), (InputRejected("Too long."), {"said": ("Too long.", True)})],
)
def test_the_message_or_the_error_of_an_action_is_kept(
    monkeypatch: pytest.MonkeyPatch, outcome: str | InputRejected, kept: dict[str, tuple[str, bool]]
) -> None:
    monkeypatch.setattr(st, "session_state", {})

    @button_action("said")
    def save(number: int, *, name: str) -> str:
        assert (number, name) == (3, "x")
        if isinstance(outcome, InputRejected):
            raise outcome
        return outcome

    save(3, name="x")
    assert st.session_state == kept


def test_an_error_that_nobody_foresaw_is_not_swallowed() -> None:
    @button_action("said")
    def fail() -> str:
        raise KeyError("gone")

    with pytest.raises(KeyError):
        fail()
