"""Answers files on the engineer's machine: the verdict of the box, with a line and a column."""

import copy
import fcntl
import json
import os
import pty
import re
import shlex
import subprocess
import sys
import termios
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from pydantic import ValidationError

from builder import cli
from builder.answers import FORMATS, NOT_WITHOUT, RULES, SCHEMA, Checked, check, hash_password
from builder.errors import UsageError
from builder.marked import MOST_BYTES
from builder.paths import PROJECT
from firstboot.access.passwords import verify
from firstboot.settings import Settings

pytestmark = pytest.mark.unit

EXAMPLE = PROJECT / "docs/answers-example.yaml"
FUZZ = examples(
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)

Look = Callable[[str | bytes], Checked]


@pytest.fixture
def look(tmp_path: Path) -> Look:
    """Check a text as an answers file; that nobody administers is left to the test about it."""

    def looked(text: str | bytes) -> Checked:
        file = tmp_path / "answers.yaml"
        file.write_bytes(text.encode() if isinstance(text, str) else text)
        checked = check(file)
        found = tuple(one for one in checked.problems if NOT_WITHOUT not in one.sentence)
        return replace(checked, problems=found)

    return looked


def places(checked: Checked) -> list[str]:
    """Each problem as `LINE:COLUMN: path`."""
    return [f"{one.line}:{one.column}: {one.path}" for one in checked.problems]


def schema() -> Any:
    return json.loads(SCHEMA.read_text())


def mappings(part: Any) -> Iterator[dict[str, Any]]:
    """Every mapping in the schema."""
    if isinstance(part, dict):
        yield part
    for inner in part.values() if isinstance(part, dict) else part:
        if isinstance(inner, dict | list):
            yield from mappings(inner)


def test_the_example_passes_the_check_and_the_box_takes_it() -> None:
    checked = check(EXAMPLE)
    assert checked.lines() == []
    assert checked.answers == 30
    settings = Settings.model_validate(yaml.safe_load(EXAMPLE.read_text()))
    assert settings.box.host_name == "konferenz.rathaus.example"


def test_the_example_shows_every_answer_and_explains_every_section() -> None:
    text = EXAMPLE.read_text()
    for model in schema()["$defs"].values():
        for key in model["properties"]:
            assert re.search(rf"^ *(- |# *)*{key}:", text, re.MULTILINE), key
    lines = text.splitlines()
    for number, line in enumerate(lines):
        if re.fullmatch(r" {0,4}[a-z_]+:", line) and not line.strip().startswith(("dns:", "peop")):
            assert lines[number - 1].lstrip().startswith("#"), line


def test_the_check_knows_every_rule_of_the_schema() -> None:
    found = list(mappings(schema()))
    formats = {one["format"] for one in found if isinstance(one.get("format"), str)}
    assert formats
    assert formats <= set(FORMATS.checkers)
    own = {key for one in found for key in one if key.startswith("x-")}
    assert own
    assert own <= set(RULES.VALIDATORS)


def test_every_rule_for_a_text_comes_with_what_is_wanted() -> None:
    rules = {"pattern", "format", "maxLength"}
    texts = [one for one in mappings(schema()) if one.get("type") == "string" and rules & set(one)]
    assert len(texts) > 20
    for one in texts:
        assert one.get("description"), one


