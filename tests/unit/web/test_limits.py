"""One kind of work cannot keep another from being served."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from typing import Any

import httpx
import numpy as np
import pytest
from sqlalchemy import text
from starlette.applications import Starlette

from colpo_core.errors import Busy
from colpo_core.images.masks import encode_rle
from colpo_core.services.annotations import own_masks
from colpo_core.services.common.callers import Caller
from colpo_core.services.people import signing_in
from colpo_core.store import Store
from colpo_core.terms import Finding
from colpo_core.web import limits, signin
from colpo_core.web.gate import Gate
from colpo_core.web.limits import FailuresByAddress, Lane
from colpo_core.web.routes import routes
from tests.support.browsers import SITE

ASKED_AT_ONCE = 60


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@contextmanager
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """A check of passwords that lasts until the event is set, as many at once would."""
    released = threading.Event()

    def hang(*_: Any, **__: Any) -> bool:
        assert released.wait(60)
        return False

    monkeypatch.setattr(signing_in, "password_matches", hang)
    monkeypatch.setattr(signin, "_REFUSED_AFTER_SECONDS", 0.0)
    try:
        yield released
    finally:
        released.set()


@asynccontextmanager
async def browser(store: Store, token: str = "", address: str = "127.0.0.1") -> AsyncIterator[httpx.AsyncClient]:
    app = Gate(Starlette(routes=routes(store)), store)
    transport = httpx.ASGITransport(app=app, client=(address, 1))
    async with httpx.AsyncClient(transport=transport, base_url=SITE, headers={"origin": SITE}) as client:
        if token:
            client.cookies.set(signing_in.SESSION_COOKIE, token)
        yield client


def test_sixty_wrong_sign_ins_at_once_keep_nobody_else_waiting(
    store: Store,
    annotator: Caller,
    add_case: Callable[..., int],
    token_of: Callable[[Caller], str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """More than the server's pool has threads, each with a name of its own, all stuck in the check of the password."""
    add_case()
    token = token_of(annotator)
    document = own_masks.open_annotation(annotator, image_id=1, finding=Finding.ACETOWHITE).document_id
    stroke = encode_rle(np.ones((24, 32), dtype=bool))

    async def attack_and_work() -> tuple[list[httpx.Response], list[int]]:
        with held(monkeypatch) as released:
            async with browser(store) as stranger, browser(store, token) as clinician:
                attempts = [
                    asyncio.create_task(stranger.post("/login", data={"username": f"nobody{n}", "password": "wrong"}))
                    for n in range(ASKED_AT_ONCE)
                ]
                await asyncio.sleep(0.05)
                worked = [
                    (await clinician.get(path)).status_code
                    for path in ("/colpo/health", "/colpo/session", "/colpo/images/1/thumbnail")
                ]
                saved = await clinician.put(f"/colpo/annotations/{document}?base_seq=0&strokes=1", content=stroke)
                worked.append(saved.status_code)
                released.set()
                return await asyncio.gather(*attempts), worked

    answers, worked = asyncio.run(attack_and_work())
    assert worked == [200, 204, 200, 200]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert len(refused) >= ASKED_AT_ONCE - limits.PASSWORDS.threads - limits.PASSWORDS.most_waiting
    assert all(int(answer.headers["retry-after"]) > 0 for answer in refused)
    assert all("Try again" in answer.text or "try again" in answer.text for answer in refused)
    assert {answer.status_code for answer in answers} == {401, 429}


def test_a_lane_turns_away_whom_it_has_no_place_for() -> None:
    async def run() -> list[object]:
        lane = Lane("test of places", threads=1, most_waiting=2)
        released = threading.Event()
        running = [asyncio.create_task(lane.run(partial(released.wait, 60))) for _ in range(5)]
        await asyncio.sleep(0)
        await asyncio.sleep(0.05)
        released.set()
        return await asyncio.gather(*running, return_exceptions=True)

    outcomes = asyncio.run(run())
    assert [isinstance(one, Busy) for one in outcomes].count(True) == 2
    assert outcomes.count(True) == 3


