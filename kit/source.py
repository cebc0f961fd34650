"""YAML text as a tree that knows its places.

Theory of operation
-------------------
A YAML parser turns the text into events (libyaml's parser when PyYAML was built with it, PyYAML's own
otherwise; `test_source` holds both to the same tree), and `parse` turns the events into `Node`s. Tags
construct nothing. What an unquoted scalar means is decided here, by the dialect of go-yaml v3 (C-9).

An alias shares the node of its anchor. `ALIASED` bounds the number of nodes that all aliases stand for,
`DEEPEST` the nesting, `LONGEST` the text: whatever walks a tree afterwards is bounded, too (C-6).
"""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal

import yaml
from yaml.error import MarkedYAMLError, YAMLError
from yaml.parser import Parser
from yaml.reader import Reader
from yaml.scanner import Scanner

from .diagnostics import Diagnostic, Path, Severity, Span

_Fast: Any
try:
    from yaml.cyaml import CParser as _Fast  # type: ignore[attr-defined]
except ImportError:  # PyYAML without libyaml, as in a browser
    _Fast = None

Kind = Literal["null", "bool", "int", "float", "str", "time", "list", "map"]
At = tuple[str, int, int, int]
ALIASED: Final = 30_000
DEEPEST: Final = 100
LONGEST: Final = 32_000_000
MOST_EVENTS: Final = 1_200_000


class Node:
    """A value of a YAML text, and where it stands. Treat it as immutable: aliases share it.

    `value` is None, a bool, int, float or str (also for a `time`, which keeps its text), a list of nodes,
    or a dict of nodes. `quoted` says that a text was quoted or a block. `keys` tells of a mapping where each
    of its keys stands. `mark` is `reset` or `override` where the text has that tag (C-34).
    """

    __slots__ = ("_at", "_keys", "kind", "mark", "quoted", "value")

    def __init__(
        self,
        kind: Kind,
        value: Any,
        span: Span | At,
        quoted: bool = False,
        keys: dict[str, Any] | None = None,
        mark: str = "",
    ) -> None:
        self.kind: Kind = kind
        self.value = value
        self._at: Any = span
        self.quoted = quoted
        self._keys: dict[str, Any] = {} if keys is None else keys
        self.mark = mark

    @property
    def span(self) -> Span:
        """Where the value stands."""
        if type(self._at) is tuple:  # most places are never asked for
            self._at = Span(*self._at)
        return self._at  # type: ignore[no-any-return]

    @property
    def keys(self) -> dict[str, Span]:
        """Where each key of a mapping stands."""
        for key, at in self._keys.items():
            if type(at) is tuple:
                self._keys[key] = Span(*at)
        return self._keys

    def key_span(self, key: str) -> Span:
        """Where one key of a mapping stands; the mapping itself when the key was never written."""
        at = self._keys.get(key)
        return self.span if at is None else Span(*at) if type(at) is tuple else at

    def get(self, key: str) -> Node | None:
        """The value of a key, or None; None also when this is no mapping."""
        return self.value.get(key) if self.kind == "map" else None

    def at(self, path: Path) -> Node | None:
        """The node at a path below this one, or None.

        >>> parse("a: [{b: 5}]", "t").documents[0].at(("a", 0, "b"))
        Node('int', 5)
        """
        node: Node | None = self
        for step in path:
            if node is None:
                return None
            if node.kind == "list" and isinstance(step, int):
                node = node.value[step] if 0 <= step < len(node.value) else None
            else:
                node = node.get(step) if isinstance(step, str) else None
        return node

    def like(self, kind: Kind, value: Any) -> Node:
        """Another value at the same place."""
        return Node(kind, value, self._at, self.quoted, self._keys if kind == "map" else None, self.mark)

    def plain(self) -> Any:
        """The value without places: None, bool, int, float, str, list or dict."""
        if self.kind == "map":
            return {key: node.plain() for key, node in self.value.items()}
        if self.kind == "list":
            return [node.plain() for node in self.value]
        return self.value

    def __repr__(self) -> str:
        return f"Node({self.kind!r}, {self.plain()!r})"


