"""Saving strokes over HTTP, through the real gate."""

import io
from base64 import b64decode
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image as PillowImage
from sqlalchemy import select

from colpo_core.images.masks import decode_rle, encode_rle
from colpo_core.services.annotations import confirmation, imported_masks, own_masks
from colpo_core.services.common.actors import program_actor
from colpo_core.services.common.callers import Caller
from colpo_core.store import Store
from colpo_core.store.tables import Mask, TaskItem
from colpo_core.terms import MaskOrigin, Role, TaskItemState
from colpo_core.web.annotations import MAX_CODE_BYTES
from tests.conftest import add_person
from tests.support.browsers import Browser
from tests.support.review_desks import HEIGHT, WIDTH, Desk, add_image, add_task, everything, pixels, rows

ROLES = {"ada": Role.ADMINISTRATOR, "anna": Role.ANNOTATOR, "bea": Role.ANNOTATOR, "rita": Role.READER}


class Site(Browser):
    """The routes, asked by one person's browser; there is one image."""

    def __init__(self, store: Store, token_of: Callable[[Caller], str]) -> None:
        super().__init__(store)
        self.store = store
        self.people = {name: add_person(store, name, role) for name, role in ROLES.items()}
        self._token_of = token_of
        add_image(store)
        self.sign_in("anna")

    def sign_in(self, username: str) -> None:
        self.caller = self.people[username]
        self.token = self._token_of(self.caller)

    def submit(self, seed: int) -> int:
        """Whoever is signed in submits a mask; the row of the version."""
        return Desk(self.caller, 1).submit_painted(pixels(seed)).version_id

    def add_blind_task(self) -> None:
        """Anna and Bea paint the image, blind to each other."""
        add_task(self.store, 1, self.people["anna"], self.people["bea"], blind=True)


@pytest.fixture
def site(store: Store, token_of: Callable[[Caller], str]) -> Site:
    return Site(store, token_of)


@pytest.fixture
def path(site: Site) -> str:
    """The address of Anna's document."""
    return f"/colpo/annotations/{own_masks.open_annotation(site.caller, image_id=1).document_id}"


def code(seed: int) -> bytes:
    return encode_rle(pixels(seed))


def test_a_stroke_goes_there_and_back(site: Site, path: str) -> None:
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


def test_a_sequence_that_goes_back_is_a_conflict(site: Site, path: str) -> None:
    site.ask("PUT", f"{path}?base_seq=0", content=code(1))
    site.ask("PUT", f"{path}?base_seq=1", content=code(2))
    for base_seq in (0, 1, 3):
        refused = site.ask("PUT", f"{path}?base_seq={base_seq}", content=code(3))
        assert refused.status_code == 409
        assert "Load the newer state" in refused.json()["error"]
    assert site.ask("PUT", f"{path}?base_seq=1", content=code(2)).json()["seq"] == 2
    assert b64decode(site.ask("GET", path).json()["rle"]) == code(2)


@pytest.mark.parametrize("base_seq", ["", "?base_seq=", "?base_seq=-1", "?base_seq=x", "?base_seq=²", "?base_seq=1e3"])
def test_a_save_without_its_sequence_is_refused(site: Site, path: str, base_seq: str) -> None:
    refused = site.ask("PUT", f"{path}{base_seq}", content=code(1))
    assert refused.status_code == 422
    assert "base_seq" in refused.json()["error"]
    assert rows(site.store, Mask) == [[]]


def test_strokes_and_time_are_counted_once(site: Site, path: str) -> None:
    for _ in range(3):
        assert site.ask("PUT", f"{path}?base_seq=0&strokes=2&active_ms=900", content=code(1)).json()["seq"] == 1
    site.ask("PUT", f"{path}?base_seq=1&strokes=10000&active_ms=3600000", content=code(2))
    site.ask("PUT", f"{path}?base_seq=2", content=code(3))
    after = site.ask("GET", path).json()
    assert (after["start"], after["strokes"], after["active_ms"]) == ("nothing", 10_002, 3_600_900)


@pytest.mark.parametrize("name", ["strokes", "active_ms"])
@pytest.mark.parametrize("value", ["", "-1", "x", "²", "1.5", "1" * 13, "3600001"])
def test_strokes_and_time_out_of_range_are_refused(site: Site, path: str, name: str, value: str) -> None:
    site.ask("PUT", f"{path}?base_seq=0&strokes=1", content=code(1))
    before = everything(site.store)
    refused = site.ask("PUT", f"{path}?base_seq=1&{name}={value}", content=code(2))
    assert refused.status_code == 422
    assert name in refused.json()["error"]
    assert everything(site.store) == before


BAD_SAVES = {
    "of another size": ("{own}?base_seq=1", encode_rle(np.ones((HEIGHT + 1, WIDTH), np.bool_)), 422),
    "too long by a run": ("{own}?base_seq=1", code(1) + b"\x01", 422),
    "whose runs say too little": ("{own}?base_seq=1", code(1)[:-1], 422),
    "with an empty run": ("{own}?base_seq=1", b"\x01\x00" + encode_rle(np.zeros((HEIGHT, WIDTH), np.bool_)), 422),
    "whose number does not end": ("{own}?base_seq=1", b"\xff", 422),
    "whose number is written too long": ("{own}?base_seq=1", b"\xc0\x81\x00", 422),
    "of nothing": ("{own}?base_seq=1", b"", 422),
    "upon a sequence that goes back": ("{own}?base_seq=0&strokes=1&active_ms=5", code(2), 409),
    "upon a sequence that is yet to come": ("{own}?base_seq=2&strokes=1&active_ms=5", code(2), 409),
    "of another person's document": ("i1-p3-acetowhite_epithelium?base_seq=0&strokes=1", code(2), 404),
    "of no document": ("nonsense?base_seq=0", code(2), 404),
    "of an image that is not there": ("i9-p2-acetowhite_epithelium?base_seq=0", code(2), 404),
    "that is too large": ("{own}?base_seq=1", b"\x01" * (MAX_CODE_BYTES + 1), 413),
}