@pytest.mark.parametrize(
    ("text", "place", "sentence"),
    [
        ("hostname: x.example", "1:1: hostname", "not known. Known here: version, box, cluster."),
        ("box:\n  host_nam: x", "2:3: box.host_nam", 'not known. Did you mean "host_name"?'),
        ("box:\n  $1: x", "2:3: box.…", "not known"),
        ("box:\n  Host_Name: x", "2:3: box.…", 'Did you mean "host_name"?'),
        ("box:\n  language: DE", "2:13: box.language", 'one of de, en. Did you mean "de"?'),
        ("version: 2", "1:10: version", "Wanted here: 1."),
        ("version: 1.0", "1:10: version", "a whole number"),
        ("box: x", "1:6: box", "keys with values, each on a line of its own; this is a text."),
        ("- box", "1:1: answers", "keys with values, each on a line of its own; this is a list."),
        ("box: {host_name: a b}", "1:18: box.host_name", "a host name, such as"),
        ('box: {host_name: "a.example\\n"}', "1:18: box.host_name", "a host name, such as"),
        ("box: {host_name: 12:30}", "1:18: box.host_name", "for a number. Put it in quotes."),
        ("box: {host_name: no}", "1:18: box.host_name", "true or false. Put it in quotes."),
        ("cluster:\n  house:\n    colour: #0b4f8a", "3:12: cluster.house.colour", "needs quotes"),
        (
            "box: {network: {card: c, vlan: 0}}",
            "1:32: box.network.vlan",
            "smallest number",
        ),
        ("box: {network: {card: c, vlan: 4095}}", "1:32: box.network.vlan", "largest number"),
        ("box: {network: {vlan: 5}}", "1:16: box.network.card", "a VLAN belongs to one card"),
        ('box: {network: {vlan: "5"}}', "1:23: box.network.vlan", "without quotes; this is a text"),
        ("box: {network: {dns: 192.0.2.1}}", "1:22: box.network.dns", "a list, each entry after"),
        ("box: {network: {dns: [192.0.2]}}", "1:23: box.network.dns[0]", "an address, such as"),
        (
            "box: {network: {time_servers: [a b]}}",
            "1:32: box.network.time_servers[0]",
            "a host name, such as konferenz.rathaus.example; or an address",
        ),
        ("box: {network: {address: 192.0.2.1}}", "1:26: box.network.address", "length of its netw"),
        ("box: {network: {mode: static, address: 192.0.2.9/24}}", "1:16: box.network.card", "card"),
        (
            "box: {network: {mode: static, card: eth0}}",
            "1:16: box.network.address",
            "missing: a fix",
        ),
        (
            "box: {network: {address: 192.0.2.9/24, gateway: 198.51.100.1}}",
            "1:49: box.network.gateway",
            "outside of the network of address",
        ),
        ("box: {network: {gateway: fe80::1%eth0}}", "1:26: box.network.gateway", "an address"),
        ("box: {host_name: a, turn_name: A}", "1:32: box.turn_name", "have to differ"),
        ("box: {turn_name: Ratssaal.local}", "1:18: box.turn_name", "have to differ"),
        (f"box: {{host_name: {'a.' * 125}a}}", "1:18: box.host_name", "At most 248 characters"),
        ("box: {certificate: {kind: acme}}", "1:20: box.certificate.directory", "is missing"),
        (
            "box: {certificate: {kind: acme, directory: }}",
            "1:43: box.certificate.directory",
            "text",
        ),
        (
            "box: {certificate: {dns: {server: 192.0.2.1, secret: c2VjcmV0c2VjcmV0}}}",
            "1:26: box.certificate.dns.key_name",
            "missing: a host name",
        ),
        ("cluster: {house: {name: ''}}", "1:25: cluster.house.name", "At least 1 characters"),
        (f"cluster: {{house: {{name: {'a' * 81}}}}}", "1:25: cluster.house.name", "these are 81"),
        ('cluster: {house: {name: "\\u200b"}}', "1:25: cluster.house.name", "a name on one line"),
        (
            "cluster: {administration: {people: [{name: Anna}]}}",
            "1:37: cluster.administration.people[0].password",
            "missing: the hash of a password; ./ratssaal answers hash makes one",
        ),
        (
            "cluster: {administration: {networks: [192.0.2.1/24]}}",
            "1:39: cluster.administration.networks[0]",
            "a network by its first address",
        ),
        ("box:\n  reach: house\n  reach: public", "3:3: box.reach", "stands in line 2 already"),
        ("box:\n\treach: house", "2:1: answers", "A tab stands here"),
        ("box: 'x", "1:6: answers", "A quote is opened here and not closed"),
        ("box: [x", "1:8: answers", "A bracket is opened and not closed"),
        ("box: a: b", "1:7: answers", "needs quotes"),
        ("box:\n  reach: house\n cluster: x", "3:2: answers", "indentation"),
        ("box: *other", "1:6: answers", "No anchor of this name"),
        ("box: &a x\ncluster: &a y", "2:10: answers", "anchor of this name stands above"),
        ("box: @x", "1:6: answers", "needs quotes"),
        ('box: "\\q"', "1:8: answers", "After \\ stands something"),
        ('box: "\\U00110000"', "1:9: answers", "After \\ stands something"),
        ('box: "\\ud800"', "1:6: box", "Half a character"),
        ("box: |x", "1:7: answers", "begins with one of them needs quotes"),
        ("box: 0x_", "1:6: box", "like a number"),
        ("box: 2026-11-24", "1:6: box", "quotes help"),
        ("box: !secret x", "1:6: box", "quotes help"),
        ("1: x", "1:1: answers", "A key is a word"),
        ("? [a]\n: x", "1:3: answers", "A key is a word"),
        ("box: {<<: {reach: house}}", "1:7: box", "A key is a word"),
        ("box: {}\n---\nbox: {}", "2:1: answers", "A second document"),
        ("", "1:1: answers", "Nothing stands in the file"),
        ("# only a comment", "1:1: answers", "Nothing stands in the file"),
        (b"box: {}\n# \xff", "2:3: answers", "not text in UTF-8"),
        (b"box: {}\n# \x00", "2:3: answers", "cannot be seen"),
    ],
)
def test_what_is_wrong_is_said_with_its_line_and_column(
    look: Look, text: str | bytes, place: str, sentence: str
) -> None:
    checked = look(text)
    assert places(checked) == [place]
    assert sentence in checked.problems[0].sentence


