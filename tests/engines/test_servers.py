"""Several web servers on one store: what was done at one is so at the other, and neither keeps anything to itself."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from colpo_core.services.people import accounts as people
from colpo_core.services.people import signing_in
from colpo_core.settings import Settings
from colpo_core.store import Store
from tests.browser.conftest import Server
from tests.painting.clients import Painter
from tests.painting.strokes import growing_lesion
from tests.painting.ward import SMALL, add_seats

pytestmark = pytest.mark.engines
PASSWORD = "correct horse battery staple"


@pytest.fixture
def servers(tmp_path: Path, postgresql: Any) -> Iterator[tuple[Store, Server, Server]]:
    settings = replace(Settings(data_dir=tmp_path / "data"), database_url=postgresql.new_database())
    store = Store.open(settings)
    people.create_first_administrator(store, username="ada", display_name="Ada", password=PASSWORD)
    first, second = (Server(settings.data_dir, environment=settings.to_environment()).start() for _ in range(2))
    yield store, first, second
    first.kill()
    second.kill()
    store.close()


def client(server: Server) -> httpx.Client:
    return httpx.Client(base_url=server.url, headers={"origin": server.url}, timeout=60)


def test_who_signs_in_at_one_is_known_to_the_other_and_out_at_both(servers: tuple[Store, Server, Server]) -> None:
    _, first, second = servers
    with client(first) as here, client(second) as there:
        assert here.post("/login", data={"username": "ada", "password": PASSWORD}).status_code == 303
        assert there.get("/colpo/session").status_code == 401
        there.cookies.set(signing_in.SESSION_COOKIE, here.cookies[signing_in.SESSION_COOKIE])
        assert there.get("/colpo/session").status_code == 204
        assert there.post("/logout").status_code == 303
        assert here.get("/colpo/session").status_code == 401


def test_a_stroke_saved_at_one_is_at_the_other_and_survives_either(servers: tuple[Store, Server, Server]) -> None:
    store, first, second = servers
    (seat,) = add_seats(store, 1, SMALL)
    codes = growing_lesion(0, width_px=seat.width_px, height_px=seat.height_px)
    here, there = Painter(first.url, seat), Painter(second.url, seat)
    code = next(codes)
    here.save(code)
    assert there.held().code == code
    first.kill()
    assert there.held().code == code
    here.close()
    there.close()
