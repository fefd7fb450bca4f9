"""Definitions from files: every problem with its place, constituents files, digests, cost."""

import hashlib
import time
from pathlib import Path

import pytest

from indexer.definitions.basket import Basket, Series
from indexer.definitions.read import read_basket, read_definition, read_study
from indexer.definitions.study import Study
from indexer.errors import DefinitionError, MissingInputError

BUNDLED = sorted((Path(__file__).parents[2] / "baskets").glob("*.yaml"))

INDEX = {
    "version": "1",
    "id": "example",
    "name": "{en: Example}",
    "currency": "CNY",
    "calendar": "XSHG",
    "base": "{date: 2024-01-02, level: 1000}",
    "weighting": "{scheme: equal}",
    "constituents": "[{symbol: 300308.SZ}, {symbol: 688981.SH}]",
}
SERIES = {key: INDEX[key] for key in ("version", "id", "name", "currency", "calendar")} | {
    "kind": "series",
    "symbol": "399006.SZ",
}
STUDY = {key: INDEX[key] for key in ("version", "id", "name")} | {
    "start": "2024-01-02",
    "pairs": "[{leader: a, follower: b}]",
}


def write(folder: Path, keys: dict[str, str], **changes: str | None) -> tuple[Path, list[str]]:
    """Write the keys, changed or without those that are None; return the file and the « places."""
    lines = [f"{key}: {value}" for key, value in (keys | changes).items() if value is not None]
    text = "".join(line + "\n" for line in lines)
    places, plain = [], ""
    for part in text.split("«")[:-1]:
        plain += part
        places.append(f"{plain.count(chr(10)) + 1}:{len(plain) - plain.rfind(chr(10))}")
    file = folder / "example.yaml"
    file.write_text(text.replace("«", ""), encoding="utf-8")
    return file, places


def refusal(file: Path) -> list[str]:
    """Return the problems of a file as they are printed, without its name."""
    with pytest.raises(DefinitionError) as refused:
        read_definition(file)
    printed = str(refused.value).splitlines()
    assert printed == [str(problem) for problem in refused.value.problems]
    return [line.removeprefix(f"{file}:") for line in printed]


def index(folder: Path, **changes: str | None) -> Basket:
    basket = read_basket(write(folder, INDEX, **changes)[0])
    assert isinstance(basket, Basket)
    return basket


# What is read


@pytest.mark.parametrize(("keys", "kind"), [(INDEX, Basket), (SERIES, Series), (STUDY, Study)])
def test_a_definition_is_what_its_keys_make_it(
    tmp_path: Path, keys: dict[str, str], kind: type
) -> None:
    assert isinstance(read_definition(write(tmp_path, keys)[0]), kind)


@pytest.mark.parametrize("path", BUNDLED, ids=lambda path: path.stem)
def test_every_bundled_definition_is_sound(path: Path) -> None:
    assert read_definition(path).id == path.stem


def test_the_defaults_are_those_of_the_contract(tmp_path: Path) -> None:
    basket = index(tmp_path)

    assert basket.kind == "index"
    assert basket.variants == ("price",)
    assert (basket.rebalance.frequency, basket.rebalance.day) == ("never", "last session")
    assert (basket.rebalance.reference_lag, basket.rebalance.price_date) == (0, "reference")
    assert (basket.rebalance.untradable, basket.eligibility.seasoning) == ("ignore", 0)
    assert (basket.weighting.lookback, basket.weighting.ladder) == (60, "csi-2010")
    assert basket.publish.decimals == 4
    assert basket.withholding is basket.selection is basket.max_stale is basket.selected_on is None


def test_symbols_are_canonical_and_in_order(tmp_path: Path) -> None:
    basket = index(
        tmp_path, constituents="[{symbol: sh688981}, {symbol: 002371}, {symbol: 700.HK}]"
    )
    assert basket.symbols == ("688981.SH", "002371.SZ", "00700.HK")


def test_a_bare_rate_is_withheld_in_every_country(tmp_path: Path) -> None:
    withheld = index(tmp_path, withholding="0.1").withholding
    assert withheld
    assert (withheld.rate("CN"), withheld.rate("US")) == (0.1, 0.1)


def test_a_country_missing_from_the_table_has_no_rate(tmp_path: Path) -> None:
    withheld = index(tmp_path, withholding="{view: resident, CN: 0.1, HK: 0}").withholding
    assert withheld
    assert (withheld.rate("CN"), withheld.rate("HK"), withheld.rate("US")) == (0.1, 0.0, None)


