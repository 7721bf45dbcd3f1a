"""Where the person at the browser sits: the address from which the web server was asked."""

import ipaddress
from collections.abc import Iterable

from starlette.requests import Request

# nginx sets it, whatever a browser sends, and nobody else can reach this server's socket.
ADDRESS = "X-Real-IP"


def sits_at(request: Request) -> str:
    """The address of the browser; empty where it is not known."""
    try:
        return str(ipaddress.ip_address(request.headers.get(ADDRESS, "")))
    except ValueError:
        return ""


def inside(address: str, networks: Iterable[str]) -> bool:
    """Whether `address` is in one of `networks`, or nobody can tell; without any it is."""
    wanted = list(networks)
    if not address or not wanted:
        return True
    here = ipaddress.ip_address(address)
    try:
        return any(here in ipaddress.ip_network(one) for one in wanted)
    except ValueError:
        return True  # what is no network is for the settings' own check to refuse
