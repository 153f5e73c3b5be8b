"""The real server is killed at random moments while strokes arrive: nothing that it confirmed is lost, nothing is torn.

SIGKILL ends the process and not the machine: what the operating system had taken is still written. That a confirmed
save is on the disk itself is the store's setting (`synchronous=FULL`), which `tests/unit/store` looks at.
"""

import sqlite3

import pytest

from colpo_core.images.masks import decode_rle
from colpo_core.settings import Settings
from colpo_core.store import Store
from tests.browser.conftest import Server
from tests.painting.clients import Painter
from tests.painting.kills import check_store, run_kill_series
from tests.painting.strokes import growing_lesion
from tests.painting.ward import LARGE, SMALL, add_seats

N_SEATS = 4


@pytest.mark.parametrize("n_kills", [10, pytest.param(200, marks=[pytest.mark.slow, pytest.mark.timeout(3600)])])
def test_kills_lose_nothing_that_was_confirmed(server: Server, n_kills: int) -> None:
    store = Store.open(Settings(data_dir=server.data_dir))
    seats = add_seats(store, N_SEATS, SMALL, LARGE)
    store.close()  # the server is the only process on the file: whoever opens it next mends what a kill left
    figures = run_kill_series(server, seats, n_kills=n_kills)
    assert figures.problems == []
    assert figures.n_kills == n_kills
    assert figures.n_confirmed > 2 * n_kills
    # A series whose kills all fell between two saves would prove little.
    assert figures.n_cut > n_kills


def test_a_damaged_store_would_be_noticed(server: Server) -> None:
    """The check that the series relies on sees a mask that is cut short and a reference to nothing."""
    store = Store.open(Settings(data_dir=server.data_dir))
    (seat,) = add_seats(store, 1, SMALL)
    painter = Painter(server.url, seat)
    code = next(growing_lesion(0, width_px=seat.width_px, height_px=seat.height_px))
    painter.save(code)
    assert decode_rle(painter.held().code, height_px=seat.height_px, width_px=seat.width_px).any()
    painter.close()
    store.close()
    assert list(check_store(server.data_dir)) == []
    with sqlite3.connect(Settings(data_dir=server.data_dir).database_path) as connection:
        connection.execute("UPDATE masks SET sha256 = ?", ("0" * 64,))
        connection.execute("UPDATE annotations SET draft_mask_id = 99")
    connection.close()
    found = list(check_store(server.data_dir))
    assert len(found) == 2
