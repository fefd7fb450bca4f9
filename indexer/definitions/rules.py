"""Rules that tie several keys of a definition together.

A rule is a function named for what it asks; its parameters name the top-level keys it reads, so
it can be put to every file in which at least those keys are sound. It yields where the rule is
broken and what to do. ``listed`` names the constituents that are sound by their position, whether
or not all are.
"""

import inspect
import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from indexer.definitions.basket import (
    DEFAULT_MONTHS,
    Basket,
    Constituent,
    Rebalance,
    Selection,
    Series,
    Variant,
    Weighting,
    Withholding,
)
from indexer.definitions.model import Identified
from indexer.definitions.study import Event, Pair, Study, WindowLengths
from indexer.definitions.sweep import FIXED, Sweep, keys_of, known
from indexer.definitions.symbols import NO_CURRENCIES
from indexer.definitions.text import Trail, closest
from indexer.errors import counted

Broken = Iterator[tuple[Trail, str]]
Rule = Callable[..., Broken]
Constituents = tuple[Constituent, ...]
Listed = Mapping[int, Constituent]

REAL_SHARES = ("market_cap", "free_float")  # schemes whose index shares are shares outstanding
_OPTIONS = {  # keys of weighting that belong to one scheme only
    "normalise": "fixed",
    "weights": "rank",
    "lookback": "inverse_volatility",
    "column": "score",
    "ladder": "free_float",
}


def broken(model: type[Identified], parts: Mapping[str, Any]) -> Broken:
    """Yield every rule of a kind of definition that its parts break."""
    yield from breaks(_RULES[model], parts)


def breaks(rules: Iterable[Rule], parts: Mapping[str, Any]) -> Broken:
    """Yield where parts of a definition break rules, of those that can be put to them."""
    sound = {"listed": dict(enumerate(parts.get("constituents", ()))), **parts}
    for rule in rules:
        wanted = inspect.signature(rule).parameters
        if all(name in sound for name in wanted):
            yield from rule(**{name: sound[name] for name in wanted})


def at_least(bound: float) -> str:
    """Return a lower bound as text, rounded up so that the text itself is within it."""
    return f"{math.ceil(bound * 1e6 - 1e-9) / 1e6:g}"


def _currency_is_a_code(currency: str) -> Broken:
    if currency in NO_CURRENCIES:
        yield ("currency",), f"{currency!r} is not ISO 4217: write {NO_CURRENCIES[currency]}"


def _each_constituent_once(listed: Listed) -> Broken:
    count = Counter(c.symbol for c in listed.values())
    first: dict[str, int] = {}
    for n, c in listed.items():
        if count[c.symbol] > 1 and first.setdefault(c.symbol, n) != n:
            where = f"constituents[{first[c.symbol]}]"
            yield ("constituents", n, "symbol"), f"{c.symbol} is listed twice, first at {where}"


def _membership_has_a_span(listed: Listed) -> Broken:
    for n, c in listed.items():
        if c.from_ and c.until and c.from_ >= c.until:
            yield (
                ("constituents", n, "until"),
                f"{c.until} must be after from, {c.from_}: until is the first day outside",
            )


def _fixed_weights_sum_to_one(weighting: Weighting, constituents: Constituents) -> Broken:
    if weighting.scheme != "fixed":
        for n, c in enumerate(constituents):
            if c.weight is not None:
                message = f"weights are for scheme 'fixed', this one is {weighting.scheme!r}"
                yield ("constituents", n, "weight"), message
        return
    missing = [n for n, c in enumerate(constituents) if c.weight is None]
    for n in missing:
        yield ("constituents", n), "scheme 'fixed' needs a weight"
    total = sum(c.weight or 0.0 for c in constituents)
    if not missing and weighting.normalise and total <= 0:
        yield ("constituents",), "the weights sum to 0: at least one must be positive"
    if not missing and not weighting.normalise and abs(total - 1) > 1e-9:
        yield (
            ("constituents",),
            f"the weights sum to {total:.12g}, not 1: correct them or set weighting.normalise",
        )


def _caps_can_be_met(
    weighting: Weighting, constituents: Constituents, selection: Selection | None
) -> Broken:
    most = len(constituents) if selection is None else min(selection.top, len(constituents))
    cap = weighting.caps.constituent
    if cap is not None and cap * most < 1 - 1e-12:
        yield (
            ("weighting", "caps", "constituent"),
            f"{most} constituents cannot reach a sum of 1 under {cap:g}: "
            f"the smallest feasible cap is {at_least(1 / most)}",
        )
    segments = {c.segment for c in constituents}
    cap = weighting.caps.segment
    if cap is not None and None not in segments and cap * len(segments) < 1 - 1e-12:
        yield (
            ("weighting", "caps", "segment"),
            f"{len(segments)} segments cannot reach a sum of 1 under {cap:g}: "
            f"the smallest feasible cap is {at_least(1 / len(segments))}",
        )


def _options_belong_to_the_scheme(weighting: Weighting) -> Broken:
    for option, scheme in _OPTIONS.items():
        if option in weighting.model_fields_set and weighting.scheme != scheme:
            message = f"belongs to scheme {scheme!r}, this one is {weighting.scheme!r}"
            yield ("weighting", option), message
    if weighting.scheme == "score" and weighting.column is None:
        yield ("weighting",), "scheme 'score' needs column: a column of the securities table"


