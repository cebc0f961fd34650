"""Fleets: reading a table, deciding it, who moves, the smallest upgrade set; then pictures and the lab's hands."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ipywidgets.widgets.widget import _instances

import kit
from kit.contracts import OPTIONAL, PREFIX
from kit.device import Device
from kit.diagnostics import Severity
from labs import fleet_model as model
from labs import fleets
from labs.decisions import Page
from labs.fleet_controls import EVERYBODY, NO_LABEL, FleetLab, fleet_lab, labels
from labs.fleet_model import Group, Outlook, generated, moves, outlook, read_fleet, upgrades

ROOT = Path(__file__).parent.parent
EVIL = '"><img src=x onerror=alert(1)>'
VISION = kit.read(ROOT / "data" / "compositions" / "vision.yml").composition
FLEET = model.example_fleet()
HEAD = "name,device-type,os\n"
GPU = PREFIX + "sw.linux"


def codes(text: str) -> list[str]:
    return [found.code for found in read_fleet(text).findings]


def asks(**label: str) -> kit.Composition:
    pairs = tuple((PREFIX + key.replace("__", ".").replace("_", "-"), value) for key, value in label.items())
    return kit.Composition(services=(kit.Service(name="web", labels=pairs),))


# ----------------------------------------------------------------------------------- a table of devices


def test_a_line_stands_for_what_the_tables_know() -> None:
    fleet = read_fleet(HEAD + "pi,raspberrypi4-64,6.5.4\n").devices
    assert fleet == {"pi": Device.preset("raspberrypi4-64", "6.5.4")}


def test_a_cell_is_what_the_device_says_itself() -> None:
    text = "device-type,os,kernel,supervisor\njetson-nano,6.5.38,4.9.1-l4t-r32.7.2,17.1.0\n"
    facts = read_fleet(text).devices["line 2"].facts
    assert [facts.kernel.version, facts.l4t.version, facts.supervisor.version] == ["4.9.1", "32.7.2", "17.1.0"]  # type: ignore[union-attr]


def test_an_empty_cell_is_a_fact_that_is_not_reported_s10() -> None:
    device = read_fleet("device-type,os,kernel\nraspberrypi4-64,8.0.2,\n").devices["line 2"]
    assert device.facts.kernel is None
    assert kit.decide(asks(sw__linux="*"), device.facts).outcome == "rejected"


@pytest.mark.parametrize("divider", [",", ";", "\t"])
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_dividers_and_line_endings_of_all_spreadsheets_are_read(divider: str, ending: str) -> None:
    lines = [["name", "Device Type", "os"], ["a", "jetson-nano", "6.5.4"], ["", "", ""], ['"b, ""c"""', "rpi", "6"]]
    text = "\ufeff" + ending.join(divider.join(line) for line in lines) + ending
    assert list(read_fleet(text).devices) == ["a", 'b, "c"']


def test_a_quoted_cell_may_hold_line_breaks_and_lines_are_counted_on() -> None:
    reading = read_fleet('name,device-type\n"a\nb",jetson-nano\nc,jetson-nan\n')
    (found,) = reading.findings
    assert (found.code, found.span.line, found.span.column) == ("unknown-type", 4, 3)
    assert found.help == "did you mean `jetson-nano`?"


@pytest.mark.parametrize(
    ("text", "code", "line", "column"),
    [
        ("", "empty-fleet", 1, 1),
        (HEAD, "empty-fleet", 1, 1),
        ("name,os\na,6.5.4\n", "missing-column", 1, 1),
        ("name,device-type,colour\na,jetson-nano,red\n", "unknown-column", 1, 18),
        ("name,device-type,Name\na,jetson-nano,b\n", "repeated-column", 1, 18),
        (HEAD + "a,jetson-nano\n", "cells", 2, 1),
        (HEAD + "a,jetson-nano,6.5.38,extra\n", "cells", 2, 1),
        (HEAD + 'a,jetson-nano,"6.5.38\n', "open-quote", 2, 15),
        (HEAD + ",jetson-nano,6.5.38\n", "nameless", 2, 1),
        (HEAD + "a,jetson-nano,6.5.38\na,jetson-nano,6.5.38\n", "repeated-name", 3, 1),
        (HEAD + "a,jetson-nano,99.0.0\n", "unknown-release", 2, 15),
        ("device-type,supervisor\njetson-nano,latest\n", "no-version", 2, 13),
    ],
)
def test_what_is_wrong_is_found_with_its_place(text: str, code: str, line: int, column: int) -> None:
    found = next(each for each in read_fleet(text).findings if each.code == code)
    assert (found.span.line, found.span.column) == (line, column)
    assert found.message
    assert found.help


