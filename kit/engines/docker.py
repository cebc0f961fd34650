"""The same device on a real engine: `Docker` does what `Simulated` only computes.

Theory of operation
-------------------
The engine has no memory of its own: every container, volume, network and image that the kit makes
carries the kit's label, and the service as a target wanted it. `observe` rebuilds the state from
these, so another process sees the same device. What only a supervisor knows (its lock, the recorded
commit, what it injects) stays in the process, and changes as in the simulated device.

Stopping is asynchronous here too (S-75): `kill` sends the stop signal to one container after the
other, and the end of the round waits for all of them and deletes what was to be deleted.

What differs from a device: limits by default, lock files lie in a volume of the kit, and what opens
this machine is made only if it was allowed by name.

Our exceptions:

* NoEngine(RuntimeError)    there is no engine to use; `help` says what to do
* NotHere(EngineError)      an event cannot be made to happen on this engine
"""

from __future__ import annotations

import io
import json
import os
import re
import signal
import socket
import tarfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Final, NamedTuple
from uuid import uuid4

from ..container import FEATURES, Place, container
from ..contracts import Facts
from ..device import steps as do
from ..device.state import Container, Image, Network, State, Status, Trouble, Volume, Wanted, Why
from ..planner import AppTarget, Release
from . import base as on
from . import images
from .base import EngineError
from .images import LABEL, NoImage, Tell, archive, quiet
from .simulated import Simulated

TABLES: Final[dict[str, Any]] = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))
ALLOW: Final[dict[str, str]] = TABLES["allow"]  # what `--allow` takes, and what each of them opens
OLDEST: Final = (1, 40)  # of Docker 19.03
STATUS: Final[dict[str, Status]] = {"created": "Installed", "exited": "exited", "dead": "Dead"}  # all others run
LONGEST: Final = 20_000  # milliseconds that an event may take
PATIENCE: Final = 20.0  # seconds for the engine to do what it was asked for
LOCK: Final = "/tmp/balena"  # noqa: S108 (a path in the container)
LOCK_FILES: Final = ("updates.lock", "resin-updates.lock")
DONE: Final = ("handover-complete", "resin-kill-me")
WRITES: Final = "kit-writes"  # the file that `writes` appends to
NOBODY: Final = 65534  # a lock file of this user counts as the supervisor's own (S-110)


class NoEngine(RuntimeError):  # noqa: N818 (a sentence, not a fault)
    """There is no engine to use: a sentence, and in `help` what to do."""

    def __init__(self, reason: str, where: str = "") -> None:
        sentence, self.help = TABLES["silent"].get(reason, TABLES["silent"]["OSError"])
        super().__init__(sentence.format(where))


class NotHere(EngineError):  # noqa: N818
    """An event cannot be made to happen on this engine."""

    def __init__(self, reason: str, service: str = "", **words: object) -> None:
        sentence = TABLES["unable"][reason].format(service=service, **words)
        super().__init__(do.Noop(service=service), Trouble(0, service, sentence, Why(reason, (), sentence)))
        self.args = (sentence,)


def connect(patience: float = 60) -> Any:
    """A client of the engine on this machine. Raises NoEngine with one clear sentence."""
    try:
        import docker
    except ModuleNotFoundError:
        raise NoEngine("client") from None
    where = os.environ.get("DOCKER_HOST") or docker.ContextAPI.get_current_context().Host or ""
    if not where.startswith(("unix://", "npipe://")):
        raise NoEngine("remote", where)
    path = where.removeprefix("unix://")
    if path != where:
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(min(patience, 2))
            try:
                line.connect(path)
            except OSError as error:
                raise NoEngine(type(error).__name__, path) from error
    client = docker.DockerClient(base_url=where, version=".".join(map(str, OLDEST)), timeout=patience)  # type: ignore[arg-type]
    try:
        about = client.version()
    except foreign_errors() as error:
        client.close()
        raise NoEngine("old" if "too new" in str(error) else "OSError", path) from error
    parts = {part.get("Name", "") for part in about.get("Components") or ()}
    if any("Podman" in part for part in parts):
        client.close()
        raise NoEngine("Podman", path)
    return client


def foreign_errors() -> tuple[type[Exception], ...]:
    """What the Docker client raises."""
    from docker.errors import DockerException
    from requests.exceptions import RequestException

    return DockerException, RequestException


