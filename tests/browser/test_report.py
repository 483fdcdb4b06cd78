"""The report in headless Chromium, opened from files: pages, filters, keys, widths, colours, ten thousand episodes."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browsing import PHONE, WIDE, Browser
from selenium.webdriver.common.keys import Keys

from played_results import ROOT
from ssr.report.data import Listing

pytestmark = pytest.mark.browser
PAGES = ("index.html", "bugs.html", "episodes.html", "generations.html", "provenance.html")
BUG, EPISODE = "ssr-s0-g001-i000", "ssr-s0-g001-i000-a01"
REAL = ROOT / "results/smoke/report"
VIEWS = (*PAGES, f"bugs.html#id={BUG}", f"episodes.html#id={EPISODE}")


@pytest.mark.parametrize("address", VIEWS)
def test_every_view_is_readable_and_stays_at_home(browser: Browser, address: str) -> None:
    browser.open(address)
    browser.until(lambda: "id=" not in address or browser.all("#detail .diff"))
    for size in (WIDE, PHONE):
        for scheme in ("light", "dark"):
            browser.look(size, scheme)
            assert browser.run("document.documentElement.scrollWidth <= innerWidth")
            assert browser.run(CUT_OFF) == []
            assert browser.run(TOO_FAINT) == [], scheme
            browser.picture(f"{address.replace('.html#id=', '-')}-{size[0]}-{scheme}")
    asked = browser.run("performance.getEntriesByType('resource').map(entry => entry.name)")
    assert all(name.startswith("file:") for name in asked), asked


def test_colours_follow_the_system_until_they_are_chosen(browser: Browser) -> None:
    ground = "getComputedStyle(document.body).backgroundColor"
    browser.look(WIDE, "dark")
    browser.open("index.html")
    dark = browser.run(ground)
    browser.look(WIDE, "light")
    light = browser.run(ground)
    assert dark != light
    browser.press("t", "t")
    assert (browser.text("#theme"), browser.run(ground)) == ("Dark", dark)
    browser.open("bugs.html")
    assert browser.run(ground) == dark, "the choice holds on every page"
    browser.find("#theme").click()
    assert (browser.text("#theme"), browser.run(ground)) == ("Auto", light)


def test_the_overview_sets_runs_beside_the_paper(browser: Browser) -> None:
    browser.open("index.html")
    lines = [line.text for line in browser.all(".result:first-of-type tbody tr")]
    assert [line.split()[0] for line in lines] == ["base", "baseline", "ssr"]
    assert all(number in lines[2] for number in ("66.7", "36.4 to 90.9", "+50.0", "+18.2 to +81.8", "38.0", "+8.8"))
    assert "95 % intervals" in browser.text("main")
    assert browser.all(".chart .band"), "curves have intervals"
    link = browser.find(".result tbody tr:nth-child(3) a")
    link.click()
    browser.until(lambda: browser.all("#rows tbody tr"))
    assert "resolved" in browser.ids()[0]
    browser.find("#rows .open").click()
    browser.until(lambda: browser.all("#detail table"))
    assert "report.json" in browser.text("#detail") and "merge" in browser.text("#detail")
    assert len(browser.text("#detail .digest")) == 64


def test_bugs_are_filtered(browser: Browser) -> None:
    browser.open("bugs.html")
    assert browser.count() == "1 to 22 of 22"
    browser.choose("check", "test_parser")
    assert browser.count() == "1 to 4 of 4, out of 22"
    browser.choose("repo", "toolz")
    assert browser.ids() == ["ssr-s0-g001-i007", "ssr-s0-g002-i007"]
    browser.find("#filters button").click()
    assert browser.count() == "1 to 22 of 22"
    browser.choose("order", "2")
    browser.choose("rate", "0")
    assert {name[-3:] for name in browser.ids()} == {"-o2"}
    browser.choose("order", "all")
    browser.choose("rate", "0 to ¼")
    browser.choose("strategy", "issue")
    assert len(browser.ids()) == 2
    browser.find("#filters button").click()
    browser.press("/", *"g002-i00")
    browser.choose("strategy", "removal")
    shown = browser.ids()
    assert shown == [f"ssr-s0-g002-{name}" for name in ("i002", "i006", "i007", "i006-o2")]
    browser.driver.refresh()
    browser.until(lambda: browser.ids() == shown)


def test_a_bug_shows_its_diffs_and_its_specification(browser: Browser) -> None:
    browser.open(f"bugs.html#id={BUG}")
    browser.until(lambda: browser.all("#detail .diff"))
    inject, weaken, told = browser.all("#detail .diff")
    assert inject.find_element("css selector", ".name").text == "src/cache.py"
    assert [mark.text for mark in inject.find_elements("css selector", "mark")] == ["Key", "Index"]
    assert inject.find_element("css selector", ".del .place").text == "11"
    assert weaken.find_element("css selector", ".del .text").text.endswith("assert cache.pop(1)")
    assert told.find_element("css selector", ".add .text").text.endswith("assert cache.pop(1)")
    assert "These tests, and all other relevant tests, must pass" in browser.text("#detail")
    assert "1 of 4 attempts solved it" in browser.text("#detail .why")
    browser.find("#detail tbody a").click()
    browser.until(lambda: browser.all(".turn"))
    assert browser.text("#detail h2") == f"{BUG}-a00"


def test_a_bug_that_failed_says_which_check_and_how(browser: Browser) -> None:
    browser.open("bugs.html#id=ssr-s0-g001-i002")
    browser.until(lambda: browser.all("#detail .why"))
    assert browser.text("#detail .why").startswith("Fails the check test_parser. bad_json: the parser prints <script>")


def test_an_episode_shows_every_turn_and_why_it_was_rewarded(browser: Browser) -> None:
    browser.open("episodes.html#id=ssr-s0-g001-i000")
    browser.until(lambda: browser.all(".turn"))
    why = browser.text("#detail .why")
    assert why.startswith("Reward +0.55. 1 of 4 attempts solved the bug: the reward is 1 - (1 + 0.8) * 1/4.")
    assert "Trained on with advantage" in why
    said = [node.text for node in browser.all(".turn.said")]
    assert [text.split("\n")[0] for text in said] == ["Turn 1", "Turn 2", "Turn 3"]
    assert "Look at <script>" in said[0] and "bash\nls -la src" in said[0]
    assert "edit src/cache.py" in said[1] and "raise IndexError(key)" in said[1]
    assert said[2].endswith("submit /tmp/bug")
    assert [seen.text.split("\n")[0] for seen in browser.all(".seen")] == ["total 0", "total 1"]


@pytest.mark.parametrize(
    "episode, why",
    [
        ("ssr-s0-g001-i001", "Reward -0.80. 0 of 4 attempts solved the bug: all or none, which costs alpha = 0.8."),
        ("ssr-s0-g001-i002", "Reward -1.00. The artifact fails the check test_parser"),
        ("ssr-s0-g001-i003", "Reward -1.00. Nothing was handed in: its turns ran out."),
        ("ssr-s0-g001-i001-a00", "Reward -1.00. Not solved: tests_failed"),
        ("baseline-s0-g001-cachetools__human-001-a01", "Reward +1.00. The patch makes every test of the oracle pass."),
        ("base-s0-g000-builtin-pro-cachetools__005", "Not resolved."),
    ],
)
def test_rewards_have_reasons(browser: Browser, episode: str, why: str) -> None:
    browser.open(f"episodes.html#id={episode}")
    browser.until(lambda: browser.all("#detail .why"))
    assert browser.text("#detail .why").startswith(why)


def test_tokens_are_shaded_on_demand(browser: Browser) -> None:
    browser.open(f"episodes.html#id={EPISODE}")
    browser.until(lambda: browser.all(".turn"))
    assert not browser.all(".tokens")
    browser.press("s")
    browser.until(lambda: browser.all(".tokens"))
    assert "<tool: bash>\nls -la src\n</tool>" in browser.run("document.querySelector('.tokens').textContent")
    assert {span.get_attribute("class") for span in browser.all(".tokens span")} == {f"s{shade}" for shade in range(6)}
    browser.all(".tokens span")[1].click()
    assert "log-probability -0.70" in browser.text("#token")
    browser.run("document.querySelector('.tokens').focus()")
    browser.press(*3 * [Keys.ARROW_RIGHT])
    assert "log-probability -1.40" in browser.text("#token")
    browser.press("s")
    assert not browser.all(".tokens") and "ls -la src" in browser.text(".turn.said pre")


def test_keys_are_enough(browser: Browser) -> None:
    browser.open("index.html")
    browser.press("2")
    browser.until(lambda: "bugs.html" in browser.driver.current_url and browser.all("#rows .open"))
    browser.press("j", "j", "k", "j")
    second = browser.driver.switch_to.active_element.text
    assert second == browser.ids()[1]
    browser.press(Keys.ENTER)
    browser.until(lambda: browser.all("#detail .diff"))
    assert browser.text("#detail h2") == second
    browser.press("n")
    browser.until(lambda: browser.text("#detail h2") not in ("", second))
    browser.press("p")
    browser.until(lambda: browser.text("#detail h2") == second)
    browser.press(Keys.ESCAPE)
    browser.until(lambda: browser.find("#list").is_displayed())
    assert browser.driver.switch_to.active_element.text == second, "the focus comes back to where it was"
    browser.press("?")
    assert browser.find("#keys").is_displayed()
    browser.press(Keys.ESCAPE)
    assert not browser.find("#keys").is_displayed()
    browser.press("3")
    browser.until(lambda: "episodes.html" in browser.driver.current_url and browser.all("#rows .open"))
    first = browser.ids()[0]
    browser.press("n")
    browser.until(lambda: "page 2" in browser.text("#pager"))
    assert first not in browser.ids()


def test_the_way_back_leads_to_the_same_list(browser: Browser) -> None:
    browser.open("episodes.html")
    browser.choose("role", "injector")
    before = browser.ids()
    browser.find("#rows tbody tr:nth-child(4) .open").click()
    browser.until(lambda: browser.all(".turn"))
    browser.driver.back()
    browser.until(lambda: browser.find("#list").is_displayed())
    assert browser.ids() == before and len(before) == 20


def test_lists_are_sorted_by_their_headings(browser: Browser) -> None:
    browser.open("bugs.html")
    browser.find("#rows th:nth-child(6) button").click()
    rates = [row.text for row in browser.all("#rows td:nth-child(6)")]
    assert rates[0] == "0 of 4" and "4 of 4" in rates and rates[-1] == ""
    browser.find("#rows th:nth-child(6) button").click()
    assert browser.find("#rows th:nth-child(6)").get_attribute("aria-sort") == "descending"
    assert browser.text("#rows tbody tr:nth-child(5) td:nth-child(6)") == "4 of 4"


def test_generations_stand_side_by_side(browser: Browser) -> None:
    browser.open("generations.html")
    browser.find("#left option[value='2']").click()
    browser.find("#right option[value='3']").click()
    browser.until(lambda: browser.all("#compared table"))
    assert browser.text("#compared thead").split("\n")[0].startswith("metric")
    rows = {row.text.split()[0]: row.text.split()[1:] for row in browser.all("#compared tbody tr")}
    assert rows["training/entropy"] == ["0.5", "0.25", "-0.25"]
    bars = [column.text for column in browser.all("#compared .bars")]
    assert "test_parser" in bars[0] and "test_parser" in bars[1]
    browser.find("#compared .two li a").click()
    browser.until(lambda: browser.all("#detail .diff"))


def test_an_entry_that_does_not_exist_is_said_to(browser: Browser) -> None:
    browser.open("bugs.html#id=nobody")
    assert "There is no nobody in this report" in browser.count()


@pytest.mark.skipif(not REAL.is_dir(), reason="no report of a played run here; snakemake report --configfile of smoke")
def test_a_run_that_was_played_can_be_read(browser: Browser) -> None:
    browser.folder = REAL
    for page in ("bugs", "episodes"):
        browser.open(f"{page}.html")
        number = len(browser.ids())
        browser.find("#rows .open").click()
        browser.until(lambda: browser.all("#detail .why"))
        for _ in range(min(number, 8) - 1):
            before = browser.text("#detail h2")
            browser.press("n")
            browser.until(lambda before=before: browser.text("#detail h2") != before and browser.all("#detail .why"))


@pytest.fixture(scope="module")
def large(report: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report with 10,000 episodes: its own, again and again under other names."""
    folder = tmp_path_factory.mktemp("large") / "report"
    folder.mkdir()
    for path in report.iterdir():
        (folder / path.name).symlink_to(path) if path.name != "data" else (folder / "data").mkdir()
    for name in ("bugs", "provenance", "vocabulary"):
        (folder / "data" / f"{name}.js").symlink_to(report / "data" / f"{name}.js")
    listed = _value(report / "data/episodes.js")
    details = _value(report / "data/episodes/0.js")
    rows = [dict(zip(listed["columns"], row, strict=True)) for row in listed["rows"]]
    own = Listing(folder / "data", "episodes", [name for name in listed["columns"] if name != "chunk"])
    own.extend(_copies([row for row in rows if row["id"] in details], details))
    own.close()
    return folder


