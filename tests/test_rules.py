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


def underlined(text: str) -> list[tuple[str, str]]:
    """Each finding of a text of one file, and what it underlines."""
    found = [(each.code, each.span) for each in check(read(text))]
    lines = text.split("\n")
    return [(code, lines[at.line - 1][at.column - 1 :][: at.width]) for code, at in found]


def test_C_89_C_97_C_99_C_107_what_is_wrong_with_a_name_is_underlined_at_the_name() -> None:
    text = (
        "services:\n  -a:\n    image: x\n    environment: {MY-VAR: one}\n"
        "    labels:\n      io.balena.features.sysf: 1\n      io.balena.app-id: 2\n"
        "    healthcheck: {test: [CMD, a], start_period: 3s}\n"
    )
    assert underlined(text) == [
        ("device-name-not-legal", "-a"),
        ("device-name-not-legal", "MY-VAR"),
        ("unknown-feature", "io.balena.features.sysf"),
        ("label-overwritten", "io.balena.app-id"),
        ("health-ignored", "start_period"),
    ]


def test_C_49_of_ports_that_two_services_publish_the_very_port_is_underlined() -> None:
    text = (
        "services:\n  a: {image: x, ports: ['53:53', '8000-8002:8000-8002']}\n"
        "  b:\n    image: y\n    ports:\n      - 80:80\n      - 8001:81\n      - 127.0.0.1:53:53\n      - 53:9\n"
    )
    assert underlined(text) == [("port-shared", "8001:81"), ("port-shared", "53:9")]


def test_C_38_C_40_C_99_a_name_from_a_file_stands_where_the_file_is_named() -> None:
    files = {"e.env": "X.Y=1\n", "l.env": "io.balena.features.dbux=1\n"}
    text = "services:\n  a:\n    image: x\n    environment: {A: b}\n    env_file: e.env\n    label_file: [l.env]\n"
    found = {each.code: str(each.span) for each in check(read(text, files=files))}
    assert found["device-name-not-legal"] == "docker-compose.yml:5:15"
    assert found["unknown-feature"] == "docker-compose.yml:6:18"


@pytest.mark.parametrize(
    ("item", "hint"),
    [
        ("io.balena.features.dbus", "write `io.balena.features.dbus=1` to turn it on"),
        ('"io.balena.features.dbus: 1"', "write `io.balena.features.dbus=1` to turn it on"),
    ],
)
def test_C_88_the_help_for_a_label_without_a_value_is_a_label_that_works(item: str, hint: str) -> None:
    found = check(read(f"services:\n  a:\n    image: x\n    labels:\n      - {item}\n"))
    assert hint in [each.help for each in found]


def test_C_62_a_size_that_the_device_cannot_read_names_what_it_takes_instead() -> None:
    found = check(read("services: {a: {image: x, shm_size: -1, mem_limit: -1}}"))
    assert [each.message for each in found] == [
        "the device cannot read `shm_size: -1` and takes 64 MiB instead",
        "the device cannot read `mem_limit: -1` and takes no limit instead",
    ]


def test_C_107_a_time_to_stop_is_told_in_whole_seconds() -> None:
    found = check(read("services: {a: {image: x, stop_grace_period: 1.7s}}"))
    assert [each.message for each in found] == ["`1.7s` is cut to whole seconds: the device waits 1 s"]
