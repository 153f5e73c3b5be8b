"""No figure of the paper's protocol stands without its leak, and none of ours without what it rests on."""

import csv
import io
import json
from dataclasses import replace

from colpo_core.exchange.reproduction_report import (
    reproduction_csv,
    reproduction_json,
    reproduction_marks,
    reproduction_text,
)
from colpo_core.records.training.settings import preset
from colpo_core.terms import LabelSource
from tests.support.reproduced import LEAK, reproduced


def test_the_published_figure_stands_beside_ours_by_both_protocols() -> None:
    lines = reproduction_text(reproduced()).splitlines()
    (row,) = [line for line in lines if line.startswith("ResNet-18, 4 channels  accuracy")]
    cells = [cell.strip() for cell in row.split("  ") if cell.strip()]
    assert cells[2] == "74.8%"
    assert cells[3].startswith("95.0% (57/60; ")
    assert [cell.split(";")[0] for cell in cells[4:]] == ["68.3% (41/60"] * 2
    (row,) = [line for line in lines if line.startswith("IoU of acetowhite")]
    assert [cell.strip()[:4] for cell in row.split("  ") if cell.strip()] == ["IoU ", "0.51", "0.75", "0.38"]


def test_every_figure_of_the_papers_protocol_says_that_it_leaks_and_no_other_does() -> None:
    text = reproduction_text(reproduced())
    assert text.count(f"LEAKS: {LEAK}") == text.count("Fig. ") == 3
    cells = [cell.strip() for line in text.splitlines() for cell in line.split("  ") if "(" in cell and "/" in cell]
    of_paper = [cell for cell in cells if "57/60" in cell]
    assert len(of_paper) == 2
    assert all(cell.endswith(") LEAKS") for cell in of_paper)
    of_patients = [cell for cell in cells if cell.startswith("68.3% (41/60") and "LEAKS" not in cell]
    # Accuracy by image and by case with 3 and 4 channels, and NPV by image and by case.
    assert len(of_patients) == 6
    masks = [line for line in text.splitlines() if line.startswith(("accuracy of", "IoU of"))]
    assert [line.count("LEAKS") for line in masks] == [1] * 4
    assert all(line.index("0.75 (") < line.index("LEAKS") < line.index("0.38 (") for line in masks)


def test_the_marks_stand_over_every_table() -> None:
    headings = [line for line in reproduction_text(reproduced()).splitlines() if line.startswith("Fig. ")]
    assert len(headings) == 3
    assert all("not histology; SIMULATED images" in line for line in headings)
    assert reproduction_marks(reproduced(label_source=LabelSource.HISTOLOGY, simulated=False)) == "labels by histology"


def test_experts_and_what_is_not_defined_are_told() -> None:
    text = reproduction_text(reproduced(classifiers=("timm_convnext_tiny",)))
    assert "expert 1 74.6%, expert 2 73.0%" in text
    assert "expert 1 67.8%, expert 2 71.4%" in text
    assert "not defined (0/0) LEAKS" in text
    (row,) = [line for line in text.splitlines() if line.startswith("ConvNeXt-T, 3 channels")]
    assert "accuracy  -  " in row


def test_the_csv_holds_one_figure_a_row_with_its_leak() -> None:
    rows = list(csv.DictReader(io.StringIO(reproduction_csv(reproduced(classifiers=("resnet18", "resnet50"))))))
    assert len(rows) == 2 * 4 + 2 * 2 * 3 * (1 + 4)
    assert {row["leaks"] for row in rows if row["protocol"] == "paper"} == {LEAK}
    assert {row["leaks"] for row in rows if row["protocol"] == "patient"} == {""}
    assert {(row["label_source"], row["simulated"]) for row in rows} == {("impression", "true")}
    wanted = {"figure": "7a", "protocol": "paper", "classifier": "resnet50", "channels": "4", "level": "image"}
    (row,) = [row for row in rows if wanted.items() <= row.items()]
    assert (row["published"], row["value"], row["k"], row["n"], row["n_patients"]) == (
        "0.763",
        "0.95",
        "57",
        "60",
        "30",
    )
    missing = [row for row in rows if row["measure"] == "ppv"]
    assert {(row["published"], row["value"], row["low"]) for row in missing} == {("", "", "")}


def test_the_json_carries_the_leak_in_each_block() -> None:
    found = json.loads(reproduction_json(reproduced()))
    assert found["snapshot_sha256"] == "ab" * 32
    blocks = [*found["masks"], *found["calls"]]
    assert {(block["protocol"], block["leaks"]) for block in blocks} == {("paper", LEAK), ("patient", "")}
    assert all("SIMULATED" in block["marks"] for block in blocks)
    assert found["published"]["accuracy"][0] == {"classifier": "resnet18", "channels": 3, "value": 0.702}


def test_a_protocol_that_is_missing_leaves_its_column_empty() -> None:
    whole = reproduced()
    part = replace(whole, masks=whole.masks[:1], calls=tuple(one for one in whole.calls if one.protocol == "patient"))
    assert "57/60" not in reproduction_text(part)
    assert "41/60" in reproduction_text(part)


def test_it_says_what_the_figures_were_learned_with() -> None:
    settings = preset("quick", pretrained="imagenet", seed=3).to_dict()
    lines = reproduction_text(replace(reproduced(), settings=settings)).splitlines()
    (line,) = [line for line in lines if line.startswith("Both protocols")]
    assert "preset “quick”: 128 x 96 pixels" in line
    assert "at 0.25 of its width for up to 40 epochs, classifiers for up to 10, pretrained weights, seed 3" in line
    other = replace(reproduced(), settings=preset("quick", segmenter="unet_resnet34").to_dict())
    assert "of its width" not in reproduction_text(other)
    assert "no pretrained weights" in reproduction_text(other)
