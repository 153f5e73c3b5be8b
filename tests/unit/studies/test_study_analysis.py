import numpy as np
import pytest
from scipy.special import expit

from colpo_core.errors import InputRejected
from colpo_core.records.statistics.reader_figures import Endpoint
from colpo_core.records.studies.reading_plans import ReadingPlan
from colpo_core.records.studies.results import StudyAnalysis
from colpo_core.studies.roe_metz import draw_ratings
from colpo_core.studies.study_analysis import NetworkRatings, analyse_study, reader_rating
from colpo_core.terms import Label

N, H = Label.NORMAL, Label.HSIL


def analysed(
    *,
    readers: int = 3,
    left_out: int = 0,
    network: tuple[int, ...] | None = None,
    patients: int = 60,
    plan: ReadingPlan | None = None,
    prevalence: float | None = None,
) -> StudyAnalysis:
    truth, drawn = draw_ratings(
        np.random.default_rng(4), n_readers=max(readers, 1), n_positive=30, n_negative=30, aucs=(0.75, 0.95)
    )
    centred = drawn - 1
    said = {case: centred[1, 0, case] for case in (range(60) if network is None else network)}
    return analyse_study(
        {case: H if has else N for case, has in enumerate(truth)},
        {
            f"R{place}": {case: centred[0, place, case] for case in range(0 if place else left_out, 60)}
            for place in range(readers)
        },
        [NetworkRatings("net", 4, said, {case: float(expit(rating)) for case, rating in said.items()})],
        patients={case: case % patients for case in range(60)},
        plan=plan,
        prevalence=prevalence,
        again={"R0": {0: (1.5, 3.5), 1: (-2.5, -0.5), 2: (4.5, -4.5), 3: (-1.5, -1.5)}, "R1": {}},
    )


def test_call_and_confidence_make_one_rating_that_keeps_the_call() -> None:
    order = [reader_rating(N, 100), reader_rating(N, 0), reader_rating(H, 0), reader_rating(H, 100)]
    assert order == sorted(order)
    assert order[1] < 0 < order[2]
    assert len(set(order)) == 4


def test_readers_are_held_against_the_network_one_by_one_and_together() -> None:
    found = analysed()
    assert found.notes == ()
    (network,) = found.networks
    assert (network.name, network.channels, network.n_cases, network.refused) == ("net", 4, 60, ())
    areas = [reader.arms["unaided"].auc for reader in found.readers.readers.values()]
    assert network.together.model == network.alone.auc
    for area, one in zip(areas, network.readers, strict=True):
        assert one.aucs.difference == pytest.approx((area or 0) - (network.alone.auc or 0))
    assert network.together.difference == pytest.approx(np.mean(areas) - (network.alone.auc or 0))
    assert network.together.ci[1] < 0, "the network is better, and is found to be"
    assert network.readers[0].calls["sensitivity"].n == 30
    assert found.readers.single_arm["unaided"].ci is not None
    assert found.readers.agreement["unaided"].fleiss is not None
    assert list(found.again) == ["R0"], "who has read no case twice has no agreement of her own"
    assert (found.again["R0"].value, found.again["R0"].n) == (0.5, 4)


def test_only_what_the_network_may_be_judged_on_is_compared() -> None:
    (network,) = analysed(network=(*range(10), *range(30, 45))).networks
    assert network.n_cases == 25
    assert (network.readers[0].calls["sensitivity"].n, network.readers[0].calls["specificity"].n) == (10, 15)
    (network,) = analysed(network=(0, 30, 31)).networks
    assert (network.alone, network.readers) == (None, ())
    assert "fewer than two cases of a label" in network.refused[0]


def test_missing_readings_and_shared_patients_are_said() -> None:
    found = analysed(left_out=5, patients=30)
    assert any("60 cases are of 30 patients. Patients are counted" in note for note in found.notes)
    assert any("Not all cases were read by R0" in note for note in found.notes)
    (network,) = found.networks
    assert network.together.basis.n_missing == 5
    assert network.together.basis.n_patients == 30
    (result,) = found.primary
    assert "60 cases of 30 patients, who were counted" in result.text
    assert "each reader on the cases that this reader has read, 5 readings missing" in result.text
    assert network.readers[0].calls["accuracy"].n == 55
    assert network.readers[0].calls["accuracy"].method == "patients"


