"""The current model: against the labels, on cases that it has not met, and as its reviewers judged it."""

import pandas as pd
import streamlit as st

from colpo_core.records.models.marks import MarkKind
from colpo_core.records.overview.cohort import OverlapFigures, UnseenFigures
from colpo_core.records.overview.worklist import Acquaintance, Dashboard, ModelAgreement, ModelFigures
from colpo_core.records.review.reviews import ReviewAgreement
from colpo_core.records.snapshots.snapshots import label_source_text
from colpo_core.records.statistics.curves import Curve, calibration_curve
from colpo_core.services.overview import cohort, overlaps
from colpo_core.terms import LabelSource
from pages._ui.shared.badges import impression_badge, model_badges
from pages._ui.shared.charts import (
    CONFIG,
    GREY,
    TEAL,
    bar_chart,
    calibration_chart,
    confusion_chart,
    roc_chart,
    spread_chart,
)
from pages._ui.shared.context import PageContext
from pages._ui.shared.formats import count_text
from pages._ui.shared.links import link
from pages._ui.shared.markdown import plain
from pages._ui.shared.words import GRADE_COLOURS, grade_text

_MET = {
    Acquaintance.UNSEEN: (
        "Cases it had not met",
        "Patients outside its training and validation: its snapshot's test side, and whoever came in since.",
    ),
    Acquaintance.SEEN: (
        "Cases it was trained on",
        "Patients on the training or validation side of its snapshot. These figures flatter it: never quote them.",
    ),
}


def show_model(ctx: PageContext, dashboard: Dashboard) -> None:
    """Draw the current model against the labels, its curves on cases that it has not met, and its reviewers."""
    if dashboard.problem:
        st.warning(dashboard.problem, icon=":material/error:")
        return
    if dashboard.agreement is None:
        st.info("No model is promoted yet.", icon=":material/deployed_code:")
        link("train", "Train one", icon=":material/model_training:")
        return
    _agreement(dashboard.agreement)
    _unseen(ctx, dashboard)
    _overlap(ctx, dashboard)
    _areas(ctx, dashboard)
    _reviews(ctx, dashboard.agreement.reviews)


def _agreement(agreement: ModelAgreement) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{plain(agreement.checkpoint_name)}**, trained with {label_source_text(agreement.trained_on)}")
        model_badges(agreement.marks)
        by_impression = any(mark.kind is MarkKind.IMPRESSION for mark in agreement.marks)
        if agreement.compared_with is LabelSource.IMPRESSION and not by_impression:
            impression_badge()
    if not any(row.n_cases for row in agreement.rows):
        st.info(
            f"{agreement.n_cases_predicted} cases have a prediction and none of them a label. Enter histology first.",
            icon=":material/biotech:",
        )
        return
    network = st.segmented_control(
        "Network", [4, 3], format_func=lambda n: f"{n} channels", default=4, required=True, key="dashboard_network",
        help="4: RGB and the acetowhite map; 3: RGB alone.",
    )  # fmt: skip
    for column, (acquaintance, (title, definition)) in zip(st.columns(2, gap="large"), _MET.items(), strict=True):
        row = next(row for row in agreement.rows if row.acquaintance is acquaintance and row.channels == network)
        with column:
            st.markdown(f"**{title}** (n = {row.n_cases} cases of {row.n_patients} patients)")
            _figures(row)
            st.caption(definition)
    st.caption(
        f"A case counts once: the mean probability of HSIL over its acetic-acid images, called at the model's frozen "
        f"threshold, against {label_source_text(agreement.compared_with)}. HSIL is positive. Intervals: 95%, exact."
    )
    with st.container(horizontal=True):
        link("cases", "Cases it missed", icon=":material/search_off:", model="false_negative")
        link("cases", "Its false alarms", icon=":material/notifications_active:", model="false_positive")
        link("cases", "Cases that the networks call differently", icon=":material/compare_arrows:", flip="yes")


def _unseen(ctx: PageContext, dashboard: Dashboard) -> None:
    """The curves of the chosen network on labelled cases that the model has not met."""
    figures = cohort.unseen_figures(ctx.caller, include_simulated=dashboard.includes_simulated)
    channels = st.session_state.get("dashboard_network", 4)
    unseen = next((figure for figure in figures if figure.channels == channels), None)
    if unseen is None or not unseen.n_cases:
        return
    few = unseen.n_cases == unseen.n_all
    taken = f"{unseen.n_cases:,} cases" if few else f"the newest {unseen.n_cases:,} of {unseen.n_all:,} cases"
    curve, calibration = st.columns(2, gap="large")
    with curve:
        st.markdown(f"**ROC curve** · area {unseen.auc.text()}")
        _draw_roc(unseen)
        st.caption(f"On {taken} with a label by histology that it had not met. Interval: 95%, by patients.")
    with calibration:
        st.markdown("**Calibration**")
        chart = calibration_chart([calibration_curve("Calibration", f"{unseen.channels}ch", unseen.reliability)])
        st.plotly_chart(chart, width="stretch", config=CONFIG, key="dashboard_calibration", theme=None)
        st.caption(
            "Cases of similar probability, and how many of them were HSIL, with 95% intervals. A model whose "
            "probabilities mean what they say lies on the dotted line."
        )


def _draw_roc(figures: UnseenFigures) -> None:
    if not figures.roc:
        st.info("A curve needs cases of both labels.", icon=":material/hourglass_empty:")
        return
    chart = roc_chart([Curve("ROC curve", f"{figures.channels}ch", figures.roc)])
    st.plotly_chart(chart, width="stretch", config=CONFIG, key="dashboard_roc", theme=None)


