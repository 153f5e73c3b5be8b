"""What a page says to whoever reads it, and pressing its buttons, as the tests without a browser do."""

from typing import Any


def said(app: Any) -> str:
    """All words on the page."""
    kinds = ("title", "subheader", "markdown", "caption", "info", "warning", "error", "success", "metric")
    return "\n".join(
        str(getattr(element, "label", "")) + " " + str(element.value) for kind in kinds for element in app.get(kind)
    )


def button(app: Any, label: str) -> Any:
    return next(one for one in app.button if one.label == label)


def press(app: Any, label: str) -> Any:
    return next(button for button in app.button if button.label == label).click().run()


def write(app: Any, label: str, text: str) -> Any:
    return next(field for field in app.text_input if field.label == label).set_value(text)


def words_of(app: Any) -> str:
    """All that a person reads on the page."""
    kinds = ("title", "subheader", "markdown", "caption", "info", "warning", "error", "success")
    return "\n".join(str(one.value) for kind in kinds for one in app.get(kind))
