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

import re
from collections.abc import Iterable, Mapping
from dataclasses import KW_ONLY, dataclass, field, fields
from functools import cached_property
from typing import Final, Literal, TypeAlias

from ..composition import Composition, Service
from ..device.state import POLICIES, Container, Frozen, Network, Pairs, Policy, State, Volume, Wanted

Strategy = Literal["download-then-kill", "kill-then-download", "delete-then-download", "hand-over"]
STRATEGIES: Final[tuple[Strategy, ...]] = (
    *("download-then-kill", "kill-then-download", "delete-then-download", "hand-over"),
)
STRATEGY: Final = "io.balena.update.strategy"
HANDOVER_TIMEOUT: Final = "io.balena.update.handover-timeout"
SHORT: Final = {  # how the conformance cases write some fields
    "dep": "depends_on",
    "vol": "volumes",
    "nets": "networks",
    "env": "environment",
    "networkMode": "network_mode",
}
COMPARED: Final = (  # fields of a container that the device keeps and compares (C-100, S-87); `cpus` is not
    *("cap_add", "cap_drop", "command", "cgroup_parent", "devices", "dns", "dns_opt", "dns_search", "tmpfs"),
    *("entrypoint", "extra_hosts", "group_add", "healthcheck", "init", "pid", "pids_limit", "ports", "security_opt"),
    *("stop_grace_period", "stop_signal", "storage_opt", "sysctls", "ulimits", "userns_mode", "volumes"),
    *("cpu_shares", "cpu_quota", "cpuset", "domainname", "hostname", "ipc", "mac_address", "mem_limit"),
    *("mem_reservation", "oom_kill_disable", "oom_score_adj", "privileged", "read_only", "shm_size", "user"),
    *("working_dir", "tty"),
)
DEFAULTS: Final[dict[str, tuple[object, ...]]] = {  # what need not be written (C-101)
    "tty": (True,),
    "ipc": ("shareable",),
    "driver": ("local", "bridge"),
    **dict.fromkeys(
        ("privileged", "read_only", "oom_kill_disable", "internal", "config_only", "enable_ipv6"), (False,)
    ),
}
ORDERED: Final = ("command", "entrypoint", "dns", "dns_search", "test")  # lists whose order counts
ITS_OWN: Final = ("host", "none", "bridge")  # network modes that join no network of the app


def frozen(value: object, *, ordered: bool = False) -> Frozen:
    """A plain value as one that can be compared and hashed; lists count without their order (S-87)."""
    if isinstance(value, Mapping):
        return tuple((str(key), frozen(value[key], ordered=key in ORDERED)) for key in sorted(value, key=str))
    if isinstance(value, list | tuple):
        items = tuple(frozen(item) for item in value)
        return items if ordered else tuple(sorted(items, key=repr))
    return value if isinstance(value, str | int | float | None) else str(value)


def mapping(value: object) -> Mapping[str, object]:
    """A mapping as it is, pairs as a mapping, a list of texts as names without values, else nothing."""
    if isinstance(value, Mapping):
        return value
    items = value if isinstance(value, list | tuple) else ()
    return dict(each if isinstance(each, tuple) else (str(each), None) for each in items)


def compared(body: Mapping[str, object]) -> tuple[tuple[str, Frozen], ...]:
    """What counts when two configurations are compared: what is written and is not the default."""
    given = {**body, "labels": dict(labels_of(body.get("labels")))}
    empty: tuple[object, ...] = (None, "", [], {}, ())
    kept = {key: given[key] for key in sorted(given) if given[key] not in (*empty, *DEFAULTS.get(key, ()))}
    return tuple((key, frozen(value, ordered=key in ORDERED)) for key, value in kept.items())


def policy_of(written: object) -> Policy:
    """The restart policy that the device makes of a text: four words, and `always` for anything else (S-125).

    >>> [policy_of(text) for text in ("No", " on-failure ", "on-failure:3", None)]
    ['no', 'on-failure', 'always', 'always']
    """
    word = written.strip().lower() if isinstance(written, str) else ""
    return next((policy for policy in POLICIES if policy == word), "always")


def labels_of(written: object) -> Pairs:
    """Labels as the device keeps them: `io.resin.` is rewritten, and the modern spelling wins (S-92)."""
    labels = {str(key): "" if value is None else str(value) for key, value in mapping(written).items()}
    modern = {key.replace("resin", "balena") if key.startswith("io.resin.") else key: labels[key] for key in labels}
    return tuple(sorted({**modern, **{key: labels[key] for key in labels if key in modern}}.items()))


def host_ports(written: object) -> tuple[str, ...]:
    """The ports of the host that a list of short ports takes; a bare port takes its own number (C-50).

    >>> host_ports(["80", "127.0.0.1:8080:80/udp", "5000-5001:6000-6001"])
    ('80/tcp', '8080/udp', '5000/tcp', '5001/tcp')
    """
    found = []
    for port in written if isinstance(written, list | tuple) else ():
        body, _, protocol = str(port).partition("/")
        parts = body.rsplit(":", 2)
        low, _, high = parts[max(len(parts) - 2, 0)].partition("-")
        if low.isdecimal() and (not high or high.isdecimal()):
            found += [f"{number}/{protocol or 'tcp'}" for number in range(int(low), int(high or low) + 1)]
    return tuple(found)


