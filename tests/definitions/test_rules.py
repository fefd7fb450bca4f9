"""Rules that tie several keys together: each broken once, and each at its edge."""

from pathlib import Path

import pytest

from indexer.definitions.read import read_definition
from indexer.definitions.rules import at_least
from indexer.errors import DefinitionError

HEAD = """version: 1
id: example
name: {en: Example}
currency: CNY
calendar: XSHG
base: {date: 2024-01-02, level: 1000}
"""
CODES = [f"{code}.SZ" for code in range(300_001, 300_099)]


def members(*extra: str, count: int = 4) -> str:
    """Return a list of constituents, the first ones with extra keys."""
    extras = [f", {keys}" if keys else "" for keys in extra] + [""] * (count - len(extra))
    return "".join(
        f"\n  - {{symbol: {code}{more}}}" for code, more in zip(CODES, extras, strict=False)
    )


@pytest.mark.parametrize(
    ("bound", "told"), [(0.25, "0.25"), (1 / 3, "0.333334"), (2 / 3, "0.666667"), (1.0, "1")]
)
def test_a_lower_bound_is_told_so_that_the_text_is_within_it(bound: float, told: str):
    assert at_least(bound) == told


def weights(*given: object) -> str:
    return members(*(f"weight: {weight}" for weight in given), count=len(given))


def broken(folder: Path, **keys: str) -> list[str]:
    """Return the problems of a basket with these keys, ``line:column: path: message``.

    Weighting is line 7, constituents begin on the line after it unless keys stand between.
    """
    keys = {"weighting": "{scheme: equal}", "constituents": members()} | keys
    file = folder / "example.yaml"
    file.write_text(HEAD + "".join(f"{key}: {value}\n" for key, value in keys.items()))
    try:
        read_definition(file)
    except DefinitionError as refused:
        return [str(problem).removeprefix(f"{file}:") for problem in refused.problems]
    return []


FIXED = "{scheme: fixed}"
NORMALISED = "{scheme: fixed, normalise: true}"


def capped(constituent: object = 1, segment: object = 1) -> str:
    return f"{{scheme: equal, caps: {{constituent: {constituent}, segment: {segment}}}}}"


def ranked(*given: object) -> str:
    return f"{{scheme: rank, weights: [{', '.join(map(str, given))}]}}"


def top(count: int, buffer: str = "", by: str = "market_cap") -> str:
    return f"{{rank_by: {by}, top: {count}{buffer}}}"


