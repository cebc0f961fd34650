"""Who reaches whom, and at which address: a pure function of a release, with a reason for every pair.

    release ── kit.container.container ──▶ one network end per service ── reachability ──▶ a reason for each pair

A service has one *end*: the networks it is on and the names it has there, or the device's own network, or none, or
the end of another service. Two ends that share a network reach each other; where the engine knows service names on
it, by name. All else goes through the address of the device, and there only through published ports. What an end is
and which ports it opens is read from the request that the supervisor would send to the engine (C-49, C-50, C-105).

Checked on a real engine by `tests/test_reachability.py`, with the marker `engine`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any, Final, Literal, NamedTuple

from kit import looks
from kit.composition import Composition
from kit.container import SUPERVISOR_NETWORK, container
from kit.contracts import is_optional
from kit.diagnostics import Severity
from kit.looks import escaped, figure, glyph, picture, prose, table
from kit.planner.target import form_of
from kit.reader import Reading, read
from kit.rules import check

from .network_lines import drawn
from .rows import MOST, NUMBERS, with_rows

How = Literal["name", "localhost", "address", "device", "no"]
OUTSIDE: Final = ""
"""Where another machine stands in place of a service: no service has this name."""
HOST, NONE, BRIDGE, DEFAULT = "host", "none", "bridge", "default"
SHARES: Final = "service:"
APP: Final = "app_"  # what `container` puts before the names of an app's networks
LOCAL: Final = ("127.", "::1", "localhost")
MARKS: Final[dict[How, tuple[str, str]]] = {
    # how: the mark and the word of a cell
    "name": ("run", "by name"),
    "localhost": ("run", "localhost"),
    "address": ("part", "by address"),
    "device": ("part", ""),
    "no": ("out", "no"),
}


class Opening(NamedTuple):
    """A port of the device that leads to a service. `address` is empty for every address of the device."""

    port: int
    target: int
    protocol: str = "tcp"
    address: str = ""

    @property
    def local(self) -> bool:
        """Whether only the device itself may use it."""
        return self.address.startswith(LOCAL)

    def __str__(self) -> str:
        return f"{self.port}{'' if self.protocol == 'tcp' else '/' + self.protocol}"


@dataclass(frozen=True, slots=True)
class End:
    """Where a service is plugged in.

    `space` names whose network it is: a service, `host`, or nothing at all for `none` and for a service whose
    container cannot be created. `networks` maps each network to the names that lead here.
    """

    space: str
    networks: Mapping[str, tuple[str, ...]]
    openings: tuple[Opening, ...] = ()
    primary: str = ""
    trouble: str = ""  # why there is no container
    rule: str = ""
    inside: bool = False  # on internal networks only: nothing comes in and nothing goes out (C-84)

    @property
    def lines(self) -> tuple[str, ...]:
        """The networks of the release that it is on, the primary one first."""
        return tuple(name for name in self.networks if name not in (SUPERVISOR_NETWORK, BRIDGE))


class Reach(NamedTuple):
    """How one reaches another: by which way, at what address, and why. `how` is `no` where there is no way."""

    how: How
    at: str
    why: str
    rule: str

    def __bool__(self) -> bool:
        return self.how != "no"

    @property
    def word(self) -> str:
        """What stands in a cell."""
        return MARKS[self.how][1] or self.at


class Note(NamedTuple):
    """Something that surprises about one service."""

    service: str
    says: str
    rule: str


@dataclass(frozen=True, slots=True)
class Reachability:
    """Service × service, and outside × service. Ask it with a pair: `found["proxy", "data"]`."""

    services: tuple[str, ...]
    pairs: Mapping[tuple[str, str], Reach]
    ends: Mapping[str, End]
    notes: tuple[Note, ...] = ()

    def __getitem__(self, pair: tuple[str, str]) -> Reach:
        """How the first reaches the second; `OUTSIDE` is another machine on the device's network."""
        return self.pairs[pair]

    def __str__(self) -> str:
        width = max(map(len, (*self.services, "outside")), default=0)
        lines = (
            f"{source or 'outside':{width}}  {target:{width}}  {reach.word}: {reach.why} ({reach.rule})"
            for (source, target), reach in self.pairs.items()
        )
        return "\n".join(lines).replace("`", "")


