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
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, ClassVar, Final, Literal, NamedTuple, NoReturn

import yaml

from .diagnostics import Diagnostic, Path, Span, beside, said

Kind = Literal["null", "bool", "int", "float", "str", "time", "list", "map"]
SAYINGS: Final[dict[str, dict[str, Any]]] = beside(__file__)
WORDS_OF: Final[dict[str, str]] = SAYINGS.pop("kinds")
ALIASED: Final = 30_000
DEEPEST: Final = 100
LONGEST: Final = 32_000_000
LONG: Final = 200_000  # beyond this, speed goes before the last likeness to go-yaml
MOST_EVENTS: Final = 1_200_000
_Fast: Any = getattr(yaml, "CBaseLoader", None)  # it is missing where PyYAML comes without libyaml, as in a browser


class Node:
    """A value of a YAML text, and where it stands. Treat it as immutable: aliases share it.

    `value` is None, a bool, int, float or str (also for a `time`, which keeps its text), a list of nodes,
    or a dict of nodes. `quoted` says that a text was quoted or a block. `keys` tells of a mapping where each
    of its keys stands. `mark` is `reset` or `override` where the text has that tag (C-34).
    """

    __slots__ = ("keys", "kind", "mark", "quoted", "span", "value")

    def __init__(self, kind: Kind, value: Any, span: Span, quoted: bool = False,
                 keys: dict[str, Span] | None = None, mark: str = "") -> None:  # fmt: skip
        self.kind: Kind = kind
        self.value, self.span, self.quoted, self.mark = value, span, quoted, mark
        self.keys = keys or {}

    @property
    def words(self) -> str:
        """What kind of value this is, in words."""
        return WORDS_OF[self.kind]

    def key_span(self, key: str) -> Span:
        """Where one key of a mapping stands; the mapping itself when the key was never written."""
        return self.keys.get(key, self.span)

    def get(self, key: str | int) -> Node | None:
        """The value of a key of a mapping, or of a number in a list; None when there is none."""
        if self.kind == "list":
            return self.value[key] if isinstance(key, int) and 0 <= key < len(self.value) else None
        return self.value.get(key) if self.kind == "map" else None

    def at(self, path: Path) -> Node | None:
        """The node at a path below this one, or None.

        >>> parse("a: [{b: 5}]", "t").documents[0].at(("a", 0, "b"))
        Node('int', 5)
        """
        node: Node | None = self
        for step in path:
            node = node and node.get(step)
        return node

    def seen(self, path: Path) -> Span | None:
        """Where people look for the value at a path below: at its key, when it is a block on the lines after it."""
        node, above = self.at(path), self.at(path[:-1])
        if node is None or above is None:
            return None
        key = above.key_span(str(path[-1])) if path and node.kind in ("list", "map") else node.span
        return key if above.kind == "map" and key.line < node.span.line else node.span

    def entries(self, *path: str) -> dict[str, Node]:
        """The mapping at a path below this one; empty when none is there."""
        node = self.at(path)
        return node.value if node is not None and node.kind == "map" else {}

    def each(self, change: Callable[[str, Node], Node]) -> Node:
        """This mapping with every value changed; itself when none is."""
        entries = {key: change(key, value) for key, value in self.value.items()}
        changed = any(entries[key] is not value for key, value in self.value.items())
        return self.like("map", entries) if changed else self

    def put(self, key: str, value: Node) -> Node:
        """This mapping with another value under a key, which stands where the value stands if it is new."""
        return self.like("map", {**self.value, key: value}, {key: value.span} | self.keys)

    def without(self, key: str) -> Node:
        """This mapping without a key."""
        return self.like("map", {k: v for k, v in self.value.items() if k != key}) if key in self.value else self

    def items(self) -> list[tuple[str | int, Node]]:
        """What a mapping or a list holds, each with its key or number; nothing of anything else."""
        return [*self.value.items()] if self.kind == "map" else [*enumerate(self.value)] if self.kind == "list" else []

    def walk(self, path: Path = ()) -> Iterator[tuple[Path, Node]]:
        """Everything in this tree with its path, what is above first."""
        yield path, self
        for key, inner in self.items():
            yield from inner.walk((*path, key))

    def like(self, kind: Kind, value: Any, keys: Mapping[str, Span] = {}) -> Node:
        """Another value at the same place; a mapping has the places of its keys, and those of *keys*."""
        return Node(kind, value, self.span, self.quoted, {**self.keys, **keys} if kind == "map" else None, self.mark)

    def plain(self) -> Any:
        """The value without places: None, bool, int, float, str, list or dict."""
        if self.kind == "map":
            return {key: node.plain() for key, node in self.value.items()}
        if self.kind == "list":
            return [node.plain() for node in self.value]
        return self.value

    def __repr__(self) -> str:
        return f"Node({self.kind!r}, {self.plain()!r})"


