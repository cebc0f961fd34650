"""The simulated device and a real engine agree on every script of events (S-7.3, S-128)."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

import kit
from kit.engines.compare import compare
from kit.engines.docker import Docker
from kit.engines.script import read_events

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
