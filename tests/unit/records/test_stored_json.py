"""What earlier versions have stored is read by this one, and written again to the byte: hashes and seals still fit."""

import json
from pathlib import Path
from typing import Any

import pytest

from colpo_core.datasets.manifest import Manifest
from colpo_core.errors import CheckpointMismatch, InputRejected, SnapshotMismatch
from colpo_core.nets.card import seal_card
from colpo_core.nets.spec import PipelineSpec
from colpo_core.records.cases.lists import from_words, to_words
from colpo_core.records.snapshots.shortcuts import ShortcutReport
from colpo_core.records.snapshots.snapshots import SnapshotQuery
from colpo_core.records.typed_json import canonical_json, from_values, to_values
from colpo_core.studies.design import DesignCase, DesignCheckpoint, DesignImage, StoredImage, StudyDesign, stored_design
from colpo_core.terms import Arm, Label, LabelSource, Stage

STORED = Path(__file__).parents[2] / "support" / "stored"


def stored(name: str) -> bytes:
    return (STORED / f"{name}.json").read_bytes()


def values(name: str) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(stored(name))
    return read


@pytest.mark.parametrize(
    ("name", "sha256"),
    [
        ("manifest-1", "8464009499a5087e71dfa44ba4b3f7bbbebad77e993daa63b861daed50483248"),
        ("manifest-2", "68770e4cc45a69db6648a97f5a346e065bb72b7f9a47d0fe635f89f61e5f509a"),
        ("manifest-3", "dcb2f244a0499b6016bc8006e4c661827ec9954c9efb50e232da3ad2d28ebaec"),
    ],
)
def test_manifests_of_all_formats_keep_their_bytes_and_hash(name: str, sha256: str) -> None:
    manifest = Manifest.from_json(stored(name))
    assert manifest.to_json() == stored(name)
    assert manifest.sha256 == sha256


@pytest.mark.parametrize(
    "change",
    [
        {"items": [{}]},
        {"items": 3},
        {"label_source": "rumour"},
        {"seed": "7"},
        {"fractions": [0.5, 0.5]},
        {"left_out": [{"what": "image", "id": 1, "reason": "x", "by": "y"}]},
        {"left_out": [{"what": "patient", "id": 1, "reason": "x"}]},
        {"mask_policy": "newest", "mask_annotator_id": None},
    ],
)
def test_a_manifest_of_other_values_is_refused_as_damaged(change: dict[str, Any]) -> None:
    with pytest.raises(SnapshotMismatch, match="damaged or not a snapshot"):
        Manifest.from_json(canonical_json(values("manifest-1") | change))


def design_of(name: str) -> StudyDesign:
    """The design of stored values, as a service makes it of tables and of what the store keeps as JSON."""
    content = values(name)
    read = stored_design(content)
    return StudyDesign(
        name=content["name"],
        question=content["question"],
        chosen_by=read.chosen_by,
        left_out=read.left_out,
        seed=content["seed"],
        rules_versions=read.rules_versions,
        cases=tuple(DesignCase(**case | {"truth": Label(case["truth"])}) for case in content["cases"]),
        reader_ids=tuple(content["reader_ids"]),
        checkpoints=tuple(DesignCheckpoint(**compared) for compared in content["checkpoints"]),
        label_source=LabelSource(content["label_source"]),
        arm=Arm(content["arm"]),
        plan=read.plan,
        practice=tuple(DesignCase(**case | {"truth": Label(case["truth"])}) for case in content.get("practice", ())),
        others=tuple(DesignImage(**image | {"stage": Stage(image["stage"])}) for image in content.get("others", ())),
    )


@pytest.mark.parametrize(
    ("name", "seal"),
    [
        ("design-before-plans", "12328956354fa22ab7c21412e773e135da6a058246da55104c76f4dde0779f43"),
        ("design-plain-plan", "cd7aad073ab704cf33fddce594c30c4816a5224c87f8cdbad967ed6d6f46102b"),
        ("design-aided", "3a64acd2467ba682b96e57af5cc6585d12fcec11f6825eb9f59a5a7e17e6d0b4"),
    ],
)
def test_sealed_designs_keep_their_bytes_and_seal(name: str, seal: str) -> None:
    design = design_of(name)
    assert design.to_json() == stored(name)
    assert design.sha256 == seal
    assert stored_design(design.to_dict()) == stored_design(values(name))
    assert stored_design(values(name)).others == tuple(StoredImage(image.image_id) for image in design.others)


@pytest.mark.parametrize("change", [{"chosen_by": None}, {"left_out": [["x", "2"]]}, {"plan": {"aid": "sometimes"}}])
def test_a_design_of_other_values_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(InputRejected, match="This is not the design of a study"):
        stored_design(values("design-aided") | change)


def test_a_card_with_its_pipeline_keeps_its_hash() -> None:
    card = values("card")
    spec = PipelineSpec.from_dict(card["spec"])
    assert spec == PipelineSpec.from_dict(values("spec"))
    sealed = seal_card({**card, "spec": spec.to_dict()})
    assert sealed["sha256"] == "e92fbf5374fd614ee2e957be61350ae56de7bac462c2b2d102d2a3d9cf929694" == card["sha256"]


def test_a_pipeline_of_an_earlier_card_has_what_was_then_the_only_way() -> None:
    spec = PipelineSpec.from_dict(values("spec-early"))
    assert (spec.threshold_4ch, spec.temperature_3ch, spec.mask_highlights, spec.intercept_4ch) == (1e-05, 1, False, 0)
    with pytest.raises(CheckpointMismatch, match=r"describes no pipeline: .*mask_highlights"):
        PipelineSpec.from_dict(values("spec") | {"mask_highlights": "no"})


def test_shortcuts_rules_and_views_come_back_as_they_were_stored() -> None:
    report = from_values(ShortcutReport, values("shortcuts"), name="a report")
    assert {"key": "f" * 64} | to_values(report) == values("shortcuts")
    assert report.clues[0].accused
    query = from_values(SnapshotQuery, values("retraining-query") | {"name": "x"}, name="a query")
    assert {name: to_values(query)[name] for name in values("retraining-query")} == values("retraining-query")
    assert to_words(*from_words(values("view"))) == values("view")
