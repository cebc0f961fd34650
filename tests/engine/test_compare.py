"""The simulated device and a real engine agree on every script of events (S-7.3, S-128)."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

import kit
from course.compare import compare
from kit.device.state import State
from kit.engines.docker import Docker
from kit.engines.script import read_events
from kit.engines.simulated import Simulated

EVENTS = Path(__file__).parents[2] / "data" / "events"
SCRIPTS = sorted(EVENTS.glob("*.yml"))
BEGINS = dict(re.findall(r"\| `(\S+\.yml)` \| `(\S+\.yml)` \|", (EVENTS / "README.md").read_text()))


def test_there_are_twelve_scripts_and_the_readme_lists_them_all() -> None:
    assert len(SCRIPTS) >= 12
    assert {each.name for each in SCRIPTS} == set(BEGINS)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_both_engines_tell_the_same(script: Path, client: Any, restart: Any) -> None:
    first = EVENTS / BEGINS[script.name]
    reading = kit.read(first)
    assert reading.normal is not None
    release = kit.Release("r1", reading.normal)
    events = read_events(script.read_text(), str(script), first=release)
    assert not events.findings
    docker = Docker(client, root=first.parent, restart=restart, stand_in=True)
    rows = list(compare(release, events, docker))
    assert len(rows) == len(events.happenings) + 1, rows[-1].docker
    assert [row.finding.message for row in rows if row.finding] == []


def test_a_difference_is_a_finding(client: Any) -> None:
    """The scripts can tell the two apart: here the simulated device is offline, and Docker is not."""
    release = kit.Release("r1", {"services": {"web": {}}})
    script = read_events("- process-exits: {service: web, code: 1}", "here.yml", first=release)
    rows = list(compare(release, script, Docker(client, stand_in=True), Simulated(State(online=False))))
    found = [row.finding for row in rows]
    assert all(found)
    assert "only" not in found[1].message  # type: ignore[union-attr]
    assert "Docker: image web:r1 is here, release r1 of app 1 is recorded" in found[1].message  # type: ignore[union-attr]
    assert str(found[1].span) == "here.yml:1:3"  # type: ignore[union-attr]
    assert "  no         yes     ! web@r1 runs" in str(rows[1])


def test_what_docker_cannot_show_is_said_in_its_column(client: Any) -> None:
    release = kit.Release("r1", {"services": {"web": {}}})
    script = read_events("- clean-reboot\n- time-passes: {ms: 1}", first=release)
    rows = list(compare(release, script, Docker(client, stand_in=True)))
    assert rows[-1].docker[0].startswith("the engine is shared: the kit does not restart it")
    assert rows[-1].finding
