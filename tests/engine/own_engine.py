"""A `dockerd` of the tests' own, and what is on it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from kit.engines.docker import LABEL, connect


class Daemon:
    """A `dockerd` of our own."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.socket = folder, folder / "docker.sock"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it answers; say why if it does not."""
        command = [
            "dockerd", "--data-root", self.folder / "data", "--exec-root", self.folder / "exec",
            "--host", f"unix://{self.socket}", "--pidfile", self.folder / "pid",
        ]  # fmt: skip
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(list(map(str, command)), stdout=log, stderr=log, start_new_session=True)
        for _ in range(600):
            with suppress(Exception):
                connect().close()
                return
            if self.process.poll() is not None:
                break
            time.sleep(0.1)
        pytest.fail("dockerd does not start:\n" + (self.folder / "log").read_text()[-2000:])

    def stop(self) -> None:
        """Stop it in good order."""
        assert self.process is not None
        self.process.terminate()
        self.process.wait(60)

    def cut(self) -> None:
        """Kill it and everything in it, as a power failure does."""
        assert self.process is not None
        pids = [container["State"]["Pid"] for container in self._inspected()]
        self.process.kill()
        self.process.wait(60)
        for process in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                if str(self.folder) in (process / "cmdline").read_text():  # its containerd, shims and proxies
                    pids.append(int(process.name))
        for pid in filter(None, pids):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        (self.folder / "pid").unlink(missing_ok=True)
        self.forget()

    def forget(self) -> None:
        """What a boot does away with: mounts, and the folder that lies in memory on a device."""
        mounts = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
        for mount in reversed([each for each in mounts if each.startswith(f"{self.folder}/")]):
            subprocess.run(["umount", "-l", mount], check=False)
        shutil.rmtree(self.folder / "exec", ignore_errors=True)

    def _inspected(self) -> list[Any]:
        client = connect()
        try:
            return [client.api.inspect_container(each["Id"]) for each in client.api.containers()]
        finally:
            client.close()

    def restart(self, cut: bool = False) -> None:
        """Restart it, in good order or not."""
        (self.cut if cut else self.stop)()
        self.start()


def left(client: Any) -> list[str]:
    """What carries the kit's label: containers, networks and volumes."""
    mine, api = {"label": LABEL}, client.api
    found = [each["Names"][0] for each in api.containers(all=True, filters=mine)]
    found += [each["Name"] for each in api.networks(filters=mine)]
    return found + [each["Name"] for each in api.volumes(filters=mine)["Volumes"] or ()]


def foreign(client: Any) -> list[str]:
    """Everything that is not the kit's, with its state."""
    api = client.api
    found = [f"{each['Id']} {each['State']}" for each in api.containers(all=True) if LABEL not in each["Labels"]]
    found += [each["Name"] for each in api.networks() if LABEL not in (each["Labels"] or {})]
    found += [each["Name"] for each in api.volumes()["Volumes"] or () if LABEL not in (each["Labels"] or {})]
    return sorted(found)
