"""How long `import kit` takes, beside a bare interpreter. Prints medians of whole processes.

usage: python benchmarks/front_door.py [RUNS]
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

PROGRAMS = {
    "bare interpreter": "pass",
    "import kit": "import kit",
    "kit.valid_range": "import kit; kit.valid_range('>5.15.*')",
    "kit.read": "import kit; kit.read('services: {web: {image: nginx}}')",
    "kit.decide": (
        "import kit; r = kit.read('services: {web: {image: nginx}}'); "
        "kit.decide(r.composition, kit.Device('raspberrypi4-64', 'aarch64', '19.0.5').facts)"
    ),
}


def main(runs: int) -> None:
    """Interleaved runs, so that a busy machine disturbs all alike."""
    spent: dict[str, list[float]] = {name: [] for name in PROGRAMS}
    for _ in range(runs):
        for name, program in PROGRAMS.items():
            begun = time.perf_counter()
            subprocess.run([sys.executable, "-c", program], check=True)
            spent[name].append((time.perf_counter() - begun) * 1000)
    bare = statistics.median(spent["bare interpreter"])
    for name, times in spent.items():
        middle = statistics.median(times)
        print(f"{name:<18} {middle:7.1f} ms  {middle - bare:+7.1f} ms  (limit for `import kit`: +150 ms)")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 15)
