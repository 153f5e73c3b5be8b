"""What tests do with pages that `open_page` has opened."""

from collections.abc import Callable
from typing import Any

from streamlit.testing.v1 import AppTest

OpenPage = Callable[..., Any]


class Page(AppTest):
    """A page of the program; a run that ends in an exception fails the test, whatever set it off."""

    def _run(self, *args: Any, **options: Any) -> AppTest:
        app = super()._run(*args, **options)
        assert not app.exception, [error.value for error in app.exception]
        return app


def button(app: Any, label: str) -> Any:
    """The first button of that name."""
    return next(button for button in app.button if button.label == label)


def press(app: Any, label: str) -> Any:
    """Press the first button of that name; the page as it is afterwards."""
    return button(app, label).click().run()


def write(app: Any, label: str, text: str) -> Any:
    """Write into the text field of that name."""
    return next(field for field in app.text_input if field.label == label).set_value(text)


def labels(app: Any) -> list[str]:
    """What stands on the buttons."""
    return [button.label for button in app.button]


def words_of(app: Any) -> str:
    """All that a person reads on the page."""
    kinds = ("title", "header", "subheader", "markdown", "caption", "info", "success", "error", "warning")
    return "\n".join(str(element.value) for kind in kinds for element in app.get(kind))


def said(app: Any) -> str:
    """All words on the page, those above figures among them."""
    kinds = ("title", "subheader", "markdown", "caption", "info", "warning", "error", "success", "metric")
    return "\n".join(
        str(getattr(element, "label", "")) + " " + str(element.value) for kind in kinds for element in app.get(kind)
    )


def html_of(app: Any) -> str:
    """The HTML that the page has built itself."""
    return "".join(str(element.proto.body) for element in app.get("html"))


def query_of(app: Any, name: str) -> str:
    """A parameter of the page's address."""
    value = app.query_params[name]
    return value if isinstance(value, str) else value[0]
