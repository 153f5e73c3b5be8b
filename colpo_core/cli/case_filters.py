"""The options by which commands find cases."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import click

from colpo_core.cli.option_types import WordType, options
from colpo_core.records.cases.lists import AnnotationNeed, CaseFilter, LabelChoice, from_words
from colpo_core.terms import Grade


def _pairs(_context: click.Context, _option: click.Parameter, given: tuple[str, ...]) -> dict[str, str]:
    pairs = [option.partition("=") for option in given]
    for name, equals, _word in pairs:
        if not equals:
            raise click.BadParameter(f"write it as NAME=WORD, such as model=wrong, not {name!r}")
    return {name: word for name, _equals, word in pairs}


filter_options = options(
    click.option("--patient", default="", help="Only cases whose patient's code begins so."),
    click.option("--grade", type=WordType(Grade), help="Only cases of this grade."),
    click.option("--label", type=WordType(LabelChoice), help="Only cases of this label."),
    click.option("--annotation", type=WordType(AnnotationNeed), help="Only cases annotated this far."),
    click.option("--simulated/--photographed", default=None, help="Only drawn cases, or only others."),
    click.option(
        "--where",
        multiple=True,
        metavar="NAME=WORD",
        callback=_pairs,
        help="As in the list's address: model, flip, uncertain, dice, review, reviewer, device, from, to, month.",
    ),
)
"""The options that `filter_of` reads."""


def filter_of(wishes: Mapping[str, Any]) -> CaseFilter:
    """The filter that a command was given.

    Raises:
        InputRejected: A word of `--where` cannot stand there.
    """
    where, _sort = from_words(wishes["where"])
    given = {
        "patient_code": wishes["patient"] or None, "grade": wishes["grade"], "label": wishes["label"],
        "annotation": wishes["annotation"], "simulated": wishes["simulated"],
    }  # fmt: skip
    return replace(where, **{name: value for name, value in given.items() if value is not None})
