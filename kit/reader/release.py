"""Stages 13 to 27: from the merged tree to the normal form, and what is lost on the way (C-42 … C-96).

`decode` reads every field into the shape that balena's engine would print. Then `_imply` fills in what goes without
saying, `_agree` checks that names refer to something, and `_accept` applies balena's own rules. Every error carries
the number of the stage that would raise it, so that `Notes` can tell which one a developer sees (C-3).
"""

from __future__ import annotations

import os.path
import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final

from ..composition import Build, Composition, Mount, Network, Port, Service, Volume
from ..diagnostics import Path, Severity, did_you_mean
from ..source import Node
from ..versions import valid_range
from . import decode
from .decode import Desk, Plain
from .fields import LISTS, TABLES
from .forms import MountSpec, PortSpec, clean_path
from .notes import FALSE_ALARM, Notes

FEATURES: Final = "io.balena.features."
REQUIRES: Final = "io.balena.features.requires."
REQUIREMENTS: Final[dict[str, tuple[str, dict[str, str]]]] = {k: (a, b) for k, (a, b) in TABLES["requirements"].items()}
BINDS: Final[dict[str, str]] = TABLES["binds"]
JOURNAL: Final = tuple(source for source, feature in BINDS.items() if feature == "journal-logs")
BRIDGE_NAME: Final = "com.docker.network.bridge.name"
CONTAINER: Final = "container:"
SERVICE: Final = "service:"
REMOTE: Final = ("https://", "http://", "git://", "ssh://", "github.com/", "git@")
UNCONFINED: Final = re.compile(r"no-new-privileges([:=].*)?|(apparmor|seccomp)[:=]unconfined", re.DOTALL)
OLD_PROFILES: Final = "the 0.2.x parser of CLI 25 leaves services with profiles out of the release"
OLD_SECURITY: Final = "parsers before 0.2.6 reject it"

