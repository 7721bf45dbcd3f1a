"""The box's own certificate authority and the certificate that browsers are shown."""

import datetime
import grp
import ipaddress
import os
import stat
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from firstboot.certificates.own import ensure_leaf, open_authority

pytestmark = pytest.mark.unit

NAMES = ["ratssaal.local", "turn.ratssaal.local"]
ADDRESSES = ["192.0.2.10", "2001:db8:1::10"]


class Box:
    """Where a box keeps its secrets and what it serves."""

    def __init__(self, folder: Path) -> None:
        self.secrets, self.served = folder / "secrets", folder / "tls"
        self.secrets.mkdir()
        self.served.mkdir()
        self.owner = open_authority(self.secrets, self.served)

    def ensure(self, names: list[str] = NAMES, addresses: list[str] = ADDRESSES) -> bool:
        return ensure_leaf(self.owner, names, addresses, self.served)

    def authority(self) -> x509.Certificate:
        return x509.load_pem_x509_certificate((self.served / "authority.pem").read_bytes())

    def chain(self) -> list[x509.Certificate]:
        return x509.load_pem_x509_certificates((self.served / "fullchain.pem").read_bytes())

    def verify(self, subject: x509.DNSName | x509.IPAddress) -> None:
        """Check the served chain as a browser does that trusts the box's authority."""
        leaf, *others = self.chain()
        policy = PolicyBuilder().store(Store([self.authority()]))
        policy.build_server_verifier(subject).verify(leaf, others)

    def key_fits(self) -> bool:
        """Whether nginx would take private key and certificate together."""
        pem = (self.served / "privkey.pem").read_bytes()
        key = serialization.load_pem_private_key(pem, password=None)
        return key.public_key() == self.chain()[0].public_key()

    def serve_one_that_ends_in(self, days: int, begins: int = -1) -> None:
        """Put a certificate of the box's authority in place that lives from then till then."""
        pem = (self.secrets / "authority.key").read_bytes()
        signer = serialization.load_pem_private_key(pem, password=None)
        assert isinstance(signer, ec.EllipticCurvePrivateKey)
        alternatives: list[x509.GeneralName] = [x509.DNSName(name) for name in NAMES]
        alternatives += [x509.IPAddress(ipaddress.ip_address(one)) for one in ADDRESSES]
        now = datetime.datetime.now(datetime.UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(self.chain()[0].subject)
            .issuer_name(self.authority().subject)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + datetime.timedelta(days=begins))
            .not_valid_after(now + datetime.timedelta(days=days))
            .public_key(self.chain()[0].public_key())
            .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
            .sign(signer, hashes.SHA256())
        )
        (self.served / "fullchain.pem").write_bytes(
            certificate.public_bytes(serialization.Encoding.PEM)
        )


