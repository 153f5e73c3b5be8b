"""HTTP for the mask editor: what is stored of a mask, and saving a stroke; and submitted masks as overlays.

The editor saves here and not through Streamlit, so that painting never reruns a page.
"""

from base64 import b64encode
from functools import partial

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from colpo_core.errors import InputRejected
from colpo_core.records import colours
from colpo_core.services.annotations import own_masks
from colpo_core.services.annotations import versions as annotation_versions
from colpo_core.services.common.callers import Caller
from colpo_core.store import Store
from colpo_core.web.gate import actor_of, answering
from colpo_core.web.limits import SAVING

MAX_CODE_BYTES = 4 * 1024 * 1024
# A mask may be hidden from whoever signs in next at the same browser, so it asks each time.
_CACHING = "private, no-cache"


def routes(store: Store) -> list[Route]:
    """The routes of annotations.

    - `GET /colpo/annotations/{document_id}`: JSON with `seq`, `rle` (base64) and what is known of the document.
    - `PUT /colpo/annotations/{document_id}?base_seq=N&strokes=K&active_ms=M`: the body is the mask's run-length code,
      after K strokes (0 to 10,000, default 0) and M milliseconds (0 to 3,600,000, default 0) more than the save before;
      answers with the new `seq` once it is on the disk, 404 for another person's document, 409 where `N` is not the
      stored sequence, 413 for a body that is too large and 422 for one that does not fit the image, or for a number
      out of its range. Nothing is stored then.
    - `GET /colpo/annotations/versions/{version_id}/mask.png?colour=cyan`: a submitted mask as an overlay; 403 for
      somebody else's while one annotates the image in a blind task that is not done.
    - `GET /colpo/annotations/versions/{first_id}/compare/{second_id}.png`: two submitted masks of one image in three
      colours; 403 likewise.
    """

    def open_document(request: Request) -> Response:
        opened = own_masks.open_document(
            Caller(store, actor_of(request)), document_id=request.path_params["document_id"]
        )
        return JSONResponse(
            {
                "document_id": opened.document_id,
                "seq": opened.seq,
                "rle": b64encode(opened.rle).decode("ascii"),
                "width_px": opened.image.width_px,
                "height_px": opened.image.height_px,
                "version_number": opened.version_number,
                "changed": opened.changed,
                "saved_at": opened.saved_at.isoformat() if opened.saved_at else None,
                "start": opened.start.value,
                "strokes": opened.strokes,
                "active_ms": opened.active_ms,
            },
            headers={"cache-control": "no-store"},
        )

    async def save_stroke(request: Request) -> Response:
        actor = actor_of(request)
        base_seq = _whole_number(request, "base_seq", "a save must name the sequence that it was painted upon")
        strokes = _whole_number(request, "strokes", "the strokes of a save are counted", default=0)
        active_ms = _whole_number(request, "active_ms", "the time of a save is in milliseconds", default=0)
        code = await _bounded_body(request)
        if code is None:
            return JSONResponse(
                {
                    "error": f"This mask is too detailed to be stored: its code is larger than "
                    f"{MAX_CODE_BYTES // 1024 // 1024} MB. Paint with a larger brush; nothing was changed."
                },
                status_code=413,
            )
        save = partial(
            own_masks.save_draft,
            Caller(store, actor),
            document_id=request.path_params["document_id"],
            base_seq=base_seq,
            rle=code,
            strokes=strokes,
            active_ms=active_ms,
        )
        saved = await SAVING.run(save, person=actor.person_id)
        return JSONResponse({"seq": saved.seq, "saved_at": saved.saved_at.isoformat()})

    def version_overlay(request: Request) -> Response:
        colour = request.query_params.get("colour", "amber")
        if colour not in colours.OVERLAYS:
            raise InputRejected(f"The colour must be one of {', '.join(colours.OVERLAYS)}.")
        png = own_masks.version_mask_overlay(
            Caller(store, actor_of(request)),
            version_id=request.path_params["version_id"],
            rgba=colours.rgba(colours.OVERLAYS[colour]),
        )
        return Response(png, media_type="image/png", headers={"cache-control": _CACHING})

    def comparison(request: Request) -> Response:
        png = annotation_versions.comparison_overlay(
            Caller(store, actor_of(request)),
            first_id=request.path_params["first_id"],
            second_id=request.path_params["second_id"],
        )
        return Response(png, media_type="image/png", headers={"cache-control": _CACHING})

    return [
        Route("/colpo/annotations/versions/{version_id:row}/mask.png", answering(version_overlay), methods=["GET"]),
        Route(
            "/colpo/annotations/versions/{first_id:row}/compare/{second_id:row}.png",
            answering(comparison),
            methods=["GET"],
        ),
        Route("/colpo/annotations/{document_id}", answering(open_document), methods=["GET"]),
        Route("/colpo/annotations/{document_id}", answering(save_stroke), methods=["PUT"]),
    ]


def _whole_number(request: Request, name: str, why: str, *, default: int | None = None) -> int:
    text = request.query_params.get(name)
    if text is None and default is not None:
        return default
    if text is None or not (text.isascii() and text.isdecimal() and len(text) <= 12):
        raise InputRejected(f"The address needs {name}, a whole number of up to 12 digits: {why}.")
    return int(text)


async def _bounded_body(request: Request) -> bytes | None:
    """The body, or None where it is larger than a mask may be; it is never read further than that."""
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > MAX_CODE_BYTES:
        return None
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > MAX_CODE_BYTES:
            return None
        chunks.append(chunk)
    return b"".join(chunks)
