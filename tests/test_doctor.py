"""The doctor: every probe answers, and each problem has one fix."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest

from kit.views import doctor
from kit.views.doctor import Probe, Report, examine


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


def test_widgets_of_two_generations_do_not_belong_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metadata, "version", lambda name: {"ipywidgets": "7.8.1"}.get(name, "3.0.1"))
    assert doctor._widgets_pair().status == "problem"


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
