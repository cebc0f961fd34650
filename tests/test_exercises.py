"""Exercises: outcomes, hints, differences. Those of the notebooks are tested in `lessons/`."""

from __future__ import annotations

import random
import re
from types import SimpleNamespace

import pytest

from course.lesson import Lesson, predict
from kit import exercises
from kit.exercises import Exercise, NotYet, run

# ------------------------------------------------------------------------------------ the machinery


def is_even(answer: object) -> None:
    """The answer is an even number."""
    if not isinstance(answer, int):
        raise NotYet(f"`{answer}` is no number")
    if answer % 2:
        raise NotYet(f"{answer} is odd", "look at its last digit", "it is odd", f"try {answer + 1}")


def is_large(answer: int) -> None:
    """The answer is above ten."""
    if answer <= 10:
        raise NotYet(f"{answer} is small", "think bigger")


def survives(answer: int, random: random.Random) -> None:
    """The answer is larger than a generated number."""
    if answer <= (number := random.randrange(20, 30)):
        raise NotYet(f"{answer} is not above {number}")


def breaks(answer: object) -> None:
    """This check is broken."""
    raise KeyError("kernels.csv")


@pytest.fixture
def exercise() -> Exercise:
    return Exercise(
        number="01.1", title="Even", task="Write `n`.", checks=(is_even, is_large), solve=lambda _answer: 12, start=1
    )


def test_checks_run_in_order_and_stop_at_the_first_that_does_not_pass() -> None:
    assert [outcome.result for outcome in run([is_even, is_large], 12)] == ["passed", "passed"]
    (outcome,) = run([is_even, is_large], 3)
    assert (outcome.result, outcome.reason, outcome.check) == ("not yet", "3 is odd.", "The answer is an even number.")


def test_a_check_without_cases_takes_one_argument() -> None:
    def names_every_service(answer: object) -> None:
        """The answer lists every service."""
        if answer != {"proxy", "data"}:
            raise NotYet("1 still to find", "look for keys under `services:`")

    assert [outcome.result for outcome in run([names_every_service], {"proxy", "data"})] == ["passed"]


def test_generated_cases_follow_the_seed() -> None:
    said = [run([survives], 1, seed)[0].reason for seed in range(20)]
    assert said == [run([survives], 1, seed)[0].reason for seed in range(20)]
    assert len(set(said)) > 3


def test_a_broken_check_is_our_fault_and_nothing_is_counted(exercise: Exercise) -> None:
    exercise.checks = (breaks,)
    card = exercise.check(4)
    assert card.result == "broken"
    assert "Our fault, not yours. The check could not run: KeyError: 'kernels.csv'." in str(card)
    assert "mc-tint-ref" in card.html
    assert exercise.record.attempts == 0
    assert card.hints == ()


def test_an_untouched_answer_is_no_attempt(exercise: Exercise) -> None:
    card = exercise.check(1)
    assert card.result == "untouched"
    assert "Not tried yet." in str(card)
    assert exercise.record.attempts == 0
    assert card.hints[0] == "look at its last digit"


def test_an_answer_that_passes_says_how_many_cases_pass(exercise: Exercise) -> None:
    card = exercise.check(12)
    assert card.result == "passed"
    assert "2 of 2 cases pass." in str(card)
    assert exercise.record.passed


def test_a_wrong_answer_says_why_and_how_far(exercise: Exercise) -> None:
    card = exercise.check(4)
    assert str(card).splitlines()[1] == "Not yet. 4 is small. 1 of 2 cases pass so far."
    assert card.hints == ("think bigger", exercises.OTHERWISE, exercises.OTHERWISE)


def test_hints_open_one_by_one_and_follow_the_answer(exercise: Exercise) -> None:
    exercise.check(3)
    assert [str(exercise.hint()).count("Hint") for _ in range(5)] == [1, 2, 3, 3, 3]
    assert exercise.record.hints == 3
    exercise.check(4)
    assert "Hint 1 of 3: a nudge: think bigger" in str(exercise.hint())
    assert "Hint 2" not in str(exercise.check(4))


def test_a_hint_before_any_answer_is_about_the_given_one(exercise: Exercise) -> None:
    assert "look at its last digit" in str(exercise.hint())


def test_the_card_counts_attempts_and_blames_nobody(exercise: Exercise) -> None:
    exercise.check(3)
    exercise.check(5)
    assert str(exercise.hint()).endswith("2 attempts, 1 hint asked for. Neither counts against you.")


def test_a_solution_is_a_difference_to_the_answer(exercise: Exercise) -> None:
    exercise.check(3)
    assert str(exercise.solution()).splitlines()[2:] == ["- 3", "+ 12"]
    assert "- <del>3</del>\n+ <ins>12</ins>" in exercise.solution().html


def test_a_solution_that_does_not_pass_is_our_fault(exercise: Exercise) -> None:
    exercise.solve = lambda _answer: 7
    exercise.check(3)
    assert exercise.solution().result == "broken"
    exercise.solve = lambda _answer: 1 // 0
    assert "Our fault" in str(exercise.solution())


def test_a_passed_answer_needs_no_solution(exercise: Exercise) -> None:
    exercise.check(12)
    assert "nothing to change" in str(exercise.solution())


def test_hints_are_details_named_by_their_summary(exercise: Exercise) -> None:
    exercise.check(3)
    html = exercise.hint().html
    assert re.findall(r"<summary>(.*?)</summary>", html) == [
        "Hint 1 of 3: a nudge",
        "Hint 2 of 3: where to look",
        "Hint 3 of 3: nearly the answer",
    ]
    assert html.count("<details open>") == 1


def test_a_card_escapes_what_a_person_wrote(exercise: Exercise) -> None:
    html = exercise.check("<img src=x onerror=alert(1)>").html
    assert "&lt;img src=x" in html
    assert "<img" not in html
    assert "<img" not in exercise.solution().html


def test_a_lab_is_its_own_answer(exercise: Exercise) -> None:
    assert exercise.check(SimpleNamespace(answer=12)).result == "passed"


def test_a_lesson_knows_its_exercises(exercise: Exercise) -> None:
    lesson = Lesson("01", "Numbers", (exercise,))
    assert lesson.check("01.1", 3).result == "not yet"
    assert lesson.hint("01.1").hints
    assert "+ 12" in str(lesson.solution("01.1"))
    told = "This notebook has 01.1. Write the number between quotation marks."
    assert str(lesson.check("01.7", 3)) == f"There is no exercise `01.7` here. {told}"
    assert str(lesson.hint()) == str(lesson.solution()) == f"Which exercise? {told}"
    assert str(lesson.check()) == str(lesson.check("01.1"))
    assert 'check("01.1", answer)' in str(lesson.check())
    assert str(lesson.hint("01.7", 3)) == str(lesson.solution("01.7", 3)) == str(lesson.check("01.7", 3))
    assert str(lesson) == "0 of 1 exercises pass"
    lesson.check("01.1", 12)
    assert str(lesson) == "1 of 1 exercises pass"


def test_a_guess_is_asked_for_before_the_truth_is_told() -> None:
    assert "deployed" not in str(predict("", "deployed", "`web` fits."))
    assert (
        str(predict(" Partial ", "partial", "One is left out.")) == "You said partial, and so it is. One is left out."
    )
    assert str(predict("partial", "rejected")).startswith("You said partial. It is rejected.")
    assert [predict(guess, "partial").result for guess in ("", "partial", "refused")] == [
        "untouched",
        "passed",
        "not yet",
    ]
