"""The law of the house: the street only looks back, and never into an annex."""

from __future__ import annotations

import ast
import io
import json
import subprocess
import sys
import tokenize
from pathlib import Path

import pytest

import kit

HOME = Path(kit.__file__).parent
STREET = [  # each room may import only rooms above it
    "diagnostics",
    "source",
    "versions",
    "composition",
    "reader",
    "contracts",
    "container",
    "rules",
    "vanishing",
    "device",
    "planner",
    "looks",
    "graphs",
    "exercises",
]
HEAVY = {"docker", "matplotlib", "ipywidgets", "anywidget", "numpy", "IPython", "networkx", "click", "jupyterlab"}
MODULES = sorted(HOME.rglob("*.py"))


def room_of(module: Path) -> str:
    """The first name below `kit`: `reader` for `kit/reader/layers.py`."""
    return module.relative_to(HOME).parts[0].removesuffix(".py")


def imported(module: Path) -> set[str]:
    """The rooms of the kit that *module* imports anywhere, by their first name."""
    depth = len(module.relative_to(HOME).parts)  # 1 for kit/x.py, 2 for kit/x/y.py
    package = list(module.relative_to(HOME).with_suffix("").parts)[: depth - 1]
    rooms = set()
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            if node.level:
                base = package[: len(package) - (node.level - 1)]
                path = [*base, *(node.module.split(".") if node.module else [])]
                rooms |= {path[0]} if path else {alias.name for alias in node.names}
            elif (node.module or "").split(".")[0] == "kit":
                path = (node.module or "").split(".")[1:]
                rooms |= {path[0]} if path else {alias.name for alias in node.names}
        elif isinstance(node, ast.Import):
            rooms |= {alias.name.split(".")[1] for alias in node.names if alias.name.startswith("kit.")}
    return rooms - {room_of(module)}


def code_lines(module: Path) -> int:
    """Lines of code: blank lines, comments and docstrings do not count."""
    text = module.read_text(encoding="utf-8")
    docs: set[int] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            docs |= set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    skip = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in skip:
            lines |= set(range(token.start[0], token.end[0] + 1))
    return len(lines - docs)


def test_every_room_has_its_place_on_the_map() -> None:
    annexes = {"__init__", "__main__", "engines", "views"}
    assert {room_of(module) for module in MODULES} - annexes <= set(STREET)


@pytest.mark.parametrize("module", MODULES, ids=lambda module: str(module.relative_to(HOME)))
def test_the_street_only_looks_back(module: Path) -> None:
    room = room_of(module)
    if room in STREET:
        assert imported(module) <= set(STREET[: STREET.index(room)]), room


def test_engines_know_no_views() -> None:
    for module in (HOME / "engines").glob("*.py"):
        assert not imported(module) & {"views", "graphs", "looks"}, module.name


def test_no_module_imports_itself_through_others() -> None:
    edges = {module: set() for module in MODULES}
    for module in MODULES:
        here = list(module.relative_to(HOME).with_suffix("").parts)
        for node in ast.parse(module.read_text(encoding="utf-8")).body:  # what runs at import
            if not isinstance(node, ast.ImportFrom) or not node.level:
                continue
            base = here[: len(here) - node.level] + (node.module.split(".") if node.module else [])
            home = {HOME.joinpath(*base).with_suffix(".py"), HOME.joinpath(*base) / "__init__.py"}
            for alias in node.names:  # a submodule, or else a name of the module itself
                inner = HOME.joinpath(*base, alias.name)
                found = {inner.with_suffix(".py"), inner / "__init__.py"} & set(edges) or home & set(edges)
                edges[module] |= found - {module}

    def reaches(start: Path, goal: Path, seen: set[Path]) -> bool:
        for other in edges[start] - seen:
            seen.add(other)
            if other == goal or reaches(other, goal, seen):
                return True
        return False

    circles = [str(module.relative_to(HOME)) for module in MODULES if reaches(module, module, set())]
    assert circles == []


SIZES = {module: code_lines(module) for module in MODULES}


def test_no_module_is_long() -> None:
    assert {str(module.relative_to(HOME)): size for module, size in SIZES.items() if size > 700} == {}


def test_the_kit_stays_small() -> None:
    assert sum(SIZES.values()) < 7_500


def test_no_module_has_an_evasive_name() -> None:
    names = {module.stem for module in MODULES}
    assert not names & {"utils", "util", "helpers", "manager", "common", "misc", "handler"}


def loaded_by(code: str) -> set[str]:
    """The first names of all modules that a fresh interpreter has loaded after *code*."""
    program = f"{code}\nimport sys, json; print(json.dumps(sorted({{name.split('.')[0] for name in sys.modules}})))"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(json.loads(run.stdout.splitlines()[-1]))


def test_the_front_door_is_light() -> None:
    assert not loaded_by("import kit") & HEAVY


def test_every_name_of_the_front_door_needs_only_pyyaml_and_semver() -> None:
    code = "import kit\nfor name in kit.__all__: getattr(kit, name)"
    assert not loaded_by(code) & HEAVY


def test_the_street_needs_no_threads_and_no_processes() -> None:
    """A browser's Python has neither."""
    for module in MODULES:
        if room_of(module) in STREET:
            text = module.read_text(encoding="utf-8")
            names = {
                name.split(".")[0]
                for node in ast.walk(ast.parse(text))
                for name in (
                    [alias.name for alias in node.names]
                    if isinstance(node, ast.Import)
                    else [node.module or ""]
                    if isinstance(node, ast.ImportFrom) and not node.level
                    else []
                )
            }
            assert not names & {"threading", "subprocess", "multiprocessing", "concurrent", "socket"}, module.name


def test_type_checkers_see_the_same_front_door() -> None:
    stub = ast.parse((HOME / "__init__.pyi").read_text(encoding="utf-8"))
    names = {alias.asname for node in stub.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert names == set(kit.__all__)


def test_no_name_of_the_front_door_hides_a_room() -> None:
    assert not set(kit.__all__) & {room_of(module) for module in MODULES}
