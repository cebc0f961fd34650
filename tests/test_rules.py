"""All findings together, the catalogue of rules, and the map of host access."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kit.container import default_composition
from kit.diagnostics import Diagnostic, Severity
from kit.reader import read
from kit.reader.notes import FALSE_ALARM
from kit.rules import UnknownRule, check, host_access, rule, rules

CASES = json.loads((Path(__file__).parent / "cases" / "composition_cases.json").read_text(encoding="utf-8"))


def test_a_sound_composition_has_no_findings() -> None:
    text = "services:\n  proxy: {build: ./haproxy, depends_on: [data], ports: ['80:80']}\n  data: {build: ./data}\n"
    assert check(read(text)) == ()


def test_C_4_the_false_alarm_is_told_only_when_asked_for() -> None:
    reading = read("services: {web: {image: a, ports: ['80:80']}}")
    assert [found.code for found in check(reading, false_alarms=True)] == [FALSE_ALARM]


def test_release_and_device_speak_together_in_the_order_of_the_text() -> None:
    text = "services:\n  web:\n    image: a\n    restart: never\n    tty: false\n    expose: [80]\n"
    findings = check(read(text))
    assert [(found.rule, found.severity, found.span.line) for found in findings] == [
        ("C-106", Severity.IGNORED, 4),
        ("C-66", Severity.CHANGED, 5),
        ("C-45", Severity.WARNING, 6),
    ]


def test_findings_of_the_device_stand_at_their_entry_of_a_list() -> None:
    (found,) = check(read("services:\n  web:\n    image: a\n    labels:\n      - io.balena.features.avahi=1\n"))
    assert (found.rule, found.span.line, found.span.column) == ("C-89", 5, 9)


def test_a_release_that_is_not_made_is_not_judged_by_the_device() -> None:
    findings = check(read("services: {web: {image: a, restart: never, scale: 2}}"))
    assert [found.rule for found in findings] == ["C-44"]


@pytest.mark.parametrize("name", ["compose.yml", "compose.yaml", "sub/docker-compose.override.yml"])
def test_C_1_a_file_that_balena_does_not_look_for_is_told(name: str) -> None:
    assert [found.rule for found in check(read("services: {web: {image: a}}", name=name))] == ["C-1"]


def test_C_1_the_right_name_is_not() -> None:
    assert check(read("services: {web: {image: a}}", name="docker-compose.yaml")) == ()


def test_a_rule_is_found_by_its_number_however_it_is_written() -> None:
    assert {rule(text).id for text in ("C-52", "c-52", "C52", " c 052 ")} == {"C-52"}
    assert rule("S-44").id == "S-44"
    assert "Example" in str(rule("C-106"))


@pytest.mark.parametrize(
    ("text", "near"), [("C-116", ("S-116", "C-11")), ("52", ("C-52", "S-52")), ("x", ()), ("C-" + "9" * 50, ())]
)
def test_an_unknown_rule_is_answered_with_what_may_be_meant(text: str, near: tuple[str, ...]) -> None:
    with pytest.raises(UnknownRule) as caught:
        rule(text)
    assert caught.value.near == near


def test_there_are_265_rules() -> None:
    assert [each.id for each in rules()] == [f"C-{n}" for n in range(1, 116)] + [f"S-{n}" for n in range(1, 151)]


def project(case: dict[str, Any]) -> tuple[Diagnostic, ...]:
    reading = read([Path(name) for name in case["parse"]], files=case["files"], env=case["env"])
    return check(reading, false_alarms=True)


@pytest.mark.parametrize("case", CASES["release"], ids=[case["id"] for case in CASES["release"]])
def test_every_finding_names_a_rule_a_place_and_speaks_plainly(case: dict[str, Any]) -> None:
    known = {each.id for each in rules()}
    for found in project(case):
        assert found.rule in known
        assert found.span.line >= 1
        assert found.message
        assert not found.message.endswith(".")
        assert bool(found.error_class) is (found.severity is Severity.ERROR)


def test_C_114_a_single_container_opens_everything() -> None:
    rows = host_access(default_composition())
    assert {row.what for row in rows if row.danger == "device"} >= {"privileged", "io.resin.features.dbus"}
    assert "network_mode: host" in {row.what for row in rows}


def test_host_access_names_every_door() -> None:
    labels = {"io.balena.features.journal-logs": "on", "io.balena.features.gpu": "1", "io.balena.features.sysfs": "0"}
    service = {
        "pid": "host",
        "cap_add": ["SYS_ADMIN", "NET_ADMIN"],
        "devices": ["/dev/i2c-1:/dev/i2c-1:rwm"],
        "security_opt": ["seccomp=unconfined", "no-new-privileges"],
        "labels": labels,
    }
    assert [(row.what, row.danger, row.rule) for row in host_access({"services": {"web": service}})] == [
        ("pid: host", "device", "C-56"),
        ("SYS_ADMIN", "device", "C-69"),
        ("NET_ADMIN", "part", "C-69"),
        ("/dev/i2c-1:/dev/i2c-1:rwm", "part", "C-58"),
        ("seccomp=unconfined", "part", "C-59"),
        ("io.balena.features.journal-logs", "read", "C-89"),
        ("io.balena.features.gpu", "part", "C-89"),
    ]


def test_host_access_of_values_is_that_of_the_form() -> None:
    reading = read(
        "services: {web: {image: a, privileged: true, cap_add: [NET_RAW], labels: {io.balena.features.dbus: '1'}}}"
    )
    assert reading.normal is not None
    assert reading.composition is not None
    assert host_access(reading.composition) == host_access(reading.normal)


def test_a_service_that_keeps_to_itself_opens_nothing() -> None:
    assert host_access({"services": {"web": {"image": "a", "labels": {"io.balena.features.dbus": "yes"}}}}) == ()


def test_C_50_a_port_that_the_device_refuses_is_found_behind_a_range() -> None:
    findings = check(read("services:\n  web:\n    image: a\n    ports:\n      - 1-3:1-3\n      - 127.0.0.1::80\n"))
    assert [(found.code, found.span.line) for found in findings] == [("device-port", 6)]


def test_C_50_a_bare_port_is_told_once_for_each_line() -> None:
    findings = check(read("services:\n  web:\n    image: a\n    ports: [80, 90-92, '1:1']\n"))
    assert [(found.rule, found.code, found.severity) for found in findings] == [
        ("C-50", "bare-port", Severity.IGNORED)
    ] * 2
    assert check(read("services: {web: {image: a, network_mode: none, ports: ['1:1']}}")) == ()


def test_S_44_S_46_a_range_that_often_means_something_else_is_told() -> None:
    labels = "io.balena.features.requires.sw.linux: '>5.15.*', io.balena.features.requires.sw.balena-os: '>6.3.0+rev4'"
    findings = check(read(f"services: {{web: {{image: a, labels: {{{labels}}}}}}}"))
    assert [(found.rule, found.code, found.help) for found in findings] == [
        ("S-46", "skips-its-own-line", "did you mean `>=5.15`?"),
        ("S-44", "build-ignored", "did you mean `>6.3.0`?"),
    ]


def test_memory_and_disks_are_the_whole_device() -> None:
    (row,) = host_access({"services": {"web": {"devices": ["/dev/mem:/dev/mem:rwm"]}}})
    assert row.danger == "device"
