"""How long a composition of 50 services takes: `python benchmarks/read.py [--services N]`.

Two measures, each the median of many runs:

* inside a running Python, `kit.check(kit.read(text))`: at most 40 ms, with libyaml's parser when PyYAML has it;
* as whole processes, `kit check FILE` beside `docker-compose config` 1.29.2 (Debian's package `docker-compose`),
  in turns on the same file: at least 2.5 times as fast. Without that program only our side is measured.
  Both are measured as installers leave them, with their bytecode: pip and Debian compile it, uv and a checkout
  do not, so it is compiled here first.

The YAML parsers alone are shown, too: libyaml's, and PyYAML's own, which a browser has. Last come the hostile texts
of `tests/test_reader.py`, 100 kB each: none takes more than 2 s.
"""

from __future__ import annotations

import argparse
import compileall
import gc
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

if __name__ == "__main__":  # so that a checkout works without an installed package
    sys.path[:0] = [str(Path(__file__).resolve().parents[1] / name) for name in ("", "tests")]

from kit.reader import read
from kit.rules import check
from kit.source import parse

HOME = Path(__file__).resolve().parent.parent
MOST_MS = 40.0
MOST_HOSTILE_MS = 2_000.0
TIMES_AS_FAST = 2.5


def composition(services: int) -> str:
    """A composition as people write them, which both programs accept."""
    lines = ['version: "2.4"', "services:"]
    for n in range(services):
        lines += [
            f"  service-{n}:",
            f"    image: registry.example.com/team/service-{n}:1.2.{n}",
            "    restart: unless-stopped",
            "    environment:",
            "      LOG_LEVEL: debug",
            f"      NUMBER: {n}",
            f'      PEER: "http://service-{(n + 1) % services}:8080"',
            "    labels:",
            "      io.balena.features.dbus: '1'",
            "      io.balena.features.requires.sw.supervisor: '>=14'",
            "    ports:",
            f'      - "{8000 + n}:80"',
            f'      - "{9000 + n}:90/udp"',
            "    volumes:",
            f"      - data-{n}:/data",
            "      - shared:/shared:ro",
            "    networks: [front, back]",
            "    healthcheck:",
            "      test: curl -f localhost",
            "      interval: 30s",
            "    command: python -m service --port 80",
        ]
        if n:
            lines += ["    depends_on:", f"      - service-{n - 1}"]
    lines += ["networks:", "  front: {}", "  back: {}", "volumes:", "  shared: {}"]
    lines += [f"  data-{n}: {{}}" for n in range(services)]
    return "\n".join(lines) + "\n"


def median_ms(act: Callable[[], object], rounds: int) -> float:
    """The median time of one call, after one to warm up."""
    act()
    times = []
    for _round in range(rounds):
        gc.collect()
        start = time.perf_counter()
        act()
        times.append(time.perf_counter() - start)
    return statistics.median(times) * 1000


def compile_bytecode() -> None:
    """What pip does at installation, for the packages that `kit check` loads."""
    for name in ("kit", "yaml", "click", "semver"):
        spec = find_spec(name)
        for folder in (spec.submodule_search_locations or ()) if spec else ():
            compileall.compile_dir(folder, quiet=2)


def processes(commands: dict[str, list[str]], rounds: int) -> dict[str, float]:
    """The median time of each command as a whole process, in turns."""
    times: dict[str, list[float]] = {name: [] for name in commands}
    for turn in range(rounds + 1):
        for name, command in commands.items():
            start = time.perf_counter()
            run = subprocess.run(command, capture_output=True, text=True, cwd=HOME)
            if run.returncode:
                raise SystemExit(f"{name} failed:\n{run.stdout}{run.stderr}")
            if turn:  # the first one warms the disk
                times[name].append(time.perf_counter() - start)
    return {name: statistics.median(found) * 1000 for name, found in times.items()}


def main() -> int:
    """Measure, print, and say whether both targets are met."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--services", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=15)
    given = parser.parse_args()
    text = composition(given.services)
    assert read(text).ok
    print(f"{given.services} services, {len(text):,} characters, median of {given.rounds}")
    for name, fast in (("libyaml's parser", True), ("PyYAML's own parser", False)):
        print(f"  {name:32} {median_ms(lambda fast=fast: parse(text, 'c.yml', fast=fast), given.rounds):8.1f} ms")
    inside = median_ms(lambda: check(read(text)), given.rounds)
    print(f"  {'read and check, in process':32} {inside:8.1f} ms   (at most {MOST_MS:.0f})")
    met = inside <= MOST_MS
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "docker-compose.yml"
        path.write_text(text, encoding="utf-8")
        commands = {"kit check": [sys.executable, "-m", "kit", "check", str(path)]}
        other = shutil.which("docker-compose")
        if other:
            commands["docker-compose config"] = [other, "-f", str(path), "config", "-q"]
        compile_bytecode()
        times = processes(commands, max(3, given.rounds // 3))
    for name, found in times.items():
        print(f"  {name + ', whole process':32} {found:8.1f} ms")
    if other:
        ratio = times["docker-compose config"] / times["kit check"]
        print(f"  {ratio:.1f} times as fast (at least {TIMES_AS_FAST})")
        met = met and ratio >= TIMES_AS_FAST
    else:
        print("  docker-compose is not installed: nothing to compare with")
    from test_reader import HOSTILE

    slowest = {name: median_ms(lambda hostile=hostile: check(read(hostile)), 1) for name, hostile in HOSTILE.items()}
    worst = max(slowest, key=lambda name: slowest[name])
    print(f"  {'hostile: ' + worst:32} {slowest[worst]:8.1f} ms   (at most {MOST_HOSTILE_MS:,.0f})")
    return 0 if met and slowest[worst] <= MOST_HOSTILE_MS else 1


if __name__ == "__main__":
    sys.exit(main())
