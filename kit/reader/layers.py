"""How layers combine: files, documents, extended services (C-32 … C-35). Pure functions on trees.

`merge` puts one tree over another. Which rule holds for a field stands in `MERGED`; everywhere else mappings
merge key by key, lists append and scalars are replaced. `unique` then removes what a list repeats.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from ..diagnostics import Path
from ..source import Node
from .fields import TABLES, pattern
from .forms import scalar_text

Tell = Callable[[str, Node, Path], object]
"""Told what happens, by the code of a finding: `cannot-override`, `base-stays`, `form-ignored`, `repeated-entry`."""

MERGED: Final[dict[str, str]] = {path: how for how, paths in TABLES["merged"].items() for path in paths}
"""How a field of a later layer meets the earlier one, where it is not the common way (C-33)."""
UNIQUE: Final = frozenset(TABLES["unique"])
"""Lists in which a later entry takes the place of an equal one; of `KEY=VALUE` the key counts (C-33, C-35)."""
INSIDE: Final = frozenset({"build", "networks", "deploy"})


def merge(base: Node, over: Node, tell: Tell, path: Path = ()) -> Node:
    """*over* put over *base* (C-32). A node marked `!override` replaces, one marked `!reset` removes (C-34)."""
    if over.mark:
        return over
    rule = MERGED.get(pattern(path)) if len(path) > 2 else None
    if rule is not None:
        return _special(rule, base, over, tell, path)
    if over.kind == "null" or (base.kind in ("map", "list") and over.kind != base.kind):
        return _stays(base, over, tell, path)
    if base.kind == "map":
        return _mappings(base, over, tell, path)
    return base.like("list", base.value + over.value) if base.kind == "list" else over


def _stays(base: Node, over: Node, tell: Tell, path: Path) -> Node:
    """The earlier layer, since the later one is empty or does not fit."""
    if over.kind != "null":
        tell("cannot-override", over, path)
    elif base.kind != "null":
        tell("base-stays", over, path)
    return base


def _mappings(base: Node, over: Node, tell: Tell, path: Path) -> Node:
    entries = dict(base.value)
    for key, value in over.value.items():
        if value.mark == "reset":
            entries.pop(key, None)
        if key in entries:
            value = merge(entries[key], value, tell, (*path, key))
        entries[key] = value
    return base.like("map", entries, over.keys)


def _special(rule: str, base: Node, over: Node, tell: Tell, path: Path) -> Node:
    if rule == "replace":
        return over
    if rule == "pairs":
        return _pairs(base, over, tell, path)
    if over.kind == "null":
        return _stays(base, over, tell, path)
    if rule in ("append", "hosts"):
        items = _items(base)
        known = [item.plain() for item in items] if rule == "hosts" else []
        return base.like("list", items + [item for item in _items(over) if item.plain() not in known])
    if rule == "subnets":
        return _subnets(base, over, tell, path)
    if rule == "logging" and len({scalar_text(node.get("driver")) for node in (base, over)} - {""}) == 2:
        return over
    shape = {"build": _as_build, "names": _as_names}.get(rule)
    left, right = (shape(base, path), shape(over, path)) if shape else (base, over)
    if shape and left.kind == "map" != right.kind:
        tell("form-ignored", over, path)
        return left
    if left.kind != "map" or right.kind != "map":
        if left.kind != "null":
            tell("cannot-override", over, path)
        return right
    return _mappings(left, right, tell, path)


def _pairs(base: Node, over: Node, tell: Tell, path: Path) -> Node:
    """Both as mappings from name to value; the later value counts, even when it is null."""
    left, right = _by_name(base, tell, path), _by_name(over, tell, path)
    for key, value in right.value.items() if path[0] == "volumes" else ():
        if key in left.value and left.value[key].plain() == value.plain():
            tell("said-again", value, (*path, key))
    later = {key: value for key, value in right.value.items() if value.mark != "reset" or base.kind == "map"}
    entries = {key: value for key, value in {**left.value, **later}.items() if value.mark != "reset"}
    return base.like("map", entries, {**left.keys, **right.keys})


def _by_name(node: Node, tell: Tell, path: Path) -> Node:
    """A mapping, or a list of `NAME=value` as one."""
    if node.kind == "map":
        return node
    for item in (items := _items(node)):
        if item.kind != "str":
            tell("cannot-override", item, path)
    parts = ((item, *item.value.partition("=")) for item in items if item.kind == "str")
    texts = {name: at.like("str", text) if equals else at.like("null", None) for at, name, equals, text in parts}
    return node.like("map", texts, {name: text.span for name, text in texts.items()})


def _items(node: Node) -> list[Node]:
    """Any form of a list field as a list of nodes."""
    if node.kind == "list":
        return list(node.value)
    if node.kind == "map":
        rows = ((key, _items(value) if value.kind == "list" else [value]) for key, value in node.value.items())
        values = ((key, item) for key, items in rows for item in items)
        return [value.like("str", f"{key}={scalar_text(value)}") for key, value in values if not value.get("")]
    return [] if node.kind == "null" else [node]


def _as_build(node: Node, _path: Path) -> Node:
    return Node("map", {"context": node}, node.span, keys={"context": node.span}) if node.kind == "str" else node


def _as_names(node: Node, path: Path) -> Node:
    """A list of names as a mapping; a dependency says what it waits for (C-55)."""
    if node.kind != "list":
        return node
    entries = {}
    for item in node.value:
        body = {"condition": item.like("str", "service_started"), "required": item.like("bool", True)}
        entries[str(item.plain())] = item.like("map", body) if path[-1] == "depends_on" else item.like("null", None)
    return Node("map", entries, node.span, keys={str(item.plain()): item.span for item in node.value})


def _subnets(base: Node, over: Node, tell: Tell, path: Path) -> Node:
    """Address pools merge by their subnet; a pool that the later layer does not name is lost."""
    if base.kind != "list" or over.kind != "list":
        return _stays(base, over, tell, path)
    known = {scalar_text(pool.get("subnet")): pool for pool in base.value if pool.kind == "map"}
    pairs = ((known.get(scalar_text(pool.get("subnet"))) if pool.kind == "map" else None, pool) for pool in over.value)
    return base.like("list", [_mappings(old, pool, tell, path) if old else pool for old, pool in pairs])


def unique(node: Node, tell: Tell, path: Path = ()) -> Node:
    """A tree whose lists repeat nothing (C-35). *tell* is told of each entry that disappears."""
    if node.kind == "map" and (len(path) < 3 or path[2] in INSIDE):
        return node.each(lambda key, value: unique(value, tell, (*path, key)))
    if node.kind != "list" or len(node.value) < 2 or pattern(path) not in UNIQUE:
        return node
    found: dict[str, tuple[int, Node]] = {}
    for index, item in enumerate(node.value):
        of = item.get("path") or item
        key = scalar_text(of).partition("=")[0] if of.kind not in ("map", "list", "null") else f"={index}"
        if key in found:
            tell("repeated-entry", found[key][1], (*path, found[key][0]))
        found[key] = (index, item)
    return node if len(found) == len(node.value) else node.like("list", [item for _index, item in found.values()])


def settle(node: Node) -> Node:
    """A tree without marks: what is marked `!reset` is gone, `!override` means nothing any more (C-34)."""
    if node.kind == "map":
        entries = {key: settle(value) for key, value in node.value.items() if value.mark != "reset"}
        return Node("map", entries, node.span, keys=node.keys)
    if node.kind == "list":
        return Node("list", [settle(item) for item in node.value if item.mark != "reset"], node.span)
    return Node(node.kind, node.value, node.span, node.quoted)
