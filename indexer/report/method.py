"""Methodology in words, from the definition's own parameters."""

from calendar import month_name
from collections.abc import Iterator

from indexer.definitions.basket import (
    DEFAULT_MONTHS,
    Basket,
    Index,
    Rebalance,
    Series,
    Withholding,
)
from indexer.definitions.study import Study
from indexer.errors import counted
from indexer.report.words import calendar_name, hour_of
from indexer.signals.inference import FEWEST_ROWS
from indexer.words import Text, joined, listed, many, same

_SCHEMES = {
    "equal": Text("equal weights", "等权"),
    "market_cap": Text("weights by market capitalisation", "总市值加权"),
    "free_float": Text(
        "weights by free-float capitalisation (CSI ladder of 2010)",
        "自由流通市值加权（中证2010分级靠档）",
    ),
    "price": Text("weights by price", "价格加权"),
    "fixed": Text("fixed weights", "固定权重"),
    "rank": Text("weights by rank", "按排名加权"),
    "inverse_volatility": Text("weights by inverse volatility", "波动率倒数加权"),
    "score": Text("weights by score", "按得分加权"),
}
_FREQUENCIES = {
    "never": Text("never rebalanced", "不作定期调整"),
    "monthly": Text("rebalanced monthly", "每月定期调整"),
    "quarterly": Text("rebalanced quarterly", "每季度定期调整"),
    "semiannual": Text("rebalanced twice a year", "每半年定期调整"),
    "annual": Text("rebalanced yearly", "每年定期调整"),
}


_DAYS = {
    "monday": "周一",
    "tuesday": "周二",
    "wednesday": "周三",
    "thursday": "周四",
    "friday": "周五",
    "session": "交易日",
}
_WHICH = {
    "first": "第一个",
    "second": "第二个",
    "third": "第三个",
    "fourth": "第四个",
    "last": "最后一个",
}

_COUNTRIES = {"CN": "中国内地", "HK": "中国香港", "US": "美国"}


def _day(day: str) -> Text:
    """Return the day of a rebalance in words.

    Examples
    --------
    >>> _day("third friday"), _day("15").en
    (Text(en='the third Friday', zh='第三个周五'), 'day 15')
    """
    which, _, of = day.partition(" ")
    if not of:
        return Text(f"day {day}", f"{day}日")
    name = of if of == "session" else of.capitalize()
    return Text(f"the {which} {name}", f"{_WHICH[which]}{_DAYS[of]}")


def _rebalanced(rebalance: Rebalance) -> Text:
    """Return when a basket is rebalanced, and by what it is then known.

    Examples
    --------
    >>> rule = Rebalance(frequency="annual", day="third friday", reference_lag=5)
    >>> print(_rebalanced(rule).en)
    Rebalanced yearly, on the third Friday of December, by what was known 5 sessions before.
    >>> print(_rebalanced(rule).zh)
    每年定期调整，于12月第三个周五收盘后生效，以生效日前第5个交易日的数据为准。
    """
    often, day, lag = (
        _FREQUENCIES[rebalance.frequency],
        _day(rebalance.day),
        rebalance.reference_lag,
    )
    if rebalance.frequency == "never":
        return Text(
            f"{often.en.capitalize()}: shares stay as they were fixed on the base date.",
            f"{often.zh}：股数自基日起不变。",
        )
    months = Text("the month", "当月")
    if rebalance.frequency != "monthly":
        numbers = sorted(rebalance.months or DEFAULT_MONTHS[rebalance.frequency])
        told = listed([Text(month_name[number], f"{number}") for number in numbers])
        months = Text(told.en, f"{told.zh}月")
    known = Text(
        f"what was known {counted(lag, 'session')} before" if lag else "the closes of that day",
        f"生效日前第{lag}个交易日的数据" if lag else "生效日收盘数据",
    )
    return Text(
        f"{often.en.capitalize()}, on {day.en} of {months.en}, by {known.en}.",
        f"{often.zh}，于{months.zh}{day.zh}收盘后生效，以{known.zh}为准。",
    )


