"""YAML as go-yaml v3 reads it: C-6, C-9, C-12 … C-19, C-22. Expected values were observed on the real engine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kit import source
from kit.diagnostics import Span
from kit.reader import read
from kit.reader.forms import scalar_text
from kit.source import Node, Parsed, decode, parse, resolve

CASES = json.loads((Path(__file__).parent / "cases" / "composition_cases.json").read_text(encoding="utf-8"))
HAS_LIBYAML = source._Fast is not None


def one(text: str, *, fast: bool = True) -> Node:
    parsed = parse(text, "t", fast=fast)
    assert parsed.findings == ()
    assert len(parsed.documents) == 1
    return parsed.documents[0]


def codes(text: str) -> list[tuple[str, str, int, int]]:
    return [(found.code, found.rule, found.span.line, found.span.column) for found in parse(text, "t").findings]


def tree(node: Node) -> object:
    """Everything there is to know about a node, to compare two of them."""
    inner: object = repr(node.value)
    if node.kind == "map":
        inner = {key: (node.key_span(key), node.key_span(key).width, tree(value)) for key, value in node.value.items()}
    elif node.kind == "list":
        inner = [tree(item) for item in node.value]
    return node.kind, node.span, node.span.width, node.quoted, node.mark, inner


# ── C-9: what an unquoted scalar means ─────────────────────────────────────────────────────────────

SCALARS: list[tuple[str, str, Any]] = [
    ("true", "bool", True), ("True", "bool", True), ("TRUE", "bool", True), ("tRUE", "str", "tRUE"),
    ("false", "bool", False), ("FALSE", "bool", False), ("yes", "str", "yes"), ("no", "str", "no"),
    ("on", "str", "on"), ("Off", "str", "Off"), ("y", "str", "y"), ("n", "str", "n"),
    ("~", "null", None), ("null", "null", None), ("Null", "null", None), ("NULL", "null", None),
    (".inf", "float", float("inf")), ("+.Inf", "float", float("inf")), ("-.INF", "float", float("-inf")),
    ("0", "int", 0), ("-0", "int", 0), ("+5", "int", 5), ("1_000", "int", 1000), ("1__0", "int", 10),
    ("0x1F", "int", 31), ("0X1f", "int", 31), ("-0x1F", "int", -31), ("0o17", "int", 15), ("0b101", "int", 5),
    ("-0b11", "int", -3), ("010", "int", 8), ("0777", "int", 511), ("-010", "int", -8), ("0o8", "str", "0o8"),
    ("0b102", "str", "0b102"), ("089", "float", 89.0), ("08", "float", 8.0), ("1.", "float", 1.0),
    ("1.10", "float", 1.1), ("1e3", "float", 1000.0), ("-1.5E-3", "float", -0.0015), ("1_0.5", "float", 10.5),
    ("1E400", "str", "1E400"), (".5", "float", 0.5), (".5e3", "float", 500.0), (".5_0", "float", 0.5),
    (".5__0", "str", ".5__0"), ("._5", "str", "._5"), (".", "str", "."), ("-.5", "float", -0.5), ("+", "str", "+"),
    ("18446744073709551615", "int", 2**64 - 1), ("18446744073709551616", "float", float(2**64)),
    ("-9223372036854775808", "int", -(2**63)), ("-9223372036854775809", "float", -float(2**63)),
    ("22:22", "str", "22:22"), ("1:30", "str", "1:30"), ("190:20:30", "str", "190:20:30"),
    ("02:42:ac:11:65:43", "str", "02:42:ac:11:65:43"), ("80.5:1", "str", "80.5:1"),
    ("2024-01-02", "time", "2024-01-02"), ("2024-1-2", "time", "2024-1-2"), ("2024-02-30", "str", "2024-02-30"),
    ("2023-02-29", "str", "2023-02-29"), ("2024-13-01", "str", "2024-13-01"), ("24-01-02", "str", "24-01-02"),
    ("2024-01-02T10:20:30Z", "time", "2024-01-02T10:20:30Z"),
    ("2024-01-02t1:2:3.5+02:00", "time", "2024-01-02t1:2:3.5+02:00"),
    ("2024-01-02T10:20:30", "str", "2024-01-02T10:20:30"), ("2024-01-02 10:20:30", "time", "2024-01-02 10:20:30"),
    ("2024-01-02 10:20:30Z", "str", "2024-01-02 10:20:30Z"), ("2024-01-02T25:00:00Z", "str", "2024-01-02T25:00:00Z"),
    ("=", "str", "="), ("1.2.3", "str", "1.2.3"), ("0x", "str", "0x"), ("-", "str", "-"), ("a", "str", "a"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "kind", "value"), SCALARS)
def test_an_unquoted_scalar_means_what_go_yaml_says_c9_c13_c14_c15(text: str, kind: str, value: object) -> None:
    assert resolve(text) == (kind, value)


def test_not_a_number_is_a_number_c9() -> None:
    kind, value = resolve(".NaN")
    assert kind == "float"
    assert value != value


@pytest.mark.parametrize("text", ['"010"', "'010'", "|-\n  010", ">-\n  010", "!!str 010", "!other 010"])
def test_quotes_blocks_and_foreign_tags_make_text_c9(text: str) -> None:
    assert one(f"a: {text}").plain() == {"a": "010"}


def test_the_tags_of_yaml_are_honoured_c9() -> None:
    read = one('a: !!int "5"\nb: !!float 5\nc: !!binary aGVsbG8=\nd: ! 010\ne: !!timestamp 2024-01-02').value
    assert [(node.kind, node.value) for node in read.values()] == [
        ("int", 5), ("float", 5.0), ("str", "hello"), ("int", 8), ("time", "2024-01-02"),
    ]  # fmt: skip


def test_a_tag_that_does_not_fit_is_an_error_c9() -> None:
    assert codes("a: !!int x") == [("tag-does-not-fit", "C-9", 1, 4)]
    assert codes("a: !!binary '%'")[0][:2] == ("unreadable-binary", "C-9")


def test_a_tag_never_constructs_an_object() -> None:
    text = "a: !!python/object/apply:os.system ['exit 1']\nb: !!python/name:os.system x"
    assert one(text).plain() == {"a": ["exit 1"], "b": "x"}


# ── keys, anchors, merge ───────────────────────────────────────────────────────────────────────────


def test_a_repeated_key_is_an_error_with_both_lines_c17() -> None:
    found = parse("a: 1\nb: 2\n'a': 3", "t").findings
    assert [(each.code, each.rule, str(each.span)) for each in found] == [("repeated-key", "C-17", "t:3:1")]
    assert "line 1" in found[0].message


@pytest.mark.parametrize("key", ["1", "true", "1.5", "~", "2024-01-02", "0x1F"])
def test_a_key_that_is_no_text_is_an_error_c18(key: str) -> None:
    assert [found[:2] for found in codes(f"a: {{{key} : x}}")] == [("key-is-no-text", "C-18")]


@pytest.mark.parametrize("key", ["on", "no", "y", '"1"', "=", "22:22", '"<<"', "1.2.3"])
def test_a_key_that_is_a_word_is_fine_c18(key: str) -> None:
    assert one(f"{key}: x").kind == "map"


def test_a_list_as_a_key_is_an_error_c18() -> None:
    assert ("unusable-key", "C-18", 1, 3) in codes("? [a]\n: x")
    assert [found.code for found in read("services: {? {name: } : {image: a}}").findings] == ["unusable-key"]


def test_anchors_work_everywhere_c19() -> None:
    assert one("a: &x [1, 2]\nb: *x\nc: [*x]").plain() == {"a": [1, 2], "b": [1, 2], "c": [[1, 2]]}
    assert one("a: &k key\n*k : 1").plain() == {"a": "key", "key": 1}


def test_merging_is_shallow_and_what_is_written_wins_c19() -> None:
    text = "x: &x {a: 1, b: {c: 1}}\ny: &y {a: 2, d: 4}\nz:\n  b: 0\n  <<: [*x, *y]\n  e: 5\nw: {<<: *x, a: 9}"
    assert one(text).plain()["z"] == {"b": 0, "e": 5, "a": 1, "d": 4}
    assert one(text).plain()["w"] == {"a": 9, "b": {"c": 1}}


def test_a_quoted_merge_key_is_an_ordinary_key_c19() -> None:
    assert one('x: &x {a: 1}\ny: {"<<": *x}').plain()["y"] == {"<<": {"a": 1}}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("x: &x [1]\ny: {<<: *x}", "unmergeable"),
        ("y: {<<: }", "unmergeable"),
        ("x: &x {a: 1}\ny: {<<: *x, <<: *x}", "repeated-merge"),
        ("a: *nowhere", "unknown-anchor"),
        ("a: &a [*a]", "endless-alias"),
        ("a: &a {b: {c: *a}}", "endless-alias"),
    ],
)
def test_a_wrong_alias_or_merge_is_an_error_c19(text: str, code: str) -> None:
    found = codes(text)
    assert [(each[0], each[1]) for each in found] == [(code, "C-19")]


# ── the text itself (C-21, C-22) ───────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("text", "found"), [("%YAML 1.1\n---\na: 1\n", []), ("%YAML 1.2\n---\na: 1\n", ["yaml-version"])]
)
def test_only_yaml_1_1_can_be_named_c22(text: str, found: list[str]) -> None:
    for fast in (True, False):
        assert [each.code for each in parse(text, "t", fast=fast).findings] == found


def test_the_mark_of_utf8_and_windows_line_ends_are_fine_c22() -> None:
    assert one("\ufeffa: 1\r\nb: |\r\n  x\r\n").plain() == {"a": 1, "b": "x\n"}


def test_json_is_yaml_c22() -> None:
    assert one('{"a": ["x", 1, true, null]}').plain() == {"a": ["x", 1, True, None]}


def test_a_version_directive_changes_nothing_c22() -> None:
    assert one("%YAML 1.1\n---\na: yes\nb: 010").plain() == {"a": "yes", "b": 8}


@pytest.mark.parametrize("fast", [True, False])
def test_a_tab_may_separate_but_not_indent_c22(fast: bool) -> None:
    assert one("a:\tb\tc\t# note\nd: [\tx,\ty ]", fast=fast).plain() == {"a": "b\tc", "d": ["x", "y"]}
    found = parse("a:\n\tb: 1", "t", fast=fast).findings
    assert [(each.code, each.rule) for each in found] == [("no-yaml", "C-22")]
    assert "spaces" in found[0].help


@pytest.mark.parametrize(
    ("text", "line", "column", "help_"),
    [
        ("a:\n  b: 'open\n\n", 2, 6, "close the quote"),
        ("a: [1, 2\n", 1, 4, "close the bracket"),
        ("a:\n  b: 1\n c: 2\n", 3, 2, "indentation"),
        ("a: b: c\n", 1, 5, "in quotes"),
        ("a: @b\n", 1, 4, "in quotes"),
        ("a\nb: 1\n", 2, 2, "in quotes"),
    ],
)
def test_what_is_no_yaml_is_said_where_it_began_and_with_help(text: str, line: int, column: int, help_: str) -> None:
    for fast in (True, False):
        (found,) = parse(text, "t", fast=fast).findings
        assert (found.code, found.span.line, found.span.column) == ("no-yaml", line, column)
        assert help_ in found.help


def test_in_brackets_a_colon_before_a_bracket_belongs_to_the_word_c9() -> None:
    text = "a: [v:, w:]\nb: {v:}\nc: {'v':}\nd: [x:y]"
    for fast in (True, False):
        plain = one(text, fast=fast).plain()
        assert plain == {"a": ["v:", "w:"], "b": {"v:": None}, "c": {"v": None}, "d": ["x:y"]}


@pytest.mark.parametrize(
    ("text", "help_"),
    [("a: [curl, http://x/?a=b]", "in quotes"), (r'a: "b\/c"', "single quotes"), ("{a: {b:[c]}}", "comma")],
)
def test_what_go_yaml_does_not_read_is_refused_c22(text: str, help_: str) -> None:
    for fast in (True, False):
        (found,) = parse(text, "t", fast=fast).findings
        assert found.code == "no-yaml"
        assert help_ in found.help


def test_several_documents_come_one_by_one_c21() -> None:
    parsed = parse("a: 1\n---\nb: 2\n---\n", "t")
    assert [node.plain() for node in parsed.documents] == [{"a": 1}, {"b": 2}, None]


def test_the_documents_before_a_mistake_stay() -> None:
    parsed = parse("a: 1\n---\nb: [", "t")
    assert [node.plain() for node in parsed.documents] == [{"a": 1}]
    assert parsed.order == ((1, 1),)


@pytest.mark.parametrize("text", ["", "# nothing\n", "\n\n", "   "])
def test_a_text_without_a_value_has_no_document(text: str) -> None:
    assert parse(text, "t") == Parsed(())


@pytest.mark.parametrize("character", ["\0", "\x1b", "\x7f", "\ud800", "\ufffe"])
def test_a_control_character_is_a_finding_with_its_place_c22(character: str) -> None:
    assert codes(f"a: 1\nb: x{character}") == [("control-character", "C-22", 2, 5)]


def test_bytes_are_utf8_or_marked_utf16_c22() -> None:
    assert decode("é: 1".encode(), "t") == ("é: 1", None)
    assert decode("é: 1".encode("utf-16"), "t") == ("é: 1", None)
    text, problem = decode(b"a: 1\nb: \xff", "t")
    assert text == "a: 1\nb: \ufffd"
    assert problem is not None
    assert (problem.rule, str(problem.span)) == ("C-22", "t:2:4")


# ── places ─────────────────────────────────────────────────────────────────────────────────────────


def test_every_value_and_every_key_has_its_place() -> None:
    root = one("services:\n  wéb:\n    image: nginx\n    ports: ['80:80', 443]\n    labels:\n")
    service = root.at(("services", "wéb"))
    assert service is not None
    assert service.span == Span("t", 3, 5, 5)
    assert root.get("services").span == Span("t", 2, 3, 3)  # type: ignore[union-attr]
    assert service.keys["ports"] == Span("t", 4, 5, 5)
    assert service.at(("ports", 0)).span == Span("t", 4, 13, 7)  # type: ignore[union-attr]
    assert service.at(("ports", 1)).span == Span("t", 4, 22, 3)  # type: ignore[union-attr]
    assert service.get("labels").span == service.key_span("labels")  # type: ignore[union-attr]
    assert service.at(("ports", 7)) is None
    assert service.at(("image", "x")) is None


def test_columns_count_characters_not_bytes() -> None:
    assert one("{é😀: ü, b: c}").keys["b"] == Span("t", 1, 9, 1)


def test_marks_of_layers_are_kept() -> None:
    node = one("a: !reset {b: 1}\nc: !override [x]\nd: !reset").value
    assert [(value.mark, value.kind) for value in node.values()] == [
        ("reset", "map"), ("override", "list"), ("reset", "null"),
    ]  # fmt: skip


# ── bounds (C-6) ───────────────────────────────────────────────────────────────────────────────────


def bomb(levels: int) -> str:
    lines = ["a0: &a0 [" + ", ".join("x" * 10) + "]"]
    lines += [f"a{n}: &a{n} [" + ", ".join([f"*a{n - 1}"] * 10) + "]" for n in range(1, levels)]
    return "\n".join(lines)


def test_an_alias_bomb_is_the_time_out_of_the_engine_c6() -> None:
    found = parse(bomb(7), "t").findings
    assert [(each.code, each.error_class) for each in found] == [("too-many-aliases", "TimeoutError")]
    assert parse(bomb(4), "t").findings == ()


@pytest.mark.parametrize(
    "text", ["[" * 5000, "{a: " * 5000, "- " * 5000, "? " * 5000, "a: &a [x]\n" + "b: " + "[" * 100 + "*a"]
)
def test_nesting_has_a_bound_c6(text: str) -> None:
    assert codes(text)[0][:2] == ("nested-too-deep", "C-6")


def test_a_chain_of_merges_is_not_deep() -> None:
    text = "m0: &m0 {a: 1}\n" + "\n".join(f"m{n}: &m{n} {{<<: *m{n - 1}}}" for n in range(1, 150))
    assert one(text).plain()["m149"] == {"a": 1}


def test_a_text_has_a_longest_length_c6(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "LONGEST", 10)
    assert codes("a: 1234567890")[0][0] == "too-long"
    monkeypatch.setattr(source, "LONGEST", 1000)
    monkeypatch.setattr(source, "MOST_EVENTS", 10)
    assert codes("[1, 2, 3, 4, 5, 6, 7, 8, 9]")[0][0] == "too-many-values"


# ── both parsers give the same tree ────────────────────────────────────────────────────────────────

PIECES = [
    "a", "b", "c: ", "- ", "? ", ": ", "a: ", '"q"', "'s'", "|", ">", "|-", ">+", "|2", "{", "}", "[", "]", ", ",
    "&x ", "*x", "!!str ", "!t ", "!reset ", "#c", " #c", "\t", "  ", "    ", "\n", "\n  ", "\n    ", "\n- ", "<<: *x",
    "<<: ", '"a\n b"', "@", "`", "~", "1", "on", "é", "\n---\n", "...", "\\", '"\\n"', "''", "=", "{a: b}", "[a, b]",
    "a:b", "http://x", "::", "v:", "x?y", '"\\/"', "\r\n", '"', "'", "-\t", ":\t", "😀: ",
]  # fmt: skip
needs_both = pytest.mark.skipif(not HAS_LIBYAML, reason="PyYAML has no libyaml here")


@needs_both
@settings(max_examples=400)
@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
def test_both_parsers_give_the_same_tree(text: str) -> None:
    fast, slow = parse(text, "t"), parse(text, "t", fast=False)
    assert bool(fast.findings) == bool(slow.findings)
    if not fast.findings:
        assert [tree(node) for node in fast.documents] == [tree(node) for node in slow.documents]


@needs_both
@pytest.mark.parametrize("case", CASES["release"], ids=lambda case: case["id"])
def test_both_parsers_give_the_same_tree_for_every_case(case: dict[str, Any]) -> None:
    for text in case["files"].values():
        fast, slow = parse(text, "t"), parse(text, "t", fast=False)
        assert [tree(node) for node in fast.documents] == [tree(node) for node in slow.documents]
        assert [found.code for found in fast.findings] == [found.code for found in slow.findings]


@settings(max_examples=200)
@given(st.text(max_size=60) | st.lists(st.sampled_from(PIECES), max_size=20).map("".join))
def test_no_text_makes_parse_raise(text: str) -> None:
    for fast in (True, False):
        for node in parse(text, "t", fast=fast).documents:
            node.plain()


@example(2.0**-44)
@given(st.floats(allow_nan=False, allow_infinity=False))
def test_the_text_of_a_number_reads_back_as_the_number_c11(number: float) -> None:
    kind, value = resolve(scalar_text(Node("float", number, Span("t", 1, 1))))
    assert kind in ("int", "float")
    assert value == number
