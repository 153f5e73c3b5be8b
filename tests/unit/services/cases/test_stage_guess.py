import pytest

from colpo_core.services.cases.stage_guess import guess_stage
from colpo_core.terms import Stage


@pytest.mark.parametrize(
    ("name", "stage"),
    [
        ("lugol.jpg", Stage.LUGOL),
        ("C1Iodine (2).jpg", Stage.LUGOL),
        ("after_Lugols_iodine.tif", Stage.LUGOL),
        ("nach Jod.bmp", Stage.LUGOL),
        ("VILI_3.jpg", Stage.LUGOL),
        ("C1Aceto (1).jpg", Stage.ACETIC_ACID),
        ("5% acetic acid 60s.jpg", Stage.ACETIC_ACID),
        ("green filter.png", Stage.GREEN_FILTER),
        ("greenFilter01.png", Stage.GREEN_FILTER),
        ("Grünfilter.png", Stage.GREEN_FILTER),
        ("native.jpg", Stage.NATIVE),
        ("2_saline.jpg", Stage.NATIVE),
        ("P-7/lugol/0001.jpg", Stage.LUGOL),
        ("lugol/aceto 3.jpg", Stage.ACETIC_ACID),
        ("case\\green\\1.jpg", Stage.GREEN_FILTER),
        ("img_0001.jpg", None),
        ("period 2.jpg", None),
        ("alternative.jpg", None),
        ("aceto and lugol.jpg", None),
        ("1_Speculum_examination.jpg", None),
    ],
)
def test_the_stage_that_a_name_speaks_of(name: str, stage: Stage | None) -> None:
    assert guess_stage(name) is stage