# ------------------------------------------------------------------------------------------ the ends


def _form(given: Composition | Reading | Mapping[str, Any]) -> Mapping[str, Any]:
    """The release in the keys of a normal form; the networks of a service sorted, as the parser leaves them (C-57)."""
    if isinstance(given, Reading):
        given = given.normal or given.composition or {}
    if not isinstance(given, Composition):
        return given
    form = dict(form_of(given))
    services: dict[str, Any] = {}
    for name, body in (form["services"] or {}).items():  # type: ignore[attr-defined]
        sorted_too = {"networks": dict.fromkeys(sorted(body["networks"]))} if body.get("networks") else {}
        services[name] = {**body, **sorted_too}
    return {**form, "services": services}


def _openings(bindings: Mapping[str, Sequence[Mapping[str, str]]]) -> tuple[Opening, ...]:
    found = []
    for inside, outside in bindings.items():
        target, _, protocol = inside.partition("/")
        found += [Opening(int(each["HostPort"]), int(target), protocol, each["HostIp"]) for each in outside]
    return tuple(sorted(found))


def _end(name: str, form: Mapping[str, Any], seen: tuple[str, ...] = ()) -> End:
    """Where one service is plugged in; a shared network is that of the other service (C-56)."""
    service = form["services"][name]
    request = container(service, name=name)
    mode: str = request.body["HostConfig"]["NetworkMode"]
    openings = _openings(request.body["HostConfig"]["PortBindings"])
    joined = {**request.body["NetworkingConfig"]["EndpointsConfig"], **request.joins}
    networks = {each.removeprefix(APP): tuple(body["Aliases"]) for each, body in joined.items()}
    if mode.startswith("container:"):
        other = mode.removeprefix("container:").strip()
        if other not in form["services"] or other in (*seen, name):
            return End("", {}, trouble=f"no service is called `{other}` whose network it could share", rule="C-56")
        if openings:
            said = f"it publishes ports, and its network is that of `{other}`: the engine refuses that"
            return End("", {}, trouble=said, rule="C-105")
        return _end(other, form, (*seen, name))
    if mode == HOST:
        return End(HOST, {})
    if mode == NONE:
        return End("", {}, rule="C-56")
    primary = mode.removeprefix(APP)
    if primary == BRIDGE and mode == BRIDGE:
        networks = {BRIDGE: (), **networks}
    elif primary not in {DEFAULT, *(form.get("networks") or {})}:
        return End("", {}, trouble=f"there is no network `{primary}`, and it needs one", rule="C-105")
    inside = [one for one in networks if (form.get("networks") or {}).get(one, {}).get("internal")]
    closed = {*inside} == {*networks}
    return End(name, networks, () if closed else openings, primary, inside=closed)


# ---------------------------------------------------------------------------------------- the matrix


def _shown(openings: Sequence[Opening]) -> str:
    """
    >>> _shown([Opening(80, 8080), Opening(53, 53, "udp")])
    'ports 80 and 53/udp'
    """
    named = [str(each) for each in openings]
    if len(named) > 4:
        named = [*named[:3], f"{len(named) - 3} more"]
    text = " and ".join(filter(None, (", ".join(named[:-1]), named[-1])))
    return f"{'port' if len(openings) == 1 else 'ports'} {text}"


