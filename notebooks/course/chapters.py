"""The course as a whole: what fits into your time, your progress to take along, and a summary at the end.

Everything is read from two places: the notebooks beside this folder (titles, minutes, exercises) and `progress.json`.
"""

from __future__ import annotations

import base64
import datetime
import json
import platform
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from string import Template
from typing import Any, Final, NamedTuple

import kit
from kit.exercises import Record
from kit.looks import css, escaped, figure, prose, state, table
from labs.decisions import Page

from .progress import FILE, Progress, records

HERE: Final = Path(__file__).parent
NEW: Final = Record()


class Chapter(NamedTuple):
    """One notebook: its file and number, what it is called, how long it takes, and its exercises by number."""

    file: str
    number: str
    title: str
    minutes: int
    exercises: tuple[str, ...]

    def passed(self, known: Mapping[str, Record]) -> int:
        """How many of its exercises pass."""
        return sum(known.get(number, NEW).passed for number in self.exercises)

    def left(self, known: Mapping[str, Record]) -> int:
        """The minutes that it still takes: those of the exercises that do not pass yet, in fives."""
        open_ones = len(self.exercises) - self.passed(known)
        return -(-self.minutes * open_ones // (5 * max(1, len(self.exercises)))) * 5


def chapters(folder: Path = HERE.parent) -> list[Chapter]:
    """The notebooks of a folder, in order. What is no notebook of the course is left out."""
    found = []
    for path in sorted(folder.glob("[0-9][0-9]-*.ipynb")):
        if "." in path.stem:  # kept aside by `kit reset`
            continue
        try:
            cells = ["".join(cell["source"]) for cell in json.loads(path.read_text("utf-8"))["cells"]]
        except (OSError, ValueError, KeyError, TypeError):
            continue
        head, text = cells[0] if cells else "", "\n".join(cells)
        title, minutes = re.search(r"^# (.+)$", head, re.MULTILINE), re.search(r"(\d+) minutes", head)
        if title and minutes:
            numbers = sorted(set(re.findall(rf"check\(\"({path.name[:2]}\.\d+)\"", text)))
            found.append(Chapter(path.name, path.name[:2], title[1], int(minutes[1]), tuple(numbers)))
    return found


def fitting(course: Iterable[Chapter], known: Mapping[str, Record], minutes: int) -> list[Chapter]:
    """The notebooks to do now: in order, those whose minutes left still fit."""
    chosen = []
    for chapter in course:
        if 0 < (left := chapter.left(known)) <= minutes:
            chosen.append(chapter)
            minutes -= left
    return chosen


def counted(said: object) -> int:
    """The whole minutes that somebody has, as a number or in words with one; whatever else is no time.

    >>> counted(20), counted(7.5), counted("20 minutes"), counted("soon"), counted(float("inf")), counted(None)
    (20, 7, 20, 0, 0, 0)
    """
    number = re.search(r"\d{1,6}", said if isinstance(said, str) else "")
    if number:
        return int(number[0])
    return int(said) if isinstance(said, (int, float)) and 0 < said < 1e6 else 0


def my_course(minutes: int | float | str = 20, restore: str = "") -> Page:
    """What fits into your time, how far you are, and your progress to take along.

    Args:
        minutes: How long you have. What is no number counts as no time.
        restore: The name of a progress file from elsewhere, to go on with it. Nothing of yours is lost.
    """
    progress = Progress()
    restored = taken_up(progress, restore) if restore else ""
    course, known = chapters(), progress.read()
    now = fitting(course, known, time := counted(minutes))
    waiting = [chapter for chapter in course if chapter.left(known)]
    if now:
        numbers = [chapter.number for chapter in now]
        these = " and ".join(filter(None, (", ".join(numbers[:-1]), numbers[-1])))
        answer = f"{time} minutes: take notebook{'s' * (len(now) > 1)} {these}."
    elif waiting:
        least = min(waiting, key=lambda chapter: chapter.left(known))
        answer = f"The shortest is notebook {least.number}: {least.left(known)} minutes."
    else:
        answer = "Every exercise of every notebook passes."
    rows: list[tuple[str, ...]] = []
    told = []
    for chapter in course:
        passed, left = chapter.passed(known), chapter.left(known)
        word = "now" if chapter in now else "later" if left else "done"
        said = (f"{left or '–'}", f"{passed} of {len(chapter.exercises)}")
        name = f'<a href="{escaped(chapter.file)}">{chapter.number} {escaped(chapter.title)}</a>'
        rows.append((name, *said, state({"now": "ask", "later": "wait", "done": "run"}[word], word)))
        told.append("  ".join((f"{chapter.number} {chapter.title:<42}", *said, word)))
    shown = table(("Notebook", "Minutes left", "Exercises that pass", "So"), rows)
    left, passed = sum(one.left(known) for one in course), sum(one.passed(known) for one in course)
    kept = progress.note or f"Your progress is kept in `{FILE}`, beside this notebook. It is sent nowhere."
    pass_ = "exercise passes" if passed == 1 else "exercises pass"
    situation = f"{restored} {left} minutes are left in all, and {passed} {pass_}. {kept}".lstrip()
    foot = "The first answer that you check makes a file of your progress, and a link to download it."
    if progress.path.is_file():
        download = link(progress.path.read_text("utf-8"), FILE, "application/json", "Download your progress")
        how = "To go on elsewhere, drag that file into the list of files there, and run"
        foot = f'{download}. {how} <code>my_course(20, restore="{FILE}")</code>.'
    html = figure(answer, situation, pictures=shown, foot=f'<p class="mc-small">{foot}</p>')
    return Page("\n".join([answer, situation, *told]), html)


def taken_up(progress: Progress, name: str) -> str:
    """Take up the records of another file; what became of it, as a sentence."""
    try:
        more = records(Path(name).read_text("utf-8"))
    except OSError as error:
        return f"`{name}` cannot be read: {error.strerror}."
    except TypeError:
        return f"`{name}` is no name of a file, and nothing was changed."
    except ValueError as error:
        return f"`{name}` is no progress file, and nothing was changed ({error})."
    progress.keep(more)
    return f"`{name}` is taken up: {sum(row.passed for row in more.values())} of its exercises pass. Nothing is lost."


def link(content: str, name: str, kind: str, words: str) -> str:
    """A link that holds the file itself: it works where no server is."""
    packed = base64.b64encode(content.encode()).decode()
    return f'<a download="{escaped(name)}" href="data:{kind};base64,{packed}">{escaped(words)}</a>'


def result(course: Sequence[Chapter], known: Mapping[str, Record]) -> str:
    """How many exercises of the course pass; what a file knows besides does not count."""
    done, total = sum(each.passed(known) for each in course), sum(len(each.exercises) for each in course)
    return f"{done} of {total} exercises pass"


def summary_page(folder: Path = HERE.parent, name: str = "", today: datetime.date | None = None) -> str:
    """A page that stands alone: what passes, after how many attempts, and what it is worth."""
    progress = Progress(folder)
    known = progress.read()
    rows: list[tuple[str, ...]] = []
    for chapter in chapters(folder):
        mine = [known.get(number, NEW) for number in chapter.exercises]
        found = [check for row in mine if row.passed for check in row.stopped]
        tried = f"{sum(row.attempts for row in mine)} / {sum(row.hints for row in mine)}"
        passed = f"{chapter.passed(known)} of {len(mine)}"
        learned = "<br>".join(map(prose, found)) or "–"
        rows.append((f"{chapter.number} {escaped(chapter.title)}", passed, tried, learned))
    words = {
        "css": css(),
        "answer": result(chapters(folder), known),
        "name": f"{escaped(name)}, " if name else "",
        "date": (today or datetime.datetime.now().astimezone().date()).isoformat(),
        "table": table(("Notebook", "Exercises that pass", "Attempts / hints", "Found out on the way"), rows),
        "digest": progress.digest,
        "versions": f"multicontainer-kit {kit.__version__}, Python {platform.python_version()}",
    }
    return Template((HERE / "summary.html").read_text("utf-8")).substitute(words)


def summary(name: str = "") -> Page:
    """What you have done, as a page to keep. It is self-issued."""
    answer = f"{result(chapters(), Progress().read())}."
    situation = "The page is self-issued: it says what your progress file says, and nobody has checked it."
    foot = link(summary_page(Path(), name), "summary.html", "text/html", "Download the summary")
    return Page(f"{answer} {situation}", figure(answer, situation, foot=f"<p>{foot}</p>"))


# ------------------------------------------------------------------------------------ for facilitators


class Roster:
    """How a group fared: for each exercise the learners, their attempts, and the checks that stopped them."""

    def __init__(self, known: Sequence[Mapping[str, Record]]) -> None:
        self.learners = len(known)
        self.rows = {}
        for number in sorted({number for one in known for number in one}):
            tried = [one[number] for one in known if number in one and one[number].attempts]
            stopped = sum((Counter(row.stopped) for row in tried), Counter[str]())
            sums = (
                sum(row.passed for row in tried),
                sum(row.attempts for row in tried),
                sum(row.hints for row in tried),
            )
            self.rows[number] = (len(tried), *sums), dict(stopped.most_common())

    def to_json(self) -> dict[str, Any]:
        """The table for a program."""
        columns = ("tried", "passed", "attempts", "hints")
        rows = {
            number: {**dict(zip(columns, counts, strict=True)), "stopped": stopped}
            for number, (counts, stopped) in self.rows.items()
        }
        return {"learners": self.learners, "exercises": rows}

    def __str__(self) -> str:
        lines = [
            f"{self.learners} learner{'s' * (self.learners != 1)}. Who they are is not in the files.",
            "",
            "exercise  tried  passed  attempts  hints  stopped at (answers)",
        ]
        for number, ((tried, passed, attempts, hints), stopped) in self.rows.items():
            first, *more = [f"{check} ({count})" for check, count in stopped.items()] or ["–"]
            lines.append(f"{number:<8}{tried:>7}{passed:>8}{attempts:>10}{hints:>7}  {first}")
            lines += [f"{'':42}{each}" for each in more]
        return "\n".join(lines)
