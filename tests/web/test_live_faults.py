"""The live page where something is missing or goes wrong, and what its charts say elsewhere."""

import csv
import io
from pathlib import Path
from xml.etree import ElementTree

import pytest

from benchmarks.reliability import shown
from indexer.ledger.database import open_ledger
from tests.web.conftest import SESSIONS
from tests.web.serving import server

DAYS = shown.days(SESSIONS)
TOKEN = "a-token-of-length"  # noqa: S105
SYNTHETIC = {"en": "Synthetic data.", "zh": "合成数据。"}


@pytest.fixture(scope="module")
def address(published):
    with server(f"sqlite:///{published.url.database}", receipt=10) as (_, port):
        yield f"http://127.0.0.1:{port}"


@pytest.fixture(scope="module")
def closed(published):
    """Return the address of a server that asks for a token."""
    with server(f"sqlite:///{published.url.database}", 10, TOKEN) as (_, port):
        yield f"http://127.0.0.1:{port}"


@pytest.fixture
def page(browser):
    """Return a page in which nothing has been opened yet, in English."""
    found = browser.new_page(locale="en-GB")
    yield found
    found.close()


def go(page, address, query=""):
    """Open the page and wait for what it has to show."""
    page.goto(f"{address}/{query}")
    page.locator("#answer strong").first.wait_for()


def downloaded(page, button):
    with page.expect_download() as waiting:
        page.locator(button).click()
    return waiting.value.suggested_filename, Path(waiting.value.path()).read_bytes()


def chart(page, kind, id="lines"):
    return downloaded(page, f"figure:has(#{id}) .take button:text-is('{kind}')")[1]


@pytest.mark.parametrize("failing", ["**/v1/indices/chain-4", "**/v1/indices/chain-4/levels*"])
def test_no_number_stays_under_a_name_that_could_not_be_read(page, address, failing):
    go(page, address)
    page.route(failing, lambda way: way.fulfill(status=503, json={"detail": "not now"}))
    page.select_option("[name=a]", "chain-4")
    page.locator("#fault").wait_for()

    assert page.locator("#fault").inner_text() == "The answer was: not now."
    assert page.locator("#answer").inner_text() == ""
    assert page.locator("#lines, #csv-a, #csv-b, #records").filter(visible=True).count() == 0


def test_what_could_not_be_read_is_read_again_when_something_else_is_chosen(page, address):
    go(page, address)
    page.route("**/v1/indices/chain-4", lambda way: way.fulfill(status=503, json={}))
    page.select_option("[name=a]", "chain-4")
    page.locator("#fault").wait_for()
    page.unroute("**/v1/indices/chain-4")
    page.select_option("[name=variant]", "gross")
    page.locator("#answer strong").first.wait_for()

    assert page.locator("#answer").inner_text().count(shown.NAMES[3]["en"]) == 1
    assert not page.locator("#fault").is_visible()


def test_an_answer_that_is_not_ours_is_told_by_its_status(page, address):
    go(page, address)
    page.route("**/levels*", lambda way: way.fulfill(status=502, body="<html>no</html>"))
    page.select_option("[name=variant]", "gross")
    page.locator("#fault").wait_for()

    assert page.locator("#fault").inner_text() == "The answer was: 502 Bad Gateway."


def test_what_is_told_late_of_another_index_moves_no_instant(page, address):
    go(page, address)
    most, held = page.locator("#at").get_attribute("max"), []
    page.route("**/v1/indices/chain-4", lambda way: held.append(way))  # noqa: PLW0108 (a built-in has no signature)
    page.select_option("[name=a]", "chain-4")
    page.select_option("[name=a]", "chain-5")
    page.locator("#answer", has_text=shown.NAMES[4]["en"]).wait_for()
    told = [{"published_at": f"2026-03-0{n}T00:00:00Z"} for n in range(1, 9)]
    held[0].fulfill(json={"publications": told})
    page.wait_for_timeout(200)

    assert page.locator("#at").get_attribute("max") == most


def test_an_index_that_nobody_has_is_named_in_the_language_of_the_page(page, address):
    go(page, address, "?a=zzz")
    page.locator("#fault").wait_for()
    told = page.locator("#fault").inner_text()
    page.select_option("[name=lang]", "zh")

    assert told == "There is no index zzz."
    assert page.locator("#fault").inner_text() == "不存在指数 zzz。"


def test_of_no_index_is_said_that_there_is_none_before_any_is_known(page, closed):
    page.goto(f"{closed}/?a=chain-2")
    page.locator("#fault").wait_for()
    page.select_option("[name=lang]", "zh")

    assert page.locator("#fault").inner_text().startswith("服务器返回：")


