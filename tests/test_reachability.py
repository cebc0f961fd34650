"""Who reaches whom: reasons, traps, the lab's view; then the same questions asked of a real engine."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import tarfile
import tempfile
import time
import urllib.request
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import kit
from kit.composition import Composition, Port, Service
from kit.container import container
from kit.rules import catalogue
from labs import reachability_lab
from labs import reachability_model as model
from labs.network_lines import drawn
from labs.reachability_model import OUTSIDE, How, Reach, reachability
from labs.rows import MOST


def found(text: str) -> model.Reachability:
    reading = kit.read(text)
    assert reading.ok, [str(each) for each in reading.findings]
    return reachability(reading)


def ways(text: str) -> dict[tuple[str, str], How]:
    return {pair: reach.how for pair, reach in found(text).pairs.items() if pair[0] != pair[1]}


# ------------------------------------------------------------------------------------------ the matrix


def test_services_without_networks_reach_each_other_by_name() -> None:
    """C-57, C-105: without a word about networks, all are on `default`."""
    assert set(ways("services: {a: {image: x}, b: {image: x}}").items()) >= {(("a", "b"), "name"), (("b", "a"), "name")}


def test_two_networks_part_services_and_a_third_is_on_both() -> None:
    shown = ways(
        "networks: {front: , back: }\nservices: {f: {image: x, networks: [front]}, d: {image: x, networks: [back]},"
        " p: {image: x, networks: [front, back]}}"
    )
    assert shown["f", "d"] == shown["d", "f"] == "no"
    assert shown["p", "f"] == shown["f", "p"] == shown["p", "d"] == shown["d", "p"] == "name"


def test_expose_opens_nothing_and_closes_nothing() -> None:
    """C-45."""
    with_it = found("services: {a: {image: x}, b: {image: x, expose: ['80']}}")
    without = found("services: {a: {image: x}, b: {image: x}}")
    assert with_it.pairs == without.pairs
    assert with_it[OUTSIDE, "b"] == Reach("no", "", "`b` publishes no port. `expose` opens none.", "C-45")
    assert [note.rule for note in with_it.notes] == ["C-45"]


def test_a_published_port_is_open_from_outside_and_across_networks() -> None:
    """C-49."""
    shown = found(
        "networks: {one: , two: }\nservices: {a: {image: x, networks: [one]},"
        " b: {image: x, networks: [two], ports: ['8080:80']}}"
    )
    assert shown[OUTSIDE, "b"].at == "port 8080"
    assert shown["a", "b"] == Reach(
        "device", "port 8080", "No network serves both. `b` publishes port 8080, and the device’s address leads there.",
        "C-49",
    )  # fmt: skip
    assert not shown["b", "a"]


def test_a_bare_port_opens_the_same_port_of_the_device() -> None:
    """C-50, a trap."""
    shown = found("services: {a: {image: x, ports: ['80']}}")
    assert (shown[OUTSIDE, "a"].at, shown[OUTSIDE, "a"].rule) == ("port 80", "C-50")
    assert [note.rule for note in shown.notes] == ["C-50"]


def test_a_port_at_the_loopback_address_is_for_the_device_alone() -> None:
    """C-49."""
    shown = found(
        "services: {a: {image: x, ports: ['127.0.0.1:80:80']}, h: {image: x, network_mode: host},"
        " b: {image: x, network_mode: bridge}}"
    )
    assert not shown[OUTSIDE, "a"]
    assert shown["h", "a"].at == "localhost, port 80"
    assert not shown["b", "a"]


def test_a_host_service_has_no_service_name_and_knows_none() -> None:
    """C-105, topic 11 of what people get wrong."""
    shown = found("services: {h: {image: x, network_mode: host, ports: ['80:80']}, a: {image: x}}")
    assert (shown["a", "h"].how, shown["h", "a"].how, shown[OUTSIDE, "h"].at) == ("address", "address", "every port")
    assert {note.rule for note in shown.notes} == {"C-49", "C-105"}


def test_two_host_services_meet_at_localhost() -> None:
    shown = ways("services: {a: {image: x, network_mode: host}, b: {image: x, network_mode: host}}")
    assert shown["a", "b"] == shown["b", "a"] == "localhost"


def test_a_shared_network_has_the_name_and_the_ports_of_its_owner() -> None:
    """C-56: `service:X` shares the network of X."""
    shown = found(
        "services: {x: {image: i, ports: ['80:80']}, s: {image: i, network_mode: 'service:x'}, o: {image: i}}"
    )
    assert shown["x", "s"].how == shown["s", "x"].how == "localhost"
    assert (shown["o", "s"].how, shown["o", "s"].at) == ("name", "x")
    assert shown["s", "o"].at == "o"
    assert shown[OUTSIDE, "s"].at == "port 80"


def test_a_network_can_be_shared_through_another_service() -> None:
    shown = found(
        "services: {x: {image: i}, s: {image: i, network_mode: 'service:x'}, t: {image: i, network_mode: 'service:s'}}"
    )
    assert shown["t", "x"].how == "localhost"


def test_a_port_on_a_shared_network_is_refused_by_the_engine() -> None:
    shown = found("services: {x: {image: i}, s: {image: i, network_mode: 'service:x', ports: ['80:80']}}")
    assert not shown["x", "s"]
    assert not shown[OUTSIDE, "s"]
    assert "the engine refuses that" in shown["x", "s"].why


def test_none_reaches_nobody_and_nobody_reaches_it() -> None:
    shown = ways("services: {n: {image: x, network_mode: none}, a: {image: x}, h: {image: x, network_mode: host}}")
    assert {how for pair, how in shown.items() if "n" in pair} == {"no"}


def test_the_engines_own_bridge_knows_no_names() -> None:
    """C-56."""
    shown = ways("services: {a: {image: x, network_mode: bridge}, b: {image: x, network_mode: bridge}, c: {image: x}}")
    assert (shown["a", "b"], shown["a", "c"], shown["c", "a"]) == ("address", "no", "no")


def test_the_supervisors_network_is_shared_without_names() -> None:
    """C-89: `supervisor-api` joins a second network, where a service has no alias."""
    label = "labels: {io.balena.features.supervisor-api: '1'}"
    shown = found(
        f"networks: {{one: , two: }}\nservices: {{a: {{image: x, networks: [one], {label}}},"
        f" b: {{image: x, networks: [two], {label}}}}}"
    )
    assert (shown["a", "b"].how, shown["a", "b"].rule) == ("address", "C-89")


def test_a_mode_that_is_no_network_here_means_no_container() -> None:
    """C-105."""
    shown = found("services: {a: {image: x, network_mode: lan}, b: {image: x}}")
    assert "there is no network `lan`" in shown["b", "a"].why
    assert not shown[OUTSIDE, "a"]


def test_an_internal_network_publishes_nothing() -> None:
    """C-84."""
    shown = found("networks: {in: {internal: true}}\nservices: {a: {image: x, networks: [in], ports: ['80:80']}}")
    assert (shown[OUTSIDE, "a"].how, shown[OUTSIDE, "a"].rule) == ("no", "C-84")


def test_a_service_on_an_internal_network_cannot_use_published_ports() -> None:
    """C-84; measured on a real engine."""
    shown = found(
        "networks: {in: {internal: true}}\nservices: {a: {image: x, networks: [in]}, b: {image: x, ports: ['80:80']}}"
    )
    assert (shown["a", "b"].how, shown["a", "b"].rule) == ("no", "C-84")


def test_an_alias_is_another_name() -> None:
    shown = found(
        "networks: {n: }\nservices: {a: {image: x, networks: {n: {aliases: [api]}}}, b: {image: x, networks: [n]}}"
    )
    assert "`api` is another name" in shown["b", "a"].why


def test_the_alphabet_decides_the_primary_network() -> None:
    """C-57, C-105, a trap: the order of the file is lost."""
    shown = found("networks: {web: , admin: }\nservices: {a: {image: x, networks: [web, admin]}}")
    assert shown.ends["a"].primary == "admin"
    assert [note.rule for note in shown.notes] == ["C-57"]


def test_a_shared_host_port_is_noted() -> None:
    """C-49: nobody detects it."""
    shown = found("services: {a: {image: x, ports: ['80:1']}, b: {image: x, ports: ['80:2']}}")
    assert ("b", "C-49") in [(note.service, note.rule) for note in shown.notes]
    apart = found("services: {a: {image: x, ports: ['80:1']}, b: {image: x, ports: ['80:2/udp']}}")
    assert apart.notes == ()


def test_a_port_that_the_device_cannot_read_is_noted() -> None:
    """C-50."""
    shown = found("services: {a: {image: x, ports: ['8000-8001:80']}}")
    assert [note.rule for note in shown.notes] == ["C-50"]


def test_an_optional_service_whose_network_is_shared_is_noted() -> None:
    """S-67."""
    shown = found(
        "services: {x: {image: i, labels: {io.balena.features.optional: '1'}},"
        " s: {image: i, network_mode: 'service:x'}}"
    )
    assert ("s", "S-67") in [(note.service, note.rule) for note in shown.notes]


def test_a_composition_made_by_hand_gives_the_same_as_one_that_was_read() -> None:
    text = (
        "networks: {web: , admin: }\nservices: {a: {image: x, networks: [web, admin], ports: ['80']},"
        " b: {image: x, networks: [web]}}"
    )
    reading = kit.read(text)
    made = Composition(
        services=(
            Service(name="a", image="x", networks=("web", "admin"), ports=(Port(target="80"),)),
            Service(name="b", image="x", networks=("web",)),
        ),
        networks=reading.composition.networks if reading.composition else (),
    )
    assert reachability(reading) == reachability(reading.normal or {}) == reachability(made)


MODES = ("", "", "", "host", "none", "bridge", "default", "service:a", "service:b", "lan")


@st.composite
def releases(draw: st.DrawFn) -> Composition:
    services = []
    for name in ("a", "b", "c", "d")[: draw(st.integers(1, 4))]:
        mode = draw(st.sampled_from([one for one in MODES if one != f"service:{name}"]))
        nets = () if mode else tuple(draw(st.sets(st.sampled_from(("back", "front", "default")), max_size=2)))
        ports = draw(st.sets(st.sampled_from((Port(target="80"), Port(target="80", published="8080"))), max_size=2))
        services.append(Service(name=name, image="x", network_mode=mode, networks=nets, ports=tuple(ports)))
    return Composition(services=tuple(services), networks=(kit.Network(name="front"), kit.Network(name="back")))


@given(releases())
@settings(max_examples=150, deadline=None)
def test_every_pair_has_a_reason_and_names_work_both_ways(release: Composition) -> None:
    shown = reachability(release)
    names = shown.services
    assert set(shown.pairs) == set(product((OUTSIDE, *names), names))
    for (source, target), reach in shown.pairs.items():
        assert reach.why.endswith("."), reach
        assert reach.rule in catalogue()
        if source and reach.how == "name":
            assert shown[target, source].how == "name"
        if source and reach.how == "localhost":
            assert shown[target, source].how in ("localhost",)
    assert model.network_card(release).startswith("<style>")


# ------------------------------------------------------------------------------------ on a real engine

STAGE = """
networks: {front: , back: , shut: {internal: true}}
services:
  proxy: {image: x, networks: [front, back], ports: ["22080:21000"]}
  web: {image: x, networks: {front: {aliases: [site]}}}
  data: {image: x, networks: [back]}
  side: {image: x, network_mode: "service:data"}
  radio: {image: x, network_mode: host}
  other: {image: x, network_mode: host}
  lone: {image: x, network_mode: none}
  old: {image: x, network_mode: bridge}
  older: {image: x, network_mode: bridge}
  local: {image: x, networks: [back], ports: ["127.0.0.1:22081:21009"]}
  safe: {image: x, networks: [shut], ports: ["22082:21010"]}
  plain: {image: x}
