"""What a reader must know of the data of a study before trusting a figure of it."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date

import numpy as np

from indexer.definitions.study import Study
from indexer.errors import counted, few
from indexer.index.history import History
from indexer.market.calendar import read_calendar
from indexer.signals.align import Aligned
from indexer.signals.events import ESTIMATION, Happening
from indexer.signals.issuers import shared_issuers
from indexer.signals.members import stale_sessions
from indexer.signals.overlay import ANNOUNCEMENTS
from indexer.signals.pairs import PairStates
from indexer.signals.signal import Signal
from indexer.words import VARIANTS, Text, joined

SHOWN = 3  # issuers that are named, of those that two indices share
STALE = 5  # sessions without a new level after which an index has ended

_NO_DATA = Text("left out: it has no data here", "没有数据，未纳入")


def variant_caveat(history: History, wanted: str, taken: str) -> Text:
    """Return that an index is compared in another variant than the study's."""
    index = history.definition
    return Text(
        f"{index.id} has no {wanted} variant here: its {taken} is used",
        f"{index.name.zh or index.id}没有{VARIANTS[wanted].zh}序列，"
        f"以其{VARIANTS[taken].zh}序列代替",
    )


def _called(id: str, histories: Mapping[str, History]) -> str:
    """Return what an index is called in Chinese; its id where that is not known."""
    return (id in histories and histories[id].definition.name.zh) or id


def benchmark_caveats(
    study: Study, aligned: Aligned, histories: Mapping[str, History]
) -> Iterator[Text]:
    """Yield where nothing, or nothing new, is known of the benchmark."""
    name = study.benchmark
    told = Text(f"benchmark {name}", f"基准{_called(name, histories)}")
    if name not in histories:
        yield joined([told, _NO_DATA])
        return
    if name in study.indices:
        yield Text(
            f"{told.en} is compared itself: what it is part of is not given the benchmark",
            f"{told.zh}本身也在比较之列：含它的各项不再剔除基准",
        )
    if _has_ended(aligned, histories[name]):
        ends = _last(histories[name])
        yield Text(
            f"{told.en} ends on {ends}: after that it counts as unchanged",
            f"{told.zh}止于{ends}：此后视为不变",
        )


def inside_caveats(
    study: Study, inside: Mapping[str, int], histories: Mapping[str, History]
) -> Iterator[Text]:
    """Yield which followers are not given the benchmark, for it holds some of what they hold."""
    benchmark = _called(study.benchmark, histories)
    for id, count in inside.items():
        name = _called(id, histories)
        yield Text(
            f"benchmark {study.benchmark} holds {counted(count, 'issuer')} of {id}: partial "
            f"correlations of {id} are not given the benchmark",
            f"基准{benchmark}的成分股与{name}有{count}家共同发行人：{name}的偏相关系数不剔除基准",
        )


def shared_caveats(study: Study, histories: Mapping[str, History]) -> Iterator[Text]:
    """Yield which pairs have held shares of the same issuers, by which they move together."""
    for pair in study.pairs:
        ids = (pair.leader, pair.follower)
        if shared := shared_issuers({id: histories[id] for id in ids}):
            names = [issuer.issuer for issuer in shared]
            called = "与".join(_called(id, histories) for id in ids)
            zh = "、".join(names[:SHOWN]) + ("等" if len(names) > SHOWN else "")
            yield Text(
                f"{' and '.join(ids)} have both held {counted(len(names), 'issuer')} "
                f"({few(names, SHOWN)}): they move together by these as well",
                f"{called}的成分股曾有{len(names)}家共同发行人（{zh}）：两者同向变动也有这一原因",
            )


def end_caveats(study: Study, aligned: Aligned, histories: Mapping[str, History]) -> Iterator[Text]:
    """Yield which indices that are compared end before the study does."""
    for id in study.indices:
        if _has_ended(aligned, histories[id]):
            ends = _last(histories[id])
            yield Text(
                f"{id} ends on {ends}: what it is compared in ends there too",
                f"{_called(id, histories)}止于{ends}：与它有关的比较也止于此",
            )


