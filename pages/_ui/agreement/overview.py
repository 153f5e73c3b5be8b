"""How annotators agree over all images: figures with their intervals, pairs of people, and where they differ most."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from colpo_core.records.agreement import AgreementOverview, ImageRow
from colpo_core.records.statistics.figures import Estimate
from pages._ui.agreement import actions
from pages._ui.agreement.words import distance_text
from pages._ui.shared.formats import count_text, short_estimate
from pages._ui.shared.links import link
from pages._ui.shared.tables import pick_row

_PER_PAGE = 20
_ALL, _OPEN = "All", "Not decided"


def show_overview(overview: AgreementOverview) -> None:
    """Draw the figures, the pairs and the images."""
    if not overview.n_images:
        with st.container(border=True):
            st.markdown("### :material/group: No image has masks of two annotators yet")
            st.markdown(
                "Give a task with two or more annotators an image. A blind task shows its masks here once everybody "
                "has submitted."
            )
            link("tasks", "Open the tasks", icon=":material/assignment:")
        return
    _show_figures(overview)
    if len(overview.pairs) > 1:
        _show_pairs(overview)
    _show_images(overview.images, to_decide(overview))


def to_decide(overview: AgreementOverview) -> list[int]:
    """The images that wait for this person's decision, the least alike first."""
    return [row.image_id for row in overview.images if row.may_adjudicate and not row.is_adjudicated]


def _show_figures(overview: AgreementOverview) -> None:
    columns = st.columns(5)
    for column, (name, estimate, unit) in zip(
        columns,
        (
            ("Dice", overview.dice, ""),
            ("IoU", overview.iou, ""),
            ("95% Hausdorff distance", overview.hd95_px, " px"),
            ("The same, of the diagonal", overview.hd95_percent, "%"),
            ("Cohen's kappa of pixels", overview.kappa, ""),
        ),
        strict=True,
    ):
        column.metric(name, _value(estimate, unit), border=True)
        column.caption(_interval(estimate, unit))
    st.caption(
        f"Means over {count_text(overview.n_images, 'image')} of {count_text(overview.n_patients, 'patient')} that two "
        "or more people annotated, each with the mean of its pairs of masks; 95% intervals by "
        f"patients. Pairs in which one mask marks nothing: {overview.n_one_empty} (Dice, IoU and kappa 0, no "
        "distance). "
        f"Pairs in which neither marks anything: {overview.n_both_empty} (in no mean)."
    )


def _value(estimate: Estimate, unit: str) -> str:
    if estimate.value is None:
        return "–"
    return f"{estimate.value:.1f}{unit}" if unit else f"{estimate.value:.2f}"


def _interval(estimate: Estimate, unit: str) -> str:
    if estimate.value is None:
        return "not defined"
    if estimate.low is None or estimate.high is None:
        return f"no interval: {count_text(estimate.n_patients, 'patient')}"
    digits = 1 if unit else 2
    return (
        f"{estimate.low:.{digits}f} to {estimate.high:.{digits}f}{unit}, {count_text(estimate.n_patients, 'patient')}"
    )


def _show_pairs(overview: AgreementOverview) -> None:
    st.markdown("**Pairs of annotators**")
    table = pd.DataFrame(
        {
            "Annotators": f"{pair.first} and {pair.second}",
            "Images": pair.n_images,
            "Dice": short_estimate(pair.dice),
            "IoU": short_estimate(pair.iou),
            "95% Hausdorff (px)": short_estimate(pair.hd95_px),
            "Kappa": short_estimate(pair.kappa),
            "One marks nothing": pair.n_one_empty,
            "Neither does": pair.n_both_empty,
        }
        for pair in overview.pairs
    )
    st.dataframe(table, hide_index=True, width="stretch")


def _show_images(images: Sequence[ImageRow], waiting: Sequence[int]) -> None:
    # All at the left: a table's own tools appear over what stands at the right above it.
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        st.markdown("**Images, the least alike first**", width="content")
        wanted = st.segmented_control(
            "Which images", [_ALL, _OPEN], default=_ALL, key="agreement_which", label_visibility="collapsed",
            required=True, width="content",
        )  # fmt: skip
        if waiting:
            st.button(
                f"Decide: {count_text(len(waiting), 'image')}",
                type="primary",
                icon=":material/gavel:",
                help="Opens the image whose masks are the least alike, and the next after it",
                on_click=actions.open_image,
                args=(waiting[0],),
            )
    listed = [row for row in images if wanted != _OPEN or not row.is_adjudicated]
    if not listed:
        st.info("Every image is decided.", icon=":material/task_alt:")
        return
    n_pages = -(-len(listed) // _PER_PAGE)
    page = 1
    if n_pages > 1:
        page = st.pagination(n_pages, key="agreement_page")
    rows = listed[(page - 1) * _PER_PAGE : page * _PER_PAGE]
    table = pd.DataFrame(
        {
            "Patient": row.patient_code,
            "Image": row.image_id,
            "Masks": row.n_masks,
            "Dice": f"{row.dice_mean:.2f}",
            "IoU": f"{row.iou_mean:.2f}",
            "95% Hausdorff": distance_text(row.hd95_px_mean),
            "Decided": "yes" if row.is_adjudicated else "–",
        }
        for row in rows
    )
    picked = pick_row(table, key=f"agreement_images_{wanted}_{page}")
    if picked is not None:
        actions.open_image(rows[picked].image_id)
        st.rerun()
    st.caption("Tick a row to see its masks in colours, and who decided what.")
