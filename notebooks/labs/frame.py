"""What all labs share: a guard for keys, a status line, and a frame that hears changes.

A lab listens, asks its view-model, and shows what comes back. Controls are made once and changed
afterwards: a widget made in a callback would stay for ever. What goes wrong in a callback is written
into the status line, because nobody reads the log.

    changed now      dropdowns, checkboxes, buttons, numbers (a number counts when its field is left, or on Enter)
    changed later    typed text, 150 ms after the last key

Two ways to make a lab. `Form` is the short one: a frozen dataclass of inputs, a pure function from inputs to a
`View`, and a table of controls. Each control is named after the field of the inputs that it changes; a pair such as
`("strategies", "web")` names one key of a mapping. A button has no field: it has a function from inputs to inputs.

    @dataclass(frozen=True, slots=True, kw_only=True)
    class Inputs:
        policy: str = "always"
        code: int = 1

    def view(inputs: Inputs) -> View:
        again = inputs.policy == "always" or inputs.code != 0
        return View(
            answer="It starts again." if again else "It stays down.",
            panels={"said": looks.state("run" if again else "out")},
            table=looks.table(("Policy", "Then"), [(escaped(inputs.policy), "runs" if again else "down")]),
        )

    controls = columns(
        section("The service", choice("policy", "restart policy", ("always", "on-failure"))),
        section("What happens", number("code", "exit code", 0, 255), press("fix", "Mend it", mended)),
    )
    lab = Form(Inputs(), view, controls, panel("said"))

The checkbox "Show the same as a table", the answer above, the spoken sentence, the still picture and `answer` for
exercises come by themselves. `lab.put(inputs)` sets every control from outside. The long way is a subclass of
`Lab`, for a lab that adds rows.

Known limits: a lab that is shown twice in one cell is one lab with two faces. A button that switches itself off
loses the focus of whoever works with keys: let it say that there is nothing left to do.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from html import escape
from pathlib import Path
from threading import RLock
from typing import Any, Final, Generic, NamedTuple, TypeVar

import anywidget
import ipywidgets
import traitlets

from kit import looks
from kit.composition import Composition
from kit.reader import Reading, read

from .decision_model import REFUSED, too_many, unread
from .decisions import Page

WAIT: Final = 0.15  # seconds after the last key
MOST: Final = 200  # services of one lab
# JupyterLab shows "model not found" for a lab whose kernel is gone, and no other part of the same output. So the
# still picture is an output of its own, and one of the two is hidden: the picture when the lab lives, else the lab.
_SWAP: Final = (
    ".jp-OutputArea-child:has(.mc-still):has(+.jp-OutputArea-child .mc-lab),"
    ".jp-OutputArea-child:has(.mc-still)+.jp-OutputArea-child:not(:has(.mc-lab)){display:none}"
)
_JS: Final = Path(__file__).parent
STYLE: Final = _JS / "lab.css"
TABLED: Final = "Show the same as a table"


class KeyGuard(anywidget.AnyWidget):
    """Keeps JupyterLab from taking the keys of a lab's controls. It needs a place inside the lab."""

    _esm = (_JS / "keyguard.js").read_text("utf-8")


class LiveStatus(anywidget.AnyWidget):
    """A sentence that screen readers hear when it changes. It is seen only when it is about a fault."""

    _esm = (_JS / "livestatus.js").read_text("utf-8")
    text = traitlets.Unicode("").tag(sync=True)
    fault = traitlets.Bool(False).tag(sync=True)


_OPEN: Final[dict[str, tuple[str, list[Lab]]]] = {}
"""Notebook cell to its last run and the labs that this run made."""


