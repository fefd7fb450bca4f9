"""What a reply must look like before akshare may read it, and what it is called otherwise."""

import json
from datetime import date

import pytest

from indexer.market.sources import bodies
from indexer.market.sources.plain import Refused

URL = "https://upstream/kline"
LINE = "2026-06-11,10.00,10.10,10.20,9.90,1000,1005000.00,3.0,1.0,0.1,0.42"
TENCENT = ["2026-06-11", "10.00", "10.10", "10.20", "9.90", "1000.000", {}, "0.42", "100.50", ""]


def kline(*lines: str, code: str = "300308", market: int = 0) -> bytes:
    return json.dumps({"data": {"code": code, "market": market, "klines": list(lines)}}).encode()


def tencent(*rows: list, key: str = "day", symbol: str = "sz300308") -> bytes:
    return f"kline_day2026={json.dumps({'code': 0, 'data': {symbol: {key: list(rows)}}})}".encode()


def report(*rows: dict, **told: int | None) -> dict:
    """Return a page of a report of Eastmoney's, of one that says how many rows it has."""
    return {"result": {"data": list(rows), "count": len(rows), "pages": 1} | told}


def refusal(check: bodies.Check, body: bytes, url: str = URL) -> str:
    """Return what a body is called; empty where it passes."""
    try:
        check(url, body)
    except Refused as refused:
        return refused.outcome if refused.reason else "no reason"
    return ""


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        *((code, "blocked") for code in (301, 302, 401, 403, 418, 429, 456)),
        *((code, "transient") for code in (204, 500, 502, 503)),
        (404, "no_data_unexplained"),
    ],
)
def test_a_status_is_judged_whatever_comes_with_it(status, outcome):
    with pytest.raises(Refused) as refused:
        bodies.judge_status(status)

    assert refused.value.outcome == outcome


def test_nothing_that_is_caught_as_an_error_catches_a_refusal():
    """What akshare calls asks three times over when an exception comes."""
    assert not issubclass(Refused, Exception)


@pytest.mark.parametrize(
    ("body", "outcome"),
    [
        (kline(LINE), ""),
        (b"\xef\xbb\xbf" + kline(LINE), ""),
        (b"", "transient"),
        (b" \n", "transient"),
        (kline(LINE)[:40], "transient"),
        ("<html>请完成验证</html>".encode(), "blocked"),
        (b'{"rc": 102, "data": null}', "no_data_unexplained"),
        (kline(), "no_data_unexplained"),
        (b"[1, 2]", "corrupt"),
        (b"[" * 200_000, "corrupt"),
        (kline(LINE).replace(b"10.10", b"\xc6\xd6"), "corrupt"),
        (b'{"data": NaN}', "corrupt"),
        (kline(LINE, code="000001"), "corrupt"),
        (kline(LINE, market=1), "corrupt"),
        (kline(LINE + ",7"), "corrupt"),
        (kline(LINE.rpartition(",")[0]), "corrupt"),
        *((kline(LINE.replace("10.10", cell)), "corrupt") for cell in ("-", "inf", "nan", "")),
        *((kline(LINE.replace("10.10", cell)), "corrupt") for cell in ("-1.70", "0.00", "1e400")),
        *((kline(LINE.replace("10.10", cell)), "corrupt") for cell in ("１０", "9" * 30)),
        (kline(LINE.replace("2026-06-11", "2026-13-45")), "corrupt"),
        (kline(LINE.replace("2026-06-11", "20260611")), "corrupt"),
        (kline(LINE.replace(",1000,", ",0,")), ""),  # a price it must have, a volume it need not
        (kline(LINE.replace(",1000,", ",-1,")), "corrupt"),
    ],
)
def test_bars_of_eastmoney(body, outcome):
    assert refusal(bodies.kline("300308", [0], 11), body) == outcome


@pytest.mark.parametrize(
    ("body", "outcome"),
    [
        (tencent(TENCENT), ""),
        (tencent(), ""),
        (tencent(TENCENT, key="qfqday"), "corrupt"),
        (tencent(TENCENT, symbol="sh600000"), "corrupt"),
        (b'a={"code": 0, "data": {"sz300308": {"qt": {}}}}', "no_data_unexplained"),
        (tencent(TENCENT[:8]), "corrupt"),
        (tencent([*TENCENT, "1", "2"]), "corrupt"),
        (tencent(["2026-02-30", *TENCENT[1:]]), "corrupt"),
        (tencent([*TENCENT[:2], "-", *TENCENT[3:]]), "corrupt"),
        (tencent([*TENCENT[:2], 10.1, *TENCENT[3:]]), "corrupt"),
    ],
)
def test_bars_of_tencent(body, outcome):
    assert refusal(bodies.tencent("sz300308", date(2026, 6, 12), []), body) == outcome


