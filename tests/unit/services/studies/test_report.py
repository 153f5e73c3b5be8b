import csv
import io
import re
import shutil
import subprocess
import zipfile
from datetime import timedelta
from html import unescape
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from colpo_core.errors import PermissionDenied, StudyLocked
from colpo_core.exchange.study_figures import report_figures
from colpo_core.records.statistics.reader_figures import Endpoint
from colpo_core.records.studies.reading_plans import Aid, ConfidenceScale, ReadingPlan
from colpo_core.services.common.callers import Caller
from colpo_core.services.studies import amendments as study_amendments
from colpo_core.services.studies import designing
from colpo_core.services.studies.conduct import study_conduct
from colpo_core.services.studies.report import report_archive, report_html, study_report
from colpo_core.services.studies.rows import check_seal
from colpo_core.store.tables import Study
from colpo_core.studies.design import StudyDesign
from colpo_core.terms import Label
from tests.conftest import AddCase
from tests.support.conducted import make_study, read_on
from tests.support.markup import check_balanced
from tests.support.reported import NAMES, reported_study

FILES = ["README.txt", "report.html", "readings.csv", "ratings.csv", "record.json", "figures.csv", "analyse.R"]
SESSIONS = ReadingPlan(
    n_sessions=2, washout_days=0, repeat_share=0.2, confidence=ConfidenceScale.FIVE_STEPS, margin=0.2, alpha=0.1,
    endpoint=Endpoint.SENSITIVITY, hypotheses="It is not worse.",
)  # fmt: skip
WITH_R = (
    shutil.which("Rscript")
    and not subprocess.run(["Rscript", "-e", "library(pROC)"], capture_output=True, check=False).returncode
)


