"""Notebooks: made from one source, the same bytes each time, run from top to bottom in three forms."""

from __future__ import annotations

import asyncio
import base64
import json
import pickle
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest

from answers import tables
from notebook_sources import NAMES, NOTEBOOKS, ROOT, build, cells, code_of, tags, text

MOST_CELLS = 12
WIDEST = 104  # letters
MOST_MEMORY = 150  # MiB that a kernel may hold after a notebook


# ------------------------------------------------------------------------------------------- making


def test_there_is_a_notebook_for_each_source_and_no_other() -> None:
    assert [path.stem for path in sorted(NOTEBOOKS.glob("*.ipynb")) if ".old" not in path.name] == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_is_what_its_source_gives_byte_by_byte(name: str) -> None:
    source = NOTEBOOKS / "src" / f"{name}.py"
    assert (NOTEBOOKS / f"{name}.ipynb").read_bytes() == build.written(source, "learner").encode()
    assert build.written(source, "learner") == build.written(source, "learner")


def test_the_check_finds_a_notebook_that_was_changed_by_hand(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert build.main(["--into", str(tmp_path)]) == 0
    assert build.main(["--check", "--into", str(tmp_path)]) == 0
    changed = tmp_path / f"{NAMES[0]}.ipynb"
    changed.write_text(changed.read_text().replace("Start here", "Start there"))
    (tmp_path / "stranger.ipynb").write_text("{}")
    assert build.main(["--check", "--into", str(tmp_path)]) == 1
    said = capsys.readouterr().err.splitlines()
    assert [line.split(" ")[0] for line in said] == [f"{NAMES[0]}.ipynb", "stranger.ipynb"]


@pytest.mark.parametrize("name", NAMES)
def test_a_committed_notebook_is_valid_and_has_no_outputs(name: str) -> None:
    made = nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4)
    nbformat.validate(made)
    assert made.metadata.kernelspec.name == "python3"
    assert "widgets" not in made.metadata
    ids = [cell.id for cell in made.cells]
    assert len(ids) == len(set(ids))
    assert all(not cell.get("outputs") and cell.get("execution_count") is None for cell in made.cells)


@pytest.mark.parametrize("name", NAMES)
def test_a_learner_gets_no_solution(name: str) -> None:
    learner = (NOTEBOOKS / f"{name}.ipynb").read_text()
    assert not {tag for cell in cells(name) for tag in tags(cell)} & {"solution", "notes"}
    given = "\n".join(map(text, cells(name)))
    secret = [cell for cell in cells(name, "facilitator") if {"solution", "notes"} & set(tags(cell))]
    lines = {line.strip() for cell in secret for line in text(cell).splitlines()} - set(
        map(str.strip, given.splitlines())
    )
    assert lines
    assert not [line for line in lines if json.dumps(line)[1:-1] in learner]


def test_solutions_are_built_on_demand_and_outside_the_learners_folder(tmp_path: Path) -> None:
    assert "/out/" in (ROOT / ".gitignore").read_text()
    assert build.main(["--facilitator", "--into", str(tmp_path)]) == 0
    assert all('"solution"' in path.read_text() for path in tmp_path.glob("*.ipynb"))
    assert [path.stem for path in sorted(tmp_path.glob("*.ipynb"))] == NAMES


# -------------------------------------------------------------------------------------------- shape


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_has_the_common_shape(name: str) -> None:
    made = cells(name)
    assert len(made) <= MOST_CELLS
    assert made[0]["cell_type"] == made[-1]["cell_type"] == "markdown"
    first = text(made[0])
    assert re.search(rf"Notebook {name[:2]} of 09 &nbsp;/&nbsp; \d+ minutes &nbsp;/&nbsp; no device needed", first)
    assert re.search(r"^# \w", first, re.MULTILINE)
    assert "What you have now" in text(made[-1])
    assert sum(text(cell).count("check(") for cell in made) >= 2
    assert any(re.search(r"\w_lab\(", text(cell)) for cell in made if cell["cell_type"] == "code")


