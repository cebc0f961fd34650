"""Which service has which named volume: a line diagram, as networks have it.

Services stand across the top, each volume is a line, and a ring is a stop: the place where the service finds it.

>>> import kit
>>> one = kit.read("services: {web: {image: w, volumes: ['data:/data']}}\\nvolumes: {data: {}}").composition
>>> mounts(one)
{'data': {'web': '/data'}}
>>> place(12, "data")
'/var/lib/docker/volumes/12_data/_data'
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from kit import looks
from kit.composition import Composition
from kit.graphs.svg import mark, path, rect, sheet, text
from kit.looks import escaped

WIDE: Final = 760
_LEFT: Final = 190
_ROW: Final = 44


def place(app: int, name: str) -> str:
    """Where the data of a volume lies on the device: the guide, section "Named volumes"; the name by S-114."""
    return f"/var/lib/docker/volumes/{app}_{name}/_data"


def mounts(composition: Composition) -> dict[str, dict[str, str]]:
    """Volume to service to the folder in its containers; a volume without a service is there too."""
    found: dict[str, dict[str, str]] = {each.name: {} for each in composition.volumes}
    for service in composition.services:
        for each in service.volumes:
            found.setdefault(each.volume, {})[service.name] = each.target
    return found


def to_svg(composition: Composition, app: int = 1, *, standalone: bool = False) -> str:
    """Services across the top, one line for each volume, a ring at each service that has it."""
    found, names = mounts(composition), [service.name for service in composition.services]
    column = max(96.0, min(168.0, (WIDE - _LEFT) / max(len(names), 1)))
    width, height = max(_LEFT + column * len(names), 376), 40 + _ROW * max(len(found), 1)
    at = {name: _LEFT + column * (number + 0.5) for number, name in enumerate(names)}
    parts = [text(at[name], 14, name, bold=True, anchor="middle", room=column - 8) for name in names]
    parts += [path(f"M{x:g} 24L{x:g} {height - 8:g}", "rule", 1) for x in at.values() if found]
    for row, (volume, stops) in enumerate(found.items()):
        y = 48 + _ROW * row
        parts += [mark("volume", 0, y - 9, 18), text(26, y - 1, volume, bold=True, room=_LEFT - 34)]
        parts.append(text(26, y + 14, f"{app}_{volume}", 12, ink="ink3", mono=True, room=_LEFT - 34))
        ends = [at[name] for name in stops if name in at]
        if ends:
            parts.append(path(f"M{min(ends):g} {y:g}L{max(ends) + 0.01:g} {y:g}", "edge", 6))
        for name, target in stops.items():
            if name in at:
                parts.append(rect(at[name] - 7, y - 7, 14, 14, 7, "edge", 3))
                parts.append(
                    text(at[name], y + 22, target, 12, ink="ink2", mono=True, anchor="middle", room=column - 8)
                )
        if not ends:
            parts.append(text(_LEFT, y + 4, "no service has it", 12, ink="ink3"))
    if not found:
        parts.append(text(0, 52, "There is no named volume: nothing survives a new container.", 12, ink="ink2"))
    return sheet("Volumes and services", told(found), width, height, "".join(parts), standalone)


def told(found: Mapping[str, Mapping[str, str]]) -> str:
    """The picture in words."""
    said = (
        f"{volume}: {', '.join(f'{name} at {target}' for name, target in stops.items()) or 'no service'}"
        for volume, stops in found.items()
    )
    return ". ".join(said) + "." if found else "There is no named volume."


def to_table(composition: Composition, app: int = 1) -> str:
    """The same as a table: a row for each volume, a column for each service."""
    names = [service.name for service in composition.services]
    rows: list[tuple[str, ...]] = [
        (
            escaped(volume),
            f"<code>{escaped(place(app, volume))}</code>",
            *(escaped(stops.get(name, "–")) for name in names),
        )
        for volume, stops in mounts(composition).items()
    ]
    return looks.table(("Volume", "On the device", *names), rows)
