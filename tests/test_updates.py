"""`kit plan`, `kit diff` and `kit simulate`: what they print, their exit codes, and files that are wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kit.engines.base import EVENTS as EVENT_NAMES
from kit.planner import Release, installed
from kit.views.terminal import run
from kit.views.updates import TABLES, read_state

ROOT = Path(__file__).parents[1]
NOTEBOOK, NEXT = (str(ROOT / "data" / "events" / "releases" / f"notebook{part}.yml") for part in ("", "-next"))
EVENTS = ROOT / "data" / "events"
PI = str(ROOT / "data" / "devices" / "raspberry-pi-4.yml")
NEEDS = "services: {web: {image: x, labels: {io.balena.features.requires.sw.balena-os: '>=99'}}}"

Capture = pytest.CaptureFixture[str]


def written(tmp_path: Path, text: str, name: str = "file.yml") -> str:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_plan_prints_rounds_with_their_whys_and_what_is_not_done(capsys: Capture) -> None:
    assert run(["plan", NOTEBOOK, NEXT]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith(" 1. takeLock 1[reader,notebook]  something in the app")
    assert "    – `notebook` waits for the app's lock, which is being taken (S-110, S-111)" in said
    assert (
        " 2. kill notebook@r1  `notebook` is made anew, because environment PAGES changed (S-84, S-87, S-103)" in said
    )
    assert said[-1] == "settled"


def test_plan_of_one_composition_begins_with_a_blank_device(capsys: Capture) -> None:
    assert run(["plan", NOTEBOOK]) == 0
    assert " 1. createVolume 1_notes" in capsys.readouterr().out


def test_plan_says_what_blocks_and_the_way_out_and_ends_with_one(tmp_path: Path, capsys: Capture) -> None:
    state = written(tmp_path, "lock_files: [reader]")
    assert run(["plan", NOTEBOOK, NEXT, "--state", state]) == 1
    said = capsys.readouterr().out.splitlines()
    assert said[-1].startswith("stuck: `reader` holds an update lock")
    assert said[-1].endswith("way out: delete the lock file of `reader`, or override locks")


def test_plan_for_a_device_that_rejects_the_target_does_nothing(tmp_path: Path, capsys: Capture) -> None:
    target = written(tmp_path, NEEDS)
    assert run(["plan", NOTEBOOK, target, "--device", PI]) == 1
    said = capsys.readouterr().out
    assert said.startswith("some releases were rejected: app 1: web\n")
    assert "(S-60, S-61)" in said
    assert " 1. " not in said


def test_plan_to_another_app_is_a_move_between_fleets(capsys: Capture) -> None:
    assert run(["plan", NOTEBOOK, NOTEBOOK, "--app", "2"]) == 0
    assert "removeVolume 1_notes" in capsys.readouterr().out


def test_plan_as_json_has_every_round_and_the_end(capsys: Capture) -> None:
    assert run(["plan", NOTEBOOK, NEXT, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["settled"]
    assert answer["rounds"][1]["steps"][0]["step"] == "takeLock 1[reader,notebook]"
    assert answer["rounds"][1]["not_done"][0]["why"]["rules"] == ["S-110", "S-111"]
    assert {each["commit"] for each in answer["end"]["containers"]} == {"r2"}


def test_diff_says_what_happens_to_services_and_volumes(tmp_path: Path, capsys: Capture) -> None:
    target = written(tmp_path, Path(NEXT).read_text().replace("  notes:\n", "  notes: {labels: {tier: x}}\n"))
    assert run(["diff", NOTEBOOK, target]) == 0
    rows = [line.split("  ")[:2] for line in capsys.readouterr().out.splitlines()]
    assert rows[0] == ["notebook", "recreate"]
    assert "1_notes   remove, with data" in ["  ".join(row) for row in rows]
    assert run(["diff", NOTEBOOK, NEXT, "--json"]) == 0
    assert [each["action"] for each in json.loads(capsys.readouterr().out)] == ["recreate", "update metadata"]


def test_simulate_prints_what_happens_after_each_event_and_the_state(capsys: Capture) -> None:
    assert run(["simulate", NOTEBOOK, "--events", str(EVENTS / "volumes.yml")]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "the cloud offers r1"
    place = said.index("the process of `notebook` ends with 1")
    assert said[place + 1] == "    notebook@r1: ended with 1, starts again in 0.1 s, holds lost"
    assert said[-5:-1] == [
        "    notebook@r3: Running",
        "    reader@r3: Running",
        "    volume 1_notes: kept",
        "    volume 1_pages: empty",
    ]
    assert said[-1] == "    recorded: r3 for app 1"


def test_simulate_tells_two_apps_with_the_same_services_apart(tmp_path: Path, capsys: Capture) -> None:
    both = "- offer-arrives: {apps: [{file: a.yml}, {file: a.yml, app: 2}]}\n"
    ends = [f"- process-exits: {{service: web, app: {app}, code: 3}}\n" for app in (1, 2)]
    compose = tmp_path / "a.yml"
    compose.write_text("services: {web: {image: w, restart: 'no'}}")
    assert run(["simulate", str(compose), "--events", written(tmp_path, both + "".join(ends))]) == 0
    told = capsys.readouterr().out
    assert "start web@r2 of app 2\n" in told
    assert "with 3\n    web@r2: exited with 3\n" in told
    assert "with 3\n    web@r2 of app 2: exited with 3\n" in told


def test_simulate_as_json(capsys: Capture) -> None:
    assert run(["simulate", NOTEBOOK, "--events", str(EVENTS / "power-cut.yml"), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert [each["event"] for each in answer["events"]][1:] == [
        "the cloud offers r2",
        "the power fails, and the device boots",
    ]
    assert answer["end"]["commits"] == [[1, "r2"]]


def test_simulate_decides_for_a_device(tmp_path: Path, capsys: Capture) -> None:
    written(tmp_path, NEEDS, "next.yml")
    events = written(tmp_path, "- offer-arrives: {file: next.yml}")
    assert run(["simulate", NOTEBOOK, "--events", events, "--device", PI]) == 0
    assert "    some releases were rejected: app 1: web" in capsys.readouterr().out.splitlines()


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("- process-exits: {service: web, code: x}", "1:39"),
        ("- power-cut\n- nothing", "2:3"),
        ("- offer-arrives: {file: none.yml}", "1:25"),
        ("- [", "2:1"),
        ("\x00", "1:1"),
    ],
)
def test_a_wrong_file_of_events_is_shown_with_its_place_and_ends_with_two(
    tmp_path: Path, capsys: Capture, text: str, place: str
) -> None:
    events = written(tmp_path, text)
    assert run(["simulate", NOTEBOOK, "--events", events]) == 2
    shown = capsys.readouterr()
    assert f"--> {events}:{place}" in shown.err
    assert shown.out == ""


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["plan"], 2, "kit: Missing argument"),
        (["plan", NOTEBOOK, NOTEBOOK, NOTEBOOK], 2, "kit: name one composition or two"),
        (["plan", "none.yml"], 2, "kit: none.yml cannot be read"),
        (["plan", NOTEBOOK, "--state", "none.yml"], 2, "kit: there is no file `none.yml`"),
        (["plan", NOTEBOOK, "--app", "0"], 2, "kit: Invalid value for '--app'"),
        (["diff", NOTEBOOK], 2, "kit: Missing argument"),
        (["simulate", NOTEBOOK], 2, "kit: Missing option '--events'"),
        (["simulate", NOTEBOOK, "--events", "none.yml"], 2, "kit: there is no file `none.yml`"),
    ],
)
def test_misuse_is_one_clear_line(arguments: list[str], code: int, sentence: str, capsys: Capture) -> None:
    assert run(arguments) == code
    said = capsys.readouterr().err
    assert said.startswith(sentence), said
    assert said.count("\n") == 1


def test_a_composition_that_makes_no_release_ends_with_one(tmp_path: Path, capsys: Capture) -> None:
    bad = written(tmp_path, "services: {web: {imag: x}}")
    assert run(["plan", bad]) == 1
    assert "unknown-key" in capsys.readouterr().err


# ------------------------------------------------------------------------------------------------ files of states

WEB = installed(Release("r1", {"services": {"web": {"vol": ["log:/log"]}}, "volumes": {"log": {}}}))


def test_a_state_file_changes_only_what_it_names() -> None:
    assert read_state("{}", "s.yml", WEB) == (WEB, ())
    text = """
