"""The second opinions: npm's own packages, installed once for a session, asked in processes of their own."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
PACKAGES = ("semver@7.7.4", "@balena/contrato@0.13.0")

Ask = Callable[[str, Iterable[object]], list[Any]]


@pytest.fixture(scope="session")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the pinned packages."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        pytest.skip("Node and npm are not installed")
    folder = tmp_path_factory.mktemp("npm")
    (folder / "package.json").write_text('{"private": true}\n')
    command = [npm, "install", "--no-audit", "--no-fund", "--silent", "--ignore-scripts", "--save-exact", *PACKAGES]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, f"npm could not install {', '.join(PACKAGES)}:\n{done.stdout}{done.stderr}"
    for package in PACKAGES:
        name, _, version = package.rpartition("@")
        found = json.loads((folder / "node_modules" / name / "package.json").read_text())["version"]
        assert found == version, f"{name} is {found} here, and {version} is the reference"
    return folder


@pytest.fixture(scope="session")
def ask(packages: Path) -> Ask:
    """Put questions, one JSON text on a line, to a script beside this file; one answer comes back for each."""

    def answers(script: str, questions: Iterable[object]) -> list[Any]:
        lines = [json.dumps(question) for question in questions]
        done = subprocess.run(
            ["node", str(HERE / script)],
            cwd=packages,
            input="\n".join(lines),
            capture_output=True,
            encoding="utf-8",
            timeout=300,
        )
        assert done.returncode == 0, done.stderr[-2000:]
        # split, not splitlines: JavaScript leaves U+2028 as it is, and Python takes it for the end of a line
        found = [json.loads(line) for line in done.stdout.split("\n") if line]
        assert len(found) == len(lines), f"{len(lines)} questions, {len(found)} answers"
        return found

    return answers
