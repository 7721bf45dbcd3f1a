"""Asks the house's directory who somebody is: OpenID Connect Core 1.0, authorization code flow.

`python3 -m meet.openid` answers one question of the rooms service, a line of JSON, with another. It
runs as a unit of its own, which alone knows the client's secret and alone reaches the directory;
the rooms service itself reaches nobody. authlib does what the protocol asks: code, PKCE, signature
and claims. Nothing of a person is written down, only the kind of what went wrong.
"""

import json
import os
import re
import ssl
import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import httpx
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.httpx_client import OAuth2Client
from authlib.jose import JsonWebKey, JsonWebToken
from authlib.jose.errors import InvalidClaimError
from authlib.oidc.core import CodeIDToken
from pydantic import BaseModel, Field, StringConstraints, TypeAdapter, ValidationError

from firstboot.settings import OpenId
from meet.errors import RefusedError

CREDENTIAL = "openid.json"
DISCOVERY = "/.well-known/openid-configuration"
# By keys that the directory publishes; neither none nor the client's secret (RFC 8725, 3.1).
ALGORITHMS = (
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA",
)  # fmt: skip
KINDS = ("RSA", "EC", "OKP")
TIMEOUT = httpx.Timeout(5.0)  # seconds, for each step of a request
LEEWAY_SECONDS = 60
# Signs that client and directory may encode differently in HTTP Basic (RFC 6749, section 2.3.1).
PLAIN = re.compile(r"[A-Za-z0-9._~-]+")
MOST_CHARACTERS = 32_000

# RFC 6749, section 5.2.
TOKEN_ERRORS = (
    "invalid_request", "invalid_client", "invalid_grant", "unauthorized_client",
    "unsupported_grant_type", "invalid_scope",
)  # fmt: skip
# What an answer can raise that is none.
UNREADABLE = (ValueError, TypeError, KeyError, AttributeError)

Https = Annotated[str, StringConstraints(max_length=2000, pattern=r"^https://")]
Text = Annotated[str, StringConstraints(max_length=4000)]


class Known(BaseModel):
    """What the settings say of the way to the directory; see firstboot.openid."""

    directory: OpenId
    proxy: str | None = None
    proxy_authority: str | None = None


class Provider(BaseModel):
    """What of a directory's description counts here (OpenID Connect Discovery 1.0, section 3)."""

    issuer: str
    authorization_endpoint: Https
    token_endpoint: Https
    jwks_uri: Https
    userinfo_endpoint: Https | None = None
    scopes_supported: list[str] = Field(default_factory=list)
    token_endpoint_auth_methods_supported: list[str] = ["client_secret_basic"]
    # RFC 9207, section 3.
    authorization_response_iss_parameter_supported: bool = False


class WhereAsked(BaseModel):
    """Where people sign in."""

    verb: Literal["where"]


class Where(BaseModel):
    """Where people sign in, and what the box asks for there."""

    address: str
    client_id: str
    scope: str


class WhoAsked(BaseModel):
    """Who it is that came back with `code`; `issuer`: the answer's own `iss` (RFC 9207)."""

    verb: Literal["who"]
    code: Text
    verifier: Text
    nonce: Text
    back: Text
    issuer: Text | None = None


class Who(BaseModel):
    """Somebody who may book rooms."""

    name: str


ASKED: TypeAdapter[WhereAsked | WhoAsked] = TypeAdapter(
    Annotated[WhereAsked | WhoAsked, Field(discriminator="verb")]
)