@pytest.mark.parametrize("name", NAMES)
def test_no_line_of_code_is_wider_than_its_cell(name: str) -> None:
    """At 1280 pixels, with the file browser open, a cell has room for 104 letters; what is longer scrolls sideways."""
    code = [text(cell) for cell in cells(name) if cell["cell_type"] == "code"]
    assert [line for each in code for line in each.splitlines() if len(line) > WIDEST] == []


@pytest.mark.parametrize("name", NAMES)
def test_every_exercise_has_a_cell_and_a_table_of_answers(name: str) -> None:
    number = name[:2]
    assert number in tables(), f"tests/lessons/test_{number}.py is missing"
    exercises = tables()[number].numbers()
    assert len(exercises) >= 2
    for variant in ("learner", "facilitator"):
        code = [text(cell) for cell in cells(name, variant) if cell["cell_type"] == "code"]
        for exercise in exercises:
            assert sum(f'check("{exercise}"' in each for each in code) >= 1, exercise


@pytest.mark.parametrize("name", NAMES)
def test_every_rule_that_is_named_exists(name: str) -> None:
    rules = {rule["id"] for rule in json.loads((ROOT / "data" / "rules.json").read_text())}
    named = set(re.findall(r"\b[SC]-\d+\b", "\n".join(map(text, cells(name, "facilitator")))))
    assert named
    assert named <= rules


@pytest.mark.notebook
def test_the_page_of_wrong_answers_for_facilitators_is_written_by_itself(tmp_path: Path) -> None:
    """As `make facilitator` does: outside of pytest, whose path has the notebooks."""
    page = tmp_path / "wrong-answers.md"
    subprocess.run([sys.executable, ROOT / "tests" / "lessons" / "answers.py", page], check=True)
    text_ = page.read_text("utf-8")
    assert [number for number in tables() if f"## Notebook {number}: " not in text_] == []
    assert text_.count("*First hint:*") >= sum(len(table.numbers()) for table in tables().values())


# ------------------------------------------------------------------------------------------ running
# One kernel for each notebook; between two forms it forgets everything that the notebook made.

FORGET = """
import sys
for name in [name for name in sys.modules if name.split(".")[0] in ("course", "lessons", "labs")]:
    del sys.modules[name]
if "ipywidgets" in sys.modules:
    sys.modules["ipywidgets"].Widget.close_all()
get_ipython().run_line_magic("reset", "-f")
"""
MEASURE = """
import sys
memory = {line.split(":")[0]: int(line.split()[1]) // 1024 for line in open("/proc/self/smaps_rollup") if "kB" in line}
print("memory", memory["Pss"], "heavy", sorted({"matplotlib", "numpy"} & set(sys.modules)))
"""
COUNT = """
from ipywidgets.widgets.widget import _instances
print("models alive:", len(_instances))
"""


class Kernel:
    """A kernel in a copy of the notebooks' folder."""

    def __init__(self, folder: Path) -> None:
        from nbclient import NotebookClient

        self.folder = folder
        folder.mkdir()
        for path in (*(NOTEBOOKS / name for name in ("course", "labs", "lessons")), *NOTEBOOKS.glob("*.ipynb")):
            (folder / path.name).symlink_to(path)
        resources = {"metadata": {"path": str(folder)}}
        self.client = NotebookClient(
            nbformat.v4.new_notebook(), timeout=120, kernel_name="python3", resources=resources
        )
        self.client.create_kernel_manager()
        self.client.start_new_kernel(cwd=str(folder))
        self.client.start_new_kernel_client()

    def run(self, *code: str | dict[str, Any]) -> list[str]:
        """Run cells; what each showed, as text. An error that a learner would see ends the test."""
        sources = [each if isinstance(each, str) else text(each) for each in code]
        self.client.nb = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(each) for each in sources])
        self.client.reset_execution_trackers()
        for index, cell in enumerate(self.client.nb.cells):
            self.client.execute_cell(cell, index)
        return ["\n".join(map(self.said, cell.outputs)) for cell in self.client.nb.cells]

    def forget(self, progress: bool = True) -> None:
        """What a new kernel has: nothing; the file of the progress only if that is wanted."""
        self.run(FORGET)
        if progress:
            (self.folder / "progress.json").unlink(missing_ok=True)

    @staticmethod
    def said(output: dict[str, Any]) -> str:
        return str(output.get("text") or output.get("data", {}).get("text/plain", ""))

    def end(self) -> None:
        self.client.kc.stop_channels()
        asyncio.run(self.client.km.shutdown_kernel(now=True))


