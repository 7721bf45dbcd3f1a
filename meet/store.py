"""The box's store, etcd, through its JSON gateway: what lasts longer than this service."""

import asyncio
import base64
import hashlib
import json
import time
from typing import Any

import httpx

from meet.errors import RefusedError

ADDRESS = "http://127.0.0.1:2379"
# The store is back within a second where it was killed; whoever asks meanwhile need not notice.
PATIENCE_SECONDS = 4.0
PAUSE_SECONDS = 0.2
SHARED_SECONDS = 3600


def _coded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _decoded(text: str) -> str:
    return base64.b64decode(text).decode()


def _end(prefix: str) -> str:
    """The first key after all that begin with `prefix` (etcd's range_end)."""
    return prefix[:-1] + chr(ord(prefix[-1]) + 1)


class Store:
    """Keys and values, both text. Every method raises RefusedError("store") where etcd is away."""

    def __init__(self, address: str = ADDRESS) -> None:
        self._client = httpx.AsyncClient(base_url=address, timeout=2.0, trust_env=False)
        # The lease that `keep` gives for so many seconds, and until when it is long enough.
        self._leases: dict[int, tuple[str, float]] = {}

    async def close(self) -> None:
        """End all connections."""
        await self._client.aclose()

    async def _ask(self, path: str, content: dict[str, Any]) -> dict[str, Any]:
        deadline = asyncio.get_running_loop().time() + PATIENCE_SECONDS
        while True:
            try:
                answer = await self._client.post(path, content=json.dumps(content))
                if answer.status_code == 200:
                    found: dict[str, Any] = answer.json()
                    return found
            except (httpx.HTTPError, ValueError):
                pass
            if asyncio.get_running_loop().time() > deadline:
                raise RefusedError("store")
            await asyncio.sleep(PAUSE_SECONDS)

    async def get(self, key: str) -> str | None:
        """The value of `key`, from this box's own copy (serializable: no quorum is needed)."""
        found = await self._ask("/v3/kv/range", {"key": _coded(key), "serializable": True})
        for one in found.get("kvs", ()):
            return _decoded(one.get("value", ""))
        return None

    async def all(self, prefix: str) -> dict[str, str]:
        """All values whose key begins with `prefix`, by what stands behind it."""
        asked = {"key": _coded(prefix), "range_end": _coded(_end(prefix)), "serializable": True}
        found = await self._ask("/v3/kv/range", asked)
        pairs = ((_decoded(one["key"]), one.get("value", "")) for one in found.get("kvs", ()))
        return {key.removeprefix(prefix): _decoded(value) for key, value in pairs}

    async def count(self, prefix: str) -> int:
        """How many keys begin with `prefix`."""
        asked = {"key": _coded(prefix), "range_end": _coded(_end(prefix)), "count_only": True}
        return int((await self._ask("/v3/kv/range", asked)).get("count", 0))

    async def put(self, key: str, value: str, seconds: int | None = None) -> None:
        """Keep `value`, for `seconds` or until it is deleted."""
        await self._ask("/v3/kv/put", await self._pair(key, value, seconds))

    async def keep(self, key: str, value: str, seconds: int) -> None:
        """Keep `value` for `seconds`, or up to SHARED_SECONDS more.

        All that is kept within SHARED_SECONDS has one lease, so that this is one write and not two.
        """
        lease, until = self._leases.pop(seconds, ("", 0.0))
        if time.monotonic() >= until:
            until = time.monotonic() + SHARED_SECONDS
            lease = await self._lease(seconds + SHARED_SECONDS)
        pair = {"key": _coded(key), "value": _coded(value), "lease": lease}
        await self._ask("/v3/kv/put", pair)
        # Only one that the store knows is used again.
        self._leases[seconds] = lease, until

    async def add(self, pairs: dict[str, str], seconds: int | None = None) -> bool:
        """Keep all of `pairs` as `put` does; none, and False, where one of the keys is there."""
        absent = [{"key": _coded(key), "target": "VERSION", "version": "0"} for key in pairs]
        puts = [{"request_put": await self._pair(key, one, seconds)} for key, one in pairs.items()]
        answer = await self._ask("/v3/kv/txn", {"compare": absent, "success": puts})
        return bool(answer.get("succeeded", False))

    async def delete(self, *keys: str) -> None:
        """Forget `keys`, all at once."""
        gone = [{"request_delete_range": {"key": _coded(key)}} for key in keys]
        await self._ask("/v3/kv/txn", {"success": gone})

    async def _pair(self, key: str, value: str, seconds: int | None) -> dict[str, str]:
        pair = {"key": _coded(key), "value": _coded(value)}
        if seconds:
            pair["lease"] = await self._lease(seconds)
        return pair

    async def _lease(self, seconds: int) -> str:
        return str((await self._ask("/v3/lease/grant", {"TTL": str(seconds)}))["ID"])


def hidden(secret: str) -> str:
    """The name under which something is kept whose key is a secret of 128 bits or more."""
    return hashlib.sha256(secret.encode()).hexdigest()
