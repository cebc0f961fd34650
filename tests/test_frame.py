"""What all labs share: hearing, waiting, saying what went wrong, and leaving nothing behind."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import ipywidgets
import pytest
from ipywidgets.widgets.widget import _instances

from kit.composition import Composition, Service
from labs import decision_lab, frame
from labs.decision_lab import DecisionLab
from labs.decisions import Page
from labs.frame import Lab, LiveStatus


class Small(Lab):
    """A lab with one control of each kind."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[str] = []
        self.text = self.make(ipywidgets.Text, description="text")
        self.choice = self.make(ipywidgets.Dropdown, description="choice", options=("a", "b"))
        self.button = self.make(ipywidgets.Button, description="press")
        self.listen(self.text, lambda: self.heard.append(self.text.value))
        self.listen(self.choice, lambda: self.heard.append(self.choice.value))
        self.press(self.button, self.fail)
        self.parts(self.text, self.choice, self.button)

    def fail(self) -> None:
        raise ValueError("<b>no</b>")

    def __str__(self) -> str:
        return "a small lab <here>"


@pytest.fixture
def notebook(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A notebook kernel, as far as a lab looks at it: which cell runs, and which run of it this is."""
    state = SimpleNamespace(cell="cell-1", run="1")
    shell = SimpleNamespace(
        get_parent=lambda: {
            "metadata": {"cellId": state.cell},
            "header": {"msg_id": state.run},
            "content": {"code": "x"},
        }
    )
    monkeypatch.setitem(frame.sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    monkeypatch.setattr(frame, "_OPEN", {})
    return state


def test_a_dropdown_is_heard_at_once() -> None:
    lab = Small()
    lab.choice.value = "b"
    assert lab.heard == ["b"]


def test_text_is_heard_when_the_typing_rests() -> None:
    async def typing() -> list[str]:
        lab = Small()
        for text in ("5", "5.", "5.1", "5.15"):
            lab.text.value = text
            await asyncio.sleep(0.01)
        assert lab.heard == []
        await asyncio.sleep(frame.WAIT + 0.3)
        return lab.heard

    assert asyncio.run(typing()) == ["5.15"]


def test_text_waits_150_milliseconds() -> None:
    assert frame.WAIT == 0.15


def test_text_is_heard_at_once_where_no_loop_runs() -> None:
    lab = Small()
    lab.text.value = "now"
    assert lab.heard == ["now"]


def test_a_pick_overtakes_text_that_still_waits() -> None:
    async def typing() -> list[str]:
        lab = Small()
        lab.text.value = "half"
        lab.choice.value = "b"
        await asyncio.sleep(frame.WAIT + 0.2)
        return lab.heard

    assert asyncio.run(typing()) == ["b"]


def test_what_goes_wrong_is_said_and_not_lost() -> None:
    lab = Small()
    lab.button.click()
    assert lab.status.fault
    assert lab.status.text.startswith("Our fault, not yours: ValueError: <b>no</b>")
    lab.choice.value = "b"
    assert not lab.status.fault


def test_the_status_is_written_as_text_and_never_as_markup() -> None:
    code = Path(frame.__file__).with_name("livestatus.js").read_text("utf-8")
    assert "textContent" in code
    assert "innerHTML" not in code
    assert 'setAttribute("role", "status")' in code


def test_the_guard_lets_tab_escape_and_shortcuts_through() -> None:
    code = Path(frame.__file__).with_name("keyguard.js").read_text("utf-8")
    assert all(word in code for word in ('"Tab"', '"Escape"', "ctrlKey", "metaKey", "stopPropagation"))


def test_every_lab_has_a_guard_and_a_status_inside_its_box() -> None:
    *_controls, status, guard = Small().box.children
    assert isinstance(status, LiveStatus)
    assert isinstance(guard, frame.KeyGuard)


def test_a_lab_shows_itself_still_and_live() -> None:
    still, live = Small().bundles()
    assert "<p>a small lab &lt;here&gt;</p>" in still["text/html"]
    assert still["text/plain"] == "a small lab <here>"
    assert list(live) == ["application/vnd.jupyter.widget-view+json"]


def test_closing_leaves_nothing_behind() -> None:
    before = set(_instances)
    lab = Small()
    assert set(_instances) - before
    lab.close()
    lab.close()  # twice is once
    assert set(_instances) == before


def test_running_a_cell_again_closes_what_it_made_before(notebook: SimpleNamespace) -> None:
    before = len(_instances)
    first = Small()
    once = len(_instances)
    for run in "23456":
        notebook.run = run
        last = Small()
    assert len(_instances) == once
    assert first.box.comm is None
    assert last.box.comm is not None
    last.close()
    assert len(_instances) == before


def test_two_labs_in_one_cell_live_together(notebook: SimpleNamespace) -> None:
    first, second = Small(), Small()
    assert first.box.comm is not None
    assert second.box.comm is not None


def test_another_cell_leaves_the_lab_alone(notebook: SimpleNamespace) -> None:
    first = Small()
    notebook.cell, notebook.run = "cell-2", "2"
    Small()
    assert first.box.comm is not None


def test_a_cell_without_an_id_is_known_by_its_code(monkeypatch: pytest.MonkeyPatch) -> None:
    parent: dict[str, Any] = {"metadata": {}, "header": {"msg_id": "1"}, "content": {"code": "lab()"}}
    shell = SimpleNamespace(get_parent=lambda: parent)
    monkeypatch.setitem(frame.sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    monkeypatch.setattr(frame, "_OPEN", {})
    first = Small()
    parent["header"] = {"msg_id": "2"}
    Small()
    assert first.box.comm is None


# --------------------------------------------------------------------------- the ways to open a lab


def test_a_lab_is_opened_from_a_composition_a_text_a_path_and_a_reading(tmp_path: Path) -> None:
    import kit

    text = "services:\n  web:\n    build: .\n"
    (tmp_path / "docker-compose.yml").write_text(text)
    for given in (
        Composition(services=(Service(name="web"),)),
        text,
        tmp_path / "docker-compose.yml",
        kit.read(text),
    ):
        lab = decision_lab(given)
        assert isinstance(lab, DecisionLab)
        assert "web" in lab.still()
        lab.close()


def test_a_text_that_cannot_be_read_gives_its_findings() -> None:
    page = decision_lab("services:\n  web:\n    build: .\n    depends_on: [<script>]\n")
    assert isinstance(page, Page)
    assert "No release is made." in str(page)
    assert "&lt;script&gt;" in page._repr_html_()
    assert "<script" not in page._repr_html_()


def test_a_release_that_is_too_large_gives_one_sentence() -> None:
    page = decision_lab(Composition(services=tuple(Service(name=f"s{number}") for number in range(201))))
    assert str(page).startswith("201 services are too many for a lab.")
