"""The findings form and specimens' sites from the command line."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import Result

from colpo_core.images.masks import mask_png
from colpo_core.store import Store
from tests.support.clinic import SIDE_PX, Clinic, ClinicCase

Run = Callable[..., Result]


@pytest.fixture
def case(store: Store) -> ClinicCase:
    return Clinic(store).add_case(masked=False)


def enter(run: Run, case_id: int, code: int = 0, **entry: Any) -> str:
    return run("cases", "findings", "set", str(case_id), "-", code=code, text=json.dumps(entry)).output


def test_what_is_shown_can_be_entered_again(run: Run, case: ClinicCase) -> None:
    number = str(case.case_id)
    assert "nobody yet" in run("cases", "findings", "show", number).output
    enter(run, case.case_id, adequate=True, clock_hours=[12, 1], quadrants=2, signs=["coarse_mosaic"], note="a remark")
    enter(run, case.case_id, cervix_percent=30)  # what it does not name stays
    shown = json.loads(run("cases", "findings", "show", number, "--json").stdout)
    assert (shown["version"], shown["entered_by"]) == (2, "Operator of this machine")
    assert shown["entry"]["clock_hours"] == [1, 12]
    assert shown["entry"]["cervix_percent"] == 30
    assert shown["entry"]["signs"] == ["coarse_mosaic"]
    again = json.dumps(shown["entry"])
    told = run("cases", "findings", "set", number, "-", "--base-version", "2", "--json", text=again)
    assert json.loads(told.stdout)["entry"] == shown["entry"]
    table = run("cases", "findings", "show", number).output
    assert "coarse_mosaic" in table
    assert "junction" not in table


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "not JSON"),
        ("[]", "JSON object"),
        ('{"grade": 1}', "JSON object"),
        ('{"adequate": 1}', "adequate takes true"),
        ('{"quadrants": true}', "quadrants takes"),
        ('{"quadrants": 5}', "0 to 4"),
        ('{"signs": "tumour"}', "a list"),
        ('{"signs": ["snow"]}', "takes one of"),
        ('{"clock_hours": [13]}', "between 1 and 12"),
        ('{"cervix_percent": NaN}', "between 0 and 100"),
        ('{"adequate": false}', "needs its reason"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_entered(run: Run, case: ClinicCase, text: str, said: str) -> None:
    refused = run("cases", "findings", "set", str(case.case_id), "-", code=1, text=text)
    assert said in refused.output
    assert json.loads(run("cases", "findings", "show", str(case.case_id), "--json").stdout)["version"] == 0


def test_an_older_base_is_refused(run: Run, case: ClinicCase) -> None:
    enter(run, case.case_id, adequate=True)
    words = ("cases", "findings", "set", str(case.case_id), "-", "--base-version", "0")
    assert "Somebody changed" in run(*words, code=1, text='{"quadrants": 1}').output


def test_a_mask_s_proposal_is_shown_and_confirmed(run: Run, case: ClinicCase, tmp_path: Path) -> None:
    image = str(case.image_id)
    assert "no mask" in run("cases", "findings", "propose", image).output
    lesion = np.zeros((SIDE_PX, SIDE_PX), np.bool_)
    lesion[4:28, 36:60] = True
    (tmp_path / "lesion.png").write_bytes(mask_png(lesion))
    run("annotations", "submit", image, str(tmp_path / "lesion.png"))
    assert "no outline of the cervix" in run("cases", "findings", "propose", image).output.replace("\n", " ")
    proposed = json.loads(run("cases", "findings", "propose", image, "--json").stdout)
    assert (proposed["quadrants"], proposed["cervix_percent"], proposed["clock_hours"]) == (1, None, [1, 2])
    entry = json.dumps({name: proposed[name] for name in ("quadrants", "clock_hours")})
    version = str(proposed["version_id"])
    words = ("cases", "findings", "set", str(case.case_id), "-", "--proposed-from", version, "--json")
    assert json.loads(run(*words, text=entry).stdout)["proposed_from"] == proposed["version_id"]


def test_a_specimen_s_site_is_set_shown_and_taken_away(run: Run, case: ClinicCase) -> None:
    add = ("histology", "add", str(case.case_id), "--kind", "punch_biopsy", "--grade", "cin2")
    run(*add, "--site", str(case.image_id), "12.5", "30")
    assert f"image {case.image_id} at 12,30" in run("cases", "show", str(case.case_id)).output
    run("histology", "site", "1", str(case.image_id), "40", "41")
    shown = json.loads(run("cases", "show", str(case.case_id), "--json").stdout)
    assert shown["specimens"][0]["site"] == {"image_id": case.image_id, "x_px": 40.0, "y_px": 41.0}
    assert "outside the image" in run("histology", "site", "1", str(case.image_id), "40", "99", code=1).output
    assert "name an image" in run("histology", "site", "1", "40", code=2).output
    run("histology", "site", "1")
    assert json.loads(run("cases", "show", str(case.case_id), "--json").stdout)["specimens"][0]["site"] is None
