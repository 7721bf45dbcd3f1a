"""The house whose meetings these are: the settings in force, as the store has them."""

import hashlib
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from firstboot.settings import House as Look
from firstboot.settings import Meetings, Texts
from meet.errors import RefusedError
from meet.policy import BEFORE_SET_UP, Policy
from meet.store import Store

PLACE = "/ratssaal/settings"
NAMES = Path("/etc/ratssaal.json")
FRESH_SECONDS = 2.0


class Directory(BaseModel):
    """The directory by which staff may sign in.

    button: words on the page, empty for the page's own; mark: changes with what it is asked for, so
    that whoever it vouched for before has to sign in anew.
    """

    model_config = ConfigDict(frozen=True)

    button: str
    mark: str

    @staticmethod
    def of(openid: Mapping[str, Any]) -> "Directory":
        """The directory of the settings, which the store has without its secret."""
        counts = {key: openid.get(key) for key in ("issuer", "client_id", "claim", "value")}
        text = json.dumps(counts, sort_keys=True)
        mark = hashlib.sha256(text.encode()).hexdigest()
        return Directory(button=str(openid.get("button", "")), mark=mark)


class House(BaseModel):
    """What the service takes from the settings."""

    model_config = ConfigDict(frozen=True)

    tenant: str
    look: Look = Look()
    texts: Texts = Texts()
    policy: Policy = BEFORE_SET_UP
    # Those who may sign in, by their names in small letters, with what their passwords prove.
    staff: dict[str, str] = {}
    directory: Directory | None = None

    @staticmethod
    def of(tenant: str, shared: Mapping[str, Any] | None) -> "House":
        """The house that the settings' shared part describes; without one, a box before set-up.

        Parts that this version does not know are no reason to close the house.
        """
        if shared is None:
            return House(tenant=tenant)
        texts = Texts.model_validate(shared.get("texts", {}))
        meetings = Meetings.model_validate(shared.get("meetings", {}))
        administration = shared.get("administration", {})
        people, openid = administration.get("people", ()), administration.get("openid")
        return House(
            tenant=tenant,
            look=Look.model_validate(shared.get("house", {})),
            texts=texts,
            policy=Policy.of(meetings, notice=texts.notice[:2000]),
            staff={str(one["name"]).casefold(): str(one.get("proof", "")) for one in people},
            directory=Directory.of(openid) if openid else None,
        )


class Houses:
    """The house, read anew where what is known is older than two seconds."""

    def __init__(self, store: Store, names: Path = NAMES) -> None:
        self._store = store
        self._names = names
        self._known: House | None = None
        self._read = 0.0

    async def get(self) -> House:
        """The house as its settings are now; while the store is away, as they were last.

        Raises RefusedError where the store has never answered.
        """
        if self._known and time.monotonic() - self._read < FRESH_SECONDS:
            return self._known
        try:
            found = await self._store.get(PLACE)
        except RefusedError:
            if self._known:
                return self._known
            raise
        tenant = str(json.loads(self._names.read_text())["host_name"])
        self._known = House.of(tenant, json.loads(found) if found else None)
        self._read = time.monotonic()
        return self._known