def reason_of(error: Exception) -> str:
    """What the engine says, without the path that the error took."""
    text = str(getattr(error, "explanation", None) or error)
    return re.sub(r".*(?:container process|external connectivity on endpoint \S+): ", "", text).removesuffix(
        ": unknown"
    )


def needs(body: Mapping[str, Any], wanted: Wanted) -> dict[str, list[str]]:
    """What a container request opens of this machine: the word for `--allow`, and the things themselves."""
    host = body["HostConfig"]
    features = [key for key, value in wanted.labels if key.startswith(FEATURES) and wanted.on(key)]
    binds = [text for text in host["Binds"] if text.startswith("/")]
    binds += [mount["Source"] for mount in host["Mounts"]]
    unusual = [each for each in host["CapAdd"] if each.upper().removeprefix("CAP_") not in TABLES["usual_capabilities"]]
    walls = [
        f"{key} {host[key]}"
        for key in TABLES["namespaces"]
        if host.get(key) not in ("", [], {}, "shareable", "private", None)
    ]
    found = {
        "privileged": ["privileged"] if host["Privileged"] else [],
        "host-network": ["network_mode host"] if host["NetworkMode"] == "host" else [],
        "host-namespaces": walls,
        "capabilities": unusual,
        "devices": [each["PathOnHost"] for each in host["Devices"]],
        "features" if features else "binds": [*binds, *(["a processor"] if host["DeviceRequests"] else [])],
    }
    return {word: things for word, things in found.items() if things}


class Sight(NamedTuple):
    """Something that happened to a container, as the engine tells it."""

    at: float  # seconds since 1970
    service: str
    what: str
    code: int | None = None


SEEN: Final = ("create", "start", "die", "kill", "stop", "restart", "oom", "rename", "destroy", "health_status")


class Watch:
    """What the engine tells about the kit's containers, as it happens, until it is closed.

    Iterating waits for the next sight; `close`, from any thread, ends that.
    """

    def __init__(self, client: Any, app: int | None = None) -> None:
        labels = [LABEL] if app is None else [f"{LABEL}.app={app}"]
        self._stream = client.api.events(decode=True, filters={"type": "container", "label": labels})

    def __iter__(self) -> Iterator[Sight]:
        with suppress(*foreign_errors(), ValueError, OSError, AttributeError):  # how a closed stream ends
            for event in self._stream:
                about, what = event["Actor"]["Attributes"], event["Action"].partition(":")[0]
                if what in SEEN:
                    code = int(about["exitCode"]) if "exitCode" in about else None
                    yield Sight(event["timeNano"] / 1e9, about.get(f"{LABEL}.service", ""), what, code)

    def close(self) -> None:
        """End the iteration."""
        self._stream.close()


