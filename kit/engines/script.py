"""Files of events: what happens to a device, one thing after the other (S-7.3).

A file is a YAML list. An event is a name, or a name with what belongs to it:

    - process-exits: {service: web, code: 3}
    - time-passes: {ms: 1000}
    - offer-arrives: {file: next.yml}                    # beside this file; its commit is r2, the next one r3 …
    - offer-arrives: {apps: [{file: a.yml}, {file: b.yml, app: 2}]}
    - power-cut: {after-rounds: 2}                       # during the third round of what is under way

The supervisor settles before each event, unless `after-rounds` says how many rounds it gets. `events.json` has
every event with its fields; reading never raises.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from ..device import read_device
from ..diagnostics import Diagnostic, Severity, Span, did_you_mean
from ..planner import Release, Round, next_steps
from ..reader import Unreadable, read
from ..reader.fields import check_schema
from ..reader.notes import Notes
from ..source import Node, parse
from .base import EVENTS, SAYINGS, AnyEvent, HostUpdated, OfferArrives, PowerCut, Supervised, settle


class Happening(NamedTuple):
    """An event of a file; before it the supervisor gets that many rounds, or settles."""

    event: AnyEvent
    after_rounds: int | None
    span: Span


@dataclass(frozen=True, slots=True)
class Script:
    """A file of events, read to its end. It is `ok` unless a finding is an error; `texts` are for showing those."""

    happenings: tuple[Happening, ...] = ()
    findings: tuple[Diagnostic, ...] = ()
    texts: Mapping[str, str] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether every event was understood."""
        return not any(found.severity is Severity.ERROR for found in self.findings)

    def __iter__(self) -> Iterator[Happening]:
        return iter(self.happenings)


def read_events(
    text: str, name: str = "events.yml", *, first: Release | None = None, files: Mapping[str, str] | None = None
) -> Script:
    """Read a file of events.

    Args:
        text: The YAML text.
        name: The path of the file; the files that it names lie beside it.
        first: The release that the device runs at the start. An offered service with the same `build` keeps its image.
        files: Texts by name, in place of files on disk.

    >>> script = read_events("- process-exits: {service: web, code: 3}")
    >>> print(script.happenings[0].event)
    the process of `web` ends with 3
    >>> [str(found) for found in read_events("- proces-exits: {service: web}").findings]
    ['events.yml:1:3: error[unknown-event] `proces-exits` is no event']
    """
    return _Reader(text, name, first, files).script


def follow(engine: Supervised, script: Iterable[Happening]) -> Iterator[tuple[AnyEvent | None, tuple[Round, ...]]]:
    """Let a script happen to a device: each event, and the rounds of its supervisor after it.

    The first pair has no event: what the supervisor does before. The last of the rounds is empty if the device has
    settled.
    """
    event: AnyEvent | None = None
    for upcoming in (*script, None):
        asked, engine.rounds = engine.rounds, []
        done = islice(settle(engine, engine.target), upcoming.after_rounds if upcoming else None)
        yield event, (*asked, *(round for _, round in done))
        if upcoming is not None:
            event = upcoming.event
            if isinstance(event, PowerCut):  # it comes during the next round
                event = replace(event, during=next_steps(engine.observe(), engine.target).steps)
            engine.happen(event)


