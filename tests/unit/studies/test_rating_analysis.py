from dataclasses import replace

import numpy as np
import pytest

from colpo_core.errors import InputRejected
from colpo_core.records.statistics.multi_reader_figures import Covariance
from colpo_core.records.statistics.reader_figures import Endpoint
from colpo_core.studies.analysis_options import AnalysisOptions
from colpo_core.studies.rating_analysis import analyse_table
from colpo_core.studies.ratings import RatingTable
from tests.support.rating_tables import rating_table

OPTIONS = AnalysisOptions(threshold=0.8)


def cases_of(table: RatingTable, places: slice | np.ndarray) -> RatingTable:
    names = tuple(np.asarray(table.cases)[places].tolist())
    return replace(table, cases=names, truth=table.truth[places], rating=table.rating[:, :, places])


def test_everything_is_there_for_complete_ratings() -> None:
    table = rating_table()
    found = analyse_table(table, replace(OPTIONS, margin=0.2, prevalence=0.1))
    assert found.refused == ()
    assert (found.counts.cases, found.counts.positive) == (60, 30)
    assert list(found.mrmc.auc) == ["aided", "unaided"]
    areas = [[reader.arms[arm].auc for reader in found.readers.values()] for arm in table.arms]
    assert found.mrmc.difference == pytest.approx(np.mean(areas[0]) - np.mean(areas[1]))
    assert found.mrmc.non_inferiority is not None
    many = {endpoint: one.mrmc for endpoint, one in found.shares.items()}
    assert list(many) == [Endpoint.ACCURACY, Endpoint.SENSITIVITY, Endpoint.SPECIFICITY]
    sensitivity = many[Endpoint.SENSITIVITY]
    assert sensitivity.non_inferiority is None, "the margin is of the area"
    shares = [[reader.arms[arm].sensitivity.value for reader in found.readers.values()] for arm in table.arms]
    assert sensitivity.difference == pytest.approx(np.mean(shares[0]) - np.mean(shares[1]))
    accuracy = np.mean([reader.arms["aided"].accuracy.value for reader in found.readers.values()])
    assert found.shares[Endpoint.ACCURACY].single_arm["aided"].auc == pytest.approx(accuracy)
    assert found.by_patient is None, "each case is a patient of her own"
    assert set(found.single_arm) == {"aided", "unaided"}
    assert found.single_arm["aided"].auc == found.mrmc.auc["aided"]
    pairs = found.agreement["aided"].pairs
    assert [(pair.first, pair.second, pair.n) for pair in pairs[:2]] == [("r0", "r1", 60), ("r0", "r2", 60)]
    assert len(pairs) == 6
    assert all(pair.cohen is not None for pair in pairs)
    assert set(found.readers["r0"].mcnemar or ()) == {"accuracy", "sensitivity", "specificity"}
    assert found.readers["r0"].delong is not None


def test_turning_the_arms_round_turns_the_difference_round() -> None:
    table = rating_table()
    here, there = (analyse_table(one, OPTIONS).mrmc for one in (table, table.of_arms(["unaided", "aided"])))
    assert (here.p, here.difference) == pytest.approx((there.p, -there.difference))


@pytest.mark.parametrize("method", list(Covariance))
def test_each_covariance_gives_an_answer_that_can_be_repeated(method: Covariance) -> None:
    options = replace(OPTIONS, covariance=method, seed=3)
    table = rating_table(readers=2)
    assert analyse_table(table, options) == analyse_table(table, options)


def test_missing_readings_are_named_and_every_reader_is_judged_on_what_was_read() -> None:
    table = rating_table()
    table.rating[0, 1, :5] = np.nan
    found = analyse_table(table, OPTIONS)
    assert found.mrmc.p is not None
    assert (found.mrmc.basis.n_missing, found.mrmc.basis.cases_left_out, found.mrmc.basis.n_cases) == (5, 0, 60)
    assert "5 readings missing" in found.mrmc.basis.text
    beside = found.complete_cases.mrmc
    assert (beside.basis.n_missing, beside.basis.cases_left_out, beside.basis.n_cases) == (0, 5, 55)
    assert beside.basis.text == "complete cases: 55, 5 left out"
    whole = analyse_table(cases_of(table, slice(5, None)), OPTIONS)
    assert beside.p == pytest.approx(whole.mrmc.p)
    assert found.refused == ()
    assert found.readers["r1"].arms["aided"].n == 55
    assert (found.readers["r1"].mcnemar or {})["accuracy"].n == 55
    every = analyse_table(table, replace(OPTIONS, u_statistic=True)).mrmc
    assert every.p is not None
    assert every.basis.method == "u-statistic"
    assert every.difference == pytest.approx(found.mrmc.difference, abs=0.02)