def index_method(index: Index) -> Iterator[Text]:
    """Yield how an index is made."""
    if not isinstance(index, Basket):
        yield _series(index)
        return
    base = index.base
    yield Text(
        f"Level {base.level:.15g} on {base.date}, in {index.currency}, sessions of "
        f"{index.calendar}; {_SCHEMES[index.weighting.scheme].en}.",
        f"{base.date}为{base.level:.15g}点，以{index.currency}计价，按{calendar_name(index.calendar).zh}交易日；"
        f"{_SCHEMES[index.weighting.scheme].zh}。",
    )
    yield from _membership(index)
    yield joined([*_weights(index), *_caps(index)], " ", "")
    yield _rebalanced(index.rebalance)
    yield from _trading(index)
    yield Text(
        "The level is market value over divisor; the divisor changes only so that a change of "
        "members, shares or a corporate action does not move the level. Ordinary dividends count "
        "in total return (gross and net) alone, special ones in the price index too. A constituent "
        "without a close keeps its last one, restated for actions, and is counted as carried.",
        "点位等于市值除以除数；除数仅为使成分、股数变动与公司行为不影响点位而调整。"
        "普通现金红利只计入全收益与净收益，特别红利亦计入价格指数。"
        "无收盘价的成分股沿用经公司行为调整后的最近收盘价，并计入“沿用”。",
    )
    if index.withholding is not None and "net" in index.variants:
        yield _tax(index.withholding)
    if index.selected_on is not None:
        yield Text(
            f"The list was chosen on {index.selected_on}: levels before that day are back-tested.",
            f"选样日为{index.selected_on}：此前点位均为回测。",
        )


def _tax(withheld: Withholding) -> Text:
    """Return what the net variant leaves of an ordinary dividend to the tax of its country."""
    named = dict(withheld.model_extra or {})
    rates = [
        Text(f"{100 * rate:g}% in {at}", f"{_COUNTRIES.get(at, at)}{100 * rate:g}%")
        for at, rate in named.items()
    ]
    if (rate := withheld.every_country) is not None:
        other = Text("elsewhere", "其他") if rates else Text("everywhere", "各国")
        rates.append(Text(f"{100 * rate:g}% {other.en}", f"{other.zh}{100 * rate:g}%"))
    told = joined(rates, ", ", "、")
    view = Text(f" ({withheld.view})", f"（{withheld.view}）") if withheld.view else same("")
    return Text(
        f"Net total return{view.en}: of ordinary dividends {told.en} is withheld.",
        f"净收益{view.zh}：普通现金红利按以下税率代扣：{told.zh}。",
    )


_RANKS = {
    "market_cap": Text("market capitalisation", "总市值"),
    "free_float_cap": Text("free-float capitalisation", "自由流通市值"),
    "price": Text("price", "价格"),
}


def _membership(index: Basket) -> Iterator[Text]:
    """Yield who may be held, and how many of them are."""
    age, chosen = index.eligibility.seasoning, index.selection
    if age:
        yield Text(
            f"Held once listed for {counted(age, 'session')}.",
            f"上市满{age}个交易日后方可纳入。",
        )
    if chosen is None:
        return
    amount = chosen.rank_by.removeprefix("amount_")
    by = _RANKS.get(chosen.rank_by, Text(f"the column {chosen.rank_by}", f"{chosen.rank_by}一栏"))
    if amount != chosen.rank_by:
        count = many(int(amount), "session", "个交易日")
        by = Text(f"mean turnover of the last {count.en}", f"最近{count.zh}平均成交额")
    yield Text(f"The largest {chosen.top} by {by.en} are held.", f"按{by.zh}取前{chosen.top}名。")
    if chosen.enter is not None:  # and keep: there are both or neither
        yield Text(
            f"Those within rank {chosen.enter} come in first, then members within rank "
            f"{chosen.keep}, then by rank.",
            f"先纳入前{chosen.enter}名，再保留前{chosen.keep}名以内的原成分股，其余按名次补足。",
        )


def _weights(index: Basket) -> Iterator[Text]:
    """Yield what a scheme of weights goes by, where its name does not say it."""
    weighting = index.weighting
    if weighting.scheme == "rank" and weighting.weights:
        told = [f"{100 * weight:g}%" for weight in weighting.weights]
        yield Text(f"By rank: {', '.join(told)}.", f"按名次依次为{'、'.join(told)}。")
    if weighting.scheme == "score":
        yield Text(
            f"The score is the column {weighting.column}.", f"得分为{weighting.column}一栏。"
        )
    if weighting.scheme == "inverse_volatility":
        yield Text(
            f"Volatility is that of the last {counted(weighting.lookback, 'session')}.",
            f"波动率取最近{weighting.lookback}个交易日。",
        )


def _trading(index: Basket) -> Iterator[Text]:
    """Yield what becomes of targets on the day they take effect, where that is not the usual."""
    if index.rebalance.price_date == "effective":
        yield Text(
            "Weights are met at the closes of the day they take effect.",
            "权重以生效日收盘价实现。",
        )
    if index.rebalance.untradable == "freeze":
        yield Text(
            "A constituent that cannot be traded that day, for want of a close or at its price "
            "limit, stays as it is, held or not.",
            "生效日无法交易者（无收盘价或处于涨跌停）维持原状，原未持有者不予纳入。",
        )