def test_all_problems_are_listed_in_the_order_of_the_lines(look: Look) -> None:
    checked = look("x: 1\nbox:\n  reach: here\n  1: 2\n  2: 3\n  y: 1\ncluster:\n  z: 2\n")
    assert places(checked) == [
        *("1:1: x", "3:10: box.reach", "4:3: box", "5:3: box", "6:3: box.y", "8:3: cluster.z"),
    ]
    assert checked.lines()[1].startswith(f"{checked.file}:3:10: box.reach: Wanted here: one of ")


def test_a_file_with_two_administrators_of_one_name_is_refused(look: Look) -> None:
    hashed = "$argon2id$v=19$m=65536,t=3,p=2$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNo"
    people = [{"name": "Anna", "password": hashed}, {"name": "ANNA ", "password": hashed}]
    checked = look(yaml.safe_dump({"cluster": {"administration": {"people": people}}}))
    assert [one.path for one in checked.problems] == ["cluster.administration.people[1].name"]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("version: 1\n", "1:1: answers"),
        ("cluster:\n  house: {name: Rathaus}\n", "2:3: cluster"),
        ("cluster:\n  administration:\n    people: []\n", "3:13: cluster.administration.people"),
    ],
)
def test_a_file_by_which_nobody_would_administer_is_refused_as_the_box_does(
    tmp_path: Path, text: str, place: str
) -> None:
    file = tmp_path / "answers.yaml"
    file.write_text(text)
    checked = check(file)
    assert places(checked) == [place]
    assert checked.problems[0].sentence.endswith(NOT_WITHOUT)
    assert not Settings.model_validate(yaml.safe_load(text)).cluster.administration.people


def test_a_private_key_does_not_belong_among_the_certificates(look: Look) -> None:
    both = "-----BEGIN CERTIFICATE-----\nMIIB\n-----BEGIN " + "PRIVATE KEY-----\nMIIE\n"
    checked = look(yaml.safe_dump({"box": {"certificate": {"chain": both}}}))
    assert [one.path for one in checked.problems] == ["box.certificate.chain"]
    assert "without a private key" in checked.problems[0].sentence


def test_anchors_and_aliases_are_allowed_and_a_problem_stands_where_the_alias_is(
    look: Look,
) -> None:
    text = "box:\n  host_name: &name rathaus.example\n  network: {time_servers: [*name, *name]}\n"
    assert look(text).problems == ()
    assert look(text).answers == 3
    wrong = look(text + "  language: *name\n")
    assert places(wrong) == ["4:13: box.language"]


