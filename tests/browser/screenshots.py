"""Pictures of every notebook, in both themes, for looking at: `make screenshots` puts them into out/screenshots/.

Each notebook is run from top to bottom and drawn in one long picture, as wide as a projector and as a page at
200 % zoom; of each lab there is a picture of its own.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import jupyterlab_page as lab

INTO = lab.ROOT / "out" / "screenshots"
WIDTHS = {"wide": 1280, "narrow": 640}
AROUND = 240  # pixels around the cells: menus, tabs, status bar


def draw(desk: lab.Desk, notebook: str, name: str) -> None:
    """Run a notebook and draw it whole."""
    page = desk.page
    desk.open(f"notebooks/{notebook}")
    page.keyboard.press("Control+b")  # the file browser goes
    desk.run_all()
    page.wait_for_timeout(1000)
    cells = "[...document.querySelectorAll('.jp-NotebookPanel .jp-Cell')]"
    tall = page.evaluate(f"() => {cells}.reduce((sum, cell) => sum + cell.getBoundingClientRect().height, 0)")
    page.set_viewport_size({"width": (page.viewport_size or {"width": 1280})["width"], "height": int(tall) + AROUND})
    page.evaluate("() => document.querySelector('.jp-NotebookPanel .jp-WindowedPanel-outer')?.scrollTo(0, 0)")
    page.wait_for_timeout(500)
    page.screenshot(path=INTO / f"{name}.png")
    labs = page.locator(".mc-lab")
    for number in range(labs.count()):
        labs.nth(number).screenshot(path=INTO / f"{name}-lab{number + 1}.png")
    for complaint in (*desk.failures(), *desk.complaints):
        print(f"{name}: {complaint}", file=sys.stderr)


def main(wanted: list[str]) -> None:
    """Draw the notebooks whose names begin with one of *wanted*, or all of them."""
    INTO.mkdir(parents=True, exist_ok=True)
    notebooks = sorted(path.name for path in (lab.ROOT / "notebooks").glob("*.ipynb"))
    with lab.browsing() as browser:
        for theme in lab.THEMES:
            with lab.served(theme, windowing="none") as server:
                for notebook in notebooks:
                    if wanted and not notebook.startswith(tuple(wanted)):
                        continue
                    for width, pixels in WIDTHS.items():
                        if width == "narrow" and theme == "dark":
                            continue
                        with lab.desk(browser, server, pixels) as desk:
                            draw(desk, notebook, f"{notebook.removesuffix('.ipynb')}-{theme}-{width}")
    print(f"pictures: {INTO}")


if __name__ == "__main__":
    main(sys.argv[1:])
