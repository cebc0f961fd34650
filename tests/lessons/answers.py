"""What the tests of every notebook share: right answers, untouched ones, wrong ones with their reasons.

`tests/lessons/test_NN.py` makes a subclass for its notebook and gets all tests below:

    class TestExercises(Exercises):
        lesson = requirement_labels.lesson
        right = [("04.1", GOOD), …]
        wrong = [("04.1", BAD, "part of the reason", "part of the first hint"), …]

Answers must be picklable: the same tables are put into the notebook itself (`tests/test_notebooks.py`), and the
wrong ones with what they reveal into the facilitator's page.
"""

from __future__ import annotations

import importlib.util
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from kit import exercises
from kit.exercises import Card, Exercise, Record, run

if TYPE_CHECKING:
    from course.lesson import Lesson

HERE = Path(__file__).parent
SEEDS = 25
LEAST_WRONG = 3
ODD: list[Any] = [
    None,
    7,
    [],
    {},
    "",
    "\0",
    "services:",
    "services: []",
    "- a",
    "{",
    "a: &a [*a]",
    object(),
    b"x",
    {"linux": 5},
]


def words(number: str) -> str:
    """The source of a notebook, text cells without their comment signs."""
    (source,) = (HERE.parents[1] / "notebooks" / "src").glob(f"{number}-*.py")
    return re.sub(r"^# ?", "", source.read_text(encoding="utf-8"), flags=re.MULTILINE)


def of(lesson: Lesson, number: str) -> Exercise:
    """One exercise of a lesson."""
    return next(exercise for exercise in lesson.exercises if exercise.number == number)


def anew(lesson: Lesson) -> None:
    """Forget what was tried."""
    for exercise in lesson.exercises:
        exercise.record, exercise.level, exercise.seed = Record(), 0, 1
        exercise.answer = exercises.NOTHING


class Exercises:
    """The tests of one notebook's exercises. `lesson`, `right` and `wrong` say which."""

    lesson: ClassVar[Lesson]
    right: ClassVar[list[tuple[str, Any]]] = []
    wrong: ClassVar[list[tuple[str, Any, str, str]]] = []
    """Number, answer, part of the reason, part of the first hint."""
    odd: ClassVar[list[Any]] = ODD
    """Answers of other kinds than the exercises want. None of them may break a check."""
    hands: ClassVar[tuple[str, ...]] = ()
    """For the browser: the exercise that is solved, then `tab NAME`, `key KEY` and `type TEXT`.

    Without it the first exercise that begins with a text is solved, by typing what differs from the solution.
    """

    @classmethod
    def numbers(cls) -> list[str]:
        return [exercise.number for exercise in cls.lesson.exercises]

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """One test for each row of the tables."""
        asked = set(metafunc.fixturenames)
        cls = type(self)
        if "reason" in asked:
            ids = [f"{row[0]}-{index}" for index, row in enumerate(cls.wrong)]
            metafunc.parametrize(("number", "answer", "reason", "hint"), cls.wrong, ids=ids)
        elif "right" in asked:
            ids = [f"{row[0]}-{index}" for index, row in enumerate(cls.right)]
            metafunc.parametrize(("number", "right"), cls.right, ids=ids)
        else:
            if "odd_one" in asked:
                metafunc.parametrize("odd_one", cls.odd, ids=lambda answer: repr(answer)[:12])
            if "number" in asked:
                metafunc.parametrize("number", cls.numbers())

    @pytest.fixture(autouse=True)
    def fresh(self) -> Iterator[None]:
        """Exercises remember attempts; each test begins anew."""
        yield
        anew(self.lesson)

    def checked(self, number: str, answer: object) -> Card:
        return self.lesson.check(number, answer)

    def test_a_right_answer_passes_on_every_seed(self, number: str, right: object) -> None:
        for seed in range(SEEDS):
            of(self.lesson, number).seed = seed
            assert self.checked(number, right).result == "passed", str(self.checked(number, right))

    def test_a_wrong_answer_gets_its_reason_and_its_hint(
        self, number: str, answer: object, reason: str, hint: str
    ) -> None:
        card = self.checked(number, answer)
        assert card.result == "not yet", str(card)
        assert reason in str(card)
        assert hint in card.hints[0]
        assert len(set(card.hints)) == 3

    def test_right_and_wrong_answers_are_known(self, number: str) -> None:
        assert any(row[0] == number for row in self.right), f"no right answer for {number}"
        assert sum(row[0] == number for row in self.wrong) >= LEAST_WRONG, f"too few wrong answers for {number}"

    def test_the_tables_name_exercises_that_exist(self) -> None:
        assert len(self.numbers()) >= 2
        assert {row[0] for row in (*self.right, *self.wrong)} == set(self.numbers())

    def test_the_given_answer_is_untouched_and_has_hints(self, number: str) -> None:
        card = self.checked(number, of(self.lesson, number).start)
        assert card.result == "untouched"
        assert len(card.hints) == 3

    def test_a_solution_is_computed_from_any_answer(self, number: str) -> None:
        wrong = (row[1] for row in self.wrong if row[0] == number)
        for answer in (of(self.lesson, number).start, *wrong, *self.odd):
            self.checked(number, answer)
            card = self.lesson.solution(number)
            assert card.result != "broken", str(card)
            assert re.search(r"^[+-] ", str(card), re.MULTILINE)

    def test_no_answer_breaks_a_check(self, number: str, odd_one: object) -> None:
        card = self.checked(number, odd_one)
        assert card.result == "not yet", str(card)
        assert self.lesson.hint(number).result == "not yet"

    def test_every_check_has_a_sentence(self, number: str) -> None:
        assert all((check.__doc__ or "").endswith(".") for check in of(self.lesson, number).checks)


@cache
def tables() -> dict[str, type[Exercises]]:
    """The tables of every notebook that has them, by its number."""
    found = {}
    for path in sorted(HERE.glob("test_[0-9][0-9].py")):
        spec = importlib.util.spec_from_file_location(f"tables_of_{path.stem}", path)
        assert spec
        assert spec.loader
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        found[path.stem.removeprefix("test_")] = module.TestExercises
    return found


def told() -> str:
    """Every wrong answer of the tables with what the learner reads: the page for facilitators, as Markdown."""
    lines = ["# Wrong answers to expect, and what they reveal", ""]
    lines += ["Each was given to the check that learners use; the texts are what it said.", ""]
    for number, table in tables().items():
        lines += [f"## Notebook {number}: {table.lesson.title}", ""]
        for exercise in table.lesson.exercises:
            lines += [f"### {exercise.number} {exercise.title}", "", exercise.task, ""]
            seen: dict[str, None] = {}
            for _number, answer, *_parts in (row for row in table.wrong if row[0] == exercise.number):
                card = exercise.check(answer)
                last = run(exercise.checks, exercise.answer, exercise.seed)[-1]
                seen[f"- **{last.check}** {last.reason} *First hint:* {card.hints[0]}"] = None
            lines += [*seen, ""]
        anew(table.lesson)
    return "\n".join(lines)


if __name__ == "__main__":
    for folder in (HERE.parents[1] / "notebooks", HERE.parents[1]):
        sys.path.insert(0, str(folder))
    Path(sys.argv[1]).write_text(told(), encoding="utf-8")
