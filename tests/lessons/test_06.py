"""Notebook 06: two networks that hide a backend, and a service with the least access that does the job."""

from __future__ import annotations

import re
from random import Random

from answers import Exercises, words
from kit.container import FEATURE_TABLE
from lessons import ports_networks

T = ports_networks.START
HIDDEN = """\
networks:
  front:
  back:
services:
  frontend:
    build: ./frontend
    networks:
      - front
    ports:
      - "80:80"
  backend:
    build: ./backend
    networks:
      - front
      - back
  database:
    build: ./database
    networks:
      - back
"""
LEAST = """\
services:
  sensors:
    build: ./example
    devices:
      - "/dev/i2c-1:/dev/i2c-1"
      - "/dev/ttyACM0:/dev/ttyACM0"
    labels:
      io.balena.features.dbus: '1'
"""
ALIAS = "./database\n    networks: {back: {aliases: [db]}}\n"
BOTH = "      - front\n      - back\n"
BUS = "    labels:\n      io.balena.features.dbus: '1'\n"


class TestExercises(Exercises):
    lesson = ports_networks.lesson
    right = [
        ("06.1", HIDDEN),
        ("06.1", HIDDEN.replace("  back:\n", "  back: {internal: true}\n")),
        ("06.1", HIDDEN.replace("front:", "web:").replace("- front", "- web")),
        ("06.1", HIDDEN.replace('"80:80"', '"0.0.0.0:80:8080"') + "    expose: ['5432']\n"),
        ("06.1", HIDDEN.replace("./database\n    networks:\n      - back\n", ALIAS)),
        ("06.2", LEAST),
        ("06.2", LEAST.replace(BUS, "    volumes:\n      - /run/dbus:/run/dbus\n")),
        ("06.2", LEAST.replace("'1'", "'on'").replace('"/dev/i2c-1:/dev/i2c-1"', "/dev/i2c-1")),
    ]  # fmt: skip
    wrong = [
        ("06.1", T.replace('    ports:\n      - "8080:8080"\n', ""), "`frontend` reaches `database`", "Without"),
        ("06.1", HIDDEN.replace(BOTH, "      - front\n"), "`backend` does not reach", "By name"),
        ("06.1", HIDDEN.replace('    ports:\n      - "80:80"\n', ""), "at port 80", "One door"),
        ("06.1", HIDDEN.replace("./backend\n", './backend\n    ports: ["8080:8080"]\n'), "is open", "only its"),
        ("06.1", HIDDEN.replace("  front:\n", "").replace("- front", "- default"), "Somebody adds", "who says nothing"),
        ("06.1", HIDDEN.replace("  back:\n", "").replace("- back", "- default"), "Somebody adds", "who says nothing"),
        ("06.1", HIDDEN.replace('"80:80"', '"127.0.0.1:80:80"'), "does not reach `frontend` at port 80", "One door"),
        ("06.1", HIDDEN.replace('"80:80"', '"80:80/udp"'), "does not reach `frontend` at port 80", "One door"),
        ("06.1", HIDDEN.replace("    networks:\n" + BOTH, "    network_mode: host\n"), "is open", "only"),
        ("06.1", HIDDEN + "  log: {image: x}\n", "The services are not the same: `log`", "the services stay"),
        ("06.2", LEAST + "    privileged: true\n", "is privileged", "not the whole device"),
        ("06.2", LEAST.replace(BUS, ""), "`/run/dbus` of the device is not inside", "comes by a feature label"),
        ("06.2", LEAST.replace('      - "/dev/ttyACM0:/dev/ttyACM0"\n', ""), "`/dev/ttyACM0` is not inside", "a field"),
        ("06.2", LEAST + "    network_mode: host\n", "opens more than it uses: `network_mode: host`", "not needed"),
        ("06.2", LEAST + "    cap_add: [SYS_RAWIO]\n", "enough to leave the container", "not needed"),
        ("06.2", LEAST.replace("dbus", "balena-socket"), "`/run/dbus` of the device", "comes by"),
        ("06.2", LEAST + "      io.balena.features.sysfs: '1'\n", "opens more than it uses", "not needed"),
        ("06.2", LEAST.replace("'1'", "'yes'"), "`/run/dbus` of the device is not inside", "by a feature label"),
        ("06.2", LEAST.replace("i2c-1:/dev/i2c-1", "i2c-1:/dev/bus"), "`/dev/i2c-1` is not inside", "a field"),
        ("06.2", LEAST.replace("/dev/ttyACM0:", "/dev/ttyACM1:"), "called so there is /dev/ttyACM1", "a field"),
        ("06.2", LEAST.replace('ttyACM0"', 'ttyACM0:m"'), "with `m` only", "less than reading"),
        ("06.2", LEAST.replace("    labels", "      - /dev:/dev\n    labels"), "`/dev:/dev:rwm`", "not needed"),
        ("06.2", LEAST + "  helper: {image: x, privileged: true}\n", "`helper` opens more", "not needed"),
        ("06.2", LEAST + "    ports: ['80:80']\n", "nobody needs that", "waits for no visitor"),
        ("06.2", LEAST.replace("sensors", "gpio"), "no service `sensors`", "keeps its name"),
    ]  # fmt: skip


def test_nothing_goes_by_name_where_one_is_on_the_devices_network() -> None:
    """C-105."""
    assert "You said 2. It is 0." in str(ports_networks.by_name("2"))
    assert "has no service name" not in str(ports_networks.by_name("")) or "guess" in str(ports_networks.by_name(""))


def test_the_table_of_features_is_that_of_the_kit() -> None:
    """C-89: every label, what it opens, and whether it reaches the whole device."""
    rows = re.findall(
        r"^\| `([\w.-]+)` \| (.*) \| (\*\*the whole device\*\*|a part of it) \|$", words("06"), re.MULTILINE
    )
    expected = {name: (row["opens"], row["dangerous"]) for name, row in FEATURE_TABLE.items()}
    assert {name: (opens, reach.startswith("**")) for name, opens, reach in rows} == expected
    assert {name for name, row in FEATURE_TABLE.items() if not row.get("supervisor")} == {rows[-2][0], rows[-1][0]}


def test_what_is_needed_and_nothing_else_is_reached_on_made_up_devices() -> None:
    """The check knows what a container reaches: the guide's own example and `privileged` reach more than their task."""
    right = [answer for number, answer in TestExercises.right if number == "06.2"]
    for answer in (*right, ports_networks.PRIVILEGED, LEAST + "    cap_add: [CAP_SYS_RAWIO]\n"):
        host = ports_networks._asked_for(answer)
        found = [each for each in ports_networks.things(Random(7), 60) if ports_networks.reached(host, each)]
        used = [*ports_networks.NEEDS["devices"], *ports_networks.NEEDS["binds"]]
        assert ([each.name for each in found] == used) is (answer in right), answer
        assert len(found) >= len(used)


def test_the_example_of_the_guide_opens_the_whole_device() -> None:
    """C-58, C-69: `/dev/mem` and SYS_RAWIO are enough to leave the container."""
    text = (ports_networks.kit.device.data_folder() / "compositions" / "hardware.yml").read_text(encoding="utf-8")
    told = str(ports_networks.doors(text)).splitlines()
    assert len(told) == 4
    assert sum("enough to leave the container" in line for line in told) == 2
    assert str(ports_networks.doors("services: [")) == "Refused. No release is made."