class Lab:
    """A box of controls and pictures. It shows itself live, and as a still picture where nothing runs.

    A subclass hands its controls to `parts` and says what it looks like without widgets in `still` (HTML)
    and `__str__`.
    """

    def __init__(self) -> None:
        self._mine: list[ipywidgets.Widget] = []
        self._quiet = False
        self._timer: asyncio.TimerHandle | None = None
        self.status = self.own(LiveStatus())
        self.box = self.make(ipywidgets.VBox, "mc", "mc-card", "mc-lab")
        self._register()

    def parts(self, *widgets: ipywidgets.Widget) -> None:
        """Put *widgets* into the lab, with its guard and its status line."""
        self.box.children = (*widgets, self.status, self.own(KeyGuard()))

    def own(self, widget: Any) -> Any:
        """A widget that is closed with the lab."""
        self._mine.append(widget)
        return widget

    def make(self, kind: type[ipywidgets.Widget], *classes: str, **traits: Any) -> Any:
        """A new control of this lab, with its classes."""
        return self.own(kind(_dom_classes=classes, **traits))

    def listen(self, control: ipywidgets.Widget, then: Callable[[], None]) -> None:
        """Call *then* when the control's value changes: at once, or for typed text when the typing rests."""
        typed = isinstance(control, ipywidgets.Text | ipywidgets.Textarea)

        def changed(_change: object) -> None:
            if not self._quiet:
                self._later(then) if typed else self._now(then)

        control.observe(changed, names="value")

    def press(self, button: ipywidgets.Button, then: Callable[[], None]) -> None:
        """Call *then* when the button is pressed."""
        button.on_click(lambda _button: self._now(then))

    @contextmanager
    def unheard(self) -> Iterator[None]:
        """Change several controls without listening to them."""
        self._quiet = True
        try:
            yield
        finally:
            self._quiet = False

    def _now(self, then: Callable[[], None]) -> None:
        """Do it, and write into the status line what goes wrong."""
        self._rest()
        try:
            then()
            self.status.fault = False
        except Exception as error:
            said = f"Our fault, not yours: {type(error).__name__}: {error}. The picture shows the state before."
            self.status.fault, self.status.text = True, said

    def _later(self, then: Callable[[], None]) -> None:
        """Do it when the typing has rested. Without a running loop there is nobody to wait for."""
        self._rest()
        try:
            self._timer = asyncio.get_running_loop().call_later(WAIT, self._now, then)
        except RuntimeError:
            self._now(then)

    def _rest(self) -> None:
        """Forget what waits."""
        if self._timer is not None:
            self._timer.cancel()

    def _register(self) -> None:
        """Close what an earlier run of the same cell has made."""
        ipython = sys.modules.get("IPython")
        shell = ipython.get_ipython() if ipython else None
        parent = shell.get_parent() if shell and hasattr(shell, "get_parent") else None
        if not parent:  # outside a notebook
            return
        run = parent.get("header", {}).get("msg_id", "")
        cell = parent.get("metadata", {}).get("cellId") or parent.get("content", {}).get("code", "")
        before, labs = _OPEN.get(cell, ("", []))
        for lab in labs if before != run else ():
            lab.close()
        _OPEN[cell] = run, [*(labs if before == run else ()), self]

    def close(self) -> None:
        """Take the lab and all of its controls away."""
        self._rest()
        parts = [getattr(widget, part, None) for widget in self._mine for part in ("layout", "style")]
        for widget in filter(None, (*self._mine, *parts)):
            widget.close()
        self._mine = []

    def still(self) -> str:
        """The lab as HTML without controls."""
        return f"<p>{escape(str(self))}</p>"

    def bundles(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """What a notebook keeps: the still picture, then the live lab."""
        still = f'<style>{_SWAP}</style><div class="mc-still">{self.still()}</div>'
        view = "application/vnd.jupyter.widget-view+json"
        return {"text/html": still, "text/plain": str(self)}, {view: self.box._repr_mimebundle_()[view]}

    def _ipython_display_(self) -> None:
        from IPython.display import display

        for bundle in self.bundles():
            display(bundle, raw=True)  # type: ignore[no-untyped-call]


# ------------------------------------------------------------------------------- a lab made of a table

Key = str | tuple[str, str]
"""What a control changes: a field of the inputs, or one key of a field that is a mapping."""
Inputs = TypeVar("Inputs")


class Control(NamedTuple):
    """One control: what it changes, its kind, its accessible name, its traits, and what a button does."""

    key: Key
    kind: type[ipywidgets.Widget]
    words: str
    traits: Mapping[str, Any]
    then: Callable[[Any], Any] | None = None


class Group(NamedTuple):
    """Parts beside each other or below each other; one with a key can be hidden by the view."""

    css: str
    parts: tuple[Part, ...]
    title: str = ""
    key: Key = ""


class Panel(NamedTuple):
    """A place for HTML, filled by the view under this name."""

    key: str
    css: str = ""


Part = Control | Group | Panel


def choice(key: Key, words: str, options: Sequence[str | tuple[str, Any]]) -> Control:
    """A dropdown; options are texts, or pairs of a text and the value behind it."""
    return Control(key, ipywidgets.Dropdown, words, {"options": tuple(options)})


def typed(key: Key, words: str, placeholder: str = "") -> Control:
    """A line of text, heard when the typing rests."""
    return Control(key, ipywidgets.Text, words, {"placeholder": placeholder})


def area(key: Key, words: str, rows: int = 10) -> Control:
    """Several lines of text, such as a composition; heard when the typing rests."""
    return Control(key, ipywidgets.Textarea, words, {"rows": rows})


def number(key: Key, words: str, low: int = 0, high: int = 10**9) -> Control:
    """A whole number from *low* to *high*."""
    return Control(key, ipywidgets.BoundedIntText, words, {"min": low, "max": high})


def tick(key: Key, words: str) -> Control:
    """A checkbox."""
    return Control(key, ipywidgets.Checkbox, words, {"indent": False})


def press(key: str, words: str, then: Callable[[Inputs], Inputs]) -> Control:
    """A button: *then* makes new inputs of the present ones."""
    return Control(key, ipywidgets.Button, words, {}, then)


def panel(key: str, css: str = "") -> Panel:
    """A place for the HTML that the view has under this name."""
    return Panel(key, css)


def columns(*parts: Part, key: Key = "") -> Group:
    """Parts beside each other, below each other where there is no room."""
    return Group("mc-columns", parts, key=key)


def section(title: str, *parts: Part, key: Key = "") -> Group:
    """A titled column of controls, their names aligned."""
    return Group("mc-section", parts, title, key)


def line(*parts: Part, key: Key = "") -> Group:
    """Controls in a line, which wraps."""
    return Group("mc-inline", parts, key=key)


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What a lab shows for its inputs: sentences are plain text, with code between backticks; the rest is HTML.

    `status` is what a screen reader hears; left empty, it is the answer and the situation. Controls and groups named
    in `off` cannot be used now, those in `hidden` are not there; `options` are a dropdown's new options, `words` the
    new words on a button or beside a control.
    """

    answer: str
    situation: str = ""
    panels: Mapping[str, str] = field(default_factory=dict)
    table: str = ""
    status: str = ""
    off: Collection[Key] = ()
    hidden: Collection[Key] = ()
    options: Mapping[Key, Sequence[str | tuple[str, Any]]] = field(default_factory=dict)
    words: Mapping[Key, str] = field(default_factory=dict)

    @property
    def spoken(self) -> str:
        """The sentence for a screen reader, and for a terminal."""
        return self.status or f"{self.answer} {self.situation}".replace("`", "").strip()


class Form(Lab, Generic[Inputs]):
    """A lab made of inputs, a view-model and a table of controls.

    Args:
        inputs: What it begins with, a frozen dataclass.
        think: The view-model, a pure function.
        parts: Controls, groups and panels, top to bottom.
        css: A style sheet of its own, beside that of all labs.
        answer: What an exercise gets from the lab; without it, the inputs.
    """

    def __init__(
        self, inputs: Inputs, think: Callable[[Inputs], View], *parts: Part, css: str = "",
        answer: Callable[[Inputs], object] | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self._think, self._parts, self._answers, self._putting = think, parts, answer, RLock()
        self._controls: dict[Key, Any] = {}
        self._groups: dict[Key, Any] = {}
        self._panels: dict[str, Any] = {}
        self._said = self.make(ipywidgets.HTML)
        body = [self._built(part) for part in parts]
        self._tabled, self._table = self.make(ipywidgets.Checkbox, description=TABLED, indent=False), self._html()
        self.listen(self._tabled, self._tell)
        sheet = self._html(f"<style>{looks.css()}{STYLE.read_text('utf-8')}{css}</style>")
        self.parts(sheet, self._said, *body, self._tabled, self._table)
        self.put(inputs)

    def _html(self, html: str = "", *classes: str) -> Any:
        return self.make(ipywidgets.HTML, *classes, value=html)

    def _built(self, part: Part, width: str = "initial") -> Any:
        """The widget of a part, made once. In a section all names have the *width* of the longest."""
        if isinstance(part, Panel):
            made = self._panels[part.key] = self._html("", *filter(None, [part.css]))
            return made
        if isinstance(part, Group):
            if part.title:
                named = [each.words for each in part.parts if isinstance(each, Control) and "indent" not in each.traits]
                width = f"{max(map(looks.text_width, named), default=0):.0f}px"
            inside = [self._built(each, width) for each in part.parts]
            title = [self._html(f"<h4>{looks.prose(part.title)}</h4>")] if part.title else []
            kind = ipywidgets.VBox if part.title else ipywidgets.HBox
            made = self.make(kind, part.css, children=(*title, *inside))
            self._groups |= {part.key: made} if part.key else {}
            return made
        traits = {"description": part.words, **part.traits}
        if part.then is not None:
            made = self.make(part.kind, **traits)
            self.press(made, lambda: self.put(part.then(self.inputs)))  # type: ignore[misc]
        else:
            made = self.make(part.kind, style={"description_width": width}, **traits)
            self.listen(made, self.show)
        self._controls[part.key] = made
        return made

    def _values(self) -> dict[Key, Any]:
        """What the controls say, buttons aside."""
        return {key: each.value for key, each in self._controls.items() if hasattr(each, "value")}

    @property
    def inputs(self) -> Inputs:
        """What the controls say now, in the inputs' own shape."""
        changes: dict[str, Any] = {}
        for key, value in self._values().items():
            if isinstance(key, str):
                changes[key] = value
            else:
                changes.setdefault(key[0], dict(getattr(self._inputs, key[0])))[key[1]] = value
        return replace(self._inputs, **changes)  # type: ignore[type-var]

    def put(self, inputs: Inputs) -> None:
        """Set every control from *inputs*, and show what that gives."""
        with self._putting:  # JupyterLab lets controls speak in a thread of their own
            shown = self._think(inputs)
            self._write(inputs, shown)
            if self.inputs != inputs:  # a dropdown has no such option, or a number is out of its range
                inputs = self.inputs
                shown = self._think(inputs)
            self._inputs, self.view = inputs, shown
            self._tell()

    def show(self) -> None:
        """Ask the view-model once more, and show what comes back."""
        self.put(self.inputs)

    def _write(self, inputs: Inputs, shown: View) -> None:
        self._inputs = inputs
        with self.unheard():
            for key, control in self._controls.items():
                if key in shown.options and control.options != tuple(shown.options[key]):
                    control.options = tuple(shown.options[key])
                control.description = shown.words.get(key, control.description)
                if not isinstance(control, ipywidgets.Button):
                    value = getattr(inputs, key) if isinstance(key, str) else getattr(inputs, key[0])[key[1]]
                    with suppress(traitlets.TraitError):  # no such option: what stands there stays
                        control.value = value
                control.disabled = key in shown.off

    def _tell(self) -> None:
        """Show the view that is there."""
        shown = self.view
        self._said.value = f'<h3>{looks.prose(shown.answer)}</h3><p class="mc-sub">{looks.prose(shown.situation)}</p>'
        for name, place in self._panels.items():
            place.value = shown.panels.get(name, "")
        for key, part in (*self._controls.items(), *self._groups.items()):
            part.layout.display = "none" if key in shown.hidden else None
        self._tabled.layout.display = None if shown.table else "none"
        self._table.value = shown.table if self._tabled.value else ""
        self.status.text = shown.spoken

    @property
    def answer(self) -> object:
        """What an exercise gets."""
        return self._answers(self.inputs) if self._answers else self.inputs

    def still(self) -> str:
        shown, drawn = self.view, "".join(map(self._drawn, self._parts))
        return looks.figure(shown.answer, shown.situation, drawn, table=shown.table)

    def _drawn(self, part: Part) -> str:
        """A part as HTML on which nothing runs: its panels."""
        if isinstance(part, Panel):
            return self.view.panels.get(part.key, "")
        inside = [self._drawn(each) for each in part.parts] if isinstance(part, Group) else []
        inside = [each for each in inside if each]
        if len(inside) < 2:
            return "".join(inside)
        return f'<div class="mc-cols">{"".join(f"<div>{each}</div>" for each in inside)}</div>'

    def __str__(self) -> str:
        return self.view.spoken


def given(composition: Composition | Reading | str | Path) -> Composition | Page:
    """The composition that a lab is asked for, or a notice if it cannot be read or is too large for a lab."""
    if not isinstance(composition, Composition):
        reading = read(composition) if isinstance(composition, str | Path) else composition
        if reading.composition is None or not reading.ok:
            return Page(REFUSED, unread(reading.findings))
        composition = reading.composition
    return Page(*too_many(composition, MOST)) if len(composition.services) > MOST else composition
