"""The hash that stands for a whole checkpoint: that of its card, which names the hash of its weights."""

import hashlib
import json
from typing import Any

CARD_FILE = "card.json"
WEIGHTS_FILE = "weights.safetensors"


def card_sha256(card: dict[str, Any]) -> str:
    """Hash of a card's content, whatever the order of its keys, without its own `sha256`.

    Raises:
        ValueError: The card holds what JSON cannot say.
    """
    content = {key: value for key, value in card.items() if key != "sha256"}
    try:
        text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    except TypeError as error:
        raise ValueError(f"a card holds plain JSON alone: {error}") from error
    return hashlib.sha256(text.encode("ascii")).hexdigest()
