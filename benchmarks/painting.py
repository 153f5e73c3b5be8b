"""Painting a lesion: how long a stroke takes to be safe, whether the page ever freezes, and what survives.

    python -m benchmarks.painting                    # all of it, some 20 minutes on an idle machine
    python -m benchmarks.painting --only latency     # one part: latency, freeze, crowd, kills or browser-kills
    python -m benchmarks.painting --json figures.json

The real server in a process of its own on a free loopback port, on a store in a temporary folder, and a real
Chromium. Prints Markdown; the same figures go to a JSON file where one is named. What they say, and what they do not,
stands in `benchmarks/README.md`.
"""

import json
import os
import platform
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import click
import numpy as np
from playwright.sync_api import Browser, sync_playwright
from playwright.sync_api import TimeoutError as PageTimeout

from colpo_core.services.annotations import own_masks
from colpo_core.services.common.callers import Caller
from colpo_core.settings import Settings
from colpo_core.store import Store
from colpo_core.terms import Finding
from tests.browser.conftest import FLAGS, Server, find_chromium
from tests.browser.sign_in import signed_in
from tests.painting import ward
from tests.painting.browser_kills import paint_through_kills
from tests.painting.crowd import save_at_once
from tests.painting.kills import check_store, run_kill_series
from tests.painting.screen import VIEWPORT, Button, Tab
from tests.painting.spread import Spread
from tests.painting.strokes import growing_lesion
from tests.painting.ward import LARGE, SMALL, Seat

PARTS = ("latency", "freeze", "crowd", "kills", "browser-kills")
FREEZE_MS = 50
N_WARM_UP = 10
N_KILL_SEATS = 4
SHARE_ERASED = 1 / 3
NO_STROKE_AFTER_MS = 3000
MAX_TRIES = 20
PROBE = (Path(__file__).parent / "painting_probe.js").read_text(encoding="utf-8")


@dataclass(frozen=True)
class Bench:
    """What every part measures on."""

    server: Server
    store: Store
    browser: Browser

    @contextmanager
    def tab(self, seat: Seat) -> Iterator[Tab]:
        """A tab with the editor, and the probe in its page."""
        context = signed_in(self.browser, self.server.url, seat.annotator.token, viewport=VIEWPORT)
        context.add_init_script(PROBE)
        tab = Tab(context.new_page(), self.server.url, seat).open()
        tab.page.wait_for_timeout(1500)
        yield tab
        context.close()


def draw_stroke(tab: Tab, rng: np.random.Generator) -> None:
    """One stroke of a hand, of some twenty movements around the middle of the image; a third of them erase."""
    width, height = tab.seat.width_px, tab.seat.height_px
    side = min(width, height)
    path = rng.normal((width / 2, height / 2), side / 6) + np.cumsum(rng.normal(0, side / 22, (20, 2)), axis=0)
    points = np.clip(path, (width * 0.03, height * 0.03), (width * 0.97, height * 0.97))
    button: Button = "right" if rng.random() < SHARE_ERASED else "left"
    tab.stroke(*((float(x), float(y)) for x, y in points), steps=1, button=button)


def draw_and_wait(tab: Tab, rng: np.random.Generator, n_saved: int) -> None:
    """A stroke that is saved; one that changes no pixel is none, and another is drawn."""
    for _ in range(MAX_TRIES):
        draw_stroke(tab, rng)
        try:
            tab.page.wait_for_function("(n) => paintProbe.saves.length > n", arg=n_saved, timeout=NO_STROKE_AFTER_MS)
        except PageTimeout:
            continue
        tab.wait_state("saved")
        return
    raise RuntimeError(f"{MAX_TRIES} strokes in a row were not saved")


