"""The bundle for a room without a network: it installs from itself, and its pages ask for nothing."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from notebook_sources import NAMES, ROOT

pytestmark = pytest.mark.binder  # it needs the package index, once


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    into = tmp_path_factory.mktemp("stick") / "bundle"
    command = [sys.executable, ROOT / "notebooks" / "bundle.py", "--into", into]
    subprocess.run(command, check=True, capture_output=True)
    return into


def test_the_kit_installs_from_the_bundle_alone(bundle: Path, tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "kit"], check=True)
    bin_ = tmp_path / "kit" / "bin"
    alone = ["install", "-q", "--no-index", "--find-links", bundle / "wheels", "multicontainer-kit[all]"]
    subprocess.run([bin_ / "pip", *alone], check=True, capture_output=True)
    ran = subprocess.run([bin_ / "kit", "doctor", "--json"], check=False, capture_output=True, text=True, cwd=tmp_path)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert json.loads(ran.stdout)["healthy"]


def test_every_notebook_is_a_page_that_has_run_and_asks_for_nothing(bundle: Path) -> None:
    pages = {path.stem: path.read_text("utf-8") for path in (bundle / "pages").glob("*.html")}
    assert set(pages) == {*NAMES, "index"}
    for name, page in pages.items():
        assert not re.search(r'(?:src|href|import|url)\s*[=(:]?\s*["\']?https?://(?!www\.w3\.org)', page), name
        if name != "index":
            assert "Not tried yet." in page
            assert "Traceback" not in page
            assert f'href="{name}.html"' in pages["index"]


def test_the_bundle_has_no_solution(bundle: Path) -> None:
    assert not [path for path in bundle.rglob("*") if path.suffix in (".ipynb", ".py")]
    assert all("For you." not in path.read_text("utf-8") for path in (bundle / "pages").glob("*.html"))
