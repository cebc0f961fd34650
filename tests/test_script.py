"""Files of events: read with findings and places, and followed event by event (S-7.3)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import kit
from kit.engines import base as on
from kit.engines.script import Script, follow, read_events
from kit.engines.simulated import Simulated

FOLDER = Path(__file__).parent.parent / "data" / "events"
TABLE = re.findall(r"^\| `(\S+)` \| `(\S+)` \|", (FOLDER / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
WEB = "services: {web: {image: web:1}}"


def texts(script: Script) -> list[str]:
    return [str(found) for found in script.findings]


def test_an_event_is_a_name_or_a_name_with_its_fields() -> None:
    script = read_events(
        "- power-cut\n- network-down:\n- process-exits: {service: web, code: 3}\n- time-passes: {ms: 5}"
    )
    assert not script.findings
    assert [each.event for each in script] == [
        on.PowerCut(),
        on.NetworkDown(),
        on.ProcessExits(service="web", code=3),
        on.TimePasses(ms=5),
    ]
    assert [(each.span.line, each.after_rounds) for each in script] == [(1, None), (2, None), (3, None), (4, None)]


def test_after_rounds_belongs_to_every_event() -> None:
    script = read_events("- power-cut: {after-rounds: 2}\n- lock-dropped: {service: web, after-rounds: 0}")
    assert [each.after_rounds for each in script] == [2, 0]


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        ("", "e.yml:1:1: error[no-document] this is no list and no mapping, or more than one"),
        ("process-exits: {}", "e.yml:1:1: error[wrong-kind] `the file` must be a list, not a mapping"),
        (
            "- power-cut: {}\n  purge: {}",
            "e.yml:1:3: error[no-event] an event is one name, or one name and what belongs",
        ),
        ("- 5", "e.yml:1:3: error[wrong-kind] `the file` must be a mapping, not a number"),
        ("- power-cut\n- powercut", "e.yml:2:3: error[unknown-key] `the file` has no key `powercut`"),
        ("- round-over", "e.yml:1:3: error[unknown-key] `the file` has no key `round-over`"),
        ("- api-stop", "e.yml:1:3: error[missing-key] `api-stop` needs `service`"),
        ("- api-stop: {service: 5}", "e.yml:1:23: error[wrong-kind] `service` must be text, not a number"),
        ("- time-passes: {ms: 1.5}", "e.yml:1:21: error[wrong-kind] `ms` must be a whole number, not a number"),
        ("- api-stop: [web]", "e.yml:1:13: error[wrong-kind] `api-stop` must be a mapping, not a list"),
        (
            "- process-exits: {service: a, code: 300}",
            "e.yml:1:37: error[out-of-range] `code` must be between 0 and 255",
        ),
        ("- power-cut: {during: 1}", "e.yml:1:15: error[unknown-key] `power-cut` has no key `during`"),
        ("- power-cut\n---\n- power-cut", "e.yml:3:1: error[no-document]"),
        ("- offer-arrives", "e.yml:1:3: error[no-use] an offer is one `file`, or a list of `apps` with a file each"),
        ("- offer-arrives: {file: b.yml}", "e.yml:1:25: error[no-use] b.yml cannot be read: there is no such file"),
        (
            "- offer-arrives: {file: c.yml}",
            "e.yml:1:25: error[no-use] `c.yml` makes no release: `web` has no key `imag`",
        ),
        (
            "- offer-arrives: {apps: [{file: a.yml}, {file: a.yml}]}",
            "e.yml:1:18: error[no-use] an app is offered twice",
        ),
        ("- host-updated: {device: b.yml}", "e.yml:1:26: error[no-use] b.yml cannot be read: there is no such file"),
        ("- host-updated: {device: a.yml}", "e.yml:1:26: error[no-use] `a.yml` describes no device: the device has no"),
        ("- a: [", "e.yml:2:1: error[no-yaml]"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(text: str, finding: str) -> None:
    script = read_events(text, "e.yml", files={"a.yml": WEB, "c.yml": "services: {web: {image: x, imag: x}}"})
    assert texts(script)[0].startswith(finding), texts(script)


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        ("- process-exits: {service: wbe}", "e.yml:1:28: error[unknown-word] `service` cannot be `wbe`"),
        ("- clean-reboot: {codes: {wbe: 0}}", "e.yml:1:26: error[unknown-key] `codes` has no key `wbe`"),
        ("- writes: {service: web, volume: lgo}", "e.yml:1:34: error[unknown-word] `volume` cannot be `lgo`"),
    ],
)
def test_a_service_or_a_volume_that_no_release_has_is_said(text: str, finding: str) -> None:
    first = kit.Release("r1", {"services": {"web": {}}, "volumes": {"log": {}}})
    (found,) = read_events(text, "e.yml", first=first, files={}).findings
    assert str(found) == finding
    assert found.help.startswith("did you mean `")


def test_an_event_may_speak_of_a_service_that_is_offered_in_the_file() -> None:
    text = "- lock-taken: {service: new}\n- offer-arrives: {file: a.yml}\n- writes: {service: new, volume: log}"
    files = {"a.yml": "services: {new: {image: x, volumes: ['log:/l']}}\nvolumes: {log: {}}"}
    assert not texts(read_events(text, first=kit.Release("r1", {"services": {"web": {}}}), files=files))


@given(st.text(alphabet="- {}[]:,'\"\n&*!ab1process-exitsservice", max_size=60))
def test_no_text_makes_the_reader_raise(text: str) -> None:
    read_events(text, files={})


def test_offers_are_counted_and_an_unchanged_build_keeps_its_image() -> None:
    first = kit.Release("r1", {"services": {"web": {"build": {"context": "web", "dockerfile": "Dockerfile"}}}})
    offer = "services: {web: {build: ./web}, db: {image: db:1}}"
    files = {"a.yml": offer, "web/Dockerfile": "FROM scratch"}
    text = (
        "- offer-arrives: {file: a.yml}\n- offer-arrives: {apps: [{file: a.yml, app: 2, commit: q7, fleet: harbour}]}"
    )
    script = read_events(text, first=first, files=files)
    assert not texts(script)
    (one, _, _), (other, _, _) = script
    assert isinstance(one, on.OfferArrives)
    assert isinstance(other, on.OfferArrives)
    (same,), (moved,) = one.releases, other.releases
    assert (same.commit, {each.name: each.image for each in same.services}) == ("r2", {"db": "db:1", "web": "web:r1"})
    assert (moved.commit, moved.app, moved.fleet) == ("q7", 2, "harbour")


def test_a_host_os_comes_with_the_facts_of_its_device_file() -> None:
    device = "device-type: raspberrypi4-64\narch: aarch64\nsupervisor: 19.0.5\nos: 6.4.0\n"
    script = read_events("- host-updated: {device: d.yml}", files={"d.yml": device})
    ((event, _, _),) = script
    assert isinstance(event, on.HostUpdated)
    assert event.facts is not None
    assert event.facts.os is not None
    assert event.facts.os.version == "6.4.0"


def test_the_table_of_events_and_the_classes_agree() -> None:
    assert list(on.SAYINGS["events"]) == list(on.EVENTS)
    for name, (takes, sentence) in on.SAYINGS["events"].items():
        fields = set(getattr(on.EVENTS[name], "__dataclass_fields__", {}))
        keys = {key.rstrip("!") for key in takes.split()}
        assert keys - {"file", "commit", "app", "fleet", "apps", "device"} <= fields, name
        assert sentence[0].islower() or sentence.startswith(("`", "{")), name


def test_every_event_is_a_sentence() -> None:
    release = kit.Release("r2", {}, app=3)
    events = [
        on.ProcessExits(service="web", code=3),
        on.OfferArrives(releases=(release,)),
        on.OfferArrives(),
        on.Writes(service="web", text="x", volume="log"),
        on.CleanReboot(codes={"web": 0}),
        on.HostUpdated(os="balenaOS 7"),
        on.Purge(),
    ]
    assert [str(event) for event in events] == [
        "the process of `web` ends with 3",
        "the cloud offers r2 for app 3",
        "the cloud offers no app",
        "`web` writes `x` into volume `log`",
        "the device reboots in good order; `web` ends with 0",
        "the device boots into balenaOS 7",
        "app 1 is purged through the API",
    ]


def followed(script: str, composition: str) -> tuple[Simulated, list[list[str]]]:
    """A blank device that gets a composition and then lives through a script; the rounds after each event."""
    path, reading = FOLDER / script, kit.read(FOLDER / composition)
    assert reading.normal is not None
    first = kit.Release("r1", reading.normal)
    read = read_events(path.read_text(encoding="utf-8"), str(path), first=first)
    assert not texts(read)
    engine = Simulated()
    engine.happen(on.OfferArrives(releases=(first,)))
    return engine, [[str(round) for round in rounds if round] for _, rounds in follow(engine, read)]


@pytest.mark.parametrize(("script", "composition"), TABLE, ids=[script for script, _ in TABLE])
def test_every_script_of_the_folder_runs_to_its_end(script: str, composition: str) -> None:
    engine, rounds = followed(script, composition)
    assert engine.observe().containers
    assert any("start" in step for step in rounds[0])


def test_the_table_lists_every_script() -> None:
    assert sorted(script for script, _ in TABLE) == sorted(path.name for path in FOLDER.glob("*.yml"))


def test_a_power_cut_in_a_script_comes_during_the_next_round() -> None:
    _, rounds = followed("power-cut.yml", "releases/notebook.yml")
    assert rounds[1] == ["wait", "takeLock 1[reader,notebook]"]  # the book-keeping of images does not count
    assert rounds[2][:2] == ["takeLock 1[reader,notebook]", "kill notebook@r1, updateMetadata reader r1->r2"]


def test_the_api_shows_its_rounds_where_it_is_asked() -> None:
    engine = Simulated()
    engine.happen(on.OfferArrives(releases=(kit.Release("r1", {"services": {"web": {}}}),)))
    (_, first), (_, asked) = follow(engine, read_events("- restart-app"))
    assert str(first[-2]) == "updateCommit r1, releaseLock 1"
    assert [str(round) for round in asked if round.trace][1:3] == ["kill web@r1", "releaseLock 1"]