@pytest.mark.parametrize("what", BAD_SAVES)
def test_a_bad_save_is_refused_with_a_reason_and_changes_nothing(site: Site, path: str, what: str) -> None:
    site.add_blind_task()
    own = path.rpartition("/")[2]
    address, body, status = BAD_SAVES[what]
    site.ask("PUT", f"{path}?base_seq=0&strokes=1&active_ms=70", content=code(1))
    before = everything(site.store)
    refused = site.ask("PUT", f"/colpo/annotations/{address.format(own=own)}", content=body)
    assert refused.status_code == status
    assert refused.json()["error"].endswith(".")
    assert everything(site.store) == before
    assert site.ask("PUT", f"{path}?base_seq=1&strokes=1", content=code(3)).json()["seq"] == 2


def test_a_body_of_unsaid_size_is_read_no_further_than_its_bound(site: Site, path: str) -> None:
    async def pieces() -> Any:
        for _ in range(5):
            yield b"\x01" * (MAX_CODE_BYTES // 4)

    refused = site.ask("PUT", f"{path}?base_seq=0", content=pieces())
    assert refused.status_code == 413
    assert "larger than 4 MB" in refused.json()["error"]
    assert rows(site.store, Mask) == [[]]


def test_another_persons_document_is_not_there(site: Site, path: str) -> None:
    site.ask("PUT", f"{path}?base_seq=0", content=code(1))
    site.sign_in("ada")
    assert site.ask("GET", path).status_code == 404
    assert site.ask("PUT", f"{path}?base_seq=1", content=code(2)).status_code == 404
    site.sign_in("anna")
    assert b64decode(site.ask("GET", path).json()["rle"]) == code(1)


def test_readers_and_strangers_get_nothing(site: Site, path: str) -> None:
    site.sign_in("rita")
    assert site.ask("GET", path).status_code == 403
    assert site.ask("PUT", f"{path}?base_seq=0", content=code(1)).status_code == 403
    site.token = ""
    assert site.ask("GET", path).status_code == 401
    assert site.ask("PUT", f"{path}?base_seq=0", content=code(1)).status_code == 401
    assert rows(site.store, Mask) == [[]]


def test_another_site_cannot_paint(site: Site, path: str) -> None:
    refused = site.ask("PUT", f"{path}?base_seq=0", content=code(1), headers={"origin": "http://elsewhere.test"})
    assert refused.status_code == 403
    assert rows(site.store, Mask) == [[]]


def test_a_submitted_mask_comes_as_an_overlay(site: Site) -> None:
    importer = Caller(site.store, program_actor(site.store, "importer"))
    imported_masks.import_annotation(
        importer, image_id=1, mask=np.eye(HEIGHT, WIDTH, dtype=np.bool_), origin=MaskOrigin.CHORD
    )
    waiting = confirmation.list_to_confirm(site.caller).versions[0]
    overlay = site.ask("GET", f"/colpo/annotations/versions/{waiting.version_id}/mask.png?colour=cyan")
    assert overlay.content.startswith(b"\x89PNG")
    assert overlay.headers["content-type"] == "image/png"
    assert site.ask("GET", "/colpo/annotations/versions/999/mask.png").status_code == 404
    mauve = site.ask("GET", f"/colpo/annotations/versions/{waiting.version_id}/mask.png?colour=mauve")
    assert mauve.status_code == 422


def test_two_versions_come_as_one_overlay(site: Site) -> None:
    first, second = site.submit(1), site.submit(2)
    overlay = site.ask("GET", f"/colpo/annotations/versions/{first}/compare/{second}.png")
    assert overlay.headers["content-type"] == "image/png"
    drawn = np.asarray(PillowImage.open(io.BytesIO(overlay.content)))
    assert drawn.shape == (HEIGHT, WIDTH, 4)
    one, other = (decode_rle(code(seed), height_px=HEIGHT, width_px=WIDTH) for seed in (1, 2))
    kinds = [drawn[area] for area in (one & other, one & ~other, ~one & other)]
    assert [len(np.unique(kind, axis=0)) for kind in kinds] == [1, 1, 1]
    assert len(np.unique(np.concatenate(kinds), axis=0)) == 3
    assert not drawn[~(one | other)].any()
    assert site.ask("GET", f"/colpo/annotations/versions/{first}/compare/999.png").status_code == 404
    site.sign_in("rita")
    assert site.ask("GET", f"/colpo/annotations/versions/{first}/compare/{second}.png").status_code == 403


def test_a_fellows_mask_is_shut_until_all_have_submitted(site: Site) -> None:
    site.add_blind_task()
    site.sign_in("bea")
    theirs = site.submit(1)
    site.sign_in("anna")
    version = f"/colpo/annotations/versions/{theirs}"
    for path in (f"{version}/mask.png", f"{version}/compare/{theirs}.png"):
        shut = site.ask("GET", path)
        assert shut.status_code == 403
        assert "blind task" in shut.json()["error"]
    mine = site.submit(2)
    for path in (f"{version}/mask.png", f"{version}/compare/{mine}.png"):
        shown = site.ask("GET", path)
        assert shown.status_code == 200
        assert shown.headers["cache-control"] == "private, no-cache"
    with site.store.reading() as session:
        assert set(session.scalars(select(TaskItem.state))) == {TaskItemState.SUBMITTED}
