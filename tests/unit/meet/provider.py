"""A directory for tests: an OpenID provider made of authlib's server side, over TLS on loopback.

Discovery document, keys, signatures, codes and PKCE are real. A test may have it say what it should
not: `change` is called with header and claims of each ID token before it is signed.
"""

import base64
import datetime
import hashlib
import hmac
import ipaddress
import json
import secrets
import ssl
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from authlib.jose import JsonWebKey
from authlib.oauth2.rfc6749 import AuthorizationServer, OAuth2Error, OAuth2Request
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload
from authlib.oauth2.rfc6750 import BearerTokenGenerator
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oidc.core import UserInfo
from authlib.oidc.core.grants import OpenIDCode
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.x509.oid import NameOID

CLIENT, SECRET = "ratssaal", "Geheimnis-7"
BACK = "https://rathaus.example/api/staff/directory/back"
PERSON = {"sub": "4711", "name": "Kanarienvogel", "groups": ["bauamt", "sitzungsdienst"]}
SIGNING = JsonWebKey.generate_key("RSA", 2048, {"kid": "1", "use": "sig"}, is_private=True)
FOREIGN = JsonWebKey.generate_key("RSA", 2048, {"kid": "1", "use": "sig"}, is_private=True)

Claims = dict[str, Any]
Change = Callable[[Claims, Claims], None]


class Client:
    """The box, as the directory knows it (authlib's ClientMixin)."""

    id_token_signed_response_alg = "RS256"

    def __init__(self, back: str) -> None:
        self._back = back

    def get_client_id(self) -> str:
        return CLIENT

    def get_default_redirect_uri(self) -> str:
        return self._back

    def get_allowed_scope(self, scope: str) -> str:
        return scope

    def check_redirect_uri(self, uri: str) -> bool:
        return uri == self._back

    def check_client_secret(self, secret: str) -> bool:
        return secret == SECRET

    def check_endpoint_auth_method(self, method: str, _: str) -> bool:
        return method in ("client_secret_basic", "client_secret_post")

    def check_response_type(self, kind: str) -> bool:
        return kind == "code"

    def check_grant_type(self, kind: str) -> bool:
        return kind == "authorization_code"


class Request(OAuth2Request):  # type: ignore[misc]
    """A request as authlib takes it from a web server."""

    def __init__(self, method: str, uri: str, form: dict[str, str], headers: Any) -> None:
        super().__init__(method, uri, headers=headers)
        self._args = dict(parse_qsl(urlsplit(uri).query))
        self._form = form
        self.payload = BasicOAuth2Payload(form or self._args)

    @property
    def args(self) -> dict[str, str]:
        return self._args

    @property
    def form(self) -> dict[str, str]:
        return self._form


class Code(SimpleNamespace):
    """A code and what it was given for."""

    def get_redirect_uri(self) -> str:
        return str(self.redirect_uri)

    def get_scope(self) -> str:
        return str(self.scope)

    def get_nonce(self) -> str:
        return str(self.nonce)

    def get_auth_time(self) -> int:
        return int(datetime.datetime.now(datetime.UTC).timestamp())

    def get_acr(self) -> None:
        return None

    get_amr = get_acr


