"""The tables of fields, read from `fields.json`: what may stand where (C-8, C-10), and what is cast (C-30).

A rule in the file is a word (`str`, `num`, `int`, `bool`, `null`, `any`, joined by `|`), the name of another
rule (`@strings`), a list of alternatives, or a mapping with one of `list`, `map`, `keys`, `enum`, `match`,
`int`, `any_of`. Alternatives never share a kind of node, so one `Rule` holds all of them.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path as File
from typing import Any, Final

from ..diagnostics import Fix, Path
from ..source import Node
from .notes import Notes

TABLES: Final[dict[str, Any]] = json.loads((File(__file__).parent / "fields.json").read_text(encoding="utf-8"))
CASTS: Final[dict[str, tuple[str, str]]] = {path: (kind, rule) for path, (kind, rule) in TABLES["casts"].items()}
FORMS: Final[dict[str, str]] = TABLES["forms"]
LISTS: Final[dict[str, list[str]]] = TABLES["lists"]

WORDS: Final = {
    "null": "nothing", "bool": "a boolean", "int": "a number", "float": "a number", "str": "text",
    "time": "a date", "list": "a list", "map": "a mapping", "num": "a number",
}  # fmt: skip
TRUE: Final = frozenset({"true", "y", "yes", "on"})
FALSE: Final = frozenset({"false", "n", "no", "off"})


@dataclass(slots=True)
class Rule:
    """What one place in a composition accepts, by kind of node."""

    scalars: set[str] = field(default_factory=set)
    anything: bool = False
    words: tuple[str, ...] = ()
    pattern: str = ""
    low: int | None = None
    high: int | None = None
    items: Rule | None = None
    unique: bool = False
    values: Rule | None = None
    names: str = ""
    loose: bool = False  # other names are accepted, and what they hold is not looked at
    keys: dict[str, Rule] | None = None
    extensions: bool = False
    required: tuple[str, ...] = ()
    number: str = ""

    @property
    def accepted(self) -> str:
        """The kinds accepted here, in words."""
        kinds = [WORDS[kind] for kind in ("str", "num", "int", "bool") if kind in self.scalars]
        kinds += ["a list"] if self.items else []
        kinds += ["a mapping"] if self.values or self.keys is not None else []
        return " or ".join(dict.fromkeys(kinds))


@cache
def rule_named(name: str) -> Rule:
    """One named rule of the file, built once."""
    return _add(Rule(), TABLES["rules"][name])


def _rule(written: Any) -> Rule:
    if isinstance(written, str) and written.startswith("@"):
        return rule_named(written[1:])
    return _add(Rule(), written)


def _add(rule: Rule, written: Any) -> Rule:
    match written:
        case str() if written.startswith("@"):
            return _add(rule, TABLES["rules"][written[1:]])
        case str():
            rule.scalars.update(written.split("|"))
            rule.anything = rule.anything or "any" in rule.scalars
            return rule
        case list():
            for alternative in written:
                _add(rule, alternative)
            return rule
    rule.number = written.get("rule", rule.number)
    if "any_of" in written:
        _add(rule, written["any_of"])
    if "enum" in written or "match" in written:
        rule.scalars.add("str")
        rule.words, rule.pattern = tuple(written.get("enum", ())), written.get("match", "")
    if "int" in written:
        rule.scalars.add("int")
        rule.low, rule.high = written["int"]
    if "list" in written:
        rule.items, rule.unique = _rule(written["list"]), written.get("unique", False)
    if "map" in written:
        rule.values, rule.names = _rule(written["map"]), written.get("names", "")
        rule.loose = written.get("loose", False)
    if "keys" in written:
        rule.keys = {key: _rule(inner) for key, inner in written["keys"].items()}
        rule.extensions, rule.required = written.get("x", False), tuple(written.get("required", ()))
    return rule


def check_schema(root: Node, note: Notes) -> None:
    """Stage 9: every key is known and every value is of a kind that its place accepts (C-7, C-8, C-10, C-16)."""
    note.stage = 9
    _check(root, rule_named("root"), (), note)


def _check(node: Node, rule: Rule, path: Path, note: Notes) -> None:
    kind = node.kind
    if rule.anything:
        return
    if kind == "map" and (rule.keys is not None or rule.values is not None):
        _check_mapping(node, rule, path, note)
    elif kind == "list" and rule.items is not None:
        _check_list(node, rule, path, note)
    elif kind in rule.scalars or (kind in ("int", "float") and "num" in rule.scalars) or _whole(node, rule):
        if rule.words or rule.pattern or rule.low is not None:
            _check_scalar(node, rule, path, note)
    else:
        _wrong_kind(node, rule, path, note)


def _whole(node: Node, rule: Rule) -> bool:
    """A fraction that is whole counts as an integer."""
    return "int" in rule.scalars and node.kind == "float" and float(node.value).is_integer()


def _check_scalar(node: Node, rule: Rule, path: Path, note: Notes) -> None:
    value, name = node.value, _name(path)
    if node.kind == "str":
        if rule.words and value not in rule.words:
            hint = note.hint(value, rule.words) or f"known here: {', '.join(rule.words)}"
            note.say("unknown-word", node, path, rule=rule.number, help=hint, name=name, value=value)
        elif rule.pattern and not re.search(rule.pattern, value):
            note.say("unreadable-text", node, path, rule=rule.number, name=name, value=value)
    elif (rule.low is not None and value < rule.low) or (rule.high is not None and value > rule.high):
        wanted = f"between {rule.low} and {rule.high}" if rule.high is not None else f"{rule.low} or more"
        note.say("out-of-range", node, path, rule=rule.number, name=name, wanted=wanted, value=value)


def _check_mapping(node: Node, rule: Rule, path: Path, note: Notes) -> None:
    entries: dict[str, Node] = node.value
    for key, value in entries.items():
        inner = rule.values if rule.keys is None else rule.keys.get(key)
        if inner is None:
            if not (rule.extensions and key.startswith("x-")):
                _unknown_key(node, key, tuple(rule.keys or ()), (*path, key), note)
        elif rule.names and not re.fullmatch(rule.names, key, re.DOTALL):
            if not rule.loose:
                note.say("bad-name", node.key_span(key), (*path, key), name=key)
        else:
            _check(value, inner, (*path, key), note)
    for key in rule.required:
        if key not in entries:
            note.say("missing-key", node, path, rule=rule.number, name=_name(path), key=key)


def _check_list(node: Node, rule: Rule, path: Path, note: Notes) -> None:
    assert rule.items is not None
    seen: dict[str, int] = {}
    for index, item in enumerate(node.value):
        _check(item, rule.items, (*path, index), note)
        if rule.unique:
            key = json.dumps(item.plain(), sort_keys=True, default=str)
            first = seen.setdefault(key, index)
            if first != index:
                place = (*path, index)
                note.say("repeated-item", item, place, name=_name(path), first=first + 1, second=index + 1)


def _unknown_key(node: Node, key: str, known: tuple[str, ...], path: Path, note: Notes) -> None:
    hint = note.hint(key, known) or "remove it, or rename it to `x-…`, which is ignored"
    where = f"`{_name(path[:-1])}`" if len(path) > 1 else "a composition"
    note.say("unknown-key", node.key_span(key), path, help=hint, where=where, key=key)


def _wrong_kind(node: Node, rule: Rule, path: Path, note: Notes) -> None:
    name, value = _name(path) or "the composition", node.value
    if node.kind == "time":
        note.say("unquoted-date", node, path, value=value, fix=Fix(node.span, f'"{value}"'))
        return
    number = rule.number or ("C-7" if len(path) <= 2 else "C-16" if node.kind == "null" else "C-10")
    if node.kind == "null":
        note.say("empty-value", node, path, rule=number, name=name, wanted=rule.accepted)
        return
    fix, hint = None, ""
    if node.kind in ("int", "float", "bool") and "str" in rule.scalars:
        written = str(value).lower() if node.kind == "bool" else str(value)
        hint = "put it in quotes"
        fix = Fix(node.span, f'"{written}"') if len(written) == node.span.width else None
    elif rule.items is not None and node.kind not in ("list", "map"):
        hint = "write a list: put it in [ and ]"
    note.say("wrong-kind", node, path, rule=number, help=hint, fix=fix, name=name, wanted=rule.accepted,
             value=WORDS[node.kind])  # fmt: skip


def _name(path: Path) -> str:
    """The nearest key of a path, in words: items of a list are named after their list."""
    return next((str(part) for part in reversed(path) if isinstance(part, str)), "")


def cast_for(path: Path) -> tuple[str, str] | None:
    """What a text at *path* is turned into after interpolation, and the rule that says so (C-30).

    >>> cast_for(("services", "web", "ports", 0, "target"))
    ('int', 'C-49')
    >>> cast_for(("services", "web", "ulimits", "core", "soft"))
    ('int', 'C-60')
    >>> cast_for(("services", "web", "image"))
    """
    if len(path) < 3:
        return None
    rest = ["[]" if isinstance(part, int) else part for part in path[2:]]
    if rest[0] == "ulimits" and len(rest) > 1:
        rest[1] = "*"
    return CASTS.get(".".join((str(path[0]), "*", *rest)))


def cast(text: str, kind: str) -> bool | int | float | None:
    """*text* as a boolean, an integer or a number; None when it is none (C-30).

    >>> cast("Yes", "bool"), cast("80", "int"), cast("", "int"), cast("0.5", "float")
    (True, 80, None, 0.5)
    """
    if kind == "bool":
        word = text.lower()
        return True if word in TRUE else False if word in FALSE else None
    if kind == "int":
        return int(text) if re.fullmatch(r"[+-]?[0-9]{1,19}", text) and -(2**63) <= int(text) < 2**63 else None
    return float(text) if re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", text, re.ASCII) else None
