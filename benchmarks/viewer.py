"""The viewer of a case under review: how even the frames come while a person zooms, fades and changes layers.

    python -m benchmarks.viewer                     # 2976 x 1984, some two minutes on an idle machine
    python -m benchmarks.viewer --steps 600

The real server in a process of its own, a real Chromium without a GPU, three images of 2976 x 1984 pixels, the model's
probabilities, four maps and two annotators' masks. Each row drives one change a frame, and the first drives none: what
the machine itself can do. What the figures say, and what they do not, stands in `benchmarks/README.md`.
"""

import tempfile
from pathlib import Path

import click
import numpy as np
from playwright.sync_api import Page, sync_playwright

from benchmarks.shared import print_heading, print_row
from colpo_core.settings import Settings
from colpo_core.store import Store
from tests.browser.conftest import FLAGS, Server, find_chromium
from tests.browser.reviewed import TOKEN, ReviewedCase
from tests.browser.sign_in import signed_in

WIDTH_PX, HEIGHT_PX = 2976, 1984
PROBE = (Path(__file__).parent / "viewer_probe.js").read_text(encoding="utf-8")
FREEZE_MS = 50
FRAME_MS = 1000 / 60


@click.command()
@click.option("--steps", type=click.IntRange(10, 5000), default=240, show_default=True, help="Frames of each change.")
def main(steps: int) -> None:
    """Measure every change and print a table."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        server = Server(Path(folder) / "data").start()
        store = Store.open(Settings(data_dir=server.data_dir))
        try:
            case = ReviewedCase(store, width_px=WIDTH_PX, height_px=HEIGHT_PX)
            browser = playwright.chromium.launch(executable_path=find_chromium(), args=FLAGS)
            context = signed_in(browser, server.url, TOKEN, viewport={"width": 1440, "height": 1000})
            page = context.new_page()
            page.add_init_script(PROBE)
            page.goto(f"{server.url}/review?prediction={case.prediction_id}")
            page.wait_for_function("() => window.viewerProbe.isReady()", timeout=120_000)
            page.wait_for_timeout(3000)
            _measure(page, steps)
            browser.close()
        finally:
            store.close()
            server.kill()


def _measure(page: Page, steps: int) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    figures = ("frames a second", "p95 (ms)", "longest (ms)", "within two frames", "tasks over 50 ms")
    print_heading("change", *figures)
    for name in page.evaluate("() => window.viewerProbe.names()"):
        measured = page.evaluate("([name, steps]) => window.viewerProbe.measure(name, steps)", [name, steps])
        gaps = np.array(measured["gaps"])
        long = sum(duration > FREEZE_MS for duration in measured["longTasks"])
        even = f"{(gaps <= 2 * FRAME_MS + 1).mean():.1%}"
        times = (1000 / gaps.mean(), np.percentile(gaps, 95), gaps.max())
        print_row(name, *(f"{value:.1f}" for value in times), even, long)
    images = [url for url in asked if "/colpo/" in url and not url.endswith("/colpo/session")]
    click.echo(f"\nAsked of the server meanwhile: {len(images)} pictures.")


if __name__ == "__main__":
    main()
