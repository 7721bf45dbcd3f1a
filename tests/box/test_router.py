"""The usual town hall: a private address behind a router that forwards 443, tcp and udp."""

from collections.abc import Iterator

import pytest

from builder.artifacts import Artifacts
from builder.machines.shell import wait_for
from builder.machines.stage import Stage
from builder.toolbox import Toolbox
from tests.box.company import company, links, meet
from tests.box.meeting import NAME, House, opened
from tests.box.router import INSIDE, router

pytestmark = pytest.mark.box

MEDIA_PACKETS = 300  # one person's sound and picture make more in four seconds; attempts are fewer


@pytest.fixture(scope="module")
def house(toolbox: Toolbox, artifacts: Artifacts) -> Iterator[House]:
    """A box in use with a private address, without a lobby."""
    with Stage(toolbox, INSIDE) as stage, opened(stage, artifacts, "open") as made:
        made.sign_in()
        yield made


# Each browser is once inside and once outside.
@pytest.mark.parametrize("hairpin", [True, False], ids=["hairpin", "split-names"])
def test_somebody_inside_and_somebody_outside_meet(house: House, hairpin: bool) -> None:
    with router(house.stage, house.box.address, NAME, hairpin=hairpin) as sides:
        chromium = sides.inside if hairpin else sides.outside
        other = sides.outside if hairpin else sides.inside
        with company(house, chromium, other) as those:
            meet(those, links(house.book()))
            # Box and desk stand on one wire.
            direct = sides.direct_inside
            wait_for(lambda: direct() > MEDIA_PACKETS, 10, "Inside media do not go directly.")
            # Chromium comes by the router's forwarded port; Firefox outside takes the relay.
            if not hairpin:
                far = sides.direct_outside
                wait_for(lambda: far() > MEDIA_PACKETS, 10, "Outside media do not go directly.")
            print(f"UDP packets from outside: {sides.direct_outside()}")