def _copies(rows: list[dict[str, Any]], details: dict[str, Any]) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    for number in range(10_000):
        row = rows[number % len(rows)]
        yield row | {"id": f"{row['id']}-{number}"}, details[row["id"]] | {"tokens": -1}


def _value(path: Path) -> Any:  # noqa: ANN401
    return json.loads(path.read_text().partition(",")[2].rstrip().removesuffix(");"))


def test_ten_thousand_episodes_stay_fast(browser: Browser, large: Path) -> None:
    browser.folder = large
    browser.driver.execute_cdp_cmd("Performance.enable", {"timeDomain": "threadTicks"})
    browser.open("episodes.html")
    assert browser.count() == "1 to 50 of 10,000"
    assert _busy(browser) < 2.5, "seconds of work until the list stands"
    before = _busy(browser)
    browser.choose("role", "solver")
    browser.press("/", *"a01-99")
    browser.until(lambda: "out of 10,000" in browser.count())
    assert _busy(browser) - before < 2.5, "seconds of work for seven filterings"
    before = _busy(browser)
    browser.find("#rows .open").click()
    browser.until(lambda: browser.all(".turn"))
    assert _busy(browser) - before < 1, "seconds of work until an episode stands"
    sizes = [path.stat().st_size for path in (large / "data/episodes").iterdir()]
    assert max(sizes) < 400_000 and len(sizes) > 50, "an episode is read with its neighbours only"