def test_a_definition_knows_its_file_and_places(tmp_path: Path) -> None:
    file, [place] = write(tmp_path, INDEX, base="{date: «2024-01-06, level: 1000}")
    problem = read_definition(file).problem(("base", "date"), "no session")
    assert str(problem) == f"{file}:{place}: base.date: no session"


# What is refused

BROKEN = {
    "no version": ({"version": None, "id": "example"}, "version", "required key is missing"),
    "other version": ({"version": "«2"}, "version", "got '2', expected '1'"),
    "other id": ({"id": "«other"}, "id", "'other' must equal the file's stem, 'example'"),
    "bad id": ({"id": "«Example_1"}, "id", "got 'Example_1', expected a-z, 0-9 and '-'"),
    "name is text": ({"name": "«Example"}, "name", "got 'Example', expected keys and values: en"),
    "no English name": ({"name": "«{zh: 例}"}, "name.en", "required key is missing"),
    "empty name": ({"name": "{en: «''}"}, "name.en", "at least 1 character"),
    "currency": ({"currency": "«RMB1"}, "currency", "expected ISO 4217, as in CNY"),
    "calendar": ({"calendar": "«Shanghai"}, "calendar", "expected ISO 10383, as in XSHG, or 24/5"),
    "no such day": ({"base": "{date: «2024-02-30, level: 1}"}, "base.date", "got '2024-02-30'"),
    "date as digits": (
        {"base": "{date: «20240102, level: 1}"},
        "base.date",
        "'20240102' is not a date: write it like 2024-01-02",
    ),
    "date and hour": ({"selected_on": "«2024-01-02T09:30"}, "selected_on", "is not a date"),
    "level zero": ({"base": "{date: 2024-01-02, level: «0}"}, "base.level", "greater than 0"),
    "level infinite": ({"base": "{date: 2024-01-02, level: «.inf}"}, "base.level", "'.inf'"),
    "level nan": ({"base": "{date: 2024-01-02, level: «nan}"}, "base.level", "finite number"),
    "level as text": (
        {"base": "{date: 2024-01-02, level: «high}"},
        "base.level",
        "got 'high', expected a number",
    ),
    "level is a list": (
        {"base": "{date: 2024-01-02, level: «[1]}"},
        "base.level",
        "got ['1'], expected a number",
    ),
    "scheme": (
        {"weighting": "{scheme: «equall}"},
        "weighting.scheme",
        "got 'equall', expected 'equal', 'market_cap'",
    ),
    "scheme alone": (
        {"weighting": "«equal"},
        "weighting",
        "expected keys and values: scheme, caps",
    ),
    "cap above one": (
        {"weighting": "{scheme: equal, caps: {constituent: «10}}"},
        "weighting.caps.constituent",
        "got '10': input should be less than or equal to 1",
    ),
    "flag": (
        {"weighting": "{scheme: fixed, normalise: «perhaps}"},
        "weighting.normalise",
        "got 'perhaps', expected true or false",
    ),
    "variant": ({"variants": "[price, «Gross]"}, "variants[1]", "did you mean 'gross'?"),
    "variants as text": ({"variants": "«price"}, "variants", "got 'price', expected a list"),
    "no variants": ({"variants": "«[]"}, "variants", "expected at least one item"),
    "frequency": (
        {"rebalance": "{frequency: «quaterly}"},
        "rebalance.frequency",
        "did you mean 'quarterly'?",
    ),
    "day": ({"rebalance": "{day: «fifth friday}"}, "rebalance.day", "expected 'third friday'"),
    "day of the month": ({"rebalance": "{day: «32}"}, "rebalance.day", "day of the month 1..31"),
    "day in other digits": ({"rebalance": "{day: «1５}"}, "rebalance.day", "got '1５'"),
    "month": (
        {"rebalance": "{frequency: annual, months: [«13]}"},
        "rebalance.months[0]",
        "less than or equal to 12",
    ),
    "half a session": (
        {"rebalance": "{reference_lag: «2.5}"},
        "rebalance.reference_lag",
        "got '2.5', expected a whole number",
    ),
    "price date": (
        {"rebalance": "{price_date: «efective}"},
        "rebalance.price_date",
        "'effective'?",
    ),
    "negative seasoning": ({"eligibility": "{seasoning: «-1}"}, "eligibility.seasoning", "'-1'"),
    "decimals": ({"publish": "{decimals: «11}"}, "publish.decimals", "less than or equal to 10"),
    "country": ({"withholding": "{«cn: 0.1}"}, "withholding.cn", "got 'cn', expected ^[A-Z]{2}$"),
    "rate": ({"withholding": "{CN: «10}"}, "withholding.CN", "less than or equal to 1"),
    "rate as text": ({"withholding": "«none"}, "withholding.every_country", "expected a number"),
    "no constituents": ({"constituents": "«[]"}, "constituents", "expected at least one item"),
    "constituents empty": ({"constituents": "«''"}, "constituents", "got '', expected a list"),
    "bare symbol": (
        {"constituents": "[«300308.SZ]"},
        "constituents[0]",
        "got '300308.SZ', expected keys and values: symbol, name",
    ),
    "no symbol": ({"constituents": "[«{name: x}]"}, "constituents[0].symbol", "is missing"),
    "ambiguous": (
        {"constituents": "[{symbol: «000001}]"},
        "constituents[0].symbol",
        "write 000001.SZ or 000001.SH",
    ),
    "no board": ({"constituents": "[{symbol: «510300}]"}, "constituents[0].symbol", "510300.SH"),
    "symbol is a list": (
        {"constituents": "[{symbol: «[300308.SZ]}]"},
        "constituents[0].symbol",
        "got ['300308.SZ'], expected text",
    ),
    "weight": (
        {"constituents": "[{symbol: 300308.SZ, weight: «-0.1}]"},
        "constituents[0].weight",
        "greater than or equal to 0",
    ),
    "kind": ({"kind": "«serie"}, "kind", "expected 'index' or 'series'; did you mean 'series'?"),
    "kind is a list": ({"kind": "«[series]"}, "kind", "expected 'index' or 'series'"),
    # unknown keys at each level
    "key": ({"«benchmark": "x"}, "benchmark", "unknown key; known are version, id, name"),
    "key misspelt": ({"«eligibilty": "{}"}, "eligibilty", "did you mean 'eligibility'?"),
    "key of name": ({"name": "{en: x, «cn: x}"}, "name.cn", "unknown key"),
    "key of base": ({"base": "{date: 2024-01-02, level: 1, «leve: 2}"}, "base.leve", "'level'?"),
    "key of weighting": (
        {"weighting": "{scheme: equal, «cap: {}}"},
        "weighting.cap",
        "did you mean 'caps'?",
    ),
    "key of caps": (
        {"weighting": "{scheme: equal, caps: {«sector: 1}}"},
        "weighting.caps.sector",
        "unknown key; known are constituent, segment",
    ),
    "key of rebalance": ({"rebalance": "{«frequncy: never}"}, "rebalance.frequncy", "'frequency'?"),
    "key of selection": (
        {"selection": "{rank_by: price, top: 1, «keeep: 1}"},
        "selection.keeep",
        "did you mean 'keep'?",
    ),
    "key of eligibility": ({"eligibility": "{«season: 1}"}, "eligibility.season", "'seasoning'?"),
    "key of publish": ({"publish": "{«decimal: 2}"}, "publish.decimal", "'decimals'?"),
    "key of a constituent": (
        {"constituents": "[{symbol: 300308.SZ, «form: 2024-01-02}]"},
        "constituents[0].form",
        "did you mean 'from'?",
    ),
    "name inside Python": (
        {"constituents": "[{symbol: 300308.SZ, «from_: 2024-01-02}]"},
        "constituents[0].from_",
        "unknown key; did you mean 'from'?",
    ),
}


