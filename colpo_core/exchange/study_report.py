"""A study's report as one HTML file that stands alone, in the order in which a reviewer asks."""

from collections.abc import Iterator, Mapping
from html import escape

from colpo_core.exchange import html
from colpo_core.exchange.study_drawings import differences_drawing, flow_drawing, roc_drawing
from colpo_core.records.models.card_tables import CardTable
from colpo_core.records.statistics.figures import Bounds, Estimate, Proportion, p_text, value_text
from colpo_core.records.statistics.multi_reader_figures import AgainstModel, Comparison, ManyReaders, SingleArm
from colpo_core.records.statistics.rater_agreement import ArmAgreement, Coefficient
from colpo_core.records.statistics.rating_analysis import Clustered, ClusteredAnalysis, RatingAnalysis, ShareAnalysis
from colpo_core.records.statistics.reader_figures import (
    ENDPOINT_WORDS,
    Endpoint,
    PairedAucs,
    PairedCalls,
    ReaderArm,
    ReaderShare,
)
from colpo_core.records.studies.reports import ComputedAnew, StudyReport
from colpo_core.records.studies.results import CallerFigures, NetworkComparison

_SHARES = {
    "accuracy": "Accuracy",
    "sensitivity": "Sensitivity",
    "specificity": "Specificity",
    "ppv": "PPV",
    "npv": "NPV",
}
_MOST_CHANGES = 60
_PAIRED = ("accuracy", "sensitivity", "specificity")
_AGREEMENT = {
    "fleiss": "Fleiss' kappa of the calls",
    "gwet_ac1": "Gwet's AC1 of the calls",
    "krippendorff_alpha": "Krippendorff's alpha of the calls",
    "krippendorff_alpha_ordinal": "Krippendorff's alpha of the ratings, as ranks",
}
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
    study = report.detail.study
    parts = [
        f"<h1>{escape(study.name)}</h1>",
        _marks(report),
        f"<p class='small'>Report of a reading study, {report.made_at:%Y-%m-%d %H:%M} UTC, ColpoDesk "
        f"{escape(report.code_version)}. For research; not for diagnosis.</p>",
        *_answer(report),
        *_design(report),
        "<h2>Flow of cases</h2>",
        flow_drawing(report),
        *_calls(report),
        *_areas(report),
        *(part for network in report.analysis.networks for part in _network(network, report)),
        *_agreement(report),
        *_calibration(report),
        *_times(report),
        *_conduct(report),
        "<h2>Methods</h2>",
        html.bullets(_METHODS),
    ]
    return html.document(study.name, parts)


def _marks(report: StudyReport) -> str:
    labels = f"labels by {report.results.label_source.value}"
    marks = [html.mark(labels)]
    if report.detail.study.n_simulated:
        marks.append(html.mark("SIMULATED", "simulated"))
    if report.detail.study.closed_at is None:
        marks.append(html.mark("INTERIM", "leaks"))
    return f"<p>{''.join(marks)}</p>"


def _marks_text(report: StudyReport) -> str:
    simulated = " · SIMULATED images" if report.detail.study.n_simulated else ""
    return f"labels by {report.results.label_source.value}{simulated}"


def _answer(report: StudyReport) -> Iterator[str]:
    study, plan = report.detail.study, report.detail.plan
    yield "<h2>Question and answer</h2>"
    yield f"<p>{escape(study.question or 'No question was written down.')}</p>"
    yield f"<p>{escape(plan.hypotheses or 'No hypothesis was written down.')}</p>"
    yield "<h3>Primary endpoint</h3>"
    results = [one.text for one in report.analysis.primary]
    if results:
        yield "".join(f"<p class='verdict'>{escape(one)}</p>" for one in results)
    else:
        yield "<p>There is no result; the reason stands among the notes.</p>"
    yield html.bullets([*report.conduct.warnings, *report.analysis.notes])
    if report.anew is not None:
        yield from _anew(report.anew)


def _anew(anew: ComputedAnew) -> Iterator[str]:
    """Whether these are the figures of the closing, and what is computed otherwise since."""
    yield "<h3>These figures and those of the closing</h3>"
    yield f"<p>{escape(anew.text)}</p>"
    yield html.bullets(anew.changes)
    if anew.primary_differs:
        yield "<p>At the closing the primary endpoint's result was:</p>"
        yield html.bullets(anew.primary_before or ("It could not be tested.",))
    if anew.figures:
        rows = [(one.name, one.before, one.now) for one in anew.figures[:_MOST_CHANGES]]
        yield html.table(CardTable(("Figure", "At the closing", "Now"), rows))
        more = len(anew.figures) - _MOST_CHANGES
        if more > 0:
            yield f"<p class='small'>And {more} more; figures.csv of the archive holds all as they are now.</p>"


