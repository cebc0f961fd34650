"""The notebooks' sources, as tests read them."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

ROOT = Path(__file__).parent.parent
NOTEBOOKS = ROOT / "notebooks"
SOURCES = sorted((NOTEBOOKS / "src").glob("*.py"))
NAMES = [source.stem for source in SOURCES]


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


def code_of(name: str, variant: str = "learner") -> list[dict[str, Any]]:
    return [cell for cell in cells(name, variant) if cell["cell_type"] == "code"]


def source_of(name: str) -> tuple[str, str, str]:
    """The first exercise that begins with a text: its number, what is given, and what passes."""
    given, solved = (
        {tag: text(cell) for cell in code_of(name, variant) for tag in tags(cell) if tag.startswith("exercise-")}
        for variant in ("learner", "facilitator")
    )
    tag = min(tag for tag in given if "check(" in given[tag] and given[tag] != solved[tag])
    return tag.removeprefix("exercise-"), given[tag], solved[tag]
