"""The vanishing list: what was written, what balena keeps of it, what the device runs.

One row for each line that says something, in the order of the file. Nothing is decided here: the changes come
from the reading, the silences of the device from `check_device`, and the rest is a comparison of values.

>>> from kit.reader import read
>>> rows = vanishing(read("services: {web: {image: nginx, restart: 'on-failure:3', expose: ['80']}}"))
>>> print(as_text(rows))
image: nginx           = kept                     = nginx
restart: on-failure:3  = kept                     > always
expose: 80             x removed, with a warning  x nothing
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from .container import FEATURE_TABLE, container, is_true
from .diagnostics import Diagnostic, Path, Severity, Span
from .reader import Change, Reading
from .reader.forms import parse_mount, scalar_text
from .reader.release import BINDS, FEATURES
from .rules import check
from .source import Node

State = Literal["same", "changed", "gone", "refused"]
MARKS: Final[dict[State, str]] = {"same": "=", "changed": ">", "gone": "x", "refused": "!"}
BY_ITEM: Final = frozenset({"volumes", "ports", "devices", "labels", "environment", "tmpfs"})
MISSING: Final = object()
SILENT: Final = "removed, and nobody is told"
DEVICE: Final[dict[str, tuple[State, str]]] = {
    # what a finding of the device means for the line it belongs to
    "restart-unknown": ("changed", "always"),
    "unknown-strategy": ("changed", "download-then-kill"),
    "bad-timeout": ("changed", "60000"),
    "label-overwritten": ("changed", "the supervisor's own value"),
    "size-unread": ("changed", "no limit"),
    "grace-cut": ("changed", "whole seconds"),
    "tmpfs-options": ("changed", "all of it is the path"),
    "feature-off": ("gone", "off"),
    "image-command-kept": ("changed", "with the image's CMD"),
    "health-ignored": ("changed", "in part"),
    "network-order": ("changed", "by the alphabet"),
    "port-shared": ("changed", "the second one fails"),
    "subnet-without-gateway": ("gone", "nothing"),
    "build-label-opens": ("changed", "part of the image"),
}
SAYS: Final[dict[str, str]] = {"depends_on": "order of first starts", "build": "an image"}


@dataclass(frozen=True, slots=True)
class Cell:
    """What is left in one place, and why."""

    state: State
    text: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the file: `runs` is None when no device ever sees the release."""

    path: Path
    written: str
    keeps: Cell
    runs: Cell | None
    span: Span
    rules: tuple[str, ...] = ()

    @property
    def arrives(self) -> bool:
        """True when the line does on the device what it says."""
        return self.keeps.state == "same" and self.runs is not None and self.runs.state == "same"


def vanishing(reading: Reading, service: str = "") -> tuple[Row, ...]:
    """The rows of a reading, or of one service of it."""
    if reading.tree is None:
        return ()
    findings = check(reading)
    services = reading.tree.get("services")
    rows = []
    for name, node in services.value.items() if services is not None and services.kind == "map" else ():
        if service in ("", name) and node.kind == "map":
            form = (reading.normal or {}).get("services", {}).get(name, {})
            body = container(form, name=name).body if form else {}
            rows += [_row(reading, form, body, findings, path, key, value) for path, key, value in _lines(name, node)]
    if not service:
        rows += [
            _elsewhere(reading, c)
            for c in reading.changes
            if c.path and c.path[0] != "services" and c.before != c.after
        ]
    return tuple(sorted(rows, key=lambda row: (row.span.name, row.span.line, row.span.column)))


def as_text(rows: tuple[Row, ...]) -> str:
    """The list for a terminal: `=` as written, `>` changed, `x` gone, `!` refused."""
    cells = [(row.written, _shown(row.keeps), _shown(row.runs)) for row in rows]
    first, second = (max((len(cell[n]) for cell in cells), default=0) for n in (0, 1))
    return "\n".join(f"{a:<{first}}  {b:<{second}}  {c}".rstrip() for a, b, c in cells)


def as_data(rows: tuple[Row, ...]) -> list[dict[str, Any]]:
    """The list as plain values, for JSON."""
    return [
        {
            "path": list(row.path), "written": row.written, "line": row.span.line, "rules": list(row.rules),
            "keeps": {"state": row.keeps.state, "text": row.keeps.text, "note": row.keeps.note},
            "runs": row.runs and {"state": row.runs.state, "text": row.runs.text, "note": row.runs.note},
        }
        for row in rows
    ]  # fmt: skip


def _shown(cell: Cell | None) -> str:
    return "" if cell is None else f"{MARKS[cell.state]} {cell.text}"


def _lines(name: str, node: Node) -> Iterator[tuple[Path, str, Node]]:
    """Every line of a service: one for each key, or for each item where items have a life of their own."""
    for key, value in node.value.items():
        path: Path = ("services", name, key)
        items = value.value if key in BY_ITEM and value.kind in ("map", "list") else None
        if isinstance(items, dict):
            yield from (((*path, inner), key, item) for inner, item in items.items())
        elif items is not None:
            yield from (((*path, index), key, item) for index, item in enumerate(items))
        else:
            yield path, key, value