def _busy(browser: Browser) -> float:
    """CPU seconds of the page's thread: what else runs on the machine does not count."""
    metrics = browser.driver.execute_cdp_cmd("Performance.getMetrics", {})["metrics"]
    return float(next(metric["value"] for metric in metrics if metric["name"] == "TaskDuration"))


CUT_OFF = """[...document.querySelectorAll("main *")]
  .filter((node) => node.getBoundingClientRect().right > innerWidth + 1 && !node.closest(".scroll, svg, select, pre"))
  .map((node) => node.outerHTML.slice(0, 99))"""
"""What a reader cannot reach."""
TOO_FAINT = """(() => {
  const channels = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = (colour) => channels(colour).slice(0, 3).map((value) => value / 255)
    .map((value) => (value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4))
    .reduce((sum, value, index) => sum + value * [0.2126, 0.7152, 0.0722][index], 0);
  const ground = (node) => {
    for (; node; node = node.parentElement) {
      const colour = getComputedStyle(node).backgroundColor;
      if ((channels(colour)[3] ?? 1) === 1) return colour;
    }
    return "rgb(255, 255, 255)";
  };
  const faint = (node) => {
    const [a, b] = [light(getComputedStyle(node).color), light(ground(node))];
    return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05) < 4.5;
  };
  const says = (node) => [...node.childNodes].some((child) => child.nodeType === 3 && child.data.trim());
  return [...document.querySelectorAll("body *")]
    .filter((node) => says(node) && node.checkVisibility() && !node.closest("svg, :disabled"))
    .filter(faint).slice(0, 5).map((node) => `${node.outerHTML.slice(0, 80)} on ${ground(node)}`);
})()"""
"""Texts whose contrast to their ground is below 4.5, as WCAG 2 has it for level AA."""