@pytest.mark.parametrize("weeks", ["[[]]", '{"a": 1}', '["2015-01-09"]'])
def test_a_first_week_of_tencent_that_is_no_list_is_corrupt(weeks):
    body = f'trend_qfq={{"data": {weeks}}}'.encode()
    check = bodies.tencent("sz300308", date(2026, 6, 12), [])

    assert refusal(check, body, "https://web.ifzq.gtimg.cn/weekTrends?x") == "corrupt"


@pytest.mark.parametrize(
    ("first", "outcome"),
    [("2015-01-09", ""), ("2026-06-26", "no_data_unexplained"), ("2026-06-18", "")],
)
def test_the_first_week_of_tencent_says_whether_there_can_be_bars(first, outcome):
    body = f'trend_qfq={{"data": [["{first}", "1"]]}}'.encode()

    check = bodies.tencent("sz300308", date(2026, 6, 12), [])

    assert refusal(check, body, "https://web.ifzq.gtimg.cn/weekTrends?x") == outcome


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        ('var KLC_KL_sz300308="AbC+/09";', ""),
        ('var datelist="AbC";\n', ""),
        ('var KLC_KL_sz300308="";', "no_data_unexplained"),
        ('var KLC_KL_sh600000="AbC";', "corrupt"),
        ('var KLC_KL_sz300308="AbC";d=1', "corrupt"),
        ('var KLC_KL_sz300308="Ab"+alert(1)+"C";', "corrupt"),
        ("__import__('os').system('id')", "corrupt"),
        ("", "transient"),
        ("<html></html>", "blocked"),
    ],
)
def test_compact_bars_of_sina_are_one_quoted_text(text, outcome):
    assert refusal(bodies.klc("sz300308"), text.encode()) == outcome


@pytest.mark.attack("D1")
@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        ('var f={"total":1,"data":[{"d":"1900-01-01","f":"1","c":"0"}]}\n/* x */', ""),
        ('var f={"data":[]}', ""),
        ("var f=__import__('os')\n", "corrupt"),
        ('var f={"data":[().__class__]}\n', "corrupt"),
        ('var f={"data":[1]}=print\n', "corrupt"),
        ('var f={"data":1}\n', "corrupt"),
        ('var f={"data":[\n', "transient"),
    ],
)
def test_factors_are_json_because_they_are_evaluated(text, outcome):
    assert refusal(bodies.factors, text.encode()) == outcome


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        (
            'var A=([{date:"1999-11-10",amount:"40000"},{date:"2020-01-02",amount:"5.5"}]);',
            "",
        ),
        ("/*<script>location.href='//sina.com';</script>*/\nvar A=([]);", ""),
        ('var A=([{date:"1999-11-10",amount:alert(1)}]);', "corrupt"),
    ],
)
def test_amounts_of_sina_are_dates_and_numbers(text, outcome):
    assert refusal(bodies.amounts, text.encode()) == outcome


@pytest.mark.parametrize(
    ("content", "outcome"),
    [
        ({"resultcode": 200, "records": [{"F020D": "2026-06-11"}]}, ""),
        ({"resultcode": 200, "records": []}, "no_data_unexplained"),
        ({"resultcode": 401, "records": []}, "transient"),
        ({"resultcode": 200}, "corrupt"),
        ({"resultcode": 200, "records": [{"F021D": 1}]}, "corrupt"),
        ({"resultcode": 200, "total": 1, "records": [{"F020D": "2026-06-11"}]}, ""),
        ({"resultcode": 200, "total": 2, "records": [{"F020D": "2026-06-11"}]}, "corrupt"),
    ],
)
def test_records_of_cninfo(content, outcome):
    assert refusal(bodies.records("F020D"), json.dumps(content).encode()) == outcome


@pytest.mark.parametrize(
    ("content", "outcome"),
    [
        (report({"CODE": "300308", "A": 1}), ""),
        ({"result": None, "code": 9201, "message": "返回数据为空"}, "no_data_unexplained"),
        ({"result": None, "code": 9501, "message": "busy"}, "transient"),
        (report(), "no_data_unexplained"),
        (report({"CODE": "600000", "A": 1}), "corrupt"),
        (report({"CODE": "300308", "B": 1}), "corrupt"),
        (report({"CODE": "300308", "A": 1, "B": 2}), "corrupt"),
        (report({"CODE": "300308", "A": 1}, count=2), "corrupt"),
        (report({"CODE": "300308", "A": 1}, count=None), "corrupt"),
        (report({"CODE": "300308", "A": 1}, pages=None), "corrupt"),
    ],
)
def test_reports_of_eastmoney(content, outcome):
    check = bodies.datacenter("A", keys=2, own=("CODE", "300308"))

    assert refusal(check, json.dumps(content).encode()) == outcome


def paged(check: bodies.Check, *pages: dict, key: str = "pageNumber") -> list[str]:
    """Return what each page is called, of those that are asked for one after the other."""
    told = enumerate(pages, 1)
    return [refusal(check, json.dumps(page).encode(), f"{URL}?{key}={n}") for n, page in told]


