"""How the web server holds out: strangers who try passwords, and a clinic at work.

    python -m benchmarks.web_load strangers              # wrong sign-ins beside a clinician's thumbnails
    python -m benchmarks.web_load clinic                 # 50 people, a page every 10 s each, for ten minutes
    python -m benchmarks.web_load clinic --minutes 1 --people 20

The real server in a process of its own on a free loopback port, on a store in a temporary folder. Prints Markdown.
"""

import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import click
import httpx
import psutil
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import connect

from benchmarks.shared import print_heading, print_row
from colpo_core.services.common.callers import Caller
from colpo_core.services.imports.demonstration import fill_demonstration
from colpo_core.services.people import accounts, signing_in
from colpo_core.settings import Settings
from colpo_core.store import Store
from colpo_core.terms import Role
from tests.browser.conftest import Server

PASSWORD = "wool lamp harbour"  # noqa: S105 - of a store that is deleted at the end
PAGES = ("home", "cases", "annotate", "review", "agreement", "models", "dashboard", "tasks")
RUN_WITHIN_SECONDS = 60.0


@dataclass
class Measured:
    """Seconds that answers took, and what was no answer."""

    seconds: list[float] = field(default_factory=list)
    errors: int = 0
    statuses: dict[int, int] = field(default_factory=dict)

    def at(self, share: float) -> str:
        """The time within which this share of the answers came."""
        ordered = sorted(self.seconds)
        return f"{ordered[min(len(ordered) - 1, int(share * len(ordered)))]:.2f}" if ordered else "none"

    async def ask(self, client: httpx.AsyncClient, method: str, path: str, **request: Any) -> None:  # noqa: ANN401
        """Send one request and measure it."""
        begun = time.monotonic()
        try:
            answer = await client.request(method, path, **request)
        except httpx.HTTPError:
            self.errors += 1
            return
        self.seconds.append(time.monotonic() - begun)
        self.statuses[answer.status_code] = self.statuses.get(answer.status_code, 0) + 1


@dataclass(frozen=True)
class Clinic:
    """A served store with simulated cases, and people who have signed in."""

    server: Server
    tokens: tuple[str, ...]

    def megabytes(self) -> float:
        """Memory of the server."""
        assert self.server.process is not None
        return psutil.Process(self.server.process.pid).memory_info().rss / 1e6


@contextmanager
def served_clinic(n_people: int) -> Iterator[Clinic]:
    """Serve a store in a temporary folder."""
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder) / "data").start()
        try:
            yield Clinic(server, tuple(_people(server, n_people)))
        finally:
            server.kill()


def _people(server: Server, n_people: int) -> Iterator[str]:
    store = Store.open(Settings(data_dir=server.data_dir))
    first = accounts.create_first_administrator(store, username="chief", display_name="", password=PASSWORD)
    signed = signing_in.sign_in(store, username="chief", password=PASSWORD)
    chief = Caller(store, signed.actor)
    assert first.person_id == chief.person_id
    fill_demonstration(store, n_cases=12)
    for number in range(n_people):
        name = f"annotator{number}"
        accounts.create_person(chief, username=name, display_name="", role=Role.ANNOTATOR, password=PASSWORD)
        yield signing_in.sign_in(store, username=name, password=PASSWORD).token
    store.close()


@asynccontextmanager
async def browser(clinic: Clinic, token: str = "") -> AsyncIterator[httpx.AsyncClient]:
    """A client of somebody who is signed in, or of a stranger."""
    cookies = {signing_in.SESSION_COOKIE: token} if token else None
    headers = {"origin": clinic.server.url}
    async with httpx.AsyncClient(base_url=clinic.server.url, headers=headers, cookies=cookies, timeout=60) as client:
        yield client


@click.group()
def main() -> None:
    """Measure the web server under load."""


@main.command()
@click.option("--connections", "counts", type=int, multiple=True, default=(0, 20, 60), show_default=True)
@click.option("--seconds", type=float, default=20.0, show_default=True)
@click.option("--addresses", is_flag=True, help="Each attempt from an address of its own, as a proxy would tell it.")
def strangers(counts: tuple[int, ...], seconds: float, addresses: bool) -> None:
    """Wrong sign-ins over so many connections, with a new name each time, while a clinician looks at thumbnails."""
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    print(f"load of the machine before: {load}\n")
    print_heading(
        "connections", "thumbnail median / p95 / max (s)", "answers", "health p95 (s)", "sign-ins by status", "errors",
        "memory (MB)",
    )  # fmt: skip
    with served_clinic(1) as clinic:
        for count in counts:
            asyncio.run(_under_attack(clinic, count, seconds, addresses=addresses))


def _look_for(url: str, token: str, seconds: float) -> tuple[Measured, Measured]:
    """What a clinician and somebody who watches the machine see meanwhile; in a process of its own."""

    async def look(path: str, cookies: dict[str, str]) -> Measured:
        measured, until = Measured(), time.monotonic() + seconds
        async with httpx.AsyncClient(base_url=url, cookies=cookies, timeout=60) as client:
            while time.monotonic() < until:
                await measured.ask(client, "GET", path)
                await asyncio.sleep(0.05)
        return measured

    async def both() -> tuple[Measured, Measured]:
        thumbnail = look("/colpo/images/1/thumbnail", {signing_in.SESSION_COOKIE: token})
        return await asyncio.gather(thumbnail, look("/colpo/health", {}))

    return asyncio.run(both())


