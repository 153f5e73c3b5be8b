"""Several readers read in two sessions, with reloads and a kill of the server in between; every answer is counted."""

import random
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from colpo_core.records.studies.reading_plans import ReadingPlan
from colpo_core.services.common.callers import Caller
from colpo_core.services.studies import designing
from colpo_core.store import Store
from colpo_core.store.tables import Reading
from colpo_core.terms import Label, Role
from tests.conftest import add_person

pytestmark = pytest.mark.browser
N_SESSIONS = 2
WAIT_MS = 60_000
Sent = list[tuple[int, int]]


def read_on(page: Page, n_cases: int, draw: random.Random, sent: Sent) -> Iterator[int]:
    """Answer image after image with keys; gives the number of answers after each."""
    for number in range(1, N_SESSIONS + 1):
        yield from _session(page, number, n_cases, draw, sent)
    expect(page.get_by_role("heading", name="All read")).to_be_visible(timeout=WAIT_MS)


def _session(page: Page, number: int, n_cases: int, draw: random.Random, sent: Sent) -> Iterator[int]:
    for place in range(1, n_cases + 1):
        expect(page.locator(".part")).to_have_text(f"Session {number} of {N_SESSIONS}", timeout=WAIT_MS)
        expect(page.locator(".where")).to_have_text(f"{place} of {n_cases}", timeout=WAIT_MS)
        call, sure = draw.choice((1, 2)), draw.randrange(1, 10)
        for key in (str(call), str(sure), "Enter", "Enter"):
            page.keyboard.press(key)
        sent.append((call, 10 * sure))
        yield len(sent)


def _wait_for_next(page: Page, answered: int, n_cases: int) -> None:
    """Wait until the server has taken the last answer: what was confirmed must then survive anything."""
    if answered < N_SESSIONS * n_cases:
        expect(page.locator(".where")).to_have_text(f"{answered % n_cases + 1} of {n_cases}", timeout=WAIT_MS)


def read_all(pages: list[Page], server: Any, n_cases: int) -> list[Sent]:
    """Let all readers read in turn; returns what each confirmed."""
    sent: list[Sent] = [[] for _ in pages]
    walks = [read_on(page, n_cases, random.Random(index), sent[index]) for index, page in enumerate(pages)]  # noqa: S311
    running = dict(enumerate(walks))
    while running:
        for index, walk in list(running.items()):
            answered = next(walk, None)
            if answered is None:
                del running[index]
                continue
            if answered % max(3, n_cases // 4) == 0:
                _wait_for_next(pages[index], answered, n_cases)
                pages[index].reload()
            if index == 0 and answered == n_cases + 1:
                _kill(pages, server, sent, n_cases)
    return sent


def _kill(pages: list[Page], server: Any, sent: list[Sent], n_cases: int) -> None:
    for page, given in zip(pages, sent, strict=True):
        _wait_for_next(page, len(given), n_cases)
    server.kill()
    server.start()
    for page in pages:
        page.reload()


def check_readings(store: Store, *, readings_of: list[Caller], sent: list[Sent]) -> None:
    """What is kept must be what was confirmed, once each, in an order of each reader and session."""
    with store.reading() as session:
        rows = session.scalars(select(Reading).order_by(Reading.id)).all()
    orders = []
    for one, given in zip(readings_of, sent, strict=True):
        own = [row for row in rows if row.reader_id == one.person_id]
        kept = [(1 if row.call is Label.NORMAL else 2, row.confidence) for row in own]
        assert kept == given, "an answer was lost, doubled or changed"
        assert set(Counter((row.session, row.case_id) for row in own).values()) == {1}
        orders += [tuple(row.case_id for row in own if row.session == number) for number in range(1, N_SESSIONS + 1)]
    assert len(set(orders)) == len(readings_of) * N_SESSIONS


@pytest.mark.parametrize(
    ("n_readers", "n_cases"), [(2, 6), pytest.param(5, 200, marks=pytest.mark.slow, id="five readers, 200 cases")]
)
def test_no_answer_is_lost_or_doubled_and_no_order_comes_again(
    new_page: Callable[..., Page],
    store: Store,
    administrator: Caller,
    add_case: Callable[..., int],
    token_of: Callable[[Caller], str],
    new_server: Any,
    n_readers: int,
    n_cases: int,
) -> None:
    for index in range(n_cases):
        add_case(Label.HSIL if index % 2 else Label.NORMAL)
    readers = [add_person(store, f"reader{index}", Role.READER) for index in range(n_readers)]
    study = designing.create_study(
        administrator,
        name="Two sessions",
        reader_ids=[one.person_id for one in readers],
        plan=ReadingPlan(n_sessions=N_SESSIONS, washout_days=0),
    )
    designing.open_study(administrator, study_id=study.id)
    pages: list[Page] = []
    for one in readers:
        pages.append(new_page(new_server, token_of(one)))
        pages[-1].goto(f"{new_server.url}/read?study={study.id}")

    sent = read_all(pages, new_server, n_cases)
    check_readings(store, readings_of=readers, sent=sent)