class Docker(Simulated):
    """A device on a Docker engine of this machine.

    Args:
        client: From `connect`.
        app: Only this app is seen and touched; without one, all that the kit made.
        root: The folder in which build folders lie.
        allow: What may be opened of this machine, by the words of `ALLOW`.
        tell: Hears how far builds, pulls and rounds are.
        restart: Restarts the engine, cleanly or (True) as if the power failed, where the user may do that.
        stand_in: Give services that cannot be built an image that only waits.
    """

    def __init__(
        self, client: Any, *, app: int | None = None, root: Path | None = None, allow: Iterable[str] = (),
        facts: Facts | None = None, tell: Tell = quiet, restart: Callable[[bool], None] | None = None,
        stand_in: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(facts=facts)
        self.client, self.app, self.root, self.allow, self.tell = client, app, root or Path(), frozenset(allow), tell
        self.api, self.restart, self.stand_in = client.api, restart, stand_in
        self.session = uuid4().hex[:12]
        self._ids: dict[int, str] = {}  # the engine's names of containers
        self._boots: dict[int, int] = {}  # in which boot this process made a container
        self._known: dict[Image, None] = {}  # images that are not the kit's, and which services use them
        self._stopping: dict[str, tuple[float, bool]] = {}  # until when, and whether to delete
        seen = self.observe()
        for each in seen.apps:  # what an earlier process brought to its end
            commits = {one.commit for one in seen.of(each)}
            if len(commits) == 1 and all(one.status != "Installed" for one in seen.of(each)):
                self._state = replace(self._state, commits=((each, *commits), *self._state.commits))

    # ----------------------------------------------------------------------------------------- observe

    def _labels(self, app: int, **more: str) -> dict[str, str]:
        return {
            LABEL: self.session,
            f"{LABEL}.app": str(app),
            **{f"{LABEL}.{key}": value for key, value in more.items()},
        }

    def _mine(self) -> dict[str, Any]:
        return {"label": [LABEL] if self.app is None else [f"{LABEL}.app={self.app}"]}

    def observe(self, *, data: bool = False) -> State:
        """What is on the engine; with *data* also lock files and what was written, which takes longer."""
        found = self.api.containers(all=True, filters=self._mine())
        self._ids = {int(each["Id"][:12], 16): each["Id"] for each in found}
        containers = tuple(self._container(each, data) for each in found if f"{LABEL}.wanted" in each["Labels"])
        built = (each.get("Labels") or {} for each in self.api.images(filters=self._mine()))
        saved = [Image(*self._of(each, "image", "service")) for each in built if f"{LABEL}.image" in each]
        used = (Image(each.image, each.app, each.service) for each in reversed(containers))
        things = [
            [(int(each["Labels"][f"{LABEL}.app"]), *json.loads(each["Labels"][f"{LABEL}.thing"])) for each in several]
            for several in (self._volumes(), self.api.networks(filters=self._mine()))
        ]
        contents = self._contents(things[0], found) if data else {}
        self._state = replace(
            self._state,
            containers=containers,
            images=tuple(dict.fromkeys((*saved, *self._known, *used))),
            volumes=tuple(Volume(a, name, tuples(c), contents.get((a, name), frozenset())) for a, name, c in things[0]),
            networks=tuple(Network(a, name, tuples(c)) for a, name, c in things[1]),
            lock_files=self._locks(containers) if data else self._state.lock_files,
        )
        return self._state

    @staticmethod
    def _of(labels: Mapping[str, str], name: str, service: str) -> tuple[str, int, str]:
        return labels[f"{LABEL}.{name}"], int(labels[f"{LABEL}.app"]), labels[f"{LABEL}.{service}"]

    def _volumes(self) -> list[Any]:
        found = self.api.volumes(filters=self._mine())["Volumes"] or []
        return [each for each in found if f"{LABEL}.thing" in each["Labels"]]  # not those with lock files

    def _container(self, listed: Mapping[str, Any], data: bool) -> Container:
        written = json.loads(listed["Labels"][f"{LABEL}.wanted"])
        injected, number = tuples(written.pop("injected")), int(listed["Id"][:12], 16)
        wanted = Wanted(**{key: value if key == "form" else tuples(value) for key, value in written.items()})
        name, front = listed["Names"][0].removeprefix("/"), f"{wanted.name}_{wanted.app}_"
        old, mode = not name.startswith(front), listed["HostConfig"]["NetworkMode"]
        code = re.match(r"Exited \((\d+)\)", listed["Status"])
        status: Status = "Stopping" if listed["Id"] in self._stopping else STATUS.get(listed["State"], "Running")
        return Container(
            id=number,
            wanted=wanted,
            commit=name.removeprefix("old_").removeprefix(front),
            injected=injected,
            status=status,
            exit_code=int(code[1]) if code else None,
            handing_over=old,
            joined=int(mode[10:22], 16) if mode.startswith("container:") else None,
            boot=self._boots.get(number, -1),
            data=frozenset(self._read(listed["Id"], f"/{WRITES}")) if data else frozenset(),
        )

    def _read(self, container_id: str, path: str) -> list[str]:
        """The lines of a file in a container."""
        return [line for text in self._files(container_id, path).values() for line in text[1].decode().splitlines()]

    def _files(self, container_id: str, path: str) -> dict[str, tuple[int, bytes]]:
        """The files at a path in a container, which need not run: by name, the owner and the content."""
        from docker.errors import NotFound

        try:
            chunks, _about = self.api.get_archive(container_id, path)
        except NotFound:
            return {}
        with tarfile.open(fileobj=io.BytesIO(b"".join(chunks))) as tar:
            members = [each for each in tar.getmembers() if each.isfile()]
            return {each.name.rpartition("/")[2]: (each.uid, tar.extractfile(each).read()) for each in members}  # type: ignore[union-attr]

    def _locks(self, containers: Iterable[Container]) -> frozenset[tuple[int, str]]:
        """The lock files of users; those of `nobody` are the supervisor's own (S-110)."""
        return frozenset(
            (each.app, each.service)
            for each in containers
            for name, (owner, _) in self._files(self._ids[each.id], LOCK).items()
            if name in LOCK_FILES and owner != NOBODY
        )

    def _contents(self, volumes: list[Any], found: list[Any]) -> dict[tuple[int, str], frozenset[str]]:
        """What was written into volumes; one that no container has is lent to one that never runs."""
        contents = {}
        for app, name, _ in volumes:
            places = [
                (each["Id"], m["Destination"])
                for each in found
                for m in each["Mounts"]
                if m.get("Name") == f"{app}_{name}"
            ]
            lent = ""
            if not places and images.has(self.api, images.BASE):
                body = {
                    "Image": images.BASE,
                    "Labels": self._labels(app),
                    "HostConfig": {"Binds": [f"{app}_{name}:/lent"]},
                }
                lent = self.api.create_container_from_config(body)["Id"]
                places = [(lent, "/lent")]
            lines = [line for one, path in places[:1] for line in self._read(one, f"{path}/{WRITES}")]
            contents[app, name] = frozenset(lines)
            if lent:
                self.api.remove_container(lent)
        return contents

    # ----------------------------------------------------------------------------------------- perform

    def perform(self, step: do.AnyStep) -> None:
        """Do one step; EngineError if it could not be done."""
        try:
            if isinstance(step, do.TakeLock):
                self._state = replace(self._state, lock_files=self._locks(self._state.of(step.app)))
            act = next((act for kind, act in ACTS.items() if isinstance(step, kind)), None)
            if act is None or act is Docker._fetch:
                super().perform(step)  # what the supervisor remembers
            if act is not None:
                act(self, step)
        except (NoImage, *foreign_errors()) as error:
            sentence = f"`{step.service or step.text.format(step)}`: {reason_of(error)}"
            trouble = Trouble(
                step.app, step.service, f"{step.kind} failed {step.service}", Why("engine", ("S-76",), sentence)
            )
            self._state = replace(self._state, troubles=(*self._state.troubles, trouble))
            raise EngineError(step, trouble) from error

    def _fetch(self, step: do.Fetch) -> None:
        """Build or get an image: what is here first, then a folder, then a registry."""
        stored = (each for app in self.target.apps if app.app == step.app for each in app.services)
        form = next((each.form for each in stored if each.name == step.service and each.image == step.image), {})
        tag, labels = (
            images.reference(step.image, step.app),
            self._labels(step.app, image=step.image, service=step.service),
        )
        body = form.get("build")
        folder = self.root / str((body if isinstance(body, str) else body or {}).get("context", ".")) if body else None
        if folder and (folder.is_dir() or not self.stand_in):
            images.build(self.api, step.image, tag, body, self.root, labels, self.tell)
        elif not body and images.has(self.api, step.image):
            self._known[Image(step.image, step.app, step.service)] = None
        elif self.stand_in:
            images.stand_in(self.api, tag, labels, self.tell)
        else:
            images.pull(self.api, step.image, self.tell)
            self._known[Image(step.image, step.app, step.service)] = None

    def _kill(self, step: do.Kill | do.Stop | do.Remove) -> None:
        if one := self._ids.get(step.container.id):
            self._order(one, removing=not isinstance(step, do.Stop))

    def _order(self, one: str, *, removing: bool) -> None:
        """Send the stop signal; the end of the round waits for what comes of it (S-75)."""
        about = self.api.inspect_container(one)
        grace = about["Config"].get("StopTimeout")
        self._stopping[one] = (time.monotonic() + (10 if grace is None else grace), removing)
        if about["State"]["Running"]:
            self.api.kill(one, about["Config"].get("StopSignal") or "SIGTERM")

    def _finish(self) -> None:
        """Wait for all stops that were ordered; SIGKILL once the time is up; delete what is to be deleted."""
        for one, (until, removing) in list(self._stopping.items()):
            while self.api.inspect_container(one)["State"]["Running"]:
                if time.monotonic() > until:
                    self.api.kill(one)
                    until += 10
                time.sleep(0.02)
            if removing:
                self.api.remove_container(one, v=True, force=True)
            del self._stopping[one]

    def _update_metadata(self, step: do.UpdateMetadata) -> None:
        self.api.rename(self._ids[step.container.id], _name(step.container.wanted, step.commit))

    def body(
        self, wanted: Wanted, injected: Mapping[str, str], about: Mapping[str, Any]
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """What the engine is asked for, and the networks to join afterwards.

        It is the supervisor's request, with the kit's label, limits, and lock files in a volume.
        """
        app = wanted.app
        place = Place(
            app_id=app, app_uuid=str(app), app_name=injected.get("APP_NAME", ""), commit=wanted.commit,
            os_version=injected.get("HOST_OS_VERSION", ""),
        )  # fmt: skip
        request = container(wanted.form, name=wanted.name, place=place, image=about)
        body, host = request.body, request.body["HostConfig"]
        body["name"] = _name(wanted, wanted.commit)
        body["Labels"] |= self._labels(
            app,
            service=wanted.name,
            wanted=json.dumps({**asdict(wanted), "injected": list(injected.items())}, default=str),
        )
        host["Binds"] = [text for text in host["Binds"] if not text.startswith("/tmp/balena-supervisor/")]  # noqa: S108
        for key, most in TABLES["limits"].items():
            host[key] = host.get(key) or (0 if key == "NanoCpus" and host["CpuQuota"] else most)
        if wanted.oneshot is not None:
            body["Cmd"] = ["sh", "-c", f"exit {wanted.oneshot}"]
        if host["NetworkMode"].startswith("container:"):
            other = self._state.container(host["NetworkMode"].removeprefix("container:"), app)
            host["NetworkMode"] = f"container:{self._ids[other.id]}" if other else host["NetworkMode"]
            body["ExposedPorts"], body["Hostname"] = {}, ""
        return body, {name: end for name, end in request.joins.items() if name.startswith(f"{app}_")}

    def _create(self, step: do.Start) -> str:
        """Make a container, and let it join its networks."""
        wanted, app = step.wanted, step.app
        tag = images.reference(wanted.image, app)
        tag = tag if images.has(self.api, tag) else wanted.image
        about = self.api.inspect_image(tag)["Config"] or {}
        body, joins = self.body(wanted, dict(step.injected), about)
        if missing := {*needs(body, wanted)} - self.allow:
            raise NoImage(f"it opens more of this machine than was allowed: {', '.join(sorted(missing))}")
        locks = f"{LABEL}_{app}_{wanted.name}"
        self.api.create_volume(locks, labels=self._labels(app))
        body["HostConfig"]["Binds"] += [f"{locks}:{LOCK}", f"{locks}:/tmp/resin"]
        made: str = self.api.create_container_from_config(body | {"Image": tag}, body["name"])["Id"]
        number = int(made[:12], 16)
        self._ids[number], self._boots[number] = made, self._state.boot
        for name, end in joins.items():
            addresses = {key.lower().replace("address", "_address"): text for key, text in end["IPAMConfig"].items()}
            self.api.connect_container_to_network(made, name, aliases=end["Aliases"], **addresses)
        return made

    def _start(self, step: do.Start) -> None:
        if isinstance(step, do.Restart) and step.container:
            self._kill(do.Kill(app=step.app, container=step.container))
            self._finish()
        there = step.container if not isinstance(step, do.Restart | do.Handover) else None
        one = (there and self._ids.get(there.id)) or self._create(step)
        if step.wanted.running and not (
            step.wanted.needs_reboot and self._boots.get(int(one[:12], 16)) == self._state.boot
        ):
            self.api.start(one)

    def _hand_over(self, step: do.Handover) -> None:
        """The new container starts beside the old one, which is stopped after a file appears or the time is up."""
        old = self._ids[step.container.id] if step.container else ""
        if old and step.container and not step.container.handing_over:
            self.api.update_container(old, restart_policy={"Name": "no"})
            self.api.rename(old, f"old_{_name(step.container.wanted, step.container.commit)}")
        self._start(step)
        until = time.monotonic() + (step.wait_ms / 1000 if self._state.handover_wait == "documented" else 0)
        while time.monotonic() < until and not {*self._files(old, LOCK)} & {*DONE}:
            time.sleep(0.1)
        self._order(old, removing=True)
        self._finish()

    def _create_thing(self, step: do.CreateVolume | do.CreateNetwork) -> None:
        """A volume or a network; one of that name that is not the kit's is left alone."""
        thing = step.thing
        asked = {key: thaw(value) for key, value in thing.config}
        labels = self._labels(step.app, thing=json.dumps([thing.name, thing.config])) | asked.get("labels", {})
        driver = asked.get("driver") or None
        if isinstance(thing, Volume):
            there = [
                each
                for each in self.api.volumes(filters={"name": f"^{thing}$"})["Volumes"] or ()
                if LABEL not in (each["Labels"] or {})
            ]
        else:
            there = [each for each in self.api.networks(names=[f"^{thing}$"]) if LABEL not in each["Labels"]]
        if there:
            raise NoImage(TABLES["unable"]["foreign"].format(name=thing))
        if isinstance(thing, Volume):
            self.api.create_volume(str(thing), driver=driver, driver_opts=asked.get("driver_opts"), labels=labels)
        elif not asked.get("config_only"):
            pools = [
                dict(
                    zip(
                        ("subnet", "iprange", "gateway"),
                        (p.get("subnet"), p.get("ip_range"), p.get("gateway")),
                        strict=True,
                    )
                )
                for p in (asked.get("ipam") or {}).get("config", ())
            ]
            from docker.types import IPAMConfig, IPAMPool

            ipam = IPAMConfig(pool_configs=[IPAMPool(**pool) for pool in pools]) if pools else None
            self.api.create_network(
                str(thing), driver=driver, options=asked.get("driver_opts"), ipam=ipam, labels=labels,
                internal=bool(asked.get("internal")), enable_ipv6=bool(asked.get("enable_ipv6")),
            )  # fmt: skip

    def _remove_thing(self, step: do.RemoveVolume | do.RemoveNetwork) -> None:
        self._finish()
        (self.api.remove_volume if isinstance(step, do.RemoveVolume) else self.api.remove_network)(str(step.thing))

    def _remove_image(self, step: do.RemoveImage) -> None:
        """Images that the kit built are deleted; others are only forgotten."""
        self._known.pop(step.thing, None)
        if images.has(self.api, tag := images.reference(step.thing.name, step.thing.app)):
            self.api.remove_image(tag)

    def _save_image(self, step: do.SaveImage) -> None:
        self._known[step.thing] = None

    def _reboot(self, _step: do.AnyStep) -> None:
        self.happen(on.CleanReboot())

    # ------------------------------------------------------------------------------------------ happen

    def happen(self, event: on.AnyEvent) -> None:
        """Let something happen; NotHere if this engine cannot show it, with a sentence."""
        one = ""
        if isinstance(event, on.OnService):
            found = self.observe().container(event.service, event.app)
            one = self._ids[found.id] if found else ""
        try:
            if act := HAPPENS.get(type(event)):
                act(self, event, one)
        except foreign_errors() as error:
            raise NotHere("file", getattr(event, "service", ""), reason=reason_of(error)) from error
        super().happen(event)

    def _round_over(self, event: on.RoundOver, _one: str) -> None:
        self._finish()
        if event.settled:  # lock files of services that are gone
            for each in self.api.volumes(filters={**self._mine(), "dangling": True})["Volumes"] or ():
                if f"{LABEL}.thing" not in each["Labels"]:
                    self.api.remove_volume(each["Name"])

    def _exit(self, event: on.ProcessExits, one: str) -> None:
        """Let a process end by itself: by the base image's `crash`, or killed from outside."""
        before = self.api.inspect_container(one)["State"] if one else {}
        if not before.get("Running"):
            return
        if self._run(one, "crash", str(event.code)):
            if event.code != 137:
                raise NotHere("crash", event.service)
            try:
                os.kill(before["Pid"], signal.SIGKILL)
            except OSError as error:
                raise NotHere("kill", event.service, reason=error.strerror) from error
        until = time.monotonic() + PATIENCE
        while (
            self.api.inspect_container(one)["State"]["FinishedAt"] == before["FinishedAt"] and time.monotonic() < until
        ):
            time.sleep(0.02)

    def _run(self, one: str, *command: str) -> int:
        """Run a command in a container; the code with which it ends."""
        from docker.errors import APIError

        try:
            job = self.api.exec_create(one, list(command))["Id"]
            self.api.exec_start(job)
        except APIError:
            return 126
        return int(self.api.exec_inspect(job)["ExitCode"] or 0)

    def _api_stop(self, _event: on.ApiStop, one: str) -> None:
        if one:
            self._order(one, removing=False)
            self._finish()

    def _api_start(self, _event: on.ApiStart, one: str) -> None:
        if one:
            self.api.start(one)

    def _lost(self, _event: on.ContainerLost, one: str) -> None:
        if one:
            self.api.remove_container(one, v=True, force=True)

    def _write(self, event: on.Writes, one: str) -> None:
        """A running service writes a line into a volume that it mounts, or into its own layer."""
        about = self.api.inspect_container(one) if one else {"State": {"Running": False}}
        name = f"{event.app}_{event.volume}"
        mounts = [each["Destination"] for each in about.get("Mounts", ()) if each.get("Name") == name]
        place = mounts[0] if event.volume and mounts else "/"
        if about["State"]["Running"] and (mounts or not event.volume):
            lines = [*self._read(one, f"{place}/{WRITES}".replace("//", "/")), event.text]
            self.api.put_archive(one, place, archive({WRITES: "\n".join(lines).encode()}))

    def _lock(self, event: on.LockTaken | on.LockDropped, one: str) -> None:
        """Make a lock file; a dropped one becomes the supervisor's own, which needs no program in the container."""
        owner = 0 if isinstance(event, on.LockTaken) and event.user != "nobody" else NOBODY
        names = [name for name in self._files(one, LOCK) if name in LOCK_FILES] if one else []
        if one and (names or isinstance(event, on.LockTaken)):
            self.api.put_archive(one, LOCK, archive(dict.fromkeys(names or LOCK_FILES[:1], b""), owner=owner))

    def _wait(self, event: on.TimePasses, _one: str) -> None:
        if event.ms > LONGEST:
            raise NotHere("time", ms=f"{event.ms:,}", most=f"{LONGEST:,}")
        time.sleep(event.ms / 1000)

    def _down(self, event: on.AnyEvent, _one: str) -> None:
        """The engine restarts, in good order or not; a boot takes the lock files with it."""
        if self.restart is None:
            raise NotHere("restart")
        self._finish()
        cut, now = isinstance(event, on.PowerCut), self.observe(data=True)
        for step in getattr(event, "during", ()):
            with suppress(EngineError):
                self._half(step)
        for name, code in (getattr(event, "codes", None) or {}).items():
            for each in (each for each in now.containers if each.service == name and each.up):
                self._run(self._ids[each.id], "answer", str(code))
        self._stopping.clear()
        self.restart(cut)
        until = time.monotonic() + PATIENCE
        while True:
            try:
                self.api.ping()
                break
            except foreign_errors():
                if time.monotonic() > until:
                    raise
                time.sleep(0.1)
        if not isinstance(event, on.EngineRestarts):
            for app, service in now.lock_files:
                one = self.observe().container(service, app)
                self._lock(on.LockDropped(service=service, app=app), self._ids[one.id] if one else "")

    def _half(self, step: do.AnyStep) -> None:
        """What is there of a step when the power fails during it (S-139, S-140)."""
        if isinstance(step, do.Handover):
            self._hand_over(replace(step, wait_ms=0))
        elif isinstance(step, do.Start) and step.container is None:
            self._create(step)

    def _finish_all(self, _event: on.AnyEvent, _one: str) -> None:
        self._finish()


ACTS: Final[dict[Any, Callable[[Docker, Any], None]]] = {  # what a step does to the engine; all others only to memory
    do.Fetch: Docker._fetch,
    do.Kill: Docker._kill,
    do.Stop: Docker._kill,
    do.Remove: Docker._kill,
    do.UpdateMetadata: Docker._update_metadata,
    do.Handover: Docker._hand_over,
    do.Start: Docker._start,
    do.CreateVolume: Docker._create_thing,
    do.CreateNetwork: Docker._create_thing,
    do.RemoveVolume: Docker._remove_thing,
    do.RemoveNetwork: Docker._remove_thing,
    do.RemoveImage: Docker._remove_image,
    do.SaveImage: Docker._save_image,
    do.Reboot: Docker._reboot,
}
HAPPENS: Final[dict[Any, Callable[[Docker, Any, str], None]]] = {
    on.RoundOver: Docker._round_over,
    on.ProcessExits: Docker._exit,
    on.ApiStop: Docker._api_stop,
    on.ApiStart: Docker._api_start,
    on.ContainerLost: Docker._lost,
    on.Writes: Docker._write,
    on.LockTaken: Docker._lock,
    on.LockDropped: Docker._lock,
    on.TimePasses: Docker._wait,
    on.SupervisorRestarts: Docker._finish_all,
    on.EngineRestarts: Docker._down,
    on.CleanReboot: Docker._down,
    on.HostUpdated: Docker._down,
    on.PowerCut: Docker._down,
}


def _name(wanted: Wanted, commit: str) -> str:
    """What a container is called: service, app, commit."""
    return re.sub(r"[^\w.-]", "-", f"{wanted.name}_{wanted.app}_{commit}", flags=re.ASCII)


def tuples(value: Any) -> Any:
    """Lists as tuples, all the way down: what JSON made of a frozen value."""
    return tuple(map(tuples, value)) if isinstance(value, list) else value


def thaw(value: Any) -> Any:
    """A frozen value as plain data: tuples of named pairs are mappings, other tuples are lists.

    >>> thaw((("config", ((("subnet", "10.1.0.0/24"),),)),))
    {'config': [{'subnet': '10.1.0.0/24'}]}
    """
    if not isinstance(value, tuple):
        return value
    if value and all(isinstance(each, tuple) and len(each) == 2 and isinstance(each[0], str) for each in value):
        return {key: thaw(each) for key, each in value}
    return [thaw(each) for each in value]


def remove_all(
    client: Any, app: int | None = None, *, volumes: bool = True, built: bool = True, session: str = ""
) -> list[str]:
    """Delete what the kit made on an engine, and nothing else; the names of what is gone.

    Args:
        client: From `connect`.
        app: Only of this app.
        volumes: Named volumes too, with their data.
        built: Built images too.
        session: Only what this session made.
    """
    from docker.errors import APIError

    api, gone = client.api, []
    labels = [f"{LABEL}={session}" if session else LABEL, *([] if app is None else [f"{LABEL}.app={app}"])]
    mine = {"label": labels}
    engine = Docker(client, app=app)
    found = api.containers(all=True, filters=mine)
    for each in found:
        engine._order(each["Id"], removing=True)
    engine._finish()
    gone += [each["Names"][0].removeprefix("/") for each in found]
    for each in api.networks(filters=mine):
        api.remove_network(each["Id"])
        gone.append(each["Name"])
    for each in api.volumes(filters=mine)["Volumes"] or ():
        if volumes or f"{LABEL}.thing" not in each["Labels"]:
            api.remove_volume(each["Name"])
            gone.append(each["Name"])
    for each in api.images(filters=mine) if built else ():
        with suppress(APIError):  # a container that is not the kit's uses it
            api.remove_image((each["RepoTags"] or [each["Id"]])[0])
            gone.append((each["RepoTags"] or [each["Id"]])[0])
    return gone


def taken_ports(release: Release | AppTarget, observed: State) -> dict[str, str]:
    """Host ports that the release publishes and that others hold, each with a free one in its place."""
    target = release.target if isinstance(release, Release) else release
    ours = {port for each in observed.containers if each.up for port in each.wanted.ports}
    wanted = [
        port for each in target.services if each.network_mode != "host" for port in each.ports if port not in ours
    ]
    found = {}
    for port in dict.fromkeys(wanted):
        number, _, kind = port.partition("/")
        if not is_free(int(number), kind):
            others = range(int(number) + 8000, 65536) if int(number) < 1024 else range(int(number) + 1, 65536)
            found[number] = next((str(each) for each in others if is_free(each, kind)), "")
    return found


def is_free(port: int, kind: str = "tcp") -> bool:
    """Whether nobody on this machine listens at a port."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM if kind == "udp" else socket.SOCK_STREAM) as line:
        if kind == "tcp":
            line.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            line.bind(("", port))
        except PermissionError:  # below 1024 only the engine may ask
            with socket.socket() as other:
                return other.connect_ex(("127.0.0.1", port)) != 0
        except OSError:
            return False
    return True
