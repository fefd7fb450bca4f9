"""The commands as a user runs them: what they print, what they write, what they cost."""

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from indexer.run.find import BUNDLED_BASKETS, BUNDLED_MARKET

STUDY = ("aligned", "signals", "states", "episodes", "intervals", "leadlag", "events")
FILES = {"report.html", "summary.json", *(f"{name}.csv" for name in STUDY)}
TABLES = {"levels", "weights", "events", "contributions", "excluded"}


def test_run_without_arguments_works_from_any_folder(indexer):
    code, out, _ = indexer("run")

    assert code == 0
    assert "SYNTHETIC DATA" in out
    assert "back-tested before 2026-05-07: north-america-compute, domestic-compute" in out
    assert "north-america-compute / domestic-compute" in out
    assert {p.name for p in Path("out/compute-diffusion").iterdir()} == FILES
    assert {p.stem for p in Path("out/domestic-compute").iterdir()} == TABLES | {"summary"}


@pytest.mark.parametrize(
    ("name", "hint"), [("us-clud", "us-cloud"), ("my-basket", "my-basket.yaml"), ("qqq", "")]
)
def test_a_name_that_is_neither_file_nor_id_is_told_as_both(indexer, name, hint):
    indexer("init")
    code, _, err = indexer("build", name, "--market", str(BUNDLED_MARKET))
    meant = f"; did you mean '{hint}'?" if hint else ""

    assert code == 66
    text = f"no such file, and no definition of that id in ./baskets or bundled{meant}"
    assert err == f"error: {name}: {text}\n"


def test_json_is_one_object_on_stdout(indexer):
    code, out, _ = indexer("run", "cloud-catch-up", "--json")
    told = json.loads(out)

    assert code == 0
    assert told["synthetic"] is True
    assert [pair["follower"] for pair in told["pairs"]] == ["hk-internet"]


def test_both_formats_hold_the_same_table(indexer):
    """CSV reads back to the same doubles."""
    market = ("--market", str(BUNDLED_MARKET))
    assert indexer("build", "us-cloud", *market, "--out", "a")[0] == 0
    assert indexer("build", "us-cloud", *market, "--out", "b", "--format", "parquet")[0] == 0

    for name in TABLES:
        exact = pl.read_parquet(f"b/us-cloud/{name}.parquet")
        text = pl.read_csv(f"a/us-cloud/{name}.csv", schema=exact.schema)
        assert text.equals(exact), name


def test_the_other_format_of_an_earlier_run_does_not_stay(indexer):
    build = ("build", "us-cloud", "--market", str(BUNDLED_MARKET), "--out", "a")
    indexer(*build, "--format", "parquet")
    assert list(Path("a").rglob("*.parquet"))
    indexer(*build)

    assert list(Path("a").rglob("*.csv"))
    assert not list(Path("a").rglob("*.parquet"))


def test_a_failed_run_leaves_the_last_one_as_it_was(indexer):
    build = ("build", "us-cloud", "--market", str(BUNDLED_MARKET))
    indexer(*build)
    before = {p: p.read_bytes() for p in Path("out").rglob("*") if p.is_file()}
    code, _, _ = indexer(*build, "--until", "2023-06-01")

    assert code == 66
    assert before
    assert {p: p.read_bytes() for p in Path("out").rglob("*") if p.is_file()} == before


def test_until_ends_the_levels(indexer):
    indexer("run", "--until", "2026-05-07")
    levels = pl.read_csv("out/north-america-compute/levels.csv")

    assert levels["date"].max() == "2026-05-07"


def test_the_same_run_writes_the_same_bytes(indexer):
    for out in "ab":
        assert indexer("run", "--out", out)[0] == 0
    one, other = (
        {p.relative_to(out): p.read_bytes() for p in Path(out).rglob("*") if p.is_file()}
        for out in "ab"
    )

    assert one.keys() == other.keys()
    assert [path for path in one if one[path] != other[path]] == []