class Directory:
    """The directory of one house. All raise RefusedError: `directory_away` or `directory_wrong`."""

    def __init__(self, known: Known) -> None:
        self._own = known.directory
        trust = ssl.create_default_context()
        for pem in (known.directory.authority, known.proxy_authority):
            if pem:
                trust.load_verify_locations(cadata=pem)
        through = trust if (known.proxy or "").startswith("https:") else None
        proxy = httpx.Proxy(known.proxy, ssl_context=through) if known.proxy else None
        self._client = OAuth2Client(
            client_id=known.directory.client_id,
            client_secret=known.directory.client_secret,
            leeway=0,
            verify=trust,
            proxy=proxy,
            timeout=TIMEOUT,
            trust_env=False,
        )

    def where(self) -> Where:
        """Where people sign in."""
        provider, own = self._provider(), self._own
        scopes = ["openid", "profile"]
        # Some directories tell groups or roles only where they are asked for by this name.
        if own.claim in provider.scopes_supported:
            scopes.append(str(own.claim))
        return Where(
            address=provider.authorization_endpoint,
            client_id=own.client_id,
            scope=" ".join(dict.fromkeys(scopes)),
        )

    def who(self, asked: WhoAsked) -> Who:
        """Who came back; RefusedError("directory_person") for who may not book."""
        provider = self._provider()
        told = asked.issuer
        if told is None and provider.authorization_response_iss_parameter_supported:
            raise _wrong("no iss in the answer")
        if told is not None and told != provider.issuer:
            raise _wrong("iss of the answer")
        token = self._token(provider, asked)
        claims = self._claims(provider, token, asked.nonce)
        needed = [self._own.claim] if self._own.claim else []
        if not all(claims.get(one) for one in ("name", *needed)):
            claims = {**self._more(provider, claims["sub"]), **claims}
        if self._own.claim and not carries(claims.get(self._own.claim), self._own.value or ""):
            raise RefusedError("directory_person")
        names = (claims.get(one) for one in ("name", "preferred_username", "sub"))
        return Who(name=next(one for one in names if isinstance(one, str) and one.strip()))

    def _provider(self) -> Provider:
        address = self._own.issuer.rstrip("/") + DISCOVERY
        found = Provider.model_validate(self._read(address))
        # Letter by letter (OpenID Connect Discovery 1.0, section 4.3).
        if found.issuer != self._own.issuer:
            raise _wrong("issuer")
        return found

    def _read(self, address: str) -> Any:
        answer = self._client.request("GET", address, withhold_token=True)
        answer.raise_for_status()
        return answer.json()

    def _token(self, provider: Provider, asked: WhoAsked) -> dict[str, Any]:
        """The answer to the code, which the directory takes once (RFC 6749, section 4.1.2)."""
        methods = set(provider.token_endpoint_auth_methods_supported)
        plain = PLAIN.fullmatch(self._own.client_id + self._own.client_secret)
        wanted = "client_secret_basic" if plain else "client_secret_post"
        if wanted not in methods:
            wanted = "client_secret_post" if plain else "client_secret_basic"
        self._client.token_endpoint_auth_method = wanted
        token: dict[str, Any] = self._client.fetch_token(
            provider.token_endpoint,
            grant_type="authorization_code",
            code=asked.code,
            redirect_uri=asked.back,
            code_verifier=asked.verifier,
        )
        return token

    def _claims(self, provider: Provider, token: dict[str, Any], nonce: str) -> dict[str, Any]:
        """What the ID token says, once it is proven (OpenID Connect Core 1.0, section 3.1.3.7)."""
        text = token.get("id_token")
        if not isinstance(text, str) or len(text) > MOST_CHARACTERS or text.count(".") != 2:
            raise _wrong("no ID token")
        listed = self._read(provider.jwks_uri)["keys"]
        usable = [one for one in listed if one.get("kty") in KINDS and one.get("use") != "enc"]
        claims = JsonWebToken(list(ALGORITHMS)).decode(
            text,
            JsonWebKey.import_key_set({"keys": usable}),
            claims_cls=CodeIDToken,
            claims_options={
                "iss": {"essential": True, "value": provider.issuer},
                "aud": {"essential": True, "value": self._own.client_id},
                "sub": {"essential": True},
            },
            claims_params={
                "nonce": nonce,
                "client_id": self._own.client_id,
                "access_token": token.get("access_token"),
            },
        )
        # Extensions that have to be understood (RFC 7515, 4.1.11); authlib 1.6.0 lets them pass.
        if "crit" in claims.header:
            raise _wrong("crit")
        claims.validate(leeway=LEEWAY_SECONDS)
        return dict(claims)

    def _more(self, provider: Provider, subject: object) -> dict[str, Any]:
        """What the directory says of the same person beside the ID token (Core 1.0, 5.3)."""
        if provider.userinfo_endpoint is None:
            return {}
        answer = self._client.request("GET", provider.userinfo_endpoint)
        answer.raise_for_status()
        found = answer.json()
        if not isinstance(found, dict) or found.get("sub") != subject:
            raise _wrong("sub")
        return found


def carries(found: object, value: str) -> bool:
    """Whether a claim says `value`: as its one text, or as one entry of its list."""
    return value in found if isinstance(found, list) else found == value


def _wrong(what: str) -> RefusedError:
    """An answer that proves nothing; `what` is a word of ours, for the journal."""
    print(f"<4>directory: {what}", file=sys.stderr)  # noqa: T201
    return RefusedError("directory_wrong")


def _kind(error: Exception) -> str:
    """What kind of error it is, with a claim's name or the directory's word for it where known."""
    more = getattr(error, "claim_name", None) or getattr(error, "error", None)
    known = more in TOKEN_ERRORS or isinstance(error, InvalidClaimError)
    return f"{type(error).__name__} {more}" if known else type(error).__name__


def answer(line: bytes, known: Known) -> dict[str, Any]:
    """The answer to one question: `ok` with the result, or `refused`, a word of meet.errors."""
    try:
        asked, directory = ASKED.validate_json(line), Directory(known)
        found = directory.where() if isinstance(asked, WhereAsked) else directory.who(asked)
        return {"ok": found.model_dump()}
    except RefusedError as error:
        return {"refused": error.key}
    except httpx.HTTPStatusError as error:
        away = error.response.status_code >= 500
        _wrong(f"status {error.response.status_code}")
        return {"refused": "directory_away" if away else "directory_wrong"}
    except httpx.HTTPError as error:
        _wrong(type(error).__name__)
        return {"refused": "directory_away"}
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        return {"refused": _wrong(f"description {first['type']}").key}
    except (AuthlibBaseError, httpx.InvalidURL, OSError, *UNREADABLE) as error:
        return {"refused": _wrong(_kind(error)).key}


def main() -> None:
    """Answer the one question on standard input."""
    file = Path(os.environ["CREDENTIALS_DIRECTORY"]) / CREDENTIAL
    known = Known.model_validate_json(file.read_bytes())
    line = sys.stdin.buffer.readline(MOST_CHARACTERS)
    sys.stdout.write(json.dumps(answer(line, known)) + "\n")


if __name__ == "__main__":
    main()
