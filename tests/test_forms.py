"""Short forms: text in, plain values out, or a reason."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.reader.forms import (
    Unreadable,
    clean_path,
    duration_text,
    number_text,
    parse_device,
    parse_duration,
    parse_host,
    parse_mount,
    parse_ports,
    parse_size,
    single,
    split_command,
)

NUMBERS = [
    (1.1, "1.1"),
    (1.0, "1"),
    (1e3, "1000"),
    (1000000.0, "1e+06"),
    (123456.0, "123456"),
    (1234567.0, "1.234567e+06"),
    (0.0001, "0.0001"),
    (0.00001, "1e-05"),
    (31, "31"),
    (True, "true"),
    (False, "false"),
    (float("inf"), "+Inf"),
    (float("-inf"), "-Inf"),
    (float("nan"), "NaN"),
    (-0.0, "-0"),
    (0.1, "0.1"),
    (1.5e300, "1.5e+300"),
    (5e-324, "5e-324"),
    (99999.5, "99999.5"),
    (-2.5, "-2.5"),
]


@pytest.mark.parametrize(("value", "text"), NUMBERS)
def test_C_11_a_number_becomes_the_text_that_the_engine_prints(value: float, text: str) -> None:
    assert number_text(value) == text


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_C_11_the_text_of_a_number_reads_back_as_that_number(value: float) -> None:
    assert float(number_text(value)) == value


COMMANDS = [
    ("a b", ["a", "b"], ""),
    ("a && b", ["a"], "&& b"),
    ("a; b", ["a"], "; b"),
    ("a|b", ["a"], "|b"),
    ("a > b", ["a"], "> b"),
    ("a 2> b", ["a"], "2> b"),
    ("2>x", [], "2>x"),
    ("x3>y", ["x3"], ">y"),
    ("; x", [], "; x"),
    ("curl h/?a=1&b", ["curl", "h/?a=1"], "&b"),
    ("sh -c 'a && b'", ["sh", "-c", "a && b"], ""),
    ('"a b" c', ["a b", "c"], ""),
    ("a\\ b", ["a b"], ""),
    ("a\\tb", ["atb"], ""),
    ("''", [""], ""),
    ("a''b", ["ab"], ""),
    ("", [], ""),
    ("   ", [], ""),
    ("echo $(a b; c) d", ["echo", "$(a b; c)", "d"], ""),
    ("echo `a; b` c", ["echo", "`a; b`", "c"], ""),
    ("a#b #c", ["a#b", "#c"], ""),
    ("*", ["*"], ""),
    ("echo a)b)c", ["echo", "a)b)c"], ""),
]


@pytest.mark.parametrize(("text", "words", "lost"), COMMANDS)
def test_C_48_a_command_is_split_and_ends_at_the_first_operator(text: str, words: list[str], lost: str) -> None:
    found = split_command(text)
    assert (list(found.words), found.lost) == (words, lost)


@pytest.mark.parametrize("text", ["echo (x)", "echo 'a", 'a "b', "a\\", "`a", "echo a)b", "$(a"])
def test_C_48_open_quotes_and_bare_parentheses_are_errors(text: str) -> None:
    with pytest.raises(Unreadable) as caught:
        split_command(text)
    assert caught.value.rule == "C-48"


PORTS = [
    ("80", ["80"]),
    ("80:80", ["80:80"]),
    ("80/udp", ["80/udp"]),
    ("80:80/UDP", ["80:80/udp"]),
    ("80/tcp", ["80"]),
    ("9-11:9-11", ["10:10", "11:11", "9:9"]),
    ("80-82", ["80", "81", "82"]),
    ("8000-8002:80", ["8000-8002:80"]),
    ("127.0.0.1:80:80", ["127.0.0.1:80:80"]),
    ("127.0.0.1::80", ["127.0.0.1:80"]),
    ("[::1]:80:80", ["::1:80:80"]),
    (":80", ["80"]),
    ("0:80", ["0:80"]),
    ("080:80", ["80:80"]),
    ("80/sctp", ["80/sctp"]),
    ("80/", ["80"]),
]


@pytest.mark.parametrize(("text", "short"), PORTS)
def test_C_49_a_short_port_becomes_one_line_for_each_port(text: str, short: list[str]) -> None:
    assert [str(port) for port in parse_ports(text)] == short


@pytest.mark.parametrize(
    "text",
    [
        "80:80/tc",
        "70000",
        "host:80:80",
        "127.0.0.1:80",
        "80-81:80-82",
        "82-80",
        "",
        "80:",
        "a",
        "80 :80",
        "::1:80:80",
        "1.2.3.04:80:80",
        "+80",
        "80:80:80:80",
        "fe80::1%eth0:80:80",
    ],
)
def test_C_49_what_is_no_port_is_an_error(text: str) -> None:
    with pytest.raises(Unreadable) as caught:
        parse_ports(text)
    assert caught.value.rule == "C-49"


MOUNTS = [
    ("data:/d", "volume", "data", "/d", False),
    ("data:/d:ro", "volume", "data", "/d", True),
    ("data:/d:rw", "volume", "data", "/d", False),
    ("data:/d:ro,z", "volume", "data", "/d", True),
    ("./x:/d", "bind", "./x", "/d", False),
    ("/x:/d", "bind", "/x", "/d", False),
    ("~/x:/d", "bind", "~/x", "/d", False),
    ("\\\\pipe:/d", "bind", "\\\\pipe", "/d", False),
    ("/data", "volume", "", "/data", False),
    ("d:/data", "volume", "", "d:/data", False),
    ("C:\\x:/d", "bind", "C:\\x", "/d", False),
    ("ab", "volume", "", "ab", False),
    ("data:/a/../b/", "volume", "data", "/b", False),
    ("data:d", "volume", "data", "d", False),
]


@pytest.mark.parametrize(("text", "kind", "source", "target", "read_only"), MOUNTS)
def test_C_51_a_short_mount_has_a_type_by_its_source(
    text: str, kind: str, source: str, target: str, read_only: bool
) -> None:
    mount = parse_mount(text)
    assert (mount.type, mount.source, mount.target, mount.read_only) == (kind, source, target, read_only)


def test_C_51_words_that_are_dropped_are_remembered() -> None:
    assert parse_mount("data:/d:z,cached").lost == ("z", "cached")
    assert parse_mount("data:/d:nocopy").options == ("nocopy",)


@pytest.mark.parametrize("text", ["", "ab::c", ":/d", "data:", "data:/d:ro:z"])
def test_C_51_nothing_between_colons_or_too_many_of_them_is_an_error(text: str) -> None:
    with pytest.raises(Unreadable):
        parse_mount(text)


DEVICES = [
    ("/dev/a", "/dev/a:/dev/a:rwm"),
    ("/dev/a:/dev/b", "/dev/a:/dev/b:rwm"),
    ("/dev/a:/dev/b:r", "/dev/a:/dev/b:r"),
    ("/dev/a:", "/dev/a:/dev/a:rwm"),
    ("/dev/a:rwm", "/dev/a:rwm:rwm"),
]


@pytest.mark.parametrize(("text", "long"), DEVICES)
def test_C_58_a_device_gets_a_target_and_permissions(text: str, long: str) -> None:
    assert str(parse_device(text)) == long


def test_C_58_four_parts_are_an_error() -> None:
    with pytest.raises(Unreadable):
        parse_device("/dev/a:/dev/b:r:x")


SIZES = [
    ("64m", 64 << 20),
    ("64M", 64 << 20),
    ("64mb", 64 << 20),
    ("64MiB", 64 << 20),
    ("64 m", 64 << 20),
    ("1.5g", 3 << 29),
    ("0", 0),
    ("1e9", 10**9),
    (".5g", 1 << 29),
    ("64b", 64),
    ("1t", 1 << 40),
    ("1p", 1 << 50),
    ("1_000", 1000),
]


@pytest.mark.parametrize(("text", "size"), SIZES)
def test_C_62_a_size_is_counted_in_powers_of_1024(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "m", "64x", "64ib", "64bb", "-1", "x64", "64kbit", "64  m", "1__0"])
def test_C_62_what_is_no_size_is_an_error(text: str) -> None:
    with pytest.raises(Unreadable) as caught:
        parse_size(text)
    assert caught.value.rule == "C-62"


DURATIONS = [
    ("90s", "1m30s"),
    ("1d", "24h0m0s"),
    ("2w", "336h0m0s"),
    ("1500ms", "1.5s"),
    ("500ms", "500ms"),
    ("10us", "10µs"),
    ("100ns", "100ns"),
    ("1h30m", "1h30m0s"),
    ("0s", "0s"),
    ("-5s", "-5s"),
    ("1s500ms", "1.5s"),
    (".5s", "500ms"),
    ("1.5h", "1h30m0s"),
    ("0", "0s"),
    ("1500us", "1.5ms"),
]


@pytest.mark.parametrize(("text", "long"), DURATIONS)
def test_C_63_a_duration_is_written_out(text: str, long: str) -> None:
    assert duration_text(parse_duration(text)) == long


@pytest.mark.parametrize("text", ["90", "", "5x", "1m 30s", "s", "-", "1y", "9" * 30 + "s"])
def test_C_63_a_duration_needs_units(text: str) -> None:
    with pytest.raises(Unreadable) as caught:
        parse_duration(text)
    assert caught.value.rule == "C-63"


@given(st.integers(min_value=0, max_value=2**62))
def test_C_63_a_duration_that_was_written_out_reads_back(span: int) -> None:
    assert parse_duration(duration_text(span)) == span


@pytest.mark.parametrize(("value", "near"), [(0.1, 0.1), (1.23456789, 1.2345679), (16777217, 16777216.0), (2.0, 2.0)])
def test_C_64_a_share_of_a_processor_has_single_precision(value: float, near: float) -> None:
    assert single(value) == near


HOSTS = [
    ("a:1", ("a", ["1"])),
    ("a=1,2", ("a", ["1", "2"])),
    ("a:[::1]", ("a", ["::1"])),
    ("a:::1", ("a", ["::1"])),
    ("a:", ("a", [""])),
]


@pytest.mark.parametrize(("text", "entry"), HOSTS)
def test_C_67_a_host_is_split_from_its_addresses(text: str, entry: tuple[str, list[str]]) -> None:
    assert parse_host(text) == entry


@pytest.mark.parametrize("text", ["a", ":1", "=1", "a:b=1"])
def test_C_67_a_host_without_name_or_address_is_an_error(text: str) -> None:
    with pytest.raises(Unreadable):
        parse_host(text)


@pytest.mark.parametrize(
    ("path", "clean"), [("//a/./b/..", "/a"), ("", ""), ("a/", "a"), ("/", "/"), ("/../a", "/a"), (".", ".")]
)
def test_C_51_a_target_is_cleaned(path: str, clean: str) -> None:
    assert clean_path(path) == clean


@given(st.text(alphabet="a1:/-.,[]'\"\\$(){}`;&|<> \t%~é0m", max_size=24))
def test_no_text_breaks_a_parser(text: str) -> None:
    for parse in (split_command, parse_ports, parse_mount, parse_device, parse_size, parse_duration, parse_host):
        with suppress(Unreadable):
            parse(text)
