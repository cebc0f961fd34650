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

from ..diagnostics import Fix, Path, Span, did_you_mean
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
        seen: list[tuple[object, int]] = []
        for index, item in enumerate(node.value):
            _check(item, rule.items, (*path, index), note)
            if rule.unique:
                _check_repeated(item, seen, index, path, note)
    elif kind in rule.scalars or ("num" in rule.scalars and kind in ("int", "float")) or _whole(node, rule):
        _check_scalar(node, rule, path, note)
    else:
        _wrong_kind(node, rule, path, note)


def _whole(node: Node, rule: Rule) -> bool:
    return "int" in rule.scalars and node.kind == "float" and float(node.value).is_integer()


def _check_scalar(node: Node, rule: Rule, path: Path, note: Notes) -> None:
    value, name = node.value, _name(path)
    if node.kind == "str":
        if rule.words and value not in rule.words:
            note.error("unknown-word", rule.number or "C-8", f"`{name}` cannot be `{value}`", node, path,
                       did_you_mean(value, rule.words))  # fmt: skip
        elif rule.pattern and not re.search(rule.pattern, value):
            note.error("unreadable-text", "C-44" if name == "pull_policy" else "C-8",
                       f"`{name}` cannot be `{value}`", node, path)  # fmt: skip
    elif node.kind in ("int", "float") and (
        (rule.low is not None and value < rule.low) or (rule.high is not None and value > rule.high)
    ):
        upper = f"between {rule.low} and {rule.high}" if rule.high is not None else f"{rule.low} or more"
        note.error("out-of-range", rule.number or "C-10", f"`{name}` must be {upper}, not {value}", node, path)


def _check_mapping(node: Node, rule: Rule, path: Path, note: Notes) -> None:
    entries: dict[str, Node] = node.value
    keys = rule.keys
    for key, value in entries.items():
        here = (*path, key)
        if keys is not None:
            inner = keys.get(key)
            if inner is None:
                if not (rule.extensions and key.startswith("x-")):
                    _unknown_key(node, key, tuple(keys), here, note)
                continue
        else:
            assert rule.values is not None
            inner = rule.values
            if rule.names and not re.fullmatch(rule.names, key, re.DOTALL):
                note.error("bad-name", "C-8", f"`{key}` cannot be a name here", _key_place(node, key), here,
                           "use letters, digits, `.`, `_` and `-` only")  # fmt: skip
                continue
        _check(value, inner, here, note)
    for key in rule.required:
        if key not in entries:
            note.error("missing-key", rule.number or "C-8", f"`{_name(path)}` needs `{key}`", node, path)


def _check_repeated(item: Node, seen: list[tuple[object, int]], index: int, path: Path, note: Notes) -> None:
    plain = (item.kind in ("int", "float") and "num") or item.kind, item.plain()
    for earlier, place in seen:
        if earlier == plain:
            note.error("repeated-item", "C-33", f"items {place + 1} and {index + 1} of `{_name(path)}` are equal",
                       item, (*path, index), "remove one of them")  # fmt: skip
            return
    seen.append((plain, index))


def _unknown_key(node: Node, key: str, known: tuple[str, ...], path: Path, note: Notes) -> None:
    where = f"`{_name(path[:-1])}`" if len(path) > 1 else "a composition"
    note.error("unknown-key", "C-8", f"{where} has no key `{key}`", _key_place(node, key), path,
               did_you_mean(key, known) if len(known) < 12 else _near(key, known))  # fmt: skip


def _near(key: str, known: tuple[str, ...]) -> str:
    text = did_you_mean(key, known)
    return text if text.startswith("did") else "remove it, or rename it to `x-…`, which is ignored"


def _wrong_kind(node: Node, rule: Rule, path: Path, note: Notes) -> None:
    name, accepted = _name(path) or "the composition", rule.accepted
    if node.kind == "time":
        note.error("unquoted-date", "C-12", f"`{node.value}` is read as a date, and no field takes one", node, path,
                   "put it in quotes", fix=Fix(node.span, f'"{node.value}"'))  # fmt: skip
        return
    number = rule.number or ("C-7" if len(path) <= 2 else "C-16" if node.kind == "null" else "C-10")
    if node.kind == "null":
        note.error("empty-value", number, f"`{name}` is empty; it must be {accepted}", node, path,
                   "give it a value, or remove the key")  # fmt: skip
        return
    fix, help_text = None, ""
    if node.kind in ("int", "float", "bool") and "str" in rule.scalars:
        help_text = "put it in quotes"
        written = str(node.value).lower() if node.kind == "bool" else str(node.value)
        fix = Fix(node.span, f'"{written}"') if len(written) == node.span.width else None
    elif rule.items is not None and node.kind not in ("list", "map"):
        help_text = "write a list: put it in [ and ]"
    note.error("wrong-kind", number, f"`{name}` must be {accepted}, not {WORDS[node.kind]}", node, path, help_text,
               fix=fix)  # fmt: skip


def _key_place(node: Node, key: str) -> Span:
    return node.keys.get(key, node.span)


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
        return int(text) if re.fullmatch(r"[+-]?[0-9]+", text) and -(2**63) <= int(text) < 2**63 else None
    return float(text) if re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", text, re.ASCII) else None
