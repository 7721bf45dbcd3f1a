"""Which Debian mirror is used: the one named, or the one that a Debian system uses already."""

from pathlib import Path

import pytest

from builder import mirror
from builder.errors import UsageError
from builder.mirror import Mirror

pytestmark = pytest.mark.unit


DEBIAN = 'PRETTY_NAME="Debian GNU/Linux 13 (trixie)"\nID=debian\nVERSION_CODENAME=trixie\n'
UBUNTU = "ID=ubuntu\nID_LIKE=debian\nVERSION_CODENAME=noble\nUBUNTU_CODENAME=noble\n"
HERE = Mirror("http://mirror.example/debian", "http://mirror.example/debian-security")
ELSEWHERE = Mirror("http://mirror.example/debian", "http://security.example/debian-security")

DEB822 = """\
# Written by the installer.
Types: deb deb-src
URIs: http://mirror.example/debian/
Suites: trixie trixie-updates
Components: main non-free-firmware
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://security.example/debian-security
Suites: trixie-security
Components: main
"""

ONE_LINE = """\
# deb cdrom:[Debian GNU/Linux 13.0.0 _Trixie_ - Official amd64 NETINST]/ trixie contrib main
deb cdrom:[Debian GNU/Linux 13.0.0 _Trixie_ - Official amd64 NETINST]/ trixie contrib main
deb-src http://source.example/debian trixie main
deb http://mirror.example/debian trixie main non-free-firmware
deb http://mirror.example/debian trixie-updates main
deb http://security.example/debian-security trixie-security main
"""


def debian(root: Path, release: str = DEBIAN, **sources: str) -> Path:
    """A tree with os-release and files in /etc/apt, `list` for sources.list, else by their name."""
    (root / "etc/apt/sources.list.d").mkdir(parents=True)
    (root / "etc/os-release").write_text(release)
    for name, text in sources.items():
        place = "sources.list" if name == "list" else f"sources.list.d/{name.replace('_', '.')}"
        (root / "etc/apt" / place).write_text(text)
    return root


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("http://mirror.example/debian", HERE),
        ("http://mirror.example/debian/", HERE),
        (
            "https://mirror.example",
            Mirror("https://mirror.example", "https://mirror.example/debian-security"),
        ),
        (
            "http://mirror.example:8080/a/debian",
            Mirror(
                "http://mirror.example:8080/a/debian",
                "http://mirror.example:8080/a/debian-security",
            ),
        ),
    ],
)
def test_the_security_archive_lies_beside_a_named_mirror(address: str, expected: Mirror) -> None:
    assert mirror.named(address) == expected
    assert mirror.choose(address) == expected


@pytest.mark.parametrize(
    "address",
    [
        "mirror.example/debian",
        "ftp://mirror.example/debian",
        "/srv/debian",
        "file:///srv/debian",
        "",
        " http://mirror.example/debian",
        pytest.param("http://"),
        pytest.param("http:///debian"),
        pytest.param("http://mirror.example/debian trixie main"),
        pytest.param("http://mirror.example/debian\ndeb http://other.example"),
    ],
)
def test_a_bad_address_is_wrong_usage_and_named(address: str) -> None:
    with pytest.raises(UsageError) as caught:
        mirror.named(address)
    assert caught.value.exit_code == 2
    assert repr(address) in caught.value.message
    assert "http://" in caught.value.hint


def test_debians_own_sources_file_is_understood(tmp_path: Path) -> None:
    assert mirror.of_tree(debian(tmp_path, debian_sources=DEB822)) == ELSEWHERE


def test_the_older_one_line_format_is_understood(tmp_path: Path) -> None:
    assert mirror.of_tree(debian(tmp_path, list=ONE_LINE)) == ELSEWHERE


@pytest.mark.parametrize("options", ["arch=amd64", " arch=amd64 signed-by=/etc/apt/my.gpg "])
def test_options_in_brackets_do_not_hide_the_address(tmp_path: Path, options: str) -> None:
    lines = ONE_LINE.replace("deb http", f"deb [{options}] http")
    assert f"deb [{options}] http://mirror.example" in lines
    assert mirror.of_tree(debian(tmp_path, my_list=lines)) == ELSEWHERE


@pytest.mark.parametrize(
    "value",
    [
        "no",
        pytest.param("false"),
        pytest.param("No"),
        pytest.param("no "),
    ],
)
def test_disabled_entries_do_not_count(tmp_path: Path, value: str) -> None:
    disabled = (
        f"Enabled: {value}\nTypes: deb\nURIs: http://old.example/debian\nSuites: trixie\n"
        "Components: main\n\n"
    )
    assert mirror.of_tree(debian(tmp_path, debian_sources=disabled + DEB822)) == ELSEWHERE