ROW = {"A": 1}


def test_the_rows_of_all_pages_are_those_that_are_counted():
    whole = [report(ROW, ROW, count=3, pages=2), report(ROW, count=3, pages=2)]
    short = [whole[0], report(ROW, count=4, pages=2)]

    assert paged(bodies.datacenter("A"), *whole) == ["", ""]
    assert paged(bodies.datacenter("A"), *short) == ["", "corrupt"]


def test_a_page_that_is_asked_for_twice_counts_once():
    check = bodies.datacenter("A")
    pages = [report(ROW, ROW, count=3, pages=2), report(ROW, count=3, pages=2)]

    assert paged(check, pages[0]) == [""]
    assert paged(check, *pages) == ["", ""]


def test_pages_that_count_otherwise_than_those_before_are_refused():
    pages = [report(ROW, ROW, count=3, pages=2), report(ROW, count=3, pages=9)]

    assert paged(bodies.datacenter("A"), *pages) == ["", "corrupt"]


def test_of_a_report_that_is_read_no_further_the_first_page_is_all():
    check = bodies.datacenter("A", paged=False)

    assert paged(check, report(ROW, ROW, count=3, pages=2)) == ["corrupt"]


def listed(*codes: str, total: int) -> dict:
    rows = [{"f3": 1.0, "f12": code, "f13": 124} for code in codes]
    return {"data": {"total": total, "diff": rows}}


def test_the_codes_on_all_pages_of_a_list_are_those_that_are_counted():
    whole = [listed("HSI", "HSCEI", total=3), listed("HSTECH", total=3)]
    capped = [whole[0], listed("HSTECH", total=4)]

    assert paged(bodies.listing(set()), *whole, key="pn") == ["", ""]
    assert paged(bodies.listing(set()), *capped, key="pn") == ["", "corrupt"]


@pytest.mark.parametrize(
    ("change", "outcome"),
    [
        ({}, ""),
        ({"indexCode": "000001"}, "corrupt"),
        ({"close": None}, "corrupt"),
        ({"tradeDate": "20261345"}, "corrupt"),
        ({"new": 1}, "corrupt"),
    ],
)
def test_levels_of_csindex_come_in_the_order_in_which_they_are_named(change, outcome):
    row = {"tradeDate": "20260611", "indexCode": "000985", "close": 4000.5}
    body = json.dumps({"code": "200", "data": [row | change]}).encode()

    assert refusal(bodies.csindex("000985", tuple(row)), body) == outcome


def test_an_address_that_was_not_to_be_asked_is_no_answer():
    check = bodies.by_path({"kline": bodies.kline("300308", [0], 11)})

    assert refusal(check, kline(LINE)) == ""
    assert refusal(check, kline(LINE), "https://elsewhere/") == "corrupt"


@pytest.mark.parametrize(
    ("body", "outcome"),
    [
        (b"\xd0\xcf\x11\xe0rest", ""),
        (b"<html>", "blocked"),
        (b"%PDF", "corrupt"),
        (b"", "transient"),
    ],
)
def test_a_workbook_begins_like_one(body, outcome):
    assert refusal(bodies.excel, body) == outcome


CELLS = [
    ("DAY", "2026-05-18 00:00:00", ""),
    ("DAY", None, ""),  # decided, not carried out yet
    ("DAY", "2026-13-45", "corrupt"),
    ("DAY", "18.05.2026", "corrupt"),
    ("PAID", 5.3, ""),
    ("PAID", "5.3", ""),
    ("PAID", None, ""),
    *(("PAID", cell, "corrupt") for cell in ("-", "inf", "1e400", "", 1e15, float("1e300"))),
]


@pytest.mark.parametrize(("name", "cell", "outcome"), CELLS)
def test_a_cell_that_akshare_would_call_missing_is_refused(name, cell, outcome):
    row = {"DAY": "2026-05-18", "PAID": 5.3} | {name: cell}
    reported = json.dumps(report(row)).encode()
    told = json.dumps({"resultcode": 200, "records": [row]}).encode()

    assert refusal(bodies.datacenter(days=["DAY"], figures=["PAID"]), reported) == outcome
    assert refusal(bodies.records(days=["DAY"], figures=["PAID"]), told) == outcome


def test_a_text_that_does_not_end_was_cut_off_and_may_be_asked_for_again():
    check = bodies.klc("sh600000")

    assert refusal(check, b'var KLC_KL_sh600000="aBc') == "transient"
    assert refusal(check, b'var KLC_KL_sh600000="aBc";') == ""
    assert refusal(check, b'var KLC_KL_sh600000="aBc";alert(1)') == "corrupt"


def test_a_page_that_ends_within_a_table_was_cut_off():
    check = bodies.html("<table")

    assert refusal(check, b"<table><tr><td>7.1</td></tr>") == "transient"
    assert refusal(check, b"<table><tr><td>7.1</td></tr></table>") == ""
