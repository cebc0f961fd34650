"""How long a graph takes: placing 40 services, and painting 20 whose places are known.

A live lab repaints on each key press; places change only with the structure. Prints the median of many
runs in milliseconds of processor time, so that other work on the machine does not count, and the size
of what is made. Exits with 1 if a limit is passed.

    python benchmarks/graph.py
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable
from statistics import median

from kit.composition import Composition, Service
from kit.contracts import Decision, Fact, Facts, decide
from kit.graphs import Graph, figure, of_composition, place, to_svg, to_table

LABELS = (("io.balena.features.optional", "1"), ("io.balena.features.requires.sw.l4t", ">=36"))
LIMITS = {"place 40 services": 50.0, "decide and paint 20 services": 2.0}


def release(count: int, seed: int) -> Composition:
    """Services of which each waits for up to three of the fifteen before it; every fourth is optional."""
    draw = random.Random(seed)
    services = []
    for number in range(count):
        near = range(max(0, number - 15), number)
        needs = sorted(draw.sample(near, min(len(near), draw.randrange(4))))
        labels = LABELS if number % 4 == 3 else ()
        services.append(
            Service(name=f"service-{number}", depends_on=tuple(f"service-{need}" for need in needs), labels=labels)
        )
    return Composition(services=tuple(services))


def milliseconds(work: Callable[[int], object], runs: int) -> float:
    """The median processor time of one run; *work* is told the number of the run."""
    times = []
    for run in range(runs):
        start = time.process_time()
        work(run)
        times.append((time.process_time() - start) * 1000)
    return median(times)


def main() -> int:
    """Measure, print, compare with the limits."""
    large = [of_composition(release(40, seed)) for seed in range(20)]
    twenty = release(20, 7)
    facts = [Facts(l4t=Fact("l4t", f"{major}.4.0", "benchmark")) for major in (35, 36)]

    def placed(run: int) -> object:
        place.cache_clear()
        return large[run % len(large)].placement()

    def graph(run: int) -> Graph:
        decision: Decision = decide(twenty, facts[run % 2])
        return of_composition(twenty, decision)

    results = {
        "place 40 services": milliseconds(placed, 40),
        "decide and paint 20 services": milliseconds(lambda run: to_svg(graph(run)), 200),
        "the whole card of 20 services": milliseconds(lambda run: figure(graph(run)), 200),
    }
    for name, taken in results.items():
        limit = f"  (limit {LIMITS[name]:g} ms)" if name in LIMITS else ""
        print(f"{name:32} {taken:8.2f} ms{limit}")
    print(f"{'picture of 20 services':32} {len(to_svg(graph(0)).encode()):8,} bytes")
    print(f"{'table of 20 services':32} {len(to_table(graph(0)).encode()):8,} bytes")
    return int(any(results[name] > limit for name, limit in LIMITS.items()))


if __name__ == "__main__":
    sys.exit(main())