def mapping(like: Node, entries: dict[str, Node], keys: dict[str, Any] | None = None) -> Node:
    """A mapping at the place of *like*, with the places of its keys and of *keys*."""
    return Node("map", entries, like._at, keys=like._keys | keys if keys else like._keys, mark=like.mark)


def key_places(node: Node) -> dict[str, Any]:
    """Where the keys of a mapping stand, in a form to pass on to `Node` and `mapping`."""
    return node._keys


@dataclass(frozen=True, slots=True)
class Parsed:
    """The documents of one text, and what was found. `order` gives (document, stage of C-2) of each finding."""

    documents: tuple[Node, ...]
    findings: tuple[Diagnostic, ...] = ()
    order: tuple[tuple[int, int], ...] = ()


# ── scalars (C-9) ──────────────────────────────────────────────────────────────────────────────────

WORDS: Final[dict[str, tuple[Kind, Any]]] = {
    **dict.fromkeys(("true", "True", "TRUE"), ("bool", True)),
    **dict.fromkeys(("false", "False", "FALSE"), ("bool", False)),
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), ("null", None)),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), ("float", float("inf"))),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), ("float", float("-inf"))),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), ("float", float("nan"))),
}
_INT = re.compile(r"([-+]?)(?:0[xX]([0-9a-fA-F]+)|0[bB]([01]+)|0[oO]?([0-7]+)|([1-9][0-9]*|0))")
_BASES: Final = (16, 2, 8, 10)
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_POINT = re.compile(r"\.[0-9]+(?:_[0-9]+)*(?:[eE][-+]?[0-9]+(?:_[0-9]+)*)?")
_TIME = re.compile(
    r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})"
    r"(?:([Tt ])([0-9]{1,2}):([0-9]{1,2}):([0-9]{1,2})(?:[.,][0-9]+)?(Z|[-+][0-9]{2}:[0-9]{2})?)?"
)
_DAYS: Final = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def resolve(text: str) -> tuple[Kind, Any]:
    """What an unquoted scalar means (C-9).

    >>> resolve("010"), resolve("22:22"), resolve("no"), resolve("1_000.5"), resolve("2024-01-02")
    (('int', 8), ('str', '22:22'), ('str', 'no'), ('float', 1000.5), ('time', '2024-01-02'))
    """
    first = text[:1]
    if first in "0123456789+-" and first:
        if _is_time(text):
            return "time", text
        if text in WORDS:
            return WORDS[text]
        return _number(text.replace("_", "")) or ("str", text)
    if len(text) < 6 and text in WORDS:
        return WORDS[text]
    if first == "." and _POINT.fullmatch(text) and abs(number := float(text)) != float("inf"):
        return "float", number
    return "str", text


def _number(text: str) -> tuple[Kind, Any] | None:
    if len(text) < 80 and (found := _INT.fullmatch(text)):
        digits, base = next((part, base) for part, base in zip(found.groups()[1:], _BASES, strict=True) if part)
        number = int(digits, base) * (-1 if found[1] == "-" else 1)
        if -(2**63) <= number < (2**63 if found[1] else 2**64):
            return "int", number
    if _FLOAT.fullmatch(text) and abs(value := float(text)) != float("inf"):
        return "float", value
    return None


def _is_time(text: str) -> bool:
    found = _TIME.fullmatch(text)
    if not found:
        return False
    year, month, day = int(found[1]), int(found[2]), int(found[3])
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    if not 1 <= month <= 12 or not 1 <= day <= _DAYS[month - 1] or (month, day, leap) == (2, 29, False):
        return False
    if not found[4]:
        return True
    if int(found[5]) > 23 or int(found[6]) > 59 or int(found[7]) > 59:
        return False
    return (found[8] is None) == (found[4] == " ")  # a blank goes without zone, a T with one


# ── events ─────────────────────────────────────────────────────────────────────────────────────────

_BREAKS: Final = "\r\n\x85\u2028\u2029"
_TAB: Final = "found a tab character that violates indentation"


