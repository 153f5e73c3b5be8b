"""What tests do with pages that `open_page` has opened."""

from typing import Any


def press(app: Any, label: str) -> Any:
    """Press the first button of that name; the page as it is afterwards."""
    return next(button for button in app.button if button.label == label).click().run()


def labels(app: Any) -> list[str]:
    """What stands on the buttons."""
    return [button.label for button in app.button]


def words_of(app: Any) -> str:
    """All that a person reads on the page."""
    kinds = ("title", "header", "subheader", "markdown", "caption", "info", "success", "error", "warning")
    return "\n".join(str(element.value) for kind in kinds for element in app.get(kind))
