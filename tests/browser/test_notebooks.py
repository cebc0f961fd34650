"""Every notebook in a real JupyterLab: done by keyboard alone, named throughout, and quiet.

Which exercise is solved, and how, stands in the notebook's table of answers (`hands` in `tests/lessons/test_NN.py`).
Without `hands` it is the first exercise that begins with a text: what differs from its solution is typed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

import jupyterlab_page as lab
import pytest
from keys import command, go_to_cell, tab_to

from answers import tables
from notebook_sources import NAMES, source_of

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.browser

NAMELESS = re.compile(
    r"- (?:textbox|combobox|listbox|button|checkbox|radio|slider|spinbutton|progressbar|img|figure|region|link)(?! \")"
)
GROUPS = "[role=group]:not([aria-label],[aria-labelledby]), [role=img]:not([aria-label],[aria-labelledby])"
WIDGETS = "() => document.querySelectorAll('.jp-OutputArea-output .jupyter-widgets').length"


@pytest.fixture(scope="module")
def whole_server() -> Iterator[lab.Server]:
    """A JupyterLab that draws every cell, also those that are out of view."""
    with lab.served(windowing="none") as running:
        yield running


@pytest.fixture(scope="module", params=NAMES)
def opened(
    request: pytest.FixtureRequest, browser: Browser, whole_server: lab.Server
) -> Iterator[tuple[str, lab.Desk]]:
    """Each notebook, run from top to bottom by keyboard."""
    with lab.desk(browser, whole_server) as desk:
        desk.open(f"notebooks/{request.param}.ipynb")
        ran(desk)
        yield request.param, desk
    whole_server.end_kernels()


def ran(desk: lab.Desk) -> None:
    """Run every cell, and wait for the last one."""

    command(desk, "Run All Cells")
    desk.page.wait_for_function(f"() => {lab.CELLS}.every((cell) => !cell.isCode || cell.number !== null)")
    desk.idle()


def typed(desk: lab.Desk, given: str, solved: str) -> None:
    """Change the text of the cell that is being written, from *given* to *solved*, line by line from the end."""
    keyboard = desk.page.keyboard
    old, new = given.splitlines(), solved.splitlines()
    changes = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    for tag, begin, end, low, high in reversed(changes):
        if tag == "equal":
            continue
        lines = new[low:high]
        keyboard.press("Control+Home")
        for _line in range(begin):
            keyboard.press("ArrowDown")
        for line in lines[: end - begin]:
            keyboard.press("Shift+End")
            keyboard.type(line)
            keyboard.press("Home")
            keyboard.press("Home")
            keyboard.press("ArrowDown")
        for _line in range(end - begin - len(lines)):  # fewer lines than before
            keyboard.press("Shift+ArrowDown")
            keyboard.press("Delete")
        if more := lines[end - begin :]:  # as a paste: Enter would indent
            keyboard.insert_text("\n".join(more) + "\n")


def test_an_exercise_is_solved_by_keyboard_alone(opened: tuple[str, lab.Desk]) -> None:
    from playwright.sync_api import expect

    name, desk = opened
    keyboard = desk.page.keyboard
    hands = tables()[name[:2]].hands
    if hands:
        number, *moves = hands
        for move in moves:
            verb, _, what = move.partition(" ")
            if verb == "cell":
                go_to_cell(desk, what)
            elif verb == "tab":
                tab_to(desk, what)
            elif verb == "key":
                keyboard.press(what)
            elif verb == "type":
                keyboard.type(what, delay=30)
            else:
                assert verb == "see", move
                expect(desk.page.locator(".jp-NotebookPanel")).to_contain_text(what)
        keyboard.press("Tab")  # ipywidgets keeps every key that is pressed in a text, Tab excepted
        go_to_cell(desk, f'check("{number}"')
    else:
        number, given, solved = source_of(name)
        go_to_cell(desk, f'check("{number}"')
        keyboard.press("Enter")
        typed(desk, given, solved)
        keyboard.press("Escape")
    keyboard.press("Control+Enter")
    card = desk.page.get_by_role("region", name=f"Exercise {number}")
    expect(card).to_contain_text(re.compile(r"(\d+) of \1 cases pass\."))
    expect(desk.page.locator(".mc-progress").first).to_contain_text("1 of ")


def test_everything_has_a_name(opened: tuple[str, lab.Desk]) -> None:
    _name, desk = opened
    outputs = desk.page.locator(".jp-NotebookPanel .jp-Cell-outputWrapper:visible")
    trees = [outputs.nth(number).aria_snapshot() for number in range(outputs.count())]
    assert any("button" in tree or "textbox" in tree for tree in trees)  # a lab is among them
    assert [line for tree in trees for line in tree.splitlines() if NAMELESS.search(line)] == []
    assert outputs.locator(GROUPS).evaluate_all("(all) => all.map((one) => one.outerHTML.slice(0, 200))") == []


def test_cells_that_run_again_leave_the_same_widgets(opened: tuple[str, lab.Desk]) -> None:

    _name, desk = opened
    before = desk.page.evaluate(WIDGETS)
    for _time in range(2):
        ran(desk)
        desk.idle()
        desk.page.wait_for_function(f"(before) => ({WIDGETS})() === before", arg=before)


def test_nothing_complains_and_nobody_else_is_asked(opened: tuple[str, lab.Desk]) -> None:
    _name, desk = opened
    assert desk.failures() == []
    assert desk.complaints == []
    assert desk.strangers == []
