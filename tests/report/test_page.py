"""The page: loads nothing, lets no name become markup, hides no caveat, and is drawn."""

import base64
import copy
import hashlib
import json
import math
import re
from dataclasses import replace
from decimal import Decimal
from html.parser import HTMLParser
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from indexer.definitions.model import Name, Prose
from indexer.report.answer import answer_markup, answers
from indexer.report.page import study_page
from indexer.report.record import Record
from indexer.report.tables import index_table
from indexer.report.words import KINDS, STATES
from indexer.signals.ratios import FAMILY
from indexer.signals.result import Comparison
from indexer.signals.study import compare
from indexer.words import Text, same
from tests.report.conftest import figures_of, no_fixings
from tests.report.reading import lines_of

HOSTILE = "</script><script>alert(1)</script>\"><b onload='x'>&amp;\u2028"


class Page(HTMLParser):
    """A page taken apart: tags with attributes, the text of scripts and styles, and the rest."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.sources: list[tuple[dict[str, str | None], str]] = []  # of scripts and styles
        self.text = ""
        self._open: list[str] = []
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag with its attributes."""
        self.tags.append((tag, dict(attrs)))
        if tag in ("script", "style"):
            self._open = [tag]

    def handle_endtag(self, tag: str) -> None:
        """Part what stands in different elements."""
        self._open = []
        self.text += " " if tag != "time" else ""

    def handle_data(self, data: str) -> None:
        """Keep text by where it stands."""
        if self._open:
            self.sources.append((self.tags[-1][1] | {"tag": self._open[0]}, data))
        else:
            self.text += data

    @property
    def figures(self) -> Any:
        """The data of the charts; what is not JSON by the letter is refused."""
        (text,) = [s for attributes, s in self.sources if attributes.get("id") == "figures"]
        return json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))


def english(source: str) -> str:
    """Return the text of a page as it reads in English, its spaces single."""
    told = Page(re.sub(r'<span lang="zh-CN">.*?</span>', "", source, flags=re.DOTALL)).text
    return " ".join(told.split())


def hostile(comparison: Comparison) -> Comparison:
    """Return a comparison in which every text of a definition tries to become markup."""
    name = Name(en=HOSTILE, zh=HOSTILE)
    texts = {"name": name, "description": Prose(en=HOSTILE, zh=HOSTILE)}
    histories = {
        id: replace(
            history,
            definition=history.definition.model_copy(update=texts),
            warnings=(same(HOSTILE),),
            missing=(HOSTILE,),
        )
        for id, history in comparison.histories.items()
    }
    study = comparison.study.model_copy(update=texts)
    return replace(comparison, study=study, histories=histories, warnings=(same(HOSTILE),))


@pytest.fixture(scope="module")
def page(comparison: Comparison) -> Page:
    """Return the page of the sample's study, which no test changes."""
    return Page(study_page(comparison))


def test_the_page_refers_to_nothing_outside(page: Page) -> None:
    loading = {"src", "srcset", "href", "action", "data", "poster", "background", "style"}
    assert not [(tag, attrs) for tag, attrs in page.tags if loading & set(attrs)]
    assert not {tag for tag, _ in page.tags} & {"link", "img", "iframe", "object", "embed", "base"}
    (style,) = [text for attributes, text in page.sources if attributes["tag"] == "style"]
    assert not re.search(r"@import|url\(|https?:", style)


@pytest.mark.attack("C2")
def test_the_policy_allows_the_scripts_and_style_of_the_page_only(page: Page) -> None:
    (policy,) = [a["content"] for t, a in page.tags if t == "meta" and "http-equiv" in a]
    digests = {
        (attributes["tag"], base64.b64encode(hashlib.sha256(text.encode()).digest()).decode())
        for attributes, text in page.sources
        if attributes.get("type") != "application/json"
    }
    allowed = {
        (kind, digest)
        for kind in ("script", "style")
        for digest in re.findall(r"'sha256-(.+?)'", re.search(f"{kind}-src ([^;]*)", policy)[1])
    }
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert len(allowed) == 4
    assert allowed == digests


