"""The vanishing list: what was written, what balena keeps of it, and what the device uses."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kit.reader import read
from kit.vanishing import Row, as_json, as_text, shown, vanishing

CASES = json.loads((Path(__file__).parent / "cases" / "composition_cases.json").read_text(encoding="utf-8"))["release"]
WEB = "services:\n  web:\n    image: nginx\n"

ENDS = [
    # line under `web`                    kept                        device             outcome    rule
    ("privileged: true", "kept", "privileged", "=", ""),
    ("container_name: box", "removed, with a warning", "web_<image>_<release>_<commit>", "changed", "C-45"),
    ("expose: ['80']", "removed, with a warning", "nothing", "gone", "C-45"),
    ("restart: on-failure:3", "kept", "always", "changed", "C-106"),
    ("restart: on-failure", "kept", "as written", "=", ""),
    ("volumes: ['/run/dbus:/x']", "label io.balena.features.dbus: 1", "/host/run/dbus", "changed", "C-52"),
    ("volumes: ['/var/log/journal:/x']", "removed silently", "nothing", "gone", "C-52"),
    ("volumes: ['./cfg:/cfg']", "the release is refused", "", "refused", "C-51"),
    ("labels: {io.balena.features.avahi: '1'}", "kept", "nothing", "gone", "C-89"),
    ("labels: {io.balena.features.dbus: '1'}", "kept", "/host/run/dbus", "=", ""),
    ("labels: [io.balena.features.dbus=1]", "kept", "/host/run/dbus", "=", ""),
    ("labels: {io.balena.features.dbus: 'yes'}", "kept", "off", "gone", "C-88"),
    ("labels: {io.balena.features.requires.sw.os: '>=6'}", "kept", "nothing", "gone", "C-92"),
    ("labels: {io.balena.update.strategy: handover}", "kept", "download-then-kill", "changed", "C-95"),
    ("environment: {MODE: 010}", "8", "as kept", "changed", "C-13"),
    ("environment: [MODE=010]", "kept", "as written", "=", ""),
    ("environment: {MY-VAR: '1'}", "kept", "the device refuses it", "refused", "C-99"),
    ("command: a && b", '["a"]', "as kept", "changed", "C-48"),
    ("command: a b", 'kept as ["a", "b"]', "as written", "=", ""),
    ("stop_grace_period: 90s", "kept as 1m30s", "as written", "=", ""),
    ("stop_grace_period: 500ms", "kept", "whole seconds", "changed", "C-107"),
    ("shm_size: -1", "kept", "the default", "gone", "C-62"),
    ("healthcheck: {start_period: 5s}", "kept", "nothing", "gone", "C-107"),
    ("tty: false", "removed silently", "true", "changed", "C-66"),
    ("tmpfs: ['/t:size=1m']", "kept", "a folder of that whole name", "changed", "C-53"),
    ("mem_limit: 1e9", "removed silently", "nothing", "gone", "C-62"),
    ("cpus: 0.5", "kept", "the device refuses it", "refused", "C-46"),
    ("profiles: [debug]", "kept", "nothing", "gone", "C-41"),
    ("ports: ['127.0.0.1::80']", "kept", "the device refuses it", "refused", "C-50"),
    ("ports: [{target: 80, published: '80', mode: host}]", "without mode", "as kept", "changed", "C-45"),
    ("ports: ['80']", "kept", "host port 80", "changed", "C-50"),
    ("ports: [{target: 53, protocol: udp}]", "kept", "host port 53", "changed", "C-50"),
    ("ports: ['8080:80']", "kept", "as written", "=", ""),
    ("bogus: 1", "the release is refused", "", "refused", "C-8"),
    ("x-note: hello", "removed silently", "nothing", "gone", "C-20"),
]


def ends(text: str, **more: Any) -> list[Row]:
    return list(vanishing(read(text, **more)))


@pytest.mark.parametrize(("line", "kept", "device", "outcome", "rule"), ENDS, ids=[row[0] for row in ENDS])
def test_a_setting_ends_as_the_rules_say(line: str, kept: str, device: str, outcome: str, rule: str) -> None:
    image, row = ends(f"{WEB}    {line}\n")
    assert (image.written, image.outcome) == ("image: nginx", "=")
    assert (row.kept, row.device, row.outcome, row.rule) == (kept, device, outcome, rule)
    assert row.span.line == 4
    assert bool(row.note) == (outcome != "=")


def test_rows_come_in_the_order_of_the_file_with_the_words_of_the_file() -> None:
    text = WEB + "    environment: {A: 0x1F, B: '2'}\n    dns: 9.9.9.9\nvolumes:\n  data:\n  store: {driver: local}\n"
    assert [row.written for row in ends(text)] == [
        "image: nginx", "environment: A: 0x1F", "environment: B: '2'", "dns: 9.9.9.9",
        "volumes: data:", "volumes: store: driver: local",
    ]  # fmt: skip


def test_a_replaced_entry_has_a_row_of_its_own_before_the_one_that_counts() -> None:
    rows = ends(WEB + "    labels: [a=1, a=2]\n    volumes: [old:/x, new:/x]\nvolumes: {old: , new: }\n")
    assert [(row.written, row.outcome) for row in rows[1:5]] == [
        ("labels: a=1", "gone"), ("labels: a=2", "="), ("volumes: old:/x", "gone"), ("volumes: new:/x", "="),
    ]  # fmt: skip


def test_a_port_that_the_device_refuses_is_found_behind_a_range() -> None:
    rows = ends(WEB + "    ports: ['5000-5002:6000-6002', '127.0.0.1::80', '53:53']\n")
    assert [row.outcome for row in rows[1:]] == ["=", "refused", "="]


def test_one_error_does_not_hide_what_becomes_of_the_other_lines() -> None:
    rows = ends(WEB + "    bogus: 1\n    restart: on-failure:3\n  db: {}\n")
    assert [(row.path[1:], row.outcome) for row in rows] == [
        (("web", "image"), "="), (("web", "bogus"), "refused"), (("web", "restart"), "changed"), (("db",), "refused"),
    ]  # fmt: skip


def test_an_error_without_a_setting_of_its_own_is_still_told() -> None:
    (command, lost) = ends("services: {web: {command: ls}}")
    assert command.outcome == "="
    assert (lost.path, lost.outcome, lost.rule) == (("services", "web"), "refused", "C-43")


def test_what_cannot_be_read_has_no_rows() -> None:
    assert ends("services: [") == []
    assert ends("") == []


def test_a_file_that_is_folded_says_what_came_out_of_it() -> None:
    (row,) = [row for row in ends(WEB + "    env_file: a.env\n", files={"a.env": "B=2\n"}) if "env_file" in row.written]
    assert (row.kept, row.outcome, row.rule) == ('["B"]', "changed", "C-38")


def test_the_list_is_plain_values_and_plain_text() -> None:
    rows = ends(WEB + "    tty: false\n")
    first, second = json.loads(json.dumps(as_json(rows)))
    assert first["path"] == ["services", "web", "image"]
    assert (second["outcome"], second["rule"], second["span"]["line"]) == ("changed", "C-66", 4)
    assert as_text(rows).splitlines() == [
        "    3  =        image: nginx",
        "    4  changed  tty: false",
        "                removed silently; on the device: true (C-66)",
    ]


def test_text_for_a_terminal_cannot_drive_it() -> None:
    assert "\x1b" not in as_text(ends(WEB + '    hostname: "\\e[31m"\n    tty: false\n'))


def test_long_and_folded_values_stay_on_one_short_line() -> None:
    assert len(shown("x" * 1000)) == 200
    rows = ends(f"x-a: &a [{'1, ' * 900}1]\nx-b: &b [{'*a, ' * 90}*a]\nx-c: [{'*b, ' * 9}*b]\n{WEB}")
    assert all(len(row.written) < 220 and "\n" not in row.written for row in rows)
    (row,) = (row for row in ends(WEB + "    hostname: |\n      a\n      b\n") if "hostname" in row.written)
    assert row.written == "hostname: a b"


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_a_list_agrees_with_the_reading_it_is_of(case: dict[str, Any]) -> None:
    reading = read([Path(name) for name in case["parse"]], files=case["files"], env=case["env"])
    rows = vanishing(reading)
    assert reading.ok != any(row.kept_mark == "refused" for row in rows) or not rows
    for row in rows:
        node = reading.tree.at(row.path) if reading.tree else None
        kept: Any = reading.normal
        for key in row.path:
            kept = kept.get(key) if isinstance(kept, dict) else None
        if row.kept == "kept" and node is not None and isinstance(node.value, str) and kept is not None:
            assert kept == node.value, row


ATOMS = st.sampled_from(["", "~", "1", "010", "x", "'80:80'", "yes", "[a]", "{a: b}", "[[1]]", "*n", "!reset 1", "1.5"])
FIELDS = (
    "image build command ports volumes environment labels tty restart devices healthcheck networks depends_on ulimits"
    " tmpfs mem_limit cpus expose extends env_file network_mode profiles security_opt extra_hosts bogus"
)


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(st.sampled_from(FIELDS.split()), ATOMS, max_size=6), ATOMS)
def test_no_composition_is_too_odd_for_a_list(fields: dict[str, str], other: str) -> None:
    body = "".join(f"    {field}: {atom}\n" for field, atom in fields.items())
    reading = read(f"x-n: &n [1]\nservices:\n  web:\n{body or '    {}'}\n  other: {other}\nvolumes: {other}\n")
    rows = vanishing(reading)
    assert all(row.outcome in ("=", "changed", "gone", "refused") for row in rows)
    assert json.dumps(as_json(rows))
    assert reading.ok or not rows or "refused" in {row.outcome for row in rows}


def test_C_49_a_port_that_two_services_publish_is_told_in_the_row_of_that_port() -> None:
    ports = ("['8000-8002:8000-8002', '53:53']", "['70-72:70-72', '53:5']")
    text = "services:\n  a: {{image: x, ports: {}}}\n  b: {{image: y, ports: {}}}\n".format(*ports)
    rows = {(row.path[1], row.written): row.device_mark for row in vanishing(read(text)) if "ports" in row.path}
    assert [where for where, mark in rows.items() if mark == "changed"] == [("b", "ports: '53:5'")]
