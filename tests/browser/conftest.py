"""One JupyterLab and one Chromium for all browser tests."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import jupyterlab_page as lab

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.fixture(scope="session")
def server() -> Iterator[lab.Server]:
    with lab.served() as running:
        yield running


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    pytest.importorskip("playwright", reason="playwright is not installed: pip install playwright")
    with lab.browsing() as chromium:
        yield chromium


@pytest.fixture
def desk(browser: Browser, server: lab.Server) -> Iterator[lab.Desk]:
    with lab.desk(browser, server) as opened:
        yield opened