def _between(source: str, target: str, ends: Mapping[str, End], shares: Mapping[str, str]) -> Reach:
    """How one service reaches another."""
    here, there = ends[source], ends[target]
    for name, end in ((target, there), (source, here)):
        if not end.space:
            why = f"`{name}` has no container: {end.trouble}." if end.trouble else f"`{name}` has no network at all."
            return Reach("no", "", why, end.rule)
    if here.space == there.space:
        if here.space == HOST:
            return Reach("localhost", "localhost", "Both are on the device’s own network.", "C-105")
        who, whose = (source, shares[source]) if source in shares else (target, shares[target])
        return Reach("localhost", "localhost", f"`{who}` shares the network of `{whose}`.", "C-56")
    if there.space == HOST:
        why = f"`{target}` is on the device’s own network and has no service name. The device answers for it."
        return Reach("address", "the device’s address", why, "C-105")
    if here.space == HOST:
        if free := there.openings:
            why = f"`{source}` is on the device’s own network, where no service names are known. `{there.space}` "
            return Reach("device", f"localhost, {_shown(free)}", f"{why}publishes {_shown(free)}.", "C-105")
        why = f"`{source}` is on the device’s own network, where no service names are known. The address of the "
        return Reach("address", "the container’s address", f"{why}container works, until it is made anew.", "C-105")
    shared = [name for name in here.networks if name in there.networks]
    for network in shared:
        if names := there.networks[network]:
            name = there.space if target in shares else target
            as_it = f" `{target}` shares the network of `{name}` and answers to that name." if target in shares else ""
            also = [each for each in names if each != name]
            more = f" `{also[0]}` is another name for it there." if also else ""
            why = f"Both are on `{network}`, and every port that `{target}` listens at is open there.{as_it}{more}"
            return Reach("name", name, why, "C-56" if target in shares else "C-105")
    open_here = [each for each in there.openings if not each.local]
    if open_here and not here.inside:
        publishes = f"`{there.space}` publishes {_shown(open_here)}, and the device’s address leads there."
        why = f"No network serves both. {publishes}"
        return Reach("device", _shown(open_here), why, "C-49")
    if BRIDGE in shared:
        why = "Both are on the engine’s own bridge, which knows no service names."
        return Reach("address", "the container’s address", why, "C-56")
    if shared:
        why = "They share the supervisor’s network only, where services have no names."
        return Reach("address", "the container’s address", why, "C-89")
    if open_here:
        why = f"`{source}` is on an internal network only: published ports of the device do not answer there."
        return Reach("no", "", why, "C-84")
    on = f"`{source}` is on {_listed(here.networks)}, `{target}` on {_listed(there.networks)}"
    return Reach("no", "", f"{on}: no network serves both, and `{target}` publishes no port.", "C-57")


def _from_outside(target: str, end: End, form: Mapping[str, Any], shares: Mapping[str, str]) -> Reach:
    """How another machine reaches a service: through the device's address only."""
    if end.trouble:
        return Reach("no", "", f"`{target}` has no container: {end.trouble}.", end.rule)
    if end.space == HOST:
        why = f"`{target}` is on the device’s own network: every port that it listens at is open."
        return Reach("device", "every port", why, "C-105")
    if not end.space:
        return Reach("no", "", f"`{target}` has no network at all.", end.rule)
    through = f" through `{shares[target]}`, whose network it shares" if target in shares else ""
    open_here = [each for each in end.openings if not each.local]
    if open_here:
        leads = ", ".join(f"{each} → {each.target}" for each in open_here[:3])
        bare = any(":" not in text for text in form["services"][end.space].get("ports") or ())
        trap = " A port without a colon opens the same port of the device." if bare else ""
        rule = "C-50" if bare else "C-56" if through else "C-49"
        return Reach("device", _shown(open_here), f"The device’s address leads to it{through}: {leads}.{trap}", rule)
    if end.openings:
        why = f"`{end.openings[0].address}` is the device itself: nobody else can use this port."
        return Reach("no", "", why, "C-49")
    if form["services"][end.space].get("ports"):
        return Reach("no", "", f"`{target}` is on an internal network only, where published ports do nothing.", "C-84")
    return Reach("no", "", f"`{target}` publishes no port. `expose` opens none.", "C-45")


def _listed(names: object) -> str:
    """Network names in a sentence."""
    shown = [f"`{name}`" for name in names] if isinstance(names, Mapping) else []
    return " and ".join(filter(None, (", ".join(shown[:-1]), "".join(shown[-1:]))))


