import xml.etree.ElementTree as ET
from dataclasses import replace

from colpo_core.exchange.study_drawings import differences_drawing, flow_drawing, roc_drawing
from colpo_core.services.common.callers import Caller
from colpo_core.services.studies.report import study_report
from tests.support.reported import reported_study


def texts(drawn: str) -> list[str]:
    return [one.text or "" for one in ET.fromstring(drawn).iter("text")]  # noqa: S314 - made here


def test_the_flow_counts_every_case_once(administrator: Caller) -> None:
    study_id = reported_study(administrator, n_read_by_last=9)
    report = study_report(administrator, study_id=study_id)
    left_out = (("no acetic-acid image", 2), ("excluded: lsil", 3))
    said = texts(flow_drawing(replace(report, detail=replace(report.detail, left_out=left_out))))
    assert f"Considered: {report.detail.study.n_cases + 5} cases" in said
    assert "Left out: 5" in said
    assert "excluded: lsil: 3" in said
    assert f"Sealed: {report.detail.study.n_cases} cases" in said
    assert f"=Carla: 9 of {report.detail.study.n_cases} cases" in said
    assert f"Readings missing at the closing: {report.detail.study.n_cases - 9}" in said
    assert f"model-1, 4 channels: {report.detail.study.n_cases} of {report.detail.study.n_cases} cases" in said
    assert "model-1, 4 channels: 1 learned from, not compared" in said


def test_names_of_any_length_and_kind_stay_in_their_box(administrator: Caller) -> None:
    report = study_report(administrator, study_id=reported_study(administrator))
    detail = replace(report.detail, chosen_by="<b>" + "x" * 500)
    said = texts(flow_drawing(replace(report, detail=detail)))
    lines = [one for one in said if "xxx" in one]
    assert "".join(lines) == "<b>" + "x" * 500, "nothing of it is cut off"
    assert max(len(one) for one in said) < 80


def test_curves_carry_every_readers_point_and_differences_every_reader(administrator: Caller) -> None:
    report = study_report(administrator, study_id=reported_study(administrator))
    network = report.analysis.networks[1]
    drawn = roc_drawing(network, report, marks="labels by histology")
    assert drawn
    assert ET.fromstring(drawn).tag == "svg"  # noqa: S314 - made here
    for name in ("Anna-Maria", "Berta", "=Carla", "model-1, 4 channels: area"):
        assert name in drawn
    assert network.roc[0] == (0.0, 0.0)
    assert network.roc[-1] == (1.0, 1.0)
    forest = differences_drawing(network, marks="labels by histology")
    assert forest
    for name in ("Anna-Maria", "all readers", "Sensitivity"):
        assert name in forest
    assert roc_drawing(replace(network, roc=()), report, marks="") is None
    assert differences_drawing(replace(network, readers=(), together=None, shares={}), marks="") is None
