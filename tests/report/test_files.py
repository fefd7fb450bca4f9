"""Results are written whole or not at all; until then an earlier run's stay."""

import csv
import errno
import io
import os
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from indexer.errors import OutputError
from indexer.report.files import excel_text, write_folders

TABLE = pl.DataFrame({"date": ["2024-01-02"], "level": [1000.0]})


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_a_content_that_cannot_be_written_leaves_nothing(tmp_path):
    with pytest.raises(ValueError, match="JSON"):
        write_folders(tmp_path / "out", {"a": {"t": TABLE, "s.json": {"x": float("nan")}}}, "csv")

    assert not (tmp_path / "out").exists()


@pytest.mark.attack("B2")
@pytest.mark.parametrize("blocked", ["levels.csv", "summary.json"])
def test_a_name_that_is_taken_by_a_folder_leaves_everything_as_it_was(tmp_path, blocked):
    files = {"events": TABLE, "levels": TABLE, "summary.json": {"a": 1}, "weights": TABLE}
    write_folders(tmp_path, {"demo": files}, "csv")
    (tmp_path / "demo" / blocked).unlink()
    (tmp_path / "demo" / blocked / "inside").mkdir(parents=True)
    before = contents(tmp_path)

    with pytest.raises(OutputError):
        write_folders(tmp_path, {"demo": files | {"events": TABLE.head(0)}}, "csv")

    assert contents(tmp_path) == before


def test_a_temporary_file_of_a_killed_run_is_no_obstacle_and_does_not_stay(tmp_path):
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / ".gone.csv.indexer-tmp").write_text("half", encoding="utf-8")
    write_folders(tmp_path, {"demo": {"levels": TABLE}}, "csv")

    assert set(contents(tmp_path)) == {"demo/levels.csv"}


@pytest.mark.attack("B2")
def test_a_disk_gone_read_only_is_told_as_what_could_not_be_written(tmp_path, monkeypatch):
    """Nothing can be removed there either: the first error is the one to tell."""

    def refuse(*_, **__):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(os, "fsync", refuse)
    monkeypatch.setattr(Path, "unlink", refuse)

    with pytest.raises(OutputError, match="Read-only"):
        write_folders(tmp_path, {"a": {"b.json": {}}}, "csv")


@pytest.mark.parametrize("format", ["csv", "parquet"])
def test_a_table_that_is_made_as_it_is_written_is_the_same_table(tmp_path, format):
    made = pl.concat([pl.defer(TABLE.clone, schema=TABLE.schema)] * 3)
    (path,) = write_folders(tmp_path, {"demo": {"levels": made}}, format)

    assert path.name == f"levels.{format}"
    read = pl.read_csv if format == "csv" else pl.read_parquet
    assert read(path).equals(pl.concat([TABLE] * 3))


@pytest.mark.attack("B2")
@pytest.mark.parametrize("format", ["csv", "parquet"])
@pytest.mark.parametrize(
    "made", ["table", "pl.concat([pl.defer(table.clone, schema=table.schema)])"]
)
def test_a_table_that_does_not_fit_leaves_what_was_there(tmp_path, format, made):
    """A limit of the size of a file stands for a disk that is full."""
    write_folders(tmp_path, {"demo": {"levels": TABLE}}, format)
    before = contents(tmp_path)
    code = f"""if True:
        import resource, sys
        from pathlib import Path
        import polars as pl
        from indexer.errors import OutputError
        from indexer.report.files import write_folders
        table = pl.DataFrame({{"level": pl.Series(range(100_000)).sqrt()}})
        resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))
        try:
            write_folders(Path(sys.argv[1]), {{"demo": {{"levels": {made}}}}}, "{format}")
        except OutputError as error:
            print(error)
    """
    run = [sys.executable, "-c", code, str(tmp_path)]
    done = subprocess.run(run, capture_output=True, text=True, check=True)

    assert "File too large" in done.stdout
    assert contents(tmp_path) == before


def test_files_of_others_in_the_folder_stay(tmp_path):
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / "notes.txt").write_text("mine", encoding="utf-8")
    write_folders(tmp_path, {"demo": {"levels": TABLE}}, "csv")

    assert (tmp_path / "demo" / "notes.txt").read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize("name", [".zshrc.old", ".draft.tmp", ".levels.csv.old", ".levels.csv.tmp"])
def test_files_of_others_that_are_called_like_temporary_ones_stay(tmp_path, name):
    (tmp_path / name).write_text("mine", encoding="utf-8")
    write_folders(tmp_path, {".": {"levels": TABLE}}, "csv")

    assert contents(tmp_path)[name] == b"mine"


