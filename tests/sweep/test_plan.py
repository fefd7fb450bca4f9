"""What a sweep asks for: every combination, what each key means, and what is wrong where."""

from pathlib import Path

import pytest

from indexer.definitions.read import read_sweep, restore_study
from indexer.errors import DefinitionError
from indexer.run.find import BUNDLED_BASKETS
from indexer.sweep.plan import Variant, plan, problems_of
from indexer.sweep.processes import Workers
from tests.sweep.conftest import written

STUDY = "study: compute-diffusion\n"


def planned(folder: Path, text: str) -> list[Variant]:
    return plan(read_sweep(written(folder, text)), Workers())


def test_every_combination_is_a_variant_the_last_key_varying_fastest(tmp_path: Path) -> None:
    found = planned(
        tmp_path, f"{STUDY}vary: {{windows.beta: [60, 90], catch_up.enter: [1, 2, 3]}}\n"
    )

    assert [tuple(v.values.values()) for v in found] == [
        (beta, enter) for beta in ("60", "90") for enter in ("1", "2", "3")
    ]


def test_without_anything_to_vary_there_is_the_study_itself(tmp_path: Path) -> None:
    [only] = planned(tmp_path, STUDY)

    assert only.values == {}
    assert restore_study(only.text)[0].id == "compute-diffusion"


def test_an_item_takes_the_place_of_the_value_at_its_key(tmp_path: Path) -> None:
    found = planned(tmp_path, f"{STUDY}vary: {{windows.zscore: [120], catch_up.close: [0.25]}}\n")
    study, _ = restore_study(found[0].text)

    assert (study.windows.zscore, study.catch_up.close) == (120, 0.25)
    assert study.windows.gap == 60


def test_for_a_list_a_scalar_is_a_list_of_one(tmp_path: Path) -> None:
    found = planned(tmp_path, f"{STUDY}vary: {{windows.correlation: [20, [30, 40]]}}\n")

    assert [restore_study(v.text)[0].windows.correlation for v in found] == [(20,), (30, 40)]
    assert [v.values["windows.correlation"] for v in found] == ["20", '["30","40"]']


def test_keys_of_baskets_apply_to_every_basket_that_is_no_series(tmp_path: Path) -> None:
    found = planned(tmp_path, f"{STUDY}vary: {{weighting.scheme: [price]}}\n")
    _, indices = restore_study(found[0].text)

    schemes = {id: getattr(index, "weighting", None) for id, index in indices.items()}
    assert schemes["hang-seng-tech"] is None
    assert {w.scheme for w in schemes.values() if w is not None} == {"price"}


def test_pairs_can_be_varied(tmp_path: Path) -> None:
    pair = "{leader: chinext, follower: star-50}"
    [found] = planned(tmp_path, f"{STUDY}vary: {{pairs: [{pair}]}}\n")

    assert found.pairs == (("chinext", "star-50"),)
    assert set(restore_study(found.text)[1]) == {"chinext", "star-50"}


def test_a_variant_that_is_wrong_says_so_where_its_item_stands(tmp_path: Path) -> None:
    found = planned(tmp_path, f"{STUDY}vary: {{catch_up.enter: [1, -1]}}\n")

    assert found[0].failure is None
    assert found[1].failure is not None
    kind, message = found[1].failure.values()
    assert kind == "DefinitionError"
    assert message.startswith(f"{tmp_path}/grid.yaml:4:28: catch_up.enter: got '-1'")


def flaws(folder: Path, text: str) -> list[str]:
    """Return what is wrong with the items of a sweep."""
    return [str(problem) for problem in problems_of(read_sweep(written(folder, text)))]


def test_an_item_of_which_no_variant_is_sound_is_a_problem(tmp_path: Path) -> None:
    [told] = flaws(tmp_path, f"{STUDY}vary: {{catch_up.enter: [1, x], windows.beta: [60, 90]}}\n")

    assert "vary.catch_up.enter[1]: makes no sound variant: " in told
    assert "catch_up.enter: got 'x', expected a number" in told


