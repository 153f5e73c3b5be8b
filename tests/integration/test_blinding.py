"""What a reader's browser receives, whole: nothing of it tells which case is read or what it is."""

import hashlib
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import httpx
import pytest
from PIL import Image as PillowImage
from sqlalchemy import select

from colpo_core.records.studies.reading_plans import Aid, ReadingPlan
from colpo_core.services.common.callers import Caller
from colpo_core.services.review import overlays
from colpo_core.services.studies import designing, presenting, readings, showings
from colpo_core.services.studies.conduct import study_conduct
from colpo_core.store import Store
from colpo_core.store.tables import Case, Image, Patient, Prediction, Presentation, StudyCase, utc_now
from colpo_core.terms import Label, Stage
from tests.support.app_pages import OpenPage
from tests.support.browsers import Browser
from tests.support.clinic import SIDE_PX, PredictedClinic
from tests.support.conducted import make_study

N_CASES = 4
# Rows are numbered from here on, so that a number which is a case or an image is told from any other.
FIRST_CASE, FIRST_IMAGE = 770_000, 880_000


@dataclass(frozen=True)
class Secrets:
    """What a reader must not receive, for all cases of the study."""

    words: tuple[str, ...]

    def found_in(self, text: str) -> list[str]:
        return [word for word in self.words if word.lower() in text.lower()]


@pytest.fixture
def study_id(store: Store, administrator: Caller, reader: Caller, add_case: Callable[..., int]) -> int:
    with store.writing() as session:
        case = Case(id=FIRST_CASE, patient=Patient(code="unused"))
        image = Image(id=FIRST_IMAGE, case=case, sha256="0" * 64, media_type="image/png", stage=Stage.LUGOL)
        image.width_px = image.height_px = 1
        session.add(image)
    for index in range(N_CASES):
        add_case(Label.HSIL if index % 2 else Label.NORMAL)
    return make_study(administrator, [reader], name="Reading one", question="A secret question")


@pytest.fixture
def secrets(store: Store, study_id: int) -> Secrets:
    words = ["A secret question"]
    with store.reading() as session:
        for row in session.scalars(select(StudyCase)):
            case, image = session.get_one(Case, row.case_id), session.get_one(Image, row.image_id)
            assert case.case_date is not None
            assert case.id > FIRST_CASE
            assert image.id > FIRST_IMAGE
            words += [str(case.id), str(image.id), case.patient.code, image.sha256, image.sha256[:12]]
            words += [case.case_date.isoformat(), case.case_date.strftime("%d.%m.%Y")]
    assert date(2019, 5, 2).isoformat() in words
    return Secrets(tuple(words))


@pytest.fixture
def browser(store: Store, reader: Caller, token_of: Callable[[Caller], str]) -> Browser:
    return Browser(store, token_of(reader))


def walk_study(reader: Caller, study_id: int) -> Iterator[str]:
    """Yields the token of each case that is shown, and answers it afterwards."""
    while (shown := presenting.next_case(reader, study_id=study_id)) is not None:
        yield shown.token
        readings.record_reading(reader, study_id=study_id, token=shown.token, call=Label.HSIL, confidence=50)


def check_anonymous(reply: httpx.Response) -> None:
    """Neither the headers of an image nor the image itself carry what would tell it apart."""
    assert not {"etag", "last-modified", "content-disposition", "content-location"} & set(reply.headers)
    picture = PillowImage.open(io.BytesIO(reply.content))
    assert not picture.getexif()
    assert set(picture.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}


def test_an_image_comes_without_anything_that_tells_it_apart(
    reader: Caller, study_id: int, secrets: Secrets, browser: Browser
) -> None:
    seen = 0
    for token in walk_study(reader, study_id):
        path = f"/colpo/readings/{study_id}/image/{token}"
        reply = browser.get(path)
        assert reply.status_code == 200
        assert reply.headers["content-type"] == "image/jpeg"
        assert reply.headers["cache-control"] == "no-store"
        check_anonymous(reply)
        assert secrets.found_in(path + str(reply.headers) + reply.content.decode("latin-1")) == []
        assert hashlib.sha256(reply.content).hexdigest() not in secrets.words
        seen += 1
    assert seen == N_CASES


