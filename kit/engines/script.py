"""Files of events: what happens to a device, one thing after the other (S-7.3).

A file is a YAML list. An event is a name, or a name with what belongs to it:

    - process-exits: {service: web, code: 3}
    - time-passes: {ms: 1000}
    - offer-arrives: {file: next.yml}                    # beside this file; its commit is r2, the next one r3 …
    - offer-arrives: {apps: [{file: a.yml}, {file: b.yml, app: 2}]}
    - power-cut: {after-rounds: 2}                       # during the third round of what is under way

The supervisor settles before each event, unless `after-rounds` says how many rounds it gets; those of mere waiting
and of book-keeping do not count. `events.json` has every event with its fields; reading never raises.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from ..contracts import Facts
from ..device import read_device
from ..diagnostics import Diagnostic, Severity, Span, said
from ..planner import Release, Round, next_steps
from ..planner.target import mapping
from ..reader import Unreadable, read
from ..reader.fields import check_schema
from ..reader.notes import Notes
from ..source import Node, parse
from .base import EVENTS, SAYINGS, AnyEvent, OfferArrives, PowerCut, settle
from .simulated import Simulated


def rules(**known: object) -> dict[str, Any]:
    """What belongs to an event, in the form of `reader/fields.json`; *known* are narrower rules of some fields."""
    fields = SAYINGS["fields"] | known
    return {
        name: {
            "keys": {key: fields[key] for key in ("after-rounds", *takes.replace("!", "").split())},
            "required": [key[:-1] for key in takes.split() if key.endswith("!")],
        }
        for name, (takes, _) in SAYINGS["events"].items()
        if name != "round-over"
    }


class Happening(NamedTuple):
    """An event of a file; before it the supervisor gets that many rounds, or settles."""

    event: AnyEvent
    after_rounds: int | None
    span: Span


@dataclass(frozen=True, slots=True)
class Script:
    """A file of events, read to its end. With findings it is not to be followed: some events are missing."""

    happenings: tuple[Happening, ...] = ()
    findings: tuple[Diagnostic, ...] = ()

    def __iter__(self) -> Iterator[Happening]:
        return iter(self.happenings)


def described(text: str, name: str, schema: Mapping[str, object], rule: str) -> tuple[Node | None, list[Diagnostic]]:
    """The one document of a text, if it is as *schema* says (in the form of `reader/fields.json`), and findings.

    A list is one of events: each is a mapping of its name.
    """
    parsed, note = parse(text, name), Notes()
    if parsed.findings or len(parsed.documents) != 1:
        last = parsed.documents[-1].span if parsed.documents else Span(name, 1, 1)
        return None, list(parsed.findings) or [said(SAYINGS["findings"], "no-document", last, rule=rule)]
    root = parsed.documents[0]
    if root.kind == "list":
        root = root.like("list", [*map(_tidy, root.value)])
    check_schema(root, note, schema, ("the file",))
    wrong = [each for each in note.results() if each.code != "errors-unsaid"]
    return None if wrong else root, [replace(each, rule=rule, error_class="", reported=False) for each in wrong]


def _tidy(event: Node) -> Node:
    """An event as a mapping of its name, though it may be written as a name alone, or with nothing behind it."""
    if event.kind == "map":
        bodies = {name: body.like("map", {}) if body.kind == "null" else body for name, body in event.value.items()}
        return event.like("map", bodies)
    return event.like("map", {event.value: event.like("map", {})}) if event.kind == "str" else event


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
    ['events.yml:1:3: error[unknown-key] `the file` has no key `proces-exits`']
    """
    root, findings = described(text, name, {"items": {"keys": rules()}}, "S-7.3")
    happenings, offers = list[Happening](), _Offers(name, first, files)
    for item in root.value if root else ():
        if len(item.value) != 1:
            findings.append(said(SAYINGS["findings"], "no-event", item.span))
            continue
        ((kind, body),) = item.value.items()
        fields = body.plain()
        after = fields.pop("after-rounds", None)
        try:
            if kind == "offer-arrives":
                fields = {"releases": offers.offer(**fields)}
            elif "device" in fields:
                fields["facts"] = offers.facts(fields.pop("device"))
            happenings.append(Happening(EVENTS[kind](**fields), after, item.key_span(kind)))
        except (OSError, ValueError) as error:
            place = body.get("file") or body.get("device") or body
            findings.append(said(SAYINGS["findings"], "no-use", place.span, words={"problem": error}))
    if first and not findings:  # nothing would happen to a misspelt service, and nobody would say so
        made = [first, *(one for at in happenings if isinstance(at.event, OfferArrives) for one in at.event.releases)]
        service, volume = ({key for one in made for key in mapping(one.form.get(of))} for of in ("services", "volumes"))
        word, codes = {"kinds": "str"}, {"keys": dict.fromkeys(sorted(service), SAYINGS["fields"]["code"])}
        known = rules(codes=codes, service=word | {"words": sorted(service)}, volume=word | {"words": sorted(volume)})
        findings += described(text, name, {"items": {"keys": known}}, "S-7.3")[1]
    return Script(tuple(happenings), tuple(findings))


