"""One decoder for each form of field: from a node to the value that balena's engine would print (stages 11 to 17).

Which field has which form stands in `fields.json`. A decoder gives `None` when nothing is left of the field; what
it drops or changes without a word becomes a line of the vanishing list.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from ..diagnostics import Path, Severity
from ..source import Node
from .fields import FORMS, LISTS, cast
from .forms import (
    DeviceSpec,
    MountSpec,
    PortSpec,
    Unreadable,
    duration_text,
    host_entry,
    number_text,
    parse_device,
    parse_duration,
    parse_host,
    parse_mount,
    parse_ports,
    parse_size,
    scalar_text,
    single,
    split_command,
)
from .notes import Notes

Plain = dict[str, Any]
T = TypeVar("T")

NEUTRAL: Final = (False, 0, "", [], {})
KEEPS_NEUTRAL: Final = frozenset({"command", "switch", "health", "duration"})
OBJECTS: Final = frozenset({"blkio_config", "credential_spec", "deploy", "develop", "logging", "provider"})
OCTAL: Final = "write it in quotes, or in the list form `- NAME=010`"


@dataclass(slots=True)
class Desk:
    """Where one reading is decoded: its notes, and the environment of the machine that parses (C-27)."""

    note: Notes
    env: Mapping[str, str] = field(default_factory=dict)

    def attempt(self, read: Callable[[], T], node: Node, path: Path, stage: int = 17) -> T | None:
        """What *read* gives, or None and an error when the text is unreadable."""
        try:
            return read()
        except Unreadable as trouble:
            self.error("unreadable-text", trouble.rule, str(trouble), node, path, stage, trouble.help)
            return None

    def error(self, code: str, rule: str, message: str, at: Node, path: Path, stage: int, help: str = "") -> None:
        """An error of the given stage."""
        self.note.error(code, rule, message, at, path, help, stage=stage)

    def silent(self, code: str, rule: str, message: str, before: object, after: object, at: Node, path: Path,
               help: str = "") -> None:  # fmt: skip
        """A change that nobody is told about at release."""
        self.note.change(path, before, after, rule, Severity.CHANGED, at, code=code, message=message, help=help)


def service(desk: Desk, name: str, node: Node) -> Plain:
    """Every field of one service that is left, by its name."""
    found: Plain = {}
    for key, value in node.value.items() if node.kind == "map" else ():
        path: Path = ("services", name, key)
        if key.startswith("x-"):
            extension(desk, node, key, path)
        elif (form := FORMS.get(key)) is not None and form != "folded":
            decoded = DECODERS[form](desk, value, path)
            if decoded is None or (decoded in NEUTRAL and _neutral_goes(key, form)):
                _vanished(desk, key, value, decoded, path)
            else:
                found[key] = decoded
    return found


def extension(desk: Desk, node: Node, key: str, path: Path) -> None:
    """An `x-` key: read, interpolated, gone (C-20)."""
    before, at = node.value[key].plain(), node.keys.get(key, node.span)
    known = len(path) > 1
    desk.note.change(path, before, None, "C-20", Severity.CHANGED, at, code="extension-removed" if known else "",
                     message=f"`{key}` is a note for people: it is not part of the release")  # fmt: skip


def _neutral_goes(key: str, form: str) -> bool:
    return form not in KEEPS_NEUTRAL and key != "scale" and key not in OBJECTS


def _vanished(desk: Desk, key: str, node: Node, decoded: object, path: Path) -> None:
    """A neutral value is left out of the normal form (C-5)."""
    if decoded is None and (node.kind == "null" or key in ("mem_limit", "shm_size", "memswap_limit")):
        return
    written = node.plain()
    if key == "tty" and decoded is False:
        desk.silent("tty-stays-on", "C-66", "`tty: false` is dropped, and the device turns the terminal on",
                    written, None, node, path, "a terminal cannot be turned off on balena")  # fmt: skip
    elif decoded is not None and key in LISTS["forbidden"]:
        desk.silent("neutral-value-removed", "C-5",
                    f"`{key}` is forbidden, but a neutral value vanishes before anybody looks",
                    written, None, node, path, "remove it")  # fmt: skip
    elif decoded is not None:
        desk.note.change(path, written, None, "C-5", Severity.CHANGED, node)


# ── plain values ────────────────────────────────────────────────────────────────────────────────────────────


def text(_desk: Desk, node: Node, _path: Path) -> str | None:
    """A text, as it is (C-71)."""
    return node.value if node.kind == "str" else None


def flag(_desk: Desk, node: Node, _path: Path) -> bool | None:
    """A boolean; false vanishes (C-66)."""
    return node.value if node.kind == "bool" else None


def switch(desk: Desk, node: Node, path: Path) -> bool | None:
    """A boolean with three states: true, false, absent (C-5)."""
    if node.kind == "str":
        word = cast(node.value, "bool")
        if word is None:
            desk.error(
                "not-a-boolean", "C-30", f"`{node.value}` is not a boolean", node, path, 17, "write true or false"
            )
        return word if isinstance(word, bool) else None
    return flag(desk, node, path)


def integer(_desk: Desk, node: Node, _path: Path) -> int | None:
    """A whole number; a fraction is cut off (C-64)."""
    return int(node.value) if node.kind in ("int", "float") and math.isfinite(node.value) else None


def decimal(_desk: Desk, node: Node, _path: Path) -> float | int | None:
    """A number of single precision (C-64)."""
    if node.kind not in ("int", "float"):
        return None
    near = single(float(node.value))
    return int(near) if near.is_integer() else near


def size(desk: Desk, node: Node, path: Path) -> str | None:
    """A size as the text of its bytes; an unquoted fraction vanishes (C-62)."""
    if node.kind == "float":
        name = str(path[-1])
        desk.silent("size-vanishes", "C-62", f"`{name}: {node.value}` is no whole number: it vanishes, so there is no limit",
                    node.value, None, node, path, 'put the number in quotes, or add a unit: "1.5g"')  # fmt: skip
        return None
    if node.kind == "str":
        found = desk.attempt(lambda: parse_size(node.value), node, path)
    else:
        found = node.value if node.kind == "int" else None
    return str(found) if found else "" if found == 0 else None


def duration(desk: Desk, node: Node, path: Path) -> str | None:
    """A duration in its long form (C-63)."""
    if node.kind != "str":
        return None
    found = desk.attempt(lambda: parse_duration(node.value), node, path)
    return None if found is None else duration_text(found)


def texts(_desk: Desk, node: Node, path: Path) -> list[str] | None:
    """A list of texts; a single text is a list of one, a number becomes text (C-68, C-69)."""
    items = [node] if node.kind == "str" else node.value if node.kind == "list" else None
    if items is None:
        return None
    found = [scalar_text(item) for item in items if item.kind in ("str", "int", "float")]
    return [item for item in found if item] if path[-1] == "dns" else found


def verbatim(desk: Desk, node: Node, path: Path) -> Any:
    """A value that is kept as it is, without `x-` keys (C-47)."""
    if path[-1] == "models" and node.kind == "list":
        return dict.fromkeys(texts(desk, node, path) or ())
    return _without_extensions(node)


def _without_extensions(node: Node) -> Any:
    if node.kind == "map":
        return {k: _without_extensions(v) for k, v in node.value.items() if not k.startswith("x-")}
    return [_without_extensions(v) for v in node.value] if node.kind == "list" else node.value


# ── mappings of texts (C-11, C-54, C-69, C-88) ──────────────────────────────────────────────────────────────


def entries(desk: Desk, node: Node, path: Path) -> dict[str, tuple[str | None, Node]]:
    """A mapping, or a list of `KEY=VALUE`, as texts with their nodes; None is "no value given"."""
    found: dict[str, tuple[str | None, Node]] = {}
    if node.kind == "map":
        for key, value in node.value.items():
            if value.kind in ("map", "list", "time"):
                continue
            found[key] = (None if value.kind == "null" else scalar_text(value), value)
            _number_became_text(desk, value, (*path, key))
    elif node.kind == "list":
        for item in node.value:
            if item.kind == "str":
                key, equals, value = item.value.partition("=")
                found[key] = (value if equals else None, item)
    return found


def _number_became_text(desk: Desk, node: Node, path: Path) -> None:
    """Tell of a number whose text is not what was written (C-11, C-13)."""
    if node.kind not in ("int", "float") or len(number_text(node.value)) == node.span.width:
        return
    name, after = str(path[-1]), number_text(node.value)
    octal = node.kind == "int" and node.span.width == len(f"{node.value:o}") + 1 and node.span.width > 1
    message = f"`{name}` is written as a number and becomes `{after}`" + (
        ": a leading 0 makes it octal" if octal else ""
    )
    desk.silent("octal-number" if octal else "number-becomes-text", "C-13" if octal else "C-11", message,
                node.value, after, node, path, OCTAL if octal else "write it in quotes")  # fmt: skip


def pairs(desk: Desk, node: Node, path: Path) -> dict[str, str] | None:
    """A mapping of texts; no value is the empty text (C-69, C-88)."""
    if node.kind not in ("map", "list"):
        return None
    found = {key: value or "" for key, (value, _node) in entries(desk, node, path).items()}
    if path[-1] == "labels":
        for key, (value, at) in entries(Desk(Notes()), node, path).items():
            if value is None:
                desk.silent("label-without-value", "C-88", f"`{key}` has no value: it is empty, which means off",
                            at.plain(), "", at, (*path, key), f"write `{key}=1` to turn it on")  # fmt: skip
    return found


def variables(desk: Desk, node: Node, path: Path) -> dict[str, str] | None:
    """Environment variables; one without a value copies that of the parsing machine (C-31, C-54)."""
    if node.kind not in ("map", "list"):
        return None
    found: dict[str, str] = {}
    for key, (value, at) in entries(desk, node, path).items():
        if key.rstrip() != key and value is not None:
            desk.error("space-in-name", "C-54", f"`{key}` ends in a space", at, (*path, key), 11, "remove the space")
        found[key] = desk.env.get(key, "") if value is None else value
        if value is None:
            leak = f"copies the value that `{key}` has where the release is built"
            desk.silent("variable-copied" if key in desk.env else "variable-empty", "C-31",
                        f"`{key}` has no value: it {leak if key in desk.env else 'becomes empty'}",
                        at.plain(), found[key], at, (*path, key),
                        "give it a value here, or set it as a device variable and leave it out")  # fmt: skip
    return found


def arguments(desk: Desk, node: Node, path: Path) -> dict[str, str]:
    """Build arguments; one without a value is copied from the parsing machine or dropped (C-31, C-75)."""
    found: dict[str, str] = {}
    for key, (value, at) in entries(desk, node, path).items():
        if value is not None or key in desk.env:
            found[key] = desk.env[key] if value is None else value
        if value is None:
            desk.silent("argument-copied" if key in found else "argument-dropped", "C-75",
                        f"`{key}` has no value: it {'is copied from where the release is built' if key in found else 'is dropped'}",
                        at.plain(), found.get(key), at, (*path, key), "give it a value")  # fmt: skip
    return found


# ── commands, hosts, limits, health ─────────────────────────────────────────────────────────────────────────


def command(desk: Desk, node: Node, path: Path) -> list[str] | None:
    """A command as a list of words (C-48)."""
    if node.kind == "list":
        return [item.value for item in node.value if item.kind == "str"]
    split = desk.attempt(lambda: split_command(node.value), node, path) if node.kind == "str" else None
    if split is None:
        return None
    if split.lost:
        what = "an empty command, which clears the image's" if not split.words else f"only `{' '.join(split.words)}`"
        desk.silent("command-cut", "C-48", f"`{split.lost}` is thrown away: {what} is left", node.value,
                    list(split.words), node, path, "write `sh -c '…'` to have a shell read it")  # fmt: skip
    return list(split.words)


def hooks(desk: Desk, node: Node, path: Path) -> list[Plain] | None:
    """Commands to run after the start or before the stop (C-46)."""
    if node.kind != "list":
        return None
    found = []
    for index, item in enumerate(node.value):
        body = item.value if item.kind == "map" else {}
        hook: Plain = {"command": None}
        for key, read in (("command", command), ("user", text), ("privileged", switch), ("working_dir", text),
                          ("environment", pairs)):  # fmt: skip
            value = read(desk, body[key], (*path, index, key)) if key in body else None
            if value or key == "command":
                hook[key] = value
        found.append(hook)
    return found


def hosts(desk: Desk, node: Node, path: Path) -> list[str] | None:
    """Extra hosts as a sorted list of `host:address` (C-67)."""
    known: dict[str, list[str]] = {}
    if node.kind == "map":
        rows = [(value, lambda k=key, v=value: host_entry(k, [scalar_text(i) for i in ([v] if v.kind != "list" else v.value)]))
                for key, value in node.value.items()]  # fmt: skip
    elif node.kind == "list":
        rows = [(item, lambda t=scalar_text(item): parse_host(t)) for item in node.value if item.kind == "str"]
    else:
        return None
    for at, read in rows:
        found = desk.attempt(read, at, path)
        if found:
            known.setdefault(found[0], []).extend(found[1])
    return sorted(f"{host}:{address}" for host, addresses in known.items() for address in addresses)


def limits(desk: Desk, node: Node, path: Path) -> Plain | None:
    """Limits of the kernel; 0 becomes an empty mapping (C-60)."""
    if node.kind != "map":
        return None
    found: Plain = {}
    for key, value in node.value.items():
        here = (*path, key)
        if value.kind == "map":
            found[key] = {part: v.value for part, v in value.value.items() if v.kind == "int" and v.value}
            complete = len(found[key]) == sum(not part.startswith("x-") for part in value.value)
        elif value.kind == "int":
            found[key] = value.value or {}
            complete = bool(value.value)
        else:
            if value.kind == "float":
                desk.error("wrong-kind", "C-60", f"`{key}` must be a whole number", value, here, 17)
            continue
        if not complete:
            desk.silent("limit-without-number", "C-60", f"the 0 in `{key}` is dropped, so the device sends no number",
                        value.plain(), found[key], value, here, "-1 means unlimited; 0 cannot be asked for")  # fmt: skip
    return found


def health(desk: Desk, node: Node, path: Path) -> Plain | None:
    """A health check (C-61)."""
    if node.kind != "map":
        return None
    found: Plain = {}
    for key, value in node.value.items():
        here = (*path, key)
        if key == "test":
            found[key] = ["CMD-SHELL", value.value] if value.kind == "str" else texts(desk, value, here)
        elif key == "retries":
            found[key] = integer(desk, value, here)
            if (found[key] or 0) < 0:
                desk.error("out-of-range", "C-61", "`retries` must be 0 or more", value, here, 17)
        elif key.startswith("x-"):
            extension(desk, node, key, here)
        else:
            found[key] = flag(desk, value, here) if key == "disable" else duration(desk, value, here)
    return {
        key: value for key, value in found.items() if value not in (None, [], False) or (key == "retries" and value == 0)
    }


# ── ports, mounts, devices ──────────────────────────────────────────────────────────────────────────────────

Placed = tuple[T, Node, Path]
"""A value, the node it came from and where that stands."""


def ports(desk: Desk, node: Node, path: Path) -> list[Placed[PortSpec]] | None:
    """Ports in their long form; equal ones collapse (C-35, C-49)."""
    if node.kind != "list":
        return None
    found: dict[object, Placed[PortSpec]] = {}
    for index, item in enumerate(node.value):
        here = (*path, index)
        for spec in _port(desk, item, here):
            if not spec.target:
                desk.error("missing-target", "C-49", "this port has no target", item, here, 12, "add `target:`")
            else:
                _same_place(desk, found, spec.identity, (spec, item, here), "port-repeated")
    return list(found.values())


def _port(desk: Desk, item: Node, path: Path) -> list[PortSpec]:
    if item.kind == "int":
        return [PortSpec(target=item.value)]
    if item.kind == "str":
        return desk.attempt(lambda: parse_ports(item.value), item, path, 11) or []
    if item.kind == "float":
        desk.error("unreadable-text", "C-49", f"`{number_text(item.value)}` is not a port", item, path, 11,
                   "a leading 0 is octal; write the port in quotes")  # fmt: skip
    if item.kind != "map":
        return []
    body = {key: scalar_text(value) for key, value in item.value.items() if value.kind in ("str", "int", "float")}
    target = item.value.get("target")
    if target is not None and target.kind == "int" and target.value < 0:
        desk.error("out-of-range", "C-49", "a port cannot be negative", target, (*path, "target"), 17)
    return [
        PortSpec(
            target=target.value if target is not None and target.kind == "int" else None,
            published=body.get("published", ""),
            host_ip=body.get("host_ip"),
            **{key: body.get(key) for key in ("protocol", "mode")},
            **{key: body.get(key, "") for key in ("name", "app_protocol")},
        )  # fmt: skip
    ]


def mounts(desk: Desk, node: Node, path: Path) -> list[Placed[MountSpec]] | None:
    """Mounts in their long form; the later of two with one target wins (C-35, C-51)."""
    if node.kind != "list":
        return None
    found: dict[object, Placed[MountSpec]] = {}
    for index, item in enumerate(node.value):
        here = (*path, index)
        spec = _long_mount(desk, item, here) if item.kind == "map" else None
        if item.kind == "str":
            spec = desk.attempt(lambda text=item.value: parse_mount(text), item, here, 8)
        if spec is not None:
            _same_place(desk, found, spec.target, (spec, item, here), "mount-replaced")
            for word in spec.lost:
                desk.silent("mount-word-dropped", "C-51", f"`{word}` in `{item.value}` is dropped", item.value,
                            f"{spec.source}:{spec.target}", item, here)  # fmt: skip
    return list(found.values())


def _long_mount(desk: Desk, item: Node, path: Path) -> MountSpec | None:
    body: dict[str, Node] = item.value
    written = {key: scalar_text(body[key]) for key in ("type", "source", "target") if key in body}
    if "target" not in written:
        desk.error("missing-target", "C-51", "this mount has no target", item, path, 8, "add `target:`")
        return None
    own = body.get(written.get("type", ""))
    options = [key for key, value in own.value.items() if not key.startswith("x-") and value.value not in NEUTRAL] if (
        own is not None and own.kind == "map" and written["type"] in ("volume", "tmpfs")
    ) else []  # fmt: skip
    read_only = body.get("read_only")
    for key in body:
        if key.startswith("x-"):
            extension(desk, item, key, (*path, key))
    return MountSpec(
        type=written.get("type", ""),
        source=written.get("source", ""),
        target=written["target"],
        read_only=read_only is not None and read_only.value is True,
        options=tuple(options),
    )


def devices(desk: Desk, node: Node, path: Path) -> list[Placed[DeviceSpec]] | None:
    """Devices in their long form (C-58)."""
    if node.kind != "list":
        return None
    found: dict[object, Placed[DeviceSpec]] = {}
    for index, item in enumerate(node.value):
        here = (*path, index)
        spec: DeviceSpec | None = None
        if item.kind == "str":
            spec = desk.attempt(lambda text=item.value: parse_device(text), item, here, 11)
        elif item.kind == "map" and "target" not in item.value:
            desk.error("missing-target", "C-58", "this device has no target", item, here, 8, "add `target:`")
        elif item.kind == "map":
            spec = DeviceSpec(
                *(scalar_text(item.value[k]) if k in item.value else "" for k in ("source", "target", "permissions"))
            )
            if not spec.permissions:
                desk.silent("device-undefined", "C-58",
                            "without `permissions` the device gets the word `undefined` as permissions",
                            item.plain(), str(spec), item, here, "add `permissions: rwm`")  # fmt: skip
        if spec is not None:
            _same_place(desk, found, spec.target, (spec, item, here), "device-replaced")
    return list(found.values())


def _same_place(desk: Desk, found: dict[object, Placed[Any]], key: object, new: Placed[Any], code: str) -> None:
    """Put *new* where an equal one stood; that one is gone without a word (C-35)."""
    earlier = found.get(key)
    if earlier is not None:
        _spec, at, path = earlier
        desk.silent(code, "C-35", f"a later line has the same {'port' if 'port' in code else 'target'}: this one is gone",
                    at.plain(), None, at, path, "remove one of the two")  # fmt: skip
    found[key] = new


# ── dependencies, networks, build ───────────────────────────────────────────────────────────────────────────


def dependencies(_desk: Desk, node: Node, _path: Path) -> Plain | None:
    """Dependencies in their long form (C-55)."""
    if node.kind == "list":
        return {
            item.value: {"condition": "service_started", "required": True} for item in node.value if item.kind == "str"
        }
    if node.kind != "map":
        return None
    return {
        name: {"required": True, **{k: v.value for k, v in body.value.items() if not k.startswith("x-")}}
        for name, body in node.value.items()
        if body.kind == "map"
    }


def attachments(desk: Desk, node: Node, path: Path) -> dict[str, Plain | None] | None:
    """The networks of a service with what is said about each (C-57)."""
    if node.kind == "list":
        return {item.value: None for item in node.value if item.kind == "str"}
    if node.kind != "map":
        return None
    readers = {
        "aliases": texts,
        "link_local_ips": texts,
        "driver_opts": pairs,
        "priority": integer,
        "gw_priority": integer,
    }
    found: dict[str, Plain | None] = {}
    for name, body in node.value.items():
        if body.kind != "map":
            found[name] = None
            continue
        values = {
            k: readers.get(k, text)(desk, v, (*path, name, k)) for k, v in body.value.items() if not k.startswith("x-")
        }
        found[name] = {k: v for k, v in values.items() if v not in (None, *NEUTRAL)}
    return found


def build(desk: Desk, node: Node, path: Path) -> Plain | None:
    """How the image is built (C-72, C-74, C-75)."""
    if node.kind == "str":
        return {"context": node.value}
    if node.kind != "map":
        return None
    found: Plain = {}
    for key, value in node.value.items():
        here = (*path, key)
        if key.startswith("x-"):
            extension(desk, node, key, here)
            continue
        decoded = BUILD.get(key, text)(desk, value, here)
        if key in ("dockerfile", "context") or decoded not in (None, *NEUTRAL):
            found[key] = decoded
        elif key in LISTS["forbidden_in_build"] and value.kind != "null":
            desk.silent("neutral-value-removed", "C-5", f"`build.{key}` is forbidden, but a neutral value vanishes",
                        value.plain(), None, value, here, "remove it")  # fmt: skip
    return found


def word(_desk: Desk, node: Node, _path: Path) -> str | None:
    """A text or boolean as text (C-76)."""
    return scalar_text(node) if node.kind in ("str", "bool") else None


BUILD: Final[dict[str, Callable[[Desk, Node, Path], Any]]] = {
    "args": arguments, "labels": pairs, "cache_from": texts, "cache_to": texts, "entitlements": texts,
    "platforms": texts, "tags": texts, "additional_contexts": pairs, "ssh": pairs, "secrets": verbatim,
    "extra_hosts": hosts, "shm_size": size, "ulimits": limits, "no_cache": switch, "privileged": switch,
    "pull": switch, "provenance": word, "sbom": word,
}  # fmt: skip

DECODERS: Final[dict[str, Callable[[Desk, Node, Path], Any]]] = {
    "text": text, "flag": flag, "switch": switch, "integer": integer, "decimal": decimal, "size": size,
    "duration": duration, "texts": texts, "verbatim": verbatim, "pairs": pairs, "variables": variables,
    "command": command, "hooks": hooks, "hosts": hosts, "limits": limits, "health": health, "ports": ports,
    "mounts": mounts, "devices": devices, "dependencies": dependencies, "attachments": attachments, "build": build,
}  # fmt: skip


# ── networks and volumes of the release ─────────────────────────────────────────────────────────────────────


def network(desk: Desk, name: str, node: Node) -> Plain:
    """A network in the shape that balena's engine prints; its custom name is gone (C-81, C-83)."""
    found = _resource(desk, "networks", name, node)
    ipam = node.value.get("ipam") if node.kind == "map" else None
    found["ipam"] = {}
    if ipam is None or ipam.kind != "map":
        return found
    path: Path = ("networks", name, "ipam")
    if (driver := ipam.value.get("driver")) is not None and driver.value:
        found["ipam"]["driver"] = driver.value
    config = ipam.value.get("config")
    if config is not None and config.kind == "list" and config.value:
        found["ipam"]["config"] = [
            {k: v.plain() for k, v in pool.value.items() if v.value and not k.startswith("x-")}
            for pool in config.value
            if pool.kind == "map"
        ]
    if (options := ipam.value.get("options")) is not None:
        desk.silent("ipam-options-lost", "C-83", "`ipam.options` is read and then lost", options.plain(), None, options,
                    (*path, "options"), "remove it")  # fmt: skip
    return found


