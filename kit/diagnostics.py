"""What we say about a text, and where.

A finding is a value: what it is called, what is wrong, where, and what would put it right. It is
made once and carried unchanged; turning it into text is the work of `render` and of the views.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from functools import lru_cache
from pathlib import Path as File
from typing import Any, NamedTuple

Path = tuple[str | int, ...]
"""Where a value stands in a composition: `("services", "web", "ports", 0)`."""


class Severity(StrEnum):
    """Who notices, and when (`spec/composition.md`, section 0.2)."""

    ERROR = "error"  # E-rel: no release is made
    REFUSED = "refused"  # E-dev: the release is made, and the device refuses it
    WARNING = "warning"  # W-rel: a message is printed, the release goes on
    CHANGED = "changed"  # SILENT-rel: a value is changed or dropped, and nobody is told
    IGNORED = "ignored"  # W-dev, SILENT-dev: the device does something else than written


class Span(NamedTuple):
    """A run of characters on one line of a named text. Lines and columns start at 1."""

    name: str
    line: int
    column: int
    width: int = 1

    def __str__(self) -> str:
        return f"{self.name}:{self.line}:{self.column}"


class Fix(NamedTuple):
    """A safe repair: put `replacement` where `span` is."""

    span: Span
    replacement: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnostic:
    """One finding.

    `code` reads well after *allow* (`undefined-dependency`); `rule` is the number of the rule that
    says so (`C-55`, `S-14`); `path` is where in the composition; `reported` marks the one error
    that the real parser would report, and `error_class` is the class it would raise (C-3).
    """

    code: str
    severity: Severity
    message: str
    span: Span
    help: str = ""
    rule: str = ""
    path: Path = ()
    fix: Fix | None = None
    reported: bool = False
    error_class: str = ""

    def __str__(self) -> str:
        return f"{self.span}: {self.severity}[{self.code}] {self.message}"


def said(
    table: Mapping[str, Mapping[str, Any]], code: str, span: Span, path: Path = (), words: Mapping[str, object] = {},
    *, message: str = "", help: str = "", rule: str = "", fix: Fix | None = None,
) -> Diagnostic:  # fmt: skip
    """The finding *code* of a table, with *words* filled in; what is given by name takes the place of the table's.

    A row has `rule`, `message`, `help`, `severity` (an error without it) and, of an error, `class`.
    """
    row = table[code]
    severity = Severity(row.get("severity", "error"))
    message = (message or row["message"].format_map(words)).replace("``", '`""`')
    return Diagnostic(
        code=code, severity=severity, message=message, span=span, path=path,
        help=help or row.get("help", "").format_map(words), rule=rule or row["rule"], fix=fix,
        error_class=row.get("class", "ParseError") if severity is Severity.ERROR else "",
    )  # fmt: skip


def beside(module: str, name: str = "") -> Any:
    """The table beside a module: `reader.json` for `reader.py`, or the one that is named."""
    return json.loads(File(module).with_name(name or f"{File(module).stem}.json").read_text("utf-8"))


def did_you_mean(written: str, known: tuple[str, ...]) -> str:
    """The nearest known word as a question, or all of them as a list.

    >>> did_you_mean("handover", ("download-then-kill", "hand-over"))
    'did you mean `hand-over`?'
    >>> did_you_mean("zzz", ("aarch64", "amd64"))
    'known here: aarch64, amd64'
    """
    close = get_close_matches(written, known, n=1)
    return f"did you mean `{close[0]}`?" if close else f"known here: {', '.join(known)}"


_lines = lru_cache(8)(str.splitlines)  # thousands of findings may speak of one text


def render(found: Diagnostic, text: str = "") -> str:
    """The finding for a terminal, with its line of *text* underlined.

    >>> span = Span("c.yml", 1, 6, 3)
    >>> print(render(Diagnostic(code="x", severity=Severity.ERROR, message="`dta` is unknown", span=span), "web: dta"))
    error[x]: `dta` is unknown
     --> c.yml:1:6
      |
    1 | web: dta
      |      ^^^
    """
    rule = f" ({found.rule})" if found.rule else ""
    gutter = " " * len(number := str(found.span.line))
    drawn = [f"{found.severity}[{found.code}]{rule}: {found.message}", f"{gutter}--> {found.span}"]
    lines = _lines(text)
    if 0 < found.span.line <= len(lines):
        line = lines[found.span.line - 1].expandtabs(1)
        start = min(found.span.column - 1, len(line))
        left = max(0, min(start - 40, len(line) - 120))  # a long line is cut around the place
        shown = f"{'…' if left else ''}{line[left : left + 120]}"
        start -= left - bool(left)
        width = max(1, columns(shown[start : start + found.span.width]))
        drawn += [f"{gutter} |", f"{number} | {shown}", f"{gutter} | {' ' * columns(shown[:start])}{'^' * width}"]
    drawn += [f"{gutter} = help: {found.help}"] if found.help else []
    return "\n".join(map(printable, drawn))


def columns(text: str) -> int:
    """How many columns of a terminal *text* takes: letters of East Asia take two, marks over a letter none.

    >>> columns("web"), columns("漢字"), columns("e\u0301")
    (3, 4, 1)
    """
    return sum(0 if unicodedata.combining(char) else 1 + (unicodedata.east_asian_width(char) in "WF") for char in text)


def printable(text: str) -> str:
    """*text* without the control characters that could drive a terminal.

    >>> printable("a\x1b[31mb")
    'a\ufffd[31mb'
    """
    return "".join(char if char.isprintable() or char == " " else "\ufffd" for char in text)


def render_all(findings: Iterable[Diagnostic], texts: Mapping[str, str]) -> str:
    """Every finding with its line, each once, a blank line between two of them. `texts` maps names to texts."""
    return "\n\n".join(dict.fromkeys(render(found, texts.get(found.span.name, "")) for found in findings))


def as_json(found: Diagnostic) -> dict[str, object]:
    """The finding as plain values, ready for `json.dumps`."""

    def place(span: Span) -> dict[str, int]:
        return {"line": span.line, "column": span.column, "width": span.width}

    said = {key: str(getattr(found, key)) for key in ("code", "rule", "severity", "message", "help")}
    rest = {"path": list(found.path), "reported": found.reported, "error_class": found.error_class}
    fix = place(found.fix.span) | {"replacement": found.fix.replacement} if found.fix else None
    return {**said, "file": found.span.name, **place(found.span), **rest, "fix": fix}


_GITHUB_LEVEL = {Severity.ERROR: "error", Severity.REFUSED: "error", Severity.WARNING: "warning"}


def as_github(found: Diagnostic) -> str:
    """The finding as an annotation of a GitHub workflow ("Workflow commands", setting an error message).

    >>> as_github(Diagnostic(code="x", severity=Severity.CHANGED, message="50% off", span=Span("a,b.yml", 2, 3)))
    '::notice file=a%2Cb.yml,line=2,col=3,endColumn=4,title=x::50%25 off'
    """
    data = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
    value = data | str.maketrans({":": "%3A", ",": "%2C"})
    span = found.span
    name, title = (text.translate(value) for text in (span.name, f"{found.code} {found.rule}".strip()))
    place = f"file={name},line={span.line},col={span.column},endColumn={span.column + span.width},title={title}"
    message = f"{found.message} ({found.help})" if found.help else found.message
    return f"::{_GITHUB_LEVEL.get(found.severity, 'notice')} {place}::{message.translate(data)}"