@pytest.mark.parametrize(("changes", "path", "said"), BROKEN.values(), ids=BROKEN)
def test_a_broken_key_is_named_with_its_place(
    tmp_path: Path, changes: dict[str, str | None], path: str, said: str
) -> None:
    file, places = write(tmp_path, INDEX, **changes)
    [line] = refusal(file)

    assert line.startswith(f"{places[0] if places else '1:1'}: {path}: ")
    assert said in line


@pytest.mark.parametrize(
    ("keys", "changes", "path", "said"),
    [
        (SERIES, {"symbol": "«399006"[:-1]}, "symbol", "'39900' is not a symbol"),
        (SERIES, {"symbol": "«CSI 300.SH"}, "symbol", "is not a symbol"),
        (SERIES, {"«weighting": "{scheme: equal}"}, "weighting", "unknown key"),
        (SERIES, {"symbol": None}, "symbol", "required key is missing"),
        (STUDY, {"«weigting": "x"}, "weigting", "unknown key; known are version, id, name"),
        (STUDY, {"pairs": None}, "pairs", "required key is missing"),
        (STUDY, {"start": None}, "start", "required key is missing"),
    ],
)
def test_other_kinds_are_held_to_their_own_keys(
    tmp_path: Path, keys: dict[str, str], changes: dict[str, str | None], path: str, said: str
) -> None:
    file, places = write(tmp_path, keys, **changes)
    [line] = refusal(file)

    assert line.startswith(f"{places[0] if places else '1:1'}: {path}: ")
    assert said in line