def test_what_is_true_of_many_lines_is_said_once() -> None:
    text = HEAD + "".join(f"a{number},jetson-nan,6.5.38\n" for number in range(50))
    assert codes(text) == ["unknown-type"]


def test_a_fleet_has_a_thousand_devices_and_the_rest_is_counted() -> None:
    reading = read_fleet(HEAD + "".join(f"a{number},jetson-nano,6.5.38\n" for number in range(1_003)))
    assert len(reading.devices) == 1_000
    assert "3 are left out" in reading.findings[0].message


def test_a_file_that_cannot_be_read_is_a_finding(tmp_path: Path) -> None:
    broken = tmp_path / "fleet.csv"
    broken.write_bytes(b"\xff\xfe\x00")
    for path in (tmp_path / "none.csv", tmp_path, broken):
        assert [found.severity for found in read_fleet(path).findings] == [Severity.ERROR]
    assert codes("none.csv") == ["unreadable-file"]


@settings(max_examples=200)
@given(st.text(alphabet=st.sampled_from('ab,;\t"\n\r \0é\ud800<'), max_size=60))
def test_no_text_raises_and_every_place_is_in_the_text(text: str) -> None:
    for start in ("", "name,device-type\n"):
        reading = read_fleet(start + text)
        assert reading.devices or reading.findings
        assert all(found.span.line >= 1 and found.span.column >= 1 for found in reading.findings)
        assert "<img" not in fleets.reading_page(reading).html


def test_the_example_fleet_is_what_its_seed_gives() -> None:
    made = model.as_csv(generated())
    assert (ROOT / "data" / "fleets" / "workshop.csv").read_text("utf-8") == made
    assert len(FLEET) == 200
    assert read_fleet(made).findings == ()


def test_a_fleet_survives_its_table() -> None:
    fleet = {'a "b", c': Device("jetson-nano", "aarch64", "17.0.3", os="6.5.38"), "d": Device("x\ty", "rpi", "1.0.0")}
    back = read_fleet(model.as_csv(fleet)).devices
    assert {name: (each.device_type, each.os, each.kernel) for name, each in back.items()} == {
        name: (each.device_type, each.os, each.kernel) for name, each in fleet.items()
    }


# ------------------------------------------------------------------------------------------ the outlook


def test_an_outlook_is_the_decision_of_each_device() -> None:
    seen = outlook(VISION, FLEET)
    assert {name: each.outcome for name, each in seen.decisions.items()} == {
        name: kit.decide(VISION, device.facts).outcome for name, device in FLEET.items()
    }


def test_equal_facts_are_decided_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []

    def counted(composition: kit.Composition, facts: kit.Facts) -> kit.Decision:
        asked.append(facts)
        return kit.decide(composition, facts)

    monkeypatch.setattr(model, "decide", counted)
    fleet = generated(7, 1_000)
    outlook(VISION, fleet)
    assert len(asked) == len({device.facts for device in fleet.values()}) < 100


def test_groups_have_every_device_once() -> None:
    for seed in range(5):
        seen = outlook(VISION, generated(seed, 80))
        names = [name for group in seen.groups for name in group.names]
        assert sorted(names) == sorted(seen.decisions)
        counted = Counter[str]()
        for group in seen.groups:
            counted[group.outcome] += len(group.names)
        assert dict(counted) == seen.counts


def test_a_group_names_the_service_the_wish_and_what_its_devices_have() -> None:
    rejected = outlook(asks(sw__l4t=">=36.3"), FLEET).groups
    said = {group.reason: group.has for group in rejected if group.outcome == "rejected"}
    assert set(said) == {"`web` wants L4T `>=36.3.0`", "`web` wants L4T `>=36.3.0` (not reported)"}
    assert said["`web` wants L4T `>=36.3.0`"].startswith("L4T 32.7.")
    assert said["`web` wants L4T `>=36.3.0` (not reported)"] == ""
    refused = [group.reason for group in outlook(asks(sw__linux="*"), FLEET).groups if group.outcome == "refused"]
    assert refused == ["a supervisor below 17.4.0 cannot read `sw.linux`"]


def test_the_answer_counts_who_runs_everything_and_who_gets_nothing() -> None:
    assert outlook(VISION, {}).answer == "There is no device in this fleet."
    assert outlook(asks(), FLEET).answer == "200 of 200 devices run everything; every device gets something."
    assert outlook(VISION, FLEET).answer == "0 of 200 devices run everything; 133 get nothing new."


