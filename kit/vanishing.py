"""The vanishing list: what was written, what balena keeps of it, and what the device uses.

Theory of operation
-------------------
A row is one setting: a field of a service, one entry of a list such as `volumes`, one key of a mapping such as
`labels`. Rows come in file order. The middle of a row is told by the changes that reading noted and by its errors,
the end by what is found about the device and by the container that it would create. Nothing is decided here; the
short words for it lie in `vanishing.json`: fields whose entries have rows of their own (`split`), what the device
uses in place of a value (`at_device`, by the code of a finding; `refused` stands for all that refuse), what it does
with a text that is kept and has no effect (`no_effect`, by the rule of the change), what it uses where a field is
gone (`instead`), and what it makes of one that arrives (`used`).

A release with an error arrives nowhere. Its other rows say what becomes of them once the error is mended.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, Literal, NamedTuple

from .container import FEATURE_TABLE, check_device, is_true
from .diagnostics import Diagnostic, Path, Severity, Span, beside, printable
from .reader import Change, Reading
from .reader.notes import FALSE_ALARM, Notes
from .reader.release import FEATURES, release
from .rules import written_ports
from .source import Node

Mark = Literal["=", "changed", "gone", "refused", ""]
End = tuple[str, Mark]
WIDEST: Final = 200
"""Characters of a value that are shown."""
BREAK: Final = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
"""Where YAML begins a new line."""
_WORDS: Final[Mapping[str, Any]] = beside(__file__)
_NOTHING: Final[End] = ("nothing", "gone")


class Row(NamedTuple):
    """One setting on its way. A mark is `=` (as before), `changed`, `gone`, `refused`, or empty: nothing follows."""

    path: Path
    span: Span
    written: str
    kept: str
    kept_mark: Mark
    device: str
    device_mark: Mark
    note: str = ""
    rule: str = ""

    @property
    def outcome(self) -> Mark:
        """What became of it in the end: `refused`, `gone`, `changed` or `=`."""
        marks = (self.kept_mark, self.device_mark)
        if "refused" in marks:
            return "refused"
        return "gone" if self.device_mark == "gone" else "=" if marks == ("=", "=") else "changed"


def vanishing(reading: Reading) -> tuple[Row, ...]:
    """The rows of a reading, in file order; none when the text could not be read at all.

    >>> from kit.reader import read
    >>> text = "services: {web: {image: nginx, restart: 'on-failure:3', expose: ['80']}}"
    >>> [(row.written, row.kept, row.device) for row in vanishing(read(text))][1:]
    [("restart: 'on-failure:3'", 'kept', 'always'), ("expose: ['80']", 'removed, with a warning', 'nothing')]
    """
    return tuple(_List(reading, reading.tree).rows()) if reading.tree else ()


def as_json(rows: Iterable[Row]) -> list[dict[str, Any]]:
    """The rows as plain values, ready for `json.dumps`."""
    return [row._asdict() | {"path": [*row.path], "span": row.span._asdict(), "outcome": row.outcome} for row in rows]


def as_text(rows: Iterable[Row]) -> str:
    """The rows for a terminal: what became of each, and below it what is kept and used where that differs."""
    lines = []
    for row in rows:
        device = f"; on the device: {row.device}" if row.device_mark else ""
        lines.append(f"{row.span.line:>5}  {row.outcome:<8} {row.written}")
        lines += [f"{'':16}{row.kept}{device} ({row.rule})"] if row.outcome != "=" else []
    return "\n".join(map(printable, lines))


class _List:
    """The rows of one reading, with everything that was said about each of them at hand."""

    def __init__(self, reading: Reading, tree: Node) -> None:
        self.form: Any = reading.normal or release(tree, Notes()).form
        self.pieces = dict(_pieces(tree))
        self.named = {(*p[:-1], str(n.value).partition("=")[0]): p for p, n in self.pieces.items() if n.kind == "str"}
        self.lines = {name: BREAK.split(text) for name, text in reading.texts.items()}
        self.changes, self.found = defaultdict[Path, list[Change]](list), defaultdict[Path, list[Diagnostic]](list)
        for change in reading.changes:
            self.changes[self.home(change.path)].append(change)
        ports = written_ports(tree, self.form)
        for found in (*reading.findings, *check_device(self.form)):
            path = ports.get(found.path, found.path) if found.code in ("device-port", "port-shared") else found.path
            if found.code != FALSE_ALARM and found.severity not in (Severity.WARNING, Severity.CHANGED):
                self.found[self.home(path)].append(found)

    def rows(self) -> Iterator[Row]:
        """Every setting, then the errors that belong to none of them."""
        for path, node in self.pieces.items():
            changes = self.changes[path]
            replaced = [each for each in changes if each.rule == "C-35" and each.span != node.span]
            # an earlier entry of the same name is no longer in the tree
            yield from (self._row(path, each.span, shown(each.before), [each], []) for each in replaced)
            changes = [each for each in changes if each not in replaced]
            yield self._row(path, node.span, self._typed(node), changes, self.found.get(path, []))
        for path, found in self.found.items():
            homeless = [each for each in found if path not in self.pieces and each.severity is Severity.ERROR]
            yield from (self._row(path, error.span, "", [], [error]) for error in homeless)

    def home(self, path: Path) -> Path:
        """The path of the row that *path* belongs to, or *path* itself."""
        starts = (self.named.get(path[:end], path[:end]) for end in range(len(path), 0, -1))
        return next((start for start in starts if start in self.pieces), path)

    def _row(self, path: Path, span: Span, typed: str, changes: list[Change], found: list[Diagnostic]) -> Row:
        """A row with what is kept and what the device uses."""
        written = _setting(path, typed)
        if error := next((each for each in found if each.severity is Severity.ERROR), None):
            return Row(path, span, written, "the release is refused", "refused", "", "", error.message, error.rule)
        kept, device, note, rule = self._kept(path), self._used(path), "", ""
        for change in changes:
            note, rule = change.message or note, change.rule
            if change.before == change.after:
                device = _WORDS["no_effect"].get(rule, device)
            elif change.after is not None:
                kept = (f"{'label ' if rule == 'C-52' else ''}{shown(change.after)}", "changed")
                device = self._used(path, shown(change.after))
            elif len(change.path) > len(path):
                kept, device = (f"without {change.path[-1]}", "changed"), ("as kept", "=")
            else:
                kept = (f"removed{', with a warning' if change.severity is Severity.WARNING else ' silently'}", "gone")
                says, mark = _WORDS["instead"].get(_field(path), _NOTHING)
                device = (says.format(*path[1:2]), mark)
        for each in found if kept[1] != "gone" else ():
            code = "refused" if each.severity is Severity.REFUSED else each.code
            says, mark = _WORDS["at_device"].get(code, _NOTHING)
            device, note, rule = (says.format(port=_port(self.pieces[path])), mark), each.message, each.rule
        return Row(path, span, written, *kept, *device, note, rule)

    def _kept(self, path: Path) -> End:
        """A text that arrives, perhaps in another form: `90s` as `1m30s` (C-63)."""
        value, typed = self.form, self.pieces[path].value
        for key in path:
            value = value.get(key) if isinstance(value, dict) else None
        differs = isinstance(value, str | list) and isinstance(typed, str) and value != typed
        return (f"kept as {shown(value)}" if differs else "kept", "=")

    def _used(self, path: Path, kept: str = "") -> End:
        """What the device uses of something that arrives: a feature label opens a place of the host (C-89)."""
        typed = f"{'' if isinstance(path[-1], int) else f'{path[-1]}='}{self.pieces[path].value}"
        label, _, value = kept.partition(": ") if kept else typed.partition("=")
        row = FEATURE_TABLE.get(label.removeprefix(FEATURES)) if label.startswith(FEATURES) else None
        if row is None or not is_true(value):
            return ("as kept" if kept else _WORDS["used"].get(_field(path), "as written"), "=")
        places = ", ".join(bind.split(":")[1] for bind in row.get("binds", ()))
        return (places or row["opens"], "changed" if kept else "=")

    def _typed(self, node: Node, depth: int = 0) -> str:
        """A value as it was typed, on one line."""
        if node.kind in ("list", "map"):
            inner = node.items()[: 20 if depth < 3 else 0]
            parts = [f"{key}: " * (node.kind == "map") + self._typed(value, depth + 1) for key, value in inner]
            text = ", ".join(parts + ["…"] * (len(inner) < len(node.value)))
            return _short(f"{{{text}}}" if node.kind == "map" else f"[{text}]")
        line = "".join(self.lines.get(node.span.name, [])[node.span.line - 1 : node.span.line])
        typed = line[node.span.column - 1 : node.span.column - 1 + node.span.width]
        whole = node.span.width > 1 or len(str(node.value)) == 1  # a block of lines has no width of its own
        return "" if node.value is None else _short(typed) if typed and whole else shown(node.value)


def _port(node: Node) -> str:
    """The port where only the container's own is written: `80`, `80/udp`, `{target: 80}`."""
    written = node.get("target") if node.kind == "map" else node
    return str(written.value).partition("/")[0] if written else ""