async def _under_attack(clinic: Clinic, count: int, seconds: float, *, addresses: bool) -> None:
    attempts = Measured()
    until = time.monotonic() + seconds

    async def attack(number: int) -> None:
        async with browser(clinic) as client:
            turn = 0
            while time.monotonic() < until:
                turn += 1
                headers = {"x-forwarded-for": f"10.{number}.{turn // 250 % 250}.{turn % 250}"} if addresses else {}
                form = {"username": f"nobody-{number}-{turn}", "password": "not the right one"}
                await attempts.ask(client, "POST", "/login", data=form, headers=headers)

    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as beside:
        loop = asyncio.get_running_loop()
        url, token = clinic.server.url, clinic.tokens[0]
        looking = loop.run_in_executor(beside, _look_for, url, token, seconds)
        await asyncio.gather(*(attack(number) for number in range(count)))
        thumbnails, health = await looking
    print_row(
        count, f"{thumbnails.at(0.5)} / {thumbnails.at(0.95)} / {thumbnails.at(1)}", len(thumbnails.seconds),
        health.at(0.95), dict(sorted(attempts.statuses.items())),
        attempts.errors + thumbnails.errors + health.errors, f"{clinic.megabytes():.0f}",
    )  # fmt: skip


@main.command()
@click.option("--people", type=int, default=50, show_default=True)
@click.option("--minutes", type=float, default=10.0, show_default=True)
@click.option("--every", type=float, default=10.0, show_default=True, help="Seconds between one person's pages.")
@click.option("--strangers", "n_strangers", type=int, default=0, show_default=True, help="Wrong sign-ins a second.")
def clinic(people: int, minutes: float, every: float, n_strangers: int) -> None:
    """People who open a page each so often: the HTML, the whole run of the page over the WebSocket, and a thumbnail."""
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    print(f"load of the machine before: {load}\n")
    with served_clinic(people) as served:
        before = served.megabytes()
        pages, attempts = asyncio.run(_at_work(served, minutes * 60, every, n_strangers))
        print_heading(
            "people", "minutes", "strangers a second", "pages", "median", "p95", "max", "errors", "memory (MB)"
        )
        print_row(
            people, minutes, n_strangers, len(pages.seconds), f"{statistics.median(pages.seconds):.2f}", pages.at(0.95),
            pages.at(1), pages.errors + attempts.errors, f"{before:.0f} to {served.megabytes():.0f}",
        )  # fmt: skip


async def _at_work(clinic: Clinic, seconds: float, every: float, n_strangers: int) -> tuple[Measured, Measured]:
    pages, attempts = Measured(), Measured()
    begun = time.monotonic()

    async def work(number: int, token: str) -> None:
        turn = number
        await asyncio.sleep(every * number / len(clinic.tokens))
        while time.monotonic() < begun + seconds:
            next_at = time.monotonic() + every
            try:
                taken = await asyncio.wait_for(_open_page(clinic, token, PAGES[turn % len(PAGES)]), RUN_WITHIN_SECONDS)
                pages.seconds.append(taken)
            except (OSError, TimeoutError, httpx.HTTPError):
                pages.errors += 1
            turn += 1
            await asyncio.sleep(max(0.0, next_at - time.monotonic()))

    async def attack() -> None:
        async with browser(clinic) as client:
            asked: set[asyncio.Task[None]] = set()
            while time.monotonic() < begun + seconds:
                form = {"username": f"nobody-{time.monotonic()}", "password": "not the right one"}
                task = asyncio.create_task(attempts.ask(client, "POST", "/login", data=form))
                asked.add(task)
                task.add_done_callback(asked.discard)
                await asyncio.sleep(1 / n_strangers)
            await asyncio.gather(*asked)

    everybody = [work(number, token) for number, token in enumerate(clinic.tokens)]
    await asyncio.gather(*everybody, *([attack()] if n_strangers else []))
    return pages, attempts


async def _open_page(clinic: Clinic, token: str, name: str) -> float:
    """Open a page as a browser does; the seconds until its run has ended and the thumbnail is there."""
    begun = time.monotonic()
    async with browser(clinic, token) as client:
        (await client.get(f"/{name}", headers={"accept": "text/html"})).raise_for_status()
        cookie = f"{signing_in.SESSION_COOKIE}={token}"
        address = clinic.server.url.replace("http", "ws") + "/_stcore/stream"
        async with connect(
            address, additional_headers={"Cookie": cookie}, origin=clinic.server.url, subprotocols=["streamlit"],
            max_size=None,
        ) as socket:  # fmt: skip
            message = BackMsg()
            message.rerun_script.page_name = name
            await socket.send(message.SerializeToString())
            async for data in socket:
                if isinstance(data, bytes) and ForwardMsg.FromString(data).WhichOneof("type") == "script_finished":
                    break
        (await client.get("/colpo/images/1/thumbnail")).raise_for_status()
    return time.monotonic() - begun


if __name__ == "__main__":
    main()
