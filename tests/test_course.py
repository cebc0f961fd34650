"""The course as a whole: what fits into the time, progress to take along, the summary; reset, roster and lab."""

from __future__ import annotations

import base64
import datetime
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from course import chapters as course
from course import commands
from course.progress import FILE, Progress
from kit.exercises import Record
from kit.views.terminal import run

ROOT = Path(__file__).parents[1]
NOTEBOOKS = ROOT / "notebooks"
PACKAGES = ("course", "labs", "lessons")  # what notebooks import
Capture = pytest.CaptureFixture[str]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the notebooks, which is where we stand."""
    for path in NOTEBOOKS.glob("*.ipynb"):
        shutil.copy(path, tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(course.chapters, "__defaults__", (tmp_path,))
    return tmp_path


def done(*numbers: str) -> dict[str, Record]:
    return dict.fromkeys(numbers, Record(2, 1, True, {"balena can make a release of it.": 1}))


# ------------------------------------------------------------------------------------- the time


def test_every_notebook_says_its_minutes_and_has_exercises() -> None:
    found = course.chapters()
    assert [chapter.file for chapter in found] == [path.name for path in sorted(NOTEBOOKS.glob("*.ipynb"))]
    assert all(chapter.minutes > 0 and len(chapter.exercises) >= 2 for chapter in found)


def test_minutes_left_shrink_with_what_passes() -> None:
    chapter = course.Chapter("x", "04", "x", 30, ("04.1", "04.2"))
    assert [chapter.left(done(*chapter.exercises[:count])) for count in range(3)] == [30, 15, 0]
    assert course.Chapter("x", "00", "x", 10, ("00.1", "00.2", "00.3")).left(done("00.1")) == 10  # 6.7, in fives


def test_twenty_minutes_take_what_fits_in_order() -> None:
    minutes = {"00": 10, "01": 20, "02": 5, "03": 25}
    chapters = [course.Chapter("x", number, "x", time, (f"{number}.1",)) for number, time in minutes.items()]
    assert [chapter.number for chapter in course.fitting(chapters, {}, 20)] == ["00", "02"]
    assert [chapter.number for chapter in course.fitting(chapters, done("00.1"), 20)] == ["01"]
    assert course.fitting(chapters, {}, 3) == []


def test_the_table_of_the_time_says_now_later_or_done(folder: Path) -> None:
    Progress().keep(done("00.1", "00.2"))
    said = str(course.my_course(30))
    assert re.search(r"^00 Start here .*done$", said, re.MULTILINE)
    assert "later" in said or "now" in said
    assert '<a href="04-requirement-labels.ipynb">' in course.my_course(30).html
    assert str(course.my_course(1)).startswith("The shortest is notebook")
    everything = [number for chapter in course.chapters() for number in chapter.exercises]
    Progress().keep(done(*everything))
    assert str(course.my_course(1)).startswith("Every exercise of every notebook passes.")
    assert str(course.my_course("soon"))  # a slip of the hand raises nothing


def test_minutes_may_be_written_as_a_text_or_with_a_fraction(folder: Path) -> None:
    for minutes in (20, "20", "20 minutes", 20.5):
        assert str(course.my_course(minutes)).startswith("20 minutes: take notebook 00.")
    assert str(course.my_course(60)).startswith("60 minutes: take notebooks 00, 01 and 02.")
    for nothing in (0, -5, float("nan"), "", None):
        assert str(course.my_course(nothing)).startswith("The shortest is notebook 00")  # type: ignore[arg-type]


def test_only_exercises_of_the_course_count(folder: Path) -> None:
    Progress().keep(done("00.1", "99.9"))
    assert "1 exercise passes" in str(course.my_course())
    assert str(course.summary()).startswith("1 of 20 exercises pass.")
    assert "1 of 20 exercises pass" in course.summary_page(folder)


def test_a_notebook_that_is_broken_is_left_out(folder: Path) -> None:
    (folder / "00-start-here.ipynb").write_text("{")
    (folder / "77-mine.ipynb").write_text('{"cells": []}')
    assert "00" not in [chapter.number for chapter in course.chapters(folder)]
    assert "77" not in [chapter.number for chapter in course.chapters(folder)]


# ---------------------------------------------------------------------------------- the progress


def test_progress_is_downloaded_by_a_link_that_holds_the_file(folder: Path) -> None:
    assert "download=" not in course.my_course().html
    Progress().keep(done("00.1"))
    found = re.search(r'download="progress.json" href="data:application/json;base64,([^"]+)"', course.my_course().html)
    assert found
    assert base64.b64decode(found[1]) == (folder / FILE).read_bytes()


def test_progress_is_taken_up_and_nothing_is_lost(folder: Path) -> None:
    Progress().keep(done("00.1"))
    (folder / "home.json").write_text((folder / FILE).read_text().replace("00.1", "04.1"))
    assert "`home.json` is taken up: 1 of its exercises pass." in str(course.my_course(restore="home.json"))
    assert set(Progress().read()) == {"00.1", "04.1"}
    before = (folder / FILE).read_bytes()
    (folder / "other.json").write_text("{}")
    for name in ("other.json", "nowhere.json", "\0", ".", b"other.json", {"a": 1}):
        assert re.search(r"cannot be read|nothing was changed", str(course.my_course(restore=name)))  # type: ignore[arg-type]
    assert (folder / FILE).read_bytes() == before


# ----------------------------------------------------------------------------------- the summary


def test_the_summary_says_that_it_is_self_issued_and_names_the_file(folder: Path, capsys: Capture) -> None:
    Progress().keep(done("00.1"))
    assert run(["summary", "-o", "summary.html", "--name", "Ada <b>"]) == 0
    page = (folder / "summary.html").read_text()
    assert "It is self-issued." in page
    assert "nothing was sent anywhere" in page
    assert Progress().digest in page
    assert "Ada &lt;b&gt;" in page
    assert "balena can make a release of it." in page
    assert not re.search(r"https?://|<script", page)
    assert course.summary_page(folder, today=datetime.date(2026, 1, 2)).count("2026-01-02") == 1


def test_the_summary_in_a_notebook_is_the_same_page(folder: Path) -> None:
    Progress().keep(done("00.1"))
    shown = course.summary("Ada")
    found = re.search(r'href="data:text/html;base64,([^"]+)"', shown.html)
    assert found
    assert base64.b64decode(found[1]).decode() == course.summary_page(folder, "Ada")
    assert "self-issued" in str(shown)


# ------------------------------------------------------------------------------------ the roster


def test_the_roster_counts_and_names_nobody(folder: Path, capsys: Capture) -> None:
    for number, name in enumerate(("ada", "bob", "eve")):
        (folder / name).mkdir()
        Progress(folder / name).keep(done("00.1") if number else {"00.1": Record(4, 2, False, {"All run.": 4})})
    (folder / "bad.json").write_text("{")
    files = [f"{name}/{FILE}" for name in ("ada", "bob", "eve")]
    assert run(["roster", *files, "bad.json"]) == 0
    said = capsys.readouterr()
    assert "3 learners" in said.out
    assert re.search(r"^00\.1 +3 +2 +8 +4 +All run\. \(4\)$", said.out, re.MULTILINE)
    assert "balena can make a release of it. (2)" in said.out
    assert not re.search("ada|bob|eve", said.out)
    assert "`bad.json` is left out" in said.err
    assert run(["roster", *files, "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert rows["learners"] == 3
    assert rows["exercises"]["00.1"] == {
        "tried": 3, "passed": 2, "attempts": 8, "hints": 4,
        "stopped": {"All run.": 4, "balena can make a release of it.": 2},
    }  # fmt: skip


def test_a_roster_of_nothing_is_misuse(folder: Path, capsys: Capture) -> None:
    assert run(["roster", "nowhere.json"]) == 2
    assert capsys.readouterr().err.splitlines()[-1] == "kit: none of these is a progress file"


# ------------------------------------------------------------------------------------- the reset


def test_a_notebook_is_put_back_and_the_changed_one_is_kept(folder: Path, capsys: Capture) -> None:
    path = folder / "00-start-here.ipynb"
    path.write_text("mine")
    assert run(["reset", "--notebook", "00"]) == 0
    assert (folder / "00-start-here.old.ipynb").read_text() == "mine"
    assert json.loads(path.read_text())["nbformat"] == 4
    assert "Yours is `00-start-here.old.ipynb` now." in capsys.readouterr().out
    path.unlink()
    (folder / commands.FIRST).write_text("again")
    assert run(["reset", "--notebook", "00"]) == 0
    assert (folder / "00-start-here.old-2.ipynb").read_text() == "again"


def test_progress_begins_anew_and_the_old_file_is_kept(folder: Path, capsys: Capture) -> None:
    assert run(["reset", "--progress"]) == 0
    assert "There is no progress yet." in capsys.readouterr().out
    Progress().keep(done("00.1"))
    assert run(["reset", "--progress"]) == 0
    assert not (folder / FILE).exists()
    assert "00.1" in (folder / "progress.old.json").read_text()


@pytest.mark.parametrize("arguments", [[], ["--notebook", "77"], ["--notebook", "*"], ["--notebook", "../00"]])
def test_a_reset_of_nothing_is_misuse(arguments: list[str], folder: Path, capsys: Capture) -> None:
    assert run(["reset", *arguments]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_a_reset_of_the_engine_removes_only_what_the_kit_made(
    folder: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nobody() -> None:
        raise RuntimeError("no Docker engine answers here")

    closed = list[str]()
    client = SimpleNamespace(close=lambda: closed.append("closed"))
    engine = SimpleNamespace(connect=lambda: client, remove_all=lambda one: ["web"] if one is client else [])
    monkeypatch.setitem(sys.modules, "kit.engines.docker", engine)
    assert run(["reset", "--docker"]) == 0
    assert capsys.readouterr().out == "web\n"
    assert closed == ["closed"]
    engine.remove_all = lambda _client: []
    assert run(["reset", "--docker"]) == 0
    assert capsys.readouterr().out == "Nothing of this kit is in the Docker engine.\n"
    engine.connect = nobody
    assert run(["reset", "--docker"]) == 2
    assert capsys.readouterr().err == "kit: no Docker engine answers here\n"


# ------------------------------------------------------------------------------ the wheel and the lab


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel and the source archive, unpacked."""
    into = tmp_path_factory.mktemp("built")
    script = (
        "import sys; from hatchling.builders.sdist import SdistBuilder as S; from hatchling.builders.wheel import "
        "WheelBuilder as W; [list(B(sys.argv[1]).build(directory=sys.argv[2], versions=['standard'])) for B in (S, W)]"
    )
    subprocess.run([sys.executable, "-c", script, str(ROOT), str(into)], check=True, capture_output=True)
    (wheel,), (archive,) = into.glob("*.whl"), into.glob("*.tar.gz")
    shutil.unpack_archive(wheel, into / "wheel", "zip")
    shutil.unpack_archive(archive, into / "sdist", filter="data")
    return into


