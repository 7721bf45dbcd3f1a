"""Staff: who books rooms. Signed in by root's agent, which knows the administrators' passwords.

The other way, by the house's directory (meet.directory), ends in `Sessions.begin` as well.
"""

import hmac
import secrets
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from meet.errors import RefusedError
from meet.exchange import exchange
from meet.house import House
from meet.store import Store, hidden

SOCKET = Path("/run/ratssaal-agent.sock")
PLACE = "/ratssaal/staff/"
SECONDS = 10 * 3600
COOKIE = "__Host-ratssaal-staff"
LIMIT_SECONDS = 60.0


class Proven(BaseModel):
    """Somebody whose password was right: the name as the settings have it, and what it proves.

    The settings in force say the same `proof` of this person until the password is another one.
    directory: the house's directory has vouched, and `proof` is its mark; the name is as it says.
    """

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    name: str
    proof: str
    directory: bool = False


async def check(name: str, password: str, totp: str, socket: Path = SOCKET) -> Proven:
    """Who that is, where password and digits are right; else RefusedError."""
    asked = {"verb": "check", "name": name, "password": password, "totp": totp}
    try:
        reply = await exchange(asked, socket, LIMIT_SECONDS)
    except (OSError, TimeoutError, ValueError) as error:
        raise RefusedError("busy") from error
    if "ok" not in reply:
        raise RefusedError("sign_in_wrong")
    return Proven.model_validate(reply["ok"])


class Sessions:
    """Who is signed in, by a random token in a cookie. The store has its hash, for ten hours."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def begin(self, who: Proven) -> str:
        """A token for `who`: 256 random bits."""
        token = secrets.token_urlsafe(32)
        await self._store.put(PLACE + hidden(token), who.model_dump_json(), SECONDS)
        return token

    async def find(self, token: str, house: House) -> str | None:
        """Who is signed in with `token`.

        Nobody who is no longer named in the settings, or has another password than at the sign-in;
        nor whom a directory has vouched for that is no longer the house's.
        """
        if not token or len(token) > 100:
            return None
        text = await self._store.get(PLACE + hidden(token))
        if text is None:
            return None
        try:
            who = Proven.model_validate_json(text)
        except ValidationError:
            return None
        if who.directory:
            proof = house.directory.mark if house.directory else ""
        else:
            proof = house.staff.get(who.name.casefold(), "")
        # Settings of an earlier version prove nothing of anybody.
        return who.name if proof and hmac.compare_digest(proof, who.proof) else None

    async def end(self, token: str) -> None:
        """This token is worth nothing from now on."""
        if token and len(token) <= 100:
            await self._store.delete(PLACE + hidden(token))