"""


@contextmanager
def engine() -> Iterator[str]:
    """The address of an engine: one that is named or listens here, else a `dockerd` for these tests alone.

    Two engines of one machine share its firewall: one that starts meanwhile cuts the other's networks for a moment.
    """
    named = os.environ.get("KIT_ENGINE") or os.environ.get("DOCKER_HOST")
    if named or SOCKET.is_socket():
        yield named or f"unix://{SOCKET}"
        return
    if missing := [program for program in ("dockerd", "ip", "iptables") if shutil.which(program) is None]:
        pytest.skip(f"no Docker engine listens at {SOCKET}, and none can be started without {missing[0]}")
    if os.geteuid():
        pytest.skip(f"no Docker engine listens at {SOCKET}, and only root may start one")
    with tempfile.TemporaryDirectory(prefix="kit-net-", ignore_cleanup_errors=True) as folder:
        place = Path(folder)
        command = ["dockerd", "--data-root", place / "data", "--exec-root", place / "exec", "--bridge", BRIDGE,
                   "--host", f"unix://{place / 'sock'}", "--pidfile", place / "pid"]  # fmt: skip
        for words in ("link add {} type bridge", "addr add 10.213.7.1/24 dev {}", "link set {} up"):
            subprocess.run(["ip", *words.format(BRIDGE).split()], check=True)
        try:
            with (place / "log").open("wb") as log:
                process = subprocess.Popen(list(map(str, command)), stdout=log, stderr=log, start_new_session=True)
            try:
                for _try in range(600):
                    if (place / "sock").is_socket() or process.poll() is not None:
                        break
                    time.sleep(0.1)
                if process.poll() is not None:
                    pytest.skip(f"dockerd does not start here: {(place / 'log').read_text()[-300:]}")
                yield f"unix://{place / 'sock'}"
            finally:
                process.terminate()
                process.wait(60)
        finally:
            subprocess.run(["ip", "link", "del", BRIDGE], check=True)


@pytest.fixture(scope="module")
def docker_client() -> Iterator[Any]:
    docker = pytest.importorskip("docker", reason="the docker package is not installed")
    with engine() as address:
        client = docker.DockerClient(base_url=address, timeout=60, version="1.41")
        try:
            client.ping()
            yield client
        finally:
            client.close()


def busybox() -> bytes:
    """A root file system with nothing but busybox."""
    where = shutil.which("busybox")
    if where is None:
        pytest.skip("no busybox here: apt-get install busybox-static")
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        tar.add(where, "bin/busybox")
        for name in ("sh", "httpd", "nc", "tail", "printf", "mkdir", "rm", "nslookup", "sed", "head", "cat", "timeout"):
            link = tarfile.TarInfo(f"bin/{name}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            tar.addfile(link)
    return packed.getvalue()


@pytest.fixture(scope="module")
def stage(docker_client: Any) -> Iterator[dict[str, Any]]:
    """The services of STAGE as containers, made from the kit's own requests; each serves its name at a port."""
    session = f"kit-test-{uuid.uuid4().hex[:8]}"
    label = {"kit.session": session}
    form = kit.read(STAGE).normal or {}
    image = f"{session}:1"
    docker_client.api.import_image_from_data(busybox(), repository=session, tag="1")
    made: dict[str, Any] = {}
    networks: list[Any] = []
    try:
        for name in dict.fromkeys((*form["networks"], "default")):
            inside = bool((form["networks"].get(name) or {}).get("internal"))
            networks.append(docker_client.networks.create(f"{session}_{name}", internal=inside, labels=label))
        for name, service in sorted(form["services"].items(), key=_owners_first):
            made[name] = _started(docker_client, session, image, name, service, made, label)
        yield made
    finally:
        for one in docker_client.containers.list(all=True, filters={"label": f"kit.session={session}"}):
            one.remove(force=True)
        for one in networks:
            one.remove()
        docker_client.images.remove(image, force=True)


