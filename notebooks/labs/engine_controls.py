"""The engine lab: a release on the simulated engine or on Docker, with the same buttons on both.

from labs import engine_lab
engine_lab("data/compositions/getting-started.yml")
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from kit.device import Device
from kit.engines.images import Progress
from kit.looks import escaped
from kit.reader import Reading, read

from . import engine_model as model
from .decision_model import REFUSED, unread
from .decisions import Page
from .frame import Form, choice, columns, line, number, panel, press, section, tick

Inputs = model.Inputs


def _pressed(inputs: Inputs) -> Inputs:
    return replace(inputs, engine=inputs.desk.wish, presses=inputs.presses + 1)


def _up(inputs: Inputs) -> Inputs:
    """First the plan, then the go; the simulated engine needs neither."""
    desk = inputs.desk
    changed = (desk.wish, desk.device, desk.closed) != (inputs.engine, inputs.device, inputs.closed)
    desk.wish, desk.device, desk.closed = inputs.engine, inputs.device, inputs.closed
    if not changed and desk.plan and not desk.refusal and inputs.engine == model.DOCKER:
        desk.bring_up()
    else:
        desk.ask()
    return _pressed(inputs)


def _down(inputs: Inputs) -> Inputs:
    inputs.desk.take_down()
    return _pressed(inputs)


def _offer(inputs: Inputs) -> Inputs:
    inputs.desk.offer()
    return _pressed(inputs)


def _host(inputs: Inputs) -> Inputs:
    inputs.desk.update_host()
    return _pressed(inputs)


def _doing(deed: str) -> object:
    def do(inputs: Inputs) -> Inputs:
        inputs.desk.act(deed, inputs.service, inputs.code, inputs.volume)
        return _pressed(inputs)

    return do


_BUTTONS = {name: press(name, words, _doing(name)) for name, (words, _) in model.DEEDS.items()}  # type: ignore[arg-type]
CONTROLS = (
    columns(
        section(
            "The engine",
            choice("engine", "engine", (model.SIMULATED, model.DOCKER)),
            choice("device", "stands for", ("",)),
            tick("closed", "leave out what opens this machine"),
            line(press("up", "Bring it up", _up), press("down", "Take it down", _down)),
            line(press("offer", "Offer release 2", _offer), press("host", "Update the host OS", _host), key="updates"),
        ),
        section(
            "What happens",
            choice("service", "service", ("",)),
            line(number("code", "code", 0, 255), _BUTTONS["crash"], _BUTTONS["kill"]),
            line(*(_BUTTONS[name] for name in ("stop", "start", "restart", "lost", "reboot"))),
            line(_BUTTONS["lock"], _BUTTONS["unlock"], key="locks"),
            choice("volume", "volume", ("",)),
            line(_BUTTONS["layer"], press("volume write", "Write into the volume", _doing("volume"))),  # type: ignore[arg-type]
        ),
    ),
    panel("pictures"),
    panel("now"),
    panel("log"),
)


class EngineLab(Form[Inputs]):
    """A release on an engine; what happens by itself on Docker is shown as it happens."""

    def __init__(self, inputs: Inputs) -> None:
        super().__init__(inputs, model.view, *CONTROLS, answer=lambda now: now.desk)
        try:
            self._loop: asyncio.AbstractEventLoop | None = asyncio.get_running_loop()
        except RuntimeError:
            self._loop = None
        inputs.desk.changed, inputs.desk.hears = self._changed, self._hears

    def _changed(self) -> None:
        """From the thread that listens to the engine: show it when the notebook has time."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self.show)

    def _hears(self, at: Progress) -> None:
        """Builds, pulls and rounds, while they go on."""
        full = f'<progress max="{max(at.total, 1)}" value="{at.done}"></progress>'
        self._panels["now"].value = f"<p>{escaped(at.what)} {full} {escaped(at.doing[:80])}</p>"

    def close(self) -> None:
        self._inputs.desk.take_down()
        super().close()


Source = Reading | str | Path


def _read(composition: Source) -> tuple[Reading, Path]:
    """A composition, and the folder in which its build folders lie."""
    path = Path(composition) if isinstance(composition, str | Path) and "\n" not in str(composition) else Path()
    there = path.is_file()
    source = path if there else composition
    return source if isinstance(source, Reading) else read(source), path.parent if there else Path()


def engine_lab(
    composition: Source, engine: str = model.SIMULATED, *, offer: Source | None = None,
    devices: Mapping[str, Device] | None = None, host_os: str = "",
) -> EngineLab | Page:  # fmt: skip
    """Bring a release up on the simulated engine or on Docker, let things happen, and watch.

    Args:
        composition: A reading, a text, or the path of a file; with a path, its build folders lie beside it.
        engine: `engine_model.SIMULATED` or `engine_model.DOCKER`, to begin with.
        offer: The release after it, for an update.
        devices: Devices that the engine can stand for, by name: they decide on what is offered.
        host_os: The balenaOS release to which such a device can be updated.
    """
    reading, root = _read(composition)
    later = _read(offer)[0] if offer is not None else None
    for each in (reading, later):
        if each is not None and (each.normal is None or each.composition is None):
            return Page(REFUSED, unread(each.findings))
    desk = model.Desk(reading, root, engine, offer=later, devices=devices, host_os=host_os)
    first = Inputs(
        desk=desk, engine=engine, device=desk.device, service=next(iter(desk.names), ""),
        volume=next(iter(desk.volumes), ""),
    )  # fmt: skip
    return EngineLab(first)
