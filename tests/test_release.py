"""From a merged tree to the normal form: every field, and every rule that says what happens to it."""

from __future__ import annotations

from typing import Any

import pytest

from kit.composition import Mount, Port
from kit.diagnostics import Severity
from kit.reader import Reading, read
from kit.reader.notes import FALSE_ALARM

TAIL = """
  db: {image: postgres}
networks: {n: , m: }
volumes: {data: , logs: }
"""


def web(field: str, **more: Any) -> Reading:
    """A reading of one service `web` with *field*, beside a service `db`, two networks and two volumes."""
    image = "" if field.startswith("image:") else "    image: nginx\n"
    return read(f"services:\n  web:\n{image}    {field}{TAIL}", **more)


def kept(reading: Reading) -> dict[str, Any]:
    assert reading.ok, [str(found) for found in reading.findings]
    assert reading.normal is not None
    form: dict[str, Any] = dict(reading.normal["services"]["web"])
    return form


def reported(reading: Reading) -> tuple[str, str, str]:
    (found,) = [found for found in reading.findings if found.reported]
    return found.error_class, found.rule, found.code


def rules_of(reading: Reading, severity: Severity) -> set[str]:
    return {found.rule for found in reading.findings if found.severity is severity and found.code != FALSE_ALARM}


NOTHING = {"image": "nginx", "command": None, "networks": {"default": None}}

