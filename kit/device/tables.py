"""The tables in `data/`: device types, balenaOS releases, and the kernels that families of devices run with them."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple


class DeviceType(NamedTuple):
    """A row of `device_types.csv`."""

    slug: str
    name: str
    arch: str
    family: str
    l4t: bool
    state: str
    aliases: tuple[str, ...]


class OsRelease(NamedTuple):
    """A row of `os_releases.csv`: a balenaOS release and the supervisor that it carries."""

    version: str
    supervisor: str
    date: str


class KernelRow(NamedTuple):
    """A row of `kernels.csv`: what a family of devices runs from a balenaOS release on."""

    family: str
    version: str
    date: str
    kernel: str
    l4t_bsp: str
    l4t: str
    release: str  # how `uname -r` begins
    supervisor: str


def data_folder() -> Path:
    """Where the tables and examples lie: inside the package when it is installed, else beside it."""
    inside = Path(__file__).parent.parent / "data"
    return inside if inside.is_dir() else inside.parent.parent / "data"


def _rows(name: str) -> list[list[Any]]:
    with (data_folder() / name).open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))[1:]


@lru_cache(maxsize=1)
def device_types() -> tuple[DeviceType, ...]:
    """Every device type that is known, by slug."""
    rows = _rows("device_types.csv")
    return tuple(DeviceType(*row)._replace(l4t=row[4] == "yes", aliases=tuple(row[6].split())) for row in rows)


@lru_cache(maxsize=1)
def os_releases() -> tuple[OsRelease, ...]:
    """Every balenaOS release that is known, the newest first. Extended-support releases are in `kernel_rows`."""
    return tuple(OsRelease(*row) for row in _rows("os_releases.csv"))


@lru_cache(maxsize=1)
def kernel_rows() -> tuple[KernelRow, ...]:
    """From which release on a family of devices runs which kernel."""
    return tuple(KernelRow(*row) for row in _rows("kernels.csv"))


@lru_cache(maxsize=1)
def families() -> Mapping[str, tuple[str, ...]]:
    """The families of `kernels.csv` that a device type belongs to, by slug."""
    rows = _rows("families.csv")
    return {slug: tuple(family for other, family in rows if other == slug) for slug, _ in rows}


@lru_cache(maxsize=256)
def find_device_type(name: str) -> DeviceType | None:
    """The device type of that slug, or else the one with that alias."""
    found = [each for each in device_types() if name == each.slug or name in each.aliases]
    return min(found, key=lambda each: name != each.slug, default=None)


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else 0


@lru_cache(maxsize=4096)
def order_of(version: str) -> tuple[bool, int, int, int, bool, tuple[tuple[int, str], ...]]:
    """What sorts balenaOS versions: the line first (extended support or not), then the numbers; `+rev` never does."""
    plain, _, prerelease = version.partition("+")[0].partition("-")
    major, minor, patch = [*map(_number, plain.split(".")), 0, 0, 0][:3]
    names = tuple((_number(name), name) for name in re.findall(r"[0-9]+|[^0-9.]+", prerelease))
    return major >= 2019, major, minor, patch, not prerelease, names


@lru_cache(maxsize=256)
def kernel_history(slug: str) -> tuple[KernelRow, ...]:
    """The kernel rows of a device type, oldest first, in both lines."""
    mine = [row for row in kernel_rows() if row.family in families().get(slug, ())]
    return tuple(sorted(mine, key=lambda row: (order_of(row.version), row.date)))


@lru_cache(maxsize=1)
def supervisors() -> Mapping[str, str]:
    return {release.version: release.supervisor for release in os_releases()}
