"""Questions, checks in order, hints in order.

Theory of operation
-------------------
An exercise is a task and a list of checks. A check is a small function: its docstring is the sentence
that the learner reads, it gets the answer as an argument, and it raises `NotYet` with a reason and three
hints that it computes from that very answer. The checks run in order and stop at the first that does not
pass, so each may rely on the ones before it. There are four outcomes:

    passed      nothing was raised
    not yet     the learner's answer is not there yet: `NotYet`
    untouched   the answer is still the one that was given
    broken      anything else was raised: our fault, shown as ours, and nothing is recorded

Checks hold no answers. They ask the kit what the learner's answer does, on the cases that are shown and
on cases made from a seed; a solution is computed when it is asked for, and passes the checks first.
"""

from __future__ import annotations

import difflib
import inspect
import random
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple

from .diagnostics import beside
from .looks import escaped, glyph, prose, style

Result = Literal["passed", "not yet", "untouched", "broken"]
Check = Callable[..., None]
_FORMS: Final[dict[str, Any]] = beside(__file__)
HINTS: Final[list[str]] = _FORMS["hints"]
OTHERWISE: Final[str] = _FORMS["otherwise"]
PANELS: Final[dict[Result, tuple[str, str, str]]] = _FORMS["panels"]
"""Result to the mark, the tint and the opening of its panel."""
NOTHING: Final = object()


class Record(NamedTuple):
    """One exercise: answers tried, hints asked for, whether one passed, and how often each check was the last."""

    attempts: int = 0
    hints: int = 0
    passed: bool = False
    stopped: Mapping[str, int] = {}

    def merged(self, other: Record) -> Record:
        """Of both the most: nothing is lost, and what both have counts once."""
        attempts, hints = max(self.attempts, other.attempts), max(self.hints, other.hints)
        return Record(attempts, hints, self.passed or other.passed, Counter(self.stopped) | Counter(other.stopped))


NEW: Final = Record()


class NotYet(Exception):  # noqa: N818 - it is no error
    """A learner's answer is not there yet: why, and up to three hints, each nearer to the answer."""

    def __init__(self, reason: str, *hints: str) -> None:
        super().__init__(reason)
        self.reason, self.hints = f"{reason.rstrip('.')}.", hints


class Outcome(NamedTuple):
    """What one check says: its result, the sentence it stands for, the reason and the hints."""

    result: Result
    check: str
    reason: str = ""
    hints: tuple[str, ...] = ()


def run(checks: Iterable[Check], answer: object, seed: int = 0) -> list[Outcome]:
    """Run *checks* in order on *answer*, up to the first that does not pass.

    A check that takes two arguments gets a `random.Random(seed)` for its generated cases.

    >>> def even(answer):
    ...     "The answer is even."
    ...     if answer % 2:
    ...         raise NotYet(f"{answer} is odd", "add one")
    >>> run([even], 3)
    [Outcome(result='not yet', check='The answer is even.', reason='3 is odd.', hints=('add one',))]
    """
    outcomes: list[Outcome] = []
    for check in checks:
        sentence = (inspect.getdoc(check) or check.__name__).partition("\n")[0]
        try:
            wants_cases = len(inspect.signature(check).parameters) > 1
            check(answer, random.Random(seed)) if wants_cases else check(answer)  # noqa: S311 - cases, not secrets
        except NotYet as notyet:
            return [*outcomes, Outcome("not yet", sentence, notyet.reason, notyet.hints)]
        except Exception as error:
            reason = f"The check could not run: {type(error).__name__}: {error}."
            return [*outcomes, Outcome("broken", sentence, reason)]
        outcomes.append(Outcome("passed", sentence))
    return outcomes


class Card(NamedTuple):
    """An exercise as the learner sees it now. It shows itself in a terminal and in a notebook."""

    text: str
    html: str
    result: Result = "untouched"
    hints: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        return self.html


def formed(form: str, **parts: object) -> str:
    """A piece of HTML from `exercises.json`; *parts* are HTML already."""
    return str(_FORMS[form]).format(**parts)


def panel(result: Result, opening: str, sentence: str) -> str:
    """A result with its mark and its tint, as HTML."""
    mark, tint, _usual = PANELS[result]
    return formed("panel", tint=tint, mark=glyph(mark, 20), opening=prose(opening), sentence=prose(sentence))


def framed(html: str, name: str) -> str:
    """A card around *html*."""
    return formed("frame", style=style(), name=escaped(name), html=html)


def said(result: Result, opening: str, sentence: str, name: str) -> Card:
    """A card with one panel."""
    opening = opening or PANELS[result][2]
    return Card(f"{opening} {sentence}".rstrip(), framed(panel(result, opening, sentence), name), result)


