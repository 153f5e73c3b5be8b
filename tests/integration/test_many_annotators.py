"""Twenty annotators save strokes at once, each a document of their own, against the real server."""

import pytest
from sqlalchemy import select

from colpo_core.settings import Settings
from colpo_core.store import Store
from colpo_core.store.tables import Annotation
from tests.browser.conftest import Server
from tests.painting.crowd import save_at_once
from tests.painting.kills import check_store
from tests.painting.ward import LARGE, SMALL, add_seats

N_ANNOTATORS = 20
EVERY_S = 0.25


@pytest.mark.parametrize("seconds", [5, pytest.param(60, marks=pytest.mark.slow)])
def test_twenty_at_once_lose_nothing(server: Server, seconds: float) -> None:
    store = Store.open(Settings(data_dir=server.data_dir))
    seats = add_seats(store, N_ANNOTATORS, SMALL, LARGE)
    figures = save_at_once(server.url, seats, seconds=seconds, every_s=EVERY_S)
    assert figures.errors == []
    assert figures.conflicts == 0
    assert figures.lost == []
    n_each = int(seconds / EVERY_S)
    assert figures.saves.n == N_ANNOTATORS * n_each
    with store.reading() as session:
        assert list(session.scalars(select(Annotation.draft_seq))) == [n_each] * N_ANNOTATORS
    store.close()
    assert list(check_store(server.data_dir)) == []
