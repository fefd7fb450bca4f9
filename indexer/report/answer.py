"""The answer of a study in plain words, and how sure it is."""

from collections.abc import Iterator, Sequence
from typing import Any

from indexer.report.backtested import figure_backtested, ids_of, noted_table, pair_backtested
from indexer.report.figures import name_of, ratio_lines_name, ratio_name
from indexer.report.markup import bound, log_per_cent, number, paragraph
from indexer.report.tables import NO, YES, with_interval, with_last_row
from indexer.report.words import NONE, STATES, TURNED, kind_shown
from indexer.signals.inference import FEWEST_ROWS
from indexer.signals.result import Comparison
from indexer.words import Text, joined, listed, same

LEVEL = 0.05  # of chance below which something is called more than chance
MOST = 2  # two ratio lines that are told in sentences: more are read side by side


def answers(comparison: Comparison, summary: dict[str, Any]) -> Iterator[Text]:
    """Yield what the study says of each two ratio lines, then of each pair.

    Parameters
    ----------
    summary : that of the comparison
    """
    for of, some in ((_of_lines, summary["ratio_lines"]), (_of_pair, summary["pairs"])):
        for told in some:
            yield joined([of(comparison, told), *_late(comparison, summary, ids_of(told))], " ", "")


def answer_markup(comparison: Comparison, summary: dict[str, Any]) -> Iterator[str]:
    """Yield the answers as paragraphs; of many ratio lines as one table."""
    told, lines = list(answers(comparison, summary)), summary["ratio_lines"]
    if len(lines) > MOST:
        yield _table_of_lines(comparison, lines)
        yield paragraph(_of_many(len(lines)))
        compared = dict.fromkeys(id for line in lines for id in ids_of(line))
        yield from map(paragraph, _late(comparison, summary, tuple(compared)))
        told = told[len(lines) :]
    yield from map(paragraph, told)


def _of_many(count: int) -> Text:
    return Text(
        f"p is adjusted for the windows of a row, not for there being {count} rows: of rows with "
        "nothing but arithmetic at work, one in twenty would say more by chance.",
        f"p值仅就每行的多个窗口校正，未就同时检验{count}行校正：即使各行都只有算术所致的相关，"
        "平均每二十行也会有一行因偶然显示超出。",
    )


def _table_of_lines(comparison: Comparison, lines: Sequence[dict[str, Any]]) -> str:
    """Return what `answers` says of each two ratio lines, a row each."""
    window = comparison.study.windows.headline
    heads = (
        Text(f"Ratio lines, last {window} rows", f"比值线，最近{window}期"),
        Text("Correlation", "相关系数"),
        Text("The shared leader alone would give", "仅因共用领先指数就会有"),
        Text("Excess", "超出部分"),
        Text("With the leader taken out (95 % interval)", "剔除领先指数后（95%置信区间）"),
        Text("Adjusted p", "校正后p值"),
        Text("More than arithmetic and chance?", "是否超出算术与偶然？"),
        Text("With the market taken out too", "再剔除基准后"),
        Text("Adjusted p of that", "其校正后p值"),
    )
    rows = []
    for told in lines:
        figures = [with_interval(comparison, told, name, window) for name in _FIGURES]
        ids = ids_of(told)
        p = told["p_value_adjusted"][window]
        excess = told["ratio_excess"][window]
        verdict = Text("not tested", "未检验") if p is None else NO if p >= LEVEL else YES
        verdict = _LESS if verdict is YES and excess < 0 else verdict
        verdict = _OPEN if _open(told, window) else verdict
        name = with_last_row(comparison, ratio_lines_name(comparison, ids), told)
        rows.append((name, *figures[:5], verdict, *figures[5:]))
    return noted_table(heads, rows, "wide")


_LESS = Text("less, by more than chance", "低于算术所致，且超出偶然")
_OPEN = Text("open: test and interval disagree", "未定：检验与置信区间不一致")

_FIGURES = (
    "ratio_correlation",
    "ratio_null",
    "ratio_excess",
    "partial_correlation",
    "p_value_adjusted",
    "partial_correlation_benchmark",
    "p_value_benchmark_adjusted",
)


