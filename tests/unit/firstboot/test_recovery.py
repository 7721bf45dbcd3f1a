"""The recovery key: who sees it, until when, and what the district gets of it."""

import base64
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pydantic import ValidationError

from firstboot import recovery
from firstboot.access import code
from firstboot.settings import Settings
from firstboot.texts import SaidError
from tests.unit.firstboot.folders import PASSWORD, Box
from tests.unit.firstboot.test_agent import REFUSED, settings, signed_in

pytestmark = pytest.mark.unit

GROUPS = [
    "cbdefghi", "jklnrtuv", "vutrnlkj", "ihgfedbc", "cccccccc", "bbbbbbbb", "hhhhhhhh", "tuvbcdef",
]  # fmt: skip
KEY = "-".join(GROUPS)
NO_PROOF = {"password": "", "totp": ""}


@pytest.fixture
def box(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Box:
    """A box whose initrd has kept a key."""
    made = Box(tmp_path, monkeypatch)
    (made.store.secrets / "recovery-key").write_text(KEY)
    return made


def public(key: Any) -> str:
    form = PublicFormat.SubjectPublicKeyInfo
    return str(key.public_key().public_bytes(Encoding.PEM, form).decode())


def test_a_clerk_sees_the_key_until_its_last_group_was_typed(box: Box) -> None:
    permit = box.ask("code", typed=box.code())
    for _ in range(2):
        assert box.ask("recovery", permit=permit, **NO_PROOF) == KEY
    for wrong in ("", GROUPS[0], KEY, "tuvbcdeg"):
        with pytest.raises(SaidError, match=r"recovery\.wrong_group"):
            box.ask("recovery-confirm", permit=permit, typed=wrong)
        assert box.ask("state", permit=permit)["recovery"] == "unconfirmed"
    box.ask("recovery-confirm", permit=permit, typed=" TUVBCDEF ")
    assert box.ask("state", permit=permit)["recovery"] == "confirmed"
    with pytest.raises(SaidError, match=r"recovery\.seen"):
        box.ask("recovery", permit=permit, **NO_PROOF)


def test_an_administrator_sees_it_by_the_password_alone(box: Box) -> None:
    clerk = box.ask("code", typed=box.code())
    box.set_up(settings())
    permit = signed_in(box)
    for password in ("", "falsch"):
        with pytest.raises(SaidError, match=r"admin\.sign_in_wrong"):
            box.ask("recovery", permit=permit, password=password, totp="")
    assert box.ask("recovery", permit=permit, password=PASSWORD, totp="") == KEY
    with pytest.raises(SaidError, match=REFUSED):
        box.ask("recovery", permit=clerk, **NO_PROOF)
    with pytest.raises(SaidError, match=REFUSED):
        box.ask("recovery", permit="", **NO_PROOF)
    code.renew()
    by_code = box.ask("code", typed=box.code())
    with pytest.raises(SaidError, match=r"recovery\.by_code"):
        box.ask("recovery", permit=by_code, **NO_PROOF)


def test_a_box_without_a_key_says_so(box: Box) -> None:
    (box.store.secrets / "recovery-key").unlink()
    permit = box.ask("code", typed=box.code())
    assert box.ask("state", permit=permit)["recovery"] == "none"
    with pytest.raises(SaidError, match=r"recovery\.none"):
        box.ask("recovery", permit=permit, **NO_PROOF)


def test_the_district_alone_opens_its_copy(box: Box) -> None:
    district = rsa.generate_private_key(65537, 2048)
    content = settings().model_dump(mode="json")
    content["box"]["recovery_key_for"] = public(district)
    box.set_up(Settings.model_validate(content))
    copy = base64.b64decode(box.ask("recovery-copy", permit=signed_in(box)))
    sha256 = hashes.SHA256()
    oaep = padding.OAEP(padding.MGF1(sha256), sha256, None)
    assert district.decrypt(copy, oaep).decode() == KEY


def test_the_districts_copy_is_kept_beside_the_disk_as_long_as_it_is_named(
    box: Box, tmp_path: Path
) -> None:
    district, kept = rsa.generate_private_key(65537, 2048), tmp_path / "copy"
    content = settings().model_dump(mode="json")
    content["box"]["recovery_key_for"] = public(district)
    box.set_up(Settings.model_validate(content))
    recovery.keep_for_district(box.store, kept)
    sha256 = hashes.SHA256()
    oaep = padding.OAEP(padding.MGF1(sha256), sha256, None)
    assert district.decrypt(kept.read_bytes(), oaep).decode() == KEY
    spare = box.store.secrets / recovery.SPARE
    assert spare.read_bytes() == kept.read_bytes()
    assert spare.stat().st_mode & 0o777 == 0o600
    box.set_up(settings())
    recovery.keep_for_district(box.store, kept)
    assert not kept.exists()
    assert not spare.exists()


def test_without_a_district_there_is_no_copy(box: Box) -> None:
    box.set_up(settings())
    with pytest.raises(SaidError, match=r"recovery\.no_district"):
        box.ask("recovery-copy", permit=signed_in(box))


@pytest.mark.parametrize(
    "pem",
    [
        "",
        "-----BEGIN PUBLIC KEY-----\nx\n-----END PUBLIC KEY-----\n",
        "-----BEGIN CERTIFICATE-----\n",
        public(rsa.generate_private_key(65537, 1024)),
        public(ec.generate_private_key(ec.SECP256R1())),
    ],
    ids=["empty", "broken", "certificate", "short", "elliptic"],
)
def test_only_a_public_rsa_key_of_a_safe_length_is_taken(pem: str) -> None:
    with pytest.raises(ValidationError):
        Settings.model_validate({"box": {"recovery_key_for": pem}})