def _design(report: StudyReport) -> Iterator[str]:
    study, detail = report.detail.study, report.detail
    yield "<h2>Design and seal</h2>"
    yield html.bullets(
        [
            f"Cases: {detail.chosen_by}",
            f"Reference standard: {report.results.label_source.value}, rules "
            f"{', '.join(report.results.rules_versions)}, frozen at the sealing",
            f"Readers: {study.n_readers}; each reads the first acetic-acid image of each case in an order of their own",
            *detail.plan.sentences(study.n_practice),
            f"Seed of the orders: {report.seed}",
        ]
    )
    times = [("Made", study.created_at), ("Sealed and opened", study.opened_at), ("Closed", study.closed_at)]
    yield html.table(CardTable(("", "UTC"), [(name, f"{at:%Y-%m-%d %H:%M}") for name, at in times if at is not None]))
    yield f"<p class='small'>Seal, SHA-256 of the design: <code>{escape(study.seal_sha256 or 'none')}</code></p>"


def _calls(report: StudyReport) -> Iterator[str]:
    yield "<h2>Calls</h2>"
    lines = [*report.results.readers, *report.results.checkpoints]
    rows = [row for one in lines for row in _call_rows(one, report)]
    yield html.table(CardTable(("", "Cases", *_SHARES.values()), rows))
    yield (
        "<p class='small'>Each figure with k/n and its exact 95% interval. Networks call at their frozen "
        "thresholds; where they had learned from some of the cases, a second line is on the others alone.</p>"
    )
    found = report.analysis.readers
    if found is not None:
        rows = [
            (_reader_name(name, arm, found), *(share.text() if share else "" for share in _arm_shares(one)))
            for name, reader in found.readers.items()
            for arm, one in reader.arms.items()
        ]
        yield "<h3>The same with exact intervals</h3>"
        yield html.table(CardTable(("Reader", *_SHARES.values()), rows))
        yield f"<p class='small'>{_percent(report)} intervals of Clopper and Pearson.</p>"


def _arm_shares(one: ReaderArm) -> list[ReaderShare | None]:
    return [getattr(one, name) for name in _SHARES]


def _call_rows(one: CallerFigures, report: StudyReport) -> Iterator[tuple[str, ...]]:
    name = report.results.title(one)
    if one.remark and not one.n_called:
        yield name, one.remark, *("" for _ in _SHARES)
        return
    remark = f" ({one.remark})" if one.remark else ""
    yield (
        f"{name}{remark}",
        f"{one.n_called} of {one.n_cases}",
        *(_share(getattr(one.figures, field)) for field in _SHARES),
    )
    if one.unseen is not None:
        counts = f"{one.n_unseen} of {one.n_cases}"
        yield f"{name}, not learned from", counts, *(_share(getattr(one.unseen, field)) for field in _SHARES)


def _share(found: Proportion) -> str:
    return found.text()


def _areas(report: StudyReport) -> Iterator[str]:
    found = report.analysis.readers
    if found is None:
        return
    yield "<h2>Readers</h2>"
    rows = [
        (_reader_name(name, arm, found), value_text(one.auc, one.auc_ci, missing=one.auc_ci_missing), str(one.n))
        for name, reader in found.readers.items()
        for arm, one in reader.arms.items()
    ]
    yield html.table(CardTable(("Reader", "Area under the curve", "Cases"), rows))
    by_endpoint = {Endpoint.AUC: ShareAnalysis(found.mrmc, found.single_arm, {})} | found.shares
    means = [
        (
            f"{ENDPOINT_WORDS[endpoint]}, {arm}",
            value_text(one.auc, one.logit_ci, missing=one.reason),
        )
        for endpoint, together in by_endpoint.items()
        for arm, one in together.single_arm.items()
    ]
    if means:
        yield "<h3>All readers together</h3>"
        yield html.table(CardTable(("Mean over readers", f"Value ({_percent(report)} interval)"), means))
        yield _minded(
            {
                f"{ENDPOINT_WORDS[endpoint]}, {arm}": one
                for endpoint, together in by_endpoint.items()
                for arm, one in together.single_arm.items()
            }
        )
    many = {endpoint: one.mrmc for endpoint, one in by_endpoint.items() if one.mrmc is not None}
    if many:
        yield f"<h3>{escape(' minus '.join(found.counts.arms[:2]))}</h3>"
        yield html.table(_many_table(many))
        yield _minded({ENDPOINT_WORDS[endpoint]: one for endpoint, one in many.items()})
    if found.by_patient is not None:
        yield from _by_patient(found.by_patient, report)


