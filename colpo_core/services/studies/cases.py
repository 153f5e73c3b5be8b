"""Which cases a study can show, and which of them a checkpoint has seen in its training."""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from colpo_core.errors import InputRejected
from colpo_core.labels import GRADE_NAMES
from colpo_core.records.studies.designs import CaseChoice, CaseSource
from colpo_core.services.snapshots.learned import patients_met
from colpo_core.services.snapshots.rows import read_manifest
from colpo_core.store import Store
from colpo_core.store.facts import find_row
from colpo_core.store.tables import Case, CaseLabel, Checkpoint, Image, Snapshot
from colpo_core.studies.design import MOST_CASES, DesignCase
from colpo_core.terms import Grade, LabelSource, Split

NO_CASE = "no such case"
NO_LABEL = "no label by histology"
NO_IMAGE = "no acetic-acid image that shows the cervix"
SIMULATED = "simulated"
PRACTICE = "practised with"


@dataclass(frozen=True)
class EligibleCase:
    """A case that a reader can read, with the image that is shown for it."""

    case: DesignCase
    patient_id: int
    rules_version: str
    simulated: bool


@dataclass(frozen=True)
class ChosenCases:
    """What a choice gives.

    Attributes:
        eligible: Cases that can be read, by rising number.
        left_out: Cases that were asked for and cannot, by reason.
        chosen_by: The choice in words.
    """

    eligible: tuple[EligibleCase, ...]
    left_out: tuple[tuple[str, int], ...]
    chosen_by: str


def choose_cases(store: Store, session: Session, choice: CaseChoice) -> ChosenCases:
    """Find the cases of a choice.

    Raises:
        InputRejected: The choice names no snapshot, or more cases than a study takes.
        NotFound: The snapshot is not in the store.
    """
    wanted: frozenset[int] | None = None
    words = "all cases with a label by histology"
    if choice.source is CaseSource.TEST_SPLIT:
        if choice.snapshot_id is None:
            raise InputRejected("Choose the snapshot whose test split is to be read.")
        snapshot = find_row(session, Snapshot, choice.snapshot_id)
        manifest = read_manifest(store, snapshot.sha256)
        wanted = frozenset(item.case_id for item in manifest.of(Split.TEST))
        words = f"test split of snapshot {snapshot.name}"
    elif choice.source is CaseSource.PICKED:
        wanted = frozenset(choice.case_ids)
        words = "picked by number"
    if wanted is not None and len(wanted) > MOST_CASES:
        raise InputRejected(f"A study takes at most {MOST_CASES:,} cases, not {len(wanted):,}. Choose fewer.")
    words += _filter_words(choice)
    return _sort_out(session, wanted, words, include_simulated=choice.include_simulated, choice=choice)


def eligible_now(session: Session, case_ids: Collection[int]) -> tuple[EligibleCase, ...]:
    """Those of some cases that can be read as things stand now."""
    return _sort_out(session, frozenset(case_ids), "", include_simulated=True).eligible


def without_practice(chosen: ChosenCases, practice_case_ids: Collection[int]) -> ChosenCases:
    """A choice without the cases that are practised with, so that no reader knows one of the study's cases."""
    remaining = tuple(eligible for eligible in chosen.eligible if eligible.case.case_id not in practice_case_ids)
    taken = len(chosen.eligible) - len(remaining)
    left_out = (*chosen.left_out, (PRACTICE, taken)) if taken else chosen.left_out
    return ChosenCases(remaining, tuple(sorted(left_out)), chosen.chosen_by)


def practice_cases(session: Session, case_ids: Collection[int]) -> tuple[DesignCase, ...]:
    """Cases to practise with, with the image and the reference standard of each.

    Raises:
        InputRejected: One of them has no label by histology or no acetic-acid image.
    """
    if not case_ids:
        return ()
    cases = tuple(eligible.case for eligible in eligible_now(session, case_ids))
    if len(cases) < len(set(case_ids)):
        raise InputRejected(
            f"{len(set(case_ids)) - len(cases)} of the practice cases have no label by histology or no acetic-acid "
            "image. Choose others."
        )
    return cases


def seen_cases(store: Store, session: Session, checkpoint: Checkpoint, case_ids: Iterable[int]) -> frozenset[int]:
    """Those of some cases that a checkpoint has learned from, or from another case of the same patient.

    By the one rule of `services.snapshots.learned`: a patient counts under whatever code, then and now.

    Raises:
        NotFound: It is not known whom the checkpoint learned from.
    """
    patients = patients_met(store, session, checkpoint.id)
    rows = session.execute(select(Case.id, Case.patient_id).where(Case.id.in_(frozenset(case_ids))))
    return frozenset(case_id for case_id, patient_id in rows if patient_id in patients)


def _filter_words(choice: CaseChoice) -> str:
    said = ""
    if choice.grades:
        grades = sorted(choice.grades, key=list(Grade).index)
        said += f", graded {' or '.join(GRADE_NAMES[grade] for grade in grades)}"
    if choice.examined_from is not None:
        said += f", examined from {choice.examined_from:%Y-%m-%d}"
    if choice.examined_until is not None:
        said += f"{' ' if choice.examined_from else ', examined '}until {choice.examined_until:%Y-%m-%d}"
    return said


def _filtered(choice: CaseChoice) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [CaseLabel.label.is_not(None)]
    if choice.grades:
        conditions.append(CaseLabel.grade.in_(choice.grades))
    if choice.examined_from is not None:
        conditions.append(Case.case_date >= choice.examined_from)
    if choice.examined_until is not None:
        conditions.append(Case.case_date <= choice.examined_until)
    return conditions


def _sort_out(
    session: Session,
    wanted: frozenset[int] | None,
    words: str,
    *,
    include_simulated: bool,
    choice: CaseChoice | None = None,
) -> ChosenCases:
    query = (
        select(Case.id, Case.patient_id, Case.simulated, CaseLabel.label, CaseLabel.rules_version)
        .outerjoin(CaseLabel, (CaseLabel.case_id == Case.id) & (CaseLabel.source == LabelSource.HISTOLOGY))
        .order_by(Case.id)
    )
    query = query.where(*_filtered(choice or CaseChoice())) if wanted is None else query.where(Case.id.in_(wanted))
    rows = session.execute(query).all()
    images = _first_images(session, wanted)
    eligible: list[EligibleCase] = []
    left_out: Counter[str] = Counter()
    if wanted is not None and len(rows) < len(wanted):
        left_out[NO_CASE] = len(wanted) - len(rows)
    for case_id, patient_id, simulated, label, rules_version in rows:
        if simulated and not include_simulated:
            left_out[SIMULATED] += 1
        elif label is None:
            left_out[NO_LABEL] += 1
        elif case_id not in images:
            left_out[NO_IMAGE] += 1
        else:
            image_id, sha256 = images[case_id]
            eligible.append(
                EligibleCase(DesignCase(case_id, image_id, sha256, label), patient_id, rules_version, simulated)
            )
    return ChosenCases(tuple(eligible), tuple(sorted(left_out.items())), words)


def _first_images(session: Session, wanted: frozenset[int] | None) -> dict[int, tuple[int, str]]:
    """By case: row and hash of the first acetic-acid image that shows the cervix."""
    first = select(func.min(Image.id)).where(Image.is_readable).group_by(Image.case_id)
    if wanted is not None:
        first = first.where(Image.case_id.in_(wanted))
    rows = session.execute(select(Image.case_id, Image.id, Image.sha256).where(Image.id.in_(first)))
    return {case_id: (image_id, sha256) for case_id, image_id, sha256 in rows}