class Parsed(NamedTuple):
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
_INT = re.compile(r"[-+]?(?:0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|[1-9][0-9]*|0)")
_OCTAL = re.compile(r"\A([-+]?0)(?=[0-7])")
_DIGITS: Final = "[0-9]+(?:_[0-9]+)*"
_FLOAT = re.compile(rf"[-+]?(?:\.{_DIGITS}|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?{_DIGITS})?")
_TIME = re.compile(  # a blank goes without zone, a T with one
    r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})(?:(?: |([Tt]))([0-9]{1,2}):([0-9]{1,2}):([0-9]{1,2})"
    r"(?:[.,][0-9]+)?(?(4)(?:Z|[-+][0-9]{2}:[0-9]{2})))?"
)


def resolve(text: str) -> tuple[Kind, Any]:
    """What an unquoted scalar means (C-9).

    >>> resolve("010"), resolve("22:22"), resolve("no"), resolve("1_000.5"), resolve("2024-01-02")
    (('int', 8), ('str', '22:22'), ('str', 'no'), ('float', 1000.5), ('time', '2024-01-02'))
    """
    if len(text) < 6 and text in WORDS:
        return WORDS[text]
    if text[0] not in "0123456789+-.":
        return "str", text
    if _is_time(text):
        return "time", text
    return _number(text if text[0] == "." else text.replace("_", "")) or ("str", text)


def _number(text: str) -> tuple[Kind, Any] | None:
    if len(text) < 80 and _INT.fullmatch(text):
        number = int(_OCTAL.sub(r"\1o", text), 0)
        if -(2**63) <= number < (2**63 if text[0] in "+-" else 2**64):
            return "int", number
    if _FLOAT.fullmatch(text) and abs(value := float(text)) != float("inf"):
        return "float", value
    return None


def _is_time(text: str) -> bool:
    if (found := _TIME.fullmatch(text)) is None:
        return False
    year, month, day, hour, minute, second = (int(part or 0) for part in found.group(1, 2, 3, 5, 6, 7))
    try:
        return bool(datetime(year or 2000, month, day, hour, minute, second))  # the year 0 is a leap year, too
    except ValueError:
        return False


# ── events ─────────────────────────────────────────────────────────────────────────────────────────

_BREAKS: Final = "\r\n\x85\u2028\u2029"
_INDICATORS = re.compile("[1-9][-+]|[-+]?[1-9]?")
# Each place begins with one of three characters, so that the search for them is fast.
_UNLIKE: Final = re.compile(r"[:?\\](?:(?<=\\)/|(?<=[^\s\"'\]}]:)[],[{}]|(?<=[^\s:]\?))")
"""Where libyaml differs from go-yaml: an escaped slash, and in brackets a colon or a question mark inside a word."""


