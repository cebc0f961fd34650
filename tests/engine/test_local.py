"""The commands on a real engine: up, ps, logs, crash, exec, update, down, compare, images."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from own_engine import left

from course.bench import is_free
from kit.engines.docker import until
from kit.views.terminal import run

Capture = pytest.CaptureFixture[str]
TEXT = """
services:
  web:
    build: ./web
    volumes: [log:/log]
  job:
    build: ./web
    command: sleep 1000
    restart: "no"
    depends_on: [web]
volumes: {log: }
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / "Dockerfile").write_text(
        'FROM kit/busybox\nCMD ["sh", "-c", "echo hello from web; sleep 1000"]\n'
    )
    path = tmp_path / "docker-compose.yml"
    path.write_text(TEXT)
    return path


def test_the_plan_is_shown_and_nothing_is_done_without_a_go(file: Path, client: Any, capsys: Capture) -> None:
    assert run(["up", str(file)]) == 1
    said = capsys.readouterr().out
    assert "start job" in said
    assert "Nothing was done." in said
    assert left(client) == []


def test_a_day_with_an_app(file: Path, client: Any, capsys: Capture) -> None:
    assert run(["update", str(file), "--yes"]) == 2  # nothing is up
    assert run(["up", str(file), "--yes"]) == 0
    assert "SERVICE" in capsys.readouterr().out
    assert run(["ps", "--json"]) == 0
    assert {each["service"]: each["state"] for each in json.loads(capsys.readouterr().out)} == {
        "web": "runs",
        "job": "runs",
    }
    assert run(["logs", "web"]) == 0
    assert "web  hello from web" in capsys.readouterr().out
    assert run(["exec", "web", "sh", "-c", "echo inside; exit 5"]) == 5
    assert "inside" in capsys.readouterr().out
    assert run(["crash", "job", "--code", "4"]) == 0
    assert "ended with 4" in capsys.readouterr().out
    for misuse in (["crash", "nobody"], ["exec", "nobody", "true"], ["logs", "nobody"]):
        assert run(misuse) == 2
        assert "there are: " in capsys.readouterr().err
    file.write_text(TEXT.replace("sleep 1000", "sleep 2000"))
    assert run(["update", str(file), "--yes"]) == 0
    assert "kill job" in capsys.readouterr().out  # the job alone is made anew
    assert run(["down"]) == 0
    assert "Kept, with their data: 1_log" in capsys.readouterr().out
    assert left(client) == ["1_log"]
    assert run(["down", "--volumes"]) == 0
    assert left(client) == []
    assert run(["images", "list"]) == 0
    assert "web:" in capsys.readouterr().out
    assert run(["images", "prepare"]) == 0


def test_a_last_line_without_an_end_is_shown(file: Path, client: Any, capsys: Capture) -> None:
    file.write_text("services: {job: {image: kit/busybox, command: printf all-but-the-end, restart: 'no'}}")
    assert run(["up", str(file), "--yes"]) == 0
    client.api.wait(client.api.containers(all=True)[0]["Id"])
    assert run(["logs"]) == 0
    assert "job  all-but-the-end\n" in capsys.readouterr().out


def test_exec_prints_what_is_written_as_it_is_written(file: Path, client: Any) -> None:
    assert run(["up", str(file), "--yes"]) == 0
    script = "echo first; while [ ! -f /go ]; do sleep 0.1; done; echo last; exit 5"
    command = [sys.executable, "-m", "kit", "exec", "web", "sh", "-c", script]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "first\n"  # the command goes on until it is told to end
        assert run(["exec", "web", "touch", "/go"]) == 0
        assert process.stdout.read() == "last\n"
    assert process.returncode == 5


def test_a_service_that_has_ended_neither_crashes_nor_runs_a_command(file: Path, client: Any, capsys: Capture) -> None:
    file.write_text(TEXT.replace("sleep 1000", "sh -c 'exit 3'"))
    assert run(["up", str(file), "--yes"]) == 0
    until(lambda: run(["ps"]) == 0 and "ended with 3" in capsys.readouterr().out)
    for command in (["crash", "job"], ["exec", "job", "true"]):
        assert run(command) == 2
        assert capsys.readouterr().err == "kit: `job` does not run: it ended with 3\n"


