"""What leaves the house is without people: addresses, names, mails, secrets."""

import pytest

from firstboot.masking import mask, shorten_addresses

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("from 192.0.2.77:443", "from <address>:443"),
        ("[2001:db8::5]:443", "[<address>]:443"),
        ("::ffff:192.0.2.77", "<address>"),
        ("fe80::1%host0", "<address>%host0"),
        ("mail a.b+c@rathaus.example now", "mail <mail> now"),
        ("02:aa:bb:cc:dd:ee", "<mac>"),
        ("GET /rtc?access_token=abc HTTP", "GET /rtc?<query> HTTP"),
        ("eyJhbGciOiJI.eyJpc3Mi.c2ln", "<secret>"),
        ("$argon2id$v=19$m=65536,t=3,p=2$c2Fs$aGFz", "<secret>"),
        ("key 0123456789abcdef0123456789abcdef", "key <secret>"),
        ("Code: abcd efgh", "Code: <code>"),
        ("for Anna, Passwort: drei kleine worte", "for Anna, Passwort: <secret>"),
        ("systemd-ask-password.service: Started",) * 2,
        ("for anna BEISPIEL and Annalena", "for <hidden> and Annalena"),
        # What says what happened stays.
        ("2026-03-31T08:15:00+0000 ratssaal-certificate-renew.service[17]: done",) * 2,
        ("127.0.0.1:7880 ::1 12:34:56 nginx/1.26.3 9.9.9.9.9",) * 2,
    ],
)
def test_what_points_to_people_or_opens_something_is_hidden(text: str, masked: str) -> None:
    assert mask(text, ["Anna Beispiel", "Al"]) == masked


def test_of_the_box_s_own_addresses_those_inside_the_house_stay() -> None:
    told = "10.1.2.3/24 203.0.113.9/24 8.8.4.4 2a00:1450:4001::1/64 fe80::1/64 02:aa:bb:cc:dd:ee"
    wanted = "10.1.2.3/24 203.0.113.9/24 8.8.x.x 2a00:1450:x/64 fe80::1/64 <mac>"
    # 203.0.113.0/24 is for documentation (RFC 5737), which counts as private.
    assert shorten_addresses(told) == wanted
