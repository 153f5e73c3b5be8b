"""The look of the sign-in form."""

from html.parser import HTMLParser

import pytest

from colpo_core.web.signin_form import first_administrator_form, sign_in_form

EVIL = "\"><script>alert('x')</script>&"


class Seen(HTMLParser):
    """Collects the tags and the inputs of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.inputs: dict[str, dict[str, str | None]] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag == "input":
            values = dict(attrs)
            self.inputs[str(values["name"])] = values


def seen(page: str) -> Seen:
    parser = Seen()
    parser.feed(page)
    return parser


@pytest.mark.parametrize(
    "page",
    [
        sign_in_form(target=EVIL, username=EVIL, error=EVIL, notice=EVIL),
        first_administrator_form(username=EVIL, display_name=EVIL, error=EVIL),
    ],
)
def test_what_was_typed_stays_text(page: str) -> None:
    parsed = seen(page)
    assert "script" not in parsed.tags
    assert parsed.inputs["username"]["value"] == EVIL


def test_every_field_has_a_label_and_passwords_are_never_filled_in() -> None:
    for page in (sign_in_form(target="/"), first_administrator_form()):
        for name, field in seen(page).inputs.items():
            if field["type"] != "hidden":
                assert f'<label for="{name}">' in page
            if field["type"] == "password":
                assert field["value"] == ""
                assert field["autocomplete"] in {"current-password", "new-password"}


def test_errors_are_announced() -> None:
    assert 'role="alert">No.' in sign_in_form(target="/", error="No.")
    assert 'role="status">Yes.' in sign_in_form(target="/", notice="Yes.")
