"""One decoder for each form of field: from a node to the value that balena's engine would print (stages 11 to 17).

Which field has which form stands in `fields.json`. A decoder gives `None` when nothing is left of the field; what
it drops or changes without a word becomes a line of the vanishing list.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from typing import Any, Final, TypeVar

from ..diagnostics import Path
from ..source import Node
from . import forms
from .fields import FORMS, LISTS, TABLES, cast
from .forms import DeviceSpec, MountSpec, PortSpec, Unreadable, number_text, scalar_text
from .notes import Notes

Plain = dict[str, Any]
T = TypeVar("T")
Decoder = Callable[["Desk", Node, Path], Any]
Placed = tuple[T, Node, Path]
"""A value, the node it came from and where that stands."""
Reader = Callable[["Desk", Node, Path], Iterable[tuple[object, T]]]
"""From an item of a list to its values, each with what makes it one."""

MOST_PORTS: Final = 20_000
NEUTRAL: Final[tuple[object, ...]] = (False, 0, "", [], {})
RECORDS: Final[dict[str, dict[str, str]]] = {"services": FORMS, **TABLES["records"]}
"""The form of each field of a service, of its build, of a network … by their names."""
KINDS: Final = {form: frozenset(kinds.split("|")) for form, kinds in TABLES["kinds"].items()}
KEPT: Final = {record: frozenset(names) for record, names in TABLES["kept"].items()}
FORBIDDEN: Final = {"services": frozenset(LISTS["forbidden"]), "build": frozenset(LISTS["forbidden_in_build"])}
LARGEST: Final = 2.0**128
OWN_LABELS: Final = ("io.balena.", "io.resin.")


@dataclass(slots=True)
class Desk:
    """Where one reading is decoded: its notes, and the environment of the machine that parses (C-27)."""

    note: Notes
    env: Mapping[str, str] = field(default_factory=dict)
    ports: int = 0  # so many came out of ranges

    def attempt(self, read: Callable[..., T], node: Node, path: Path, *given: object, stage: int = 17) -> T | None:
        """What *read* makes of the text, or of what is *given*; None and an error when it is unreadable."""
        try:
            return read(*(given or (scalar_text(node),)))
        except Unreadable as bad:
            self.note.say("unreadable-text", node, path, stage=stage, rule=bad.rule, message=str(bad), help=bad.help)
            return None


def decoded(desk: Desk, form: str, node: Node, path: Path) -> Any:
    """A value by its form; None when it is of a kind that the form does not take, as the schema has said."""
    return DECODERS[form](desk, node, path) if node.kind in KINDS.get(form, (node.kind,)) else None


def record(desk: Desk, kind: str, node: Node, path: Path) -> Plain:
    """Every field that is left of a service, a build, a network …, each by its form; neutral ones vanish (C-5)."""
    found: Plain = {}
    for key, value in node.value.items() if node.kind == "map" else ():
        here, form = (*path, key), RECORDS[kind].get(key, "folded")
        if key.startswith("x-"):
            extension(desk, node, key, here)
        elif form != "folded":
            left = decoded(desk, form, value, here)
            if left in NEUTRAL and key not in KEPT.get(kind, ()):
                change = (value.plain(), None)
                if key == "tty" or key in FORBIDDEN.get(kind, ()):
                    code = "tty-stays-on" if key == "tty" else "neutral-value-removed"
                    desk.note.say(code, value, here, change=change, name=".".join(map(str, here[2:])))
                else:
                    desk.note.change(here, *change, "C-5", value)
            elif left is not None:
                found[key] = left
    return found


def extension(desk: Desk, node: Node, key: str, path: Path) -> None:
    """An `x-` key: read, interpolated, gone (C-20). At the top it is where people keep anchors."""
    at, change = node.key_span(key), (node.value[key].plain(), None)
    if len(path) > 1:
        desk.note.say("extension-removed", at, path, change=change, name=key)
    else:
        desk.note.change(path, *change, "C-20", at)


# ── plain values ───────────────────────────────────────────────────────────────────────────────────


def plain(_desk: Desk, node: Node, _path: Path) -> Any:
    """A text or a boolean, as it is (C-66, C-71)."""
    return node.value


def switch(desk: Desk, node: Node, path: Path) -> bool | None:
    """A boolean with three states: true, false, absent (C-5)."""
    word = cast(node.value, "bool") if node.kind == "str" else node.value
    if word is None:
        desk.note.say("not-a-boolean", node, path, value=node.value)
    return word if isinstance(word, bool) else None


def integer(_desk: Desk, node: Node, _path: Path) -> int:
    """A whole number; a fraction is cut off (C-64)."""
    whole = int(node.value) if abs(node.value) < 2**63 else -(2**63)
    return whole if abs(whole) < 2**53 else int(Decimal(repr(float(whole))))  # as JavaScript prints it


def decimal(desk: Desk, node: Node, path: Path) -> float | int | None:
    """A number of single precision (C-64)."""
    if not abs(node.value) < LARGEST:
        desk.note.say("number-too-large", node, path, name=path[-1])
        return None
    near = forms.single(float(node.value))
    return int(near) if near.is_integer() else near


def size(desk: Desk, node: Node, path: Path) -> str | None:
    """A size as the text of its bytes; an unquoted fraction vanishes (C-62)."""
    if node.kind == "float":
        value = number_text(node.value)
        desk.note.say("size-vanishes", node, path, change=(node.value, None), name=path[-1], value=value)
        return None
    found = desk.attempt(forms.parse_size, node, path) if node.kind == "str" else node.value
    return None if not isinstance(found, int) else str(found) if found else ""


def duration(desk: Desk, node: Node, path: Path) -> str | None:
    """A duration in its long form (C-63)."""
    found = desk.attempt(forms.parse_duration, node, path)
    return None if found is None else forms.duration_text(found)


def texts(desk: Desk, node: Node, path: Path) -> list[str]:
    """A list of texts; a single text is a list of one, a number becomes text (C-68, C-69)."""
    items = [node] if node.kind == "str" else node.value
    for index, item in enumerate(items if path[-1] in ("expose", "group_add") else ()):
        if item.kind == "float":  # both take numbers, and no fractions
            desk.note.say("fraction", item, (*path, index), stage=8 if path[-1] == "expose" else 17, name=path[-1])
    found = [scalar_text(item) for item in items if item.kind in ("str", "int", "float")]
    return [item for item in found if item] if path[-1] == "dns" else found


def verbatim(desk: Desk, node: Node, path: Path) -> Any:
    """A value that is kept as it is, without `x-` keys (C-44, C-47)."""
    if path[-1] == "models" and node.kind == "list":
        return dict.fromkeys(texts(desk, node, path))
    found = _without_extensions(node)
    for key, value in node.entries("options").items() if path[-1] == "provider" else ():
        found["options"][key] = decoded(desk, "texts", value, (*path, key)) or [scalar_text(value)]
    return found


def _without_extensions(node: Node) -> Any:
    if node.kind == "map":
        return {key: _without_extensions(v) for key, v in node.value.items() if not key.startswith("x-")}
    return [_without_extensions(item) for item in node.value] if node.kind == "list" else node.value


# ── mappings of texts (C-11, C-54, C-69, C-88) ─────────────────────────────────────────────────────


def entries(desk: Desk, node: Node, path: Path) -> dict[str, tuple[str | None, Node, Path]]:
    """A mapping, or a list of `KEY=VALUE`, as texts with their places; None is "no value given"."""
    found: dict[str, tuple[str | None, Node, Path]] = {}
    if node.kind == "map":
        scalars = {key: value for key, value in node.value.items() if value.kind not in ("map", "list", "time")}
        extra = [f"{key}:{scalar_text(scalars.pop(key))}" for key in sorted(scalars) if key.startswith("x-")]
        for key, value in scalars.items():
            found[key] = (None if value.kind == "null" else scalar_text(value), value, (*path, key))
            _number_became_text(desk, value, (*path, key))
        if extra:  # balena's engine gathers them and prints them as one text
            found["#extensions"] = (f"map[{' '.join(extra)}]", node, path)
    elif node.kind == "list":
        for index, item in enumerate(node.value):
            if item.kind == "str":
                key, equals, value = item.value.partition("=")
                found[key] = (value if equals else None, item, (*path, index))
    return found


def _number_became_text(desk: Desk, node: Node, path: Path) -> None:
    """Tell of a number whose text is not what was written (C-11, C-13)."""
    if node.kind not in ("int", "float"):
        return
    after, width = number_text(node.value), node.span.width
    if len(after) != width:
        octal = node.kind == "int" and node.value >= 0 and width == len(f"{node.value:o}") + 1
        code = "octal-number" if octal else "number-becomes-text"
        decimal_zero = node.kind == "float" and width == len(after) + 1 and after.isdigit() and set(after) & {"8", "9"}
        rule = "C-13" if decimal_zero else ""  # `089` is no octal number
        desk.note.say(code, node, path, rule=rule, change=(node.value, after), name=path[-1], value=after)


def pairs(desk: Desk, node: Node, path: Path) -> dict[str, str]:
    """A mapping of texts; no value is the empty text (C-69, C-88)."""
    found = entries(desk, node, path)
    for key, (value, at, place) in found.items():
        if value is None and path[-1] == "labels" and key.startswith(OWN_LABELS):
            desk.note.say("label-without-value", at, place, change=(at.plain(), ""), name=key,
                          pair=key.replace(": ", "=", 1) if ": " in key else f"{key}=1")  # fmt: skip
    return {key: value or "" for key, (value, _at, _place) in found.items()}


def variables(desk: Desk, node: Node, path: Path) -> dict[str, str]:
    """Variables; one without a value copies that of the parsing machine (C-31, C-54). A build argument that it does
    not have is dropped, a variable of the service becomes empty (C-75)."""
    found: dict[str, str] = {}
    what, missing = ("argument", "dropped") if path[-1] == "args" else ("variable", "empty")
    for key, (value, at, place) in entries(desk, node, path).items():
        if value is None:
            value = desk.env.get(key, None if what == "argument" else "")
            code = f"{what}-{'copied' if key in desk.env else missing}"
            desk.note.say(code, at, place, change=(at.plain(), value), name=key)
        elif node.kind == "list" and key != key.rstrip() and what == "variable":
            desk.note.say("space-in-name", at, place, name=key)
        if value is not None:
            found[key] = value
    return found


def bare_variables(desk: Desk, node: Node, path: Path) -> dict[str, str | None]:
    """Variables of a hook; one without a value has none (C-46)."""
    return {key: value for key, (value, _at, _place) in entries(desk, node, path).items()}


# ── commands, hosts, limits, health ────────────────────────────────────────────────────────────────


def command(desk: Desk, node: Node, path: Path) -> list[str] | None:
    """A command as a list of words (C-48)."""
    if node.kind == "list":
        return [item.value for item in node.value if item.kind == "str"]
    split = desk.attempt(forms.split_command, node, path)
    if split is None:
        return None
    words = list(split.words)
    if split.lost:
        left = f"only `{' '.join(words)}`" if words else "an empty command, which clears the image's,"
        desk.note.say("command-cut", node, path, change=(node.value, words), lost=split.lost, left=left)
    return words


def hooks(desk: Desk, node: Node, path: Path) -> list[Plain]:
    """Commands to run after the start or before the stop (C-46)."""
    return [{"command": None} | record(desk, "hook", item, (*path, i)) for i, item in enumerate(node.value)]


def hosts(desk: Desk, node: Node, path: Path) -> list[str] | None:
    """Extra hosts as a sorted list of `host:address` (C-67)."""
    if not node.value:
        return None
    known: dict[str, list[str]] = {}
    for host, item in node.items():
        addresses = [scalar_text(each) for each in (item.value if item.kind == "list" else [item])]
        read, given = (forms.host_entry, (host, addresses)) if isinstance(host, str) else (forms.parse_host, ())
        if (found := desk.attempt(read, item, path, *given)) is not None:
            known.setdefault(found[0], []).extend(found[1])
    return sorted(f"{host}:{address}" for host, addresses in known.items() for address in addresses)


def limits(desk: Desk, node: Node, path: Path) -> Plain:
    """Limits of the kernel; 0 becomes an empty mapping (C-60)."""
    own = {key: value for key, value in node.value.items() if not key.startswith("x-")}
    found: Plain = {"#extensions": {}} if len(own) < len(node.value) else {}
    for key, value in own.items():
        parts = {n: part for n in ("soft", "hard") if (part := value.get(n))} if value.kind == "map" else {"": value}
        numbers = {n: part.value for n, part in parts.items() if part.kind == "int"}
        if any(part.kind == "float" for part in parts.values()):
            desk.note.say("fraction", value, (*path, key), rule="C-60", name=key)
            continue
        left = {n: number for n, number in numbers.items() if number}
        found[key] = left.get("", left)
        if len(left) < len(numbers):
            desk.note.say("limit-without-number", value, (*path, key), change=(value.plain(), left), name=key)
    return found


def health(desk: Desk, node: Node, path: Path) -> Plain:
    """A health check (C-61)."""
    found = record(desk, "health", node, path)
    if (test := node.get("test")) is not None and test.kind == "str":
        found["test"] = ["CMD-SHELL", test.value]
    return found


# ── ports, mounts, devices ─────────────────────────────────────────────────────────────────────────


def _listed(read: Reader[T], what: str, desk: Desk, node: Node, path: Path) -> list[Placed[T]]:
    """The values of a list by what makes them one; the later of two takes the place of the earlier (C-35)."""
    found: dict[object, Placed[T]] = {}
    for index, item in enumerate(node.value):
        here = (*path, index)
        for key, value in read(desk, item, here):
            if key in found:  # the earlier one is gone without a word (C-35)
                _value, at, place = found[key]
                desk.note.say("replaced", at, place, change=(at.plain(), None), what=what)
            found[key] = (value, item, here)
    return list(found.values())


def _ports(desk: Desk, item: Node, path: Path) -> Iterator[tuple[object, PortSpec]]:
    """Ports in their long form; equal ones collapse (C-35, C-49)."""
    specs: list[PortSpec] = []
    if desk.ports > MOST_PORTS:
        desk.note.say("too-many-ports", item, path, most=MOST_PORTS)
    elif item.kind == "str":
        specs = desk.attempt(forms.parse_ports, item, path, stage=11) or []
        desk.ports += len(specs)
    elif item.kind == "float":
        desk.note.say("port-fraction", item, path)
    elif item.kind in ("int", "map"):
        specs = [PortSpec(target=item.value) if item.kind == "int" else _long_port(desk, item, path)]
    for spec in specs:
        if not 0 <= (spec.target or 0) < (2**32 if item.kind == "map" else 2**16):
            desk.note.say("port-out-of-range", item, path, value=spec.target)
        if spec.target is None or not (spec.target or item.kind == "map"):
            desk.note.say("missing-target", item, path, stage=12, what="port")
            continue
        if item.kind == "map" and spec.host_ip is not None and not forms.is_address(spec.host_ip):
            desk.note.say("port-address", item.value["host_ip"], (*path, "host_ip"), value=spec.host_ip)
        yield spec.identity, spec


def _long_port(desk: Desk, item: Node, path: Path) -> PortSpec:
    body: Plain = {key: scalar_text(each) for key, each in item.value.items() if each.kind in ("str", "int", "float")}
    target, numeric = item.get("target"), "published" in body and item.value["published"].kind != "str"
    number = integer(desk, target, path) if target is not None and target.kind in ("int", "float") else None
    names = body.keys() & {"host_ip", "published", "protocol", "mode", "name", "app_protocol"}
    return PortSpec(target=number, numeric=numeric, **{name: body[name] for name in names})


def _mounts(desk: Desk, item: Node, path: Path) -> Iterator[tuple[object, MountSpec]]:
    """Mounts in their long form; the later of two with one target wins (C-35, C-51)."""
    spec = desk.attempt(forms.parse_mount, item, path, stage=8) if item.kind == "str" else _long_mount(desk, item, path)
    if spec is not None:
        yield spec.target, spec
        change = (item.plain(), f"{spec.source}:{spec.target}")
        for word in spec.lost:
            desk.note.say("mount-word-dropped", item, path, change=change, word=word, value=item.value)


def _long_mount(desk: Desk, item: Node, path: Path) -> MountSpec | None:
    kind, source, target = (scalar_text(item.get(key)) for key in ("type", "source", "target"))
    if item.get("target") is None:
        if item.kind == "map":
            desk.note.say("missing-target", item, path, rule="C-51", what="mount")
        return None
    if kind == "bind" and not source:
        desk.note.say("missing-source", item, path)
    for key in item.value:
        if key.startswith("x-"):
            extension(desk, item, key, (*path, key))
    own = item.entries(kind) if kind in ("volume", "tmpfs") else {}
    options = tuple(
        key for key, each in own.items() if not key.startswith("x-") and _without_extensions(each) not in NEUTRAL
    )
    read_only = (found := item.get("read_only")) is not None and found.value is True
    return MountSpec(type=kind, source=source, target=target, read_only=read_only, options=options)


def _devices(desk: Desk, item: Node, path: Path) -> Iterator[tuple[object, DeviceSpec]]:
    """Devices in their long form (C-58)."""
    spec = desk.attempt(forms.parse_device, item, path, stage=11) if item.kind == "str" else None
    if item.kind == "map" and item.get("target") is None:
        desk.note.say("missing-target", item, path, rule="C-58", what="device")
    elif item.kind == "map":
        spec = DeviceSpec(*(scalar_text(item.get(key)) for key in ("source", "target", "permissions")))
        if not spec.permissions:
            desk.note.say("device-undefined", item, path, change=(item.plain(), str(spec)))
    if spec is not None:
        yield spec.target, spec


# ── dependencies, networks, build ──────────────────────────────────────────────────────────────────


def dependencies(desk: Desk, node: Node, path: Path) -> Plain:
    """Dependencies in their long form (C-55)."""
    if node.kind == "list":
        names = [item.value for item in node.value if item.kind == "str"]
        return {name: {"condition": "service_started", "required": True} for name in names}
    bodies = {name: body for name, body in node.value.items() if body.kind == "map"}
    for name, body in bodies.items():
        if (restart := body.get("restart")) is not None:
            decoded(desk, "switch", restart, (*path, name, "restart"))
    return {name: {"required": True} | _without_extensions(body) for name, body in bodies.items()}


def attachments(desk: Desk, node: Node, path: Path) -> dict[str, Plain | None]:
    """The networks of a service with what is said about each (C-57)."""
    if node.kind == "list":
        return {item.value: None for item in node.value if item.kind == "str"}
    bodies = node.value.items()
    return {n: record(desk, "attachment", body, (*path, n)) if body.kind == "map" else None for n, body in bodies}


def build(desk: Desk, node: Node, path: Path) -> Plain:
    """How the image is built (C-72, C-74, C-75)."""
    return {"context": node.value} if node.kind == "str" else record(desk, "build", node, path)


def section(desk: Desk, kind: str, name: str, node: Node) -> Plain:
    """A service, network or volume in the shape that balena's engine prints; a custom name is gone (C-81, C-83)."""
    path, own = (kind, name), node.get("name")
    if own is not None and kind != "services":
        inner = node.at(("external", "name"))
        if inner is not None and own.value != inner.value:
            desk.note.say("names-conflict", inner, (*path, "external", "name"))
        change = (own.plain(), None)
        desk.note.say("custom-name-removed", own, (*path, "name"), change=change, value=own.value, name=name)
    return ({"ipam": {}} if kind == "networks" else {}) | record(desk, kind, node, path)