def test_an_item_that_is_wrong_by_itself_may_be_right_beside_another(tmp_path: Path) -> None:
    ranked = "weighting: [{scheme: equal}, {scheme: rank, weights: [0.6, 0.4]}]"
    chosen = "selection: [{top: 2, rank_by: price}]"
    folder = f"baskets: {BUNDLED_BASKETS}/domestic-compute.yaml\n"

    assert "needs a selection" in flaws(tmp_path, f"{folder}vary: {{{ranked}}}\n")[0]
    assert flaws(tmp_path, f"{folder}vary: {{{ranked}, {chosen}}}\n") == []


def test_an_item_is_not_blamed_for_one_of_another_key(tmp_path: Path) -> None:
    text = f"{STUDY}vary: {{catch_up.enter: [x], windows.beta: [60, 90]}}\n"

    assert ["enter" in told.split(": ")[1] for told in flaws(tmp_path, text)] == [True]


def test_a_series_says_nothing_of_an_item(tmp_path: Path) -> None:
    """It has one variant, whatever is varied."""
    text = f"baskets: {BUNDLED_BASKETS}/[cd]*.yaml\nvary: {{weighting.scheme: [bogus, equal]}}\n"

    [told] = flaws(tmp_path, text)
    assert "vary.weighting.scheme[0]: makes no sound variant: " in told


def test_items_that_are_sound_by_themselves_are_not_combined(tmp_path: Path) -> None:
    """A million combinations of them are not made to see that each is sound."""
    many = ", ".join(map(str, range(20, 120)))
    keys = ("windows.beta", "windows.gap", "windows.zscore")
    vary = ", ".join(f"{key}: [{many}]" for key in keys)

    assert flaws(tmp_path, f"{STUDY}vary: {{{vary}}}\n") == []


def test_too_many_variants_are_told_at_once(tmp_path: Path) -> None:
    many = ", ".join(map(str, range(20, 121)))
    keys = ("windows.beta", "windows.gap", "windows.zscore")
    vary = ", ".join(f"{key}: [{many}]" for key in keys)

    with pytest.raises(DefinitionError, match="more than 1000000"):
        flaws(tmp_path, f"{STUDY}vary: {{{vary}}}\n")


def test_what_is_wrong_inside_an_item_is_told_where_it_stands(tmp_path: Path) -> None:
    item = "{correlation: [20, 60], zscore: 1}"
    [found] = planned(tmp_path, f"{STUDY}vary: {{windows: [{item}]}}\n")

    assert found.failure is not None
    where = f"{tmp_path}/grid.yaml:4:{len('vary: {windows: [') + item.index('1}') + 1}: "
    assert found.failure["message"].startswith(f"{where}windows.zscore: got '1'")


