import csv
import io
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pytest
from numpy.typing import NDArray
from sqlalchemy import select

from colpo_core.datasets.manifest import Manifest, ManifestItem
from colpo_core.errors import InputRejected, NotFound, PermissionDenied, StudyLocked
from colpo_core.images.perceptual import perceptual_hash
from colpo_core.labels import RULES_VERSION
from colpo_core.records.people import Actor
from colpo_core.records.studies.designs import CaseChoice, CaseSource
from colpo_core.records.studies.reading_plans import Aid, ReadingPlan
from colpo_core.services.snapshots.learned import fill_learned, patients_met
from colpo_core.services.studies import designing, readings
from colpo_core.services.studies import results as study_results
from colpo_core.services.studies.rows import check_seal, design_of, get_study
from colpo_core.store import Store
from colpo_core.store.tables import (
    Case,
    Checkpoint,
    Image,
    Job,
    Mask,
    Person,
    Prediction,
    Presentation,
    Snapshot,
    Study,
)
from colpo_core.studies.design import DesignCase
from colpo_core.studies.ratings import read_ratings, tabulate
from colpo_core.terms import Arm, JobKind, Label, LabelSource, Role, Split
from tests.support.clinic import draw
from tests.support.learned import publish_anew

N, H = Label.NORMAL, Label.HSIL
TRUTH = (N, N, H, H)


@dataclass(frozen=True)
class Clinic:
    """Four cases, a checkpoint trained on the first, and a snapshot whose test split is the last two."""

    case_ids: tuple[int, ...]
    image_ids: tuple[int, ...]
    checkpoint_id: int
    snapshot_id: int


@pytest.fixture
def clinic(store: Store, administrator: Actor, add_case: Callable[..., int]) -> Clinic:
    case_ids = tuple(add_case(label, simulated=True) for label in TRUTH)
    with store.writing() as session:
        images = [session.scalars(select(Image).where(Image.case_id == one)).one() for one in case_ids]
        splits = (Split.TRAIN, Split.VALIDATION, Split.TEST, Split.TEST)
        items = [
            ManifestItem(
                image_sha256=image.sha256,
                image_id=image.id,
                case_id=image.case_id,
                patient_id=session.get_one(Case, image.case_id).patient_id,
                split=split,
                width_px=32,
                height_px=24,
                label=label,
                grade=None,
                mask_sha256=None,
                mask_origin=None,
                simulated=True,
            )
            for image, split, label in zip(images, splits, TRUTH, strict=True)
            if split is not Split.VALIDATION
        ]
        manifest = Manifest(tuple(items), (), LabelSource.HISTOLOGY, RULES_VERSION, 0, (0.7, 0.15, 0.15))
        snapshot = Snapshot(name="s", sha256=store.blobs.put(manifest.to_json()), label_source=LabelSource.HISTOLOGY)
        snapshot.rules_version, snapshot.seed, snapshot.counts = RULES_VERSION, 0, {}
        snapshot.created_by = administrator.person_id
        session.add(snapshot)
        session.flush()
        checkpoint = Checkpoint(name="resnet18-1", sha256="c" * 64, snapshot_id=snapshot.id, card={})
        checkpoint.label_source = LabelSource.HISTOLOGY
        session.add(checkpoint)
    fill_learned(store)
    with store.reading() as session:
        return Clinic(case_ids, tuple(image.id for image in images), checkpoint.id, snapshot.id)


@pytest.fixture
def study_id(store: Store, administrator: Actor, reader: Actor, clinic: Clinic) -> int:
    with store.writing() as session:
        lazy = Person(username="zoe", display_name="Zoe", role=Role.READER, active=True)
        session.add(lazy)
        session.flush()
        ids = [reader.person_id, lazy.id]
    study = designing.create_study(
        store, actor=administrator, name="First", reader_ids=ids, checkpoint_ids=[clinic.checkpoint_id]
    )
    designing.open_study(store, actor=administrator, study_id=study.id)
    return study.id