def unpacked(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_the_report_says_all_that_a_reviewer_asks(administrator: Caller) -> None:
    study_id = reported_study(administrator, plan=SESSIONS, n_read_by_last=9)
    told = report_html(administrator, study_id=study_id)
    assert re.findall("<h2>(.*?)</h2>", told) == [
        "Question and answer",
        "Design and seal",
        "Flow of cases",
        "Calls",
        "Readers",
        "Readers against model-1, 3 channels",
        "Readers against model-1, 4 channels",
        "Agreement",
        "Calibration",
        "Reading times",
        "Amendments",
        "Exposures",
        "Refused to readers",
        "Methods",
    ]
    report = study_report(administrator, study_id=study_id)
    assert str(report.detail.study.seal_sha256) in told
    assert "2 sessions a reader" in told
    assert "It is not worse." in told
    assert "one of us fell ill" in told
    assert "Is the network as good as readers?" in told
    assert "Readings missing at the closing" in told
    assert "the set of this reader" not in told
    for line in report.results.readers:
        assert f"{line.n_called} of {line.n_cases}" in told
        assert line.figures.sensitivity.text() in told
    check_balanced(told)


def test_the_file_stands_alone_and_names_are_no_markup(administrator: Caller) -> None:
    told = report_html(administrator, study_id=reported_study(administrator, name="<script>alert('x')</script>"))
    assert "<script" not in told
    assert "&lt;script&gt;" in told
    assert "http" not in told
    for tag in ("<link", "<img", "@import", "url(h"):
        assert tag not in told


def test_every_figure_of_the_report_has_a_name_of_its_own(administrator: Caller) -> None:
    report = study_report(administrator, study_id=reported_study(administrator, plan=SESSIONS))
    figures = report_figures(report)
    names = [one.name for one in figures]
    assert len(set(names)) == len(names) > 100
    kinds = {(one.figure, one.method) for one in figures}
    for method in ("clopper-pearson", "delong", "newcombe", "obuchowski-rockette", "bootstrap", "time"):
        assert method in {kind for _, kind in kinds}
    again = [one for one in figures if one.figure == "cohen_again"]
    assert {one.caller for one in again} == set(report.analysis.again)
    assert len(again) == len(NAMES)


def test_an_aided_study_is_reported_in_both_arms(administrator: Caller) -> None:
    study_id = reported_study(administrator, plan=ReadingPlan(aid=Aid.AFTER_FIRST_CALL))
    told = report_html(administrator, study_id=study_id)
    assert "Aided reading: after a first call, which is locked" in told
    assert "Reading with the model's output minus reading without it, area under the curve" in unescape(told)
    assert "<h3>aided minus unaided</h3>" in told
    for text in ("Berta, aided", "Berta, unaided", "these readers, other cases"):
        assert text in told


def test_the_archive_holds_the_readings_and_is_the_same_each_time(administrator: Caller) -> None:
    study_id = reported_study(administrator)
    content = report_archive(administrator, study_id=study_id)
    assert content == report_archive(administrator, study_id=study_id)
    files = unpacked(content)
    assert list(files) == FILES
    rows = list(csv.DictReader(io.StringIO(files["readings.csv"].decode())))
    assert {row["caller"] for row in rows if row["caller_kind"] == "reader"} >= {"Anna-Maria", "Berta"}
    figures = list(csv.DictReader(io.StringIO(files["figures.csv"].decode())))
    script = files["analyse.R"].decode()
    for method in {row["method"] for row in figures} - {"bootstrap"}:
        assert f'"{method}"' in script
    for patient in ("p1", "p4"):
        assert not any(patient in row.values() for row in rows), "no patient is named"


@pytest.mark.skipif(not WITH_R, reason="R with pROC is not installed: apt install r-base-core r-cran-proc")
@pytest.mark.parametrize(
    ("plan", "n_read_by_last"),
    [
        (None, None),
        (SESSIONS, None),
        (SESSIONS, 9),
        (ReadingPlan(alpha=0.01), 0),
        (ReadingPlan(aid=Aid.AFTER_FIRST_CALL, repeat_share=0.2), None),
        (ReadingPlan(aid=Aid.AFTER_FIRST_CALL), 13),
        (ReadingPlan(aid=Aid.AT_ONCE, n_sessions=2, washout_days=0), None),
    ],
)
def test_r_computes_every_figure_alike(
    administrator: Caller, tmp_path: Path, plan: ReadingPlan | None, n_read_by_last: int | None
) -> None:
    study_id = reported_study(administrator, plan=plan, n_read_by_last=n_read_by_last)
    for name, content in unpacked(report_archive(administrator, study_id=study_id)).items():
        (tmp_path / name).write_bytes(content)
    done = subprocess.run(["Rscript", "analyse.R"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr
    assert "UNLIKE" not in done.stdout
    assert "were not recomputed" in done.stdout
    figures = (tmp_path / "figures.csv").read_text().splitlines()
    # One number that is wrong by a little is found.
    place = next(number for number, line in enumerate(figures) if ",delong," in line)
    value = re.search(r"0\.\d{6,}", figures[place])
    assert value is not None
    figures[place] = figures[place].replace(value[0], str(float(value[0]) + 1e-5))
    (tmp_path / "figures.csv").write_text("\n".join(figures) + "\n")
    wrong = subprocess.run(["Rscript", "analyse.R"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert wrong.returncode == 1
    assert wrong.stdout.count("UNLIKE") == 1


def test_a_reader_who_was_added_and_taken_off_again_stands_as_that(
    administrator: Caller, reader: Caller, second_reader: Caller, add_case: AddCase
) -> None:
    for number in range(4):
        add_case(Label.HSIL if number % 2 else Label.NORMAL)
    study_id = make_study(administrator, [reader])
    about = {"study_id": study_id, "reader_id": second_reader.person_id}
    study_amendments.add_reader(administrator, reason="mistake", **about)
    study_amendments.remove_reader(administrator, reason="mistake", **about)
    read_on(reader, study_id)
    designing.close_study(administrator, study_id=study_id)
    told = report_html(administrator, study_id=study_id)
    said = "added after the seal, taken off the study, has read nothing"
    assert f"<td>Ruth</td><td>{said}</td>" in told
    assert f"Ruth: {said}" in " ".join(re.sub("<[^>]*>", " ", told).split()), "in the flow of cases, broken or not"
    assert "0 of 4" not in told.split("Exposures")[0]
    assert "Not all cases were read by Ruth" not in told


def test_no_report_before_the_closing_and_none_for_readers(
    administrator: Caller, reader: Caller, second_reader: Caller
) -> None:
    closed = reported_study(administrator)
    study_id = make_study(administrator, [reader, second_reader])
    for service in (study_report, report_html, report_archive):
        with pytest.raises(StudyLocked):
            service(administrator, study_id=study_id)
        with pytest.raises(PermissionDenied):
            service(reader, study_id=closed)


def test_an_archive_is_one_look_and_reads_the_sealed_study_once(
    administrator: Caller, reader: Caller, add_case: AddCase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long it takes: looks within a minute count as one anyway."""
    for number in range(4):
        add_case(Label.HSIL if number % 2 else Label.NORMAL)
    study_id = make_study(administrator, [reader], ReadingPlan(interim_results=True))
    read_on(reader, study_id, at_most=2)
    checked = []

    def counted(session: Session, study: Study) -> StudyDesign:
        checked.append(study.id)
        return check_seal(session, study)

    monkeypatch.setattr("colpo_core.services.studies.evidence.check_seal", counted)
    monkeypatch.setattr("colpo_core.services.studies.conduct._SAME_LOOK", timedelta(0))
    report_archive(administrator, study_id=study_id)
    assert checked == [study_id]
    assert study_conduct(administrator, study_id=study_id).n_interim_looks == 1
