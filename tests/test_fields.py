"""The tables of fields: what may stand where, and what is cast."""

from __future__ import annotations

from typing import Any

import pytest

from kit.reader.fields import CASTS, FORMS, LISTS, TABLES, cast, check_schema, pattern, rule_named
from kit.reader.notes import SAYINGS, Notes
from kit.rules import rules
from kit.source import parse


def findings(text: str) -> list[tuple[str, str, tuple[str | int, ...]]]:
    note = Notes()
    (root,) = parse(text, "t").documents
    check_schema(root, note)
    return [(found.rule, found.code, found.path) for found in note.results() if found.severity == "error"]


def test_c8_services_at_the_top_are_told_where_they_belong() -> None:
    note = Notes()
    (root,) = parse("service_a: {image: a}\nservces: {web: {image: a}}", "t").documents
    check_schema(root, note)
    assert [found.help for found in note.results() if found.severity == "error"] == [
        "write `services:` above the services, and indent them",
        "did you mean `services`?",
    ]


WEB = "services: {{web: {{image: a, {} }}}}"
WRONG = [
    # field                                rule      code               path below the service
    ("user: 1000", "C-10", "wrong-kind", ("user",)),
    ("hostname: 5", "C-10", "wrong-kind", ("hostname",)),
    ("restart: false", "C-10", "wrong-kind", ("restart",)),
    ("ports: '80:80'", "C-10", "wrong-kind", ("ports",)),
    ("cap_add: ALL", "C-10", "wrong-kind", ("cap_add",)),
    ("depends_on: db", "C-10", "wrong-kind", ("depends_on",)),
    ("profiles: dev", "C-10", "wrong-kind", ("profiles",)),
    ("command: [a, 5]", "C-10", "wrong-kind", ("command", 1)),
    ("environment: {A: [b]}", "C-10", "wrong-kind", ("environment", "A")),
    ("environment: [A: 1]", "C-10", "wrong-kind", ("environment", 0)),
    ("labels: ", "C-16", "empty-value", ("labels",)),
    ("ports: ~", "C-16", "empty-value", ("ports",)),
    ("environment: {A: 2024-01-02}", "C-12", "unquoted-date", ("environment", "A")),
    ("volume_driver: x", "C-8", "unknown-key", ("volume_driver",)),
    ("log_driver: x", "C-8", "unknown-key", ("log_driver",)),
    ("net: x", "C-8", "unknown-key", ("net",)),
    ("healthcheck: {tset: x}", "C-8", "unknown-key", ("healthcheck", "tset")),
    ("build: {contxt: x}", "C-8", "unknown-key", ("build", "contxt")),
    ("networks: {n: {bogus: 1}}", "C-8", "unknown-key", ("networks", "n", "bogus")),
    ("cgroup: foo", "C-56", "unknown-word", ("cgroup",)),
    ("depends_on: {db: {}}", "C-55", "missing-key", ("depends_on", "db")),
    ("depends_on: {db: {condition: up}}", "C-55", "unknown-word", ("depends_on", "db", "condition")),
    ("depends_on: [db, db]", "C-33", "repeated-item", ("depends_on", 1)),
    ("security_opt: [a, a]", "C-33", "repeated-item", ("security_opt", 1)),
    ("ulimits: {nofile: {soft: 1}}", "C-60", "missing-key", ("ulimits", "nofile")),
    ("volumes: [{type: weird, target: /x}]", "C-51", "unknown-word", ("volumes", 0, "type")),
    ("oom_score_adj: 1001", "C-70", "out-of-range", ("oom_score_adj",)),
    ("mem_reservation: 1.5", "C-62", "wrong-kind", ("mem_reservation",)),
    ("devices: [{target: /x}]", "C-58", "missing-key", ("devices", 0)),
    ("privileged: 1", "C-10", "wrong-kind", ("privileged",)),
    ("pull_policy: foo", "C-8", "unreadable-text", ("pull_policy",)),
    ("use_api_socket: 'yes'", "C-10", "wrong-kind", ("use_api_socket",)),
]


@pytest.mark.parametrize(("field", "rule", "code", "path"), WRONG, ids=[row[0] for row in WRONG])
def test_a_value_that_does_not_fit_is_found_with_its_rule(
    field: str, rule: str, code: str, path: tuple[Any, ...]
) -> None:
    assert findings(WEB.format(field)) == [(rule, code, ("services", "web", *path))]


RIGHT = [
    "command: ~",
    "entrypoint: ~",
    "pid: ~",
    "labels: {a: ~, b: 1, c: yes}",
    "ports: [80, '80', {target: 80}]",
    "cpu_shares: '5'",
    "x-note: {anything: [2024-01-02]}",
    "healthcheck: {x-a: 1}",
    "dns: 1.1.1.1",
    "tmpfs: /t",
    "mem_limit: 0.5",
    "mem_reservation: 2.0",
    "deploy: ~",
    "networks: {n: ~}",
    "extra_hosts: {a: [b]}",
    "expose: [80]",
    "group_add: [5, a]",
]