def predict(store: Store, clinic: Clinic, probs: dict[int, tuple[float, float]]) -> None:
    with store.writing() as session:
        mask = Mask(sha256="d" * 64, width_px=32, height_px=24, area_px=0, rle=b"")
        session.add(mask)
        session.flush()
        for index, (three, four) in probs.items():
            session.add(
                Prediction(
                    image_id=clinic.image_ids[index],
                    checkpoint_id=clinic.checkpoint_id,
                    prob_hsil_3ch=three,
                    prob_hsil_4ch=four,
                    threshold_3ch=0.5,
                    threshold_4ch=0.25,
                    acetowhite_fraction=0.1,
                    mask_id=mask.id,
                    maps_sha256="e" * 64,
                )
            )


def read_all(store: Store, actor: Actor, study_id: int, calls: dict[int, Label]) -> None:
    while (shown := readings.next_picture(store, actor=actor, study_id=study_id)) is not None:
        with store.reading() as session:
            case_id = session.get_one(Presentation, shown.token).case_id
        readings.record_reading(
            store, actor=actor, study_id=study_id, token=shown.token, call=calls[case_id], confidence=60
        )


def test_nobody_sees_results_before_the_end(
    store: Store, administrator: Actor, annotator: Actor, reader: Actor, study_id: int
) -> None:
    for ask in (
        study_results.study_results,
        study_results.study_analysis,
        study_results.export_calls,
        study_results.export_ratings,
    ):
        with pytest.raises(StudyLocked, match="when the study is closed"):
            ask(store, actor=administrator, study_id=study_id)
        for actor in (annotator, reader):
            with pytest.raises(PermissionDenied):
                ask(store, actor=actor, study_id=study_id)


def test_readers_and_checkpoints_are_judged_on_the_same_cases(
    store: Store, administrator: Actor, reader: Actor, clinic: Clinic, study_id: int
) -> None:
    calls = dict(zip(clinic.case_ids, (N, H, H, H), strict=True))
    read_all(store, reader, study_id, calls)
    predict(store, clinic, {0: (0.1, 0.24), 1: (0.5, 0.25), 2: (0.49, 0.9)})
    designing.close_study(store, actor=administrator, study_id=study_id, reason="enough was read")
    results = study_results.study_results(store, actor=administrator, study_id=study_id)

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
    store: Store, administrator: Actor, reader: Actor, clinic: Clinic, study_id: int, add_case: Callable[..., int]
) -> None:
    read_all(store, reader, study_id, dict(zip(clinic.case_ids, (N, H, H, H), strict=True)))
    predict(store, clinic, {0: (0.1, 0.1), 1: (0.6, 0.1), 2: (0.9, 0.1), 3: (0.3, 0.9)})
    designing.close_study(store, actor=administrator, study_id=study_id, reason="enough was read")
    found = study_results.study_analysis(store, actor=administrator, study_id=study_id)
    assert found.readers is not None
    assert list(found.readers.readers) == ["Rita"], "who has read nothing has no figures"
    arm = found.readers.readers["Rita"].arms["unaided"]
    assert arm.accuracy is not None
    assert (arm.auc, arm.n, arm.accuracy.k) == (None, 4, 3), "one confidence throughout is yes or no alone"
    assert any("yes or no alone" in note for note in found.notes)
    assert any("Not all cases were read by Zoe" in note for note in found.notes)
    three, four = found.networks
    assert (three.channels, four.channels, three.n_cases) == (3, 4, 3)
    assert three.refused == ("It has judged fewer than two cases of a label that it has not learned from.",)
    ratings = study_results.export_ratings(store, actor=administrator, study_id=study_id)
    table = tabulate(read_ratings(ratings.decode()))
    assert (table.readers, table.arms, table.cases) == (("Rita",), ("unaided",), tuple(map(str, clinic.case_ids)))
    assert (table.rating[0, 0] > 0).tolist() == [False, True, True, True]


def test_what_a_checkpoint_saw_in_training_is_counted_and_judged_apart(
    store: Store, administrator: Actor, clinic: Clinic, study_id: int
) -> None:
    predict(store, clinic, {0: (0.1, 0.1), 1: (0.9, 0.1), 2: (0.9, 0.1), 3: (0.9, 0.9)})
    designing.close_study(store, actor=administrator, study_id=study_id, reason="enough was read")
    three, _ = study_results.study_results(store, actor=administrator, study_id=study_id).checkpoints
    assert (three.n_seen, three.n_unseen, three.trained_on) == (1, 3, LabelSource.HISTOLOGY)
    assert three.unseen is not None
    assert (three.unseen.accuracy.k, three.unseen.accuracy.n) == (2, 3)