def measure_latency(bench: Bench, size: tuple[int, int], n_strokes: int) -> dict[str, Any]:
    """Strokes one by one, each saved before the next; after each, a bare PUT of the same bytes from the same page.

    The bare one goes to a document whose image has the sides of the other swapped: the same code is right for it, and
    is stored anew, so that the server does the same work twice.
    """
    (seat,) = ward.add_seats(bench.store, 1, size)
    width_px, height_px = size
    swapped = ward.add_image(bench.store, width_px=height_px, height_px=width_px)
    bare_path = f"/colpo/annotations/{ward.seat(bench.store, seat.annotator, swapped).document_id}"
    rng = np.random.default_rng(1)
    strokes, bare, n_bytes = [], [], []
    with bench.tab(seat) as tab:
        for number in range(n_strokes + N_WARM_UP):
            draw_and_wait(tab, rng, number)
            saved = tab.page.evaluate("() => paintProbe.lastSave()")
            tab.page.wait_for_timeout(rng.uniform(20, 60))
            put = tab.page.evaluate("([path, seq]) => paintProbe.putBare(path, seq)", [bare_path, number])
            tab.page.wait_for_timeout(rng.uniform(20, 60))
            if saved["status"] != 200 or put["status"] != 200:
                raise RuntimeError(f"a save was refused: {saved['status']} and {put['status']}")
            if number >= N_WARM_UP:
                strokes.append(saved["ms"] / 1000)
                bare.append(put["ms"] / 1000)
                n_bytes.append(saved["bytes"])
    durable, plain = Spread.of(strokes), Spread.of(bare)
    return {
        "size": size,
        "code_bytes_median": int(np.median(n_bytes)),
        "mouse_up_to_durable": asdict(durable),
        "bare_put": asdict(plain),
        "ratio_p50": durable.p50_ms / plain.p50_ms,
        "ratio_p95": durable.p95_ms / plain.p95_ms,
    }


def measure_freeze(bench: Bench, n_strokes: int) -> dict[str, Any]:
    """Paint on a large image whose other findings are painted already, and watch the page's own thread.

    Afterwards the same page is watched for as long while nobody touches it: that is the machine's own unrest.
    """
    (seat,) = ward.add_seats(bench.store, 1, LARGE)
    for number, finding in enumerate(Finding):
        opened = own_masks.open_annotation(
            Caller(bench.store, seat.annotator.actor), image_id=seat.image_id, finding=finding
        )
        lesion = growing_lesion(100 + number, width_px=LARGE[0], height_px=LARGE[1])
        code = [next(lesion) for _ in range(12)][-1]
        own_masks.save_draft(
            Caller(bench.store, seat.annotator.actor), document_id=opened.document_id, base_seq=opened.seq, rle=code
        )
    rng = np.random.default_rng(2)
    with bench.tab(seat) as tab:
        for _ in range(N_WARM_UP):
            draw_stroke(tab, rng)
        tab.wait_state("saved")
        tab.page.evaluate("() => paintProbe.watch()")
        start = time.perf_counter()
        for _ in range(n_strokes):
            draw_stroke(tab, rng)
            tab.page.wait_for_timeout(rng.uniform(10, 80))
        tab.wait_state("saved")
        seconds = time.perf_counter() - start
        painting = tab.page.evaluate("() => paintProbe.watched()")
        tab.page.mouse.move(2, 2)
        tab.page.evaluate("() => paintProbe.watch()")
        tab.page.wait_for_timeout(seconds * 1000)
        idle = tab.page.evaluate("() => paintProbe.watched()")
    return {"size": LARGE, "n_strokes": n_strokes, "n_layers": len(Finding), "painting": painting, "idle": idle}


def measure_crowd(bench: Bench, n_annotators: int, seconds: float) -> dict[str, Any]:
    """Many annotators, each with an image of their own, save a stroke every quarter of a second."""
    seats = ward.add_seats(bench.store, n_annotators, SMALL, LARGE)
    figures = save_at_once(bench.server.url, seats, seconds=seconds)
    return {"n_annotators": n_annotators, "seconds": seconds, **asdict(figures)}


