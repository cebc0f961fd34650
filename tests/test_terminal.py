"""The command line: one clear line for misuse, exit codes 0, 1 and 2, JSON for programs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from kit.views.terminal import run

ROOT = Path(__file__).parents[1]
COMPOSITIONS = ROOT / "data" / "compositions"
PI = str(ROOT / "data" / "devices" / "raspberry-pi-4.yml")
NANO = str(ROOT / "data" / "devices" / "jetson-nano.yml")

Capture = pytest.CaptureFixture[str]


def compose(tmp_path: Path, text: str, name: str = "docker-compose.yml") -> str:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_decide_says_the_outcome_and_the_reasons(capsys: Capture) -> None:
    assert run(["decide", str(COMPOSITIONS / "optional.yml"), "--device", PI]) == 0
    said = capsys.readouterr().out
    assert said.startswith("Partly deployed: 1 of 2 services")
    assert "hw.device-type" in said
    assert "What changes the answer:" in said


def test_decide_as_json_has_the_documented_shape(capsys: Capture) -> None:
    assert run(["decide", str(COMPOSITIONS / "optional.yml"), "--device", PI, "--json"]) == 0
    value = json.loads(capsys.readouterr().out)
    assert value["outcome"] == "partial"
    assert value["dropped"] == value["unmet"] == ["first-service"]
    first = value["services"]["first-service"]
    assert {"optional", "met", "runs", "requirements"} == set(first)
    assert (first["optional"], first["met"], first["runs"]) == (True, False, False)
    (clause,) = first["requirements"]
    assert clause["label"] == "io.balena.features.requires.hw.device-type"
    assert (clause["wanted"], clause["fact"], clause["met"]) == ("jetson-nano", "raspberrypi4-64", False)
    assert {"label", "wanted", "range", "fact", "met", "why"} <= set(clause)
    assert value["why"]


def test_decide_ends_with_one_when_the_release_is_rejected(capsys: Capture) -> None:
    assert run(["decide", str(COMPOSITIONS / "requirements.yml"), "--device", PI]) == 1
    assert capsys.readouterr().out.startswith("Rejected.")


def test_set_changes_one_fact(capsys: Capture) -> None:
    arguments = ["decide", str(COMPOSITIONS / "os-and-linux.yml"), "--device", PI, "--json"]
    run([*arguments, "--set", "os=6.3.0+rev9", "--set", "kernel=5.15.92-v8"])
    before = json.loads(capsys.readouterr().out)
    run([*arguments, "--set", "os=6.4.0", "--set", "kernel=5.16.1"])
    after = json.loads(capsys.readouterr().out)
    assert (before["outcome"], after["outcome"]) == ("rejected", "deployed")


def test_a_refused_offer_names_service_and_rule(capsys: Capture) -> None:
    arguments = [
        "decide",
        str(COMPOSITIONS / "os-and-linux.yml"),
        "--device",
        PI,
        "--json",
        "--set",
        "supervisor=16.0.0",
    ]
    assert run(arguments) == 1
    value = json.loads(capsys.readouterr().out)
    assert (value["outcome"], value["services"]) == ("refused", {})
    assert "first-service" in value["why"][0]
    assert any("17.4.0" in why and "17.4.2" in why for why in value["why"])


def test_a_newer_field_makes_the_device_refuse_the_offer(tmp_path: Path, capsys: Capture) -> None:
    """C-46: the parser adds `sw.spec`, which no supervisor knows (S-34)."""
    file = compose(tmp_path, "services: {web: {image: nginx, cpus: 0.5}}")
    assert run(["decide", file, "--device", PI, "--json"]) == 1
    value = json.loads(capsys.readouterr().out)
    assert (value["outcome"], value["services"]) == ("refused", {})
    assert any("web" in why and "sw.spec" in why for why in value["why"])


def test_what_balena_would_not_build_has_no_outcome(tmp_path: Path, capsys: Capture) -> None:
    file = compose(tmp_path, "services: {web: {image: nginx, depends_on: [web]}}")
    assert run(["decide", file, "--device", PI, "--json"]) == 1
    value = json.loads(capsys.readouterr().out)
    assert value["outcome"] is None
    assert value["findings"][0]["line"] == 1
    assert run(["decide", file, "--device", PI]) == 1
    assert "No release" in capsys.readouterr().out


def test_a_range_that_is_none_is_underlined(tmp_path: Path, capsys: Capture) -> None:
    file = compose(
        tmp_path, "services:\n  a:\n    image: x\n    labels: {io.balena.features.requires.sw.l4t: latest}\n"
    )
    assert run(["decide", file, "--device", PI]) == 1
    lines = capsys.readouterr().out.splitlines()
    marks = next(line for line in lines if "^" in line)
    assert lines[lines.index(marks) - 1][marks.index("^") : marks.rindex("^") + 1] == "latest"


def test_an_empty_file_is_a_finding_with_its_place(tmp_path: Path, capsys: Capture) -> None:
    assert run(["decide", compose(tmp_path, ""), "--device", PI, "--json"]) == 1
    value = json.loads(capsys.readouterr().out)
    assert value["outcome"] is None
    assert value["findings"][0]["line"] == 1


def test_a_contract_file_is_read_from_the_build_folder(tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "web").mkdir()
    file = compose(tmp_path, "services: {web: {build: ./web}}")
    contract = tmp_path / "web" / "contract.yml"
    atom = "requires: [{type: arch.sw, slug: amd64}]"
    contract.write_text(f"{{name: web, slug: web, type: sw.container, {atom}}}", encoding="utf-8")
    assert run(["decide", file, "--device", PI, "--json"]) == 1
    value = json.loads(capsys.readouterr().out)
    assert (value["outcome"], value["unmet"]) == ("rejected", ["web"])
    contract.write_text("just text", encoding="utf-8")
    assert run(["decide", file, "--device", PI, "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["findings"][0]["file"].endswith("contract.yml")


@pytest.mark.parametrize(
    "arguments",
    [
        ["decide", "nowhere.yml", "--device", PI],
        ["decide", str(ROOT), "--device", PI],
        ["decide", str(COMPOSITIONS / "optional.yml"), "--device", "nowhere.yml"],
        ["decide", str(COMPOSITIONS / "optional.yml"), "--device", str(ROOT)],
        ["decide", str(COMPOSITIONS / "optional.yml")],
        ["decide", str(COMPOSITIONS / "optional.yml"), "--device", PI, "--set", "colour=red"],
        ["decide", str(COMPOSITIONS / "optional.yml"), "--device", PI, "--set", "os"],
        ["decide", str(COMPOSITIONS / "optional.yml"), "--device", PI, "--set", "arch="],
        ["graph", "nowhere.yml"],
        ["graph", str(COMPOSITIONS / "optional.yml"), "-o", "picture.gif"],
        ["graph", str(COMPOSITIONS / "optional.yml"), "-o", "/nowhere/picture.svg"],
        ["graph", str(COMPOSITIONS / "optional.yml"), "-o", f"{PI}/picture.svg"],
        ["graph", str(COMPOSITIONS / "optional.yml"), "-o", "p" * 300 + ".svg"],
        ["graph", str(COMPOSITIONS / "optional.yml"), "--set", "os=6.4.0"],
        ["check", "nowhere.yml"],
        ["check", str(COMPOSITIONS / "optional.yml"), "--env", "A"],
        ["check", str(COMPOSITIONS / "optional.yml"), "--env-file", "nowhere.env"],
        ["normalise", str(COMPOSITIONS / "optional.yml"), "--json", "--yaml"],
        ["normalise", str(COMPOSITIONS / "optional.yml"), "--stage", "moon"],
        ["check", str(COMPOSITIONS / "optional.yml"), "--json", "--github"],
        ["rule", "X-1"],
        ["lab", "nowhere"],
        ["dance"],
        ["decide", "--dance"],
    ],
    ids=lambda arguments: " ".join(Path(word).name for word in arguments),
)
def test_misuse_is_one_line_and_exit_code_two(arguments: list[str], capsys: Capture) -> None:
    assert run(arguments) == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("kit: ")


def test_a_package_that_is_not_here_is_named_with_what_brings_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert run(["graph", str(COMPOSITIONS / "optional.yml"), "-o", str(tmp_path / "graph.png")]) == 2
    assert capsys.readouterr().err == "kit: this needs `matplotlib`: pip install 'multicontainer-kit[pictures]'\n"


def test_every_command_says_in_one_line_what_it_does(capsys: Capture) -> None:
    assert run([]) == 0
    said = capsys.readouterr().out
    lines = said.partition("Commands:\n")[2].splitlines()
    assert {line.split()[0] for line in lines} >= {"check", "decide", "doctor", "graph", "lab", "normalise", "rule"}
    assert not [line for line in lines if line.endswith("...")]
    for line in lines:
        assert run([line.split()[0], "--help"]) == 0
    assert "Traceback" not in capsys.readouterr().out


def test_a_graph_knows_contract_files_as_a_decision_does(tmp_path: Path, capsys: Capture) -> None:
    file = compose(tmp_path, "services: {web: {build: ./web}}")
    (tmp_path / "web").mkdir()
    wants = "name: web\nslug: web\ntype: sw.container\nrequires: [{type: hw.device-type, slug: intel-nuc}]\n"
    (tmp_path / "web" / "contract.yml").write_text(wants, encoding="utf-8")
    assert run(["graph", file, "--device", PI]) == 0
    assert "rejected" in capsys.readouterr().out


def test_a_binary_file_is_one_line_or_findings_but_never_a_traceback(tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "docker-compose.yml"
    path.write_bytes(bytes(range(256)))
    assert run(["check", str(path)]) in (1, 2)
    assert run(["decide", str(path), "--device", PI]) in (1, 2)
    assert run(["decide", str(COMPOSITIONS / "optional.yml"), "--device", str(path)]) == 2
    assert "Traceback" not in "".join(capsys.readouterr())


def test_a_device_file_with_a_mistake_says_line_and_column(tmp_path: Path, capsys: Capture) -> None:
    file = compose(
        tmp_path, "device-type: raspberrypi4-64\narch: arm64\nsupervisor: 19.0.5\ncolour: red\n", "device.yml"
    )
    run(["decide", str(COMPOSITIONS / "optional.yml"), "--device", file])
    said = capsys.readouterr().err
    assert "device.yml:2:7" in said
    assert "device.yml:4:1" in said


def test_check_lists_every_finding_and_counts_them(tmp_path: Path, capsys: Capture) -> None:
    file = compose(tmp_path, "services: {web: {image: nginx, restart: 'on-failure:3', tty: false, expose: ['80']}}")
    assert run(["check", file]) == 0
    said = capsys.readouterr().out
    assert {"C-106", "C-66", "C-45"} <= {word.strip("(): ") for word in said.split()}
    assert said.rstrip().endswith("1 warned of, 1 changed without a word, 1 ignored on the device.")


def test_check_says_once_what_an_anchor_brings_to_several_services(tmp_path: Path, capsys: Capture) -> None:
    text = "x-a: &a {A: $X, B: $Y$Z}\nservices:\n  a: {image: a, environment: *a}\n  b: {image: b, environment: *a}\n"
    run(["check", compose(tmp_path, text)])
    said = capsys.readouterr().out
    assert said.count("`X` is not set where the release is built: it becomes nothing") == 1
    assert said.count("`Y` and `Z` are not set where the release is built: they become nothing") == 1
    assert said.rstrip().endswith("\n2 changed without a word.")


def test_check_counts_errors_not_what_is_said_of_their_number(tmp_path: Path, capsys: Capture) -> None:
    assert run(["check", compose(tmp_path, "services: {a: {image: '', ports: ['']}}")]) == 1
    said = capsys.readouterr().out
    assert 'error[unreadable-text] (C-49): `""` is not a port' in said
    assert "help: `image` is there, but empty" in said
    assert said.rstrip().endswith("\n2 refused at release.")


def test_check_says_so_when_there_is_nothing_to_say(tmp_path: Path, capsys: Capture) -> None:
    assert run(["check", compose(tmp_path, "services: {web: {image: nginx}}")]) == 0
    assert capsys.readouterr().out == "Nothing to say: what is written is what runs.\n"


def test_check_ends_with_one_on_what_the_device_refuses(tmp_path: Path, capsys: Capture) -> None:
    file = compose(tmp_path, "services: {web: {image: nginx, environment: {MY-VAR: '1'}}}")
    assert run(["check", file, "--json"]) == 1
    value = json.loads(capsys.readouterr().out)
    assert value["ok"] is False
    assert [found["rule"] for found in value["findings"]] == ["C-99"]


def test_check_speaks_to_github(tmp_path: Path, capsys: Capture) -> None:
    assert run(["check", compose(tmp_path, "services: {web: {imag: nginx}}"), "--github"]) == 1
    assert capsys.readouterr().out.startswith("::error file=")


def test_variables_come_from_the_options_and_never_from_the_process(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TAG", "from-the-shell")
    file = compose(tmp_path, "services: {web: {image: 'nginx:${TAG}'}}")
    run(["normalise", file, "--json"])
    assert json.loads(capsys.readouterr().out)["services"]["web"]["image"] == "nginx:"
    env_file = compose(tmp_path, "TAG=one\n", "build.env")
    run(["normalise", file, "--json", "--env-file", env_file])
    assert json.loads(capsys.readouterr().out)["services"]["web"]["image"] == "nginx:one"
    run(["normalise", file, "--json", "--env-file", env_file, "--env", "TAG=two"])
    assert json.loads(capsys.readouterr().out)["services"]["web"]["image"] == "nginx:two"


def test_later_files_go_over_earlier_ones(tmp_path: Path, capsys: Capture) -> None:
    base = compose(tmp_path, "services: {web: {image: one, hostname: a}}")
    over = compose(tmp_path, "services: {web: {image: two}}", "over.yml")
    run(["normalise", base, over, "--json"])
    web = json.loads(capsys.readouterr().out)["services"]["web"]
    assert (web["image"], web["hostname"]) == ("two", "a")


def test_the_three_stages_show_three_things(tmp_path: Path, capsys: Capture) -> None:
    file = compose(tmp_path, "services: {web: {image: nginx, expose: ['80']}}")
    for stage, seen in (("written", "expose"), ("release", "networks"), ("device", "RestartPolicy")):
        assert run(["normalise", file, "--stage", stage]) == 0
        assert seen in capsys.readouterr().out


def test_lost_lists_what_is_gone_or_different(tmp_path: Path, capsys: Capture) -> None:
    file = compose(tmp_path, "services: {web: {image: nginx, container_name: me}}")
    assert run(["normalise", file, "--lost", "--json"]) == 0
    rows = {tuple(row["path"]): row for row in json.loads(capsys.readouterr().out)}
    assert rows["services", "web", "container_name"]["kept_mark"] == "gone"
    assert rows["services", "web", "image"]["outcome"] == "="


def test_a_rule_says_what_why_and_an_example(capsys: Capture) -> None:
    assert run(["rule", "S-44"]) == 0
    assert "Why it matters" in capsys.readouterr().out
    assert run(["rule", "--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 115 + 150


def test_graph_prints_text_and_writes_pictures(tmp_path: Path, capsys: Capture) -> None:
    file = str(COMPOSITIONS / "getting-started.yml")
    assert run(["graph", file]) == 0
    assert "proxy" in capsys.readouterr().out
    for kind, magic in ((".svg", b"<svg"), (".png", b"\x89PNG")):
        target = tmp_path / f"order{kind}"
        assert run(["graph", file, "--device", NANO, "-o", str(target)]) == 0
        assert target.read_bytes().startswith(magic)
    assert not list(tmp_path.glob(".*"))


def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "order.svg"
    target.write_text("old", encoding="utf-8")

    def full(self: Path, content: bytes) -> int:
        self.touch()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    assert run(["graph", str(COMPOSITIONS / "getting-started.yml"), "-o", str(target)]) == 2
    assert target.read_text(encoding="utf-8") == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_graph_with_a_cycle_is_drawn_and_ends_with_one(tmp_path: Path, capsys: Capture) -> None:
    file = compose(tmp_path, "services: {a: {image: x, depends_on: [b]}, b: {image: y, depends_on: [a]}}")
    assert run(["graph", file]) == 1
    assert "in a cycle" in capsys.readouterr().out


def test_doctor_answers_in_text_and_in_json(capsys: Capture) -> None:
    assert run(["doctor"]) == 0
    assert "Everything that is needed is here." in capsys.readouterr().out
    assert run(["doctor", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["healthy"] is True


def test_the_module_runs_as_a_program() -> None:
    run_it = [sys.executable, "-m", "kit", "decide", "nowhere.yml", "--device", PI]
    done = subprocess.run(run_it, capture_output=True, text=True, check=False, env={**os.environ})
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
