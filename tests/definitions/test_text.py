"""Strict YAML: what is refused and where, what stays text, and that nothing else can happen."""

import ast
import codecs
import random
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from indexer.definitions.text import MAX_BYTES, Mark, parse_yaml, printed, read_text
from indexer.errors import DefinitionError, MissingInputError, Problem


def marked(text: str) -> tuple[str, list[tuple[int, int]]]:
    """Return the text without its « marks, and line and column of what follows each of them."""
    places, plain = [], ""
    for part in text.split("«")[:-1]:
        plain += part
        places.append((plain.count("\n") + 1, len(plain) - plain.rfind("\n")))
    return text.replace("«", ""), places


def problems(text: str) -> tuple[Problem, ...]:
    with pytest.raises(DefinitionError) as refused:
        parse_yaml(text, "x.yaml")
    return refused.value.problems


REFUSED = {
    # what a reader could overlook
    "duplicate key": ("a: 1\nb: 2\n«a: 3\n", "a", "duplicate key, first given on line 1"),
    "duplicate inside": ("x: {a: 1, «a: 2}", "x.a", "duplicate key, first given on line 1"),
    "duplicate in a list": ("x:\n- b: 1\n- b: 1\n  «b: 2", "x[1].b", "duplicate key"),
    "duplicate when read": ("'on': 1\n«on: 2", "on", "duplicate key"),
    "anchor": ("a: «&x 1\n", "a", "anchor &x: write each value out"),
    "anchor on a key": ("«&x a: 1", "a", "anchor &x"),
    "anchor on a mapping": ("a: «&x {b: 1}", "a", "anchor &x"),
    "alias": ("a: 1\nb: «*a\n", "b", "alias *a: write the value out"),
    "alias in a list": ("a: [1, «*x]", "a[1]", "alias *x"),
    "merge key": ("a: {<<: «*x}", "a.<<", "alias *x"),
    "tag": ("a: «!!str 1", "a", "a tag: types come from the schema"),
    "own tag": ("a: [«!point {x: 1}]", "a[0]", "a tag"),
    "tag without name": ("a: «! 1", "a", "a tag"),
    "tag on a key": ("«!!str a: 1", "a", "a tag"),
    "object": ("a: «!!python/object/apply:os.system [ls]", "a", "a tag"),
    "two documents": ("---\na: 1\n---\n«b: 2\n", "", "a second document"),
    "documents after an end": ("a: 1\n...\n---\n«b: 2\n", "", "a second document"),
    "list as key": ("«[a]: 1", "", "a key must be plain text"),
    "mapping as key": ("a: {«{b: 1}: 2}", "a", "a key must be plain text"),
    "alias as key": ("«*a : 1", "", "a key must be plain text"),
    # what is no mapping
    "empty": ("«", "", "expected keys and values"),
    "comment only": ("«# nothing here\n", "", "expected keys and values"),
    "list at top": ("«- a\n- b\n", "", "expected keys and values"),
    "text at top": ("«text", "", "expected keys and values"),
    # hidden characters
    "bell": ("a: 1\nb: x«\x07y", "", "hidden character U+0007"),
    "null": ("a: «\x00", "", "hidden character U+0000"),
    "escape": ("a: «\x1b[31mred", "", "hidden character U+001B"),
    "next line": ("a: x«\x85b: 2", "", "hidden character U+0085"),
    "line separator": ("a: x«\u2028b: 2", "", "hidden character U+2028"),
    "right to left": ("name: «\u202egnp.exe", "", "hidden character U+202E"),
    "isolate": ("# 算力\na: 算«\u2066力", "", "hidden character U+2066"),
    "mark": ("a: x«\u200f", "", "hidden character U+200F"),
    "byte order mark inside": ("a: «\ufeffb", "", "hidden character U+FEFF"),
    "half a character": ("a: «\ud800", "", "hidden character U+D800"),
    "escaped escape": (r'a: «"\e[31m"', "a", "an escape for the hidden character U+001B"),
    "escaped null": (r'a: [«"\0"]', "a[0]", "an escape for the hidden character U+0000"),
    "escaped in a key": (r'«"\u202ea": 1', r"\u202ea", "an escape for the hidden character U+202E"),
    # syntax
    "tab": ("«\ta: 1", "", "not YAML: a tab: indent with spaces"),
    "tab under a key": ("a:\n«\t- 1", "", "not YAML: a tab: indent with spaces"),
    "no end of quotes": ("a: 'x«", "", "not YAML: found unexpected end of stream"),
    "no end of list": ("a: [1, 2\n«", "", "not YAML"),
    "reserved": ("a: «@x", "", "not YAML"),
    "bad indentation": ("a:\n  - b\n «c: d", "", "not YAML: did not find expected key"),
    "value in a value": ("a: b«: c", "", "not YAML: mapping values are not allowed"),
    "other version": ("«%YAML 3.0\n---\na: 1", "", "not YAML"),
    # what a Chinese keyboard types
    "full-width colon": ("a: 1\nb«：2\nc: 3\n", "", "'：' (U+FF1A) is no mark of it: type ': '"),
    "in the first line": ("b«：2\nc: 3\n", "", "not YAML: '：' (U+FF1A)"),
    "at a key of a list": ("a: 1\nb«：\n  - c: 光：电\n", "", "not YAML: '：' (U+FF1A)"),
    "everywhere": ("a«：1\nb：2\nc：3\nd:\n  - 4\n", "", "not YAML: '：' (U+FF1A)"),
    "nothing else": ("a«：1\n", "", "not YAML: '：' (U+FF1A)"),
    "full-width comma": (
        "a: {b: 光：电, c: 1«，d: 2}",
        "",
        "'，' (U+FF0C) is no mark of it: type ', '",
    ),
    "full-width bracket": ("a: [b, c«］\nd: 1\n", "", "type ']'"),
    "full-width brackets": ("a: «［\n］\nd: 1\n", "", "type '['"),
    "full-width brace": ("a: «｛b: c｝\n", "", "type '{'"),
    "full-width hyphen": ("a:\n  - b: 1\n  «－ c: 1\n", "", "type '- '"),
    "full-width number sign": ("a: 1\n«＃ b\nc: 2\n", "", "type '# '"),
    "curly quote": ("a: 'b«’\nc: 1\n", "", 'type "\'"'),
    "ideographic space": ("a: 1\nb:«\u3000c\nd: 2\n", "", r"'\u3000' (U+3000) is no mark of it"),
    "not what is wrong": ("a: {b: 光：电，热\nc«: 1\n", "", "not YAML: did not find"),
    # depth
    "brackets": ("[" * 20 + "«" + "[" * 480, "", "nested deeper than 20 levels"),
    "dashes": ("- " * 20 + "«" + "- " * 480, "", "nested deeper than 20 levels"),
    "nested keys": ("? «" + "? " * 1999, "", "a key must be plain text"),
    "braces": ("{«" + "{" * 499, "", "a key must be plain text"),
}


