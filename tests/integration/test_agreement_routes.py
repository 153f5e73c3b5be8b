"""The overlay of a combination of masks over HTTP, through the real gate."""

import io

import numpy as np
import pytest
from PIL import Image as Picture

from colpo_core.evaluation.consensus import combine_masks
from colpo_core.services.common.callers import Caller
from colpo_core.store import Store
from colpo_core.terms import Combination
from tests.integration.conftest import Get
from tests.support.clinic import Clinic
from tests.support.several_annotators import add_task, square, submit

MASKS = [square(10, 10), square(10, 14), square(20, 24, 12)]


@pytest.fixture
def image_id(store: Store) -> int:
    return Clinic(store).add_case(masked=False).image_id


@pytest.fixture
def versions(people: list[Caller], image_id: int) -> list[int]:
    return [submit(person, image_id, mask) for person, mask in zip(people, MASKS, strict=True)]


def address(image_id: int, versions: list[int], finding: str = "acetowhite_epithelium", how: str = "majority") -> str:
    return f"/colpo/agreement/{image_id}/{finding}/{how}.png?versions={','.join(map(str, versions))}"


@pytest.mark.parametrize("how", list(Combination))
def test_the_overlay_marks_what_the_combination_does(
    get: Get, administrator: Caller, image_id: int, versions: list[int], how: Combination
) -> None:
    answer = get(administrator, address(image_id, versions, how=how.value))
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")
    assert "no-store" in answer.headers["cache-control"]
    alpha = np.asarray(Picture.open(io.BytesIO(answer.content)).convert("RGBA"))[..., 3]
    assert np.array_equal(alpha == 255, combine_masks(MASKS, how))
    assert set(np.unique(alpha)) <= {0, 255}


def test_what_makes_no_sense_is_refused(get: Get, administrator: Caller, image_id: int, versions: list[int]) -> None:
    assert get(administrator, address(image_id, versions, how="average")).status_code == 422
    assert get(administrator, address(image_id, versions, finding="polyp")).status_code == 422
    assert get(administrator, address(image_id, [])).status_code == 422
    assert get(administrator, address(image_id, [*versions, 99])).status_code == 422
    assert get(administrator, address(image_id, versions) + "%27").status_code == 422
    assert get(administrator, address(999, versions)).status_code == 404


def test_the_gate_and_blinding_hold_here_too(
    store: Store,
    get: Get,
    administrator: Caller,
    people: list[Caller],
    reader: Caller,
    image_id: int,
    versions: list[int],
) -> None:
    path = address(image_id, versions)
    assert get(None, path).status_code in (303, 307, 401)
    assert get(reader, path).status_code == 403
    assert get(people[0], path).status_code == 200
    add_task(store, [image_id], people, creator=administrator)
    assert get(people[0], path).status_code == 422
    assert get(administrator, path).status_code == 200
