"""Read every composition under a folder twice, with the kit and with balena's own parser, and print what differs.

`python tests/oracle/compare_compositions.py FOLDER NPM`, where NPM is a folder with npm's @balena/compose-parser
(`compose_parser.cjs` says which). Of a release the normal form is compared, of a refusal the class of the error.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

if __name__ == "__main__":  # so that a checkout works without an installed package
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from kit.reader import normal_form, read
from kit.rules import check

NAMES = re.compile(r"(docker-compose[^/]*|compose)\.ya?ml", re.IGNORECASE)
FOLDER = "/home/me/project"
BUILD_MACHINE = {"PATH": "/usr/bin", "HOME": "/root"}


def kit(path: Path) -> dict[str, Any]:
    """What the kit says, in the shape of the script's answer."""
    try:
        reading = read(path, env=BUILD_MACHINE, outside=True)
        findings = check(reading)
        if reading.ok:
            return {"composition": normal_form(reading)}
        found = next(found for found in findings if found.reported)
        return {"error": found.error_class, "message": str(found)}
    except Exception:
        return {"error": "crash", "message": traceback.format_exc(limit=-3)}


def parsers(paths: list[Path], npm: Path) -> list[dict[str, Any]]:
    """What balena's parser says of each."""
    questions = [{"folder": str(path.parent), "files": [path.name], "env": BUILD_MACHINE} for path in paths]
    script = Path(__file__).with_name("compose_parser.cjs")
    lines = "".join(f"{json.dumps(question)}\n" for question in questions)
    done = subprocess.run(["node", script], cwd=npm, input=lines, stdout=subprocess.PIPE, encoding="utf-8", check=True)
    answers = [line for line in done.stdout.split("\n") if line]
    return [moved(line, path.parent) for path, line in zip(paths, answers, strict=True)]


def moved(answer: str, folder: Path) -> dict[str, Any]:
    """An answer as if the project lay where the kit takes it to lie; an absolute context climbs to the root."""
    up, ours = ('"' + "../" * (len(each.parts) - 1) for each in (folder, Path(FOLDER)))
    found: dict[str, Any] = json.loads(answer.replace(str(folder), FOLDER).replace(up, ours))
    return found


def unlike(ours: Any, theirs: Any, path: str = "") -> Iterator[str]:
    """Each place where two normal forms differ; the order of keys is no difference."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for key in sorted({*ours, *theirs}):
            yield from unlike(ours.get(key, "nothing"), theirs.get(key, "nothing"), f"{path}.{key}".lstrip("."))
    elif type(ours) is not type(theirs) or ours != theirs:
        yield f"{path}: kit {json.dumps(ours)}, parser {json.dumps(theirs)}"


def main(folder: Path, npm: Path) -> int:
    paths = sorted(path.resolve() for path in folder.rglob("*") if path.is_file() and NAMES.fullmatch(path.name))
    verdicts = forms = classes = crashes = accepted = 0
    slowest = 0.0
    for path, theirs in zip(paths, parsers(paths, npm), strict=True):
        begun = time.perf_counter()
        ours = kit(path)
        slowest = max(slowest, time.perf_counter() - begun)
        crashes += ours.get("error") == "crash"
        accepted += "composition" in theirs
        if ("composition" in ours) != ("composition" in theirs):
            said = [f"kit {ours.get('message', 'accepts')}", f"parser {theirs.get('message', 'accepts')}"]
        elif "composition" in ours:
            verdicts += 1
            said = list(unlike(ours["composition"], theirs["composition"]))
            forms += not said
        else:
            verdicts += 1
            classes += (same := ours["error"] == theirs["error"])
            said = (
                []
                if same
                else [f"kit {ours['error']} {ours['message']}", f"parser {theirs['error']} {theirs['message']}"]
            )
        if said:
            print(path.relative_to(folder.resolve()), *said, sep="\n    ")
    print(f"{verdicts} of {len(paths)} same verdict; of {accepted} accepted, {forms} same normal form;")
    print(f"of {len(paths) - accepted} refused, {classes} same class; {crashes} crashes; slowest {slowest:.2f} s")
    return int(verdicts + forms + classes + crashes < 2 * len(paths) or crashes > 0)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
