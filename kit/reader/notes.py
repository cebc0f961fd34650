"""What the reading stages write down: findings for people, changes for the vanishing list.

One `Notes` travels through all stages of one reading. Nothing is raised and nothing stops at the first
error: a stage notes what is wrong and goes on with what could be understood. `results` then marks the one
error that the real parser would show (C-3).
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import Any, Final

from ..diagnostics import Diagnostic, Fix, Path, Severity, Span, beside, did_you_mean, said
from ..source import Node

SAYINGS: Final[dict[str, dict[str, Any]]] = beside(__file__, "findings.json") | beside(__file__, "loading.json")
"""What each finding says, by its code: rule, severity, message, help and, for errors, class and stage.
`at` is with those of the device that speak of a key, and stand there."""

MOST_HINTS: Final = 100
"""Looking for the nearest word is slow: a text with more mistakes than this gets no more hints."""

FALSE_ALARM: Final = "port-mode-false-alarm"
"""The warning that comes for every port although nothing is wrong (C-4)."""


Where = Callable[[Path], Span]
"""Finds the place of a path in the source."""


def nowhere(_path: Path) -> Span:
    """The place of a value that was never written."""
    return Span("composition", 1, 1)


@dataclass(frozen=True, slots=True)
class Change:
    """A value that was written and is gone or different afterwards. `after` is None when nothing is left."""

    path: Path
    before: object
    after: object
    rule: str
    severity: Severity
    span: Span
    message: str = ""


class Notes:
    """Collects findings and changes."""

    def __init__(self, where: Where = nowhere) -> None:
        self.where = where
        self.changes: list[Change] = []
        self._hints = MOST_HINTS
        self._found: list[tuple[tuple[int, tuple[int, ...], str], Diagnostic]] = []

    def change(self, path: Path, before: object, after: object, rule: str, at: Node | Span) -> None:
        """A line of the vanishing list, without a finding."""
        self.changes.append(Change(path, before, after, rule, Severity.CHANGED, place(at)))

    def say(
        self, code: str, at: Node | Span, path: Path = (), *, change: tuple[object, object] | None = None,
        rule: str = "", stage: int | None = None, order: tuple[int, ...] = (), message: str = "", help: str = "",
        fix: Fix | None = None, **words: object,
    ) -> None:  # fmt: skip
        """The finding *code* of the tables, with *words* filled in; *change* is what was and what is now.

        `stage` and `order` rank an error among all errors, before the path (C-3). `rule`, `message` and `help` take
        the place of the table's.
        """
        found = said(SAYINGS, code, place(at), path, words, message=message, help=help, rule=rule, fix=fix)
        self.take(found, SAYINGS[code].get("stage", 0) if stage is None else stage, order)
        if change is not None:
            self.changes.append(Change(path, *change, found.rule, found.severity, found.span, found.message))

    def tell(self, code: str, path: Path, **words: Any) -> None:
        """The finding *code* about a path, at the place that `where` knows of it."""
        self.say(code, self.where(path), path, **words)

    def take(self, found: Diagnostic, stage: int, order: tuple[int, ...] = ()) -> None:
        """Take over a finding that was made elsewhere, in the stage of that number (C-2)."""
        self._found.append(((stage, order, path_text(found.path)), found))

    def known(self, written: str, known: Collection[str]) -> str:
        """`did you mean …?`, or all known words."""
        return self.hint(written, tuple(known)) or f"known here: {', '.join(known)}"

    def hint(self, written: str, known: tuple[str, ...]) -> str:
        """`did you mean …?`, or nothing when no known word is near."""
        self._hints -= 1
        if self._hints < 0 or len(known) > MOST_HINTS or len(written) > MOST_HINTS:
            return ""
        text = did_you_mean(written, known)
        return text if text.startswith("did") else ""

    @property
    def failed(self) -> bool:
        """True once there is an error: no release would be made."""
        return any(found.severity is Severity.ERROR for _key, found in self._found)

    def results(self) -> tuple[Diagnostic, ...]:
        """Everything found, by place, each thing once; the error that the real parser reports is marked."""
        errors = [(key, index) for index, (key, found) in enumerate(self._found) if found.severity is Severity.ERROR]
        first = min(errors)[1] if errors else -1
        marked = [replace(found, reported=True) if i == first else found for i, (_key, found) in enumerate(self._found)]
        if len(errors) > 1:
            marked.append(_unsaid(marked[first], len(errors) - 1))
        return tuple(sorted(dict.fromkeys(marked), key=lambda found: found.span[:3]))


def _unsaid(reported: Diagnostic, others: int) -> Diagnostic:
    """The finding that balena would show one error and keep silent about the others (C-3)."""
    return replace(
        reported, code="errors-unsaid", rule="C-3", severity=Severity.CHANGED, reported=False, error_class="", fix=None,
        help="", message=f"balena stops here, and says nothing of {others} more error{'s'[: others > 1]}",
    )  # fmt: skip


def place(at: Node | Span) -> Span:
    """The span of *at*, which may be one itself."""
    return at if isinstance(at, Span) else at.span


def path_text(path: Path) -> str:
    """A path as people write it.

    >>> path_text(("services", "web", "ports", 0))
    'services.web.ports.0'
    """
    return ".".join(map(str, path))