class _Reader:
    """One file of events on its way."""

    def __init__(self, text: str, name: str, first: Release | None, files: Mapping[str, str] | None) -> None:
        self.name, self.files = name, files
        self.texts = {name: text}
        self.before = {first.app: first} if first else {}  # the release of each app that was offered last
        self.offers = 1
        parsed = parse(text, name)
        self.findings = list(parsed.findings)
        root = parsed.documents[0] if parsed.documents else None
        items = root.value if root and root.kind == "list" else []
        for other in parsed.documents[1:]:
            self.found("more-documents", other.span)
        if not items and not self.findings:
            self.found("no-events", root.span if root else Span(name, 1, 1))
        read_ones = [self.happening(item, place) for place, item in enumerate(items)]
        self.script = Script(tuple(each for each in read_ones if each), tuple(self.findings), self.texts)

    def found(self, code: str, at: Span, **words: object) -> None:
        message, help_ = (text.format(**words) for text in SAYINGS["findings"][code])
        found = Diagnostic(code=code, severity=Severity.ERROR, message=message, span=at, help=help_, rule="S-7.3")
        self.findings.append(found)

    def happening(self, item: Node, place: int) -> Happening | None:
        """One item of the list, if it can be understood."""
        if item.kind == "str":
            name, body, at = item.value, item.like("map", {}), item.span
        elif item.kind == "map" and len(item.value) == 1:
            ((name, body),) = item.value.items()
            body, at = body.like("map", {}) if body.kind == "null" else body, item.key_span(name)
        else:
            self.found("no-event", item.span)
            return None
        if name not in EVENTS or name == "round-over":
            self.found("unknown-event", at, name=name, hint=did_you_mean(name, tuple(EVENTS)))
            return None
        takes = SAYINGS["events"][name][0].split()
        keys = {key: SAYINGS["fields"][key] for key in (*(each.rstrip("!") for each in takes), "after-rounds")}
        note = Notes()
        needed = [each[:-1] for each in takes if each.endswith("!")]
        check_schema(body, note, {"keys": keys, "required": needed}, (place, name))
        known = f"known here: {', '.join(keys)}"
        for each in (found for found in note.results() if found.code != "errors-unsaid"):
            told = known if each.help.startswith("remove") else each.help
            self.findings.append(replace(each, rule="S-7.3", error_class="", reported=False, help=told))
        if note.failed:
            return None
        fields = body.plain()
        after = fields.pop("after-rounds", None)
        if name == "offer-arrives":
            event = self.offer(body, fields)
        elif name == "host-updated" and "device" in fields:
            event = self.other_device(body, fields)
        else:
            event = EVENTS[name](**fields)
        return Happening(event, after, at) if event else None

    def text_of(self, file: str) -> str:
        """The text of a file beside this one. Raises OSError or ValueError."""
        if self.files is None:
            return (Path(self.name).parent / file).read_text(encoding="utf-8-sig")
        if file not in self.files:
            raise FileNotFoundError(2, "there is no such file")
        return self.files[file]

    def other_device(self, body: Node, fields: dict[str, Any]) -> AnyEvent | None:
        """A host OS update to the facts of a device file."""
        file = fields.pop("device")
        try:
            reading = read_device(self.text_of(file), file)
        except (OSError, ValueError) as error:
            self.found("no-device", body.value["device"].span, name=file, problem=_reason(error))
            return None
        if reading.device is None:
            self.found("no-device", body.value["device"].span, name=file, problem=reading.findings[0].message)
            return None
        return HostUpdated(**fields, facts=reading.device.facts)

    def offer(self, body: Node, fields: dict[str, Any]) -> AnyEvent | None:
        """An offer of one app or of several; without a commit of its own, it is the next in number."""
        if ("file" in fields) == ("apps" in fields) or ("apps" in fields and len(fields) > 1):
            self.found("no-offer", body.span)
            return None
        self.offers += 1
        offered: dict[int, Release] = {}
        for node in body.value["apps"].value if "apps" in fields else [body]:
            written = {key: value for key, value in node.plain().items() if key != "after-rounds"}
            file, app = written.pop("file"), written.get("app", 1)
            if app in offered:
                self.found("two-offers", node.span, app=app)
            form = self.composition(file, node.value["file"].span)
            if form is None:
                return None
            release = Release(**{"commit": f"r{self.offers}", **written}, composition=form, after=self.before.get(app))
            offered[app] = self.before[app] = release
        return OfferArrives(releases=tuple(offered.values()))

    def composition(self, file: str, at: Span) -> Mapping[str, object] | None:
        """The normal form of a composition beside this file, if it makes a release."""
        try:
            if self.files is None:
                reading = read(Path(self.name).parent / file)
            else:
                reading = read(self.text_of(file), name=file, files=self.files)
        except (Unreadable, OSError, ValueError) as error:
            self.found("no-release", at, name=file, problem=_reason(error))
            return None
        self.texts |= reading.texts
        if not reading.ok or reading.normal is None:
            errors = [found for found in reading.findings if found.severity is Severity.ERROR]
            self.findings += errors
            self.found("no-release", at, name=file, problem=errors[0].message if errors else "it is empty")
            return None
        return reading.normal


def _reason(error: Exception) -> str:
    """Why a file could not be read, without its name."""
    return str(getattr(error, "reason", "") or getattr(error, "strerror", "") or error)
