"""`kit up` of five services from built images, beside `docker-compose up -d` on the same engine in the same run.

Both start as a process, read the same file, find all images built, make a network and start five containers. The best
of seven rounds counts, in turn, so that neither has a quieter machine than the other.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path[0] = str(Path(__file__).parents[1] / "tests" / "engine")  # not here, where this file is called `docker`
ROUNDS = 7


def timed(command: list[str]) -> float:
    began = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True)
    took = time.perf_counter() - began
    assert done.returncode == 0, done.stdout + done.stderr
    return took


def main() -> int:
    from own_engine import Daemon

    from kit.engines.docker import connect, remove_all
    from kit.engines.images import prepare

    if shutil.which("docker-compose") is None:
        print("docker-compose is not here: make system-packages")
        return 2
    folder = Path(tempfile.mkdtemp(prefix="kit-bench-"))
    project, daemon = folder / "five", Daemon(folder)
    os.environ["DOCKER_HOST"] = f"unix://{daemon.socket}"
    try:
        daemon.start()
        client = connect()
        prepare(client.api)
        lines = ["version: '2'", "services:"]
        for number in range(5):
            context = project / f"s{number}"
            context.mkdir(parents=True)
            (context / "Dockerfile").write_text(f"FROM kit/busybox\nENV NUMBER={number}\n")
            lines += [f"  s{number}:", f"    build: ./s{number}"]
        file = project / "docker-compose.yml"
        file.write_text("\n".join(lines) + "\n")
        kit = [sys.executable, "-m", "kit"]
        compose = ["docker-compose", "-f", str(file)]
        commands = {
            "kit up": ([*kit, "up", str(file), "--yes"], [*kit, "down"]),
            "docker-compose up -d": ([*compose, "up", "-d"], [*compose, "down", "-t", "1"]),
        }
        for up, down in commands.values():  # images are built here, and not counted
            timed(up)
            timed(down)
        took: dict[str, list[float]] = {name: [] for name in commands}
        for _ in range(ROUNDS):
            for name, (up, down) in commands.items():
                took[name].append(timed(up))
                timed(down)
        for name, times in took.items():
            print(f"{name:<22} best {min(times):5.2f} s, median {sorted(times)[ROUNDS // 2]:5.2f} s")
        remove_all(client)
        client.close()
        ours, theirs = (min(times) for times in took.values())
        return 0 if ours <= theirs else 1
    finally:
        daemon.stop()
        daemon.forget()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
