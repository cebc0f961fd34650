"""Stages 13 to 27: from the merged tree to the normal form, and what is lost on the way (C-42 … C-96).

`decode` reads every field into the shape that balena's engine would print. Then `_imply` fills in what goes without
saying, `_agree` checks that names refer to something, and `_accept` applies balena's own rules. Every error carries
the number of the stage that would raise it, so that `Notes` can tell which one a developer sees (C-3).
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any, Final, NamedTuple

from ..composition import Build, Composition, Mount, Network, Port, Service, Volume
from ..diagnostics import Path
from ..source import Node
from ..versions import valid_range
from . import decode
from .decode import Desk, Plain
from .fields import LISTS, TABLES
from .forms import MountSpec, clean_path
from .notes import SAYINGS, Notes

FEATURES: Final = "io.balena.features."
REQUIRES: Final = "io.balena.features.requires."
REQUIREMENTS: Final[dict[str, tuple[str, dict[str, str]]]] = {k: (a, b) for k, (a, b) in TABLES["requirements"].items()}
BINDS: Final[dict[str, str]] = TABLES["binds"]
JOURNAL: Final = {source for source, feature in BINDS.items() if feature == "journal-logs"}
FOLDER: Final = "/home/me/project"
"""Where the first file lies. It matters only to paths that leave it, and to devices of local binds (C-72, C-87)."""
SERVICE: Final = "service:"
NAMESPACES: Final = ("network_mode", "ipc", "pid", "uts", "cgroup")
REMOTE: Final = ("https://", "http://", "git://", "ssh://", "github.com/", "git@")
TESTS: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "set": lambda value, _: bool(value),
    "there": lambda value, _: value is not None,
    "below": lambda value, least: value < least,
    "none of": lambda value, known: value not in known,
    "unlike": lambda value, legal: not re.fullmatch(legal, value),
    "unequal": lambda value, wanted: any(value.get(key) != each for key, each in wanted.items()),
}
"""What a check of the tables may ask of a value."""
STEPS: Final = LISTS["steps"]
"""The order in which balena looks at one service (C-3)."""


class Normal(NamedTuple):
    """What balena keeps: the normal form, the contract of each service that has one, and the same as values."""

    form: Plain
    contracts: dict[str, Plain]
    composition: Composition


def release(root: Node, note: Notes, *, env: Mapping[str, str] | None = None) -> Normal:
    """The normal form of a merged tree. *env* is the environment of the machine that parses (C-31)."""
    return _Release(root, Desk(note, env or {})).run()


class _Release:
    """One release on its way: every part of the tree is decoded once, then checked."""

    def __init__(self, root: Node, desk: Desk) -> None:
        self.desk, self.note, self.root = desk, desk.note, root
        kinds = ("services", "networks", "volumes", "secrets", "configs", "models")
        self.nodes = {kind: root.entries(kind) for kind in kinds}
        self.found = {
            kind: {name: decode.section(desk, kind, name, node) for name, node in self.nodes[kind].items()}
            for kind in kinds[:3]
        }
        self.services, self.networks, self.volumes = self.found.values()
        services = root.get("services") or root
        self.names = {root.span.name, *(services.key_span(name).name for name in self.services)}
        self.place = 0  # among the services, networks or volumes, in the order in which balena looks at them

    def run(self) -> Normal:
        """All stages in turn."""
        self._top_level()
        for step in (self._imply, self._agree):
            for name, raw in self.services.items():
                step(name, raw)
        self._cycles()
        before = {name: dict(raw) for name, raw in self.services.items()}
        for kind, parts in self.found.items():
            for self.place, name in enumerate(sorted(parts)):
                self._accept((kind, name), parts[name])
        form = {kind: dict(sorted(parts.items())) for kind, parts in self.found.items() if parts or kind == "services"}
        composition = Composition(
            services=tuple(_service(name, raw, before[name]) for name, raw in self.services.items()),
            networks=tuple(Network(name=name, labels=_pairs(raw.get("labels"))) for name, raw in self.networks.items()),
            volumes=tuple(Volume(name=name, labels=_pairs(raw.get("labels"))) for name, raw in self.volumes.items()),
        )
        contracts = {name: asked for name, raw in form["services"].items() if (asked := _contract(name, raw))}
        return Normal(form, contracts, composition)

    def say(self, code: str, path: Path, **more: Any) -> None:
        """A finding where *path* is seen; errors of stage 24 to 26 take their place in the order of C-3."""
        row = SAYINGS[code]
        if (row.get("stage") or 0) >= 24:
            step = more.pop("step", None) or row.get("step")
            more["order"] = (self.place, STEPS.index(step) if step in STEPS else len(STEPS))
            more["stage"] = 24 + [*self.found].index(str(path[0]))
        near = path
        while (at := self.root.seen(near)) is None:
            near = near[:-1]
        self.note.say(code, at, path, **more)

    def at(self, path: Path) -> Node:
        """The node at *path*, or the nearest one above it."""
        return self.root.at(path) or self.at(path[:-1])

    # ── stages 10 to 16 ────────────────────────────────────────────────────────────────────────────

    def _top_level(self) -> None:
        for key, value in self.root.entries().items():
            if key.startswith("x-"):
                decode.extension(self.desk, self.root, key, (key,))
            elif key == "name":
                self.note.say("name-ignored", value, (key,), change=(value.plain(), None))
            elif key == "models":
                self.note.change((key,), value.plain(), None, "C-47", value)
        for name, raw in self.volumes.items():
            written = self.nodes["volumes"][name].entries()
            others = [key for key in written if key not in ("name", "external") and not key.startswith("x-")]
            if raw.get("external") and others:
                self.say("external-conflict", ("volumes", name, others[0]), other=others[0])
            options = raw.get("driver_opts", {})
            if raw.get("driver") == "local" and options.get("o") == "bind" and "device" in options:
                value, near = options["device"], self._home(options["device"])
                after = near if near.startswith("/") else posixpath.normpath(f"{FOLDER}/{near}")
                options["device"] = after
                if after != value:
                    path = ("volumes", name, "driver_opts", "device")
                    self.say("device-of-builder", path, change=(value, after), value=value, after=after)
        for kind, sources in (("secrets", ("file", "environment")), ("configs", ("file", "environment", "content"))):
            for name, node in self.nodes[kind].items():
                count = len(node.entries().keys() & set(sources))
                if count > 1 or not (count or node.entries().keys() & {"driver", "external"}):
                    self.say("no-source", (kind, name), name=name, sources=", ".join(sources))
            if self.nodes[kind]:
                self.say("secrets-not-supported", (kind,), kind=kind)

    def _imply(self, name: str, raw: Plain) -> None:
        """Stage 16: the default network, the Dockerfile's name, dependencies that follow from other fields."""
        written = self.nodes["services"][name].entries()
        if "pid" in written and written["pid"].kind == "null":
            self.say("empty-pid", ("services", name, "pid"))
        if "network_mode" not in written and "provider" not in raw:
            raw["networks"] = raw.get("networks") or {"default": None}
            if "default" in raw["networks"]:
                self.networks.setdefault("default", {"ipam": {}})
        if (build := raw.get("build")) is not None:
            build.setdefault("context", ".")
            if "dockerfile_inline" not in build:
                build.setdefault("dockerfile", "Dockerfile")
        others = [link.split(":")[0] for link in raw.get("links", ())]
        others += [raw[key].removeprefix(SERVICE) for key in NAMESPACES if raw.get(key, "").startswith(SERVICE)]
        others += [other.split(":")[0] for other in raw.get("volumes_from", ()) if not other.startswith("container:")]
        for other in others:
            raw.setdefault("depends_on", {}).setdefault(other, {"condition": "service_started", "required": True})

    # ── stage 19 ───────────────────────────────────────────────────────────────────────────────────

    def _agree(self, name: str, raw: Plain) -> None:
        """Every name that a service uses is declared, and nothing contradicts itself."""
        here: Path = ("services", name)
        build = raw.get("build") or {}
        if not build and not raw.get("image") and "provider" not in raw:
            written = self.nodes["services"][name].entries()
            hint = "`image` is there, but empty" if "image" in written else ""
            self.say("nothing-to-run", here, help=hint, name=name)
        if build.get("dockerfile_inline") and build.get("dockerfile"):
            self.say("two-dockerfiles", (*here, "build"))
        if raw.get("network_mode") and raw.get("networks"):
            self.say("networks-and-mode", (*here, "network_mode"))
        for code, steps, kind in TABLES["references"]:
            for path, names in _under(raw, steps) if steps[0] in raw else ():
                self._known(code, (*here, *path), _names(names), self.found.get(kind, self.nodes[kind]))
        taken: dict[str, str] = {}
        for index, text in enumerate(raw.get("tmpfs", ())):
            self._mounted(text.partition(":")[0], taken, (*here, "tmpfs", index))
        for spec, _node, path in raw.get("volumes", ()):
            self._mounted(clean(spec.target), taken, path)
            if spec.type == "volume" and spec.source:
                self._known("undefined-volume", path, [spec.source], self.volumes)

    def _known(self, code: str, path: Path, names: Iterable[str], known: Mapping[str, object]) -> None:
        """Tell of each name that is not among the *known* ones."""
        unknown = [name for name in names if name not in known]
        places = _places(self.at(path)) if unknown else {}
        for name in unknown:
            here = path if isinstance(path[-1], int) else (*path, places.get(name, name))
            hint = self.note.hint(name, tuple(known))
            brought = self.at(here).span.name not in self.names  # by `extends`, which brings nothing else (C-36)
            self.say(code, here, rule="C-36" if brought else "", help=hint, name=path[1], other=name)

    def _mounted(self, target: str, taken: dict[str, str], path: Path) -> None:
        if target in taken:
            self.say("mounted-twice", path, target=target, other=taken[target])
        taken[target] = f"`{path[2]}`"

    def _cycles(self) -> None:
        """A dependency that comes back to its start (C-55)."""
        done: set[str] = set()
        for start in sorted(self.services):
            trail = {start: self._others(start)} if start not in done else {}  # names in order, with what is left
            while trail:
                name = next(reversed(trail))
                other = next((each for each in trail[name] if each not in done), None)
                if other is None:
                    del trail[name]
                    done.add(name)
                elif other in trail:
                    names = [*trail]
                    ring = [*names[names.index(other) :], other]
                    code = "depends-on-itself" if len(ring) == 2 else "dependency-cycle"
                    self.say(code, ("services", name, "depends_on"), name=other, ring=" → ".join(ring))
                else:
                    trail[other] = self._others(other)

    def _others(self, name: str) -> Iterator[str]:
        return (other for other in sorted(self.services[name].get("depends_on", ())) if other in self.services)

    # ── stages 24 to 26 ────────────────────────────────────────────────────────────────────────────

    def _accept(self, here: Path, raw: Plain) -> None:
        """Balena's rules for one service, network or volume (C-79 … C-87)."""
        self._check(here, raw)
        self._labels(raw.get("labels"), (*here, "labels"), "labels")
        if here[0] != "services":
            return
        for field in LISTS["forbidden"]:
            if raw.pop(field, None) is not None:
                self.say("field-not-allowed", (*here, field), field=field, help=TABLES["instead"].get(field, ""))
        if raw.get("build") is not None:
            self._accept_build(raw["build"], (*here, "build"))
        for spec, _node, path in raw.get("devices", ()):
            if not (spec.source.startswith("/") and spec.target.startswith("/")):
                self.say("device-name", path, value=f"{spec.source}:{spec.target}")
        self._accept_mounts(raw)
        self._warn(here, raw)
        self._shorten(here, raw)

    def _accept_build(self, build: Plain, here: Path) -> None:
        for field in LISTS["forbidden_in_build"]:
            if build.get(field) != "" and build.pop(field, None) is not None:
                self.say("build-field-not-allowed", (*here, field), field=field)
        self._labels(build.get("labels"), (*here, "labels"), "build labels")
        for field in ("dockerfile", "dockerfile_inline", "context"):
            if build.get(field) == "":
                del build[field]
        context: str = build.get("context", "")
        path = (*here, "context") if self.at(here).kind == "map" else here
        remote = context.startswith(REMOTE) or "://" in context
        if (context if remote else context.rstrip("/")).endswith(".git"):
            self.say("remote-context", path, value=context)
        elif context:
            near = posixpath.normpath(self._home(context))  # from the folder of the first file (C-72)
            build["context"] = after = posixpath.relpath(near, FOLDER) if near.startswith("/") else near
            if remote and after != context:
                self.say("remote-context-mangled", path, change=(context, after), value=context, after=after)

    def _home(self, path: str) -> str:
        """A path in which `~` is the home of who builds."""
        return posixpath.normpath(f"{self.desk.env.get('HOME', '/root')}/{path[1:]}") if path.startswith("~") else path

    def _accept_mounts(self, raw: Plain) -> None:
        """Named volumes stay, ten binds become labels, everything else is refused (C-51, C-52)."""
        placed = raw.pop("volumes", ())
        sources = {spec.source for spec, _node, _path in placed}
        kept, memory = [], []
        for spec, node, path in placed:
            written = node.plain()
            shown = written if isinstance(written, str) else f"{spec.source}:{spec.target}"
            if spec.source in BINDS:
                self._bind(raw, spec, path, sources)
            elif spec.type in ("bind", "image", "npipe", "cluster"):
                self.say("bind-mount" if spec.type == "bind" else "mount-type", path, value=shown, type=spec.type)
            elif spec.options:
                self.say("mount-options", path, options=", ".join(spec.options))
            elif spec.type == "tmpfs":
                memory.append(clean(spec.target))
                if spec.read_only:
                    self.say("read-only-lost", path, change=(written, spec.target))
            elif spec.source:
                kept.append(f"{spec.source}:{clean(spec.target)}{':ro' if spec.read_only else ''}")
            else:
                letter = isinstance(written, str) and len(written.partition(":")[0]) == 1
                self.say("one-letter-volume" if letter else "anonymous-volume", path, value=shown)
        raw |= {"volumes": kept} if kept else {}
        raw |= {"tmpfs": [*raw.get("tmpfs", ()), *memory]} if memory else {}

    def _bind(self, raw: Plain, spec: MountSpec, path: Path, sources: set[str]) -> None:
        label, written = FEATURES + BINDS[spec.source], self.at(path).plain()
        if spec.source in JOURNAL and JOURNAL - sources:
            self.say("bind-dropped", path, change=(written, None), source=spec.source)
            return
        raw["labels"] = {**raw.get("labels", {}), label: "1"}
        self.say("bind-becomes-label", path, change=(written, f"{label}: 1"), source=spec.source, label=label)

    def _labels(self, labels: Mapping[str, str] | None, path: Path, step: str) -> None:
        """Labels that ask for something, and labels that are taken (C-92, C-96)."""
        places = _places(self.at(path)) if labels else {}
        for label, value in (labels or {}).items():
            where = (*path, places.get(label, label))
            if label.startswith("io.balena.private"):
                self.say("reserved-label", where, label=label)
            suffix = label.removeprefix(REQUIRES)
            if suffix == label:
                continue
            kind, atom = REQUIREMENTS.get(suffix, ("", {}))
            same = (value, value)
            if not atom:
                hint = self.note.known(suffix, REQUIREMENTS)
                self.say("unknown-requirement", where, change=same, help=hint, label=label, suffix=suffix)
            elif kind == "range" and valid_range(value) is None:
                self.say("bad-requirement", where, step=step, value=value, wanted="version range")
            elif kind == "arch" and value not in LISTS["architectures"]:
                hint = f"known here: {', '.join(LISTS['architectures'])}"
                self.say("bad-requirement", where, step=step, help=hint, value=value, wanted="architecture")
            elif step == "build labels" or path[0] != "services":
                self.say("requirement-not-enforced", where, change=same, label=label)

    def _warn(self, here: Path, raw: Plain) -> None:
        """What balena, or the device, says of a release that it accepts (C-4, C-41, C-45, C-46, C-57, C-70)."""
        for path, ports in groupby(raw.get("ports", ()), key=lambda placed: placed[2]):
            spec, node, _path = next(ports)  # one speaks for all of a range
            if node.kind != "map" or spec.mode is None:
                self.say("port-mode-false-alarm", (*path, "mode"))
            if not (spec.published or spec.host_ip) and raw.get("network_mode") != "host":
                self.say("bare-port", path, port=spec.target)
            for field in ("name", "app_protocol", "mode") if node.kind == "map" else ():
                if getattr(spec, field):
                    self.say("port-option-removed", (*path, field), change=(getattr(spec, field), None), field=field)
        for field, code in (("expose", "expose-removed"), ("container_name", "container-name-removed")):
            if raw.pop(field, None):
                self.say(code, (*here, field), change=(self.at((*here, field)).plain(), None))
        order = list(raw.get("networks", ()))
        if order and min(order) != order[0]:
            self.say("network-order", (*here, "networks"), change=(order, sorted(order)), first=min(order))
        if new := new_fields(raw):
            self.say("new-fields", (*here, *new[0].split(".")), name=here[1], fields="`, `".join(new))

    def _shorten(self, here: Path, raw: Plain) -> None:
        """Long forms become short again, in the order that balena prints."""
        raw |= {field: [str(spec) for spec, *_place in raw[field]] for field in ("ports", "devices") if field in raw}
        if "depends_on" in raw:
            raw["depends_on"] = sorted(raw["depends_on"])
        if "security_opt" in raw:
            raw["security_opt"] = [option.replace(":", "=", 1) for option in raw["security_opt"]]
        named = raw.keys() & {"networks", "labels", "environment", "sysctls", "annotations"}
        raw |= {field: dict(sorted(raw[field].items())) for field in named}
        if (image := raw.get("image")) and raw.get("build") is not None:
            raw["build"]["tags"] = [image]
            self.say("image-becomes-tag", (*here, "image"), change=(image, image), name=here[1], value=image)
        raw.setdefault("command", None)

    def _check(self, here: Path, raw: Plain) -> None:
        """The checks of the table: which value, by its path, and what it may not be."""
        for steps, test, than, code in TABLES["checks"][here[0]]:
            for path, value in _under(raw, steps) if steps[0] in raw else ():
                if TESTS[test](value, than):
                    words = {"name": here[1], "field": steps[0], "value": value, "other": path[-1]}
                    self.say(code, (*here, *path), step=steps[0] if steps[0] in STEPS else None, **words)


