"""A coverage-guided search for a text that makes the reader raise, or takes it too long.

Needs atheris (PyPI), and looks for ten minutes unless told otherwise:

    python -m venv out/fuzz && out/fuzz/bin/pip install atheris pyyaml semver
    out/fuzz/bin/python tests/fuzz/read.py -max_total_time=600 -max_len=4096 out/corpus

It ends at the first text that raises; libFuzzer writes that text to a file and prints its name. A text that takes
over two seconds ends it too (`-timeout=2` is given unless you give another).
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import atheris

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

with atheris.instrument_imports(include=["kit"]):
    import kit
    import kit.contracts
    import kit.vanishing
    import kit.versions

DEVICE = kit.Device("raspberrypi4-64", "aarch64", "19.0.5", os="6.3.0+rev4", kernel="5.15.92-v8")


def one(data: bytes) -> None:
    """Everything that a text can reach: read, check, normal form, decision, the vanishing list."""
    text = data.decode("utf-8", "surrogateescape" if data[:1] == b"\x00" else "replace")
    reading = kit.read(text, env={"A": "1"}, files={"other.yml": text, ".env": text, "vars.env": text})
    kit.check(reading)
    json.dumps(kit.normal_form(reading))
    kit.vanishing.vanishing(reading)
    if reading.composition is not None:
        kit.decide(reading.composition, DEVICE.facts)
    kit.read_device(text, "device.yml")
    kit.valid_range(text)


def seeds(folder: Path) -> None:
    """The recorded cases and the example compositions, as first texts."""
    folder.mkdir(parents=True, exist_ok=True)
    cases = json.loads((ROOT / "tests/cases/composition_cases.json").read_text(encoding="utf-8"))
    texts = [text for case in cases["release"] for text in case["files"].values()]
    texts += [path.read_text(encoding="utf-8") for path in (ROOT / "data/compositions").glob("*.yml")]
    for number, text in enumerate(texts):
        (folder / f"seed-{number:03}").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    corpus = next((Path(word) for word in sys.argv[1:] if not word.startswith("-")), ROOT / "out/corpus")
    seeds(corpus)
    words = sys.argv if any(not word.startswith("-") for word in sys.argv[1:]) else [*sys.argv, str(corpus)]
    defaults = [
        word for word in ("-max_total_time=600", "-timeout=2") if word.split("=")[0] + "=" not in " ".join(words)
    ]
    atheris.Setup([*words, *defaults], one)
    atheris.Fuzz()