def _overlap(ctx: PageContext, dashboard: Dashboard) -> None:
    """The distribution of IoU, and the images of the least overlap, each of which opens."""
    figures = overlaps.overlap_figures(ctx.caller, include_simulated=dashboard.includes_simulated)
    if figures is None or not figures.n_unseen:
        return
    st.markdown(f"**Overlap with the annotated masks (n = {figures.n_compared:,} images)**")
    left, right = st.columns(2, gap="large")
    with left:
        if figures.n_compared:
            names = [f"{tenth / 10:.1f} to {(tenth + 1) / 10:.1f}" for tenth in range(len(figures.counts))]
            chart = bar_chart(names, figures.counts, [TEAL] * len(names), height_px=40 + 22 * len(names))
            st.plotly_chart(chart, width="stretch", config=CONFIG, key="dashboard_overlap", theme=None)
        median = "" if figures.median is None else f", median {figures.median:.2f}"
        st.caption(
            "Images by IoU of acetowhite epithelium with the newest annotated mask: mean "
            f"{figures.iou.text()}{median}. Interval: 95%, by patients. Patients that the model has met are "
            f"left out{_left_out(figures)}. Of very many images the newest {overlaps.MOST_COMPARED} are compared."
        )
        if figures.n_compared:
            st.caption(_blind_text(figures))
        st.caption(_lesion_free_text(figures))
    with right:
        if figures.lowest:
            st.markdown("Least overlap, to look at:")
            for row in figures.lowest:
                title = f"{row.patient_code} · image {row.image_id} · IoU {row.iou:.2f}"
                link("review", title, prediction=row.prediction_id)


def _blind_text(figures: OverlapFigures) -> str:
    """What a mask that looks at no image reaches."""
    if figures.blind is None or figures.difference is None:
        return (
            "What a mask reaches on these images that looks at none of them is not known: this model was trained by an "
            "earlier version."
        )
    return (
        f"The mean training mask, which looks at no image, reaches {figures.blind.text()} on the same images; the "
        f"model's IoU minus that is {figures.difference.text(is_signed=True)}, paired by image."
    )


def _lesion_free_text(figures: OverlapFigures) -> str:
    """How much is marked on images without a lesion."""
    area = figures.lesion_free_area
    if not area.n_images:
        return (
            "How much it marks where there is no lesion is not known: on the page Annotate, confirm images on which "
            "nothing acetowhite is to be seen."
        )
    return (
        f"On {count_text(area.n_images, 'image')} that a person has confirmed to show nothing acetowhite it marks, as "
        f"a mean share of the image, {area.text()}."
    )


def _left_out(figures: OverlapFigures) -> str:
    if not figures.n_from_proposal:
        return ""
    return f", and {count_text(figures.n_from_proposal, 'image')} whose mask was made from a model's proposal"


def _areas(ctx: PageContext, dashboard: Dashboard) -> None:
    areas = cohort.area_by_grade(ctx.caller, include_simulated=dashboard.includes_simulated)
    if not areas:
        return
    st.markdown(f"**Acetowhite share of the image by grade (n = {sum(area.n for area in areas):,} cases)**")
    rows = [
        (
            f"{grade_text(area.grade) if area.grade else 'No histology'} ({area.n:,})",
            GRADE_COLOURS.get(area.grade, GREY) if area.grade else GREY,
            (area.lowest, area.lower_quartile, area.median, area.upper_quartile, area.highest),
        )
        for area in areas
    ]
    chart = spread_chart(rows, height_px=40 + 34 * len(rows))
    st.plotly_chart(chart, width="stretch", config=CONFIG, key="dashboard_areas", theme=None)
    st.caption("What the model marks, as a mean over a case's acetic-acid images: lowest, quartiles and highest.")


def _reviews(ctx: PageContext, reviews: ReviewAgreement) -> None:
    st.markdown("**Reviewers and the current model**")
    agreed = reviews.agreed
    if not agreed.n and not reviews.n_unsure:
        st.markdown("No prediction of it was reviewed yet.")
        link("review", "Review predictions", icon=":material/fact_check:")
        return
    st.markdown(
        f"Agreed {agreed.k}, overruled {agreed.n - agreed.k}, unsure {reviews.n_unsure} &nbsp;·&nbsp; {agreed.text()}"
    )
    st.caption(
        "Agreement with interval, of those that agreed or overruled: the newest verdict of each reviewer on each "
        "prediction; verdicts, not cases."
    )
    rates = cohort.reviewer_rates(ctx.caller)
    rows = [{"Reviewer": rate.name, "Overruled, of cases judged": rate.overruled.text(), "Unsure": rate.n_unsure}
            for rate in rates]  # fmt: skip
    if rows:
        st.dataframe(pd.DataFrame(rows), hide_index=True, width="stretch", key="dashboard_reviewers")
        st.caption("The gravest verdict of each reviewer on a case; Exact 95% interval. Few cases say little.")
        with st.container(horizontal=True):
            link("cases", "Cases that were overruled", icon=":material/close:", review="overruled")
            link("cases", "Cases that nobody was sure of", icon=":material/question_mark:", review="unsure")


def _figures(row: ModelFigures) -> None:
    if not row.n_cases:
        st.info("No such case has both a label and a prediction.", icon=":material/hourglass_empty:")
        return
    figures = row.figures
    chart = confusion_chart(figures)
    st.plotly_chart(chart, width="stretch", config=CONFIG, key=f"confusion_{row.acquaintance}", theme=None)
    shares = {
        "Sensitivity": figures.sensitivity,
        "Specificity": figures.specificity,
        "Accuracy": figures.accuracy,
    }
    st.table(
        pd.DataFrame({"": shares.keys(), "Share (k/n; 95% interval)": [share.text() for share in shares.values()]})
    )