def _owners_first(item: tuple[str, Mapping[str, Any]]) -> bool:
    return str(item[1].get("network_mode", "")).startswith("service:")


def port_of(name: str) -> int:
    """Where a service listens; `proxy`, `local` and `safe` are published under these."""
    return 21100 + [*kit.read(STAGE).normal["services"]].index(name) if name not in PUBLISHED else PUBLISHED[name]  # type: ignore[index]


SOCKET = Path("/var/run/docker.sock")
BRIDGE = "kit-test0"
PUBLISHED = {"proxy": 21000, "local": 21009, "safe": 21010}


def _started(client: Any, session: str, image: str, name: str, service: Mapping[str, Any], made: Mapping[str, Any],
             label: dict[str, str]) -> Any:  # fmt: skip
    request = container(service, name=name)
    host, joined = request.body["HostConfig"], request.body["NetworkingConfig"]["EndpointsConfig"]
    mode = host["NetworkMode"].replace("app_", f"{session}_")
    mode = f"container:{made[mode.removeprefix('container:')].id}" if mode.startswith("container:") else mode
    bound = {
        inside: [(each["HostIp"], int(each["HostPort"])) for each in outside]
        for inside, outside in host["PortBindings"].items()
    }
    serve = f"mkdir -p /w && echo {name} > /w/index.html && exec httpd -f -p {port_of(name)} -h /w"
    api = client.api
    ends = {
        key.replace("app_", f"{session}_"): api.create_endpoint_config(aliases=body["Aliases"])
        for key, body in joined.items()
    }
    created = api.create_container(
        image, ["sh", "-c", serve], labels=label, ports=[tuple(key.split("/")) for key in bound],
        host_config=api.create_host_config(network_mode=mode, port_bindings=bound),
        networking_config=api.create_networking_config(ends) if ends else None,
    )  # fmt: skip
    one = client.containers.get(created["Id"])
    for key, body in request.joins.items():
        client.networks.get(key.replace("app_", f"{session}_")).connect(one, aliases=body["Aliases"])
    one.start()
    one.reload()
    return one


