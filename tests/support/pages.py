"""Pages of HTML in a real browser."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from cdp.settings import ROOT

# Functions of JavaScript: the contrast of a colour to what is behind it, as WCAG has it.
COLOURS = """
    const rgb = text => text.match(/[\\d.]+/g).map(Number);
    const light = ([r, g, b]) => [r, g, b].map(v => v / 255)
        .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
        .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
    const behind = e => {
        for (; e; e = e.parentElement) {
            const found = rgb(getComputedStyle(e).backgroundColor);
            if (found.length === 3 || found[3] > 0) return found;
        }
        return [255, 255, 255];
    };
    const ratio = (one, other) => {
        const pair = [rgb(one), other].map(light);
        return Math.round(100 * (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05)) / 100;
    };
"""


@contextmanager
def launched() -> Iterator[Browser]:
    """A browser of this machine. Without one a test is skipped, or fails where CI installs one."""
    found = subprocess.run(
        [str(ROOT / "tests" / "browser")], capture_output=True, text=True, check=False
    )
    if found.returncode:
        # Continuous integration installs one: `make test`.
        (pytest.fail if os.environ.get("CI") else pytest.skip)(found.stderr.strip())
    # Root has no sandbox, and is who runs tests in a container.
    arguments = ["--no-sandbox"] if os.getuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found.stdout.strip(), args=arguments)
        yield browser
        browser.close()


def shown(browser: Browser, path: Path, width: int) -> Page:
    """A page in a window of a width, in pixels; it must be whole without a network."""
    opened = browser.new_page(viewport={"width": width, "height": 800})
    asked: list[str] = []
    complaints: list[str] = []
    opened.on("request", lambda request: asked.append(request.url))
    opened.on("console", lambda message: complaints.append(message.text))
    opened.goto(path.as_uri())
    assert asked == [path.as_uri()]
    assert not complaints
    return opened
