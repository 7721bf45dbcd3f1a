"""The wizard's pages: who gets in, in which order, and what is kept."""

import pytest

from tests.unit.firstboot.web.conftest import Clerk

pytestmark = pytest.mark.unit


def test_without_the_code_there_is_no_step(clerk: Clerk) -> None:
    assert "Willkommen" in clerk.get("/setup/network").text
    assert "draft" not in clerk.asked


def test_the_code_opens_the_first_step(clerk: Clerk) -> None:
    clerk.open_with_code()
    assert "<h1" in clerk.page
    assert "Netzwerk" in clerk.page
