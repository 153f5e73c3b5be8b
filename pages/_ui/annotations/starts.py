"""What my mask can start from: nothing, my earlier versions, another image, the model's proposal, others' masks."""

import streamlit as st

from colpo_core.records.annotations import OpenAnnotation, StartOptions, StartSource, VersionRecord
from colpo_core.services.annotations import starts as starting
from colpo_core.terms import Start
from pages._ui.annotations import actions
from pages._ui.components.viewer import StripItem, image_strip
from pages._ui.shared.context import PageContext
from pages._ui.shared.formats import as_when
from pages._ui.shared.markdown import plain
from pages._ui.shared.words import area_text, stage_text

_IMAGES = "annotate_start_images"
_SHOWN = 3


def choose_start(ctx: PageContext, mine: OpenAnnotation) -> None:
    """Draw a button that opens the possible starts; the store is queried only once it is open."""
    opened = st.popover(
        "Start from…",
        icon=":material/content_copy:",
        key=actions.START,
        on_change="rerun",
        width="stretch",
    )
    if not opened.open:
        return
    with opened, st.container(width=360, gap="xsmall"):
        options = starting.start_options(ctx.caller, image_id=mine.image.id, finding=mine.finding)
        if mine.changed:
            st.caption("It takes the place of what you have painted. **Undo** (Ctrl+Z) brings that back.")
        _nothing(ctx, mine)
        _proposal(ctx, mine, options)
        _versions(ctx, mine, "My versions", options.own_versions, Start.OWN_VERSION)
        _other_images(ctx, mine, options)
        _versions(ctx, mine, "Masks of others", options.others, Start.OTHER_VERSION)


def _nothing(ctx: PageContext, mine: OpenAnnotation) -> None:
    st.button(
        "An empty mask",
        icon=":material/check_box_outline_blank:",
        width="stretch",
        on_click=actions.start,
        args=(ctx, mine.document_id, StartSource(Start.NOTHING), "The mask is empty: paint it anew."),
    )


def _proposal(ctx: PageContext, mine: OpenAnnotation, options: StartOptions) -> None:
    proposal = options.proposal
    if proposal is None:
        st.button("The model's proposal", icon=":material/neurology:", width="stretch", disabled=True)
        st.caption(options.proposals_refused or "The current model has not predicted this image yet.")
        return
    st.button(
        "The model's proposal",
        icon=":material/neurology:",
        width="stretch",
        on_click=actions.start,
        args=(
            ctx,
            mine.document_id,
            StartSource(Start.PROPOSAL, prediction_id=proposal.prediction_id),
            "This is the model's proposal: correct it before you submit.",
        ),
    )
    st.caption(
        f"By {plain(proposal.checkpoint_name)}, {area_text(proposal.acetowhite_share)}. That it was shown, and how "
        "much of it you keep, goes into the version."
    )


def _versions(
    ctx: PageContext, mine: OpenAnnotation, title: str, versions: tuple[VersionRecord, ...], start: Start
) -> None:
    if not versions:
        return
    st.markdown(f"**{title}**")
    for version in versions[:_SHOWN]:
        name = f"Version {version.number}" if start is Start.OWN_VERSION else plain(version.author)
        st.button(
            f"{name} · {area_text(version.area_share)} · {as_when(version.created_at)}",
            key=f"start_{version.version_id}",
            width="stretch",
            on_click=actions.start,
            args=(
                ctx,
                mine.document_id,
                StartSource(start, version_id=version.version_id),
                f"Started from {name}." if start is Start.OWN_VERSION else f"Started from the mask of {name}.",
            ),
        )


def _other_images(ctx: PageContext, mine: OpenAnnotation, options: StartOptions) -> None:
    if not options.other_images:
        return
    st.markdown("**My mask on another image of this case**")
    items = [
        StripItem(
            other_image.image.id,
            f"/colpo/images/{other_image.image.id}/thumbnail",
            stage_text(other_image.image),
            f"{other_image.area_share:.1%}" if other_image.is_submitted else f"{other_image.area_share:.1%}, draft",
        )
        for other_image in options.other_images
    ]

    def choose(image_id: int) -> None:
        source = StartSource(Start.OTHER_IMAGE, image_id=image_id)
        word = "Copied from the other image. If the view has moved, press **T** and drag the mask into its place."
        actions.start(ctx, mine.document_id, source, word)

    image_strip(_IMAGES, items, None, on_choose=choose)
    st.caption("The mask is copied as it lies. If the view has moved since, press T to move, turn and warp it.")
