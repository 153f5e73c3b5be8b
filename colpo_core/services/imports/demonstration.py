"""Filling an empty store with simulated cases, so that every page has something to show on the first day.

The cohort is the same on every machine. It has what a clinic has: images that nobody has annotated yet, cases that
were recorded as normal and never biopsied, one that cannot be labelled, several specimens, incomplete scores.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from colpo_core.images.decoding import CleanImage, encode_clean
from colpo_core.labels import GRADE_LABELS
from colpo_core.records.cases.cases import SWEDE_ROWS, SwedeRows
from colpo_core.records.people import Actor
from colpo_core.services.annotations.imported_masks import import_annotation
from colpo_core.services.cases.histology import relabel_case
from colpo_core.services.common import audit
from colpo_core.services.common.actors import SIMULATOR, program_actor
from colpo_core.services.common.callers import Caller
from colpo_core.services.imports.rows import StoredFile, add_image, find_case, find_image, find_or_add_case, store_file
from colpo_core.simulation.cases import SimulatedCase, simulate_case
from colpo_core.store import Store
from colpo_core.store.tables import Annotation, AuditEntry, Case, Histology, Patient
from colpo_core.terms import Colposcopy, Finding, Grade, Label, MaskOrigin, MenopausalState, SpecimenKind, Stage

FIRST_SEED = 2022
_FIRST_DAY = date(2024, 1, 8)
_DONE = "fill demonstration"
_CYTOLOGY = {
    Grade.NORMAL: ("NILM", "ASC-US"),
    Grade.CHRONIC_CERVICITIS: ("ASC-US", "NILM"),
    Grade.CIN1: ("LSIL", "ASC-US"),
    Grade.CIN2: ("HSIL", "ASC-H"),
    Grade.CIN3: ("HSIL", "HSIL"),
    Grade.ADENOCARCINOMA_IN_SITU: ("AGC", "AGC"),
    Grade.INVASIVE_CARCINOMA: ("SCC", "HSIL"),
}


def fill_demonstration(
    store: Store,
    n_cases: int = 40,
    on_case: Callable[[int], None] | None = None,
    *,
    height_px: int = 480,
    width_px: int = 640,
) -> int:
    """Draw simulated cases into a store that holds no patient, each with its histology and most with its mask.

    A run that was interrupted is taken up where it stopped; one that was finished is never repeated or extended.

    Args:
        store: The open store.
        n_cases: How many cases.
        on_case: Called with the number of each finished case, from 1.
        height_px: Height of the images.
        width_px: Their width.

    Returns:
        How many cases were drawn by this run; 0 where the store held patients already.

    Raises:
        ValueError: There is to be less than one case.
    """
    if n_cases < 1:
        raise ValueError(f"a demonstration has at least one case, not {n_cases}")
    with store.reading() as session:
        is_done = session.scalar(select(exists().where(AuditEntry.subject == "store", AuditEntry.action == _DONE)))
        has_patients = session.scalar(select(exists().where(Patient.simulated.is_(False))))
    if is_done or has_patients:
        return 0
    simulator = program_actor(store, SIMULATOR)
    drawn = 0
    for number in range(1, n_cases + 1):
        plan = _plan(number)
        drawn += _fill_case(store, simulator, plan, simulate_case(plan.seed, height_px=height_px, width_px=width_px))
        if on_case is not None:
            on_case(number)
    with store.writing() as session:
        audit.record(session, simulator, _DONE, "store", cases=n_cases)
    return drawn


@dataclass(frozen=True)
class _Plan:
    """What is peculiar to one case of the cohort, by its number alone."""

    number: int
    seed: int
    code: str
    day: date
    is_annotated: bool
    has_native: bool
    keeps_back_histology: bool
    skips_biopsy: bool
    knows_iodine: bool


def _plan(number: int) -> _Plan:
    return _Plan(
        number=number,
        seed=FIRST_SEED + number,
        code=f"sim-{number:03d}",
        day=_FIRST_DAY + timedelta(days=3 * number),
        is_annotated=number % 10 != 4,
        has_native=number % 3 == 0,
        keeps_back_histology=number % 40 == 7,
        skips_biopsy=number % 2 == 0,
        knows_iodine=number % 3 != 1,
    )


def _fill_case(store: Store, simulator: Actor, plan: _Plan, drawn: SimulatedCase) -> bool:
    """Store one case, or what is missing of it; says whether the case itself was new."""
    acetic = _put(store, drawn.rgb)
    native = _put(store, drawn.native_rgb) if plan.has_native else None
    with store.writing() as session:
        is_new = find_case(session, patient_code=plan.code, case_date=plan.day) is None
        if is_new:
            _add_rows(session, simulator, plan, drawn, acetic, native)
        image = find_image(session, acetic.sha256)
        image_id = image.id if image is not None else None
        is_annotated = session.scalar(select(exists().where(Annotation.image_id == image_id)))
    if plan.is_annotated and image_id is not None and not is_annotated:
        import_annotation(
            Caller(store, simulator),
            image_id=image_id,
            mask=drawn.mask,
            origin=MaskOrigin.SIMULATED,
            finding=Finding.ACETOWHITE,
            note="true mask of a simulated image",
        )
    return is_new


def _put(store: Store, rgb: np.ndarray) -> StoredFile:
    height_px, width_px = rgb.shape[:2]
    return store_file(store, encode_clean(CleanImage(rgb, width_px=width_px, height_px=height_px)), rgb)


def _add_rows(
    session: Session, simulator: Actor, plan: _Plan, drawn: SimulatedCase, acetic: StoredFile, native: StoredFile | None
) -> None:
    case = find_or_add_case(session, actor=simulator, patient_code=plan.code, case_date=plan.day, simulated=True)
    if native is not None:
        add_image(session, actor=simulator, case_id=case.id, file=native, stage=Stage.NATIVE, simulated=True)
    add_image(
        session,
        actor=simulator,
        case_id=case.id,
        file=acetic,
        stage=Stage.ACETIC_ACID,
        seconds_after_acid=drawn.seconds_after_acid,
        simulated=True,
    )
    _enter_record(case, plan, drawn)
    for number, (kind, grade, clock_hour) in enumerate(_specimens(plan, drawn), start=1):
        specimen = Histology(
            case_id=case.id,
            specimen_number=number,
            kind=kind,
            grade=grade,
            clock_hour=clock_hour,
            note="",
            entered_by=simulator.person_id,
        )
        session.add(specimen)
        audit.record(session, simulator, "add specimen", f"case {case.id}", number=number, grade=grade.value)
    session.flush()
    relabel_case(session, case)


def _enter_record(case: Case, plan: _Plan, drawn: SimulatedCase) -> None:
    rng = np.random.default_rng([plan.seed, 1])
    is_high = drawn.grade.severity >= Grade.CIN2.severity
    case.colposcopy = Colposcopy.NOT_RECORDED if plan.keeps_back_histology else drawn.colposcopy
    case.age_years = int(rng.integers(24, 62))
    case.hpv_result = (
        "16 positive" if is_high and rng.random() < 0.6 else ("other high-risk" if is_high else "negative")
    )
    case.cytology = str(rng.choice(_CYTOLOGY[drawn.grade]))
    case.indication = "positive screening" if is_high else str(rng.choice(["abnormal cytology", "follow-up"]))
    case.device = "simulated colposcope"
    after_menopause = case.age_years >= 51
    case.menopausal_state = MenopausalState.POSTMENOPAUSAL if after_menopause else MenopausalState.PREMENOPAUSAL
    swede = _swede(rng, plan, drawn)
    for name in (*SWEDE_ROWS, "total"):
        setattr(case, f"swede_{name}", getattr(swede, name))


def _swede(rng: np.random.Generator, plan: _Plan, drawn: SimulatedCase) -> SwedeRows:
    """A colposcopist's score of what can be seen, with a colposcopist's uncertainty."""

    def row(strength: float) -> int:
        return int(np.clip(round(2 * strength + rng.normal(0, 0.3)), 0, 2))

    density, share = drawn.lesion_density, float(drawn.mask.mean())
    rows = SwedeRows(row(density), row(density), row(density - 0.1), row(4 * share), row(density))
    return rows if plan.knows_iodine else replace(rows, iodine=None)


def _specimens(plan: _Plan, drawn: SimulatedCase) -> list[tuple[SpecimenKind, Grade, int | None]]:
    """What the pathologist reported: nothing, a punch biopsy, or a lower one and the excision after it."""
    if plan.keeps_back_histology:
        return []
    label = GRADE_LABELS[drawn.grade]
    if drawn.colposcopy is Colposcopy.NORMAL and label is Label.NORMAL and plan.skips_biopsy:
        return []
    clock_hour = 1 + plan.seed % 12
    if label is Label.HSIL and plan.number % 3 == 0:
        return [
            (SpecimenKind.PUNCH_BIOPSY, Grade.CIN1, clock_hour),
            (SpecimenKind.LEEP, drawn.grade, None),
        ]
    return [(SpecimenKind.PUNCH_BIOPSY, drawn.grade, clock_hour)]
