"""The same device on a real engine: `Docker` does what `Simulated` only computes.

Theory of operation
-------------------
The engine has no memory of its own: every container, volume, network and image that the kit makes
carries the kit's label, and the service as a target wanted it. `observe` rebuilds the state from
these, so another process sees the same device. What only a supervisor knows (its lock, the recorded
commit, what it injects) stays in the process, and changes as in the simulated device.

Stopping is asynchronous here too (S-75): `kill` sends the stop signal to one container after the
other, and the end of the round waits for all of them and deletes what was to be deleted.

What differs from a device: there are limits by default, lock files lie in a volume of the kit, and
what opens this machine is made only if it was allowed by name.

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
from concurrent.futures import Future, wait
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path
from threading import Lock, Thread
from typing import Any, Final

from ..container import Place, Plain, container
from ..device import steps as do
from ..device.state import Container, Image, Network, Resource, State, Status, Trouble, Volume, Wanted, Why
from ..reader.release import FEATURES
from . import base as on
from . import images
from .images import LABEL, NoImage, Tell, archive, quiet
from .simulated import Simulated

TABLES: Final[dict[str, Any]] = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))
ALLOW: Final[dict[str, str]] = TABLES["allow"]  # what `--allow` takes, and what each of them opens
OLDEST: Final = "1.40"  # the API of Docker 19.03
STATUS: Final[dict[str, Status]] = {"created": "Installed", "exited": "exited", "dead": "Dead"}  # all others run
LONGEST: Final = 20_000  # milliseconds that an event may take
SIGNS: Final = "/tmp/balena"  # noqa: S108 (a path in the container: its lock and hand-over files)
LOCK_FILES: Final = {"updates.lock", "resin-updates.lock"}
HANDED_OVER: Final = {"handover-complete", "resin-kill-me"}
BRIDGE: Final = "com.docker.network.bridge.name"  # whoever deletes the last network on a bridge, deletes the bridge
WRITES: Final = "kit-writes"  # the file that `writes` appends to
NOBODY: Final = 65534  # a lock file of this user counts as the supervisor's own (S-110)


class NoEngine(RuntimeError):  # noqa: N818 (it is an answer, not a fault)
    """There is no engine to use: a sentence, and in `help` what to do."""

    def __init__(self, reason: str, where: str = "") -> None:
        sentence, self.help = TABLES["silent"].get(reason, TABLES["silent"]["OSError"])
        super().__init__(sentence.format(where))


class NotHere(on.EngineError):
    """An event cannot be made to happen on this engine."""

    def __init__(self, kind: str, service: str = "", **words: object) -> None:
        sentence = TABLES["unable"][kind].format(service=service, **words)
        super().__init__(do.Noop(service=service), Trouble(0, service, sentence, Why(kind, (), sentence)))
        self.args = (sentence,)


def connect(patience: float = 60) -> Any:
    """A client of the engine on this machine. Raises NoEngine with one clear sentence."""
    try:
        import docker
        from docker.utils import version_lt
    except ModuleNotFoundError:
        raise NoEngine("client") from None
    named = os.environ.get("DOCKER_CONTEXT")
    where = os.environ.get("DOCKER_HOST") or getattr(docker.ContextAPI.get_context(named), "Host", named) or ""
    path = where.removeprefix("unix://")
    if path == where and not where.startswith("npipe://"):
        raise NoEngine("remote", where)
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(min(patience, 2))
        try:
            line.connect(path)
        except OSError as error:
            raise NoEngine(type(error).__name__, path) from error
    client = docker.DockerClient(base_url=where, version=OLDEST, timeout=patience)  # type: ignore[arg-type]
    try:
        about = client.version(api_version=False)
        wrong = "Podman" * any("Podman" in part.get("Name", "") for part in about.get("Components") or ())
        if version_lt(OLDEST, least := about.get("MinAPIVersion", OLDEST)):
            client.api._version = least  # type: ignore[attr-defined]  # Docker 29 speaks 1.44 and newer
        wrong = wrong or "old" * version_lt(about["ApiVersion"], OLDEST)
    except foreign_errors() + (AttributeError, KeyError, TypeError, ValueError):  # noqa: RUF005 (for mypy)
        wrong = "OSError"
    if wrong:
        client.close()
        raise NoEngine(wrong, path)
    return client


def foreign_errors() -> tuple[type[Exception], ...]:
    """What the Docker client raises, and what building and getting images does."""
    from docker.errors import DockerException
    from requests.exceptions import RequestException
    from urllib3.exceptions import HTTPError

    return DockerException, RequestException, HTTPError, NoImage


def reason_of(error: Exception) -> str:
    """What the engine says, without the path that the error took."""
    gone = type(error).__module__.startswith(("requests.", "urllib3."))
    text = str(getattr(error, "explanation", None) or ("the engine does not answer any more" if gone else error))
    return re.sub(r".*(?:container process|connectivity on endpoint [^:]+): ", "", text).removesuffix(": unknown")


def until(happened: Callable[[], bool], seconds: float = 20) -> None:
    """Wait until something has happened, or the time is up."""
    end = time.monotonic() + seconds
    while not happened() and time.monotonic() < end:
        time.sleep(0.03)


def needs(body: Mapping[str, Any], wanted: Wanted) -> dict[str, list[str]]:
    """What a container request opens of this machine: words of `ALLOW`, and the things themselves."""
    host = body["HostConfig"]
    features = any(key.startswith(FEATURES) and wanted.on(key) for key, _ in wanted.labels)
    own = (f"{wanted.app}_", f"{LABEL}_")  # the app's volumes, and the kit's
    binds = [text for text in host["Binds"] if not text.startswith(own)] + [each["Source"] for each in host["Mounts"]]
    powers = {each.upper().removeprefix("CAP_") for each in host["CapAdd"]} - {*TABLES["usual_capabilities"]}
    found = {
        "privileged": ["privileged"] * bool(host["Privileged"]),
        "host-network": ["network_mode"] * (host["NetworkMode"] == "host"),
        "host-namespaces": [f"{key} {host[key]}" for key in TABLES["namespaces"] if host.get(key) not in TABLES["own"]],
        "capabilities": sorted(powers),
        "devices": [each["PathOnHost"] for each in host["Devices"]],
        "features" if features else "binds": [*binds, *(["gpu"] if host["DeviceRequests"] else [])],
    }
    return {word: things for word, things in found.items() if things}


def opened(thing: Resource) -> dict[str, list[str]]:
    """What a volume or a network opens of this machine, as in `needs`: what is behind it, if it is not of its own."""
    options = {key: str(text) for key, text in (thaw(dict(thing.config).get("driver_opts")) or {}).items()}
    if isinstance(thing, Network):
        return {"host-network": [options[BRIDGE]]} if BRIDGE in options else {}
    memory = options.get("type") == "tmpfs" and "bind" not in options.get("o", "")
    return {"binds": [options.get("device", str(thing))]} if options and not memory else {}


class Docker(Simulated):
    """A device on a Docker engine of this machine.

    Args:
        client: From `connect`.
        app: Only this app is seen and touched; without one, all that the kit made.
        root: The folder in which build folders lie.
        allow: What may be opened of this machine, by the words of `ALLOW`.
        tell: Hears how far builds, pulls and rounds are.
        restart: Restarts the engine, cleanly or (True) as if the power failed, where the user may do that.
        stand_in: Give services of which only the name is known an image that waits.
    """

    def __init__(
        self, client: Any, *, app: int | None = None, root: Path | None = None, allow: Iterable[str] = (),
        tell: Tell = quiet, restart: Callable[[bool], None] | None = None, stand_in: bool = False,
    ) -> None:  # fmt: skip
        super().__init__()
        self.client, self.api, self.app, self.root, self.allow = client, client.api, app, root or Path(), {*allow}
        self.tell, self.restart, self.stand_in, self.session = tell, restart, stand_in, os.urandom(6).hex()
        self._mine = {"label": LABEL if app is None else f"{LABEL}.app={app}"}
        self._memory, self._reading = Lock(), Lock()
        self._boots: dict[int, int] = {}  # in which boot this process made a container
        seen = self.observe()  # what an earlier process brought to its end
        there = {app: {each.status != "Installed" and each.commit for each in seen.of(app)} for app in seen.apps}
        commits = tuple((app, commit) for app, found in there.items() for commit in found if commit and len(found) == 1)
        used = [Image(each.image, each.app, each.service, each.commit) for each in reversed(seen.containers)]
        built = (json.loads(each["Labels"][LABEL]) for each in self.api.images(LABEL) if LABEL in each["Labels"])
        unused = (Image(*each) for _session, *each in built if app in (None, each[1]))
        saved = (*used, *(each for each in unused if each.name not in {one.name for one in used}))
        self._state = replace(seen, commits=commits, images=saved)

    # ----------------------------------------------------------------------------------------- observe

    def _labels(self, app: int, **more: object) -> dict[str, str]:
        told = {f"{LABEL}.{key}": value if isinstance(value, str) else json.dumps(value) for key, value in more.items()}
        return {LABEL: self.session, f"{LABEL}.app": str(app), **told}

    def observe(self, *, data: bool = False) -> State:
        """What is on the engine; with *data* also lock files and what was written, which takes longer."""
        found = [each for each in self.api.containers(all=True, filters=self._mine) if _wanted(each)]
        seen: dict[str, Any] = {
            "containers": tuple(map(self._container, found)),
            "volumes": tuple(Volume(*each) for each in _things(self.api.volumes(filters=self._mine)["Volumes"] or ())),
            "networks": tuple(Network(*each) for each in _things(self.api.networks(filters=self._mine))),
        }
        if data:
            with self._reading:
                seen |= self._signs(seen["containers"])
                seen["containers"] = self.side_by_side(self._with_data, seen["containers"])
                seen["volumes"] = self._contents(seen["volumes"])
        state = self._state = replace(self._state, **seen)
        return state  # and not what another thread has seen meanwhile

    def _container(self, listed: Mapping[str, Any]) -> Container:
        written, number = {key: tuples(value) for key, value in _wanted(listed).items()}, _number(listed["Id"])
        injected, wanted = written.pop("injected"), Wanted(**written)
        name, front = listed["Names"][0].removeprefix("/"), _name(wanted, "")
        code, mode = re.match(r"Exited \((\d+)\)", listed["Status"]), listed["HostConfig"]["NetworkMode"]
        return Container(
            id=number,
            wanted=wanted,
            commit=name.removeprefix("old_").removeprefix(front),
            injected=injected,
            status=STATUS.get(listed["State"], "Running"),
            exit_code=int(code[1]) if code else None,
            handing_over=not name.startswith(front),
            joined=_number(mode.removeprefix("container:")) if mode.startswith("container:") else None,
            boot=self._boots.get(number, -1),
        )

    @staticmethod
    def name_of(one: Container) -> str:
        """What the engine calls a container."""
        return f"{one.id:012x}"

    def _files(self, one: str, path: str) -> dict[str, tuple[int, bytes]]:
        """The files at a path in a container, which need not run: by name, the owner and the content.

        Those of 1970 are gone: so `_delete` marks them.
        """
        from docker.errors import NotFound

        try:
            chunks, _about = self.api.get_archive(one, path)
        except NotFound:
            return {}
        with tarfile.open(fileobj=io.BytesIO(b"".join(chunks))) as tar:
            files = [(each, tar.extractfile(each)) for each in tar if each.isfile() and each.mtime]
            return {each.name.rpartition("/")[2]: (each.uid, file.read()) for each, file in files if file}

    def _delete(self, one: str, names: set[str]) -> None:
        """Take signs away, which needs no program in the container."""
        if there := {*self._files(one, SIGNS)} & names:
            self.api.put_archive(one, SIGNS, archive(dict.fromkeys(there, b""), at=0))

    def _read(self, one: str, path: str) -> frozenset[str]:
        """What was written into a file of a container."""
        texts = (content.decode() for _, content in self._files(one, path).values())
        return frozenset(line for text in texts for line in text.splitlines())

    def _with_data(self, one: Container) -> Container:
        return replace(one, data=self._read(self.name_of(one), f"/{WRITES}"))

    def _signs(self, containers: Iterable[Container]) -> dict[str, Any]:
        """Lock files of users, those of `nobody` being the supervisor's own (S-110), and hand-over files (S-108)."""
        looked = self.side_by_side(lambda each: (each, self._files(self.name_of(each), SIGNS)), containers)
        found = [(each, name, owner) for each, files in looked for name, (owner, _) in files.items()]
        locks = {(each.app, each.service) for each, name, owner in found if name in LOCK_FILES and owner != NOBODY}
        over = {(each.app, each.service, 0) for each, name, _ in found if name in HANDED_OVER}
        return {"lock_files": frozenset(locks), "handover_files": frozenset(over)}

    def _contents(self, volumes: tuple[Volume, ...]) -> tuple[Volume, ...]:
        """The volumes with what was written into them: they are lent to a container that never runs."""
        image = next((each["Id"] for each in (*self.api.images(images.BASE), *self.api.images(LABEL))), "")
        if not volumes or not image:
            return volumes
        host = {"Binds": [f"{each}:/lent/{each}" for each in volumes]}
        body = {"Image": image, "Cmd": ["-"], "HostConfig": host, "Labels": self._labels(self.app or 0)}
        lent = self.api.create_container_from_config(body)["Id"]
        try:
            return tuple(replace(each, data=self._read(lent, f"/lent/{each}/{WRITES}")) for each in volumes)
        finally:
            self.api.remove_container(lent)

    # ----------------------------------------------------------------------------------------- perform

    def perform(self, step: do.AnyStep) -> None:
        """Do one step; EngineError if it could not be done."""
        try:
            ACTS.get(type(step), Docker._remember)(self, step)
        except foreign_errors() as error:
            why = Why("engine", ("S-76",), f"`{step.service or step}`: {reason_of(error)}")
            trouble = Trouble(step.app, step.service, f"{step.kind} failed {step.service}", why)
            raise on.EngineError(step, trouble) from error

    def side_by_side(self, perform: Callable[[Any], Any], steps: Iterable[Any]) -> tuple[Any, ...]:
        """Perform the steps of a round at the same time (S-72); an interrupt waits for no build."""

        def work(future: Future[Any], step: Any) -> None:
            try:
                future.set_result(perform(step))
            except BaseException as error:
                future.set_exception(error)

        futures = [(Future[Any](), step) for step in steps]
        for each in futures:
            try:
                Thread(target=work, args=each, daemon=True).start()
            except RuntimeError:  # Python is about to end
                work(*each)
        try:
            return tuple(future.result() for future, _ in futures)
        except KeyboardInterrupt:
            wait([future for future, _ in futures], 3)  # what has begun can then be found, and taken away
            raise

    def _remember(self, step: do.AnyStep) -> None:
        """What the supervisor does without the engine; one step at a time."""
        with self._memory:
            super().perform(step)

    def _take_lock(self, step: do.TakeLock) -> None:
        self._state = replace(self._state, **self._signs(self._state.of(step.app)))
        self._remember(step)

    def _fetch(self, step: do.Fetch) -> None:
        """Build or get an image: what is here first, then a folder, then a registry."""
        if failed := do.effect(self._state, step).troubles:  # offline, or the disk is full
            raise on.EngineError(step, failed[-1])
        tag, told = images.reference(step.image, step.app), [step.image, step.app, step.service, step.commit]
        stored = (each for app in self.target.apps if app.app == step.app for each in app.services)
        body = next((each.form.get("build") for each in stored if each.name == step.service), None)
        if body or (self.stand_in and not images.has(self.api, step.image)):
            label = {LABEL: json.dumps([self.session, *told])}
            images.build(self.api, tag, step.image, body, self.root, label, self.tell)
        else:
            images.get(self.api, step.image, self.tell)
        self._remember(step)

    def stop(self, one: str, *, removing: bool = True) -> None:
        """Stop a container: its stop signal, SIGKILL when its time is up (S-75); and delete it."""
        self.api.stop(one)
        if removing:
            self.remove(one)

    def remove(self, one: str) -> None:
        """Delete a container while no files are read: the engine may mount its volumes for that, and empty them."""
        with self._reading:
            self.api.remove_container(one, v=True, force=True)

    def _rename(self, step: do.UpdateMetadata) -> None:
        self.api.rename(self.name_of(step.container), _name(step.container.wanted, step.commit))

    def _kill(self, step: do.Kill | do.Stop | do.Remove) -> None:
        self.stop(self.name_of(step.container), removing=not isinstance(step, do.Stop))

    def body(self, wanted: Wanted, injected: Mapping[str, str] = {}, image: Mapping[str, Any] = {}) -> Plain:
        """What the engine is asked for: the supervisor's request with the kit's labels, limits, and place for locks.

        The networks that are joined after the first stand under `joins`.
        """
        app, name, version = wanted.app, injected.get("APP_NAME", ""), injected.get("HOST_OS_VERSION", "")
        place = Place(app_id=app, app_uuid=str(app), app_name=name, os_version=version, commit=wanted.commit)
        request = container(wanted.form, name=wanted.name, place=place, image=image)
        body, host = request.body, request.body["HostConfig"]
        told = {**asdict(wanted), "injected": [*injected.items()]}
        body["name"] = _name(wanted, wanted.commit)
        body["Labels"] |= self._labels(app, service=wanted.name, wanted=json.dumps(told, default=str))
        locks = f"{LABEL}_{app}_{wanted.name}"
        own = [text for text in host["Binds"] if not text.startswith("/tmp/balena-supervisor/")]  # noqa: S108
        host["Binds"] = [*own, f"{locks}:{SIGNS}", f"{locks}:/tmp/resin"]
        for key, most in TABLES["limits"].items():
            host[key] = host[key] or (0 if key == "NanoCpus" and host["CpuQuota"] else most)
        if host["NetworkMode"].startswith("container:"):
            other = self._state.container(host["NetworkMode"].removeprefix("container:"), app)
            host["NetworkMode"] = f"container:{self.name_of(other)}" if other else host["NetworkMode"]
            body |= {"ExposedPorts": {}, "Hostname": ""}
        if wanted.oneshot is not None:
            body["Cmd"] = ["sh", "-c", f"exit {wanted.oneshot}"]
        return body | {"joins": {name: end for name, end in request.joins.items() if name.startswith(f"{app}_")}}

    def _check(self, asked: Iterable[str]) -> None:
        if missing := {*asked} - self.allow:
            raise NoImage(f"it opens more of this machine than was allowed: {', '.join(sorted(missing))}")

    def _create(self, step: do.Start) -> str:
        """Make a container, and let it join its networks."""
        wanted = step.wanted
        about = images.has(self.api, images.reference(wanted.image, step.app)) or self.api.inspect_image(wanted.image)
        body = self.body(wanted, dict(step.injected), about["Config"] or {})
        self._check(needs(body, wanted))
        for place in {text.partition(":")[0] for text in body["HostConfig"]["Binds"] if not text.startswith("/")}:
            self.api.create_volume(place, labels=self._labels(step.app))  # what is there stays as it is
        joins, name = body.pop("joins"), body.pop("name")
        body["Image"] = (about["RepoTags"] or [about["Id"]])[0]
        made: str = self.api.create_container_from_config(body, name)["Id"]
        self._boots[_number(made)] = self._state.boot
        for network, end in joins.items():
            addresses = {key.lower().replace("address", "_address"): text for key, text in end["IPAMConfig"].items()}
            self.api.connect_container_to_network(made, network, aliases=end["Aliases"], **addresses)
        return made

    def _start(self, step: do.Start) -> None:
        if isinstance(step, do.Restart) and step.container:
            self.stop(self.name_of(step.container))
        one = self.name_of(step.container) if type(step) is do.Start and step.container else self._create(step)
        if step.wanted.running and not (step.wanted.needs_reboot and self._boots.get(_number(one)) == self._state.boot):
            self.api.start(one)

    def _hand_over(self, step: do.Handover) -> None:
        """The new container starts beside the old one, which is stopped once a file appears or the time is up."""
        assert step.container is not None
        old = self.name_of(step.container)
        if not step.container.handing_over:
            self.api.update_container(old, restart_policy={"Name": "no"})
            self.api.rename(old, f"old_{_name(step.container.wanted, step.container.commit)}")
        self._start(step)
        until(lambda: bool({*self._files(old, SIGNS)} & HANDED_OVER), step.wait_ms / 1000)
        self._delete(old, HANDED_OVER)
        self.stop(old)

    def _create_thing(self, step: do.CreateVolume | do.CreateNetwork) -> None:
        """A volume or a network; one of that name that is not the kit's is left alone."""
        thing, is_volume = step.thing, isinstance(step, do.CreateVolume)
        there = (self.api.volumes()["Volumes"] or []) if is_volume else self.api.networks()
        taken = {each["Name"] for each in there if LABEL not in (each["Labels"] or {})}
        taken |= {(each["Options"] or {}).get(BRIDGE, "") for each in there}
        asked = {key: thaw(value) for key, value in thing.config}
        driver, options = asked.get("driver") or None, asked.get("driver_opts") or {}
        for name in {str(thing), options.get(BRIDGE)} & taken:
            raise NoImage(TABLES["unable"]["foreign"].format(name=name))
        self._check(opened(thing))
        labels = asked.get("labels", {}) | self._labels(step.app, thing=[thing.name, thing.config])
        if is_volume:
            self.api.create_volume(str(thing), driver=driver, driver_opts=options, labels=labels)
            return
        pools = (asked.get("ipam") or {}).get("config") or []
        ipam = {"Config": [{TABLES["pool"].get(key, key): text for key, text in pool.items()} for pool in pools]}
        more = {key: bool(asked.get(key)) for key in ("internal", "enable_ipv6")}
        self.api.create_network(str(thing), driver=driver, options=options, ipam=ipam, labels=labels, **more)

    def _remove_image(self, step: do.RemoveImage) -> None:
        """An image that the kit built goes with its last user; others are only forgotten."""
        self._remember(step)
        tag = images.reference(step.thing.name, step.thing.app)
        if step.thing.name not in self._state.image_names and images.has(self.api, tag):
            self.api.remove_image(tag)

    # ------------------------------------------------------------------------------------------ befall

    def befall(self, event: on.AnyEvent) -> None:
        """What an event does; NotHere if this engine cannot show it, with a sentence."""
        act, one = EVENTS.get(type(event)), None
        if isinstance(event, on.OnService):
            one = self.observe(data=isinstance(event, on.ApiRestart)).container(event.service, event.app)
        if (ms := getattr(event, "ms", 0)) > LONGEST:
            raise NotHere("time", ms=f"{ms:,}", most=f"{LONGEST:,}")
        try:
            if act and (one or not isinstance(event, on.OnService)):
                act(self, event, self.name_of(one) if one else "")
        except foreign_errors() as error:
            raise NotHere("engine", getattr(event, "service", ""), event=event, reason=reason_of(error)) from error
        super().befall(event)

    def _round_over(self, event: on.RoundOver, _one: str) -> None:
        if event.settled:  # places for the lock files of services that are gone
            for each in self.api.volumes(filters={**self._mine, "dangling": True})["Volumes"] or ():
                if f"{LABEL}.thing" not in each["Labels"]:
                    self.api.remove_volume(each["Name"])

    def _exit(self, event: on.ProcessExits, one: str) -> None:
        """Let a process end by itself: by the base image's `crash`, or killed from outside."""
        before = self.api.inspect_container(one)["State"]
        if not before["Running"]:
            return
        if self._run(one, "crash", str(event.code)) in (126, 127):  # there is no such program
            if event.code != 137:
                raise NotHere("crash", event.service)
            try:
                os.kill(before["Pid"], signal.SIGKILL)
            except OSError as error:
                raise NotHere("kill", event.service, reason=error.strerror) from error
        until(lambda: self.api.inspect_container(one)["State"]["FinishedAt"] != before["FinishedAt"])

    def _run(self, one: str, *command: str) -> int:
        """Run a command in a container; the code with which it ends."""
        from docker.errors import APIError

        try:
            job = self.api.exec_create(one, list(command))["Id"]
            self.api.exec_start(job)
            return int(self.api.exec_inspect(job)["ExitCode"] or 0)
        except APIError as error:  # the container may end before its answer comes
            return 127 if "exec failed" in str(error) else 0

    def _write(self, event: on.Writes, one: str) -> None:
        """A running service writes a line into a volume that it mounts, or into its own layer."""
        about = self.api.inspect_container(one)
        places = {each.get("Name"): each["Destination"] for each in about["Mounts"]}
        place = places.get(f"{event.app}_{event.volume}") if event.volume else ""
        if about["State"]["Running"] and place is not None:
            lines = sorted(self._read(one, f"{place}/{WRITES}") | {event.text})
            self.api.put_archive(one, place or "/", archive({WRITES: "\n".join(lines).encode()}))

    def _lock(self, event: on.LockTaken | on.LockDropped, one: str) -> None:
        """Make a lock file, or take all of them away."""
        self._delete(one, LOCK_FILES)
        if isinstance(event, on.LockTaken):
            owner = NOBODY if event.user == "nobody" else 0
            self.api.put_archive(one, SIGNS, archive({"updates.lock": b""}, owner=owner))

    def _hand_over_file(self, event: on.HandoverComplete, one: str) -> None:
        """Make the file that ends a hand-over, later if so said: meanwhile the hand-over begins."""

        def make() -> None:
            with suppress(*foreign_errors()):  # the container may be gone by then
                time.sleep(event.ms / 1000)
                self.api.put_archive(one, SIGNS, archive({"handover-complete": b""}))

        maker = Thread(target=make, daemon=True)
        maker.start()
        maker.join(0 if event.ms else None)

    def _down(self, event: on.EngineRestarts | on.CleanReboot | on.HostUpdated | on.PowerCut, _one: str) -> None:
        """The engine restarts, in good order or not; a boot takes the lock files with it."""
        if self.restart is None:
            raise NotHere("restart")
        now = self.observe(data=True)
        for step in getattr(event, "during", ()):  # half of it is done (S-139, S-140)
            if isinstance(step, do.Start) and not step.container:
                self._create(step)
        codes = getattr(event, "codes", None) or {}
        for each in (each for each in now.containers if each.up and each.service in codes):
            self._run(self.name_of(each), "answer", str(codes[each.service]))
        self.restart(isinstance(event, on.PowerCut))
        until(self._answers)
        for each in () if isinstance(event, on.EngineRestarts) else now.containers:
            self._delete(self.name_of(each), LOCK_FILES | HANDED_OVER)

    def _answers(self) -> bool:
        with suppress(*foreign_errors()):
            return bool(self.api.ping())
        return False