def test_a_first_up_that_fails_is_taken_away_again(file: Path, client: Any, capsys: Capture) -> None:
    (file.parent / "web" / "Dockerfile").write_text('FROM kit/busybox\nRUN ["false"]\n')
    assert run(["up", str(file), "--yes"]) == 1
    said = capsys.readouterr().err
    assert "cannot be built" in said
    assert "Taken away again: 1_default, 1_log." in said
    assert left(client) == []


def test_an_update_that_fails_lists_what_is_left(file: Path, client: Any, capsys: Capture) -> None:
    assert run(["up", str(file), "--yes"]) == 0
    (file.parent / "web" / "Dockerfile").write_text('FROM kit/busybox\nRUN ["false"]\n')
    assert run(["update", str(file), "--yes"]) == 1
    said = capsys.readouterr().err
    assert "`kit down --app 1` takes all of it away." in said
    assert len(client.api.containers(filters={"label": "multicontainer-kit"})) == 2  # the old release runs on (S-93)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_up_leaves_nothing(how: signal.Signals, file: Path, client: Any) -> None:
    (file.parent / "web" / "Dockerfile").write_text('FROM kit/busybox\nRUN ["sleep", "30"]\n')
    command = [sys.executable, "-m", "kit", "up", str(file), "--yes"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        for _ in range(600):
            if left(client):
                break
            time.sleep(0.05)
        process.send_signal(how)
        said, _ = process.communicate(timeout=25)  # it does not wait for the build
    assert process.returncode == 1
    assert "Taken away again" in said
    assert "it waits" not in said
    assert left(client) == []


def test_an_up_that_a_script_began_can_be_ended_and_one_that_nobody_reads_ends(file: Path, client: Any) -> None:
    (file.parent / "web" / "Dockerfile").write_text('FROM kit/busybox\nRUN ["sleep", "2"]\n')
    command = f"{sys.executable} -m kit up {file} --yes"
    with subprocess.Popen(["sh", "-c", f"{command} | head -3"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL):
        pass
    assert left(client) == []
    (file.parent / "web" / "Dockerfile").write_text('FROM kit/busybox\nRUN ["sleep", "30"]\n')
    shell = f"trap '' INT; exec {command}"  # as for what a script starts with `&`
    with subprocess.Popen(["sh", "-c", shell], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        for _ in range(600):
            if left(client):
                break
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        said, _ = process.communicate(timeout=25)
    assert "Taken away again" in said
    assert left(client) == []


def test_rounds_have_the_numbers_of_the_plan(file: Path, client: Any, capsys: Capture) -> None:
    for _ in range(2):  # the second time the images are here
        assert run(["up", str(file), "--yes"]) == 0
        said = [line for line in capsys.readouterr().out.splitlines() if line[:1].isdecimal()]
        assert said[: len(said) // 2] == said[len(said) // 2 :]
        assert run(["down"]) == 0
        capsys.readouterr()


@pytest.mark.parametrize("pair", ["80", "80=70000", "0=80", "80=0", "80=٨٠٨٠", "080=81"])
def test_a_port_that_is_none_is_one_line(pair: str, file: Path, client: Any, capsys: Capture) -> None:
    assert run(["up", str(file), "--yes", "--port", pair]) == 2
    assert capsys.readouterr().err.startswith("kit: --port: write OLD=NEW")


def test_a_published_port_may_be_moved(file: Path, client: Any) -> None:
    file.write_text(TEXT.replace("    volumes: [log:/log]", "    volumes: [log:/log]\n    ports: ['80:80']"))
    port = next(str(port) for port in range(20_000, 40_000) if is_free(port))
    assert run(["up", str(file), "--yes", "--port", f"80={port}"]) == 0
    (one,) = (each for each in client.api.containers() if each["Names"][0].startswith("/web_1_"))
    assert [each["PublicPort"] for each in one["Ports"] if "PublicPort" in each][:1] == [int(port)]


def test_compare_shows_both_columns(client: Any, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    events = Path(__file__).parents[2] / "data" / "events"
    monkeypatch.setitem(os.environ, "KIT_ENGINE_RESTART", "true")
    assert run(["compare", str(events / "releases/notebook.yml"), "--events", str(events / "container-lost.yml")]) == 0
    said = capsys.readouterr().out
    assert "simulated  Docker" in said
    assert "No differences in 4 rows." in said