BROKEN = {
    "twice": (
        {"constituents": members("", "", "name: x") + "\n  - {symbol: sz300001}"},
        "13:14: constituents[4].symbol: 300001.SZ is listed twice, first at constituents[0]",
    ),
    "no span": (
        {"constituents": members("", "from: 2025-01-01, until: 2025-01-01")},
        "10:50: constituents[1].until: 2025-01-01 must be after from, 2025-01-01",
    ),
    "span backwards": (
        {"constituents": members("from: 2025-01-02, until: 2025-01-01")},
        "9:50: constituents[0].until: 2025-01-01 must be after from, 2025-01-02",
    ),
    "weight without fixed": (
        {"constituents": members("", "weight: 0.5")},
        "10:33: constituents[1].weight: weights are for scheme 'fixed', this one is 'equal'",
    ),
    "zero weight without fixed": (
        {"constituents": members("weight: 0")},
        "9:33: constituents[0].weight: weights are for scheme 'fixed'",
    ),
    "fixed without a weight": (
        {"weighting": FIXED, "constituents": members("weight: 0.5", "weight: 0.5", count=3)},
        "11:5: constituents[2]: scheme 'fixed' needs a weight",
    ),
    "weights below one": (
        {"weighting": FIXED, "constituents": weights(0.3, 0.3, 0.3)},
        "9:3: constituents: the weights sum to 0.9, not 1: correct them or set weighting.normalise",
    ),
    "weights above one": (
        {"weighting": FIXED, "constituents": weights(0.5, 0.500000002)},
        "9:3: constituents: the weights sum to 1.000000002, not 1",
    ),
    "weights just below": (
        {"weighting": FIXED, "constituents": weights(0.5, 0.499999998)},
        "9:3: constituents: the weights sum to 0.999999998, not 1",
    ),
    "weights all zero": (
        {"weighting": NORMALISED, "constituents": weights(0, 0)},
        "9:3: constituents: the weights sum to 0: at least one must be positive",
    ),
    "cap too small": (
        {"weighting": capped(constituent=0.24)},
        "7:48: weighting.caps.constituent: 4 constituents cannot reach a sum of 1 under 0.24: "
        "the smallest feasible cap is 0.25",
    ),
    "cap too small for the top": (
        {"weighting": capped(constituent=0.4), "selection": top(2)},
        "7:48: weighting.caps.constituent: 2 constituents cannot reach a sum of 1 under 0.4: "
        "the smallest feasible cap is 0.5",
    ),
    "cap too small for a short list": (
        {"weighting": capped(constituent=0.2), "selection": top(9)},
        "7:48: weighting.caps.constituent: 4 constituents",
    ),
    "segment cap too small": (
        {
            "weighting": capped(segment=0.49),
            "constituents": members(*["segment: a", "segment: b"] * 2),
        },
        "7:60: weighting.caps.segment: 2 segments cannot reach a sum of 1 under 0.49: "
        "the smallest feasible cap is 0.5",
    ),
    "normalise": (
        {"weighting": "{scheme: equal, normalise: true}"},
        "7:39: weighting.normalise: belongs to scheme 'fixed', this one is 'equal'",
    ),
    "weights": (
        {"weighting": "{scheme: price, weights: [1]}"},
        "7:37: weighting.weights: belongs to scheme 'rank', this one is 'price'",
    ),
    "lookback": (
        {"weighting": "{scheme: equal, lookback: 60}"},
        "7:38: weighting.lookback: belongs to scheme 'inverse_volatility'",
    ),
    "column": (
        {"weighting": "{scheme: equal, column: x}"},
        "7:36: weighting.column: belongs to scheme 'score'",
    ),
    "ladder": (
        {"weighting": "{scheme: market_cap, ladder: csi-2010}"},
        "7:41: weighting.ladder: belongs to scheme 'free_float'",
    ),
    "score without column": (
        {"weighting": "{scheme: score}"},
        "7:12: weighting: scheme 'score' needs column",
    ),
    "rank without selection": (
        {"weighting": ranked(0.5, 0.5)},
        "7:21: weighting.scheme: scheme 'rank' needs a selection to rank by",
    ),
    "rank without weights": (
        {"weighting": "{scheme: rank}", "selection": top(2)},
        "7:12: weighting: scheme 'rank' needs weights",
    ),
    "rank weights too few": (
        {"weighting": ranked(0.5, 0.5), "selection": top(3)},
        "7:36: weighting.weights: 2 weights for selection.top 3",
    ),
    "rank weights too many": (
        {"weighting": ranked(0.5, 0.3, 0.2), "selection": top(2)},
        "7:36: weighting.weights: 3 weights for selection.top 2",
    ),
    "rank weights not one": (
        {"weighting": ranked(0.5, 0.3), "selection": top(2)},
        "7:36: weighting.weights: the weights sum to 0.8, not 1",
    ),
    "rank weights above one": (
        {"weighting": ranked(0.6, 0.6), "selection": top(2)},
        "7:36: weighting.weights: the weights sum to 1.2, not 1",
    ),
    "months of never": (
        {"rebalance": "{months: [12]}"},
        "13:21: rebalance.months: 1 month given, 'never' takes 0",
    ),
    "months of a quarter": (
        {"rebalance": "{frequency: quarterly, months: [3, 6, 9]}"},
        "13:43: rebalance.months: 3 months given, 'quarterly' takes 4",
    ),
    "no months": (
        {"rebalance": "{frequency: annual, months: []}"},
        "13:40: rebalance.months: 0 months given, 'annual' takes 1",
    ),
    "month twice": (
        {"rebalance": "{frequency: semiannual, months: [6, 6]}"},
        "13:44: rebalance.months: [6, 6] names a month twice",
    ),
    "real shares": (
        {"weighting": "{scheme: free_float}", "rebalance": "{price_date: effective}"},
        "13:25: rebalance.price_date: scheme 'free_float' holds shares outstanding",
    ),
    "real shares by capitalisation": (
        {"weighting": "{scheme: market_cap}", "rebalance": "{price_date: effective}"},
        "13:25: rebalance.price_date: scheme 'market_cap' holds shares outstanding",
    ),
    "half a buffer": (
        {"selection": top(3, ", enter: 2")},
        "13:12: selection: enter and keep make the buffer together",
    ),
    "other half": (
        {"selection": top(3, ", keep: 4")},
        "13:12: selection: enter and keep make the buffer together",
    ),
    "enter above top": (
        {"selection": top(3, ", enter: 4, keep: 4")},
        "13:12: selection: expected enter <= top <= keep, got 4, 3, 4",
    ),
    "keep below top": (
        {"selection": top(3, ", enter: 2, keep: 2")},
        "13:12: selection: expected enter <= top <= keep, got 2, 3, 2",
    ),
    "amount of nothing": (
        {"selection": top(3, by="amount_0")},
        "13:22: selection.rank_by: 'amount_0': write amount_20 for 20 sessions",
    ),
    "amount of text": (
        {"selection": top(3, by="amount_x")},
        "13:22: selection.rank_by: 'amount_x': write amount_20",
    ),
    "amount in other digits": (
        {"selection": top(3, by="amount_２0")},
        "13:22: selection.rank_by: 'amount_２0': write amount_20",
    ),
    "net without tax": (
        {"variants": "[price, net]"},
        "13:11: variants: variant 'net' needs a withholding table",
    ),
    "variant twice": (
        {"variants": "[price, gross, price]"},
        "13:11: variants: ['price', 'gross', 'price'] names a variant twice",
    ),
}