ACTS: Final[dict[Any, Callable[[Docker, Any], None]]] = {  # what a step does to the engine; all others only to memory
    do.Fetch: Docker._fetch, do.TakeLock: Docker._take_lock, do.RemoveImage: Docker._remove_image,
    do.Kill: Docker._kill, do.Stop: Docker._kill, do.Remove: Docker._kill, do.UpdateMetadata: Docker._rename,
    do.Start: Docker._start, do.Restart: Docker._start, do.Handover: Docker._hand_over,
    do.CreateVolume: Docker._create_thing, do.CreateNetwork: Docker._create_thing,
    do.RemoveVolume: lambda docker, step: docker.api.remove_volume(str(step.thing)),
    do.RemoveNetwork: lambda docker, step: docker.api.remove_network(str(step.thing)),
    do.Reboot: lambda docker, _: docker.happen(on.CleanReboot()),
}  # fmt: skip
EVENTS: Final[dict[Any, Callable[[Docker, Any, str], object]]] = {
    on.RoundOver: Docker._round_over, on.ProcessExits: Docker._exit, on.Writes: Docker._write,
    on.ApiStop: lambda docker, _, one: docker.stop(one, removing=False),
    on.ApiStart: lambda docker, _, one: docker.api.start(one),
    on.ContainerLost: lambda docker, _, one: docker.remove(one),
    on.LockTaken: Docker._lock, on.LockDropped: Docker._lock, on.HandoverComplete: Docker._hand_over_file,
    on.TimePasses: lambda _docker, event, _: time.sleep(event.ms / 1000),
    **dict.fromkeys((on.EngineRestarts, on.CleanReboot, on.HostUpdated, on.PowerCut), Docker._down),
}  # fmt: skip