@pytest.mark.attack("A1")
@pytest.mark.parametrize(("text", "path", "said"), REFUSED.values(), ids=REFUSED)
def test_it_is_refused_with_line_and_column(text: str, path: str, said: str) -> None:
    plain, [(line, column)] = marked(text)
    [problem] = problems(plain)

    assert (problem.file, problem.line, problem.column) == ("x.yaml", line, column)
    assert problem.path == path
    assert said in problem.message


def test_every_problem_is_reported_in_order() -> None:
    plain, places = marked("a: «&x 1\nb: {c: «*x, «c: 2}\nd: «!!int 3\n«a: 2\n")
    found = problems(plain)

    assert [(p.line, p.column) for p in found] == places
    assert [p.path for p in found] == ["a", "b.c", "b.c", "d", "a"]


@pytest.mark.attack("A4")
def test_a_tag_that_calls_python_is_not_constructed(tmp_path: Path) -> None:
    target = tmp_path / "made"
    problems(f"a: !!python/object/apply:os.mkdir ['{target}']")
    assert not target.exists()


PLAIN = (
    "002371 00700 010203 000001 000977 000858 09988 600519 1e5 300.750 1_000 12:30:45 NO on OFF "
    "yes ~ null .inf .nan 2026-01-05 2026-01-05T09:30:00+08:00 0x1F 0o17 +1 true 1.0 <<"
)


@pytest.mark.attack("A1")
@pytest.mark.parametrize("scalar", PLAIN.split())
def test_a_plain_scalar_stays_the_text_it_is(scalar: str) -> None:
    document = parse_yaml(f"{scalar}: {scalar}\nlist: [{scalar}]", "x.yaml")
    assert document.content == {scalar: scalar, "list": [scalar]}


