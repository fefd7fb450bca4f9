"""Symbols: the contract's spellings, what is ambiguous, and laws of the canonical form."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.definitions.symbols import (
    CANONICAL,
    CANONICAL_SERIES,
    country_of,
    currency_of,
    exchange_of,
    parse_symbol,
    suffixes_of,
)

SPELLINGS = {
    "688981.SH": "688981.SH sh688981 SH688981 688981.sh 688981.SS 688981.XSHG SHSE.688981 "
    "XSHG.688981 SH.688981 688981.SHSE 688981",
    "300308.SZ": "300308.SZ sz300308 300308.XSHE SZSE.300308 300308.sz 300308",
    "002371.SZ": "002371.SZ sz002371 002371.XSHE 002371",
    "200002.SZ": "200002.SZ 200002",
    "430047.BJ": "430047.BJ bj430047 430047.BJSE XBEI.430047 430047",
    "830799.BJ": "830799.BJ 830799",
    "920128.BJ": "920128.BJ bj920128 920128",
    "00700.HK": "00700.HK 700.HK 0700.hk hk00700 hk700 700.XHKG 00700.HI HK.00700 XHKG.700",
    "09988.HK": "9988.HK 09988.HK",
    "NVDA.US": "NVDA.US nvda.us gb_nvda US.NVDA NVDA.XNAS XNYS.NVDA",
    "BRK.B.US": "BRK.B.US gb_brk.b US.BRK.B",
    "HK.US": "HK.US",
}
SERIES = {
    "399006.SZ": "399006.SZ sz399006 399006.XSHE 399006",
    "000985.SH": "000985.SH sh000985 000985.XSHG SHSE.000985 000985.SS",
    "HSTECH.HK": "HSTECH.HK hstech.hk HSTECH.HI HK.HSTECH",
    "SPX.US": "SPX.US",
    "H30533.SH": "H30533.SH",
}
CODE = st.from_regex(r"[0-9]{6}", fullmatch=True)


def spelled(table: dict[str, str]) -> list[tuple[str, str]]:
    return [(written, symbol) for symbol, row in table.items() for written in row.split()]


@pytest.mark.parametrize(("written", "symbol"), spelled(SPELLINGS))
def test_every_spelling_of_a_security_becomes_canonical(written: str, symbol: str) -> None:
    assert parse_symbol(written) == symbol


@pytest.mark.parametrize(("written", "symbol"), spelled(SERIES))
def test_every_spelling_of_a_series_becomes_canonical(written: str, symbol: str) -> None:
    assert parse_symbol(written, series=True) == symbol


@pytest.mark.parametrize("written", [" 300308.SZ", "300308.SZ\t", "300308.SZ\u3000", "300308.SZ\n"])
def test_white_space_around_a_symbol_is_dropped(written: str) -> None:
    assert parse_symbol(written) == "300308.SZ"


@given(st.integers(0, 999))
def test_a_bare_code_that_could_be_an_index_shows_both_readings(number: int) -> None:
    code = f"{number:06}"
    with pytest.raises(ValueError, match=rf"write {code}\.SZ or {code}\.SH$"):
        parse_symbol(code)


@given(CODE.filter(lambda code: not code.startswith("000")))
def test_a_bare_code_goes_to_the_board_of_its_first_digits(code: str) -> None:
    boards = {"6": "SH", "0": "SZ", "2": "SZ", "3": "SZ", "4": "BJ", "8": "BJ", "92": "BJ"}
    suffix = boards.get(code[0]) or boards.get(code[:2])
    if suffix:
        assert parse_symbol(code) == f"{code}.{suffix}"
    else:
        with pytest.raises(ValueError, match="write it with its exchange"):
            parse_symbol(code)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("", "write it like 300308.SZ"),
        (" ", "write it like 300308.SZ"),
        ("NVDA", "write it like 300308.SZ, 00700.HK or NVDA.US"),
        ("700", "write it like"),
        ("300308.LSE", "write it like"),
        (".SH", "write it like"),
        ("SH.", "write it like"),
        ("30030.SZ", "expected six digits before .SZ"),
        ("3003080.SZ", "expected six digits before .SZ"),
        ("30030A.SZ", "is not a security: expected six digits before .SZ"),
        ("sz30030", "expected six digits before .SZ"),
        ("000700.HK", "at most five digits before .HK"),
        ("HSTECH.HK", "is not a security: expected at most five digits before .HK"),
        ("1A.US", "a capital letter first"),
        ("BRK B.US", "a capital letter first"),
        ("30-308.SZ", "is not a symbol"),
        ("300308.SZ.SH", "expected six digits before .SH"),
        ("300308 .SZ", "expected six digits before .SZ"),
    ],
)
def test_what_is_no_symbol_is_refused_and_says_what_is(written: str, said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)) as refused:
        parse_symbol(written)
    assert str(refused.value).startswith(repr(written))


@pytest.mark.parametrize(
    "written",
    [
        "３００３０８.SZ",  # full-width digits
        "٣٠٠٣٠٨.SZ",  # Arabic digits
        "688981.ß",  # upper case: SS
        "00700.hı",  # upper case: HI
        "NVſA.us",  # upper case: NVSA.US
        "300308.SZ\u200b.US",
    ],
)
def test_characters_that_only_look_the_part_are_refused(written: str) -> None:
    with pytest.raises(ValueError, match="outside ASCII"):
        parse_symbol(written)


@given(st.from_regex(CANONICAL, fullmatch=True))
def test_every_canonical_symbol_is_a_fixed_point(symbol: str) -> None:
    assert parse_symbol(symbol) == symbol.strip()


@given(st.from_regex(CANONICAL_SERIES, fullmatch=True))
def test_every_canonical_series_is_a_fixed_point_but_for_padding(symbol: str) -> None:
    code, _, suffix = symbol.strip().rpartition(".")
    padded = code.zfill(5) if suffix == "HK" and code.isdecimal() else code
    assert parse_symbol(symbol, series=True) == f"{padded}.{suffix}"


FORMS = ["{}", "sh{}", "{}.ss", "SHSE.{}", "{}.XSHE", "bj{}", "{}.HK", "hk{}", "{}.US", "gb_{}"]


@given(st.sampled_from(FORMS), CODE | st.text("0123456789abcXYZ.-_", max_size=6), st.booleans())
def test_parsing_twice_changes_nothing(form: str, code: str, series: bool) -> None:
    try:
        symbol = parse_symbol(form.format(code), series=series)
    except ValueError:
        return
    assert parse_symbol(symbol, series=series) == symbol
    assert re.fullmatch(CANONICAL_SERIES if series else CANONICAL, symbol)
    assert symbol.isascii()


def outcome(text: str) -> str:
    """Return the symbol, or what is said against it."""
    try:
        return parse_symbol(text)
    except ValueError as refused:
        return str(refused)


@given(st.text() | st.from_regex(r"\s*[A-Za-z0-9.]{5,9}\s*", fullmatch=True))
def test_any_text_is_a_symbol_or_a_value_error_that_quotes_it(text: str) -> None:
    found = outcome(text)
    assert re.fullmatch(CANONICAL, found) or found.startswith((repr(text), repr(text.strip())))


@pytest.mark.parametrize(
    ("symbol", "code"),
    [
        ("688981.SH", "XSHG"),
        ("399006.SZ", "XSHG"),
        ("920002.BJ", "XSHG"),
        ("00700.HK", "XHKG"),
        ("HSTECH.HK", "XHKG"),
        ("BRK.B.US", "XNYS"),
    ],
)
def test_symbols_trade_on_the_calendar_of_their_suffix(symbol: str, code: str) -> None:
    assert exchange_of(symbol) == code


@pytest.mark.parametrize("symbol", ["300308.XSHE", "NVDA", ""])
def test_symbols_without_a_known_suffix_are_refused(symbol: str) -> None:
    with pytest.raises(ValueError, match=r"names no exchange: expected one of \.SH, \.SZ, \.BJ"):
        exchange_of(symbol)


@pytest.mark.parametrize(
    ("symbol", "currency", "country"),
    [("688981.SH", "CNY", "CN"), ("00700.HK", "HKD", "HK"), ("BRK.B.US", "USD", "US")],
)
def test_symbols_are_priced_where_they_trade(symbol: str, currency: str, country: str) -> None:
    assert (currency_of(symbol), country_of(symbol)) == (currency, country)


def test_no_suffix_is_of_a_calendar_unknown_here() -> None:
    assert suffixes_of("XTKS") == []