def _name(wanted: Wanted, commit: str) -> str:
    """What a container is called: service, app, commit."""
    return re.sub(r"[^\w.-]", "-", f"{wanted.name}_{wanted.app}_{commit}", flags=re.ASCII)


def _things(listed: Iterable[Any]) -> Iterator[tuple[Any, ...]]:
    """Volumes or networks as app, name and configuration; those with signs are left out."""
    for labels in (each["Labels"] for each in listed if f"{LABEL}.thing" in each["Labels"]):
        yield int(labels[f"{LABEL}.app"]), *tuples(json.loads(labels[f"{LABEL}.thing"]))


def _number(one: str) -> int:
    """The engine's name of a container as a number."""
    return int(one[:12], 16)


def _wanted(listed: Mapping[str, Any]) -> Plain:
    """What a container was made from; empty for those that only lend a hand."""
    return json.loads(listed["Labels"].get(f"{LABEL}.wanted", "{}"))  # type: ignore[no-any-return]


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


def remove_all(client: Any, app: int | None = None, *, volumes: bool = True, session: str = "") -> list[str]:
    """Delete what the kit made on an engine, and nothing else; the names of what is gone.

    Args:
        client: From `connect`.
        app: Only of this app; its images are kept, so that it is quickly up again.
        volumes: Named volumes too, with their data.
        session: Only what this session made.
    """
    api, engine = client.api, Docker(client, app=app)
    mine = {"label": [f"{LABEL}={session}" if session else LABEL, *([] if app is None else [f"{LABEL}.app={app}"])]}
    found = api.containers(all=True, filters=mine)
    engine.side_by_side(engine.stop, [each["Id"] for each in found])
    networks, things = api.networks(filters=mine), api.volumes(filters=mine)["Volumes"] or ()
    places = [each["Name"] for each in things if volumes or f"{LABEL}.thing" not in each["Labels"]]
    tags = [tag for each in api.images(LABEL) for tag in each["RepoTags"] or ()] if app is None and not session else []
    for each in networks:
        api.remove_network(each["Id"])
    for name in places:
        api.remove_volume(name)
    for tag in tags:
        with suppress(*foreign_errors()):  # a container that is not the kit's uses it
            api.remove_image(tag)
    gone = [each["Names"][0].removeprefix("/") for each in found] + [each["Name"] for each in networks]
    return [*gone, *places, *tags]
