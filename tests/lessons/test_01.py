"""Notebook 01: one service becomes two, and a file of which everything arrives."""

from __future__ import annotations

from answers import Exercises
from lessons import image_to_release

V = image_to_release.VANISHING
PAIR = """\
services:
  frontend:
    build: ./frontend
    depends_on:
      - backend
    ports:
      - "80:80"
  backend:
    build: ./backend
"""
MENDED = """\
services:
  web:
    build: ./web
    ports:
      - "80:8080"
    restart: on-failure
    environment:
      MODE: "010"
    labels:
      io.balena.features.dbus: '1'
"""


class TestExercises(Exercises):
    lesson = image_to_release.lesson
    right = [
        ("01.1", PAIR),
        ("01.1", PAIR.replace("./frontend", "{context: frontend}").replace('"80:80"', "80:8080")),
        ("01.1", "networks: {inner: }\n" + PAIR.replace("    build", "    networks: [inner]\n    build")),
        ("01.1", PAIR.replace("      - backend\n", "      backend: {condition: service_started}\n")),
        ("01.2", MENDED),
        ("01.2", MENDED.replace('MODE: "010"', "MODE: '010'").replace("'1'", "on")),
        ("01.2", MENDED.replace('      MODE: "010"', "      - MODE=010")),
    ]
    wrong = [
        ("01.1", PAIR.replace("    depends_on:\n      - backend\n", ""), "`frontend` waits for nothing", "one round"),
        ("01.1", PAIR.replace('"80:80"', '"8080:80"'), "Port 80 of the device does not lead", "is still wanted"),
        ("01.1", PAIR.replace('"80:80"', '"80:80/udp"'), "Port 80 of the device does not lead", "is still wanted"),
        ("01.1", PAIR.replace('"80:80"', '"127.0.0.1:80:80"'), "the device itself", "is still wanted"),
        ("01.1", PAIR + '    ports:\n      - "81:80"\n', "The backend is open from outside", "without published ports"),
        ("01.1", PAIR + "  main:\n    build: ./app\n", "`main` is there too", "does not stay beside"),
        ("01.1", PAIR.replace("backend:", "data:").replace("- backend", "- data"), "There is no service", "one"),
        ("01.1", PAIR.replace("build: ./backend", "build: ."), "`backend` comes from", "its own folder"),
        ("01.1", PAIR + "    network_mode: host\n", "has no network of its own", "Neither service needs"),
        ("01.1", "networks: {a: , b: }\n" + PAIR.replace("    build: ./f", "    networks: [a]\n    build: ./f")
         + "    networks: [b]\n", "does not reach `backend` by name", "one network serves both"),
        ("01.1", PAIR.replace("- backend", "- back"), "Line 5", "Look at line 5"),
        ("01.2", MENDED.replace("on-failure", "on-failure:3"), "`restart: on-failure:3`", "On the device: always"),
        ("01.2", MENDED.replace("    restart: on-failure\n", ""), "The device uses `always`", "Four words are known"),
        ("01.2", MENDED.replace('"80:8080"', '"8080:8080"'), "does not lead to 8080", "is not a free port"),
        ("01.2", MENDED.replace("80:8080", "80:8080/udp"), "does not lead to 8080", "is not a free port"),
        ("01.2", MENDED.replace("on-failure", "unless-stopped"), "The device uses `unless-stopped`", "Four words"),
        ("01.2", MENDED.replace('"010"', "010"), "becomes something else", "At release"),
        ("01.2", MENDED.replace('      MODE: "010"', '      MODE: "10"'), "Inside the container `MODE`", "octal"),
        ("01.2", MENDED.replace("    labels:\n      io.balena.features.dbus: '1'\n", ""), "not inside", "in disguise"),
        ("01.2", MENDED.replace("'1'", "'yes'"), "", "At release"),
        ("01.2", MENDED.replace("  web:", "  site:"), "no service `web`", "keeps its name"),
        ("01.2", V.replace("    container_name: web\n", ""), "has no effect", "At release"),
    ]  # fmt: skip


def test_four_of_five_things_are_gone_with_a_compose_file() -> None:
    """C-112, C-114."""
    rows = image_to_release.contrast()
    assert [key for key, _before, _after, same in rows if same] == ["restart"]
    assert {key: before for key, before, *_rest in rows}["feature labels"] == "5 are on"
    assert "You said 5. It is 1." in str(image_to_release.same_service("5"))
    assert "privileged" not in str(image_to_release.same_service(""))