def test_what_was_asked_for_stays_in_the_address_until_the_token_is_given(page, closed):
    page.goto(f"{closed}/?a=chain-2&at=2026-03-03T00:00:00Z")
    page.locator("#fault").wait_for()
    page.select_option("[name=lang]", "zh")

    assert (
        page.url
        == f"{closed}/?a=chain-2&variant=price&window=60&at=2026-03-03T00%3A00%3A00Z&lang=zh"
    )


def test_before_anything_is_known_nothing_is_offered(page, closed):
    wrong = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.goto(f"{closed}/")
    page.locator("#token input").wait_for()
    page.select_option("[name=lang]", "zh")

    assert page.locator("#asked, #lines, #csv-a, #link").filter(visible=True).count() == 0
    assert not page.locator("footer a").is_visible()  # its answer needs the token too
    assert wrong == []


def test_an_empty_ledger_has_nothing_to_compare(page, tmp_path):
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    open_ledger(url, create=True).dispose()
    with server(url, receipt=10) as (_, port):
        page.goto(f"http://127.0.0.1:{port}/")
        page.locator("#indices th").first.wait_for()

        assert not page.locator("#asked").is_visible()
        assert not page.locator("#fault").is_visible()


@pytest.mark.parametrize("query", ["?from=2030-01-01", f"?from={DAYS[9]}&to={DAYS[3]}"])
def test_where_no_day_is_within_the_dates_that_is_the_reason(page, address, query):
    page.goto(f"{address}/{query}&lang=en")
    page.locator("#records td").first.wait_for()

    assert page.locator("#answer").inner_text() == "There is no level between these dates."


@pytest.mark.parametrize("clipboard", ["undefined", "{ writeText: () => Promise.reject() }"])
def test_an_address_that_cannot_be_copied_is_shown_until_another_holds(page, address, clipboard):
    page.add_init_script(f"Object.defineProperty(navigator, 'clipboard', {{ value: {clipboard} }})")
    go(page, address)
    page.locator("#link").click()
    page.locator("#address:not(:empty)").wait_for()
    label, told, copied = page.locator("#link").inner_text(), page.url, page.locator("#address")

    assert (label, copied.inner_text()) == ("Copy link", told)
    page.select_option("[name=window]", "20")
    assert copied.inner_text() == ""


def test_a_link_is_copied_no_longer_when_something_else_is_shown(page, address):
    able = "{ writeText: () => Promise.resolve() }"
    page.add_init_script(f"Object.defineProperty(navigator, 'clipboard', {{ value: {able} }})")
    go(page, address)
    page.locator("#link").click()
    page.locator("#link", has_text="Copied").wait_for()
    page.select_option("[name=window]", "20")

    assert page.locator("#link").inner_text() == "Copy link"


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_chart_leaves_as_csv_with_what_it_is_and_heads_in_the_language(page, address, lang):
    go(page, address, f"?lang={lang}&b=chain-4")
    [told], head, *_ = csv.reader(io.StringIO(chart(page, "CSV").decode("utf-8-sig")))
    name = shown.NAMES[0][lang]
    words = {"en": ("Date", "back-tested", "As known at"), "zh": ("日期", "回测", "查询时点")}[lang]

    assert head[:3] == [words[0], name, f"{name} ({words[1]})"]
    assert all(part in told for part in (SYNTHETIC[lang], name, words[2], DAYS[19]))


@pytest.mark.parametrize("id", ["lines", "ratio", "correlation"])
def test_a_chart_leaves_as_a_picture_that_is_xml_and_says_what_it_is(page, address, id):
    go(page, address)
    texts = ElementTree.fromstring(chart(page, "SVG", id)).itertext()  # noqa: S314 (it is ours)
    drawn = " ".join("".join(texts).split())  # whatever its lines

    assert all(part in drawn for part in (SYNTHETIC["en"], shown.NAMES[0]["en"], "As known at"))
    assert f"Back-tested up to and including {DAYS[19 if id != 'correlation' else -1]}" in drawn


def test_what_is_taken_away_names_the_variant_and_opens_in_a_spreadsheet(page, address):
    go(page, address, "?variant=gross")
    name, content = downloaded(page, "#csv-a")

    assert name == "chain-1-gross.csv"
    assert content.startswith(b"\xef\xbb\xbf")


def test_charts_are_written_in_the_letters_of_the_page(page, address):
    go(page, address)
    used = """() => {
      const chart = echarts.getInstanceByDom(document.getElementById("lines"));
      return chart.getZr().storage.getDisplayList().map((one) => one.style.font).filter(Boolean);
    }"""

    assert {"system-ui" in font for font in page.evaluate(used)} == {True}
