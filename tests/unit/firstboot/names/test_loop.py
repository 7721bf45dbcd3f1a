"""Whether the box reaches itself by its name, tried with real servers on loopback."""

import datetime
import json
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from firstboot.names import loop
from firstboot.names.lookup import Facts, Lookup, LoopResult
from firstboot.names.loop import reach_itself

pytestmark = pytest.mark.unit

NAME = "konferenz.rathaus.example"
VERSION = "0.1.0"
STATE = json.dumps({"ready": True, "version": VERSION}).encode()
HERE, THERE, NOBODY = "127.0.0.1", "127.0.0.2", "127.0.0.3"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for another name that nobody vouches for, and its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "ratssaal.local")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=2))
        .not_valid_after(now - datetime.timedelta(days=1))
        .public_key(key.public_key())
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "both.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    file.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    return file


class Server:
    """A web server; `asked`: the path and the Host of each request.

    names, protocols: those in each TLS hello (SNI), and taken of it (ALPN).
    """

    def __init__(self, address: str, served: Path | None, port: int = 0) -> None:
        self.status, self.body, self.endless = 200, STATE, False
        self.names: list[str | None] = []
        self.protocols: list[str | None] = []
        self.asked: list[tuple[str, str | None]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked.append((self.path, self.headers["Host"]))
                if isinstance(self.connection, ssl.SSLSocket):
                    outer.protocols.append(self.connection.selected_alpn_protocol())
                self.send_response(outer.status)
                self.end_headers()
                self.wfile.write(outer.body)
                with suppress(OSError):
                    while outer.endless:
                        self.wfile.write(b"x" * 1000)

            def log_message(self, *_: object) -> None:
                pass

        class Quiet(ThreadingHTTPServer):
            def handle_error(self, request: object, client_address: object) -> None:
                pass

        self._server = Quiet((address, port), Handler)
        self.port = self._server.server_address[1]
        if served:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(served)
            context.set_alpn_protocols(["h2", "http/1.1"])
            context.sni_callback = lambda _, name, __: self.names.append(name)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join(5)
        self._server.server_close()


@pytest.fixture
def server(served: Path) -> Iterator[Server]:
    made = Server(HERE, served)
    yield made
    made.stop()


@pytest.fixture
def public(monkeypatch: pytest.MonkeyPatch) -> None:
    """Loopback counts as any other network."""
    monkeypatch.setattr(loop, "NOWHERE", ())


def facts(*found: str, own: tuple[str, ...] = ("192.168.1.10",)) -> Facts:
    ipv4 = tuple(one for one in found if ":" not in one)
    return Facts(own, Lookup(ipv4), Lookup(tuple(one for one in found if ":" in one)))


def test_a_box_that_reaches_itself_knows_it_whatever_its_certificate(
    server: Server, public: None
) -> None:
    assert reach_itself(NAME, facts(HERE), VERSION, server.port) == "reached"
    assert server.names == [NAME]
    # Said, since a hello without it may be taken for one to the relay.
    assert server.protocols == ["http/1.1"]
    assert server.asked == [("/.well-known/ratssaal", NAME)]


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, b"<html>FRITZ!Box</html>"),
        (200, b""),
        (200, b"\xff"),
        (200, b"[]"),
        (200, b"[" * 4000),
        (200, b'{"ready": true}'),
        (200, b'{"version": "0.1.0"}'),
        (200, b'{"ready": true, "version": "0.0.9"}'),
        (302, STATE),
        (404, STATE),
    ],
)
def test_whoever_answers_otherwise_is_somebody_else(
    server: Server, public: None, status: int, body: bytes
) -> None:
    server.status, server.body = status, body
    assert reach_itself(NAME, facts(HERE), VERSION, server.port) == "other"


def test_an_answer_without_end_is_not_read_to_its_end(server: Server, public: None) -> None:
    server.endless = True
    started = time.monotonic()
    assert reach_itself(NAME, facts(HERE), VERSION, server.port) == "other"
    assert time.monotonic() - started < loop.SECONDS


def test_a_server_that_speaks_no_tls_is_somebody_else(public: None) -> None:
    plain = Server(HERE, None)
    try:
        assert reach_itself(NAME, facts(HERE), VERSION, plain.port) == "other"
    finally:
        plain.stop()


def test_a_server_that_says_nothing_costs_no_more_than_the_time_for_all(
    public: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "SECONDS", 0.5)
    started = time.monotonic()
    with socket.create_server((HERE, 0)) as one:
        port = one.getsockname()[1]
        with socket.create_server((THERE, port)):
            found = reach_itself(NAME, facts(HERE, THERE), VERSION, port)
    assert found == "timeout"
    assert 0.5 <= time.monotonic() - started < 1


def test_the_wizard_waits_three_seconds_at_most() -> None:
    assert loop.SECONDS == 3


def test_a_port_that_nobody_holds_refuses(public: None) -> None:
    with socket.create_server((HERE, 0)) as one:
        assert reach_itself(NAME, facts(NOBODY), VERSION, one.getsockname()[1]) == "refused"


@pytest.mark.parametrize(
    ("found", "own", "result"),
    [
        ((HERE, THERE), (), "other"),
        ((HERE, NOBODY), (), "refused"),
        ((HERE, NOBODY), (HERE,), "refused"),
        ((HERE, THERE), (THERE,), "reached"),
        ((HERE,), (HERE,), "reached"),
        ((HERE, "255.255.255.255"), (), "reached"),
    ],
    ids=["worst", "refused", "own untried", "own strange untried", "own alone", "no way"],
)
def test_of_several_addresses_those_count_that_are_not_the_boxs_own(
    server: Server,
    served: Path,
    public: None,
    found: tuple[str, ...],
    own: tuple[str, ...],
    result: LoopResult,
) -> None:
    stranger = Server(THERE, served, server.port)
    stranger.status = 404
    try:
        assert reach_itself(NAME, facts(*found, own=own), VERSION, server.port) == result
    finally:
        stranger.stop()


def test_without_an_address_or_a_way_there_is_nothing_to_say(server: Server) -> None:
    assert reach_itself(NAME, facts(), VERSION, server.port) is None
    # The kernel refuses to send there.
    assert reach_itself(NAME, facts("255.255.255.255"), VERSION, server.port) is None


@pytest.mark.parametrize("address", [HERE, "0.0.0.0", "::1", "::"])
def test_addresses_that_lead_here_everywhere_prove_nothing(server: Server, address: str) -> None:
    assert reach_itself(NAME, facts(address), VERSION, server.port) is None
    assert server.asked == []