def _pieces(node: Node, path: Path = ()) -> Iterator[tuple[Path, Node]]:
    """The settings of a tree, in file order."""
    named = not path or (len(path) < 3 and path[0] in ("services", "networks", "volumes"))
    inner = node.items() if named or (len(path) == 3 and path[2] in _WORDS["split"]) else []
    if path and not inner:
        yield path, node
    for key, value in inner:
        yield from _pieces(value, (*path, key))


def _field(path: Path) -> str:
    """The name of the service's field that *path* is; empty for anything else."""
    return str(path[2]) if len(path) == 3 and path[0] == "services" else ""


def _setting(path: Path, typed: str) -> str:
    """A setting as people write it; the name of a service stands above its rows.

    >>> _setting(("services", "web", "labels", "a"), '"1"'), _setting(("networks", "lan"), "")
    ('labels: a: "1"', 'networks: lan:')
    """
    names = [str(key) for key in (path[2:] or path[1:] if path[:1] == ("services",) else path) if isinstance(key, str)]
    return f"{': '.join(names)}: {typed}".rstrip()


def shown(value: object) -> str:
    """A value on one line.

    >>> shown(True), shown(["a", 1]), shown("x"), shown("")
    ('true', '["a", 1]', 'x', '""')
    """
    return _short(value if value and isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str))


def _short(text: str) -> str:
    text = text.replace("\n", " ")
    return text if len(text) <= WIDEST else f"{text[: WIDEST - 1]}…"