def volume(desk: Desk, name: str, node: Node) -> Plain:
    """A volume in the shape that balena's engine prints; its custom name is gone (C-81)."""
    return _resource(desk, "volumes", name, node)


def _resource(desk: Desk, kind: str, name: str, node: Node) -> Plain:
    found: Plain = {}
    for key, value in node.value.items() if node.kind == "map" else ():
        path: Path = (kind, name, key)
        if key.startswith("x-"):
            extension(desk, node, key, path)
        elif key == "name":
            desk.silent("custom-name-removed", "C-81", f"the name `{value.value}` is dropped: balena names it itself",
                        value.plain(), None, value, path, f"it is known as `{name}` in this composition")  # fmt: skip
        elif key != "ipam":
            decoded = True if key == "external" and value.kind == "map" else RESOURCE.get(key, text)(desk, value, path)
            keep = key in ("enable_ipv4", "enable_ipv6") and decoded is not None
            if keep or decoded not in (None, *NEUTRAL):
                found[key] = decoded
            elif value.kind != "null":
                desk.note.change(path, value.plain(), None, "C-5", Severity.CHANGED, value)
    return found


RESOURCE: Final[dict[str, Callable[[Desk, Node, Path], Any]]] = {
    "labels": pairs, "driver_opts": pairs, "external": flag, "internal": flag, "attachable": flag,
    "enable_ipv4": flag, "enable_ipv6": flag,
}  # fmt: skip
