"""A page in a real browser without a window, Debian's Chromium through selenium; what it requested and logged."""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
ABSENT = (
    None
    if CHROMIUM and DRIVER
    else "chromium or chromedriver is not installed: apt-get install chromium chromium-driver"
)
"""Why there is no browser; None where there is one."""

_QUIET = ("headless=new", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "disable-background-networking",
          "disable-component-update", "disable-sync", "disable-dev-shm-usage")  # fmt: skip


@dataclass(frozen=True)
class Browser:
    """Chromium, for one page after the other."""

    driver: webdriver.Chrome

    def open(self, page: Path, *, width: int = 1100, height: int = 900, scheme: str = "light") -> None:
        """Open a file as a window of this size shows it, in the light or the dark scheme."""
        self.driver.get_log("browser")
        self.driver.get_log("performance")
        self.resize(width, height)
        media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
        self.driver.get(page.resolve().as_uri())

    def resize(self, width: int, height: int) -> None:
        """Give the page so many pixels, as a telephone would: below 500, no window is so narrow."""
        self.driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False},
        )

    def run(self, script: str, *arguments: Any) -> Any:
        """Run a script in the page, and return what it returns."""
        return self.driver.execute_script(script, *arguments)

    def console(self) -> list[str]:
        """Return what the page's console was given since the page was opened."""
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def addresses(self) -> list[str]:
        """Return every address that the page asked for and its policy let through, in their order."""
        messages = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        asked, failed = (
            [each["params"] for each in messages if each["method"] == f"Network.{event}"]
            for event in ("requestWillBeSent", "loadingFailed")
        )
        refused = {each["requestId"] for each in failed if each.get("blockedReason") == "csp"}
        own = [each for each in asked if not each["documentURL"].startswith("chrome")]  # not the browser's own pages
        return [each["request"]["url"] for each in own if each["requestId"] not in refused]


@contextmanager
def browsing(profile: Path) -> Iterator[Browser]:
    """Start a browser with a new profile, and end it."""
    options = Options()
    options.binary_location = str(CHROMIUM)
    for word in (*_QUIET, f"user-data-dir={profile}"):
        options.add_argument(f"--{word}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(DRIVER, env={**os.environ, "HOME": str(profile)}))
    try:
        driver.get("about:blank")
        yield Browser(driver)
    finally:
        driver.quit()
