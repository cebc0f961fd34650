"""The doctor: every probe answers, and each problem has one fix."""

from __future__ import annotations

import json
import re
import socket
import tomllib
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from threading import Event

import pytest

from course import doctor
from course.doctor import Probe, Report, examine
from kit.engines.images import LABEL


def of(report: Report, subject: str) -> Probe:
    return next(probe for probe in report.probes if probe.subject == subject)


def test_this_place_is_healthy(tmp_path: Path) -> None:
    report = examine(tmp_path)
    assert report.healthy, str(report)
    assert str(report).endswith("Everything that is needed is here.")


def test_a_missing_package_is_a_problem_with_one_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = metadata.version

    def version(name: str) -> str:
        if name in ("ipywidgets", "matplotlib"):
            raise metadata.PackageNotFoundError(name)
        return real(name)

    monkeypatch.setattr(metadata, "version", version)
    report = examine(tmp_path, binder=True)
    assert not report.healthy
    assert of(report, "ipywidgets") == Probe(
        "ipywidgets", "problem", "is not installed; with it, labs run", "pip install 'multicontainer-kit[lab]'"
    )
    assert of(report, "matplotlib").status == "note"
    assert report.answer == "1 to mend before you start."


@pytest.mark.parametrize(
    ("name", "here", "status"),
    [
        ("ipywidgets", "7.8.1", "problem"),
        ("ipywidgets", "8.1.5", "ok"),
        ("jupyterlab_widgets", "1.1.11", "problem"),  # the browser's side of ipywidgets 7
        ("jupyterlab_widgets", "3.0.13", "ok"),
        ("jupyterlab", "4.4", "ok"),
        ("matplotlib", "3.10.0.post1", "ok"),
        ("docker", "6.1.3", "problem"),
    ],
)
def test_a_package_of_another_generation_does_not_suit(
    name: str, here: str, status: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metadata, "version", lambda _name: here)
    probe = doctor._package(name)
    assert probe.status == status
    assert bool(probe.fix) == (status == "problem")


def test_the_doctor_wants_what_the_package_asks_for() -> None:
    project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"].values()
    asked = [*project["dependencies"], *(one for some in extras for one in some)]
    pairs = [re.split("(?=[<>])", one, maxsplit=1) for one in asked if re.search("[<>]", one)]
    wanted = {name: range_.replace(",", " ") for name, range_ in pairs}
    for name, (_, _, _, range_) in doctor.PACKAGES.items():
        if name != "jupyterlab_widgets":  # which ipywidgets brings along
            assert range_ == wanted[name], name


def test_a_python_that_is_too_old_or_too_new_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    class Old(tuple):  # type: ignore[type-arg]
        major, minor = 3, 9

    monkeypatch.setattr(doctor.sys, "version_info", Old((3, 9, 0)))
    assert doctor._python().status == "problem"


def test_a_folder_that_is_none_is_a_problem(tmp_path: Path) -> None:
    assert of(examine(tmp_path / "nowhere", binder=True), "folder").status == "problem"


def test_a_full_disk_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = type("Usage", (), {"free": 10 * 2**20})
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda _folder: usage)
    assert of(examine(tmp_path, binder=True), "folder").fix == "free 200 MiB of disk"


def test_without_an_engine_the_simulated_one_serves(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    probe = doctor._engine()
    assert (probe.status, probe.fix) == ("note", "nothing to do: the simulated engine serves")


@pytest.fixture
def silent(tmp_path: Path) -> Iterator[Path]:
    """A socket at which nobody ever answers."""
    path = tmp_path / "silent.sock"
    with socket.socket(socket.AF_UNIX) as line:
        line.bind(str(path))
        line.listen(1)
        yield path


def test_an_engine_that_never_answers_does_not_hold_up_the_doctor(
    silent: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{silent}")
    monkeypatch.setattr(doctor, "PATIENCE", 0.2)
    assert of(examine(tmp_path), "engine").status == "note"


class Engine:
    """As much of Docker's client as the doctor asks, with so many things of ours."""

    api, many = "1.47", 0

    def __getattr__(self, _kind: str) -> Engine:
        return self

    def list(self, *, filters: dict[str, str], all: bool = False) -> list[str]:
        assert filters == {"label": LABEL}
        return ["thing"] * self.many

    def version(self) -> dict[str, str]:
        return {"Version": "27.5.1", "ApiVersion": self.api}

    def close(self) -> None:
        pass


@pytest.mark.parametrize(
    ("api", "many", "told"),
    [
        ("1.47", 0, {"engine": ("ok", ""), "leftovers": ("ok", "")}),
        ("1.47", 1, {"engine": ("ok", ""), "leftovers": ("note", "kit reset --docker")}),
        ("1.9", 1, {"engine": ("note", "update Docker, or stay with the simulated engine")}),
    ],
)
def test_an_engine_tells_its_api_and_what_earlier_sessions_left(
    api: str, many: int, told: dict[str, tuple[str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = Engine()
    engine.api, engine.many = api, many
    monkeypatch.setattr(doctor, "_client", lambda: engine)
    monkeypatch.setenv("DOCKER_HOST", "tcp://engine.example")
    probes = {probe.subject: probe for probe in examine(tmp_path).probes}
    assert {name: (probes[name].status, probes[name].fix) for name in ("engine", "leftovers") if name in probes} == told
    assert api in probes["engine"].sentence
    if many and "leftovers" in told:
        assert "1 container, 1 network, 1 volume" in probes["leftovers"].sentence


def test_a_probe_that_never_ends_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done = Event()
    monkeypatch.setattr(doctor, "_memory", lambda: done.wait(60))
    monkeypatch.setattr(doctor, "LONGEST", 0.05)
    report = examine(tmp_path, binder=True)
    done.set()
    assert any(probe.sentence == "did not answer within two seconds" for probe in report.probes)


def test_every_answer_that_is_no_good_names_one_fix() -> None:
    silent = {"failed", "late", "no memory"}  # nobody can mend these
    for code, (status, sentence, *fix) in doctor._TABLES["answers"].items():
        assert len(fix) == (status != "ok" and code not in silent), code
        assert "!" not in sentence


def test_on_binder_no_engine_is_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KIT_HOST", "binder")
    report = examine(tmp_path)
    assert "engine" not in {probe.subject for probe in report.probes}
    assert "download what you keep" in of(report, "host").sentence


def test_a_probe_that_fails_is_an_answer_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> Probe:
        raise RuntimeError("boom")

    monkeypatch.setattr(doctor, "_memory", broken)
    report = examine(tmp_path, binder=True)
    assert any("could not be asked (RuntimeError: boom" in probe.sentence for probe in report.probes)
    assert report.healthy


def test_the_report_shows_itself_as_json_and_as_a_table() -> None:
    report = Report((Probe("<b>", "problem", "a & b", "fix <it>"),))
    assert json.loads(report.to_json())["probes"][0]["fix"] == "fix <it>"
    html = report._repr_html_()
    assert "&lt;b&gt;" in html
    assert "fix <it>" not in html
    assert '<th scope="row">' in html
