"""What the volume lab thinks, without a widget: a list of things that are done, and what is left of the data.

One service, `counter`, writes each line twice: into its container's own layer, and into the volume `data`. Every deed
is an event or a new release for the kit's simulated device, and what is left is read from the device.

>>> told(replayed(("write", "write", "recreate", "write"))[-1])
'layer of `counter`: 1 line; volume `1_data`: 3 lines'
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

import kit
from kit import looks
from kit.device.state import State
from kit.engines import base as on
from kit.engines.simulated import Simulated, settle
from kit.graphs.svg import path, rect, sheet, text
from kit.looks import escaped, prose
from kit.planner import Release

from . import volumes
from .frame import View
from .timeline import LAB, NARROW

SERVICE: Final = "counter"
MOST: Final = 11  # deeds that are kept
NO_VOLUME: Final = "No volume is mounted: the line goes into the container's own layer only"


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What the next release is made of: the fleet's number, how often the image changed, and the volume."""

    app: int = 1
    image: int = 1
    volume: str = "data"
    label: int = 0
    mounted: bool = True

    @property
    def form(self) -> dict[str, Any]:
        """The composition, in the keys of a normal form."""
        labels = {"backup": f"plan {self.label}"} if self.label else {}
        mounted = {"volumes": [f"{self.volume}:/data"]} if self.mounted else {}
        return {
            "services": {SERVICE: {"image": f"counter:{self.image}", **mounted}},
            "volumes": {self.volume: {"labels": labels}} if self.mounted else {},
        }

    @property
    def text(self) -> str:
        """The same as a person writes it."""
        lines = ["services:", f"  {SERVICE}:", f"    image: counter:{self.image}"]
        if self.mounted:
            lines += ["    volumes:", f"      - {self.volume}:/data", "volumes:", f"  {self.volume}:"]
            lines += ["    labels:", f"      backup: plan {self.label}"] if self.label else []
        return "\n".join(lines) + "\n"


class Deed(NamedTuple):
    """Something that is done: its button, its word in the picture, its events, the next release, and its rules."""

    button: str
    word: str
    events: Callable[[World, int], tuple[on.AnyEvent, ...]]
    next: Callable[[World], World]
    rule: str
    why: str


def _nothing(_world: World, _line: int) -> tuple[on.AnyEvent, ...]:
    return ()


def _write(world: World, line: int) -> tuple[on.AnyEvent, ...]:
    into = on.Writes(service=SERVICE, app=world.app, text=f"line {line}", volume=world.volume if world.mounted else "")
    return (on.Writes(service=SERVICE, app=world.app, text=f"line {line}"), *((into,) if world.mounted else ()))


def _same(world: World) -> World:
    return world


