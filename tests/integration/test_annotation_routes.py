"""Saving strokes over HTTP, through the real gate."""

import asyncio
import io
from base64 import b64decode
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image as PillowImage
from sqlalchemy import select
from starlette.applications import Starlette

from colpo_core.images.masks import decode_rle, encode_rle
from colpo_core.records.people import Actor
from colpo_core.services.annotations import confirmation, imported_masks, own_masks
from colpo_core.services.common.actors import program_actor
from colpo_core.services.common.callers import Caller
from colpo_core.services.people import accounts as people
from colpo_core.services.people import signing_in
from colpo_core.store import Store
from colpo_core.store.tables import (
    Annotation,
    AnnotationTask,
    AnnotationVersion,
    AuditEntry,
    Case,
    Image,
    Mask,
    Patient,
    TaskItem,
)
from colpo_core.terms import Finding, MaskOrigin, Role, Stage, TaskItemState, TaskOrder
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
        self.token = signing_in.sign_in(self.store, username=username, password=PASSWORD).token

    def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        async def once() -> httpx.Response:
            transport = httpx.ASGITransport(app=self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://clinic.test") as client:
                headers = {"origin": "http://clinic.test", **more.pop("headers", {})}
                if self.token:
                    client.cookies.set(signing_in.SESSION_COOKIE, self.token)
                return await client.request(method, path, headers=headers, **more)

        return asyncio.run(once())


@pytest.fixture
def site(store: Store) -> Iterator[Site]:
    ada = people.create_first_administrator(store, username="ada", display_name="Ada", password=PASSWORD)
    boss = Caller(store, Actor(ada.person_id, ada.username, ada.display_name, ada.role))
    for name, role in (("anna", Role.ANNOTATOR), ("bea", Role.ANNOTATOR), ("rita", Role.READER)):
        people.create_person(boss, username=name, display_name=name, role=role, password=PASSWORD)
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


def caller_of(site: Site) -> Caller:
    actor = signing_in.actor_for_token(site.store, token=site.token)
    assert actor is not None
    return Caller(site.store, actor)


def document_of(site: Site) -> str:
    return own_masks.open_annotation(caller_of(site), image_id=1).document_id


def code(seed: int) -> bytes:
    return encode_rle(np.random.default_rng(seed).random((HEIGHT, WIDTH)) < 0.5)


def n_masks(site: Site) -> int:
    with site.store.reading() as session:
        return session.query(Mask).count()


def everything(site: Site) -> tuple[object, ...]:
    """All that saving a stroke may touch: the rows of each table, and the drafts whole."""
    with site.store.reading() as session:
        counts = [session.query(table).count() for table in (Mask, Annotation, AnnotationVersion, AuditEntry)]
        drafts = session.execute(select(*Annotation.__table__.columns).order_by(Annotation.id)).all()
        items = session.execute(select(*TaskItem.__table__.columns).order_by(TaskItem.id)).all()
        return (*counts, drafts, items)


def add_blind_task(site: Site) -> None:
    """Anna and Bea paint the image, blind to each other."""
    with site.store.writing() as session:
        task = AnnotationTask(
            title="Blind",
            finding=Finding.ACETOWHITE,
            n_annotators=2,
            blind=True,
            proposals=True,
            order=TaskOrder.DATE,
            seed=0,
            created_by=1,
        )
        task.items = [TaskItem(image_id=1, annotator_id=person_id, position=1) for person_id in (2, 3)]
        session.add(task)


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


def test_strokes_and_time_are_counted_once(site: Site) -> None:
    path = f"/colpo/annotations/{document_of(site)}"
    for _ in range(3):
        assert site.ask("PUT", f"{path}?base_seq=0&strokes=2&active_ms=900", content=code(1)).json()["seq"] == 1
    site.ask("PUT", f"{path}?base_seq=1&strokes=10000&active_ms=3600000", content=code(2))
    site.ask("PUT", f"{path}?base_seq=2", content=code(3))
    after = site.ask("GET", path).json()
    assert (after["start"], after["strokes"], after["active_ms"]) == ("nothing", 10_002, 3_600_900)


@pytest.mark.parametrize("name", ["strokes", "active_ms"])
@pytest.mark.parametrize("value", ["", "-1", "x", "²", "1.5", "1" * 13, "3600001"])
def test_strokes_and_time_out_of_range_are_refused(site: Site, name: str, value: str) -> None:
    path = f"/colpo/annotations/{document_of(site)}"
    site.ask("PUT", f"{path}?base_seq=0&strokes=1", content=code(1))
    before = everything(site)
    refused = site.ask("PUT", f"{path}?base_seq=1&{name}={value}", content=code(2))
    assert refused.status_code == 422
    assert name in refused.json()["error"]
    assert everything(site) == before


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
def test_a_bad_save_is_refused_with_a_reason_and_changes_nothing(site: Site, what: str) -> None:
    add_blind_task(site)
    own = document_of(site)
    address, body, status = BAD_SAVES[what]
    site.ask("PUT", f"/colpo/annotations/{own}?base_seq=0&strokes=1&active_ms=70", content=code(1))
    before = everything(site)
    refused = site.ask("PUT", f"/colpo/annotations/{address.format(own=own)}", content=body)
    assert refused.status_code == status
    assert refused.json()["error"].endswith(".")
    assert everything(site) == before
    assert site.ask("PUT", f"/colpo/annotations/{own}?base_seq=1&strokes=1", content=code(3)).json()["seq"] == 2


def test_a_body_of_unsaid_size_is_read_no_further_than_its_bound(site: Site) -> None:
    async def pieces() -> Any:
        for _ in range(5):
            yield b"\x01" * (MAX_CODE_BYTES // 4)

    refused = site.ask("PUT", f"/colpo/annotations/{document_of(site)}?base_seq=0", content=pieces())
    assert refused.status_code == 413
    assert "larger than 4 MB" in refused.json()["error"]
    assert n_masks(site) == 0


def test_another_persons_document_is_not_there(site: Site) -> None:
    path = f"/colpo/annotations/{document_of(site)}"
    site.ask("PUT", f"{path}?base_seq=0", content=code(1))
    site.sign_in("ada")
    assert site.ask("GET", path).status_code == 404
    assert site.ask("PUT", f"{path}?base_seq=1", content=code(2)).status_code == 404
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
    importer = Caller(site.store, program_actor(site.store, "importer"))
    imported_masks.import_annotation(
        importer, image_id=1, mask=np.eye(HEIGHT, WIDTH, dtype=np.bool_), origin=MaskOrigin.CHORD
    )
    waiting = confirmation.list_to_confirm(caller_of(site)).versions[0]
    overlay = site.ask("GET", f"/colpo/annotations/versions/{waiting.version_id}/mask.png?colour=cyan")
    assert overlay.content.startswith(b"\x89PNG")
    assert overlay.headers["content-type"] == "image/png"
    assert site.ask("GET", "/colpo/annotations/versions/999/mask.png").status_code == 404
    mauve = site.ask("GET", f"/colpo/annotations/versions/{waiting.version_id}/mask.png?colour=mauve")
    assert mauve.status_code == 422


def submit(site: Site, seed: int) -> int:
    """Whoever is signed in submits a mask; the row of the version."""
    caller, document_id = caller_of(site), document_of(site)
    opened = own_masks.open_document(caller, document_id=document_id)
    saved = own_masks.save_draft(caller, document_id=document_id, base_seq=opened.seq, rle=code(seed))
    return own_masks.submit_annotation(caller, document_id=document_id, seq=saved.seq).version_id


def test_two_versions_come_as_one_overlay(site: Site) -> None:
    first, second = submit(site, 1), submit(site, 2)
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
    add_blind_task(site)
    site.sign_in("bea")
    theirs = submit(site, 1)
    site.sign_in("anna")
    version = f"/colpo/annotations/versions/{theirs}"
    for path in (f"{version}/mask.png", f"{version}/compare/{theirs}.png"):
        shut = site.ask("GET", path)
        assert shut.status_code == 403
        assert "blind task" in shut.json()["error"]
    mine = submit(site, 2)
    for path in (f"{version}/mask.png", f"{version}/compare/{mine}.png"):
        shown = site.ask("GET", path)
        assert shown.status_code == 200
        assert shown.headers["cache-control"] == "private, no-cache"
    with site.store.reading() as session:
        assert set(session.scalars(select(TaskItem.state))) == {TaskItemState.SUBMITTED}
