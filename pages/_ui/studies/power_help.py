"""The power of a study, estimated beside its form."""

import streamlit as st

from colpo_core.records.statistics.power import PowerEstimate
from colpo_core.records.statistics.reader_figures import ENDPOINT_WORDS, Endpoint
from colpo_core.records.studies.reading_plans import Aid, ReadingPlan
from colpo_core.services.studies.power import READER_SPREADS, ReaderSpread, plan_power
from pages._ui.shared.errors import showing_errors

_STUDIES = 400
_SPREADS = {ReaderSpread.LITTLE: "Little", ReaderSpread.USUAL: "As usual", ReaderSpread.MUCH: "Much"}
_ENOUGH = 0.8


def power_help(plan: ReadingPlan, *, n_readers: int, n_positive: int, n_negative: int) -> None:
    """Draw the fields and, when asked, the answer."""
    with st.expander("Sample size: how likely is it to find it?", icon=":material/query_stats:"):
        what = ENDPOINT_WORDS[plan.endpoint]
        st.caption(f"Assumed {what} of the primary endpoint, by Roe and Metz' model of readers and cases.")
        left, right = st.columns(2)
        is_aided = plan.aid is not Aid.NONE
        first, second = ("With the aid", "Without it") if is_aided else ("Network", "Readers' mean")
        network = left.number_input(first, 0.01, 0.99, 0.9, 0.01, format="%.2f", key="power_network")
        readers = right.number_input(second, 0.01, 0.99, 0.8, 0.01, format="%.2f", key="power_readers")
        left, right = st.columns(2)
        n = left.number_input("Readers", 2, 100, max(2, n_readers), key=f"power_n_{n_readers}")
        spread = right.selectbox(
            "How much readers differ", list(READER_SPREADS), index=1, format_func=_SPREADS.__getitem__,
            key="power_spread",
        )  # fmt: skip
        left, right = st.columns(2)
        positive = left.number_input("HSIL cases", 2, 2500, max(2, n_positive), key=f"power_positive_{n_positive}")
        negative = right.number_input("Normal cases", 2, 2500, max(2, n_negative), key=f"power_negative_{n_negative}")
        if st.button("Estimate", icon=":material/calculate:", width="stretch", key="power_now"):
            with showing_errors(), st.spinner("Simulating studies…"):
                power = plan_power(
                    plan, figures=(network, readers), n_readers=int(n), n_positive=int(positive),
                    n_negative=int(negative), spread=spread, studies=_STUDIES,
                )  # fmt: skip
                _say(power, plan)


def _say(power: PowerEstimate, plan: ReadingPlan) -> None:
    tested = "the network" if plan.aid is Aid.NONE else "reading with the aid"
    aim = "a difference" if plan.margin is None else f"non-inferiority of {tested} at a margin of {plan.margin:g}"
    share = power.simulated.value or 0.0
    show = st.success if share >= _ENOUGH else st.warning
    show(
        f"Such a study shows {aim} with a power of {power.simulated.text()} by simulation of {_STUDIES} studies, and "
        f"{power.by_formula:.1%} by formula, at alpha {plan.alpha:g}.",
        icon=":material/query_stats:",
    )
    if share < _ENOUGH:
        st.caption("80% is usual. More cases help until the readers' own differences are what is left; then readers.")
    if plan.endpoint is not Endpoint.AUC:
        st.caption("Areas from confidences need fewer cases than calls alone.")