# busybox made with glibc asks for names only in `nslookup`, so addresses are looked up first.
ASK = """(
case {host} in
  localhost) to=127.0.0.1 ;;
  *[a-z]*) to=$(timeout 4 nslookup {host} 2>/dev/null | sed -n '3,$s/^Address: *//p' | head -n 1) ;;
  *) to={host} ;;
esac
[ -n "$to" ] && printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc -w 4 $to {port} 2>/dev/null | tail -n 1 > /tmp/{number}
) &
"""


def heard(one: Any, asked: list[tuple[str, int]]) -> list[str]:
    """What a container gets from each host and port; all are asked at once. An empty text is no answer."""
    script = "".join(ASK.format(host=host, port=port, number=number) for number, (host, port) in enumerate(asked))
    told = "".join(f"cat /tmp/{number} 2>/dev/null; echo /\n" for number in range(len(asked)))
    _code, output = one.exec_run(["sh", "-c", f"mkdir -p /tmp; cd /tmp; rm -f *; {script}wait\n{told}"])
    return [part.strip() for part in output.decode().split("/\n")[: len(asked)]]


def address_of(one: Any) -> list[str]:
    found = one.attrs["NetworkSettings"]["Networks"].values()
    return [each["IPAddress"] for each in found if each["IPAddress"]]


