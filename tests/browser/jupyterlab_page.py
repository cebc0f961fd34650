"""JupyterLab on loopback and a real Chromium that looks at it: for tests, screenshots and benchmarks.

The server gets folders of its own for everything, a token and a free port. Two gates are needed before a
notebook runs: its kernel must be connected and idle (while it still connects, "Run All" is lost without a word;
the application is asked, for the status bar sometimes stays silent), and every cell must have a number afterwards.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 120_000  # milliseconds; a loaded machine is slow, not broken
IDLE = """() => {
  const session = globalThis.jupyterapp?.shell.currentWidget?.sessionContext;
  const kernel = session?.isReady ? session.session?.kernel : null;
  return kernel?.connectionStatus === "connected" && kernel.status === "idle";
}"""
# What the notebook knows about its cells. The page itself holds only those that are in view.
CELLS = """jupyterapp.shell.currentWidget.content.widgets.map((cell) => ({
  isCode: cell.model.type === "code",
  number: cell.model.executionCount ?? null,
  outputs: cell.model.type === "code" ? cell.model.outputs.toJSON() : [],
}))"""
THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}


def chromium() -> str:
    """The browser of this machine."""
    found = os.environ.get("KIT_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if not found:
        raise RuntimeError("no Chromium here: apt-get install chromium")
    return found


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


@dataclass
class Server:
    """A running JupyterLab and the folder that it serves."""

    url: str
    token: str
    folder: Path

    def link(self, notebook: str) -> str:
        """The address of a notebook, in a workspace of its own."""
        return f"{self.url}/lab/tree/{notebook}?token={self.token}&reset"

    def end_kernels(self) -> None:
        """Shut down every kernel."""
        address = f"{self.url}/api/sessions%s?token={self.token}"
        with urllib.request.urlopen(address % "", timeout=30) as sessions:
            for session in json.load(sessions):
                end = urllib.request.Request(address % f"/{session['id']}", method="DELETE")
                urllib.request.urlopen(end, timeout=30).close()


@contextmanager
def served(theme: str = "light", windowing: str = "full") -> Iterator[Server]:
    """JupyterLab with a copy of the notebooks and of the data.

    By default it draws cells when they come into view (`full`), as learners have it; `none` draws all.
    """
    with tempfile.TemporaryDirectory(prefix="kit-browser-", ignore_cleanup_errors=True) as place:
        home = Path(place)
        work = home / "work"
        for name in ("notebooks", "data"):
            shutil.copytree(ROOT / name, work / name, ignore=shutil.ignore_patterns("src", "__pycache__", ".ipynb*"))
        settings = home / "settings" / "@jupyterlab" / "apputils-extension"
        settings.mkdir(parents=True)
        (settings / "notification.jupyterlab-settings").write_text('{"fetchNews":"false","checkForUpdates":false}')
        (settings / "themes.jupyterlab-settings").write_text(json.dumps({"theme": THEMES[theme]}))
        tracker = home / "settings" / "@jupyterlab" / "notebook-extension"
        tracker.mkdir()
        (tracker / "tracker.jupyterlab-settings").write_text(json.dumps({"windowingMode": windowing}))
        names = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")
        environment = {
            **os.environ,
            **{name: str(home / name.lower()) for name in names},
            "JUPYTERLAB_SETTINGS_DIR": str(home / "settings"),
            "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"),
            "PYTHONPATH": str(ROOT),
        }
        port, token = _free_port(), secrets.token_hex(16)
        command = [
            sys.executable, "-m", "jupyterlab", "--no-browser", "--ip=127.0.0.1", f"--port={port}",
            "--ServerApp.port_retries=0", f"--IdentityProvider.token={token}", f"--ServerApp.root_dir={work}",
            "--LabApp.news_url=None", "--LabApp.expose_app_in_browser=True",
            "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
            *(["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []),
        ]  # fmt: skip
        with (home / "log").open("w") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log, env=environment, start_new_session=True)
            try:
                _wait_for(f"http://127.0.0.1:{port}/api?token={token}", process, home / "log")
                yield Server(f"http://127.0.0.1:{port}", token, work)
            finally:
                process.terminate()
                try:
                    process.wait(20)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()


def _wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + PATIENCE / 1000
    while time.monotonic() < until:
        if process.poll() is not None:
            raise RuntimeError(f"JupyterLab ended with {process.returncode}:\n{log.read_text()[-2000:]}")
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise RuntimeError(f"JupyterLab did not answer:\n{log.read_text()[-2000:]}")


@contextmanager
def browsing() -> Iterator[Browser]:
    """A Chromium without a window."""
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Desk:
    """One page of the browser with one notebook on it, and what the page complained about."""

    page: Page
    server: Server
    complaints: list[str] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.set_default_timeout(PATIENCE)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", self._heard)
        self.page.on("request", self._asked)

    def _heard(self, message: Any) -> None:
        if message.type == "error":
            self.complaints.append(message.text)

    def _asked(self, request: Any) -> None:
        if not request.url.startswith((self.server.url, self.server.url.replace("http", "ws"), "data:", "blob:")):
            self.strangers.append(request.url)

    def open(self, notebook: str) -> None:
        """Open a notebook and wait for its kernel."""
        from playwright.sync_api import expect

        self.page.goto(self.server.link(notebook))
        self.idle()
        expect(self.page.locator(".jp-NotebookPanel .jp-Cell").first).to_be_visible()

    def idle(self) -> None:
        """Wait until the notebook's kernel is connected and has nothing to do."""
        self.page.wait_for_function(IDLE)

    def run_all(self) -> None:
        """Run every cell and wait until each has its number."""
        self.page.get_by_role("menuitem", name="Run", exact=True).click()
        self.page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
        self.page.wait_for_function(f"() => {CELLS}.every((cell) => !cell.isCode || cell.number !== null)")
        self.idle()

    def failures(self) -> list[str]:
        """Tracebacks and whatever was written to standard error, from the notebook itself."""
        found: list[str] = self.page.evaluate(
            f"() => {CELLS}.flatMap((cell) => cell.outputs)"
            ".filter((output) => output.output_type === 'error' || output.name === 'stderr')"
            ".map((output) => output.evalue ?? String(output.text))"
        )
        return found


@contextmanager
def desk(browser: Browser, server: Server, width: int = 1280, height: int = 720) -> Iterator[Desk]:
    """A page with its own storage."""
    context = browser.new_context(viewport={"width": width, "height": height})
    try:
        yield Desk(context.new_page(), server)
    finally:
        context.close()
