"""How well the segmenter's masks agree with the annotated ones, compared with how well annotators agree."""

import streamlit as st

from colpo_core.exchange.card_tables.masks import blind_table, ceiling_table, segmentation_table, without_lesion_table
from colpo_core.records.models.cards import BLIND_TEXT, counted, mask_distributions, side
from colpo_core.records.models.checkpoints import CheckpointRecord
from colpo_core.services.models import human_ceiling as models_human_ceiling
from pages._ui.models.charts import violins_chart
from pages._ui.models.marks import block_head, marks_line, say_old, show_table
from pages._ui.shared.charts import CONFIG
from pages._ui.shared.context import PageContext
from pages._ui.shared.errors import showing_errors


def show_masks(ctx: PageContext, checkpoint: CheckpointRecord) -> None:
    """Draw the figures of the test side.

    Args:
        ctx: The page's context.
        checkpoint: The checkpoint.
    """
    block = side(checkpoint.card, "test")["segmentation"]
    block_head(checkpoint, "Segmentation")
    if not block["n_images"]:
        st.info("No mask was kept for testing, so nothing is known of its segmentation.", icon=":material/brush:")
        return
    show_table(segmentation_table(block))
    st.caption(
        f"Test side: {counted(block['n_images'], 'image')} with a mask. A share of 1, and a distance of 0, is a "
        "perfect match. An image whose lesion was not found at all has no distance: read it beside Dice."
    )
    block_head(checkpoint, "Beside masks that look at no image")
    if block.get("blind"):
        show_table(blind_table(block))
        st.caption(BLIND_TEXT)
    else:
        say_old("what a mask reaches that looks at no image")
    block_head(checkpoint, "How it is spread")
    distributions = mask_distributions(block)
    if distributions:
        st.plotly_chart(
            violins_chart(distributions, marks_line(checkpoint)), width="stretch", config=CONFIG, key="violins"
        )
        st.caption(
            "Each dot an image with a lesion, or a patient (the mean over her images). Diamond: the mean over images "
            "with its 95% interval by patients."
        )
    else:
        say_old("the distribution over images and patients")
    left, right = st.columns(2, gap="large")
    with left:
        block_head(checkpoint, f"Images without a lesion ({block['n_images_without_acetowhite']})")
        if block["n_images_without_acetowhite"]:
            show_table(without_lesion_table(block))
            st.caption(
                "In these nobody marked acetowhite epithelium. They are in none of the figures of lesions. What is "
                "marked on images that a person has confirmed to show none is marked wrongly."
            )
        else:
            st.caption(
                "All test images with a mask show a lesion, so nothing is known of what it marks where there is none. "
                "On the page Annotate, confirm images on which nothing is acetowhite."
            )
    with right:
        _ceiling(ctx, checkpoint)


def _ceiling(ctx: PageContext, checkpoint: CheckpointRecord) -> None:
    block_head(checkpoint, "Beside the annotators")
    with showing_errors(), st.spinner("Comparing the annotators …", show_time=False):
        ceiling = models_human_ceiling.human_ceiling(ctx.caller, checkpoint_id=checkpoint.id)
        if not ceiling.n_images_all:
            st.info(
                "No image has masks of two people yet. Let two annotate the same images: a model cannot be asked to "
                "agree with them more than they agree with each other.",
                icon=":material/group:",
            )
            return
        show_table(ceiling_table(ceiling))
        st.caption(
            "How far people agree on the same images is the most that one may ask of a model. 95% intervals by "
            "patients."
        )
