"""What each page says to do where there is nothing yet."""

import pytest

from colpo_core.services.common.callers import Caller
from tests.support.app_pages import OpenPage, button, labels, words_of


@pytest.mark.parametrize(
    ("person", "page", "sentences"),
    [
        ("administrator", "agreement", ["No image has masks of two annotators yet"]),
        ("annotator", "annotate", ["No image waits for a mask"]),
        ("administrator", "cases", ["No case yet"]),
        ("administrator", "dashboard", ["no case to count"]),
        ("annotator", "models", ["No model has been trained yet"]),
        ("reader", "read", ["Nothing waits to be read"]),
        ("annotator", "review", ["No model is promoted yet"]),
        ("administrator", "studies", ["No study yet"]),
        ("annotator", "tasks", ["No task is handed to you"]),
        ("annotator", "train", ["Nothing can be frozen yet", "Freeze a snapshot first"]),
    ],
)
def test_a_page_says_what_to_do(
    request: pytest.FixtureRequest, open_page: OpenPage, person: str, page: str, sentences: list[str]
) -> None:
    app = open_page(request.getfixturevalue(person), page)
    for sentence in sentences:
        assert sentence in words_of(app)
    if page == "train":
        assert sentences[0] in app.error[0].value
    assert "New task" not in labels(app)


def test_the_first_start_asks_for_images(administrator: Caller, open_page: OpenPage) -> None:
    app = open_page(administrator)
    assert "Welcome to ColpoDesk" in words_of(app)
    assert [label for label in labels(app) if "Import" in label] == ["Import the first images"]


def test_a_study_asks_for_readers(administrator: Caller, open_page: OpenPage) -> None:
    app = open_page(administrator, "studies", new=1)
    assert "A study needs readers" in words_of(app)
    assert "at least one reader" in words_of(app)
    assert button(app, "Create study").disabled
