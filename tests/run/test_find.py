"""Where definitions are found, and what is said of a name that is none or is another kind."""

import re

import pytest
import yaml

from indexer.definitions.read import read_definition
from indexer.errors import DefinitionError, MissingInputError
from indexer.run.find import (
    check,
    definition_named,
    index_named,
    indices_of,
    study_named,
    sweep_named,
    swept_baskets,
    swept_study,
    validate,
)
from indexer.sweep.plan import problems_of
from tests.run.desk import BASKET, basket

PAIR = {
    "version": "1",
    "id": "two",
    "name": {"en": "Two"},
    "start": "2026-03-02",
    "pairs": [{"leader": "trio", "follower": "chinext"}],
}


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def written(path, id="two", **keys):
    """Write a definition and return its file's name."""
    file = path / f"{id}.yaml"
    file.parent.mkdir(exist_ok=True)
    content = {**PAIR, "id": id, **keys}
    file.write_text(yaml.safe_dump({k: v for k, v in content.items() if v is not None}), "utf-8")
    return str(file)


def grid(path, **keys):
    nothing = dict.fromkeys(("name", "start", "pairs"))
    return written(path, "grid", **{**nothing, "study": "two", **keys})


def fault(act, *given):
    """Return what is wrong, which something must be."""
    with pytest.raises((DefinitionError, MissingInputError)) as caught:
        act(*given)
    return str(caught.value)


def test_an_id_is_found_here_before_it_is_found_among_the_bundled(tmp_path):
    assert definition_named("chinext").symbol == "399006.SZ"
    basket(tmp_path / "baskets", id="chinext")

    assert definition_named("chinext").symbols == tuple(c["symbol"] for c in BASKET["constituents"])


def test_a_name_that_can_be_no_id_is_a_file_that_is_missing():
    assert "no/such.yaml" in fault(definition_named, "no/such.yaml")


def test_an_id_that_is_none_is_told_with_the_nearest():
    assert fault(definition_named, "chinxt").endswith("bundled; did you mean 'chinext'?")


@pytest.mark.parametrize(
    ("act", "name", "said"),
    [
        (study_named, "trio.yaml", "is an index: name a study, a definition with pairs"),
        (index_named, "two.yaml", "two.yaml:5:1: pairs: this is a study: name an index"),
        (definition_named, "grid.yaml", "is a sweep: name an index or a study"),
        (sweep_named, "two.yaml", "is a study: name a sweep, or use indexer run"),
        (sweep_named, "trio.yaml", "is an index: name a sweep, or use indexer build"),
    ],
)
def test_another_kind_of_definition_is_told_as_what_it_is(tmp_path, act, name, said):
    basket(tmp_path)
    written(tmp_path)
    grid(tmp_path)

    assert said in fault(act, name)


def test_a_study_names_the_indices_of_its_pairs_its_benchmark_and_its_events(tmp_path):
    basket(tmp_path)
    news = {"date": "2026-03-04", "name": "News", "indices": ["star-50"]}
    name = written(tmp_path, benchmark="csi-300", events=[news])

    assert list(indices_of(study_named(name))) == ["trio", "chinext", "csi-300", "star-50"]


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"pairs": [{"leader": "trio", "follower": "chinxt"}]}, "pairs[0].follower: no definition"),
        ({"benchmark": "chinxt"}, "benchmark: no definition of 'chinxt' found; did you mean"),
        (
            {"events": [{"date": "2026-03-04", "name": "News", "indices": ["trio", "chinxt"]}]},
            "events[0].indices[1]: no definition of 'chinxt' found; did you mean 'chinext'?",
        ),
    ],
)
def test_an_index_that_is_not_found_is_told_where_the_study_names_it(tmp_path, keys, said):
    basket(tmp_path)

    assert said in fault(indices_of, study_named(written(tmp_path, **keys)))


def test_every_index_of_a_study_that_is_wrong_is_told(tmp_path):
    basket(tmp_path, currency="Yuan")
    basket(tmp_path, id="other", weighting={"scheme": "none such"})
    pairs = [{"leader": "trio", "follower": "other"}]
    found = fault(indices_of, study_named(written(tmp_path, pairs=pairs)))

    assert {line.split(":")[0].rpartition("/")[2] for line in found.splitlines()} == {
        "trio.yaml", "other.yaml",
    }  # fmt: skip


