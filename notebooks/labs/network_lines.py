"""Networks drawn as lines of a transport map, services as their stops.

The outside comes first, with the ports that the device opens; then a line for each network, the engine's own bridge,
and the device's own network. A ring is a stop under the service's own name, a dot is one under another's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kit.composition import Composition
from kit.graphs import of_composition
from kit.graphs.svg import path, port_tag, rect, sheet, text
from kit.looks import cut_middle, mark, text_width

if TYPE_CHECKING:
    from .reachability_model import End, Reachability

SIZES: Final = {False: (862, 210), True: (472, 132)}
"""Wide or narrow: pixels of the whole, and of the words at the left."""
PITCH: Final = 140  # pixels between two services, where there is room
ROW: Final = 42
HOST: Final = "host"


def in_order(composition: Composition) -> list[str]:
    """The services in the order of their first start."""
    order = {node.name: node.round for node in of_composition(composition).nodes}
    return sorted((service.name for service in composition.services), key=lambda name: order[name])


def _ports(end: End) -> str:
    """What another machine can use, in a few characters."""
    return "every port" if end.space == HOST else ", ".join(str(each) for each in end.openings if not each.local)


def drawn(
    composition: Composition, found: Reachability, source: str = "", target: str = "", *, narrow: bool = False
) -> str:
    """The lines as one picture. The way from *source* to *target* is coloured where a line is that way."""
    wide, left = SIZES[narrow]
    names = [name for name in in_order(composition) if name in found.ends]
    ends, pitch = found.ends, min(PITCH, (wide - left) // max(1, len(names)))
    at = {name: left + min(40, pitch // 2) + pitch * place for place, name in enumerate(names)}
    lines = list(dict.fromkeys(line for name in names for line in ends[name].lines))
    rows: list[tuple[str, str, list[str]]] = [
        ("outside", "the device’s address", [n for n in names if _ports(ends[n])])
    ]
    rows += [(line, "network", [n for n in names if line in ends[n].networks]) for line in lines]
    rows += [("bridge", "the engine’s own, no names", [n for n in names if "bridge" in ends[n].networks])]
    rows += [("host", "shares the device’s network", [n for n in names if ends[n].space == HOST])]
    rows += [("none", "no network", [n for n in names if not ends[n].space])]
    rows = [row for row in rows if row[2]]
    height, way = 34 + ROW * len(rows), {source, target}
    parts = []
    for name, x in at.items():
        parts.append(text(x, 12, name, bold=True, anchor="middle", room=pitch - 6))
        parts.append(path(f"M{x} 22L{x} {height - 4}", "rule", 1))
    for place, (name, what, stops) in enumerate(rows):
        y, xs = 48 + ROW * place, [at[stop] for stop in stops]
        parts += [
            text(0, y + 1, name, bold=True, room=left - 10),
            text(0, y + 17, what, 12, ink="ink2", room=left - 10),
        ]
        if name == "none":
            parts += [rect(x - 7, y - 7, 14, 14, 7, "out", 1.7, dash="2.9 2.13") for x in xs]
        elif name == HOST and what != "network":
            parts += [rect(x - 11, y - 11, 22, 22, 11, "ink", 2.5) + mark("host", x - 6, y - 6.5, 12) for x in xs]
        elif what in ("network", "the engine’s own, no names"):
            known = what == "network"
            chosen = "old" if known and way <= {*stops} and len(way) == 2 else "ink"
            parts.append(path(f"M{xs[0]} {y}L{xs[-1]} {y}", chosen, 6 if known else 2, dash="" if known else "5 4"))
            for stop, x in zip(stops, xs, strict=True):
                own = ends[stop].space == stop
                parts.append(rect(x - 7, y - 7, 14, 14, 7, chosen, 3, fill="paper" if own else chosen))
        else:
            parts.append(path(f"M{xs[0] - min(40, pitch // 2)} {y}L{xs[-1]} {y}", "ink", 2, dash="0.1 5"))
            for stop, x in zip(stops, xs, strict=True):
                ports = _ports(ends[stop])
                ports = "all" if ports == "every port" and pitch < 120 else ports
                ports = cut_middle(ports, pitch - 38, 12, bold=True, mono=True)
                parts.append(port_tag(x + text_width(ports, 12, bold=True, mono=True) / 2 + 15, y - 10, ports))
    return sheet(
        "Networks as lines",
        said(names, found),
        max(at.values(), default=0) + min(70, pitch // 2 + 4),
        height,
        "".join(parts),
    )


def said(names: list[str], found: Reachability) -> str:
    """The picture in a few sentences, for who cannot see it."""
    told = []
    for name in names:
        end = found.ends[name]
        on = ", ".join(end.networks) or ("the device’s own network" if end.space == HOST else "no network")
        through = f", with the name of {end.space}" if end.space not in (name, HOST, "") else ""
        opened = _ports(end)
        told.append(f"{name}: {on}{through}{f'; open from outside: {opened}' if opened else ''}.")
    return " ".join(told)