# Where each check of one service stands in the order of C-3.
ORDER: Final = {
    name: place
    for place, name in enumerate(
        ("forbidden", "profiles", "build", "build labels", "context", "labels", "network_mode", "pid", "security_opt",
         "volumes_from", "ipc", "link_local_ips", "pids_limit", "depends_on", "devices", "volumes")
    )
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Normal:
    """What balena keeps: the normal form, the contract of each service that has one, and the same as values."""

    form: Plain
    contracts: dict[str, Plain]
    composition: Composition


def release(root: Node, note: Notes, *, env: Mapping[str, str] | None = None, folder: str = "/project") -> Normal:
    """The normal form of a merged tree. *env* is the environment of the machine that parses (C-31); *folder* is
    the folder of the first file, which matters only to build contexts that leave it (C-72)."""
    return _Release(root, Desk(note, env or {}), folder).run()


class _Release:
    """One release on its way; the parts of the tree are decoded once and then checked."""

    def __init__(self, root: Node, desk: Desk, folder: str) -> None:
        self.desk, self.note, self.root, self.folder = desk, desk.note, root, folder
        self.note.stage = 17
        self.nodes = {
            kind: _mapping(root.get(kind))
            for kind in ("services", "networks", "volumes", "secrets", "configs", "models")
        }
        self.services = {name: decode.service(desk, name, node) for name, node in self.nodes["services"].items()}
        self.networks = {name: decode.network(desk, name, node) for name, node in self.nodes["networks"].items()}
        self.volumes = {name: decode.volume(desk, name, node) for name, node in self.nodes["volumes"].items()}
        self.contracts: dict[str, Plain] = {}
        self.place = 0

    def run(self) -> Normal:
        for key in self.root.value if self.root.kind == "map" else ():
            if key.startswith("x-"):
                decode.extension(self.desk, self.root, key, (key,))
        self._external()
        for name, raw in self.services.items():
            self._imply(name, raw)
        for name, raw in self.services.items():
            self._agree(name, raw)
        self._cycles()
        self._top_level_secrets()
        exposed = {name: tuple(raw.get("expose", ())) for name, raw in self.services.items()}
        specs = {name: dict(raw) for name, raw in self.services.items()}
        for self.place, name in enumerate(sorted(self.services)):
            self._accept(name, self.services[name])
        for name in sorted(self.networks):
            self._accept_network(name, self.networks[name])
        for name in sorted(self.volumes):
            self._accept_volume(name, self.volumes[name])
        for name in sorted(self.services):
            self._contract(name, self.services[name])
        composition = Composition(
            services=tuple(_service(name, raw, specs[name], exposed[name]) for name, raw in self.services.items()),
            networks=tuple(Network(name=name, labels=_pairs(raw.get("labels"))) for name, raw in self.networks.items()),
            volumes=tuple(Volume(name=name, labels=_pairs(raw.get("labels"))) for name, raw in self.volumes.items()),
        )
        form: Plain = {"services": dict(sorted(self.services.items()))}
        for kind, found in (("networks", self.networks), ("volumes", self.volumes)):
            if found:
                form[kind] = dict(sorted(found.items()))
        return Normal(form, self.contracts, composition)

    # ── where things are ────────────────────────────────────────────────────────────────────────────────────

    def at(self, *path: str | int) -> Node:
        """The node at *path*, or the nearest one above it."""
        node = self.root
        for part in path:
            inner = (
                node.value[part] if node.kind == "list" and isinstance(part, int) and part < len(node.value) else None
            )
            inner = node.value.get(part) if node.kind == "map" else inner
            if inner is None:
                break
            node = inner
        return node

    def refuse(self, code: str, rule: str, message: str, path: Path, step: str, help: str = "",
               error_class: str = "ServiceError") -> None:  # fmt: skip
        """An error of stage 24, in the order of C-3."""
        self.note.error(code, rule, message, self.at(*path), path, help, error_class, stage=24,
                        order=(self.place, ORDER[step]))  # fmt: skip

    def broken(self, code: str, rule: str, message: str, path: Path, help: str = "", stage: int = 19) -> None:
        """An error of the consistency checks."""
        self.desk.error(code, rule, message, self.at(*path), path, stage, help)

    def warn(self, code: str, rule: str, message: str, path: Path, help: str = "", after: object = None) -> None:
        """A warning that is printed at release; the value itself is dropped."""
        at = self.at(*path)
        self.note.change(path, at.plain(), after, rule, Severity.WARNING, at, code=code, message=message, help=help)

    # ── stages 14 and 16 ────────────────────────────────────────────────────────────────────────────────────

    def _external(self) -> None:
        for name, raw in self.volumes.items():
            others = [
                k
                for k in _mapping(self.nodes["volumes"][name])
                if k not in ("name", "external") and not k.startswith("x-")
            ]
            if raw.get("external") and others:
                self.broken("external-conflict", "C-86", f"`external` and `{others[0]}` exclude each other",
                            ("volumes", name, others[0]), stage=14)  # fmt: skip
        for kind in ("secrets", "configs"):
            sources = ("file", "environment") + (("content",) if kind == "configs" else ())
            for name, node in self.nodes[kind].items():
                body = _mapping(node)
                count = sum(source in body for source in sources)
                if count > 1 or (not count and not {"driver", "external"} & body.keys()):
                    self.broken(
                        "no-source",
                        "C-2",
                        f"`{name}` needs exactly one of {', '.join(sources)}",
                        (kind, name),
                        stage=14,
                    )
        for name, raw in self.services.items():
            for spec, node, path in raw.get("ports", ()):
                if spec.host_ip is not None and node.kind == "map" and not _is_address(spec.host_ip):
                    self.desk.error(
                        "unreadable-text", "C-49", f"`{spec.host_ip}` is no address", node, (*path, "host_ip"), 14
                    )

    def _imply(self, name: str, raw: Plain) -> None:
        """Stage 16: the default network, the Dockerfile's name, dependencies that follow from other fields."""
        written = self.nodes["services"][name]
        if written.kind == "map" and written.value.get("pid") is not None and written.value["pid"].kind == "null":
            self.note.error("empty-pid", "C-16", "an empty `pid` crashes the parser, which then prints no JSON",
                            self.at("services", name, "pid"), ("services", name, "pid"), "remove the key", "SyntaxError",
                            stage=16)  # fmt: skip
        has_mode = "network_mode" in _mapping(written)
        if not raw.get("networks") and not has_mode and "provider" not in raw:
            raw["networks"] = {"default": None}
        if "default" in raw.get("networks", {}) and "default" not in self.networks and not has_mode:
            self.networks["default"] = {"ipam": {}}
        build = raw.get("build")
        if build is not None:
            build.setdefault("context", ".")
            if "dockerfile_inline" not in build:
                build.setdefault("dockerfile", "Dockerfile")
        wanted = [link.split(":")[0] for link in raw.get("links", ())]
        wanted += [raw[key].removeprefix(SERVICE) for key in ("network_mode", "ipc", "pid", "uts", "cgroup")
                   if raw.get(key, "").startswith(SERVICE)]  # fmt: skip
        wanted += [other.split(":")[0] for other in raw.get("volumes_from", ()) if not other.startswith(CONTAINER)]
        for other in wanted:
            raw.setdefault("depends_on", {}).setdefault(other, {"condition": "service_started", "required": True})

    # ── stage 19 ────────────────────────────────────────────────────────────────────────────────────────────

    def _agree(self, name: str, raw: Plain) -> None:
        """Stage 19: every name that a service uses is declared, and nothing contradicts itself."""
        here: Path = ("services", name)
        build = raw.get("build") or {}
        if not raw.get("build") and not raw.get("image") and "provider" not in raw:
            self.broken(
                "nothing-to-run", "C-43", f"`{name}` has neither an image nor a build", here, "add `image:` or `build:`"
            )
        if build.get("dockerfile_inline") and build.get("dockerfile"):
            self.broken(
                "two-dockerfiles", "C-74", "`dockerfile` and `dockerfile_inline` exclude each other", (*here, "build")
            )
        if raw.get("network_mode") and raw.get("networks"):
            self.broken("networks-and-mode", "C-56", "`network_mode` and `networks` exclude each other", (*here, "network_mode"),
                        "remove one of them")  # fmt: skip
        test = (raw.get("healthcheck") or {}).get("test")
        if test and test[0] not in ("CMD", "CMD-SHELL", "NONE"):
            self.broken("unknown-test", "C-61", f"a health check starts with CMD, CMD-SHELL or NONE, not `{test[0]}`",
                        (*here, "healthcheck", "test"), "write the command as one text, or put CMD in front")  # fmt: skip
        for other in raw.get("depends_on", ()):
            self._known(
                "undefined-dependency",
                "C-55",
                f"`{name}` depends on",
                "a service",
                other,
                self.services,
                (*here, "depends_on"),
            )
        for other in raw.get("networks", ()):
            self._known(
                "undefined-network", "C-57", f"`{name}` uses", "a network", other, self.networks, (*here, "networks")
            )
        for kind in ("configs", "secrets", "models"):
            granted = raw.get(kind) or ()
            for other in (g if isinstance(g, str) else g.get("source", "") for g in granted):
                self._known(
                    f"undefined-{kind[:-1]}",
                    "C-44",
                    f"`{name}` uses",
                    f"a {kind[:-1]}",
                    other,
                    self.nodes[kind],
                    (*here, kind),
                )
        for other in (g if isinstance(g, str) else g.get("source", "") for g in build.get("secrets", ())):
            self._known(
                "undefined-secret", "C-74", f"`{name}` uses", "a secret", other, self.nodes["secrets"], (*here, "build")
            )
        if (raw.get("scale") or 0) < 0:
            self.broken("out-of-range", "C-44", "`scale` must be 0 or more", (*here, "scale"))
        taken: dict[str, str] = {}
        for index, text in enumerate(raw.get("tmpfs", ())):
            self._mounted(text.partition(":")[0], taken, (*here, "tmpfs", index))
        for spec, _node, path in raw.get("volumes", ()):
            self._mounted(clean(spec.target), taken, path)
            if spec.type == "volume" and spec.source:
                self._known("undefined-volume", "C-51", f"`{name}` uses", "a volume", spec.source, self.volumes, path,
                            f"declare it: `volumes: {{{spec.source}: }}`")  # fmt: skip

    def _known(self, code: str, rule: str, who: str, what: str, name: str, known: Mapping[str, object], path: Path,
               help: str = "") -> None:  # fmt: skip
        if name not in known:
            close = did_you_mean(name, tuple(known)) if known else ""
            where = self.at(*path)
            index = (
                next((i for i, item in enumerate(where.value) if item.value == name), None)
                if where.kind == "list"
                else name
            )
            self.broken(code, rule, f"{who} `{name}`, which is not {what} here", path if index is None else (*path, index),
                        close if close.startswith("did") else help or close)  # fmt: skip

    def _mounted(self, target: str, taken: dict[str, str], path: Path) -> None:
        if target in taken:
            self.broken(
                "mounted-twice",
                "C-35",
                f"`{target}` is already mounted by {taken[target]}",
                path,
                "choose another path",
            )
        taken[target] = f"`{path[2]}`"

    def _cycles(self) -> None:
        """A dependency that comes back to its start (C-55)."""
        done: set[str] = set()
        for start in sorted(self.services):
            trail: list[str] = []
            stack = [(start, iter(sorted(self.services[start].get("depends_on", ()))))] if start not in done else []
            trail += [start] if stack else []
            while stack:
                name, rest = stack[-1]
                other = next((o for o in rest if o in self.services and o not in done), None)
                if other is None:
                    done.add(name)
                    stack.pop()
                    trail.pop()
                elif other in trail:
                    ring = [*trail[trail.index(other) :], other]
                    itself = f"`{other}` depends on itself"
                    self.broken("dependency-cycle", "C-55", itself if len(ring) == 2 else
                                f"a circle of dependencies: {' → '.join(ring)}", ("services", name, "depends_on"),
                                "remove one of them")  # fmt: skip
                else:
                    stack.append((other, iter(sorted(self.services[other].get("depends_on", ())))))
                    trail.append(other)

    # ── stages 23 and 24 ────────────────────────────────────────────────────────────────────────────────────

    def _top_level_secrets(self) -> None:
        for kind in ("secrets", "configs"):
            if self.nodes[kind]:
                self.note.error(f"{kind}-not-supported", "C-2", f"balena has no {kind}", self.at(kind), (kind,),
                                "use environment variables", "ValidationError", stage=23)  # fmt: skip

    def _accept(self, name: str, raw: Plain) -> None:
        """Stage 24: balena's rules for one service, in the order of C-3."""
        here: Path = ("services", name)
        for field in LISTS["forbidden"]:
            if field in raw:
                self.refuse(
                    "field-not-allowed",
                    "C-44",
                    f"`{field}` is not allowed",
                    (*here, field),
                    "forbidden",
                    _instead(field),
                )
                del raw[field]
        for index, profile in enumerate(raw.get("profiles", ())):
            if not re.fullmatch(r"[a-zA-Z0-9][a-zA-Z0-9_.-]+", profile):
                self.refuse("bad-profile", "C-41", f"`{profile}` is not a profile name", (*here, "profiles", index), "profiles",
                            f"use two or more letters or digits; {OLD_PROFILES}")  # fmt: skip
        if raw.get("build") is not None:
            self._accept_build(name, raw["build"])
        self._labels(raw.get("labels"), (*here, "labels"), "labels")
        for field, message in (("network_mode", "a container"), ("pid", "a container")):
            if raw.get(field, "").startswith(CONTAINER):
                self.refuse("field-not-allowed", "C-56", f"`{field}` cannot name {message}", (*here, field), field)
        for index, option in enumerate(raw.get("security_opt", ())):
            if not UNCONFINED.fullmatch(option):
                self.refuse("security-option", "C-59", f"`{option}` is not allowed in `security_opt`", (*here, "security_opt", index),
                            "security_opt", "only no-new-privileges, apparmor and seccomp unconfined are")  # fmt: skip
        if "security_opt" in raw:
            raw["security_opt"] = [option.replace(":", "=", 1) for option in raw["security_opt"]]
        for index, other in enumerate(raw.get("volumes_from", ())):
            if other.startswith(CONTAINER):
                self.refuse(
                    "field-not-allowed",
                    "C-56",
                    "`volumes_from` cannot name a container",
                    (*here, "volumes_from", index),
                    "volumes_from",
                )
        if raw.get("ipc", "").strip().startswith(SERVICE):
            self.refuse("field-not-allowed", "C-56", "`ipc` cannot name a service", (*here, "ipc"), "ipc")
        for network, body in raw.get("networks", {}).items():
            if body and body.pop("link_local_ips", None):
                self.refuse("field-not-allowed", "C-57", "`link_local_ips` is not supported",
                            (*here, "networks", network, "link_local_ips"), "link_local_ips")  # fmt: skip
        if raw.get("pids_limit", 0) < 0:
            self.refuse(
                "negative-limit", "C-70", "`pids_limit` cannot be negative", (*here, "pids_limit"), "pids_limit"
            )
        if "networks" in raw:
            first, ordered = next(iter(raw["networks"])), dict(sorted(raw["networks"].items()))
            if next(iter(ordered)) != first:
                self.note.change((*here, "networks"), list(raw["networks"]), list(ordered), "C-57", Severity.IGNORED,
                                 self.at(*here, "networks"), code="network-order", help="rename the networks if it matters",
                                 message=f"the order of networks is lost: `{next(iter(ordered))}` is the primary one, by the alphabet")  # fmt: skip
            raw["networks"] = ordered
        for field in ("labels", "environment", "sysctls", "annotations"):
            if field in raw:
                raw[field] = dict(sorted(raw[field].items()))
        self._accept_dependencies(name, raw)
        self._accept_devices(raw)
        self._accept_mounts(name, raw)
        self._accept_ports(raw)
        if raw.get("image") and raw.get("build") is not None:
            raw["build"]["tags"] = [raw["image"]]
            self.desk.silent("image-becomes-tag", "C-43", f"`{name}` is built; `{raw['image']}` is only a tag of what is built",
                             raw["image"], raw["image"], self.at(*here, "image"), (*here, "image"))  # fmt: skip
        self._warn(name, raw)
        raw.setdefault("command", None)

    def _accept_build(self, name: str, build: Plain) -> None:
        here: Path = ("services", name, "build")
        for field in LISTS["forbidden_in_build"]:
            if field in build:
                self.refuse("field-not-allowed", "C-74", f"`build.{field}` is not allowed", (*here, field), "build")
                del build[field]
        self._labels(build.get("labels"), (*here, "labels"), "build labels")
        for field in [
            field for field in ("dockerfile", "context") if not build[field if field in build else "context"]
        ]:
            build.pop(field, None)
        context = build.get("context", "")
        path = (*here, "context") if self.at(*here).kind == "map" else here
        remote = context.startswith(REMOTE) or "://" in context
        if (context if remote else context.rstrip("/")).endswith(".git"):
            self.refuse("remote-context", "C-73", f"`{context}` is read as a remote context, and those are not allowed", path,
                        "context", "copy the sources into a folder of the project")  # fmt: skip
        elif context:
            build["context"] = self._context(context)
            if remote:
                self.desk.silent("remote-context-mangled", "C-73", f"`{context}` is taken for a folder", context, build["context"],
                                 self.at(*path), path, "copy the sources into a folder of the project")  # fmt: skip

    def _context(self, context: str) -> str:
        if context.startswith("~"):
            context = posixpath.join(self.desk.env.get("HOME", "/root"), context[1:].lstrip("/"))
        if context.startswith("/"):
            return os.path.relpath(context, self.folder)
        near = posixpath.normpath(context)
        return os.path.relpath(posixpath.join(self.folder, near), self.folder) if near.startswith("..") else near

    def _accept_dependencies(self, name: str, raw: Plain) -> None:
        for other, body in raw.get("depends_on", {}).items():
            if body.get("condition") != "service_started" or body.get("required") is not True:
                self.refuse("dependency-condition", "C-55", f"`{name}` waits for more than the start of `{other}`: that is not supported",
                            ("services", name, "depends_on", other), "depends_on", "only `condition: service_started` is")  # fmt: skip
        if "depends_on" in raw:
            raw["depends_on"] = sorted(raw["depends_on"])

    def _accept_devices(self, raw: Plain) -> None:
        for spec, _node, path in raw.get("devices", ()):
            if not (spec.source.startswith("/") and spec.target.startswith("/")):
                self.refuse("device-name", "C-58", f"`{spec.source}:{spec.target}` is not a device: both sides must start with /",
                            path, "devices", "write `/dev/name`")  # fmt: skip
        if "devices" in raw:
            raw["devices"] = [str(spec) for spec, _node, _path in raw["devices"]]

    def _accept_ports(self, raw: Plain) -> None:
        for spec, node, path in raw.get("ports", ()):
            for field in ("name", "app_protocol", "mode"):
                value = getattr(spec, field)
                if field == "mode" and (value is None or node.kind != "map"):
                    self.note.add(Severity.WARNING, FALSE_ALARM, "C-4", "balena warns of a `mode` that nobody wrote; nothing is lost",
                                  node, (*path, "mode"))  # fmt: skip
                elif value:
                    self.warn("port-option-removed", "C-45", f"`{field}` of a port is removed", (*path, field))
        if "ports" in raw:
            raw["ports"] = [str(spec) for spec, _node, _path in raw["ports"]]

    def _accept_mounts(self, name: str, raw: Plain) -> None:
        """Named volumes stay, ten binds become labels, everything else is refused (C-51, C-52)."""
        placed = raw.pop("volumes", [])
        sources = {spec.source for spec, _node, _path in placed}
        kept, memory = [], []
        for spec, node, path in placed:
            written = node.plain()
            if spec.source in BINDS:
                self._bind(raw, spec, node, path, sources)
            elif spec.type in ("bind", "image", "npipe", "cluster"):
                self.refuse("bind-mount" if spec.type == "bind" else "mount-type", "C-51",
                            f"`{spec.source}` is a mount of type {spec.type}; balena takes named volumes only", path, "volumes",
                            "use a named volume, or copy the folder into the image")  # fmt: skip
            elif spec.options:
                self.refuse(
                    "mount-options",
                    "C-51",
                    f"the long syntax with {', '.join(spec.options)} is not supported",
                    path,
                    "volumes",
                )
            elif spec.type == "volume" and not (spec.source and spec.target):
                letter = isinstance(written, str) and len(written.partition(":")[0]) == 1
                self.refuse("anonymous-volume", "C-51", f"`{spec.target or spec.source}` has no {'source' if spec.target else 'target'}",
                            path, "volumes", "one letter is read as a drive; use the long form" if letter else "write `name:/path`")  # fmt: skip
            elif spec.type == "volume":
                kept.append(f"{spec.source}:{clean(spec.target)}{':ro' if spec.read_only else ''}")
            else:
                memory.append(clean(spec.target))
                if spec.read_only:
                    self.desk.silent(
                        "read-only-lost", "C-51", "`read_only` of a tmpfs is lost", written, spec.target, node, path
                    )
        if kept:
            raw["volumes"] = kept
        if memory:
            raw["tmpfs"] = [*raw.get("tmpfs", ()), *memory]

    def _bind(self, raw: Plain, spec: MountSpec, node: Node, path: Path, sources: set[str]) -> None:
        feature = BINDS[spec.source]
        if feature == "journal-logs" and not sources.issuperset(JOURNAL):
            self.desk.silent("bind-dropped", "C-52", f"`{spec.source}` is dropped: the journal needs all three of its paths",
                             node.plain(), None, node, path, f"use the label {FEATURES}journal-logs instead")  # fmt: skip
            return
        label = FEATURES + feature
        raw["labels"] = {**raw.get("labels", {}), label: "1"}
        self.desk.silent("bind-becomes-label", "C-52",
                         f"`{spec.source}` becomes the label `{label}`; where you mount it, and `ro`, are lost",
                         node.plain(), f"{label}: 1", node, path, f"write the label {label} instead")  # fmt: skip

    def _labels(self, labels: Mapping[str, str] | None, path: Path, step: str) -> None:
        """Labels that ask for something, and labels that are taken (C-92, C-96)."""
        for label, value in (labels or {}).items():
            where = self._label_path(path, label)
            if label.startswith("io.balena.private"):
                self.note.add(Severity.WARNING, "reserved-label", "C-96", f"`{label}` is in a space that balena keeps for itself",
                              self.at(*where), where, "parsers before 0.0.16 reject it")  # fmt: skip
            suffix = label.removeprefix(REQUIRES)
            if suffix == label:
                continue
            kind, atom = REQUIREMENTS.get(suffix, ("", {}))
            if not atom:
                self.desk.silent("unknown-requirement", "C-92", f"`{label}` asks for nothing: balena does not know `{suffix}`",
                                 value, value, self.at(*where), where, did_you_mean(suffix, tuple(REQUIREMENTS)))  # fmt: skip
            elif (kind == "range" and valid_range(value) is None) or (
                kind == "arch" and value not in LISTS["architectures"]
            ):
                help_text = (
                    "write a range such as >=16"
                    if kind == "range"
                    else did_you_mean(value, tuple(LISTS["architectures"]))
                )
                self.note.error("bad-requirement", "C-92", f"`{value}` is no {'version range' if kind == 'range' else 'architecture'}",
                                self.at(*where), where, help_text, "ValidationError", stage=24 if path[0] == "services" else
                                25 if path[0] == "networks" else 26, order=(self.place, ORDER[step]))  # fmt: skip
            elif step == "build labels" or path[0] != "services":
                self.desk.silent("requirement-not-enforced", "C-75", f"`{label}` asks for nothing here: only labels of a service do",
                                 value, value, self.at(*where), where, "move it to the labels of the service")  # fmt: skip

    def _label_path(self, path: Path, label: str) -> Path:
        node = self.at(*path)
        if node.kind != "list":
            return (*path, label)
        index = next((i for i, item in enumerate(node.value) if str(item.value).partition("=")[0] == label), None)
        return path if index is None else (*path, index)

    def _warn(self, name: str, raw: Plain) -> None:
        """What balena warns of when it makes a release (C-4, C-45, C-46, C-70)."""
        here: Path = ("services", name)
        if raw.pop("expose", None):
            self.warn("field-removed", "C-45", "`expose` is removed; it does nothing here", (*here, "expose"),
                      "services on one network reach each other anyway")  # fmt: skip
        if raw.pop("container_name", None):
            self.warn("field-removed", "C-45", "`container_name` is removed; the supervisor names the container",
                      (*here, "container_name"), "remove it")  # fmt: skip
        if raw.get("oom_score_adj", 0) <= -900:
            self.note.add(Severity.WARNING, "oom-score-low", "C-70", "a score of -900 or less may take the device down with it",
                          self.at(*here, "oom_score_adj"), (*here, "oom_score_adj"), "choose a score above -900")  # fmt: skip
        if raw.get("profiles"):
            self.note.add(Severity.IGNORED, "profiles-ignored", "C-41", f"the device ignores `profiles`: `{name}` starts everywhere",
                          self.at(*here, "profiles"), (*here, "profiles"), OLD_PROFILES)  # fmt: skip
        if fields := _new_fields(raw):
            path = (*here, *fields[0].split("."))
            self.note.add(Severity.WARNING, "new-fields", "C-46", f"`{name}` uses {', '.join(f'`{f}`' for f in fields)}, which asks for `sw.spec`",
                          self.at(*path), path, "no supervisor up to 19.0.5 knows it, and refuses everything")  # fmt: skip

    # ── stages 25 to 27 ─────────────────────────────────────────────────────────────────────────────────────

    def _not_valid(self, code: str, rule: str, message: str, path: Path, step: int, help: str = "") -> None:
        self.note.error(code, rule, message, self.at(*path), path, help, "ValidationError",
                        stage=25 if path[0] == "networks" else 26, order=(self.place, step))  # fmt: skip

    def _accept_network(self, name: str, raw: Plain) -> None:
        here: Path = ("networks", name)
        self.place += 1
        for step, field in enumerate(("attachable", "external")):
            if field in raw:
                self._not_valid("field-not-allowed", "C-82", f"`{field}` is not allowed", (*here, field), step)
        if raw.get("driver") and raw["driver"] not in ("bridge", "default"):
            self._not_valid("driver", "C-79", f"`{raw['driver']}` is not a driver that balena has", (*here, "driver"), 2,
                            "only bridge and default are allowed")  # fmt: skip
        self._labels(raw.get("labels"), (*here, "labels"), "labels")
        for index, pool in enumerate(raw["ipam"].get("config", ())):
            if pool.get("aux_addresses"):
                self._not_valid(
                    "field-not-allowed",
                    "C-83",
                    "`aux_addresses` is not supported",
                    (*here, "ipam", "config", index),
                    20,
                )
        if "enable_ipv4" in raw:
            self._not_valid("field-not-allowed", "C-80", "`enable_ipv4` is not supported", (*here, "enable_ipv4"), 21)
        if raw.get("enable_ipv6"):
            self._not_valid("field-not-allowed", "C-80", "`enable_ipv6` is not supported", (*here, "enable_ipv6"), 22)
        if raw.get("driver_opts", {}).get(BRIDGE_NAME):
            path = (*here, "driver_opts", BRIDGE_NAME)
            self.note.add(Severity.WARNING, "bridge-name", "C-84", "a bridge name of your own may break the device's firewall",
                          self.at(*path), path)  # fmt: skip

    def _accept_volume(self, name: str, raw: Plain) -> None:
        here: Path = ("volumes", name)
        self.place += 1
        if raw.get("driver") and raw["driver"] not in ("local", "default"):
            self._not_valid("driver", "C-87", f"`{raw['driver']}` is not a driver that balena has", (*here, "driver"), 0,
                            "only local and default are allowed")  # fmt: skip
        if "external" in raw:
            self._not_valid("field-not-allowed", "C-86", "`external` is not allowed", (*here, "external"), 1)
        self._labels(raw.get("labels"), (*here, "labels"), "labels")

    def _contract(self, name: str, raw: Plain) -> None:
        """Stage 27: what the service asks of its device (C-93)."""
        plain: list[Plain] = []
        choices: dict[str, list[Plain]] = {"sw.os": [], "sw.kernel": []}
        for label, value in sorted(raw.get("labels", {}).items()):
            kind, atom = (
                REQUIREMENTS.get(label.removeprefix(REQUIRES), ("", {})) if label.startswith(REQUIRES) else ("", {})
            )
            if atom:
                entry = {**atom, "version" if kind == "range" else "slug": value}
                choices.get(atom["type"], plain).append(entry)
        requires = plain + [{"or": entries} for entries in choices.values() if entries]
        if _new_fields(raw):
            requires.append({"type": "sw.spec", "slug": "compose", "version": ">=2"})
        if requires:
            self.contracts[name] = {"type": "sw.container", "slug": f"contract-for-{name}", "requires": requires}


def _new_fields(raw: Plain) -> list[str]:
    """Fields that make a release ask for `sw.spec` (C-46)."""
    found = [field for field in LISTS["new"] if raw.get(field) is not None]
    found += ["pid"] if raw.get("pid", "").startswith(SERVICE) else []
    found += ["healthcheck.start_interval"] if (raw.get("healthcheck") or {}).get("start_interval") is not None else []
    for name, body in raw.get("networks", {}).items():
        found += [
            f"networks.{name}.{field}" for field in LISTS["new_on_a_network"] if (body or {}).get(field) is not None
        ]
    return found


def _instead(field: str) -> str:
    words = {
        "gpus": f"use the label {FEATURES}gpu",
        "links": "services on one network reach each other by name",
        "logging": "the supervisor collects logs itself",
        "scale": "a service runs once per device",
        "deploy": "a service runs once per device",
        "platform": "the device type of the fleet decides it",
        "secrets": "use environment variables",
        "configs": "use environment variables, or copy the file into the image",
        "oom_kill_disable": "the field page calls it supported; the parser rejects it",
    }
    return words.get(field, "remove it")


def _service(name: str, raw: Plain, specs: Plain, expose: tuple[str, ...]) -> Service:
    """The typed service of a normal form; ports and mounts come from their long forms."""
    build = raw.get("build")
    volumes = [
        spec for spec, _node, _path in specs.get("volumes", ()) if spec.type == "volume" and spec.source not in BINDS
    ]
    ulimits = {
        k: v if isinstance(v, int) else ":".join(str(n) for n in v.values()) for k, v in raw.get("ulimits", {}).items()
    }
    return Service(
        name=name,
        image=raw.get("image", ""),
        build=None if build is None else Build(
            context=build.get("context", "."), dockerfile=build.get("dockerfile", "Dockerfile"),
            args=_pairs(build.get("args")), target=build.get("target", ""),
        ),
        command=None if raw.get("command") is None else tuple(raw["command"]),
        environment=_pairs(raw.get("environment")),
        labels=_pairs(raw.get("labels")),
        depends_on=tuple(raw.get("depends_on", ())),
        ports=tuple(_port(spec) for spec, _node, _path in specs.get("ports", ())),
        expose=expose,
        restart=raw.get("restart", ""),
        privileged=raw.get("privileged", False),
        cap_add=tuple(raw.get("cap_add", ())),
        devices=tuple(raw.get("devices", ())),
        network_mode=raw.get("network_mode", ""),
        networks=tuple(raw.get("networks", ())),
        volumes=tuple(Mount(volume=v.source, target=clean(v.target), read_only=v.read_only) for v in volumes if v.source),
        ulimits=_pairs(ulimits),
    )  # fmt: skip


def _port(spec: PortSpec) -> Port:
    return Port(target=str(spec.target), published=spec.published, address=spec.host_ip or "",
                protocol="tcp" if spec.protocol is None else spec.protocol)  # fmt: skip


def _pairs(mapping: Mapping[str, object] | None) -> tuple[tuple[str, str], ...]:
    return tuple((key, str(value)) for key, value in (mapping or {}).items())


def _mapping(node: Node | None) -> dict[str, Node]:
    return node.value if node is not None and node.kind == "map" else {}


def _is_address(text: str) -> bool:
    try:
        return "%" not in text and bool(ip_address(text))
    except ValueError:
        return False


def clean(path: str) -> str:
    """A mount's target as the engine cleans it (C-51)."""
    return clean_path(path) or "."
