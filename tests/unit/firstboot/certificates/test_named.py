"""The certificate for the public name: in place as a whole, or not at all."""

import datetime
import hashlib
import ssl
import stat
import threading
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)

from firstboot.certificates.named import Named, install, read, remove
from firstboot.files import write_whole
from firstboot.texts import SaidError

pytestmark = pytest.mark.unit

NOW = datetime.datetime.now(datetime.UTC).replace(microsecond=0)


def pair(
    *names: str, days: int = 30, encryption: KeySerializationEncryption | None = None
) -> tuple[str, str]:
    """A certificate for `names` that ends in so many days, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "somebody")])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - datetime.timedelta(days=1))
        .not_valid_after(NOW + datetime.timedelta(days=days))
    )
    if names:
        alternative = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
        builder = builder.add_extension(alternative, critical=False)
    chain = builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM).decode()
    form = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption or NoEncryption())
    return chain, form.decode()


@pytest.fixture
def served(tmp_path: Path) -> Path:
    return tmp_path


def in_place(served: Path) -> tuple[str, str]:
    """What the web server would read now."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    place = served / "named"
    context.load_cert_chain(place / "fullchain.pem", place / "privkey.pem")
    return (place / "fullchain.pem").read_text(), (place / "privkey.pem").read_text()


def test_where_there_is_none_none_is_known(served: Path) -> None:
    assert read(served) is None
    remove(served)


def test_a_pair_is_put_in_place_and_read(served: Path) -> None:
    chain, key = pair("sitzung.example", "turn.sitzung.example", days=30)
    assert install(chain, key, "sitzung.example", served)
    assert in_place(served) == (chain, key)
    found = read(served)
    assert found
    assert found == Named(
        ("sitzung.example", "turn.sitzung.example"),
        "CN=somebody",
        NOW + datetime.timedelta(days=30),
        hashlib.sha256(ssl.PEM_cert_to_DER_cert(chain)).hexdigest(),
    )
    assert found.days_left(NOW) == 30
    assert found.days_left(NOW + datetime.timedelta(days=31)) == -1


def test_the_key_is_for_root_and_the_web_server_alone(served: Path) -> None:
    install(*pair("a.example"), "a.example", served)
    key = (served / "named/privkey.pem").stat()
    assert stat.S_IMODE(key.st_mode) == 0o640
    assert stat.S_IMODE((served / "named/fullchain.pem").stat().st_mode) == 0o644
    assert stat.S_IMODE((served / "named").stat().st_mode) == 0o755


def test_the_same_pair_again_changes_nothing(served: Path) -> None:
    chain, key = pair("a.example")
    assert install(chain, key, "a.example", served)
    before = (served / "named").readlink()
    assert not install(chain, key, "a.example", served)
    assert (served / "named").readlink() == before


def test_another_pair_takes_the_place_and_the_former_is_gone(served: Path) -> None:
    first, second = pair("a.example", "b.example"), pair("b.example", "a.example")
    for expected in (first, second, first):
        assert install(*expected, "a.example", served)
        assert in_place(served) == expected
    folders = [one for one in served.iterdir() if not one.is_symlink()]
    assert [one.name for one in folders] == [str((served / "named").readlink())]


def test_the_place_changes_in_one_step(served: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Power may go at any write: until the link moves, the former pair is served, then the new."""
    first, second = pair("a.example", "b.example"), pair("b.example", "a.example")
    seen = []

    def watch(path: Path, text: str, *, mode: int = 0o644, group: int | None = None) -> bool:
        done = write_whole(path, text, mode=mode, group=group)
        seen.append(in_place(served))
        return done

    install(*first, "a.example", served)
    monkeypatch.setattr("firstboot.certificates.named.write_whole", watch)
    assert install(*second, "a.example", served)
    assert seen == [first, first]
    assert in_place(served) == second


def test_whoever_looks_meanwhile_finds_a_certificate(served: Path) -> None:
    pairs = [pair("a.example"), pair("a.example")]
    install(*pairs[0], "a.example", served)
    over = threading.Event()
    missed: list[OSError] = []

    def look() -> None:
        while not over.is_set():
            try:
                (served / "named").readlink()
            except OSError as error:
                missed.append(error)

    looking = threading.Thread(target=look)
    looking.start()
    for number in range(1, 40):
        install(*pairs[number % 2], "a.example", served)
    over.set()
    looking.join()
    assert missed == []


def test_what_a_crash_left_behind_is_in_nobodys_way(served: Path) -> None:
    first, second = pair("a.example", "b.example"), pair("b.example", "a.example")
    install(*first, "a.example", served)
    (served / "named-2").mkdir()
    (served / "named-2/privkey.pem").write_text("half")
    (served / ".named").symlink_to("named-2")
    assert install(*second, "a.example", served)
    assert in_place(served) == second


@pytest.mark.parametrize("before", [True, False])
def test_a_pair_that_does_not_fit_is_refused_and_the_former_stays(
    served: Path, before: bool
) -> None:
    first, second, third = pair("a.example"), pair("a.example"), pair("a.example")
    if before:
        install(*first, "a.example", served)
    bad = [
        (second[0], third[1]),
        (second[0], ""),
        ("", second[1]),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", second[1]),
        pair("a.example", encryption=BestAvailableEncryption(b"word")),
    ]
    for chain, key in bad:
        with pytest.raises(SaidError, match=r"^rehearsal\."):
            install(chain, key, "a.example", served)
        if before:
            assert in_place(served) == first
        else:
            assert read(served) is None
    assert len(list(served.iterdir())) == (2 if before else 0)


def test_half_a_pair_is_none(served: Path) -> None:
    install(*pair("a.example"), "a.example", served)
    (served / "named/privkey.pem").unlink()
    assert read(served) is None
    install(*pair("a.example"), "a.example", served)
    (served / "named/fullchain.pem").write_text("")
    assert read(served) is None
    # And it is mended by the same way.
    chain, key = pair("a.example")
    assert install(chain, key, "a.example", served)
    assert in_place(served) == (chain, key)


def test_a_certificate_that_is_taken_away_leaves_nothing(served: Path) -> None:
    install(*pair("a.example"), "a.example", served)
    remove(served)
    assert read(served) is None
    assert list(served.iterdir()) == []


def test_a_certificate_without_alternative_names_is_for_no_name(served: Path) -> None:
    # Browsers have not looked at the common name for years (RFC 9525, section 2).
    (served / "named").mkdir()
    for file, content in zip(("fullchain.pem", "privkey.pem"), pair(), strict=True):
        (served / "named" / file).write_text(content)
    found = read(served)
    assert found
    assert found.names == ()
    assert not found.covers("somebody")


@pytest.mark.parametrize(
    ("names", "name", "fits"),
    [
        (("rat.example",), "rat.example", True),
        (("rat.example",), "turn.rat.example", False),
        (("rat.example",), "xrat.example", False),
        (("*.rat.example",), "turn.rat.example", True),
        (("*.rat.example",), "rat.example", False),
        (("*.rat.example",), "a.turn.rat.example", False),
        (("*.example", "rat.example"), "turn.rat.example", False),
        (("*",), "local", False),
        (("*.",), "local", False),
        (("RAT.example",), "rat.example", True),
        ((), "rat.example", False),
    ],
)
def test_a_wildcard_stands_for_one_label(names: tuple[str, ...], name: str, fits: bool) -> None:
    assert Named(names, "CN=x", NOW).covers(name) is fits