def secrets_of_facilitators(name: str) -> set[str]:
    """The lines of a notebook that only facilitators get."""
    from notebook_sources import cells, tags, text

    given = {line.strip() for cell in cells(name) for line in text(cell).splitlines()}
    secret = [cell for cell in cells(name, "facilitator") if {"solution", "notes"} & set(tags(cell))]
    return {line.strip() for cell in secret for line in text(cell).splitlines() if len(line.strip()) > 20} - given


@pytest.mark.parametrize("kind", ["wheel", "sdist"])
def test_no_solution_leaves_the_house(kind: str, built: Path) -> None:
    files = [path for path in (built / kind).rglob("*") if path.is_file()]
    names = {path.relative_to(built / kind).as_posix() for path in files}
    assert any(name.endswith("notebooks/00-start-here.ipynb") for name in names)
    assert not [
        name for name in names if re.search(r"notebooks/(src|build\.py)|__pycache__|progress\.json|/tests/", name)
    ]
    for path in files:
        if path.suffix == ".ipynb":
            text = path.read_text("utf-8")
            secret = {json.dumps(line)[1:-1] for line in secrets_of_facilitators(path.stem)}
            assert not [line for line in secret if line in text], path.name
            assert '"solution"' not in text
            assert '"notes"' not in text


def test_the_wheel_has_every_notebook_and_what_it_imports(built: Path) -> None:
    carried = built / "wheel" / "kit" / "notebooks"
    for path in (*NOTEBOOKS.glob("*.ipynb"), *(each for name in PACKAGES for each in (NOTEBOOKS / name).iterdir())):
        if path.is_file():
            assert (carried / path.relative_to(NOTEBOOKS)).read_bytes() == path.read_bytes(), path.name