def test_a_rule_between_keys_names_the_file_of_the_other_key(tmp_path: Path) -> None:
    """What is wrong is the scheme of the sweep together with the ladder of the basket."""
    text = f"baskets: {BUNDLED_BASKETS}/*-free-float.yaml\nvary: {{weighting.scheme: [equal]}}\n"
    for variant in planned(tmp_path, text):
        assert variant.failure is not None
        assert "-free-float.yaml:23:41: weighting.ladder: belongs to" in variant.failure["message"]


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        (STUDY + "vary: {windows.zskore: [1]}", 4, "did you mean 'windows.zscore'?"),
        (
            STUDY + "vary: {weighting.caps.constituant: [0.1]}",
            4,
            "did you mean 'weighting.caps.constituent'?",
        ),
        (STUDY + "vary: {id: [a, b]}", 4, "cannot be varied"),
        (STUDY + "vary: {catch_up.enter: [1, 1]}", 4, "listed twice"),
        (STUDY + "vary: {catch_up.enter: [1, 1.0]}", 4, "'1' and '1.0' make the same variant"),
        (STUDY + "vary: {windows.correlation: [20, [20]]}", 4, "make the same variant"),
        (STUDY + "vary: {windows.gap: [20], windows: [{gap: 9}]}", 4, "lies inside windows"),
        (STUDY + "vary: {catch_up.enter: 1}", 4, "expected a list"),
        (STUDY + "vary: {catch_up.enter: []}", 4, "at least one item"),
        (STUDY + "evaluate: {cost_bps: -1}", 4, "greater than or equal to 0"),
        (STUDY + "baskets: '*.yaml'", 4, "give one of the two"),
        (STUDY + "varry: {}", 4, "did you mean 'vary'?"),
        ("vary: {catch_up.enter: [1]}", 1, "give study, or baskets"),
        ("study: compute-difusion", 3, "did you mean 'compute-diffusion'?"),
        ("baskets: none/*.yaml", 3, "names no file"),
        ("baskets: '*.yaml'\nvary: {catch_up.enter: [1]}", 4, "no such key in the baskets"),
        (
            STUDY + "vary: {constituents.segment: [PCB]}",
            4,
            "no such key in the study or its baskets",
        ),
    ],
)
def test_what_is_wrong_with_a_sweep_is_told_at_once(
    tmp_path: Path, text: str, line: int, words: str
) -> None:
    with pytest.raises(DefinitionError, match=r"grid\.yaml") as caught:
        planned(tmp_path, text + "\n")

    assert any(p.line == line and words in p.message for p in caught.value.problems)


def test_a_key_that_changes_nothing_in_one_combination_is_no_mistake(tmp_path: Path) -> None:
    """The second pair is of ready-made series, which have no weights."""
    pairs = "[{leader: north-america-compute, follower: domestic-compute}]"
    series = "[{leader: chinext, follower: star-50}]"
    keys = f"{{pairs: [{pairs}, {series}], weighting.scheme: [equal, price]}}"

    assert len({variant.text for variant in planned(tmp_path, f"{STUDY}vary: {keys}\n")}) == 3


def test_too_many_variants_are_refused_before_any_is_made(tmp_path: Path) -> None:
    many = ", ".join(map(str, range(1, 1002)))
    keys = f"{{windows.gap: [{many}], windows.beta: [{many}]}}"
    with pytest.raises(DefinitionError, match="1002001 variants"):
        planned(tmp_path, f"{STUDY}vary: {keys}\n")


def test_a_glob_names_baskets_and_leaves_out_studies(tmp_path: Path) -> None:
    found = planned(tmp_path, f"baskets: {BUNDLED_BASKETS}/*.yaml\nvary: {{max_stale: [9, 99]}}\n")
    names = [variant.index for variant in found]

    assert "compute-diffusion" not in names
    assert names.count("domestic-compute") == 2
    assert names.count("star-50") == 1
    assert names == sorted(names)


def test_two_baskets_of_one_name_are_refused(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "same.yaml").write_text("version: 1\n", encoding="utf-8")
    with pytest.raises(DefinitionError, match="same is the name of two files"):
        planned(tmp_path, "baskets: '*/same.yaml'\n")


def test_a_basket_that_is_wrong_costs_only_itself(tmp_path: Path) -> None:
    for name, text in (("sound", (BUNDLED_BASKETS / "us-cloud.yaml").read_text()), ("bad", "a: 1")):
        (tmp_path / f"{name}.yaml").write_text(text.replace("id: us-cloud", "id: sound"))
    found = planned(tmp_path, "baskets: '*.yaml'\n")

    assert [(v.index, v.failure is None) for v in found] == [("bad", False), ("sound", True)]


def test_many_files_are_planned_alike_by_several_processes(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("indexer.sweep.plan.MANY", 2)
    monkeypatch.setattr("indexer.sweep.plan.PART", 2)
    sweep = read_sweep(written(tmp_path, f"baskets: {BUNDLED_BASKETS}/*.yaml\n"))

    with Workers(2) as workers:
        assert plan(sweep, workers) == plan(sweep, Workers())
