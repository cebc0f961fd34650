"""How long a plan takes: chains of services in which each waits for the one before.

Every service of a chain is started in its own round, so a plan of n services looks at n services n
times. Printed are milliseconds for 10 to 160 services; 60 must take less than 100 ms, and 160
services less than five times as long as 80.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from kit.planner import Plan, Release, installed, plan

SIZES = (10, 20, 40, 80, 160)
LIMIT_MS, LIMIT_RATIO = 100.0, 5.0


def chain(count: int, commit: str) -> Release:
    """A release of that many services, each of which depends on the one before."""
    names = [f"service-{number:03}" for number in range(count)]
    services = {name: {"dep": names[place - 1 : place] if place else []} for place, name in enumerate(names)}
    return Release(commit, {"services": services})


def measured(count: int) -> float:
    """Milliseconds of CPU time for the plan of an update of a whole chain, the best of five; reading it counts."""
    best = float("inf")
    for _ in range(5):
        before, target = installed(chain(count, "r1")), chain(count, "r2")
        start = time.process_time()
        found: Plan = plan(before, target)
        best = min(best, (time.process_time() - start) * 1_000)
        assert found.settled
        assert len(found.trace) == count + 5  # fetch, lock, kill, remove images, starts, commit
    return best


def main() -> int:
    times = {count: measured(count) for count in (*SIZES, 60)}
    for count in SIZES:
        print(f"{count:>4} services {times[count]:>8.1f} ms")
    ratio = times[160] / times[80]
    print(f"  60 services {times[60]:>8.1f} ms, must be under {LIMIT_MS:.0f}")
    print(f" 160 against 80 {ratio:>6.2f} times, must be under {LIMIT_RATIO:.0f}")
    return 0 if times[60] < LIMIT_MS and ratio < LIMIT_RATIO else 1


if __name__ == "__main__":
    sys.exit(main())
