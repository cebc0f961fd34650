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
from dataclasses import dataclass
from functools import lru_cache
from operator import attrgetter
from typing import Final, Literal, NamedTuple

from ..composition import Composition, Service
from .reasons import OF_TYPE, Clause, Fact, Facts, clause_of, version_of
from .requirements import (
    LABEL_OF,
    TYPES,
    AnyOf,
    Contract,
    LabelType,
    Malformed,
    Requirement,
    contract_of,
    is_optional,
    read_contract,
)

Outcome = Literal["deployed", "partial", "rejected", "refused"]
State = Literal["run", "out", "no", "old", "ref"]

STATE_WORDS: Final[dict[State, str]] = {
    "run": "runs",
    "out": "left out",
    "no": "rejected",
    "old": "old release still runs",
    "ref": "refused",
}


class ServiceDecision(NamedTuple):
    """What becomes of one service. `met` is about its own requirements, `runs` about the whole release."""

    name: str
    optional: bool
    met: bool
    runs: bool
    clauses: tuple[Clause, ...]
    why: str
    state: State


@dataclass(frozen=True, slots=True)
class Decision:
    """What a device makes of a release. `refused_by` is the service and the reason, `rule` the rule behind it."""

    outcome: Outcome
    services: tuple[ServiceDecision, ...]
    name: str = ""
    refused_by: tuple[str, str] | None = None
    rule: str = ""

    @property
    def unmet(self) -> tuple[str, ...]:
        """Services whose requirements do not hold, the optional ones included (S-59)."""
        return tuple([each.name for each in self.services if not each.met and each.state != "ref"])

    @property
    def dropped(self) -> tuple[str, ...]:
        """Those of them that are optional, also when the release is rejected."""
        return tuple([each.name for each in self.services if each.state == "out"])

    @property
    def run(self) -> tuple[str, ...]:
        """Services of the new release that run. None, if it is rejected or refused."""
        return tuple([each.name for each in self.services if each.runs])

    @property
    def why(self) -> tuple[str, ...]:
        """What decides, as sentences: those of the services that do not run, the causes first."""
        if self.refused_by:
            return (f"{self.refused_by[1]} The device refuses the whole offer ({self._rules}).",)
        causes = [each.why for each in self.services if each.state == "no"]
        others = [each.why for each in self.services if each.state == "out"]
        return tuple(causes + others) or (self.situation,)

    @property
    def _rules(self) -> str:
        return f"{self.rule}, S-55"

    @property
    def answer(self) -> str:
        """One sentence that could be read alone."""
        count, running = len(self.services), len(self.run)
        match self.outcome:
            case "deployed":
                return f"Deployed: {_all(count)}." if count else "Deployed: the release has no services."
            case "partial":
                return f"Partly deployed: {running or 'none'} of {count} services {'runs' if running < 2 else 'run'}."
            case "rejected":
                return "Rejected. The old release goes on running."
        return "Refused. The old release goes on running."

    @property
    def situation(self) -> str:
        """The second line: which clause decides, or that all hold."""
        if self.refused_by:
            return self.refused_by[1]
        wanted: State = "no" if self.outcome == "rejected" else "out"
        lost = [each for each in self.services if each.state == wanted]
        if not lost:
            asks = any(each.clauses for each in self.services)
            return "Every requirement holds." if asks else "No service asks for anything."
        if len(lost) > 1:
            names = listed([f"`{each.name}`" for each in lost])
            return f"{names} cannot run here" + (
                ", and none of them is optional." if wanted == "no" else " and are left out."
            )
        failed = [each for each in lost[0].clauses if not each.met]
        opening = "One clause decides" if len(failed) == 1 else f"{len(failed)} clauses decide"
        return f"{opening}: `{lost[0].name}` asks for {listed([_missing(each) for each in failed])}."

    def rows(self) -> tuple[tuple[str, str, str], ...]:
        """The table: service, state in words, reason."""
        return tuple((each.name, STATE_WORDS[each.state], each.why) for each in self.services)

    def to_json(self) -> dict[str, object]:
        """The decision as plain values, in the shape of `kit decide --json`."""
        services = {
            each.name: {
                "optional": each.optional,
                "met": each.met,
                "runs": each.runs,
                "requirements": [clause.to_json() for clause in each.clauses],
            }
            for each in (self.services if self.outcome != "refused" else ())
        }
        lists = {"dropped": list(self.dropped), "unmet": list(self.unmet), "why": list(self.why)}
        return {"outcome": self.outcome, "services": services, **lists}

    def __str__(self) -> str:
        return "\n".join((self.answer, self.situation, *self._lines()))

    def _lines(self) -> Iterator[str]:
        """The tree, read aloud: what does not hold before what holds."""
        for each in self.services if self.outcome != "refused" else ():
            yield f"  {_said(each.name, each.state, len(each.clauses), sum(not clause.met for clause in each.clauses))}"
            for clause in sorted(each.clauses, key=lambda clause: clause.met):
                yield f"    {_mark(clause.met)}: {clause.why}"
                yield from (f"        {_mark(c.met)}: `{c.text}` asks for {c.words}" for c in clause.comparisons)
                if clause.source:
                    yield f"        read from {clause.source}"