ACCEPTED = [
    # rule   field as written                                   what is left of it in the normal form
    ("C-69", "annotations: {a: 1}", {"annotations": {"a": "1"}}),
    ("C-5", "attach: false", {"attach": False}),
    ("C-46", "attach: 'yes'", {"attach": True}),
    ("C-72", "build: ./x", {"build": {"context": "x", "dockerfile": "Dockerfile", "tags": ["nginx"]}}),
    ("C-69", "cap_add: [SYS_RAWIO]", {"cap_add": ["SYS_RAWIO"]}),
    ("C-69", "cap_drop: [ALL]", {"cap_drop": ["ALL"]}),
    ("C-56", "cgroup: private", {"cgroup": "private"}),
    ("C-71", "cgroup_parent: /x", {"cgroup_parent": "/x"}),
    ("C-48", "command: sh -c 'a && b'", {"command": ["sh", "-c", "a && b"]}),
    ("C-48", "command: [a, b c]", {"command": ["a", "b c"]}),
    ("C-48", "command: ''", {"command": []}),
    ("C-16", "command: ~", {}),
    ("C-5", "cpu_count: 0", {}),
    ("C-5", "cpu_percent: 0", {}),
    ("C-5", "cpu_period: 0", {}),
    ("C-64", "cpu_quota: 50000", {"cpu_quota": 50000}),
    ("C-64", "cpu_shares: 5.9", {"cpu_shares": 5}),
    ("C-64", "cpu_rt_period: '1400'", {"cpu_rt_period": 1400}),
    ("C-64", "cpu_rt_runtime: 400", {"cpu_rt_runtime": 400}),
    ("C-64", "cpus: '0.5'", {"cpus": 0.5}),
    ("C-64", "cpus: 0", {}),
    ("C-71", "cpuset: 0-3", {"cpuset": "0-3"}),
    ("C-55", "depends_on: [db]", {"depends_on": ["db"]}),
    ("C-55", "depends_on: {db: {condition: service_started, restart: true}}", {"depends_on": ["db"]}),
    ("C-44", "deploy: ~", {}),
    ("C-69", "device_cgroup_rules: ['c 1:3 r']", {"device_cgroup_rules": ["c 1:3 r"]}),
    ("C-58", "devices: [/dev/a]", {"devices": ["/dev/a:/dev/a:rwm"]}),
    ("C-58", "devices: [{source: /dev/a, target: /dev/b}]", {"devices": ["/dev/a:/dev/b:undefined"]}),
    ("C-58", "devices: ['/dev/a:/dev/x', '/dev/b:/dev/x']", {"devices": ["/dev/b:/dev/x:rwm"]}),
    ("C-68", "dns: 1.1.1.1", {"dns": ["1.1.1.1"]}),
    ("C-68", "dns: ['', 1.1.1.1]", {"dns": ["1.1.1.1"]}),
    ("C-68", "dns_opt: [use-vc]", {"dns_opt": ["use-vc"]}),
    ("C-68", "dns_search: lan", {"dns_search": ["lan"]}),
    ("C-71", "domainname: lan", {"domainname": "lan"}),
    ("C-48", "entrypoint: a b", {"entrypoint": ["a", "b"]}),
    ("C-5", "entrypoint: []", {"entrypoint": []}),
    ("C-16", "entrypoint: ~", {}),
    ("C-54", "environment: {A: 1, B: x}", {"environment": {"A": "1", "B": "x"}}),
    ("C-54", "environment: ['A=b=c', ' B=1']", {"environment": {"A": "b=c", " B": "1"}}),
    ("C-54", "environment: ['A: 1']", {"environment": {"A: 1": ""}}),
    ("C-13", "environment: {MODE: 010}", {"environment": {"MODE": "8"}}),
    ("C-13", "environment: [MODE=010]", {"environment": {"MODE": "010"}}),
    ("C-11", "environment: {A: 1.10, B: 1000000.0, C: yes}", {"environment": {"A": "1.1", "B": "1e+06", "C": "yes"}}),
    ("C-45", "expose: [80]", {}),
    ("C-45", "container_name: box", {}),
    ("C-44", "external_links: []", {}),
    (
        "C-67",
        "extra_hosts: {zed: 1.1.1.1, amy: [2.2.2.2, 3.3.3.3]}",
        {"extra_hosts": ["amy:2.2.2.2", "amy:3.3.3.3", "zed:1.1.1.1"]},
    ),
    ("C-67", "extra_hosts: ['a=[::1]']", {"extra_hosts": ["a:::1"]}),
    ("C-44", "gpus: []", {}),
    ("C-69", "group_add: [5, '5']", {"group_add": ["5", "5"]}),
    ("C-69", "group_add: [5, audio]", {"group_add": ["5", "audio"]}),
    ("C-61", "healthcheck: {test: NONE}", {"healthcheck": {"test": ["CMD-SHELL", "NONE"]}}),
    ("C-61", "healthcheck: {test: [], disable: false}", {"healthcheck": {}}),
    (
        "C-61",
        "healthcheck: {test: [CMD, x], interval: 90s, retries: 0}",
        {"healthcheck": {"test": ["CMD", "x"], "interval": "1m30s", "retries": 0}},
    ),
    ("C-71", "hostname: box", {"hostname": "box"}),
    ("C-43", "image: 'a b'", {"image": "a b"}),
    ("C-5", "init: false", {"init": False}),
    ("C-56", "ipc: 'container:x'", {"ipc": "container:x"}),
    ("C-44", "isolation: ''", {}),
    ("C-88", "labels: [a, b=1]", {"labels": {"a": "", "b": "1"}}),
    ("C-88", "labels: {a: ~, b: true}", {"labels": {"a": "", "b": "true"}}),
    ("C-20", "labels: {x-a: 1, b: 2}", {"labels": {"#extensions": "map[x-a:1]", "b": "2"}}),
    ("C-44", "links: []", {}),
    ("C-71", "mac_address: 02:42:ac:11:65:43", {"mac_address": "02:42:ac:11:65:43"}),
    ("C-62", "mem_limit: 64m", {"mem_limit": "67108864"}),
    ("C-62", "mem_limit: 1e9", {}),
    ("C-62", "mem_limit: -1", {"mem_limit": "-1"}),
    ("C-62", "mem_reservation: 10", {"mem_reservation": "10"}),
    ("C-62", "shm_size: '1.5k'", {"shm_size": "1536"}),
    ("C-5", "mem_swappiness: 0", {}),
    ("C-5", "memswap_limit: 0", {}),
    (
        "C-47",
        "provider: {type: x, options: {a: b}}",
        {"provider": {"type": "x", "options": {"a": ["b"]}}, "networks": None},
    ),
    ("C-47", "use_api_socket: true", {"use_api_socket": True}),
    ("C-56", "network_mode: host", {"network_mode": "host", "networks": None}),
    ("C-56", "network_mode: anything", {"network_mode": "anything", "networks": None}),
    ("C-56", "network_mode: service:db", {"network_mode": "service:db", "networks": None, "depends_on": ["db"]}),
    ("C-57", "networks: [n, m]", {"networks": {"m": None, "n": None}}),
    ("C-57", "networks: {n: {aliases: [a, a], priority: 0}}", {"networks": {"n": {"aliases": ["a"]}}}),
    ("C-57", "networks: []", {}),
    ("C-44", "oom_kill_disable: false", {}),
    ("C-70", "oom_score_adj: -900", {"oom_score_adj": -900}),
    ("C-56", "pid: host", {"pid": "host"}),
    ("C-56", "pid: service:db", {"pid": "service:db", "depends_on": ["db"]}),
    ("C-70", "pids_limit: 5.9", {"pids_limit": 5}),
    ("C-70", "pids_limit: 0", {}),
    ("C-44", "platform: ''", {}),
    ("C-44", "runtime: ''", {}),
    ("C-49", "ports: [22:22, 80]", {"ports": ["22:22", "80"]}),
    ("C-49", "ports: ['9-11:9-11', '53:53/UDP']", {"ports": ["10:10", "11:11", "9:9", "53:53/udp"]}),
    ("C-49", "ports: [{target: 80, published: 8080, protocol: TCP}]", {"ports": ["8080:80/TCP"]}),
    ("C-35", "ports: ['80:80', '80:80/tcp']", {"ports": ["80:80"]}),
    ("C-35", "ports: ['80:80', {target: 80, published: 80}]", {"ports": ["80:80", "80:80"]}),
    ("C-48", "post_start: [{command: a b}]", {"post_start": [{"command": ["a", "b"]}]}),
    ("C-48", "pre_stop: [{command: [a], user: u, privileged: 'no'}]", {"pre_stop": [{"command": ["a"], "user": "u"}]}),
    ("C-66", "privileged: yes", {"privileged": True}),
    ("C-5", "privileged: false", {}),
    ("C-41", "profiles: [debug]", {"profiles": ["debug"]}),
    ("C-45", "pull_refresh_after: 5d", {}),
    ("C-66", "read_only: on", {"read_only": True}),
    ("C-65", "restart: on-failure:3", {"restart": "on-failure:3"}),
    ("C-15", "restart: no", {"restart": "no"}),
    (
        "C-59",
        "security_opt: ['no-new-privileges:true', 'seccomp:unconfined']",
        {"security_opt": ["no-new-privileges=true", "seccomp=unconfined"]},
    ),
    ("C-44", "stdin_open: false", {}),
    ("C-63", "stop_grace_period: 1d", {"stop_grace_period": "24h0m0s"}),
    ("C-5", "stop_grace_period: 0s", {"stop_grace_period": "0s"}),
    ("C-71", "stop_signal: SIGINT", {"stop_signal": "SIGINT"}),
    ("C-44", "storage_opt: {}", {}),
    ("C-69", "sysctls: [net.a=1]", {"sysctls": {"net.a": "1"}}),
    ("C-53", "tmpfs: ['/t:size=1m']", {"tmpfs": ["/t:size=1m"]}),
    ("C-53", "volumes: [{type: tmpfs, target: /t}]", {"tmpfs": ["/t"]}),
    ("C-66", "tty: true", {"tty": True}),
    ("C-66", "tty: false", {}),
    (
        "C-60",
        "ulimits: {core: -1, nofile: {soft: 0, hard: 5}, nproc: 0}",
        {"ulimits": {"core": -1, "nofile": {"hard": 5}, "nproc": {}}},
    ),
    ("C-71", "user: '1000'", {"user": "1000"}),
    ("C-71", "userns_mode: host", {"userns_mode": "host"}),
    ("C-56", "uts: host", {"uts": "host"}),
    ("C-51", "volumes: ['data:/a/../b:ro']", {"volumes": ["data:/b:ro"]}),
    ("C-51", "volumes: [{type: volume, source: data, target: /d, volume: {nocopy: false}}]", {"volumes": ["data:/d"]}),
    ("C-51", "volumes: ['data:/d:z,cached']", {"volumes": ["data:/d"]}),
    ("C-35", "volumes: ['data:/d', 'logs:/d']", {"volumes": ["logs:/d"]}),
    ("C-52", "volumes: ['/sys:/host/sys:ro']", {"labels": {"io.balena.features.sysfs": "1"}}),
    ("C-52", "volumes: ['/var/log/journal:/x']", {}),
    (
        "C-52",
        "volumes: ['/var/log/journal:/a', '/run/log/journal:/b', '/etc/machine-id:/c']",
        {"labels": {"io.balena.features.journal-logs": "1"}},
    ),
    ("C-56", "volumes_from: ['db:ro']", {"volumes_from": ["db:ro"], "depends_on": ["db"]}),
    ("C-71", "working_dir: /a/", {"working_dir": "/a/"}),
    ("C-20", "x-note: {a: 1}", {}),
]