@pytest.mark.attack("A6")
@pytest.mark.parametrize(("keys", "said"), BROKEN.values(), ids=BROKEN)
def test_a_broken_rule_says_where_and_what_to_do(
    tmp_path: Path, keys: dict[str, str], said: str
) -> None:
    [line] = broken(tmp_path, **keys)
    assert line.startswith(said)


@pytest.mark.parametrize(
    "keys",
    [
        {},
        {"constituents": members("from: 2025-01-01, until: 2025-01-02", "until: 2020-01-01")},
        {"weighting": FIXED, "constituents": weights(0.5, 0.3, 0.2, 0)},
        {"weighting": FIXED, "constituents": weights(0.5, 0.4999999995)},
        {"weighting": FIXED, "constituents": weights(*[0.1] * 10)},
        {"weighting": NORMALISED, "constituents": weights(2, 1, 0)},
        {"weighting": capped(constituent=0.25)},
        {"weighting": capped(constituent=0.334), "constituents": members(count=3)},
        {"weighting": capped(constituent=0.5), "selection": top(2)},
        {"weighting": capped(segment=0.01)},  # segments may stand in the securities table
        {"weighting": capped(segment=0.01), "constituents": members("segment: a")},
        {
            "weighting": capped(segment=0.5),
            "constituents": members(*["segment: a", "segment: b"] * 2),
        },
        {"weighting": "{scheme: inverse_volatility, lookback: 60}"},
        {"weighting": "{scheme: score, column: x}"},
        {"weighting": "{scheme: free_float, ladder: csi-2010}"},
        {"weighting": ranked(0.5, 0.5), "selection": top(2)},
        {"weighting": ranked(0.5, 0.4999999995), "selection": top(2)},
        {"rebalance": "{frequency: quarterly, months: [1, 4, 7, 10]}"},
        {"rebalance": "{frequency: never, months: []}"},
        {"weighting": "{scheme: free_float}", "rebalance": "{price_date: reference}"},
        {"weighting": "{scheme: price}", "rebalance": "{price_date: effective}"},
        {"selection": top(3, ", enter: 3, keep: 3")},
        {"selection": top(3, ", enter: 2, keep: 4", by="amount_20")},
        {"selection": top(3, by="amount")},
        {"variants": "[net]", "withholding": "0"},
        {"withholding": "0.1"},
    ],
    ids=str,
)
def test_what_just_keeps_the_rules_is_accepted(tmp_path: Path, keys: dict[str, str]) -> None:
    assert broken(tmp_path, **keys) == []


def test_several_broken_rules_are_reported_in_order(tmp_path: Path) -> None:
    lines = broken(
        tmp_path,
        weighting="{scheme: equal, lookback: 60, caps: {constituent: 0.1}}",
        constituents=members("weight: 1", "until: 2020-01-01, from: 2021-01-01"),
        rebalance="{months: [1]}",
        variants="[net]",
    )
    assert [line.split(": ")[:2] for line in lines] == [
        ["7:38", "weighting.lookback"],
        ["7:62", "weighting.caps.constituent"],
        ["9:33", "constituents[0].weight"],
        ["10:32", "constituents[1].until"],
        ["13:21", "rebalance.months"],
        ["14:11", "variants"],
    ]


def test_a_rule_is_put_to_the_keys_that_are_sound(tmp_path: Path) -> None:
    """The frequency is misspelt, which says nothing of the weights."""
    lines = broken(
        tmp_path,
        weighting=FIXED,
        constituents=weights(0.5, 0.4),
        rebalance="{frequency: quaterly, months: [1]}",
    )
    assert [line.split(": ")[1] for line in lines] == ["constituents", "rebalance.frequency"]


def test_each_repetition_names_the_first_listing(tmp_path: Path) -> None:
    lines = broken(tmp_path, constituents=members() + members())
    assert [line.split(" ")[-1] for line in lines] == [f"constituents[{n}]" for n in range(4)]


def test_constituents_that_are_sound_are_judged_beside_one_that_is_not(tmp_path: Path) -> None:
    lines = broken(tmp_path, constituents=members("from: soon") + members(count=2))

    assert [line.split(": ")[1] for line in lines] == [
        "constituents[0].from",
        "constituents[5].symbol",
    ]
    assert lines[1].endswith("is listed twice, first at constituents[1]")