def asked(home: Path, *arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """What a kit that lies in *home* says in a folder."""
    command, environment = [sys.executable, "-m", "kit", *arguments], {**os.environ, "PYTHONPATH": str(home)}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_an_installed_kit_opens_the_commands_that_it_carries(built: Path, tmp_path: Path) -> None:
    (tmp_path / "course.py").write_text("raise RuntimeError('somebody else')")
    for arguments, said in (
        (["doctor", "--binder"], "Everything that is needed is here."),
        (["reset", "--progress"], "There is no progress yet."),
        (["summary", "-o", "mine.html"], "The page is `mine.html`."),
        (["lab", "--help"], "On this machine only, and with a token."),
    ):
        done = asked(built / "wheel", *arguments, folder=tmp_path)
        assert done.returncode == 0, done.stderr
        assert said in done.stdout
        assert done.stderr == ""


def test_a_kit_without_notebooks_has_all_other_commands(built: Path, tmp_path: Path) -> None:
    shutil.copytree(built / "wheel" / "kit", tmp_path / "kit", ignore=shutil.ignore_patterns("notebooks"))
    done = asked(tmp_path, "--help", folder=tmp_path)
    assert "decide" in done.stdout
    assert "doctor" not in done.stdout
    done = asked(tmp_path, "doctor", folder=tmp_path)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)