class Provider(AuthorizationServer):  # type: ignore[misc]
    """The directory. Whoever comes is Kanarienvogel, and is not asked for a password."""

    def __init__(self, folder: Path, address: str = "127.0.0.1", back: str = BACK) -> None:
        super().__init__()
        self.back = back
        self.codes: dict[str, Code] = {}
        self.tokens: set[str] = set()
        self.person: Claims = dict(PERSON)
        # Of the person's claims what the ID token holds; all are at the userinfo endpoint.
        self.in_token: tuple[str, ...] = ("sub", "name", "groups")
        self.description: Claims = {}
        self.change: Change = lambda header, claims: None
        self.asked: list[str] = []
        self.root, files = _certificate(folder, address)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(files)
        self._server = ThreadingHTTPServer((address, 0), _handler(self))
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.port = self._server.server_port
        self.origin = f"https://{address}:{self.port}"
        self.issuer = f"{self.origin}/realms/rathaus"
        self.register_token_generator("default", BearerTokenGenerator(_token))
        self.register_grant(_grant(self), [_openid(self), CodeChallenge(required=True)])
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    def close(self) -> None:
        """Be away."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    # --- what authlib asks of a framework

    def query_client(self, client_id: str) -> Client | None:
        return Client(self.back) if client_id == CLIENT else None

    def save_token(self, token: Claims, request: Any) -> None:
        del request
        self.tokens.add(token["access_token"])

    def create_oauth2_request(self, request: Request) -> Request:
        return request

    def handle_response(self, status: int, body: Any, headers: Any) -> tuple[int, Any, Any]:
        return status, body, headers

    def send_signal(self, *_: object, **__: object) -> None:
        return None

    # --- the pages

    def answer(self, request: Request) -> tuple[int, Any, Any]:
        """Status, body and headers for a request."""
        path = urlsplit(request.uri).path.removeprefix("/realms/rathaus")
        self.asked.append(path)
        if path == "/.well-known/openid-configuration":
            return 200, self._described(), []
        if path == "/keys":
            keys = [SIGNING.as_dict(), {"kty": "oct", "k": "AAAA"}, {"kty": "news"}]
            return 200, {"keys": keys}, []
        if path == "/authorize":
            try:
                grant = self.get_consent_grant(request, PERSON)
            except OAuth2Error as error:
                return self.handle_error_response(request, error)  # type: ignore[no-any-return]
            return self.create_authorization_response(  # type: ignore[no-any-return]
                request, grant_user=PERSON, grant=grant
            )
        if path == "/token":
            return self.create_token_response(request)  # type: ignore[no-any-return]
        if path == "/userinfo":
            known = request.headers.get("authorization", "").removeprefix("Bearer ") in self.tokens
            return (200, self.person, []) if known else (401, {}, [])
        return 404, {}, []

    def _described(self) -> Claims:
        return {
            "issuer": self.issuer,
            **{
                name: f"{self.issuer}/{place}"
                for name, place in (
                    ("authorization_endpoint", "authorize"),
                    ("token_endpoint", "token"),
                    ("jwks_uri", "keys"),
                    ("userinfo_endpoint", "userinfo"),
                )
            },
            "scopes_supported": ["openid", "profile", "groups"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic"],
            **self.description,
        }

    def signed(self, token: str) -> str:
        """An ID token as `change` wants it, with the header's own kind of signature."""
        header, claims = (_decoded(part) for part in token.split(".")[:2])
        self.change(header, claims)
        key = FOREIGN if header.pop("foreign", False) else SIGNING
        front = ".".join(_coded(json.dumps(one).encode()) for one in (header, claims))
        if header["alg"] == "none":
            return f"{front}."
        if header["alg"] == "HS256":
            made = hmac.new(SECRET.encode(), front.encode(), hashlib.sha256).digest()
        else:
            private = key.get_private_key()
            made = private.sign(front.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{front}.{_coded(made)}"


def _token(**_: object) -> str:
    return secrets.token_urlsafe(32)


def _coded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _decoded(part: str) -> Claims:
    found: Claims = json.loads(base64.urlsafe_b64decode(part + "=="))
    return found


def _grant(provider: Provider) -> type[Any]:
    class Grant(AuthorizationCodeGrant):  # type: ignore[misc]
        def save_authorization_code(self, code: str, request: Any) -> None:
            data = request.payload.data
            provider.codes[code] = Code(
                code=code,
                redirect_uri=data["redirect_uri"],
                scope=data["scope"],
                nonce=data.get("nonce"),
                code_challenge=data.get("code_challenge"),
                code_challenge_method=data.get("code_challenge_method"),
            )

        def query_authorization_code(self, code: str, client: Client) -> Code | None:
            del client
            return provider.codes.get(code)

        def delete_authorization_code(self, code: Code) -> None:
            del provider.codes[code.code]

        def authenticate_user(self, code: Code) -> Claims:
            del code
            return provider.person

    return Grant


def _openid(provider: Provider) -> OpenIDCode:
    class OpenId(OpenIDCode):  # type: ignore[misc]
        def exists_nonce(self, nonce: str, request: Any) -> bool:
            del request
            return any(one.nonce == nonce for one in provider.codes.values())

        def get_jwt_config(self, grant: Any, client: Any = None) -> Claims:
            del grant, client
            return {"key": SIGNING, "alg": "RS256", "iss": provider.issuer, "exp": 600}

        def generate_user_info(self, user: Claims, scope: str) -> UserInfo:
            del scope
            return UserInfo({key: user[key] for key in provider.in_token if key in user})

        def process_token(self, grant: Any, response: Any) -> Claims:
            token: Claims = super().process_token(grant, response)
            token["id_token"] = provider.signed(token["id_token"])
            return token

    return OpenId(require_nonce=True)


def _handler(provider: Provider) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            length = int(self.headers.get("content-length", 0))
            form = dict(parse_qsl(self.rfile.read(length).decode()))
            uri = f"{provider.origin}{self.path}"
            request = Request(self.command, uri, form, self.headers)
            status, body, headers = provider.answer(request)
            content = body if isinstance(body, str) else json.dumps(body)
            self.send_response(status)
            for name, value in headers:
                if name.lower() != "content-type":
                    self.send_header(name, value)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(content.encode())))
            self.end_headers()
            self.wfile.write(content.encode())

        do_POST = do_GET

        def log_message(self, *_: object) -> None:
            return None

    return Handler


def _certificate(folder: Path, host: str) -> tuple[str, Path]:
    """A root of the test's own (PEM), and a file with certificate and key for an address."""
    begin = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=1)
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(2)]
    names = [x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, one)]) for one in ("R", "V")]
    made = []
    for number, (key, name) in enumerate(zip(keys, names, strict=True)):
        root = number == 0
        authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(keys[0].public_key())
        builder = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(names[0])
            .serial_number(x509.random_serial_number())
            .not_valid_before(begin)
            .not_valid_after(begin + datetime.timedelta(days=3))
            .public_key(key.public_key())
            .add_extension(x509.BasicConstraints(root, None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
            .add_extension(authority, False)
            .add_extension(_usage(root), critical=True)
        )
        if not root:
            address = x509.IPAddress(ipaddress.ip_address(host))
            builder = builder.add_extension(x509.SubjectAlternativeName([address]), False)
        made.append(builder.sign(keys[0], hashes.SHA256()))
    pem = serialization.Encoding.PEM
    form = (pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file = folder / "provider.pem"
    file.write_bytes(made[1].public_bytes(pem) + keys[1].private_bytes(*form))
    return made[0].public_bytes(pem).decode(), file


def _usage(root: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not root, content_commitment=False, key_encipherment=False,
        data_encipherment=False, key_agreement=False, key_cert_sign=root, crl_sign=root,
        encipher_only=False, decipher_only=False,
    )  # fmt: skip
