"""The browsers that guests bring: what the tests' own ones are like."""

import pytest

from tests.box.authority import make_authority
from tests.box.conftest import Town
from tests.box.firefox import firefox

pytestmark = pytest.mark.box


def test_firefox_verifies_certificates_where_it_knows_an_authority(town: Town) -> None:
    root = town.stage.folder / "own-root.pem"
    root.write_text(town.box.shell("cat /var/lib/ratssaal/tls/authority.pem"))
    with firefox(town.stage, root) as page:
        page.goto(f"https://{town.box.address}/")
        page.until("document.title.includes('Ratssaal') && navigator.mediaDevices")
    other = town.stage.folder / "other-root.pem"
    other.write_text(make_authority("Somebody else").pem())
    with (
        firefox(town.stage, other) as page,
        pytest.raises(AssertionError, match="insecure certificate"),
    ):
        page.goto(f"https://{town.box.address}/")
