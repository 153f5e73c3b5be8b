"""Two models on the same unseen cases: paired figures, their scores, and the cases that flipped."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from colpo_core.exchange.tables import TextTable
from colpo_core.records.models.checkpoints import CheckpointRecord
from colpo_core.records.statistics.comparisons import ArmDifference, FlippedCase, ModelComparison
from colpo_core.records.statistics.number_texts import percent_texts
from colpo_core.services.models import predicting
from colpo_core.services.models import registry as models_registry
from colpo_core.services.models.comparison import compare_models
from colpo_core.terms import Label
from pages._ui.models.marks import show_table
from pages._ui.shared.charts import CONFIG, scores_chart
from pages._ui.shared.context import PageContext, page_context
from pages._ui.shared.errors import showing_errors
from pages._ui.shared.formats import count_text
from pages._ui.shared.links import go
from pages._ui.shared.markdown import plain
from pages._ui.shared.tables import pick_row

_FIGURES = {
    "auc": "Area under the ROC curve", "accuracy": "Accuracy", "sensitivity": "Sensitivity",
    "specificity": "Specificity", "brier": "Brier score (less is better)",
}  # fmt: skip


def show_comparison(ctx: PageContext, checkpoint: CheckpointRecord) -> None:
    """Draw the chosen model against another one."""
    others = [other for other in models_registry.list_checkpoints(ctx.caller) if other.id != checkpoint.id]
    if not others:
        st.info("There is no other model to compare it with yet.", icon=":material/deployed_code:")
        return
    left, right = st.columns([3, 1], vertical_alignment="bottom")
    other = left.selectbox("Compare with", others, format_func=lambda checkpoint: checkpoint.name, key="compare_with")
    channels = right.segmented_control(
        "Network", [4, 3], format_func=lambda n: f"{n} channels", default=4, required=True, key="compare_channels"
    )
    with showing_errors(), st.spinner("Comparing …"):
        compared = compare_models(ctx.caller, first_id=other.id, second_id=checkpoint.id, channels=channels or 4)
        _missing(compared, other, checkpoint)
        if compared.difference is None:
            st.info(
                "No case with a label by histology, of a patient that neither has met, was predicted by both.",
                icon=":material/hourglass_empty:",
            )
            return
        _figures(compared, compared.difference)
        scores, flips = st.columns(2, gap="large")
        with scores:
            st.markdown("**Scores of both**")
            chart = scores_chart(
                [(label is Label.HSIL, first, second) for label, first, second in compared.scores],
                compared.first,
                compared.second,
            )
            st.plotly_chart(chart, width="stretch", config=CONFIG, key="compare_scores", theme=None)
            st.caption("A dot a case; above the line the chosen model gives the higher probability of HSIL.")
        with flips:
            _flips(compared.flips)


def _missing(compared: ModelComparison, other: CheckpointRecord, checkpoint: CheckpointRecord) -> None:
    for n, model in ((compared.n_missing_first, other), (compared.n_missing_second, checkpoint)):
        if n:
            st.caption(f"{plain(model.name)} has not predicted {count_text(n, 'case')} that the other one has.")
            st.button(
                "Predict what is missing", icon=":material/play_arrow:", on_click=_predict, args=(model.id,),
                key=f"compare_predict_{model.id}",
            )  # fmt: skip


@showing_errors()
def _predict(checkpoint_id: int) -> None:
    predicting.start_prediction(page_context().caller, checkpoint_id=checkpoint_id)


def _figures(compared: ModelComparison, difference: ArmDifference) -> None:
    rows = [
        (title, *(getattr(part, name).text() for part in (difference.first, difference.second, difference)))
        for name, title in _FIGURES.items()
    ]
    show_table(TextTable(("", compared.first, compared.second, "Difference"), tuple(rows)))
    (tests,) = difference.by_seed
    left_out = (
        f" {count_text(compared.n_met, 'case')} left out: one of the two has met their patients."
        if compared.n_met
        else ""
    )
    st.caption(
        f"{count_text(difference.n, 'case')} of {count_text(difference.n_patients, 'patient')}, each model at its own "
        f"frozen threshold; difference: the chosen model minus the other, 95% by patients.{left_out}"
    )
    if not difference.clustered:
        calls = tests.accuracy
        st.caption(f"McNemar's test of the calls: p {calls.p:.3f} (right alone: {calls.b} and {calls.c}).")


def _flips(flips: Sequence[FlippedCase]) -> None:
    better = sum(flip.is_second_right for flip in flips)
    st.markdown(f"**Cases that flipped** · {better} became right, {len(flips) - better} became wrong")
    if not flips:
        st.caption("Both call every case alike.")
        return
    rows = pd.DataFrame(
        {
            "Case": [flip.case_id for flip in flips],
            "Patient": [flip.patient_code for flip in flips],
            "Label": ["HSIL" if flip.label is Label.HSIL else "normal" for flip in flips],
            "Before": [percent_texts(flip.prob_first, flip.prob_second)[0] for flip in flips],
            "Now": [percent_texts(flip.prob_first, flip.prob_second)[1] for flip in flips],
            "": ["became right" if flip.is_second_right else "became WRONG" for flip in flips],
        }
    )
    picked = pick_row(rows, key="compare_flips")
    st.caption("Choose a row to open its case.")
    if picked is not None:
        go("cases", case=flips[picked].case_id)
