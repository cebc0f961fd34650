"""The exercises of the notebooks: one module for each.

Checks hold no answers. They know the task as data, ask the kit what an answer does, and say what differs.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Final

import kit
from course import lesson
from course.lesson import predict
from course.progress import Progress
from kit.device import data_folder
from kit.diagnostics import Diagnostic, Severity
from kit.exercises import NotYet
from kit.reader import Reading
from labs.decisions import Page, explain
from labs.reachability_model import Opening

Lesson: Final = partial(lesson.Lesson, keeper=Progress)
"""The exercises of one notebook, kept in the progress file beside it once the lesson is shown."""


def example_file(name: str) -> Path:
    """The file of one of the compositions in `data/compositions`; what it builds lies beside it."""
    return data_folder() / "compositions" / f"{name}.yml"


def example(name: str) -> Reading:
    """One of the compositions in `data/compositions`, by name."""
    return kit.read(example_file(name))


def open_at(openings: Iterable[Opening], port: int, target: int | None = None) -> bool:
    """Whether another machine gets through one of the openings with TCP: at this port, to this port of the service."""
    return any(
        each.port == port and target in (None, each.target) and each.protocol == "tcp" and not each.local
        for each in openings
    )


def listed(words: list[str]) -> str:
    """
    >>> listed(["a", "b", "c"])
    'a, b and c'
    """
    return " and ".join(filter(None, (", ".join(words[:-1]), "".join(words[-1:]))))


def understood(answer: object) -> Reading:
    """The answer as a composition, or the first finding as a reason."""
    if not isinstance(answer, str):
        raise NotYet(
            f"This is a `{type(answer).__name__}`, and the exercise wants the text of a composition",
            "The text stands between three quotation marks on each side.",
            '`answer = """` opens it, and `"""` on a line of its own closes it.',
            "Run the cell above once more, change one word in the text, and keep the rest.",
        )
    reading = kit.read(answer)
    for found in (*reading.findings, *kit.check(reading)):
        if found.severity in (Severity.ERROR, Severity.REFUSED):
            raise unreadable(answer, found)
    if reading.composition is None or not reading.composition.services:
        raise NotYet("There is no service in this text", *["A composition begins with `services:`."] * 3)
    return reading


def unreadable(text: str, found: Diagnostic) -> NotYet:
    """A finding as a reason, with hints that come nearer to its place."""
    lines = text.splitlines()
    number = found.span.line
    line = lines[number - 1].strip() if 0 < number <= len(lines) else ""
    return NotYet(
        f"Line {number}: {found.message} ({found.rule})." if found.rule else f"Line {number}: {found.message}.",
        f"Look at line {number} only; the other lines are not the matter.",
        f"Line {number} says `{line}`." if line else "The text ends too early.",
        f"{found.help[:1].upper()}{found.help[1:]}"
        if found.help
        else "Compare the line with its neighbours: spaces, colon, dash.",
    )


def reveal(guess: str, composition: kit.Composition, device: kit.Device) -> Page:
    """A guess beside the truth, and the reasons. Without a guess there are none yet."""
    decision = kit.decide(composition, device.facts)
    card = predict(guess, decision.outcome)
    if card.result == "untouched":
        return Page(str(card), card.html)
    shown = explain(composition, device)
    return Page(f"{card}\n\n{shown}", card.html + shown.html)
