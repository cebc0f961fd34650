"""Notebook 04 in a real JupyterLab, with the keyboard alone."""

from __future__ import annotations

import re

import pytest
from jupyterlab_page import CELLS, Desk
from keys import command, focused, go_to_cell, tab_to

pytestmark = pytest.mark.browser

NOTEBOOK = "notebooks/04-requirement-labels.ipynb"
NAMELESS = re.compile(r"- (?:textbox|combobox|button|checkbox|radio|slider|spinbutton|img|group|region|link)(?! \")")


@pytest.fixture
def opened(desk: Desk) -> Desk:
    """Notebook 04, run from top to bottom by keyboard, the cell of the lab active."""
    from playwright.sync_api import expect

    desk.open(NOTEBOOK)
    command(desk, "Run All Cells")
    desk.page.wait_for_function(f"() => {CELLS}.every((cell) => !cell.isCode || cell.number !== null)")
    go_to_cell(desk, "decision_lab(example")
    expect(desk.page.locator(".mc-lab[data-guarded=yes] h3")).to_have_text("Partly deployed: 3 of 4 services run.")
    return desk


def test_a_label_is_changed_the_verdict_flips_and_the_picture_changes(opened: Desk) -> None:
    from playwright.sync_api import expect

    page = opened.page
    lab = page.locator(".mc-lab")
    status = lab.get_by_role("status")
    node = status.element_handle()
    before = lab.locator(".mc-graph svg").first.get_attribute("aria-label")
    expect(status).to_contain_text("Partly deployed: 3 of 4 services run.")

    tab_to(opened, "value of requirement 2")
    page.keyboard.press("Control+a")
    page.keyboard.type(">=5.15", delay=40)

    expect(lab.locator("h3")).to_have_text("Deployed: all 4 services run.")
    expect(status).to_have_text("Deployed: all 4 services run. Every requirement holds.")
    expect(lab.locator(".mc-verdicts")).to_contain_text("vision-gpu runs.")
    after = lab.locator(".mc-graph svg").first.get_attribute("aria-label")
    assert "vision-gpu: left out" in (before or "")
    assert "vision-gpu: left out" not in (after or "")
    assert focused(opened) == "value of requirement 2"  # the focus stays where the hands are
    assert node is not None
    assert node.evaluate("(node) => node.isConnected")  # the live region is still the same node
    assert opened.failures() == []
    assert opened.complaints == []
    assert opened.strangers == []


def test_the_suggestion_is_tried_and_taken_back_by_keyboard(opened: Desk) -> None:
    from playwright.sync_api import expect

    lab = opened.page.locator(".mc-lab")
    tab_to(opened, "Try it")
    opened.page.keyboard.press("Enter")
    expect(lab.locator("h3")).to_have_text("Deployed: all 4 services run.")
    expect(lab.get_by_role("button", name="Take it back")).to_be_focused()
    opened.page.keyboard.press("Space")
    expect(lab.locator("h3")).to_have_text("Partly deployed: 3 of 4 services run.")


def test_jupyterlab_takes_no_keys_from_a_control(opened: Desk) -> None:
    from playwright.sync_api import expect

    page = opened.page
    lab = page.locator(".mc-lab")
    cells = page.evaluate(f"() => {CELLS}.length")
    tab_to(opened, "known device type")
    chosen = lab.get_by_role("combobox", name="known device type")
    before = chosen.input_value()
    page.keyboard.press("ArrowDown")
    expect(chosen).not_to_have_value(before)
    tab_to(opened, "label of requirement 1")
    for key in ("b", "d", "d", "a", "x", "z", "m"):
        page.keyboard.press(key)
    expect(lab).to_be_visible()
    assert page.evaluate(f"() => {CELLS}.length") == cells
    assert focused(opened) == "label of requirement 1"
    page.keyboard.press("Tab")  # and Tab still leaves
    assert focused(opened) == "value of requirement 1"


def test_every_control_and_picture_has_a_name(opened: Desk) -> None:
    lab = opened.page.locator(".mc-lab")
    tree = lab.aria_snapshot()
    assert not NAMELESS.findall(tree), tree
    assert "slider" not in tree
    for name in ("device type", "architecture", "balenaOS", "supervisor", "Linux kernel", "L4T"):
        assert lab.get_by_role("textbox", name=name, exact=True).count() == 1
    assert lab.get_by_role("img").count() == 2  # the line of versions, and the graph
    small = lab.locator("select:visible, button:visible, input:visible").evaluate_all(
        "(all) => all.filter((one) => one.getBoundingClientRect().height < 24 && one.type !== 'checkbox')"
        ".map((one) => one.outerHTML)"
    )
    assert small == []


def test_a_cell_that_runs_again_has_one_lab(opened: Desk) -> None:
    from playwright.sync_api import expect

    page = opened.page
    for _time in range(2):
        page.keyboard.press("Control+Enter")
        opened.idle()
        expect(page.locator(".mc-lab[data-guarded=yes] h3")).to_have_count(1)
    tab_to(opened, "value of requirement 2")
    page.keyboard.press("Control+a")
    page.keyboard.type(">=5.15", delay=40)
    expect(page.locator(".mc-lab h3")).to_have_text("Deployed: all 4 services run.")
    assert opened.complaints == []


def test_a_lab_that_scrolled_out_and_back_still_guards_its_keys(opened: Desk) -> None:
    from playwright.sync_api import expect

    page = opened.page
    for _step in range(12):
        page.keyboard.press("ArrowDown")
    page.wait_for_timeout(500)
    go_to_cell(opened, "decision_lab(example")
    expect(page.locator(".mc-lab[data-guarded=yes]")).to_have_count(1)
    cells = page.evaluate(f"() => {CELLS}.length")
    tab_to(opened, "label of requirement 1")
    page.keyboard.press("b")
    page.keyboard.press("a")
    assert page.evaluate(f"() => {CELLS}.length") == cells


def test_a_notebook_that_is_only_opened_shows_the_lab_as_a_picture(opened: Desk) -> None:
    from playwright.sync_api import expect

    page = opened.page
    page.keyboard.press("Control+s")
    expect(page.locator(".lm-TabBar-tab.jp-mod-current.jp-mod-dirty")).to_have_count(0)
    opened.server.end_kernels()
    opened.open(NOTEBOOK)
    go_to_cell(opened, "decision_lab(example")  # JupyterLab draws only what is near
    figure = page.locator(".jp-OutputArea-output figure.mc").filter(has_text="Partly deployed")
    expect(figure.first).to_be_visible()
    expect(figure.first).to_contain_text("vision-gpu")
    expect(page.get_by_text("Error displaying widget")).to_be_hidden()
