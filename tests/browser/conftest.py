"""Headless Chromium, which opens a report from files."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from browsing import Browser
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

CHROMIUM, CHROMEDRIVER = shutil.which("chromium"), shutil.which("chromedriver")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    if CHROMIUM is None or CHROMEDRIVER is None:
        pytest.skip("no Chromium with its driver here; Debian and Ubuntu: apt-get install chromium chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options, Service(CHROMEDRIVER))
    yield driver
    driver.quit()


@pytest.fixture
def browser(chromium: webdriver.Chrome, report: Path) -> Iterator[Browser]:
    """The report in a wide light window; whatever a test does there, nothing may complain or leave the files."""
    window = Browser(chromium, report)
    window.look()
    yield window
    assert window.complaints() == []
    assert window.run("Boolean(window.taken)") is False, "a text of a model was read as HTML"
    chromium.get("about:blank")