@pytest.mark.parametrize(("rule", "field", "left"), ACCEPTED, ids=[f"{row[0]} {row[1]}" for row in ACCEPTED])
def test_a_field_leaves_this_in_the_normal_form(rule: str, field: str, left: dict[str, Any]) -> None:
    expected = {**NOTHING, **left}
    assert kept(web(field)) == {key: value for key, value in expected.items() if value is not None or key == "command"}


REJECTED = [
    # class              rule    code                 field
    *(
        ("ServiceError", "C-44", "field-not-allowed", field)
        for field in (
            "blkio_config: {}",
            "cpu_count: 1",
            "cpu_percent: 5",
            "cpu_period: 5",
            "credential_spec: {}",
            "deploy: {}",
            "develop: {}",
            "external_links: [a]",
            "gpus: all",
            "isolation: x",
            "links: [db]",
            "logging: {}",
            "mem_swappiness: 5",
            "memswap_limit: 5",
            "oom_kill_disable: true",
            "platform: x",
            "pull_policy: always",
            "runtime: x",
            "scale: 0",
            "scale: 1",
            "stdin_open: true",
            "storage_opt: {size: 1g}",
        )
    ),
    ("ParseError", "C-44", "undefined-config", "configs: [c]"),
    ("ParseError", "C-44", "undefined-secret", "secrets: [{source: s}]"),
    ("ParseError", "C-47", "undefined-model", "models: [m]"),
    ("ParseError", "C-55", "undefined-dependency", "links: [nobody]"),
    (
        "ParseError",
        "C-55",
        "undefined-dependency",
        "depends_on: {nobody: {condition: service_started, required: false}}",
    ),
    ("ParseError", "C-55", "depends-on-itself", "depends_on: [web]"),
    ("ServiceError", "C-55", "dependency-condition", "depends_on: {db: {condition: service_healthy}}"),
    ("ServiceError", "C-55", "dependency-condition", "depends_on: {db: {condition: service_started, required: false}}"),
    ("ServiceError", "C-41", "bad-profile", "profiles: [d]"),
    ("ParseError", "C-43", "nothing-to-run", "image: ''"),
    ("ParseError", "C-48", "unreadable-text", "command: echo (x)"),
    ("ParseError", "C-49", "unreadable-text", "ports: ['80:80/tc']"),
    ("ParseError", "C-49", "port-fraction", "ports: [80.5]"),
    ("ParseError", "C-49", "port-fraction", "ports: [080]"),
    ("ParseError", "C-49", "port-out-of-range", "ports: [-1]"),
    ("ParseError", "C-49", "port-out-of-range", "ports: [65536]"),
    ("ParseError", "C-49", "missing-target", "ports: [{published: 80}]"),
    ("ParseError", "C-10", "wrong-kind", "ports: [{target: .inf}]"),
    ("ParseError", "C-49", "port-address", "ports: [{target: 80, host_ip: somewhere}]"),
    ("ParseError", "C-51", "undefined-volume", "volumes: ['nowhere:/x']"),
    ("ServiceError", "C-51", "bind-mount", "volumes: ['./x:/y']"),
    ("ServiceError", "C-51", "bind-mount", "volumes: ['/sys/:/x']"),
    ("ServiceError", "C-51", "mount-type", "volumes: [{type: image, source: a, target: /y}]"),
    (
        "ServiceError",
        "C-51",
        "mount-options",
        "volumes: [{type: volume, source: data, target: /d, volume: {nocopy: true}}]",
    ),
    ("ServiceError", "C-51", "mount-options", "volumes: ['data:/d:nocopy']"),
    ("ServiceError", "C-51", "mount-options", "volumes: [{type: tmpfs, target: /d, tmpfs: {size: 5}}]"),
    ("ServiceError", "C-51", "anonymous-volume", "volumes: [/data]"),
    ("ServiceError", "C-51", "one-letter-volume", "volumes: ['d:/data']"),
    ("ParseError", "C-51", "missing-target", "volumes: [{type: volume, source: data}]"),
    ("ParseError", "C-35", "mounted-twice", "tmpfs: ['/t:a', '/t:b']"),
    ("ParseError", "C-54", "space-in-name", "environment: ['A =1']"),
    ("ParseError", "C-56", "networks-and-mode", "network_mode: host\n    networks: [n]"),
    ("ServiceError", "C-56", "container-mode", "network_mode: container:x"),
    ("ServiceError", "C-56", "container-mode", "pid: container:x"),
    ("ServiceError", "C-56", "container-mode", "volumes_from: ['container:x']"),
    ("ServiceError", "C-56", "ipc-service", "ipc: service:db"),
    ("SyntaxError", "C-16", "empty-pid", "pid: ~"),
    ("ParseError", "C-57", "undefined-network", "networks: [nowhere]"),
    ("ServiceError", "C-57", "link-local", "networks: {n: {link_local_ips: [169.254.1.1]}}"),
    ("ServiceError", "C-58", "device-name", "devices: [vendor.com/gpu=0]"),
    ("ServiceError", "C-58", "device-name", "devices: ['/dev/a:rwm']"),
    ("ParseError", "C-58", "missing-target", "devices: [{source: /dev/a}]"),
    ("ServiceError", "C-59", "security-option", "security_opt: [apparmor=mine]"),
    ("ParseError", "C-60", "fraction", "ulimits: {nofile: 5.0}"),
    ("ParseError", "C-61", "unknown-test", "healthcheck: {test: [curl]}"),
    ("ParseError", "C-61", "negative-retries", "healthcheck: {retries: -1}"),
    ("ParseError", "C-62", "unreadable-text", "mem_limit: 64x"),
    ("ParseError", "C-63", "unreadable-text", "stop_grace_period: '90'"),
    ("ParseError", "C-64", "number-too-large", "cpus: .inf"),
    ("ParseError", "C-67", "unreadable-text", "extra_hosts: [db]"),
    ("ServiceError", "C-70", "negative-limit", "pids_limit: -1"),
    ("ValidationError", "C-92", "bad-requirement", "labels: {io.balena.features.requires.sw.supervisor: latest}"),
    ("ValidationError", "C-92", "bad-requirement", "labels: [io.balena.features.requires.arch.sw=arm64]"),
    ("ValidationError", "C-92", "bad-requirement", "build: {labels: {io.balena.features.requires.sw.linux: latest}}"),
    ("ServiceError", "C-73", "remote-context", "build: https://github.com/o/r.git"),
    ("ServiceError", "C-73", "remote-context", "build: ./my.git/"),
    *(
        ("ServiceError", "C-74", "build-field-not-allowed", f"build: {{{field}}}")
        for field in (
            "additional_contexts: {a: b}",
            "cache_to: [a]",
            "dockerfile_inline: FROM x",
            "entitlements: [a]",
            "isolation: x",
            "network: host",
            "no_cache: true",
            "platforms: [a]",
            "privileged: 'yes'",
            "pull: true",
            "ssh: [default]",
            "tags: [a]",
            "ulimits: {core: 1}",
        )
    ),
    ("ParseError", "C-44", "undefined-secret", "build: {secrets: [s]}"),
    ("ParseError", "C-74", "two-dockerfiles", "build: {dockerfile: D, dockerfile_inline: FROM x}"),
]


