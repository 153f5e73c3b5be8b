"""The card and its seal."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from colpo_core.errors import CheckpointMismatch
from colpo_core.nets.card import read_card, seal_card
from colpo_core.records.models.card_seal import CARD_FILE, card_sha256


def write(folder: Path, card: dict[str, Any]) -> None:
    (folder / CARD_FILE).write_text(json.dumps(card), encoding="utf-8")


def test_a_sealed_card_is_read_back(tmp_path: Path) -> None:
    card = seal_card({"format_version": 1, "name": "Große Schwester", "metrics": {"iou": 0.1 + 0.2}})
    write(tmp_path, card)
    assert read_card(tmp_path) == card


def test_the_hash_knows_no_order_but_every_value() -> None:
    assert card_sha256({"a": 1, "b": 2}) == card_sha256({"b": 2, "a": 1})
    assert card_sha256({"a": 1, "b": 2}) != card_sha256({"a": 1, "b": 3})


def test_a_changed_card_is_told(tmp_path: Path) -> None:
    write(tmp_path, seal_card({"format_version": 1, "threshold": 0.5}) | {"threshold": 0.1})
    with pytest.raises(CheckpointMismatch, match="changed after it was written"):
        read_card(tmp_path)


def test_a_newer_format_asks_for_a_newer_program(tmp_path: Path) -> None:
    write(tmp_path, seal_card({"format_version": 2}))
    with pytest.raises(CheckpointMismatch, match=r"newer version of the program .* Update the program"):
        read_card(tmp_path)
    write(tmp_path, seal_card({"format_version": 0}))
    with pytest.raises(CheckpointMismatch, match="never released"):
        read_card(tmp_path)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"{}", b'"card"', b"\xff\xfe", b'{"format_version": "1"}'])
def test_what_is_no_card_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / CARD_FILE).write_bytes(content)
    with pytest.raises(CheckpointMismatch, match="back-up"):
        read_card(tmp_path)


def test_a_missing_card_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointMismatch, match=r"no readable card\.json"):
        read_card(tmp_path / "nowhere")


def test_a_card_holds_plain_json_alone() -> None:
    with pytest.raises(ValueError, match="plain JSON"):
        seal_card({"path": Path()})
    with pytest.raises(ValueError, match="not JSON compliant"):
        seal_card({"loss": float("nan")})


def test_reading_a_card_imports_no_torch() -> None:
    rooms = "colpo_core.nets.card, colpo_core.nets.spec, colpo_core.records.models.networks, colpo_core.images.maps"
    code = f"import sys, {rooms}; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
