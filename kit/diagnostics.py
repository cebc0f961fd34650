"""What we say about a text, and where.

A finding is a value: what it is called, what is wrong, where, and what would put it right. It is
made once and carried unchanged; turning it into text is the work of `render` and of the views.
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum

Path = tuple[str | int, ...]
"""Where a value stands in a composition: `("services", "web", "ports", 0)`."""


class Severity(StrEnum):
    """Who notices, and when (`spec/composition.md`, section 0.2)."""

    ERROR = "error"  # E-rel: no release is made
    REFUSED = "refused"  # E-dev: the release is made, and the device refuses it
    WARNING = "warning"  # W-rel: a message is printed, the release goes on
    CHANGED = "changed"  # SILENT-rel: a value is changed or dropped, and nobody is told
    IGNORED = "ignored"  # W-dev, SILENT-dev: the device does something else than written


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A run of characters on one line of a named text. Lines and columns start at 1."""

    name: str
    line: int
    column: int
    width: int = 1

    def __str__(self) -> str:
        return f"{self.name}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Fix:
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


def did_you_mean(written: str, known: tuple[str, ...]) -> str:
    """The nearest known word as a question, or all of them as a list.

    >>> did_you_mean("handover", ("download-then-kill", "hand-over"))
    'did you mean `hand-over`?'
    >>> did_you_mean("zzz", ("aarch64", "amd64"))
    'known here: aarch64, amd64'
    """
    close = get_close_matches(written, known, n=1)
    return f"did you mean `{close[0]}`?" if close else f"known here: {', '.join(known)}"
