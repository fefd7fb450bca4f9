"""The live page in a browser: what it shows is what the API says, whatever names try to be."""

import csv
import gzip
import importlib.resources
import io
import json
import re
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from benchmarks.reliability import shown
from indexer.kernels.rolling import rolling_correlation
from indexer.ledger.database import reading
from indexer.ledger.history import history_rows
from indexer.report.words import KINDS, STATES
from tests.web.conftest import SESSIONS
from tests.web.serving import server

WEB = Path(__file__).parents[2] / "indexer" / "web"
DAYS = shown.days(SESSIONS)
NASTY = ("=1+1", "+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1+1", "＋1", "－1", "＠x")


@pytest.mark.parametrize("name", ["live.html", "live.js", "measures.js", "words.js", "live.css"])
def test_files_name_no_other_place(name):
    text = (WEB / name).read_text("utf-8")

    assert not re.search(
        r"https?://|@import|url\(|eval\(|innerHTML|outerHTML|document\.write", text
    )


def test_nothing_stands_inline_that_the_policy_forbids():
    text = (WEB / "live.html").read_text("utf-8")

    assert not re.search(r"<style|<script>|\sstyle=|\son[a-z]+=|javascript:", text)


def test_every_word_of_the_page_is_there_in_both_languages():
    text = (WEB / "words.js").read_text("utf-8")
    key = r'(?:[{,]|\n)\s*"?([a-z][a-z_ -]*)"?: "'
    english, chinese = (set(re.findall(key, part)) for part in text.split("zh: {"))
    used = set(re.findall(r'data-(?:word|label)="(\w+)"', (WEB / "live.html").read_text("utf-8")))

    assert english == chinese
    assert used <= english


@pytest.mark.parametrize(("language", "of"), [("en", 0), ("zh", 1)])
def test_states_and_turns_are_called_as_in_a_report(language, of):
    text = (WEB / "words.js").read_text("utf-8").split("zh: {")[of]
    called = dict(re.findall(r'"?([a-z][a-z_ -]*)"?: "([^"]*)"', text))

    for key, told in (STATES | KINDS).items():
        assert called[key] == getattr(told, language)


@pytest.mark.parametrize(
    ("accepted", "packed"),
    [
        ("br, gzip", True),
        ("gzip;q=0.5", True),
        ("gzip;q=0", False),
        ("gzip; q=0.0", False),
        ("br", False),
    ],
)
def test_a_file_is_packed_for_who_takes_that(ask, accepted, packed):
    got = ask("/live.js", headers={"accept-encoding": accepted})
    body = gzip.decompress(got.body) if packed else got.body

    assert (got.headers.get("content-encoding") == "gzip") == packed
    assert body == (WEB / "live.js").read_bytes()
    assert got.headers["content-type"] == "text/javascript; charset=utf-8"


@pytest.mark.parametrize("asked_for", ['"other", {}', "W/{}", "*"])
@pytest.mark.parametrize("accepted", ["gzip", "identity"])
def test_a_file_is_not_sent_again_to_who_has_it(ask, asked_for, accepted):
    headers = {"accept-encoding": accepted}
    tag = ask("/live.js", headers=headers).headers["etag"]
    again = ask("/live.js", headers=headers | {"if-none-match": asked_for.format(tag)})

    assert (again.status, again.body, again.headers["etag"]) == (304, b"", tag)


def test_a_file_packed_and_not_has_two_tags(ask):
    tags = {
        ask("/live.js", headers={"accept-encoding": how}).headers["etag"] for how in ("gzip", "br")
    }

    assert len(tags) == 2


@pytest.fixture(scope="module")
def corrected(tmp_path_factory):
    """Return a ledger in which a session of the first index has been corrected."""
    engine = shown.write(tmp_path_factory.mktemp("live") / "ledger.db", SESSIONS)
    at = datetime(2026, 3, 9, tzinfo=UTC)
    shown.correct(engine, "chain-1", DAYS[-1], 5000.0, at)
    yield engine
    engine.dispose()


@pytest.fixture(scope="module")
def address(corrected):
    with server(f"sqlite:///{corrected.url.database}", receipt=10) as (_, port):
        yield f"http://127.0.0.1:{port}"