class _Slow(yaml.reader.Reader, yaml.scanner.Scanner, yaml.parser.Parser):
    """PyYAML's own parser, brought into line with libyaml and go-yaml: a tab may separate words (C-22)."""

    scan_line_break: Any
    ESCAPE_REPLACEMENTS: ClassVar = {  # type: ignore[misc]  # go-yaml does not know the escaped slash
        key: text for key, text in yaml.BaseLoader.ESCAPE_REPLACEMENTS.items() if key != "/"
    }

    def scan_plain(self) -> Any:
        token = super().scan_plain()
        if self.flow_level and token.end_mark.index == self.index and re.match(r":[],[{}]", self.prefix(2)):
            token.value += ":"
            self.forward()
            token.end_mark = self.get_mark()
        return token

    def __init__(self, text: str) -> None:  # without the other parts of PyYAML's loaders it is faster
        yaml.reader.Reader.__init__(self, text)
        yaml.scanner.Scanner.__init__(self)
        yaml.parser.Parser.__init__(self)

    def scan_to_next_token(self) -> None:
        super().scan_to_next_token()
        while self.peek() == "\t" and (self.flow_level or not self.allow_simple_key):
            self.forward()
            super().scan_to_next_token()

    def scan_block_scalar_indicators(self, _start_mark: Any) -> tuple[bool | None, int | None]:
        written = _INDICATORS.match(self.prefix(2))[0]  # type: ignore[index]  # it matches nothing, too
        self.forward(len(written))
        sign, digit = written.strip("123456789"), written.strip("+-")
        return sign == "+" if sign else None, int(digit) if digit else None

    def scan_block_scalar_ignored_line(self, start_mark: Any) -> None:
        while self.peek() in " \t":
            self.forward()
        super().scan_block_scalar_ignored_line(start_mark)

    def scan_block_scalar_indentation(self) -> Any:
        found = super().scan_block_scalar_indentation()
        self._refuse_tab()
        return found

    def scan_block_scalar_breaks(self, indent: int) -> Any:
        found = super().scan_block_scalar_breaks(indent)
        if self.column < indent:
            self._refuse_tab()
        return found

    def _refuse_tab(self, begun: Any = None) -> None:
        if self.peek() == "\t":
            problem = "found a tab character that violates indentation"
            raise yaml.MarkedYAMLError(None, begun, problem, self.get_mark())

    def scan_plain_spaces(self, indent: int, start_mark: Any) -> list[str] | None:
        spaces, breaks = "", list[str]()
        while (char := self.peek()) in " \t" or char in _BREAKS:
            if char in " \t":
                if breaks and self.column < indent:
                    self._refuse_tab(start_mark)
                spaces += char
                self.forward()
            else:
                breaks.append(self.scan_line_break())
                self.allow_simple_key = True
                if self.prefix(3) in ("---", "...") and self.peek(3) in "\0 \t" + _BREAKS:
                    return None
        if not breaks:
            return [spaces] if spaces else []
        return breaks if breaks[0] != "\n" else breaks[1:] or [" "]


def events(text: str, fast: bool = True) -> Iterator[Any]:
    """The YAML events of a text. Raises YAMLError."""
    like = len(text) > LONG or not _UNLIKE.search(text)
    parser = _Fast(text) if fast and _Fast and like else _Slow(text)
    return iter(parser.get_event, None)


# ── the tree ───────────────────────────────────────────────────────────────────────────────────────

_CONTROL = re.compile(f"[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]|(?<=[{_BREAKS}])\ufeff")
_CORE: Final = "tag:yaml.org,2002:"
_MARKS: Final = {"!reset": "reset", "!override": "override"}


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
        self.merges: list[Node] = []