def test_enabled_entries_count(tmp_path: Path) -> None:
    text = DEB822.replace("Types:", "Enabled: yes\nTypes:")
    assert mirror.of_tree(debian(tmp_path, debian_sources=text)) == ELSEWHERE


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(
            DEB822.replace("Suites: trixie trixie-updates", "Suites:\n trixie\n trixie-updates"),
            id="suites on lines",
        ),
        pytest.param(
            DEB822.replace("URIs: http://mirror", "URIs:\n http://mirror"),
            id="addresses on lines",
        ),
        pytest.param(
            DEB822.replace("URIs:", "uris:").replace("Types:", "types:"),
            id="small letters",
        ),
        pytest.param(
            DEB822.replace("Types: deb deb-src\n", "Types: deb deb-src\n# a comment between\n"),
            id="comment",
        ),
        pytest.param(DEB822.replace("\n\n", "\n \n"), id="blank in space"),
    ],
)
def test_other_spellings_of_sources_list_5_are_understood(tmp_path: Path, text: str) -> None:
    assert mirror.of_tree(debian(tmp_path, debian_sources=text)) == ELSEWHERE


def test_entries_that_are_commented_out_or_for_sources_alone_do_not_count(tmp_path: Path) -> None:
    lines = "# deb http://a.example/debian trixie main\ndeb-src http://b.example trixie main\n"
    paragraph = "Types: deb-src\nURIs: http://c.example/debian\nSuites: trixie\n"
    assert mirror.of_tree(debian(tmp_path, list=lines, c_sources=paragraph)) is None


def test_the_archives_of_others_do_not_count(tmp_path: Path) -> None:
    lines = "deb http://packages.example/apt stable main\n"
    assert mirror.of_tree(debian(tmp_path, a_list=lines, debian_sources=DEB822)) == ELSEWHERE


def test_apt_reads_only_files_with_its_endings_and_so_do_we(tmp_path: Path) -> None:
    assert mirror.of_tree(debian(tmp_path, debian_sources_bak=DEB822, list_save=ONE_LINE)) is None


def test_without_a_security_entry_it_lies_beside_the_main_one(tmp_path: Path) -> None:
    lines = "deb http://mirror.example/debian trixie main\n"
    assert mirror.of_tree(debian(tmp_path, list=lines)) == HERE


@pytest.mark.parametrize("scheme", ["mirror+file", "file"])
def test_a_mirror_in_the_hosts_own_files_is_no_error_of_the_person(
    tmp_path: Path, scheme: str
) -> None:
    text = DEB822.replace("http://mirror.example/debian/", f"{scheme}:///etc/apt/mirrors/debian")
    assert mirror.of_tree(debian(tmp_path, debian_sources=text)) is None


def test_another_distribution_lends_no_mirror(tmp_path: Path) -> None:
    lines = "deb http://mirror.example/ubuntu noble main\n"
    assert mirror.of_tree(debian(tmp_path, UBUNTU, list=lines, debian_sources=DEB822)) is None


@pytest.mark.parametrize("release", ["ID=debian\n", "", DEBIAN])
def test_a_debian_that_names_no_release_or_no_mirror_lends_none(
    tmp_path: Path, release: str
) -> None:
    assert mirror.of_tree(debian(tmp_path, release)) is None


def test_an_empty_tree_lends_no_mirror(tmp_path: Path) -> None:
    assert mirror.of_tree(tmp_path) is None


def test_what_is_written_for_apt_names_release_updates_and_security(tmp_path: Path) -> None:
    written = ELSEWHERE.deb822("main")
    assert mirror.of_tree(debian(tmp_path / "one", mkosi_sources=written)) == ELSEWHERE
    lines = ELSEWHERE.sources("main")
    assert mirror.of_tree(debian(tmp_path / "two", list="\n".join(lines) + "\n")) == ELSEWHERE
    for suite in ("trixie", "trixie-updates", "trixie-security"):
        assert suite in written.split()
        assert sum(suite in line.split() for line in lines) == 1


def test_every_source_that_is_written_is_tied_to_debians_keyring() -> None:
    lines = ELSEWHERE.sources("main")
    assert all(f"[signed-by={mirror.KEYRING}]" in line for line in lines)
    paragraphs = ELSEWHERE.deb822("main").split("\n\n")
    assert all(f"Signed-By: {mirror.KEYRING}" in paragraph for paragraph in paragraphs)