def _under(value: Any, steps: list[str]) -> Iterator[tuple[Path, Any]]:
    """Every value at a path of a normal form; `*` stands for every key and every entry of a list."""
    if not steps:
        yield (), value
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inner if steps else ():
        if steps[0] in ("*", key):
            yield from (((key, *path), found) for path, found in _under(each, steps[1:]))


def new_fields(raw: Plain) -> list[str]:
    """The fields of a service that make its release ask for `sw.spec` (C-46)."""
    found = [field for field in LISTS["new"] if raw.get(field) is not None]
    found += ["pid"] if (raw.get("pid") or "").startswith(SERVICE) else []
    found += ["healthcheck.start_interval"] if "start_interval" in (raw.get("healthcheck") or {}) else []
    for name, body in (raw.get("networks") or {}).items():
        found += [f"networks.{name}.{field}" for field in LISTS["new_on_a_network"] if field in (body or {})]
    return found


def _contract(name: str, raw: Plain) -> Plain:
    """Stage 27: what a service asks of its device (C-93); empty when it asks for nothing."""
    plain: list[Plain] = []
    choices: dict[str, list[Plain]] = {"sw.os": [], "sw.kernel": []}
    for label, value in sorted(raw.get("labels", {}).items()):
        kind, atom = REQUIREMENTS.get(label.removeprefix(REQUIRES) if label.startswith(REQUIRES) else "", ("", {}))
        if atom:
            choices.get(atom["type"], plain).append({**atom, "version" if kind == "range" else "slug": value})
    requires = plain + [{"or": entries} for entries in choices.values() if entries]
    if new_fields(raw):
        requires.append({"type": "sw.spec", "slug": "compose", "version": ">=2"})
    return {"type": "sw.container", "slug": f"contract-for-{name}", "requires": requires} if requires else {}