@pytest.fixture
def opened(browser, address):
    """Give a way to open the page; afterwards it must have had no error and asked nobody else."""
    said, asked_for = [], []
    context = browser.new_context(accept_downloads=True)

    def open_page(query="", width=1280):
        page = context.new_page()
        page.set_viewport_size({"width": width, "height": 800})
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("dialog", lambda dialog: said.append(dialog.message))
        page.on("request", lambda request: asked_for.append(request.url))
        page.goto(f"{address}/{query}")
        page.locator("#answer strong").first.wait_for()
        return page

    yield open_page
    context.close()
    assert said == []
    assert [url for url in asked_for if not url.startswith((address, "data:", "blob:"))] == []


def table(page, name):
    rows = page.locator(f"#{name} tbody tr").all()
    return [[cell.inner_text() for cell in row.locator("th,td").all()] for row in rows]


def levels(engine, id):
    with reading(engine) as connection:
        return [row[3] for row in history_rows(connection, id, variant="price")]


def test_the_lists_show_what_is_published(opened):
    page = opened()

    indices = table(page, "indices")
    assert [row[0] for row in indices] == [name["en"] for name in shown.NAMES]
    assert indices[0][2:6] == [DAYS[-1], "5000.0000", "CNY", "2"]
    assert table(page, "studies")[0][:3] == ["The pair", "published", DAYS[-1]]


@pytest.mark.attack("C2")
def test_names_stay_text_and_no_script_of_theirs_runs(opened):
    page = opened("?a=chain-2&b=chain-3&lang=zh")

    assert page.locator("#answer").inner_text().count(shown.NAMES[1]["zh"]) == 1
    assert page.locator("img, script:not([src])").count() == 0


@pytest.mark.attack("C1")
def test_no_text_of_a_table_taken_away_is_a_formula(opened):
    """A name that stands first in a cell is marked as text; a number is not."""
    write = "cells => import('/measures.js').then(m => m.csv(['a'], cells.map(c => [c])))"
    text = opened().evaluate(write, [*NASTY, -0.5])
    cells = [row[0] for row in csv.reader(io.StringIO(text, newline=""))][1:]

    assert cells == [*(f"'{name}" for name in NASTY), "-0.5"]


def download(page, figure, kind):
    with page.expect_download() as waiting:
        button = page.locator(f"figure:has(#{figure}) button", has_text=kind)
        button.click()
    return Path(waiting.value.path()).read_bytes()


def table_of(page, figure):
    """Return the rows of a chart as CSV: what it is, the heads, the numbers."""
    return list(csv.reader(io.StringIO(download(page, figure, "CSV").decode("utf-8-sig"))))


def test_charts_hold_the_numbers_of_the_ledger(opened, corrected):
    rows = table_of(opened("?window=20"), "ratio")[2:]
    a, b = (levels(corrected, id) for id in ("chain-1", "chain-2"))
    wanted = [100 * (x / a[0]) / (y / b[0]) for x, y in zip(a, b, strict=True)]

    assert [row[0] for row in rows] == DAYS
    assert [float(row[1]) for row in rows] == wanted
    assert [row[2] for row in rows] == ["true"] * 20 + ["false"] * 20


def test_levels_taken_away_are_those_of_every_page(opened, corrected):
    """However many pages the answer has: here seven rows make one."""
    page, text = opened(), (WEB / "live.js").read_text("utf-8")
    few = text.replace('limit: "5000"', 'limit: "7"')
    assert few != text
    page.route("**/live.js", lambda way: way.fulfill(body=few, content_type="text/javascript"))
    page.reload()
    page.locator("#answer strong").first.wait_for()
    with page.expect_download() as waiting:
        page.locator("#csv-b").click()
    rows = list(csv.DictReader(Path(waiting.value.path()).read_text("utf-8-sig").splitlines()))

    assert [row["date"] for row in rows] == DAYS
    assert [float(row["level_exact"]) for row in rows] == levels(corrected, "chain-2")


def test_where_no_level_is_published_there_is_none_to_take_away(opened):
    page = opened()
    page.select_option("[name=variant]", "net")
    page.locator("#csv-a:disabled").wait_for()

    assert page.locator("#csv-b").is_disabled()


