"""The tables of fields, read from `fields.json`: what may stand where (C-8, C-10), and what is cast (C-30).

A rule in the file is a word (`str`, `num`, `int`, `bool`, `null`, `any`, joined by `|`), the name of another rule
(`@strings`), or a mapping: which `kinds` of scalar it takes, with `words`, `match`, `low`, `high` for their values;
what the `items` of a list are; what the `values` of a mapping are, or which `keys` it has. `rule` is cited.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from ..diagnostics import Fix, Path, beside
from ..source import WORDS_OF, Kind, Node
from .notes import Notes

TABLES: Final[dict[str, Any]] = beside(__file__)
CASTS: Final[dict[str, Kind]] = {path: kind for path, (kind, _rule) in TABLES["casts"].items()}
"""What a text at the end of a path is turned into after interpolation (C-30)."""
FORMS: Final[dict[str, str]] = TABLES["forms"]
LISTS: Final[dict[str, list[str]]] = TABLES["lists"]

BOOLEANS: Final = dict.fromkeys(("true", "y", "yes", "on"), True) | dict.fromkeys(("false", "n", "no", "off"), False)


Rule = Mapping[str, Any]


@cache
def rule_named(name: str) -> Rule:
    """One rule of the file, by its name with `@`, or of the words that stand for it.

    >>> rule_named("num|str")
    {'kinds': 'num|str'}
    """
    written: str | Rule = TABLES["rules"][name[1:]] if name.startswith("@") else {"kinds": name}
    return rule_named(written) if isinstance(written, str) else written


def _accepted(rule: Rule) -> str:
    """The kinds that a rule takes, in words."""
    kinds = [WORDS_OF[kind] for kind in ("str", "num", "int", "bool") if kind in rule.get("kinds", "").split("|")]
    kinds += ["a list"] if "items" in rule else []
    kinds += ["a mapping"] if "values" in rule or "keys" in rule else []
    return " or ".join(dict.fromkeys(kinds))


def check_schema(node: Node, note: Notes, written: str | Rule = "@root", path: Path = ()) -> None:
    """Stage 9: every key is known and every value is of a kind that its place accepts (C-7, C-8, C-10, C-16)."""
    rule = rule_named(written) if isinstance(written, str) else written
    kind, kinds = node.kind, rule.get("kinds", "")
    if kind == "map" and ("keys" in rule or "values" in rule):
        _check_mapping(node, rule, path, note)
    elif kind == "list" and "items" in rule:
        _check_list(node, rule, path, note)
    elif kind in kinds or (kind == "int" and "num" in kinds) or (kind == "float" and _takes(node.value, kinds)):
        if len(rule) > 1:
            _check_scalar(node, rule, path, note)
    elif kinds != "any":
        _wrong_kind(node, rule, path, note)


def _takes(value: float, kinds: str) -> bool:
    """Whether a fraction is taken; one that is whole counts as an integer."""
    return "num" in kinds or ("int" in kinds and value.is_integer())


def _check_scalar(node: Node, rule: Rule, path: Path, note: Notes) -> None:
    value, words, low, high = node.value, rule.get("words"), rule.get("low"), rule.get("high")
    about = {"rule": rule.get("rule", ""), "name": _name(path), "value": value}
    if node.kind == "str":
        if words and value not in words:
            note.say("unknown-word", node, path, help=note.known(value, words), **about)
        elif not re.search(rule.get("match", ""), value):
            note.say("unreadable-text", node, path, **about)
    elif (low is not None and value < low) or (high is not None and value > high):
        wanted = f"{low} or more" if high is None else f"between {low} and {high}"
        note.say("out-of-range", node, path, wanted=wanted, **about)


def _check_mapping(node: Node, rule: Rule, path: Path, note: Notes) -> None:
    keys, names = rule.get("keys"), rule.get("names", "")
    for key, value in node.value.items():
        inner = rule["values"] if keys is None else keys.get(key)
        here = (*path, key)
        if inner is None:
            if not (rule.get("x") and key.startswith("x-")):
                hint = note.known(key, keys or ())
                if rule.get("x") and not hint.startswith("did"):
                    hint = "remove it, or rename it to `x-…`, which is ignored"
                if not path and value.entries().keys() & {"image", "build"}:
                    hint = "write `services:` above the services, and indent them"
                where = f"`{_name(path)}`" if path else "a composition"
                note.say("unknown-key", node.key_span(key), here, help=hint, where=where, key=key)
        elif not names or re.fullmatch(names, key, re.DOTALL):
            check_schema(value, note, inner, here)
        elif not rule.get("loose"):
            note.say("bad-name", node.key_span(key), here, name=key)
    for key in rule.get("required", ()):
        if key not in node.value:
            note.say("missing-key", node, path, rule=rule.get("rule", ""), name=_name(path), key=key)


def _check_list(node: Node, rule: Rule, path: Path, note: Notes) -> None:
    seen: dict[str, int] = {}
    for index, item in enumerate(node.value):
        check_schema(item, note, rule["items"], (*path, index))
        if "unique" in rule:
            key = json.dumps(item.plain(), sort_keys=True, default=str)
            if (first := seen.setdefault(key, index)) != index:
                note.say("repeated-item", item, (*path, index), name=_name(path), first=first + 1, second=index + 1)


def _wrong_kind(node: Node, rule: Rule, path: Path, note: Notes) -> None:
    name, value, wanted = _name(path) or "the composition", node.value, _accepted(rule)
    number = rule.get("rule") or ("C-7" if len(path) <= 2 else "C-16" if node.kind == "null" else "C-10")
    fix, hint = None, ""
    wanted = wanted.replace("a number", "a whole number") if node.kind == "float" else wanted
    if node.kind == "time":
        note.say("unquoted-date", node, path, value=value, fix=Fix(node.span, f'"{value}"'))
    elif node.kind == "null":
        note.say("empty-value", node, path, rule=number, name=name, wanted=wanted)
    else:
        if node.kind in ("int", "float", "bool") and "text" in wanted:
            written, hint = str(value).lower(), "put it in quotes"
            fix = Fix(node.span, f'"{written}"') if len(written) == node.span.width else None
        elif "items" in rule and node.kind != "map":
            hint = "write a list: put it in [ and ]"
        note.say("wrong-kind", node, path, rule=number, help=hint, fix=fix, name=name, wanted=wanted, value=node.words)


def _name(path: Path) -> str:
    """The nearest key of a path, in words: items of a list are named after their list."""
    return next((str(part) for part in reversed(path) if isinstance(part, str)), "")


def pattern(path: Path) -> str:
    """A path as the tables write it.

    >>> pattern(("services", "web", "ulimits", "core")), pattern(("services", "web", "ports", 0, "target"))
    ('services.*.ulimits.*', 'services.*.ports.[].target')
    """
    steps = ["[]" if isinstance(step, int) else step for step in path]
    if len(steps) > 1:
        steps[1] = "*"
    if len(steps) > 3 and steps[2] in ("ulimits", "networks"):
        steps[3] = "*"
    return ".".join(steps)


def cast(text: str, kind: str) -> bool | int | float | None:
    """*text* as a boolean, an integer or a number; None when it is none (C-30).

    >>> cast("Yes", "bool"), cast("80", "int"), cast("", "int"), cast("0.5", "float")
    (True, 80, None, 0.5)
    """
    if kind == "bool":
        return BOOLEANS.get(text.lower())
    if kind == "int":
        return int(text) if re.fullmatch(r"[+-]?[0-9]{1,19}", text) and -(2**63) <= int(text) < 2**63 else None
    return float(text) if re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", text, re.ASCII) else None
