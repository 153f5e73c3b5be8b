"""Several readers judged together: on what they have all read, on all that there is, by cases or by patients."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from math import floor

import numpy as np
import numpy.typing as npt

from colpo_core.evaluation.few import FEWEST_FOR_A_DIFFERENCE, FEWEST_FOR_AN_INTERVAL, too_few
from colpo_core.records.statistics.reader_statistics import (
    U_STATISTIC,
    AgainstModel,
    Basis,
    Comparison,
    Covariance,
    Endpoint,
    ManyReaders,
    NonInferiority,
    SingleArm,
)
from colpo_core.studies.available_cases import available_figures
from colpo_core.studies.endpoints import components, covariance
from colpo_core.studies.obuchowski_rockette import (
    NEAR_AN_END,
    USUAL,
    Chance,
    against_model,
    bounded,
    covariance_parts,
    fixed_cases,
    fixed_readers,
    logit_interval,
    non_inferiority,
    random_readers_and_cases,
    single_arm,
    skewed_low,
)
from colpo_core.studies.ratings import FEWEST_OF_A_CLASS, RatingTable
from colpo_core.studies.u_statistics import Estimated, u_statistic_arm, u_statistic_difference

_Floats = npt.NDArray[np.float64]
_Bools = npt.NDArray[np.bool_]
_Ints = npt.NDArray[np.int_]
_TWO = 2
# A reader who has read less than this share of the cases in an arm is left out, so that the others keep theirs.
_HALF = 0.5
_FEW_NEAR_ONE = 50
# Comparisons of two ratings that U-statistics of areas may take: some minutes of one core.
MOST_PAIRS = 4_000_000_000

_NOTHING_VARIES = "nothing varies between readers and cases"
_BELOW_ZERO = "the estimate of the variance came out below 0"
TWO_READERS = (
    "Two readers say little about other readers: these figures rest on one difference between two people. In "
    "simulations the 95% interval of their difference from another arm or a model holds the truth in 89 to 97 of 100; "
    "with three readers or more it holds as it says."
)
CUT_AT_ZERO = "A covariance of the readers came out below 0, which chance can do in few cases, and was taken as 0."
SURER = (
    "For other readers the interval is narrower than for these readers alone. That cannot be true; the estimate came "
    "out too small by chance, and the wider interval is the one to quote."
)
AT_LEAST_THESE = (
    "For other readers the variance came out smaller than for these readers alone. That cannot be true, so the latter "
    "was taken."
)
NEAR_ONE = "So near 1 and with so few cases, the test finds a difference too rarely: that none was found says little."


@dataclass(frozen=True)
class Judging:
    """How several readers are judged.

    Attributes:
        endpoint: By what.
        method: How their covariance is estimated.
        threshold: A rating from here on is a positive call; None for the area.
        alpha: 1 minus the intervals' confidence.
        margin: Of non-inferiority of the first arm to the second, or of a model to the readers.
        seed: Seed of the bootstrap.
        u_statistic: Whether all ratings are judged, by U-statistics, also where readers differ between arms.
        complete: Whether, where ratings are missing, the cases are judged that all readers have read; else each reader
            on the cases that this reader has read, for which the covariance is DeLong's.
    """

    endpoint: Endpoint = Endpoint.AUC
    method: Covariance = Covariance.DELONG
    threshold: float | None = None
    alpha: float = 0.05
    margin: float | None = None
    seed: int = 0
    u_statistic: bool = False
    complete: bool = False


class CannotJudge(ValueError):
    """Several readers cannot be judged together; the text says why, without a full stop."""


@dataclass(frozen=True)
class Kept:
    """What several readers are judged on.

    Attributes:
        truth: Shape (cases,).
        rating: Shape (arms, readers, cases); without a gap, unless by U-statistics.
        patients: Shape (cases,): patient of each case, counted from 0; None where each case is a patient of its own.
        cases: Shape (cases,): places of these cases in the table.
        basis: What was left out.
    """

    truth: _Bools
    rating: _Floats
    patients: _Ints | None
    cases: _Ints
    basis: Basis


def kept_for(table: RatingTable, arms: Sequence[int], judging: Judging, *, by_patient: bool = False) -> Kept:
    """The readers who have read at least half in each of these arms, and the cases that they are judged on.

    Args:
        table: The ratings.
        arms: Places of the arms.
        judging: How: the cases that all of them have read in each, or each reader's own.
        by_patient: Whether patients are counted, not cases.

    Raises:
        CannotJudge: There are no two such readers, or fewer than two such cases of a class.
    """
    rating, cases = _read_in(table, arms)
    share = (~np.isnan(rating)).mean(axis=2) if rating.shape[2] else np.zeros(rating.shape[:2])
    present, enough = share.max(axis=0) > 0, share.min(axis=0) >= _HALF
    if enough.sum() < _TWO:
        why = "it takes at least two readers"
        if present.sum() >= _TWO:
            where = " in both treatments" if len(arms) == _TWO else ""
            why += f" who have read at least half of the cases{where}; without them there are U-statistics alone"
        raise CannotJudge(why)
    rating = rating[:, enough]
    read = ~np.isnan(rating)
    is_complete = judging.complete or judging.method is not Covariance.DELONG
    chosen = read.all(axis=(0, 1)) if is_complete else read.any(axis=(0, 1))
    kept, truth, rating = cases[chosen], table.truth[cases[chosen]], rating[:, :, chosen]
    if _fewest_of_a_class(truth, rating) < FEWEST_OF_A_CLASS:
        raise CannotJudge(
            "fewer than two cases of a class were read by all readers"
            if is_complete
            else "a reader has read fewer than two cases of a class"
        )
    patients = _numbered(table, kept) if by_patient else None
    basis = Basis(
        "obuchowski-rockette",
        n_cases=len(kept),
        readers=tuple(np.asarray(table.readers)[enough].tolist()),
        n_patients=None if patients is None else int(patients.max()) + 1,
        cases_left_out=int((~chosen & read.any(axis=(0, 1))).sum()),
        readers_left_out=tuple(np.asarray(table.readers)[present & ~enough].tolist()),
        n_missing=int(np.isnan(rating).sum()),
    )
    return Kept(truth, rating, patients, kept, basis)


def _fewest_of_a_class(truth: _Bools, rating: _Floats) -> int:
    """Cases of the rarer class that the reader has read who has read fewest."""
    read = ~np.isnan(rating)
    return int(min((read & truth).sum(axis=2).min(), (read & ~truth).sum(axis=2).min()))


def every_reading(table: RatingTable, arms: Sequence[int]) -> Kept:
    """All ratings of these arms, with their gaps.

    Raises:
        CannotJudge: There are no two readers, or fewer than two cases of a class.
    """
    rating, cases = _read_in(table, arms)
    present = ~np.isnan(rating).all(axis=(0, 2))
    truth = table.truth[cases]
    if present.sum() < _TWO:
        raise CannotJudge("it takes at least two readers")
    if min(truth.sum(), (~truth).sum()) < FEWEST_OF_A_CLASS:
        raise CannotJudge("fewer than two cases of a class were read")
    readers = tuple(np.asarray(table.readers)[present].tolist())
    basis = Basis(U_STATISTIC, n_cases=len(cases), readers=readers)
    return Kept(truth, rating[:, present], None, cases, basis)


def compare_arms(table: RatingTable, judging: Judging, *, by_patient: bool = False) -> ManyReaders:
    """The first arm minus the second, over readers.

    Args:
        table: Of two arms.
        judging: How.
        by_patient: Whether patients are counted, not cases.

    Raises:
        CannotJudge: See `kept_for` and `every_reading`.
    """
    if judging.u_statistic:
        return _compared_by_u(table, every_reading(table, range(_TWO)), judging)
    kept = kept_for(table, range(_TWO), judging, by_patient=by_patient)
    n_arms, n_readers, _ = kept.rating.shape
    flat = kept.rating.reshape(n_arms * n_readers, -1)
    values, matrix = _judged(kept, flat, judging)
    figures = values.reshape(n_arms, n_readers)
    means = dict(zip(table.arms, figures.mean(axis=1).tolist(), strict=True))
    difference, few = float(figures[0].mean() - figures[1].mean()), _few(kept, judging.endpoint, is_difference=True)
    if few is not None:
        # Nothing is claimed, so nothing is estimated: with one patient of a class it could not be.
        return replace(_unknown(means, difference, kept.basis), reason=few, non_inferiority=_untold(judging))
    parts = covariance_parts(matrix, arms=n_arms, readers=n_readers)
    careful = Chance(_cases_df(kept, judging.endpoint), is_bounded=True)
    chance = _chance(kept, judging.endpoint)
    found = random_readers_and_cases(figures, parts, alpha=judging.alpha, chance=chance)
    these = fixed_readers(figures, parts, alpha=judging.alpha, chance=USUAL if chance is USUAL else careful)
    held = None
    if judging.margin is not None:
        skewed = _skewed(figures, matrix, random_readers_and_cases(figures, parts, chance=careful), careful, judging)
        held = non_inferiority(found.ci, judging.margin, skewed=skewed)
    cautions = list(_cautions(kept, judging, figures, parts.cov2 - parts.cov3))
    if found.se is not None and these.se is not None:
        if chance.is_bounded and np.isclose(found.se, these.se, rtol=1e-12):
            cautions.append(AT_LEAST_THESE)
        elif found.se < these.se:
            cautions.append(SURER)
    return ManyReaders(
        auc=means,
        difference=difference,
        **asdict(replace(found, reason=_reason(found.se, found.reason))),
        **asdict(parts),
        fixed_readers=these,
        fixed_cases=fixed_cases(figures, alpha=judging.alpha),
        basis=kept.basis,
        non_inferiority=held,
        cautions=tuple(cautions),
    )


def mean_of_arm(table: RatingTable, arm: int, judging: Judging, *, by_patient: bool = False) -> SingleArm:
    """The mean over the readers of one arm.

    Args:
        table: The ratings.
        arm: Place of the arm.
        judging: How.
        by_patient: Whether patients are counted, not cases.

    Raises:
        CannotJudge: See `kept_for` and `every_reading`.
    """
    if judging.u_statistic:
        return _mean_by_u(every_reading(table, [arm]), judging)
    kept = kept_for(table, [arm], judging, by_patient=by_patient)
    ratings = kept.rating[0]
    figures, matrix = _judged(kept, ratings, judging)
    few = _few(kept, judging.endpoint)
    if few is not None:
        return SingleArm(float(figures.mean()), None, None, None, None, reason=few, basis=kept.basis)
    parts = covariance_parts(matrix, arms=1, readers=len(ratings))
    found = single_arm(
        figures, parts, alpha=judging.alpha, chance=_chance(kept, judging.endpoint),
        cases_df=_cases_df(kept, judging.endpoint),
    )  # fmt: skip
    reason = None if found.logit_ci is not None else _reason(None, None)
    cautions = tuple(_cautions(kept, judging, figures[None], parts.cov2))
    return replace(found, reason=reason, basis=kept.basis, cautions=cautions)


def against_a_model(
    table: RatingTable, arm: int, model: _Floats, judging: Judging, *, by_patient: bool = False
) -> AgainstModel:
    """The readers of one arm minus a standalone model.

    Args:
        table: The ratings.
        arm: Place of the arm.
        model: Shape (cases,), of every case; where calls are judged, on the scale of the readers' threshold.
        judging: How; the margin is of non-inferiority of the model to the readers.
        by_patient: Whether patients are counted, not cases.

    Raises:
        CannotJudge: See `kept_for` and `every_reading`.
    """
    if judging.u_statistic:
        return _against_by_u(every_reading(table, [arm]), model, judging)
    kept = kept_for(table, [arm], judging, by_patient=by_patient)
    every = np.vstack([kept.rating[0], model[kept.cases]])
    figures, matrix = _judged(kept, every, judging)
    of_readers, own = figures[:-1], float(figures[-1])
    few = _few(kept, judging.endpoint, is_difference=True)
    if few is not None:
        found = AgainstModel(own, float(of_readers.mean() - own), None, None, None, None, None)
        return replace(found, reason=few, basis=kept.basis, non_inferiority=_untold(judging))
    n_readers = len(of_readers)
    against = np.hstack([np.eye(n_readers), -np.ones((n_readers, 1))])
    parts = covariance_parts(against @ matrix @ against.T, arms=1, readers=n_readers)
    careful = Chance(_cases_df(kept, judging.endpoint), is_bounded=True)
    found = against_model(of_readers, own, parts, alpha=judging.alpha, chance=careful)
    reason = _reason(found.se, found.reason)
    held = None
    if judging.margin is not None:
        alone = single_arm(
            of_readers, covariance_parts(matrix[:-1, :-1], arms=1, readers=n_readers), chance=careful
        )  # fmt: skip
        held = _model_held(found, (own, float(matrix[-1, -1]) ** 0.5), (alone.auc, alone.se or 0.0), judging)
    cautions = tuple(_cautions(kept, judging, of_readers[None], parts.cov2))
    return replace(found, reason=reason, basis=kept.basis, non_inferiority=held, cautions=cautions)


def _read_in(table: RatingTable, arms: Sequence[int]) -> tuple[_Floats, _Ints]:
    """Ratings of these arms of the cases that somebody has read in one of them, and the places of these cases."""
    rating = table.rating[list(arms)]
    cases = np.flatnonzero(~np.isnan(rating).all(axis=(0, 1)))
    return rating[:, :, cases], cases


def _numbered(table: RatingTable, cases: _Ints) -> _Ints:
    if table.patients is None:
        raise ValueError("the table does not name the patients")
    return np.unique(np.asarray(table.patients)[cases], return_inverse=True)[1]


def _judged(kept: Kept, ratings: _Floats, judging: Judging) -> tuple[_Floats, _Floats]:
    """The endpoint of each vector of ratings, and how these vary together; where patients are few, not at all."""
    if np.isnan(ratings).any():
        return available_figures(
            kept.truth, ratings, judging.endpoint, threshold=judging.threshold, patients=kept.patients
        )
    values = components(kept.truth, ratings, judging.endpoint, threshold=judging.threshold).value
    if min(_units(kept, Endpoint.AUC)) < _TWO:
        return values, np.zeros((len(ratings), len(ratings)))
    return values, covariance(
        kept.truth, ratings, judging.endpoint, judging.method, threshold=judging.threshold, patients=kept.patients,
        seed=judging.seed,
    )  # fmt: skip


def _units(kept: Kept, endpoint: Endpoint) -> tuple[int, int]:
    """Cases or patients of either class, of the reader who has read fewest; of a share of one class, that one twice."""
    each = np.arange(len(kept.truth)) if kept.patients is None else kept.patients
    read = ~np.isnan(kept.rating.reshape(-1, len(kept.truth)))
    # U-statistics lay every reading together, and a reader may be of one arm alone.
    rows: _Bools = np.asarray(read.any(axis=0))[None] if kept.basis.method == U_STATISTIC else np.unique(read, axis=0)
    positive, negative = (
        min(len(np.unique(each[row & of_class])) for row in rows) for of_class in (kept.truth, ~kept.truth)
    )
    if endpoint is Endpoint.SENSITIVITY:
        return positive, positive
    return (negative, negative) if endpoint is Endpoint.SPECIFICITY else (positive, negative)


def _few(kept: Kept, endpoint: Endpoint, *, is_difference: bool = False) -> str | None:
    return too_few(
        *_units(kept, endpoint),
        fewest=FEWEST_FOR_A_DIFFERENCE if is_difference else FEWEST_FOR_AN_INTERVAL,
        of="cases" if kept.patients is None else "patients",
    )


def _cases_df(kept: Kept, endpoint: Endpoint) -> float:
    return float(min(_units(kept, endpoint)) - 1)


def _chance(kept: Kept, endpoint: Endpoint) -> Chance:
    """Areas of independent cases as published; see `docs/adr/0033` for the rest."""
    if kept.patients is not None:
        return Chance(_cases_df(kept, endpoint), is_bounded=True)
    return USUAL if endpoint is Endpoint.AUC else Chance(is_bounded=True)


def _skewed(figures: _Floats, matrix: _Floats, found: Comparison, careful: Chance, judging: Judging) -> float | None:
    if found.se is None:
        return None
    n_readers = figures.shape[1]
    sides = []
    for place, of_arm in enumerate(figures):
        own = slice(place * n_readers, (place + 1) * n_readers)
        alone = single_arm(of_arm, covariance_parts(matrix[own, own], arms=1, readers=n_readers), chance=careful)
        sides.append((alone.auc, alone.se or 0.0))
    return skewed_low(sides[0], sides[1], se=found.se, df=found.df2, alpha=judging.alpha)


def _model_held(
    found: AgainstModel, model: tuple[float, float], readers: tuple[float, float], judging: Judging
) -> NonInferiority:
    """Non-inferiority of the model: its own figure minus the readers'."""
    turned = None if found.ci is None else (-found.ci[1], -found.ci[0])
    by_u = found.basis is not None and found.basis.method == U_STATISTIC
    df = _whole(found.df) if by_u else found.df
    skewed = None if found.se is None else skewed_low(model, readers, se=found.se, df=df, alpha=judging.alpha)
    return non_inferiority(turned, judging.margin or 0.0, skewed=skewed)