def test_another_case_of_a_trained_patient_counts_as_seen(
    store: Store, administrator: Actor, reader: Actor, clinic: Clinic, add_case: Callable[..., int]
) -> None:
    with store.reading() as session:
        patient_id = session.get_one(Case, clinic.case_ids[0]).patient_id
    second = add_case(N, patient_id=patient_id)
    choice = CaseChoice(CaseSource.PICKED, case_ids=(second, clinic.case_ids[2]))
    preview = designing.preview_choice(store, actor=administrator, choice=choice, checkpoint_ids=[clinic.checkpoint_id])
    (seen,) = preview.seen
    assert (seen.n_seen, seen.n_cases) == (1, 2)


def test_a_near_copy_filed_under_another_code_makes_a_case_seen(
    store: Store, administrator: Actor, clinic: Clinic
) -> None:
    """A learned photograph, taken once more as a JPEG and turned, stands in a case of the test side."""
    learned, others = clinic.image_ids[0], clinic.image_ids[1:]

    def look_like(image_id: int, rgb: NDArray[np.uint8]) -> None:
        with store.writing() as session:
            session.get_one(Image, image_id).perceptual_hash = perceptual_hash(rgb)

    def n_seen() -> int:
        choice = CaseChoice(CaseSource.PICKED, case_ids=clinic.case_ids, include_simulated=True)
        asked = [clinic.checkpoint_id]
        (seen,) = designing.preview_choice(store, actor=administrator, choice=choice, checkpoint_ids=asked).seen
        return seen.n_seen

    look_like(learned, draw(1, lesion=True)[0])
    for place, image_id in enumerate((others[0], others[2])):
        look_like(image_id, draw(2 + place, lesion=True)[0])
    assert n_seen() == 1
    look_like(others[1], np.rot90(draw(1, lesion=True)[0]).copy())
    assert n_seen() == 2, "what has been looked at since is compared too"
    with store.reading() as session:
        patient_id = session.get_one(Case, clinic.case_ids[2]).patient_id
        assert patient_id in patients_met(store, session, clinic.checkpoint_id)


def test_by_the_papers_protocol_the_test_side_is_seen_too(
    store: Store, administrator: Actor, reader: Actor, clinic: Clinic, study_id: int, add_case: Callable[..., int]
) -> None:
    """It augments before it splits, so that copies of each image stand on every side: nothing of it is unseen."""
    assert publish_anew(store, clinic.checkpoint_id, protocol="paper") == ()
    with store.reading() as session:
        patient_id = session.get_one(Case, clinic.case_ids[2]).patient_id
    of_a_test_patient = add_case(N, patient_id=patient_id)
    choice = CaseChoice(CaseSource.PICKED, case_ids=(*clinic.case_ids, of_a_test_patient))
    preview = designing.preview_choice(store, actor=administrator, choice=choice, checkpoint_ids=[clinic.checkpoint_id])
    assert [(one.n_seen, one.n_cases) for one in preview.seen] == [(4, 5)], "the snapshot holds all but the second"
    (checkpoint_line,) = get_study(store, actor=administrator, study_id=study_id).checkpoints
    assert checkpoint_line.seen_in_training == 3

    aided = ReadingPlan(aid=Aid.AFTER_FIRST_CALL, aid_checkpoint_id=clinic.checkpoint_id)
    predict(store, clinic, dict.fromkeys(range(4), (0.1, 0.9)))
    study = designing.create_study(
        store, actor=administrator, name="Aided", reader_ids=[reader.person_id], plan=aided,
        checkpoint_ids=[clinic.checkpoint_id], case_ids=clinic.case_ids[1:],
    )  # fmt: skip
    with pytest.raises(InputRejected, match="has learned from 2 of the 3 cases"):
        designing.open_study(store, actor=administrator, study_id=study.id)

    read_all(store, reader, study_id, dict(zip(clinic.case_ids, (N, H, H, H), strict=True)))
    designing.close_study(store, actor=administrator, study_id=study_id, reason="enough was read")
    three, _ = study_results.study_results(store, actor=administrator, study_id=study_id).checkpoints
    assert (three.n_seen, three.n_unseen) == (3, 1)
    assert study_results.study_analysis(store, actor=administrator, study_id=study_id).networks[0].n_cases == 1