class _Builder:
    """Builds the documents of one text out of its events."""

    def __init__(self, name: str) -> None:
        self.name, self.start = name, Span(name, 1, 1)
        self.documents, self.findings, self.order = list[Node](), list[Diagnostic](), list[tuple[int, int]]()
        self.stack: list[_Open] = []
        self.anchors: dict[str, tuple[Node | None, int, int]] = {}
        self.aliased = 0

    def found(self, code: str, at: Span, **words: object) -> None:
        steps = (top.key if top.node.kind == "map" else len(top.node.value) for top in self.stack)
        path = tuple(step for step in steps if step is not None)
        self.findings.append(said(SAYINGS, code, at, path, words))
        self.order.append((len(self.documents), SAYINGS[code].get("stage", 1)))

    def stop(self, code: str, at: Span, **words: object) -> NoReturn:
        self.found(code, at, **words)
        raise _Stop

    def place(self, event: Any) -> Span:
        start, end = event.start_mark, event.end_mark
        width = end.column - start.column if end.line == start.line else 1
        at = (self.name, start.line + 1, start.column + 1, width if width > 0 else 1)
        return tuple.__new__(Span, at)  # twice as fast as `Span(*at)`

    def build(self, text: str, fast: bool) -> None:
        stack = self.stack
        for number, event in enumerate(events(text, fast)):
            if number > MOST_EVENTS:
                self.stop("too-many-values", self.place(event), most=MOST_EVENTS)
            kind = event.__class__
            if kind is yaml.ScalarEvent:
                self.attach(self.scalar(event), event.anchor, 1, 0, event)
            elif kind is yaml.MappingStartEvent or kind is yaml.SequenceStartEvent:
                at, mark = Span(*self.place(event)[:3]), _MARKS.get(event.tag, "")
                is_map = kind is yaml.MappingStartEvent
                node = Node("map", {}, at, mark=mark) if is_map else Node("list", [], at, mark=mark)
                stack.append(_Open(node, event.anchor))
                if event.anchor is not None:
                    self.anchors[event.anchor] = (None, 0, 0)
                if len(stack) > DEEPEST:
                    self.stop("nested-too-deep", at, most=DEEPEST)
            elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
                self.close(stack.pop())
            elif kind is yaml.AliasEvent:
                self.alias(event)
            elif kind is yaml.DocumentStartEvent:
                self.anchors.clear()
                self.start = self.place(event)
                if event.version not in (None, (1, 1)):  # C-22
                    self.stop("yaml-version", self.start, version=".".join(map(str, event.version)))

    def close(self, done: _Open) -> None:
        node = done.node
        if done.merges:
            at = node.keys["<<"] if "<<" in node.value else node.keys.pop("<<")
            for other in done.merges:
                self.merge(node, other, at)
        first = next(iter(node.keys.values()), node.span)
        if first[1:3] == node.span[1:3]:
            node.span = first
        self.attach(node, done.anchor, done.size, done.depth)

    def attach(self, node: Node, anchor: str | None, size: int, depth: int, scalar: Any = None) -> None:
        """Put a node where it belongs; *scalar* is the event of one that may be a key."""
        if anchor is not None:
            self.anchors[anchor] = (node, size, depth)
        if not self.stack:
            self.documents.append(node)
            return
        top = self.stack[-1]
        top.size += size
        if depth:
            top.depth = max(top.depth, depth + (not top.merging))
        if top.node.kind == "list":
            top.node.value.append(node)
        elif top.key is None:
            self.key(top, node, scalar)
        else:
            if top.merging:
                top.merges.append(node)
            else:
                top.node.value[top.key] = node
            top.key, top.merging = None, False

    def alias(self, event: Any) -> None:
        at = self.place(event)
        if event.anchor not in self.anchors:
            known = ", ".join(f"`&{name}`" for name in self.anchors)
            known = f"known here: {known}" if known else f"write `&{event.anchor}` in front of the value to repeat"
            self.stop("unknown-anchor", at, name=event.anchor, known=known)
        node, size, depth = self.anchors[event.anchor]
        if node is None:
            self.stop("endless-alias", at, name=event.anchor)
        self.aliased += size
        if self.aliased > ALIASED:
            self.stop("too-many-aliases", at, most=ALIASED)
        if len(self.stack) + depth - 1 > DEEPEST:
            self.stop("nested-too-deep", at, most=DEEPEST)
        if self.stack and self.stack[-1].node.kind == "map" and self.stack[-1].key is None and node.kind == "str":
            node = Node("str", node.value, at)
        self.attach(node, None, size, depth)

    def key(self, top: _Open, node: Node, event: Any) -> None:
        """Take a scalar as the next key of a mapping (C-17, C-18, C-19)."""
        at, keys = node.span, top.node.keys
        text = event.value if event else node.value if node.kind == "str" else f"key-{len(top.node.value)}"
        merge = text == "<<" and event and not event.style and event.tag in (None, "!", f"{_CORE}merge")
        if not event and node.kind != "str":
            self.found("unusable-key", at)
        elif text in keys:
            self.found("repeated-merge" if merge else "repeated-key", at, key=text, line=keys[text][1])
        elif node.kind != "str":
            self.found("key-is-no-text", at, key=text or "(nothing)", kind=node.words)
        top.key, top.merging = text, merge
        keys[text] = at

    def merge(self, node: Node, other: Node, at: Span) -> None:
        """`<<`: shallow, what is written wins, and of a list the earlier mapping (C-19)."""
        for part in other.value if other.kind == "list" else [other]:
            if part.kind != "map":
                self.found("unmergeable", at)
                return
            for key, value in part.value.items():
                if key not in node.value:
                    node.value[key] = value
                    node.keys[key] = part.keys.get(key, at)

    def scalar(self, event: Any) -> Node:
        at = self.place(event)
        text, tag, quoted, mark = event.value, event.tag, bool(event.style), _MARKS.get(event.tag, "")
        if not text and not quoted:  # what is not there stands where its key stands, or its `---`
            top = self.stack[-1] if self.stack else None
            at = self.start if top is None else at if top.key is None else top.node.keys[top.key]
        if tag is not None and tag != "!" and not mark:
            return self.tagged(tag[len(_CORE) :] if tag.startswith(_CORE) else "", text, at, quoted)
        found: tuple[Kind, Any] = ("str", text) if quoted else resolve(text)
        return Node(*found, at, quoted, None, mark)

    def tagged(self, tag: str, text: str, at: Span, quoted: bool) -> Node:
        """A scalar with a tag: one of YAML's own, or another, which makes it text."""
        kind, value = resolve(text)
        wanted = _TAGS.get(tag)
        if tag == "binary":
            try:
                text = b64decode("".join(text.split()), validate=True).decode("utf-8", "replace")
            except ValueError:
                self.found("unreadable-binary", at)
        elif wanted == "float" and kind == "int":
            return Node("float", float(value), at)
        elif wanted == kind:
            return Node(wanted, value, at)
        elif wanted:
            self.found("tag-does-not-fit", at, text=text, tag=tag)
        return Node("str", text, at, quoted)