@pytest.mark.attack("C2")
def test_a_study_that_begins_after_the_selection_is_not_stamped_as_back_tested(
    comparison: Comparison, page: Page
) -> None:
    none = np.zeros_like(comparison.aligned.backtested)
    live = replace(comparison, aligned=replace(comparison.aligned, backtested=none))

    assert "back-tested before" in page.figures["stamp"][0]
    assert "back-tested before" not in Page(study_page(live)).figures["stamp"][0]


def test_no_text_of_a_definition_becomes_markup(page: Page, comparison: Comparison) -> None:
    other = Page(study_page(hostile(comparison)))
    for tag in ("script", "style", "b"):
        assert [t for t, _ in other.tags].count(tag) == [t for t, _ in page.tags].count(tag)
    assert not any("onload" in attrs for _, attrs in other.tags)
    assert other.text.count(HOSTILE) > 20
    assert other.figures["figures"][0]["lines"][0]["label"] == [HOSTILE, HOSTILE]


def test_missing_values_are_null_in_the_data(page: Page) -> None:
    content = page.figures
    (figure,) = [f for f in content["figures"] if f["id"].startswith("ratio_")]
    values = list(lines_of(content, figure))[2]["values"]
    assert values[:60] == [None] * 60
    assert isinstance(values[60], float)


def test_names_stand_in_english_and_chinese(page: Page, comparison: Comparison) -> None:
    text = page.text
    assert "Compute diffusion 算力链扩散" in text
    for history in comparison.histories.values():
        name = history.definition.name
        assert f"{name.en} {name.zh}" in text


def test_what_an_index_is_stands_in_chinese_too(page: Page, comparison: Comparison) -> None:
    """That a list is a reconstruction is the caveat nobody may miss."""
    about = comparison.histories["domestic-compute"].definition.description

    assert about is not None
    assert about.zh is not None
    assert about.zh in page.text


def test_an_event_has_its_chinese_title_in_the_table(page: Page) -> None:
    assert "2026-07-02：Meta对外提供算力" in page.text


def test_an_event_has_its_chinese_title_above_its_chart(page: Page) -> None:
    (chart,) = [one for one in page.figures["figures"] if one["id"] == "event_0"]

    assert chart["title"][1] == "2026-07-02：Meta对外提供算力"


def test_a_missing_chinese_name_leaves_no_trace(comparison: Comparison) -> None:
    study = comparison.study.model_copy(update={"name": Name(en="Only English")})
    page = study_page(replace(comparison, study=study))
    assert "<h1>Only English</h1>" in page
    assert "None" not in Page(page).text


def test_synthetic_data_and_back_testing_are_announced_before_any_figure(page: Page) -> None:
    before = page.text.partition("The answer")[0]
    assert "Synthetic data." in before
    assert (
        "North American Compute Chain and Domestic Compute Chain were selected on 2026-05-07"
        in before
    )


def test_real_data_are_not_called_synthetic(comparison: Comparison) -> None:
    histories = {id: replace(h, synthetic=False) for id, h in comparison.histories.items()}
    page = Page(study_page(replace(comparison, histories=histories)))
    assert not re.search("synthetic|合成数据", f"{page.text}{page.figures['stamp']}", re.IGNORECASE)


def test_live_lists_are_not_called_back_tested(comparison: Comparison) -> None:
    tested = comparison.aligned.backtested & False
    live = replace(comparison, aligned=replace(comparison.aligned, backtested=tested))
    assert "Back-tested lists" not in Page(study_page(live)).text


def test_the_table_states_where_each_pair_is(page: Page, comparison: Comparison) -> None:
    text = page.text.replace("*", "")
    for told in comparison.summary["pairs"]:
        moves = [told["move_leader"], told["move_follower"]]
        shown = ["–" if m is None else f"{100 * math.expm1(m):+.1f}%" for m in moves]
        cells = [
            " ".join(STATES[told["state"]]),
            told["since"],
            " ".join(KINDS[told["kind"]]) if told["kind"] else "–",
            told["peak_on"] or "–",
            *shown,
            f"{told['relative_strength']:.2f}",
            f"{told['zscore']:.2f}",
            f"{100 * math.expm1(told['gap']):+.1f}%",
        ]
        assert " ".join(cells) in " ".join(text.replace("−", "-").split())


