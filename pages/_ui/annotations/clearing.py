"""Images without a mask as thumbnails, to say of many at once that nothing acetowhite is on them."""

import streamlit as st

from colpo_core.records.annotations import UnmarkedImage, UnmarkedPage
from colpo_core.services.annotations import clear_images
from pages._ui.annotations import actions as deeds
from pages._ui.components.gallery import GalleryItem, case_gallery
from pages._ui.shared.context import PageContext
from pages._ui.shared.formats import count_text
from pages._ui.shared.links import link
from pages._ui.shared.markdown import plain
from pages._ui.shared.messages import doing, say_what_happened

PAGE = 24
_CHOSEN, _CURSORS, _ROUND = "clear_chosen", "clear_cursors", "clear_round"
_SWEDE_SEEN = 3


def show_unmarked(ctx: PageContext) -> None:
    """Draw a page of images, what is chosen of them, and the button that confirms."""
    st.header("Images without a lesion", anchor=False)
    say_what_happened(deeds.SAID)
    cursors: list[int] = st.session_state.get(_CURSORS, [])
    found = clear_images.list_unmarked(ctx.caller, after=cursors[-1] if cursors else None, limit=PAGE)
    if not found.images and cursors:
        st.session_state[_CURSORS] = []
        found = clear_images.list_unmarked(ctx.caller, limit=PAGE)
    if not found.total:
        st.info(
            "Every acetic-acid image has a mask, is being painted, or is confirmed to show nothing acetowhite.",
            icon=":material/task_alt:",
        )
        link("annotate", "Back to painting", icon=":material/brush:")
        return
    st.markdown(
        f"Nobody has marked anything on {count_text(found.total, 'image')}, and nobody has said that nothing is there. "
        "Choose those on which **nothing acetowhite** is to be seen. They count as annotated, and a model learns from "
        "them that there is nothing to mark. Painting the image later makes a new version, which counts instead."
    )
    _show_gallery(found)
    _show_buttons(ctx, found, cursors)


def _show_gallery(found: UnmarkedPage) -> None:
    key = f"clear_gallery_{st.session_state.get(_ROUND, 0)}"

    def select() -> None:
        st.session_state[_CHOSEN] = {int(one) for one in st.session_state[key]["selected"]}

    def open_one() -> None:
        opened = st.session_state[key].get("opened")
        if opened is not None:
            st.query_params.from_dict({"image": str(int(opened))})

    case_gallery(key, [_item(image) for image in found.images], _chosen(found), on_select=select, on_open=open_one)


def _item(one: UnmarkedImage) -> GalleryItem:
    seconds = "" if one.seconds_after_acid is None else f", {one.seconds_after_acid}\u00a0s"
    marks = []
    if one.swede_total is not None and one.swede_total >= _SWEDE_SEEN:
        marks.append((f"Swede {one.swede_total}: look closely", "amber"))
    if one.has_empty_mask:
        marks.append(("empty mask, not confirmed", "grey"))
    url = f"/colpo/images/{one.image_id}/thumbnail"
    return GalleryItem(one.image_id, url, plain(one.patient_code), (f"image {one.image_id}{seconds}",), tuple(marks))


def _chosen(found: UnmarkedPage) -> set[int]:
    """What is chosen of this page alone: nothing is confirmed that is not in sight."""
    chosen: set[int] = st.session_state.get(_CHOSEN, set())
    return chosen & {image.image_id for image in found.images}


def _show_buttons(ctx: PageContext, found: UnmarkedPage, cursors: list[int]) -> None:
    chosen = sorted(_chosen(found))
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.button(
            f"Nothing acetowhite on {count_text(len(chosen), 'image')}" if chosen else "Choose images first",
            icon=":material/check:",
            type="primary",
            disabled=not chosen,
            key="clear_confirm",
            on_click=_confirm,
            args=(ctx, tuple(chosen)),
        )
        everything = tuple(image.image_id for image in found.images)
        st.button("Choose all on this page", icon=":material/select_all:", on_click=_choose, args=(everything,))
        st.button("Choose none", icon=":material/deselect:", on_click=_choose, args=((),), disabled=not chosen)
        st.space("stretch")
        st.button("Previous page", icon=":material/arrow_back:", disabled=not cursors, on_click=_turn, args=(None,))
        st.button(
            "Next page",
            icon=":material/arrow_forward:",
            disabled=found.next_after is None,
            on_click=_turn,
            args=(found.next_after,),
        )
        link("annotate", "Back to painting", icon=":material/brush:")
    st.caption("A click on an image opens it in the editor; its box, or the space bar, chooses it.")


def _confirm(ctx: PageContext, image_ids: tuple[int, ...]) -> None:
    def deed() -> str:
        made = clear_images.confirm_clear(ctx.caller, image_ids=image_ids)
        return f"Confirmed: nothing acetowhite on {count_text(len(made), 'image')}."

    if doing(deed, key=deeds.SAID):
        _choose(())


def _choose(image_ids: tuple[int, ...]) -> None:
    st.session_state[_CHOSEN] = set(image_ids)
    # What is drawn keeps its own choice: another key lets the gallery take this one.
    st.session_state[_ROUND] = st.session_state.get(_ROUND, 0) + 1


def _turn(after: int | None) -> None:
    cursors: list[int] = st.session_state.get(_CURSORS, [])
    st.session_state[_CURSORS] = cursors[:-1] if after is None else [*cursors, after]
    _choose(())
