"""Decisions per second, beside @balena/contrato: `python benchmarks/decide.py [--devices N]`.

Five services with three requirements each, on devices that are all different: type, balenaOS and supervisor
are drawn out of the tables, and kernel and L4T follow. Both sides get the same facts and must give the same answers.
Here a decision comes with its reasons, service by service and clause by clause; contrato says only yes or no.
The best of three rounds counts, on each side, in turns. Each of ours begins with nothing remembered: the first
device is in the count, and so are all answers that later devices share.

contrato is asked twice: with the contracts of the services built once (the faster way, and the ratio that
counts), and with contracts built for each device, as the supervisor does.
"""

from __future__ import annotations

import argparse
import gc
import json
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path

if __name__ == "__main__":  # so that a checkout works without an installed package
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from kit.composition import Composition, Service
from kit.contracts import OPTIONAL, PREFIX, Facts, contract_of, decide
from kit.contracts.reasons import OF_TYPE, clause
from kit.device import Device, families, os_releases

PACKAGE = "@balena/contrato@0.13.0"
WANTED = 20
ROUNDS = 3
ASKED = {
    "camera": {"sw.supervisor": ">=17.4.0", "sw.linux": ">=4.14", "sw.balena-os": ">=2.40"},
    "vision-gpu": {"sw.l4t": ">=32.4.0", "sw.linux": ">5.10.*", "arch.sw": "aarch64", "optional": "1"},
    "vision-cpu": {"sw.balena-os": "^2.80 || >=4", "arch.sw": "aarch64", "sw.supervisor": ">=17 <19", "optional": "1"},
    "nuc-only": {"hw.device-type": "intel-nuc", "sw.linux": "5", "sw.supervisor": ">=14", "optional": "on"},
    "ui": {"sw.supervisor": ">=14", "sw.balena-os": ">=2.12.0", "sw.linux": ">=4.9.0 <7"},
}


def composition() -> Composition:
    """Five services with three requirements each."""

    def labels(asked: dict[str, str]) -> tuple[tuple[str, str], ...]:
        return tuple((OPTIONAL if key == "optional" else PREFIX + key, value) for key, value in asked.items())

    return Composition(services=tuple(Service(name=name, labels=labels(asked)) for name, asked in ASKED.items()))


@cache
def preset(slug: str, release: str) -> Device:
    """A device as it describes itself, without the tables that it was looked up in."""
    return replace(Device.preset(slug, release), sources=(), notes=())


def devices(count: int, seed: int) -> list[Facts]:
    """Facts of different devices: any type, any balenaOS, any supervisor that knows every label (S-71)."""
    random_ = random.Random(seed)
    slugs = list(families())
    releases = [each.version for each in os_releases() if each.supervisor]
    known = {each.supervisor for each in os_releases() if int(each.supervisor.partition(".")[0] or 0) >= 18}
    supervisors = [
        *sorted(known),
        "17.4.0",
        "17.4.1",
        "17.4.2",
        "17.5.0",
        "17.6.2",
        "17.6.3",
        "17.7.1",
        "17.8.2",
        "19.0.5",
    ]
    found: dict[tuple[str, str, str], Facts] = {}
    while len(found) < count:
        key = random_.choice(slugs), random_.choice(releases), random_.choice(supervisors)
        found[key] = replace(preset(*key[:2]), supervisor=key[2]).facts
    return list(found.values())


def as_json(facts: Facts) -> list[dict[str, str]]:
    """The facts as contrato takes them."""
    found = ((type, fact.slug, fact.version) for type in OF_TYPE if (fact := facts.get(type)))
    rows = ({"type": type, "slug": slug, "version": version} for type, slug, version in found)
    return [{key: value for key, value in row.items() if value is not None} for row in rows]


def contract_json(service: Service) -> dict[str, object]:
    """The contract of a service, as it stands in a release."""
    contract = contract_of(service)
    assert contract is not None
    requires: list[object] = []
    for entry in contract.requires:
        atoms = [{"type": each.type, "slug": each.slug, "version": each.version} for each in entry.members]
        plain = [{key: value for key, value in atom.items() if value is not None} for atom in atoms]
        requires.append(plain[0] if entry.members == (entry,) else {"or": plain})
    return {"type": contract.type, "slug": contract.slug, "requires": requires}


def kit(population: list[Facts]) -> float:
    """Our decisions per second, from cold. The sentences of each are read; then it is dropped, as contrato's are."""
    release, told = composition(), 0
    clause.cache_clear()
    gc.collect()
    start = time.perf_counter()
    for facts in population:
        told += len(decide(release, facts).why)
    seconds = time.perf_counter() - start
    assert told >= len(population)
    return len(population) / seconds


@contextmanager
def contrato(release: Composition, population: list[Facts]) -> Iterator[Callable[[str], tuple[float, list[str]]]]:
    """A Node process with contrato: ask it for a round, `once` or `anew`; it gives its rate and its answers."""
    contracts = [contract_json(service) for service in release.services]
    question = {"contracts": contracts, "devices": [as_json(facts) for facts in population]}
    with tempfile.TemporaryDirectory() as folder:
        quiet = ["--no-audit", "--no-fund", "--silent", "--ignore-scripts"]
        subprocess.run(["npm", "install", *quiet, "--prefix", folder, PACKAGE], check=True, capture_output=True)
        command = ["node", str(Path(__file__).with_suffix(".mjs")), f"{folder}/"]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as node:
            assert node.stdin is not None
            assert node.stdout is not None
            stdin, stdout = node.stdin, node.stdout
            print(json.dumps(question), file=stdin, flush=True)

            def ask(kind: str) -> tuple[float, list[str]]:
                print(kind, file=stdin, flush=True)
                answer = json.loads(stdout.readline())
                return answer["rate"], answer["met"]

            yield ask
            stdin.close()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--devices", type=int, default=60_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    population = devices(options.devices, options.seed)
    print(f"{len(population):,} different devices, {len(ASKED)} services with 3 requirements each")
    if shutil.which("npm") is None or shutil.which("node") is None:
        print(f"kit, with reasons   {kit(population):>10,.0f} decisions/s")
        print("Node and npm are not here: nothing to compare with")
        return 2
    release = composition()
    ours = ["".join("01"[each.met] for each in decide(release, facts).services) for facts in population]
    rates, theirs = [], []
    with contrato(release, population) as ask:
        # In turns, so that a busy machine is busy for both. The first round of contrato warms its compiler up.
        for _ in range(ROUNDS):
            rates.append(kit(population))
            theirs.append(ask("once"))
        anew, _ = ask("anew")
    rate, once = max(rates), max(rate for rate, _ in theirs)
    print(f"kit, with reasons                              {rate:>10,.0f} decisions/s")
    print(f"{PACKAGE}, contracts built once   {once:>10,.0f} decisions/s   ratio {rate / once:6.1f}")
    print(f"{PACKAGE}, built for each device  {anew:>10,.0f} decisions/s   ratio {rate / anew:6.1f}")
    different = sum(one != two for one, two in zip(ours, theirs[0][1], strict=True))
    print(f"{different} answers differ; wanted: a ratio of at least {WANTED}")
    return 0 if not different and rate / once >= WANTED else 1


if __name__ == "__main__":
    sys.exit(main())
