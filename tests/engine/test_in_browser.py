"""The engine lab of notebook 01 in a real JupyterLab, on a real engine, with the keyboard alone."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from own_engine import left

from kit.engines.images import LABEL

sys.path.insert(0, str(Path(__file__).parents[1] / "browser"))
import jupyterlab_page as page_of
from keys import command, go_to_cell, tab_to


def test_a_release_comes_up_crashes_and_goes_by_keyboard(client: Any) -> None:
    from playwright.sync_api import expect

    with page_of.served() as server, page_of.browsing() as browser, page_of.desk(browser, server) as desk:
        desk.open("notebooks/01-image-to-release.ipynb")
        command(desk, "Run All Cells")
        desk.page.wait_for_function(f"() => {page_of.CELLS}.every((cell) => !cell.isCode || cell.number !== null)")
        go_to_cell(desk, "engine_lab(example_file")
        lab = desk.page.locator(".mc-lab[data-guarded=yes]").filter(has_text="The engine")
        expect(lab).to_have_count(1)
        status = lab.get_by_role("status")

        tab_to(desk, "engine")
        desk.page.keyboard.press("End")
        expect(lab.get_by_role("button", name="Show the plan")).to_be_visible()
        tab_to(desk, "Show the plan")
        desk.page.keyboard.press("Enter")
        expect(lab).to_contain_text("This is what would be done.")
        assert left(client) == []  # first the plan
        expect(lab.get_by_role("button", name="Go", exact=True)).to_be_focused()
        desk.page.keyboard.press("Enter")  # then the go
        expect(status).to_contain_text("3 of 3 services run on Docker on this machine.")
        assert len(client.containers.list(filters={"label": LABEL})) == 3

        tab_to(desk, "The process ends")
        desk.page.keyboard.press("Enter")
        expect(lab).to_contain_text("Docker says: the container of")
        expect(status).to_contain_text("3 of 3 services run on Docker on this machine.")

        desk.page.keyboard.press("Shift+Tab")
        tab_to(desk, "Take it down")
        desk.page.keyboard.press("Enter")
        expect(status).to_contain_text("Nothing is up yet.")
        assert left(client) == []
        assert desk.failures() == []