@pytest.mark.parametrize(("kind", "rule", "code", "field"), REJECTED, ids=[f"{row[1]} {row[3]}" for row in REJECTED])
def test_a_field_stops_the_release(kind: str, rule: str, code: str, field: str) -> None:
    reading = web(field)
    assert not reading.ok
    assert reading.normal is None
    assert reported(reading) == (kind, rule, code)


SILENT = [
    # field: what nobody is told at release, by the rule that says so
    ("C-5", "stdin_open: false"),
    ("C-11", "environment: {A: 1.10}"),
    ("C-13", "environment: {A: 0777}"),
    ("C-20", "x-a: 1"),
    ("C-31", "environment: [TOKEN]"),
    ("C-35", "volumes: ['data:/d', 'logs:/d']"),
    ("C-48", "command: a && b"),
    ("C-48", "command: '; x'"),
    ("C-51", "volumes: ['data:/d:z']"),
    ("C-52", "volumes: ['/run/dbus:/x']"),
    ("C-58", "devices: [{source: /dev/a, target: /dev/b}]"),
    ("C-60", "ulimits: {core: 0}"),
    ("C-62", "mem_limit: 0.5"),
    ("C-66", "tty: false"),
    ("C-73", "build: https://github.com/o/r.git#main"),
    ("C-75", "build: {args: [A]}"),
    ("C-75", "build: {labels: {io.balena.features.requires.arch.sw: rpi}}"),
    ("C-88", "labels: [io.balena.features.dbus]"),
    ("C-92", "labels: {io.balena.features.requires.sw.arch: arm64}"),
    ("C-43", "build: ."),
]


