"""What the device makes of a service: the container request, what it refuses and what it ignores."""

from __future__ import annotations

from typing import Any

import pytest

from kit.container import FIELDS, KNOWN, Place, check_device, container, default_composition, is_true
from kit.diagnostics import Severity

PLACE = Place(app_id=1234, app_uuid="deadbeef", device_uuid="devuuid", hostname="hosty")


def body(service: dict[str, Any], image: dict[str, Any] | None = None) -> dict[str, Any]:
    return container(service, place=PLACE, image=image).body


def host(service: dict[str, Any], image: dict[str, Any] | None = None) -> dict[str, Any]:
    config: dict[str, Any] = body(service, image)["HostConfig"]
    return config


def found(service: dict[str, Any]) -> list[tuple[str, str]]:
    return [(f.rule, f.code) for f in check_device({"services": {"main": service}})]


def test_C_100_there_are_fifty_known_fields_and_the_rest_is_dropped() -> None:
    assert len(KNOWN) == 50
    request = container({"annotations": {"a": "1"}, "build": {"context": "."}})
    assert [f.path for f in request.findings] == [("services", "main", "annotations")]


def test_C_101_defaults() -> None:
    request = body({"networks": {"default": None}})
    assert (request["Tty"], request["StopTimeout"], request["StopSignal"], request["Healthcheck"]) == (
        True,
        10,
        "SIGTERM",
        {"Test": ["NONE"]},
    )
    config = request["HostConfig"]
    assert config["RestartPolicy"] == {"Name": "always", "MaximumRetryCount": 0}
    assert (config["IpcMode"], config["ShmSize"], config["Privileged"], config["Memory"]) == (
        "shareable",
        64 << 20,
        False,
        0,
    )
    assert "Init" not in config
    assert set(FIELDS) <= KNOWN


@pytest.mark.parametrize(
    ("written", "policy"),
    [
        ("no", "no"),
        (" Always ", "always"),
        ("on-failure", "on-failure"),
        ("UNLESS-STOPPED", "unless-stopped"),
        ("on-failure:3", "always"),
        ("never", "always"),
        ("", "always"),
    ],
)
def test_C_106_four_words_are_understood(written: str, policy: str) -> None:
    assert host({"restart": written})["RestartPolicy"] == {"Name": policy, "MaximumRetryCount": 0}
    assert (("C-106", "restart-unknown") in found({"restart": written})) is (
        policy == "always" and written != " Always "
    )


PORTS = [
    (["80"], {"80/tcp": [("", "80")]}),
    (["8080:80"], {"80/tcp": [("", "8080")]}),
    (["53:53/udp"], {"53/udp": [("", "53")]}),
    (["127.0.0.1:80:80"], {"80/tcp": [("127.0.0.1", "80")]}),
    (["::1:80:80"], {"80/tcp": [("::1", "80")]}),
    (["9-10:9-10"], {"9/tcp": [("", "9")], "10/tcp": [("", "10")]}),
    (["81:80", "82:80"], {"80/tcp": [("", "81"), ("", "82")]}),
]


@pytest.mark.parametrize(("ports", "bindings"), PORTS)
def test_C_50_ports_are_bound_and_a_bare_one_to_itself(
    ports: list[str], bindings: dict[str, list[tuple[str, str]]]
) -> None:
    expected = {key: [{"HostIp": ip, "HostPort": port} for ip, port in value] for key, value in bindings.items()}
    assert host({"ports": ports})["PortBindings"] == expected
    assert body({"ports": ports})["ExposedPorts"] == {key: {} for key in bindings}


@pytest.mark.parametrize(
    "port", ["8000-8002:80", "127.0.0.1:80", "80/sctp", "80:80/TCP", "80/undefined", "undefined", ":80"]
)
def test_C_50_some_ports_stop_the_update(port: str) -> None:
    findings = container({"ports": [port]}).findings
    assert [(f.rule, f.severity) for f in findings] == [("C-50", Severity.REFUSED)]