@pytest.mark.parametrize("field", RIGHT)
def test_C_10_C_16_C_20_what_fits_is_not_found(field: str) -> None:
    assert findings(WEB.format(field)) == []


TOP = [
    ("services: ~", [("C-7", ("services",))]),
    ("services: {web: ~}", [("C-7", ("services", "web"))]),
    ("services: {web: 5}", [("C-7", ("services", "web"))]),
    ("services: {'a b': {image: a}}", [("C-8", ("services", "a b"))]),
    ("volumes: {'a b': }", [("C-8", ("volumes", "a b"))]),
    ("networks: {'a b': {driver: 5}}", []),  # names of networks are not looked at (C-8)
    ("services: {-a: {image: a}, a.b: {image: a}, Main: {image: a}}", []),
    ("version: 2.4", [("C-23", ("version",))]),
    ("version: '2.4'", []),
    ("name: 5", [("C-23", ("name",))]),
    ("bogus: 1", [("C-8", ("bogus",))]),
    ("x-bogus: 1", []),
    ("networks: {n: , m: {internal: yes}}", []),
    ("networks: {n: {config_only: true}}", [("C-8", ("networks", "n", "config_only"))]),
    ("services: {}", []),
]


@pytest.mark.parametrize(("text", "expected"), TOP, ids=[row[0] for row in TOP])
def test_C_7_C_8_C_23_the_top_level_has_its_own_keys(text: str, expected: list[tuple[str, Any]]) -> None:
    assert [(rule, path) for rule, _code, path in findings(text)] == expected


def test_C_8_an_unknown_key_is_told_with_the_nearest_known_one() -> None:
    note = Notes()
    check_schema(parse("services: {web: {imgae: nginx}}", "t").documents[0], note)
    (found,) = note.results()
    assert found.help == "did you mean `image`?"
    assert str(found.span) == "t:1:18"


def test_C_12_a_date_is_put_in_quotes_by_its_fix() -> None:
    note = Notes()
    check_schema(parse("services: {web: {image: a, labels: {d: 2024-01-02}}}", "t").documents[0], note)
    (found,) = note.results()
    assert found.fix is not None
    assert found.fix.replacement == '"2024-01-02"'


def test_many_mistakes_are_found_quickly() -> None:
    text = "services:\n  web:\n    image: a\n" + "".join(f"    imagine{n}: 1\n" for n in range(3000))
    assert len(findings(text)) == 3000


CAST = [
    (("services", "a", "privileged"), "bool"),
    (("services", "a", "ports", 0, "target"), "int"),
    (("services", "a", "cpus"), "float"),
    (("services", "a", "ulimits", "core"), "int"),
    (("services", "a", "ulimits", "core", "hard"), "int"),
    (("services", "a", "volumes", 3, "volume", "nocopy"), "bool"),
    (("networks", "n", "internal"), "bool"),
    (("volumes", "v", "external"), "bool"),
]


@pytest.mark.parametrize(("path", "kind"), CAST)
def test_C_30_some_places_turn_text_into_another_kind(path: tuple[Any, ...], kind: str) -> None:
    assert CASTS[pattern(path)] == kind


@pytest.mark.parametrize(
    "path", [("services", "a", "image"), ("services", "a", "attach"), ("name",), ("services", "a", "mem_limit")]
)
def test_C_30_other_places_do_not(path: tuple[Any, ...]) -> None:
    assert pattern(path) not in CASTS


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("YES", "bool", True),
        ("off", "bool", False),
        ("", "bool", None),
        ("1", "bool", None),
        ("5", "int", 5),
        ("-5", "int", -5),
        ("50ms", "int", None),
        ("5.0", "int", None),
        ("9" * 5000, "int", None),
        ("0.5", "float", 0.5),
        ("1e3", "float", 1000.0),
        ("x", "float", None),
    ],
)
def test_C_30_a_text_is_cast_or_refused(text: str, kind: str, value: object) -> None:
    assert cast(text, kind) == value


def test_every_field_has_a_form_and_every_list_names_fields() -> None:
    keys = rule_named("@service")["keys"]
    assert set(keys) == set(FORMS)
    for name in ("forbidden", "new"):
        assert set(LISTS[name]) <= set(keys)
    build = rule_named("@build")["keys"]
    assert set(LISTS["forbidden_in_build"]) <= set(build)


def test_the_tables_and_the_findings_name_rules_that_exist() -> None:
    known = {each.id for each in rules()}
    assert {rule for _kind, rule in TABLES["casts"].values()} <= known
    assert {row["rule"] for row in SAYINGS.values()} <= known


def test_every_finding_says_what_helps_in_plain_words() -> None:
    for code, row in SAYINGS.items():
        assert row["message"][-1] not in ".!", code
        assert len(row["message"]) < 160, code
