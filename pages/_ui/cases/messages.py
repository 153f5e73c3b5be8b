"""What the buttons of the cases page have done, shown once after the page was drawn anew."""

from functools import partial

from pages._ui.shared import messages

_KEY = "cases_said"

run_action = partial(messages.run_action, key=_KEY)
"""Run a button's action in a callback, see `shared.messages`."""
show_toast = partial(messages.show_toast, _KEY)
"""Show what was done, or why it was not."""