@pytest.mark.parametrize(("rule", "field"), SILENT, ids=[" ".join(row) for row in SILENT])
def test_a_silent_change_is_told_and_recorded(rule: str, field: str) -> None:
    reading = web(field)
    assert rule in rules_of(reading, Severity.CHANGED)
    assert rule in {change.rule for change in reading.changes}


WARNED = [
    ("C-45", "expose: [80]", ("expose",)),
    ("C-45", "container_name: box", ("container_name",)),
    ("C-45", "ports: [{target: 80, mode: host}]", ("ports", 0, "mode")),
    ("C-45", "ports: [{target: 80, name: a}]", ("ports", 0, "name")),
    ("C-46", "cpus: 0.5", ("cpus",)),
    ("C-46", "networks: {n: {priority: 5}}", ("networks", "n", "priority")),
    ("C-70", "oom_score_adj: -950", ("oom_score_adj",)),
    ("C-96", "labels: {io.balena.privatex: 1}", ("labels", "io.balena.privatex")),
]


@pytest.mark.parametrize(("rule", "field", "path"), WARNED, ids=[f"{row[0]} {row[1]}" for row in WARNED])
def test_a_warning_of_balena_is_repeated_at_its_place(rule: str, field: str, path: tuple[Any, ...]) -> None:
    warned = [found for found in web(field).findings if found.severity is Severity.WARNING]
    assert (rule, ("services", "web", *path)) in [(found.rule, found.path) for found in warned]


