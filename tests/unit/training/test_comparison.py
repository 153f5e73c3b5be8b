from colpo_core.training.channels import ARMS
from colpo_core.training.comparison import PAIRS, Run, comparison_figures
from tests.cards import judged


def test_every_difference_names_its_two_arms() -> None:
    runs = [Run(arm, 0, judged(1.0, seed=1), judged(1.0, seed=number)) for number, arm in enumerate(ARMS)]
    found = comparison_figures(runs, rule="youden", seed=0)
    assert [(pair["first"], pair["second"]) for pair in found["differences"]] == list(PAIRS)
    assert set(found["arms"]) == set(ARMS)
