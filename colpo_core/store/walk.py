"""The walk over all files that a store's rows name: each is looked for and held against its hash.

Checks, back-ups and restored copies rest on it, so that they ask what ought to be there and not what is there.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from colpo_core.records.models.card_seal import CARD_FILE, WEIGHTS_FILE, card_sha256
from colpo_core.store.blobs import file_sha256
from colpo_core.store.shared_files import BLOBS, CHECKPOINTS, blob_place

Ask = Callable[[str], Iterable[Any]]
"""Asks a database in SQL and gives rows, each as a sequence."""
_NAMED_BLOBS = (
    "SELECT sha256, 'the photograph of image ' || id || ' in case ' || case_id FROM images",
    "SELECT sha256, 'the list of images of snapshot ' || id FROM snapshots",
    "SELECT maps_sha256, 'the maps of prediction ' || id || ' of image ' || image_id FROM predictions",
    "SELECT acetowhite_sha256, 'the probabilities of prediction ' || id || ' of image ' || image_id FROM predictions "
    "WHERE acetowhite_sha256 IS NOT NULL",
)


class FileState(StrEnum):
    """How a file was found."""

    WHOLE = "whole"
    MISSING = "missing"
    DAMAGED = "damaged"


@dataclass(frozen=True)
class NamedFile:
    """A file that a row names.

    Attributes:
        place: Below the store's folder, with slashes.
        sha256: Of its content; of a checkpoint's card the hash that the card is sealed with.
        what: What it is, in words: `the photograph of image 3 in case 2`.
    """

    place: str
    sha256: str
    what: str


def named_files(ask: Ask, *roots: Path) -> Iterator[NamedFile]:
    """All files that the rows of a database name, each once.

    Args:
        ask: Asks the database.
        roots: The store's folder and those of its copies: the first that has a checkpoint's whole card tells the hash
            of its weights.
    """
    yield from named_blobs(ask)
    for name, sha256 in ask("SELECT name, sha256 FROM checkpoints ORDER BY id"):
        place = f"{CHECKPOINTS}/{name}/{CARD_FILE}"
        yield NamedFile(place, sha256, f"the card of checkpoint {name}")
        weights = next((found for root in roots if (found := _weights_sha256(root / place, sha256))), None)
        if weights:
            yield NamedFile(f"{CHECKPOINTS}/{name}/{WEIGHTS_FILE}", weights, f"the weights of checkpoint {name}")


def named_blobs(ask: Ask) -> Iterator[NamedFile]:
    """The content-addressed files that rows name, each once."""
    seen = set()
    for query in _NAMED_BLOBS:
        for sha256, what in ask(query):
            if sha256 not in seen:
                seen.add(sha256)
                yield NamedFile(blob_place(sha256), sha256, what)


def state_of(root: Path, file: NamedFile) -> FileState:
    """Look a file up below a folder and read all of it."""
    path = root / file.place
    try:
        if path.name == CARD_FILE:
            return FileState.WHOLE if _weights_sha256(path, file.sha256) else _present(path)
        found = file_sha256(path)
    except FileNotFoundError:
        return FileState.MISSING
    except OSError:  # the disk cannot read it
        return FileState.DAMAGED
    return FileState.WHOLE if found == file.sha256 else FileState.DAMAGED


def unnamed_files(root: Path, named: Iterable[str]) -> Iterator[str]:
    """Files of images, maps and checkpoints below a folder that no row names, by their places.

    Args:
        root: The store's folder.
        named: The places of those that rows name.
    """
    known = set(named)
    for part in (BLOBS, CHECKPOINTS):
        for path in sorted((root / part).rglob("*")):
            place = path.relative_to(root).as_posix()
            if path.is_file() and place not in known:
                yield place


def _present(path: Path) -> FileState:
    return FileState.DAMAGED if path.exists() else FileState.MISSING


def _weights_sha256(path: Path, sha256: str) -> str | None:
    """The hash of the weights that a card names; None where the card is not the one that was sealed."""
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
        if card["sha256"] == sha256 == card_sha256(card):
            return str(card["weights_sha256"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return None
