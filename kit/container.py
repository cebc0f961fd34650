"""What the device makes of a service: the container that the supervisor asks the engine for (C-99 … C-115).

    normal form of one service  ──▶  request: the body of "create container", networks to join, findings

Everything is a pure function of the service, of `Place` (which app and device) and of what the image itself says.
Most surprises of a release live here: the release was accepted, and the device does something else than written.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from copy import deepcopy
from dataclasses import asdict, dataclass, field
from pathlib import Path as File
from typing import Any, Final

from .diagnostics import Diagnostic, Path
from .reader.forms import Unreadable, parse_duration
from .reader.notes import Notes, Where, nowhere
from .reader.release import FEATURES, REQUIRES, new_fields

Plain = dict[str, Any]

TABLES: Final[dict[str, Any]] = json.loads((File(__file__).parent / "container.json").read_text(encoding="utf-8"))
FIELDS: Final[dict[str, tuple[str, str, Any]]] = {key: tuple(row) for key, row in TABLES["fields"].items()}
KNOWN: Final = frozenset(FIELDS) | frozenset(TABLES["elsewhere"])
ELSEWHERE: Final = frozenset({"build", "depends_on", "profiles"})  # used by others, or said by others
FEATURE_TABLE: Final[dict[str, dict[str, Any]]] = TABLES["features"]
OWNED: Final[dict[str, str]] = TABLES["owned_labels"]
RESTARTS: Final[tuple[str, ...]] = tuple(TABLES["restarts"])
STRATEGIES: Final[tuple[str, ...]] = tuple(TABLES["strategies"])
LEGACY: Final = "io.resin."
STRATEGY: Final = "io.balena.update.strategy"
TIMEOUT: Final = "io.balena.update.handover-timeout"
OFF: Final = frozenset({"", "0", "false", "off", "no", "n"})
SUPERVISOR_NETWORK: Final = "supervisor0"
ON_DEVICE: Final = ("host", "none", "bridge")  # network modes that join no network of the app

PORT: Final = re.compile(
    r"(?:(?:([a-fA-F\d.:]+):)?(\d{0,9})(?:-(\d{1,9}))?:)?(\d{1,9})(?:-(\d{1,9}))?(?:/(udp|tcp))?", re.ASCII
)
MEMORY: Final = re.compile(r"(\d{1,19})([bkmg]?)b?", re.ASCII | re.IGNORECASE)
LEGAL: Final = {kind: (re.compile(legal), hint) for kind, (legal, hint) in TABLES["names"].items()}


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


@dataclass(frozen=True, slots=True)
class Request:
    """What the supervisor asks the engine for. `joins` are the networks that are joined after the first."""

    body: Plain
    joins: Plain = field(default_factory=dict)
    findings: tuple[Diagnostic, ...] = ()


def is_true(value: str | None) -> bool:
    """True for the label values that the device takes for true (C-88).

    >>> [is_true(v) for v in ("1", "TRUE", "on", "yes", "", None)]
    [True, True, True, False, False, False]
    """
    return value is not None and value.lower() in ("1", "true", "on")


def container(
    service: Mapping[str, Any],
    *,
    name: str = "main",
    place: Place | None = None,
    image: Mapping[str, Any] | None = None,
    where: Where = nowhere,
) -> Request:
    """The container request for one service of a normal form.

    *image* is the configuration of the image (`Cmd`, `Entrypoint`, `Env`, `Labels`, `Volumes`, `ExposedPorts`,
    `Healthcheck`, `StopSignal`, `User`, `WorkingDir`); *where* finds the place of a path in the source.

    >>> request = container({"restart": "on-failure:3"})
    >>> request.body["HostConfig"]["RestartPolicy"], request.findings[0].rule
    ({'Name': 'always', 'MaximumRetryCount': 0}, 'C-106')
    """
    note = Notes(where)
    body, joins = _Container(service, name, place or Place(), image or {}, note).run()
    return Request(body, joins, note.results())


class _Container:
    """One container on its way."""

    def __init__(self, service: Mapping[str, Any], name: str, place: Place, image: Mapping[str, Any], note: Notes):
        self.service = {key: value for key, value in deepcopy(dict(service)).items() if key in KNOWN}
        self.name, self.place, self.image, self.note = name, place, image, note
        self.words = {**asdict(place), "name": name}  # what texts of the tables may name
        for key in service:
            if key not in KNOWN | ELSEWHERE:
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
        for key, (target, default) in TABLES["from_image"].items():
            value = take(key)
            body[target] = value if value is not None else self.image.get(target) or deepcopy(default)
        body["WorkingDir"] = re.sub(r"(.)/$", r"\1", body["WorkingDir"])
        if take("entrypoint") and take("command") is None:
            self.say("image-command-kept", "entrypoint")
        for key, (part, target, default) in FIELDS.items():
            value = take(key)
            (host if part else body)[target] = deepcopy(default) if value is None else value
        host |= {} if take("init") is None else {"Init": take("init")}
        if primary == "host" and not body["Hostname"]:
            body["Hostname"] = self.place.hostname
        environment = self._environment()
        environment |= self._features(body["Labels"], environment, host, networks)
        at_init = {f"{front}_DEVICE_NAME_AT_INIT": self.place.device_name for front in ("RESIN", "BALENA")}
        body["Env"] = [f"{key}={value}" for key, value in (at_init | environment).items()]
        first = {primary: networks.pop(primary)} if primary in networks else {}
        body["NetworkingConfig"] = {"EndpointsConfig": first}
        return body, networks

    # ── networks and ports (C-50, C-105) ───────────────────────────────────────────────────────────

    def _networks(self) -> tuple[str, Plain]:
        """The primary network, and every network with the names the service has there."""
        uuid, found = self.place.app_uuid, {}
        written = self.service.get("networks") or {}
        for name in written:
            body = (written[name] if isinstance(written, dict) else None) or {}
            addresses = {"IPv4Address": body.get("ipv4_address"), "IPv6Address": body.get("ipv6_address")}
            found[f"{uuid}_{name}"] = {
                "IPAMConfig": {key: value for key, value in addresses.items() if value},
                "Aliases": list(dict.fromkeys([*body.get("aliases", ()), self.name])),
            }
        mode = self.service.get("network_mode")
        if mode is None:
            primary = next(iter(found), f"{uuid}_default")
        elif (other := re.search(r"service:\s*(.+)", mode)) is not None:
            return f"container:{other[1]}", found
        elif mode.startswith("container:"):
            self.say("container-mode-ignored", "network_mode", value=mode)
            primary = f"{uuid}_undefined"
        else:
            primary = mode if mode in ON_DEVICE else f"{uuid}_{mode}"
        if primary not in ON_DEVICE:
            found.setdefault(primary, {"IPAMConfig": {}, "Aliases": [self.name]})
        elif mode == "host" and self.service.get("ports"):
            self.say("ports-on-host", "ports")
        return primary, found

    def _ports(self) -> tuple[Plain, Plain]:
        """Port bindings and exposed ports; a text that the supervisor cannot read stops the update (C-50)."""
        ranges = []
        for index, text in enumerate(self.service.get("ports") or ()):
            found = PORT.fullmatch(str(text))
            if found is None:
                self.say("device-port", "ports", index, value=text, hint=_port_hint(str(text)))
                continue
            host, first, last, inside, inside_last = found.group(1, 2, 3, 4, 5)
            outside = inside if first is None else first
            inside_last = inside_last or inside
            last = last or (outside if inside == inside_last else inside_last)
            if outside == "" or int(inside_last) - int(inside) != int(last) - int(outside):
                self.say("device-port", "ports", index, value=text, hint="write one line for each port")
                continue
            ranges.append((int(inside), host or "", found[6] or "tcp", int(inside_last), int(outside)))
        bindings: Plain = {}
        for inside, host, protocol, inside_last, outside in sorted(ranges, key=lambda row: row[:3]):
            for step in range(min(inside_last - inside, 65535) + 1):
                binding = {"HostIp": host, "HostPort": str(outside + step)}
                bindings.setdefault(f"{inside + step}/{protocol}", []).append(binding)
        return bindings, {key: {} for key in (*bindings, *(self.image.get("ExposedPorts") or ()))}

    # ── labels, variables, features (C-88 … C-98, C-102) ───────────────────────────────────────────

    def _labels(self) -> dict[str, str]:
        """The labels that count: written, owned by the supervisor, then those inside the image (C-90, C-91, C-97)."""
        written: dict[str, str] = self.service.get("labels") or {}
        labels = {**(self.image.get("Labels") or {}), **written, **self.filled(OWNED)}
        modern = {label: value for label, value in labels.items() if not label.startswith(LEGACY)}
        legacy = {key.replace("resin", "balena"): value for key, value in labels.items() if key.startswith(LEGACY)}
        for label in written:
            new = label.replace("resin", "balena")
            if label in OWNED:
                self.say("label-overwritten", "labels", label, label=label)
            elif label.startswith(LEGACY) and new.startswith(REQUIRES):
                self.say("legacy-requirement", "labels", label, label=label, modern=new)
        return legacy | modern

    def _environment(self) -> dict[str, str]:
        """Variables: written, then injected, then those of the image (C-102)."""
        identity = self.filled(TABLES["identity"]).items()
        injected = {f"{front}_{key}": value for front in ("BALENA", "RESIN") for key, value in identity}
        image = dict(text.partition("=")[::2] for text in self.image.get("Env") or ())
        return {**image, **injected, **TABLES["injected"], **(self.service.get("environment") or {})}

    def _features(self, labels: Mapping[str, str], known: Plain, host: Plain, networks: Plain) -> dict[str, str]:
        """Feature labels become mounts and devices (C-89); what is given back are their variables."""
        place = self.place
        variables: dict[str, str] = {}
        absent = {"kernel-modules": not place.has_modules, "firmware": not place.has_firmware}
        self.words["address"] = "127.0.0.1" if host["NetworkMode"] == "host" else place.supervisor_host
        for feature, row in FEATURE_TABLE.items():
            if not is_true(labels.get(FEATURES + feature)):
                continue
            host["Binds"] += [] if absent.get(feature) else row.get("binds", [])
            host["DeviceRequests"] += deepcopy(row.get("requests", []))
            sockets = [text.format_map(self.words) for text in row.get("sockets", ())]
            host["Mounts"] += [
                {"Type": "bind", "Source": place.socket, "Target": target} for target in dict.fromkeys(sockets)
            ]
            variables |= self.filled(row.get("variables", {}))
            if sockets and "DOCKER_HOST" not in known:
                known["DOCKER_HOST"] = f"unix://{sockets[0]}"
            if feature == "supervisor-api" and host["NetworkMode"] != "host":
                networks[SUPERVISOR_NETWORK] = {"IPAMConfig": {}, "Aliases": []}
        return {f"{front}_{key}": value for key, value in variables.items() for front in ("RESIN", "BALENA")}

    # ── the rest ───────────────────────────────────────────────────────────────────────────────────

    def _volumes(self) -> tuple[list[str], Plain]:
        """Named volumes with the app's prefix, the lock folder, and anonymous volumes of the image (C-103, C-104)."""
        binds: list[str] = []
        anonymous: Plain = {path: {} for path in self.image.get("Volumes") or ()}
        for text in self.service.get("volumes") or ():
            source, *rest = str(text).split(":")
            if rest:
                binds.append(":".join((f"{self.place.app_id}_{source.strip()}", *(part.strip() for part in rest))))
            else:
                anonymous[text] = {}
        lock = f"/tmp/balena-supervisor/services/{self.place.app_id}/{self.name}"  # noqa: S108 (a path of the device)
        return [*binds, f"{lock}:/tmp/resin", f"{lock}:/tmp/balena"], anonymous

    def _restart(self) -> str:
        """One of four words; anything else becomes `always` (C-106)."""
        value = self.service.get("restart")
        word = "always" if value is None else str(value).lower().strip()
        if word in RESTARTS and (value is None or isinstance(value, str)):
            return word
        near = word.partition(":")[0].replace("_", "-")
        hint = self.note.hint(near, RESTARTS) or _one_of(RESTARTS)
        if near in RESTARTS and ":" in word:
            hint = f"write `{near}`; the number of tries is always unlimited"
        self.say("restart-unknown", "restart", value=value, hint=hint)
        return "always"

    def _grace(self) -> int:
        """The time to stop, in whole seconds (C-107)."""
        value = self.service.get("stop_grace_period")
        if value is None:
            return 10
        span = _nanoseconds(value)
        if span % 10**9:
            self.say("grace-cut", "stop_grace_period", value=value, seconds=span // 10**9)
        return span // 10**9

    def _health(self) -> Plain:
        """The health check: the image's, with what the composition says put over it (C-107)."""
        found = {"Test": ["NONE"], **(self.image.get("Healthcheck") or {})}
        check = self.service.get("healthcheck")
        if check is not None:
            for key in ("start_period", "start_interval"):
                if key in check:
                    self.say("health-ignored", "healthcheck", key, field=key)
            test = check.get("test")
            found["Test"] = ["NONE"] if check.get("disable") else ["CMD-SHELL", test] if isinstance(test, str) else test
            if not check.get("disable"):
                found |= {key.title(): _nanoseconds(check[key]) for key in ("interval", "timeout") if key in check}
                found |= {"Retries": check["retries"]} if check.get("retries") is not None else {}
        return {key: value for key, value in found.items() if value is not None}

    def _size(self, key: str, default: int) -> int:
        """A size that the supervisor reads by itself; what it cannot read is the default (C-62)."""
        value = self.service.get(key)
        found = MEMORY.fullmatch(str(value)) if value is not None else None
        if found is not None:
            return int(found[1]) << 10 * max("bkmg".find(found[2].lower() or "b"), 0)
        if value is not None:
            self.say("size-unread", key, field=key, value=value)
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


def check_device(form: Mapping[str, Any], where: Where = nowhere, place: Place | None = None) -> tuple[Diagnostic, ...]:
    """Everything that the device refuses or ignores of a whole release (C-46, C-50, C-88 … C-108)."""
    note, networks = Notes(where), form.get("networks") or {}
    _check_names(note, form)
    published: dict[str, str] = {}
    for name, service in (form.get("services") or {}).items():
        here: Path = ("services", name)
        if new := new_fields(service):
            fields = ", ".join(f"`{each}`" for each in new)
            note.tell("device-new-fields", (*here, *new[0].split(".")), name=name, fields=fields)
        mode = service.get("network_mode") or "default"
        if mode not in (*ON_DEVICE, "default", *networks) and not mode.startswith(("service:", "container:")):
            note.tell("network-missing", (*here, "network_mode"), value=mode)
        _check_labels(note, service, here)
        body, _joins = _Container(service, name, place or Place(), {}, note).run()
        for port, bindings in body["HostConfig"]["PortBindings"].items() if mode != "host" else ():
            for binding in bindings:
                key = f"{binding['HostIp']}:{binding['HostPort']}/{port.partition('/')[2]}"
                if (other := published.setdefault(key, name)) != name:
                    note.tell("port-shared", (*here, "ports"), name=name, other=other, port=binding["HostPort"])
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
                legal, hint = LEGAL[of]
                if not legal.fullmatch(key):
                    note.tell("device-name-not-legal", (kind, name, *rest), value=key, hint=hint)
                elif of == "services" and len(key) > 63:
                    note.tell("device-value-too-long", (kind, name), value=key, limit=63)


def _check_labels(note: Notes, service: Mapping[str, Any], here: Path) -> None:
    """Labels that do something else than they look like (C-88, C-89, C-91, C-95)."""
    labels: Mapping[str, str] = service.get("labels") or {}
    for label, value in labels.items():
        path, legacy = (*here, "labels", label), label.startswith(LEGACY)
        feature = (label.replace("resin", "balena") if legacy else label).removeprefix(FEATURES)
        if feature != label and (feature in FEATURE_TABLE or feature == "optional"):
            if not is_true(value) and value.lower() not in OFF:
                note.tell("feature-off", path, label=label, value=value)
        elif feature != label and not legacy and not feature.startswith("requires."):
            hint = note.hint(feature, tuple(FEATURE_TABLE)) or _one_of(FEATURE_TABLE)
            note.tell("unknown-feature", path, help=hint, label=label)
        elif label == STRATEGY and value not in STRATEGIES:
            note.tell("unknown-strategy", path, help=note.hint(value, STRATEGIES) or _one_of(STRATEGIES), value=value)
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


def _port_hint(text: str) -> str:
    if re.search(r"/\w+$", text):
        return "only /tcp and /udp in small letters are read"
    return "write `address:published:target`" if ":" in text else 'write "host:container", for example "80:8080"'


def _one_of(words: Iterable[str]) -> str:
    return f"known here: {', '.join(words)}"


def _nanoseconds(text: str) -> int:
    try:
        return parse_duration(str(text))
    except Unreadable:
        return 0
