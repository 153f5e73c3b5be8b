"""Images without a mask as thumbnails, to confirm for many at once that nothing acetowhite is on them."""

import streamlit as st

from colpo_core.records.annotations import UnmarkedImage, UnmarkedPage
from colpo_core.services.annotations import clear_images
from pages._ui.annotations import actions
from pages._ui.components.gallery import GalleryItem, case_gallery
from pages._ui.shared.context import PageContext
from pages._ui.shared.formats import count_text
from pages._ui.shared.links import link
from pages._ui.shared.markdown import plain
from pages._ui.shared.messages import button_action, show_message

PAGE = 24
_CHOSEN, _CURSORS, _ROUND = "clear_chosen", "clear_cursors", "clear_round"
_SWEDE_SEEN = 3


def show_unmarked(ctx: PageContext) -> None:
    """Draw a page of images, what is chosen of them, and the button that confirms."""
    st.header("Images without a lesion", anchor=False)
    show_message(actions.SAID)
    cursors: list[int] = st.session_state.get(_CURSORS, [])
    page = clear_images.list_unmarked(ctx.caller, after=cursors[-1] if cursors else None, limit=PAGE)
    if not page.images and cursors:
        st.session_state[_CURSORS] = []
        page = clear_images.list_unmarked(ctx.caller, limit=PAGE)
    if not page.total:
        st.info(
            "Every acetic-acid image has a mask, is being painted, or is confirmed to show nothing acetowhite.",
            icon=":material/task_alt:",
        )
        link("annotate", "Back to painting", icon=":material/brush:")
        return
    st.markdown(
        f"Nobody has marked anything on {count_text(page.total, 'image')}, and nobody has said that nothing is there. "
        "Choose those on which **nothing acetowhite** is to be seen. They count as annotated, and a model learns from "
        "them that there is nothing to mark. Painting the image later makes a new version, which counts instead."
    )
    _show_gallery(page)
    _show_buttons(ctx, page, cursors)


def _show_gallery(page: UnmarkedPage) -> None:
    key = f"clear_gallery_{st.session_state.get(_ROUND, 0)}"

    def select() -> None:
        st.session_state[_CHOSEN] = {int(image_id) for image_id in st.session_state[key]["selected"]}

    def open_one() -> None:
        opened = st.session_state[key].get("opened")
        if opened is not None:
            st.query_params.from_dict({"image": str(int(opened))})

    case_gallery(key, [_item(image) for image in page.images], _chosen(page), on_select=select, on_open=open_one)


def _item(image: UnmarkedImage) -> GalleryItem:
    seconds = "" if image.seconds_after_acid is None else f", {image.seconds_after_acid}\u00a0s"
    marks = []
    if image.swede_total is not None and image.swede_total >= _SWEDE_SEEN:
        marks.append((f"Swede {image.swede_total}: look closely", "amber"))
    if image.has_empty_mask:
        marks.append(("empty mask, not confirmed", "grey"))
    url = f"/colpo/images/{image.image_id}/thumbnail"
    return GalleryItem(
        image.image_id, url, plain(image.patient_code), (f"image {image.image_id}{seconds}",), tuple(marks)
    )


def _chosen(page: UnmarkedPage) -> set[int]:
    """What is chosen on this page only: nothing out of sight is confirmed."""
    chosen: set[int] = st.session_state.get(_CHOSEN, set())
    return chosen & {image.image_id for image in page.images}


def _show_buttons(ctx: PageContext, page: UnmarkedPage, cursors: list[int]) -> None:
    chosen = sorted(_chosen(page))
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
        everything = tuple(image.image_id for image in page.images)
        st.button("Choose all on this page", icon=":material/select_all:", on_click=_choose, args=(everything,))
        st.button("Choose none", icon=":material/deselect:", on_click=_choose, args=((),), disabled=not chosen)
        st.space("stretch")
        st.button("Previous page", icon=":material/arrow_back:", disabled=not cursors, on_click=_turn, args=(None,))
        st.button(
            "Next page",
            icon=":material/arrow_forward:",
            disabled=page.next_after is None,
            on_click=_turn,
            args=(page.next_after,),
        )
        link("annotate", "Back to painting", icon=":material/brush:")
    st.caption("A click on an image opens it in the editor; its box, or the space bar, chooses it.")


@button_action(actions.SAID)
def _confirm(ctx: PageContext, image_ids: tuple[int, ...]) -> str:
    made = clear_images.confirm_clear(ctx.caller, image_ids=image_ids)
    _choose(())
    return f"Confirmed: nothing acetowhite on {count_text(len(made), 'image')}."


def _choose(image_ids: tuple[int, ...]) -> None:
    st.session_state[_CHOSEN] = set(image_ids)
    # A gallery keeps its own selection: with a new key it takes this one.
    st.session_state[_ROUND] = st.session_state.get(_ROUND, 0) + 1


def _turn(after: int | None) -> None:
    cursors: list[int] = st.session_state.get(_CURSORS, [])
    st.session_state[_CURSORS] = cursors[:-1] if after is None else [*cursors, after]
    _choose(())
