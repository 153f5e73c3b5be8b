"""A store whose every row names a file that is there, and ways to break one."""

import json
from pathlib import Path

from colpo_core.nets.card import file_sha256, seal_card
from colpo_core.records.models.card_seal import CARD_FILE, WEIGHTS_FILE
from colpo_core.services.common.callers import Caller
from colpo_core.store import Store
from colpo_core.store.tables import Checkpoint
from tests.support.clinic import PredictedClinic, make_card


def whole_clinic(administrator: Caller) -> PredictedClinic:
    """Three predicted cases, with the files of the checkpoint too."""
    desk = PredictedClinic(administrator)
    write_checkpoint(administrator.store, desk.checkpoint_id)
    return desk


def write_checkpoint(store: Store, checkpoint_id: int) -> Path:
    """Lay a checkpoint's weights and sealed card where its row says; returns its folder."""
    with store.writing() as session:
        row = session.get_one(Checkpoint, checkpoint_id)
        folder = store.settings.checkpoints_dir / row.name
        folder.mkdir(parents=True)
        (folder / WEIGHTS_FILE).write_bytes(b"w" * 1000)
        weights = {"weights_sha256": file_sha256(folder / WEIGHTS_FILE), "format_version": 1, "spec": {}}
        card = seal_card({**make_card(), **weights})
        (folder / CARD_FILE).write_text(json.dumps(card))
        row.card, row.sha256 = card, card["sha256"]
    return folder


def rot(path: Path) -> None:
    """Change one byte of a file in place; its length stays."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def swap(first: Path, second: Path) -> None:
    """Let two files hold each what the other held."""
    held = first.read_bytes()
    first.write_bytes(second.read_bytes())
    second.write_bytes(held)