def test_the_study_of_a_sweep_lies_beside_it(tmp_path):
    basket(tmp_path)
    written(tmp_path)
    assert swept_study(sweep_named(grid(tmp_path))).id == "two"

    lost = sweep_named(grid(tmp_path, study="tow"))
    assert "study: no definition of 'tow' found" in fault(swept_study, lost)


def test_the_baskets_of_a_sweep_are_those_of_its_glob_by_name_and_not_itself(tmp_path):
    for id in ("b", "a"):
        basket(tmp_path, id=id)
    found = sweep_named(grid(tmp_path, study=None, baskets="*.yaml"))

    assert [file.name for file in swept_baskets(found)] == ["a.yaml", "b.yaml"]


def test_two_files_of_one_name_and_a_glob_that_names_none_are_told(tmp_path):
    for folder in ("x", "y"):
        basket(tmp_path / folder, id="a")
    twice = sweep_named(grid(tmp_path, study=None, baskets="*/*.yaml"))
    none = sweep_named(grid(tmp_path, study=None, baskets="z/*.yaml"))

    assert "a is the name of two files" in fault(swept_baskets, twice)
    assert f"z/*.yaml names no file in {tmp_path}" in fault(swept_baskets, none)


@pytest.mark.parametrize("pattern", [".", "a**b"])
def test_what_is_no_pattern_is_told(tmp_path, pattern):
    found = sweep_named(grid(tmp_path, study=None, baskets=pattern))

    assert f"baskets: {pattern!r} is no pattern of files" in fault(swept_baskets, found)


def test_validation_follows_a_study_and_a_sweep_to_what_they_name(tmp_path):
    basket(tmp_path, currency="Yuan")
    study, sweep = written(tmp_path), grid(tmp_path)
    baskets = written(
        tmp_path, "more", **dict.fromkeys(("name", "start", "pairs")), baskets="trio.yaml"
    )

    assert [p.path for p in validate([study], problems_of)] == ["currency"]
    assert [p.path for p in validate([sweep], problems_of)] == ["currency"]
    assert validate([baskets], problems_of) == []


def test_what_stands_outside_a_file_is_told_with_what_is_wrong_inside(tmp_path):
    name = basket(tmp_path, currency="Yuan", calendar="XXXX")
    pairs = [{"leader": "chinext", "follower": id} for id in ("chinext", "nosuch")]
    study = written(tmp_path, pairs=pairs)

    assert [p.path for p in validate([name], problems_of)] == ["calendar", "currency"]
    assert [p.path for p in validate([study], problems_of)] == [
        "pairs[0].follower",
        "pairs[1].follower",
    ]


def test_what_is_wrong_in_an_index_is_told_beside_one_that_is_not_there(tmp_path):
    basket(tmp_path, currency="Yuan")
    pairs = [{"leader": "chinext", "follower": id} for id in ("trio", "nosuch")]

    assert [p.path for p in validate([written(tmp_path, pairs=pairs)], problems_of)] == [
        "currency",
        "pairs[1].follower",
    ]


def test_a_study_in_the_place_of_an_index_is_told_as_what_it_is(tmp_path):
    written(tmp_path, pairs=[{"leader": "chinext", "follower": "star-50"}])
    found = study_named(written(tmp_path, "more", benchmark="two"))

    told = fault(indices_of, found)
    assert re.search(r"more\.yaml:1:12: benchmark: 'two' is a study \(.*two\.yaml\): name an", told)


def test_what_is_missing_is_told_among_what_is_wrong_and_alone(tmp_path):
    name = basket(tmp_path, currency="Yuan")
    assert [(p.file, p.path) for p in validate([name, "nosuch"], problems_of)] == [
        (name, "currency"),
        ("nosuch", ""),
    ]

    with pytest.raises(MissingInputError):
        validate(["nosuch", "chinext"], problems_of)


def test_a_definition_that_was_changed_is_held_to_what_stands_outside_its_file(tmp_path):
    found = read_definition(basket(tmp_path))
    check(found)

    with pytest.raises(DefinitionError, match="4:11: calendar: 'XNOW' is no calendar"):
        check(found.model_copy(update={"calendar": "XNOW"}))
