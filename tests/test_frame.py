"""What all labs share: hearing, waiting, saying what went wrong, and leaving nothing behind."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import ipywidgets
import pytest
from ipywidgets.widgets.widget import _instances

import labs
from kit.composition import Composition, Service
from labs import decision_lab, frame
from labs.decision_controls import DecisionLab
from labs.decisions import Page
from labs.frame import (
    Form,
    Lab,
    LiveStatus,
    View,
    area,
    choice,
    columns,
    line,
    number,
    panel,
    press,
    section,
    tick,
    typed,
)


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


# ------------------------------------------------------------------------------ a lab made of a table


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """What the lab below can change."""

    policy: str = "always"
    code: int = 1
    fast: bool = False
    name: str = "web"
    text: str = ""
    strategies: Mapping[str, str] = field(default_factory=lambda: {"web": "one", "db": "two"})


def view(inputs: Inputs) -> View:
    """A view that says its inputs."""
    if inputs.name == "fault":
        raise ValueError("no")
    return View(
        answer=f"`{inputs.name}` ends with {inputs.code}.",
        situation=f"{inputs.policy} {inputs.strategies['web']}",
        panels={"said": f"<p>{inputs.code}</p>", "other": "<p>other</p>"},
        table="<table></table>" if inputs.policy == "always" else "",
        off={"fix"} if inputs.code == 0 else (),
        hidden={"more"} if inputs.fast else (),
        options={"policy": ("always", "no")} if inputs.fast else {},
        words={"fix": f"Mend {inputs.name}"},
    )


def form(**given: Any) -> Form[Inputs]:
    return Form(
        Inputs(**given),
        view,
        columns(
            section(
                "The <service>", choice("policy", "restart policy", ("always", "on-failure")), typed("name", "name")
            ),
            section(
                "What happens",
                number("code", "exit code", 0, 255),
                tick("fast", "fast"),
                area("text", "text"),
                line(press("fix", "Mend it", lambda inputs: replace(inputs, code=0)), key="more"),
                choice(("strategies", "web"), "strategy of web", ("one", "two")),
            ),
        ),
        columns(panel("said"), panel("other")),
        answer=lambda inputs: inputs.code,
    )


def test_controls_change_the_inputs_and_the_view_follows() -> None:
    lab = form()
    lab._controls["code"].value = 3
    lab._controls[("strategies", "web")].value = "two"
    assert lab.inputs == Inputs(code=3, strategies={"web": "two", "db": "two"})
    assert lab.view.situation == "always two"
    assert "ends with 3" in lab._said.value
    assert lab._panels["said"].value == "<p>3</p>"
    assert lab.status.text == str(lab) == "web ends with 3. always two"


def test_a_button_makes_new_inputs_and_the_controls_follow() -> None:
    lab = form()
    lab._controls["fix"].click()
    assert lab.answer == lab._controls["code"].value == 0
    assert lab._controls["fix"].disabled
    assert lab._controls["fix"].description == "Mend web"


def test_what_a_view_hides_is_not_there() -> None:
    lab = form()
    lab._controls["fast"].value = True
    assert lab._groups["more"].layout.display == "none"
    assert lab._controls["policy"].options == ("always", "no")
    lab._controls["fast"].value = False
    assert lab._groups["more"].layout.display is None


def test_a_value_that_a_control_cannot_take_is_mended_before_it_is_shown() -> None:
    lab = form(policy="never", code=900)
    assert lab.inputs.code == 255
    assert lab.inputs.policy == "always"
    assert lab.view.answer == "`web` ends with 255."


def test_the_table_twin_is_shown_when_it_is_asked_for() -> None:
    lab = form()
    assert lab._table.value == ""
    lab._tabled.value = True
    assert lab._table.value == "<table></table>"
    lab._controls["policy"].value = "on-failure"
    assert lab._tabled.layout.display == "none"


def test_a_fault_in_the_view_leaves_the_picture_before() -> None:
    lab = form()
    lab._controls["name"].value = "fault"
    assert lab.status.fault
    assert "<code>web</code> ends with 1" in lab._said.value
    lab._controls["name"].value = "db"
    assert not lab.status.fault
    assert "<code>db</code> ends with 1" in lab._said.value


def test_every_control_of_a_form_has_an_accessible_name() -> None:
    lab = form()
    assert all(control.description for control in lab._controls.values())
    named = {ipywidgets.Dropdown, ipywidgets.Text, ipywidgets.Checkbox, ipywidgets.Button, ipywidgets.Textarea}
    assert {type(control) for control in lab._controls.values()} <= named | {ipywidgets.BoundedIntText}


def test_a_title_is_escaped_and_the_still_picture_has_every_panel() -> None:
    lab = form()
    titles = "".join(each.value for each in lab._mine if isinstance(each, ipywidgets.HTML))
    assert "The &lt;service&gt;" in titles
    assert "<service>" not in titles
    assert '<div class="mc-cols"><div><p>1</p></div><div><p>other</p></div></div>' in lab.still()


def test_a_hundred_changes_make_no_new_widget() -> None:
    lab = form()
    before = set(_instances)
    for code in range(100):
        lab.put(replace(lab.inputs, code=code, fast=bool(code % 2)))
    assert set(_instances) == before
    lab.close()


def test_no_module_of_the_labs_is_called_like_a_name_that_it_has() -> None:
    """A module that is imported first would hide the name: `from labs import x` would give the module."""
    modules = {path.stem for path in Path(labs.__file__).parent.glob("*.py")}
    assert not modules & set(labs.__all__)