def _row(
    reading: Reading, form: Mapping[str, Any], body: Mapping[str, Any], findings: tuple[Diagnostic, ...],
    path: Path, key: str, value: Node,
) -> Row:  # fmt: skip
    label = str(path[-1]) if isinstance(path[-1], str) else _text(value.plain()).partition("=")[0]
    named: Path = (*path[:-1], label) if len(path) > 3 else path
    near = [f for f in findings if f.path[: len(path)] == path or f.path[: len(named)] == named]
    keeps = _keeps(reading, form, near, path, key, label, value)
    alive = reading.ok and keeps.state != "refused"
    runs = _runs(form, body, near, keeps, key, label, value) if alive else None
    inner = f"{label}: " if len(path) > 3 and isinstance(path[-1], str) else ""
    numbers = [f.rule for f in near] + [c.rule for c in reading.changes if c.path[: len(path)] == path]
    rules = tuple(number for number in dict.fromkeys(numbers) if number)
    return Row(
        path=path, written=f"{key}: {inner}{_text(value.plain())}", keeps=keeps, runs=runs, span=value.span, rules=rules
    )


def _keeps(
    reading: Reading, form: Mapping[str, Any], near: list[Diagnostic], path: Path, key: str, label: str, value: Node
) -> Cell:
    """What the normal form says of a line."""
    error = next((found for found in near if found.severity is Severity.ERROR), None)
    if error is not None:
        return Cell("refused", "the release is refused", error.message)
    change = next(
        (c for c in reading.changes if c.path == path and c.before != c.after and c.severity is not Severity.IGNORED),
        None,
    )
    if change is not None and change.after is None:
        told = change.severity is Severity.WARNING
        return Cell("gone", "removed, with a warning" if told else SILENT, change.message)
    if change is not None:
        return Cell("changed", _text(change.after), change.message)
    kept = form.get(key, MISSING)
    written = value.plain()
    if not reading.ok:
        return Cell("same", "kept")
    if len(path) > 3 and isinstance(kept, dict):
        kept, written = (
            kept.get(label, MISSING),
            scalar_text(value).partition("=")[2] if isinstance(path[-1], int) else scalar_text(value),
        )
    elif len(path) > 3 and isinstance(kept, list) and isinstance(path[-1], int):
        kept = written if written in kept else kept[path[-1]] if path[-1] < len(kept) else MISSING
    if kept is MISSING:
        return Cell("gone", SILENT)
    return Cell("same", "kept") if _text(kept) == _text(written) else Cell("changed", _text(kept))


def _runs(
    form: Mapping[str, Any],
    body: Mapping[str, Any],
    near: list[Diagnostic],
    keeps: Cell,
    key: str,
    label: str,
    value: Node,
) -> Cell:
    """What the device does with a line."""
    for found in near:
        if found.severity is Severity.REFUSED:
            return Cell("refused", "the device refuses it", found.message)
        if found.severity is Severity.IGNORED:
            state, text = DEVICE.get(found.code, ("gone", "nothing"))
            return Cell(state, text, found.message)
    feature = label.removeprefix(FEATURES)
    if key == "container_name":
        return Cell("changed", str(body.get("name", "")), "named by the supervisor")
    if key == "tty" and keeps.state == "gone":
        return Cell("changed", "true", "a terminal cannot be turned off")
    if key == "volumes":
        source = (
            parse_mount(value.value).source if value.kind == "str" else str((value.plain() or {}).get("source", ""))
        )
        if source in BINDS:
            binds = FEATURE_TABLE[BINDS[source]].get("binds") or FEATURE_TABLE[BINDS[source]].get("sockets", [""])
            return Cell("changed", str(binds[0]).split(":")[-1], "not where it was written")
    if (
        key == "labels"
        and feature != label
        and feature in FEATURE_TABLE
        and is_true((form.get("labels") or {}).get(label))
    ):
        return Cell("same", FEATURE_TABLE[feature]["opens"])
    if keeps.state == "gone":
        return Cell("gone", "nothing")
    if key == "ports" and ":" not in scalar_text(value) if value.kind in ("str", "int") else False:
        return Cell(
            "changed", f"host port {scalar_text(value).partition('/')[0]}", "the same port of the device is published"
        )
    return Cell(keeps.state, SAYS.get(key, _text(value.plain())) if keeps.state == "same" else keeps.text)


def _elsewhere(reading: Reading, change: Change) -> Row:
    """A line outside the services that is gone or different."""
    gone = change.after is None
    keeps = Cell("gone", SILENT, change.message) if gone else Cell("changed", _text(change.after), change.message)
    runs = (Cell("gone", "nothing") if gone else keeps) if reading.ok else None
    written = f"{'.'.join(map(str, change.path))}: {_text(change.before)}".rstrip(": ")
    return Row(path=change.path, written=written, keeps=keeps, runs=runs, span=change.span, rules=(change.rule,))


def _text(value: object) -> str:
    """A value on one line, as YAML people write it."""
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case dict():
            return ", ".join(f"{key}: {_text(inner)}".rstrip() for key, inner in value.items())
        case list() | tuple():
            return ", ".join(_text(item) for item in value)
    return str(value) if value != "" else '""'