def six_digit_codes() -> Iterator[str]:
    """Yield the ends of every thousand and a seeded sample; a million of them are all there are."""
    for start in range(0, 1_000_000, 1_000):
        yield from (f"{start:06}", f"{start + 999:06}")
    draw = random.Random(20260507)  # noqa: S311 (nothing is secret)
    yield from (f"{n:06}" for n in draw.sample(range(1_000_000), 2_000))


@pytest.mark.attack("A2")
def test_an_unquoted_six_digit_code_stays_its_text() -> None:
    codes = list(six_digit_codes())
    rows = "".join(f"- {code}\n- {{symbol: {code}}}\n" for code in codes)
    content = parse_yaml(f"codes:\n{rows}", "x.yaml").content["codes"]

    assert content[::2] == codes
    assert content[1::2] == [{"symbol": code} for code in codes]


def test_an_empty_value_is_empty_text() -> None:
    assert parse_yaml("a:\nb: {c: }", "x.yaml").content == {"a": "", "b": {"c": ""}}


def test_twenty_levels_are_deep_enough() -> None:
    text = "a: " + "[" * 19 + "]" * 19
    assert parse_yaml(text, "x.yaml").content["a"]


def test_every_key_and_value_knows_where_it_stands() -> None:
    plain, places = marked("«name: «算力\nlist:\n  - {«symbol: «x}\n")
    document = parse_yaml(plain, "x.yaml")
    trails = [("name",), ("list", 0, "symbol")]
    found = [marks[trail] for trail in trails for marks in (document.keys, document.values)]

    assert found == [Mark("x.yaml", *place) for place in places]


def test_a_problem_stands_at_the_nearest_key_there_is() -> None:
    document = parse_yaml("a:\n  b: {c: 1}\n", "x.yaml")

    assert str(document.problem(["a", "b", "z", 3], "gone")) == "x.yaml:2:6: a.b.z[3]: gone"
    assert str(document.problem(["a", "b"], "odd", at_key=True)) == "x.yaml:2:3: a.b: odd"
    assert str(document.problem(["q"], "missing")) == "x.yaml:1:1: q: missing"


def test_a_problem_with_the_whole_stands_where_its_first_key_is() -> None:
    document = parse_yaml("# what it is\n\na: 1\n", "x.yaml")
    assert str(document.problem(["q"], "missing")) == "x.yaml:3:1: q: missing"


def test_a_printed_trail_holds_nothing_that_cannot_be_printed() -> None:
    assert printed(("名", "a\nb", 3, "\x1b[2J")) == r"名.a\nb[3].\x1b[2J"


STOCK = re.compile(r"(?:full_|unsafe_|safe_)?load(?:_all)?|C?(?:Full|Unsafe)?Loader")


def stock(text: str) -> set[str]:
    """Return what a module calls, imports or names of the loaders of a YAML it imports."""
    nodes = list(ast.walk(ast.parse(text)))
    modules = {n.module or "" for n in nodes if isinstance(n, ast.ImportFrom)}
    modules |= {a.name for n in nodes if isinstance(n, ast.Import) for a in n.names}
    if not any(module.partition(".")[0] in {"yaml", "ruamel"} for module in modules):
        return set()
    names = {n.id for n in nodes if isinstance(n, ast.Name)}
    names |= {n.attr for n in nodes if isinstance(n, ast.Attribute)}
    names |= {n.name for n in nodes if isinstance(n, ast.alias)}
    return {name for name in names if STOCK.fullmatch(name)}


@pytest.mark.attack("A5")
def test_no_module_resolves_yaml_in_the_stock_way() -> None:
    """Stock loaders make numbers of codes, and objects of tags."""
    package = Path(__file__).parents[2] / "indexer"
    assert {path for path in package.rglob("*.py") if stock(path.read_text("utf-8"))} == set()


@pytest.mark.attack("A5")
@pytest.mark.parametrize(
    "text",
    [
        "import yaml\nyaml.safe_load(text)",
        "import yaml as y\ny.load_all(text, y.BaseLoader)",
        "from yaml import safe_load",
        "from yaml import unsafe_load_all as read",
        "from yaml.loader import FullLoader",
        "import yaml\nyaml.compose(text, yaml.UnsafeLoader)",
    ],
)
def test_the_scan_sees_a_stock_loader_however_it_is_named(text: str) -> None:
    assert len(stock(text)) == 1


