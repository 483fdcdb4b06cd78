"""A window of headless Chromium on a report."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

PICTURES = os.environ.get("SSR_PICTURES")
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
        """Wait for something to hold, while the page may replace what is looked at; its value."""
        wait = WebDriverWait(self.driver, seconds, 0.02, [StaleElementReferenceException])
        return wait.until(lambda _: condition())

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
