"""A checkpoint's card: what its weights are, what made them, and a seal over all of it. Imports no torch.

A checkpoint is a folder with `weights.safetensors` and `card.json`. The card names the weights' SHA-256, and its
own `sha256` is the hash of everything else in it; so that one hash stands for the whole checkpoint.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

from colpo_core.errors import CheckpointMismatch
from colpo_core.records.models.card_seal import CARD_FILE, card_sha256

FORMAT_VERSION = 1
RESERVED = ("format_version", "spec", "weights_sha256", "sha256")
"""Keys that saving a checkpoint fills in."""

_MAX_CARD_BYTES = 16 * 1024 * 1024


def seal_card(card: dict[str, Any]) -> dict[str, Any]:
    """The card with the hash of its content under `sha256`.

    Raises:
        ValueError: The card holds what JSON cannot say, such as a number that is not finite.
    """
    return {**card, "sha256": card_sha256(card)}


def read_card(folder: Path) -> dict[str, Any]:
    """Read and check a checkpoint's card; the weights are not looked at.

    Raises:
        CheckpointMismatch: The card is missing, damaged, changed since it was sealed, or of another format.
    """
    path = folder / CARD_FILE
    try:
        if path.stat().st_size > _MAX_CARD_BYTES:
            raise CheckpointMismatch(f"The checkpoint's card in {folder.name} is too large to be one.")
        card = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CheckpointMismatch(
            f"The checkpoint {folder.name} has no readable {CARD_FILE}. Restore its folder from a back-up."
        ) from error
    except ValueError as error:
        raise CheckpointMismatch(
            f"The card of checkpoint {folder.name} is damaged. Restore its folder from a back-up."
        ) from error
    return _checked(card, folder.name)


def file_sha256(path: Path) -> str:
    """SHA-256 of a file, read piece by piece.

    Raises:
        OSError: The file cannot be read.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _checked(card: object, name: str) -> dict[str, Any]:
    if not isinstance(card, dict) or not isinstance(card.get("format_version"), int):
        raise CheckpointMismatch(f"The card of checkpoint {name} is not one. Restore its folder from a back-up.")
    version = card["format_version"]
    if version > FORMAT_VERSION:
        raise CheckpointMismatch(
            f"Checkpoint {name} was written by a newer version of the program (format {version}; this one reads "
            f"{FORMAT_VERSION}). Update the program."
        )
    if version < FORMAT_VERSION:
        raise CheckpointMismatch(f"Checkpoint {name} has format {version}, which was never released. Train again.")
    if card.get("sha256") != card_sha256(card):
        raise CheckpointMismatch(
            f"The card of checkpoint {name} was changed after it was written. Restore its folder from a back-up."
        )
    return card
