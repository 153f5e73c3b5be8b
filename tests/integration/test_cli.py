"""The walk from the command line on the real store, without training: each command changes what the next one shows."""

import csv
import json
import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image

from colpo_core.cli.main import main
from colpo_core.images.masks import mask_png
from colpo_core.records.studies.reading_plans import Aid
from colpo_core.services.common.callers import Caller
from colpo_core.services.studies.rows import get_study
from colpo_core.settings import Settings
from colpo_core.store import Store
from colpo_core.store.tables import Checkpoint, Evaluation
from tests.support.clinic import Clinic, PredictedClinic
from tests.support.several_annotators import square, submit

PASSWORD = "a password of some length"
Run = Callable[..., Result]
pytestmark = pytest.mark.usefixtures("cheap_hashes")
STATUS = (
    "patients",
    "cases",
    "images",
    "annotations",
    "annotations_to_confirm",
    "labels",
    "snapshots",
    "checkpoints",
    "predictions",
)


@pytest.fixture
def ask(run: Run) -> Callable[..., Any]:
    return lambda *words: json.loads(run(*words, "--json").stdout)


def photograph(path: Path, seed: int = 0) -> Path:
    Image.fromarray(np.random.default_rng(seed).integers(0, 255, (64, 80, 3), dtype=np.uint8)).save(path)
    return path


def test_a_case_from_its_files_to_its_label(run: Run, ask: Callable[..., Any], tmp_path: Path) -> None:
    good, letter = photograph(tmp_path / "a.png"), tmp_path / "letter.jpg"
    letter.write_text("Dear colleague")
    told = run("import", "files", str(good), str(letter), "--patient", "P-0042", "--date", "2026-05-31", code=1)
    assert "refused" in told.output
    assert "not an image" in told.output
    again = run("import", "files", str(good), "--patient", "P-0042", "--date", "2026-05-31")
    assert "duplicate" in again.output

    assert "excluded: no histology" in run("cases", "show", "1").output
    run("histology", "add", "1", "--kind", "punch_biopsy", "--grade", "cin1")
    assert "label by histology: normal" in run("cases", "show", "1").output
    told = run("histology", "add", "1", "--kind", "leep", "--grade", "cin3", "--clock", "6")
    assert "label by histology: hsil (highest of 2 specimens: CIN3" in told.output
    run("histology", "withdraw", "2")
    assert ask("cases", "list", "--label", "normal")[0]["id"] == 1
    assert ask("cases", "list", "--label", "hsil") == []

    status = ask("status")
    assert [status[name] for name in STATUS] == [1, 1, 1, 0, 0, 1, 0, 0, 0]


def test_a_batch_of_nothing_but_refusals_fails(run: Run, tmp_path: Path) -> None:
    (tmp_path / "letter.jpg").write_text("Dear colleague")
    run("import", "files", str(tmp_path / "letter.jpg"), "--patient", "P-1", "--date", "2026-05-31", code=1)


