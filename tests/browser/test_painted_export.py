"""What is exported of a mask that was painted in the browser is what was on the screen, pixel for pixel."""

import io
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Page

from colpo_core.images.masks import decode_rle
from colpo_core.services.annotations import own_masks
from colpo_core.services.common.callers import Caller
from colpo_core.settings import Settings
from colpo_core.store import Store
from tests.browser.conftest import CHECKOUT, Server
from tests.browser.sign_in import SCREEN
from tests.painting import ward
from tests.painting.clients import Painter
from tests.painting.screen import Tab
from tests.painting.ward import LARGE

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("size", [(160, 120), (161, 119), LARGE], ids=lambda size: f"{size[0]} x {size[1]}")
def test_the_export_is_the_screen(
    server: Server, new_page: Callable[..., Page], tmp_path: Path, size: tuple[int, int]
) -> None:
    store = Store.open(Settings(data_dir=server.data_dir))
    anna = ward.add_annotator(store, f"anna-{size[0]}")
    image_id = ward.add_image(store, width_px=size[0], height_px=size[1])
    seat = ward.seat(store, anna, image_id)
    tab = Tab(new_page(server, anna.token, viewport=SCREEN), server.url, seat).open()
    tab.stroke((size[0] * 0.1, size[1] * 0.9))  # over an empty mask stands a hint, which would be in the picture
    tab.wait_state("saved")
    tab.page.mouse.move(2, 2)
    dot, before = tab.shown(), tab.photograph()
    paint_a_lesion(tab)
    tab.page.mouse.move(2, 2)
    tab.wait_state("saved")
    shown = tab.shown()
    assert 0.01 < shown.mean() < 0.5
    if size != LARGE:  # there, a pixel of the image is many on the screen, and the screen itself can be asked
        assert np.array_equal(np.abs(tab.photograph() - before).max(axis=2) > 8, shown ^ dot)

    painter = Painter(server.url, seat)
    held = painter.held()
    assert np.array_equal(decode_rle(held.code, height_px=seat.height_px, width_px=seat.width_px), shown)
    painter.close()
    version = own_masks.submit_annotation(
        Caller(store, anna.actor), document_id=seat.document_id, seq=held.seq, note="as painted"
    )
    store.close()
    overlay = tab.page.request.get(f"{server.url}/colpo/annotations/versions/{version.version_id}/mask.png")
    assert np.array_equal(pixels(overlay.body())[..., 3] > 0, shown)
    assert np.array_equal(exported(server, version.version_id, tmp_path / "mask.png"), shown)


def paint_a_lesion(tab: Tab) -> None:
    """Strokes, a hole rubbed into them, and a step back."""
    width, height = tab.seat.width_px, tab.seat.height_px
    for number in range(3):
        tab.stroke(*((width * x, height * (y + number * 0.07)) for x, y in ((0.3, 0.4), (0.5, 0.3), (0.68, 0.47))))
    tab.page.get_by_role("radio", name="Eraser").click()
    tab.stroke((width * 0.42, height * 0.4), (width * 0.5, height * 0.47))
    tab.page.get_by_role("radio", name="Brush").click()
    tab.stroke((width * 0.35, height * 0.6), (width * 0.6, height * 0.7))
    tab.stroke((width * 0.4, height * 0.2), (width * 0.7, height * 0.2))
    tab.page.get_by_role("button", name="Undo").click()


def pixels(png: bytes) -> NDArray[np.uint8]:
    return np.asarray(Image.open(io.BytesIO(png)))


def exported(server: Server, version_id: int, out: Path) -> NDArray[np.bool_]:
    """What `annotations export` writes: 0 and 255, and nothing between."""
    command = [sys.executable, "-m", "colpo_core", "annotations", "export", str(version_id), str(out)]
    subprocess.run(command, cwd=CHECKOUT, env={**os.environ, "COLPO_DATA": str(server.data_dir)}, check=True)
    grey = pixels(out.read_bytes())
    assert set(np.unique(grey)) == {0, 255}
    return np.asarray(grey == 255)
