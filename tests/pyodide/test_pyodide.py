"""The core runs in a browser's Python (Pyodide), without a network."""

from __future__ import annotations

import shutil
import subprocess
import sysconfig
from pathlib import Path

import pytest

HERE = Path(__file__).parent
PYODIDE = "314.0.7"  # Python 3.14

pytestmark = pytest.mark.oracle


@pytest.fixture(scope="module")
def pyodide(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pyodide from npm, in a folder of its own."""
    if not shutil.which("npm"):
        pytest.skip("npm is not installed")
    folder = tmp_path_factory.mktemp("pyodide")
    subprocess.run(
        ["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(folder), f"pyodide@{PYODIDE}"],
        check=True,
        timeout=180,
    )
    return folder / "node_modules" / "pyodide"


def test_the_core_reads_decides_explains_and_draws_in_a_browser(pyodide: Path) -> None:
    packages = sysconfig.get_paths()["purelib"]
    run = subprocess.run(
        ["node", str(HERE / "run.mjs"), str(pyodide), packages, str(HERE.parents[1]), str(HERE / "core.py")],
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert run.returncode == 0, run.stderr[-3000:]
    assert "core ok on Python 3.14" in run.stdout
