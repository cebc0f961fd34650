"""What hands do on a keyboard."""

from __future__ import annotations

from jupyterlab_page import CELLS, Desk

FOCUSED = """() => {
  const at = document.activeElement;
  return at?.labels?.[0]?.textContent || at?.textContent || at?.tagName || "";
}"""
ACTIVE = "() => jupyterapp.shell.currentWidget.content.activeCell.model.sharedModel.getSource()"


def focused(desk: Desk) -> str:
    """The name of what has the focus."""
    name: str = desk.page.evaluate(FOCUSED)
    return name


def command(desk: Desk, words: str) -> None:
    """Run a command of JupyterLab from its palette."""
    desk.page.keyboard.press("Control+Shift+c")
    desk.page.locator(".lm-CommandPalette-input:focus").wait_for()
    desk.page.keyboard.type(words)
    chosen = desk.page.locator(".lm-CommandPalette-item.lm-mod-active .lm-CommandPalette-itemLabel")
    chosen.get_by_text(words, exact=True).wait_for()  # the list follows the typing, a moment later
    desk.page.keyboard.press("Enter")


def go_to_cell(desk: Desk, code: str) -> None:
    """Make the cell with this code the active one, by arrow keys, from the first cell on."""
    page = desk.page
    command(desk, "Select Cell Above")  # the notebook has the keys again
    count = page.evaluate(f"() => {CELLS}.length")
    for _step in range(count):
        page.keyboard.press("ArrowUp")
    for _step in range(count):
        if code in page.evaluate(ACTIVE):
            return
        page.keyboard.press("ArrowDown")
    raise AssertionError(f"no cell with {code}")


def tab_to(desk: Desk, name: str, most: int = 120) -> None:
    """Press Tab until the control of that name has the focus."""
    seen = []
    for _step in range(most):
        desk.page.keyboard.press("Tab")
        seen.append(focused(desk)[:40])
        if seen[-1] == name[:40]:
            return
    raise AssertionError(f"{name!r} is not reached by Tab: {seen}")