def test_every_problem_is_reported_once_and_in_order(tmp_path: Path) -> None:
    file, places = write(
        tmp_path,
        INDEX,
        id="«other",
        base="{date: «2024-13-01, level: «-1}",
        weighting="{scheme: equal, caps: {constituent: «0.4}}",
        constituents="[{symbol: 300308.SZ}, {symbol: «300308.XSHE, weight: «1}]",
        variants="[price, «nett]",
        **{"«selction": "{}"},
    )
    paths = [
        *("id", "base.date", "base.level", "weighting.caps.constituent"),
        *("constituents[1].symbol", "constituents[1].weight", "variants[1]", "selction"),
    ]
    assert [line.split(": ")[:2] for line in refusal(file)] == [
        [place, path] for place, path in zip(places, paths, strict=True)
    ]


def test_a_long_value_is_not_printed_whole(tmp_path: Path) -> None:
    [line] = refusal(write(tmp_path, INDEX, description="x" * 100_000)[0])
    assert "100002 characters" in line
    assert len(line) < 300


def test_a_misspelt_key_does_not_hide_the_missing_one(tmp_path: Path) -> None:
    file, [place] = write(tmp_path, INDEX, weighting=None, **{"«weigthing": "{scheme: equal}"})
    assert refusal(file) == [
        "1:1: weighting: required key is missing",
        f"{place}: weigthing: unknown key; did you mean 'weighting'?",
    ]


def test_a_file_that_is_not_there_is_a_missing_input(tmp_path: Path) -> None:
    with pytest.raises(MissingInputError, match=r"none\.yaml: cannot be read: No such file"):
        read_definition(tmp_path / "none.yaml")


def test_a_study_is_not_read_as_a_basket(tmp_path: Path) -> None:
    with pytest.raises(DefinitionError, match="pairs: unknown key"):
        read_basket(write(tmp_path, STUDY)[0])
    with pytest.raises(DefinitionError, match="currency: required key is missing|pairs: required"):
        read_study(write(tmp_path, INDEX)[0])


# Constituents from a CSV file


def listed(folder: Path, rows: bytes | str, name: str = "list.csv") -> Path:
    """Write a definition that names a constituents file, and the file."""
    content = rows.encode() if isinstance(rows, str) else rows
    (folder / "list.csv").write_bytes(content)
    return write(folder, INDEX, constituents=None, constituents_file=name)[0]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_a_constituents_file_takes_the_place_of_the_list(
    tmp_path: Path, end: str, mark: str
) -> None:
    rows = [
        "symbol,name,from,weight,segment",
        "sz300308,中际旭创,2024-01-02,,optical",
        "",
        "9988.HK",
    ]
    basket = read_basket(listed(tmp_path, mark + end.join(rows) + end))
    stated = index(
        tmp_path,
        constituents="[{symbol: 300308.SZ, name: 中际旭创, from: 2024-01-02, segment: optical}, "
        "{symbol: 09988.HK}]",
    )
    assert basket.digest == stated.digest


BAD_ROWS = [
    ("symbol\n300308.SZ\n000001\n", "3:1: constituents[1].symbol: '000001' is a share"),
    ('symbol,name\n300308.SZ,"a\nb"\n\n12,x\n', "5:1: constituents[1].symbol: '12' is not"),
    ("symbol,from\n300308.SZ,2024-1-2\n", "2:1: constituents[0].from: '2024-1-2' is not a date"),
    ("symbol,nmae\n300308.SZ,x\n", "1:1: unknown column 'nmae'; did you mean 'name'?"),
    (
        "symbol,sector\n300308.SZ,x\n",
        "1:1: unknown column 'sector'; known are symbol, name, segment",
    ),
    ("symbol,name,name\n300308.SZ,x,y\n", "1:1: column 'name' is given twice"),
    ("symbol,name\n300308.SZ,a,b\n", "2:1: constituents[0]: 3 cells under 2 columns"),
    ("name\nx\n", "2:1: constituents[0].symbol: required key is missing"),
    ("symbol\n300308.SZ\nsh688981\n688981\n", "4:1: constituents[2].symbol: 688981.SH is listed"),
    ('symbol,name\n300308.SZ,x\n688981.SH,"open\n', "3:1: not CSV: unexpected end of data"),
    ("symbol,name\n300308.SZ," + "x" * 200_000, "2:1: not CSV: field larger than field limit"),
    (b"symbol,name\n300308.SZ,\xff\n", "2:11: is not UTF-8"),
    ("symbol,name\n300308.SZ,\u202ex\n", "2:11: holds the hidden character U+202E"),
]


