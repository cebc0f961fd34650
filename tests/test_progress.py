"""Progress: one file, kept whole, understood or set aside; merged without loss."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from course.lesson import Lesson
from course.progress import FILE, Progress, record, records, set_aside
from kit.exercises import Exercise, NotYet, Record

ONE = Record(3, 1, True, {"The answer is even.": 2})


def test_what_is_kept_is_read_again(tmp_path: Path) -> None:
    Progress(tmp_path).keep({"00.1": ONE})
    assert Progress(tmp_path).read() == {"00.1": ONE}
    assert json.loads((tmp_path / FILE).read_text())["exercises"]["00.1"]["stopped"] == {"The answer is even.": 2}


def test_two_notebooks_share_one_file(tmp_path: Path) -> None:
    first, second = Progress(tmp_path), Progress(tmp_path)
    first.keep({"00.1": ONE})
    second.keep({"04.1": Record(1)})
    first.keep({"00.2": Record(2)})
    assert set(second.read()) == {"00.1", "00.2", "04.1"}


def test_merging_loses_nothing_and_counts_nothing_twice() -> None:
    other = Record(1, 4, False, {"The answer is even.": 1, "The answer is large.": 5})
    both = Record(3, 4, True, {"The answer is even.": 2, "The answer is large.": 5})
    assert ONE.merged(other) == other.merged(ONE) == both
    assert both.merged(ONE) == both


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "{}", "null", '{"exercises": []}', '{"exercises": {"1": 5}}', '{"exercises": {"1": {"more": 1}}}',
     '{"exercises": {"1": {"attempts": -1}}}', '{"exercises": {"1": {"attempts": true}}}', "[" * 100_000,
     '{"exercises": {"1": {"passed": "yes"}}}', '{"exercises": {"1": {"stopped": {"a": "b"}}}}', "\0",
     '{"exercises": {"1": {"stopped": [1]}}}', '{"exercises": {"1": {"hints": 1.5}}}'],
    ids=lambda text: text[:40],
)  # fmt: skip
def test_a_file_that_is_not_understood_is_set_aside_with_a_sentence(text: str, tmp_path: Path) -> None:
    path = tmp_path / FILE
    path.write_text(text)
    with pytest.raises(ValueError):
        records(text)
    progress = Progress(tmp_path)
    assert progress.read() == {}
    assert (
        progress.note
        == f"`{FILE}` could not be understood. It lies in `progress.broken.json` now, and a new one begins."
    )
    assert (tmp_path / "progress.broken.json").read_text() == text
    progress.keep({"00.1": ONE})
    assert Progress(tmp_path).read() == {"00.1": ONE}


def test_bytes_that_are_no_text_are_set_aside_too(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"\xff\xfe\x00")
    Progress(tmp_path).keep({"00.1": ONE})
    assert (tmp_path / "progress.broken.json").read_bytes() == b"\xff\xfe\x00"
    assert Progress(tmp_path).read() == {"00.1": ONE}


def test_names_aside_are_never_taken_twice(tmp_path: Path) -> None:
    names = []
    for _time in range(3):
        (tmp_path / FILE).write_text("x")
        names.append(set_aside(tmp_path / FILE, "broken").name)
    assert names == ["progress.broken.json", "progress.broken-2.json", "progress.broken-3.json"]


def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    progress = Progress(tmp_path)
    progress.keep({"00.1": ONE})
    before = (tmp_path / FILE).read_bytes()

    def full(*_arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    progress.keep({"00.2": ONE})
    assert progress.note == "Your progress cannot be kept here: No space left on device."
    assert (tmp_path / FILE).read_bytes() == before


def test_a_file_that_cannot_be_read_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / FILE).mkdir()  # an obstacle that stops root as well
    progress = Progress(tmp_path)
    assert progress.read() == {}
    progress.keep({"00.1": ONE})
    assert progress.note.startswith("Your progress cannot be kept here:")
    assert (tmp_path / FILE).is_dir()


def test_a_record_has_no_name_and_no_answer() -> None:
    assert Record._fields == ("attempts", "hints", "passed", "stopped")
    assert record({}) == Record()


def test_the_digest_is_that_of_the_file(tmp_path: Path) -> None:
    progress = Progress(tmp_path)
    nothing = progress.digest
    progress.keep({"00.1": ONE})
    assert progress.digest != nothing
    assert len(progress.digest) == 64


# -------------------------------------------------------------------------------- in a lesson


def is_even(answer: int) -> None:
    """The answer is even."""
    if answer % 2:
        raise NotYet("it is odd", "look again", "look there", "add one")


def lesson() -> Lesson:
    def exercise(number: str) -> Exercise:
        return Exercise(
            number=number, title="Even", task="Write one.", checks=(is_even,), solve=lambda _answer: 2, start=1
        )

    return Lesson("00", "Numbers", (exercise("00.1"), exercise("00.2")), Progress)


def test_a_lesson_that_is_not_shown_keeps_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    lesson().check("00.1", 2)
    assert list(tmp_path.iterdir()) == []


def test_a_lesson_that_is_shown_keeps_what_was_tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shown = lesson()
    shown._ipython_display_()
    shown.check("00.1", 1)  # untouched: nothing happens
    assert list(tmp_path.iterdir()) == []
    shown.check("00.1", 3)
    shown.hint("00.1")
    shown.check("00.1", 4)
    shown.check("00.9", 4)
    assert Progress().read() == {"00.1": Record(2, 1, True, {"The answer is even.": 1})}
    again = lesson()
    again._ipython_display_()
    assert str(again) == "1 of 2 exercises pass"
    assert again.exercises[0].record.attempts == 2


def test_a_place_that_cannot_be_written_stops_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    os.mkdir(FILE)
    shown = lesson()
    shown._ipython_display_()
    assert shown.check("00.1", 2).result == "passed"
