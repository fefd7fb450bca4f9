"""What indices and studies come to, and what is written of them."""

import json
from datetime import date, timedelta

import pytest
import yaml

from indexer.errors import DefinitionError, MissingInputError
from indexer.market.tables import read_market
from indexer.run.find import indices_of, study_named
from indexer.run.results import Output, _overlays, build_indices, explain_session
from indexer.run.results import study as compared
from tests.run.desk import DAYS, basket, close, folder


def series(symbol, first=0, **cells):
    return [
        {"symbol": symbol, "date": day, "close": close("600001.SH", n + first)} | cells
        for n, day in enumerate(DAYS)
    ]


def line(path, id, symbol, **keys):
    """Write a ready-made series and return its file's name."""
    nothing = dict.fromkeys(("base", "weighting", "constituents"))
    return basket(path, id=id, kind="series", symbol=symbol, **nothing, **keys)


def study(path, **keys):
    """Write a study of the index and a series, and return it."""
    basket(path)
    line(path, "other", "000001.SH")
    content = {
        "version": "1",
        "id": "two",
        "name": {"en": "Two"},
        "start": str(DAYS[0]),
        "pairs": [{"leader": "trio", "follower": "other"}],
        "bootstrap": {"replications": 99},
        **keys,
    }
    (path / "two.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    return study_named(str(path / "two.yaml"))


@pytest.mark.parametrize("given", [[], ["trio"], ["other"]])
def test_indices_of_the_pairs_that_are_not_given_are_named(tmp_path, given):
    two = study(tmp_path)
    tables = read_market(folder(tmp_path / "m", series=series("000001.SH")))
    indices = {id: found for id, found in indices_of(two).items() if id in given}
    with pytest.raises(MissingInputError) as refused:
        compared(two, tables, indices=indices)

    assert [flaw.symbol for flaw in refused.value.flaws] == [
        id for id in ("trio", "other") if id not in given
    ]


def test_the_benchmark_need_not_be_given(tmp_path):
    two = study(tmp_path)
    tables = read_market(folder(tmp_path / "m", series=series("000001.SH")))
    indices = {id: index for id, index in indices_of(two).items() if id != two.benchmark}

    assert set(compared(two, tables, indices=indices).histories) == {"trio", "other"}


def test_an_index_is_given_under_its_own_id(tmp_path):
    """Else the levels of one would stand under the name of another."""
    two = study(tmp_path)
    tables = read_market(folder(tmp_path / "m", series=series("000001.SH")))
    indices = indices_of(two)
    swapped = indices | {"trio": indices["other"]}
    with pytest.raises(MissingInputError, match="trio: is the key of another index"):
        compared(two, tables, indices=swapped)


def test_two_indices_of_one_id_are_not_written_over_each_other(tmp_path):
    names = [basket(tmp_path / place) for place in ("a", "b")]
    with pytest.raises(DefinitionError, match="'trio' is built already"):
        build_indices(names, folder(tmp_path / "m"), Output(tmp_path / "out"))

    assert not (tmp_path / "out").exists()


def test_indices_are_written_each_into_a_folder_of_its_id(tmp_path):
    names = [basket(tmp_path), basket(tmp_path, id="duo")]
    built = build_indices(names, folder(tmp_path / "m"), Output(tmp_path / "out"))
    told = [
        json.loads((tmp_path / "out" / h.definition.id / "summary.json").read_text()) for h in built
    ]

    assert [one["id"] for one in told] == ["trio", "duo"]


def test_a_day_that_is_no_session_is_told_without_a_market(tmp_path):
    saturday = date(2026, 3, 7)

    assert explain_session(basket(tmp_path), tmp_path / "nowhere", saturday) == {
        "id": "trio", "date": "2026-03-07", "session": False,
    }  # fmt: skip


def test_a_session_is_told_to_be_one(tmp_path):
    found = explain_session(basket(tmp_path), folder(tmp_path / "m"), DAYS[3])

    assert (found["id"], found["date"], found["session"]) == ("trio", DAYS[3].isoformat(), True)


def test_a_benchmark_without_data_is_left_out(tmp_path):
    line(tmp_path, "lost", "000002.SH")
    market = read_market(folder(tmp_path / "m", series=series("000001.SH", 1)))
    found = compared(study(tmp_path, benchmark="lost"), market)

    assert list(found.histories) == ["trio", "other"]
    assert "benchmark lost left out: it has no data here" in found.summary["warnings"]


def test_an_overlay_counts_from_the_day_on_which_it_was_announced(tmp_path):
    """Where none is given, from its own date on; one without figures is left out."""
    first, second, third = series("X.US")[:3]
    first["announced_at"], third["announced_at"] = DAYS[5], DAYS[3]
    rows = [*series("000001.SH", 1), third, second, first]
    market = read_market(folder(tmp_path / "m", series=rows))
    named = [{"symbol": symbol, "name": symbol} for symbol in ("X.US", "Y.US")]
    found = _overlays(study(tmp_path, overlays=named), market)
    days, values = found.pop("X.US")

    assert not found
    assert days.tolist() == [DAYS[5], DAYS[1], DAYS[3]]
    assert values.tolist() == [first["close"], second["close"], third["close"]]


def test_a_study_in_a_currency_of_its_own_takes_the_rates_of_the_market(tmp_path):
    days = [DAYS[0] - timedelta(3), *DAYS]
    rates = [{"date": day, "base": "CNY", "quote": "HKD", "rate": 1.1} for day in days]
    market = read_market(folder(tmp_path / "m", series=series("000001.SH", 1), fx=rates))
    local, found = (compared(study(tmp_path, **keys), market) for keys in ({}, {"currency": "HKD"}))

    assert found.aligned.level == pytest.approx(local.aligned.level * 1.1)


def test_an_index_of_a_pair_without_closes_is_missing(tmp_path):
    """Not so one that is only a control: the study says that it is left out."""
    definition = study(tmp_path)
    market = read_market(folder(tmp_path / "m", series("600777.SH"), series=series("000001.SH")))

    with pytest.raises(MissingInputError, match="trio"):
        compared(definition, market)