def _many_table(many: dict[Endpoint, ManyReaders]) -> CardTable:
    rows = []
    for endpoint, one in many.items():
        views: tuple[tuple[str, ManyReaders | Comparison | None], ...] = (
            ("other readers, other cases", one),
            ("these readers, other cases", one.fixed_readers),
            ("other readers, these cases", one.fixed_cases),
        )
        for view, found in views:
            if found is not None:
                rows.append((ENDPOINT_WORDS[endpoint], view, _compared(one.difference, found)))
    return CardTable(("Endpoint", "For", "Difference"), rows)


def _compared(difference: float, one: ManyReaders | Comparison | AgainstModel) -> str:
    said = value_text(difference, one.ci, is_cut=one.is_cut, missing=one.reason, is_signed=True)
    return said if one.p is None else f"{said.removesuffix(')')}; p {p_text(one.p)})"


def _minded(figures: Mapping[str, ManyReaders | SingleArm | AgainstModel]) -> str:
    """What several readers' figures rest on and what to mind, a line a figure."""
    lines = []
    for what, one in figures.items():
        basis = [] if one.basis is None or not one.basis.text else [f"{one.basis.text}."]
        if basis or one.cautions:
            lines.append(f"{what}: {' '.join([*basis, *one.cautions])}")
    return html.bullets(lines) if lines else ""


def _by_patient(found: ClusteredAnalysis, report: StudyReport) -> Iterator[str]:
    yield f"<h3>With intervals by patients ({found.n_patients})</h3>"
    names = ("auc", *_PAIRED)
    rows = [
        (f"{name}, {arm}", *(_clustered(figures.get(field)) for field in names))
        for name, arms in found.readers.items()
        for arm, figures in arms.items()
    ]
    rows += [
        (f"all readers, {arm}", *(_clustered(figures.get(field)) for field in names))
        for arm, figures in found.together.items()
    ]
    yield html.table(CardTable(("Reader", "Area", *(_SHARES[name] for name in _PAIRED)), rows))
    yield (
        f"<p class='small'>{_percent(report)} intervals over patients, the cases of each taken together (Obuchowski "
        "1997); the readers stay.</p>"
    )


def _network(network: NetworkComparison, report: StudyReport) -> Iterator[str]:
    yield f"<h2>Readers against {escape(network.name)}, {network.channels} channels</h2>"
    yield html.bullets(network.refused)
    if network.alone is None:
        return
    marks = _marks_text(report)
    drawing = roc_drawing(network, report, marks=marks)
    if drawing is not None:
        yield html.figure(
            drawing,
            "The network's curve on cases that it has not learned from, and each reader's point with intervals.",
        )
    drawing = differences_drawing(network, marks=marks)
    if drawing is not None:
        yield html.figure(drawing, "Reader minus network: right of the line the reader does better.")
    yield html.table(_network_table(network))
    yield (
        f"<p class='small'>On {network.n_cases} cases that it has judged and not learned from; its own area there is "
        f"{escape(_alone_text(network.alone))}. {_percent(report)} intervals.</p>"
    )
    if network.together is not None:
        yield _minded({"all readers minus the network": network.together})
    if network.by_patient:
        rows = [(name, _clustered(one, is_signed=True)) for name, one in network.by_patient.items()]
        yield html.table(CardTable(("All readers minus the network, intervals by patients", ""), rows))


def _alone_text(alone: ReaderArm) -> str:
    return value_text(alone.auc, alone.auc_ci, missing=alone.auc_ci_missing)


def _network_table(network: NetworkComparison) -> CardTable:
    rows = []
    for one in network.readers:
        calls = one.calls or {}
        rows.append((one.title, _paired_area(one.aucs), *(_paired_calls(calls.get(name)) for name in _PAIRED)))
    if network.together is not None:
        shares = (network.shares.get(Endpoint(name)) for name in _PAIRED)
        rows.append(("all readers", _of_model(network.together), *(_of_model(one) for one in shares)))
    return CardTable(("Reader minus network", "Area", *(_SHARES[name] for name in _PAIRED)), rows)


def _paired_area(found: PairedAucs | None) -> str:
    if found is None:
        return "too few cases in common"
    on = "" if found.n is None else f"; {found.n} cases"
    return _signed(found.difference, found.ci, found.p, missing=found.reason) + on


def _paired_calls(found: PairedCalls | None) -> str:
    if found is None or found.difference is None:
        return ""
    at_odds = "" if found.at_odds is None else f" ({found.at_odds})"
    said = _signed(found.difference, found.ci, found.p, missing=found.reason)
    return f"{said}; right alone {found.b} : {found.c}; {found.n} cases{at_odds}"


def _of_model(found: AgainstModel | None) -> str:
    return "" if found is None else _compared(found.difference, found)


