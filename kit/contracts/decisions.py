"""Does a release run on a device, and why: the tree of reasons.

A decision has services, a service has clauses, a clause has comparisons and a fact with its source.
The leaves were read somewhere; everything above only combines (S-50 to S-71):

    refused    a contract could not be read, or a label is younger than the supervisor: the whole offer
               is thrown away (S-55, S-71)
    rejected   a service that is not optional is unmet: nothing of the release is done (S-59)
    partial    only optional services are unmet: they are left out, the rest runs (S-56)
    deployed   everything runs

>>> from kit.composition import Composition, Service
>>> web = Service(name="web", labels=(("io.balena.features.requires.sw.linux", ">5.15.*"),))
>>> print(decide(Composition(services=(web,)), Facts(kernel=Fact("linux", "5.15.92", "uname -r: 5.15.92-v8"))))
Rejected. The old release goes on running.
One clause decides: `web` asks for a newer Linux kernel than this device has.
  `web` is not optional, and its requirement is not met.
    no: `sw.linux` wants `>5.15.*`, which means `>=5.16.0`. The device has 5.15.92. That skips the line it names.
        no: `>=5.16.0` asks for 5.16.0 or newer
        read from uname -r: 5.15.92-v8
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from operator import attrgetter, getitem, itemgetter
from types import MappingProxyType
from typing import Final, Literal, NamedTuple

from ..composition import Composition
from ..versions import version_of
from .labels import LABEL_OF, TYPES, WORDS, Requirement, is_optional
from .reasons import OF_TYPE, Clause, Fact, Facts, any_of, clause
from .requirements import Malformed, entries_of

Outcome = Literal["deployed", "partial", "rejected", "refused"]
State = Literal["run", "out", "no", "old", "ref"]
Contracts = Mapping[str, object]
"""Contracts as objects, by the name of their service."""
NONE: Final[Contracts] = MappingProxyType({})

STATE_WORDS: Final[dict[State, str]] = WORDS["states"]


class ServiceDecision(NamedTuple):
    """What becomes of one service. `met` is about its own requirements, `runs` about the whole release."""

    name: str
    optional: bool
    met: bool
    runs: bool
    clauses: tuple[Clause, ...]
    state: State
    opening: str  # what becomes of it, without its clauses

    @property
    def why(self) -> str:
        """What becomes of it, and every clause that does not hold."""
        return " ".join([self.opening, *[each.why for each in self.clauses if not each.met]])


class Decision(NamedTuple):
    """What a device makes of a release. `refused_by` is the service and the reason, `rule` the rule behind it."""

    outcome: Outcome
    services: tuple[ServiceDecision, ...]
    name: str = ""
    refused_by: tuple[str, str] | None = None
    rule: str = ""

    def _names(self, *states: State) -> tuple[str, ...]:
        return tuple([each.name for each in self.services if each.state in states])

    @property
    def unmet(self) -> tuple[str, ...]:
        """Services whose requirements do not hold, the optional ones included (S-59)."""
        return self._names("no", "out")

    @property
    def dropped(self) -> tuple[str, ...]:
        """Those of them that are optional, also when the release is rejected."""
        return self._names("out")

    @property
    def run(self) -> tuple[str, ...]:
        """Services of the new release that run. None, if it is rejected or refused."""
        return self._names("run")

    @property
    def why(self) -> tuple[str, ...]:
        """What decides, as sentences: those of the services that do not run, the causes first."""
        if self.refused_by:
            return (f"{self.refused_by[1]} The device refuses the whole offer ({self.rule}, S-55).",)
        if self.outcome == "deployed":
            return (self.situation,)
        return tuple([each.why for state in ("no", "out") for each in self.services if each.state == state])

    @property
    def answer(self) -> str:
        """One sentence that could be read alone."""
        runs, answers = len(self.run), WORDS["answers"][self.outcome]
        return str(answers[min(runs, len(answers) - 1)]).format(runs, len(self.services))

    @property
    def situation(self) -> str:
        """The second line: which clause decides, or that all hold."""
        if self.refused_by:
            return self.refused_by[1]
        if self.outcome == "deployed":
            asked = any(each.clauses for each in self.services)
            return "Every requirement holds." if asked else "No service asks for anything."
        cause: State = "no" if self.outcome == "rejected" else "out"
        lost = [each for each in self.services if each.state == cause]
        if len(lost) > 1:
            return str(WORDS["lost"][cause]).format(listed([f"`{each.name}`" for each in lost]))
        failed = [each for each in lost[0].clauses if not each.met]
        opening = "One clause decides" if len(failed) == 1 else f"{len(failed)} clauses decide"
        return f"{opening}: `{lost[0].name}` asks for {listed([_missing(each) for each in failed])}."

    def rows(self) -> tuple[tuple[str, str, str], ...]:
        """The table: service, state in words, reason."""
        return tuple((each.name, STATE_WORDS[each.state], each.why) for each in self.services)

    def to_json(self) -> dict[str, object]:
        """The decision as plain values, in the shape of `kit decide --json`."""
        services = {
            each.name: {"optional": each.optional, "met": each.met, "runs": each.runs}
            | {"requirements": [one.to_json() for one in each.clauses]}
            for each in (self.services if self.outcome != "refused" else ())
        }
        lists = {"dropped": list(self.dropped), "unmet": list(self.unmet), "why": list(self.why)}
        return {"outcome": self.outcome, "services": services, **lists}

    def __str__(self) -> str:
        return "\n".join((self.answer, self.situation, *self._lines()))

    def _lines(self) -> Iterator[str]:
        """The tree, read aloud: what does not hold before what holds."""
        marks = {True: "yes", False: "no"}
        for each in self.services if self.outcome != "refused" else ():
            yield f"  {each.opening}"
            for reason in sorted(each.clauses, key=attrgetter("met")):
                yield f"    {marks[reason.met]}: {reason.why}"
                yield from (f"        {marks[c.met]}: `{c.text}` asks for {c.words}" for c in reason.comparisons)
                if reason.source:
                    yield f"        read from {reason.source}"


def listed(words: list[str]) -> str:
    """Words as a list that can be read aloud.

    >>> listed(["a", "b", "c"])
    'a, b and c'
    """
    return " and ".join((", ".join(words[:-1]), words[-1])) if len(words) > 1 else "".join(words)


def _missing(failed: Clause) -> str:
    """What a failing clause asks for, in a few words."""
    if failed.type == "or":
        return "one of several things, and this device has none of them"
    label = LABEL_OF.get(failed.label) or TYPES.get(failed.type)
    noun = label.noun if label else failed.type
    if failed.fact is None:
        return f"{noun}, which this device does not report"
    signs = {each.text[:1] for each in failed.comparisons if not each.met}
    which = {"<": "an older", ">": "a newer"}.get(signs.pop() if len(signs) == 1 else "", "another")
    return f"{which} {noun} than this device has"


# -------------------------------------------------------------------------------------------- deciding


class _Column(dict[Fact | None, tuple[tuple[Clause, ...], int]]):
    """All atoms of a release that ask for one type, by their bits: their clauses by fact, and which are unmet.

    An answer is made when its fact is first met, and shared by all devices with an equal fact.
    """

    def __init__(self, atoms: dict[int, Requirement]) -> None:
        self.atoms = atoms

    def __missing__(self, fact: Fact | None) -> tuple[tuple[Clause, ...], int]:
        if len(self) >= 1 << 15:
            self.clear()
        clauses = {bit: clause(atom, fact) for bit, atom in self.atoms.items()}
        found = self[fact] = tuple(clauses.values()), sum(1 << bit for bit, each in clauses.items() if not each.met)
        return found


_Pick = Callable[[list[Clause]], tuple[Clause, ...]]
_Question = tuple[str, bool, list[int], _Pick]
"""A service ready to be asked: its name, whether it is optional, its entries as bits of atoms, what picks clauses."""
_Fate = tuple[tuple[str, bool, bool, bool], _Pick, State, str]
"""A service whose requirements are known to hold or not: all of its decision but the clauses, and what picks those."""
_NEW: Final[Callable[[type[ServiceDecision], tuple[object, ...]], ServiceDecision]] = tuple.__new__


def _picker(groups: list[list[int]]) -> _Pick:
    """What takes the clauses of one service out of a row: the single ones as they are, choices put together."""
    if len(groups) > 1 and all(len(group) == 1 for group in groups):
        return itemgetter(*(bit for group in groups for bit in group))
    return lambda row: tuple([any_of(tuple([row[bit] for bit in group])) for group in groups])


_ANY: Final = (float("inf"),)  # a contract that cannot be read, whatever the supervisor


class _Release:
    """A composition, ready to be asked about many devices."""

    def __init__(self, composition: Composition, contracts: Contracts) -> None:
        self.composition = composition
        # Each is a service, a supervisor below which the device refuses the offer, the reason, and its rule.
        self.hurdles: list[tuple[str, tuple[float, ...], str, str]] = []
        self.refusal = lru_cache(maxsize=None)(self._refusal)
        self.outcome = lru_cache(maxsize=1 << 12)(self._outcome)
        self.questions: list[_Question] = []
        read = [entries_of(service, contracts) for service in composition.services]
        atoms = (atom for each in read if not isinstance(each, Malformed) for entry in each for atom in entry)
        # Equal atoms share a bit. Those of one type stand together, so a bit is also a place in the row of all clauses.
        bits = {atom: bit for bit, atom in enumerate(sorted(dict.fromkeys(atoms), key=attrgetter("type")))}
        for service, entries in zip(composition.services, read, strict=True):
            for label in (LABEL_OF[key] for key in dict(service.labels) if key in LABEL_OF):
                documented, measured = (".".join(map(str, each)) for each in (label.minimum, label.measured))
                since = f"supervisors understand it from {documented} on (as documented; measured: {measured})"
                self.hurdles.append((service.name, label.minimum, f"carries `{label.key}`: {since}", "S-71"))
            if isinstance(entries, Malformed):
                self.hurdles.append((service.name, _ANY, f"cannot be read: {entries.reason}", entries.rule))
                continue
            groups = [[bits[atom] for atom in entry] for entry in entries]
            masks = [sum({1 << bit for bit in group}) for group in groups]
            self.questions.append((service.name, is_optional(service), masks, _picker(groups)))
        types = dict.fromkeys(atom.type for atom in bits)
        self.columns = [_Column({bit: atom for atom, bit in bits.items() if atom.type == type}) for type in types]
        # With fewer than two names an attrgetter gives no tuple: two that are nothing go first.
        self.facts = attrgetter("nothing", "nothing", *(OF_TYPE.get(type, "nothing") for type in types))

    def _refusal(self, supervisor: Fact | None) -> tuple[str, str, str] | None:
        """Service, reason and rule, if the device refuses; services are asked in document order (S-35)."""
        version = version_of(supervisor.version) if supervisor else None
        for service, floor, reason, rule in self.hurdles:
            if floor == _ANY or (version and version.triple < floor):
                this = f"; this device has {version}" if rule == "S-71" else ""
                return service, f"`{service}` {reason}{this}.", rule
        return None

    def decide(self, facts: Facts, name: str) -> Decision:
        if refusal := self.refusal(facts.supervisor):
            return self.refused(refusal, name)
        row: list[Clause] = []
        unmet = 0
        for clauses, failed in map(getitem, self.columns, self.facts(facts)[2:]):
            row += clauses
            unmet |= failed
        outcome, fates = self.outcome(unmet)
        # `ServiceDecision(…)` itself takes three times as long, and this line is most of a decision.
        made = [_NEW(ServiceDecision, (*fate, pick(row), state, opening)) for fate, pick, state, opening in fates]
        return Decision(outcome, tuple(made), name)

    def _outcome(self, unmet: int) -> tuple[Outcome, list[_Fate]]:
        """What becomes of the release and of each service when these atoms are unmet."""
        # A choice has failed when it has atoms and none of them is met (S-42).
        failed = [sum(1 for bits in entries if bits and not bits & ~unmet) for _, _, entries, _ in self.questions]
        lost = {"out" if may else "no" for (_, may, *_), many in zip(self.questions, failed, strict=True) if many}
        kept: State = "old" if "no" in lost else "run"
        fates = []
        for (name, optional, entries, pick), many in zip(self.questions, failed, strict=True):
            state: State = ("out" if optional else "no") if many else kept
            said, asked = WORDS["said"][state], len(entries)
            opening: str = said[min(many or asked, len(said) - 1)].format(name, asked)
            fates.append(((name, optional, not many, state == "run"), pick, state, opening))
        return "rejected" if kept == "old" else "partial" if lost else "deployed", fates

    def refused(self, refusal: tuple[str, str, str], name: str) -> Decision:
        """The decision when this release, or another one of the same offer, is refused."""
        named = ((each.name, is_optional(each)) for each in self.composition.services)
        services = [ServiceDecision(*each, False, False, (), "ref", refusal[1]) for each in named]
        return Decision("refused", tuple(services), name, refusal[:2], refusal[2])


_KNOWN: Final[dict[int, _Release]] = {}


def _release(composition: Composition, contracts: Contracts) -> _Release:
    """The composition, ready to be asked. One without contract files is remembered, by identity: it cannot change."""
    if contracts:
        return _Release(composition, contracts)
    known = _KNOWN.get(id(composition))
    if known is None:  # what is known holds its composition, so no other one can have this identity
        if len(_KNOWN) >= 32:
            _KNOWN.clear()
        known = _KNOWN[id(composition)] = _Release(composition, contracts)
    return known


def decide(composition: Composition, facts: Facts, *, contracts: Contracts = NONE, name: str = "") -> Decision:
    """What a device with these facts makes of a release.

    Args:
        composition: The release.
        facts: What the device knows about itself.
        contracts: Contracts by service, as objects; each replaces what the labels of that service say.
        name: What to call the release.
    """
    return _release(composition, contracts).decide(facts, name)


class OfferDecision(NamedTuple):
    """What a device makes of several apps at once (S-65). `refused` is app, service and reason."""

    apps: Mapping[str, Decision]
    refused: tuple[str, str, str] | None = None

    def to_json(self) -> dict[str, object]:
        """The decisions as plain values, by app."""
        return {name: decision.to_json() for name, decision in self.apps.items()}


def decide_offer(
    apps: Mapping[str, Composition], facts: Facts, *, contracts: Mapping[str, Contracts] | None = None
) -> OfferDecision:
    """Each app is decided on its own, but one that is refused takes all others with it (S-55, S-65)."""
    releases = {app: _release(composition, (contracts or {}).get(app, NONE)) for app, composition in apps.items()}
    for app, release in releases.items():
        if refusal := release.refusal(facts.supervisor):
            decisions = {name: each.refused(refusal, name) for name, each in releases.items()}
            return OfferDecision(decisions, (app, *refusal[:2]))
    return OfferDecision({name: each.decide(facts, name) for name, each in releases.items()})
