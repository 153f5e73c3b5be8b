"""McNemar's test: whether one set of calls is right more often than another on the same cases."""

from scipy.stats import binom, binomtest

from colpo_core.records.statistics.comparisons import McNemarTest


def mcnemar(b: int, c: int) -> McNemarTest:
    """McNemar's test: whether cases on which two callers differ go one way.

    Its mid-p is what is printed: half of the probability of what was found is left out, so that it rejects what is
    true in about as many studies as it says. The exact p rejects in far fewer.

    Cases must be independent: one row a patient.

    Args:
        b: Cases that only the first calls right.
        c: Cases that only the second calls right.

    Returns:
        With the two-sided mid-p and the exact p of the binomial distribution; 1 where they never differ.

    Raises:
        ValueError: A count is below 0.

    Source: McNemar 1947, "Note on the sampling error of the difference between correlated proportions"; the exact
        test after Agresti 2013, "Categorical data analysis", section 11.1; the mid-p after Fagerland, Lydersen and
        Laake 2013, "The McNemar test for binary matched-pairs data: mid-p and asymptotic are better than exact
        conditional".
    """
    if min(b, c) < 0:
        raise ValueError(f"{b} and {c} cases cannot be")
    if b + c == 0:
        return McNemarTest(b=int(b), c=int(c), p=1.0, p_exact=1.0)
    exact = float(binomtest(int(min(b, c)), int(b + c), 0.5).pvalue)
    point = float(binom.pmf(min(b, c), b + c, 0.5))
    return McNemarTest(b=int(b), c=int(c), p=exact - point / 2 if b == c else exact - point, p_exact=exact)