def _untold(judging: Judging) -> NonInferiority | None:
    return None if judging.margin is None else non_inferiority(None, judging.margin)


def _reason(se: float | None, reason: str | None, estimated: Estimated | None = None) -> str | None:
    if reason is not None or se is not None:
        return reason
    return _BELOW_ZERO if estimated is not None and estimated.variance < 0 else _NOTHING_VARIES


def _cautions(kept: Kept, judging: Judging, figures: _Floats, of_cases: float) -> Iterator[str]:
    """What to mind of figures of shape (arms, readers), and of the covariance that stands for the cases."""
    if figures.shape[1] == _TWO:
        yield TWO_READERS
    if of_cases < 0:
        yield CUT_AT_ZERO
    if len(figures) == _TWO and figures.mean() > NEAR_AN_END and min(_units(kept, judging.endpoint)) < _FEW_NEAR_ONE:
        yield NEAR_ONE


def _whole(df: float | None) -> float | None:
    return None if df is None else float(floor(df))


def _u_statistic(kept: Kept, judging: Judging, against: _Floats | None = None) -> Estimated:
    _check_size(kept, judging)
    try:
        return u_statistic_arm(
            kept.truth, kept.rating[0], judging.endpoint, threshold=judging.threshold, against=against
        )
    except ValueError as error:
        raise CannotJudge(str(error)) from error