containers: {web: {status: exited, exit_code: 3, data: [a]}}
images: [web:r1, web:r2]
volumes: {log: [kept], old: []}
lock_files: [web]
lock_held: true
online: false
os: balenaOS 7.0.0
broken: [web]
"""
    state, findings = read_state(text, "s.yml", WEB)
    assert not findings
    (web,) = state.containers
    assert (web.status, web.exit_code, web.data) == ("exited", 3, {"a"})
    assert {str(each): each.data for each in state.volumes} == {"1_log": {"kept"}, "1_old": frozenset()}
    assert (state.images[0], state.images[1].name) == (WEB.images[0], "web:r2")
    assert (state.lock_files, state.locks, state.broken) == ({(1, "web")}, {1}, {"web"})
    assert (state.online, dict(state.injected)) == (False, {"HOST_OS_VERSION": "balenaOS 7.0.0"})
    assert read_state("containers: {web: gone}", "s.yml", WEB)[0].containers == ()


def test_images_of_a_state_file_keep_their_order() -> None:  # the first one of a service is its delta source (E-28)
    state, _ = read_state("images: [web:r2, web:r1, web:r2]", "s.yml", WEB)
    assert [str(each) for each in state.images] == ["web:r2", "web:r1"]


def test_the_example_in_the_readme_is_a_state_with_every_key() -> None:
    text = (EVENTS / "README.md").read_text(encoding="utf-8").partition("```yaml\n")[2].partition("```")[0]
    services = {"notebook": {"vol": ["notes:/notes"]}, "reader": {}}
    state, findings = read_state(
        text, "s.yml", installed(Release("r1", {"services": services, "volumes": {"notes": {}}}))
    )
    assert not findings
    assert [each.status for each in state.containers] == ["Running", "exited"]
    keys = {line.partition(":")[0] for line in text.splitlines() if line[0] != " "}
    assert keys == {*TABLES["keys"], "containers", "lock_files", "broken", "deaf"}


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        ("[]", "s.yml:1:1: error[wrong-kind] `the file` must be a mapping, not a list"),
        ("", "s.yml:1:1: error[no-document] this is no list and no mapping, or more than one"),
        ("containers: {wbe: exited}", "s.yml:1:14: error[unknown-key] `containers` has no key `wbe`"),
        ("containers: {web: up}", "s.yml:1:19: error[unknown-word] `web` cannot be `up`"),
        ("lock_files: [wbe]", "s.yml:1:14: error[unknown-word] `lock_files` cannot be `wbe`"),
        ("onlin: true", "s.yml:1:1: error[unknown-key] `the file` has no key `onlin`"),
        ("online: yes", "s.yml:1:9: error[wrong-kind] `online` must be a boolean, not text"),
    ],
)
def test_a_wrong_state_file_is_said_with_its_place(text: str, finding: str) -> None:
    state, findings = read_state(text, "s.yml", WEB)
    assert [str(each) for each in findings] == [finding]
    assert state is WEB


def test_the_help_names_every_event_and_every_key_of_a_state(capsys: Capture) -> None:
    run(["simulate", "--help"])
    said = capsys.readouterr().out
    assert not [name for name in EVENT_NAMES if name not in said and name != "round-over"]
    run(["plan", "--help"])
    said = capsys.readouterr().out
    assert not [key for key in (*TABLES["keys"], "containers", "lock_files", "broken", "deaf") if key not in said]
