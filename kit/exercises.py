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
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from .looks import escaped, glyph, prose, style

Result = Literal["passed", "not yet", "untouched", "broken"]
Check = Callable[..., None]
LEVELS: Final = ("a nudge", "where to look", "nearly the answer")
OTHERWISE: Final = "Read the sentence above once more: it names what differs."
# result: the mark, the tint and the opening of its panel
PANELS: Final[dict[Result, tuple[str, str, str]]] = {
    "passed": ("run", "run", ""),
    "not yet": ("ask", "ask", "Not yet."),
    "untouched": ("wait", "", "Not tried yet."),
    "broken": ("fault", "ref", "Our fault, not yours."),
}
NOTHING: Final = object()


class NotYet(Exception):  # noqa: N818 - it is no error
    """A learner's answer is not there yet: why, and up to three hints, each nearer to the answer."""

    def __init__(self, reason: str, *hints: str) -> None:
        super().__init__(reason)
        self.reason, self.hints = f"{reason.rstrip('.')}.", hints


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one check says: its result, the sentence it stands for, the reason and the hints."""

    result: Result
    check: str
    reason: str = ""
    hints: tuple[str, ...] = ()

    def __str__(self) -> str:
        return " ".join(filter(None, (f"{self.result}: {self.check}", self.reason)))


def run(checks: Iterable[Check], answer: object, seed: int = 0) -> list[Outcome]:
    """Run *checks* in order on *answer*, up to the first that does not pass.

    A check that takes two arguments gets a `random.Random(seed)` for its generated cases.

    >>> def even(answer):
    ...     "The answer is even."
    ...     if answer % 2:
    ...         raise NotYet(f"{answer} is odd", "add one")
    >>> [str(outcome) for outcome in run([even], 3)]
    ['not yet: The answer is even. 3 is odd.']
    """
    outcomes = []
    for check in checks:
        sentence = (inspect.getdoc(check) or check.__name__).partition("\n")[0]
        try:
            wants_cases = len(inspect.signature(check).parameters) > 1
            check(answer, random.Random(seed)) if wants_cases else check(answer)  # noqa: S311 - cases, not secrets
        except NotYet as notyet:
            outcomes.append(Outcome("not yet", sentence, notyet.reason, notyet.hints))
        except Exception as error:
            outcomes.append(Outcome("broken", sentence, f"The check could not run: {type(error).__name__}: {error}."))
        else:
            outcomes.append(Outcome("passed", sentence))
            continue
        break
    return outcomes


@dataclass(frozen=True, slots=True)
class Card:
    """An exercise as the learner sees it now. It shows itself in a terminal and in a notebook."""

    text: str
    html: str
    result: Result = "untouched"
    hints: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.text

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return self.html


def panel(result: Result, opening: str, sentence: str) -> str:
    """A result with its mark and its tint, as HTML."""
    mark, tint, usual = PANELS[result]
    words = f"<div><b>{escaped(opening or usual)}</b> {prose(sentence)}</div>"
    return f'<div class="mc-panel{f" mc-tint-{tint}" if tint else ""}">{glyph(mark, 20)}{words}</div>'


def framed(html: str, name: str) -> str:
    """A card around *html*."""
    return f'{style()}<section class="mc mc-card" lang="en" aria-label="{escaped(name)}">{html}</section>'


def said(result: Result, opening: str, sentence: str, name: str) -> Card:
    """A card with one panel."""
    text = " ".join(filter(None, (opening or PANELS[result][2], sentence)))
    return Card(text, framed(panel(result, opening, sentence), name), result)


@dataclass(slots=True, kw_only=True)
class Exercise:
    """One question. It remembers attempts and hints asked for; neither counts against anybody.

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
    attempts: int = 0
    asked: int = 0
    level: int = 0
    done: bool = False
    answer: object = field(default=NOTHING)

    def check(self, answer: object) -> Card:
        """Look at an answer and say how far it is."""
        self.answer, self.level = getattr(answer, "answer", answer), 0  # a lab is its own answer
        outcome, passes = self._outcome()
        if outcome.result in ("passed", "not yet"):
            self.attempts += 1
            self.done = self.done or outcome.result == "passed"
        return self._card(outcome, passes)

    def hint(self) -> Card:
        """The next hint for the answer that was checked last."""
        outcome, passes = self._outcome()
        if outcome.result in ("not yet", "untouched") and self.level < len(LEVELS):
            self.asked, self.level = self.asked + 1, self.level + 1
        return self._card(outcome, passes)

    def solution(self) -> Card:
        """An answer that passes, as a difference to the one that was checked last."""
        outcome, _passes = self._outcome()
        if outcome.result == "passed":
            return said("passed", "Your answer passes already.", "There is nothing to change.", self.title)
        answer = self.start if self.answer is NOTHING else self.answer
        try:
            solved = self.solve(answer)
            failed = next((other for other in run(self.checks, solved, self.seed) if other.result != "passed"), None)
            if failed is not None:
                raise RuntimeError(f"the computed answer does not pass: {failed.reason}")
            before, after = self._shown(answer).splitlines(), self.show(solved).splitlines()
        except Exception as error:
            return said("broken", "", f"No solution could be computed: {error}.", self.title)
        lines = [line for line in difflib.ndiff(before, after) if not line.startswith("?")]
        tag = {"-": "del", "+": "ins", " ": "span"}
        drawn = "\n".join(f"<{tag[line[0]]}>{escaped(line)}</{tag[line[0]]}>" for line in lines)
        head = f"One answer to {self.number} that passes. Lines with - go, lines with + come."
        html = f'<p>{escaped(head)}</p><pre class="mc-source"><code>{drawn}</code></pre>'
        return Card("\n".join([head, "", *lines]), framed(html, f"Solution of {self.number}"), outcome.result)

    def _shown(self, answer: object) -> str:
        """The answer as text; what cannot be shown is shown as it is."""
        try:
            return self.show(answer)
        except Exception:
            return str(answer)

    def _outcome(self) -> tuple[Outcome, int]:
        """The outcome that decides, and how many checks pass."""
        untouched = self.answer is NOTHING or self._shown(self.answer).strip() == self._shown(self.start).strip()
        outcomes = run(self.checks, self.start if untouched else self.answer, self.seed)
        last, passes = outcomes[-1], sum(outcome.result == "passed" for outcome in outcomes)
        if untouched and last.result != "broken":
            return Outcome("untouched", last.check, "Change something, then run the check.", last.hints), passes
        return last, passes

    def _card(self, outcome: Outcome, passes: int) -> Card:
        """The task, the result panel, the hints, and what was tried."""
        total = len(self.checks)
        reason = outcome.reason or self.praise
        opening = PANELS[outcome.result][2] or f"{passes} of {total} cases pass."
        counted = f" {passes} of {total} cases pass so far." if outcome.result == "not yet" and passes else ""
        hints = tuple((*outcome.hints, *([OTHERWISE] * 3))[:3]) if outcome.result in ("not yet", "untouched") else ()
        titles = [f"Hint {level} of 3: {words}" for level, words in enumerate(LEVELS, 1)]
        plural = "" if self.attempts == 1 else "s"
        asked = f", {self.asked} hint{'' if self.asked == 1 else 's'} asked for" if self.asked else ""
        tried = f"{self.attempts} attempt{plural}{asked}. Neither counts against you."
        html = (
            f'<p class="mc-small mc-quiet">Exercise {escaped(self.number)}</p><h4>{prose(self.title)}</h4>'
            f"<p>{prose(self.task)}</p>{panel(outcome.result, opening, reason + counted)}"
            + "".join(
                f"<details{' open' if level < self.level else ''}><summary>{titles[level]}</summary>"
                f"<p>{prose(hint)}</p></details>"
                for level, hint in enumerate(hints)
            )
            + f'<hr><p class="mc-small mc-quiet">{tried}</p>'
        )
        told = [f"{titles[level]}: {hint}" for level, hint in enumerate(hints[: self.level])]
        text = "\n".join([f"{self.number} {self.title}", f"{opening} {reason}{counted}", *told, tried])
        return Card(text, framed(html, f"Exercise {self.number}"), outcome.result, hints)


