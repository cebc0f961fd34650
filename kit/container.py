"""What the device makes of a service: the container that the supervisor asks the engine for (C-99 … C-115).

    normal form of one service  ──▶  request: the body of "create container", networks to join, findings

Everything is a pure function of the service, of `Place` (which app and device) and of what the image itself says.
Most surprises of a release live here: the release was accepted, and the device does something else than written.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from copy import deepcopy
from dataclasses import asdict, dataclass
from typing import Any, Final, NamedTuple

from .diagnostics import Diagnostic, Path, beside
from .reader.forms import Unreadable, parse_duration
from .reader.notes import Notes, Where, nowhere
from .reader.release import FEATURES, REQUIRES, new_fields

Plain = dict[str, Any]

TABLES: Final[dict[str, Any]] = beside(__file__)
FIELDS: Final[dict[str, tuple[str, str, Any]]] = {key: tuple(row) for key, row in TABLES["fields"].items()}
KNOWN: Final = frozenset(FIELDS) | frozenset(TABLES["elsewhere"])
FEATURE_TABLE: Final[dict[str, dict[str, Any]]] = TABLES["features"]
OWNED: Final[dict[str, str]] = TABLES["owned_labels"]
RESTARTS: Final[list[str]] = TABLES["restarts"]
STRATEGIES: Final[list[str]] = TABLES["strategies"]
LEGACY: Final = "io.resin."
STRATEGY: Final = "io.balena.update.strategy"
TIMEOUT: Final = "io.balena.update.handover-timeout"
SUPERVISOR_NETWORK: Final = "supervisor0"
ON_DEVICE: Final = ("host", "none", "bridge")  # network modes that join no network of the app

PORT = re.compile(r"(?a)(?:(?:([a-fA-F\d.:]+):)?(\d{0,9})(?:-(\d{1,9}))?:)?(\d{1,9})(?:-(\d{1,9}))?(?:/(udp|tcp))?")
MEMORY = re.compile(r"(?ai)(\d{1,19})([bkmg]?)b?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The app and the device that a container is made for; the values that no composition knows."""

    app_id: int = 1
    app_uuid: str = "app"
    app_name: str = "my-fleet"
    service_id: int = 1
    image_id: int = 1
    release_id: int = 1
    commit: str = "commit"
    device_uuid: str = "device"
    device_name: str = "my-device"
    device_type: str = ""
    arch: str = ""
    os_version: str = ""
    os_build: str = ""
    board_revision: str = ""
    hostname: str = "balena"
    supervisor_host: str = "10.114.104.1"
    supervisor_port: int = 48484
    supervisor_key: str = "(a key of this service)"
    api_key: str = "(the key of the device)"
    api_url: str = "https://api.balena-cloud.com"
    socket: str = "/var/run/docker.sock"
    has_modules: bool = True
    has_firmware: bool = True


class Request(NamedTuple):
    """What the supervisor asks the engine for. `joins` are the networks that are joined after the first."""

    body: Plain
    joins: Plain
    findings: tuple[Diagnostic, ...]


def is_true(value: str | None) -> bool:
    """True for the label values that the device takes for true (C-88).

    >>> [is_true(v) for v in ("1", "TRUE", "on", "yes", "", None)]
    [True, True, True, False, False, False]
    """
    return value is not None and value.lower() in ("1", "true", "on")


def spelled(labels: Iterable[str]) -> dict[str, str]:
    """Labels by their names of today; where both are there, the spelling of today counts (C-90).

    >>> spelled(["io.balena.features.dbus", "io.resin.features.dbus", "a"])
    {'io.balena.features.dbus': 'io.balena.features.dbus', 'a': 'a'}
    """
    return {modern(label): label for label in sorted(labels, key=lambda label: not label.startswith(LEGACY))}


def modern(label: str) -> str:
    """A label as it is spelled today."""
    return label.replace("resin", "balena") if label.startswith(LEGACY) else label


