"""Numbers in addresses that no row can have."""

from collections.abc import Callable

import pytest

from colpo_core.services.common.callers import Caller
from colpo_core.store import Store
from colpo_core.web.addresses import RowNumber
from colpo_core.web.routes import routes
from tests.support.browsers import Browser


@pytest.mark.parametrize("number", [str(2**63), "9" * 19, "9" * 5000, "-1", "1.0", "²", "1e3", "0x1"])
def test_no_address_breaks_on_a_number(
    store: Store, administrator: Caller, token_of: Callable[[Caller], str], number: str
) -> None:
    browser = Browser(store, token_of(administrator))
    templates = [route.path for route in routes(store) if ":row}" in route.path]
    assert len(templates) > 10
    for template in templates:
        path = "".join(
            part if index % 2 == 0 else number if part.endswith(":row") else "x"
            for index, part in enumerate(template.replace("}", "{").split("{"))
        )
        answer = browser.get(path)
        assert answer.status_code == 404, template
        assert answer.json()["error"], template


def test_every_number_of_a_row_is_taken_and_found_or_not(
    store: Store, administrator: Caller, token_of: Callable[[Caller], str]
) -> None:
    assert Browser(store, token_of(administrator)).get("/colpo/images/999999999999999999").status_code == 404
    assert RowNumber().convert("7") == 7
    assert RowNumber().to_string(7) == "7"