def test_whoever_waits_too_long_is_turned_away_and_the_lane_goes_on() -> None:
    async def run() -> int:
        lane = Lane("test of patience", threads=1, most_waiting=9, patience_seconds=0.01)
        released = threading.Event()
        first = asyncio.create_task(lane.run(partial(released.wait, 60)))
        await asyncio.sleep(0)
        with pytest.raises(Busy):
            await lane.run(lambda: 0)
        released.set()
        assert await first
        return await lane.run(lambda: 7)

    assert asyncio.run(run()) == 7


def test_one_person_cannot_take_all_places(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MOST_WAITING_A_PERSON", 2)

    async def run() -> tuple[int, object]:
        lane = Lane("test of persons", threads=1, most_waiting=100)
        released = threading.Event()
        greedy = [asyncio.create_task(lane.run(partial(released.wait, 60), person=1)) for _ in range(9)]
        await asyncio.sleep(0.05)
        other = asyncio.create_task(lane.run(lambda: "served", person=2))
        await asyncio.sleep(0)
        released.set()
        outcomes = await asyncio.gather(*greedy, return_exceptions=True)
        return sum(isinstance(one, Busy) for one in outcomes), await other

    refused, other = asyncio.run(run())
    assert (refused, other) == (6, "served")  # one runs, two wait


def test_failures_of_an_address_fade_by_themselves() -> None:
    clock = Clock()
    failures = FailuresByAddress(at_once=3, seconds_each=2.0, clock=clock)
    for _ in range(3):
        failures.count("10.0.0.7")
    with pytest.raises(Busy) as refusal:
        failures.count("10.0.0.7")
    assert refusal.value.retry_after == 2
    failures.count("10.0.0.8")  # another address is not meant
    clock.now = 2.0
    failures.count("10.0.0.7")
    with pytest.raises(Busy):
        failures.count("10.0.0.7")
    clock.now = 60.0
    for _ in range(3):
        failures.count("10.0.0.7")


def test_what_succeeds_is_no_failure() -> None:
    failures = FailuresByAddress(at_once=2, clock=Clock())
    for _ in range(50):
        failures.count("10.0.0.7")
        failures.forgive("10.0.0.7")


def test_one_machine_has_one_address_also_where_it_can_choose_from_many() -> None:
    failures = FailuresByAddress(at_once=1, clock=Clock())
    failures.count("2001:db8:1:2::1")
    with pytest.raises(Busy):
        failures.count("2001:db8:1:2:ffff::9")
    failures.count("2001:db8:1:3::1")


def test_addresses_are_forgotten_before_they_fill_the_memory() -> None:
    failures = FailuresByAddress(most_addresses=10, clock=Clock())
    for number in range(100):
        failures.count(f"10.0.0.{number}")
    assert len(failures._faded_at) == 10


def test_readers_never_wait_for_a_connection_behind_writers(store: Store, annotator: Caller) -> None:
    """A hundred who wait for the writer hold fewer connections than there are."""
    if store.settings.database_url:
        pytest.skip("of SQLite's pool")
    begun, released = threading.Event(), threading.Event()

    def hold() -> None:
        with store.writing() as session:
            session.execute(text("SELECT 1"))
            begun.set()
            released.wait(60)

    def wait() -> None:
        with store.writing() as session:
            session.execute(text("SELECT 1"))

    threads = [threading.Thread(target=hold), *(threading.Thread(target=wait) for _ in range(100))]
    threads[0].start()
    assert begun.wait(60)
    for thread in threads[1:]:
        thread.start()
    try:
        for _ in range(30):
            assert signing_in.actor_for_token(store, token="nobody") is None
    finally:
        released.set()
        for thread in threads:
            thread.join()
