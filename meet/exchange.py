"""One line of JSON to a unit of the box and one back: how the service asks what it may not do."""

import asyncio
import json
from pathlib import Path
from typing import Any


async def exchange(asked: dict[str, Any], socket: Path, seconds: float) -> dict[str, Any]:
    """The answer to `asked`. Raises OSError, TimeoutError or ValueError where none comes whole."""
    line = await asyncio.wait_for(_lines(json.dumps(asked).encode(), socket), seconds)
    found = json.loads(line)
    if not isinstance(found, dict):
        raise ValueError("The answer is no object.")
    return found


async def _lines(line: bytes, socket: Path) -> bytes:
    reader, writer = await asyncio.open_unix_connection(socket)
    try:
        writer.write(line + b"\n")
        await writer.drain()
        return await reader.readline()
    finally:
        writer.close()
