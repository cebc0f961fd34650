"""Variables (C-24 … C-31). The results of the templates were observed on the real engine."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kit.diagnostics import Severity
from kit.reader import normal_form, read
from kit.reader.interpolate import Malformed, Missing, substitute

SHELL = {"SET": "1", "EMPTY": ""}

TEMPLATES = [
    # C-24: what is an expression, and what is only a dollar
    ("$SET-x", "1-x"), ("${SET}x", "1x"), ("$SETx", ""), ("$$SET", "$SET"), ("$$$SET", "$1"), ("$", "$"), ("a$", "a$"),
    ("$1", "$1"), ("$(x)", "$(x)"), ("$ SET", "$ SET"), ("$é", "$é"), ("$_", ""), ("{$SET}", "{1}"), ("${set}", ""),
    ("$SET}${SET}", "1}1"), ("${SET} {}", "1 {}"), ("$${SET}", "${SET}"), ("${SET}\n${SET}}", "1\n1}"),
    # C-25: the operators
    ("${UN}", ""), ("${EMPTY}", ""), ("${UN-d}", "d"), ("${EMPTY-d}", ""), ("${SET-d}", "1"), ("${UN:-d}", "d"),
    ("${EMPTY:-d}", "d"), ("${SET:-d}", "1"), ("${UN+d}", ""), ("${EMPTY+d}", "d"), ("${SET+d}", "d"), ("${UN:+d}", ""),
    ("${EMPTY:+d}", ""), ("${SET:+d}", "d"), ("${EMPTY?m}", ""), ("${SET?m}", "1"), ("${SET:?m}", "1"),
    ("${FROM-SHELL}", "SHELL"), ("${UN:-}", ""), ("${UN-a-b:-c?d}", "a-b:-c?d"), ('${UN:-"a"}', '"a"'),
    ("${UN:-${EMPTY:-${SET}z}}", "1z"), ("x${UN:-$$HOME}y", "x$HOMEy"), ("${UN:-$1}", "$1"), ("${UN:-a$}", "a$"),
    # braces are counted, but not after an opening one
    ("${UN:-{}}", "{}"), ("${SET:-{}}", "1"), ("${SET:-a}}", "1}"), ("${UN:-a}b}c", "ab}c"), ("${SET:-{}} b}", "1"),
    ("${SET:-{{}}} b}", "1} b}"), ("${UN:-{{.Name}}} x {}", "{{.Name}} x {}"), ("${SET:-{ } } z}", "1 z}"),
    ("${UN:-{a}} ${SET}", "{a} 1"), ("${UN:-a}${UN:-{}}", "a{}"), ("${UN:-\\}}", "\\}"), ("${SET:-$${}} k}", "1"),
]  # fmt: skip
MALFORMED = [
    "${}", "${1A}", "${ A }", "${A.B}", "${A/x/y}", "${A:0:2}", "${A", "${SET:}", "${UN=3}", "${UN!x}", "${É}",
    "${SET}${", "${UN:-${}}", "${UN:-a\nb}", "${UN:-{}} ${SET}", "${UN:-${SET}", "${SET:-${1}}",
]  # fmt: skip
REQUIRED = ["${UN?m}", "${UN:?m}", "${EMPTY:?m}", "${UN?}", "${SET:-${UN?m}}", "${UN+${B?m}}", "${SET?${B?}}"]


@pytest.mark.parametrize(("template", "result"), TEMPLATES)
def test_a_template_gives_what_the_engine_gives_c24_c25(template: str, result: str) -> None:
    assert substitute(template, SHELL.get) == result


@pytest.mark.parametrize("template", MALFORMED)
def test_a_brace_that_begins_no_expression_is_an_error_c24(template: str) -> None:
    with pytest.raises(Malformed):
        substitute(template, SHELL.get)


@pytest.mark.parametrize("template", REQUIRED)
def test_a_required_variable_without_a_value_is_an_error_c25(template: str) -> None:
    with pytest.raises(Missing):
        substitute(template, SHELL.get)


@settings(max_examples=500)
@given(
    st.lists(st.sampled_from(["$", "{", "}", "${", "A", "SET", ":-", "-", "+", "?", "\n", "x"]), max_size=30).map(
        "".join
    )
)
def test_a_template_fails_in_two_ways_only(template: str) -> None:
    with suppress(Malformed, Missing):
        assert isinstance(substitute(template, SHELL.get), str)


def test_deep_and_long_templates_end() -> None:
    for template in ("${A:-" * 20_000, "${A:-" * 20_000 + "}" * 20_000, "${A-{}" * 20_000 + "}"):
        with pytest.raises(Malformed):
            substitute(template, SHELL.get)
    assert substitute("${SET}" * 20_000, SHELL.get) == "1" * 20_000


# ── in a composition ───────────────────────────────────────────────────────────────────────────────


def service(text: str, env: dict[str, str] | None = None) -> dict[str, object]:
    reading = read(f"services:\n  main:\n    image: alpine\n{text}", env=env)
    assert reading.ok, reading.findings
    found: dict[str, object] = normal_form(reading)["services"]["main"]
    return found


def found(text: str, code: str, env: dict[str, str] | None = None) -> tuple[str, str, int, int]:
    reading = read(f"services:\n  main:\n    image: alpine\n{text}", env=env)
    (one,) = [each for each in reading.findings if each.code == code]
    return one.rule, str(one.severity), one.span.line, one.span.column


def test_an_unset_variable_is_empty_and_that_is_said_c26() -> None:
    assert service("    hostname: a${TAG}b") == service("    hostname: ab")
    assert found("    hostname: a${TAG}b", "unset-variable") == ("C-26", "changed", 4, 15)


def test_a_default_is_no_surprise() -> None:
    codes = [
        each.code
        for each in read(
            "services: {main: {image: 'a:${TAG:-b}', hostname: '${A?-}$B'}}", env={"A": "", "B": "c"}
        ).findings
    ]
    assert "unset-variable" not in codes


def test_only_the_given_environment_counts_c27(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KIT_SECRET", "leaked")
    assert "hostname" not in service("    hostname: $KIT_SECRET")
    assert service("    environment: [KIT_SECRET]")["environment"] == {"KIT_SECRET": ""}
    assert service("    hostname: $KIT_SECRET", {"KIT_SECRET": "given"})["hostname"] == "given"


def test_the_env_file_of_the_project_is_not_read_and_that_is_said_c27() -> None:
    reading = read("services: {main: {image: 'a:${TAG:-none}', hostname: '${OTHER:-o}'}}", files={".env": "TAG=3\n"})
    assert normal_form(reading)["services"]["main"]["image"] == "a:none"
    (said,) = [each for each in reading.findings if each.rule == "C-27"]
    assert (said.code, said.span.line, said.severity) == ("env-not-read", 1, Severity.CHANGED)
    assert "`TAG`" in said.message


def test_the_project_name_is_random_c27() -> None:
    assert (
        found("    hostname: $COMPOSE_PROJECT_NAME", "random-project-name", {"COMPOSE_PROJECT_NAME": "x"})[0] == "C-27"
    )


def test_values_are_filled_in_and_keys_are_not_c28() -> None:
    read_ = service("    labels: ['$K=v']\n    environment: {$K: $K}\n", {"K": "key"})
    assert (read_["labels"], read_["environment"]) == ({"key": "v"}, {"$K": "key"})
    assert found("    environment: {$K: v}", "variable-in-key") == ("C-28", "changed", 4, 19)


def test_values_never_become_yaml_c28() -> None:
    assert service("    command: ['$X', '$X']", {"X": "[a, b]\nc: d"})["command"] == ["[a, b]\nc: d"] * 2


def test_extensions_are_filled_in_too_c28_c20() -> None:
    assert found("    x-note: ${NOPE?}", "missing-variable")[0] == "C-25"


@pytest.mark.parametrize("quote", ["'", '"', ""])
def test_quotes_do_not_protect_c29(quote: str) -> None:
    assert service(f"    hostname: {quote}$HOME{quote}", {"HOME": "/me"})["hostname"] == "/me"
    assert service(f"    hostname: {quote}$$HOME{quote}", {"HOME": "/me"})["hostname"] == "$HOME"


def test_a_command_that_takes_the_developers_values_is_said_c29() -> None:
    env = {"HOME": "/me"}
    assert found("    command: echo $HOME", "variable-filled-in", env) == ("C-29", "changed", 4, 14)
    assert "variable-filled-in" not in [
        each.code for each in read("services: {a: {image: 'x:$HOME'}}", env=env).findings
    ]


def test_a_dash_that_looks_like_a_part_of_the_name_is_said_c25() -> None:
    assert found("    hostname: ${FROM-SHELL}", "dash-is-default")[0] == "C-25"


@pytest.mark.parametrize(
    ("text", "key", "value"),
    [
        ("privileged: yes", "privileged", True),
        ("privileged: '${P:-ON}'", "privileged", True),
        ("init: 'No'", "init", False),
        ("cpu_shares: '${N:-5}'", "cpu_shares", 5),
        ("oom_score_adj: '-5'", "oom_score_adj", -5),
        ("cpus: '0.5'", "cpus", 0.5),
        ("ulimits: {core: '-1'}", "ulimits", {"core": -1}),
        ("ulimits: {core: {soft: '1', hard: '${H-2}'}}", "ulimits", {"core": {"soft": 1, "hard": 2}}),
        ("ports: [{target: '80'}]", "ports", ["80"]),
        ("healthcheck: {test: x, retries: '3'}", "healthcheck", {"test": ["CMD-SHELL", "x"], "retries": 3}),
    ],
)
def test_texts_are_cast_where_a_field_wants_it_c30(text: str, key: str, value: object) -> None:
    assert service(f"    {text}")[key] == value


@pytest.mark.parametrize(
    "text",
    ["privileged: maybe", "privileged: '$UNSET'", "cpu_shares: 1x", "cpu_shares: ''", "cpus: a",
     "ulimits: {core: unlimited}", "healthcheck: {disable: 'oui'}", "scale: 'two'", "ports: [{target: http}]"],
)  # fmt: skip
def test_what_cannot_be_cast_is_an_error_c30(text: str) -> None:
    assert found(f"    {text}", "failed-cast")[:2] == ("C-30", "error")


def test_a_variable_without_a_value_copies_the_one_of_the_build_machine_c31() -> None:
    env = {"TOKEN": "t0p"}
    assert service("    environment: [TOKEN, OTHER]", env)["environment"] == {"TOKEN": "t0p", "OTHER": ""}
    assert service("    environment: {TOKEN: , OTHER: }", env)["environment"] == {"TOKEN": "t0p", "OTHER": ""}
    build = service("    build: {args: [TOKEN, OTHER]}", env)["build"]
    assert isinstance(build, dict)
    assert build["args"] == {"TOKEN": "t0p"}


def test_all_mistakes_are_found_and_the_first_is_marked() -> None:
    reading = read("services: {a: {image: '${'}, b: {image: '${X?}'}, c: {image: '${'}}")
    assert [each.code for each in reading.findings if each.severity is Severity.ERROR] == [
        "unreadable-variable", "missing-variable", "unreadable-variable",
    ]  # fmt: skip
    assert [each.path for each in reading.findings if each.reported] == [("services", "a", "image")]