class _Slow(Reader, Scanner, Parser):
    """PyYAML's own parser, brought into line with libyaml and go-yaml: a tab may separate words (C-22)."""

    scan_line_break: Any

    def __init__(self, text: str) -> None:
        Reader.__init__(self, text)
        Scanner.__init__(self)
        Parser.__init__(self)

    def scan_to_next_token(self) -> None:
        if self.index == 0 and self.peek() == "\ufeff":
            self.forward()
        while True:
            blank = " \t" if self.flow_level or not self.allow_simple_key else " "
            while self.peek() in blank:
                self.forward()
            if self.peek() == "#":
                while self.peek() not in "\0" + _BREAKS:
                    self.forward()
            if not self.scan_line_break():
                return
            if not self.flow_level:
                self.allow_simple_key = True

    def scan_block_scalar_indicators(self, _start_mark: Any) -> tuple[bool | None, int | None]:
        chomping: bool | None = None
        increment: int | None = None
        for _turn in "ab":
            if chomping is None and self.peek() in "+-":
                chomping = self.peek() == "+"
            elif increment is None and self.peek() in "123456789":
                increment = int(self.peek())
            else:
                break
            self.forward()
        return chomping, increment

    def scan_block_scalar_ignored_line(self, start_mark: Any) -> None:
        while self.peek() in " \t":
            self.forward()
        super().scan_block_scalar_ignored_line(start_mark)

    def scan_block_scalar_indentation(self) -> Any:
        found = super().scan_block_scalar_indentation()
        if self.peek() == "\t":
            raise self._wrong("while scanning a block scalar", self.get_mark(), _TAB)
        return found

    def scan_block_scalar_breaks(self, indent: int) -> Any:
        found = super().scan_block_scalar_breaks(indent)
        if self.column < indent and self.peek() == "\t":
            raise self._wrong("while scanning a block scalar", self.get_mark(), _TAB)
        return found

    def _wrong(self, context: str, start: Any, problem: str) -> yaml.scanner.ScannerError:
        return yaml.scanner.ScannerError(context, start, problem, self.get_mark())

    def scan_plain_spaces(self, indent: int, start_mark: Any) -> list[str] | None:
        chunks: list[str] = []
        length = 0
        while self.peek(length) in " \t":
            length += 1
        spaces = self.prefix(length)
        self.forward(length)
        if self.peek() not in _BREAKS:
            return [spaces] if spaces else chunks
        line_break: str = self.scan_line_break()
        self.allow_simple_key = True
        if self._at_document_end():
            return None
        breaks = []
        while self.peek() in " \t" + _BREAKS:
            if self.peek() == "\t" and self.column < indent:
                raise self._wrong("while scanning a plain scalar", start_mark, _TAB)
            if self.peek() in " \t":
                self.forward()
            else:
                breaks.append(self.scan_line_break())
                if self._at_document_end():
                    return None
        if line_break != "\n":
            chunks.append(line_break)
        elif not breaks:
            chunks.append(" ")
        return chunks + breaks

    def _at_document_end(self) -> bool:
        return self.prefix(3) in ("---", "...") and self.peek(3) in "\0 \t" + _BREAKS


def events(text: str, fast: bool = True) -> Iterator[Any]:
    """The YAML events of a text. Raises YAMLError."""
    parser = _Fast(text) if fast and _Fast else _Slow(text)
    try:
        while (event := parser.get_event()) is not None:
            yield event
    finally:
        parser.dispose()


# ── the tree ───────────────────────────────────────────────────────────────────────────────────────

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
_CORE: Final = "tag:yaml.org,2002:"
_MARKS: Final = {"!reset": "reset", "!override": "override"}
_QUOTED: Final = ("'", '"', "|", ">")


class _Stop(Exception):  # noqa: N818 - not an error: the finding is already noted
    """Nothing more can be understood."""


class _Open:  # a plain class: a dataclass takes long to make
    """A collection that is still being read."""

    __slots__ = ("anchor", "depth", "key", "merges", "merging", "node", "size")

    def __init__(self, node: Node, anchor: str | None) -> None:
        self.node, self.anchor = node, anchor
        self.size = self.depth = 1
        self.key: str | None = None
        self.merging = False  # the next value belongs to `<<`
        self.merges: tuple[Node, ...] = ()