def test_a_reader_who_stopped_early_costs_nobody_else_the_answer() -> None:
    table = rating_table()
    table.rating[:, 3, 7:] = np.nan
    found = analyse_table(table, OPTIONS).mrmc
    assert found.basis.readers_left_out == ("r3",)
    three = analyse_table(replace(table, readers=table.readers[:3], rating=table.rating[:, :3]), OPTIONS).mrmc
    assert (found.p, found.ci) == (three.p, three.ci)


def test_cases_that_nobody_has_read_in_the_chosen_arms_are_gone() -> None:
    table = rating_table()
    rating = np.full((3, 4, 80), np.nan)
    rating[:2, :, :60] = table.rating
    rating[2, :, 60:] = table.rating[0, :, :20]
    truth = np.concatenate([table.truth, np.arange(20) % 2 == 0])
    three = RatingTable(("aided", "unaided", "x"), table.readers, tuple(f"c{n}" for n in range(80)), truth, rating)
    found = analyse_table(three.of_arms(["aided", "unaided"]), OPTIONS)
    assert found.counts.cases == 60
    assert found == analyse_table(table, OPTIONS)


def test_the_images_of_a_patient_say_no_more_together_than_one_of_them() -> None:
    of_patients = rating_table(copies=3)
    once, thrice = (
        analyse_table(rating_table(), OPTIONS),
        analyse_table(of_patients, replace(OPTIONS, margin=0.3)),
    )
    naive = thrice.independent
    assert thrice.mrmc.basis.n_patients == 60
    assert thrice.mrmc.se == pytest.approx(once.mrmc.se)
    assert naive.mrmc.basis.n_patients is None
    assert naive.mrmc.se < 0.9 * thrice.mrmc.se
    assert naive.mrmc.fixed_readers.se == pytest.approx(thrice.mrmc.fixed_readers.se / 3**0.5, rel=0.02)
    assert naive.mrmc.p < thrice.mrmc.p
    for endpoint, share in thrice.shares.items():
        assert naive.shares[endpoint].mrmc.cov2 != share.mrmc.cov2, endpoint
    for reader in ("r0", "r1"):
        by_patient, by_case = thrice.readers[reader], once.readers[reader]
        assert by_patient.delong.method == "obuchowski"
        assert by_patient.delong.z == pytest.approx(by_case.delong.z)
        assert by_patient.delong.p > by_case.delong.p, "t in place of the normal distribution"
        assert by_patient.mcnemar["accuracy"].method == "patients"
        assert by_patient.mcnemar["accuracy"].b == 3 * by_case.mcnemar["accuracy"].b
    with pytest.raises(InputRejected, match="U-statistics take each case as a patient"):
        analyse_table(of_patients, replace(OPTIONS, u_statistic=True))


def test_too_few_cases_have_a_sentence_in_place_of_an_interval_and_a_p() -> None:
    table = rating_table()
    small = cases_of(table, np.r_[0:3, 30:60])
    found = analyse_table(small, replace(OPTIONS, margin=0.1)).mrmc
    assert (found.ci, found.p, found.se) == (None, None, None)
    assert found.reason == "3 cases of a class, and it takes 10 of each"
    assert found.non_inferiority.is_shown is None
    single = analyse_table(small, OPTIONS).single_arm["aided"]
    assert (single.ci, single.logit_ci) == (None, None)
    assert "it takes 5 of each" in (single.reason or "")
    shares = analyse_table(small, OPTIONS).shares
    assert shares[Endpoint.SPECIFICITY].single_arm["aided"].logit_ci is not None, "of 30 cases without it"
    assert shares[Endpoint.SENSITIVITY].single_arm["aided"].logit_ci is None