def test_neither_label_nor_histology_is_in_a_reply(reader: Caller, study_id: int, browser: Browser) -> None:
    token = next(walk_study(reader, study_id))
    reply = browser.get(f"/colpo/readings/{study_id}/image/{token}")
    text = (str(reply.headers) + reply.content.decode("latin-1")).lower()
    assert not [word for word in ("normal", "hsil", "cin1", "cin2", "cin3", "histology") if word in text]


def test_the_page_says_nothing_of_the_case(
    reader: Caller, study_id: int, secrets: Secrets, open_page: OpenPage
) -> None:
    numbers = []
    for number, token in enumerate(walk_study(reader, study_id), start=1):
        app = open_page(reader, "read", study=study_id)
        said = everything_sent(app)
        assert token in said
        assert secrets.found_in(said) == []
        numbers.append(f'"number": {number}' in said or f'"number":{number}' in said)
    assert numbers == [True] * N_CASES
    app = open_page(reader, "read", study=study_id)
    assert app.title[0].value == "All read"
    assert secrets.found_in(everything_sent(app)) == []


def test_the_list_of_studies_says_nothing_of_the_cases(
    reader: Caller, study_id: int, secrets: Secrets, open_page: OpenPage
) -> None:
    said = everything_sent(open_page(reader, "read"))
    assert "Reading one" in said
    assert secrets.found_in(said) == []


def everything_sent(app: Any) -> str:
    """All that a run of the script sent to the browser, and the address that it left."""
    protos: list[str] = []

    def collect(node: Any) -> None:
        proto = getattr(node, "proto", None)
        if proto is not None:
            protos.append(str(proto))
        for child in getattr(node, "children", {}).values():
            collect(child)

    collect(app._tree)
    return "\n".join([*protos, str(dict(app.query_params))]).replace('\\"', '"')


def test_a_reader_is_refused_by_every_other_image(study_id: int, secrets: Secrets, browser: Browser) -> None:
    for path in (
        f"/colpo/images/{FIRST_IMAGE + 1}",
        f"/colpo/images/{FIRST_IMAGE + 1}/thumbnail",
        "/colpo/predictions/1/mask.png",
        "/colpo/predictions/1/maps/3ch-hsil.png",
        "/colpo/predictions/1/acetowhite.png",
    ):
        reply = browser.get(path)
        assert reply.status_code == 403, path
        assert secrets.found_in(str(reply.headers) + reply.text) == []


def test_a_reader_is_refused_by_every_other_page(
    reader: Caller, study_id: int, secrets: Secrets, open_page: OpenPage
) -> None:
    asked = (str(FIRST_CASE + 1), str(FIRST_IMAGE + 1))
    for page in ("studies", "admin", "cases", "annotate", "review", "train", "models", "dashboard"):
        app = open_page(reader, page, study=study_id, case=FIRST_CASE + 1, image=FIRST_IMAGE + 1)
        assert [title.value for title in app.title] == ["Not for your role"], page
        assert [word for word in secrets.found_in(everything_sent(app)) if word not in asked] == []


def test_a_reader_s_home_says_nothing_of_the_cases(
    reader: Caller, study_id: int, secrets: Secrets, open_page: OpenPage
) -> None:
    app = open_page(reader)
    assert secrets.found_in(everything_sent(app)) == []


@pytest.mark.parametrize(("after_s", "status"), [(0, 410), (60, 403)])
def test_an_answered_case_never_comes_back(
    reader: Caller,
    study_id: int,
    secrets: Secrets,
    browser: Browser,
    monkeypatch: pytest.MonkeyPatch,
    after_s: int,
    status: int,
) -> None:
    tokens = list(walk_study(reader, study_id))
    # A slow machine may take seconds for the walk.
    monkeypatch.setattr(showings, "_ON_ITS_WAY", timedelta(seconds=30))
    monkeypatch.setattr(showings, "utc_now", lambda: utc_now() + timedelta(seconds=after_s))
    for token in tokens:
        reply = browser.get(f"/colpo/readings/{study_id}/image/{token}")
        assert reply.status_code == status
        assert reply.headers["content-type"] == "application/json"
        assert secrets.found_in(reply.text) == []