def _rank_weights_fit_the_selection(weighting: Weighting, selection: Selection | None) -> Broken:
    if weighting.scheme != "rank":
        return
    if selection is None:
        yield ("weighting", "scheme"), "scheme 'rank' needs a selection to rank by"
    if weighting.weights is None:
        yield ("weighting",), "scheme 'rank' needs weights, as in [0.5, 0.3, 0.2]"
        return
    if selection is not None and len(weighting.weights) != selection.top:
        yield (
            ("weighting", "weights"),
            f"{len(weighting.weights)} weights for selection.top {selection.top}: give one a rank",
        )
    total = sum(weighting.weights)
    if abs(total - 1) > 1e-9:
        yield ("weighting", "weights"), f"the weights sum to {total:.12g}, not 1"


def _months_fit_the_frequency(rebalance: Rebalance) -> Broken:
    if rebalance.months is None:
        return
    wanted, months = len(DEFAULT_MONTHS[rebalance.frequency]), rebalance.months
    if len(set(months)) != len(months):
        yield ("rebalance", "months"), f"{list(months)} names a month twice"
    elif len(months) != wanted:
        given = counted(len(months), "month")
        message = f"{given} given, {rebalance.frequency!r} takes {wanted}"
        yield ("rebalance", "months"), message


def _real_shares_use_reference_prices(weighting: Weighting, rebalance: Rebalance) -> Broken:
    if weighting.scheme in REAL_SHARES and rebalance.price_date == "effective":
        yield (
            ("rebalance", "price_date"),
            f"scheme {weighting.scheme!r} holds shares outstanding, which no price sets: "
            "leave price_date out",
        )


def _buffer_surrounds_the_top(selection: Selection | None) -> Broken:
    if selection is None:
        return
    enter, keep, top = selection.enter, selection.keep, selection.top
    if (enter is None) != (keep is None):
        yield ("selection",), "enter and keep make the buffer together: give both or neither"
    elif enter is not None and keep is not None and not enter <= top <= keep:
        yield ("selection",), f"expected enter <= top <= keep, got {enter}, {top}, {keep}"


def _ranked_by_something_known(selection: Selection | None) -> Broken:
    if selection is None or not selection.rank_by.startswith("amount_"):
        return
    count = selection.rank_by.removeprefix("amount_")
    if not count.isascii() or not count.isdecimal() or int(count) == 0:
        yield ("selection", "rank_by"), f"{selection.rank_by!r}: write amount_20 for 20 sessions"


def _net_knows_its_tax(variants: tuple[Variant, ...], withholding: Withholding | None) -> Broken:
    if len(set(variants)) != len(variants):
        yield ("variants",), f"{list(variants)} names a variant twice"
    if "net" in variants and withholding is None:
        yield ("variants",), "variant 'net' needs a withholding table, as in {CN: 0.10}"


def _a_pair_is_two_indices(pairs: tuple[Pair, ...]) -> Broken:
    for n, pair in enumerate(pairs):
        if pair.leader == pair.follower:
            yield ("pairs", n, "follower"), f"{pair.follower!r} is compared with itself"
        if pair in pairs[:n]:
            yield ("pairs", n), f"given already at pairs[{pairs.index(pair)}]"


def _an_event_names_an_index_once(events: tuple[Event, ...]) -> Broken:
    for n, event in enumerate(events):
        for k, id in enumerate(event.indices):
            if id in event.indices[:k]:
                yield ("events", n, "indices", k), f"{id!r} is named twice"


def _windows_differ(windows: WindowLengths) -> Broken:
    for key, lengths in (("correlation", windows.correlation), ("momentum", windows.momentum)):
        if len(set(lengths)) != len(lengths):
            yield ("windows", key), f"{list(lengths)} names a length twice"


def _a_study_or_baskets(study: str | None, baskets: str | None) -> Broken:
    if study is None and baskets is None:
        yield (), "names nothing to sweep: give study, or baskets"
    elif study is not None and baskets is not None:
        yield ("baskets",), "stands in the place of study: give one of the two"


def _varied_keys_exist(
    vary: Mapping[str, tuple[Any, ...]], study: str | None, baskets: str | None
) -> Broken:
    models = (Study, Basket) if study is not None else (Basket,)
    for key, items in vary.items():
        if key in FIXED:
            yield ("vary", key), f"cannot be varied: every variant keeps its {key}"
        elif not any(known(model, key) for model in models):
            hint = closest(key, (name for model in models for name in keys_of(model)))
            where = "study or its baskets" if study is not None else "baskets"
            yield ("vary", key), f"no such key in the {where}{hint}"
        for n, item in enumerate(items):
            if item in items[:n]:
                yield ("vary", key, n), f"{item!r} is listed twice"
        for other in vary:
            if key.startswith(f"{other}."):
                yield ("vary", key), f"lies inside {other}, which is varied too: vary one of them"


_RULES: dict[type[Identified], tuple[Rule, ...]] = {
    Series: (_currency_is_a_code,),
    Basket: (
        _currency_is_a_code,
        _each_constituent_once,
        _membership_has_a_span,
        _fixed_weights_sum_to_one,
        _caps_can_be_met,
        _options_belong_to_the_scheme,
        _rank_weights_fit_the_selection,
        _months_fit_the_frequency,
        _real_shares_use_reference_prices,
        _buffer_surrounds_the_top,
        _ranked_by_something_known,
        _net_knows_its_tax,
    ),
    Study: (
        _currency_is_a_code,
        _a_pair_is_two_indices,
        _an_event_names_an_index_once,
        _windows_differ,
    ),
    Sweep: (_a_study_or_baskets, _varied_keys_exist),
}