@pytest.mark.parametrize(("rows", "said"), BAD_ROWS)
def test_a_bad_row_is_named_with_its_line(tmp_path: Path, rows: bytes | str, said: str) -> None:
    file = listed(tmp_path, rows)
    with pytest.raises(DefinitionError) as refused:
        read_definition(file)
    assert [str(problem) for problem in refused.value.problems] == [str(refused.value)]
    assert str(refused.value).startswith(f"{tmp_path / 'list.csv'}:{said}")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("../list.csv", "must be a file inside the definition's folder"),
        ("sub/../../list.csv", "must be a file inside the definition's folder"),
        ("/etc/hostname", "must be a file inside the definition's folder"),
        ("[list.csv]", "must be a file inside the definition's folder"),
        ("outside.csv", "must be a file inside the definition's folder"),
        ("none.csv", "cannot be read: No such file"),
        (".", "cannot be read: Is a directory"),
        ("''", "cannot be read: Is a directory"),
        ("loop.csv", "cannot be read: Too many levels of symbolic links"),
    ],
)
def test_a_constituents_file_lies_inside_the_folder(tmp_path: Path, name: str, said: str) -> None:
    folder = tmp_path / "inside"
    folder.mkdir()
    (tmp_path / "list.csv").write_text("symbol\n300308.SZ\n")
    (folder / "outside.csv").symlink_to(tmp_path / "list.csv")
    (folder / "loop.csv").symlink_to("loop.csv")
    [line] = refusal(listed(folder, "symbol\n300308.SZ\n", name))

    assert line.startswith("8:20: constituents_file: ")
    assert said in line


def test_a_constituents_file_may_lie_below_the_folder(tmp_path: Path) -> None:
    (tmp_path / "lists").mkdir()
    (tmp_path / "lists" / "a.csv").write_text("symbol\n300308.SZ\n")
    assert read_basket(listed(tmp_path, "", "lists/a.csv"))


@pytest.mark.parametrize("rows", ["", "symbol\n", "symbol,name\n\n\n"])
def test_a_constituents_file_without_rows_is_an_empty_list(tmp_path: Path, rows: str) -> None:
    [line] = refusal(listed(tmp_path, rows))
    assert line.startswith("8:20: constituents: got [], expected at least one item")


def test_a_constituents_file_and_a_list_exclude_each_other(tmp_path: Path) -> None:
    file, [place] = write(tmp_path, INDEX, constituents_file="«list.csv")
    assert refusal(file) == [
        f"{place}: constituents_file: replaces constituents: give one of the two"
    ]


# Digests


def laid_out(folder: Path, text: str) -> str:
    (folder / "example.yaml").write_text(text, encoding="utf-8")
    return read_basket(folder / "example.yaml").digest


def test_the_digest_is_blind_to_layout_and_comments(tmp_path: Path) -> None:
    block = """# A comment.
constituents:
- symbol: "300308.SZ"   # quoted
- symbol: sh688981
weighting:
  scheme: 'equal'
base:
    level: 1_000.00
    date: 2024-01-02
calendar: XSHG
currency: >-
  CNY
name:
  en: Example
id: example
version: 1
"""
    assert laid_out(tmp_path, block) == index(tmp_path).digest


@pytest.mark.parametrize(
    "stated",
    [
        {"kind": "index"},
        {"variants": "[price]"},
        {"rebalance": "{}"},
        {"rebalance": "{frequency: never, day: last session, reference_lag: 0}"},
        {"rebalance": "{price_date: reference, untradable: ignore}"},
        {"weighting": "{scheme: equal, caps: {}}"},
        {"eligibility": "{seasoning: 0}"},
        {"publish": "{decimals: 4}"},
    ],
)
def test_the_digest_is_blind_to_stated_defaults(tmp_path: Path, stated: dict[str, str]) -> None:
    assert index(tmp_path, **stated).digest == index(tmp_path).digest


