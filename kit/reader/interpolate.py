"""Variables in texts: `$NAME`, `${NAME}` and its operators (C-24 … C-31).

    text     = { character | "$$" | "$" name | "${" name [ operator text ] "}" }
    operator = "-" | ":-" | "+" | ":+" | "?" | ":?"

Values come from the environment of whoever parses, which is an argument here and never that of this process.
What was put in is not read again: there is one pass, and no way to bring in YAML.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from ..diagnostics import Path, Span
from ..source import Node
from .fields import CASTS, cast, pattern
from .notes import Notes

NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
BRACED: Final = re.compile(rf"({NAME.pattern})(?:(:?[-+?])([^\n]*))?")
BRACES: Final = re.compile(r"\{.?|\}", re.DOTALL)
BARE: Final = re.compile(r"\$(?:([A-Za-z_][A-Za-z0-9_]*)|\{([A-Za-z_][A-Za-z0-9_]*)\})")
DASHED: Final = re.compile(r"\$\{([A-Z_][A-Z0-9_]*)-([A-Z][A-Z0-9_]*)\}")
COMMANDS: Final = frozenset({"command", "entrypoint", "healthcheck", "post_start", "pre_stop"})
VARIABLE: Final = re.compile(r"(?<!\$)\$[A-Za-z_{]")
OPERATOR: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*:?[-+?]")
PROJECT_NAME: Final = "00000000-0000-4000-8000-000000000000"
NESTED: Final = 30
CASTABLE: Final = frozenset(path.rpartition(".")[2] for path in CASTS)

Ask = Callable[[str], str | None]
"""The value of a variable, or None when it is not set."""


class Malformed(ValueError):  # noqa: N818
    """A `${` that begins no expression (C-24)."""


class Missing(ValueError):  # noqa: N818
    """A required variable has no value: its name, and the message in the text (C-25)."""


def substitute(text: str, ask: Ask, _depth: int = 0) -> str:
    """*text* with the values of its variables. Raises Malformed or Missing.

    >>> substitute("$A-x ${A-x} ${B:-${A}!} $$A $1", {"A": "1"}.get)
    '1-x 1 1! $A $1'
    """
    done, at = [], 0
    while (start := text.find("$", at)) >= 0:
        done.append(text[at:start])
        follower = text[start + 1 : start + 2]
        if follower == "{":
            end = _closing(text, start)
            done.append(_expression(text[start + 2 : end], ask, _depth))
            at = end + 1
        elif found := NAME.match(text, start + 1):
            done.append(ask(found[0]) or "")
            at = found.end()
        else:  # `$$` is a dollar; before anything else a dollar is only a dollar
            done.append("$")
            at = start + (2 if follower == "$" else 1)
    return "".join(done) + text[at:]


def _closing(text: str, start: int) -> int:
    """Where the brace of the `${` at *start* closes.

    The engine counts braces, but does not look at what follows an opening one. Where its count does not come
    out, everything to the last brace of the line belongs to the expression: `${A:-{}}` is one.
    """
    newline = text.find("\n", start)
    line = len(text) if newline < 0 else newline
    if not OPERATOR.match(text, start + 2):
        last = text.find("}", start, line)
    else:
        last = text.rfind("}", start, line)
        depth = 0
        for brace in BRACES.finditer(text, start, last + 1):
            depth += -1 if brace[0] == "}" else 1
            if depth == 0:
                return brace.start()
    if last < 0:
        raise Malformed
    return last


def _expression(inner: str, ask: Ask, depth: int) -> str:
    found = BRACED.fullmatch(inner)
    if not found or depth > NESTED:
        raise Malformed
    name, operator, rest = found.groups()
    value = ask(name)
    if operator is None:
        return value or ""
    other = substitute(rest, ask, depth + 1)  # also when it is not needed: a mistake in it is a mistake
    given = value is not None and (bool(value) or ":" not in operator)
    if operator[-1] == "+":
        return other if given else ""
    if operator[-1] == "?" and not given:
        raise Missing(name, other)
    return (value or "") if given else other


@dataclass(frozen=True)
class Shell:
    """The environment of whoever parses, and what a reading asked of it.

    `missed` says where variables that are not set were first asked for. `apart` are values that hold for one file
    only: those of the `.env` beside an included file (C-27).
    """

    values: Mapping[str, str]
    apart: Mapping[str, str] = field(default_factory=dict)
    missed: dict[str, Span] = field(default_factory=dict)

    def ask(self, name: str, at: Span | None = None) -> str | None:
        """The value of a variable that is asked for at a place; the environment beats a file."""
        value = PROJECT_NAME if name == "COMPOSE_PROJECT_NAME" else self.values.get(name, self.apart.get(name))
        if value is None and at is not None:
            self.missed.setdefault(name, at)
        return value


def interpolate(node: Node, shell: Shell, note: Notes, path: Path = ()) -> Node:
    """Every text of a tree with its variables filled in, then cast where its field wants it (C-28, C-30)."""
    if node.mark == "reset":  # the value of a `!reset` is not looked at
        return node
    if node.kind == "map":
        for key in node.value:
            if "$" in key and VARIABLE.search(key):
                note.say("variable-in-key", node.key_span(key), (*path, key), name=key)
        return node.each(lambda key, value: interpolate(value, shell, note, (*path, key)))
    if node.kind == "list":
        items = [interpolate(item, shell, note, (*path, index)) for index, item in enumerate(node.value)]
        return node.like("list", items) if any(a is not b for a, b in zip(items, node.value, strict=True)) else node
    if node.kind == "str" and "$" in node.value:
        node = _filled(node, shell, note, path)
    if node.kind == "str" and path and (path[-1] in CASTABLE or (len(path) == 4 and path[2] == "ulimits")):
        return _cast(node, note, path)
    return node


def _filled(node: Node, shell: Shell, note: Notes, path: Path) -> Node:
    before = after = node.value
    try:
        after = substitute(before, lambda name: shell.ask(name, node.span))
    except Malformed:
        note.say("unreadable-variable", node, path, text=before)
    except Missing as missing:
        name, message = missing.args
        note.say("missing-variable", node, path, name=name, words=message and f": {message}")
    if after == before:
        return node
    filled = before.replace("$$", "$") != after  # not only a `$$` that became a dollar
    bare = dict.fromkeys(found[1] or found[2] for found in BARE.finditer(before.replace("$$", "")))
    if empty := [f"`{name}`" for name in bare if shell.ask(name) is None]:
        names = " and ".join(empty[:3]) + (f" and {len(empty) - 3} more" if len(empty) > 3 else "")
        are, become = ("are", "they become") if len(empty) > 1 else ("is", "it becomes")
        note.say("unset-variable", node, path, change=(before, after), names=names, are=are, become=become)
    elif "COMPOSE_PROJECT_NAME" in before:
        note.say("random-project-name", node, path, change=(before, after))
    elif filled and COMMANDS.intersection(path[2:3]):
        note.say("variable-filled-in", node, path, change=(before, after), text=before, value=after)
    elif filled:
        note.change(path, before, after, "C-27", node)
    for dash in DASHED.finditer(before):
        note.say("dash-is-default", node, path, text=dash[0], name=dash[1], other=dash[2])
    return node.like("str", after)


WANTED: Final = {"bool": "true or false", "int": "a whole number", "float": "a number"}


def _cast(node: Node, note: Notes, path: Path) -> Node:
    if (kind := CASTS.get(pattern(path))) is None:
        return node
    value = cast(node.value, kind)
    if value is None:
        note.say("failed-cast", node, path, name=path[-1], wanted=WANTED[kind], value=node.value)
    return node if value is None else node.like(kind, value)
