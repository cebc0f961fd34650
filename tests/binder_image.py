"""What Binder makes of `binder/`, without Docker: a clean environment, built step by step as repo2docker would.

The base is a virtual environment with the versions that Binder's base image carries; the rest is exactly what the
folder says. As root, the notebooks are run by the user `nobody`: Binder's users are ordinary ones as well.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
BASE = ("jupyterlab==4.4.9", "ipywidgets==8.1.7", "jupyterlab_widgets==3.0.15", "ipykernel==7.0.1", "pyyaml==6.0.3")
NOBODY: dict[str, Any] = {"user": 65534, "group": 65534, "extra_groups": []} if os.geteuid() == 0 else {}
RUN = """
import ast, json, time
from pathlib import Path
import nbformat
from nbclient import NotebookClient
shown = {}
for path in sorted(Path().glob("*.ipynb")):
    notebook, begun = nbformat.read(path, as_version=4), time.monotonic()
    notebook.cells.append(nbformat.v4.new_code_cell("import sys; print(sorted(sys.modules))"))
    NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    texts = [output.get("text") or output.get("data", {}).get("text/plain", "") for output in outputs]
    modules = ast.literal_eval(texts.pop())
    shown[path.name] = {"text": "\\n".join(texts), "modules": modules, "seconds": time.monotonic() - begun}
print(json.dumps(shown))
"""


@dataclass
class Image:
    """The environment: its folder, its Python, and how many bytes were added to the base."""

    home: Path
    python: Path
    gained: int

    def run(self, *command: str, folder: str = "") -> str:
        """Run a command as Binder's user would; what it printed."""
        environment = {
            "HOME": str(self.home / "user"),
            "PATH": f"{self.python.parent}:/usr/bin:/bin",
            "LANG": "C.UTF-8",
            "KIT_HOST": "binder",
            "LD_LIBRARY_PATH": str(self.home / "python" / "lib"),  # where a copied Python has its own
        }
        done = subprocess.run(
            command, cwd=self.home / "repo" / folder, env=environment, capture_output=True, text=True, **NOBODY
        )
        if done.returncode:
            raise RuntimeError(
                f"{command[:2]} ended with {done.returncode}: {done.stdout[-2000:]}{done.stderr[-4000:]}"
            )
        return done.stdout


def copied(into: Path) -> None:
    """The files of the repository that the image gets: those that git knows, without those of `.dockerignore`."""
    rules = (ROOT / "binder" / ".dockerignore").read_text("utf-8").split()
    command = ["git", "-C", str(ROOT), "ls-files", "--cached", "--others", "--exclude-standard"]
    for name in subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines():
        if any(name == rule or name.startswith(f"{rule}/") or fnmatch(name, rule) for rule in rules):
            continue
        if (ROOT / name).is_file():
            (into / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, into / name)


def interpreter(home: Path) -> Path:
    """The Python of `runtime.txt`, or this one; as root, a copy that others may run."""
    wanted = (ROOT / "binder" / "runtime.txt").read_text("utf-8").strip().replace("-", "")
    asked = subprocess.run(
        [wanted, "-c", "import sys; print(sys.base_prefix)"], capture_output=True, text=True, check=False
    ) if shutil.which(wanted) else None  # fmt: skip
    known = sorted(Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")).glob(f"versions/{wanted[6:]}.*"))
    prefix = Path(asked.stdout.strip()) if asked and asked.returncode == 0 else known[-1] if known else None
    prefix = prefix or Path(sys.base_prefix)
    if NOBODY and str(prefix).startswith("/root"):
        skip = shutil.ignore_patterns("test", "__pycache__", "site-packages", "*.a", "share", "tkinter", "idlelib")
        shutil.copytree(prefix, home / "python", ignore=skip, symlinks=True)
        (home / "python" / "lib" / wanted[:6] / "site-packages").mkdir(parents=True, exist_ok=True)
        prefix = home / "python"
    return prefix / "bin" / "python3"


def size(folder: Path) -> int:
    """Bytes of all files below a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


@contextmanager
def image(*more: str) -> Iterator[Image]:
    """The environment as Binder would have it, with packages in addition."""
    with tempfile.TemporaryDirectory(prefix="kit-binder-", ignore_cleanup_errors=True) as place:
        home = Path(place)
        home.chmod(0o755)
        (home / "user").mkdir()
        copied(home / "repo")
        subprocess.run([interpreter(home), "-m", "venv", home / "venv"], check=True, capture_output=True)
        python = home / "venv" / "bin" / "python"
        path = {**os.environ, "PATH": f"{python.parent}:{os.environ['PATH']}"}

        def pip(*arguments: str) -> None:
            done(python, "-m", "pip", "install", "-q", *arguments)

        def done(*command: str | Path) -> None:
            ran = subprocess.run(command, cwd=home / "repo", env=path, capture_output=True, text=True)
            if ran.returncode:
                raise RuntimeError(f"{command} ended with {ran.returncode}: {ran.stdout}{ran.stderr}")

        pip(*BASE)
        before = size(home / "venv")
        pip("--no-cache-dir", "-r", "binder/requirements.txt", *more)
        done(home / "repo" / "binder" / "postBuild")
        gained = size(home / "venv") - before + size(home / "repo")
        if NOBODY:
            for path_ in (home / "user", home / "repo", *(home / "repo").rglob("*")):
                os.chown(path_, 65534, 65534)
        yield Image(home, python, gained)


def main() -> None:
    """Print what the image gains, light and with matplotlib."""
    for more in ((), ("matplotlib",)):
        with image(*more) as made:
            version = made.run(str(made.python), "--version").strip()
            print(f"{version}, {' '.join(more) or 'light'}: {made.gained / 1e6:.1f} MB over the base")


if __name__ == "__main__":
    main()
