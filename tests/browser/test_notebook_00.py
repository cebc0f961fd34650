"""Notebook 00 in a real JupyterLab: the first decision is changed, with the keyboard alone."""

from __future__ import annotations

import pytest
from jupyterlab_page import CELLS, Desk
from keys import command, focused, go_to_cell, tab_to

pytestmark = pytest.mark.browser


def test_the_first_exercise_is_solved_by_keyboard(desk: Desk) -> None:
    from playwright.sync_api import expect

    desk.open("notebooks/00-start-here.ipynb")
    command(desk, "Run All Cells")
    desk.page.wait_for_function(f"() => {CELLS}.every((cell) => !cell.isCode || cell.number !== null)")
    go_to_cell(desk, "decision_lab(example")
    lab = desk.page.locator(".mc-lab[data-guarded=yes]")
    expect(lab.locator("h3")).to_have_text("Partly deployed: 1 of 2 services runs.")

    tab_to(desk, "device type")
    desk.page.keyboard.press("Control+a")
    desk.page.keyboard.type("jetson-nano", delay=30)
    expect(lab.locator("h3")).to_have_text("Deployed: all 2 services run.")
    assert focused(desk) == "device type"

    tab_to(desk, "Add a requirement")  # ipywidgets keeps every key that is pressed in a text, Tab excepted
    go_to_cell(desk, 'check("00.1"')
    desk.page.keyboard.press("Control+Enter")
    card = desk.page.get_by_role("region", name="Exercise 00.1")
    expect(card).to_contain_text("3 of 3 cases pass.")
    go_to_cell(desk, "from lessons.start_here import")
    expect(desk.page.locator(".mc-progress")).to_contain_text("1 of 2 exercises pass")
    assert desk.failures() == []
    assert desk.complaints == []
    assert desk.strangers == []