def test_a_file_that_unfolds_without_end_is_refused_at_once(look: Look) -> None:
    laughs = ["a: &a0 [x]"] + [
        f"b{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)
    ]
    for text in ("\n".join(laughs), "a: &a [*a]", "a: &a {b: *a}", "[" * 100_000, "- " * 100_000):
        checked = look(text)
        assert len(checked.problems) == 1
        assert "Too many values" in checked.problems[0].sentence


def test_a_file_that_is_too_large_is_not_read_to_its_end(tmp_path: Path) -> None:
    file = tmp_path / "answers.yaml"
    with file.open("wb") as opened:
        opened.truncate(1024 * MOST_BYTES)
    assert places(check(file)) == ["1:1: answers"]
    assert "larger than 1 MiB" in check(file).problems[0].sentence


@pytest.mark.parametrize("name", ["missing.yaml", "."])
def test_a_file_that_cannot_be_read_is_wrong_usage(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        check(tmp_path / name)


@pytest.mark.parametrize("line_end", ["\r\n", "\n"])
def test_files_of_windows_are_read_like_others(look: Look, line_end: str) -> None:
    text = line_end.join(["\ufeffbox:", "  reach: house", "  language: fr", ""])
    assert places(look(text)) == ["3:13: box.language"]


@pytest.mark.parametrize(
    "written",
    [
        *(
            "GEHEIM",
            "'GEHEIM",
            '"GEHEIM',
            "*GEHEIM",
            "&GEHEIM",
            "!GEHEIM",
            "!!GEHEIM x",
            "!<GEHEIM",
        ),
        *(
            "!GEHEIM!x y",
            "@GEHEIM",
            "`GEHEIM",
            "%GEHEIM",
            "|GEHEIM",
            ">GEHEIM",
            "[GEHEIM",
            "{GEHEIM",
        ),
        *(
            "{GEHEIM: x}",
            "{GEHEIM: !x}",
            "[GEHEIM]",
            "GEHEIM: x",
            "- GEHEIM",
            '"\\GEHEIM"',
            "#GEHEIM",
        ),
        *(
            "\tGEHEIM",
            "\n      GEHEIM: x",
            "\n  GEHEIM",
            '"GEHEIM" GEHEIM',
            "&x GEHEIM\n      <<: *x",
        ),
        *("GEHEIM\n      password: GEHEIM", "\n        - GEHEIM", "? GEHEIM", "!!int GEHEIM"),
    ],
)
@pytest.mark.parametrize(
    "frame",
    [
        "cluster:\n  administration:\n    people:\n    - name: A\n      password: {}\n",
        "box:\n  certificate:\n    dns:\n      secret: {}\n",
        "box:\n  certificate:\n    key: {}\n",
        "box:\n  language: {}\n",
        "box:\n  network:\n    vlan: {}\n",
    ],
)
def test_a_secret_is_in_no_message_however_it_is_written(
    look: Look, frame: str, written: str
) -> None:
    checked = look(frame.replace("{}", written))
    # A comment, or the name of an anchor, is no answer.
    assert checked.problems or written[0] in "#&"
    assert "GEHEIM" not in "\n".join(one.path + one.sentence for one in checked.problems)


@FUZZ
@given(text=st.binary(max_size=200) | st.text(max_size=200) | st.text("ab:-?&*!|>'\"%@#[]{},\n \t"))
def test_whatever_stands_in_a_file_it_is_checked(look: Look, text: str | bytes) -> None:
    try:
        checked = look(text)
    except UnicodeEncodeError:
        return
    assert checked.problems or checked.answers == 0


def ways(content: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to every value in `content`."""
    pairs = content.items() if isinstance(content, dict) else ()
    for key, value in enumerate(content) if isinstance(content, list) else pairs:
        yield (*way, key)
        yield from ways(value, (*way, key))


def values(content: Any) -> Iterator[Any]:
    """Every value in `content`."""
    for *way, last in ways(content):
        inside = content
        for one in way:
            inside = inside[one]
        yield inside[last]


def complete() -> dict[str, Any]:
    """Answers in which every key is given, and all is well."""
    content: dict[str, Any] = yaml.safe_load(EXAMPLE.read_text())
    pem = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
    content["box"]["network"] |= {"vlan": 5, "proxy": "http://p.example:3128"}
    content["box"]["network"] |= {"proxy_authority": pem}
    dns = {"server": "192.0.2.53", "port": 53, "key_name": "k.example", "algorithm": "HMAC-SHA256"}
    content["box"]["certificate"] |= {
        "dns": dns | {"secret": "c2VjcmV0c2VjcmV0"},
        "authority": pem,
        "chain": pem,
        "key": "-----BEGIN " + "PRIVATE KEY-----\nMIIE\n",
    }
    content["cluster"]["house"]["logo"] = "PHN2Zy8+"
    content["cluster"]["administration"]["alone_because"] = "nobody else"
    content["cluster"]["administration"]["people"][0]["totp"] = "ABCDEFGHABCDEFGH"
    return content


TEMPTING = st.sampled_from(
    [
        *(None, True, False, 0, 1, 5, 4095, 1.0, "", " ", "x", "5", [], {}, [None], [""], {"": ""}),
        *("static", "dhcp", "acme", "files", "own", "ratssaal.local", "konferenz.rathaus.example"),
        *(
            "192.0.2.1",
            "192.0.2.1/24",
            "192.0.2.0/24",
            "192.0.2.0/33",
            "fe80::1",
            "fe80::1%x",
            "::",
        ),
        *("a.example\n", "A.Example", "a" * 64, "a\u200bb", "\u00a0", "#FFFFFF", "Anna Beispiel"),
        *(
            "anna beispiel ",
            "http://a/{{x}}",
            "https://a.example",
            "a@b",
            "2001:db8::1/64",
            "\u2028",
        ),
    ]
)


@FUZZ
@given(data=st.data())
def test_what_passes_the_check_is_taken_by_the_box_and_the_other_way_round(
    look: Look, data: st.DataObject
) -> None:
    content = complete()
    for _ in range(data.draw(st.integers(0, 3))):
        *way, last = data.draw(st.sampled_from(list(ways(content))))
        inside: Any = content
        for one in way:
            inside = inside[one]
        if isinstance(inside, dict) and data.draw(st.booleans()):
            del inside[last]
        else:
            inside[last] = copy.deepcopy(data.draw(TEMPTING | st.text(max_size=10)))
    text = yaml.safe_dump(content, allow_unicode=True)
    checked = look(text)
    try:
        taken = yaml.safe_load(text)
        Settings.model_validate(taken)
    except (ValidationError, yaml.YAMLError):
        assert checked.problems, text
        return
    try:
        Settings.model_validate_json(json.dumps(taken), strict=True)
    except ValidationError:
        return  # the box takes "5" for 5 as well; the check says what it really wants
    # The box strips texts before it looks at them, and takes true for the number 1.
    texts = [one for one in values(taken) if isinstance(one, str)]
    lenient = any(one != one.strip() for one in texts) or taken.get("version") is True
    assert lenient or not checked.problems, checked.lines()


@pytest.fixture
def ratssaal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Call the command line; gives exit code, output and errors."""

    def call(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["ratssaal", *arguments])
        code = 0
        try:
            cli.main()
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else 0 if ended.code is None else 1
        output, errors = capsys.readouterr()
        return code, output, errors

    return call


def test_a_file_in_order_ends_with_0_and_one_line(ratssaal: Any) -> None:
    code, output, errors = ratssaal("answers", "check", str(EXAMPLE))
    assert (code, output) == (0, "")
    assert "docs/answers-example.yaml is in order: 30 answers." in errors


def test_problems_end_with_1_and_are_listed_and_counted(ratssaal: Any, tmp_path: Path) -> None:
    file = tmp_path / "answers.yaml"
    file.write_text("x: 1\nbox:\n  reach: here\n")
    code, output, errors = ratssaal("answers", "check", str(file))
    assert code == 1
    assert output.splitlines() == check(file).lines()
    assert len(output.splitlines()) == 3
    assert "answers.yaml has 3 problems." in errors


def test_problems_are_given_to_scripts_as_json(ratssaal: Any, tmp_path: Path) -> None:
    file = tmp_path / "answers.yaml"
    file.write_text("x: 1\n")
    code, output, errors = ratssaal("answers", "check", str(file), "--json")
    found = json.loads(output)
    assert code == 1
    assert (found["file"], found["answers"]) == (str(file), 1)
    listed = [(one["line"], one["column"], one["path"]) for one in found["problems"]]
    assert listed == [(1, 1, "answers"), (1, 1, "x")]
    assert "has 2 problems." in errors
    code, output, errors = ratssaal("answers", "check", str(EXAMPLE), "--json")
    assert (code, json.loads(output)["problems"], errors) == (0, [], "")


def test_a_missing_file_ends_with_2(ratssaal: Any, tmp_path: Path) -> None:
    code, output, errors = ratssaal("answers", "check", str(tmp_path / "missing.yaml"))
    assert (code, output) == (2, "")
    assert "missing.yaml cannot be read: No such file or directory." in errors


def call_hash(given_line: bytes) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "builder.cli", "answers", "hash"],
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        input=given_line,
        capture_output=True,
        check=False,
    )