def test_a_manifest_that_was_changed_is_no_word_on_what_was_learned_from(
    store: Store, administrator: Actor, clinic: Clinic
) -> None:
    with store.writing() as session:
        snapshot = session.get_one(Snapshot, clinic.snapshot_id)
        manifest = Manifest.from_json(store.blobs.get(snapshot.sha256))
        emptied = replace(manifest, items=manifest.items[1:]).to_json()
        place = next(store.settings.data_dir.rglob(f"{snapshot.sha256}*"))
    place.chmod(0o600)
    place.write_bytes(emptied)
    (said,) = publish_anew(store, clinic.checkpoint_id)
    assert said.startswith("Whom resnet18-1 has learned from cannot be told.")
    choice = CaseChoice(CaseSource.PICKED, case_ids=clinic.case_ids)
    with pytest.raises(NotFound, match="Whom resnet18-1 has learned from is not known"):
        designing.preview_choice(store, actor=administrator, choice=choice, checkpoint_ids=[clinic.checkpoint_id])


def test_the_test_split_of_a_snapshot_can_be_read(store: Store, administrator: Actor, clinic: Clinic) -> None:
    choice = CaseChoice(CaseSource.TEST_SPLIT, snapshot_id=clinic.snapshot_id)
    preview = designing.preview_choice(store, actor=administrator, choice=choice, checkpoint_ids=[clinic.checkpoint_id])
    assert (preview.n_cases, preview.n_hsil, preview.seen[0].n_seen) == (2, 2, 0)


def test_progress_counts_predictions_and_tells_nothing_of_them(
    store: Store, administrator: Actor, clinic: Clinic, study_id: int
) -> None:
    predict(store, clinic, {0: (0.1, 0.1)})
    (checkpoint,) = get_study(store, actor=administrator, study_id=study_id).checkpoints
    assert (checkpoint.predicted, checkpoint.total, checkpoint.seen_in_training) == (1, 4, 1)


