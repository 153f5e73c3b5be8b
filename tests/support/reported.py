"""A closed study with all that a report tells of: sessions, repeats, networks, an exposure, an amendment."""

from dataclasses import replace

import numpy as np
from sqlalchemy import select

from colpo_core.records.studies.reading_plans import Aid, ReadingPlan
from colpo_core.services.common.callers import Caller
from colpo_core.services.studies import amendments as study_amendments
from colpo_core.services.studies import designing, presenting, readings
from colpo_core.store.tables import Case, Prediction, Presentation, StudyCase
from colpo_core.terms import Grade, Label, Role
from tests.conftest import add_person
from tests.support.clinic import PredictedClinic
from tests.support.conducted import make_study

NAMES = ("anna-maria", "berta", "=carla")


def reported_study(
    administrator: Caller,
    *,
    plan: ReadingPlan | None = None,
    n_cases: int = 20,
    n_read_by_last: int | None = None,
    name: str = "Reported",
) -> int:
    """Make it, read it with some skill and some chance, and close it.

    Args:
        administrator: Who makes it.
        plan: How it is read.
        n_cases: Cases beside the three of the clinic.
        n_read_by_last: How many images the last reader reads; all where None.
        name: The study's name.
    """
    chance = np.random.default_rng(8)
    clinic = PredictedClinic(administrator)
    for number in range(n_cases):
        case = clinic.clinic.add_case(grades=(Grade.CIN3 if number % 2 else Grade.NORMAL,))
        clinic.predictions.append(clinic.predict(case.image_id, clinic.checkpoint_id))
    if plan is None or plan.aid is Aid.NONE:
        with administrator.store.writing() as session:
            # The network has learned from another case of this patient, so it is not compared on this one.
            session.get_one(Case, clinic.cases[0].case_id).patient_id = clinic.cases[-1].patient_id
    readers = [add_person(administrator.store, username, Role.READER) for username in NAMES]
    if plan is not None and plan.aid is not Aid.NONE:
        plan = replace(plan, aid_checkpoint_id=clinic.checkpoint_id)
    question = "Is the network as good as we are?"
    study_id = make_study(
        administrator, readers, plan, name=name, question=question, checkpoint_ids=[clinic.checkpoint_id], seed=5
    )
    with administrator.store.reading() as session:
        truth = dict(session.execute(select(StudyCase.image_id, StudyCase.truth)).all())
        of_case = dict(session.execute(select(StudyCase.case_id, StudyCase.truth)).all())
    with administrator.store.writing() as session:
        for prediction in session.scalars(select(Prediction).where(Prediction.image_id.in_(truth))):
            for channels, skill in ((3, 0.3), (4, 1.2)):
                score = skill * (1 if truth[prediction.image_id] is Label.HSIL else -1) + chance.normal()
                setattr(prediction, f"prob_hsil_{channels}ch", float(1 / (1 + np.exp(-score))))
    for reader in readers:
        most = n_read_by_last if reader is readers[-1] else None
        _read(reader, study_id, of_case, chance, most)
    study_amendments.correct_question(
        administrator, study_id=study_id, question="Is the network as good as readers?", reason="wording"
    )
    designing.close_study(administrator, study_id=study_id, reason="one of us fell ill")
    return study_id


def _read(
    reader: Caller, study_id: int, truth: dict[int, Label], chance: np.random.Generator, most: int | None
) -> None:
    number = 0
    while most is None or number < most:
        shown = presenting.next_case(reader, study_id=study_id)
        if shown is None:
            return
        with reader.store.reading() as session:
            case_id = session.get_one(Presentation, shown.token.split(".")[0]).case_id
        skill = 0.7 if shown.aid is None else 1.2
        felt = (1 if truth[case_id] is Label.HSIL else -1) * skill + chance.normal()
        readings.record_reading(
            reader,
            study_id=study_id,
            token=shown.token,
            call=Label.HSIL if felt > 0 else Label.NORMAL,
            confidence=25 * min(4, round(abs(felt) * 2)),
            active_ms=int(chance.integers(0, 40)),
        )
        number += 1