def addresses(desk: Desk, node: Node, path: Path) -> Plain:
    """How a network gives addresses; its options are lost (C-83)."""
    if (options := node.get("options")) is not None:
        desk.note.say("ipam-options-lost", options, (*path, "options"), change=(options.plain(), None))
    return record(desk, "ipam", node, path)


def pools(_desk: Desk, node: Node, _path: Path) -> list[Plain]:
    """The address ranges of a network (C-83)."""
    found = (_without_extensions(pool) for pool in node.value if pool.kind == "map")
    return [{key: value for key, value in pool.items() if value} for pool in found]


def word(_desk: Desk, node: Node, _path: Path) -> str:
    """A text or a boolean, as text (C-76)."""
    return scalar_text(node)


def outside(_desk: Desk, node: Node, _path: Path) -> bool:
    """`external`, which may be a mapping with a name (C-82, C-86)."""
    return node.kind == "map" or node.value is True


DECODERS: Final[Mapping[str, Decoder]] = {
    decoder.__name__: decoder
    for decoder in (
        plain, switch, integer, decimal, size, duration, texts, verbatim, pairs, variables, bare_variables, command,
        hooks, hosts, limits, health, dependencies, attachments, build, addresses, pools, word, outside,
    )
} | {
    "text": plain, "flag": plain, "ports": partial(_listed, _ports, "port"),
    "mounts": partial(_listed, _mounts, "target"), "devices": partial(_listed, _devices, "target"),
}  # fmt: skip
