"""What a picture of a release says: its services, who waits for whom, and the state of each.

A `Graph` is finished text and structure: the picture, the table and the text twin only show it, and
therefore say the same. Names that no service has, services that wait for themselves and loops are
part of it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Final

from ..composition import Composition, Service
from ..contracts import is_optional
from ..contracts.decisions import Decision, listed
from .placement import NARROW, SHELF, SIZES, TABLES, WIDE, Edge, Layers, Placement, layers, place, reachable

if TYPE_CHECKING:
    import networkx

MOST: Final = 40
"""More services than this are a table; `focus` draws what one of them waits for."""
_FEW, _REDUCED_ABOVE = 5, 14
_NOBODY: Final = Service(name="")
_FEATURE: Final = "io.balena.features."


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A service, or a name that no service has. `round` counts from 1; 0 means that it cannot be said."""

    name: str
    state: str
    because: str
    round: int
    after: tuple[str, ...]
    second: str
    icon: str
    tag: tuple[str, str]  # its ports, in full and in short
    ports: tuple[str, ...]
    volumes: tuple[str, ...]
    host: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Graph:
    """A release as a picture sees it. In a notebook it shows itself as a card."""

    name: str
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    drawn: tuple[Edge, ...]
    mounts: tuple[tuple[str, str, str], ...]  # service, volume, where in the container
    size: str  # of the wide picture
    shelf: bool  # whether volumes stand beside the services
    focus: str
    waited: frozenset[str]
    decision: Decision | None

    @property
    def too_many(self) -> bool:
        """Whether these are too many services for a picture."""
        return len(self.nodes) > MOST and not self.focus

    @cached_property
    def by_name(self) -> dict[str, Node]:
        """Each node by its name."""
        return {node.name: node for node in self.nodes}

    @property
    def layers(self) -> Layers:
        """The column of each name, and the loops."""
        return layers(tuple(self.by_name), self.drawn)

    def placement(self, narrow: bool = False) -> Placement:
        """Where everything stands, wide or narrow."""
        mounts = dict.fromkeys((service, volume) for service, volume, _ in self.mounts if self.shelf and not narrow)
        return place(tuple(self.by_name), self.drawn, tuple(mounts), "narrow" if narrow else self.size)

    @property
    def narrow(self) -> bool:
        """Whether a twin from top to bottom is of use: the wide one is too wide, and no row has more than three."""
        rows = list(self.layers.column.values())
        few = max(map(rows.count, rows), default=0) <= 3
        return few and self.placement().width > NARROW >= self.placement(narrow=True).width - 80

    def binds(self, edge: Collection[str]) -> bool:
        """Whether an arrow is waited for: a service that is left out binds nobody."""
        return all(self.by_name[name].state != "out" for name in edge)

    @cached_property
    def answer(self) -> str:
        """One sentence that could be read alone: what is asked, else what is wrong, else what is decided."""
        loop, *others = self.layers.loops or ((),)
        unknown = [f"`{node.name}`" for node in self.nodes if node.state == "ask"]
        last = max((node.round for node in self.nodes), default=0)
        ends = [f"`{node.name}`" for node in self.nodes if node.round == last]
        waited = sum(self.by_name[name].state != "ask" for name in self.waited)
        deep = self.by_name[self.focus].round - 1 if self.focus else 0
        words = {
            "focus": self.focus, "waited": count(waited, "service"), "deep": count(deep, "step"), "first": loop[:1],
            "loop": count(len(loop), "service"), "more": ", and this is not the only loop" if others else "",
            "unknown": listed(unknown), "services": count(len(self.nodes), "service"), "last": count(last, "round"),
            "who": f"{ends[0]} starts" if len(ends) == 1 else f"{count(len(ends), 'service')} start",
            "decided": self.decision.answer if self.decision else "",
        }  # fmt: skip
        holds = {
            "free": self.focus and not waited, "deep": deep > 0, "focus": self.focus, "loop": len(loop) > 1,
            "itself": loop, "unknown": unknown, "decided": self.decision, "rounds": last > 1,
            "many": len(self.nodes) > 1, "one": self.nodes, "none": True,
        }  # fmt: skip
        sentence: str = TABLES["answers"][next(code for code, held in holds.items() if held)].format_map(words)
        return sentence[0].upper() + sentence[1:]

    @cached_property
    def situation(self) -> str:
        """The second line: why, what is left out, and what is not drawn."""
        state = {node.name: node.state for node in self.nodes}
        shown, every = len(self.drawn), len(self.edges)
        words = {"focus": self.focus, "shown": shown, "every": every, "hidden": every - shown}
        told = [("strong" if len(self.waited) + 1 < len(self.nodes) else "alone", words)] if self.focus else []
        if {"cyc", "ask"} & {*state.values()}:
            told += [("refused", words)]
            told += [("unknown", {"source": s, "target": t}) for s, t in self.edges if state[s] == "ask"]
        elif self.decision and not self.focus:
            told += [("decided", {"decided": self.decision.situation})]
        left_out = [edge for edge in self.edges if (state[edge[0]], state[edge[1]]) == ("out", "run")]
        told += [("satisfied", {"source": s, "target": t}) for s, t in left_out[:1]]
        if self.too_many or shown < every:
            told += [("table" if self.too_many else "hidden", words)]
        elif every and len(told) < 2:
            told += [("arrow", words)]
        return " ".join(TABLES["situations"][code].format_map(parts) for code, parts in told)

    def _repr_html_(self) -> str:
        from .twins import figure

        return figure(self)

    def __str__(self) -> str:
        from .twins import to_text

        return to_text(self)