def _service(name: str, raw: Plain, before: Plain) -> Service:
    """The typed service of a normal form; ports and mounts come from their long forms."""
    build, limits = raw.get("build"), raw.get("ulimits", {}).items()
    ports, mounts = ([spec for spec, *_place in before.get(field, ())] for field in ("ports", "volumes"))
    words: Plain = {field: raw.get(field, "") for field in ("image", "restart", "network_mode")}
    words |= {field: tuple(raw.get(field, ())) for field in ("depends_on", "cap_add", "devices", "networks")}
    words |= {field: _pairs(raw.get(field)) for field in ("environment", "labels")}
    if build is not None:
        texts = {key: build[key] for key in ("context", "dockerfile", "target") if key in build}
        words["build"] = Build(**texts, args=_pairs(build.get("args")))
    words["ports"] = tuple(
        Port(target=str(p.target), published=p.published, address=p.host_ip or "", protocol=p.protocol or "tcp")
        for p in ports
    )
    words["volumes"] = tuple(
        Mount(volume=mount.source, target=clean(mount.target), read_only=mount.read_only)
        for mount in mounts if mount.type == "volume" and mount.source
    )  # fmt: skip
    return Service(
        name=name, command=None if raw["command"] is None else tuple(raw["command"]), newer=tuple(new_fields(raw)),
        expose=tuple(before.get("expose", ())), privileged=raw.get("privileged", False),
        ulimits=_pairs({k: v if isinstance(v, int) else ":".join(map(str, v.values())) for k, v in limits}), **words,
    )  # fmt: skip


def _names(granted: object) -> list[str]:
    """The names in a list or a mapping; of a config or secret in long form, its source."""
    items = granted if isinstance(granted, (list, dict)) else ()
    names = (item.get("source") if isinstance(item, dict) else item for item in items)
    return [name for name in names if isinstance(name, str)]


def _places(node: Node) -> dict[str, int]:
    """Where each name, or `NAME=VALUE`, stands in a list."""
    items = node.value if node.kind == "list" else ()
    return {str(item.value).partition("=")[0]: index for index, item in enumerate(items)}


def _pairs(mapping: Mapping[str, object] | None) -> tuple[tuple[str, str], ...]:
    return tuple((key, str(value)) for key, value in (mapping or {}).items())


def clean(path: str) -> str:
    """A mount's target as the engine cleans it (C-51)."""
    return clean_path(path) or "."
