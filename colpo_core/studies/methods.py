"""Which version of the statistical methods this program has, and what changed with each: for a report made anew."""

METHODS_VERSION = 2
"""Rises when a figure of a study is computed otherwise than before; a study's closing keeps the one of then."""

CHANGES: tuple[tuple[int, str], ...] = (
    (
        2,
        "By the paper's protocol a model has learned from all cases of its snapshot: those of the test side, and other "
        "cases of their patients, are no longer among the unseen cases on which it is compared.",
    ),
    (
        2,
        "A reader who was taken off the study without having read anything no longer counts among those who have not "
        "read every case.",
    ),
)
"""Since which version, and what is computed otherwise, as a sentence."""


def changes_since(version: int) -> tuple[str, ...]:
    """What is computed otherwise than by an older version of the methods, a sentence each."""
    return tuple(sentence for since, sentence in CHANGES if since > version)
