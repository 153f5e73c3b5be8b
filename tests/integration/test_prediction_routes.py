"""The overlays of predictions over HTTP, through the real gate."""

import pytest

from colpo_core.services.common.callers import Caller
from tests.integration.conftest import Get
from tests.support.handed_out import hand_out

pytestmark = pytest.mark.usefixtures("desk")
OVERLAYS = [f"/colpo/predictions/1/{name}.png" for name in ("mask", "acetowhite", "maps/3ch-hsil")]


@pytest.mark.parametrize("path", OVERLAYS)
def test_a_clinician_gets_an_overlay_and_her_browser_asks_each_time(get: Get, annotator: Caller, path: str) -> None:
    answer = get(annotator, path)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")
    assert answer.content.startswith(b"\x89PNG")
    assert answer.headers["cache-control"] == "private, no-cache"
    again = get(annotator, path, **{"if-none-match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("path", OVERLAYS)
def test_a_reader_and_a_stranger_get_nothing(get: Get, annotator: Caller, reader: Caller, path: str) -> None:
    assert get(None, path).status_code == 401
    etag = get(annotator, path).headers["etag"]
    for answer in (get(reader, path), get(reader, path, **{"if-none-match": etag})):
        assert answer.status_code == 403
        assert not answer.content.startswith(b"\x89PNG")


@pytest.mark.parametrize("path", OVERLAYS)
def test_who_has_yet_to_paint_the_image_without_the_model_gets_nothing(
    administrator: Caller, annotator: Caller, get: Get, path: str
) -> None:
    etag = get(annotator, path).headers["etag"]
    hand_out(administrator, (annotator.person_id,), proposals=False)
    for answer in (get(annotator, path), get(annotator, path, **{"if-none-match": etag})):
        assert answer.status_code == 403, "nor may the browser show what it has kept"
        assert "keeps the model's output back" in answer.json()["error"]
    assert get(administrator, path).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/colpo/predictions/99/mask.png",
        "/colpo/predictions/99/acetowhite.png",
        "/colpo/predictions/99/maps/3ch-hsil.png",
        "/colpo/predictions/1/maps/..%2f..%2fsecret.png",
        "/colpo/predictions/1/maps/9ch-hsil.png",
        "/colpo/predictions/-1/mask.png",
    ],
)
def test_what_is_not_there_is_not_found(get: Get, annotator: Caller, path: str) -> None:
    assert get(annotator, path).status_code == 404