class _Builder:
    """Builds the documents of one text out of its events."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.documents: list[Node] = []
        self.findings: list[Diagnostic] = []
        self.order: list[tuple[int, int]] = []
        self.stack: list[_Open] = []
        self.anchors: dict[str, tuple[Node | None, int, int]] = {}
        self.aliased = 0

    def found(
        self, code: str, rule: str, message: str, at: At, help: str = "", *, stage: int = 1, kind: str = "ParseError"
    ) -> None:
        steps = (top.key if top.node.kind == "map" else len(top.node.value) for top in self.stack)
        found = Diagnostic(
            code=code, severity=Severity.ERROR, message=message, span=Span(*at), help=help, rule=rule,
            path=tuple(step for step in steps if step is not None), error_class=kind,
        )  # fmt: skip
        self.findings.append(found)
        self.order.append((len(self.documents), stage))

    def place(self, event: Any) -> At:
        start, end = event.start_mark, event.end_mark
        width = end.column - start.column if end.line == start.line else 1
        return (self.name, start.line + 1, start.column + 1, width if width > 0 else 1)

    def build(self, text: str, fast: bool) -> None:
        stack = self.stack
        for number, event in enumerate(events(text, fast)):
            if number > MOST_EVENTS:
                message = f"this text has more than {MOST_EVENTS:,} values"
                self.found("too-many-values", "C-6", message, self.place(event), kind="TimeoutError")
                raise _Stop
            kind = event.__class__
            if kind is yaml.ScalarEvent:
                node = self.scalar(event)
                if event.anchor is not None:
                    self.anchors[event.anchor] = (node, 1, 0)
                if not stack:
                    self.documents.append(node)
                    continue
                top = stack[-1]
                top.size += 1
                if top.node.kind == "list":
                    top.node.value.append(node)
                elif top.key is None:
                    self.key(top, node, event.value, _is_merge(event))
                else:
                    self.put(top, node)
            elif kind is yaml.MappingStartEvent or kind is yaml.SequenceStartEvent:
                is_map = kind is yaml.MappingStartEvent
                start = event.start_mark
                at = (self.name, start.line + 1, start.column + 1, 1)
                mark = _MARKS.get(event.tag or "", "")
                node = Node("map", {}, at, mark=mark) if is_map else Node("list", [], at, mark=mark)
                stack.append(_Open(node, event.anchor))
                if event.anchor is not None:
                    self.anchors[event.anchor] = (None, 0, 0)
                if len(stack) > DEEPEST:
                    self.too_deep(at)
            elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
                self.close(stack.pop())
            elif kind is yaml.AliasEvent:
                self.alias(event)
            elif kind is yaml.DocumentStartEvent:
                self.anchors.clear()

    def close(self, done: _Open) -> None:
        node = done.node
        if done.merges:
            at = node._keys["<<"] if "<<" in node.value else node._keys.pop("<<")
            for other in done.merges:
                self.merge(node, other, at)
        if node.kind == "map" and node._keys:
            first = next(iter(node._keys.values()))
            if first[1:3] == node._at[1:3]:
                node._at = first
        self.attach(node, done.anchor, done.size, done.depth)

    def attach(self, node: Node, anchor: str | None, size: int, depth: int) -> None:
        if anchor is not None:
            self.anchors[anchor] = (node, size, depth)
        if not self.stack:
            self.documents.append(node)
            return
        top = self.stack[-1]
        top.size += size
        top.depth = max(top.depth, depth + (not top.merging))
        if top.node.kind == "list":
            top.node.value.append(node)
        elif top.key is None:
            self.found(
                "unusable-key", "C-18", "a list or mapping cannot be a key", node._at, "write a text as key", stage=2
            )
            top.key = f"?{len(top.node.value)}"
            top.node._keys[top.key] = node._at
        else:
            self.put(top, node)

    def alias(self, event: Any) -> None:
        at = self.place(event)
        if event.anchor not in self.anchors:
            known = ", ".join(f"`&{name}`" for name in self.anchors)
            self.found(
                "unknown-anchor", "C-19", f"`*{event.anchor}` repeats an anchor that stands nowhere above", at,
                f"known here: {known}" if known else f"write `&{event.anchor}` in front of the value to repeat",
            )  # fmt: skip
            raise _Stop
        node, size, depth = self.anchors[event.anchor]
        if node is None:
            self.found("endless-alias", "C-19", f"`*{event.anchor}` stands inside its own anchor", at, "move it out")
            raise _Stop
        self.aliased += size
        if self.aliased > ALIASED:
            self.found(
                "too-many-aliases", "C-6", f"the aliases of this text stand for more than {ALIASED:,} values", at,
                "write out what you need", kind="TimeoutError",
            )  # fmt: skip
            raise _Stop
        if len(self.stack) + depth - 1 > DEEPEST:
            self.too_deep(at)
        if self.stack and self.stack[-1].node.kind == "map" and self.stack[-1].key is None and node.kind == "str":
            self.stack[-1].size += 1
            self.key(self.stack[-1], Node("str", node.value, at), node.value, False)
        else:
            self.attach(node, None, size, depth)

    def too_deep(self, at: At) -> None:
        self.found("nested-too-deep", "C-6", f"this value lies more than {DEEPEST} levels deep", at, "nest less")
        raise _Stop

    def key(self, top: _Open, node: Node, text: str, merge: bool) -> None:
        """Take a scalar as the next key of a mapping (C-17, C-18, C-19)."""
        at, keys = node._at, top.node._keys
        if text in keys:
            rule, help = ("C-19", "merge a list: `<<: [*a, *b]`") if merge else ("C-17", "keep one of the two")
            self.found("repeated-key", rule, f"`{text}` is written twice, first in line {keys[text][1]}", at, help)
        elif node.kind != "str":
            self.found(
                "key-is-no-text", "C-18", f"the key `{text or '(nothing)'}` is no text but {_NAMES[node.kind]}", at,
                f'write "{text}" in quotes', stage=2,
            )  # fmt: skip
        top.key, top.merging = text, merge
        keys[text] = at

    def put(self, top: _Open, node: Node) -> None:
        if top.merging:
            top.merges, top.merging = (*top.merges, node), False
        else:
            top.node.value[top.key] = node
        top.key = None

    def merge(self, node: Node, other: Node, at: At) -> None:
        """`<<`: shallow, what is written wins, and of a list the earlier mapping (C-19)."""
        for part in other.value if other.kind == "list" else [other]:
            if part.kind != "map":
                self.found("unmergeable", "C-19", "`<<` takes a mapping or a list of mappings", at, "name an anchor")
                return
            for key, value in part.value.items():
                if key not in node.value:
                    node.value[key] = value
                    node._keys[key] = part._keys.get(key, at)

    def scalar(self, event: Any) -> Node:
        at = self.place(event)
        text, tag = event.value, event.tag
        quoted = event.style in _QUOTED
        if not text and not quoted and self.stack and self.stack[-1].key is not None:
            at = self.stack[-1].node._keys[self.stack[-1].key]  # what is not there stands where its key stands
        if tag is not None and tag != "!" and tag not in _MARKS:
            return self.tagged(tag[len(_CORE) :] if tag.startswith(_CORE) else "", text, at, quoted)
        if quoted:
            return Node("str", text, at, True, mark=_MARKS.get(tag, ""))
        kind, value = resolve(text)
        return Node(kind, value, at, False, mark=_MARKS.get(tag, ""))

    def tagged(self, tag: str, text: str, at: At, quoted: bool) -> Node:
        """A scalar with a tag: one of YAML's own, or another, which makes it text."""
        kind, value = resolve(text)
        wanted = _TAGS.get(tag)
        if tag == "binary":
            try:
                return Node(
                    "str", b64decode("".join(text.split()), validate=True).decode("utf-8", "replace"), at, quoted
                )
            except (Base64Error, ValueError):
                self.found("unreadable-binary", "C-9", "`!!binary` needs base64 text", at)
        elif wanted == "float" and kind == "int":
            return Node("float", float(value), at)
        elif wanted == kind:
            return Node(wanted, value, at)
        elif wanted:
            self.found("tag-does-not-fit", "C-9", f"`{text}` cannot be read as `!!{tag}`", at, "leave the tag out")
        return Node("str", text, at, quoted)