@pytest.fixture
def box(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Box:
    """A box after its first start, before it knows any address."""
    try:
        grp.getgrnam("www-data")
    except KeyError:
        group = grp.struct_group(("www-data", "x", os.getegid(), []))
        monkeypatch.setattr(grp, "getgrnam", lambda _: group)
    if os.geteuid() != 0:
        monkeypatch.setattr(os, "fchown", lambda *_: None)
    return Box(tmp_path)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_browsers_that_trust_the_box_accept_every_name_and_address(box: Box) -> None:
    assert box.ensure()
    for name in NAMES:
        box.verify(x509.DNSName(name))
    for address in ADDRESSES:
        box.verify(x509.IPAddress(ipaddress.ip_address(address)))


def test_the_certificate_is_for_no_other_name_or_address(box: Box) -> None:
    box.ensure()
    with pytest.raises(VerificationError):
        box.verify(x509.DNSName("bank.example"))
    with pytest.raises(VerificationError):
        box.verify(x509.IPAddress(ipaddress.ip_address("192.0.2.11")))


def test_a_box_without_a_network_has_a_certificate_for_its_names(box: Box) -> None:
    assert box.ensure(addresses=[])
    box.verify(x509.DNSName(NAMES[0]))


def test_another_box_is_not_trusted(box: Box, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = Box(tmp_path / "other")
    box.ensure()
    leaf, *others = box.chain()
    verifier = PolicyBuilder().store(Store([other.authority()]))
    with pytest.raises(VerificationError):
        verifier.build_server_verifier(x509.DNSName(NAMES[0])).verify(leaf, others)


def test_the_authority_signs_certificates_alone_and_no_further_authority(box: Box) -> None:
    extensions = box.authority().extensions
    basic = extensions.get_extension_for_class(x509.BasicConstraints)
    assert basic.critical
    assert basic.value.ca
    assert basic.value.path_length == 0
    usage = extensions.get_extension_for_class(x509.KeyUsage)
    assert usage.critical
    assert usage.value.key_cert_sign
    assert not usage.value.digital_signature


def test_the_served_certificate_is_no_authority_and_for_servers_alone(box: Box) -> None:
    box.ensure()
    extensions = box.chain()[0].extensions
    assert not extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    uses = extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(uses) == [x509.oid.ExtendedKeyUsageOID.SERVER_AUTH]


def test_the_certificate_lives_no_longer_than_browsers_allow(box: Box) -> None:
    box.ensure()
    leaf = box.chain()[0]
    assert leaf.not_valid_after_utc - leaf.not_valid_before_utc <= datetime.timedelta(days=397)


def test_certificates_are_valid_although_the_guests_clock_is_a_little_behind(box: Box) -> None:
    box.ensure()
    behind = datetime.datetime.now(datetime.UTC) - datetime.timedelta(hours=12)
    for certificate in (box.chain()[0], box.authority()):
        assert certificate.not_valid_before_utc < behind


def test_nothing_is_made_anew_where_nothing_changed(box: Box) -> None:
    assert box.ensure()
    before = {path.name: path.read_bytes() for path in box.served.iterdir()}
    assert not box.ensure()
    assert not box.ensure(addresses=ADDRESSES[:1])
    assert {path.name: path.read_bytes() for path in box.served.iterdir()} == before


@pytest.mark.parametrize(
    ("names", "addresses"),
    [(NAMES, [*ADDRESSES, "198.51.100.20"]), (["rathaus.example", *NAMES], ADDRESSES)],
    ids=["address", "name"],
)
def test_a_new_address_or_name_gets_a_new_certificate(
    box: Box, names: list[str], addresses: list[str]
) -> None:
    box.ensure()
    before = box.chain()[0]
    assert box.ensure(names, addresses)
    after = box.chain()[0]
    assert after.serial_number != before.serial_number
    assert after.public_key() != before.public_key()
    assert box.key_fits()
    for name in names:
        box.verify(x509.DNSName(name))
    for address in addresses:
        box.verify(x509.IPAddress(ipaddress.ip_address(address)))


@pytest.mark.parametrize(("days", "renewed"), [(29, True), (60, False)])
def test_a_certificate_is_renewed_a_month_before_it_ends(
    box: Box, days: int, renewed: bool
) -> None:
    box.ensure()
    box.serve_one_that_ends_in(days)
    assert box.ensure() is renewed
    assert len(box.chain()) == (2 if renewed else 1)


def test_one_that_was_made_while_the_clock_was_ahead_is_replaced(box: Box) -> None:
    box.ensure()
    box.serve_one_that_ends_in(700, begins=300)
    assert box.ensure()
    box.verify(x509.DNSName(NAMES[0]))


def test_private_keys_are_readable_by_root_and_the_web_server_alone(box: Box) -> None:
    box.ensure()
    assert mode(box.secrets / "authority.key") == 0o600
    key = box.served / "privkey.pem"
    assert mode(key) == 0o640
    if os.geteuid() == 0:
        assert (key.stat().st_uid, key.stat().st_gid) == (0, grp.getgrnam("www-data").gr_gid)
    for public in ("authority.pem", "fullchain.pem"):
        text = (box.served / public).read_text()
        assert "BEGIN CERTIFICATE" in text
        assert "PRIVATE" not in text


def test_private_key_and_certificate_fit(box: Box) -> None:
    box.ensure()
    assert box.key_fits()


def test_a_power_cut_between_key_and_certificate_is_made_good(box: Box) -> None:
    box.ensure()
    chain = (box.served / "fullchain.pem").read_bytes()
    box.ensure(addresses=[*ADDRESSES, "198.51.100.20"])
    (box.served / "fullchain.pem").write_bytes(chain)
    assert not box.key_fits()
    box.ensure()
    assert box.key_fits()


def test_a_lost_private_key_is_made_good(box: Box) -> None:
    box.ensure()
    (box.served / "privkey.pem").unlink()
    assert box.ensure()
    assert box.key_fits()


@pytest.mark.parametrize("spoiled", ["fullchain.pem", "privkey.pem"])
def test_what_a_bad_disk_left_is_made_anew(box: Box, spoiled: str) -> None:
    box.ensure()
    (box.served / spoiled).write_bytes(b"-----BEGIN CERTIFICATE-----\n\xff\xff")
    assert box.ensure()
    assert box.key_fits()


def test_a_host_name_as_long_as_the_settings_allow_gets_a_certificate(box: Box) -> None:
    name = ".".join(["videokonferenz", *["verwaltungsgemeinschaft"] * 3, "example"])
    assert 64 < len(name) <= 253
    assert box.ensure([name, f"turn.{name}"])
    box.verify(x509.DNSName(name))


def test_a_whole_authority_is_kept(tmp_path: Path) -> None:
    open_authority(tmp_path, tmp_path)
    before = (tmp_path / "authority.pem").read_bytes(), (tmp_path / "authority.key").read_bytes()
    open_authority(tmp_path, tmp_path)
    after = (tmp_path / "authority.pem").read_bytes(), (tmp_path / "authority.key").read_bytes()
    assert after == before


@pytest.mark.parametrize("lost", ["authority.pem", "authority.key"])
def test_half_an_authority_is_made_anew_with_what_it_signs(tmp_path: Path, lost: str) -> None:
    open_authority(tmp_path, tmp_path)
    (tmp_path / lost).write_bytes(b"")
    (tmp_path / "fullchain.pem").write_text("signed by the lost one")
    open_authority(tmp_path, tmp_path)
    assert (tmp_path / "authority.pem").stat().st_size > 0
    assert (tmp_path / "authority.key").stat().st_mode & 0o777 == 0o600
    assert not (tmp_path / "fullchain.pem").exists()