@pytest.fixture(scope="module", params=NAMES)
def opened(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Kernel]]:
    """Each notebook's name with a kernel."""
    kernel = Kernel(tmp_path_factory.mktemp("run") / "notebooks")
    try:
        yield request.param, kernel
    finally:
        kernel.end()


@pytest.mark.notebook
def test_untouched_every_cell_runs_and_nothing_counts(opened: tuple[str, Kernel]) -> None:
    name, kernel = opened
    *shown, measured = kernel.run(*code_of(name), MEASURE)
    everything = "\n".join(shown)
    assert everything.count("Not tried yet.") >= len(tables()[name[:2]].numbers())
    assert "cases pass" not in everything
    assert "Our fault" not in everything
    found = re.search(r"memory (\d+) heavy (.*)", measured)
    assert found
    assert found[2] == "[]"
    assert int(found[1]) < MOST_MEMORY


@pytest.mark.notebook
def test_running_cells_again_leaves_the_same_widgets(opened: tuple[str, Kernel]) -> None:
    """From top to bottom twice, then the labs and checks once more in reversed order."""
    name, kernel = opened
    kernel.forget()
    code = [dict(cell, source=[f"# cell {number}\n", text(cell)]) for number, cell in enumerate(code_of(name))]
    shown = kernel.run(*code, COUNT, *code, COUNT, code[0], *reversed(code[1:]), COUNT)
    widgets = re.findall(r"models alive: (\d+)", "\n".join(shown))
    assert len(widgets) == 3
    assert len(set(widgets)) == 1, widgets


@pytest.mark.notebook
def test_solved_every_exercise_passes(opened: tuple[str, Kernel]) -> None:
    name, kernel = opened
    kernel.forget()
    exercises = len(tables()[name[:2]].numbers())
    shown = "\n".join(kernel.run(*code_of(name, "facilitator"), "print(lesson)"))
    assert f"{exercises} of {exercises} exercises pass" in shown
    assert len(re.findall(r"(\d+) of \1 cases pass\.", shown)) == exercises
    kernel.forget(progress=False)
    setup = [cell for cell in code_of(name) if "setup" in tags(cell)]
    assert f"{exercises} of {exercises} exercises pass" in "".join(kernel.run(*setup))  # the file remembers


@pytest.mark.notebook
def test_wrong_answers_get_their_hints_and_no_traceback(opened: tuple[str, Kernel]) -> None:
    """Each wrong answer of the table stands in the exercise's cell once, between the cells around it."""
    name, kernel = opened
    kernel.forget()
    wrong = tables()[name[:2]].wrong
    sources, asked = [], []
    for cell in code_of(name):
        number = next(iter(re.findall(r'check\("([\d.]+)"', text(cell))), "")
        for row in (row for row in wrong if row[0] == number):
            packed = base64.b64encode(pickle.dumps(row[1])).decode()
            asked.append((len(sources), row))
            sources.append(
                f"import base64, pickle\nanswer = pickle.loads(base64.b64decode('{packed}'))\n"
                f"print(check({number!r}, answer))\nprint(hint({number!r}))"
            )
        if not number:
            sources.append(text(cell))
    assert len(asked) == len(wrong)
    shown = kernel.run(*sources)
    for at, (_number, _answer, reason, hint) in asked:
        assert reason in shown[at]
        assert hint in shown[at]
        assert "Hint 1 of 3" in shown[at]