def network(composition: Composition) -> networkx.DiGraph[str]:
    """The release as a networkx graph. A node has a `kind`: service, unknown, volume, network or port.

    Names of services stand for themselves; others begin with their kind: `volume data`, `port 80`. An
    edge has a `kind` too: `depends_on` (dependency → dependent), `mounts`, `joins` or `publishes`.
    """
    import networkx

    graph: networkx.DiGraph[str] = networkx.DiGraph()
    graph.add_nodes_from((service.name, {"kind": "service"}) for service in composition.services)
    graph.add_nodes_from((f"volume {volume.name}", {"kind": "volume"}) for volume in composition.volumes)
    graph.add_nodes_from((f"network {one.name}", {"kind": "network"}) for one in composition.networks)
    for service in composition.services:
        graph.add_nodes_from([name for name in service.depends_on if name not in graph], kind="unknown")
        graph.add_edges_from(((name, service.name) for name in service.depends_on), kind="depends_on")
        others = [("mounts", "volume", mount.volume) for mount in service.volumes]
        others += [("joins", "network", name) for name in lines_of(service)]
        others += [("publishes", "port", f"{port.published or 'any'}/{port.protocol}") for port in service.ports]
        for relation, kind, name in others:
            graph.add_node(f"{kind} {name}", kind=kind)
            graph.add_edge(service.name, f"{kind} {name}", kind=relation)
    return graph


def lines_of(service: Service) -> tuple[str, ...]:
    """The networks of a service; `host` and the like are no networks (C-56, C-57)."""
    return service.networks or (() if service.network_mode not in ("", "default") else ("default",))


def host_access(service: Service) -> tuple[str, ...]:
    """What a service may do to the device it runs on, in words."""
    features = [key.removeprefix(_FEATURE) for key, _ in service.labels if key.startswith(_FEATURE)]
    doors = ["privileged"] * service.privileged + ["host network"] * (service.network_mode == "host")
    doors += [device.split(":")[0] for device in service.devices] + list(service.cap_add)
    return (*doors, *(name for name in features if name != "optional" and not name.startswith("requires.")))