def test_C_3_services_are_checked_by_name_and_fields_by_list() -> None:
    reading = read("services:\n  b: {image: a, scale: 2}\n  a: {image: a, runtime: x, isolation: y}\n")
    (first,) = [found for found in reading.findings if found.reported]
    assert first.path == ("services", "a", "isolation")
    assert len([found for found in reading.findings if found.severity is Severity.ERROR]) == 3


def test_C_3_the_engine_speaks_before_balena() -> None:
    assert reported(web("logging: {}\n    volumes: ['nowhere:/x']"))[2] == "undefined-volume"


def test_C_3_inside_a_service_labels_come_before_volumes() -> None:
    text = "volumes: ['./x:/y']\n    labels: {io.balena.features.requires.arch.sw: x}"
    assert reported(web(text))[2] == "bad-requirement"


def test_C_4_every_port_gets_the_false_alarm_of_its_mode() -> None:
    alarms = [found for found in web("ports: ['80:80', 81]").findings if found.code == FALSE_ALARM]
    assert [found.path[-2:] for found in alarms] == [(0, "mode"), (1, "mode")]


def test_C_31_a_value_of_the_building_machine_leaks() -> None:
    reading = web("environment: [TOKEN, EMPTY]", env={"TOKEN": "t0p"})
    assert kept(reading)["environment"] == {"TOKEN": "t0p", "EMPTY": ""}


def test_C_75_a_build_argument_without_a_value_is_copied_or_dropped() -> None:
    build = kept(web("build: {args: [A, B, C=1]}", env={"B": "shell"}))["build"]
    assert build["args"] == {"B": "shell", "C": "1"}


@pytest.mark.parametrize(
    ("context", "left"),
    [
        ("./x", "x"),
        (".", "."),
        ("../x", "../x"),
        ("../../x", "../../x"),
        ("./a/../b/", "b"),
        ("/home/me/x", "../x"),
        ("''", None),
        ("https://github.com/o/r.git#main", "https:/github.com/o/r.git#main"),
    ],
)
def test_C_72_a_build_context_is_seen_from_the_first_file(context: str, left: str | None) -> None:
    assert kept(web(f"build: {context}"))["build"].get("context") == left


def test_C_72_an_empty_dockerfile_removes_the_key() -> None:
    assert kept(web("build: {dockerfile: ''}"))["build"] == {"context": ".", "tags": ["nginx"]}


def test_C_78_a_default_network_is_added_when_a_service_uses_it() -> None:
    assert read("services: {web: {image: a}}").normal == {
        "services": {"web": {"image": "a", "command": None, "networks": {"default": None}}},
        "networks": {"default": {"ipam": {}}},
    }
    assert "networks" not in (read("services: {web: {image: a, network_mode: host}}").normal or {})