def _mark(met: bool) -> str:
    return "yes" if met else "no"


def _all(count: int) -> str:
    return f"all {count} services run" if count > 1 else "the only service runs"


def listed(words: list[str]) -> str:
    """Words as a list that can be read aloud.

    >>> listed(["a", "b", "c"])
    'a, b and c'
    """
    return " and ".join((", ".join(words[:-1]), words[-1])) if len(words) > 1 else "".join(words)


def _missing(clause: Clause) -> str:
    """What a failing clause asks for, in a few words."""
    if clause.type == "or":
        return "one of several things, and this device has none of them"
    label = LABEL_OF.get(clause.label) or TYPES.get(clause.type)
    noun = label.noun if label else clause.type
    if clause.fact is None:
        return f"{noun}, which this device does not report"
    failed = {each.text[:1] for each in clause.comparisons if not each.met}
    which = {"<": "an older", ">": "a newer"}.get(failed.pop() if len(failed) == 1 else "", "another")
    return f"{which} {noun} than this device has"


# -------------------------------------------------------------------------------------------- deciding


_MANY: Final = 1 << 15  # answers to remember for one service
Key = tuple[Fact | None, ...]
"""The facts that one service looks at."""


class _Question:
    """One service, ready to be asked: it looks at the facts that its contract names, and at nothing else."""

    __slots__ = ("answers", "bad", "entries", "facts", "name", "optional", "types")

    def __init__(self, service: Service, contract: Contract) -> None:
        self.name, self.optional, self.entries = service.name, is_optional(service), contract.requires
        self.bad: State = "out" if self.optional else "no"
        asked = {atom.type for each in self.entries for atom in _members(each)}
        self.types = tuple(type for type in OF_TYPE if type in asked)
        names = [OF_TYPE[type] for type in self.types]
        # With fewer than two names an attrgetter gives no tuple.
        self.facts: Callable[[Facts], Key] = (
            attrgetter(*names) if len(names) > 1 else lambda facts: tuple([getattr(facts, name) for name in names])
        )
        self.answers: dict[Key, ServiceDecision] = {}

    def answer(self, facts: Key) -> ServiceDecision:
        """What becomes of the service in a release that is accepted; remembered."""
        have = dict(zip(self.types, facts, strict=True))
        clauses = tuple([clause_of(each, have) for each in self.entries])
        failed = [each.why for each in clauses if not each.met]
        state = self.bad if failed else "run"
        why = " ".join((_said(self.name, state, len(clauses), len(failed)), *failed))
        if len(self.answers) >= _MANY:
            self.answers.clear()
        found = ServiceDecision(self.name, self.optional, not failed, not failed, clauses, why, state)
        self.answers[facts] = found
        return found


def _as_rejected(service: ServiceDecision) -> ServiceDecision:
    """The same service in a release that is rejected: what could run does not."""
    if service.state != "run":
        return service
    return service._replace(runs=False, state="old", why=_said(service.name, "old"))


@lru_cache(maxsize=1 << 12)
def _said(name: str, state: State, count: int = 0, failed: int = 0) -> str:
    """What becomes of a service, without its clauses."""
    its = "requirement is" if failed == 1 else "requirements are"
    match state:
        case "run":
            hold = "Its requirement holds." if count == 1 else f"All {count} requirements hold."
            return f"`{name}` runs. {hold if count else 'It asks for nothing.'}"
        case "out":
            return f"`{name}` is optional, and its {its} not met: it is left out."
        case "no":
            return f"`{name}` is not optional, and its {its} not met."
        case "old":
            return f"`{name}` could run here, but the release is rejected as a whole."
    return f"`{name}` is part of an offer that is refused."


class _Hurdle(NamedTuple):
    """Something that can make a device refuse the offer: an unreadable contract, or a label and its minimum."""

    service: str
    label: LabelType | None
    malformed: Malformed | None


