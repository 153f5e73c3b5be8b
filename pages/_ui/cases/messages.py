"""What the buttons of the cases page have done, shown once after the page was drawn anew."""

from collections.abc import Callable
from functools import partial

from pages._ui.shared import messages
from pages._ui.shared.messages import Params

_KEY = "cases_said"

show_message = partial(messages.show_message, _KEY, as_toast=True)
"""Show once what was done, or why it was not."""


def button_action(action: Callable[Params, str]) -> Callable[Params, None]:
    """See `shared.messages.button_action`."""
    return messages.button_action(_KEY)(action)