def test_only_the_reader_of_a_token_gets_its_image(
    store: Store,
    administrator: Caller,
    annotator: Caller,
    reader: Caller,
    study_id: int,
    browser: Browser,
    token_of: Callable[[Caller], str],
) -> None:
    token = next(walk_study(reader, study_id))
    path = f"/colpo/readings/{study_id}/image/{token}"
    for caller in (administrator, annotator):
        assert Browser(store, token_of(caller)).get(path).status_code == 403
    assert Browser(store).get(path).status_code == 401
    assert browser.get(f"/colpo/readings/{study_id}/image/{token}x").status_code == 404
    assert browser.get(f"/colpo/readings/{study_id + 1}/image/{token}").status_code == 404
    assert browser.get(path).status_code == 200
    designing.close_study(administrator, study_id=study_id, reason="enough was read")
    assert browser.get(path).status_code == 422


@dataclass(frozen=True)
class Aided:
    """A study that is aided after the first call, and all of the model's output of its cases."""

    study_id: int
    words: tuple[str, ...]
    layers: tuple[bytes, ...]

    def found_in(self, sent: str | bytes) -> list[str | bytes]:
        raw = sent if isinstance(sent, bytes) else sent.encode()
        said = raw.decode("latin-1").lower()
        return [word for word in self.words if word.lower() in said] + [one for one in self.layers if one in raw]


@pytest.fixture
def aided(store: Store, administrator: Caller, reader: Caller) -> Aided:
    clinic = PredictedClinic(administrator)
    with store.writing() as session:
        for place, row in enumerate(session.scalars(select(Prediction).order_by(Prediction.id))):
            row.prob_hsil_4ch, row.threshold_4ch = 0.7319 + place / 10_000, 0.6471
    plan = ReadingPlan(aid=Aid.AFTER_FIRST_CALL, aid_checkpoint_id=clinic.checkpoint_id)
    study_id = make_study(administrator, [reader], plan, checkpoint_ids=[clinic.checkpoint_id])
    layers = [overlays.prediction_mask_png(administrator, prediction_id=one) for one in clinic.predictions] + [
        overlays.prediction_map_png(administrator, prediction_id=one, name=f"{channels}ch-{label}")
        for one in clinic.predictions
        for channels in (3, 4)
        for label in Label
    ]
    with store.reading() as session:
        hashes = list(session.scalars(select(Prediction.maps_sha256)))
    words = ("0.73", "73%", "probability", "grad-cam", "acetowhite", "/aid/", "model-1", "0.647", "65%", *hashes)
    return Aided(study_id, words, tuple(set(layers)))


def ask_for_the_aid(store: Store, browser: Browser, study_id: int, token: str) -> list[httpx.Response]:
    """Every address under which the model's output of a case might lie."""
    with store.reading() as session:
        predictions = session.scalars(select(Prediction.id)).all()
    paths = [
        f"/colpo/readings/{study_id}/aid/{one}/{layer}"
        for one in (token, f"{token}.2", f"{token}.2.2")
        for layer in ("mask.png", "map.png", "probability.png")
    ]
    paths += [f"/colpo/predictions/{one}/mask.png" for one in predictions]
    paths += [f"/colpo/predictions/{one}/maps/4ch-hsil.png" for one in predictions]
    paths += [f"/colpo/predictions/{one}/acetowhite.png" for one in predictions]
    return [browser.get(path) for path in paths]