def test_the_table_states_correlation_beside_its_null(comparison: Comparison) -> None:
    (told,) = comparison.summary["ratio_lines"]
    text = " ".join(english(study_page(comparison)).split()).replace("−", "-")
    for name in ("ratio_null", "ratio_excess", "level_correlation"):
        assert " ".join(f"{told[name][w]:.3f}" for w in (20, 60, 120)) in text
    for name in ("ratio_correlation", "partial_correlation"):
        bounds = told[f"{name}_interval"]
        with_interval = [
            f"{told[name][w]:.3f} ({bounds[w]['low']:.2f} to {bounds[w]['high']:.2f})"
            for w in (60, 120)
        ]
        assert " ".join([f"{told[name][20]:.3f}", *with_interval]) in text
    nulls = told["level_null"]
    assert " ".join(
        f"{nulls[w]['median']:.3f} ({nulls[w]['low']:.2f} to {nulls[w]['high']:.2f}), "
        f"p {nulls[w]['p']:.3f}"
        for w in (20, 60, 120)
    ) in text  # fmt: skip
    assert "– " + " ".join(f"{told['p_value_adjusted'][w]:.3f}" for w in (60, 120)) in text


def test_the_answer_says_what_is_arithmetic_and_how_sure_the_rest_is(
    comparison: Comparison,
) -> None:
    (told,) = comparison.summary["ratio_lines"]
    first = next(iter(answers(comparison, comparison.summary))).en.replace("−", "-")
    observed, null, excess, partial = (told[name][60] for name in FAMILY)
    bounds = told["partial_correlation_interval"][60]
    assert (
        f"correlate at {observed:.3f}; the leader they share would alone give {null:.3f}, "
        f"an excess of {excess:.3f}." in first
    )
    assert f"{partial:.2f} remains (95 % interval {bounds['low']:.2f} to {bounds['high']:.2f})" in (
        first
    )
    assert f"not distinguishable from chance (adjusted p {told['p_value_adjusted'][60]:.3f})" in (
        first
    )


@pytest.mark.parametrize("window", [20, 60, 120])
def test_what_the_answer_says_of_ratio_lines_adds_up_as_it_stands(
    comparison: Comparison, window: int
) -> None:
    summary = copy.deepcopy(comparison.summary)
    for name in (*FAMILY, "p_value_adjusted"):
        values = summary["ratio_lines"][0][name]
        values[60] = values.get(window)
    first = next(iter(answers(comparison, summary)))
    for text in first:
        told = [Decimal(n) for n in re.findall(r"-?0\.\d{3,}", text.replace("−", "-"))]
        assert told[0] - told[1] == told[2]


def test_less_than_arithmetic_is_never_called_more(comparison: Comparison) -> None:
    (told,) = copy.deepcopy(comparison.summary["ratio_lines"])
    told["ratio_excess"][60], told["p_value_adjusted"][60] = -0.69, 0.002
    told["partial_correlation_interval"][60] = {"low": -0.7, "high": -0.2}
    summary = comparison.summary | {"ratio_lines": [told] * 3, "pairs": []}
    first = next(iter(answers(comparison, summary))).en

    assert "less than arithmetic alone would give, and not by chance" in first
    assert "more than" not in first
    assert "less, by more than chance" in "".join(answer_markup(comparison, summary))


def test_where_test_and_interval_disagree_the_answer_is_open(comparison: Comparison) -> None:
    (told,) = copy.deepcopy(comparison.summary["ratio_lines"])
    told["ratio_excess"][60], told["p_value_adjusted"][60] = -0.69, 0.01
    told["partial_correlation_interval"][60] = {"low": -0.44, "high": 0.06}
    summary = comparison.summary | {"ratio_lines": [told] * 3, "pairs": []}
    first = next(iter(answers(comparison, summary))).en

    said = "open, for the test sees more than chance (adjusted p 0.010) and the interval holds zero"
    assert said in first
    assert "opposite directions" not in first
    assert "open: test and interval disagree" in "".join(answer_markup(comparison, summary))


def test_so_it_is_where_the_interval_alone_sees_more_than_chance(comparison: Comparison) -> None:
    (told,) = copy.deepcopy(comparison.summary["ratio_lines"])
    told["p_value_adjusted"][60] = 0.055
    told["partial_correlation_interval"][60] = {"low": 0.06, "high": 0.66}
    summary = comparison.summary | {"ratio_lines": [told], "pairs": []}
    (answer,) = answers(comparison, summary)

    said = "the test sees no more than chance (adjusted p 0.055) and the interval does not hold"
    assert said in answer.en
    assert "检验未显示超出偶然（校正后p值0.055），而置信区间不含零" in answer.zh


