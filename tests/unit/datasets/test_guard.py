import pytest

from colpo_core.datasets.guard import Leak, LeakKind, check_leakage, leaks
from colpo_core.datasets.manifest import ManifestItem
from colpo_core.errors import LeakageFound
from colpo_core.terms import Split
from tests.support.manifests import item, manifest

TRAIN, TEST = Split.TRAIN, Split.TEST
SAME_FILE = "7" * 64


@pytest.mark.parametrize(
    "items",
    [
        [item(1, 1, TRAIN), item(2, 1, TRAIN, case_id=9), item(3, 3, TEST), item(4, 4, TEST)],
        [item(1, 1, TRAIN, image_sha256=SAME_FILE), item(2, 2, TRAIN, image_sha256=SAME_FILE)],
    ],
    ids=["clean", "the same file twice on one side"],
)
def test_what_is_no_leak_passes(items: list[ManifestItem]) -> None:
    check_leakage(manifest(*items))


@pytest.mark.parametrize(
    ("items", "words"),
    [
        ([item(1, 7, TEST, case_id=1), item(2, 7, TRAIN, case_id=2)], "patient 7 stands in train and in test"),
        ([item(1, 7, TEST), item(2, 7, Split.VALIDATION)], "case 7 stands in validation and in test"),
        (
            [item(1, 1, TRAIN, image_sha256=SAME_FILE), item(2, 2, TEST, image_sha256=SAME_FILE)],
            "image 1 in train is the same file as image 2 in test",
        ),
        ([item(n, n // 2, TRAIN if n % 2 else TEST, case_id=n) for n in range(100, 140)], "and 15 more"),
    ],
    ids=["patient", "case", "one file of two patients", "many are counted, not listed"],
)
def test_a_leak_is_named(items: list[ManifestItem], words: str) -> None:
    with pytest.raises(LeakageFound, match=words):
        check_leakage(manifest(*items))


LOOKS = "0f" * 192
ALIKE = ("0e" * 8 + "0f" * 24) * 6  # 8 bits away
OTHER = "33" * 192


def test_a_near_copy_of_another_patients_image_is_named_with_its_distance() -> None:
    split = manifest(item(1, 1, TRAIN), item(2, 2, TEST), item(3, 3, TEST))
    looks = {1: LOOKS, 2: ALIKE, 3: OTHER}
    words = r"image 1 in train is a near copy of image 2 in test \(8 of 256 bits differ\)"
    with pytest.raises(LeakageFound, match=words):
        check_leakage(split, looks)
    assert leaks(split, looks) == [Leak(LeakKind.NEAR_COPY, 1, 2, (TRAIN, TEST), 8)]
    assert leaks(split) == []
    assert leaks(split, {1: LOOKS, 3: OTHER}) == [], "an image whose looks are not known is not compared"


def test_near_copies_on_one_side_or_of_one_patient_are_no_leak() -> None:
    looks = {1: LOOKS, 2: ALIKE}
    assert leaks(manifest(item(1, 1, TRAIN), item(2, 2, TRAIN)), looks) == []
    same_patient = manifest(item(1, 1, TRAIN), item(2, 1, TEST, case_id=2))
    assert [leak.kind for leak in leaks(same_patient, looks)] == [LeakKind.PATIENT]


def test_a_pair_is_told_once_and_the_worst_first() -> None:
    split = manifest(
        item(1, 1, TRAIN, image_sha256=SAME_FILE),
        item(2, 2, Split.VALIDATION, image_sha256=SAME_FILE),
        item(3, 2, TEST, case_id=9),
    )
    found = leaks(split, {1: LOOKS, 2: LOOKS, 3: ALIKE})
    assert found == [
        Leak(LeakKind.PATIENT, 2, 2, (Split.VALIDATION, TEST)),
        Leak(LeakKind.SAME_FILE, 1, 2, (TRAIN, Split.VALIDATION)),
        Leak(LeakKind.NEAR_COPY, 1, 3, (TRAIN, TEST), 8),
    ]