def test_runs_into_one_folder_take_turns(tmp_path):
    """Each writes forty files with its own mark; whoever is last, all forty are from one run."""
    code = (
        "import sys; from pathlib import Path; from indexer.report.files import write_folders\n"
        "mark = sys.argv[1]\n"
        "for _ in range(5):\n"
        "    files = {f'{n}.txt': mark for n in range(40)}\n"
        "    write_folders(Path(sys.argv[2]), {'demo': files}, 'csv')\n"
    )
    runs = [subprocess.Popen([sys.executable, "-c", code, mark, str(tmp_path)]) for mark in "abcd"]

    assert [run.wait() for run in runs] == [0] * 4
    assert len(set(contents(tmp_path).values())) == 1


NASTY = (
    *("=1+1", "=cmd|' /C calc'!A0", "+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1+1"),
    *("=HYPERLINK(\"http://x\")", "=A,\"b\"\n=c", "中际旭创", "", "a=b", "'=1"),
)  # fmt: skip


@pytest.mark.attack("C1")
def test_csv_keeps_text_as_it_is(tmp_path):
    """What a machine reads back is what was written."""
    table = pl.DataFrame({"name": NASTY, "level": [-1.5] * len(NASTY)})
    (path,) = write_folders(tmp_path, {"x": {"t": table}}, "csv")

    assert pl.read_csv(path).equals(table)


@pytest.mark.attack("C1")
def test_csv_for_excel_begins_with_a_mark_and_holds_no_formula():
    table = pl.DataFrame({"name": NASTY, "other": NASTY, "level": [-1.5] * len(NASTY)})
    text = excel_text(table)
    rows = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline="")))[1:]

    assert text.encode().startswith(b"\xef\xbb\xbf")
    assert not [cell for row in rows for cell in row[:2] if cell[:1] in tuple("=+-@\t\r\n＝")]
    assert [row[0].removeprefix("'") for row in rows] == [n.removeprefix("'") for n in NASTY]
    assert {float(row[2]) for row in rows} == {-1.5}


def test_bytes_are_written_as_they_are(tmp_path):
    content = bytes(range(256))
    (path,) = write_folders(tmp_path, {"x": {"t.xlsx": content}}, "csv")

    assert path.read_bytes() == content


def test_a_folder_in_a_folder_is_made_and_removed_again(tmp_path):
    write_folders(tmp_path / "out", {"x/report/y": {"t": TABLE}}, "csv")
    assert (tmp_path / "out/x/report/y/t.csv").is_file()

    (tmp_path / "there/x").mkdir(parents=True)
    (tmp_path / "there/x/report").write_text("in the way", encoding="utf-8")
    with pytest.raises(OutputError):
        write_folders(tmp_path / "there", {"x/report/y": {"t": TABLE}, "z": {"t": TABLE}}, "csv")
    assert sorted(path.name for path in (tmp_path / "there").rglob("*")) == ["report", "x"]


@pytest.mark.attack("B2")
@pytest.mark.parametrize(
    "name", ["levels.csv", ".levels.csv.indexer-tmp", ".levels.csv.indexer-old"]
)
@pytest.mark.parametrize("kind", ["link", "hard link", "loop", "pipe"])
def test_what_somebody_has_put_at_a_name_is_neither_followed_nor_waited_for(tmp_path, name, kind):
    mine, there = tmp_path / "mine", tmp_path / "out" / "demo" / name
    mine.write_text("mine", encoding="utf-8")
    there.parent.mkdir(parents=True)
    {
        "link": lambda: there.symlink_to(mine),
        "hard link": lambda: there.hardlink_to(mine),
        "loop": lambda: there.symlink_to(there),
        "pipe": lambda: os.mkfifo(there),
    }[kind]()
    (path,) = write_folders(tmp_path / "out", {"demo": {"levels": TABLE}}, "csv")

    assert mine.read_text(encoding="utf-8") == "mine"
    assert not path.is_symlink()
    assert pl.read_csv(path).equals(TABLE)
    assert [p.name for p in path.parent.iterdir()] == ["levels.csv"]


@pytest.mark.attack("B2")
def test_a_link_that_is_put_back_at_once_is_not_written_through(tmp_path, monkeypatch):
    """Between removing and writing somebody may be faster: the name must be new all the same."""
    mine, folder = tmp_path / "mine", tmp_path / "out" / "demo"
    mine.write_text("mine", encoding="utf-8")
    folder.mkdir(parents=True)
    (folder / ".levels.csv.indexer-tmp").symlink_to(mine)
    monkeypatch.setattr(Path, "unlink", lambda *_, **__: None)

    with pytest.raises(OutputError, match="exists"):
        write_folders(tmp_path / "out", {"demo": {"levels": TABLE}}, "csv")
    assert mine.read_text(encoding="utf-8") == "mine"