def test_a_reader_who_left_early_does_not_cost_the_primary_endpoint() -> None:
    (result,) = analysed(left_out=50).primary
    assert result.p is not None
    assert "without R0, who read less than half" in result.text
    three = analysed(readers=4, left_out=60)
    assert len(three.primary) == 1
    assert three.primary[0].p is not None


def test_one_reader_has_no_figures_for_other_readers_and_none_has_none() -> None:
    alone = analysed(readers=1)
    assert alone.readers.single_arm == {}
    assert alone.networks[0].together is None
    assert alone.networks[0].readers[0].aucs is not None
    nobody = analysed(readers=0)
    assert (nobody.readers, nobody.networks) == (None, ())
    assert "too few readings" in nobody.notes[-1]


def test_the_primary_endpoint_is_the_sealed_one_with_its_margin_and_alpha() -> None:
    plain = analysed()
    (result,) = plain.primary
    (network,) = plain.networks
    assert (result.endpoint, result.alpha, result.non_inferiority) == (Endpoint.AUC, 0.05, None)
    assert result.difference == pytest.approx(-network.together.difference)
    assert result.figures[0] - result.figures[1] == pytest.approx(result.difference)
    assert "area under the curve" in result.text

    plan = ReadingPlan(endpoint=Endpoint.SENSITIVITY, margin=0.1, alpha=0.1)
    sealed = analysed(plan=plan)
    (result,) = sealed.primary
    (network,) = sealed.networks
    of_readers = network.shares[Endpoint.SENSITIVITY]
    assert network.together.non_inferiority is None, "the margin is of the sealed endpoint alone"
    assert result.ci == (-of_readers.ci[1], -of_readers.ci[0])
    assert result.non_inferiority.low == pytest.approx(-of_readers.ci[1])
    assert result.non_inferiority.is_shown is (-of_readers.ci[1] > -0.1)
    assert "90% interval" in result.text
    assert "Non-inferiority at a margin of 0.1" in result.text


def test_one_reader_alone_has_no_primary_result() -> None:
    assert analysed(readers=1).primary == ()


def test_readers_and_networks_are_calibrated() -> None:
    lines = analysed(network=tuple(range(10, 60))).calibration
    assert [(one.name, one.channels, one.n_cases) for one in lines] == [
        ("R0", None, 60), ("R1", None, 60), ("R2", None, 60), ("net", 4, 50),
    ]  # fmt: skip


def test_patients_with_several_cases_widen_the_intervals() -> None:
    found = analysed(patients=20)
    assert found.readers.by_patient.n_patients == 20
    assert set(found.networks[0].by_patient) == {"auc", "accuracy", "sensitivity", "specificity", "ppv", "npv"}
    assert any("Patients are counted" in note for note in found.notes)
    alone = analysed()
    assert alone.networks[0].by_patient == {}


def test_predictive_values_at_a_prevalence_are_given_for_readers_and_networks() -> None:
    found = analysed(prevalence=0.05)
    reader = found.readers.readers["R0"].arms["unaided"]
    network = found.networks[0].alone
    assert network is not None
    for arm in (reader, network):
        assert arm.ppv_at_prevalence.value < arm.ppv.value, "where HSIL is rare fewer calls of it are right"
    with pytest.raises(InputRejected, match="prevalence"):
        analysed(prevalence=1.0)


def test_a_study_of_which_little_was_read_says_so_and_breaks_nothing() -> None:
    """Before the closing one case of a label may have been read, and a network have judged cases that nobody has."""
    truth = {case: Label.HSIL if case % 2 else Label.NORMAL for case in range(20)}
    patients = {case: case for case in truth}
    network = NetworkRatings("net", 4, {case: (case % 7) / 10 - 0.3 for case in truth if case > 3})
    few = analyse_study(truth, {"Ann": {0: -10.5, 1: 20.5}}, [network], patients=patients)
    assert few.readers is None
    assert "There are too few readings for statistics." in few.notes
    apart = analyse_study(truth, {"Ann": {0: -10.5, 1: 20.5, 2: -3.5, 3: 9.5}}, [network], patients=patients)
    assert apart.readers is not None
    assert apart.networks[0].together is None
    assert "Fewer than two cases of a label that it has judged were read." in apart.networks[0].refused