# Files


def written(folder: Path, content: bytes) -> Path:
    path = folder / "x.yaml"
    path.write_bytes(content)
    return path


def test_a_byte_order_mark_is_accepted(tmp_path: Path) -> None:
    assert read_text(written(tmp_path, b"\xef\xbb\xbfid: x\r\n")) == "id: x\r\n"


@pytest.mark.parametrize(
    ("content", "line", "column", "said"),
    [
        (b"a: 1\nb: \xff", 2, 4, "is not UTF-8"),
        ("名: 算力".encode() + b"\xe4\xb8", 1, 6, "is not UTF-8"),
        (b"\xef\xbb\xbfa: \xff", 1, 4, "is not UTF-8"),
        ("a: 算力".encode("gb18030"), 1, 4, "is not UTF-8"),
        ("a: 1\n".encode("utf-16"), 1, 1, "is not UTF-8"),
        ("\ufeffa: 1\nb: \u202e".encode(), 2, 4, "hidden character U+202E"),
        ("\ufeffa: \u202e".encode(), 1, 4, "hidden character U+202E"),
        (b"a" * (MAX_BYTES + 1), 1, 1, "is larger than 1 MiB"),
    ],
)
def test_a_file_is_refused_with_line_and_column(
    tmp_path: Path, content: bytes, line: int, column: int, said: str
) -> None:
    path = written(tmp_path, content)
    with pytest.raises(DefinitionError) as refused:
        read_text(path)
    [problem] = refused.value.problems

    assert (problem.file, problem.line, problem.column) == (str(path), line, column)
    assert said in problem.message


def test_a_file_of_one_mebibyte_is_read(tmp_path: Path) -> None:
    assert len(read_text(written(tmp_path, b"a" * MAX_BYTES))) == MAX_BYTES


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("none.yaml", "No such file"),
        (".", "Is a directory: name a file in it"),
        ("a\0b", "null byte"),
    ],
)
def test_a_file_that_cannot_be_read_is_a_missing_input(
    tmp_path: Path, name: str, reason: str
) -> None:
    with pytest.raises(MissingInputError, match=f"cannot be read: .*{reason}"):
        read_text(tmp_path / name)


# Whatever comes in


def read_or_refused(text: str) -> tuple[Problem, ...]:
    """Return what is wrong with a text; any exception but one passes through."""
    try:
        assert isinstance(parse_yaml(text, "x.yaml").content, dict)
    except DefinitionError as refused:
        return refused.problems
    return ()


@pytest.mark.attack("A3")
@given(st.text(st.characters()))
def test_random_text_gives_a_document_or_a_definition_error(text: str) -> None:
    assert all(str(problem).isprintable() for problem in read_or_refused(text))


PIECES = [*"ab01 \n\t[]{},:-?&*!|>'\"%@`#~<=.\\\r", "\n- ", ": ", "\n  ", "&a ", "*a", "<<"]


@pytest.mark.attack("A3")
@given(st.lists(st.sampled_from(PIECES), max_size=60).map("".join))
@example("a: |2\n x")
@example("? " * 5_000)
@example("[" * 100_000)
@example("a: " + "- " * 5_000)
def test_text_like_yaml_gives_a_document_or_a_definition_error(text: str) -> None:
    lines = text.count("\n") + text.count("\r") + 2  # the parser adds an end to the last one
    assert all(1 <= problem.line <= lines for problem in read_or_refused(text))


@pytest.mark.attack("A3")
@given(st.binary(max_size=200))
def test_random_bytes_give_text_or_a_definition_error(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        try:
            text = read_text(written(Path(folder), content))
        except DefinitionError:
            return
    assert text.encode() == content.removeprefix(codecs.BOM_UTF8)


VISIBLE = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Zl", "Zp")), max_size=12)
TREES = st.recursive(
    VISIBLE,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(VISIBLE, inner, max_size=4),
    max_leaves=20,
).filter(lambda tree: len(str(tree)) < 2_000)


@given(st.dictionaries(VISIBLE, TREES, min_size=1, max_size=4), st.booleans())
def test_what_is_written_is_read(tree: dict[str, object], flow: bool) -> None:
    text = yaml.safe_dump(tree, allow_unicode=True, default_flow_style=flow, width=10**6)
    assert parse_yaml(text, "x.yaml").content == tree
