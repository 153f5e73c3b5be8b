"""A study's report as a page of its own, to read and to print."""

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from colpo_core.services.common.callers import Caller
from colpo_core.services.studies.report import report_html
from colpo_core.store import Store
from colpo_core.web.gate import actor_of, answering


def routes(store: Store) -> list[Route]:
    """The route of a study's report.

    Args:
        store: The open store.
    """

    @answering
    def show_report(request: Request) -> Response:
        study_id = request.path_params["study_id"]
        by_number = request.query_params.get("readers") == "by-number"
        return HTMLResponse(report_html(Caller(store, actor_of(request)), study_id=study_id, by_number=by_number))

    return [Route("/colpo/studies/{study_id:row}/report", show_report, methods=["GET"])]