def test_the_hash_of_the_first_line_is_printed_and_the_box_takes_it(look: Look) -> None:
    ended = call_hash("drei grüne Äpfel\r\nmore\n".encode())
    assert (ended.returncode, ended.stderr) == (0, b"")
    hashed = ended.stdout.decode().strip()
    assert verify(hashed, "drei grüne Äpfel")
    people = [{"name": "Anna", "password": hashed}]
    assert not look(yaml.safe_dump({"cluster": {"administration": {"people": people}}})).problems


@pytest.mark.parametrize("line", [b"", b"\n", b"zu kurz\n", b"\xff\xfe kein Text\n", b"x" * 300])
def test_what_is_no_password_has_no_hash(line: bytes) -> None:
    ended = call_hash(line)
    assert (ended.returncode, ended.stdout) == (2, b"")
    assert ended.stderr.startswith(b"ratssaal: The password has ")


def test_the_hash_is_of_the_password_as_the_box_reads_it() -> None:
    assert verify(hash_password("gru\u0308ne\u00a0A\u0308pfel"), "grüne Äpfel")
    with pytest.raises(UsageError, match="cannot be seen"):
        hash_password("vierzehn\u200bZeichen")


def test_on_a_terminal_the_password_is_asked_for_twice_and_never_shown() -> None:
    terminal, inside = pty.openpty()
    asked = subprocess.Popen(
        [sys.executable, "-m", "builder.cli", "answers", "hash"],
        env={**os.environ, "PYTHONPATH": str(PROJECT), "TERM": "dumb"},
        stdin=inside,
        stdout=subprocess.PIPE,
        stderr=inside,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )
    os.close(inside)
    seen = b""
    for question in (b"Password: ", b"Again: "):
        while question not in seen:
            seen += os.read(terminal, 1024)
        os.write(terminal, "drei grüne Äpfel\n".encode())
    output, _ = asked.communicate(timeout=60)
    assert asked.returncode == 0
    assert verify(output.decode().strip(), "drei grüne Äpfel")
    assert b"pfel" not in seen
    os.close(terminal)


@pytest.mark.parametrize("verb", ["check", "hash"])
def test_the_help_of_each_verb_has_examples_that_the_command_line_accepts(verb: str) -> None:
    group = typer.main.get_group(cli.app).commands["answers"]
    assert isinstance(group, typer.core.TyperGroup)
    command = group.commands[verb]
    found = re.findall(rf"\./ratssaal answers {verb}([^`|]*)[`|]", command.help or "")
    assert found
    for words in found:
        command.make_context(verb, shlex.split(words))