def ways_to(
    shown: model.Reachability, source: str, target: str, stage: Mapping[str, Any], device: str
) -> dict[str, Any]:
    """All that can be tried to get from one service to another: what kind of address it is, host and port."""
    reach, port, end = shown[source, target], port_of(target), shown.ends[target]
    owner = stage.get(end.space, stage[target])
    opened = [each.port for each in end.openings]
    return {
        "name": [(target, port)],
        "way": [(reach.at, port)] if reach.how in ("name", "localhost") else [],
        "address": [(each, port) for each in address_of(owner)],
        "device": [(device, each) for each in (*opened, port)],
        "here": [("localhost", each) for each in opened] if shown.ends[source].space == "host" else [],
    }


@pytest.mark.engine
def test_a_real_engine_gives_the_same_matrix(stage: dict[str, Any]) -> None:
    """Each service asks every other by name, by the address of its container, and at the device's address."""
    shown = reachability(kit.read(STAGE))
    device = stage["old"].attrs["NetworkSettings"]["Networks"]["bridge"]["Gateway"]
    differs = []
    for source in stage:
        for _again in range(3):  # a loaded machine is slow, and a slow answer looks like none
            if not (found_here := misfits(shown, source, stage, device)):
                break
            time.sleep(3)
        differs += found_here
    assert differs == []


