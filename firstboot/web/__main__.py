"""Serves the wizard on the socket that systemd hands over, until nobody has come for a while."""

import asyncio
import os
import socket
import time
from pathlib import Path
from typing import Any

import uvicorn

from firstboot.web.agent import BoxAgent
from firstboot.web.app import application
from firstboot.web.session import Sessions

# sd_listen_fds(3): the first descriptor that is handed over.
HANDED_OVER = 3
IDLE_SECONDS = 600.0


class Watched:
    """An ASGI application that knows when somebody last came, and whether somebody is there."""

    def __init__(self, application: Any) -> None:
        self.application = application
        self.last = time.monotonic()
        self.inside = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Pass on."""
        self.inside += 1
        try:
            await self.application(scope, receive, send)
        finally:
            self.inside -= 1
            self.last = time.monotonic()


async def serve() -> None:
    """Serve until idle or told to end."""
    state = Path(os.environ["STATE_DIRECTORY"])
    watched = Watched(application(BoxAgent(), Sessions(state / "sessions.json")))
    config = uvicorn.Config(
        watched, log_level="warning", access_log=False, server_header=False, date_header=False
    )
    server = uvicorn.Server(config)

    async def leave_when_idle() -> None:
        while watched.inside or time.monotonic() - watched.last < IDLE_SECONDS:
            await asyncio.sleep(5)
        server.should_exit = True

    watching = asyncio.create_task(leave_when_idle())
    await server.serve(sockets=[socket.socket(fileno=HANDED_OVER)])
    watching.cancel()


if __name__ == "__main__":
    asyncio.run(serve())
