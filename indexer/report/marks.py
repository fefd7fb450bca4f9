"""What every sheet says of itself: as of when, of which entry, made of what, how far invented."""

from collections.abc import Iterable, Iterator
from typing import Any

from indexer.definitions.model import Name
from indexer.errors import counted
from indexer.index.history import History
from indexer.report.record import Record
from indexer.signals.result import Comparison
from indexer.words import Text, span

DIGEST = 12  # characters of a digest that are shown
Mark = tuple[str, str]  # ``mark`` or ``warning``, and the text


def study_marks(comparison: Comparison, record: Record | None) -> Iterator[Mark]:
    """Yield the marks of a study."""
    study, last = comparison.study, comparison.aligned.sessions[-1]
    yield from _synthetic(comparison.synthetic)
    yield _source(comparison.histories.values())
    yield "mark", f"截至交易日 As of session {last} · 截止时间 Cut-off {study.cutoff}"
    yield "mark", _entry(record)
    yield "mark", f"定义 Definition {study.id} {study.digest[:DIGEST]}"
    for id in study.indices:  # of the others the notes tell
        history = comparison.histories[id]
        yield "mark", _made_of(history)
    yield from _backtested(
        {id: day for day, ids in comparison.backtested_before.items() for id in ids}
    )
    yield from _carried({id: comparison.histories[id] for id in comparison.aligned.ids})
    published = Text("Levels and signals", "点位与信号")
    yield from _differing(record, published, Text("states and all else", "状态等其余各项"))


def index_marks(history: History, record: Record | None) -> Iterator[Mark]:
    """Yield the marks of an index."""
    definition = history.definition
    yield from _synthetic(history.synthetic)
    yield _source([history])
    yield (
        "mark",
        f"截至交易日 As of session {history.days[-1]} · 货币 Currency {definition.currency}",
    )
    yield "mark", _entry(record)
    yield "mark", _made_of(history)
    if history.backtested.any():
        yield from _backtested({definition.id: definition.selected_on})
    yield from _carried({definition.id: history})
    yield from _differing(record, Text("Levels", "点位"), Text("contributions", "贡献"))


def _made_of(history: History) -> str:
    definition = history.definition
    digests = (definition.digest[:DIGEST], history.market_digest[:DIGEST])
    return f"定义 Definition {definition.id} {digests[0]} · 数据 Market data {digests[1]}"


def _source(histories: Iterable[History]) -> Mark:
    told = "；".join(sources(histories))
    return "mark", f"数据来源 Data source: {told or '未注明 not stated'}"


def _synthetic(synthetic: bool) -> Iterator[Mark]:
    if synthetic:
        yield "warning", "合成数据：价格为虚构，与真实市场无关  SYNTHETIC DATA: prices are invented"


def _entry(record: Record | None) -> str:
    if record is None:
        return "未发布：仅为一次计算  Not published: a calculation"
    known = "现行 In force now"
    if record.known_at is not None:
        known = f"查询时点 As known at {record.known_at}"
    return (
        f"第{record.revision}版 Revision {record.revision} · 发布 Published {record.published_at}"
        f" · {known} · 账本 Ledger entry {record.number}, {record.digest[:DIGEST]}"
    )


def _backtested(selected: dict[str, Any]) -> Iterator[Mark]:
    if selected:
        days = "；".join(f"{id} {day}" for id, day in selected.items())
        yield (
            "mark",
            f"灰色斜体为回测（选样日） Pale italics are back-tested (selected on): {days}",
        )


def _carried(histories: dict[str, History]) -> Iterator[Mark]:
    told = "；".join(
        f"{id} {int(history.carried[-1])} / {history.constituents}"
        for id, history in histories.items()
        if history.carried[-1]
    )
    if told:
        yield "mark", f"最近交易日沿用旧价的成分股 Constituents at a carried price: {told}"


def _differing(record: Record | None, published: Text, calculated: Text) -> Iterator[Mark]:
    """Yield what is shown as published though the inputs would make it another, and what is not."""
    if record is not None and record.differing:
        told, count = span(record.differing), len(record.differing)
        yield (
            "mark",
            f"{count} 个交易日（{told.zh}）的{published.zh}为已发布值，"
            f"{calculated.zh}为现在计算的数值  "
            f"{published.en} of {counted(count, 'session')} ({told.en}) are as published, "
            f"{calculated.en} as calculated now",
        )


def sources(histories: Iterable[History]) -> list[str]:
    """Return where the market data of some indices are from, as their folders say it."""
    return list(dict.fromkeys(h.inputs.source for h in histories if h.inputs.source))


def in_both(text: Text) -> str:
    """Return text in Chinese and in English; once where they agree."""
    return text.zh if text.en == text.zh else f"{text.zh} {text.en}"


def chinese(name: Name) -> str:
    """Return the Chinese name, else the English one."""
    return name.zh or name.en


def bilingual(name: Name) -> str:
    """Return the English name, and the Chinese one where there is one."""
    return f"{name.en} {name.zh}" if name.zh else name.en