def _series(index: Series) -> Text:
    if index.base is None:
        return Text(
            "A ready-made series of its provider's levels, used as it is.",
            "直接采用编制方公布的点位序列。",
        )
    start, level = index.base.date, f"{index.base.level:.15g}"
    return Text(
        f"A ready-made series of its provider's levels, scaled to {level} on {start}.",
        f"采用编制方公布的点位序列，换算为{start}为{level}点。",
    )


def _caps(index: Basket) -> Iterator[Text]:
    caps = index.weighting.caps
    for cap, en, zh in (
        (caps.constituent, "constituent", "单只成分股"),
        (caps.segment, "segment", "单个细分环节"),
    ):
        if cap is not None:
            yield Text(
                f"No {en} above {100 * cap:g}% at a rebalance.",
                f"定期调整时{zh}权重不超过{100 * cap:g}%。",
            )


def study_method(study: Study) -> Iterator[Text]:
    """Yield how the figures of a study are made, and where the methods come from."""
    rule, windows, bootstrap = study.catch_up, study.windows, study.bootstrap
    calendar, hour = calendar_name(study.calendar), hour_of(study.cutoff)
    yield Text(
        f"Levels are compared as known by {study.cutoff} on sessions of {study.calendar}. A row is "
        "a session on which every level compared is new: a holiday of one exchange gives no row, "
        "and no return of nought.",
        f"各指数以{calendar.zh}交易日{hour.zh}已知的点位比较。"
        "一期指参与比较的点位均已更新的交易日：任一方休市则不计为一期，也不产生零收益。",
    )
    yield Text(
        "Relative strength is the leader's level over the follower's, 100 on the first row; z is "
        f"its logarithm's distance from the mean of {windows.zscore} rows, in standard deviations.",
        f"相对强弱为领先指数点位除以跟随指数点位，首期为100；z值为其对数与{windows.zscore}期均值之差，以标准差计。",
    )
    yield Text(
        f"Stretched: z reaches {rule.enter:g}. Turn: relative strength falls from its peak by "
        f"{rule.turn:g} times its usual 20-row move. Closed: {100 * rule.close:g}% of the way back "
        "to the mean at onset is made. Turned by a rising follower it is a catch-up, by a falling "
        "leader a leader fall; both can fall.",
        f"拉大：z值达到{rule.enter:g}。拐点：相对强弱自高点回落达到其通常20期波动的{rule.turn:g}倍。"
        f"已收敛：回到起点均值的路程走完{100 * rule.close:g}%。"
        "由跟随指数上涨所致为补涨，由领先指数下跌所致为回落，亦可两者同跌。",
    )
    yield Text(
        "Two ratio lines A/B and A/C share A, so part of their correlation is arithmetic (Pearson "
        "1897). The null is what it would be if B and C had nothing in common but their tie to A; "
        "the excess is the rest; the partial correlation of B and C given A asks the same of their "
        f"returns. p is from {bootstrap.replications} stationary block resamples (Politis and "
        f"Romano 1994; Politis and White 2004, corrected 2009), seed {bootstrap.seed}, adjusted "
        f"over windows by Holm's rule, and not below {FEWEST_ROWS} rows.",
        "比值线A/B与A/C共用A，其相关性有一部分是算术结果（Pearson 1897）。"
        "零假设值指B与C除各自与A的联系外别无共同之处时应有的数值，其余为超出部分；"
        "剔除A后B与C的偏相关系数在收益率上检验同一问题。"
        f"p值来自{bootstrap.replications}次平稳区块重抽样（Politis与Romano 1994；"
        f"Politis与White 2004，2009年更正），种子{bootstrap.seed}，并按Holm法对多个窗口校正，"
        f"不足{FEWEST_ROWS}期不计算。",
    )
    yield Text(
        f"Gap: the leader's move over {windows.gap} rows times beta (of {windows.beta} rows that "
        "end before), less the follower's, as the per cent it would take if the follower alone "
        "closed it. On the chart the follower's own drift, the constant of that regression, counts "
        "too, in errors of prediction, so that the two may differ in sign. Where closes differ in "
        "hour the Dimson beta (1979) is in summary.json. Lead and lag are of whitened returns. "
        "Events: a market model on the rows before, its own residuals the placebos.",
        f"偏离：领先指数过去{windows.gap}期的涨幅乘以贝塔（由此前{windows.beta}期估计），减去跟随指数的涨幅，"
        "以仅由跟随指数补上时所需的百分比表示。图中另计入跟随指数自身的漂移（该回归的常数项），"
        "并以预测标准误为单位，故两者符号可能不同。"
        "收盘时间不同者，Dimson贝塔（1979）见summary.json。领先与滞后按剔除自相关的收益率计算。"
        "事件研究采用事件之前各期估计的市场模型，以其残差为安慰剂对照。",
    )