def test_what_is_missing_is_predicted_in_a_job(
    store: Store, administrator: Actor, clinic: Clinic, study_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("colpo_core.services.jobs.engine.place", lambda store, job_id: None)
    predict(store, clinic, {0: (0.1, 0.1)})
    job = study_results.predict_missing(
        store, actor=administrator, study_id=study_id, checkpoint_id=clinic.checkpoint_id
    )
    assert job is not None
    assert job.kind is JobKind.PREDICT
    with store.reading() as session:
        settings = session.scalars(select(Job)).one().settings
    assert settings["image_ids"] == sorted(clinic.image_ids[1:])
    with pytest.raises(StudyLocked, match="not compared"):
        study_results.predict_missing(store, actor=administrator, study_id=study_id, checkpoint_id=99)


def test_nothing_missing_starts_no_job(store: Store, administrator: Actor, clinic: Clinic, study_id: int) -> None:
    predict(store, clinic, dict.fromkeys(range(4), (0.1, 0.1)))
    done = study_results.predict_missing(
        store, actor=administrator, study_id=study_id, checkpoint_id=clinic.checkpoint_id
    )
    assert done is None


def test_every_call_can_be_taken_along(
    store: Store, administrator: Actor, reader: Actor, clinic: Clinic, study_id: int
) -> None:
    read_all(store, reader, study_id, dict.fromkeys(clinic.case_ids, H))
    predict(store, clinic, {0: (0.1, 0.9)})
    designing.close_study(store, actor=administrator, study_id=study_id, reason="enough was read")
    content = study_results.export_calls(store, actor=administrator, study_id=study_id)
    rows = list(csv.DictReader(io.StringIO(content.decode())))
    read = [row for row in rows if row["caller_kind"] == "reader"]
    assert [row["position"] for row in read] == ["1", "2", "3", "4"]
    assert {(int(row["case_id"]), row["truth"]) for row in read} == set(
        zip(clinic.case_ids, ("normal", "normal", "hsil", "hsil"), strict=True)
    )
    three, four = (row for row in rows if row["caller_kind"] == "checkpoint")
    assert (three["channels"], three["call"], three["seen_in_training"]) == ("3", "normal", "true")
    assert (four["channels"], four["call"], four["threshold"]) == ("4", "hsil", "0.25")
    assert {row["simulated"] for row in rows} == {"true"}
    assert {row["truth_source"] for row in rows} == {"histology"}


def test_repeats_later_sessions_and_practice_are_in_the_export_and_not_in_the_figures(
    store: Store, administrator: Actor, reader: Actor, clinic: Clinic
) -> None:
    study = designing.create_study(
        store,
        actor=administrator,
        name="Twice",
        reader_ids=[reader.person_id],
        plan=ReadingPlan(n_sessions=2, washout_days=0, repeat_share=0.5),
    )
    designing.open_study(store, actor=administrator, study_id=study.id)
    right = dict(zip(clinic.case_ids, (case.truth for case in sealed(store, study.id)), strict=True))
    while (shown := readings.next_picture(store, actor=reader, study_id=study.id)) is not None:
        with store.reading() as session:
            row = session.get_one(Presentation, shown.token)
            main, truth = (row.session, row.occurrence) == (1, 1), right[row.case_id]
        call = truth if main else (N if truth is H else H)
        readings.record_reading(
            store, actor=reader, study_id=study.id, token=shown.token, call=call, confidence=60, active_ms=0
        )
    designing.close_study(store, actor=administrator, study_id=study.id, reason="enough was read")
    (line,) = study_results.study_results(store, actor=administrator, study_id=study.id).readers
    n_cases = len(clinic.case_ids)
    assert (line.n_called, line.n_cases, line.arm) == (n_cases, n_cases, Arm.UNAIDED)
    assert line.figures.accuracy.value == 1.0
    assert line.times is not None
    assert line.times.median == 0
    analysis = study_results.study_analysis(store, actor=administrator, study_id=study.id)
    assert analysis.readers is not None
    figures = analysis.readers.readers[line.name].arms["unaided"].accuracy
    assert figures is not None
    assert (figures.k, figures.n) == (n_cases, n_cases)
    assert (analysis.again[line.name].value, analysis.again[line.name].n) == (-1, n_cases), "never the same call again"
    ratings = study_results.export_ratings(store, actor=administrator, study_id=study.id).decode()
    assert len(ratings.splitlines()) == 1 + n_cases
    table = study_results.export_calls(store, actor=administrator, study_id=study.id).decode()
    rows = list(csv.DictReader(io.StringIO(table)))
    assert Counter((row["session"], row["occurrence"], row["arm"], row["phase"]) for row in rows) == {
        (number, occurrence, "unaided", "1"): count
        for number in "12"
        for occurrence, count in (("1", n_cases), ("2", n_cases // 2))
    }
    for number in "12":
        places = [int(row["position"]) for row in rows if row["session"] == number]
        assert places == list(range(1, n_cases + n_cases // 2 + 1))


def test_a_study_from_before_plans_opens_reads_and_gives_results(
    store: Store, administrator: Actor, reader: Actor, clinic: Clinic, study_id: int
) -> None:
    with store.writing() as session:
        study = session.get_one(Study, study_id)
        study.design = {key: value for key, value in study.design.items() if key not in ("plan", "practice")}
        study.seal_sha256 = design_of(session, study).sha256
    read_all(store, reader, study_id, dict.fromkeys(clinic.case_ids, H))
    designing.close_study(store, actor=administrator, study_id=study_id, reason="enough was read")
    results = study_results.study_results(store, actor=administrator, study_id=study_id)
    assert [line.n_called for line in results.readers] == [len(clinic.case_ids), 0]


def sealed(store: Store, study_id: int) -> tuple[DesignCase, ...]:
    with store.reading() as session:
        return check_seal(session, session.get_one(Study, study_id)).cases
