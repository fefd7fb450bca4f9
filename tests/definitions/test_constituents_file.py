"""Constituents from a CSV file: their places, and that the file lies in the definition's folder."""

from datetime import date
from pathlib import Path

import pytest

from indexer.definitions.basket import Basket, Constituent
from indexer.definitions.read import read_basket
from indexer.errors import DefinitionError

HEAD = """version: 1
id: example
name: {en: Example}
currency: CNY
calendar: XSHG
base: {date: 2024-01-02, level: 1000}
weighting: {scheme: equal}
"""


def listed(folder: Path, rows: bytes | str, name: str = "list.csv") -> Path:
    """Write a definition that names a constituents file, and the file."""
    content = rows.encode() if isinstance(rows, str) else rows
    (folder / "list.csv").write_bytes(content)
    file = folder / "example.yaml"
    file.write_text(f"{HEAD}constituents_file: {name}\n")
    return file


def refusal(file: Path) -> str:
    """Return the one problem of a file as it is printed."""
    with pytest.raises(DefinitionError) as refused:
        read_basket(file)
    [problem] = refused.value.problems
    return str(problem)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_a_constituents_file_takes_the_place_of_the_list(
    tmp_path: Path, end: str, mark: str
) -> None:
    rows = ["symbol,name,from,weight", "sz300308,中际旭创,2024-01-02,", "", "9988.HK"]
    basket = read_basket(listed(tmp_path, mark + end.join(rows) + end))
    assert isinstance(basket, Basket)
    assert basket.constituents == (
        Constituent(symbol="300308.SZ", name="中际旭创", from_=date(2024, 1, 2)),
        Constituent(symbol="09988.HK"),
    )


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
    ("symbol,name\n300308.SZ,a,b\n", "2:1: constituents[0]: 3 cells under 2 columns: quote"),
    ("name\nx\n", "2:1: constituents[0].symbol: required key is missing"),
    ("symbol\n300308.SZ\nsh688981\n688981\n", "4:1: constituents[2].symbol: 688981.SH is listed"),
    ('symbol,name\n300308.SZ,x\n688981.SH,"open\n', "3:1: not CSV: unexpected end of data: close"),
    ("symbol;name\n300308.SZ;x\n", "1:1: cells are separated by semicolons: separate them by"),
    ("symbol,name\n300308.SZ," + "x" * 200_000, "2:1: not CSV: field larger than field limit"),
    (b"symbol,name\n300308.SZ,\xff\n", "2:11: is not UTF-8"),
    ("symbol,name\n300308.SZ,\u202ex\n", "2:11: holds the hidden character U+202E"),
]


@pytest.mark.parametrize(("rows", "said"), BAD_ROWS)
def test_a_bad_row_is_named_with_its_line(tmp_path: Path, rows: bytes | str, said: str) -> None:
    assert refusal(listed(tmp_path, rows)).startswith(f"{tmp_path / 'list.csv'}:{said}")


def test_a_bad_file_is_named_as_the_caller_named_the_definition(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = listed(tmp_path, "symbol\n\u202e\n")
    monkeypatch.chdir(tmp_path)
    assert refusal(Path(file.name)).startswith("list.csv:2:1: holds the hidden character")


@pytest.mark.attack("B1")
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("../list.csv", "must be a file inside the definition's folder"),
        ("sub/../../list.csv", "must be a file inside the definition's folder"),
        ("/etc/hostname", "must be a file inside the definition's folder"),
        ("[list.csv]", "must be a file inside the definition's folder"),
        ("outside.csv", "must be a file inside the definition's folder"),
        ("none.csv", "cannot be read: No such file"),
        (".", "cannot be read: Is a directory: name a file in it"),
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
    refused = refusal(listed(folder, "symbol\n300308.SZ\n", name))

    assert refused.startswith(f"{folder / 'example.yaml'}:8:20: constituents_file: ")
    assert said in refused


def test_a_constituents_file_may_lie_below_the_folder(tmp_path: Path) -> None:
    (tmp_path / "lists").mkdir()
    (tmp_path / "lists" / "a.csv").write_text("symbol\n300308.SZ\n")
    assert read_basket(listed(tmp_path, "", "lists/a.csv"))


@pytest.mark.parametrize("rows", ["", "symbol\n", "symbol,name\n\n\n"])
def test_a_constituents_file_without_rows_is_an_empty_list(tmp_path: Path, rows: str) -> None:
    refused = refusal(listed(tmp_path, rows))
    assert refused.endswith("example.yaml:8:20: constituents: got [], expected at least one item")


def test_a_constituents_file_and_a_list_exclude_each_other(tmp_path: Path) -> None:
    file = listed(tmp_path, "symbol\n300308.SZ\n")
    file.write_text(file.read_text() + "constituents: [{symbol: 688981.SH}]\n")
    said = "8:20: constituents_file: replaces constituents: give one of the two"
    assert refusal(file) == f"{file}:{said}"
