"""Pebble, an ACME server for tests, on a stage; it checks names and boxes as a real one does."""

import datetime
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from builder import stack
from builder.machines.stage import GATEWAY, Stage
from builder.run import Argument
from builder.stack import Stack

LOCK = Path(__file__).parent / "pebble"
NAME = "acme.example"
DIRECTORY = f"https://{NAME}:14000/dir"


@dataclass(frozen=True)
class TestAuthority:
    """A root of its own, which signs what a test asks for."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    __test__ = False

    def pem(self) -> str:
        """The root's certificate."""
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    def sign(self, request: x509.CertificateSigningRequest) -> str:
        """A chain of one for `request`, PEM, valid for 90 days."""
        names = request.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        return self._sign(request.public_key(), request.subject, names)  # type: ignore[arg-type]

    def _sign(
        self,
        key: ec.EllipticCurvePublicKey,
        subject: x509.Name,
        names: x509.SubjectAlternativeName,
        days: float = 90,
    ) -> str:
        now = datetime.datetime.now(datetime.UTC)
        made = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.certificate.subject)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=2))
            .not_valid_after(now + datetime.timedelta(days=days))
            .add_extension(names, critical=False)
            .sign(self.key, hashes.SHA256())
        )
        return made.public_bytes(serialization.Encoding.PEM).decode()

    def pair(self, *names: str, days: float = 90) -> tuple[str, str]:
        """A certificate for `names` that ends in so many days, and its key, both PEM."""
        key = ec.generate_private_key(ec.SECP256R1())
        alternatives = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
        chain = self._sign(key.public_key(), _called(names[0]), alternatives, days)
        form = (serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        return chain, key.private_bytes(serialization.Encoding.PEM, *form).decode()


def _called(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def make_authority(name: str) -> TestAuthority:
    """A new root."""
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(_called(name))
        .issuer_name(_called(name))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=365))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    return TestAuthority(certificate, key)


@dataclass(frozen=True)
class Pebble:
    """A running ACME server: the root that vouches for its own address."""

    root: TestAuthority
    directory: str = DIRECTORY


@contextmanager
def pebble(
    stage: Stage, root: TestAuthority | None = None, resolver: str = GATEWAY
) -> Iterator[Pebble]:
    """Run Pebble on the stage's gateway until the block ends; names are looked up at `resolver`."""
    tree = stack.build(Stack("pebble", LOCK), stage.toolbox)
    root = root or make_authority("Root of the ACME server's own address")
    folder = stage.folder / "pebble"
    folder.mkdir(exist_ok=True)
    chain, key = root.pair(NAME)
    (folder / "chain.pem").write_text(chain)
    (folder / "key.pem").write_text(key)
    settings = {
        "listenAddress": f"{GATEWAY}:14000",
        "managementListenAddress": f"{GATEWAY}:15000",
        "certificate": str(folder / "chain.pem"),
        "privateKey": str(folder / "key.pem"),
        "httpPort": 80,
        "tlsPort": 443,
    }
    (folder / "config.json").write_text(json.dumps({"pebble": settings}))
    stage.name(NAME, GATEWAY)
    program = tree / "usr/lib/ratssaal/stack/pebble"
    command: list[Argument] = ["env", "PEBBLE_VA_NOSLEEP=1", "PEBBLE_WFE_NONCEREJECT=0", program]
    command += ["-config", folder / "config.json", "-dnsserver", f"{resolver}:53"]
    log = (stage.folder / "pebble.log").open("ab")
    inside = stage.toolbox.command(command, writable=[folder])
    with stage.serving(inside, GATEWAY, 14000, "Pebble did not start.", log):
        yield Pebble(root)


def issuer(stage: Stage, address: str, name: str) -> str:
    """Who has signed the certificate that is served under `name`."""
    said = stage.run(
        stage.toolbox.command(
            [
                "sh",
                "-c",
                f"openssl s_client -connect {address}:443 -servername {name} </dev/null 2>/dev/null"
                " | openssl x509 -noout -issuer",
            ]
        )
    )
    return said.strip()
