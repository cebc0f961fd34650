"""What a release says, as plain values.

A `Composition` is what is left once short forms are long and names are resolved. Values made by
hand equal values that were read: positions live beside them, in `kit.reader.Reading`.
"""

from __future__ import annotations

from dataclasses import dataclass

Pairs = tuple[tuple[str, str], ...]
"""A mapping of texts that can be hashed, in the order of the file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """How an image is built: a folder with a Dockerfile (C-72)."""

    context: str = "."
    dockerfile: str = "Dockerfile"
    args: Pairs = ()
    target: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Port:
    """One published port, or a range of them as text (C-49). `published` is empty for a bare port."""

    target: str
    published: str = ""
    protocol: str = "tcp"
    address: str = ""

    def __str__(self) -> str:
        front = "".join(f"{part}:" for part in (self.address, self.published) if part)
        return f"{front}{self.target}{'' if self.protocol == 'tcp' else '/' + self.protocol}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mount:
    """A named volume inside a container (C-51)."""

    volume: str
    target: str
    read_only: bool = False

    def __str__(self) -> str:
        return f"{self.volume}:{self.target}{':ro' if self.read_only else ''}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One service, as the release says it. Empty text and empty tuples mean "not written".

    `newer` are the fields for which the parser asks the device for `sw.spec` (C-46); no supervisor can answer.
    """

    name: str
    image: str = ""
    build: Build | None = None
    command: tuple[str, ...] | None = None
    environment: Pairs = ()
    labels: Pairs = ()
    depends_on: tuple[str, ...] = ()
    ports: tuple[Port, ...] = ()
    expose: tuple[str, ...] = ()
    restart: str = ""
    privileged: bool = False
    cap_add: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()
    network_mode: str = ""
    networks: tuple[str, ...] = ()
    volumes: tuple[Mount, ...] = ()
    ulimits: Pairs = ()
    newer: tuple[str, ...] = ()

    def label(self, key: str) -> str | None:
        """The value of one label, or None.

        >>> Service(name="web", labels=(("a", "1"),)).label("a")
        '1'
        """
        return dict(self.labels).get(key)


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """A network of the release."""

    name: str
    labels: Pairs = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume:
    """A named volume of the release. On the device it is called `<app id>_<name>` (C-104)."""

    name: str
    labels: Pairs = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Composition:
    """A whole release: services, networks and volumes, each in the order of the file."""

    services: tuple[Service, ...] = ()
    networks: tuple[Network, ...] = ()
    volumes: tuple[Volume, ...] = ()

    def service(self, name: str) -> Service | None:
        """The service of that name, or None."""
        return next((service for service in self.services if service.name == name), None)
