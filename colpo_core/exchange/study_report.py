"""A study's report as one HTML file that stands alone, in the order in which a reviewer asks."""

from colpo_core.exchange import study_drawings, study_tables
from colpo_core.exchange.html import document
from colpo_core.records.studies.reports import StudyReport

_METHODS = (
    "Shares of calls: k/n with the exact interval of Clopper and Pearson (1934). HSIL is positive.",
    "Areas under the ROC curve: a reader's call and confidence make one rating, a network's rating is its probability; "
    "the interval of one area by Newcombe's method 5 (2006), widened where DeLong's variance is larger (with several "
    "cases a patient, where Obuchowski's of 1997 is); paired differences after DeLong, DeLong and Clarke-Pearson "
    "(1988). With fewer than 5 cases of a class no interval of an area is given, with fewer than 10 none of a "
    "difference and no p.",
    "All readers together: Obuchowski and Rockette (1995) with the degrees of freedom of Hillis (2007), readers and "
    "cases both random; a network is a standalone model, compared as a single-treatment analysis of the readers' "
    "differences. Intervals of a mean are on the logit scale. Non-inferiority takes the interval's lower bound and one "
    "that joins both figures' logit intervals (Newcombe 1998, Zou 2007); both must lie above minus the margin.",
    "Where a patient has several cases: covariances of sums over patients (Obuchowski 1997 and 1998), with one degree "
    "of freedom fewer than patients of the rarer class; also for one reader's tests.",
    "Where readings are missing: each reader on the cases that this reader has read, the figures of two readers vary "
    "together by the cases that both have read (Zhou and Gatsonis 1996), without readers who have read less than half.",
    "Paired calls: McNemar's test with the mid-p (Fagerland, Lydersen and Laake 2013); interval of the difference by "
    "Newcombe's method 10 (1998). Where the two do not agree, the p decides.",
    "Agreement: Cohen 1960, Fleiss 1971, Gwet 2008, Krippendorff 2019. Each pair of readers on the cases that both "
    "have read; Fleiss' kappa and Gwet's AC1 on those that all have read, Krippendorff's alpha on those that two or "
    "more have. Intervals by patients: Wilson's, on as many cases as the jackknife variance is worth (after Korn and "
    "Graubard 1998); none with fewer than 10 patients, nor with fewer than 3 calls a reader of the rarer kind.",
    "Calibration: Brier 1950; expected calibration error over bins of equal mass; a confidence of 0 stands for a "
    "probability of 0.5 and one of 100 for certainty; intervals from what patients differ in, with Student's "
    "distribution and a correction for skewness (Hall 1992), that of the calibration error by a "
    "bootstrap over patients.",
    "Networks are compared on cases alone that they have not learned from, neither the case nor its patient. No "
    "reading is filled in. Practice cases, hidden repeats and later sessions are in no figure of accuracy.",
)


def study_report_html(report: StudyReport) -> str:
    """The report as one HTML document."""
    return document(
        "study_report.html",
        report=report,
        confidence=f"{100 * (1 - report.detail.plan.alpha):g}%",
        methods=_METHODS,
        tables=study_tables,
        drawings=study_drawings,
    )
