"""Making a model the clinic's current one: the doubts first, then the button, then the history."""

import streamlit as st

from colpo_core.records.models.checkpoints import CheckpointRecord, PromotionRecord
from colpo_core.services.models import promotion_checks
from colpo_core.services.models import promotions as models_promotions
from colpo_core.services.models import registry as models_registry
from colpo_core.terms import Role
from pages._ui.shared.context import PageContext
from pages._ui.shared.errors import showing_errors
from pages._ui.shared.formats import as_when
from pages._ui.shared.links import link
from pages._ui.shared.markdown import plain
from pages._ui.shared.messages import keep_message

_SHOWN = 5


def show_promotion(ctx: PageContext, checkpoint: CheckpointRecord) -> None:
    """Draw what speaks against a promotion, and the form.

    Args:
        ctx: The page's context.
        checkpoint: The checkpoint.
    """
    with st.container(border=True):
        if checkpoint.is_current:
            st.markdown("**This is the clinic's current model.**")
            link("review", "Review its predictions", icon=":material/fact_check:")
            return
        current = models_registry.current_checkpoint(ctx.caller.store)
        is_older = current is not None and checkpoint.created_at < current.created_at
        st.markdown("**Roll back to this model**" if is_older else "**Make this the current model**")
        with showing_errors():
            with st.spinner("Looking for what speaks against it …", show_time=False):
                checks = promotion_checks.check_promotion(ctx.caller, checkpoint_id=checkpoint.id)
            for sentence in checks.doubts:
                st.warning(plain(sentence), icon=":material/report:")
            if not checks.doubts:
                st.markdown(checks.summary)
            if checks.unchecked:
                with st.expander(f"Could not be checked ({len(checks.unchecked)})", icon=":material/help:"):
                    st.markdown("\n".join(f"- {plain(sentence)}" for sentence in checks.unchecked))
            if ctx.caller.actor.role is not Role.ADMINISTRATOR:
                st.markdown("An administrator can make this the clinic's current model.")
                return
            _form(ctx, checkpoint, has_doubts=bool(checks.doubts))


def _form(ctx: PageContext, checkpoint: CheckpointRecord, *, has_doubts: bool) -> None:
    with st.form(f"promote_{checkpoint.id}", border=False):
        reason = st.text_input("Reason", placeholder="Higher sensitivity on the same test cases", max_chars=500)
        overrule = ""
        if has_doubts:
            overrule = st.text_area(
                "Overrule in writing",
                placeholder="Why the doubts above do not count here",
                max_chars=1000,
                help="It stays in the history with the doubts that you overruled.",
            )
        pressed = st.form_submit_button("Promote", type="primary", icon=":material/verified:", width="stretch")
    st.caption("All acetic-acid images that it has not seen are then predicted in the background.")
    if pressed:
        with showing_errors():
            models_promotions.promote_checkpoint(
                ctx.caller, checkpoint_id=checkpoint.id, reason=reason, overrule=overrule
            )
            keep_message("models_told", f"{checkpoint.name} is the current model. Its predictions are on their way.")
            st.query_params["checkpoint"] = str(checkpoint.id)
            st.rerun()


def show_history(ctx: PageContext) -> None:
    """Draw all promotions, and what was overruled for each."""
    promotions = models_promotions.list_promotions(ctx.caller)
    if not promotions:
        return
    st.markdown("**Promotions**")
    for promotion in promotions[:_SHOWN]:
        _show_one(promotion)
    if promotions[_SHOWN:]:
        with st.expander(f"Earlier ones ({len(promotions) - _SHOWN})"):
            for promotion in promotions[_SHOWN:]:
                _show_one(promotion)


def _show_one(promotion: PromotionRecord) -> None:
    st.markdown(f"**{plain(promotion.checkpoint_name)}**  \n{plain(promotion.reason)}")
    st.caption(f"{as_when(promotion.at)} UTC, {plain(promotion.promoted_by)}")
    if promotion.overruled:
        st.caption(f":material/gavel: Overruled: {' '.join(map(plain, promotion.overruled))}")
    if promotion.unchecked:
        st.caption(f":material/help: Could not be checked: {' '.join(map(plain, promotion.unchecked))}")
