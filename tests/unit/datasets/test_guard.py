import pytest

from colpo_core.datasets.guard import Leak, LeakKind, check_leakage, leaks
from colpo_core.datasets.manifest import Manifest, ManifestItem
from colpo_core.errors import LeakageFound
from colpo_core.terms import Label, LabelSource, Split


def item(image_id: int, patient_id: int, split: Split, *, case_id: int | None = None, file: int = 0) -> ManifestItem:
    return ManifestItem(
        image_sha256=f"{file or image_id:064x}",
        image_id=image_id,
        case_id=case_id or patient_id,
        patient_id=patient_id,
        split=split,
        width_px=4,
        height_px=4,
        label=Label.NORMAL,
        grade=None,
        mask_sha256=None,
        mask_origin=None,
        simulated=False,
    )


def manifest(*items: ManifestItem) -> Manifest:
    return Manifest(items, (), LabelSource.HISTOLOGY, "kim-2022.1", 0, (0.7, 0.15, 0.15))


def test_a_clean_split_passes() -> None:
    check_leakage(
        manifest(
            item(1, 1, Split.TRAIN), item(2, 1, Split.TRAIN, case_id=9), item(3, 3, Split.TEST), item(4, 4, Split.TEST)
        )
    )


def test_the_same_file_twice_on_one_side_is_no_leak() -> None:
    check_leakage(manifest(item(1, 1, Split.TRAIN, file=77), item(2, 2, Split.TRAIN, file=77)))


def test_a_patient_on_two_sides_is_named() -> None:
    with pytest.raises(LeakageFound, match="patient 7 stands in train and in test"):
        check_leakage(manifest(item(1, 7, Split.TEST, case_id=1), item(2, 7, Split.TRAIN, case_id=2)))


def test_a_case_on_two_sides_is_named() -> None:
    with pytest.raises(LeakageFound, match="case 7 stands in validation and in test"):
        check_leakage(manifest(item(1, 7, Split.TEST), item(2, 7, Split.VALIDATION)))


def test_one_file_under_two_patients_on_two_sides_is_named() -> None:
    with pytest.raises(LeakageFound, match="image 1 in train is the same file as image 2 in test"):
        check_leakage(manifest(item(1, 1, Split.TRAIN, file=77), item(2, 2, Split.TEST, file=77)))


def test_many_leaks_are_counted_not_listed() -> None:
    items = [item(n, n // 2, Split.TRAIN if n % 2 else Split.TEST, case_id=n) for n in range(100, 140)]
    with pytest.raises(LeakageFound, match="and 15 more"):
        check_leakage(manifest(*items))


LOOKS = "0f" * 192
ALIKE = ("0e" * 8 + "0f" * 24) * 6  # 8 bits away
OTHER = "33" * 192


def test_a_near_copy_of_another_patients_image_is_named_with_its_distance() -> None:
    split = manifest(item(1, 1, Split.TRAIN), item(2, 2, Split.TEST), item(3, 3, Split.TEST))
    looks = {1: LOOKS, 2: ALIKE, 3: OTHER}
    with pytest.raises(
        LeakageFound, match=r"image 1 in train is a near copy of image 2 in test \(8 of 256 bits differ\)"
    ):
        check_leakage(split, looks)
    assert leaks(split, looks) == [Leak(LeakKind.NEAR_COPY, 1, 2, (Split.TRAIN, Split.TEST), 8)]
    assert leaks(split) == []
    assert leaks(split, {1: LOOKS, 3: OTHER}) == [], "an image whose looks are not known is not compared"


def test_near_copies_on_one_side_or_of_one_patient_are_no_leak() -> None:
    looks = {1: LOOKS, 2: ALIKE}
    assert leaks(manifest(item(1, 1, Split.TRAIN), item(2, 2, Split.TRAIN)), looks) == []
    same_patient = manifest(item(1, 1, Split.TRAIN), item(2, 1, Split.TEST, case_id=2))
    assert [leak.kind for leak in leaks(same_patient, looks)] == [LeakKind.PATIENT]


def test_a_pair_is_told_once_and_the_worst_first() -> None:
    split = manifest(
        item(1, 1, Split.TRAIN, file=77), item(2, 2, Split.VALIDATION, file=77), item(3, 2, Split.TEST, case_id=9)
    )
    found = leaks(split, {1: LOOKS, 2: LOOKS, 3: ALIKE})
    assert found == [
        Leak(LeakKind.PATIENT, 2, 2, (Split.VALIDATION, Split.TEST)),
        Leak(LeakKind.SAME_FILE, 1, 2, (Split.TRAIN, Split.VALIDATION)),
        Leak(LeakKind.NEAR_COPY, 1, 3, (Split.TRAIN, Split.TEST), 8),
    ]