NETWORKS = [
    ("{driver: macvlan}", "C-79"),
    ("{enable_ipv4: false}", "C-80"),
    ("{enable_ipv6: true}", "C-80"),
    ("{attachable: true}", "C-82"),
    ("{external: true}", "C-82"),
    ("{external: {name: x}}", "C-82"),
    ("{labels: {io.balena.features.requires.sw.l4t: latest}}", "C-92"),
    ("{ipam: {config: [{subnet: 10.0.0.0/24, aux_addresses: {a: 10.0.0.9}}]}}", "C-83"),
    ("{config_only: true}", "C-8"),
    ("{name: a, external: {name: b}}", "C-81"),
]


@pytest.mark.parametrize(("body", "rule"), NETWORKS)
def test_a_network_stops_the_release(body: str, rule: str) -> None:
    reading = read(f"services: {{web: {{image: a, networks: [n]}}}}\nnetworks: {{n: {body}}}\n")
    assert reported(reading)[1] == rule


def test_C_79_to_C_84_what_is_kept_of_a_network() -> None:
    body = "{name: x, driver: bridge, enable_ipv6: false, internal: yes, attachable: false, x-c: 1, "
    body += "driver_opts: {a: 1}, labels: [b], "
    body += "ipam: {driver: d, options: {o: p}, config: [{subnet: 10.0.0.0/24}]}}"
    reading = read(f"services: {{web: {{image: a, networks: [n]}}}}\nnetworks: {{n: {body}}}\n")
    assert reading.normal is not None
    assert reading.normal["networks"]["n"] == {
        "driver": "bridge",
        "enable_ipv6": False,
        "internal": True,
        "driver_opts": {"a": "1"},
        "labels": {"b": ""},
        "ipam": {"driver": "d", "config": [{"subnet": "10.0.0.0/24"}]},
    }
    assert {"C-81", "C-83", "C-20"} <= rules_of(reading, Severity.CHANGED)


def test_C_84_a_bridge_name_of_ones_own_is_warned_of() -> None:
    opts = "{com.docker.network.bridge.name: br0}"
    reading = read(f"services: {{web: {{image: a, networks: [n]}}}}\nnetworks: {{n: {{driver_opts: {opts}}}}}\n")
    assert "C-84" in rules_of(reading, Severity.WARNING)


VOLUMES = [
    ("{driver: nfs}", "C-87"),
    ("{driver: Local}", "C-87"),
    ("{external: true}", "C-86"),
    ("{external: true, driver: local}", "C-86"),
]


@pytest.mark.parametrize(("body", "rule"), VOLUMES)
def test_a_volume_stops_the_release(body: str, rule: str) -> None:
    assert reported(read(f"services: {{web: {{image: a}}}}\nvolumes: {{v: {body}}}\n"))[1] == rule


def test_C_85_to_C_87_what_is_kept_of_a_volume() -> None:
    body = "{name: x, external: false, driver: local, driver_opts: {a: 1}}"
    reading = read(f"services: {{web: {{image: a}}}}\nvolumes: {{v: , w: {body}}}\n")
    assert reading.normal is not None
    assert reading.normal["volumes"] == {"v": {}, "w": {"driver": "local", "driver_opts": {"a": "1"}}}
    assert "C-81" in rules_of(reading, Severity.CHANGED)


@pytest.mark.parametrize(
    ("options", "device"),
    [
        ("driver: local, driver_opts: {o: bind, device: ./data/}", "/home/me/project/data"),
        ("driver: local, driver_opts: {o: bind, device: ''}", "/home/me/project"),
        ("driver: local, driver_opts: {o: bind, device: ~/data/}", "/root/data"),
        ("driver: local, driver_opts: {o: bind, device: /a/../b/}", "/a/../b/"),
        ("driver: local, driver_opts: {o: 'bind,ro', device: ./data}", "./data"),
        ("driver_opts: {o: bind, device: ./data}", "./data"),
    ],
)
def test_C_87_a_local_bind_begins_in_the_folder_of_the_machine_that_builds(options: str, device: str) -> None:
    reading = read(f"services: {{web: {{image: a}}}}\nvolumes: {{v: {{{options}}}}}\n")
    assert reading.normal is not None
    assert reading.normal["volumes"]["v"]["driver_opts"]["device"] == device
    assert ("device-of-builder" in {found.code for found in reading.findings}) == (device not in options)