_TAGS: Final[dict[str, Kind]] = {"int": "int", "float": "float", "bool": "bool", "null": "null", "timestamp": "time"}
_NAMES: Final = {
    "null": "nothing", "bool": "a boolean", "int": "a number", "float": "a number", "time": "a date",
    "str": "a text", "list": "a list", "map": "a mapping",
}  # fmt: skip


def kind_words(node: Node) -> str:
    """What a node is, in words: "a list", "a number"."""
    return _NAMES[node.kind]


def _is_merge(event: Any) -> bool:
    return event.value == "<<" and not event.style and event.tag in (None, "!", f"{_CORE}merge")


def decode(data: bytes, name: str) -> tuple[str, Diagnostic | None]:
    """Bytes as text: UTF-8, or UTF-16 with its mark (C-22). What cannot be read becomes U+FFFD and a finding."""
    coding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8"
    try:
        return data.decode(coding), None
    except UnicodeDecodeError as error:
        text = data.decode(coding, "replace")
        before = data[: error.start].decode(coding, "replace")
        line = before.count("\n") + 1
        span = Span(name, line, len(before) - (before.rfind("\n") + 1) + 1)
        message = f"byte 0x{data[error.start]:02x} is no {coding.upper()} text"
        return text, Diagnostic(
            code="unreadable-bytes", severity=Severity.ERROR, message=message, span=span, rule="C-22",
            help="save the file as UTF-8", error_class="ParseError",
        )  # fmt: skip