def test_a_table_of_many_ratio_lines_says_what_its_rows_rest_on(comparison: Comparison) -> None:
    summary = copy.deepcopy(comparison.summary)
    summary |= {"ratio_lines": summary["ratio_lines"] * 3, "pairs": []}
    summary["indices"]["hang-seng-tech"]["stale_sessions"] = 1
    text = english("".join(answer_markup(comparison, summary)))

    assert "not for there being 3 rows" in text
    assert "Of late Hang Seng TECH Index stood too much at stale prices: see the warnings." in text


def test_the_answer_calls_the_band_of_driftless_paths_what_it_is(comparison: Comparison) -> None:
    told_of_pairs = list(answers(comparison, comparison.summary))[1:]
    before = comparison.study.windows.zscore - 1  # rows on which there is no z, all of them neutral
    for told, answer in zip(comparison.summary["pairs"], told_of_pairs, strict=True):
        share, rows = told["chance"]["share"][told["state"]], told["rows"]
        idle = before if told["state"] == "neutral" else 0
        # Low and high are 5 and 95 per cent of the paths.
        mean, low, high = (
            f"{100 * max(0.0, share[key] * rows - idle) / (rows - before):.0f}"
            for key in ("mean", "low", "high")
        )
        assert f"{mean} % of the rows that have a z (90 of 100 of them on {low} to" in answer.en
        assert f"（90%的路径介于{low}%至{high}%）" in answer.zh


def test_the_answer_says_which_indices_stood_at_stale_prices(comparison: Comparison) -> None:
    summary = copy.deepcopy(comparison.summary)
    summary["indices"]["hang-seng-tech"]["stale_sessions"] = 1
    lines, first, second = (told.en for told in answers(comparison, summary))

    said = "Of late Hang Seng TECH Index stood too much at stale prices: see the warnings."
    assert [told.endswith(said) for told in (lines, first, second)] == [True, False, True]


def test_with_fewer_rows_than_a_z_score_takes_no_state_is_told(comparison: Comparison) -> None:
    summary = copy.deepcopy(comparison.summary)
    for pair in summary["pairs"]:
        pair["rows"] = 43
    told = [answer.en for answer in answers(comparison, summary)][1:]

    said = "no state is known, for a z-score takes 250 rows and there are 43."
    assert [answer.endswith(said) for answer in told] == [True, True]


def test_a_study_too_short_for_its_windows_claims_nothing(short: Comparison) -> None:
    text = english(study_page(short))
    both = "North American Compute Chain over Domestic Compute Chain and over Hang Seng TECH Index"
    row = "North American Compute Chain / Domestic Compute Chain – – – – – – "

    assert f"{both} (last row 2026-08-14): no correlation over 60 rows, there are fewer" in text
    assert "Domestic Compute Chain: no state is known, for a z-score takes 250 rows" in text
    assert row in text
    assert "No pair has been stretched yet." in text
    assert "Driftless paths" not in text


def test_a_pair_that_ends_before_the_study_says_when(short: Comparison) -> None:
    found = study_page(short)
    pair = "North American Compute Chain / Hang Seng TECH Index"

    assert f"{pair} (last row 2026-08-14): no state is known" in english(found)
    assert "北美算力链 / 恒生科技指数（最后一期2026-08-14）：状态未知" in found


def test_a_benchmark_without_data_is_called_that(comparison: Comparison) -> None:
    others = {k: v for k, v in comparison.histories.items() if k != comparison.study.benchmark}
    text = english(study_page(compare(comparison.study, others, no_fixings)))

    assert "Benchmark csi-all-share (no data)" in text


