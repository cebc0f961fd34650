"""Notebooks: made from one source, the same bytes each time, run from top to bottom in three forms."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import nbformat
import pytest

ROOT = Path(__file__).parent.parent
NOTEBOOKS = ROOT / "notebooks"
SOURCES = sorted((NOTEBOOKS / "src").glob("*.py"))
NAMES = [source.stem for source in SOURCES]
MOST_CELLS = 12
MOST_MEMORY = 110  # MiB that a kernel may hold after a notebook

sys.path.insert(0, str(NOTEBOOKS))


def _build() -> ModuleType:
    spec = importlib.util.spec_from_file_location("build_notebooks", NOTEBOOKS / "build.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


build = _build()


def cells(name: str, variant: str = "learner") -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = build.notebook(NOTEBOOKS / "src" / f"{name}.py", variant)["cells"]
    return made


def text(cell: dict[str, Any]) -> str:
    return "".join(cell["source"])


def tags(cell: dict[str, Any]) -> list[str]:
    found: list[str] = cell["metadata"].get("tags", [])
    return found


# ------------------------------------------------------------------------------------------- making


def test_there_is_a_notebook_for_each_source_and_no_other() -> None:
    assert [path.stem for path in sorted(NOTEBOOKS.glob("*.ipynb"))] == NAMES


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
    assert any("decision_lab(" in text(cell) for cell in made)


@pytest.mark.parametrize("name", NAMES)
def test_every_rule_that_is_named_exists(name: str) -> None:
    rules = {rule["id"] for rule in json.loads((ROOT / "data" / "rules.json").read_text())}
    named = set(re.findall(r"\b[SC]-\d+\b", "\n".join(map(text, cells(name, "facilitator")))))
    assert named
    assert named <= rules


def test_the_table_of_labels_is_that_of_the_kit() -> None:
    from kit.contracts import LABELS

    rows = re.findall(
        r"^\| `([\w.-]+)` \|.*\| ([\d.]+) \(measured: ([\d.]+)\) \|$",
        "\n".join(map(text, cells("04-requirement-labels"))),
        re.MULTILINE,
    )
    assert rows == [
        (each.suffix, ".".join(map(str, each.minimum)), ".".join(map(str, each.measured))) for each in LABELS
    ]


def test_the_six_devices_are_those_of_the_exercise() -> None:
    from lessons.requirement_labels import fleet

    rows = re.findall(
        r"^\| ([\w-]+) \| ([\w-]+) \| ([\d.]+) \| ([\d.]+) \| ([\d.–]+) \|$",
        "\n".join(map(text, cells("04-requirement-labels"))),
        re.MULTILINE,
    )
    expected = [
        (name, device.device_type, device.os, device.supervisor, fact.version if (fact := device.facts.l4t) else "–")
        for name, device in fleet().items()
    ]
    assert rows == expected


def test_the_sentences_are_those_of_the_exercise() -> None:
    from lessons.requirement_labels import MEANT

    shown = "\n".join(map(text, cells("04-requirement-labels")))
    assert all(f"| `{key}` | {sentence} |" in shown for key, (sentence, _windows) in MEANT.items())


# ------------------------------------------------------------------------------------------ running

MEASURE = """
import sys
memory = {line.split(":")[0]: int(line.split()[1]) // 1024 for line in open("/proc/self/smaps_rollup") if "kB" in line}
print("memory", memory["Pss"], "heavy", sorted({"matplotlib", "numpy", "docker"} & set(sys.modules)))
"""
AGAIN = """
from ipywidgets.widgets.widget import _instances
print("models alive:", len(_instances))
"""


def executed(made: list[dict[str, Any]], tmp_path: Path, *extra: str) -> list[str]:
    """Run cells in a kernel, in a copy of the notebooks' folder; what each showed, as text."""
    from nbclient import NotebookClient

    work = tmp_path / "notebooks"
    shutil.copytree(NOTEBOOKS / "lessons", work / "lessons", ignore=shutil.ignore_patterns("__pycache__"))
    notebook = nbformat.v4.new_notebook(metadata=build.KERNEL)
    for cell in made:
        new = nbformat.v4.new_code_cell if cell["cell_type"] == "code" else nbformat.v4.new_markdown_cell
        notebook.cells.append(new(text(cell), id=cell["id"]))
    notebook.cells += [nbformat.v4.new_code_cell(code) for code in extra]
    client = NotebookClient(notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": str(work)}})
    client.execute()
    return [
        "\n".join(
            output.get("text") or output.get("data", {}).get("text/plain", "") or output.get("ename", "")
            for output in cell.get("outputs", [])
        )
        for cell in notebook.cells
    ]


@pytest.mark.notebook
@pytest.mark.parametrize("name", NAMES)
def test_untouched_every_cell_runs_and_nothing_counts(name: str, tmp_path: Path) -> None:
    shown = executed(cells(name), tmp_path, MEASURE)
    everything = "\n".join(shown)
    assert everything.count("Not tried yet.") >= 2
    assert "cases pass" not in everything
    assert "Our fault" not in everything
    measured = re.search(r"memory (\d+) heavy (.*)", shown[-1])
    assert measured
    assert measured[2] == "[]"
    assert int(measured[1]) < MOST_MEMORY


@pytest.mark.notebook
@pytest.mark.parametrize("name", NAMES)
def test_solved_every_exercise_passes(name: str, tmp_path: Path) -> None:
    made = cells(name, "facilitator")
    shown = "\n".join(executed(made, tmp_path, "print(lesson)"))
    exercises = sum("solution" in tags(cell) for cell in made)
    assert exercises >= 2
    assert f"{exercises} of {exercises} exercises pass" in shown
    assert len(re.findall(r"(\d) of \1 cases pass\.", shown)) == exercises


@pytest.mark.notebook
@pytest.mark.parametrize("name", NAMES)
def test_running_cells_again_leaves_the_same_widgets(name: str, tmp_path: Path) -> None:
    """From top to bottom twice, then the labs and checks once more in reversed order."""
    made = cells(name)
    code = [cell for cell in made if cell["cell_type"] == "code"]
    count = {"cell_type": "code", "id": "count", "metadata": {}, "source": [AGAIN]}
    order = [*code, count, *code, count, code[0], *reversed(code[1:]), count]
    numbered = [dict(cell, id=f"c{number}") for number, cell in enumerate(order)]
    shown = "\n".join(executed(numbered, tmp_path))
    widgets = re.findall(r"models alive: (\d+)", shown)
    assert len(widgets) == 3
    assert len(set(widgets)) == 1, widgets


@pytest.mark.notebook
def test_wrong_answers_get_their_hints_and_no_traceback(tmp_path: Path) -> None:
    import test_exercises

    for name in NAMES:
        made = cells(name)
        wrong = [row for row in test_exercises.WRONG if row[0].startswith(name[:2]) and isinstance(row[1], str | dict)]
        asked = [
            f"print(check({number!r}, {answer!r})); print(hint({number!r}))" for number, answer, _reason, _hint in wrong
        ]
        setup = [cell for cell in made if "setup" in tags(cell)]
        shown = executed(setup, tmp_path / name, *asked)[-len(wrong) :]
        for (_number, _answer, reason, hint), said in zip(wrong, shown, strict=True):
            assert reason in said
            assert hint in said
            assert "Hint 1 of 3" in said
