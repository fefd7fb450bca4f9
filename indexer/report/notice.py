"""Restatement notices: what was corrected, in the form index publishers give vendors."""

from collections.abc import Sequence
from dataclasses import dataclass

WITHDRAWN = "withdrawn"  # in the place of a level: it has none any more


@dataclass(frozen=True, slots=True)
class Correction:
    """One corrected session: the revisions, and by variant the levels before and after, as text.

    The last of ``levels`` is the difference in basis points, None where there is no level before or
    none after, which is ``WITHDRAWN`` then.
    """

    session: str
    before: int
    after: int
    levels: Sequence[tuple[str, str, str, float | None]]


@dataclass(frozen=True, slots=True)
class Decision:
    """What the sessions of a correction share; instants in UTC; whether any data are synthetic."""

    subject: str
    correction: str
    reason: str
    note: str
    by: str
    at: str
    synthetic: bool = False


def notice_name(correction: str) -> str:
    """Return the name of the file of a notice."""
    return f"restatement_{correction}.txt"


def notice_text(made: Decision, corrected: Sequence[Correction], files: Sequence[str]) -> str:
    """Return the notice of a correction, in English and Chinese."""
    first, last = corrected[0].session, corrected[-1].session
    lines = [
        "RESTATEMENT NOTICE / 指数更正公告",
        *(["SYNTHETIC DATA / 合成数据"] if made.synthetic else []),
        "",
        f"Index / 指数: {made.subject}",
        f"Sessions / 交易日: {first} – {last} ({len(corrected)})",
        f"Correction / 更正编号: {made.correction}",
        f"Reason / 原因: {made.reason} ({CHINESE_REASONS.get(made.reason, made.reason)})",
        f"Note / 说明: {made.note}",
        f"Decided by / 决定人: {made.by}",
        f"Found and published at / 发现并发布于: {made.at}",
        "",
        "Replace the values published before with these; disregard the earlier revisions,",
        "and any high, low or return taken from them.",
        "请以下列数值替换先前发布的数值；先前版本及据其得出的最高、最低值和收益率均应作废。",
        "",
        "session     revision  variant        published       corrected        bp",
        "（交易日、版本、口径、原发布值、更正值、基点）",
    ]
    for one in corrected:
        revision = f"{one.before} → {one.after}"
        if not one.levels:
            lines.append(f"{one.session}  {revision:<8}  signals / 信号")
        for variant, before, after, difference in one.levels:
            bp = "" if difference is None else f"{difference:+.4f}"
            lines.append(
                f"{one.session}  {revision:<8}  {variant:<8}{before:>16}{after:>16}{bp:>10}"
            )
    if any(after == WITHDRAWN for one in corrected for _, _, after, _ in one.levels):
        lines += ["", f"{WITHDRAWN}: the variant is no longer published / 该口径不再发布"]
    return "\n".join([*lines, "", "Files / 文件:", *(f"  {name}" for name in files)]) + "\n"


CHINESE_REASONS = {  # by code, each of ``ledger.correct.REASONS``
    "bad-price": "价格错误",
    "late-action": "公司行为延迟或漏记",
    "methodology": "编制方法应用有误",
    "vendor-revision": "数据供应商修订",
    "software": "程序错误",
}
