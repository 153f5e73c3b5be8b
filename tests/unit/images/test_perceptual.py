import hashlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from colpo_core.images.perceptual import (
    FINGERPRINT_DIGITS,
    HASH_BITS,
    NEAR_COPY_DISTANCE,
    Looks,
    distance,
    near_pairs,
    perceptual_hash,
)
from colpo_core.simulation.cases import simulate_case
from tests.support.copies import cropped, further_copies, mild_copies

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
    closest = min(how_far for *_, how_far in near_pairs(list(map(perceptual_hash, images)), max_distance=HASH_BITS))
    assert closest >= NEAR_COPY_DISTANCE + 4


def test_the_hash_of_known_pixels_never_changes() -> None:
    """Stores keep hashes: a change of the hash has to be a migration that forgets them."""
    assert hashlib.sha256(perceptual_hash(waves(90, 120)).encode()).hexdigest() == GOLDEN


def test_a_hash_has_six_times_256_bits_whatever_the_size_and_the_memory_order() -> None:
    rgb = waves(600, 37)
    assert len(perceptual_hash(rgb)) == FINGERPRINT_DIGITS == 384
    assert perceptual_hash(rgb) == perceptual_hash(np.asfortranarray(rgb))
    flat = perceptual_hash(np.full((30, 40, 3), 99, np.uint8))
    assert flat[:64] == "0" * 64, "one colour has no frequency but its mean"


@pytest.mark.parametrize(
    "wrong",
    [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3)), np.zeros((0, 4, 3), np.uint8), np.zeros((4, 4, 4), np.uint8)],
)
def test_what_is_no_image_is_refused(wrong: NDArray[np.uint8]) -> None:
    with pytest.raises(ValueError, match="H x W x 3"):
        perceptual_hash(wrong)


EIGHT = {
    "as it is": lambda rgb: rgb,
    "left and right": lambda rgb: rgb[:, ::-1],
    "top and bottom": lambda rgb: rgb[::-1],
    "half a turn": lambda rgb: rgb[::-1, ::-1],
    "a quarter turn": lambda rgb: np.rot90(rgb),
    "three quarters": lambda rgb: np.rot90(rgb, 3),
    "transposed": lambda rgb: rgb.transpose(1, 0, 2),
    "transposed the other way": lambda rgb: rgb[::-1, ::-1].transpose(1, 0, 2),
}


@pytest.mark.parametrize("way", EIGHT)
def test_an_image_turned_or_mirrored_is_a_copy_at_no_distance(images: list[NDArray[np.uint8]], way: str) -> None:
    for rgb in images[:4]:
        turned = np.ascontiguousarray(EIGHT[way](rgb))
        assert distance(perceptual_hash(rgb), perceptual_hash(turned)) <= 2


@given(st.integers(0, 2**32 - 1), st.integers(20, 90), st.integers(20, 90), st.sampled_from(sorted(EIGHT)))
@settings(max_examples=40, deadline=None)
def test_any_smooth_image_is_found_in_all_eight_ways(seed: int, height_px: int, width_px: int, way: str) -> None:
    coarse = np.random.default_rng(seed).integers(30, 256, (7, 7, 3), dtype=np.uint8)
    rgb = np.asarray(Image.fromarray(coarse).resize((width_px, height_px), Image.Resampling.BICUBIC))
    turned = np.ascontiguousarray(EIGHT[way](rgb))
    assert distance(perceptual_hash(rgb), perceptual_hash(turned)) <= 8


@pytest.mark.parametrize(
    "name", ["5% cropped, corner", "black bars", "vignette", "round field", "cropped, turned, JPEG"]
)
def test_cropped_barred_and_darkened_copies_are_found(images: list[NDArray[np.uint8]], name: str) -> None:
    for rgb in images:
        assert distance(perceptual_hash(rgb), perceptual_hash(further_copies(rgb)[name])) <= NEAR_COPY_DISTANCE


bits = st.lists(st.binary(min_size=192, max_size=192).map(bytes.hex), max_size=12)


@given(bits, st.integers(1, 40))
@settings(deadline=None)
def test_pairs_come_in_order_however_many_are_compared_at_once(hashes: list[str], step: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("colpo_core.images.perceptual._MOST_CELLS", step)
        pairs = near_pairs(hashes, max_distance=HASH_BITS)
    places = range(len(hashes))
    assert [pair[:2] for pair in pairs] == [(first, second) for first in places for second in places if first < second]
    for first, second, how_far in pairs:
        assert how_far == distance(hashes[first], hashes[second]) == distance(hashes[second], hashes[first])
    assert near_pairs(hashes, max_distance=90) == [pair for pair in pairs if pair[2] <= 90]


@given(st.binary(min_size=192, max_size=192), st.sets(st.integers(0, 254), max_size=NEAR_COPY_DISTANCE))
@settings(deadline=None)
def test_as_many_bits_of_the_whole_as_differ_are_counted(content: bytes, flipped: set[int]) -> None:
    whole = int.from_bytes(content[:32]) ^ sum(1 << (255 - place) for place in flipped)
    ((_, _, how_far),) = near_pairs([content.hex(), whole.to_bytes(32).hex() + content[32:].hex()])
    assert how_far <= len(flipped)


def test_hashes_of_several_batches_are_compared_as_of_one(images: list[NDArray[np.uint8]]) -> None:
    hashes = [perceptual_hash(rgb) for rgb in images[:6]]
    joined = Looks.joined([Looks(hashes[:2]), Looks(hashes[2:])])
    assert len(joined) == 6
    copy = Looks([perceptual_hash(cropped(images[4], 0.05, 1.0))])
    others, places, distances = joined.near(copy)
    assert (others.tolist(), places.tolist()) == ([0], [4])
    assert distances[0] <= NEAR_COPY_DISTANCE


def test_a_hash_of_an_older_version_is_not_compared() -> None:
    with pytest.raises(ValueError, match="384"):
        near_pairs(["0" * 64, "0" * 64])


GOLDEN = "9ab23036662d306ecbaf4916ca0b38cb3c6aae77df59d9c18da4536a985c19b7"