def _of_lines(comparison: Comparison, told: dict[str, Any]) -> Text:
    ids = ids_of(told)
    name = with_last_row(comparison, ratio_lines_name(comparison, ids), told)
    window = comparison.study.windows.headline
    observed, null = (told[key][window] for key in ("ratio_correlation", "ratio_null"))
    if observed is None or null is None:
        return Text(
            f"{name.en}: no correlation over {window} rows, there are fewer or a line does not "
            "move in them.",
            f"{name.zh}：没有{window}期的相关系数，期数不足，或其间有一条线没有变动。",
        )
    partial, excess = (told[key][window] for key in ("partial_correlation", "ratio_excess"))
    low, high = _bounds(told, "partial_correlation", window)
    digits = _adding_up(observed, null)
    seen, alone, more = (number(value, digits) for value in (observed, null, excess))
    first = Text(
        f"Over the last {window} rows the ratio lines of {name.en} correlate at "
        f"{seen}; the leader they share would alone give {alone}, an "
        f"excess of {more}. With the leader taken out, {number(partial, 2)} "
        f"remains{_span(low, high)}",
        f"最近{window}期，{name.zh}两条比值线的相关系数为{seen}；"
        f"仅因共用领先指数就会有{alone}，超出部分为{more}。剔除领先指数后，"
        f"偏相关系数为{number(partial, 2)}{_span_zh(low, high)}",
    )
    p = told["p_value_adjusted"][window]
    verdict = _disagree(p) if _open(told, window) else _verdict(p, excess)
    parts = [joined([first, verdict], "", "")]
    if (given := told["partial_correlation_benchmark"].get(window)) is not None:
        parts.append(_given_market(comparison, given, told["p_value_benchmark_adjusted"][window]))
    if figure_backtested(comparison, told, "ratio_correlation", window):
        parts.append(_TESTED)
    return joined(parts, " ", "")


def _adding_up(observed: float, null: float) -> int:
    """Return how many digits a correlation, its null and the excess are told to.

    Three as in the table, or as many more as it takes for them to add up as they stand.

    Examples
    --------
    >>> _adding_up(0.1947399, 0.1677982), _adding_up(0.2142896, 0.2426949)
    (3, 4)
    """
    for digits in range(3, 7):
        left = round(observed, digits) - round(null, digits)
        if round(left, digits) == round(observed - null, digits):
            break
    return digits


def _late(comparison: Comparison, summary: dict[str, Any], ids: Sequence[str]) -> Iterator[Text]:
    """Yield which of the indices compared stood at stale prices of late."""
    late = [id for id in ids if summary["indices"][id]["stale_sessions"]]
    if late:
        names = listed([name_of(comparison, id) for id in late])
        yield Text(
            f"Of late {names.en} stood too much at stale prices: see the warnings.",
            f"近期{names.zh}沿用旧价的权重过大，见提示。",
        )


_TESTED = Text("Part of the rows behind it is back-tested.", "所依据的各期中有一部分为回测。")


def _open(told: dict[str, Any], window: int) -> bool:
    """Return whether the test and the interval, which is of other draws, say different things."""
    p, (low, high) = told["p_value_adjusted"][window], _bounds(told, "partial_correlation", window)
    if p is None or low is None or high is None:
        return False
    return bool(p < LEVEL) == bool(low <= 0.0 <= high)


def _disagree(p: float) -> Text:
    told = number(p, 3)
    if p < LEVEL:
        return Text(
            f": open, for the test sees more than chance (adjusted p {told}) and the interval "
            "holds zero.",
            f"：未定，检验显示超出偶然（校正后p值{told}），而置信区间含零。",
        )
    return Text(
        f": open, for the test sees no more than chance (adjusted p {told}) and the interval "
        "does not hold zero.",
        f"：未定，检验未显示超出偶然（校正后p值{told}），而置信区间不含零。",
    )


def _verdict(p: float | None, excess: float) -> Text:
    if p is None:
        en = f"; not tested, for that takes {FEWEST_ROWS} rows and lines that move."
        return Text(en, f"；不作检验：需要至少{FEWEST_ROWS}期，且各线有所变动。")
    told = number(p, 3)
    if p < LEVEL and excess < 0:
        return Text(
            ": less than arithmetic alone would give, and not by chance: what is left of the "
            f"followers moves in opposite directions (adjusted p {told}).",
            f"：低于仅由算术所致的水平，且非偶然所能解释，即两者剔除领先指数后反向变动（校正后p值{told}）。",
        )
    if p < LEVEL:
        return Text(
            f": more than arithmetic and chance would show (adjusted p {told}).",
            f"：超出算术与偶然所能解释（校正后p值{told}）。",
        )
    return Text(
        f": not distinguishable from chance (adjusted p {told}).",
        f"：统计上与偶然无法区分（校正后p值{told}）。",
    )