def test_validate_prints_every_problem_and_is_78(indexer):
    Path("bad.yaml").write_text("version: 1\nid: worse\nname: {}\ncolour: red\n", encoding="utf-8")
    code, out, _ = indexer("validate", "bad.yaml")

    assert code == 78
    assert "bad.yaml:4:1: colour: unknown key" in out
    assert "bad.yaml:2:5: id: 'worse' must equal the file's stem, 'bad'" in out
    assert "bad.yaml:3:7: name.en: required key is missing" in out


def test_validation_as_json_has_each_problem_with_its_place(indexer):
    assert json.loads(indexer("validate", "us-cloud", "--json")[1]) == {
        "valid": True,
        "problems": [],
    }
    Path("bad.yaml").write_text("version: 1\nid: bad\nname: [\n", encoding="utf-8")
    code, out, _ = indexer("validate", "bad.yaml", "--json")
    told = json.loads(out)

    assert (code, told["valid"]) == (78, False)
    assert [(one["file"], one["line"]) for one in told["problems"]] == [("bad.yaml", 4)]


def test_validate_looks_into_the_indices_of_a_study(indexer):
    Path("s.yaml").write_text(
        "version: 1\nid: s\nname: {en: S}\nstart: 2024-01-02\n"
        "pairs: [{leader: chinex, follower: star-50}]\n",
        encoding="utf-8",
    )
    code, out, _ = indexer("validate", "s.yaml")

    assert code == 78
    assert "s.yaml:5:18: pairs[0].leader: no definition of 'chinex' found; did you" in out


def test_validate_takes_an_id_like_other_commands(indexer):
    assert indexer("validate", "us-cloud")[:2] == (0, "1 valid\n")


def test_validate_tells_a_folder_from_a_file_that_is_not_there(indexer):
    Path("folder").mkdir()
    code, _, err = indexer("validate", "folder")

    assert (code, err) == (66, "error: folder: cannot be read: Is a directory: name a file in it\n")


def test_bundled_definitions_are_valid(indexer):
    code, out, _ = indexer("validate", *map(str, sorted(BUNDLED_BASKETS.glob("*.yaml"))))

    assert (code, out) == (0, "15 valid\n")


def cpu_seconds(*command):
    """Return the least CPU time of a few runs in processes of their own."""
    times = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, check=True, capture_output=True, env=os.environ)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        times.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(times)


def test_help_is_cheap():
    """0.043 s as measured; the bound leaves room for slower machines and uncompiled sources."""
    assert cpu_seconds(sys.executable, "-m", "indexer.cli.app", "--help") < 0.30


def test_importing_the_package_is_cheap():
    assert cpu_seconds(sys.executable, "-c", "import indexer") < 0.15


def test_help_loads_neither_numba_nor_polars():
    code = (
        "import sys, indexer.cli.app\n"
        "print(sorted({'numba', 'polars', 'pandas'} & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)

    assert found.stdout == "[]\n"


def test_a_run_does_not_load_pandas(tmp_path):
    """exchange_calendars brings pandas and 0.4 s; the committed calendars make it unnecessary."""
    code = (
        "import sys; from indexer.cli import app; sys.argv = ['indexer', 'run']\n"
        "try: app.main()\nexcept SystemExit: print('pandas' in sys.modules, file=sys.stderr)"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(Path.cwd()), *sys.path])},
    )  # fmt: skip

    assert found.stderr.splitlines()[-1] == "False"


@pytest.mark.parametrize(
    "day", ["2024112", "2024-1-2", "2024-13-01", "20240230", "２０２４０１０２"]
)
def test_a_date_has_all_its_digits_and_is_one(indexer, day):
    code, _, err = indexer("explain", "domestic-compute", day, "--market", "nowhere")

    assert code == 2
    assert "is no date: write it like 2026-05-07 or 20260507" in err