def test_C_53_the_whole_text_is_the_path_of_a_tmpfs() -> None:
    assert host({"tmpfs": ["/t:size=10m", "/u"]})["Tmpfs"] == {"/t:size=10m": "", "/u": ""}
    assert found({"tmpfs": ["/t:size=10m", "/u"]}) == [("C-53", "tmpfs-options")]


@pytest.mark.parametrize(
    ("limit", "sent"),
    [
        (-1, {"Name": "core", "Soft": -1, "Hard": -1}),
        ({}, {"Name": "core"}),
        ({"hard": 5}, {"Name": "core", "Hard": 5}),
    ],
)
def test_C_60_a_limit_without_numbers_is_sent_by_name(limit: Any, sent: dict[str, Any]) -> None:
    assert host({"ulimits": {"core": limit}})["Ulimits"] == [sent]


@pytest.mark.parametrize(
    ("text", "size"), [("67108864", 67108864), ("1k", 1024), ("2G", 2 << 30), ("5b", 5), ("-1", 0), ("x", 0)]
)
def test_C_62_the_device_reads_sizes_by_itself(text: str, size: int) -> None:
    assert host({"mem_limit": text, "mem_reservation": text})["Memory"] == size
    assert host({"shm_size": text})["ShmSize"] == (size or 64 << 20)


def test_C_64_a_share_of_processors_is_counted_in_billionths() -> None:
    assert host({"cpus": 0.5})["NanoCpus"] == 500_000_000


@pytest.mark.parametrize("value", ["1", "true", "TRUE", "on", "On"])
def test_C_88_these_values_are_true(value: str) -> None:
    assert is_true(value)


@pytest.mark.parametrize("value", ["yes", "y", "2", "", " 1", "0"])
def test_C_88_these_are_not(value: str) -> None:
    assert not is_true(value)
    assert len(host({"labels": {"io.balena.features.dbus": value}})["Binds"]) == 2


def test_C_88_a_value_that_looks_true_is_told() -> None:
    assert found({"labels": {"io.balena.features.dbus": "yes"}}) == [("C-88", "feature-off")]
    assert found({"labels": {"io.balena.features.optional": "1", "io.balena.features.dbus": "no"}}) == []
    assert found({"labels": {"io.balena.features.optional": "yes"}}) == [("C-88", "feature-off")]


FEATURES = [
    ("dbus", ["/run/dbus:/host/run/dbus"]),
    ("sysfs", ["/sys:/sys"]),
    ("procfs", ["/proc:/proc"]),
    ("kernel-modules", ["/lib/modules:/lib/modules"]),
    ("firmware", ["/lib/firmware:/lib/firmware"]),
    ("extra-firmware", ["extra-firmware:/extra-firmware"]),
    (
        "journal-logs",
        [
            "/var/log/journal:/var/log/journal:ro",
            "/run/log/journal:/run/log/journal:ro",
            "/etc/machine-id:/etc/machine-id:ro",
        ],
    ),
]


@pytest.mark.parametrize(("feature", "binds"), FEATURES)
def test_C_89_a_feature_label_opens_a_path_of_the_host(feature: str, binds: list[str]) -> None:
    assert host({"labels": {f"io.balena.features.{feature}": "1"}})["Binds"][2:] == binds


def test_C_89_modules_are_mounted_only_where_they_exist() -> None:
    bare = Place(has_modules=False, has_firmware=False)
    labels = {"io.balena.features.kernel-modules": "1", "io.balena.features.firmware": "1"}
    assert len(container({"labels": labels}, place=bare).body["HostConfig"]["Binds"]) == 2


def test_C_89_the_engine_socket_and_the_keys() -> None:
    request = body(
        {
            "labels": {
                f"io.balena.features.{name}": "1"
                for name in ("balena-socket", "balena-api", "gpu", "host-os.board-rev")
            }
        }
    )
    assert [mount["Target"] for mount in request["HostConfig"]["Mounts"]] == [
        "/host/run/balena-engine.sock",
        "/var/run/docker.sock",
        "/var/run/balena.sock",
    ]
    assert "DOCKER_HOST=unix:///host/run/balena-engine.sock" in request["Env"]
    assert {"RESIN_API_KEY", "BALENA_API_URL", "BALENA_HOST_OS_BOARD_REV"} <= {
        text.partition("=")[0] for text in request["Env"]
    }
    assert request["HostConfig"]["DeviceRequests"][0]["Capabilities"] == [["gpu"]]


