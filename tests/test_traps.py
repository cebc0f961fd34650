"""`docs/traps.md`: every trap of the rules is there, in at most three lines, and every line is true."""

from __future__ import annotations

import doctest
import re
from pathlib import Path
from typing import Any

import pytest

PAGE = Path(__file__).parent.parent / "docs" / "traps.md"
PROSE, *PARTS = re.split(r"^### ", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
TRAPS = (  # rules of sections 5 and 6 of `spec/supervisor.md` that are marked as traps
    *("S-82", "S-88", "S-89", "S-90", "S-93", "S-98", "S-102", "S-105", "S-107", "S-108", "S-110", "S-114", "S-115"),
    *("S-117", "S-118", "S-120", "S-122", "S-125", "S-126", "S-128", "S-133", "S-135"),
)


def blocks(text: str) -> list[str]:
    return re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)


def run(source: str, names: dict[str, Any], name: str) -> list[doctest.Example]:
    """Run one block as a doctest; *names* keeps what it defines."""
    test = doctest.DocTestParser().get_doctest(source, names, name, str(PAGE), 0)
    runner = doctest.DocTestRunner(verbose=False)
    told: list[str] = []
    runner.run(test, out=told.append, clear_globs=False)
    names.update(test.globs)
    assert not runner.failures, "".join(told)
    return test.examples


@pytest.fixture(scope="module")
def names() -> dict[str, Any]:
    """The names that the page's first block defines."""
    found: dict[str, Any] = {}
    for block in blocks(PROSE):
        run(block, found, "prelude")
    return found


@pytest.mark.parametrize("part", PARTS, ids=[part.splitlines()[0] for part in PARTS])
def test_a_trap_is_shown_in_at_most_three_lines(part: str, names: dict[str, Any]) -> None:
    (block,) = blocks(part)
    examples = run(block, names, part.splitlines()[0])
    assert sum(len(example.source.splitlines()) for example in examples) <= 3


def test_every_trap_has_its_part() -> None:
    told = {rule for part in PARTS for rule in re.findall(r"S-\d+", part.splitlines()[0])}
    assert set(TRAPS) <= told
