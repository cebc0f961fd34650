"""What was tried and what passes: one file beside the notebooks. Nothing is sent anywhere.

The file is JSON and looks like this:

    {"exercises": {"00.1": {"attempts": 3, "hints": 1, "passed": true, "stopped": {"The labels are as they were.": 2}}}}

`stopped` counts, for each check, the answers that got no further. Names of people, answers and times are not kept.
Each change reads the file again and writes it whole, so that two notebooks can share it. A file that cannot be
understood is moved aside, never overwritten.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from kit.exercises import Record

FILE: Final = "progress.json"


def record(row: Any) -> Record:
    """One row of the file. Anything else than a record raises `ValueError`.

    >>> record({"attempts": 2, "passed": False}).attempts
    2
    """
    if not isinstance(row, dict) or not set(row) <= set(Record._fields):
        raise ValueError(f"no record: {row!r:.80}")
    attempts, hints, passed, stopped = values = Record(**row)
    counts = [attempts, hints, *(stopped.values() if isinstance(stopped, dict) else [None])]
    if passed not in (False, True) or not all(type(count) is int and count >= 0 for count in counts):
        raise ValueError(f"no record: {row!r:.80}")
    return values


def records(text: str) -> dict[str, Record]:
    """The exercises of a progress file, by number. A text that is no such file raises `ValueError`.

    >>> records('{"exercises": {"00.1": {"attempts": 1}}}')
    {'00.1': Record(attempts=1, hints=0, passed=False, stopped={})}
    """
    try:
        rows = json.loads(text)["exercises"].items()
    except (KeyError, TypeError, AttributeError, RecursionError):
        raise ValueError("no progress file: it has no `exercises`") from None
    return {str(number): record(row) for number, row in rows}


class Progress:
    """The file of one folder. `note` is a sentence for the learner: what became of a file that could not be used."""

    def __init__(self, folder: Path | str = ".") -> None:
        self.path = Path(folder) / FILE
        self.note = ""

    @property
    def digest(self) -> str:
        """The SHA-256 of the file, in hexadecimal; without a file, of nothing."""
        return hashlib.sha256(self.path.read_bytes() if self.path.is_file() else b"").hexdigest()

    def read(self) -> dict[str, Record]:
        """What the file says. One that says nothing is moved aside, with a note."""
        try:
            return self._read()
        except OSError as error:
            self.note = f"Your progress cannot be kept here: {error.strerror}."
            return {}

    def _read(self) -> dict[str, Record]:
        try:
            return records(self.path.read_text("utf-8"))
        except FileNotFoundError:
            return {}
        except ValueError:
            aside = set_aside(self.path, "broken")
            self.note = f"`{FILE}` could not be understood. It lies in `{aside.name}` now, and a new one begins."
            return {}

    def keep(self, more: Mapping[str, Record]) -> None:
        """Put records into the file, beside the others; where both know an exercise, the most counts."""
        part = self.path.with_name(f".{FILE}.part")
        try:
            known = self._read()
            rows = known | {number: known.get(number, Record()).merged(new) for number, new in more.items()}
            exercises = {number: row._asdict() for number, row in rows.items()}
            text = json.dumps({"exercises": exercises}, indent=1, sort_keys=True)
            part.write_text(text + "\n", "utf-8")
            part.replace(self.path)
        except OSError as error:
            self.note = f"Your progress cannot be kept here: {error.strerror}."


def set_aside(path: Path, word: str) -> Path:
    """Give a file another name that is not taken: `progress.broken.json`, then `progress.broken-2.json`."""
    names = (f"{path.stem}.{word}{f'-{number}' * (number > 1)}{path.suffix}" for number in range(1, 1000))
    aside = next(free for name in names if not (free := path.with_name(name)).exists())
    return path.rename(aside)
