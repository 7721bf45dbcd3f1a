"""The web application's routes."""

import asyncio
from typing import cast

import httpx
import pytest

from meet.api import ENDPOINTS
from meet.app import GATE, application
from meet.service import Service

pytestmark = pytest.mark.unit


def asked(method: str, path: str) -> int:
    """The status of an answer that does not get as far as the service."""

    async def ask() -> int:
        transport = httpx.ASGITransport(app=application(cast(Service, None), "1"))
        async with httpx.AsyncClient(transport=transport, base_url="https://a.example") as client:
            return (await client.request(method, f"https://a.example{path}")).status_code

    return asyncio.run(ask())


@pytest.mark.parametrize("path", sorted({*(one.path for one in ENDPOINTS), GATE}))
def test_a_path_is_read_as_the_web_server_reads_it(path: str) -> None:
    # nginx has rules for exact paths: what it takes for another one must not be the same here.
    path = path.replace("{id}", "abcdefghij")
    for other in (f"{path}%0A", f"{path}%0a", f"{path}/", f"/{path}"):
        for method in ("GET", "POST"):
            assert asked(method, other) in (404, 405), (method, other)
