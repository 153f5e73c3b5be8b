"""Both networks' calls, with probability and threshold."""

import streamlit as st

from colpo_core.records.review.reviews import PredictionRecord
from colpo_core.records.statistics.number_texts import percent_texts
from colpo_core.terms import Label


def show_calls(prediction: PredictionRecord) -> None:
    """Draw probability, threshold and call of both networks."""
    four, three = st.columns(2)
    thresholds = []
    for column, name, prob_hsil, frozen, call in (
        (four, "4 channels", prediction.prob_hsil_4ch, prediction.threshold_4ch, prediction.call_4ch),
        (three, "3 channels", prediction.prob_hsil_3ch, prediction.threshold_3ch, prediction.call_3ch),
    ):
        prob, threshold = percent_texts(prob_hsil, frozen)
        thresholds.append(f"{threshold} ({name})")
        is_hsil = call is Label.HSIL
        column.metric(
            f"HSIL, {name}",
            prob,
            delta=f"calls {call.value}",
            delta_color="red" if is_hsil else "green",
            delta_arrow="off",
            border=True,
            help=f"Calls hsil from {threshold}, the threshold frozen at training.",
        )
    st.caption(
        f"Calls hsil from {' and '.join(thresholds)}. "
        f"Acetowhite epithelium covers {prediction.acetowhite_fraction:.1%} of the image. {prediction.calibration}"
    )
    for mark in prediction.marks:
        st.caption(f"**{mark.text}** {mark.meaning}")