@pytest.mark.parametrize(
    ("frequency", "months"),
    [
        ("monthly", "[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]"),
        ("quarterly", "[3, 6, 9, 12]"),
        ("quarterly", "[12, 3, 6, 9]"),
        ("semiannual", "[6, 12]"),
        ("annual", "[12]"),
    ],
)
def test_the_digest_is_blind_to_the_default_months(
    tmp_path: Path, frequency: str, months: str
) -> None:
    stated = index(tmp_path, rebalance=f"{{frequency: {frequency}, months: {months}}}")
    assert stated.digest == index(tmp_path, rebalance=f"{{frequency: {frequency}}}").digest


MEANINGFUL = [
    {},
    {"name": "{en: Other}"},
    {"name": "{en: Example, zh: 例}"},
    {"description": "x"},
    {"selected_on": "2026-05-07"},
    {"currency": "HKD"},
    {"calendar": "XHKG"},
    {"base": "{date: 2024-01-03, level: 1000}"},
    {"base": "{date: 2024-01-02, level: 1000.0000000000001}"},
    {"variants": "[price, gross]"},
    {"variants": "[gross, price]"},
    {"withholding": "0"},
    {"withholding": "0.1"},
    {"withholding": "{CN: 0.1}"},
    {"withholding": "{HK: 0.1}"},
    {"withholding": "{CN: 0.2}"},
    {"weighting": "{scheme: price}"},
    {"weighting": "{scheme: inverse_volatility}"},
    {"weighting": "{scheme: inverse_volatility, lookback: 61}"},
    {"weighting": "{scheme: equal, caps: {constituent: 0.5}}"},
    {"weighting": "{scheme: equal, caps: {constituent: 0.6}}"},
    {"weighting": "{scheme: score, column: a}"},
    {"weighting": "{scheme: score, column: b}"},
    {"rebalance": "{frequency: quarterly}"},
    {"rebalance": "{frequency: quarterly, months: [1, 4, 7, 10]}"},
    {"rebalance": "{frequency: monthly}"},
    {"rebalance": "{day: 15}"},
    {"rebalance": "{reference_lag: 5}"},
    {"rebalance": "{price_date: effective}"},
    {"rebalance": "{untradable: freeze}"},
    {"eligibility": "{seasoning: 60}"},
    {"selection": "{rank_by: price, top: 2}"},
    {"selection": "{rank_by: price, top: 1}"},
    {"selection": "{rank_by: price, top: 1, enter: 1, keep: 2}"},
    {"max_stale": "0"},
    {"max_stale": "250"},
    {"publish": "{decimals: 2}"},
    {"constituents": "[{symbol: 688981.SH}, {symbol: 300308.SZ}]"},
    {"constituents": "[{symbol: 300308.SZ}]"},
    {"constituents": "[{symbol: 300308.SZ, segment: a}, {symbol: 688981.SH}]"},
    {"constituents": "[{symbol: 300308.SZ, from: 2025-01-01}, {symbol: 688981.SH}]"},
    {"constituents": "[{symbol: 300308.SZ, until: 2025-01-01}, {symbol: 688981.SH}]"},
]


def test_the_digest_tells_every_meaningful_change_from_every_other(tmp_path: Path) -> None:
    digests = {index(tmp_path, **changes).digest for changes in MEANINGFUL}
    assert len(digests) == len(MEANINGFUL)


def test_the_digest_is_that_of_what_was_said_as_sorted_json(tmp_path: Path) -> None:
    said = (
        b'{"base":{"date":"2024-01-02","level":1000.0},"calendar":"XSHG","constituents":'
        b'[{"symbol":"300308.SZ"},{"symbol":"688981.SH"}],"currency":"CNY","id":"example",'
        b'"name":{"en":"Example"},"version":"1","weighting":{"scheme":"equal"}}'
    )
    expected = hashlib.sha256(len(said).to_bytes(8, "big") + said).hexdigest()
    assert index(tmp_path).digest == expected


# Cost


def test_five_thousand_members_are_read_in_little_time(tmp_path: Path) -> None:
    members = ", ".join(
        f"{{symbol: {code}.SZ, name: 公司{code}, segment: s{code % 9}, from: 2024-01-02}}"
        for code in range(300_000, 305_000)
    )
    file, _ = write(tmp_path, INDEX, constituents=f"[{members}]")
    spent = []
    for _ in range(3):
        start = time.process_time()
        read_definition(file)
        spent.append(time.process_time() - start)

    assert min(spent) <= 0.4