@dataclass(slots=True)
class Lesson:
    """The exercises of one notebook, and how many of them are done: the strip under the title."""

    number: str
    title: str
    exercises: tuple[Exercise, ...]

    def check(self, number: str, answer: object) -> Card:
        """Check an answer: `check("04.1", answer)`."""
        return self._shown(number, lambda exercise: exercise.check(answer))

    def hint(self, number: str) -> Card:
        """The next hint: `hint("04.1")`."""
        return self._shown(number, Exercise.hint)

    def solution(self, number: str) -> Card:
        """An answer that passes, as a difference to yours: `solution("04.1")`."""
        return self._shown(number, Exercise.solution)

    def _shown(self, number: str, ask: Callable[[Exercise], Card]) -> Card:
        exercise = next((exercise for exercise in self.exercises if exercise.number == str(number)), None)
        if exercise is None:
            known = " and ".join(exercise.number for exercise in self.exercises)
            sentence = f"There is no exercise `{number}` here. This notebook has {known}."
            return Card(sentence, framed(f"<p>{prose(sentence)}</p>", self.title))
        card = ask(exercise)
        if "IPython" in sys.modules:  # a notebook: the strip under the title follows
            from IPython import display, get_ipython

            if get_ipython() is not None:
                display.update_display(  # type: ignore[no-untyped-call]
                    self._bundle(), display_id=self._id, raw=True
                )
        return card

    @property
    def _id(self) -> str:
        return f"kit-lesson-{self.number}"

    def __str__(self) -> str:
        done = sum(exercise.done for exercise in self.exercises)
        return f"{done} of {len(self.exercises)} exercises pass"

    def _bundle(self) -> dict[str, str]:
        cells = "".join(f"<i{' class=mc-done' if exercise.done else ''}></i>" for exercise in self.exercises)
        strip = f'<div class="mc-progress">{cells}<span>{self}</span></div>'
        return {
            "text/plain": str(self),
            "text/html": f'{style()}<div class="mc mc-head" style="background:none">{strip}</div>',
        }

    def _ipython_display_(self) -> None:
        from IPython.display import display

        display(self._bundle(), raw=True, display_id=self._id)  # type: ignore[no-untyped-call]


def predict(guess: object, outcome: str, why: str = "") -> Card:
    """A guess beside what happens. Without a guess it says only how to make one.

    >>> print(predict("partial", "rejected", "`gpu` is not optional."))
    You said partial. It is rejected. `gpu` is not optional.
    """
    said_so = str(guess or "").strip().lower()
    result: Result = "untouched" if not said_so else "passed" if said_so == outcome else "not yet"
    opening, sentence = {
        "untouched": ("", "Write your guess between the quotation marks, then run this cell again."),
        "passed": (f"You said {said_so}, and so it is.", why),
        "not yet": (f"You said {said_so}.", f"It is {outcome}. {why}"),
    }[result]
    return said(result, opening, sentence, "Your guess")