def reachability(release: Composition | Reading | Mapping[str, Any]) -> Reachability:
    """Who reaches whom in a release, and why.

    Args:
        release: A composition, a reading of one, or its normal form.

    Returns:
        A reason for each pair of services, and for each service from outside.

    >>> found = reachability(read("services: {web: {image: w, ports: ['80:8080']}, db: {image: d}}"))
    >>> found["web", "db"].how, found[OUTSIDE, "web"].at, bool(found[OUTSIDE, "db"])
    ('name', 'port 80', False)
    """
    form = _form(release)
    composition = release.composition if isinstance(release, Reading) else release
    known = composition if isinstance(composition, Composition) else Composition()
    written: Mapping[str, Any] = form.get("services") or {}
    in_file = [each.name for each in known.services if each.name in written]
    services = {name: written[name] for name in dict.fromkeys((*in_file, *written))}
    ends = {name: _end(name, form) for name in services}
    shares = {
        name: mode.removeprefix(SHARES).strip()
        for name, body in services.items()
        if (mode := body.get("network_mode") or "").startswith(SHARES) and ends[name].space
    }
    pairs = {(OUTSIDE, name): _from_outside(name, ends[name], form, shares) for name in services}
    for source in services:
        itself = Reach("localhost", "localhost", "It is the same container.", "C-105")
        pairs |= {
            (source, target): itself if source == target else _between(source, target, ends, shares)
            for target in services
        }
    return Reachability(tuple(services), pairs, ends, tuple(_notes(form, ends, known)))


# ----------------------------------------------------------------------------------------- the traps


def _notes(form: Mapping[str, Any], ends: Mapping[str, End], composition: Composition) -> Iterator[Note]:
    """What surprises about the networks of each service."""
    for name, body in (form.get("services") or {}).items():
        end, ports = ends[name], body.get("ports") or ()
        mode = body.get("network_mode") or ""
        for found in container(body, name=name).findings:
            if found.path[2:3] == ("ports",):
                yield Note(name, f"{found.message}; {found.help}" if found.help else found.message, found.rule)
        for text in ports if mode != HOST else ():
            if ":" not in text and (port := text.partition("/")[0]).isdecimal():
                yield Note(name, f"`{text}` alone opens port {port} of the device, not a free one", "C-50")
        if len(end.lines) > 1 and end.space == name:
            second = end.lines[1]
            yield Note(name, f"its primary network is `{end.primary}`, before `{second}`: the alphabet decides", "C-57")
        if mode == HOST and len(ends) > 1:
            yield Note(name, "on the device’s own network it has no service name, and knows none", "C-105")
        if mode == BRIDGE:
            yield Note(name, "`bridge` is the engine’s own network: no service of the release knows it by name", "C-56")
        shared = composition.service(mode.removeprefix(SHARES).strip()) if mode.startswith(SHARES) else None
        if shared and is_optional(shared):
            yield Note(name, f"`{shared.name}` is optional: if it is left out, this one is never created", "S-67")
        service = composition.service(name)
        if service and service.expose:
            yield Note(name, "`expose` is removed: it opens nothing and closes nothing", "C-45")
    published = [(name, each) for name, end in ends.items() if end.space == name for each in end.openings]
    for (one, first), (other, second_port) in combinations(published, 2):
        same = (first.port, first.protocol) == (second_port.port, second_port.protocol)
        if one != other and same and (not {first.address, second_port.address} - {""} or first == second_port):
            said = f"`{one}` publishes port {first} of the device too; the one that starts second cannot start"
            yield Note(other, said, "C-49")


# ------------------------------------------------------------------------------------- what is shown


class Row(NamedTuple):
    """What can be changed about one service: texts as a person types them."""

    name: str
    mode: str = ""  # empty: its networks
    networks: str = ""
    ports: str = ""