class _Release:
    """A composition, ready to be asked about many devices."""

    __slots__ = ("broken", "composition", "floor", "hurdles", "questions")

    def __init__(self, composition: Composition, contracts: Mapping[str, object]) -> None:
        self.composition = composition
        self.questions: list[tuple[Callable[[Facts], Key], dict[Key, ServiceDecision], _Question]] = []
        self.hurdles: list[_Hurdle] = []
        for service in composition.services:
            self.hurdles += [
                _Hurdle(service.name, LABEL_OF[key], None) for key in dict(service.labels) if key in LABEL_OF
            ]
            contract = contract_for(service, contracts)
            if isinstance(contract, Malformed):
                self.hurdles.append(_Hurdle(service.name, None, contract))
            else:
                question = _Question(service, contract)
                self.questions.append((question.facts, question.answers, question))
        self.broken = any(each.malformed for each in self.hurdles)
        self.floor = max((each.label.minimum for each in self.hurdles if each.label), default=(0, 0, 0))

    def refusal(self, facts: Facts) -> tuple[str, str, str] | None:
        """Service, reason and rule, if the device refuses; services are asked in document order (S-35)."""
        version = version_of(facts.supervisor.version) if facts.supervisor else None
        triple = version.triple if version else self.floor
        if not self.broken and triple >= self.floor:
            return None
        for each in self.hurdles:
            if each.malformed:
                return each.service, f"`{each.service}`: {each.malformed.reason}.", each.malformed.rule
            if each.label and triple < each.label.minimum:
                documented, measured = (
                    ".".join(map(str, numbers)) for numbers in (each.label.minimum, each.label.measured)
                )
                since = f"supervisors understand it from {documented} on (as documented; measured: {measured})"
                return (
                    each.service,
                    f"`{each.service}` carries `{each.label.key}`: {since}, this device has {version}.",
                    "S-71",
                )
        return None

    def decide(self, facts: Facts, name: str) -> Decision:
        if refusal := self.refusal(facts):
            return self.refused(refusal, name)
        services = []
        states = set()
        for needed, answers, question in self.questions:
            key = needed(facts)
            service = answers.get(key) or question.answer(key)
            services.append(service)
            states.add(service.state)
        if "no" in states:
            return Decision("rejected", tuple(map(_as_rejected, services)), name)
        return Decision("partial" if "out" in states else "deployed", tuple(services), name)

    def refused(self, refusal: tuple[str, str, str], name: str) -> Decision:
        """The decision when this release, or another one of the same offer, is refused."""
        service, reason, rule = refusal
        why = f"`{service}` decides: {reason}"
        services = tuple(
            ServiceDecision(
                each.name, is_optional(each), False, False, (), reason if each.name == service else why, "ref"
            )
            for each in self.composition.services
        )
        return Decision("refused", services, name, (service, reason), rule)


def contract_for(service: Service, contracts: Mapping[str, object]) -> Contract | Malformed:
    """The contract of a service: the given one, or that of its labels. An atom that is also a label keeps its name."""
    labelled = contract_of(service) or Contract()
    if service.name not in contracts:
        return labelled
    given = read_contract(contracts[service.name])
    if isinstance(given, Malformed):
        return given
    names = {(atom.type, atom.slug, atom.version): atom for each in labelled.requires for atom in _members(each)}

    def named(entry: Requirement | AnyOf) -> Requirement | AnyOf:
        if isinstance(entry, AnyOf):
            return AnyOf(tuple(names.get((each.type, each.slug, each.version), each) for each in entry.members))
        return names.get((entry.type, entry.slug, entry.version), entry)

    return Contract(tuple(map(named, given.requires)), given.slug, given.type)


def _members(entry: Requirement | AnyOf) -> tuple[Requirement, ...]:
    return entry.members if isinstance(entry, AnyOf) else (entry,)


_KNOWN: Final[dict[int, _Release]] = {}


def _release(composition: Composition, contracts: Mapping[str, object]) -> _Release:
    """The composition, ready to be asked. One without contract files is remembered, by identity: it cannot change."""
    if contracts:
        return _Release(composition, contracts)
    known = _KNOWN.get(id(composition))
    if known is None or known.composition is not composition:
        if len(_KNOWN) >= 32:
            _KNOWN.clear()
        known = _KNOWN[id(composition)] = _Release(composition, contracts)
    return known


_NO_CONTRACTS: Final[Mapping[str, object]] = {}


def decide(
    composition: Composition, facts: Facts, *, contracts: Mapping[str, object] = _NO_CONTRACTS, name: str = ""
) -> Decision:
    """What a device with these facts makes of a release.

    Args:
        composition: The release.
        facts: What the device knows about itself.
        contracts: Contracts by service, as objects; each replaces what the labels of that service say.
        name: What to call the release.
    """
    return _release(composition, contracts).decide(facts, name)


@dataclass(frozen=True, slots=True)
class OfferDecision:
    """What a device makes of several apps at once (S-65). `refused` is app, service and reason."""

    apps: Mapping[str, Decision]
    refused: tuple[str, str, str] | None = None

    def to_json(self) -> dict[str, object]:
        """The decisions as plain values, by app."""
        return {name: decision.to_json() for name, decision in self.apps.items()}


def decide_offer(
    apps: Mapping[str, Composition], facts: Facts, *, contracts: Mapping[str, Mapping[str, object]] | None = None
) -> OfferDecision:
    """Each app is decided on its own, but one that is refused takes all others with it (S-55, S-65)."""
    releases = {app: _release(composition, (contracts or {}).get(app, {})) for app, composition in apps.items()}
    for app, release in releases.items():
        if refusal := release.refusal(facts):
            decisions = {name: each.refused(refusal, name) for name, each in releases.items()}
            return OfferDecision(decisions, (app, refusal[0], refusal[1]))
    return OfferDecision({name: each.decide(facts, name) for name, each in releases.items()})
