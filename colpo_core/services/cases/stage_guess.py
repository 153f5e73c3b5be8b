"""The stage that a file's name speaks of: one guess for the page and the commands."""

import re

from colpo_core.terms import Stage

# Beginnings of words, in the languages of the collections that are met; a short one must be the whole word.
_BEGINNINGS = {
    Stage.LUGOL: ("lugol", "iodin", "iode", "jod", "yodo", "schiller", "루골", "요오드"),
    Stage.GREEN_FILTER: ("green", "gruen", "grün", "grun", "vert", "verde", "녹색"),
    Stage.NATIVE: ("nativ", "saline", "kochsalz", "생리식염수"),
    Stage.ACETIC_ACID: ("acet", "essig", "초산"),
}
_WORDS = {
    Stage.LUGOL: {"iod", "vili"},
    Stage.GREEN_FILTER: {"gf"},
    Stage.NATIVE: {"nacl"},
    Stage.ACETIC_ACID: {"aa", "via"},
}
_TOKENS = re.compile(r"[^\W\d_]+")
_CAMEL = re.compile(r"(?<=[a-zäöüß])(?=[A-ZÄÖÜ])")


def guess_stage(name: str) -> Stage | None:
    """The stage that a file's name speaks of, or else the folder's that it lies in; None where they say nothing.

    Whole words and beginnings of words count, so that no period becomes iodine. Where a name speaks of several
    stages it says nothing.

    Args:
        name: Name of the file, with the folders above it or without.
    """
    for part in reversed(name.replace("\\", "/").split("/")):
        words = [word.lower() for word in _TOKENS.findall(_CAMEL.sub(" ", part))]
        stages = {
            stage
            for stage in Stage
            if any(word in _WORDS[stage] or word.startswith(_BEGINNINGS[stage]) for word in words)
        }
        if stages:
            return stages.pop() if len(stages) == 1 else None
    return None