def _check_size(kept: Kept, judging: Judging) -> None:
    n_positive, n_arms, n_readers = int(kept.truth.sum()), *kept.rating.shape[:2]
    if judging.endpoint is Endpoint.AUC:
        pairs = n_positive * (len(kept.truth) - n_positive) * n_arms * n_readers
        if pairs > MOST_PAIRS:
            raise CannotJudge(
                f"U-statistics would take {pairs / 1e9:.0f} thousand million comparisons; take fewer cases"
            )


def _unknown(means: dict[str, float], difference: float, basis: Basis) -> ManyReaders:
    """A difference of which nothing else is known."""
    return ManyReaders(
        auc=means, difference=difference, se=None, f=None, df2=None, p=None, ci=None, cov1=None, cov2=None, cov3=None,
        error_variance=None, fixed_readers=None, fixed_cases=None, basis=basis,
    )  # fmt: skip


def _mean_by_u(kept: Kept, judging: Judging) -> SingleArm:
    found = _u_statistic(kept, judging)
    few = _few(kept, judging.endpoint)
    se, df = (None, None) if few else (found.se, found.df)
    ci = None if se is None else bounded(found.value, se, _whole(df), judging.alpha, (0.0, 1.0))
    return SingleArm(
        found.value,
        se,
        df,
        None if ci is None else ci.ci,
        logit_interval(found.value, se, _whole(df), judging.alpha),
        is_cut=ci is not None and ci.is_cut,
        reason=few or _reason(se, None, found),
        basis=kept.basis,
    )