def test_C_2_secrets_at_the_top_are_refused_after_the_engine() -> None:
    assert reported(read("services: {web: {image: a, scale: 1}}\nsecrets: {s: {file: x}}\n"))[0] == "ValidationError"


def test_C_93_a_contract_lists_plain_entries_then_choices_then_the_new_fields() -> None:
    text = "labels: {io.balena.features.requires.sw.linux: '>=6', io.balena.features.requires.sw.supervisor: '>=16', "
    text += "io.balena.features.requires.sw.balena-os: '6', io.balena.features.requires.arch.sw: rpi}\n    cpus: 1"
    assert web(text).contracts["web"] == {
        "type": "sw.container",
        "slug": "contract-for-web",
        "requires": [
            {"type": "arch.sw", "slug": "rpi"},
            {"type": "sw.supervisor", "version": ">=16"},
            {"or": [{"type": "sw.os", "slug": "balena-os", "version": "6"}]},
            {"or": [{"type": "sw.kernel", "slug": "linux", "version": ">=6"}]},
            {"type": "sw.spec", "slug": "compose", "version": ">=2"},
        ],
    }


def test_C_55_a_circle_of_dependencies_is_told_with_its_names() -> None:
    reading = read(
        "services: {a: {image: x, depends_on: [b]}, b: {image: x, depends_on: [c]}, c: {image: x, depends_on: [a]}}"
    )
    (found,) = reading.findings
    assert (found.rule, found.message) == ("C-55", "a circle of dependencies: a → b → c → a")


def test_the_composition_says_the_same_in_values() -> None:
    text = (
        "ports: ['8080:80', 53/udp]\n    volumes: ['data:/d:ro']\n    ulimits: {core: -1, nofile: {soft: 1, hard: 2}}"
    )
    reading = web(text + "\n    expose: [9]\n    networks: [n]\n    build: {context: ./x, args: [A=1], target: t}")
    assert reading.composition is not None
    service = reading.composition.service("web")
    assert service is not None
    assert service.ports == (Port(target="80", published="8080"), Port(target="53", protocol="udp"))
    assert service.volumes == (Mount(volume="data", target="/d", read_only=True),)
    assert service.ulimits == (("core", "-1"), ("nofile", "1:2"))
    assert (service.expose, service.networks) == (("9",), ("n",))
    assert service.build is not None
    assert (service.build.context, service.build.args, service.build.target) == ("x", (("A", "1"),), "t")


def test_a_composition_with_errors_is_still_shown() -> None:
    reading = web("depends_on: [nobody, db]\n    scale: 2")
    assert reading.composition is not None
    service = reading.composition.service("web")
    assert service is not None
    assert service.depends_on == ("db", "nobody")


def test_thousands_of_services_in_a_chain_are_checked() -> None:
    lines = [f"  s{n}: {{image: a, depends_on: [s{n + 1}]}}" for n in range(3000)]
    reading = read("services:\n" + "\n".join(lines) + "\n  s3000: {image: a}\n")
    assert reading.ok


def test_C_14_texts_with_colons_stay_texts() -> None:
    left = kept(web("ports: [22:22]\n    mac_address: 02:42:ac:11:65:43\n    environment: {A: 190:20:30}"))
    assert (left["ports"], left["mac_address"], left["environment"]) == (
        ["22:22"],
        "02:42:ac:11:65:43",
        {"A": "190:20:30"},
    )


def test_C_29_quotes_do_not_protect_a_variable() -> None:
    reading = web("command: [echo, '$WHO', \"$WHO\", $$WHO]", env={"WHO": "me"})
    assert kept(reading)["command"] == ["echo", "me", "me", "$WHO"]


@pytest.mark.parametrize("name", ["Main", "-a", "a.b", "_", "a" * 70, "1"])
def test_C_42_names_that_the_parser_accepts(name: str) -> None:
    assert read(f"services: {{{name!r}: {{image: a}}}}").ok


@pytest.mark.parametrize("name", ["a b", "ä", "a/b", ""])
def test_C_42_and_those_that_it_does_not(name: str) -> None:
    assert reported(read(f"services: {{{name!r}: {{image: a}}}}"))[1] == "C-8"


def test_C_76_provenance_and_sbom_pass_as_text() -> None:
    build = kept(web("build: {provenance: mode=max, sbom: true}"))["build"]
    assert (build["provenance"], build["sbom"]) == ("mode=max", "true")
