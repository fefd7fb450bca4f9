"""The method of an index in words."""

import pytest

from indexer.definitions.read import read_basket
from indexer.report.method import index_method
from indexer.run.begin import write_templates
from indexer.words import joined
from tests.index.examples import basket


@pytest.mark.parametrize(
    ("lag", "en", "zh"),
    [
        (5, "by what was known 5 sessions before.", "以生效日前第5个交易日的数据为准。"),
        (1, "by what was known 1 session before.", "以生效日前第1个交易日的数据为准。"),
        (0, "by the closes of that day.", "以生效日收盘数据为准。"),
    ],
)
def test_a_rebalance_is_told_with_its_day_and_its_reference(tmp_path, lag, en, zh):
    path = write_templates(tmp_path)[0]
    text = path.read_text("utf-8").replace("reference_lag: 5", f"reference_lag: {lag}")
    path.write_text(text, encoding="utf-8")
    told = list(index_method(read_basket(path)))

    assert (
        f"Rebalanced quarterly, on the third Friday of March, June, September and December, {en}"
        in [t.en for t in told]
    )
    assert any(t.zh.endswith(f"于3、6、9、12月第三个周五收盘后生效，{zh}") for t in told)


def test_figures_of_a_definition_are_told_as_they_are(tmp_path):
    path = write_templates(tmp_path)[0]
    text = path.read_text("utf-8").replace(
        "# caps: {constituent: 0.10}", "caps: {constituent: 0.475}"
    )
    path.write_text(text.replace("level: 1000", "level: 1234567"), encoding="utf-8")
    told = list(index_method(read_basket(path)))
    en, zh = (" ".join(words) for words in zip(*told, strict=True))

    assert "No constituent above 47.5% at a rebalance." in en
    assert "定期调整时单只成分股权重不超过47.5%。" in zh
    assert "Level 1234567 on" in en


@pytest.mark.parametrize(
    ("withheld", "en", "zh"),
    [
        (
            {"view": "non-resident", "CN": 0.1, "US": 0.3},
            "Net total return (non-resident): of ordinary dividends 10% in CN, 30% in US is "
            "withheld.",
            "净收益（non-resident）：普通现金红利按以下税率代扣：中国内地10%、美国30%。",
        ),
        (
            "0.2",
            "Net total return: of ordinary dividends 20% everywhere is withheld.",
            "净收益：普通现金红利按以下税率代扣：各国20%。",
        ),
    ],
)
def test_the_tax_that_the_net_variant_takes_off_is_told(withheld, en, zh):
    told = list(index_method(basket(variants=["net"], withholding=withheld)))

    assert (en, zh) in told
    assert not any("withheld" in t.en for t in index_method(basket()))


@pytest.mark.parametrize(
    ("base", "en"),
    [
        ("", "used as it is."),
        ("base: {date: 2024-01-02, level: 1000}", "scaled to 1000 on 2024-01-02."),
    ],
)
def test_a_ready_made_series_is_told_as_it_is_or_as_it_was_scaled(tmp_path, base, en):
    path = tmp_path / "a.yaml"
    keys = "version: 1\nid: a\nkind: series\nname: {en: A, zh: 甲}\ncurrency: CNY\ncalendar: XSHG\n"
    path.write_text(f"{keys}symbol: 399006.SZ\n{base}\n", encoding="utf-8")
    (told,) = index_method(read_basket(path))

    assert told.en == f"A ready-made series of its provider's levels, {en}"


@pytest.mark.parametrize(
    ("keys", "en", "zh"),
    [
        (
            {"selection": {"rank_by": "amount_20", "top": 4, "enter": 3, "keep": 6}},
            "The largest 4 by mean turnover of the last 20 sessions are held. Those within rank 3 "
            "come in first, then members within rank 6, then by rank.",
            "按最近20个交易日平均成交额取前4名。先纳入前3名，再保留前6名以内的原成分股，其余按名次补足。",
        ),
        (
            {"selection": {"rank_by": "free_float_cap", "top": 2}},
            "The largest 2 by free-float capitalisation are held.",
            "按自由流通市值取前2名。",
        ),
        (
            {"selection": {"rank_by": "points", "top": 2}},
            "The largest 2 by the column points are held.",
            "按points一栏取前2名。",
        ),
        (
            {"eligibility": {"seasoning": 60}},
            "listed for 60 sessions.",
            "上市满60个交易日后方可纳入。",
        ),
        (
            {
                "selection": {"rank_by": "price", "top": 2},
                "weighting": {"scheme": "rank", "weights": [0.6, 0.4]},
            },
            "weights by rank. The largest 2 by price are held. By rank: 60%, 40%.",
            "按名次依次为60%、40%。",
        ),
        (
            {"weighting": {"scheme": "score", "column": "points"}},
            "The score is the column points.",
            "得分为points一栏。",
        ),
        (
            {"weighting": {"scheme": "inverse_volatility", "lookback": 30}},
            "Volatility is that of the last 30 sessions.",
            "波动率取最近30个交易日。",
        ),
        (
            {"rebalance": {"frequency": "monthly", "price_date": "effective"}},
            "Weights are met at the closes of the day they take effect.",
            "权重以生效日收盘价实现。",
        ),
        (
            {"rebalance": {"frequency": "monthly", "untradable": "freeze"}},
            "A constituent that cannot be traded that day, for want of a close or at its price "
            "limit, stays as it is, held or not.",
            "生效日无法交易者（无收盘价或处于涨跌停）维持原状，原未持有者不予纳入。",
        ),
    ],
)
def test_what_decides_the_index_is_told_where_it_is_not_the_usual(keys, en, zh):
    usual = joined(list(index_method(basket())), " ", "")
    told = joined(list(index_method(basket(**keys))), " ", "")

    assert en in told.en
    assert zh in told.zh
    assert en not in usual.en
