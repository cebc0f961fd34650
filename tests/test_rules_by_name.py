"""Rules that no other test file names, one sentence each."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

import kit
from kit.container import Place, check_device, container, default_composition
from kit.contracts import contract_file
from kit.planner import installed
from kit.rules import rules

TESTS = Path(__file__).parent


def form(text: str) -> dict[str, Any]:
    reading = kit.read(text)
    assert reading.ok, [str(found) for found in reading.findings]
    return kit.normal_form(reading)


def service(text: str) -> dict[str, Any]:
    return form(f"services: {{main: {{image: x, {text}}}}}\nnetworks: {{a: , b: }}\nvolumes: {{log: }}")["services"][
        "main"
    ]


def body(text: str = "", **place: Any) -> dict[str, Any]:
    return container(service(text), place=Place(app_id=1234, app_uuid="deadbeef", **place)).body


@pytest.mark.parametrize("name", ["Main", "a.b", "x" * 70, "0"])
def test_odd_service_names_pass_the_parser_c42(name: str) -> None:
    assert kit.read(f"services: {{{name!r}: {{image: x}}}}").ok


def test_a_name_that_begins_with_a_dash_is_refused_by_the_device_c42() -> None:
    reading = kit.read("services: {'-a': {image: x}}")
    assert reading.ok
    assert [found.severity for found in kit.check(reading)] == ["refused"]


def test_provenance_and_sbom_are_kept_and_unused_c76() -> None:
    build = form("services: {main: {build: {context: ., provenance: 'mode=max', sbom: 'true'}}}")
    assert (
        build["services"]["main"]["build"] | {"provenance": "mode=max", "sbom": "true"}
        == build["services"]["main"]["build"]
    )


def test_labels_and_a_contract_file_together_are_a_build_error_c77() -> None:
    labels = (("io.balena.features.requires.arch.sw", "aarch64"),)
    text = "{name: web, slug: web, type: sw.container}"
    _contract, findings = contract_file(kit.Service(name="web", labels=labels), text, "web/contract.yml")
    assert [(found.severity, found.rule) for found in findings] == [("error", "S-24")]
    assert contract_file(kit.Service(name="web"), text, "web/contract.yml")[1] == []


def test_a_default_network_is_added_only_where_a_service_uses_it_c78() -> None:
    assert form("services: {a: {image: x}}")["networks"] == {"default": {"ipam": {}}}
    assert form("services: {a: {image: x, networks: [n]}}\nnetworks: {n: , unused: }")["networks"] == {
        "n": {"ipam": {}},
        "unused": {"ipam": {}},
    }
    assert "networks" not in form("services: {a: {image: x, network_mode: host}}")


def test_an_unused_volume_stays_and_null_becomes_a_mapping_c85() -> None:
    assert form("services: {a: {image: x}}\nvolumes: {log: }")["volumes"] == {"log": {}}


def test_the_contract_has_plain_entries_first_and_then_the_choices_c93() -> None:
    prefix = "io.balena.features.requires."
    labels = {f"{prefix}sw.linux": ">=5", f"{prefix}sw.supervisor": ">=14", f"{prefix}sw.balena-os": ">=6"}
    reading = kit.read(f"services: {{a: {{image: x, cpus: 0.5, labels: {json.dumps(labels)}}}}}")
    assert reading.contracts["a"] == {
        "type": "sw.container",
        "slug": "contract-for-a",
        "requires": [
            {"type": "sw.supervisor", "version": ">=14"},
            {"or": [{"type": "sw.os", "slug": "balena-os", "version": ">=6"}]},
            {"or": [{"type": "sw.kernel", "slug": "linux", "version": ">=5"}]},
            {"type": "sw.spec", "slug": "compose", "version": ">=2"},
        ],
    }
    assert kit.read("services: {a: {image: x}}").contracts == {}


def test_build_metadata_is_ignored_on_the_device_c94() -> None:
    device = kit.Device("raspberrypi4-64", "aarch64", "19.0.5", os="6.5.0+rev2")
    outcomes = []
    for wanted in (">6.5.0+rev1", "6.5.0+rev1"):
        label = f"io.balena.features.requires.sw.balena-os: '{wanted}'"
        reading = kit.read(f"services: {{a: {{image: x, labels: {{{label}}}}}}}")
        assert reading.composition is not None
        outcomes.append(kit.decide(reading.composition, device.facts).outcome)
    assert outcomes == ["rejected", "deployed"]


@pytest.mark.parametrize("label", ["a b", 'a"b', "a`b", "x" * 256, "ä"])
def test_the_device_refuses_label_names_that_are_not_printable_ascii_c98(label: str) -> None:
    found = check_device({"services": {"main": {"image": "x", "labels": {label: "1"}}}})
    assert [each.severity for each in found] == ["refused"]


def test_upper_case_and_underscores_are_legal_in_label_names_c98() -> None:
    assert not check_device({"services": {"main": {"image": "x", "labels": {"My_Label.x/y": "1"}}}})


def test_the_defaults_are_those_of_balena_and_not_of_compose_c101() -> None:
    host = body()["HostConfig"]
    assert host["RestartPolicy"]["Name"] == "always"
    assert body()["Tty"] is True
    assert (host["Privileged"], host["IpcMode"], host["ShmSize"]) == (False, "shareable", 64 * 2**20)
    assert (body()["StopSignal"], body()["StopTimeout"]) == ("SIGTERM", 10)


def test_the_device_injects_its_variables_and_what_the_composition_says_wins_c102() -> None:
    env = dict(pair.split("=", 1) for pair in body(service_id=7)["Env"])
    assert (env["BALENA"], env["RESIN"], env["BALENA_APP_ID"], env["USER"]) == ("1", "1", "1234", "root")
    assert env["BALENA_APP_LOCK_PATH"] == "/tmp/balena/updates.lock"
    written = dict(pair.split("=", 1) for pair in body("environment: {BALENA_APP_ID: mine}")["Env"])
    assert written["BALENA_APP_ID"] == "mine"


def test_the_lock_directory_is_always_mounted_c103() -> None:
    binds = json.dumps(body()["HostConfig"])
    assert "/tmp/balena" in binds
    assert "/tmp/resin" in binds


def test_volumes_and_networks_get_the_name_of_their_app_c104() -> None:
    request = container(
        service("volumes: ['log:/log'], networks: [a, b]"), place=Place(app_id=1234, app_uuid="deadbeef")
    )
    assert "1234_log:/log" in json.dumps(request.body["HostConfig"])
    assert request.body["HostConfig"]["NetworkMode"] == "deadbeef_a"


def test_a_project_without_a_composition_is_one_privileged_service_c111_c112() -> None:
    made = default_composition()
    main = made["services"]["main"]
    assert (main["privileged"], main["network_mode"], main["restart"], main["tty"]) == (True, "host", "always", True)
    assert main["volumes"] == ["resin-data:/data"]
    assert set(made["volumes"]) == {"resin-data"}
    assert default_composition(image="nginx")["services"]["main"]["image"] == "nginx"


def test_the_default_composition_has_the_old_spelling_of_its_labels_c113() -> None:
    labels = default_composition()["services"]["main"]["labels"]
    assert len(labels) == 5
    assert all(label.startswith("io.resin.features.") and value == "1" for label, value in labels.items())


def test_a_composition_of_one_service_loses_what_the_default_one_had_c114() -> None:
    alone = container(default_composition()["services"]["main"]).body["HostConfig"]
    written = body()["HostConfig"]
    assert (alone["Privileged"], written["Privileged"]) == (True, False)
    assert alone["NetworkMode"] == "host"
    assert written["NetworkMode"] == "deadbeef_default"


def test_services_start_in_the_order_of_their_dependencies_c109() -> None:
    graphs = pytest.importorskip("kit.graphs")
    text = "services: {a: {image: x, depends_on: [b]}, b: {image: x, depends_on: [c]}, c: {image: x}}"
    composition = kit.read(text).composition
    assert composition is not None
    assert graphs.of_composition(composition).layers.column == {"c": 0, "b": 1, "a": 2}


def test_a_volume_that_a_release_does_not_name_any_more_stays_on_disk_c110() -> None:
    old = kit.Release("r1", {"services": {"web": {"volumes": ["data:/data"]}}, "volumes": {"data": {}}})
    new = kit.Release("r2", {"services": {"web": {}}})
    update = kit.plan(installed(old), new)
    assert update.settled
    assert [each.name for each in update.end.volumes] == ["data"]


def test_with_host_networking_alone_the_default_network_is_there_for_its_configuration_only_c115() -> None:
    on_host, bridged = {"network_mode": "host"}, {"image": "x"}
    for services, configuration in (
        (default_composition()["services"], (("config_only", True),)),
        ({"a": on_host, "b": on_host}, (("config_only", True),)),
        ({"a": on_host, "b": bridged}, ()),
    ):
        networks = kit.Release("r1", {"services": services}).target.networks
        assert [(each.name, each.config) for each in networks] == [("default", configuration)]


def test_every_rule_of_a_composition_is_named_by_a_test() -> None:
    texts = "".join(path.read_text(encoding="utf-8") for path in TESTS.rglob("*.py"))
    cases = json.loads((TESTS / "cases" / "composition_cases.json").read_text(encoding="utf-8"))
    texts += " ".join(str(case["rules"]) for kind in ("release", "device") for case in cases[kind])
    named = {int(number) for number in re.findall(r"(?:\bC-|_c)(\d+)(?!\d)", texts)}
    assert {each.id for each in rules() if each.id.startswith("C-") and int(each.id[2:]) not in named} == set()