def test_the_rolling_correlation_is_that_of_the_package(opened, corrected):
    page = opened("?a=chain-1&b=chain-4&window=20")
    rows = table_of(page, "correlation")[2:]
    a, b = (levels(corrected, id) for id in ("chain-1", "chain-4"))
    wanted = rolling_correlation(np.diff(np.log(a)), np.diff(np.log(b)), 20)

    found = [float(row[1]) if row[1] else np.nan for row in rows[1:]]
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-12, equal_nan=True)
    assert np.isfinite(found).sum() == SESSIONS - 20
    assert [row[2] for row in rows].count("false") == 0  # every window has a back-tested level


HARD = {
    "drawn": lambda rng: rng.normal(size=(2, 300)),
    "far from zero": lambda rng: 1e9 + rng.normal(size=(2, 300)),
    "still for a while": lambda rng: np.where(
        (np.arange(300) // 50) % 2, 1.5, rng.normal(size=(2, 300))
    ),
    "with an outlier": lambda rng: rng.normal(size=(2, 300)) + 1e12 * (np.arange(300) == 100),
    "tiny": lambda rng: 1e-150 * rng.normal(size=(2, 300)),
    "the same twice": lambda rng: np.tile(rng.normal(size=300), (2, 1)),
}


@pytest.fixture(scope="module")
def elsewhere(browser, address):
    """Return a page of the server that has nothing in it."""
    page = browser.new_page()
    page.goto(f"{address}/healthz")
    return page


@pytest.mark.parametrize("kind", HARD)
@pytest.mark.parametrize("window", [2, 20, 60])
def test_the_pages_correlation_agrees_with_the_kernel_where_that_is_hard(elsewhere, kind, window):
    x, y = HARD[kind](np.random.default_rng(7))
    found = elsewhere.evaluate(
        "async ([x, y, w]) => (await import('/measures.js')).rollingCorrelation(x, y, w)",
        [x.tolist(), y.tolist(), window],
    )

    wanted = rolling_correlation(x, y, window)
    assert not np.isnan([value for value in found if value is not None]).any()
    values = [np.nan if value is None else value for value in found]
    np.testing.assert_allclose(values, wanted, rtol=0, atol=1e-10, equal_nan=True)


def test_a_range_is_rebased_on_its_first_day(opened):
    page = opened(f"?from={DAYS[5]}&to={DAYS[30]}")
    rows = table_of(page, "lines")[2:]

    assert (rows[0][0], rows[-1][0]) == (DAYS[5], DAYS[30])
    assert [float(rows[0][n]) for n in (1, 3)] == [100.0, 100.0]


def test_the_slider_shows_what_was_known_before_a_correction(opened):
    page = opened()
    now = table(page, "records")[0]
    page.locator("#at").press("ArrowLeft")  # the correction
    page.locator("#at").press("ArrowLeft")  # before it
    page.locator("#records td", has_text="final").nth(1).wait_for()

    assert (now[2], now[3]) == ("2", "corrected")
    assert table(page, "records")[0][2:4] == ["1", "final"]
    assert "at=2026-03-02T09%3A00%3A00.000001Z" in page.url  # of the second index
    assert page.locator("#at").get_attribute("aria-valuetext") == "2026-03-02 09:00:00 UTC"


def test_an_instant_older_than_all_that_are_listed_is_not_taken_for_now(browser, address):
    page = browser.new_page()
    page.goto(f"{address}/?at=2026-03-01T00:00:00Z")
    page.locator("#records td").first.wait_for()

    assert page.locator("#at").get_attribute("aria-valuetext") == "2026-03-01 00:00:00 UTC"
    assert table(page, "records")[0][1:] == ["–"] * 8  # nothing was published yet
    page.close()


def test_the_address_brings_back_what_was_shown(opened):
    page = opened("?a=chain-4&b=chain-5")
    page.select_option("[name=window]", "20")
    page.select_option("[name=lang]", "zh")
    page.select_option("[name=up]", "red")
    again = opened(page.url[page.url.index("?") :])

    assert again.locator("#answer").inner_text() == page.locator("#answer").inner_text()
    assert again.locator("html").get_attribute("lang") == "zh-CN"
    assert again.locator("html").get_attribute("data-up") == "red"


def test_charts_are_taken_away_as_pictures(opened):
    page = opened()

    assert download(page, "lines", "PNG").startswith(b"\x89PNG")
    picture = download(page, "lines", "SVG").decode()
    assert picture.startswith("<svg")
    assert "<script" not in picture.replace("&lt;script", "")


@pytest.mark.parametrize(
    ("query", "width"),  # each two of language, theme and width meet once
    [
        ("", 1280),  # English and light, as this browser asks for
        ("?lang=en&theme=dark", 360),
        ("?lang=zh&theme=light", 360),
        ("?lang=zh&theme=dark", 1280),
    ],
)
def test_the_page_is_usable_by_everybody(opened, query, width):
    page = opened(query, width)
    script = importlib.resources.files("axe_playwright_python").joinpath("axe.min.js")
    console = page.context.new_cdp_session(page)
    console.send("Runtime.evaluate", {"expression": script.read_text("utf-8")})
    asking = "axe.run().then(found => JSON.stringify(found.violations.map(v => [v.id, v.impact])))"
    told = console.send(
        "Runtime.evaluate", {"expression": asking, "awaitPromise": True, "returnByValue": True}
    )

    assert json.loads(told["result"]["value"]) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_source_that_is_long_is_not_cut_off(opened):
    page = opened("", 1400)
    beyond = page.evaluate(
        """() => {
          const cell = document.querySelectorAll("#records tbody tr:first-child td")[6];
          cell.textContent = "a vendor, and another one; ".repeat(20);
          const place = cell.closest(".scroll");
          return [place.clientWidth > 0, place.scrollWidth - place.clientWidth];
        }"""
    )

    assert beyond == [True, 0]


@pytest.fixture(scope="module")
def lone(tmp_path_factory):
    """Return the address of a ledger with one index."""
    url = f"sqlite:///{tmp_path_factory.mktemp('lone') / 'ledger.db'}"
    shown.write_at(url, SESSIONS, indices=1).dispose()
    with server(url, receipt=10) as (_, port):
        yield f"http://127.0.0.1:{port}"


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_only_index_is_not_compared_with_itself(browser, lone, lang):
    page = browser.new_page()
    page.goto(f"{lone}/?lang={lang}")
    page.locator("#answer strong").first.wait_for()
    offered = "[name=b], #swap, [name=window], #ratio, #correlation, #csv-b"

    assert page.locator(offered).filter(visible=True).count() == 0
    assert page.locator("#answer strong").count() == 1
    assert len(table(page, "records")) == 1
    assert page.locator("#lines canvas").is_visible()
    assert "b=" not in page.url
    page.close()


def test_of_the_only_index_nothing_is_said_of_both(browser, lone):
    page = browser.new_page()
    page.goto(f"{lone}/?lang=en&variant=net")
    page.locator("#csv-a:disabled").wait_for()

    assert page.locator("#answer").inner_text() == "There is no level of this variant."
    page.close()


def test_what_is_not_asked_for_is_another_index(opened):
    """Where the second of the list is asked for, the first stands against it."""
    page = opened("?a=chain-2")

    assert page.locator("[name=b]").input_value() == "chain-1"


def test_an_index_chosen_twice_is_shown_by_itself(opened):
    page = opened()
    page.select_option("[name=b]", "chain-1")
    page.locator("#ratio").wait_for(state="hidden")
    alone = page.locator("#answer strong").count()
    page.select_option("[name=b]", "chain-4")
    page.locator("#ratio").wait_for(state="visible")

    assert (alone, page.locator("#answer strong").count()) == (1, 3)


def test_every_control_is_reached_by_the_keyboard(opened):
    page = opened()
    reached = set()
    for _ in range(40):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.name || document.activeElement.id"))

    assert reached >= {"lang", "theme", "up", "a", "b", "swap", "variant", "from", "to", "window"}
    assert reached >= {"at", "link", "csv-a", "csv-b"}


def test_without_the_token_the_page_asks_for_it(browser, corrected):
    secret = "a-token-of-length"  # noqa: S105
    with server(f"sqlite:///{corrected.url.database}", 10, secret) as (_, port):
        page = browser.new_page()
        page.goto(f"http://127.0.0.1:{port}/")
        page.locator("#token input").fill(secret)
        page.locator("#token button").click()
        page.locator("#answer strong").first.wait_for()

        assert len(table(page, "indices")) == 5
        assert secret not in page.url
        page.close()