def _compared_by_u(table: RatingTable, kept: Kept, judging: Judging) -> ManyReaders:
    _check_size(kept, judging)
    arms = [replace(kept, rating=kept.rating[[place]]) for place in range(_TWO)]
    sides = [_u_statistic(one, judging) for one in arms]
    try:
        found = u_statistic_difference(
            kept.truth, kept.rating[0], kept.rating[1], judging.endpoint, threshold=judging.threshold
        )
    except ValueError as error:
        raise CannotJudge(str(error)) from error
    few = _few(kept, judging.endpoint, is_difference=True)
    se, df = (None, None) if few else (found.se, found.df)
    ci = None if se is None else bounded(found.value, se, _whole(df), judging.alpha, (-1.0, 1.0))
    held = None
    if judging.margin is not None:
        skewed = None if se is None else skewed_low(
            *((one.value, one.se or 0.0) for one in sides), se=se, df=_whole(df), alpha=judging.alpha
        )  # fmt: skip
        held = non_inferiority(None if ci is None else ci.ci, judging.margin, skewed=skewed)
    means = {arm: one.value for arm, one in zip(table.arms, sides, strict=True)}
    return replace(
        _unknown(means, found.value, kept.basis),
        se=se,
        f=None if se is None else (found.value / se) ** 2,
        df2=df,
        p=None if few else found.p(),
        ci=None if ci is None else ci.ci,
        non_inferiority=held,
        is_cut=ci is not None and ci.is_cut,
        reason=few or _reason(se, None if ci is None else ci.reason, found),
        cautions=(TWO_READERS,) if len(kept.basis.readers) == _TWO else (),
    )


def _against_by_u(kept: Kept, model: _Floats, judging: Judging) -> AgainstModel:
    own = model[kept.cases]
    found = _u_statistic(kept, judging, own)
    of_model = replace(kept, rating=own[None, None])
    values, its_own = _judged(of_model, own[None], replace(judging, method=Covariance.DELONG))
    alone = float(values[0])
    few = _few(kept, judging.endpoint, is_difference=True)
    se, df = (None, None) if few else (found.se, found.df)
    ci = None if se is None else bounded(found.value, se, _whole(df), judging.alpha, (-1.0, 1.0))
    against = AgainstModel(
        alone,
        found.value,
        se,
        None if se is None else found.value / se,
        df,
        None if few else found.p(),
        None if ci is None else ci.ci,
        is_cut=ci is not None and ci.is_cut,
        reason=few or _reason(se, None if ci is None else ci.reason, found),
        basis=kept.basis,
        cautions=(TWO_READERS,) if len(kept.basis.readers) == _TWO else (),
    )
    if judging.margin is None:
        return against
    readers = _u_statistic(kept, judging)
    held = _model_held(against, (alone, float(its_own[0, 0]) ** 0.5), (readers.value, readers.se or 0.0), judging)
    return replace(against, non_inferiority=held)
