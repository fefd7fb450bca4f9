"""A campaign goes on where it was, and keeps what is found beside a part that breaks off."""

from pathlib import Path

import pytest

from benchmarks.reliability.campaign import Campaign, run
from benchmarks.reliability.record import Found, Journal, version

CODE = ("indexer/digest.py",)


def work(unit: str) -> Found:
    if unit == "broken":
        raise ValueError("broken off")
    return Found(2)


def test_what_other_parts_find_is_kept_where_one_breaks_off(tmp_path: Path) -> None:
    campaign = Campaign("B0", "toy", ("one", "broken", "three"), work, code=CODE)

    with pytest.raises(ExceptionGroup, match="B0: of 3 units") as error:
        run(campaign, tmp_path, 1)

    assert list(map(str, error.value.exceptions)) == ["broken off"]
    assert set(Journal(tmp_path / "B0.jsonl", version(CODE)).done) == {"one", "three"}


def test_what_is_done_is_not_done_again(tmp_path: Path) -> None:
    Journal(tmp_path / "B0.jsonl", version(CODE)).write("broken", Found(5))

    told = run(Campaign("B0", "toy", ("one", "broken"), work, code=CODE), tmp_path, 1)

    assert (told["n"], told["wrong"]) == (7, 0)