def test_a_folder_tells_what_it_left_out_in_few_lines(run: Run, ask: Callable[..., Any], tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for seed in range(6):
        photograph(folder / f"{seed}.png", seed=seed)
    (folder / "README.md").write_text("of the collection")
    (folder / "import.csv").write_text("file;patient_code;case_date;stage\n0.png;P-1;2024-05-06;native\n;;;\n")
    said = run("import", "folder", str(folder), code=1).output.splitlines()
    assert said[:3] == [
        "Empty rows of import.csv that were passed over: 1.",
        "refused, not listed in the table: 1.png, 2.png, 3.png and 2 more",
        "passed over, no images: README.md",
    ]
    assert any("imported 1, duplicates 0, refused 5" in line for line in said[3:])
    lines = "".join(f"{seed}.png;P-{seed};2024-05-06;native\n" for seed in range(1, 6))
    with (folder / "import.csv").open("a") as table:
        table.write(lines)
    found = ask("import", "folder", str(folder))
    assert (found["imported"], found["duplicates"], found["refused"], found["passed_over"]) == (5, 1, 0, ["README.md"])


def test_a_mask_in_and_out_is_the_same_mask(run: Run, tmp_path: Path) -> None:
    run("import", "files", str(photograph(tmp_path / "a.png")), "--patient", "P-1", "--date", "2026-05-31")
    mask = np.random.default_rng(1).random((64, 80)) < 0.3
    (tmp_path / "mask.png").write_bytes(mask_png(mask))
    assert "number 1" in run("annotations", "submit", "1", str(tmp_path / "mask.png")).output
    assert "acetowhite_epithelium" in run("annotations", "list", "1").output
    run("annotations", "export", "1", str(tmp_path / "out.png"))
    assert ((np.asarray(Image.open(tmp_path / "out.png")) == 255) == mask).all()

    (tmp_path / "small.png").write_bytes(mask_png(mask[:10]))
    refused = run("annotations", "submit", "1", str(tmp_path / "small.png"), code=1)
    assert "Export it at the image's size" in refused.output

    run("annotations", "points", "1", "12.5,20", "30,40")
    assert "12.5" in run("annotations", "points", "1").output


def test_a_snapshot_says_what_is_left_out(run: Run, ask: Callable[..., Any], store: Store) -> None:
    assert "Nothing can be frozen yet" in run("snapshot", "preview", code=1).output
    Clinic(store).add_cohort(12)
    assert ask("snapshot", "preview")["counts"]["patients"]["total"] == 12
    told = run("snapshot", "freeze", "first")
    assert "labels by histology" in told.output
    assert ask("snapshot", "list")[0]["name"] == "first"
    assert "no snapshot" in run("train", "second", code=1).output


def test_an_external_set_is_kept_from_training(run: Run, ask: Callable[..., Any], store: Store) -> None:
    clinic = Clinic(store)
    clinic.add_cohort(8, case_date=date(2026, 5, 1))
    clinic.add_cohort(2, case_date=date(2026, 6, 1))
    assert ask("snapshot", "preview", "--to", "2026-05-31")["counts"]["patients"]["total"] == 8
    assert ask("snapshot", "preview", "--patients", "P1", "--patients", "p2")["counts"]["patients"]["total"] == 2
    told = run("snapshot", "freeze", "kept", "--external", "--from", "2026-05-31").output
    assert "external test set" in told
    assert "left out: 8 × not examined on the chosen days" in told
    run("snapshot", "freeze", "rest")
    assert "left out: 2 × kept for the external test set “kept”" in run("snapshot", "show", "rest").output
    assert "external test set" not in run("snapshot", "show", "rest").output.split("left out")[0]
    assert [one["external"] for one in ask("snapshot", "list")] == [False, True]
    assert "external" in run("snapshot", "list").output
    assert "nothing is trained on it" in run("train", "kept", code=1).output
    assert "not in the store" in run("snapshot", "preview", "--patients", "p99", code=1).output


def test_a_prediction_gets_its_verdict(run: Run, administrator: Caller, tmp_path: Path) -> None:
    PredictedClinic(administrator)
    assert "wait" in run("review", "list").output
    shown = run("review", "show", "1", "--out", str(tmp_path / "maps"))
    assert "threshold" in shown.output
    assert len(list((tmp_path / "maps").glob("*.png"))) == 5
    assert "Say why" in run("review", "record", "1", "overrule", code=1).output
    assert "reviewers agree with the current model in 100.0% (1/1;" in run("review", "record", "1", "agree").output
    assert "current" in run("checkpoints", "list").output
    card = tmp_path / "card.html"
    assert f"wrote {card}" in run("checkpoints", "card", "model-1", "--out", str(card)).output
    assert "<h1>model-1</h1>" in card.read_text(encoding="utf-8")
    refused = run("checkpoints", "card", "model-1", "--out", str(tmp_path / "none" / "card.html"), code=1)
    assert "cannot be written" in refused.output


def test_a_study_that_aids_its_readers_is_made_with_its_options(
    run: Run, ask: Callable[..., Any], administrator: Caller
) -> None:
    clinic = PredictedClinic(administrator)
    run("people", "add", "rita", "--name", "Rita Lang", "--role", "reader", "--password", PASSWORD)
    rita = next(str(one["person_id"]) for one in ask("people", "list") if one["username"] == "rita")
    model = str(clinic.checkpoint_id)
    aided = ("--reader", rita, "--checkpoint", model, "--aid", "at_once", "--aid-checkpoint", model, "--sessions", "3")
    assert "even number of sessions" in run("studies", "create", "Odd", *aided, code=1).output
    run("studies", "create", "Whole", *aided, "--whole-sessions", "--points", "--findings", "--stages")
    (made,) = ask("studies", "list")
    plan = get_study(administrator, study_id=made["id"]).plan
    assert (plan.aid, plan.aid_checkpoint_id, plan.crossover) == (Aid.AT_ONCE, clinic.checkpoint_id, False)
    assert (plan.asks_points, plan.asks_findings, plan.shows_stages) == (True, True, True)


def test_a_study_is_read_and_closed(run: Run, ask: Callable[..., Any], store: Store, tmp_path: Path) -> None:
    Clinic(store).add_cohort(4)
    run("people", "add", "rita", "--name", "Rita Lang", "--role", "reader", "--password", PASSWORD)
    rita = next(str(one["person_id"]) for one in ask("people", "list") if one["username"] == "rita")
    assert "4 cases" in run("studies", "create", "Spring", "--reader", rita).output
    planned = ("--sessions", "2", "--washout", "14", "--repeats", "0.5", "--margin", "0.05")
    assert "3 cases" in run("studies", "create", "Twice", "--reader", rita, "--practice", "1", *planned).output
    assert next(one["n_each"] for one in ask("studies", "list") if one["name"] == "Twice") == 8
    assert "Alpha is above 0" in run("studies", "create", "Odd", "--reader", rita, "--alpha", "2", code=1).output
    assert "is open, sealed as" in run("studies", "open", "1").output
    assert "when the study is closed" in run("studies", "results", "1", code=1).output

    image, as_rita = tmp_path / "case.jpg", ("--as", "rita", "--password", PASSWORD)
    for number in range(1, 5):
        told = run("studies", "next", "1", *as_rita, "--out", str(image)).output
        assert f"case {number} of 4" in told
        token = told.split("token ")[1].strip()
        answer = ("--call", "hsil", "--confidence", "80")
        assert f"{number} of 4 read" in run("studies", "answer", "1", token, *answer, *as_rita).output
    assert "All cases are read" in run("studies", "next", "1", *as_rita, "--out", str(image)).output
    wrong = run("studies", "next", "1", "--as", "rita", "--password", "guess guess", "--out", str(image), code=1)
    assert "wrong" in wrong.output

    assert "with 4 of 4 readings" in run("studies", "close", "1").output
    assert "exposures (the design says: exclude)" in run("studies", "results", "1").output
    results = ask("studies", "results", "1")
    figures = results["readers"][0]["figures"]
    assert figures["sensitivity"]["value"] == 1.0
    assert figures["specificity"]["k"] == 0
    assert figures["accuracy"]["n"] == 4
    assert results["statistics"]["readers"]["readers"]["Rita Lang"]["arms"]["unaided"]["sensitivity"]["k"] == 2
    files = ("--csv", str(tmp_path / "calls.csv"), "--ratings", str(tmp_path / "ratings.csv"))
    assert "Reader Rita Lang" in run("studies", "results", "1", *files).output
    report, archive = tmp_path / "report.html", tmp_path / "study.zip"
    assert "Say where to" in run("studies", "report", "1", code=2).output
    run("studies", "report", "1", "--html", str(report), "--zip", str(archive))
    assert "Flow of cases" in report.read_text(encoding="utf-8")
    with zipfile.ZipFile(archive) as files_of:
        assert "analyse.R" in files_of.namelist()
    again = run("analyse", str(tmp_path / "ratings.csv"), "--threshold", "0").output
    assert "treatment unaided: sensitivity 100.0% (2/2" in again
    with (tmp_path / "calls.csv").open(newline="") as file:
        assert len(list(csv.DictReader(file))) == 4


def test_how_things_stand(run: Run, ask: Callable[..., Any], store: Store) -> None:
    Clinic(store).add_cohort(5)
    assert json.loads(run("dashboard").stdout)["cases"] == 5
    assert "operator" in run("people", "list").output
    assert isinstance(ask("worklist")["items"], list)
    assert "create person" not in run("people", "log").output
    run("people", "add", "anna", "--name", "Anna", "--role", "annotator", "--password", PASSWORD)
    assert "create person" in run("people", "log").output


def test_an_older_store_is_named_and_left_alone(run: Run, settings: Settings, store: Store) -> None:
    from sqlalchemy import text

    with store.writing() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    assert "newer version" in run("status", code=1).output


def test_several_annotators_are_compared_and_one_mask_is_taken(
    store: Store, run: Run, ask: Callable[..., Any], annotator: Caller
) -> None:
    clinic = Clinic(store)
    cases = clinic.add_cohort(6)
    versions = [submit(annotator, case.image_id, square(10, 10)) for case in cases]
    told = run("agreement").output
    assert "6 images of 6 patients" in told
    assert "Anna, Painter" in told
    found = ask("agreement")
    assert found["n_images"] == 6
    assert found["pairs"][0]["dice"] == found["dice"]
    assert found["pairs"][0]["kappa"] == found["kappa"]
    assert f"kappa over pixels: {found['kappa']['value']:.2f}" in told
    image_id = str(cases[0].image_id)
    one = ask("agreement", "--image", image_id)
    assert [version["version_id"] for version in one["versions"]][-1] == versions[0]
    assert "not both" in run("agreement", "--image", "1", "--task", "1", code=2).output

    told = run("adjudicate", "take", str(versions[0]), "--note", "clearer").output
    assert f"version {versions[0]} of Anna counts on image {image_id}" in told
    assert "taken by" in run("agreement", "--image", image_id).output
    assert "adjudicated" in run("agreement").output
    assert ask("adjudications", "--image", image_id)[0]["note"] == "clearer"
    assert str(versions[0]) in run("adjudications").output
    assert "There is no version of an annotation 999." in run("adjudicate", "take", "999", code=1).output

    decided = ask("snapshot", "preview", "--masks", "adjudicated")["counts"]
    assert decided["masks_by_origin"]["adjudicated"]["total"] == 1
    assert decided["masks"]["total"] == 1
    told = run("snapshot", "freeze", "agreed", "--masks", "majority").output
    assert "masks: a majority of the annotators' masks (6 majority)" in told
    own = ("--masks", "annotator", "--annotator", str(annotator.person_id))
    assert "masks: the masks of Anna (6 painted)" in run("snapshot", "freeze", "own", *own).output
    assert "masks: the masks of Anna (6 painted)" in run("snapshot", "show", "own").output
    assert ask("snapshot", "show", "agreed")["mask_policy"] == "majority"
    assert "majority" in run("snapshot", "list").output
    assert "Name the annotator" in run("snapshot", "preview", "--masks", "annotator", code=1).output


def test_doubts_and_looks_at_external_sets(
    run: Run, ask: Callable[..., Any], store: Store, administrator: Caller
) -> None:
    PredictedClinic(administrator)
    with store.writing() as session:
        row = session.get_one(Checkpoint, 1)
        row.card = row.card | {"leaks": ["It leaks."]}
    assert "It leaks." in run("checkpoints", "doubts", "1").output
    assert ask("checkpoints", "doubts", "1")[0] == "It leaks."
    assert "several people have annotated" in run("checkpoints", "show", "1").output
    assert ask("checkpoints", "evaluations", "1") == []
    run("snapshot", "freeze", "ordinary")
    assert "no external test set" in run("checkpoints", "evaluate", "1", "ordinary", code=1).output
    with store.writing() as session:
        session.add(
            Evaluation(
                checkpoint_id=1,
                snapshot_id=1,
                metrics={"auc": {"value": 0.75, "low": None, "high": None, "n_patients": 2}},
                created_by=administrator.person_id,
            )
        )
    shown = run("checkpoints", "evaluations", "1").output
    assert "look 1 at this set" in shown
    assert "auc: 0.750 (no interval; 2 patients)" in shown


def test_a_study_is_amended_and_its_conduct_shown(
    run: Run, ask: Callable[..., Any], store: Store, tmp_path: Path
) -> None:
    Clinic(store).add_cohort(4)
    for name in ("rita", "ruth", "lena"):
        run("people", "add", name, "--name", name.title(), "--role", "annotator", "--password", PASSWORD)
    ids = {one["username"]: str(one["person_id"]) for one in ask("people", "list")}
    for name in ("rita", "ruth", "lena"):
        assert f"{name} is reader now" in run("people", "role", ids[name], "reader").output
    run("studies", "create", "Spring", "--reader", ids["rita"], "--exposed", "flag", "--interim")
    assert "(the design says: flag)" in run("studies", "conduct", "1").output
    assert "interim results: allowed by the design" in run("studies", "conduct", "1").output
    run("studies", "open", "1")
    why = ("--reason", "she is back")
    assert "Ruth was added" in run("studies", "add-reader", "1", ids["ruth"], *why).output
    assert "Lena was added" in run("studies", "add-reader", "1", ids["lena"], *why).output
    assert "Lena was taken off" in run("studies", "remove-reader", "1", ids["lena"], *why).output
    assert "is “Why?”. Reason: she is back" in run("studies", "correct-question", "1", "Why?", *why).output
    assert "are missing. Say why" in run("studies", "close", "1", code=1).output
    run("studies", "close", "1", "--reason", "no time")
    record = tmp_path / "record.json"
    conduct = ask("studies", "conduct", "1", "--record", str(record))
    kinds = ["reader_added", "reader_added", "reader_removed", "question_corrected", "closed_early"]
    assert [one["kind"] for one in conduct["amendments"]] == kinds
    assert ask("studies", "results", "1")["conduct"] == conduct
    assert "no time" in record.read_text(encoding="utf-8")


def test_a_back_up_becomes_a_store_again(run: Run, settings: Settings, tmp_path: Path) -> None:
    run("import", "files", str(photograph(tmp_path / "a.png")), "--patient", "P-0042", "--date", "2026-05-31")
    assert "files were new" in run("store", "back-up", str(tmp_path / "copy")).output
    assert run("store", "back-up", str(tmp_path / "copy")).output.startswith("0 of")
    assert "not empty" in run("store", "restore", str(tmp_path / "copy"), code=1).output
    environment = {"COLPO_DATA": str(tmp_path / "again")}
    made = CliRunner().invoke(main, ("store", "restore", str(tmp_path / "copy")), env=environment)
    assert made.exit_code == 0, made.output
    counts = [
        CliRunner().invoke(main, ("status", "--json"), env={"COLPO_DATA": str(folder)}).output
        for folder in (settings.data_dir, tmp_path / "again")
    ]
    assert counts[0] == counts[1]