def misfits(shown: model.Reachability, source: str, stage: Mapping[str, Any], device: str) -> list[Any]:
    """The ways from one service on which the engine and the function do not agree."""
    tried = {target: ways_to(shown, source, target, stage, device) for target in stage if target != source}
    asked = [each for ways in tried.values() for kind in ways.values() for each in kind]
    answers = iter(heard(stage[source], asked))
    differs = []
    for target, ways in tried.items():
        got = {kind: [next(answers) == target for _each in each] for kind, each in ways.items()}
        by_name, by_way, by_address = (any(got[kind]) for kind in ("name", "way", "address"))
        by_device = any(got["device"] + got["here"])
        reach = shown[source, target]
        fits = {
            "name": by_way and by_name == (reach.at == target),
            "localhost": by_way,
            "address": not by_name and (by_address or by_device),
            "device": not by_name and by_device,
            "no": not any(map(any, got.values())),
        }[reach.how]
        differs += [] if fits else [(source, target, reach, ways, got)]
    return differs


@pytest.mark.engine
def test_a_real_engine_opens_the_same_ports_to_other_machines(stage: dict[str, Any]) -> None:
    """Asked at an address of the machine that is not its loopback address: what another machine could use."""
    shown = reachability(kit.read(STAGE))
    device = stage["old"].attrs["NetworkSettings"]["Networks"]["bridge"]["Gateway"]
    answers = {}
    for target in stage:
        opened = [each.port for each in shown.ends[target].openings] or [port_of(target)]
        answers[target] = [page(device, port) == target for port in (*opened, port_of(target))]
    assert {target: any(found) for target, found in answers.items()} == {
        target: bool(shown[OUTSIDE, target]) for target in stage
    }


def page(host: str, port: int) -> str:
    """The text at an address, or nothing."""
    try:
        with urllib.request.urlopen(f"http://{host}:{port}/", timeout=2) as answer:
            return str(answer.read().decode().strip())
    except OSError:
        return ""


@pytest.mark.engine
def test_a_real_engine_refuses_ports_on_a_shared_network(docker_client: Any, stage: dict[str, Any]) -> None:
    """Why such a service has no container here."""
    api = docker_client.api
    shared = api.create_host_config(network_mode=f"container:{stage['data'].id}", port_bindings={"80/tcp": 22090})
    image = stage["data"].attrs["Image"]
    with pytest.raises(Exception, match="conflicting options"):
        api.create_container(image, ["sh"], host_config=shared, ports=[(80, "tcp")])


# ------------------------------------------------------------------------------------------- the lab

