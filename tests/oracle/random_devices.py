"""Devices and releases at random: raw texts that a device gives, and services that ask something of it.

What is asked stays near what the device has, else nearly every answer would be *no*.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

from random_ranges import Texts

PREFIX = "io.balena.features.requires."
OPTIONAL = "io.balena.features.optional"
KERNELS = ("5.15.92-v8", "5.15.136-yocto-standard", "5.10.104-tegra", "6.1.0", "5.16.0-v8", "4.9.140", "6.6.31-rc1")
NO_KERNELS = ("5.15-custom", "v5.15.92", "", "6", "custom-5.15.92", None)
L4T = ("-l4t-r32.2+g3dc", "-l4t-r35.2.1-1012.207+gabc", "-l4t-r36.4", "-l4t-r32.7.4.1", "-l4t-r32.2-l4t-r35.1.0")
NO_L4T = ("-L4T-R32.7.4", "-l4t-r32", "-l4t-rx", "-l4t-r32.2-l4t-r", "-l4tr32.2.0", "-l4t-r.2.3")
OS = ("6.3.0", "6.3.0+rev4", "6.4.0", "6.4.0-rc1", "2024.11", "2.108.1", "5.2.8+rev1", "2024.1.1", "6.3", "")
IDS = ("balena-os",) * 8 + ("resin-os", "ubuntu", "Balena-OS", "", "'balena-os'")
SUPERVISORS = ("19.0.5",) * 6 + ("17.4.0", "17.4.2", "17.4.3-17-draft", "18.0.0+dev", "20.0.0")
OLD = ("10.16.17", "10.16.16", "11.0.9", "14.10.10", "14.10.11", "14.11.0", "16.7.0", "17.3.9", "17.4.0-1")
TYPES = ("raspberrypi4-64", "raspberrypi4", "jetson-nano", "intel-nuc", "RaspberryPi4-64")
ARCHITECTURES = ("aarch64", "armv7hf", "amd64", "i386", "rpi")
ATOMS = ("sw.supervisor", "sw.l4t", "sw.os", "sw.kernel", "hw.device-type", "arch.sw")
SLUGS = {
    "sw.os": IDS,
    "sw.kernel": ("linux",) * 6 + ("Linux", "darwin"),
    "hw.device-type": TYPES,
    "arch.sw": ARCHITECTURES,
}
RANGED = ("sw.supervisor", "sw.l4t", "sw.balena-os", "sw.linux")
UNKNOWN = ("sw.spec", "sw.application", "sw.zzz", "SW.OS", "sw.os ", "")
OPTIONALS = ("1", "true", "on", "ON", "True", "yes", "0", " 1", "", "false", "2")
SHAPES = ("{0}.{1}.{2}", ">={0}.{1}.{2}", ">={0}.{1}", ">={0}", ">{0}.{1}.*", ">{0}", "<{0}.{1}", "<={0}.{1}", "{0}")
SHAPES += ("{0}.{1}", "^{0}.{1}", "~{0}.{1}.{2}", "^{0}", "{0}.{1}.{2}-0", ">={0}.{1}.{2}-0", "<{0} || >={0}.{1}")
SHAPES += (
    ">={0}.{1}.{2}+rev4",
    ">{0}.{1}.{2}+rev4",
    "{0} - {0}.{1}",
    "=={0}",
    "=>{0}",
    ">={0}, <20",
    "*",
    "",
    "latest",
)
BROKEN: tuple[Any, ...] = (
    # contracts that no device reads (S-26 to S-35), and some that only look like it
    5, "text", [], True, {"type": 5}, {"slug": 5}, {"requires": {}}, {"requires": "sw.os"}, {"requires": [5]},
    {"requires": ["sw.os"]}, {"requires": [None]}, {"requires": [{}]}, {"requires": [{"slug": "x"}]},
    {"requires": [{"type": "sw.os", "version": 6}]}, {"requires": [{"type": "sw.os", "slug": 6}]},
    {"requires": [{"type": "sw.os", "data": 6}]}, {"requires": [{"not": [{"type": "sw.os"}]}]},
    {"requires": [{"or": [{"or": []}]}]}, {"requires": [{"or": {"type": "sw.os"}}]}, {"requires": [{"or": [5]}]},
    {"requires": [{"or": None}]}, {}, {"requires": []}, {"requires": None}, {"type": None, "slug": None}, {"other": 1},
)  # fmt: skip


class Fleet:
    """A source of devices and of releases for them."""

    def __init__(self, random: Random) -> None:
        self.random, self.texts = random, Texts(random)

    def some(self, chances: int) -> bool:
        """True so many times in a hundred."""
        return self.random.randrange(100) < chances

    def device(self) -> dict[str, str | None]:
        pick = self.random.choice
        kernel = pick(KERNELS) if self.some(90) else pick(NO_KERNELS)
        if kernel is not None and self.some(50):
            kernel += pick(L4T) if self.some(80) else pick(NO_L4T)
        return {
            "os_release": self.os_release() if self.some(97) else None,
            "uname_r": kernel,
            "uname_s": "Linux" if self.some(95) else pick(("LINUX", "FreeBSD", "linux")),
            "type": pick(TYPES),
            "arch": pick(ARCHITECTURES),
            "supervisor": pick(SUPERVISORS) if self.some(90) else pick(OLD),
        }

    def os_release(self) -> str:
        pick = self.random.choice
        quotes = ('"{}"', "{}", "'{}'", ' "{}" ', '"{}', '"{}" x', '""')
        lines = [
            f"ID={pick(quotes[:2]).format(pick(IDS))}",
            f"VERSION={(pick(quotes[:2]) if self.some(85) else pick(quotes)).format(pick(OS))}",
            "PRETTY_NAME=balenaOS 6.3.0",
            pick(
                ("", "=", "A=b=c", "# VERSION=1.2.3", "VERSION_ID=7", " ID = other", "VERSION=6.3.0=x", "ID", "VERSION")
            ),
        ]
        lines = [line for line in lines if self.some(95)]
        if self.some(20):
            self.random.shuffle(lines)
        return "\n".join(lines)

    def version(self, near: str) -> str:
        """A text for a requirement: a range near a fact, now and then another one, or no range at all."""
        if self.some(8):
            return self.texts.range()
        numbers = [int(part) for part in near.replace("-", ".").replace("+", ".").split(".")[:3] if part.isdigit()]
        numbers = [*numbers, 0, 0, 0][:3]
        if self.some(60):
            place = self.random.randrange(3)
            numbers[place] = max(0, numbers[place] + self.random.choice((-1, 1)))
        return near if self.some(8) else self.random.choice(SHAPES).format(*numbers)

    def labels(self, device: dict[str, str | None]) -> dict[str, str]:
        pick, found = self.random.choice, dict[str, str]()
        near = {
            "sw.supervisor": device["supervisor"],
            "sw.l4t": "35.2.1",
            "sw.balena-os": pick(OS[:6]),
            "sw.linux": (device["uname_r"] or "5.15.92").partition("-")[0],
        }
        for _ in range(pick((0, 1, 1, 2, 2, 3, 4))):
            if self.some(55):
                suffix = pick(RANGED)
                found[PREFIX + suffix] = self.version(near[suffix] or "")
            elif self.some(50):
                found[PREFIX + "hw.device-type"] = str(device["type"] if self.some(60) else pick((*TYPES, "")))
            elif self.some(70):
                wrong = pick((*ARCHITECTURES, "arm64", "", "AMD64"))
                found[PREFIX + "arch.sw"] = str(device["arch"] if self.some(60) else wrong)
            else:
                prefix = pick((PREFIX, PREFIX, "io.resin.features.requires.", "com.example."))
                found[prefix + pick(("sw.os", "sw.kernel", "sw.python", "arch", "sw.l4t ", ""))] = self.version("1.2.3")
        if self.some(40):
            found[OPTIONAL if self.some(90) else "io.resin.features.optional"] = pick(OPTIONALS)
        return found

    def atom(self, device: dict[str, str | None], depth: int = 0) -> dict[str, Any]:
        pick = self.random.choice
        kind = pick(ATOMS)
        found: dict[str, Any] = {"type": kind}
        if kind in SLUGS and self.some(70):
            have = {"hw.device-type": device["type"], "arch.sw": device["arch"]}.get(kind)
            found["slug"] = have if have and self.some(60) else pick(SLUGS[kind])
        elif self.some(8):
            found["slug"] = pick((None, "", kind, "balena-supervisor"))
        if self.some(55 if kind.startswith("sw") else 8):
            near = {"sw.supervisor": device["supervisor"], "sw.l4t": "35.2.1", "sw.os": pick(OS)}.get(kind, "5.15.92")
            found["version"] = self.version(near or "") if self.some(92) else None
        if self.some(4):
            found["data"] = pick(({}, {"a": 1}))
        if depth == 0 and self.some(6):  # removed before matching (S-28), but not from contracts under `children`
            found[pick(("name", "or", "not", "requires"))] = pick(("x", [], [{"type": "sw.zzz"}]))
        return found

    def contract(self, device: dict[str, str | None], depth: int = 0) -> Any:
        pick = self.random.choice
        if depth == 0 and self.some(12):
            return pick(BROKEN)
        entries: list[Any] = []
        for _ in range(pick((0, 1, 1, 1, 2, 3))):
            if self.some(70):
                entries.append(self.atom(device, depth))
            else:
                entries.append({"or": [self.atom(device, depth) for _ in range(pick((0, 1, 2, 2, 3)))]})
        if depth == 0 and self.some(3):
            entries.insert(self.random.randrange(len(entries) + 1), {"type": pick(UNKNOWN)})
        if depth == 0 and self.some(2):
            entries.append({"or": [{"type": pick(ATOMS)}, {"type": pick(UNKNOWN)}]})
        found: dict[str, Any] = {"slug": pick(("x", None, "")) if depth == 0 else f"child-{depth}"}
        if depth or self.some(80):
            found["type"] = pick(("sw.container", "anything"))
        if entries or self.some(50):
            found["requires"] = entries
        if depth == 0 and self.some(5):
            child = self.contract(device, 1)
            found["children"] = {"sw": {"thing": child if self.some(50) else {"child-1": child}}}
        return found

    def service(self, name: str, device: dict[str, str | None]) -> dict[str, Any]:
        found: dict[str, Any] = {"name": name, "labels": self.labels(device)}
        if self.some(25):
            found["contract"] = self.contract(device) if self.some(95) else None
        return found

    def question(self) -> dict[str, Any]:
        device = self.device()
        count = self.random.choice((0, 1, 1, 1, 2, 2, 3, 5))
        return {"device": device, "services": [self.service(f"s{i}", device) for i in range(count)]}


def questions(seed: int, count: int) -> Iterator[dict[str, Any]]:
    """So many devices, each with a release."""
    fleet = Fleet(Random(seed))
    for _ in range(count):
        yield fleet.question()
