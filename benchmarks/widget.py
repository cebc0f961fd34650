"""From a key to a changed picture, in JupyterLab in a real Chromium, with 20 services.

    python benchmarks/widget.py [presses]

Two keys are timed, from the key event to the frame after the picture has changed: an arrow in the dropdown
of known device types (every fact follows, and another service runs each time), and a character typed
into the value of a requirement, which waits 150 ms for the next one. Exit code 1 if a median is too slow.
"""

from __future__ import annotations

import json
import statistics
import sys
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "browser"))
import jupyterlab_page as lab

LIMITS: Final = {"arrow key": 80, "typed text": 250}  # milliseconds, median
WARM_UP: Final = 3
CODE: Final = """
from kit import Composition, Device, Service
from kit.contracts import OPTIONAL, PREFIX
from labs.decision_model import presets
from labs import decision_lab

# Each service runs on one device type only, so that each step of the dropdown changes the picture.
types, releases = presets()
services = [
    Service(
        name=f"service-{n}",
        depends_on=tuple(f"service-{n - step}" for step in (1, 4) if n % 5 and n >= step),
        labels=((PREFIX + "hw.device-type", slug), (OPTIONAL, "1")),
    )
    for n, slug in enumerate(types[:20])
]
decision_lab(Composition(services=tuple(services)), Device.preset(types[0], releases[0]))
"""
TIMER: Final = """() => {
  window.samples = [];
  let pressed = null;
  document.addEventListener("keydown", () => { pressed = performance.now(); }, true);
  new MutationObserver(() => {
    if (pressed === null) return;
    const begun = pressed;
    pressed = null;
    requestAnimationFrame(() => window.samples.push(performance.now() - begun));
  }).observe(document.querySelector(".mc-graph .widget-html-content"), {childList: true, subtree: true});
}"""

VALUES: Final = "() => [...document.querySelectorAll('.mc-value input')].map((one) => one.value)"


def notebook() -> str:
    """A notebook with the lab in it."""
    cell = {"cell_type": "code", "execution_count": None, "id": "lab", "metadata": {}, "outputs": [], "source": CODE}
    kernel = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    return json.dumps({"cells": [cell], "metadata": kernel, "nbformat": 4, "nbformat_minor": 5})


def timed(desk: lab.Desk, keys: list[str]) -> list[float]:
    """Milliseconds from each key to its picture."""
    page = desk.page
    for key in keys:
        before = page.evaluate("() => window.samples.length")
        page.keyboard.press(key)
        page.wait_for_function("(count) => window.samples.length > count", arg=before)
        page.wait_for_timeout(60)
    samples: list[float] = page.evaluate("() => window.samples.splice(0)")
    return samples[WARM_UP:]


def main(presses: int = 33) -> int:
    """Time both keys and print a table."""
    with lab.served() as server, lab.browsing() as browser, lab.desk(browser, server) as desk:
        (server.folder / "bench.ipynb").write_text(notebook())
        desk.open("bench.ipynb")
        desk.run_all()
        page = desk.page
        page.locator(".mc-lab .mc-graph svg").first.wait_for(state="attached")
        page.evaluate(TIMER)
        page.get_by_role("combobox", name="known device type").focus()
        steps = 15
        arrows = (["ArrowDown"] * steps + ["ArrowUp"] * steps) * (presses // steps + 1)
        times = {"arrow key": timed(desk, arrows[: presses + WARM_UP])}
        here = page.get_by_role("textbox", name="device type", exact=True).input_value()
        number = page.evaluate(VALUES).index(here) + 1
        value = page.get_by_role("textbox", name=f"value of requirement {number}", exact=True)
        value.focus()
        page.keyboard.press("End")
        page.evaluate("() => window.samples.splice(0)")
        # A digit at the end asks for a type that nobody has, and Backspace takes it back.
        times["typed text"] = timed(desk, (["9", "Backspace"] * presses)[: presses + WARM_UP])
        wrong = [*desk.failures(), *desk.complaints]
    print(f"{'key to picture, 20 services':<28} {'median':>8} {'p90':>8} {'max':>8} {'limit':>8}   ms")
    slow = False
    for name, samples in times.items():
        median, p90 = statistics.median(samples), statistics.quantiles(samples, n=10)[-1]
        slow = slow or median >= LIMITS[name]
        print(f"{name:<28} {median:>8.0f} {p90:>8.0f} {max(samples):>8.0f} {LIMITS[name]:>8}   {len(samples)} presses")
    for complaint in wrong:
        print(f"complaint: {complaint}")
    return 1 if slow or wrong else 0


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:2])))