def measure_kills(bench: Bench, n_kills: int) -> dict[str, Any]:
    """The server is killed while four annotators save without pause."""
    seats = ward.add_seats(bench.store, N_KILL_SEATS, SMALL, LARGE)
    bench.store.close()  # nobody but the server on the file, so that it alone mends what a kill left
    start = time.perf_counter()
    figures = run_kill_series(bench.server, seats, n_kills=n_kills)
    record = asdict(figures) | {"starts": asdict(Spread.of(figures.start_s)), "seconds": time.perf_counter() - start}
    record.pop("start_s")
    return record


def measure_browser_kills(bench: Bench, n_kills: int) -> dict[str, Any]:
    """The server is killed while somebody paints in Chromium and goes on painting."""
    (seat,) = ward.add_seats(bench.store, 1, SMALL)
    with bench.tab(seat) as tab:
        figures = paint_through_kills(bench.server, tab, n_kills=n_kills)
    return asdict(figures) | {"problems": list(check_store(bench.server.data_dir))}


def flush_times(folder: Path) -> Spread:
    """How long this folder's disk takes to take 4 kB for good: below that no save can be."""
    seconds = []
    with (folder / "flush").open("wb") as file:
        for _ in range(50):
            start = time.perf_counter()
            file.write(b"x" * 4096)
            file.flush()
            os.fsync(file.fileno())
            seconds.append(time.perf_counter() - start)
    return Spread.of(seconds)


def describe_machine(browser_version: str, folder: Path) -> dict[str, Any]:
    """What the figures were taken on."""
    cpu_info = Path("/proc/cpuinfo")
    lines = cpu_info.read_text(encoding="utf-8").splitlines() if cpu_info.exists() else []
    models = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "cpu": models[0] if models else platform.processor(),
        "cores": os.cpu_count(),
        "load_before": os.getloadavg() if hasattr(os, "getloadavg") else None,
        "system": platform.platform(),
        "python": platform.python_version(),
        "streamlit": version("streamlit"),
        "sqlite": sqlite3.sqlite_version,
        "chromium": browser_version,
        "flush_4kb": asdict(flush_times(folder)),
    }


@click.command()
@click.option("--only", type=click.Choice(PARTS), multiple=True, help="Only this part; can be given again.")
@click.option("--strokes", type=click.IntRange(5), default=200, show_default=True, help="For latency, and for freeze.")
@click.option("--annotators", type=click.IntRange(1), default=20, show_default=True)
@click.option("--seconds", type=click.FloatRange(1), default=60, show_default=True, help="How long they save at once.")
@click.option("--kills", type=click.IntRange(1), default=200, show_default=True)
@click.option("--browser-kills", type=click.IntRange(1), default=10, show_default=True)
@click.option("--folder", type=click.Path(file_okay=False, path_type=Path), help="Where the store lies for the time.")
@click.option(
    "--json", "json_path", type=click.Path(dir_okay=False, path_type=Path), help="Write the figures here too."
)
def main(
    only: tuple[str, ...],
    strokes: int,
    annotators: int,
    seconds: float,
    kills: int,
    browser_kills: int,
    folder: Path | None,
    json_path: Path | None,
) -> None:
    """Measure painting against the running server, in Chromium."""
    executable = find_chromium()
    if executable is None:
        raise click.ClickException("Chromium is not installed: install it, or name it in COLPO_CHROMIUM.")
    measures: dict[str, Callable[[Bench], Any]] = {
        "latency": lambda bench: [measure_latency(bench, size, strokes) for size in (SMALL, LARGE)],
        "freeze": lambda bench: measure_freeze(bench, strokes),
        "crowd": lambda bench: measure_crowd(bench, annotators, seconds),
        "kills": lambda bench: measure_kills(bench, kills),
        "browser-kills": lambda bench: measure_browser_kills(bench, browser_kills),
    }
    figures: dict[str, Any] = {}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        for name in only or PARTS:
            click.echo(f"{name} ...", err=True)
            with tempfile.TemporaryDirectory(dir=folder, prefix="painting-") as place:
                figures.setdefault("machine", describe_machine(browser.version, Path(place)))
                figures[name] = run_part(measures[name], browser, Path(place))
        browser.close()
    print("\n".join(as_markdown(figures)))
    if json_path is not None:
        json_path.write_text(json.dumps(figures, indent=2), encoding="utf-8")