def test_C_89_a_docker_host_of_ones_own_is_kept() -> None:
    env = body({"environment": {"DOCKER_HOST": "mine"}, "labels": {"io.balena.features.balena-socket": "1"}})["Env"]
    assert "DOCKER_HOST=mine" in env


@pytest.mark.parametrize(("mode", "address"), [("host", "127.0.0.1"), (None, "10.114.104.1")])
def test_C_89_the_supervisor_is_reached_by_another_address_in_host_mode(mode: str | None, address: str) -> None:
    service = {"labels": {"io.balena.features.supervisor-api": "on"}} | ({"network_mode": mode} if mode else {})
    request = container(service, place=PLACE)
    assert f"BALENA_SUPERVISOR_ADDRESS=http://{address}:48484" in request.body["Env"]
    assert ("supervisor0" in request.joins) is (mode is None)


def test_C_89_an_unknown_feature_does_nothing_and_is_told() -> None:
    (finding,) = check_device({"services": {"main": {"labels": {"io.balena.features.sysf": "1"}}}})
    assert (finding.code, finding.help) == ("unknown-feature", "did you mean `sysfs`?")


def test_C_90_the_old_prefix_is_rewritten_and_the_modern_one_wins() -> None:
    labels = body(
        {"labels": {"io.resin.features.resin-api": "1", "io.resin.features.dbus": "1", "io.balena.features.dbus": "0"}}
    )["Labels"]
    assert (labels["io.balena.features.balena-api"], labels["io.balena.features.dbus"]) == ("1", "0")
    assert found({"labels": {"io.resin.features.requires.sw.supervisor": ">=99"}}) == [("C-90", "legacy-requirement")]


def test_C_91_labels_inside_the_image_count_unless_overwritten() -> None:
    image = {"Labels": {"io.balena.features.sysfs": "1"}}
    assert host({}, image)["Binds"][2:] == ["/sys:/sys"]
    assert host({"labels": {"io.balena.features.sysfs": "0"}}, image)["Binds"][2:] == []
    assert found({"build": {"context": ".", "labels": {"io.balena.features.sysfs": "1"}}}) == [
        ("C-91", "build-label-opens")
    ]


@pytest.mark.parametrize(
    ("label", "value", "code"),
    [
        ("io.balena.update.strategy", "handover", "unknown-strategy"),
        ("io.balena.update.handover-timeout", "0", "bad-timeout"),
        ("io.balena.update.handover-timeout", "1s", "bad-timeout"),
    ],
)
def test_C_95_a_misspelt_strategy_means_the_default(label: str, value: str, code: str) -> None:
    assert found({"labels": {label: value}}) == [("C-95", code)]


def test_C_97_labels_of_the_supervisor_are_overwritten() -> None:
    assert body({"labels": {"io.balena.app-id": "666"}})["Labels"]["io.balena.app-id"] == "1234"
    assert found({"labels": {"io.balena.app-id": "666"}}) == [("C-97", "label-overwritten")]


NAMES = [
    ({"services": {"-a": {}}}, "-a"),
    ({"services": {"a": {}}, "networks": {"a b": {}}}, "a b"),
    ({"volumes": {"_a": {}}}, "_a"),
    ({"services": {"a": {"environment": {"MY-VAR": "1"}}}}, "MY-VAR"),
    ({"services": {"a": {"environment": {"1A": ""}}}}, "1A"),
    ({"services": {"a": {"labels": {"a b": ""}}}}, "a b"),
    ({"services": {"a": {"labels": {"x" * 256: ""}}}}, "x" * 256),
]


