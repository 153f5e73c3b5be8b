"""Saving strokes over HTTP, through the real gate."""

import asyncio
from base64 import b64decode
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import numpy as np
import pytest
from starlette.applications import Starlette

from colpo_core.images.masks import decode_rle, encode_rle
from colpo_core.records.people import Actor
from colpo_core.services import annotations, people
from colpo_core.services.opening import program_actor
from colpo_core.store import Store
from colpo_core.store.tables import Case, Image, Mask, Patient
from colpo_core.terms import MaskOrigin, Role, Stage
from colpo_core.web.annotations import MAX_CODE_BYTES, routes
from colpo_core.web.gate import Gate

HEIGHT, WIDTH = 12, 16
PASSWORD = "a long enough password"
Ask = Callable[..., httpx.Response]


class Site:
    """The routes behind the gate, asked by one person's browser."""

    def __init__(self, store: Store) -> None:
        self.app = Gate(Starlette(routes=routes(store)), store)
        self.store = store
        self.token = ""

    def sign_in(self, username: str) -> None:
        self.token = people.sign_in(self.store, username=username, password=PASSWORD).token

    def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        async def once() -> httpx.Response:
            transport = httpx.ASGITransport(app=self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://clinic.test") as client:
                headers = {"origin": "http://clinic.test", **more.pop("headers", {})}
                if self.token:
                    client.cookies.set(people.SESSION_COOKIE, self.token)
                return await client.request(method, path, headers=headers, **more)

        return asyncio.run(once())


@pytest.fixture
def site(store: Store) -> Iterator[Site]:
    ada = people.create_first_administrator(store, username="ada", display_name="Ada", password=PASSWORD)
    boss = Actor(ada.person_id, ada.username, ada.display_name, ada.role)
    for name, role in (("anna", Role.ANNOTATOR), ("rita", Role.READER)):
        people.create_person(store, actor=boss, username=name, display_name=name, role=role, password=PASSWORD)
    with store.writing() as session:
        session.add(
            Image(
                id=1,
                case=Case(patient=Patient(code="p-1")),
                sha256="0" * 64,
                media_type="image/png",
                width_px=WIDTH,
                height_px=HEIGHT,
                stage=Stage.ACETIC_ACID,
            )
        )
    site = Site(store)
    site.sign_in("anna")
    yield site


def document_of(site: Site) -> str:
    actor = people.actor_for_token(site.store, token=site.token)
    assert actor is not None
    return annotations.open_annotation(site.store, actor=actor, image_id=1).document_id


def code(seed: int) -> bytes:
    return encode_rle(np.random.default_rng(seed).random((HEIGHT, WIDTH)) < 0.5)


def n_masks(site: Site) -> int:
    with site.store.reading() as session:
        return session.query(Mask).count()


def test_a_stroke_goes_there_and_back(site: Site) -> None:
    path = f"/colpo/annotations/{document_of(site)}"
    before = site.ask("GET", path).json()
    assert (before["seq"], before["width_px"], before["height_px"], before["saved_at"]) == (0, WIDTH, HEIGHT, None)
    assert not decode_rle(b64decode(before["rle"]), height_px=HEIGHT, width_px=WIDTH).any()
    for seed in (1, 2):
        saved = site.ask("PUT", f"{path}?base_seq={seed - 1}", content=code(seed))
        assert saved.status_code == 200
        assert saved.json()["seq"] == seed
    after = site.ask("GET", path)
    assert b64decode(after.json()["rle"]) == code(2)
    assert after.headers["cache-control"] == "no-store"


def test_a_sequence_that_goes_back_is_a_conflict(site: Site) -> None:
    path = f"/colpo/annotations/{document_of(site)}"
    site.ask("PUT", f"{path}?base_seq=0", content=code(1))
    site.ask("PUT", f"{path}?base_seq=1", content=code(2))
    for base_seq in (0, 1, 3):
        refused = site.ask("PUT", f"{path}?base_seq={base_seq}", content=code(3))
        assert refused.status_code == 409
        assert "Load the newer state" in refused.json()["error"]
    assert site.ask("PUT", f"{path}?base_seq=1", content=code(2)).json()["seq"] == 2
    assert b64decode(site.ask("GET", path).json()["rle"]) == code(2)


@pytest.mark.parametrize("base_seq", ["", "?base_seq=", "?base_seq=-1", "?base_seq=x", "?base_seq=²", "?base_seq=1e3"])
def test_a_save_without_its_sequence_is_refused(site: Site, base_seq: str) -> None:
    refused = site.ask("PUT", f"/colpo/annotations/{document_of(site)}{base_seq}", content=code(1))
    assert refused.status_code == 422
    assert "base_seq" in refused.json()["error"]
    assert n_masks(site) == 0


def test_a_mask_of_another_size_is_refused(site: Site) -> None:
    path = f"/colpo/annotations/{document_of(site)}?base_seq=0"
    for bad in (b"", b"\xff", encode_rle(np.ones((HEIGHT + 1, WIDTH), np.bool_)), code(1) + b"\x01"):
        refused = site.ask("PUT", path, content=bad)
        assert refused.status_code == 422
        assert refused.json()["error"].endswith((".", "!"))
    assert n_masks(site) == 0


@pytest.mark.parametrize("says_its_size", [True, False])
def test_a_body_that_is_too_large_is_refused(site: Site, says_its_size: bool) -> None:
    async def pieces() -> Any:
        for _ in range(5):
            yield b"\x01" * (MAX_CODE_BYTES // 4)

    body: Any = b"\x01" * (MAX_CODE_BYTES + 1) if says_its_size else pieces()
    refused = site.ask("PUT", f"/colpo/annotations/{document_of(site)}?base_seq=0", content=body)
    assert refused.status_code == 413
    assert "larger than 4 MB" in refused.json()["error"]
    assert n_masks(site) == 0


def test_another_persons_document_is_not_there(site: Site) -> None:
    path = f"/colpo/annotations/{document_of(site)}"
    site.ask("PUT", f"{path}?base_seq=0", content=code(1))
    site.sign_in("ada")
    assert site.ask("GET", path).status_code == 404
    assert site.ask("PUT", f"{path}?base_seq=1", content=code(2)).status_code == 404
    assert site.ask("GET", "/colpo/annotations/nonsense").status_code == 404
    site.sign_in("anna")
    assert b64decode(site.ask("GET", path).json()["rle"]) == code(1)


def test_readers_and_strangers_get_nothing(site: Site) -> None:
    path = f"/colpo/annotations/{document_of(site)}"
    site.sign_in("rita")
    assert site.ask("GET", path).status_code == 403
    assert site.ask("PUT", f"{path}?base_seq=0", content=code(1)).status_code == 403
    site.token = ""
    assert site.ask("GET", path).status_code == 401
    assert site.ask("PUT", f"{path}?base_seq=0", content=code(1)).status_code == 401
    assert n_masks(site) == 0


def test_another_site_cannot_paint(site: Site) -> None:
    path = f"/colpo/annotations/{document_of(site)}?base_seq=0"
    refused = site.ask("PUT", path, content=code(1), headers={"origin": "http://elsewhere.test"})
    assert refused.status_code == 403
    assert n_masks(site) == 0


def test_a_submitted_mask_comes_as_an_overlay(site: Site) -> None:
    importer = program_actor(site.store, "importer")
    annotations.import_annotation(
        site.store, actor=importer, image_id=1, mask=np.eye(HEIGHT, WIDTH, dtype=np.bool_), origin=MaskOrigin.CHORD
    )
    anna = people.actor_for_token(site.store, token=site.token)
    assert anna is not None
    waiting = annotations.list_to_confirm(site.store, actor=anna).versions[0]
    overlay = site.ask("GET", f"/colpo/annotations/versions/{waiting.version_id}/mask.png?colour=cyan")
    assert overlay.content.startswith(b"\x89PNG")
    assert overlay.headers["content-type"] == "image/png"
    assert site.ask("GET", "/colpo/annotations/versions/999/mask.png").status_code == 404
    mauve = site.ask("GET", f"/colpo/annotations/versions/{waiting.version_id}/mask.png?colour=mauve")
    assert mauve.status_code == 422