def _given_market(comparison: Comparison, given: float, p: float | None) -> Text:
    id = comparison.study.benchmark
    market = name_of(comparison, id) if id in comparison.histories else same(id)
    told = "" if p is None else f" (adjusted p {number(p, 3)})"
    zh = "" if p is None else f"（校正后p值{number(p, 3)}）"
    return Text(
        f"With {market.en} taken out as well it is {number(given, 2)}{told}.",
        f"再剔除{market.zh}后为{number(given, 2)}{zh}。",
    )


def _bounds(told: dict[str, Any], name: str, window: int) -> tuple[float | None, float | None]:
    found = told.get(f"{name}_interval", {}).get(window) or {}
    return found.get("low"), found.get("high")


def _span(low: float | None, high: float | None) -> str:
    if low is None or high is None:
        return ""
    return f" (95 % interval {bound(low)} to {bound(high)})"


def _span_zh(low: float | None, high: float | None) -> str:
    if low is None or high is None:
        return ""
    return f"（95%置信区间{bound(low)}至{bound(high)}）"


def _of_pair(comparison: Comparison, told: dict[str, Any]) -> Text:
    name = with_last_row(comparison, ratio_name(comparison, told["leader"], told["follower"]), told)
    state, tested = STATES[told["state"]], pair_backtested(comparison, told)
    since, rows, window = told["since"], told["rows"], comparison.study.windows.zscore
    if rows < window:
        return Text(
            f"{name.en}: no state is known, for a z-score takes {window} rows and there "
            f"{'is' if rows == 1 else 'are'} {rows}.",
            f"{name.zh}：状态未知，{rows}期不足z值所需的{window}期。",
        )
    parts = [
        Text(f"{name.en}: {state.en} since {since}", f"{name.zh}：自{since}起处于“{state.zh}”")
    ]
    if told["peak_on"] is not None and told["peak_on"] == told["last_row"]:
        last = told["last_row"]
        parts.append(Text(f"; at its peak on the last row, {last}", "；最新一期即为高点"))
    elif told["peak_on"] is not None:
        leader, follower = (log_per_cent(told[f"move_{role}"]) for role in ("leader", "follower"))
        kind = kind_shown(told["kind"], turned=told["state"] in TURNED)
        how = Text("", "") if kind is NONE else Text(f" ({kind.en})", f"（{kind.zh}）")
        parts.append(
            Text(
                f"{how.en}; since the peak on {told['peak_on']} the leader moved {leader}, the "
                f"follower {follower}",
                f"{how.zh}；自{told['peak_on']}高点以来，领先指数{leader}，跟随指数{follower}",
            )
        )
    if told["zscore"] is not None:
        z = number(told["zscore"], 2)
        parts.append(Text(f"; z {z} over {window} rows", f"；{window}期z值为{z}"))
    parts.append(_by_chance(told, window))
    if tested["zscore"] or tested["moves"]:
        parts.append(Text(f" {_TESTED.en}", _TESTED.zh))
    return joined(parts, "", "")


def _by_chance(told: dict[str, Any], window: int) -> Text:
    """Return how often lines without any tie would be in the state.

    Counted on the rows that have a whole window before them: on earlier ones every path is neutral,
    and a share of all rows would make any other state look rare.
    """
    share = (told["chance"] or {}).get("share", {}).get(told["state"])
    if share is None:
        return Text(".", "。")
    idle = (window - 1) / told["rows"]
    always = idle if told["state"] == "neutral" else 0.0
    mean, low, high = (
        f"{max(0.0, 100 * (share[key] - always) / (1 - idle)):.0f}"
        for key in ("mean", "low", "high")
    )
    return Text(
        f". Driftless paths are in that state on {mean} % of the rows that have a z (90 of 100 of "
        f"them on {low} to {high} %).",
        f"。作为参照，无漂移随机路径在有z值的各期中平均有{mean}%处于该状态"
        f"（90%的路径介于{low}%至{high}%）。",
    )
