"""The panel in which a reader answers: two calls, a confidence, and an answer that locks."""

from pages._ui.components.answer.answer import Answer, answer_panel, given_answer

__all__ = ["Answer", "answer_panel", "given_answer"]
