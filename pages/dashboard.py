"""Dashboard: the cohort in figures, the current model on it, and drift."""

import streamlit as st

from colpo_core.services.overview.dashboard import dashboard
from pages._ui.overview.cohort import show_cohort, show_totals
from pages._ui.overview.drift import show_watch
from pages._ui.overview.figures_age import say_since_when
from pages._ui.overview.model import show_model
from pages._ui.shared.context import page_context
from pages._ui.shared.errors import showing_errors
from pages._ui.shared.links import link

_TABS = {
    "cohort": ":material/groups: Cohort",
    "model": ":material/deployed_code: Current model",
    "watch": ":material/monitor_heart: Drift and jobs",
}


def render() -> None:
    """Draw the page; figures of a tab that is not open are not counted."""
    ctx = page_context()
    with showing_errors():
        with st.container(horizontal=True, vertical_alignment="center"):
            st.title("Dashboard", width="content")
            st.space("stretch")
            include = st.toggle("Include simulated cases", value=True, key="dashboard_simulated")
        with st.spinner("Counting …"):
            figures = dashboard(ctx.caller, include_simulated=include)
        if not figures.cases:
            _empty(include)
            return
        show_totals(figures)
        wanted = _TABS.get(st.query_params.get("tab", ""), _TABS["cohort"])
        about_cohort, about_model, about_drift = st.tabs(
            list(_TABS.values()), default=wanted, key="dashboard_tab", on_change="rerun"
        )
        if about_cohort.open:
            with about_cohort, showing_errors():
                show_cohort(ctx, figures)
        if about_model.open:
            with about_model, showing_errors(), st.spinner("Counting …"):
                show_model(ctx, figures)
        if about_drift.open:
            with about_drift, showing_errors(), st.spinner("Counting …"):
                show_watch(ctx)
        say_since_when(ctx)


def _empty(include: bool) -> None:
    if include:
        st.info("There is no case to count yet.", icon=":material/monitoring:")
        link("cases", "Import images", icon=":material/add_photo_alternate:", tab="import")
    else:
        st.info("All cases are simulated: there is nothing else to count.", icon=":material/science:")