def test_the_lab_of_an_installed_kit_works_in_a_folder_of_the_user(
    built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import jupyterlab.labapp

    launched: list[list[str]] = []
    monkeypatch.setattr(commands, "CARRIED", built / "wheel" / "kit" / "notebooks")
    monkeypatch.setattr(commands, "CHECKOUT", tmp_path / "nowhere")
    monkeypatch.setattr(jupyterlab.labapp.LabApp, "launch_instance", lambda arguments: launched.append(arguments))
    monkeypatch.chdir(tmp_path)
    assert run(["lab", "--no-browser"]) == 0
    mine = tmp_path / commands.COPY
    assert f"--ServerApp.root_dir={mine}" in launched[0]
    first = mine / commands.FIRST
    first.write_text("changed by me")
    (mine / "course" / "chapters.py").write_text("old")
    assert run(["lab", "--no-browser"]) == 0
    assert first.read_text() == "changed by me"  # a notebook of the user stays
    assert (mine / "course" / "chapters.py").read_text() != "old"  # what it imports is renewed
    assert run(["reset", "--notebook", "00"]) == 0
    assert first.read_bytes() == (NOTEBOOKS / commands.FIRST).read_bytes()


def test_a_lab_without_notebooks_is_misuse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.setattr(commands, "CARRIED", tmp_path / "nowhere")
    monkeypatch.setattr(commands, "CHECKOUT", tmp_path / "nowhere")
    monkeypatch.chdir(tmp_path)
    assert run(["lab"]) == 2
    assert capsys.readouterr().err == "kit: no notebooks here: name their folder, as in `kit lab notebooks`\n"
