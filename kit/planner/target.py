"""What a device is to become: releases made comparable.

A `Release` is a commit and a composition. The planner does not read compositions: it reads `Wanted`
services, volumes and networks in one comparable form (S-87 … S-92), and two forms of writing lead
there: the normal form of a release, and the short form of the conformance cases
(`dep`, `vol`, `nets`, `env`, `networkMode`, `running`, `oneshot`).

>>> release = Release("r1", {"services": {"web": {"restart": "on-failure:3"}}})
>>> release.services[0].image, release.services[0].policy
('web:r1', 'always')
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import KW_ONLY, dataclass, field, fields
from functools import cached_property
from typing import Any, Final, Literal, TypeAlias, get_args

from ..composition import Composition, Service
from ..container import FIELDS, ON_DEVICE, OWNED, STRATEGY, TIMEOUT, container
from ..device.state import Container, Frozen, Network, Pairs, State, Volume, Wanted
from ..diagnostics import beside

Strategy = Literal["download-then-kill", "kill-then-download", "delete-then-download", "hand-over"]
STRATEGIES: Final[tuple[Strategy, ...]] = get_args(Strategy)
TABLES: Final[dict[str, Any]] = beside(__file__)
NAMES: Final = {target: name for name, (_, target, _) in FIELDS.items()} | TABLES["names"]
"""The field behind a part of a container request."""
ELSEWHERE: Final = frozenset(TABLES["elsewhere"])  # parts that are compared elsewhere, or not at all: `cpus` (S-87)
ORDERED: Final = frozenset(TABLES["ordered"])  # lists whose order counts


def frozen(value: object, *, ordered: bool = False) -> Frozen:
    """A plain value as one that can be compared and hashed; lists count without their order (S-87)."""
    if isinstance(value, Mapping):
        return tuple((str(key), frozen(value[key], ordered=key in ORDERED)) for key in sorted(value, key=str))
    if isinstance(value, list | tuple):
        items = tuple(frozen(item) for item in value)
        return items if ordered else tuple(sorted(items, key=repr))
    return value if isinstance(value, str | int | float | None) else str(value)


def mapping(value: object) -> Mapping[str, Any]:
    """A mapping as it is, a list of texts as names without values, else nothing."""
    if isinstance(value, Mapping):
        return value
    return dict.fromkeys(map(str, value)) if isinstance(value, list | tuple) else {}


def configured(body: Mapping[str, object]) -> tuple[tuple[str, Frozen], ...]:
    """What counts when two volumes or two networks are compared: what is written and is not the default (S-115)."""
    plain: tuple[object, ...] = (None, "", [], {}, False, "local", "bridge")
    labels = {key: value for key, value in mapping(body.get("labels")).items() if key not in OWNED}
    written = sorted({**body, "labels": labels}.items())
    return tuple((key, frozen(value)) for key, value in written if value not in plain)


def wanted(
    app: int, commit: str, name: str, written: Mapping[str, Any], image: str, declared: Mapping[str, Any]
) -> Wanted:
    """One service of a release as the device wants it; *declared* is what the image says of itself (S-91)."""
    form = {TABLES["short"].get(key, key): value for key, value in written.items()}
    request = container(form, name=name, image=declared).body
    host = request["HostConfig"]
    networks = mapping(form.get("networks"))
    mode = form.get("network_mode") or next(iter(networks), "default")
    if mode not in ON_DEVICE and not mode.startswith("service:") and mode not in networks:
        networks = {**networks, mode: None}  # any other word is a network of the app (C-105)
    mounts = [text.partition(":")[0] for text in mapping(form.get("volumes")) if ":" in text]
    shared = [mode.removeprefix("service:").strip()] if mode.startswith("service:") else []
    ports = {f"{each['HostPort']}/{port.partition('/')[2]}" for port, to in host["PortBindings"].items() for each in to}
    variables = {**dict(text.split("=", 1) for text in declared.get("Env", ())), **mapping(form.get("environment"))}
    config = {NAMES.get(key, key): (key, value) for key, value in (request | host).items() if key not in ELSEWHERE}
    return Wanted(
        app=app, name=name, commit=commit, image=image or form.get("image") or f"{name}:{commit}", form=form,
        config=tuple((key, frozen(value, ordered=of in ORDERED)) for key, (of, value) in sorted(config.items())),
        environment=tuple(sorted((key, str(value or "")) for key, value in variables.items())),
        labels=tuple(sorted((key, value) for key, value in request["Labels"].items() if key not in OWNED)),
        networks=tuple((key, place(body)) for key, body in networks.items()), network_mode=mode,
        volumes=tuple(dict.fromkeys(mounts)), ports=tuple(sorted(ports)), policy=host["RestartPolicy"]["Name"],
        depends_on=tuple(dict.fromkeys([*mapping(form.get("depends_on")), *shared])),
        running=form.get("running") is not False, oneshot=form.get("oneshot"), grace=request["StopTimeout"],
    )  # fmt: skip


def place(body: object) -> tuple[str, ...]:
    """What a service asks of a network: its aliases and addresses there (S-89)."""
    asked = mapping(body)
    addresses = [f"{key} {asked[key]}" for key in ("ipv4_address", "ipv6_address") if asked.get(key)]
    return (*(f"alias {alias}" for alias in asked.get("aliases", ())), *addresses)


def form_of(composition: Composition) -> Mapping[str, object]:
    """A composition made by hand, in the keys of a normal form."""

    def body(one: Any) -> dict[str, object]:
        written = {each.name: getattr(one, each.name) for each in fields(one) if each.name != "name"}
        listed = {key: [str(each) for each in value] for key, value in written.items() if isinstance(value, tuple)}
        pairs = {key: dict(written[key]) for key in ("environment", "labels", "ulimits") if key in written}
        return {key: value for key, value in (written | listed | pairs).items() if value}

    kinds = ("services", "volumes", "networks")
    return {kind: {one.name: body(one) for one in getattr(composition, kind)} for kind in kinds}


@dataclass(frozen=True, kw_only=True)
class AppTarget:
    """One app of a target: what the planner compares with the device."""

    app: int = 1
    commit: str
    fleet: str = "fleet"
    services: tuple[Wanted, ...] = ()
    volumes: tuple[Volume, ...] = ()
    networks: tuple[Network, ...] = ()
    rejected: bool = False
    dropped: tuple[str, ...] = ()


@dataclass(frozen=True)
class Release:
    """A commit and a composition, for one app (fleet) of the device.

    A service without an image gets `<service>:<commit>`. With `after`, a service whose `build` is
    written as in that release keeps that release's image: the builder's cache gives the same digest.
    `declared` holds the configuration of images (`Labels`, `Env`, `Cmd` …), which counts under what
    the composition says (S-91). A dropped service is left out (S-56), a rejected release is
    not touched (S-59).
    """

    commit: str
    composition: Composition | Mapping[str, object]
    _: KW_ONLY
    app: int = 1
    fleet: str = "fleet"
    rejected: bool = False
    dropped: tuple[str, ...] = ()
    contracts: Mapping[str, object] = field(default_factory=dict, compare=False)
    after: Release | None = field(default=None, compare=False)
    declared: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, compare=False)

    @cached_property
    def form(self) -> Mapping[str, object]:
        """The composition in the keys of a normal form."""
        return form_of(self.composition) if isinstance(self.composition, Composition) else self.composition

    def _part(self, name: str) -> Mapping[str, Mapping[str, object]]:
        return {key: mapping(value) for key, value in mapping(self.form.get(name)).items()}

    @cached_property
    def composed(self) -> Composition:
        """The composition, for the decision; of a plain form only names and labels are kept."""
        if isinstance(self.composition, Composition):
            return self.composition
        named = ((name, mapping(body.get("labels"))) for name, body in self._part("services").items())
        raw = ((name, tuple((key, str(value)) for key, value in labels.items())) for name, labels in named)
        return Composition(services=tuple(Service(name=name, labels=pairs) for name, pairs in raw))

    def _image(self, name: str, body: Mapping[str, object]) -> str:
        before = self.after._part("services").get(name, {}) if self.after else {}
        if self.after and body.get("build") and body["build"] == before.get("build"):
            return next((each.image for each in self.after.target.services if each.name == name), "")
        return ""

    @cached_property
    def target(self) -> AppTarget:
        """What the planner compares with the device. A `default` network always belongs to it (S-58)."""
        services = tuple(
            wanted(self.app, self.commit, name, body, self._image(name, body), self.declared.get(name, {}))
            for name, body in self._part("services").items()
            if name not in self.dropped
        )
        networks = self._part("networks")
        if not configured(networks.get("default", {})):  # also where a normal form has it without being asked
            networks = {**networks, "default": {"config_only": all(each.network_mode == "host" for each in services)}}
        return AppTarget(
            app=self.app, commit=self.commit, fleet=self.fleet, rejected=self.rejected, dropped=self.dropped,
            services=services,
            volumes=tuple(Volume(self.app, name, configured(body)) for name, body in self._part("volumes").items()),
            networks=tuple(Network(self.app, name, configured(body)) for name, body in networks.items()),
        )  # fmt: skip

    @property
    def services(self) -> tuple[Wanted, ...]:
        """The services as the device wants them."""
        return self.target.services


@dataclass(frozen=True)
class Target:
    """All apps that the device should have, and what is kept when one is uninstalled."""

    apps: tuple[AppTarget, ...] = ()
    keep_images: bool = False
    keep_volumes: bool = False

    @staticmethod
    def of(given: Given) -> Target:
        """A target from one release or from several.

        >>> [app.commit for app in Target.of(Release("r1", {})).apps]
        ['r1']
        """
        if isinstance(given, Target):
            return given
        several = (given,) if isinstance(given, Release | AppTarget) else tuple(given)
        return Target(tuple(each.target if isinstance(each, Release) else each for each in several))


Given: TypeAlias = Release | AppTarget | Target | Iterable[Release | AppTarget]


def strategy_of(service: Wanted) -> Strategy:
    """The update strategy of a service; any other word is `download-then-kill` (S-102).

    >>> strategy_of(Wanted(app=1, name="web", commit="a", image="i", labels=((STRATEGY, "handover"),)))
    'download-then-kill'
    """
    return next((each for each in STRATEGIES if each == service.label(STRATEGY)), "download-then-kill")


def handover_timeout(service: Wanted) -> int:
    """Milliseconds that a hand-over waits: the label if it is a positive integer, else 60000 (S-108)."""
    text = service.label(TIMEOUT)
    return int(text) if text.isdecimal() and text.isascii() and int(text) > 0 else 60_000


def injected(state: State, fleet: str) -> Pairs:
    """The variables that the device adds to every container of a fleet (S-90)."""
    return (*state.injected, ("APP_NAME", fleet))


def changed_keys(old: Iterable[tuple[str, object]], new: Iterable[tuple[str, object]]) -> list[str]:
    """The keys under which two sets of pairs differ."""
    if old == new:
        return []
    before, after = dict(old), dict(new)
    return [key for key in sorted({*before, *after}) if before.get(key, ...) != after.get(key, ...)]


def differences(container: Container, service: Wanted, added: Pairs, ids: Mapping[str, int]) -> tuple[str, ...]:
    """What makes a container differ from a wanted service, as names of fields (S-87 … S-90).

    Not compared: run state, commit, `cpus`, `depends_on`, and networks that only the container has.
    """
    has, found = container.wanted, list[str]()
    if has is not service:
        found = [word for word, name in TABLES["whole"].items() if getattr(has, name) != getattr(service, name)]
        for word, name in TABLES["keyed"].items():
            found += [f"{word}{key}" for key in changed_keys(getattr(has, name), getattr(service, name))]
        there = dict(has.networks)
        found += [f"network {name}" for name, asked in service.networks if not {*asked} <= {*there.get(name, ("",))}]
    if service.host:  # then the host's container counts, not the name (S-121)
        found = [name for name in found if name != "hostname"]
        found += [f"container of {service.host}"] if container.joined != ids.get(service.host) else []
    return (*dict.fromkeys(found), *(f"injected {key}" for key in changed_keys(container.injected, added)))
