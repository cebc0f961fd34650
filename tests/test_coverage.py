"""The map of what is taught where is true: every statement has a place, and the place exists."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from notebook_sources import NAMES, cells, text

ROOT = Path(__file__).parent.parent
ROWS = [
    tuple(cell.strip() for cell in line.strip("|").split("|"))
    for line in (ROOT / "docs" / "coverage.md").read_text("utf-8").splitlines()
    if re.match(r"\| G-\d", line)
]
RULES = {rule["id"] for rule in json.loads((ROOT / "data" / "rules.json").read_text("utf-8"))}
TEXTS = {name[:2]: "\n".join(map(text, cells(name))) for name in NAMES}


def test_every_statement_is_there_once_and_in_order() -> None:
    assert [row[0] for row in ROWS] == [f"G-{number:02}" for number in range(1, len(ROWS) + 1)]
    assert len(ROWS) >= 53
    assert len({row[1] for row in ROWS}) == len(ROWS)


def test_no_statement_waits_for_its_place() -> None:
    assert [row[0] for row in ROWS if not row[3]] == []


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_a_statement_is_taught_where_the_map_says(row: tuple[str, ...]) -> None:
    statement, _words, notebook, heading, exercise, rules = row
    assert notebook in TEXTS, f"{statement}: there is no notebook {notebook}"
    headings = re.findall(r"^#+ (.+)$", TEXTS[notebook], re.MULTILINE)
    assert heading in headings, f"{statement}: notebook {notebook} has {headings}"
    named = [rule for rule in rules.split(", ") if rule != "–"]
    assert set(named) <= RULES
    assert not named or any(re.search(rf"\b{rule}\b", TEXTS[notebook]) for rule in named), f"{statement}: {named}"
    if exercise != "–":
        assert f'check("{exercise}"' in TEXTS[exercise[:2]], f"{statement}: there is no exercise {exercise}"


def test_every_feature_label_is_shown_with_what_it_opens() -> None:
    labels = (
        "balena-socket dbus sysfs procfs kernel-modules firmware extra-firmware journal-logs supervisor-api balena-api"
    )
    assert [label for label in labels.split() if label not in TEXTS["06"]] == []