def test_nothing_of_the_model_s_output_is_sent_before_the_first_call_is_locked(
    store: Store,
    administrator: Caller,
    reader: Caller,
    aided: Aided,
    browser: Browser,
    open_page: OpenPage,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(showings, "_ON_ITS_WAY", timedelta())
    image = f"/colpo/readings/{aided.study_id}/image"
    n_refused = n_cases = 0
    while (first := presenting.next_case(reader, study_id=aided.study_id)) is not None:
        n_cases += 1
        for page in (open_page(reader), open_page(reader, "read"), open_page(reader, "read", study=aided.study_id)):
            assert aided.found_in(everything_sent(page)) == []
        for path in (f"{image}/{first.token}", f"{image}/{first.token}.2"):
            reply = browser.get(path)
            assert aided.found_in(str(reply.headers)) == []
            assert [layer for layer in aided.layers if layer in reply.content] == []
        for reply in ask_for_the_aid(store, browser, aided.study_id, first.token):
            assert reply.status_code in {403, 404}
            assert reply.headers["content-type"] == "application/json"
            assert aided.found_in(str(reply.headers) + reply.text) == []
            n_refused += 1
        assert sum(one.times for one in refusals(administrator, aided)) == n_refused
        n_refused += answer_both(reader, aided, first.token, browser, open_page)
    assert n_cases == 2


def answer_both(reader: Caller, aided: Aided, token: str, browser: Browser, open_page: OpenPage) -> int:
    """Make both calls on a case and look at what is sent between and after; returns how much was refused."""
    answer = {"study_id": aided.study_id}
    readings.record_reading(reader, **answer, token=token, call=Label.HSIL, confidence=37)
    said = everything_sent(open_page(reader, "read", study=aided.study_id))
    assert {"73%", "65%", "/aid/", "probability", "grad-cam"} <= set(aided.found_in(said)), "what is searched for comes"
    for layer in ("mask", "map"):
        reply = browser.get(f"/colpo/readings/{aided.study_id}/aid/{token}.2/{layer}.png")
        assert (reply.status_code, reply.headers["content-type"]) == (200, "image/png")
        assert reply.headers["cache-control"] == "no-store"
        assert not {"etag", "last-modified", "content-disposition"} & set(reply.headers)
        assert reply.content in aided.layers, "what is searched for is what would be sent"
    with reader.store.reading() as session:
        other = session.scalars(select(Presentation.token).where(Presentation.token != token)).all()
    for one in (f"{token}/mask.png", *(f"{earlier}.2/mask.png" for earlier in other)):
        assert browser.get(f"/colpo/readings/{aided.study_id}/aid/{one}").status_code == 403
    readings.record_reading(reader, **answer, token=f"{token}.2", call=Label.HSIL, confidence=37)
    assert browser.get(f"/colpo/readings/{aided.study_id}/aid/{token}.2/mask.png").status_code == 403
    return 2 + len(other)


def refusals(administrator: Caller, aided: Aided) -> list[Any]:
    found = study_conduct(administrator, study_id=aided.study_id).refusals
    assert all("/aid/" in one.what or "/predictions/" in one.what for one in found)
    return list(found)


def test_the_case_s_other_images_tell_their_stage_and_nothing_more(
    store: Store, administrator: Caller, reader: Caller, browser: Browser, open_page: OpenPage
) -> None:
    clinic = PredictedClinic(administrator)
    with store.writing() as session:
        for case in clinic.cases:
            taken = session.get_one(Image, case.image_id)
            other = Image(case_id=case.case_id, sha256=taken.sha256, media_type="image/png", stage=Stage.LUGOL)
            other.width_px = other.height_px = SIDE_PX
            session.add(other)
    study_id = make_study(administrator, [reader], ReadingPlan(shows_stages=True))
    with store.reading() as session:
        hashes = session.scalars(select(Image.sha256)).all()
        codes = session.scalars(select(Patient.code)).all()
    for token in walk_study(reader, study_id):
        said = everything_sent(open_page(reader, "read", study=study_id))
        assert "Lugol" in said
        assert [word for word in (*hashes, *codes) if word in said] == []
        reply = browser.get(f"/colpo/readings/{study_id}/image/{token}/0")
        assert (reply.status_code, reply.headers["content-type"]) == (200, "image/jpeg")
        check_anonymous(reply)
        assert [word for word in (*hashes, *codes) if word in str(reply.headers)] == []
        assert browser.get(f"/colpo/readings/{study_id}/image/{token}/1").status_code == 404
