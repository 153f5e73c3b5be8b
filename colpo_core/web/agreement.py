"""HTTP for agreement: what a combination of several annotators' masks would mark, as an overlay."""

import re

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from colpo_core.errors import InputRejected
from colpo_core.services.agreement import adjudication
from colpo_core.services.common.callers import Caller
from colpo_core.store import Store
from colpo_core.terms import Combination, Finding
from colpo_core.web.gate import actor_of, answering

_VERSIONS = re.compile(r"\d{1,12}(,\d{1,12}){0,31}", re.ASCII)


def routes(store: Store) -> list[Route]:
    """The routes of agreement.

    - `GET /colpo/agreement/{image_id}/{finding}/{combination}.png?versions=1,2`: the combination of the newest masks
      of up to 32 annotators, white where it marks something and transparent elsewhere; 422 for a version that is not
      among those that the person sees.
    """

    def overlay(request: Request) -> Response:
        finding, combination = request.path_params["finding"], request.path_params["combination"]
        if finding not in set(Finding) or combination not in set(Combination):
            raise InputRejected("There is no such finding or combination. Open the image again.")
        png = adjudication.combination_overlay(
            Caller(store, actor_of(request)),
            image_id=request.path_params["image_id"],
            finding=Finding(finding),
            combination=Combination(combination),
            version_ids=_versions(request),
        )
        # Whether the masks may be seen can change, so that each look asks again.
        return Response(png, media_type="image/png", headers={"cache-control": "private, no-store"})

    return [
        Route("/colpo/agreement/{image_id:row}/{finding}/{combination}.png", answering(overlay), methods=["GET"]),
    ]


def _versions(request: Request) -> tuple[int, ...]:
    text = request.query_params.get("versions", "")
    if not _VERSIONS.fullmatch(text):
        raise InputRejected("Name the versions to combine by their numbers, such as versions=1,2.")
    return tuple(int(number) for number in text.split(","))
