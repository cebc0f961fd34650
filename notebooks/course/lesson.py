"""A lesson: the exercises of one notebook, the strip under its title, and the guess before it.

>>> from kit.exercises import Exercise, NotYet
>>> def even(answer):
...     "The answer is even."
...     if answer % 2:
...         raise NotYet(f"{answer} is odd", "add one")
>>> one = Exercise(number="00.1", title="Even", task="Write an even number.", checks=[even], solve=lambda old: old + 1)
>>> lesson = Lesson("00", "Numbers", (one,))
>>> print(lesson.check("00.1", 4).result, "-", lesson)
passed - 1 of 1 exercises pass
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from kit.exercises import NEW, NOTHING, Card, Exercise, Record, formed, said
from kit.looks import prose, style


class Keeper(Protocol):
    """What keeps records from one day to the next; `note` is a sentence for the learner if it cannot."""

    note: str

    def read(self) -> Mapping[str, Record]:
        """The records that are known, by the number of the exercise."""

    def keep(self, more: Mapping[str, Record]) -> None:
        """Put records beside the others; where both know an exercise, the most counts."""


@dataclass(slots=True)
class Lesson:
    """The exercises of one notebook, and how many of them pass: the strip under the title.

    Shown in a notebook it opens its keeper, if it has one: it takes up what is known and keeps what comes.
    """

    number: str
    title: str
    exercises: tuple[Exercise, ...]
    keeper: Callable[[], Keeper] | None = None
    progress: Keeper | None = None

    def check(self, number: object = "", answer: object = NOTHING) -> Card:
        """Check an answer: `check("04.1", answer)`."""
        if answer is NOTHING:
            first = self.exercises[0].number
            wanted = f'Write the number of the exercise, then your answer: `check("{first}", answer)`.'
            return said("untouched", "Two things are needed.", wanted, self.title)
        return self._shown(number, lambda exercise: exercise.check(answer))

    def hint(self, number: object = "", _answer: object = None) -> Card:
        """The next hint: `hint("04.1")`. It is for the answer that was checked last."""
        return self._shown(number, Exercise.hint)

    def solution(self, number: object = "", _answer: object = None) -> Card:
        """An answer that passes, as a difference to yours: `solution("04.1")`."""
        return self._shown(number, Exercise.solution)

    def _shown(self, number: object, ask: Callable[[Exercise], Card]) -> Card:
        exercises = {exercise.number: exercise for exercise in self.exercises}
        if (exercise := exercises.get(str(number))) is None:
            known = f"This notebook has {' and '.join(exercises)}. Write the number between quotation marks."
            none = f"There is no exercise `{number}` here." if number else "Which exercise?"
            return said("untouched", none, known, self.title)
        before, card = exercise.record, ask(exercise)
        if self.progress is not None:
            if exercise.record != before:
                self.progress.keep({exercise.number: exercise.record})
            self._strip(update=True)
        return card

    def __str__(self) -> str:
        return f"{sum(exercise.record.passed for exercise in self.exercises)} of {len(self.exercises)} exercises pass"

    def _ipython_display_(self) -> None:
        self.progress = self.keeper() if self.keeper else None
        known = self.progress.read() if self.progress else {}
        for exercise in self.exercises:
            exercise.record = exercise.record.merged(known.get(exercise.number, NEW))
        self._strip(update=False)

    def _strip(self, update: bool) -> None:
        from IPython import get_ipython
        from IPython.display import display

        note = self.progress.note if self.progress else ""
        cells = "".join(f"<i{' class=mc-done' * exercise.record.passed}></i>" for exercise in self.exercises)
        html = formed("strip", style=style(), cells=cells, said=self, note=note and f"<p>{prose(note)}</p>")
        name, shown = f"kit-lesson-{self.number}", {"text/plain": f"{self} {note}".rstrip(), "text/html": html}
        if get_ipython() is not None:
            display(shown, raw=True, display_id=name, update=update)  # type: ignore[no-untyped-call]


NUMBERS: Final = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]


def plain(said: object) -> str:
    """A word of an answer, without case and without the blanks, quotation marks and stops around it.

    >>> plain(" `Made  anew`. "), plain(0), plain(None)
    ('made anew', '0', '')
    """
    return "" if said is None else " ".join(str(said).split()).strip("`'\".,!? ").lower()


def predict(guess: object, outcome: str, why: str = "") -> Card:
    """A guess beside what happens. Without a guess it says only how to make one.

    >>> print(predict("partial", "rejected", "`gpu` is not optional."))
    You said partial. It is rejected. `gpu` is not optional.
    >>> print(predict("One.", "1"), predict(0, "1"))
    You said 1, and so it is. You said 0. It is 1.
    """
    guessed, name = plain(guess), "Your guess"
    guessed = str(NUMBERS.index(guessed)) if guessed in NUMBERS else guessed
    if not guessed:
        return said("untouched", "", "Write your guess between the quotation marks, then run this cell again.", name)
    if guessed == outcome:
        return said("passed", f"You said {guessed}, and so it is.", why, name)
    return said("not yet", f"You said {guessed}.", f"It is {outcome}. {why}", name)
