"""An engine for the tests alone: its own `dockerd`, with its own folder and socket, killed by its pid afterwards.

Two engines on one machine share packet filter rules: where one runs already, `KIT_ENGINE=unix:///path/docker.sock`
tests on that one; then the tests that restart an engine are left out.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from own_engine import Daemon, foreign, left

from kit.engines.docker import connect, remove_all

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker("engine")


@pytest.fixture(scope="session")
def daemon() -> Iterator[Daemon | None]:
    given = os.environ.get("KIT_ENGINE")
    before = os.environ.get("DOCKER_HOST")
    folder = Path(tempfile.mkdtemp(prefix="kit-engine-"))
    one = Daemon(folder)
    os.environ["DOCKER_HOST"] = given or f"unix://{one.socket}"
    try:
        if not given:
            if shutil.which("dockerd") is None:
                pytest.fail("no dockerd here: make system-packages")
            one.start()
        yield None if given else one
    finally:
        if not given and one.process is not None:
            one.stop()
            one.forget()
        shutil.rmtree(folder, ignore_errors=True)
        os.environ.pop("DOCKER_HOST")
        if before is not None:
            os.environ["DOCKER_HOST"] = before


@pytest.fixture
def client(daemon: Daemon | None) -> Iterator[Any]:
    """A client; after every test nothing of the kit is left, and everything else is as it was."""
    one = connect()
    before = foreign(one)
    try:
        yield one
        remove_all(one)
        assert left(one) == []
        for _ in range(200):  # a build that was cut off is tidied up by the engine
            if foreign(one) == before:
                break
            time.sleep(0.1)
        assert foreign(one) == before
    finally:
        one.close()


@pytest.fixture
def restart(daemon: Daemon | None) -> Any:
    """What restarts the engine: only our own may be."""
    if daemon is None:
        pytest.skip("the engine is not ours to restart")
    return daemon.restart
