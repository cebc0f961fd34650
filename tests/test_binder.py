"""The Binder folder says what repo2docker and mybinder.org need, and nothing that breaks a launch.

The tests marked `binder` build what it says, step by step, and run every notebook there as an ordinary user.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from binder_image import RUN, Image, image

ROOT = Path(__file__).parents[1]
BINDER = ROOT / "binder"
REQUIREMENTS = [
    line.strip()
    for line in (BINDER / "requirements.txt").read_text(encoding="utf-8").splitlines()
    if line.strip() and not line.startswith("#")
]


def test_there_is_one_binder_folder() -> None:
    assert not (ROOT / ".binder").exists()
    assert not (BINDER / "environment.yml").exists()


def test_the_python_is_one_that_the_kit_supports() -> None:
    found = re.fullmatch(r"python-3\.(\d+)\s*", (BINDER / "runtime.txt").read_text(encoding="utf-8"))
    assert found
    assert 11 <= int(found[1]) <= 14


def test_every_requirement_is_pinned_exactly_and_none_is_a_path() -> None:
    for line in REQUIREMENTS:
        assert re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][0-9A-Za-z.]*", line), line


def test_what_the_base_image_has_is_not_pinned_again() -> None:
    names = {line.split("==")[0].lower() for line in REQUIREMENTS}
    assert not names & {"jupyterlab", "ipywidgets", "notebook", "ipykernel", "pyyaml", "matplotlib"}


def test_binder_gets_every_package_that_the_core_and_the_graphs_need() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["lab"]]
    names = {re.split(r"[<>=\[]", line)[0].lower() for line in wanted}
    base = {"jupyterlab", "ipywidgets", "pyyaml"}
    assert names - base <= {line.split("==")[0].lower() for line in REQUIREMENTS}


def test_the_pins_are_those_of_the_constraints() -> None:
    constraints = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    known = {line.split(" ;")[0].strip() for line in constraints}
    assert set(REQUIREMENTS) <= known


def test_post_build_stops_at_the_first_error() -> None:
    lines = (BINDER / "postBuild").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "#!/bin/bash"
    assert "set -euo pipefail" in lines


def test_start_hands_over_to_the_server() -> None:
    assert (BINDER / "start").read_text(encoding="utf-8").rstrip().endswith('exec "$@"')


def test_the_scripts_can_be_executed() -> None:
    for name in ("postBuild", "start"):
        assert (BINDER / name).stat().st_mode & 0o111, name


def test_sources_with_solutions_stay_out_of_the_image() -> None:
    ignored = (BINDER / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert {"notebooks/src", "tests", ".git"} <= set(ignored)


def test_the_badge_opens_a_notebook_that_exists_at_a_tag() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    found = re.search(r"mybinder\.org/v2/gh/[^/]+/[^/]+/(v[0-9.]+)\?urlpath=lab/tree/(notebooks/[^)\s]+)", readme)
    assert found, "no Binder link in the README"
    assert (ROOT / found[2]).is_file(), found[2]


def test_no_document_names_a_registry_or_a_wheel() -> None:
    texts = list(ROOT.glob("*.txt")) + [path for path in BINDER.iterdir() if path.is_file()]
    for path in texts:
        assert "://" not in path.read_text(encoding="utf-8"), path.name


# -------------------------------------------------------------------------------- built, and tried

MOST_GAINED = 60_000_000  # bytes over the base, without matplotlib


@pytest.fixture(scope="module")
def built() -> Iterator[Image]:
    with image() as made:
        yield made


@pytest.mark.binder
def test_repo2docker_accepts_the_folder(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", tmp_path], check=True, capture_output=True)
    bin_ = tmp_path / "bin"
    subprocess.run([bin_ / "pip", "install", "-q", "jupyter-repo2docker"], check=True, capture_output=True)
    ran = subprocess.run(
        [bin_ / "jupyter-repo2docker", "--no-build", "--debug", str(ROOT)], check=True, capture_output=True, text=True
    )
    recipe = ran.stdout + ran.stderr
    before, copies, after = recipe.partition("COPY --chown=0:0 src/ ")
    assert copies
    assert 'install --no-cache-dir -r "binder/requirements.txt"' in before  # a layer of its own, before the kit
    assert "RUN ./binder/postBuild" in after
    assert "binder/start" in after


@pytest.mark.binder
def test_the_image_gains_little_over_its_base(built: Image) -> None:
    assert built.gained < MOST_GAINED


@pytest.mark.binder
def test_every_notebook_runs_for_an_ordinary_user_without_docker(built: Image) -> None:
    shown = json.loads(built.run(str(built.python), "-c", RUN, folder="notebooks"))
    assert list(shown) == [path.name for path in sorted((ROOT / "notebooks").glob("*.ipynb"))]
    for name, ran in shown.items():
        assert ran["text"].count("Not tried yet.") >= 2, name
        assert "Our fault" not in ran["text"], name
        assert not set(ran["modules"]) & {"matplotlib", "numpy", "docker"}, name


@pytest.mark.binder
def test_the_image_has_no_solution(built: Image) -> None:
    repo = built.home / "repo"
    assert (repo / "notebooks" / "00-start-here.ipynb").is_file()
    assert not (repo / "notebooks" / "src").exists()
    assert not (repo / "tests").exists()
    carried = built.run(str(built.python), "-c", "import kit; print(kit.__file__)", folder="notebooks").strip()
    for folder in (repo / "notebooks", Path(carried).parent / "notebooks"):
        assert not [path for path in folder.rglob("*.ipynb") if '"solution"' in path.read_text("utf-8")]