def test_two_readers_and_what_was_cut_are_said() -> None:
    found = analyse_table(rating_table(readers=2), OPTIONS).mrmc
    assert any(one.startswith("Two readers say little") for one in found.cautions)
    table, generator = rating_table(readers=3), np.random.default_rng(0)
    # Readers who share nothing but the truth: their covariance is 0, so that about half of the estimates are below it.
    every = [replace(table, rating=generator.normal(size=(2, 3, 60)) + table.truth) for _ in range(8)]
    found_in_each = [analyse_table(one, AnalysisOptions()).mrmc or pytest.fail() for one in every]
    said = " ".join(caution for one in found_in_each for caution in one.cautions)
    assert "below 0" in said
    assert "narrower than for these readers alone" in said


def test_yes_or_no_alone_gives_no_area() -> None:
    table = rating_table()
    table.rating[:] = table.rating > 0.8
    found = analyse_table(table, AnalysisOptions(threshold=1))
    assert (found.mrmc, found.single_arm) == (None, {})
    assert found.readers["r0"].arms["aided"].auc is None
    assert found.readers["r0"].delong is None
    assert found.shares[Endpoint.SENSITIVITY].mrmc is not None
    assert any("yes or no alone" in sentence for sentence in found.refused)


def test_one_reader_one_arm_and_three_arms_say_what_they_lack() -> None:
    alone = analyse_table(rating_table(readers=1), OPTIONS)
    assert alone.mrmc is None
    assert any("at least two readers" in sentence for sentence in alone.refused)
    assert alone.readers["r0"].delong is not None
    one_arm = analyse_table(rating_table().of_arms(["aided"]), OPTIONS)
    assert (one_arm.mrmc, one_arm.refused) == (None, ()), "with one arm there is nothing to compare"
    assert one_arm.readers["r0"].mcnemar is None
    assert set(one_arm.single_arm) == {"aided"}
    table = rating_table()
    three = replace(table, arms=("a", "b", "c"), rating=np.concatenate([table.rating, table.rating[:1]]))
    assert any("there are 3; name two" in sentence for sentence in analyse_table(three, OPTIONS).refused)


def test_a_model_is_one_reader_of_its_own_and_compared_with_each_arm() -> None:
    table = rating_table(aucs=(0.9, 0.9), readers=3)
    rating = np.full((2, 3, 60), np.nan)
    rating[0, :2] = table.rating[0, :2]
    rating[1, 2] = table.rating[1, 2]
    with_model = RatingTable(("readers", "net"), ("a", "b", "net"), table.cases, table.truth, rating)
    found = analyse_table(with_model, replace(OPTIONS, model="net"))
    assert found.counts.readers == ("a", "b")
    assert set(found.against_model) == {"readers"}
    against = found.against_model["readers"]
    assert against.difference == pytest.approx(found.single_arm["readers"].auc - against.model)
    with pytest.raises(InputRejected, match="2 readers; a standalone model is one"):
        analyse_table(with_model, replace(OPTIONS, model="readers"))
    with pytest.raises(InputRejected, match="no treatment “nobody”"):
        analyse_table(with_model, replace(OPTIONS, model="nobody"))
    rating[1, 2, 4] = np.nan
    with pytest.raises(InputRejected, match="not rated every case"):
        analyse_table(with_model, replace(OPTIONS, model="net"))


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"alpha": 0.0}, "Alpha"),
        ({"prevalence": 1.0, "threshold": 1.0}, "prevalence"),
        ({"margin": -0.1}, "margin"),
        ({"threshold": float("nan")}, "threshold"),
    ],
)
def test_options_that_make_no_sense_are_refused(wrong: dict[str, float], words: str) -> None:
    with pytest.raises(InputRejected, match=words):
        AnalysisOptions(**wrong)  # type: ignore[arg-type]