def stale_caveats(
    study: Study, aligned: Aligned, histories: Mapping[str, History]
) -> Iterator[Text]:
    """Yield which indices stood at stale prices of late: their returns come late."""
    for id in aligned.ids:
        count, latest = stale_sessions(study, aligned, histories[id])
        if count:
            yield Text(
                f"{id}: more of its weight than R14 lets be published stood at stale prices on "
                f"{count} of its latest {counted(latest, 'session')}: its returns come late, and "
                "what is made of them may be due to that",
                f"{_called(id, histories)}在最近{latest}个交易日中有{count}日"
                "沿用旧价的权重超出R14的发布限度："
                "其收益率反映滞后，以此计算的结果可能受其影响",
            )


def _has_ended(aligned: Aligned, history: History) -> bool:
    fresh = aligned.fresh[:, aligned.ids.index(history.definition.id)]
    calendar = read_calendar(history.definition.calendar)
    last = calendar.on_or_before(aligned.sessions[-1].item())
    return not fresh[-STALE:].any() and last > _last(history)


def _last(history: History) -> date:
    last: date = history.days[-1].item()
    return last


def rate_caveats(
    study: Study, local: Aligned, converted: Aligned, histories: Mapping[str, History]
) -> Iterator[Text]:
    """Yield which levels begin later for want of a rate."""
    for id, before, after in zip(local.ids, local.level.T, converted.level.T, strict=True):
        name = _called(id, histories)
        first, known = (int(np.argmax(~np.isnan(level))) for level in (before, after))
        if np.isnan(after).all():
            yield Text(
                f"{id} left out: no rate into {study.currency} is known",
                f"{name}没有兑{study.currency}的汇率，未纳入",
            )
        elif known > first:
            day = local.sessions[known]
            yield Text(
                f"{id} begins on {day}: no rate into {study.currency} is known before",
                f"{name}始于{day}：此前没有兑{study.currency}的汇率",
            )


def short_caveats(
    study: Study, states: Sequence[PairStates], histories: Mapping[str, History]
) -> Iterator[Text]:
    """Yield which pairs have no state but the one that nothing has happened in."""
    window = study.windows.zscore
    for found in states:
        if (count := len(found.rows)) < window:
            ids, rows = (found.pair.leader, found.pair.follower), counted(count, "row")
            called = " / ".join(_called(id, histories) for id in ids)
            yield Text(
                f"{' / '.join(ids)} has {rows}: neutral for want of the {window} of a z-score",
                f"{called}只有{count}期：不足z值所需的{window}期，故为中性",
            )


def event_caveats(
    study: Study, histories: Mapping[str, History], happenings: Sequence[Happening]
) -> Iterator[Text]:
    """Yield which events tell nothing of an index, and why."""
    told = {(seen.event, seen.id): seen for seen in happenings}
    for event in study.events:
        for id in event.indices:
            seen = told.get((event, id))
            if id not in histories:
                why = _NO_DATA
            elif id == study.benchmark:
                why = Text("left out: it is the benchmark", "即为基准，未纳入")
            elif seen is None or np.isnat(seen.days).all():
                why = Text(
                    "left out: the event lies outside the rows it shares with the benchmark",
                    "未纳入：事件不在其与基准共有的各期之内",
                )
            elif seen.found.estimated == 0:
                rows = 1 - ESTIMATION[0]
                why = Text(
                    f"has no abnormal return: fewer than {rows} rows come before, the benchmark "
                    "stands still then, or it is all there is to the index",
                    f"没有异常收益：此前不足{rows}期，或其间基准不变，或指数的变动全在基准之内",
                )
            else:
                continue
            name = _called(id, histories)
            yield Text(
                f"event of {event.date}: {id} {why.en}", f"{event.date}的事件：{name}{why.zh}"
            )


def overlay_caveats(
    study: Study, overlays: Mapping[str, object], signals: Sequence[Signal]
) -> Iterator[Text]:
    """Yield which overlays tell nothing, and why."""
    there = {s.other for s in signals if s.name == "divergence" and not np.isnan(s.value).all()}
    for overlay in study.overlays:
        told = Text(f"overlay {overlay.symbol}", f"叠加序列{overlay.symbol}")
        if overlay.symbol not in overlays:
            yield joined([told, _NO_DATA])
        elif overlay.symbol not in there:
            least = ANNOUNCEMENTS + 1
            yield Text(
                f"{told.en} tells nothing: fewer than {least} announcements that differ",
                f"{told.zh}无法计算背离：数值不同的公布不足{least}次",
            )
