import json
from dataclasses import replace
from typing import Any

import pytest

from colpo_core.datasets.manifest import LeftOut, Manifest
from colpo_core.errors import SnapshotMismatch
from colpo_core.terms import Grade, Label, MaskOrigin, MaskPolicy, Split
from tests.support.manifests import item, manifest, without_mask


def test_comes_back_from_its_bytes_equal_and_with_its_hash() -> None:
    written = manifest(
        item(1),
        item(2, label=None, grade=None),
        without_mask(item(3, label=Label.NORMAL, split=Split.TEST)),
        left_out=(LeftOut("image", 9, "no label"),),
    )
    read = Manifest.from_json(written.to_json())
    assert read == written
    assert read.sha256 == written.sha256
    assert read.to_json() == written.to_json()


def test_the_order_given_does_not_change_the_hash_but_the_content_does() -> None:
    gone = (LeftOut("image", 9, "no label"), LeftOut("case", 2, "no histology"))
    assert manifest(item(1), item(2), left_out=gone).sha256 == manifest(item(2), item(1), left_out=gone[::-1]).sha256
    assert manifest(item(1), item(2)).sha256 != manifest(item(1), item(2, split=Split.TEST)).sha256


def test_counts_say_what_stands_where() -> None:
    counts = manifest(
        item(1, case_id=1, patient_id=1),
        without_mask(item(2, case_id=1, patient_id=1)),
        item(3, label=Label.NORMAL, split=Split.TEST, simulated=True),
        item(4, label=None, split=Split.VALIDATION),
        left_out=(LeftOut("image", 9, "no label"), LeftOut("image", 10, "no label"), LeftOut("case", 1, "excluded")),
    ).counts()
    assert counts["images"] == {"total": 4, "train": 2, "validation": 1, "test": 1}
    assert counts["cases"] == {"total": 3, "train": 1, "validation": 1, "test": 1}
    assert counts["patients"]["train"] == 1
    assert counts["masks"] == {"total": 3, "train": 1, "validation": 1, "test": 1}
    assert counts["labels"]["train"] == {"normal": 0, "hsil": 2, "none": 0}
    assert counts["case_labels"]["train"] == {"normal": 0, "hsil": 1, "none": 0}
    assert counts["labels"]["validation"] == {"normal": 0, "hsil": 0, "none": 1}
    assert counts["left_out"] == {"excluded": 1, "no label": 2}
    assert counts["simulated"] == 1
    assert json.loads(json.dumps(counts)) == counts


@pytest.mark.parametrize(
    "changes",
    [
        {"label": None, "mask_sha256": None, "mask_origin": None},
        {"mask_origin": None},
        {"image_sha256": "not a hash"},
        {"width_px": 0},
    ],
)
def test_an_item_that_makes_no_sense_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="image 1"):
        item(1, **changes)


def test_items_that_contradict_each_other_are_refused() -> None:
    with pytest.raises(ValueError, match="image 1 stands twice"):
        manifest(item(1), item(1))
    with pytest.raises(ValueError, match="case 7 has more than one label"):
        manifest(
            item(1, case_id=7, patient_id=1), item(2, case_id=7, patient_id=1, label=Label.NORMAL, grade=Grade.CIN1)
        )
    with pytest.raises(ValueError, match="case 7 has more than one patient"):
        manifest(item(1, case_id=7), item(2, case_id=7))


def test_left_out_is_of_a_known_kind() -> None:
    with pytest.raises(ValueError, match="patient"):
        LeftOut("patient", 1, "")


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{}", b"\xff", b'{"format": 1, "items": [{"image_id": 1}], "left_out": []}']
)
def test_what_is_no_manifest_is_refused(content: bytes) -> None:
    with pytest.raises(SnapshotMismatch, match="damaged"):
        Manifest.from_json(content)


def test_another_format_is_refused_by_name() -> None:
    values = json.loads(manifest(item(1)).to_json()) | {"format": 99}
    with pytest.raises(SnapshotMismatch, match="format 99"):
        Manifest.from_json(json.dumps(values).encode())


def test_what_an_older_version_froze_keeps_its_hash() -> None:
    """The hash is the one that the first release of the format gave."""
    written = manifest(item(1), item(2, label=None, grade=None), left_out=(LeftOut("image", 9, "no label"),))
    assert written.sha256 == "1063003b92ee5e165d494a7b983f345a85675c497ec6eb6865c18ee975b78722"
    content = json.loads(written.to_json())
    assert content["format"] == 1
    assert "mask_policy" not in content
    assert Manifest.from_json(written.to_json()).mask_policy is MaskPolicy.NEWEST


def test_the_mask_policy_comes_back_and_is_part_of_the_hash() -> None:
    plain = manifest(item(1), item(2))
    hashes = {plain.sha256}
    for changes in (
        {"mask_policy": MaskPolicy.MAJORITY},
        {"mask_policy": MaskPolicy.STAPLE},
        {"mask_policy": MaskPolicy.ADJUDICATED},
        {"mask_policy": MaskPolicy.ANNOTATOR, "mask_annotator_id": 3},
        {"mask_policy": MaskPolicy.ANNOTATOR, "mask_annotator_id": 4},
    ):
        written = replace(plain, **changes)  # type: ignore[arg-type]
        assert json.loads(written.to_json())["format"] == 2
        assert Manifest.from_json(written.to_json()) == written
        hashes.add(written.sha256)
    assert len(hashes) == 6
    without = json.loads(replace(plain, mask_policy=MaskPolicy.STAPLE).to_json())
    del without["mask_policy"]
    with pytest.raises(SnapshotMismatch, match="damaged"):
        Manifest.from_json(json.dumps(without).encode())


@pytest.mark.parametrize("changes", [{"mask_policy": MaskPolicy.ANNOTATOR}, {"mask_annotator_id": 3}])
def test_an_annotator_is_named_for_one_annotators_masks_alone(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="annotator"):
        replace(manifest(item(1)), **changes)


def test_masks_are_counted_by_their_origin() -> None:
    counts = manifest(
        item(1, mask_origin=MaskOrigin.MAJORITY),
        item(2, mask_origin=MaskOrigin.MAJORITY, split=Split.TEST),
        item(3),
        without_mask(item(4)),
    ).counts()
    assert counts["masks_by_origin"] == {
        "painted": {"total": 1, "train": 1, "validation": 0, "test": 0},
        "majority": {"total": 2, "train": 1, "validation": 0, "test": 1},
    }
