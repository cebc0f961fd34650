"""What all labs share: a guard for keys, a status line, and a frame that hears changes.

A lab listens, asks its view-model, and shows what comes back. Controls are made once and changed
afterwards: a widget made in a callback would stay for ever. What goes wrong in a callback is written
into the status line, because nobody reads the log.

    changed now      dropdowns, checkboxes, buttons
    changed later    typed text, 150 ms after the last key

Known limits: a lab that is shown twice in one cell is one lab with two faces.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html import escape
from pathlib import Path
from typing import Any, Final

import anywidget
import ipywidgets
import traitlets

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


def given(composition: Composition | Reading | str | Path) -> Composition | Page:
    """The composition that a lab is asked for, or a notice if it cannot be read or is too large for a lab."""
    if not isinstance(composition, Composition):
        reading = read(composition) if isinstance(composition, str | Path) else composition
        if reading.composition is None or not reading.ok:
            return Page(REFUSED, unread(reading.findings))
        composition = reading.composition
    return Page(*too_many(composition, MOST)) if len(composition.services) > MOST else composition
