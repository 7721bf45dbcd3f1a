"""Serves the rooms on the socket that systemd hands over."""

import os
import socket
from pathlib import Path

import uvicorn
import yaml

from meet.app import application
from meet.service import Service

# sd_listen_fds(3): the first descriptor that is handed over.
HANDED_OVER = 3
OS_RELEASE = Path("/usr/lib/os-release")


def version() -> str:
    """The image's version, as os-release(5) has it."""
    for line in OS_RELEASE.read_text().splitlines():
        name, _, value = line.partition("=")
        if name == "IMAGE_VERSION":
            return value.strip('"')
    return "0"


def main() -> None:
    """Serve until told to end."""
    credentials = Path(os.environ["CREDENTIALS_DIRECTORY"])
    ((key, secret),) = yaml.safe_load((credentials / "keys.yaml").read_text()).items()
    own = (credentials / "rooms.key").read_text().strip()
    made = application(Service.of(own.encode(), key, secret), version())
    config = uvicorn.Config(
        made,
        log_level="warning",
        access_log=False,
        server_header=False,
        date_header=False,
        timeout_graceful_shutdown=1,
    )
    uvicorn.Server(config).run(sockets=[socket.socket(fileno=HANDED_OVER)])


if __name__ == "__main__":
    main()
