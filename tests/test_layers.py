"""How layers combine (C-32 … C-35). Expected values were observed on the real engine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kit.diagnostics import Severity
from kit.reader import Reading, normal_form, read
from kit.reader.layers import merge, settle, unique
from kit.source import Node, parse


def layered(*texts: str, env: dict[str, str] | None = None) -> Reading:
    files = {f"{number}.yml": text for number, text in enumerate(texts)}
    return read([Path(name) for name in files], files=files, env=env)


def over(base: str, later: str) -> Any:
    """The service `main` after one layer over another, each given as its fields."""
    services = f"{{main: {{image: alpine, {base}}}, b: {{image: x}}, c: {{image: x}}}}"
    base_text = f"services: {services}\nvolumes: {{vv: , ww: }}\nnetworks: {{m: , n: }}"
    reading = layered(base_text, f"services: {{main: {{{later}}}}}")
    assert reading.ok, reading.findings
    return normal_form(reading)["services"]["main"]


def error(base: str, later: str) -> str:
    reading = layered(f"services: {{main: {{image: alpine, {base}}}}}", f"services: {{main: {{{later}}}}}")
    return next(found.rule for found in reading.findings if found.reported)


def error_codes(reading: Reading) -> list[str]:
    return [found.code for found in reading.findings if found.severity == "error"]


MERGED: list[tuple[str, str, str, object]] = [
    # scalars are replaced, null and an empty list keep the base
    ("hostname: a", "hostname: b", "hostname", "b"), ("hostname: a", "hostname: ", "hostname", "a"),
    ("privileged: true", "privileged: ", "privileged", True), ("labels: {a: 1}", "labels: []", "labels", {"a": "1"}),
    # command and entrypoint are replaced, null erases
    ("command: x", "command: ", "command", None), ("command: x", "command: []", "command", []),
    ("command: [x]", "command: y z", "command", ["y", "z"]),
    # pairs: both forms, the later key wins, also with null
    ("environment: {A: 1, B: 2}", "environment: {A: }", "environment", {"A": "", "B": "2"}),
    ("environment: {A: 1, B: 2}", "environment: [A=5]", "environment", {"A": "5", "B": "2"}),
    ("environment: {A: 1, B: 2}", "environment: A=5", "environment", {"A": "5", "B": "2"}),
    ("environment: [A=1]", "environment: {A: 010, C: true}", "environment", {"A": "8", "C": "true"}),
    ("labels: [a=1]", "labels: {b: x}", "labels", {"a": "1", "b": "x"}),
    ("sysctls: {a: 1}", "sysctls: [a=2, b=3]", "sysctls", {"a": "2", "b": "3"}),
    ("annotations: [a=1]", "annotations: {b: 2}", "annotations", {"a": "1", "b": "2"}),
    # lists append; equal entries collapse in some
    ("cap_add: [A, B]", "cap_add: [B, C]", "cap_add", ["A", "B", "C"]),
    ("dns: 1.1.1.1", "dns: [1.1.1.1, 2.2.2.2]", "dns", ["1.1.1.1", "2.2.2.2"]),
    ("dns: 1.1.1.1", "dns: ", "dns", ["1.1.1.1"]), ("tmpfs: /a", "tmpfs: [/a, /b]", "tmpfs", ["/a", "/b"]),
    ("profiles: [aa]", "profiles: [aa, bb]", "profiles", ["aa", "bb"]),
    ("group_add: [1]", "group_add: [2]", "group_add", ["1", "2"]),
    ("extra_hosts: {a: 1.1.1.1}", "extra_hosts: ['a=1.1.1.1', 'b:2.2.2.2']", "extra_hosts", ["a:1.1.1.1", "b:2.2.2.2"]),
    ("extra_hosts: {a: [1.1.1.1, 2.2.2.2]}", "extra_hosts: {a: 1.1.1.1}", "extra_hosts", ["a:1.1.1.1", "a:2.2.2.2"]),
    ("extra_hosts: {a: []}", "extra_hosts: ['a:1.1.1.1']", "extra_hosts", ["a:1.1.1.1"]),
    # keyed lists
    ("ports: ['80:80']", "ports: ['80:80/tcp', '81:80']", "ports", ["80:80", "81:80"]),
    ("volumes: ['vv:/x']", "volumes: ['ww:/x:ro']", "volumes", ["ww:/x:ro"]),
    ("devices: [/dev/a]", "devices: ['/dev/b:/dev/a']", "devices", ["/dev/b:/dev/a:rwm"]),
    # lists of names become mappings
    ("depends_on: [b]", "depends_on: {c: {condition: service_started}}", "depends_on", ["b", "c"]),
    ("networks: [n]", "networks: {m: {aliases: [q]}}", "networks", {"m": {"aliases": ["q"]}, "n": None}),
    # build
    ("build: x", "build: {dockerfile: D}", "build", {"context": "x", "dockerfile": "D", "tags": ["alpine"]}),
    ("build: {context: x, args: [A=1]}", "build: y", "build",
     {"context": "y", "dockerfile": "Dockerfile", "args": {"A": "1"}, "tags": ["alpine"]}),
    # ulimits are replaced whole
    ("ulimits: {core: {soft: 1, hard: 2}}", "ulimits: {core: 5}", "ulimits", {"core": 5}),
]  # fmt: skip


@pytest.mark.parametrize(("base", "later", "key", "result"), MERGED)
def test_a_later_layer_goes_over_the_earlier_c32_c33(base: str, later: str, key: str, result: object) -> None:
    found = over(base, later).get(key)
    if key == "build":
        found = {name: value for name, value in found.items() if name in result}  # type: ignore[operator]
        result = {name: value for name, value in result.items() if name in found}  # type: ignore[attr-defined]
    assert found == result


@pytest.mark.parametrize(
    ("base", "later", "rule"),
    [
        ("cap_add: [A]", "cap_add: B", "C-32"),
        ("healthcheck: {test: a}", "healthcheck: [a]", "C-32"),
        ("x-note: {a: 1}", "x-note: [1]", "C-32"),
        ("healthcheck: {test: a}", "healthcheck: {test: }", "C-16"),
        ("security_opt: [seccomp:unconfined]", "security_opt: [seccomp:unconfined]", "C-33"),
        ("group_add: [1]", "group_add: [1]", "C-33"),
    ],
)
def test_some_layers_do_not_merge_c32_c33(base: str, later: str, rule: str) -> None:
    assert error(base, later) == rule


@pytest.mark.parametrize(
    ("base", "later"),
    [("depends_on: [b]", "depends_on: b"), ("networks: [n]", "networks: 5"), ("build: .", "build: [x]")],
)
def test_a_form_that_does_not_fit_over_names_or_a_build_is_ignored_c32(base: str, later: str) -> None:
    rest = "\n  b: {image: x}\nnetworks: {n: }"
    alone = layered(f"services:\n  a: {{image: x, {base}}}{rest}")
    both = layered(f"services:\n  a: {{image: x, {base}}}{rest}", f"services: {{a: {{{later}}}}}")
    assert both.normal == alone.normal is not None
    assert "form-ignored" in {found.code for found in both.findings}


def test_labels_of_a_volume_are_not_made_unique_c33() -> None:
    reading = layered("services: {a: {image: x}}\nvolumes: {v: {labels: [a=b, a=b]}}")
    assert error_codes(reading) == ["repeated-item"]
    base = "services: {a: {image: x}}\nvolumes: {v: {labels: {a: b}}}"
    assert error_codes(layered(base, "volumes: {v: {labels: [a=b]}}")) == ["said-again"]
    assert error_codes(layered(base, "volumes: {v: {labels: {a: c}}}")) == []


def test_new_services_networks_and_volumes_are_added_c32() -> None:
    form = normal_form(
        layered("services: {a: {image: x}}", "services: {b: {image: y}}\nvolumes: {v: }\nnetworks: {n: }")
    )
    assert sorted(form["services"]) == ["a", "b"]
    assert (form["volumes"], sorted(form["networks"])) == ({"v": {}}, ["default", "n"])


def test_a_base_may_lack_what_a_later_layer_brings_c2() -> None:
    assert layered("services: {a: {hostname: x}}", "services: {a: {image: y}}").ok
    assert layered("services: {a: {image: y}}", "services: {a: }").ok
    assert not layered("services: {a: }", "services: {a: {image: y}}").ok


def test_an_empty_value_over_a_written_one_is_said_c16() -> None:
    reading = layered("services: {a: {image: x, hostname: h}}", "services: {a: {hostname: , command: }}")
    said = [(each.rule, each.path) for each in reading.findings if each.code == "base-stays"]
    assert said == [("C-16", ("services", "a", "hostname"))]


def test_an_address_pool_that_the_later_layer_does_not_name_is_lost_c33() -> None:
    def pools(base: str, later: str) -> Any:
        text = "services: {a: {image: x, networks: [n]}}\nnetworks: {n: {ipam: {config: [%s]}}}"
        return normal_form(layered(text % base, text % later))["networks"]["n"]["ipam"]["config"]

    assert pools("{subnet: 10.0.0.0/8}", "{subnet: 10.0.0.0/8, gateway: 10.0.0.1}") == [
        {"subnet": "10.0.0.0/8", "gateway": "10.0.0.1"}
    ]
    assert pools("{subnet: 10.0.0.0/8}", "{subnet: 11.0.0.0/8}") == [{"subnet": "11.0.0.0/8"}]


# ── !reset and !override (C-34) ────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("base", "later", "expected"),
    [
        ("ports: ['80:80']", "ports: !reset []", {}),
        ("ports: ['80:80']", "ports: !override ['9:9']", {"ports": ["9:9"]}),
        ("environment: {A: 1, B: 2}", "environment: {A: !reset , C: 3}", {"environment": {"B": "2", "C": "3"}}),
        ("environment: {A: 1}", "environment: !override {Z: 1}", {"environment": {"Z": "1"}}),
        ("environment: {A: 1}", "environment: !reset ", {}),
        ("hostname: a", "hostname: !reset b", {}),
        ("hostname: a", "hostname: !reset '${NOPE?}'", {}),
        ("cap_add: [A]", "cap_add: [!reset B, C]", {"cap_add": ["A", "C"]}),
    ],
)
def test_marks_remove_and_replace_c34(base: str, later: str, expected: dict[str, object]) -> None:
    plain = {"image": "alpine", "command": None, "networks": {"default": None}}
    assert over(base, later) == {**plain, **expected}


def test_a_whole_service_can_be_reset_or_overridden_c34() -> None:
    two = "services: {a: {image: x, hostname: h}, b: {image: y}}"
    assert list(normal_form(layered(two, "services: {a: !reset }"))["services"]) == ["b"]
    overridden = normal_form(layered(two, "services: {a: !override {image: z}}"))["services"]["a"]
    assert overridden == {"image": "z", "command": None, "networks": {"default": None}}


def test_in_a_single_file_reset_deletes_and_override_means_nothing_c34() -> None:
    form = normal_form(layered("services: {a: {image: x, hostname: !reset h, cap_add: !override [A]}}"))
    assert form["services"]["a"] == {"image": "x", "cap_add": ["A"], "command": None, "networks": {"default": None}}


# ── inside one list (C-35) ─────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("text", "key", "kept"),
    [
        ("volumes: ['vv:/x', 'ww:/x']", "volumes", ["ww:/x"]),
        ("environment: [A=1, B=2, A=3]", "environment", {"A": "3", "B": "2"}),
        ("labels: [a=1, a]", "labels", {"a": ""}),
        ("cap_add: [A, B, A]", "cap_add", ["A", "B"]),
        ("dns_opt: [x, x]", "dns_opt", ["x"]),
        ("ports: ['80:80', '80:80/tcp']", "ports", ["80:80"]),
        ("networks: {n: {aliases: [q, q]}}", "networks", {"n": {"aliases": ["q"]}}),
    ],
)
def test_a_later_entry_takes_the_place_of_an_equal_one_c35(text: str, key: str, kept: object) -> None:
    reading = layered(f"services: {{a: {{image: x, {text}}}}}\nvolumes: {{vv: , ww: }}\nnetworks: {{n: }}")
    assert normal_form(reading)["services"]["a"][key] == kept
    assert any(found.rule == "C-35" and found.severity is Severity.CHANGED for found in reading.findings)


def test_what_disappears_from_a_list_is_named_with_its_place_c35() -> None:
    reading = layered("services:\n  a:\n    image: x\n    environment:\n      - A=1\n      - A=2\n")
    (found,) = [each for each in reading.findings if each.rule == "C-35"]
    assert (found.span.line, found.span.column, "`A=1`" in found.message) == (5, 9, True)
    assert [(change.before, change.after) for change in reading.changes if change.rule == "C-35"] == [("A=1", None)]


# ── documents (C-21) ───────────────────────────────────────────────────────────────────────────────


def test_a_second_document_is_a_layer_c21() -> None:
    reading = layered("services: {a: {image: x}}\n---\nservices: {a: {hostname: h}}")
    assert normal_form(reading)["services"]["a"]["hostname"] == "h"
    assert [(found.rule, found.span.line) for found in reading.findings] == [("C-21", 3)]


@pytest.mark.parametrize("text", ["services: {a: {image: x}}\n---\n", "---\n---\nservices: {a: {image: x}}"])
def test_an_empty_document_is_an_error_c21(text: str) -> None:
    assert [found.rule for found in layered(text).findings if found.reported] == ["C-21"]


def test_a_mistake_in_a_late_document_is_found() -> None:
    reading = layered("\n---\n".join(["services: {a: {image: x}}"] * 60 + ["services: {a: {imag: x}}"]))
    assert [(found.code, found.span.line) for found in reading.findings if found.reported] == [("unknown-key", 121)]


# ── the functions themselves ───────────────────────────────────────────────────────────────────────


def node(text: str) -> Node:
    return parse(text, "t").documents[0]


def test_merging_leaves_both_trees_alone() -> None:
    base, later = (
        node("services: {a: {environment: {A: 1}, cap_add: [X]}}"),
        node("services: {a: {environment: [B=2], cap_add: [Y]}}"),
    )
    before = base.plain(), later.plain()
    clashes: list[object] = []
    merged = merge(base, later, lambda *told: clashes.append(told))
    unique(settle(merged), lambda *_gone: None)
    assert merged.plain()["services"]["a"] == {"environment": {"A": 1, "B": "2"}, "cap_add": ["X", "Y"]}
    assert (base.plain(), later.plain()) == before
    assert clashes == []


def test_a_merged_tree_knows_where_each_part_came_from() -> None:
    reading = layered(
        "services:\n  a:\n    image: x\n    environment: {A: 1}\n", "services: {a: {environment: [B=2], hostname: h}}"
    )
    assert str(reading.where["services", "a", "image"]) == "0.yml:3:12"
    assert str(reading.where["services", "a", "environment", "B"]) == "1.yml:1:30"
    assert str(reading.keys["services", "a", "hostname"]) == "1.yml:1:36"
