"""Figures of studies with patients of several cases, missing readings and few cases, computed anew in R."""

import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from scipy.special import expit

from colpo_core.exchange.study_archive import figures_csv, r_script
from colpo_core.exchange.study_figures import report_figures
from colpo_core.records.studies.reports import StudyReport
from colpo_core.studies.export import CallRow, calls_csv
from colpo_core.studies.roe_metz import draw_ratings
from colpo_core.studies.study_analysis import NetworkRatings, analyse_study, reader_rating
from colpo_core.terms import Arm, Label, LabelSource

WITH_R = (
    shutil.which("Rscript")
    and not subprocess.run(["Rscript", "-e", "library(pROC)"], capture_output=True, check=False).returncode
)


def studied(
    *, images: int, missing: float, aided: bool, positive: int = 18, stops: int | None = None, mixed: bool = False
) -> dict[str, bytes]:
    """The files of an archive: 3 readers and a network, who have judged as many images of each patient."""
    generator = np.random.default_rng(7)
    n = 2 * positive * images
    of = np.repeat(np.arange(2 * positive), images)
    if mixed:
        of = generator.permutation(of)
    truth, drawn = draw_ratings(
        generator, n_readers=4, n_positive=n // 2, n_negative=n // 2, aucs=(0.85, 0.8), patients=of, alike=0.6
    )
    labels = {case: Label.HSIL if truth[case] else Label.NORMAL for case in range(n)}
    patients = {case: int(of[case]) for case in range(n)}
    rows: list[CallRow] = []
    sides: dict[Arm, dict[str, dict[int, float]]] = {}

    def row(kind: str, case: int, call: Label, **more: Any) -> CallRow:
        fields = dict.fromkeys(
            ("channels", "position", "confidence", "prob_hsil", "threshold", "seen_in_training", "shown_at"), None
        )
        fields |= {"answered_at": None, "seconds": 10.0} | more
        return CallRow(
            study="s", caller_kind=kind, case_id=case, truth=labels[case], call=call,
            truth_source=LabelSource.HISTOLOGY,
            simulated=False, patient=patients[case] + 1, **fields,
        )  # fmt: skip

    for place, arm in enumerate((Arm.AIDED, Arm.UNAIDED) if aided else (Arm.UNAIDED,)):
        sides[arm] = {}
        for reader in range(3):
            read: dict[int, float] = {}
            for case in generator.permutation(n)[: stops if reader == 2 else None].tolist():
                if generator.random() < missing:
                    continue
                score = drawn[place, reader, case] - 0.6
                call, confidence = (Label.HSIL if score > 0 else Label.NORMAL), min(100, int(40 * abs(score)))
                read[case] = reader_rating(call, confidence)
                rows.append(
                    row("reader", case, call, caller=f"R{reader}", confidence=confidence, arm=arm, session=1,
                        occurrence=1, phase=1)
                )  # fmt: skip
            sides[arm][f"R{reader}"] = read
    seen = set(range(0, n, 11))
    probs = {case: float(expit(drawn[0, 3, case] - 0.6)) for case in range(n)}
    for case, prob in probs.items():
        call = Label.HSIL if prob >= 0.5 else Label.NORMAL
        rows.append(
            row("checkpoint", case, call, caller="net", channels=4, prob_hsil=prob, threshold=0.5,
                seen_in_training=case in seen)
        )  # fmt: skip
    unseen = {case: prob for case, prob in probs.items() if case not in seen}
    network = NetworkRatings("net", 4, {case: prob - 0.5 for case, prob in unseen.items()}, unseen)
    analysis = analyse_study(labels, sides[Arm.UNAIDED], [network], patients=patients, aided=sides.get(Arm.AIDED))
    report = SimpleNamespace(
        detail=SimpleNamespace(plan=SimpleNamespace(alpha=0.05)),
        results=SimpleNamespace(readers=(), checkpoints=()),
        analysis=analysis,
    )
    figures = report_figures(cast(StudyReport, report))
    return {"readings.csv": calls_csv(rows), "figures.csv": figures_csv(figures), "analyse.R": r_script()}


@pytest.mark.skipif(not WITH_R, reason="R with pROC is not installed: apt install r-base-core r-cran-proc")
@pytest.mark.parametrize(
    "design",
    [
        {"images": 1, "missing": 0.0, "aided": False},
        {"images": 1, "missing": 0.1, "aided": True},
        {"images": 3, "missing": 0.0, "aided": True},
        {"images": 3, "missing": 0.1, "aided": True, "mixed": True},
        {"images": 2, "missing": 0.0, "aided": False, "stops": 10},
        {"images": 1, "missing": 0.0, "aided": True, "positive": 6},
    ],
)
def test_r_computes_what_patients_and_gaps_do_to_the_figures(design: dict[str, Any], tmp_path: Path) -> None:
    files = studied(**design)
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    done = subprocess.run(["Rscript", "analyse.R"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, "\n".join(line for line in done.stdout.splitlines() if "UNLIKE" in line) + done.stderr
    methods = {line.split(",")[2] for line in files["figures.csv"].decode().splitlines()[1:] if line.count('"') == 2}
    methods |= {
        method for method in ("over-patients", "obuchowski", "patients") if method in files["figures.csv"].decode()
    }
    assert ("over-patients" in methods) == (design["images"] > 1)