def test_one_bad_requirement_refuses_the_offer_on_every_device_s55() -> None:
    release = kit.read("services: {web: {image: nginx, cpus: 0.5}}").composition
    seen = outlook(release, FLEET)
    assert seen.counts == {"refused": 200}
    assert "sw.spec" in seen.groups[0].reason


def test_who_moves_is_who_changes_its_outcome() -> None:
    before = outlook(VISION, FLEET)
    after = outlook(model.relabelled(VISION, "vision-gpu", GPU, None), FLEET)
    found = moves(before, after)
    assert {name for move in found for name in move.names} == {
        name for name in FLEET if before.decisions[name].outcome != after.decisions[name].outcome
    }
    assert moves(before, before) == ()


def test_an_update_brings_older_devices_only_and_stays_in_their_line() -> None:
    fleet = {
        "old": Device.preset("raspberrypi4-64", "6.0.10"),
        "new": Device.preset("raspberrypi4-64", "8.0.2"),
        "support": Device.preset("intel-nuc", "2024.7.0"),
        "else": Device.preset("jetson-nano", "6.0.10"),
    }
    after = model.updated(fleet, "7.0.5+rev1", "raspberrypi4-64")
    assert after["old"].os == "7.0.5+rev1"
    assert after["old"].supervisor == "17.8.2"
    assert {name for name in fleet if fleet[name] != after[name]} == {"old"}
    assert model.updated(fleet, "7.0.5")["support"] == fleet["support"]


@pytest.mark.parametrize("wanted", ["partial", "deployed"])
@pytest.mark.parametrize(
    "release", [VISION, asks(sw__linux=">=6.1"), asks(sw__balena_os=">=6.4 <8"), asks(arch__sw="rpi")]
)
def test_the_upgrade_set_is_the_smallest_one(release: kit.Composition, wanted: str) -> None:
    """No smaller set exists: who is there already is not in it, and no earlier release would do (S-135)."""
    fleet = generated(3, 12)
    enough = {"deployed"} if wanted == "deployed" else {"deployed", "partial"}
    found = upgrades(release, fleet, wanted)
    target = {name: each.version for each in found.upgrades for name in each.names}
    for name, device in fleet.items():
        done = kit.decide(release, device.facts).outcome in enough
        assert done is (name not in target and name not in found.helpless)
        if done:
            continue
        later = [
            os for os, facts in device.upgrades() if "-" not in os and kit.decide(release, facts).outcome in enough
        ]
        assert target.get(name) == (later[0] if later else None), name


# ------------------------------------------------------------------------------------------- pictures


@given(st.dictionaries(st.sampled_from(model.OUTCOMES), st.integers(0, 10**7), min_size=1))
def test_marks_are_shared_out_by_largest_remainder_and_nobody_is_lost(counts: dict[str, int]) -> None:
    there = {key: count for key, count in counts.items() if count}
    if not there:
        return
    unit, given_ = fleets.shares(counts)
    assert re.fullmatch("[125]0*", str(unit))
    assert sum(given_.values()) <= fleets.MARKS
    assert set(given_) == set(there)
    assert all(number >= 1 for number in given_.values())
    if sum(there.values()) <= fleets.MARKS:
        assert given_ == there


def test_the_picture_says_the_same_as_the_groups() -> None:
    seen = outlook(VISION, FLEET)
    html = fleets.fleet_figure(seen, FLEET)
    assert 'aria-label="Devices by outcome partial 67, refused 133."' in html
    assert "One mark is 2 devices." in html
    for group in seen.groups:
        assert f"<td>{len(group.names):,}</td>" in html
    assert str(fleets.fleet_page(seen, FLEET)).startswith(seen.answer)


def test_many_groups_are_counted_and_not_lost() -> None:
    groups = [Group("rejected", f"reason {number}", "", (f"a{number}",)) for number in range(20)]
    assert "8 more groups with 8 devices." in fleets.groups_table(groups, 20)


def test_hostile_cells_are_escaped_everywhere() -> None:
    text = f'name,device-type,os\n"{EVIL.replace(chr(34), chr(34) * 2)}","{EVIL[2:]}","{EVIL[2:]}"\n'
    reading = read_fleet(text)
    lab = fleet_lab(asks(sw__linux=">=5"), text)
    assert isinstance(lab, FleetLab)
    seen = outlook(asks(sw__linux=">=5"), reading.devices)
    pages = [fleets.reading_page(reading).html, fleets.fleet_figure(seen, reading.devices, EVIL), lab.still()]
    pages += [fleets.upgrades_table(upgrades(VISION, reading.devices), 1), fleets.left_behind(seen, reading.devices)]
    assert "onerror" in "".join(pages)
    assert all("<img" not in page for page in pages)
    lab.close()