def test_of_many_ratio_lines_the_answer_is_one_table(comparison: Comparison) -> None:
    """It says of each of them what its sentences would, and of the pairs the same as ever."""
    found = replace(comparison, ratios=comparison.ratios * 3)
    text = english(study_page(found)).partition("Index lines")[0].replace("−", "-")
    (told,) = comparison.summary["ratio_lines"]
    observed, null, excess = (f"{told[name][60]:.3f}" for name in FAMILY[:3])
    assert "the ratio lines of" not in text
    assert len(re.findall(rf"{observed} \(.*?\) {null} {excess} ", text)) == 3
    assert text.count(f"{told['p_value_adjusted'][60]:.3f} no ") == 3
    assert text.count("Driftless paths are in that state") == len(comparison.states)


def test_of_few_ratio_lines_the_answer_is_sentences(comparison: Comparison) -> None:
    found = replace(comparison, ratios=comparison.ratios * 2)
    text = english(study_page(found)).partition("Index lines")[0]
    assert text.count("the ratio lines of") == 2


def test_a_peak_on_the_last_session_is_called_one_and_no_move_is_told(
    comparison: Comparison,
) -> None:
    pair = comparison.states[0]
    last = len(pair.rows) - 1
    states = pair.states._replace(
        state=["neutral"] * last + ["stretched"],
        peak=np.where(np.arange(last + 1) < last, -1, last),
    )
    found = replace(comparison, states=(replace(pair, states=states), *comparison.states[1:]))
    answer = list(answers(found, found.summary))[1]
    assert f"; at its peak on the last row, {found.aligned.sessions[pair.rows[-1]]}; z" in answer.en
    assert "；最新一期即为高点；" in answer.zh
    assert ">+0.0%<" not in study_page(found)


def test_charts_of_a_study_leave_with_its_marks_and_the_digests_of_its_data(
    comparison: Comparison,
) -> None:
    id = "domestic-compute"
    carried = comparison.histories[id].carried.copy()
    carried[-1] = 7
    found = comparison.histories | {id: replace(comparison.histories[id], carried=carried)}
    en, zh = Page(study_page(replace(comparison, histories=found))).figures["stamp"]
    for other, history in comparison.histories.items():
        data = history.market_digest[:12]
        assert f"{history.definition.name.en} ({other}) market data {data}" in en
        assert f"{history.definition.name.zh}（{other}）行情{data}" in zh
    name = comparison.histories[id].definition.name
    for mark in (
        "SYNTHETIC DATA",
        f"{name.en} back-tested before 2026-05-07",
        f"{name.en}: 7 carried",
    ):
        assert mark in en
    assert f"{name.zh}于2026-05-07前为回测" in zh


def test_a_chart_leaves_with_the_digests_of_the_indices_that_are_in_it(
    comparison: Comparison, page: Page
) -> None:
    names = {id: h.definition.name.en for id, h in comparison.histories.items()}
    for figure in page.figures["figures"]:
        stamp = page.figures["stamps"][figure["stamp"]][0]
        told = {id for id, name in names.items() if f"{name} ({id}) market data" in stamp}
        assert told == set(figure["of"])
    by_id = {figure["id"]: set(figure["of"]) for figure in page.figures["figures"]}
    leader, follower = comparison.states[0].pair.leader, comparison.states[0].pair.follower
    assert by_id[f"leadlag_{leader}_{follower}"] == {leader, follower}
    assert by_id[f"heat_{leader}"] == {leader}
    assert by_id["event_0"] == {*comparison.study.events[0].indices, comparison.study.benchmark}


@pytest.mark.parametrize(
    ("source", "told"), [("Some Vendor", "Some Vendor"), ("", "not stated"), (HOSTILE, HOSTILE)]
)
def test_where_the_data_are_from_is_told_on_the_page_and_on_what_leaves_it(
    comparison: Comparison, source: str, told: str
) -> None:
    histories = {
        id: replace(h, inputs=replace(h.inputs, source=source))
        for id, h in comparison.histories.items()
    }
    page = Page(study_page(replace(comparison, histories=histories)))
    assert f"Data source: {told}" in page.text
    assert f"data source: {told}" in page.figures["stamp"][0]


def test_an_event_without_an_abnormal_return_has_no_chart(comparison: Comparison) -> None:
    nothing = [
        seen._replace(found=seen.found._replace(cumulative=seen.found.cumulative * float("nan")))
        for seen in comparison.happenings
    ]
    told = replace(comparison, happenings=tuple(nothing))
    assert any(figure["id"].startswith("event_") for figure in figures_of(comparison))
    assert not any(figure["id"].startswith("event_") for figure in figures_of(told))