class _Offers:
    """The files beside a file of events, and the release of each app that was offered last."""

    def __init__(self, name: str, first: Release | None, files: Mapping[str, str] | None) -> None:
        self.folder, self.files, self.number = Path(name).parent, files, 1
        self.before = {first.app: first} if first else {}

    def text(self, file: str) -> str:
        if self.files is None:
            return (self.folder / file).read_text(encoding="utf-8-sig")
        if file not in self.files:
            raise Unreadable(file, "there is no such file")
        return self.files[file]

    def facts(self, file: str) -> Facts:
        reading = read_device(self.text(file), file)
        if reading.device is None:
            raise ValueError(f"`{file}` describes no device: {_first_error(reading.findings)}")
        return reading.device.facts

    def release(self, file: str, app: int = 1, commit: str = "", fleet: str = "fleet") -> Release:
        """The release of a file; without a commit of its own it is the next in number."""
        reading = read(self.folder / file) if self.files is None else read(self.text(file), files=self.files)
        if not reading.ok or reading.normal is None:
            raise ValueError(f"`{file}` makes no release: {_first_error(reading.findings)}")
        before = self.before.get(app)
        self.before[app] = Release(commit or f"r{self.number}", reading.normal, app=app, fleet=fleet, after=before)
        return self.before[app]

    def offer(self, apps: Iterable[Mapping[str, Any]] | None = None, **one: Any) -> tuple[Release, ...]:
        if (apps is None) == ("file" not in one) or (apps is not None and one):
            raise ValueError("an offer is one `file`, or a list of `apps` with a file each")
        self.number += 1
        found = {each.app: each for each in (self.release(**rows) for rows in (apps if apps is not None else [one]))}
        if apps is not None and len(found) < len([*apps]):
            raise ValueError("an app is offered twice: give each of the apps another number, as in `app: 2`")
        return tuple(found.values())


def _first_error(findings: Iterable[Diagnostic]) -> str:
    return next((found.message for found in findings if found.severity is Severity.ERROR), "it is empty")


def follow(engine: Simulated, script: Iterable[Happening]) -> Iterator[tuple[AnyEvent | None, tuple[Round, ...]]]:
    """Let a script happen to a device: each event, and the rounds of its supervisor after it.

    The first pair has no event: what the supervisor does before. The last of the rounds is empty if the device has
    settled.
    """
    event: AnyEvent | None = None
    for upcoming in (*script, None):
        asked, engine.rounds = engine.rounds, []
        done, limit = asked, upcoming.after_rounds if upcoming else None
        for _, round in settle(engine, engine.target) if limit != 0 else ():
            done.append(round)
            limit = limit and limit - bool(round.trace)
            if limit == 0:
                break
        yield event, tuple(done)
        if upcoming is not None:
            event = upcoming.event
            if isinstance(event, PowerCut):  # it comes during the next round
                event = replace(event, during=next_steps(engine.observe(), engine.target).steps)
            engine.happen(event)
