"""The page that says how the sources were tried has what was kept."""

import json

from benchmarks.options import RESULTS
from benchmarks.survival import BEGIN, END, is_fresh, tables, with_tables

FAULTS = {
    "n": 2160, "wrong": 0, "seconds": 12, "seed": 7, "commit": "abc", "uncontradicted": 3,
    "uncontradicted_by_kind": {"scaled_up": 2, "head_cut": 1}, "ends": {"prices corrupt": 1234},
    "akshare_alone": {"n": 60, "raises": 19, "hangs": 3, "silently_another_frame": 36},
}  # fmt: skip
DAYS = {"n": 60, "wrong": 0, "seconds": 9, "seed": 7, "commit": "abc"}


def test_the_page_has_what_is_kept():
    assert is_fresh(RESULTS)


def test_nothing_kept_is_a_table_without_a_row(tmp_path):
    assert tables(tmp_path).count("\n") == 2


def test_what_is_kept_is_told(tmp_path):
    (tmp_path / "faults.json").write_text(json.dumps(FAULTS))
    days = DAYS | {"answers": 5000, "faulted": 1500, "evenings_refused": 25}
    (tmp_path / "days.json").write_text(json.dumps(days))

    told = tables(tmp_path)

    assert "| 2,160 | 0 |  |  | 12 | 7 | abc |" in told
    assert "| 60 | 0 | 25 | 1,500 of 5,000 | 9 | 7 | abc |" in told
    assert "| prices | 0 | 0 | 0 | 0 | 1,234 |" in told
    assert "In 3 of the 2,160 scenarios" in told
    assert "`head_cut` 1, `scaled_up` 2" in told
    assert (
        "36 come back as another frame without a word, 19 raise, 3 hang, 2 give the truth" in told
    )


def test_a_share_of_the_scenarios_is_told_as_one(tmp_path):
    (tmp_path / "faults.json").write_text(json.dumps(FAULTS | {"n": 59, "of": 2160}))

    assert "| 59 of 2,160 | 0 |" in tables(tmp_path)


def test_only_what_stands_between_the_marks_is_renewed(tmp_path):
    text = f"before\n{BEGIN}old\n{END}after\n"

    assert with_tables(text, tmp_path) == f"before\n{BEGIN}{tables(tmp_path)}{END}after\n"