def grace_of(written: object) -> int:
    """Whole seconds of a stop grace period in normal form (C-107); 10 when absent.

    >>> grace_of("1m30s"), grace_of("500ms"), grace_of(None)
    (90, 0, 10)
    """
    seconds = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
    parts = re.findall(r"([0-9.]+)(h|ms|m|s)", str(written or "10s"))
    return int(sum(float(number) * seconds[unit] for number, unit in parts))


def place(body: object) -> tuple[str, ...]:
    """What a service asks of a network: its aliases and addresses there (S-89)."""
    asked = mapping(body)
    addresses = [f"{key} {asked[key]}" for key in ("ipv4_address", "ipv6_address") if asked.get(key)]
    return (*(f"alias {alias}" for alias in mapping(asked.get("aliases"))), *addresses)


def wanted(app: int, commit: str, name: str, written: Mapping[str, object], image: str = "") -> Wanted:
    """One service of a release as the device wants it."""
    form = {SHORT.get(key, key): value for key, value in written.items()}
    networks, mode = mapping(form.get("networks")), str(form.get("network_mode") or "")
    mode = mode or next(iter(networks), "default")
    if mode not in ITS_OWN and not mode.startswith("service:") and mode not in networks:
        networks = {**networks, mode: None}  # any other word is a network of the app (C-105)
    mounts = [text.partition(":")[0] for text in mapping(form.get("volumes")) if ":" in text]
    shared = [mode.removeprefix("service:").strip()] if mode.startswith("service:") else []
    oneshot = form.get("oneshot")
    return Wanted(
        app=app,
        name=name,
        commit=commit,
        image=str(image or form.get("image") or f"{name}:{commit}"),
        config=compared({key: form.get(key) for key in COMPARED}),
        environment=tuple(sorted((key, str(value or "")) for key, value in mapping(form.get("environment")).items())),
        labels=labels_of(form.get("labels")),
        policy=policy_of(form.get("restart")),
        network_mode=mode,
        networks=tuple((key, place(body)) for key, body in networks.items()),
        volumes=tuple(dict.fromkeys(mounts)),
        ports=host_ports(form.get("ports")),
        depends_on=tuple(dict.fromkeys([*mapping(form.get("depends_on")), *shared])),
        running=form.get("running") is not False,
        oneshot=oneshot if isinstance(oneshot, int) else None,
        grace=grace_of(form.get("stop_grace_period")),
    )


def form_of(composition: Composition) -> Mapping[str, object]:
    """A composition made by hand, in the keys of a normal form."""
    services = {one.name: {each.name: getattr(one, each.name) for each in fields(one)} for one in composition.services}
    volumes = {one.name: {"labels": one.labels} for one in composition.volumes}
    networks = {one.name: {"labels": one.labels} for one in composition.networks}
    return {"services": services, "volumes": volumes, "networks": networks}


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
    `declared` says what images declare themselves (labels, environment, command …): it counts under
    what the composition says (S-91). A dropped service is left out (S-56), a rejected release is
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
    declared: Mapping[str, Mapping[str, object]] = field(default_factory=dict, compare=False)

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
        before = self.after._part("services").get(name) if self.after else None
        if self.after and before and body.get("build") and body.get("build") == before.get("build"):
            return next((each.image for each in self.after.target.services if each.name == name), "")
        return ""

    def _declared(self, name: str, body: Mapping[str, object]) -> Mapping[str, object]:
        under = self.declared.get(name, {})
        both = {key: {**mapping(under.get(key)), **mapping(body.get(key))} for key in ("labels", "environment")}
        return {**under, **{key: value for key, value in body.items() if value is not None}, **both} if under else body

    @cached_property
    def target(self) -> AppTarget:
        """What the planner compares with the device. A `default` network always belongs to it (S-58)."""
        services = tuple(
            wanted(self.app, self.commit, name, self._declared(name, body), self._image(name, body))
            for name, body in self._part("services").items()
            if name not in self.dropped
        )
        networks = self._part("networks")
        if "default" not in networks:
            all_host = all(each.network_mode == "host" for each in services)
            networks = {**networks, "default": {"config_only": all_host}}
        return AppTarget(
            app=self.app,
            commit=self.commit,
            fleet=self.fleet,
            services=services,
            volumes=tuple(Volume(self.app, name, compared(body)) for name, body in self._part("volumes").items()),
            networks=tuple(Network(self.app, name, compared(body)) for name, body in networks.items()),
            rejected=self.rejected,
            dropped=self.dropped,
        )

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
    text = service.label(HANDOVER_TIMEOUT)
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
        words = (("image", "image"), ("restart", "policy"), ("network_mode", "network_mode"))
        found = [word for word, name in words if getattr(has, name) != getattr(service, name)]
        parts = (("", has.config, service.config), ("label ", has.labels, service.labels))
        for word, old, new in (*parts, ("environment ", has.environment, service.environment)):
            found += [f"{word}{key}" for key in changed_keys(old, new)]
        there = dict(has.networks)
        found += [f"network {name}" for name, asked in service.networks if not {*asked} <= {*there.get(name, ("",))}]
    if service.network_mode.startswith("service:"):  # then the host's container counts, not the name (S-121)
        host = service.network_mode.removeprefix("service:").strip()
        found = [name for name in found if name != "hostname"]
        found += [f"container of {host}"] if container.joined != ids.get(host) else []
    return (*dict.fromkeys(found), *(f"injected {key}" for key in changed_keys(container.injected, added)))