def test_back_tested_sessions_are_counted_among_those_with_a_level(comparison: Comparison) -> None:
    aligned = comparison.aligned
    level = aligned.level.copy()
    level[:100, aligned.ids.index("hang-seng-tech")] = np.nan
    told = replace(comparison, aligned=replace(aligned, level=level))

    assert f"0 of {len(level) - 100}" in english(index_table(told, told.summary["indices"]))


def test_of_how_many_members_a_mean_correlation_is_stands_beside_it(
    comparison: Comparison,
) -> None:
    """Two of the 41 were halted in the window."""
    id = "domestic-compute"
    history = comparison.histories[id]
    assert history.panel is not None
    dated = history.panel.dated.copy()
    dated[-9, [3, 5]] = dated[-10, [3, 5]]
    halted = replace(history, panel=replace(history.panel, dated=dated))
    told = replace(comparison, histories=comparison.histories | {id: halted})
    value = comparison.last("mean_pair_correlation", "", id, window=60)
    page = Page(study_page(told)).text
    assert f"Domestic Compute Chain at {value:.2f} (39 of 41 members)" in page
    assert f"国产算力链为{value:.2f}（41只成分股中的39只）" in page


def test_contributions_that_are_none_of_what_was_published_are_told(
    comparison: Comparison,
) -> None:
    day = str(comparison.histories["domestic-compute"].days[-2])
    record = Record(12, "2026-08-21", 2, "2026-08-22T10:00:00Z", None, "ab" * 32, (day,))
    assert f"On 1 of the 20 sessions ({day}) the inputs" in english(study_page(comparison, record))
    assert "of the 20 sessions" not in english(study_page(comparison))


def test_one_pair_has_no_ratio_lines_to_compare(single: Comparison) -> None:
    text = Page(study_page(single)).text
    assert "Where the pairs stand" in text
    assert "Do the ratio lines move together?" not in text


def test_caveats_are_told(comparison: Comparison) -> None:
    id = "domestic-compute"
    carried = comparison.histories[id].carried.copy()
    carried[-1] = 7
    doubtful = replace(
        comparison.histories[id],
        carried=carried,
        missing=("000001.SZ", "000002.SZ"),
        warnings=(Text("a close off the calendar", "一个收盘价"),),
    )
    histories = comparison.histories | {id: doubtful}
    found = replace(
        comparison, histories=histories, warnings=(Text("a benchmark left out", "基准未纳入"),)
    )
    text = " ".join(Page(study_page(found)).text.split())
    for caveat in (
        "a benchmark left out",
        "基准未纳入",
        "国产算力链：一个收盘价",
        "Domestic Compute Chain: a close off the calendar",
        "7 of 41",
        "41只中的7只",
        "000001.SZ, 000002.SZ",
        doubtful.definition.digest[:12],
        doubtful.market_digest[:12],
        "A RECONSTRUCTION",
        "18:00 Asia/Shanghai",
        "XSHG, from 2024-01-02",
        "CSI All Share Index",
    ):
        assert caveat in text


def test_an_index_without_the_variant_says_which_it_used(single: Comparison) -> None:
    histories = {
        id: replace(h, variants={"price": next(iter(h.variants.values()))})
        for id, h in single.histories.items()
    }
    assert "US Cloud price USD" in english(study_page(replace(single, histories=histories)))
    assert "US Cloud gross total return USD" in english(study_page(single))


def test_the_same_comparison_gives_the_same_page_of_bearable_size(comparison: Comparison) -> None:
    page = study_page(comparison)
    assert page == study_page(comparison)
    assert len(page.encode()) <= 2_000_000


def test_the_summary_is_made_once_for_all_of_a_page(comparison: Comparison, monkeypatch) -> None:
    made, summary = [], Comparison.summary.fget
    counting = property(lambda found: made.append(found) or summary(found))
    monkeypatch.setattr(Comparison, "summary", counting)
    study_page(comparison)

    assert len(made) == 1


def test_no_heading_is_left_out_on_the_way_down(comparison: Comparison) -> None:
    """Who reads by headings alone would look for what was left out."""
    levels = [int(n) for n in re.findall(r"<h([1-6])[ >]", study_page(comparison))]

    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
