import pytest

from colpo_core.datasets.guard import check_leakage
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
