"""Rows of controls with heads above them: what the labs share in which services come and go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar

MOST: Final = 8
"""Rows of a lab."""
NUMBERS: Final = tuple(map(str, range(1, MOST + 1)))
"""What rows are called."""
SHEET: Final = Path(__file__).with_suffix(".css").read_text("utf-8")
"""Their style sheet."""


def heads(words: tuple[str, ...]) -> str:
    """The heads of the columns, seen above controls only; each control has a name of its own for who hears them.

    >>> heads(("service", "ports"))
    '<div class="mc-heads" style="display:none" aria-hidden="true"><span>service</span><span>ports</span></div>'
    """
    spans = "".join(f"<span>{word}</span>" for word in words)
    return f'<div class="mc-heads" style="display:none" aria-hidden="true">{spans}</div>'


class Rows(Protocol):
    """Inputs in rows: each column is a mapping from the number of a row to its value, and `count` rows are shown."""

    @property
    def count(self) -> int: ...

    @property
    def rows(self) -> tuple[Any, ...]: ...


T = TypeVar("T", bound=Rows)


def with_rows(inputs: T, rows: Sequence[Any], blank: Any) -> T:
    """The inputs with these rows in place of theirs; the places that are left are *blank*. A row is a named tuple."""
    filled = [*rows, *[blank] * (MOST - len(rows))]
    columns: dict[str, Any] = {
        column: dict(zip(NUMBERS, (getattr(row, column) for row in filled), strict=True)) for column in blank._fields
    }
    return replace(inputs, count=len(rows), **columns)  # type: ignore[type-var]


def with_another(inputs: T, blank: Any, first: str) -> T:
    """One more row, where there is room; it is called *first*, or by a number when that name is taken."""
    names = {row.name for row in inputs.rows}
    name = next(name for name in (first, *(f"service-{number}" for number in NUMBERS)) if name not in names)
    rows = [*inputs.rows, blank._replace(name=name)]
    return with_rows(inputs, rows, blank) if inputs.count < MOST else inputs


def without(inputs: T, blank: Any, number: str) -> T:
    """Without the row of that number."""
    at = NUMBERS.index(number)
    return with_rows(inputs, [row for place, row in enumerate(inputs.rows) if place != at], blank)