def container(
    service: Mapping[str, Any], *, name: str = "main", place: Place | None = None,
    image: Mapping[str, Any] | None = None, where: Where = nowhere,
) -> Request:  # fmt: skip
    """The container request for one service of a normal form.

    *image* is the configuration of the image (`Cmd`, `Entrypoint`, `Env`, `Labels`, `Volumes`, `ExposedPorts`,
    `Healthcheck`, `StopSignal`, `User`, `WorkingDir`); *where* finds the place of a path in the source.

    >>> request = container({"restart": "on-failure:3"})
    >>> request.body["HostConfig"]["RestartPolicy"], request.findings[0].rule
    ({'Name': 'always', 'MaximumRetryCount': 0}, 'C-106')
    """
    note = Notes(where)
    return Request(*_Container(service, name, place or Place(), image or {}, note).run(), note.results())


class _Container:
    """One container on its way."""

    def __init__(self, service: Mapping[str, Any], name: str, place: Place, image: Mapping[str, Any], note: Notes):
        self.service = deepcopy({key: each for key, each in service.items() if key in KNOWN and each is not None})
        self.name, self.place, self.image, self.note = name, place, image, note
        self.words = {**asdict(place), "name": name}  # what texts of the tables may name
        self.published: dict[str, int] = {}  # the number of the port that takes an address of the host
        others = ("build", "depends_on", "profiles")  # used by others, or said by others
        for key in [key for key in service if key not in KNOWN and key not in others]:
            self.say("field-dropped", key, field=key)

    def say(self, code: str, *path: str | int, **words: Any) -> None:
        """A finding about the service."""
        self.note.tell(code, ("services", self.name, *path), **words)

    def filled(self, table: Mapping[str, str]) -> dict[str, str]:
        """A table of texts with the values of this place."""
        return {key: text.format_map(self.words) for key, text in table.items()}

    def run(self) -> tuple[Plain, Plain]:
        """All parts of the request: its body, and the networks that are joined later."""
        take = self.service.get
        primary, networks = self._networks()
        ports, exposed = self._ports()
        binds, anonymous = self._volumes()
        host: Plain = {
            "Binds": binds, "Mounts": [], "DeviceRequests": [],
            "Devices": [_device(text) for text in take("devices") or ()],
            "Memory": self._size("mem_limit", 0), "MemoryReservation": self._size("mem_reservation", 0),
            "ShmSize": self._size("shm_size", 64 << 20), "NanoCpus": round(float(take("cpus") or 0) * 10**9),
            "NetworkMode": primary, "PortBindings": ports, "Tmpfs": self._tmpfs(),
            "RestartPolicy": {"Name": self._restart(), "MaximumRetryCount": 0},
            "Ulimits": [_limit(name, limit) for name, limit in (take("ulimits") or {}).items()],
        }  # fmt: skip
        body: Plain = {
            "name": "{name}_{image_id}_{release_id}_{commit}".format_map(self.words), "Image": take("image", ""),
            "ExposedPorts": exposed, "Labels": self._labels(), "StopTimeout": self._grace(), "Volumes": anonymous,
            "Healthcheck": self._health(), "HostConfig": host,
        }  # fmt: skip
        for key, (part, target, default) in (FIELDS | TABLES["from_image"]).items():
            said = self.image.get(target) if part == "image" else None
            (host if part == "HostConfig" else body)[target] = take(key, said or deepcopy(default))
        body["WorkingDir"] = re.sub(r"(.)/$", r"\1", body["WorkingDir"])
        if take("entrypoint") and "command" not in self.service:
            self.say("image-command-kept", "entrypoint")
        host |= {"Init": self.service["init"]} if "init" in self.service else {}
        body["Hostname"] = body["Hostname"] or (self.place.hostname if primary == "host" else "")
        environment = self._environment()
        self._features(body["Labels"], environment, host, networks)
        body["Env"] = [f"{key}={value}" for key, value in environment.items()]
        body["NetworkingConfig"] = {"EndpointsConfig": {primary: networks.pop(primary)} if primary in networks else {}}
        return body, networks

    # ── networks and ports (C-50, C-105) ───────────────────────────────────────────────────────────

    def _networks(self) -> tuple[str, Plain]:
        """The primary network, and every network with the names the service has there."""
        mode, written = self.service.get("network_mode"), self.service.get("networks") or {}
        networks = dict(written) if isinstance(written, dict) else dict.fromkeys(written)
        other = re.search(r"service:\s*(.+)", mode or "")
        primary = next(iter(networks), "default") if mode is None else mode
        if mode == "host" and self.service.get("ports"):
            self.say("ports-on-host", "ports")
        if not other and primary.startswith("container:"):
            self.say("container-mode-ignored", "network_mode", value=primary)
            primary = "undefined"
        if not other and mode not in ON_DEVICE:
            networks.setdefault(primary, None)
        front = f"{self.place.app_uuid}_"
        found = {front + network: self._joined(body or {}) for network, body in networks.items()}
        if other:
            return f"container:{other[1]}", found
        return primary if mode in ON_DEVICE else front + primary, found

    def _joined(self, body: Mapping[str, Any]) -> Plain:
        """What the service has on a network: addresses, and its names (C-105)."""
        addresses = {"IPv4Address": body.get("ipv4_address"), "IPv6Address": body.get("ipv6_address")}
        aliases = dict.fromkeys([*body.get("aliases", ()), self.name])
        return {"IPAMConfig": {key: value for key, value in addresses.items() if value}, "Aliases": [*aliases]}

    def _ports(self) -> tuple[Plain, Plain]:
        """Port bindings and exposed ports; a text that the supervisor cannot read stops the update (C-50)."""
        ranges = []
        for index, text in enumerate(map(str, self.service.get("ports") or ())):
            if (found := PORT.fullmatch(text)) is not None:
                host, first, last, inside, end, protocol = found.groups()
                outside, end = inside if first is None else first, end or inside
                last = last or (outside if inside == end else end)
                if outside and int(end) - int(inside) == int(last) - int(outside):
                    ranges.append((int(inside), host or "", protocol or "tcp", int(end), int(outside), index))
                    continue
            hints = (hint for pattern, hint in TABLES["port_hints"] if re.search(pattern, text))
            hint = "write one line for each port" if found else next(hints)
            self.say("device-port", "ports", index, value=text, hint=hint)
        bindings: Plain = {}
        for begin, host, protocol, stop, outside, index in sorted(ranges, key=lambda row: row[:3]):
            for step in range(min(stop - begin, 65535) + 1):
                binding = {"HostIp": host, "HostPort": str(outside + step)}
                bindings.setdefault(f"{begin + step}/{protocol}", []).append(binding)
                self.published.setdefault(f"{host}:{outside + step}/{protocol}", index)
        return bindings, {key: {} for key in (*bindings, *(self.image.get("ExposedPorts") or ()))}

    # ── labels, variables, features (C-88 … C-98, C-102) ───────────────────────────────────────────

    def _labels(self) -> dict[str, str]:
        """The labels that count: written, owned by the supervisor, then those inside the image (C-90, C-91, C-97)."""
        written: dict[str, str] = self.service.get("labels") or {}
        labels = {**(self.image.get("Labels") or {}), **written, **self.filled(OWNED)}
        for label in written:
            if label in OWNED:
                self.say("label-overwritten", "labels", label, label=label)
            elif label.startswith(LEGACY) and modern(label).startswith(REQUIRES):
                self.say("legacy-requirement", "labels", label, label=label, modern=modern(label))
        return {name: labels[label] for name, label in spelled(labels).items()}

    def _environment(self) -> dict[str, str]:
        """Variables: written, then injected, then those of the image (C-102)."""
        identity = self.filled(TABLES["identity"]).items()
        injected = {f"{front}_{key}": value for front in ("BALENA", "RESIN") for key, value in identity}
        image = dict(text.partition("=")[::2] for text in self.image.get("Env") or ())
        first = self.filled(TABLES["at_creation"])
        return {**first, **image, **injected, **TABLES["injected"], **(self.service.get("environment") or {})}

    def _features(self, labels: Mapping[str, str], environment: Plain, host: Plain, networks: Plain) -> None:
        """Feature labels become mounts, devices and variables (C-89)."""
        on_host = host["NetworkMode"] == "host"
        self.words["address"] = "127.0.0.1" if on_host else self.place.supervisor_host
        on = {feature: row for feature, row in FEATURE_TABLE.items() if is_true(labels.get(FEATURES + feature))}
        for feature, row in on.items():
            host["Binds"] += row.get("binds", []) if self.words.get(row.get("needs", ""), True) else []
            host["DeviceRequests"] += deepcopy(row.get("requests", []))
            sockets = dict.fromkeys(text.format_map(self.words) for text in row.get("sockets", ()))
            host["Mounts"] += [{"Type": "bind", "Source": self.place.socket, "Target": each} for each in sockets]
            variables = self.filled(row.get("variables", {})).items()
            environment |= {f"{front}_{key}": value for key, value in variables for front in ("RESIN", "BALENA")}
            if sockets:
                environment.setdefault("DOCKER_HOST", f"unix://{next(iter(sockets))}")
            if feature == "supervisor-api" and not on_host:
                networks[SUPERVISOR_NETWORK] = {"IPAMConfig": {}, "Aliases": []}

    # ── the rest ───────────────────────────────────────────────────────────────────────────────────

    def _volumes(self) -> tuple[list[str], Plain]:
        """Named volumes with the app's prefix, the lock folder, and anonymous volumes of the image (C-103, C-104)."""
        app, written = self.place.app_id, [*map(str, self.service.get("volumes") or ())]
        binds = [f"{app}_{':'.join(map(str.strip, text.split(':')))}" for text in written if ":" in text]
        lock = f"/tmp/balena-supervisor/services/{app}/{self.name}"  # noqa: S108 (a path of the device)
        bare = (*(self.image.get("Volumes") or ()), *(text for text in written if ":" not in text))
        return [*binds, f"{lock}:/tmp/resin", f"{lock}:/tmp/balena"], {path: {} for path in bare}

    def _restart(self) -> str:
        """One of four words; anything else becomes `always` (C-106)."""
        value = self.service.get("restart", "always")
        word = str(value).lower().strip()
        if word in RESTARTS and isinstance(value, str):
            return word
        near = word.partition(":")[0].replace("_", "-")
        known = f"write `{near}`; the number of tries is always unlimited" if ":" in word and near in RESTARTS else ""
        self.say("restart-unknown", "restart", value=value, hint=known or self.note.known(near, RESTARTS))
        return "always"

    def _grace(self) -> int:
        """The time to stop, in whole seconds (C-107)."""
        span = _nanoseconds(value := self.service.get("stop_grace_period", "10s"))
        if span % 10**9:
            self.say("grace-cut", "stop_grace_period", value=value, seconds=span // 10**9)
        return span // 10**9

    def _health(self) -> Plain:
        """The health check: the image's, with what the composition says put over it (C-107)."""
        found = {"Test": ["NONE"], **(self.image.get("Healthcheck") or {})}
        check = self.service.get("healthcheck")
        for key in [key for key in ("start_period", "start_interval") if key in (check or {})]:
            self.say("health-ignored", "healthcheck", key, field=key)
        if check is not None and check.get("disable"):
            found["Test"] = ["NONE"]
        elif check is not None:
            test = check.get("test")
            found["Test"] = ["CMD-SHELL", test] if isinstance(test, str) else test
            found |= {key.title(): _nanoseconds(check[key]) for key in ("interval", "timeout") if key in check}
            found |= {"Retries": check["retries"]} if check.get("retries") is not None else {}
        return {key: value for key, value in found.items() if value is not None}

    def _size(self, key: str, default: int) -> int:
        """A size that the supervisor reads by itself; what it cannot read is the default (C-62)."""
        value = self.service.get(key, default)
        if (found := MEMORY.fullmatch(str(value))) is not None:
            return int(found[1]) << 10 * "bkmg".index(found[2].lower() or "b")
        self.say("size-unread", key, field=key, value=value, default="64 MiB" if default else "no limit")
        return default

    def _tmpfs(self) -> dict[str, str]:
        """The whole text is the path (C-53)."""
        written = self.service.get("tmpfs") or ()
        paths = [written] if isinstance(written, str) else list(written)
        for index, path in enumerate(paths):
            if ":" in path:
                self.say("tmpfs-options", "tmpfs", index, value=path)
        return dict.fromkeys(paths, "")


def _device(text: str) -> dict[str, str]:
    host, inside, rights = (*text.split(":"), "", "")[:3]
    return {"PathOnHost": host, "PathInContainer": inside or host, "CgroupPermissions": rights or "rwm"}


def _limit(name: str, limit: Any) -> Plain:
    """A limit; without numbers only its name is sent (C-60)."""
    pair = {"soft": limit, "hard": limit} if isinstance(limit, int) else limit
    return {"Name": name} | {key.title(): pair[key] for key in ("soft", "hard") if key in pair}


def check_device(form: Mapping[str, Any], where: Where = nowhere) -> tuple[Diagnostic, ...]:
    """Everything that the device refuses or ignores of a whole release (C-46, C-50, C-88 … C-108)."""
    note, networks = Notes(where), form.get("networks") or {}
    _check_names(note, form)
    published: dict[str, str] = {}
    for name, service in (form.get("services") or {}).items():
        here: Path = ("services", name)
        if new := new_fields(service):
            note.tell("device-new-fields", (*here, *new[0].split(".")), name=name, fields="`, `".join(new))
        mode = service.get("network_mode") or "default"
        if mode not in (*ON_DEVICE, "default", *networks) and not mode.startswith(("service:", "container:")):
            note.tell("network-missing", (*here, "network_mode"), value=mode)
        _check_labels(note, service, here)
        (made := _Container(service, name, Place(), {}, note)).run()
        for key, index in made.published.items() if mode != "host" else ():
            if (other := published.setdefault(key, name)) != name:
                note.tell(
                    "port-shared", (*here, "ports", index), name=name, other=other, port=re.split("[:/]", key)[-2]
                )
    for name, network in networks.items():
        for index, pool in enumerate(network.get("ipam", {}).get("config", ())):
            if pool.get("subnet") and not pool.get("gateway"):
                note.tell("subnet-without-gateway", ("networks", name, "ipam", "config", index))
    return note.results()


def _check_names(note: Notes, form: Mapping[str, Any]) -> None:
    """Every name of a target state, by its kind (C-6, C-99)."""
    for kind in ("services", "networks", "volumes"):
        for name, body in (form.get(kind) or {}).items():
            inner = [(key, part, (part, key)) for part in ("environment", "labels") for key in body.get(part) or ()]
            for key, of, rest in [(name, kind, ()), *inner]:
                legal, hint = TABLES["names"][of]
                if not re.fullmatch(legal, key):
                    note.tell("device-name-not-legal", (kind, name, *rest), value=key, hint=hint)
                elif of == "services" and len(key) > 63:
                    note.tell("device-value-too-long", (kind, name), value=key, limit=63)


def _check_labels(note: Notes, service: Mapping[str, Any], here: Path) -> None:
    """Labels that do something else than they look like (C-88, C-89, C-91, C-95)."""
    labels: Mapping[str, str] = service.get("labels") or {}
    for label, value in labels.items():
        path, legacy = (*here, "labels", label), label.startswith(LEGACY)
        feature = modern(label).removeprefix(FEATURES)
        if feature != label and (feature in FEATURE_TABLE or feature == "optional"):
            if not is_true(value) and value.lower() not in ("", "0", "false", "off", "no", "n"):
                note.tell("feature-off", path, label=label, value=value)
        elif feature != label and not legacy and not feature.startswith("requires."):
            note.tell("unknown-feature", path, help=note.known(feature, FEATURE_TABLE), label=label)
        elif label == STRATEGY and value not in STRATEGIES:
            note.tell("unknown-strategy", path, help=note.known(value, STRATEGIES), value=value)
        elif label == TIMEOUT and not (value.isascii() and value.isdigit() and value.strip("0")):
            note.tell("bad-timeout", path, value=value)
    for label, value in ((service.get("build") or {}).get("labels") or {}).items():
        if label.removeprefix(FEATURES) in FEATURE_TABLE and is_true(value) and label not in labels:
            note.tell("build-label-opens", (*here, "build", "labels", label), label=label)


def default_composition(*, image: str = "", dockerfile: str = "") -> Plain:
    """The composition of a project without a compose file (C-111, C-112): one service, and the whole device open.

    >>> main = default_composition()["services"]["main"]
    >>> main["privileged"], main["network_mode"], main["volumes"], main["build"]
    (True, 'host', ['resin-data:/data'], {'context': '.'})
    """
    form: Plain = deepcopy(TABLES["default"])
    build = {"context": "."} | ({"dockerfile": dockerfile} if dockerfile else {})
    form["services"]["main"] |= {"image": image} if image else {"build": build}
    return form


def _nanoseconds(text: str) -> int:
    try:
        return parse_duration(str(text))
    except Unreadable:
        return 0