def _agreement(report: StudyReport) -> Iterator[str]:
    found = report.analysis.readers
    if found is None or not (found.agreement or report.analysis.again):
        return
    yield "<h2>Agreement</h2>"
    for arm, one in found.agreement.items():
        rows = list(_agreement_rows(one))
        if rows:
            title = f"Between readers, {arm}" if len(found.agreement) > 1 else "Between readers"
            yield html.table(CardTable((title, "Value (interval)", "Cases"), rows))
    if report.analysis.again:
        heading = ("Within a reader: Cohen's kappa", "Value (interval)", "Cases read twice")
        again = [(name, value_text(one.value, one.ci), str(one.n)) for name, one in _again(report)]
        yield html.table(CardTable(heading, again))


def _again(report: StudyReport) -> Iterator[tuple[str, Coefficient]]:
    yield from ((report.analysis.title(name), one) for name, one in report.analysis.again.items())


def _agreement_rows(one: ArmAgreement) -> Iterator[tuple[str, str, str]]:
    for name, title in _AGREEMENT.items():
        found = getattr(one, name)
        if found is not None:
            yield title, value_text(found.value, found.ci), str(found.n)
    for pair in one.pairs:
        if pair.cohen is not None:
            title = f"Cohen's kappa, {pair.first} and {pair.second}"
            yield title, value_text(pair.cohen.value, pair.cohen.ci), str(pair.n)


def _calibration(report: StudyReport) -> Iterator[str]:
    lines = report.analysis.calibration
    if not lines:
        return
    yield "<h2>Calibration</h2>"
    rows = [
        (one.title, str(one.n_cases),
         _estimate(one.brier), _estimate(one.ece), _estimate(one.overconfidence, is_signed=True),
         _estimate(one.overcalling, is_signed=True))
        for one in lines
    ]  # fmt: skip
    heading = ("", "Cases", "Brier score", "Calibration error", "Overconfidence", "Overcalling")
    yield html.table(CardTable(heading, rows))
    yield (
        "<p class='small'>Overconfidence: how sure minus how often right. Overcalling: mean probability of HSIL "
        "minus the share that is. 95% intervals by patients.</p>"
    )


def _times(report: StudyReport) -> Iterator[str]:
    rows = [
        (report.results.title(one), f"{one.times.median:.0f} ({one.times.lower:.0f} to "
         f"{one.times.upper:.0f})", str(one.times.n))
        for one in report.results.readers
        if one.times is not None
    ]  # fmt: skip
    if rows:
        yield "<h2>Reading times</h2>"
        yield html.table(CardTable(("Reader", "Median seconds a case (quartiles)", "Cases"), rows))


def _conduct(report: StudyReport) -> Iterator[str]:
    conduct = report.conduct
    yield "<h2>Amendments</h2>"
    if conduct.amendments:
        rows = [(f"{one.at:%Y-%m-%d %H:%M}", one.by, one.text, one.reason) for one in conduct.amendments]
        yield html.table(CardTable(("UTC", "By", "Change", "Reason"), rows))
    else:
        yield "<p>None since the seal.</p>"
    looks = f"{conduct.n_interim_looks} looks" if conduct.interim_results else "not allowed by the design"
    yield f"<p>Results before the closing: {escape(looks)}.</p>"
    yield "<h2>Exposures</h2>"
    exposed = [
        (one.display_name, f"{one.n_exposed} of {one.n_cases}", one.text, str(one.n_withheld), str(one.n_flagged))
        for one in conduct.exposures
    ]
    yield html.table(CardTable(("Reader", "Exposed to", "How", "Not given", "Read and flagged"), exposed))
    yield "<h2>Refused to readers</h2>"
    if conduct.refusals:
        lines = [(one.display_name, one.what, str(one.times)) for one in conduct.refusals]
        yield html.table(CardTable(("Reader", "Asked for", "Times"), lines))
    else:
        yield "<p>Nothing.</p>"


def _reader_name(name: str, arm: str, found: RatingAnalysis) -> str:
    return f"{name}, {arm}" if len(found.counts.arms) > 1 else name


def _percent(report: StudyReport) -> str:
    return f"{100 * (1 - report.detail.plan.alpha):g}%"


def _signed(value: float | None, ci: Bounds | None, p: float | None, *, missing: str | None = None) -> str:
    said = value_text(value, ci, missing=missing, is_signed=True)
    return said if p is None or value is None else f"{said.removesuffix(')')}; p {p_text(p)})"


def _clustered(found: Clustered | None, *, is_signed: bool = False) -> str:
    if found is None:
        return ""
    return value_text(found.value, found.ci, is_signed=is_signed)


def _estimate(found: Estimate, *, is_signed: bool = False) -> str:
    ci = None if found.low is None or found.high is None else (found.low, found.high)
    if is_signed:
        return _signed(found.value, ci, None, missing=found.missing)
    return value_text(found.value, ci, missing=found.missing)
