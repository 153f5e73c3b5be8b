"""What the buttons of the cases page have done, shown once after the page was drawn anew."""

from collections.abc import Callable
from functools import partial

from pages._ui.shared import messages
from pages._ui.shared.messages import Params

_KEY = "cases_said"

show_toast = partial(messages.show_toast, _KEY)
"""Show what was done, or why it was not."""


def button_action(action: Callable[Params, str]) -> Callable[Params, None]:
    """See `shared.messages.button_action`."""
    return messages.button_action(_KEY)(action)
