import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from colpo_core.images.perceptual import HASH_BITS, NEAR_COPY_DISTANCE, hamming, near_pairs, perceptual_hash
from colpo_core.images.simulated import simulate_case
from tests.copies import mild_copies

N_CASES = 24


@pytest.fixture(scope="module")
def images() -> list[NDArray[np.uint8]]:
    return [simulate_case(100 + number, height_px=144, width_px=192).rgb for number in range(N_CASES)]


def waves(height_px: int, width_px: int) -> NDArray[np.uint8]:
    """An image that is the same wherever numpy runs."""
    rows, columns = np.mgrid[:height_px, :width_px]
    return np.stack([(rows * 3 + columns) % 251, (rows * columns) % 241, (columns * 5 + 7) % 239], axis=2).astype(
        np.uint8
    )


def test_every_mild_copy_is_found_and_no_other_case_is_taken_for_one(images: list[NDArray[np.uint8]]) -> None:
    hashes, owner = [], []
    for number, rgb in enumerate(images):
        for copy in (rgb, *mild_copies(rgb).values()):
            hashes.append(perceptual_hash(copy))
            owner.append(number)
    pairs = near_pairs(hashes)
    assert {owner[first] == owner[second] for first, second, _ in pairs} == {True}
    originals = range(0, len(hashes), len(hashes) // N_CASES)
    found = {second for first, second, _ in pairs if first in originals}
    assert found == set(range(len(hashes))) - set(originals)


def test_other_cases_stay_away_with_room_to_spare(images: list[NDArray[np.uint8]]) -> None:
    closest = min(distance for *_, distance in near_pairs(list(map(perceptual_hash, images)), max_distance=HASH_BITS))
    assert closest >= NEAR_COPY_DISTANCE + 4


def test_the_hash_of_known_pixels_never_changes() -> None:
    """Stores keep hashes: a change of the hash has to be a migration that forgets them."""
    assert perceptual_hash(waves(90, 120)) == GOLDEN


def test_a_hash_has_256_bits_whatever_the_size_and_the_memory_order() -> None:
    rgb = waves(600, 37)
    assert len(perceptual_hash(rgb)) == 64
    assert perceptual_hash(rgb) == perceptual_hash(np.asfortranarray(rgb))
    assert perceptual_hash(np.full((30, 40, 3), 99, np.uint8)) == "0" * 64, "one colour has no frequency but its mean"


def test_bands_of_rows_give_what_the_whole_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = perceptual_hash(waves(600, 80))
    monkeypatch.setattr("colpo_core.images.perceptual._BAND_ROWS", 7)
    assert hamming(perceptual_hash(waves(600, 80)), whole) <= 1


@pytest.mark.parametrize(
    "wrong",
    [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3)), np.zeros((0, 4, 3), np.uint8), np.zeros((4, 4, 4), np.uint8)],
)
def test_what_is_no_image_is_refused(wrong: NDArray[np.uint8]) -> None:
    with pytest.raises(ValueError, match="H x W x 3"):
        perceptual_hash(wrong)


def test_an_image_turned_over_is_a_copy_at_no_distance(images: list[NDArray[np.uint8]]) -> None:
    rgb = images[0]
    hashes = [perceptual_hash(one) for one in (rgb, rgb[:, ::-1], rgb[::-1], rgb[::-1, ::-1])]
    assert min(hamming(hashes[0], other) for other in hashes[1:]) > NEAR_COPY_DISTANCE
    assert len(near_pairs(hashes)) == 6
    assert max(distance for *_, distance in near_pairs(hashes)) <= 2


words = st.lists(st.binary(min_size=32, max_size=32).map(bytes.hex), max_size=12)


@given(words, st.integers(1, 40))
def test_pairs_come_in_order_and_no_closer_than_as_they_are(hashes: list[str], step: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("colpo_core.images.perceptual._MOST_CELLS", step)
        pairs = near_pairs(hashes, max_distance=HASH_BITS)
    places = range(len(hashes))
    assert [pair[:2] for pair in pairs] == [(first, second) for first in places for second in places if first < second]
    for first, second, distance in pairs:
        assert distance <= hamming(hashes[first], hashes[second])
    assert near_pairs(hashes, max_distance=90) == [pair for pair in pairs if pair[2] <= 90]


@given(st.binary(min_size=32, max_size=32), st.sets(st.integers(0, 254), max_size=NEAR_COPY_DISTANCE))
def test_as_many_bits_as_differ_are_counted(content: bytes, flipped: set[int]) -> None:
    other = int.from_bytes(content) ^ sum(1 << (255 - place) for place in flipped)
    hashes = [content.hex(), f"{other:064x}"]
    assert hamming(*hashes) == len(flipped)
    ((_, _, distance),) = near_pairs(hashes)
    assert distance <= len(flipped)


GOLDEN = "011001088000880300093808808844502de1bdc0ddefb9fb34591e007211f000"