def test_a_model_on_another_scale_has_a_threshold_of_its_own() -> None:
    table = rating_table(aucs=(0.9, 0.9), readers=3)
    rating = np.full((2, 4, 60), np.nan)
    rating[0, :3] = np.clip(np.round(table.rating[0] + 2), 1, 5)
    rating[1, 3] = 1 / (1 + np.exp(-table.rating[1, 2]))
    with_model = RatingTable(("readers", "net"), ("a", "b", "c", "net"), table.cases, table.truth, rating)
    options = AnalysisOptions(threshold=3, model="net")
    with pytest.raises(InputRejected, match="all ratings of the model would fall on one side"):
        analyse_table(with_model, options)
    own = analyse_table(with_model, replace(options, model_threshold=0.6)).shares[Endpoint.SENSITIVITY]
    called = (rating[1, 3] >= 0.6)[table.truth].mean()
    assert own.against_model["readers"].model == pytest.approx(called)
    within = rating.copy()
    within[1, 3] = 2.5 + rating[1, 3]
    near = RatingTable(("readers", "net"), with_model.readers, table.cases, table.truth, within)
    with pytest.raises(InputRejected, match="two scales"):
        analyse_table(near, options)
    assert analyse_table(near, replace(options, model_threshold=3.1)).shares
    areas = analyse_table(with_model, AnalysisOptions(model="net"))
    of_near = analyse_table(near, AnalysisOptions(model="net"))
    assert areas.against_model["readers"].model == pytest.approx(of_near.against_model["readers"].model)


@pytest.mark.parametrize(
    "asked",
    [{"endpoint": Endpoint.SENSITIVITY, "margin": 0.05}, {"prevalence": 0.1}, {"model": "x", "model_threshold": 0.5}],
)
def test_what_needs_a_threshold_is_refused_without_one(asked: dict[str, object]) -> None:
    with pytest.raises(InputRejected, match="--threshold"):
        AnalysisOptions(**asked)  # type: ignore[arg-type]


def test_a_margin_of_nothing_is_not_passed_over() -> None:
    alone = rating_table().of_arms(["aided"])
    assert any("non-inferiority" in one for one in analyse_table(alone, replace(OPTIONS, margin=0.1)).refused)


def test_a_reader_who_dropped_out_changes_no_other_pairs_agreement() -> None:
    whole, dropped = rating_table(), rating_table()
    dropped.rating[:, 3, 4:] = np.nan
    here, there = (analyse_table(table, OPTIONS).agreement["aided"] for table in (whole, dropped))
    kept, before = ([pair for pair in pairs if pair.second != "r3"] for pairs in (there.pairs, here.pairs))
    assert kept == before
    assert {pair.n for pair in there.pairs if pair.second == "r3"} == {4}
    assert (here.fleiss and here.fleiss.n, there.fleiss and there.fleiss.n) == (60, 4)
    assert there.krippendorff_alpha.n == 60


def test_readers_without_a_case_in_common_are_said() -> None:
    table = rating_table(readers=3)
    table.rating[:, 1, :30] = np.nan
    table.rating[:, 2, 30:] = np.nan
    found = analyse_table(table, OPTIONS)
    one, other, apart = found.agreement["aided"].pairs
    assert (one.n, other.n, apart.n) == (30, 30, 0)
    assert (apart.cohen.value, apart.cohen.ci) == (None, None)
    assert found.agreement["aided"].fleiss is None
    assert "No Fleiss' kappa and Gwet's AC1 of treatment “aided”: no case was read by all 3 readers." in found.refused


def test_patients_with_several_cases_widen_the_agreements_intervals() -> None:
    table = rating_table()
    narrow = analyse_table(table, OPTIONS).agreement["aided"].pairs[0].cohen
    of_four = replace(table, patients=tuple(str(case // 4) for case in range(60)))
    wide = analyse_table(of_four, OPTIONS).agreement["aided"].pairs[0].cohen
    assert narrow.value == wide.value
    assert narrow.ci != wide.ci


def test_why_there_is_no_area_is_said_as_it_is() -> None:
    table = rating_table()
    table.rating[0] = 0.5
    table.rating[1] = table.rating[1] > 0.8
    said = analyse_table(table, OPTIONS).refused
    assert any("all ratings of treatment “aided” are 0.5, so they tell no case from another" in one for one in said)
    assert any("the ratings of treatment “unaided” are yes or no alone (0 and 1)" in one for one in said)


def test_the_cases_behind_a_difference_are_counted() -> None:
    table = rating_table()
    table.rating[0, 1, :5] = np.nan
    delong = analyse_table(table, OPTIONS).readers["r1"].delong
    assert delong.n == 55