def empty() -> dict[str, str]:
    """A column without texts."""
    return dict.fromkeys(NUMBERS, "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """All that a learner can change: rows, each column under its number, and the pair that is asked about."""

    count: int = 0
    name: Mapping[str, str] = field(default_factory=empty)
    mode: Mapping[str, str] = field(default_factory=empty)
    networks: Mapping[str, str] = field(default_factory=empty)
    ports: Mapping[str, str] = field(default_factory=empty)
    source: str = OUTSIDE
    target: str = ""

    @property
    def rows(self) -> tuple[Row, ...]:
        """The rows that are there."""
        columns = (self.name, self.mode, self.networks, self.ports)
        return tuple(Row(*(column[number].strip() for column in columns)) for number in NUMBERS[: self.count])


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What is shown: HTML, the sentence that is spoken, and what was found. Without `found` nothing can be read."""

    found: Reachability | None
    reading: Reading
    answer: str
    situation: str
    pictures: str
    matrix: str
    notes: str
    reasons: str = ""

    @property
    def status(self) -> str:
        """The sentence that is spoken."""
        return f"{self.answer} {self.situation}".replace("`", "")


def inputs_of(composition: Composition) -> Inputs:
    """A release as inputs; the last service is asked about, from outside."""
    rows = [
        Row(each.name, each.network_mode, "" if each.network_mode else ", ".join(each.networks), written(each.ports))
        for each in composition.services[:MOST]
    ]
    return with_rows(Inputs(target=rows[-1].name if rows else ""), rows, Row(""))


def written(ports: Sequence[object]) -> str:
    """Ports as a person types them."""
    return ", ".join(map(str, ports))


def words(text: str) -> list[str]:
    """The names in a text, which commas or blanks part.

    >>> words("front, back  80:80")
    ['front', 'back', '80:80']
    """
    return text.replace(",", " ").split()


def text_of(inputs: Inputs) -> str:
    """The release of the inputs as a composition, in the plainest form: JSON is YAML (C-22)."""
    services: dict[str, Any] = {}
    for row in inputs.rows:
        body: dict[str, Any] = {"image": row.name.lower() or "image"}
        body |= {"network_mode": row.mode} if row.mode else {}
        body |= {"networks": words(row.networks)} if words(row.networks) and not row.mode else {}
        body |= {"ports": words(row.ports)} if words(row.ports) else {}
        services[row.name] = body
    named = (name for body in services.values() for name in body.get("networks", ()))
    networks = {name: None for name in named if name != DEFAULT}
    return json.dumps({"services": services} | ({"networks": networks} if networks else {}), ensure_ascii=False)


def modes(inputs: Inputs, name: str) -> tuple[tuple[str, str], ...]:
    """The network modes that a service can be given, with what each is called."""
    others = [(f"{SHARES}{row.name}", f"{SHARES}{row.name}") for row in inputs.rows if row.name not in ("", name)]
    return (("its networks", ""), (HOST, HOST), *others, (BRIDGE, BRIDGE), (NONE, NONE))


def sentence(found: Reachability, source: str, target: str) -> str:
    """How one reaches the other, as the answer of a card."""
    reach, who = found[source, target], f"`{source}`" if source else "Another machine"
    if source == target:
        return f"{who} reaches itself at localhost."
    return {
        "name": f"{who} reaches `{target}` by name: `{reach.at}`.",
        "localhost": f"{who} reaches `{target}` at localhost.",
        "address": f"{who} reaches `{target}` by address only.",
        "device": f"{who} reaches `{target}` at the device’s address, {reach.at}.",
        "no": f"{who} does not reach `{target}`.",
    }[reach.how].replace("address, localhost", "port")


def lines(composition: Composition, found: Reachability, source: str = "", target: str = "") -> str:
    """The networks as lines, wide and narrow: the card's width chooses."""
    wide, narrow = (drawn(composition, found, source, target, narrow=narrow) for narrow in (False, True))
    return picture(wide, narrow, "networks as lines")


def matrix(found: Reachability, asked: tuple[str, str] | None = None) -> str:
    """From each, to each: a real table of marks and words; the pair that is *asked* about is marked."""
    rows = []
    for source in (OUTSIDE, *found.services):
        cells = []
        for target in found.services:
            reach = found[source, target]
            said = looks.state(MARKS[reach.how][0], reach.word, 14)
            said = f"<mark>{said}</mark>" if (source, target) == asked else said
            cells.append("–" if source == target else said)
        rows.append((escaped(source) or "outside", *cells))
    return table(("From ↓ to →", *found.services), rows)


def reasons(found: Reachability) -> str:
    """Each pair with its reason, as a table."""
    rows: list[tuple[str, ...]] = [
        (
            escaped(source) or "outside",
            escaped(target),
            looks.state(MARKS[reach.how][0], reach.word, 14),
            prose(f"{reach.why} ({reach.rule})"),
        )
        for (source, target), reach in found.pairs.items()
        if source != target
    ]
    return table(("From", "To", "How", "Because"), rows)


def _noted(notes: Sequence[tuple[str, str]]) -> str:
    items = "".join(
        f'<li>{glyph(mark, 16)}<div class="mc-small">{prose(said)}</div></li>' for mark, said in dict.fromkeys(notes)
    )
    return f'<ul class="mc-rows">{items}</ul>' if items else ""


def view(inputs: Inputs) -> View:
    """Everything that the lab shows for these inputs."""
    names = [row.name for row in inputs.rows]
    reading = read(text_of(inputs), name="the lab")
    twice = sorted({name for name in names if names.count(name) > 1})
    wrong = [f"Two services are called `{name}`." for name in twice] + ["A service has no name."] * ("" in names)
    wrong += [
        f"{each.message}. {each.help[:1].upper()}{each.help[1:]}".strip(" .") + "."
        for each in reading.findings
        if each.severity is Severity.ERROR
    ]
    if wrong or reading.normal is None or not names:
        answer = "Refused. No release is made." if names else "There is no service yet."
        notes = _noted([("ref", each) for each in wrong])
        return View(
            found=None, reading=reading, answer=answer, situation=wrong[0] if wrong else "Add one.", pictures="",
            matrix="", notes=notes,
        )  # fmt: skip
    found = reachability(reading)
    source = inputs.source if inputs.source in found.services else OUTSIDE
    target = inputs.target if inputs.target in found.services else found.services[-1]
    reach = found[source, target]
    refused = [each for each in check(reading) if each.severity is Severity.REFUSED]
    said = [("no", f"{each.message}; {each.help} ({each.rule})") for each in refused]
    said += [("ask", f"`{note.service}`: {note.says} ({note.rule}).") for note in found.notes]
    composition = reading.composition or Composition()
    fits = len(found.services) <= MOST
    return View(
        found=found,
        reading=reading,
        answer=sentence(found, source, target),
        situation=f"{reach.why} ({reach.rule})",
        pictures=lines(composition, found, source, target) if fits else "",
        matrix=matrix(found, (source, target)),
        notes=_noted(said),
        reasons=reasons(found),
    )


def still(shown: View) -> str:
    """The lab as a page on which nothing runs."""
    return figure(
        shown.answer, shown.situation, f"{shown.pictures}{shown.matrix}{shown.notes}", table=shown.reasons,
        name="reachability",
    )  # fmt: skip


def network_card(composition: Composition | Reading) -> str:
    """The networks of a release as a card on which nothing runs."""
    found = reachability(composition)
    release = composition.composition if isinstance(composition, Reading) else composition
    apart = [
        pair for pair in combinations(found.services, 2) if not found[pair] and not found[pair[1], pair[0]]
    ]  # fmt: skip
    answer = "Every two services reach each other."
    if apart:
        more = f", nor do {len(apart) - 1} other pairs" if len(apart) > 2 else ", nor does another pair"
        answer = f"`{apart[0][0]}` and `{apart[0][1]}` do not reach each other{more if len(apart) > 1 else ''}."
    situation = "Each network is a line, each service a stop. One line that serves two services joins them by name."
    shown = lines(release or Composition(), found) if len(found.services) <= MOST else ""
    pictures = f"{shown}{matrix(found)}"
    notes = _noted([("ask", f"`{note.service}`: {note.says} ({note.rule}).") for note in found.notes])
    return figure(answer, situation, pictures + notes, table=reasons(found), name="networks")