DEEDS: Final[dict[str, Deed]] = {
    "write": Deed(
        "Write a line", "write", _write, _same, "S-118",
        "The line goes into the container's own layer and into the volume",
    ),
    "crash": Deed(
        "It crashes", "crash",
        lambda world, _: (on.ProcessExits(service=SERVICE, app=world.app, code=1), on.TimePasses(ms=1_000)),
        _same, "S-128", "The engine starts the same container again, and its layer and all volumes stay",
    ),
    "reboot": Deed(
        "Reboot the device", "reboot", lambda _world, _line: (on.CleanReboot(),), _same, "S-128",
        "The same container runs on after the boot, and its layer and all volumes stay",
    ),
    "recreate": Deed(
        "Restart through the API", "API restart",
        lambda world, _: (on.ApiRestart(service=SERVICE, app=world.app),), _same, "S-118",
        "The container is deleted and made anew: its layer dies with it, the volume stays",
    ),
    "update": Deed(
        "Release: a new image", "new image", _nothing, lambda world: replace(world, image=world.image + 1), "S-115",
        "The container is made anew from the new image: its layer dies, the volume keeps its name and stays",
    ),
    "rename": Deed(
        "Release: the volume is renamed", "renamed", _nothing,
        lambda world: replace(world, volume="data" if world.volume != "data" else "store", mounted=True), "S-115",
        "Another name is another, empty volume; the old one stays on disk and nobody reads it",
    ),
    "drop": Deed(
        "Release: no volume any more", "no volume", _nothing, lambda world: replace(world, mounted=False), "S-115",
        "The volume is not deleted: no release mentions it, and it stays on disk",
    ),
    "mount": Deed(
        "Release: the volume again", "volume again", _nothing, lambda world: replace(world, mounted=True), "S-115",
        "The volume of that name is found again, with what was in it",
    ),
    "label": Deed(
        "Release: a label on the volume", "label", _nothing, lambda world: replace(world, label=world.label + 1),
        "S-115", "Its configuration changed, so the volume is deleted and made anew, empty",
    ),
    "fleet": Deed(
        "Move to another fleet", "other fleet", _nothing, lambda world: replace(world, app=world.app + 1, label=0),
        "S-114", "The old fleet's app is uninstalled with its volumes; the same name means another, empty volume",
    ),
    "purge": Deed(
        "Purge data", "purge", lambda world, _: (on.Purge(app=world.app),), _same, "S-116",
        "The app is uninstalled and installed again: all of its volumes come back empty",
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """The deeds so far, by name."""

    deeds: tuple[str, ...] = ()


class Moment(NamedTuple):
    """The device after a deed: the world, and what is in each place."""

    world: World
    places: Mapping[str, frozenset[str]]
    born: Mapping[str, int]
    """Place to the number of the container or the volume that it is: another number is another thing."""


def replayed(deeds: Sequence[str]) -> list[Moment]:
    """The device before the first deed and after each, by the simulated engine."""
    engine, world = Simulated(), World()
    born: dict[str, int] = {}
    _offer(engine, world, 0)
    moments = [_moment(engine.observe(), world, born, set(), 0)]
    for number, name in enumerate(deeds, start=1):
        deed, before = DEEDS[name], world
        was = {str(each) for each in engine.observe().volumes}
        gone: set[str] = set()
        for event in deed.events(world, number):
            engine.happen(event)
            gone |= was if isinstance(event, on.Purge) else set()
        world = deed.next(world)
        if world != before:
            gone |= _offer(engine, world, number)
        moments.append(_moment(engine.observe(), world, born, gone, number))
    return moments


def _offer(engine: Simulated, world: World, number: int) -> set[str]:
    """Offer the release and let the device settle; the volumes that were deleted on the way."""
    gone: set[str] = set()
    engine.happen(on.OfferArrives(releases=(Release(f"r{number}", world.form, app=world.app),)))
    for _, round in settle(engine, engine.target):
        gone |= {str(step.thing) for step in round if isinstance(step, kit.device.steps.RemoveVolume)}
    return gone


def _moment(state: State, world: World, born: dict[str, int], gone: set[str], number: int) -> Moment:
    places: dict[str, frozenset[str]] = {}
    one = state.container(SERVICE, world.app)
    layer = f"layer of `{SERVICE}`"
    if one:
        places[layer] = one.data
        born[layer] = one.id
    for each in sorted(state.volumes, key=str):
        name = f"volume `{each}`"
        places[name] = each.data
        if name not in born or str(each) in gone:
            born[name] = number
    for name in [each for each in born if each not in places]:
        del born[name]
    return Moment(world, places, dict(born))


def lines(data: frozenset[str]) -> str:
    """
    >>> lines(frozenset()), lines(frozenset({"a"})), lines(frozenset({"a", "b"}))
    ('empty', '1 line', '2 lines')
    """
    return f"{len(data)} line{'s' * (len(data) != 1)}" if data else "empty"


def told(moment: Moment) -> str:
    """A moment in words."""
    return "; ".join(f"{name}: {lines(data)}" for name, data in moment.places.items())


def lost(before: Moment, now: Moment) -> dict[str, int]:
    """How many lines each place lost between two moments."""
    found = {name: len(data - now.places.get(name, frozenset())) for name, data in before.places.items()}
    return {name: count for name, count in found.items() if count}


# ------------------------------------------------------------------------------------------- the picture

_LEFT, _ROW, _WIDTH = 150, 38, LAB
_TOP: Final = 50  # of the first bar
_WIDEST: Final = 84  # a column
_ACROSS: Final = 5  # columns on a page at 200 % zoom


def to_svg(moments: Sequence[Moment], deeds: Sequence[str], *, narrow: bool = False, standalone: bool = False) -> str:
    """A bar for the life of each layer and volume, left to right; where data is lost, the bar ends with a cross.

    Narrow, the bars go on further down.
    """
    across = min(len(moments), _ACROSS) if narrow else len(moments)
    width = NARROW if narrow else _WIDTH
    names = list(dict.fromkeys(name for moment in moments for name in moment.places))
    column = min(_WIDEST, (width - _LEFT) / across)
    tall, bands = _TOP + _ROW * len(names), -(-len(moments) // across)
    spots = [(_LEFT + column * (place % across), tall * (place // across)) for place in range(len(moments))]
    parts = [text(_LEFT, 14, "begin", 12, ink="ink3")]
    for (x, top), name in zip(spots[1:], deeds, strict=True):
        for line, word in enumerate(DEEDS[name].word.split()):
            parts.append(text(x, top + 14 + 15 * line, word, 12, ink="ink2", room=column - 3))
    for band in range(bands):
        parts.append(path(f"M0 {tall * band + 38.5:g}L{width} {tall * band + 38.5:g}", "rule", 1))
        for row, name in enumerate(names):
            y = tall * band + _TOP + _ROW * row + 14
            parts.append(text(0, y, name.replace("`", ""), bold=True, room=_LEFT - 8))
    for row, name in enumerate(names):
        parts += _lives(name, moments, [(x, top + _TOP + _ROW * row) for x, top in spots], column)
    return sheet("What is left of the data", said(moments, deeds), width, tall * bands, "".join(parts), standalone)


def _lives(name: str, moments: Sequence[Moment], spots: Sequence[tuple[float, float]], column: float) -> list[str]:
    """The bars of one place, with the number of lines at the spot of each moment."""
    parts = []
    used = f"volume `{moments[-1].world.app}_{moments[-1].world.volume}`"
    colour = "run" if name.startswith("layer") or (name == used and moments[-1].world.mounted) else "old"
    for place, moment in enumerate(moments):
        if name not in moment.places:
            continue
        (x, y), born = spots[place], moment.born[name]
        begins = place == 0 or moments[place - 1].born.get(name) != born
        ends = place + 1 == len(moments) or moments[place + 1].born.get(name) != born
        right = x + column - (8 if ends else 0)
        parts.append(rect(x, y, right - x, 20, 0, "", fill=f"{colour}t"))
        parts.append(path(f"M{x:g} {y:g}L{right:g} {y:g}M{x:g} {y + 20:g}L{right:g} {y + 20:g}", colour, 1.2))
        parts += [path(f"M{right:g} {y:g}L{right:g} {y + 20:g}", colour, 1.2)] if ends else []
        parts += [rect(x, y, 5, 20, 1, "", fill=colour)] if begins else []
        parts.append(text(x + 8, y + 14, lines(moment.places[name]), 12, bold=True, ink=colour, room=column - 14))
        if place + 1 < len(moments) and (count := lost(moment, moments[place + 1]).get(name)):
            left, top = right - 3, y + 6
            cross = f"M{left:g} {top:g}L{left + 8:g} {top + 8:g}M{left + 8:g} {top:g}L{left:g} {top + 8:g}"
            parts.append(path(cross, "no", 2))
            parts.append(text(right, y + 33, f"{count} lost", 12, bold=True, ink="no", anchor="end"))
    return parts


def said(moments: Sequence[Moment], deeds: Sequence[str]) -> str:
    """The picture in words."""
    told_ = (f"{word}: {told(moment)}" for word, moment in zip(("begin", *deeds), moments, strict=True))
    return ". ".join(told_) + "."


def to_table(moments: Sequence[Moment], deeds: Sequence[str]) -> str:
    """The same as a table: a row for each deed, a column for each place."""
    names = list(dict.fromkeys(name for moment in moments for name in moment.places))
    rows: list[tuple[str, ...]] = []
    for number, (word, moment) in enumerate(zip(("begin", *deeds), moments, strict=True)):
        gone = lost(moments[number - 1], moment) if number else {}
        cells = [lines(moment.places[name]) if name in moment.places else "–" for name in names]
        cells = [
            f"{cell}, {gone[name]} lost" if name in gone else cell for cell, name in zip(cells, names, strict=True)
        ]
        head = DEEDS[word].word if word in DEEDS else word
        rows.append((f"{number} {escaped(head)}", *map(escaped, cells)))
    return looks.table(("After", *(name.replace("`", "") for name in names)), rows)


def view(inputs: Inputs) -> View:
    """Everything that the lab shows for these deeds."""
    moments = replayed(inputs.deeds)
    now = moments[-1]
    where = volumes.place(now.world.app, now.world.volume)
    composition = kit.read(now.world.text).composition or kit.Composition()
    stale = [name for name in now.places if name.startswith("volume") and not _used(name, now.world)]
    path_ = (
        f"The data of the volume lies in `{where}` on the device." if now.world.mounted else "No volume is declared."
    )
    left = (
        f" Still on disk, and read by nobody: {', '.join(name.removeprefix('volume ') for name in stale)}."
        if stale
        else ""
    )
    answer, situation = _answered(moments, inputs.deeds)
    drawn = looks.picture(
        to_svg(moments, inputs.deeds), to_svg(moments, inputs.deeds, narrow=True), "What is left of the data"
    )
    line = looks.picture(volumes.to_svg(composition, now.world.app), name="Volumes and services")
    written = "".join(f'<span class="mc-line">{escaped(each)}</span>' for each in now.world.text.splitlines())
    source = f'<pre class="mc-source"><code>{written}</code></pre>'
    return View(
        answer=answer,
        situation=situation,
        panels={
            "life": f'{drawn}<p class="mc-quiet mc-small">{prose(path_ + left)}</p>',
            "text": f"<h4>The composition now</h4>{source}",
            "line": f"<h4>Which service has which volume</h4>{line}",
        },
        table=to_table(moments, inputs.deeds) + volumes.to_table(composition, now.world.app),
        hidden={"mount" if now.world.mounted else "drop", *(() if now.world.mounted else ("label", "rename"))},
    )


def _used(name: str, world: World) -> bool:
    return world.mounted and name == f"volume `{world.app}_{world.volume}`"


def _answered(moments: Sequence[Moment], deeds: Sequence[str]) -> tuple[str, str]:
    """What the last deed did to the data, and why."""
    if not deeds:
        return "`counter` runs, and has written nothing yet.", "Write some lines, then do something to the device."
    deed = DEEDS[deeds[-1]]
    gone = lost(moments[-2], moments[-1])
    told_ = deed.why if moments[-1].world.mounted or deed is not DEEDS["write"] else NO_VOLUME
    why = f"{told_} ({deed.rule})."
    if not gone:
        kept = sum(map(len, moments[-1].places.values()))
        return f"{deed.button}: nothing is lost.", why if kept else f"{why} There was nothing to lose."
    where = " and ".join(f"{count} from the {name}" for name, count in gone.items())
    total = sum(gone.values())
    return f"{deed.button}: {total} line{'s are' if total != 1 else ' is'} lost, {where}.", why


# ------------------------------------------------------------------------------------ what hands do


def doing(name: str) -> Callable[[Inputs], Inputs]:
    """Do one thing more; of a long list the first ones are kept."""
    return lambda inputs: inputs if len(inputs.deeds) >= MOST else replace(inputs, deeds=(*inputs.deeds, name))


def back(inputs: Inputs) -> Inputs:
    """Take the last deed back."""
    return replace(inputs, deeds=inputs.deeds[:-1])


def anew(inputs: Inputs) -> Inputs:
    """Begin with a new device."""
    return replace(inputs, deeds=())