def of_composition(
    composition: Composition, decision: Decision | None = None, *, show: Collection[str] = ("ports", "volumes"),
    focus: str = "", name: str = "",
) -> Graph:  # fmt: skip
    """A release as a graph, with the states of a decision if there is one.

    Args:
        composition: The release.
        decision: What a device makes of it; without one the services have no state.
        show: What to write on the services: `ports`, `volumes`, `networks`, `host`, and `edges` for all arrows.
        focus: A service: what it waits for is drawn strong. Of a large release only that is drawn.
        name: What to call the release.

    Raises:
        ValueError: No service is called like the focus.
    """
    services = {service.name: service for service in composition.services}
    if focus and focus not in services:
        raise ValueError(f"no service is called {focus!r}")
    edges = tuple(dict.fromkeys((need, each.name) for each in services.values() for need in each.depends_on))
    unknown = dict.fromkeys(need for need, _ in edges if need not in services)
    names = (*services, *unknown)
    looped = {each for row in layers(names, edges).loops for each in row}
    decided = {each.name: each for each in decision.services} if decision else {}
    state: dict[str, str] = dict.fromkeys(services, "") | {each: one.state for each, one in decided.items()}
    state |= dict.fromkeys(unknown, "ask") | dict.fromkeys(looped, "cyc")
    kept = tuple(each for each in names if state[each] != "out")
    binding = tuple(edge for edge in edges if {*edge} <= {*kept})
    ancestors, rounds = reachable(kept, binding), layers(kept, binding).column
    waited = ancestors.get(focus, frozenset()) - {focus}
    if focus and len(services) > MOST:
        names = tuple(each for each in names if each in waited or each == focus)
        edges = tuple(edge for edge in edges if {*edge} <= {*names})
    may_go = {each for each in names if state[each] == "out" or (each in services and is_optional(services[each]))}
    drawn = _reduced(names, edges, frozenset(may_go)) if len(names) > _REDUCED_ABOVE and "edges" not in show else edges
    mounts = tuple((each, one.volume, one.target) for each in names for one in services.get(each, _NOBODY).volumes)
    columns, few = max(layers(names, drawn).column.values(), default=0) + 1, len(services) <= _FEW
    shelf = few and bool(mounts) and "volumes" in show and _fits(columns, SHELF[0])

    def node(each: str) -> Node:
        service = services.get(each, _NOBODY)
        after = tuple(need for need, target in edges if target == each)
        loop = [need for need in after if each in ancestors.get(need, ())]
        because = decided[each].why if each in decided else ""
        if loop:
            because = f"It waits for {listed([f'`{one}`' for one in loop])}, and so for itself."
        elif each in unknown:
            waiting = listed([f"`{target}`" for source, target in edges if source == each])
            because = f"No service has this name, and {waiting} names it in depends_on."
        blocked = each not in kept or each in unknown or looped & (ancestors[each] | {each})
        ports = tuple(f"{port.published or 'any'} → {port.target}" for port in service.ports)
        shown = ports if "ports" in show else ()
        second, icon = _second_line(service, state[each], loop, show, shelf)
        return Node(
            name=each, state=state[each], because=because, round=0 if blocked else rounds[each] + 1, after=after,
            second=second, icon=icon, tag=(_tag(shown), _tag([port.split(" → ")[0] for port in shown])),
            ports=ports, volumes=tuple(map(str, service.volumes)), host=host_access(service),
        )  # fmt: skip

    size = "large" if len(names) > _REDUCED_ABOVE else "small" if few and (shelf or _fits(columns, 0)) else "medium"
    return Graph(
        name=name, nodes=tuple(map(node, names)), edges=edges, drawn=drawn, mounts=mounts, size=size, shelf=shelf,
        focus=focus, waited=waited, decision=decision,
    )  # fmt: skip


@lru_cache(maxsize=64)
def _reduced(names: tuple[str, ...], edges: tuple[Edge, ...], optional: frozenset[str]) -> tuple[Edge, ...]:
    """The arrows that do not follow from others.

    A way through a service that is left out implies nothing. Optional services count as such even where
    they run: then the picture keeps its shape while a device's facts change. Inside a loop everything
    follows from everything, so a way through the loop of either end is no reason.
    """
    bound = [edge for edge in edges if not optional & {*edge}]
    before = reachable(names, bound)
    near: dict[str, list[str]] = {name: [source for source, target in bound if target == name] for name in names}

    def follows(edge: Edge) -> bool:
        source, target = edge
        ways = (one for one in near[target] if source in before[one] and one not in (source, target))
        return edge in bound and any(one not in before[source] and target not in before[one] for one in ways)

    return tuple(edge for edge in edges if not follows(edge))


def _fits(columns: int, shelf: int) -> bool:
    """Whether the columns have room in the small class."""
    size = SIZES["small"]
    return columns * size.width + shelf + (columns - (not shelf)) * size.gap[0] <= WIDE


def _tag(ports: Sequence[str]) -> str:
    """
    >>> _tag(["80"]), _tag(["80", "443"]), _tag([])
    ('80', '80+1', '')
    """
    return f"{ports[0]}+{len(ports) - 1}".removesuffix("+0") if ports else ""


def _second_line(service: Service, state: str, loop: list[str], show: Collection[str], shelf: bool) -> tuple[str, str]:
    """The line below a name, and the icon before it."""
    waits = listed(["itself" if one == service.name else one for one in loop])
    made = f"built from {service.build.context.removeprefix('./')}" if service.build else service.image
    volumes = dict.fromkeys(one.volume for one in service.volumes)
    choices = (
        (f"waits for {waits}" if loop else TABLES["second"].get(state, ""), ""),
        (", ".join(lines_of(service)) if "networks" in show else "", "host"),
        (", ".join(host_access(service)) if "host" in show else "", "feature"),
        (", ".join(volumes) if "volumes" in show and not shelf else "", "volume"),
        (", ".join(device.split(":")[0] for device in service.devices), "device"),
        ("privileged" if service.privileged else "", "privileged"),
        (made.removesuffix("built from ."), ""),
    )
    return next(((text, icon) for text, icon in choices if text), ("", ""))


# ------------------------------------------------------------------------------------------------ words


def count(number: int, noun: str) -> str:
    """
    >>> count(3, "service"), count(12, "service"), count(1, "step")
    ('three services', '12 services', 'one step')
    """
    numbers: list[str] = TABLES["numbers"]
    return f"{numbers[number] if number < len(numbers) else number} {noun}{'' if number == 1 else 's'}"