def parse(text: str, name: str, *, fast: bool = True) -> Parsed:
    """The documents of a YAML text. Never raises; what is wrong is in `findings`.

    A document that is no YAML is left out; those before it stay.

    >>> parse("a: 010\\nb: [x, yes]", "t").documents[0].plain()
    {'a': 8, 'b': ['x', 'yes']}
    >>> [str(found) for found in parse("a: 1\\na: 2", "t").findings]
    ['t:2:1: error[repeated-key] `a` is written twice, first in line 1']
    """
    text = text.removeprefix("\ufeff")
    builder = _Builder(name)
    if len(text) > LONGEST:
        builder.found("too-long", "C-6", f"the text has more than {LONGEST:,} characters", (name, 1, 1, 1))
    elif found := _CONTROL.search(text):
        line, column = text.count("\n", 0, found.start()), found.start() - text.rfind("\n", 0, found.start())
        code = f"U+{ord(found[0]):04X}"
        builder.found("control-character", "C-22", f"the character {code} cannot stand in YAML",
                      (name, line + 1, column, 1), "is this a text file?")  # fmt: skip
    else:
        try:
            builder.build(text, fast)
        except _Stop:
            pass
        except YAMLError as error:
            _no_yaml(builder, error, text)
    return Parsed(tuple(builder.documents), tuple(builder.findings), tuple(builder.order))


_HELP: Final = (
    ("tab character", "indent with spaces: YAML does not take tabs"),
    ("mapping values", "put a text with `: ` in quotes, or check the indentation above"),
    ("block end", "check the indentation of this line and of the one above"),
    ("block mapping", "check the indentation of this line and of the one above"),
    ("expected ':'", "write `key: value`"),
    ("unexpected end of stream", "close the quote or bracket"),
)


def _no_yaml(builder: _Builder, error: YAMLError, text: str) -> None:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    problem = (isinstance(error, MarkedYAMLError) and (error.problem or error.context)) or "it cannot be read"
    at = (builder.name, mark.line + 1, mark.column + 1, 1) if mark else (builder.name, 1, 1, 1)
    here = text[mark.index : mark.index + 1] if mark else ""
    help = _HELP[0][1] if here == "\t" else next((help for words, help in _HELP if words in problem), "")
    builder.stack.clear()
    builder.found("no-yaml", "C-22", f"this is no YAML: {problem}", at, help)
