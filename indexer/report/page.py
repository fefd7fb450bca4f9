"""The page of a study: what a comparison says, in the order in which a reader asks.

The answer comes first, then the charts, then what a reader must know before trusting either.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from indexer.report.answer import answer_markup
from indexer.report.breadth import alike_text, breadth_figure, overlay_figure
from indexer.report.correlations import (
    correlation_figures,
    ratio_figure,
    ratio_levels_figure,
)
from indexer.report.document import document, figure_markup, packed, record_line, source_of, stamp
from indexer.report.figure import Figure
from indexer.report.figures import (
    gap_figure,
    index_figure,
    name_of,
    pair_figure,
)
from indexer.report.marks import DIGEST
from indexer.report.markup import banner, both, heading, paragraph, warning_list
from indexer.report.members import constituent_table, recent_note
from indexer.report.method import index_method, study_method
from indexer.report.record import Record
from indexer.report.shapes import event_figures, heat_figure, lead_lag_figures, rotation_figure
from indexer.report.tables import (
    correlation_table,
    episode_table,
    event_table,
    index_table,
    interval_table,
    pair_table,
    ratio_table,
)
from indexer.report.words import (
    BANDS,
    BANNER_SYNTHETIC,
    SYNTHETIC_TEXT,
    calendar_name,
    hour_of,
    named,
)
from indexer.signals.inference import FEWEST_ROWS
from indexer.signals.result import Comparison
from indexer.words import VARIANTS, Text, joined, listed, same

Content = Sequence[str | Figure]
Section = tuple[Text, Content]


def study_page(comparison: Comparison, record: Record | None = None) -> str:
    """Return the page of a study as the text of one HTML file.

    The same arguments give the same text. Every name and note of a definition is escaped.

    Parameters
    ----------
    record : the entry of a ledger that is shown; None for a study that was not published
    """
    study, last = comparison.study, str(comparison.aligned.sessions[-1])
    tested = {id for ids in comparison.backtested_before.values() for id in ids}

    def stamped(ids: Sequence[str]) -> Text:
        used = [comparison.histories[id] for id in ids]
        return stamp(last, study, used, tested, record)

    drawn: list[Figure] = []
    parts = [*_heading(comparison, record), *_banners(comparison)]
    for title, content in _sections(comparison, record):
        if not content:
            continue
        parts.append(f"<section>{heading(2, title)}")
        for part in content:
            if isinstance(part, str):
                parts.append(part)
            else:
                drawn.append(part | {"stamp": stamped(part["of"])})
                parts.append(figure_markup(part, synthetic=comparison.synthetic))
        parts.append("</section>")
    figures = packed(comparison.aligned.sessions, drawn) | {
        "id": study.id,
        "stamp": stamped(comparison.aligned.ids),
        "synthetic": comparison.synthetic,
    }
    name = joined([named(study.name), same(last)], ", ", "，")
    return document(name, "\n".join(parts), figures)


def _sections(comparison: Comparison, record: Record | None) -> Iterator[Section]:
    summary = comparison.summary
    told = summary["pairs"]
    yield Text("The answer", "结论"), list(answer_markup(comparison, summary))
    yield Text("Index lines", "指数走势"), [*_hints(comparison), index_figure(comparison)]
    pairs = zip(comparison.states, comparison.pairs, strict=True)
    yield (
        Text("Where the pairs stand", "各配对现状"),
        [
            pair_table(comparison, told),
            *(pair_figure(comparison, states, found) for states, found in pairs),
            _shades(comparison),
            heading(3, Text("Episodes", "历次拉大与收敛")),
            episode_table(comparison, told),
        ],
    )
    ratios = _ratios(comparison, summary["ratio_lines"])
    yield Text("Do the ratio lines move together?", "比值线是否同步？"), ratios
    yield (
        Text("Do leader and follower move together?", "领先指数与跟随指数是否同步？"),
        [*correlation_figures(comparison), correlation_table(comparison, told)],
    )
    yield Text("Gap", "偏离"), [gap_figure(comparison)]
    yield Text("Breadth", "市场宽度"), list(_breadth(comparison))
    yield Text("Rotation", "轮动"), [rotation_figure(comparison)]
    yield Text("Lead and lag", "领先与滞后"), list(lead_lag_figures(comparison))
    yield Text("Constituents", "成分股"), list(_constituents(comparison, record))
    if comparison.happenings:
        events: Content = [*event_figures(comparison), event_table(comparison)]
        yield Text("Events", "事件"), events
    yield Text("Intervals", "区间收益"), [interval_table(comparison)]
    yield Text("Data and caveats", "数据说明与提示"), list(_caveats(comparison, summary["indices"]))
    yield Text("Methodology", "编制与计算方法"), list(_method(comparison))


def _heading(comparison: Comparison, record: Record | None) -> Iterator[str]:
    study, last = comparison.study, comparison.aligned.sessions[-1]
    yield f"<h1>{both(named(study.name))}</h1>"
    told = Text(
        f"As of the session of {last}: what was known by {study.cutoff}.",
        f"数据截至{last}交易日{hour_of(study.cutoff).zh}。",
    )
    yield paragraph(told, "asof")
    yield record_line(record)
    if study.description:
        yield paragraph(named(study.description))


def _banners(comparison: Comparison) -> Iterator[str]:
    if comparison.synthetic:
        yield banner(BANNER_SYNTHETIC, SYNTHETIC_TEXT)
    for day, ids in comparison.backtested_before.items():
        who = listed([name_of(comparison, id) for id in ids])
        yield banner(
            Text("Back-tested lists.", "成分股为事后选定。"),
            Text(
                f"The constituents of {who.en} were selected on {day}: everything before that day "
                "rests on hindsight.",
                f"{who.zh}的选样日为{day}：此前的点位与信号均为回测，含后见之明。",
            ),
        )


def _hints(comparison: Comparison) -> Iterator[str]:
    yield (
        "<noscript><p>The charts need JavaScript; the tables do not. "
        '<span lang="zh-CN">图表需要JavaScript，表格不需要。</span></p></noscript>'
    )
    drag = Text(
        "Drag the bar below a chart to zoom, or press +, − and arrows on it: all charts follow. "
        "Press a name to hide or show it.",
        "拖动图下滑块或在图上按+、−与方向键可缩放，各图联动；点击名称可显示或隐藏。",
    )
    yield paragraph(drag, "hint control")
    if comparison.aligned.backtested.any():
        key = Text(
            "Pale lines, and figures with an asterisk, are back-tested: a figure is while any "
            "level in its window is.",
            "浅色线与带星号的数值为回测：窗口内含回测点位者即是。",
        )
        yield paragraph(key, "hint")


def _shades(comparison: Comparison) -> str:
    """Return what each shade means, in words."""
    rule = comparison.study.catch_up
    turned = Text(
        f"relative strength fell from its peak by {rule.turn:g} × its usual 20-row move",
        f"相对强弱自高点回落达到通常20期波动的{rule.turn:g}倍",
    )
    words = {
        "stretched": Text(
            f"z reached {rule.enter:g}, no turn since the peak",
            f"z值达到{rule.enter:g}，高点以来尚无拐点",
        ),
        "catch-up": joined(
            [
                turned,
                Text(
                    "the follower rose at least as much as the leader fell",
                    "跟随指数涨幅不小于领先指数跌幅",
                ),
            ],
            "; ",
            "；",
        ),
        "leader-fall": joined(
            [turned, Text("mostly because the leader fell", "主要因领先指数下跌")], "; ", "；"
        ),
        "both-falling": joined(
            [
                turned,
                Text("leader and follower are both below where they were", "两者均低于高点日水平"),
            ],
            "; ",
            "；",
        ),
        "closed": Text(
            f"{100 * rule.close:g}% of the way back to the mean at onset is made",
            f"回到起点均值的路程已走完{100 * rule.close:g}%",
        ),
    }
    items = "".join(
        f'<dt class="{key}">{both(name)}</dt><dd>{both(words[key])}</dd>'
        for key, name in BANDS.items()
    )
    neutral = Text("none of these; not shaded", "以上皆非；不着色")
    items += f"<dt>{both(Text('neutral', '中性'))}</dt><dd>{both(neutral)}</dd>"
    title = heading(3, Text("Shades of the catch-up states", "补涨状态底色"))
    return f'{title}<dl class="states">{items}</dl>'


def _ratios(comparison: Comparison, told: Sequence[dict[str, Any]]) -> list[str | Figure]:
    if not told:
        return []
    market = _benchmark(comparison)
    about = Text(
        "Two ratio lines share their numerator, so part of their correlation is arithmetic: the "
        "null is what remains when the followers have nothing in common but their tie to the "
        "leader, and the excess is what is not arithmetic. The partial correlations ask the same "
        f"of the followers' returns; the benchmark is {market.en}. p is how often chance alone "
        "would show as much, adjusted for looking at several windows and not worked out below "
        f"{FEWEST_ROWS} rows, but for that of the levels, which is of its window alone. Brackets: "
        "the interval that covers the true figure 95 times in 100. A benchmark that holds the "
        "followers' own members takes out part of what they have in common: then what is left is "
        "too low.",
        "两条比值线分子相同，其相关性有一部分是算术结果：零假设值指两个跟随指数除与领先指数的联系外别无共同之处时"
        "应有的数值，超出部分才不是算术结果。偏相关系数在跟随指数的收益率上检验同一问题；"
        f"基准为{market.zh}。p值为零假设下出现同样或更极端结果的概率，已对多个窗口校正，不足{FEWEST_ROWS}期不计算；点位的p值则只就其窗口而言。"
        "括号内为95%置信区间。若基准本身包含跟随指数的成分股，剔除基准会一并剔除其共同部分，剩余的偏相关便会偏低。",
    )
    draw = (ratio_figure, ratio_levels_figure)
    figures = [figure(comparison, found) for found in comparison.ratios for figure in draw]
    tables = [ratio_table(comparison, one) for one in told]
    return [paragraph(about), *figures, *tables]


def _breadth(comparison: Comparison) -> Iterator[str | Figure]:
    figure, alike = breadth_figure(comparison), alike_text(comparison)
    if figure is not None:
        yield figure
    if alike is not None:
        yield paragraph(alike)
    overlaid = overlay_figure(comparison)
    if overlaid is not None:
        yield overlaid


def _constituents(comparison: Comparison, record: Record | None) -> Iterator[str | Figure]:
    for id in comparison.study.indices:
        history = comparison.histories[id]
        if history.panel is None:
            continue
        figure = heat_figure(history)
        if figure is not None:
            yield figure
        count = history.constituents
        title = Text(
            f"{named(history.definition.name).en}: the {count} constituents, weights and "
            "contributions",
            f"{named(history.definition.name).zh}：{count}只成分股的权重与贡献",
        )
        told = constituent_table(history) + recent_note(history, record)
        yield f"<details><summary>{both(title)}</summary>{told}</details>"


def _caveats(comparison: Comparison, indices: dict[str, Any]) -> Iterator[str]:
    told = [*comparison.warnings]
    for id, history in comparison.histories.items():
        name = name_of(comparison, id)
        told += [joined([name, warning], ": ", "：") for warning in history.warnings]
    yield warning_list(told)
    source = source_of(comparison.histories.values())
    yield paragraph(Text(f"{source.en[:1].upper()}{source.en[1:]}", source.zh))
    yield index_table(comparison, indices)
    yield paragraph(
        Text(
            "Carried: constituents without a close on the day, held at their last price. Missing: "
            "constituents without any data, left out.",
            "沿用旧价：当日无收盘价，按最近价格持有。缺失：完全没有数据，未纳入。",
        )
    )
    for id in indices:
        definition = comparison.histories[id].definition
        if definition.description:
            about = joined([named(definition.name), named(definition.description)], ": ", "：")
            yield paragraph(about)


def _method(comparison: Comparison) -> Iterator[str]:
    study = comparison.study
    yield from map(paragraph, study_method(study))
    for id in study.indices:
        definition = comparison.histories[id].definition
        yield heading(3, named(definition.name))
        yield paragraph(joined(list(index_method(definition)), " ", ""))
    local = Text("local: each index in its own", "各指数以自身货币计")
    since = Text(f"from {study.start}", f"自{study.start}")
    facts = (
        (Text("Study", "研究"), same(f"{study.id} {study.digest[:DIGEST]}")),
        (
            Text("Calendar", "日历"),
            joined([calendar_name(study.calendar), since], ", ", "，"),
        ),
        (Text("Cut-off", "截止时间"), hour_of(study.cutoff)),
        (Text("Variant", "口径"), VARIANTS[study.variant]),
        (Text("Currency", "货币"), local if study.currency == "local" else same(study.currency)),
        (Text("Benchmark", "基准"), _benchmark(comparison)),
    )
    items = "".join(f"<dt>{both(k)}</dt><dd>{both(v)}</dd>" for k, v in facts)
    yield f"<dl>{items}</dl>"


def _benchmark(comparison: Comparison) -> Text:
    id = comparison.study.benchmark
    if id in comparison.histories:
        return name_of(comparison, id)
    return Text(f"{id} (no data)", f"{id}（无数据）")
