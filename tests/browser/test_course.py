"""The progress file in a real JupyterLab: a link that holds it, pressed by keyboard."""

from __future__ import annotations

from pathlib import Path

import pytest
from jupyterlab_page import CELLS, Desk
from keys import command

from course.progress import FILE, Progress
from kit.exercises import Record

pytestmark = pytest.mark.browser


def test_progress_is_downloaded_by_keyboard(desk: Desk) -> None:
    folder = desk.server.folder / "notebooks"
    Progress(folder).keep({"00.1": Record(2, 0, True, {})})
    try:
        desk.open("notebooks/00-start-here.ipynb")
        command(desk, "Run All Cells")
        desk.page.wait_for_function(f"() => {CELLS}.every((cell) => !cell.isCode || cell.number !== null)")
        link = desk.page.get_by_role("link", name="Download your progress")
        link.scroll_into_view_if_needed()
        link.focus()
        with desk.page.expect_download() as download:
            desk.page.keyboard.press("Enter")
        assert download.value.suggested_filename == FILE
        assert Path(download.value.path()).read_bytes() == (folder / FILE).read_bytes()
        assert desk.complaints == []
    finally:
        (folder / FILE).unlink()
