"""Ten readers at once: how long after an answer the next case is on the screen.

    python -m benchmarks.reading                        # 10 readers, 20 cases each
    python -m benchmarks.reading --readers 5 --cases 40

The real server in a process of its own on a free loopback port, on a store in a temporary folder, and one Chromium with
a window for each reader, who answers with keys and thinks for a while in between. Prints Markdown.
"""

import asyncio
import random
import tempfile
from dataclasses import replace
from pathlib import Path

import click
from playwright.async_api import Browser, async_playwright

from benchmarks.shared import print_heading, print_row
from colpo_core.labels import RULES_VERSION
from colpo_core.records.people import Actor
from colpo_core.services.common.callers import Caller
from colpo_core.services.people import accounts as people
from colpo_core.services.people import signing_in
from colpo_core.services.studies import designing
from colpo_core.settings import Settings
from colpo_core.store import Store
from colpo_core.store.tables import CaseLabel, Image, Person
from colpo_core.terms import Label, LabelSource, Role
from tests.browser.conftest import FLAGS, Server, find_chromium
from tests.painting.spread import Spread
from tests.painting.ward import Annotator, add_annotator, add_image

WIDTH_PX, HEIGHT_PX = 640, 480
SHORTEST_THINK_S, LONGEST_THINK_S = 1.0, 3.0
# From the key that confirms to the first frame after the next number stands there and the next image has arrived.
NEXT_ON_SCREEN = """(expected) => new Promise((done) => {
  const from = window.confirmedAt;
  const look = () => {
    const where = [...document.querySelectorAll("*")].map((one) => one.shadowRoot?.querySelector(".where"))
      .find(Boolean) ?? document.querySelector(".where");
    const images = performance.getEntriesByType("resource")
      .filter((one) => one.name.includes("/colpo/readings/") && one.startTime >= from && one.responseEnd > 0);
    if (where?.textContent === expected && images.length) requestAnimationFrame(() => done(performance.now() - from));
    else requestAnimationFrame(look);
  };
  look();
})"""


@click.command()
@click.option("--readers", "n_readers", default=10, show_default=True)
@click.option("--cases", "n_cases", default=20, show_default=True)
def main(n_readers: int, n_cases: int) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        data_dir = Path(folder) / "data"
        store = Store.open(Settings(data_dir=data_dir))
        readers, study_id = make_study(store, n_readers, n_cases)
        store.close()
        server = Server(data_dir).start()
        try:
            waits_s = asyncio.run(read_all(server.url, readers, study_id, n_cases))
        finally:
            server.kill()
    spread = Spread.of(waits_s)
    print_heading("readers", "cases each", "next case, median (ms)", "p95 (ms)", "longest (ms)")
    print_row(n_readers, n_cases, *(f"{ms:.0f}" for ms in (spread.p50_ms, spread.p95_ms, spread.max_ms)))


def make_study(store: Store, n_readers: int, n_cases: int) -> tuple[list[Annotator], int]:
    """Cases, readers who are signed in, and an open study."""
    for index in range(n_cases):
        image_id = add_image(store, width_px=WIDTH_PX, height_px=HEIGHT_PX)
        with store.writing() as session:
            case_id = session.get_one(Image, image_id).case_id
            label = Label.HSIL if index % 2 else Label.NORMAL
            row = CaseLabel(case_id=case_id, source=LabelSource.HISTOLOGY, label=label, reason="drawn for measuring")
            row.rules_version = RULES_VERSION
            session.add(row)
    chief = people.create_first_administrator(store, username="chief", display_name="", password="wool lamp harbour")  # noqa: S106
    administrator = Actor(chief.person_id, chief.username, chief.display_name, chief.role)
    readers = [add_annotator(store, f"reader{index}") for index in range(n_readers)]
    with store.writing() as session:
        for reader in readers:
            session.get_one(Person, reader.actor.person_id).role = Role.READER
    readers = [replace(reader, actor=replace(reader.actor, role=Role.READER)) for reader in readers]
    ids = [reader.actor.person_id for reader in readers]
    study = designing.create_study(Caller(store, administrator), name="Measured", reader_ids=ids, seed=1)
    designing.open_study(Caller(store, administrator), study_id=study.id)
    return readers, study.id


async def read_all(url: str, readers: list[Annotator], study_id: int, n_cases: int) -> list[float]:
    """Seconds from each answer to the next case on screen, of all readers."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=find_chromium(), args=FLAGS)
        walks = (read(browser, url, reader, study_id, n_cases, index) for index, reader in enumerate(readers))
        waits = await asyncio.gather(*walks)
        await browser.close()
    return [wait for of_reader in waits for wait in of_reader]


async def read(browser: Browser, url: str, reader: Annotator, study_id: int, n_cases: int, index: int) -> list[float]:
    """One reader reads all cases."""
    draw = random.Random(index)  # noqa: S311 - no secret
    context = await browser.new_context(viewport={"width": 1366, "height": 768})
    await context.add_cookies([{"name": signing_in.SESSION_COOKIE, "value": reader.token, "url": url}])
    page = await context.new_page()
    await page.goto(f"{url}/read?study={study_id}")
    await page.locator(".where").wait_for(timeout=120_000)
    await page.evaluate(
        "() => document.addEventListener('keydown', (event) => {"
        " if (event.key === 'Enter') window.confirmedAt = performance.now(); }, true)"
    )
    waits = []
    for number in range(2, n_cases + 1):
        await asyncio.sleep(draw.uniform(SHORTEST_THINK_S, LONGEST_THINK_S))
        for key in (str(draw.choice((1, 2))), str(draw.randrange(1, 10)), "Enter"):
            await page.keyboard.press(key)
        waits.append(await page.evaluate(NEXT_ON_SCREEN, f"{number} of {n_cases}") / 1000)
    await context.close()
    return waits


if __name__ == "__main__":
    main()