@pytest.mark.parametrize(("form", "name"), NAMES)
def test_C_98_C_99_one_bad_name_rejects_the_whole_target(form: dict[str, Any], name: str) -> None:
    (finding,) = check_device(form)
    assert (finding.rule, finding.severity, finding.path[-1]) == ("C-99", Severity.REFUSED, name)


def test_C_6_a_service_name_has_63_characters_at_most() -> None:
    assert [f.rule for f in check_device({"services": {"a" * 64: {}}})] == ["C-6"]


def test_C_102_written_variables_beat_injected_ones_and_those_beat_the_image() -> None:
    env = body({"environment": {"USER": "me"}}, {"Env": ["USER=img", "PATH=/bin", "BALENA=x"]})["Env"]
    assert {"USER=me", "PATH=/bin", "BALENA=1", "BALENA_APP_UUID=deadbeef", "RESIN_DEVICE_UUID=devuuid"} <= set(env)
    assert env[:2] == ["RESIN_DEVICE_NAME_AT_INIT=my-device", "BALENA_DEVICE_NAME_AT_INIT=my-device"]


def test_C_103_C_104_volumes_get_the_app_and_the_lock_folder_is_always_there() -> None:
    lock = "/tmp/balena-supervisor/services/1234/main"
    config = body({"volumes": ["data:/d:ro"]}, {"Volumes": {"/anonymous": {}}})
    assert config["HostConfig"]["Binds"] == ["1234_data:/d:ro", f"{lock}:/tmp/resin", f"{lock}:/tmp/balena"]
    assert config["Volumes"] == {"/anonymous": {}}
    assert config["name"] == "main_1_1_commit"


NETWORKS = [
    ({}, "deadbeef_default"),
    ({"networks": {"b": None, "a": None}}, "deadbeef_b"),
    ({"network_mode": "host"}, "host"),
    ({"network_mode": "none"}, "none"),
    ({"network_mode": "bridge"}, "bridge"),
    ({"network_mode": "default"}, "deadbeef_default"),
    ({"network_mode": "foo"}, "deadbeef_foo"),
    ({"network_mode": "service: z"}, "container:z"),
    ({"network_mode": "container:x"}, "deadbeef_undefined"),
]


@pytest.mark.parametrize(("service", "mode"), NETWORKS)
def test_C_105_the_primary_network(service: dict[str, Any], mode: str) -> None:
    assert host(service)["NetworkMode"] == mode


def test_C_105_the_service_name_is_an_alias_on_every_network() -> None:
    request = container({"networks": {"b": {"aliases": ["x"], "ipv4_address": "10.0.0.5"}, "a": None}}, place=PLACE)
    first = request.body["NetworkingConfig"]["EndpointsConfig"]["deadbeef_b"]
    assert first == {"IPAMConfig": {"IPv4Address": "10.0.0.5"}, "Aliases": ["x", "main"]}
    assert request.joins == {"deadbeef_a": {"IPAMConfig": {}, "Aliases": ["main"]}}


def test_C_105_a_mode_that_names_no_network_is_refused() -> None:
    assert found({"network_mode": "hots"}) == [("C-105", "network-missing")]
    assert check_device({"services": {"main": {"network_mode": "n"}}, "networks": {"n": {"ipam": {}}}}) == ()


def test_C_105_host_mode_takes_the_name_of_the_device() -> None:
    assert body({"network_mode": "host"})["Hostname"] == "hosty"
    assert body({"network_mode": "host", "hostname": "mine"})["Hostname"] == "mine"
    assert body({})["Hostname"] == ""


@pytest.mark.parametrize(("text", "seconds"), [("1m30s", 90), ("500ms", 0), ("1.5s", 1), ("24h0m0s", 86400)])
def test_C_107_the_time_to_stop_is_cut_to_seconds(text: str, seconds: int) -> None:
    assert body({"stop_grace_period": text})["StopTimeout"] == seconds


