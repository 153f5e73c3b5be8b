from colpo_core.errors import InputRejected
from colpo_core.records.statistics.reader_figures import Endpoint
from colpo_core.records.studies.reading_plans import Aid, ReadingPlan
from colpo_core.services.studies.power import ReaderSpread, plan_power
from colpo_core.studies.power import Assumed, estimate_power
from colpo_core.studies.roe_metz import RoeMetz
from tests.support.refusals import refused

STUDY = {"n_readers": 4, "n_positive": 40, "n_negative": 40, "studies": 100}


def test_the_plans_endpoint_margin_and_alpha_are_those_of_the_estimate() -> None:
    plain = plan_power(ReadingPlan(), figures=(0.9, 0.8), **STUDY)
    assert plan_power(ReadingPlan(alpha=0.01), figures=(0.9, 0.8), **STUDY).by_formula < plain.by_formula
    assert plan_power(ReadingPlan(margin=0.1), figures=(0.9, 0.8), **STUDY).by_formula > plain.by_formula
    calls = plan_power(ReadingPlan(endpoint=Endpoint.SENSITIVITY), figures=(0.9, 0.8), **STUDY)
    assert calls.by_formula < plain.by_formula, "calls tell less than ratings"


def test_with_an_aid_both_arms_are_the_readers_own() -> None:
    found = plan_power(ReadingPlan(aid=Aid.AFTER_FIRST_CALL, aid_checkpoint_id=1), figures=(0.9, 0.8), **STUDY)
    two_arms = Assumed((0.9, 0.8), 4, 40, 40, model=RoeMetz(reader=0.03, arm_reader=0.03))
    assert found == estimate_power(two_arms, studies=100)
    assert found != plan_power(ReadingPlan(), figures=(0.9, 0.8), **STUDY)


def test_readers_who_differ_more_find_less() -> None:
    found = [
        plan_power(ReadingPlan(), figures=(0.9, 0.8), spread=spread, **STUDY).by_formula
        for spread in (ReaderSpread.LITTLE, ReaderSpread.MUCH)
    ]
    assert found[0] > found[1]


def test_what_makes_no_sense_is_refused() -> None:
    refused(InputRejected, lambda: plan_power(ReadingPlan(), figures=(0.9, 0.4), **STUDY), match="assumed auc")
