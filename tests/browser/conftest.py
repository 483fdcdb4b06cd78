"""Headless Chromium, and reports for it to open from files."""

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

from played_results import ROOT, Played, write_results
from ssr.report.site import make_report

PICTURES = os.environ.get("SSR_PICTURES")
CHROMIUM, CHROMEDRIVER = shutil.which("chromium"), shutil.which("chromedriver")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
WIDE, PHONE = (1280, 900), (375, 740)


@dataclass
class Browser:
    """A window on a report."""

    driver: webdriver.Chrome
    folder: Path

    def open(self, address: str) -> None:
        """Go to a page of the report and wait until it shows something."""
        self.driver.get("about:blank")
        self.driver.get(f"{(self.folder / 'index.html').as_uri().removesuffix('index.html')}{address}")
        self.until(lambda: "Loading…" not in self.text("main"))

    def until(self, condition: Callable[[], Any], seconds: float = 30) -> Any:  # noqa: ANN401
        """Wait for something to hold; its value."""
        return WebDriverWait(self.driver, seconds, poll_frequency=0.02).until(lambda _: condition())

    def find(self, selector: str) -> WebElement:
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def all(self, selector: str) -> list[WebElement]:
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def text(self, selector: str) -> str:
        return self.find(selector).text

    def run(self, script: str) -> Any:  # noqa: ANN401
        return self.driver.execute_script(f"return {script}")

    def press(self, *keys: str) -> None:
        """Press keys where the focus is."""
        for key in keys:
            self.driver.switch_to.active_element.send_keys(key)

    def choose(self, filter: str, value: str) -> None:
        """Choose a value of a filter by what it says, its count apart."""
        for option in self.all(f"select[name={filter}] option"):
            if option.text.partition(" (")[0] == value:
                option.click()
                return
        raise AssertionError(f"{filter} has no {value}")

    def count(self) -> str:
        return self.text("#count")

    def ids(self) -> list[str]:
        """The entries that the list shows."""
        return [link.text for link in self.all("#rows .open")]

    def look(self, size: tuple[int, int] = WIDE, scheme: str = "light") -> None:
        """Take a screen's size, and what the system says of colours."""
        width, height = size
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": size == PHONE}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", media)

    def complaints(self) -> list[str]:
        """What the console and the network said since the last question."""
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def picture(self, name: str) -> None:
        """Write what is seen now into the folder that SSR_PICTURES names, if it names one."""
        if PICTURES:
            Path(PICTURES).mkdir(parents=True, exist_ok=True)
            self.driver.save_screenshot(f"{PICTURES}/{name}.png")


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
    driver.execute_cdp_cmd("Network.enable", {})
    yield driver
    driver.quit()


@pytest.fixture(scope="session")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    return write_results(tmp_path_factory.mktemp("results"))


@pytest.fixture(scope="session")
def report(played: Played, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site") / "report"
    make_report(played.results, played.scale_file, ROOT / "paper/reported.csv", folder)
    return folder


@pytest.fixture
def browser(chromium: webdriver.Chrome, report: Path) -> Iterator[Browser]:
    """The report in a wide light window; whatever a test does there, nothing may complain or leave the files."""
    window = Browser(chromium, report)
    window.look()
    yield window
    assert window.complaints() == []
    assert window.run("Boolean(window.taken)") is False, "a text of a model was read as HTML"
    chromium.get("about:blank")


RETURN, ESCAPE = Keys.ENTER, Keys.ESCAPE