@dataclass(slots=True, kw_only=True)
class Exercise:
    """One question. Its record remembers attempts and hints asked for; neither counts against anybody.

    `start` is the answer that the notebook gives; `solve` computes an answer that works from the
    learner's own; `show` turns an answer into the text that a difference is made of.
    """

    number: str
    title: str
    task: str
    checks: Sequence[Check]
    solve: Callable[[Any], Any]
    start: object = None
    show: Callable[[Any], str] = str
    praise: str = ""
    seed: int = 1
    record: Record = NEW
    level: int = 0
    answer: object = NOTHING

    def check(self, answer: object) -> Card:
        """Look at an answer and say how far it is."""
        self.answer, self.level = getattr(answer, "answer", answer), 0  # a lab is its own answer
        outcomes = self._outcomes()
        result, sentence, *_rest = outcomes[-1]
        if result in ("passed", "not yet"):
            attempts, hints, passed, stopped = self.record
            stopped = stopped if result == "passed" else {**stopped, sentence: stopped.get(sentence, 0) + 1}
            self.record = Record(attempts + 1, hints, passed or result == "passed", stopped)
        return self._card(outcomes)

    def hint(self) -> Card:
        """The next hint for the answer that was checked last."""
        outcomes = self._outcomes()
        if outcomes[-1].result in ("not yet", "untouched") and self.level < len(HINTS):
            self.record, self.level = self.record._replace(hints=self.record.hints + 1), self.level + 1
        return self._card(outcomes)

    def solution(self) -> Card:
        """An answer that passes, as a difference to the one that was checked last."""
        result = self._outcomes()[-1].result
        if result == "passed":
            return said("passed", "Your answer passes already.", "There is nothing to change.", self.title)
        answer = self.start if self.answer is NOTHING else self.answer
        try:
            solved = self.solve(answer)
            if (last := run(self.checks, solved, self.seed)[-1]).result != "passed":
                raise RuntimeError(f"the computed answer does not pass: {last.reason}")
            difference = difflib.ndiff(self._shown(answer).splitlines(), self.show(solved).splitlines())
        except Exception as error:
            return said("broken", "", f"No solution could be computed: {error}.", self.title)
        lines = [line for line in difference if not line.startswith("?")]
        tags = {"-": "del", "+": "ins", " ": "span"}
        parts = ((tags[line[0]], len(line) - len(line[1:].lstrip()), line) for line in lines)
        drawn = "\n".join(f"{escaped(line[:at])}<{tag}>{escaped(line[at:])}</{tag}>" for tag, at, line in parts)
        head = f"One answer to {self.number} that passes. Lines with - go, lines with + come."
        html = formed("solution", head=escaped(head), lines=drawn)
        return Card("\n".join([head, "", *lines]), framed(html, f"Solution of {self.number}"), result)

    def _shown(self, answer: object) -> str:
        """The answer as text; what cannot be shown is shown as it is."""
        try:
            return self.show(answer)
        except Exception:
            return str(answer)

    def _outcomes(self) -> list[Outcome]:
        """The outcomes of the checks; the last one decides."""
        untouched = self.answer is NOTHING or self._shown(self.answer).strip() == self._shown(self.start).strip()
        *passed, last = run(self.checks, self.start if untouched else self.answer, self.seed)
        if untouched and last.result != "broken":
            last = Outcome("untouched", last.check, "Change something, then run the check.", last.hints)
        return [*passed, last]

    def _card(self, outcomes: Sequence[Outcome]) -> Card:
        """The task, the result panel, the hints, and what was tried."""
        result, _sentence, reason, given = outcomes[-1]
        cases = f"{sum(outcome.result == 'passed' for outcome in outcomes)} of {len(self.checks)} cases pass"
        opening, reason = PANELS[result][2] or f"{cases}.", reason or self.praise
        reason += f" {cases} so far." if result == "not yet" and len(outcomes) > 1 else ""
        hints = (*given, OTHERWISE, OTHERWISE, OTHERWISE)[:3] if result in ("not yet", "untouched") else ()
        attempts, asked, *_rest = self.record
        asking = f"{asked} hint{'s' * (asked != 1)} asked for"
        tried = f"{attempts} attempt{'s' * (attempts != 1)}, {asking}. Neither counts against you."
        rows = zip(HINTS, hints, (" open",) * self.level + ("",) * len(HINTS), strict=False)
        details = "".join(formed("hint", title=title, hint=prose(hint), open=shown) for title, hint, shown in rows)
        words = {"number": escaped(self.number), "title": prose(self.title), "task": prose(self.task), "tried": tried}
        html = formed("card", panel=panel(result, opening, reason), hints=details, **words)
        told = (f"{title}: {hint}" for title, hint in zip(HINTS[: self.level], hints, strict=False))
        text = "\n".join([f"{self.number} {self.title}", f"{opening} {reason}", *told, tried])
        return Card(text, framed(html, f"Exercise {self.number}"), result, hints)
