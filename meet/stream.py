"""Event streams (text/event-stream of the HTML standard) that a slow or lost reader cannot hold."""

import json
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator

from pydantic import BaseModel

from meet.errors import RefusedError

MOST = 2000
MOST_OF_ONE = 4


class Streams:
    """Counts the open streams, of all and of each who reads."""

    def __init__(self) -> None:
        self._open: Counter[str] = Counter()

    async def read(
        self, reader: str, name: str, content: AsyncIterator[BaseModel | None]
    ) -> AsyncGenerator[bytes, None]:
        """`content` as events called `name`, for `reader`; None becomes a comment.

        Nothing is made in store: the next event is looked for once the one before was taken.
        """
        self._open[reader] += 1
        try:
            async for one in content:
                if one is None:
                    yield b": still here\n\n"
                else:
                    data = one.model_dump_json(exclude_none=True)
                    yield f"event: {name}\ndata: {data}\n\n".encode()
        except RefusedError as error:
            said = json.dumps({"error": error.key, **error.values})
            yield f"event: error\ndata: {said}\n\n".encode()
        finally:
            self._open[reader] -= 1
            self._open += Counter()  # forgets who reads nothing any more
            if isinstance(content, AsyncGenerator):
                await content.aclose()

    def allow(self, reader: str) -> None:
        """RefusedError where too many streams are open."""
        if self._open[reader] >= MOST_OF_ONE or self._open.total() >= MOST:
            raise RefusedError("busy")
