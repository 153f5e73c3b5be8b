from functools import partial

import pytest

from colpo_core.errors import PermissionDenied, StudyLocked
from colpo_core.labels import RULES_VERSION
from colpo_core.records.studies.results import ReadingTable
from colpo_core.services.common.callers import Caller
from colpo_core.services.studies import designing
from colpo_core.services.studies import results as study_results
from colpo_core.services.studies.exports import export_readings
from colpo_core.services.studies.rows import design_of
from colpo_core.store import Store
from colpo_core.store.tables import Study
from colpo_core.studies.ratings import read_ratings, tabulate
from colpo_core.terms import Label, LabelSource
from tests.conftest import AddCase
from tests.support.compared_studies import Clinic, predict, read_all

N, H = Label.NORMAL, Label.HSIL


def test_nobody_sees_results_before_the_end(
    administrator: Caller, annotator: Caller, reader: Caller, study_id: int
) -> None:
    for ask in (
        study_results.study_results,
        study_results.study_findings,
        partial(export_readings, table=ReadingTable.CALLS),
        partial(export_readings, table=ReadingTable.RATINGS),
    ):
        with pytest.raises(StudyLocked, match="when the study is closed"):
            ask(administrator, study_id=study_id)
        for caller in (annotator, reader):
            with pytest.raises(PermissionDenied):
                ask(caller, study_id=study_id)


def test_readers_and_checkpoints_are_judged_on_the_same_cases(
    store: Store, administrator: Caller, reader: Caller, clinic: Clinic, study_id: int
) -> None:
    read_all(reader, study_id, dict(zip(clinic.case_ids, (N, H, H, H), strict=True)))
    predict(store, clinic, {0: (0.1, 0.24), 1: (0.5, 0.25), 2: (0.49, 0.9)})
    designing.close_study(administrator, study_id=study_id, reason="enough was read")
    results = study_results.study_results(administrator, study_id=study_id)

    rita, zoe = results.readers
    assert (rita.name, rita.n_called, rita.is_complete) == ("Rita", 4, True)
    assert (rita.figures.sensitivity.k, rita.figures.sensitivity.n) == (2, 2)
    assert (rita.figures.specificity.k, rita.figures.specificity.n) == (1, 2)
    assert rita.times is not None
    assert (zoe.name, zoe.n_called, zoe.n_cases, zoe.times) == ("Zoe", 0, 4, None)
    assert zoe.figures.accuracy.value is None

    three, four = results.checkpoints
    assert (three.channels, four.channels) == (3, 4)
    assert (three.n_called, three.n_cases, three.is_complete) == (3, 4, False)
    assert (three.figures.true_negative, three.figures.false_positive, three.figures.false_negative) == (1, 1, 1)
    assert (four.figures.true_negative, four.figures.false_positive, four.figures.true_positive) == (1, 1, 1)
    assert results.study.n_simulated == 4
    assert results.label_source is LabelSource.HISTOLOGY
    assert results.rules_versions == (RULES_VERSION,)


def test_the_statistics_leave_out_what_a_network_has_learned_from(
    store: Store, administrator: Caller, reader: Caller, clinic: Clinic, study_id: int, add_case: AddCase
) -> None:
    read_all(reader, study_id, dict(zip(clinic.case_ids, (N, H, H, H), strict=True)))
    predict(store, clinic, {0: (0.1, 0.1), 1: (0.6, 0.1), 2: (0.9, 0.1), 3: (0.3, 0.9)})
    designing.close_study(administrator, study_id=study_id, reason="enough was read")
    found = study_results.study_findings(administrator, study_id=study_id).analysis
    assert list(found.readers.readers) == ["Rita"], "who has read nothing has no figures"
    arm = found.readers.readers["Rita"].arms["unaided"]
    assert (arm.auc, arm.n, arm.accuracy.k) == (None, 4, 3), "one confidence throughout is yes or no alone"
    assert any("yes or no alone" in note for note in found.notes)
    assert any("Not all cases were read by Zoe" in note for note in found.notes)
    three, four = found.networks
    assert (three.channels, four.channels, three.n_cases) == (3, 4, 3)
    assert three.refused == ("It has judged fewer than two cases of a label that it has not learned from.",)
    ratings = export_readings(administrator, study_id=study_id, table=ReadingTable.RATINGS)
    table = tabulate(read_ratings(ratings.decode()))
    assert (table.readers, table.arms, table.cases) == (("Rita",), ("unaided",), tuple(map(str, clinic.case_ids)))
    assert (table.rating[0, 0] > 0).tolist() == [False, True, True, True]


def test_what_a_checkpoint_saw_in_training_is_counted_and_judged_apart(
    store: Store, administrator: Caller, clinic: Clinic, study_id: int
) -> None:
    predict(store, clinic, {0: (0.1, 0.1), 1: (0.9, 0.1), 2: (0.9, 0.1), 3: (0.9, 0.9)})
    designing.close_study(administrator, study_id=study_id, reason="enough was read")
    three, _ = study_results.study_results(administrator, study_id=study_id).checkpoints
    assert (three.n_seen, three.n_unseen, three.trained_on) == (1, 3, LabelSource.HISTOLOGY)
    assert (three.unseen.accuracy.k, three.unseen.accuracy.n) == (2, 3)


def test_a_study_from_before_plans_opens_reads_and_gives_results(
    store: Store, administrator: Caller, reader: Caller, clinic: Clinic, study_id: int
) -> None:
    with store.writing() as session:
        study = session.get_one(Study, study_id)
        study.design = {key: value for key, value in study.design.items() if key not in ("plan", "practice")}
        study.seal_sha256 = design_of(session, study).sha256
    read_all(reader, study_id, dict.fromkeys(clinic.case_ids, H))
    designing.close_study(administrator, study_id=study_id, reason="enough was read")
    results = study_results.study_results(administrator, study_id=study_id)
    assert [line.n_called for line in results.readers] == [len(clinic.case_ids), 0]
