"""The rooms service's interface as it describes itself: nothing that is sent breaks or opens it."""

from typing import Any

import hypothesis
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.box.meeting import House

pytestmark = pytest.mark.box

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
STREAMS = ("/api/wait", "/api/lobby")
# After these a seat or a sign-in is worth nothing, and the rest would say so alone.
ENDS = ("/api/leave", "/api/meeting/end", "/api/staff/sign-out")
FORGED = (
    "",
    "Bearer x",
    "Bearer eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.eyJhdWQiOiJzZWF0In0.",
    "Basic YTpi",
)


def operations(house: House) -> list[Any]:
    """All that the box says it can be asked."""
    description = schemathesis.openapi.from_dict(house.ask("GET", "openapi.json"))
    return [one.ok() for one in description.get_all_operations()]  # type: ignore[union-attr]


def fuzz(house: House, operation: Any, headers: dict[str, str], mode: Any, judge: Any) -> None:
    """Send what the description allows, or by `mode` what it does not, and `judge` each answer."""

    @hypothesis.settings(
        max_examples=25,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @hypothesis.given(case=operation.as_strategy(generation_mode=mode))
    def send(case: Any) -> None:
        answer = case.call(
            base_url=f"https://{house.http.base_url.host}",
            headers=headers,
            cookies=dict(house.http.cookies),
            verify=house.authority,
            timeout=20,
            allow_redirects=False,
        )
        judge(case, answer)

    with house.stage.joined():
        send()


@pytest.mark.parametrize("mode", list(schemathesis.GenerationMode))
def test_nothing_that_is_sent_breaks_the_service(house: House, mode: Any) -> None:
    room = house.book()
    seat = house.enter(room, "moderator", "Anna")["seat"]
    statuses: dict[str, int] = {}

    def judge(case: Any, answer: Any) -> None:
        case.validate_response(answer, checks=CHECKS)
        statuses[str(answer.status_code)] = statuses.get(str(answer.status_code), 0) + 1

    headers = {"Authorization": f"Bearer {seat}"}
    for operation in operations(house):
        told = operation.definition.raw
        # Where nothing is sent, nothing can be sent wrong.
        wrong = "requestBody" in told or mode is schemathesis.GenerationMode.POSITIVE
        if wrong and operation.path not in (*STREAMS, *ENDS):
            fuzz(house, operation, headers, mode, judge)
    print(f"{mode}: answers by status {dict(sorted(statuses.items()))}")
    assert statuses.get("200")
    assert statuses.get("422") or mode is schemathesis.GenerationMode.POSITIVE


def test_nothing_opens_to_whoever_has_no_right(house: House) -> None:
    cookies, house.http.cookies = house.http.cookies, {}
    asked = 0

    def judge(case: Any, answer: Any) -> None:
        nonlocal asked
        asked += 1
        assert answer.status_code in (401, 403, 404, 405, 429), (case.operation.label, answer.text)

    try:
        for operation in operations(house):
            closed = operation.definition.raw.get("security") or operation.path == "/api/rooms"
            if closed:
                for authorization in FORGED:
                    headers = {"Authorization": authorization} if authorization else {}
                    mode = schemathesis.GenerationMode.POSITIVE
                    fuzz(house, operation, headers, mode, judge)
    finally:
        house.http.cookies = cookies
    print(f"{asked} requests without a right, none of them done")
    assert asked > 300