EVIL = '"><img src=x onerror=alert(1)>'
RELEASE = """
networks: {front: , back: }
services:
  proxy: {image: x, networks: [front, back], ports: ["80:80"]}
  frontend: {image: x, networks: [front]}
  data: {image: x, networks: [back]}
"""


@pytest.fixture
def lab() -> Iterator[Any]:
    opened = reachability_lab(RELEASE)
    yield opened
    opened.close()


def test_the_lab_answers_the_pair_that_is_asked_about(lab: Any) -> None:
    assert lab.view.answer == "Another machine does not reach `data`."
    lab.put(replace(lab.inputs, source="proxy"))
    assert lab.status.text == (
        "proxy reaches data by name: data. Both are on back, and every port that data listens at is open there. (C-105)"
    )
    lab._controls["target"].value = "frontend"
    assert lab.view.answer == "`proxy` reaches `frontend` by name: `frontend`."


def test_a_change_of_a_network_changes_the_matrix_and_the_picture(lab: Any) -> None:
    lab.put(replace(lab.inputs, source="frontend", target="data"))
    assert lab.view.answer == "`frontend` does not reach `data`."
    before = lab.view.panels["lines"]
    lab._controls["networks", "3"].value = "front back"
    assert lab.view.answer == "`frontend` reaches `data` by name: `data`."
    assert lab.view.panels["lines"] != before
    assert [service.networks for service in lab.answer.services][2] == ("back", "front")


def test_services_come_and_go(lab: Any) -> None:
    for _time in range(8):
        lab._controls["add"].click()
    assert len(lab.answer.services) == MOST
    assert lab._controls["add"].disabled
    lab._controls["remove 1"].click()
    assert [service.name for service in lab.answer.services][:3] == ["frontend", "data", "monitor"]
    for number in range(8):
        lab._controls[f"remove {min(number, 1) or 1}"].click()
    assert lab.view.answer == "There is no service yet."
    assert not lab.status.fault


def test_a_mode_closes_the_networks_of_a_service(lab: Any) -> None:
    lab._controls["mode", "3"].value = "host"
    assert lab._controls["networks", "3"].disabled
    assert lab.view.answer == "Another machine reaches `data` at the device’s address, every port."
    assert "service:proxy" in dict(lab._controls["mode", "3"].options)
    assert "service:data" not in dict(lab._controls["mode", "3"].options)


def test_what_cannot_be_read_is_said_and_not_raised(lab: Any) -> None:
    for column, text in (("ports", "eighty:80"), ("ports", EVIL), ("name", EVIL), ("name", ""), ("name", "proxy")):
        lab.put(model.inputs_of(kit.read(RELEASE).composition or Composition()))
        lab._controls[column, "3"].value = text
        assert lab.view.answer == "Refused. No release is made."
        assert not lab.status.fault
        assert "<img" not in lab.still()
        assert "<img" not in "".join(lab.view.panels.values())


def test_the_picture_has_a_table_that_says_the_same(lab: Any) -> None:
    rows = lab.view.table.count('scope="row"')
    assert rows == 3 * 4 - 3
    assert 'role="img"' in lab.still()
    assert lab.still().count("<table") == 2


def test_the_way_that_is_asked_about_is_drawn_stronger() -> None:
    composition = kit.read(RELEASE).composition or Composition()
    found_ways = reachability(composition)
    assert 'stroke="var(--mc-old)"' in drawn(composition, found_ways, "proxy", "data")
    assert 'stroke="var(--mc-old)"' not in drawn(composition, found_ways, "frontend", "data")


def test_equal_inputs_give_equal_bytes() -> None:
    inputs = model.inputs_of(kit.read(RELEASE).composition or Composition())
    assert model.view(inputs).pictures == model.view(inputs).pictures


def test_a_lab_of_something_unreadable_is_a_notice() -> None:
    assert str(reachability_lab("services: [")).startswith("Refused.")
