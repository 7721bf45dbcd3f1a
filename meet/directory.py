"""Signing in by the house's directory, as the browser goes through it: there, and back again."""

import asyncio
import secrets
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge

from meet.errors import STATUS, RefusedError
from meet.exchange import exchange
from meet.house import Directory, House
from meet.names import NAME_MOST, shown
from meet.signed import Errand, Signer, now

SOCKET = Path("/run/ratssaal-openid.sock")
BEGIN = "/api/staff/directory"
BACK = "/api/staff/directory/back"
COOKIE = "__Host-ratssaal-directory"
SECONDS = 600
LIMIT_SECONDS = 30.0
FRESH_SECONDS = 600.0
# At the same time; each costs a program that is started, and questions to the directory.
MOST = 4
MOST_CHARACTERS = 4000


class Directories:
    """The way to the directory and back. What must not be forged lies in the browser, signed."""

    def __init__(self, signer: Signer, socket: Path = SOCKET) -> None:
        self._signer = signer
        self._socket = socket
        self._asking = asyncio.Semaphore(MOST)
        # Where people sign in, by the directory's mark, and until when that is believed.
        self._known: dict[str, tuple[float, dict[str, str]]] = {}

    async def begin(self, house: House) -> tuple[str, str]:
        """Where the browser goes, and the content of its cookie, good for ten minutes.

        State, nonce and the verifier of PKCE (RFC 7636) have 256 random bits each. RefusedError
        where the house has no directory, or that one is away.
        """
        directory = _directory(house)
        where = await self._where(directory.mark)
        errand = Errand(
            state=secrets.token_urlsafe(32),
            nonce=secrets.token_urlsafe(32),
            verifier=secrets.token_urlsafe(32),
            mark=directory.mark,
            exp=now() + SECONDS,
        )
        address: str = prepare_grant_uri(
            where["address"],
            where["client_id"],
            "code",
            redirect_uri=_way_back(house),
            scope=where["scope"],
            state=errand.state,
            nonce=errand.nonce,
            code_challenge=create_s256_code_challenge(errand.verifier),
            code_challenge_method="S256",
        )
        return address, self._signer.sign(errand)

    async def finish(self, house: House, cookie: str, answer: Mapping[str, str]) -> str:
        """The name of who came back, by the directory's `answer` in the address.

        Raises RefusedError; `directory_again` where this browser did not begin it just now.
        """
        directory = _directory(house)
        try:
            errand = self._signer.read(Errand, cookie)
        except RefusedError as error:
            raise RefusedError("directory_again") from error
        same = secrets.compare_digest(errand.state.encode(), answer.get("state", "").encode())
        if not same or errand.mark != directory.mark:
            raise RefusedError("directory_again")
        code = answer.get("code", "")
        if "error" in answer or not code or len(code) > MOST_CHARACTERS:
            raise RefusedError("directory_denied")
        asked = {
            "verb": "who",
            "code": code,
            "verifier": errand.verifier,
            "nonce": errand.nonce,
            "back": _way_back(house),
            "issuer": answer.get("iss"),
        }
        found = await self._ask(asked)
        return shown(str(found["name"])[:NAME_MOST])

    async def _where(self, mark: str) -> dict[str, str]:
        until, where = self._known.get(mark, (0.0, {}))
        if until < time.monotonic():
            where = await self._ask({"verb": "where"})
            self._known = {mark: (time.monotonic() + FRESH_SECONDS, where)}
        return where

    async def _ask(self, asked: dict[str, Any]) -> dict[str, Any]:
        """One question to the unit that reaches the directory."""
        if self._asking.locked():
            raise RefusedError("busy")
        async with self._asking:
            try:
                reply = await exchange(asked, self._socket, LIMIT_SECONDS)
            except (OSError, TimeoutError, ValueError) as error:
                raise RefusedError("directory_away") from error
        if "ok" not in reply:
            key = str(reply.get("refused"))
            raise RefusedError(key if key in STATUS else "directory_away")
        found: dict[str, Any] = reply["ok"]
        return found


def _way_back(house: House) -> str:
    """Where the directory sends people, once as the question and once as its proof.

    RFC 6749, section 4.1.3: both have to be the same.
    """
    return f"https://{house.tenant}{BACK}"


def _directory(house: House) -> Directory:
    if house.directory is None:
        raise RefusedError("no_directory")
    return house.directory
