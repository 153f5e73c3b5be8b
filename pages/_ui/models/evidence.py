"""Where a model's evidence lies: inside the lesion or beside it, before and after the fourth channel."""

import streamlit as st

from colpo_core.exchange.card_tables.evidence import evidence_table, forgetting_table, places_table
from colpo_core.records.models.cards import EVIDENCE_TEXT, FORGETTING_TEXT, PLACES_TEXT, counted, side
from colpo_core.records.models.checkpoints import CheckpointRecord
from pages._ui.models.marks import block_head, labels_from, say_old, show_table

_ALIKE = 0.5


def show_evidence(checkpoint: CheckpointRecord) -> None:
    """Draw the shares inside the masks, and whether the maps change when the network forgets."""
    block_head(checkpoint, "Where the evidence lies")
    metrics = side(checkpoint.card, "test")
    table = evidence_table(metrics)
    if table is None:
        say_old("where its evidence lies")
        return
    evidence = metrics["evidence"]
    if not evidence["n_images"]:
        st.info("No test image has an annotated lesion, so there is nothing to compare.", icon=":material/brush:")
    else:
        show_table(table)
        st.caption(f"{counted(evidence['n_images'], 'test image')}. {EVIDENCE_TEXT} {labels_from(checkpoint)}.")
    block_head(checkpoint, "Beside the lesion: black bars and rim")
    places = places_table(metrics)
    if places is None:
        say_old("the evidence in black bars and rim")
    else:
        show_table(places)
        st.caption(f"{PLACES_TEXT} {labels_from(checkpoint)}.")
    block_head(checkpoint, "Do the maps show what was learned?")
    forgetting = forgetting_table(metrics)
    if forgetting is None:
        say_old("whether its maps change when it forgets")
        return
    for network, lines in metrics["forgetting"].items():
        last = lines[-1]["similarity"] if lines else None
        if last is not None and last > _ALIKE:
            st.warning(
                f"With all weights drawn anew the maps of {network[0]} channels stay alike (correlation {last:.2f}): "
                "do not read them as what the network learned.",
                icon=":material/warning:",
            )
    show_table(forgetting)
    st.caption(FORGETTING_TEXT)