def test_C_107_start_period_of_the_image_survives() -> None:
    check = {"test": ["CMD", "x"], "interval": "1m30s", "start_period": "1m0s", "retries": 3}
    assert body({"healthcheck": check})["Healthcheck"] == {"Test": ["CMD", "x"], "Interval": 90 * 10**9, "Retries": 3}
    image = {"Healthcheck": {"Test": ["CMD", "y"], "StartPeriod": 5}}
    assert body({"healthcheck": check}, image)["Healthcheck"]["StartPeriod"] == 5
    assert found({"healthcheck": check}) == [("C-107", "health-ignored")]
    assert body({"healthcheck": {"disable": True}}, image)["Healthcheck"]["Test"] == ["NONE"]


def test_C_108_each_field_replaces_that_of_the_image_by_itself() -> None:
    image = {"Cmd": ["c"], "Entrypoint": ["e"], "User": "u", "WorkingDir": "/w", "StopSignal": "SIGINT"}
    request = body({"entrypoint": ["mine"], "command": None}, image)
    assert (request["Entrypoint"], request["Cmd"], request["User"], request["WorkingDir"]) == (
        ["mine"],
        ["c"],
        "u",
        "/w",
    )
    assert body({"command": []}, image)["Cmd"] == []
    assert body({"working_dir": "/a/"})["WorkingDir"] == "/a"
    assert found({"entrypoint": ["mine"], "command": None}) == [("C-108", "image-command-kept")]
    assert found({"entrypoint": ["mine"], "command": []}) == []


def test_C_46_new_fields_make_the_device_refuse_everything() -> None:
    findings = check_device({"services": {"main": {"cpus": 0.5}}})
    assert [(f.rule, f.severity) for f in findings] == [("C-46", Severity.REFUSED)]


def test_C_49_two_services_on_one_port_and_ports_without_a_network_of_their_own() -> None:
    form = {
        "services": {
            "a": {"ports": ["80:80"]},
            "b": {"ports": ["80:8080"]},
            "c": {"ports": ["80:80"], "network_mode": "host"},
        }
    }
    assert [(f.code, f.path[1]) for f in check_device(form)] == [("port-shared", "b"), ("ports-on-host", "c")]


def test_C_83_a_subnet_needs_a_gateway() -> None:
    form = {"networks": {"n": {"ipam": {"config": [{"subnet": "10.0.0.0/24"}]}}}}
    assert [f.rule for f in check_device(form)] == ["C-83"]


def test_C_58_devices_are_sent_in_three_parts() -> None:
    assert host({"devices": ["/dev/a:/dev/b:undefined"]})["Devices"] == [
        {"PathOnHost": "/dev/a", "PathInContainer": "/dev/b", "CgroupPermissions": "undefined"}
    ]


def test_C_111_C_112_without_a_compose_file_one_service_has_everything() -> None:
    form = default_composition(dockerfile="Dockerfile.pi")
    main = form["services"]["main"]
    assert main["build"] == {"context": ".", "dockerfile": "Dockerfile.pi"}
    assert (main["privileged"], main["tty"], main["restart"], main["network_mode"]) == (True, True, "always", "host")
    assert (main["volumes"], form["volumes"], form["networks"]) == (["resin-data:/data"], {"resin-data": {}}, {})
    assert sorted(main["labels"]) == sorted(
        f"io.resin.features.{x}" for x in ("kernel-modules", "firmware", "dbus", "supervisor-api", "resin-api")
    )
    assert "build" not in default_composition(image="nginx")["services"]["main"]


def test_C_113_C_114_the_old_labels_open_the_same_doors_on_the_device() -> None:
    config = container(default_composition()["services"]["main"], place=PLACE).body
    assert config["HostConfig"]["Binds"][3:] == [
        "/run/dbus:/host/run/dbus",
        "/lib/modules:/lib/modules",
        "/lib/firmware:/lib/firmware",
    ]
    assert config["HostConfig"]["Privileged"]
    assert {"BALENA_API_KEY", "BALENA_SUPERVISOR_ADDRESS"} <= {text.partition("=")[0] for text in config["Env"]}
    assert default_composition() == default_composition()


def test_the_default_composition_is_made_anew_each_time() -> None:
    default_composition()["services"]["main"]["labels"].clear()
    assert default_composition()["services"]["main"]["labels"]