# ------------------------------------------------------------------------------------------- the hands


@pytest.fixture
def lab() -> Iterator[FleetLab]:
    opened = fleet_lab(VISION)
    assert isinstance(opened, FleetLab)
    yield opened
    opened.close()


def test_the_model_needs_no_widgets() -> None:
    heavy = {"ipywidgets", "anywidget", "matplotlib", "IPython"}
    code = f"import sys; sys.path.insert(0, {str(ROOT / 'notebooks')!r})\n"
    code += f"import labs.fleet_model, labs.fleets; print({heavy} & {{*sys.modules}})"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "set()"


def test_a_label_that_is_picked_brings_its_value(lab: FleetLab) -> None:
    lab._controls["label"].value = "vision-gpu: sw.linux"
    assert lab._controls["value"].value == ">5.15.*"
    assert lab.view.panels["moves"] == ""
    lab._controls["value"].value = ""
    assert lab.answer.composition.service("vision-gpu").label(GPU) is None
    assert "go from refused to partial" in lab.status.text


def test_an_update_of_the_host_os_moves_devices(lab: FleetLab) -> None:
    assert lab._controls["version"].disabled
    lab._controls["update"].value = EVERYBODY
    lab._controls["version"].value = "8.0.2"
    assert lab.view.answer == outlook(VISION, model.updated(FLEET, "8.0.2")).answer
    assert "from refused to partial" in lab.status.text
    lab._controls["update"].value = "jetson-nano"
    changed = {name for name in FLEET if FLEET[name] != lab.answer.fleet[name]}
    assert {FLEET[name].device_type for name in changed} == {"jetson-nano"}


def test_the_upgrade_set_is_shown_when_asked_for(lab: FleetLab) -> None:
    assert lab.view.panels["upgrade"] == ""
    lab._controls["upgrade"].value = True
    assert "devices need an update of the host OS" in lab.view.panels["upgrade"]


def test_a_label_that_balena_refuses_says_so(lab: FleetLab) -> None:
    lab.put(replace(lab.inputs, label="vision-gpu: sw.linux", picked="vision-gpu: sw.linux", value="latest"))
    assert lab.view.answer == "Refused. No release is made."
    assert "S-16" in lab.view.situation


def test_optional_can_be_changed_as_well(lab: FleetLab) -> None:
    lab.put(replace(lab.inputs, label="vision-gpu: optional", picked="vision-gpu: optional", value="yes"))
    assert lab.answer.composition.service("vision-gpu").label(OPTIONAL) == "yes"
    assert "S-53" in lab.view.panels["notes"]
    assert (
        lab.view.answer == "0 of 200 devices run everything; all 200 get nothing new." or "200 get" in lab.view.answer
    )


def test_labels_that_are_there_stand_first() -> None:
    known = [*labels(VISION)]
    assert known[:4] == ["vision-gpu: sw.l4t", "vision-gpu: sw.linux", "vision-gpu: optional", "ui: sw.supervisor"]
    assert len(known) == len(VISION.services) * 7


def test_a_lab_of_another_table_and_of_none(tmp_path: Path) -> None:
    page = fleet_lab(VISION, "name,os\na,6\n")
    assert isinstance(page, Page)
    assert "missing-column" in str(page)
    assert isinstance(fleet_lab("services: {"), Page)
    path = tmp_path / "mine.csv"
    path.write_text(HEAD + "a,jetson-nano,6.5.38\n")
    lab = fleet_lab(VISION, path)
    assert isinstance(lab, FleetLab)
    assert lab.view.situation == "this fleet, 1 device. One mark is one device."
    lab.close()


def test_nothing_is_made_in_a_callback(lab: FleetLab) -> None:
    before = len(_instances)
    for version in ("8.0.2", "7.0.7", "6.12.11"):
        lab.put(replace(lab.inputs, update=EVERYBODY, version=version))
        lab.put(replace(lab.inputs, label="ui: sw.supervisor", value=">=17", upgrade=True))
        lab.put(replace(lab.inputs, label=NO_LABEL))
    assert len(_instances) == before


def test_equal_inputs_give_equal_bytes() -> None:
    first, second = (fleet_lab(VISION) for _ in range(2))
    assert first.still() == second.still()
    for each in (first, second):
        each.close()


def test_an_empty_fleet_is_no_error() -> None:
    assert fleets.fleet_figure(Outlook({}, ()), {}).count("There is no device") == 1
