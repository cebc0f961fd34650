"""What all tests share: one seed, printed, and no skipping in the full run."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator

import hypothesis
import hypothesis.core
import pytest

collect_ignore_glob = ["fuzz/*", "pyodide/core.py"]  # programs, not modules
SEED = int(os.environ.get("KIT_SEED") or random.SystemRandom().randrange(2**32))
os.environ["KIT_SEED"] = str(SEED)  # tests that run side by side have the same
FULL = os.environ.get("KIT_FULL") == "1"

hypothesis.settings.register_profile("kit", deadline=None, print_blob=True, max_examples=100)
hypothesis.settings.register_profile("deep", deadline=None, print_blob=True, max_examples=2_000)
hypothesis.settings.load_profile(os.environ.get("KIT_HYPOTHESIS", "kit"))


def pytest_configure() -> None:
    hypothesis.core.global_force_seed = SEED


def pytest_report_header() -> str:
    return f"seed: {SEED} (KIT_SEED={SEED} repeats this run)"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Iterator[None]:
    """In the full run a skipped test is a failed test."""
    report = yield
    if FULL and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"nothing may be skipped in the full run: {report.longrepr}"
    return report


@pytest.fixture(scope="session")
def seed() -> int:
    return SEED