_TAGS: Final[dict[str, Kind]] = {"int": "int", "float": "float", "bool": "bool", "null": "null", "timestamp": "time"}


def decode(data: bytes, name: str) -> tuple[str, Diagnostic | None]:
    """Bytes as text: UTF-8, or UTF-16 with its mark (C-22). What cannot be read becomes U+FFFD and a finding."""
    coding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8"
    try:
        return data.decode(coding), None
    except UnicodeDecodeError as error:
        before = data[: error.start].decode(coding, "replace")
        words = {"byte": f"0x{data[error.start]:02x}", "coding": coding.upper()}
        found = said(SAYINGS, "unreadable-bytes", _place(name, before, len(before)), words=words)
        return data.decode(coding, "replace"), found


def _place(name: str, text: str, index: int) -> Span:
    return Span(name, text.count("\n", 0, index) + 1, index - text.rfind("\n", 0, index))


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
        builder.found("too-long", Span(name, 1, 1), most=LONGEST)
    elif found := _CONTROL.search(text):
        builder.found("control-character", _place(name, text, found.start()), name=f"U+{ord(found[0]):04X}")
    else:
        try:
            builder.build(text, fast)
        except _Stop:
            pass
        except yaml.YAMLError as error:
            _no_yaml(builder, error, text)
    return Parsed(tuple(builder.documents), tuple(builder.findings), tuple(builder.order))


def _no_yaml(builder: _Builder, error: yaml.YAMLError, text: str) -> None:
    mark, context = getattr(error, "problem_mark", None), getattr(error, "context_mark", None)
    if context and (mark is None or mark.index >= len(text.rstrip())):  # it ends too early: say where it began
        mark = context
    problem = (isinstance(error, yaml.MarkedYAMLError) and (error.problem or error.context)) or "it cannot be read"
    at = Span(builder.name, mark.line + 1, mark.column + 1) if mark else Span(builder.name, 1, 1)
    rest = text[mark.index : mark.index + 40].partition("\n")[0].rstrip() if mark else ""
    hints = SAYINGS["no-yaml"]["hints"]
    hint = hints["tab character"] if rest[:1] == "\t" else next((hints[part] for part in hints if part in problem), "")
    builder.stack.clear()
    builder.found("no-yaml", at, here=f"`{rest.strip()}`" if rest.strip() else "this", problem=problem, hint=hint)
