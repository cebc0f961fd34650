"""Who reaches whom: networks drawn as lines of a transport map, services as their stops.

Two services reach each other by name when one line serves both (C-57, C-105).
"""

from __future__ import annotations

from itertools import combinations

from .. import looks
from ..composition import Composition, Service
from ..looks import cut_middle, mark, text_width
from .graph import count, lines_of, of_composition
from .svg import path, port_tag, rect, sheet, text

_ACROSS = 8
_LABELS = 210


def reaches(composition: Composition) -> dict[str, tuple[str, ...]]:
    """Each service with those that it reaches by name.

    >>> one, two = Service(name="a", networks=("front",)), Service(name="b", networks=("front", "back"))
    >>> reaches(Composition(services=(one, two, Service(name="c", network_mode="host"))))
    {'a': ('b',), 'b': ('a',), 'c': ()}
    """
    lines = {service.name: {*lines_of(service)} for service in composition.services}
    return {name: tuple(other for other in lines if other != name and lines[other] & lines[name]) for name in lines}


def networks(composition: Composition, *, with_style: bool = True) -> str:
    """The card of the networks, or nothing if every service is on the default network."""
    order = {node.name: node.round for node in of_composition(composition).nodes}
    services = sorted(composition.services, key=lambda service: order[service.name])
    lines = list(dict.fromkeys(line for service in services for line in lines_of(service)))
    if lines in ([], ["default"]) and all(lines_of(service) for service in services):
        return ""
    found = reaches(composition)
    joined = [service.name for service in services if lines_of(service)]
    apart = [(one, other) for one, other in combinations(joined, 2) if other not in found[one]]
    answer = "Every two services share a line, so all of them reach each other."
    if apart:
        nor = f", nor do {count(len(apart) - 1, 'other pair')}" if len(apart) > 1 else ""
        answer = f"`{apart[0][0]}` and `{apart[0][1]}` share no line{nor}, so they cannot reach each other."
    situation = " ".join((
        "Each network is a line, each service a stop. Two services reach each other by name when one line serves both.",
        *(f"`{one.name}` is on the host network and has no service name." for one in services if _on_host(one)),
    ))  # fmt: skip
    rows = []
    for service in services:
        on = ", ".join(lines_of(service)) or service.network_mode
        rows.append((service.name, on, ", ".join(found[service.name]) or "–", _outside(service) or "–"))
    cells = [tuple(map(looks.escaped, row)) for row in rows]
    table = looks.table(("Service", "Networks", "Reaches by name", "Open from outside"), cells)
    said = " ".join(f"{name}: {on}." for name, on, *_ in rows)
    pictures = looks.picture(_drawn(services, lines, answer, said), name="networks") if len(services) <= _ACROSS else ""
    return looks.figure(answer, situation, pictures, "", table, with_style=with_style)


def _on_host(service: Service) -> bool:
    return service.network_mode == "host"


def _outside(service: Service) -> str:
    return "every port" if _on_host(service) else ", ".join(port.published or "any" for port in service.ports)


def _drawn(services: list[Service], lines: list[str], answer: str, said: str) -> str:
    pitch = min(140, (862 - _LABELS) // max(1, len(services)))
    at = {service.name: _LABELS + 40 + pitch * place for place, service in enumerate(services)}
    rows = [("outside", "the device’s address", [one for one in services if _outside(one)])]
    rows += [(line, "network", [one for one in services if line in lines_of(one)]) for line in lines]
    rows += [("host", "shares the device’s network", [one for one in services if _on_host(one)])]
    rows = [row for row in rows if row[2]]
    height = 30 + 42 * len(rows)
    parts = []
    for name, x in at.items():
        parts.append(text(x, 12, name, bold=True, anchor="middle", room=pitch - 6))
        parts.append(path(f"M{x} 22L{x} {height - 4}", "rule", 1))
    for place, (name, what, stops) in enumerate(rows):
        y, xs = 46 + 42 * place, [at[one.name] for one in stops]
        parts += [text(0, y + 1, name, bold=True, room=_LABELS - 40), text(0, y + 17, what, 12, ink="ink2")]
        if what == "network":
            parts.append(path(f"M{xs[0]} {y}L{xs[-1]} {y}", "ink", 6))
            parts += [rect(x - 7, y - 7, 14, 14, 7, "ink", 3) for x in xs]
        elif what.startswith("shares"):
            parts += [rect(x - 11, y - 11, 22, 22, 11, "ink", 2.5) + mark("host", x - 6, y - 6.5, 12) for x in xs]
        else:
            parts.append(path(f"M{xs[0] - 40} {y}L{xs[-1]} {y}", "ink", 2, dash="0.1 5"))
            for one, x in zip(stops, xs, strict=True):
                ports = "all" if _on_host(one) and pitch < 120 else _outside(one)
                ports = cut_middle(ports, pitch - 38, 12, bold=True, mono=True)
                parts.append(port_tag(x + text_width(ports, 12, bold=True, mono=True) / 2 + 15, y - 10, ports))
    return sheet(answer, said, max(at.values(), default=0) + 70, height, "".join(parts))