def run_part(measure: Callable[[Bench], Any], browser: Browser, place: Path) -> Any:  # noqa: ANN401 - figures of any part
    """Measure one part on a store and a server of its own."""
    server = Server(place / "data").start()
    store = Store.open(Settings(data_dir=server.data_dir))
    try:
        return measure(Bench(server, store, browser))
    finally:
        store.close()
        server.kill()


def as_markdown(figures: dict[str, Any]) -> Iterator[str]:
    """The figures as the README shows them."""
    machine = figures["machine"]
    load = machine["load_before"]
    yield (
        f"{machine['date']}, {machine['cores']} cores ({machine['cpu']}), Python {machine['python']}, Streamlit "
        f"{machine['streamlit']}, SQLite {machine['sqlite']}, Chromium {machine['chromium']}; load before: "
        f"{'unknown' if load is None else f'{load[0]:.2f}'}; 4 kB flushed to this disk: "
        f"{milliseconds(machine['flush_4kb'])} ms."
    )
    yield ""
    yield "| what | figures |"
    yield "| --- | --- |"
    for row in figures.get("latency", []):
        size = f"{row['size'][0]} × {row['size'][1]}"
        yield (
            f"| mouse-up to durable, {size}, {row['mouse_up_to_durable']['n']} strokes (ms) "
            f"| {milliseconds(row['mouse_up_to_durable'])} |"
        )
        what = f"bare PUT of the same {row['code_bytes_median']} bytes, {size}"
        yield f"| {what} (ms) | {milliseconds(row['bare_put'])} |"
        yield f"| ratio of the two, {size} | {row['ratio_p50']:.1f} at the median, {row['ratio_p95']:.1f} at p95 |"
    if "freeze" in figures:
        row = figures["freeze"]
        what = f"{row['n_strokes']} strokes on {row['size'][0]} × {row['size'][1]}, {row['n_layers']} layers"
        yield f"| {what}: the page | {page_words(row['painting'])} |"
        yield f"| the same page, nobody painting | {page_words(row['idle'])} |"
    if "crowd" in figures:
        row = figures["crowd"]
        yield (
            f"| {row['n_annotators']} annotators at once, {row['seconds']:.0f} s | {row['saves']['n']} saves, "
            f"{len(row['errors'])} errors, {row['conflicts']} conflicts, {len(row['lost'])} lost; "
            f"{milliseconds(row['saves'])} ms |"
        )
    if "kills" in figures:
        row = figures["kills"]
        yield (
            f"| {row['n_kills']} kills, {N_KILL_SEATS} annotators | {row['n_confirmed']} saves confirmed, "
            f"{row['n_cut']} cut off ({row['n_cut_stored']} of them stored whole), {len(row['problems'])} problems |"
        )
    if "browser-kills" in figures:
        row = figures["browser-kills"]
        agrees = "the server holds the screen" if row["is_the_screen"] else "THE SERVER DOES NOT HOLD THE SCREEN"
        yield (
            f"| {row['n_kills']} kills under a painting browser | {row['n_strokes']} strokes on the screen, "
            f"{row['n_missing']} missing ({row['n_not_taken']} not taken), {len(row['problems'])} problems; {agrees} |"
        )


def milliseconds(spread: dict[str, float]) -> str:
    return f"p50 {spread['p50_ms']:.1f}, p95 {spread['p95_ms']:.1f}, max {spread['max_ms']:.1f}"


def page_words(row: dict[str, Any]) -> str:
    tasks = row["longTasks"]
    longest = f" (longest {max(tasks):.0f} ms)" if tasks else ""
    return (
        f"{len(tasks)} tasks over {FREEZE_MS} ms{longest}; longest gap between frames {row['longestGap']:.0f} ms, "
        f"{row['nFrames']} frames"
    )


if __name__ == "__main__":
    main()
