"""The program's own JavaScript modules over HTTP.

The address holds the version, a hash over all modules, so that no browser ever mixes modules of two versions and each
may be kept for good. It also holds the number of the attempt, which is not looked at: a browser remembers that a module
failed to load, for as long as the page lives, and only another address makes it try again.
"""

import hashlib
from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

import colpo_core.web.addresses  # noqa: F401 - the number of the attempt

_CACHING = "private, max-age=31536000, immutable"


def script_routes(version: str, modules: Mapping[str, bytes]) -> list[Route]:
    """The route of the modules: `/scripts/VERSION/ATTEMPT/NAME`. Another version than this one is not found.

    Args:
        version: Of the modules, as it stands in their addresses.
        modules: Content by name, such as `mask_editor/codec.js`. Read once: what changes on the disk under a running
            server belongs to another version.
    """
    tags = {name: f'"{hashlib.sha256(content).hexdigest()}"' for name, content in modules.items()}

    async def script(request: Request) -> Response:
        name = request.path_params["name"]
        if request.path_params["version"] != version or name not in modules:
            return PlainTextResponse("Reload the page: the program has no such script.", status_code=404)
        headers = {"ETag": tags[name], "Cache-Control": _CACHING}
        if request.headers.get("if-none-match") == tags[name]:
            return Response(status_code=304, headers=headers)
        return Response(modules[name], media_type="text/javascript", headers=headers)

    async def no_script(request: Request) -> Response:
        return PlainTextResponse("There is no such script.", status_code=404)

    return [
        Route("/scripts/{version}/{attempt:row}/{name:path}", script, methods=["GET"]),
        Route("/scripts/{rest:path}", no_script, methods=["GET"]),
    ]
