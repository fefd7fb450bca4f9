"""One need: who is asked, what of the answers is believed, and where two of them agree.

Sources are asked in their order until two whole answers that passed their checks agree; three of a
series, and where nothing stored would show two to err alike. One alone counts where no other can be
had, and is marked; not where another was asked, of the last session. Else the hierarchy decides.
"""

from dataclasses import dataclass, field, replace
from datetime import date, datetime

import polars as pl

from indexer.market.calendar import read_calendar
from indexer.market.conventions.finality import last_final_bar
from indexer.market.conventions.renames import rename_actions
from indexer.market.sources.agree import Agreement
from indexer.market.sources.akshare import sources_of
from indexer.market.sources.bars import Known, Scope
from indexer.market.sources.check import check_bars, unmet
from indexer.market.sources.facts import (
    EURO,
    as_entered,
    check_actions,
    check_rates,
    check_shares,
    check_suspensions,
)
from indexer.market.sources.origin import stamped, traced
from indexer.market.sources.source import AHEAD, Answer, Ask, Source
from indexer.market.sources.verdict import SETTLED, Disregarded, Outcome, Verdict
from indexer.market.tables import TABLES
from indexer.run.believed import Believed
from indexer.run.needs import Need
from indexer.run.payouts import (
    UNSECONDED,
    agreed,
    held_back,
    none_known,
    says_none,
    unannounced,
    uncontradicted,
    worst,
)

ENOUGH = 2  # sources that agree
_MANY = 60  # sessions without a bar at the start are a listing, not so many days of suspension


@dataclass(frozen=True, slots=True, eq=False)
class Gathered:
    """What came of one need.

    Attributes
    ----------
    need : what was needed
    outcome : ``ok`` where all of it is there, or is explained
    rows : new rows by table, in the schemas of a market folder and with where each is from; more
        than one table where a hole was explained by a suspension or a listing
    answers : those the rows rest on, the one that counts first
    failed : which way each other source does not count, and why
    disregarded : every datum that is not believed, with its rule
    reason : what stands against ``ok``
    """

    need: Need
    outcome: Outcome
    rows: dict[str, pl.DataFrame]
    answers: tuple[Answer, ...] = ()
    failed: dict[str, tuple[Outcome, str]] = field(default_factory=dict)
    disregarded: tuple[Disregarded, ...] = ()
    reason: str = ""

    @property
    def failures(self) -> dict[str, str]:
        """Why each other source does not count, in words."""
        return {name: f"{outcome}: {reason}" for name, (outcome, reason) in self.failed.items()}

    @property
    def single(self) -> bool:
        """Whether the rows rest on one source alone."""
        return len(self.answers) == 1


@dataclass(slots=True, eq=False)
class Heard:
    """What the sources of one need have said so far.

    Attributes
    ----------
    usable : who counts, with what is believed of it, in the order in which they were asked
    failed : which way each other one does not count, and why
    disregarded : every datum that is not believed
    extra : rows of other tables, by which holes are explained
    """

    usable: dict[str, tuple[Answer, Verdict]] = field(default_factory=dict)
    failed: dict[str, tuple[Outcome, str]] = field(default_factory=dict)
    disregarded: list[Disregarded] = field(default_factory=list)
    extra: dict[str, pl.DataFrame] = field(default_factory=dict)


@dataclass(slots=True)
class Gatherer:
    """Everybody who can be asked, until when, and what is known already.

    Attributes
    ----------
    sources : whom to ask
    at : the instant of the asking, with its zone
    until : last date asked for
    believed : what is stored, and what came since
    """

    sources: list[Source]
    at: datetime
    until: date
    believed: Believed

    def gather(self, need: Need) -> Gathered:
        """Return what the sources make of a need; ``ok`` and empty where it is held already."""
        if need.table == "listing":
            return self._listing(need)
        ask = self._ask(need)
        if ask is None:
            return Gathered(need, "ok", {})
        heard, told, on = Heard(), list[Answer](), self.at.date()
        found: Agreement | None = None
        unproved = need.table == "series" or self.believed.of(need.table, need.subject).is_empty()
        for source in sources_of(need.table, need.subject, self.sources, on):
            whole = [name for name, (_, v) in heard.usable.items() if v.outcome in SETTLED]
            if found is not None and len(whole) >= ENOUGH + unproved and found.refused.is_empty():
                break
            answer = source.fetch(ask)
            verdict = self._verdict(answer, need, heard)
            told.append(answer)
            if _counts(answer, verdict) or says_none(answer, verdict):
                heard.usable[source.name] = (answer, verdict)
                found = agreed(need.table, {n: v.rows for n, (_, v) in heard.usable.items()}, on)
            else:
                heard.failed[source.name] = (verdict.outcome, verdict.reason)
        if heard.failed and len(heard.usable) == 1 and found:
            alone = self._fresh(need, found.rows)
            if not alone.is_empty():
                heard.disregarded += held_back(need, alone)
                heard.failed |= dict.fromkeys(heard.usable, UNSECONDED)
                found = None
        return self._announced(self._gathered(need, heard, found), told)

    def _fresh(self, need: Need, rows: pl.DataFrame) -> pl.DataFrame:
        """Return the figures that nothing can be held against but another source."""
        key = {"actions": ["ex_date", "kind"], "shares": ["date"], "fx": ["date"]}.get(need.table)
        if key is None:
            return rows.clear()
        stored = self.believed.of(need.table, need.subject)
        same = as_entered(rows, stored) if need.table == "actions" else rows.clear()
        return rows.join(stored, on=key, how="anti").join(same, on=key, how="anti")

    def _announced(self, gathered: Gathered, told: list[Answer]) -> Gathered:
        """Return what was gathered, without bars by which an action is missing."""
        need, rows = gathered.need, dict(gathered.rows)
        if need.table != "prices" or not need.mainland or "prices" not in rows:
            return gathered
        actions = self.believed.of("actions", need.subject)
        reason = unannounced(rows.pop("prices"), told, actions, need.calendar)
        refused = replace(gathered, outcome="corrupt", rows=rows, reason=reason)
        return refused if reason else gathered

    def _gathered(self, need: Need, heard: Heard, found: Agreement | None) -> Gathered:
        """Return what came of a need on which the sources agree, or none counts."""
        failed = heard.failed
        if found is None:
            outcome, reason = worst(need, failed.values())
            return Gathered(need, outcome, {}, (), failed, tuple(heard.disregarded), reason)
        answers = tuple(answer for answer, _ in heard.usable.values())
        fresh = traced(need.table, found.rows, heard.usable, self.at.date())
        stored = self.believed.of(need.table, need.subject)
        verdicts = [verdict for _, verdict in heard.usable.values()]
        fresh, beside, contradiction = uncontradicted(need, fresh, stored, verdicts)
        outcome, reason = _ended(need, heard, found, contradiction)
        heard.disregarded += [*beside, *found.disregarded]
        late = self._late(need, heard, found)
        if late is not None:
            heard.disregarded += held_back(need, fresh.join(late, on="date", how="semi"))
            fresh = fresh.join(late, on="date", how="anti")
            if outcome in SETTLED and not late.is_empty():
                outcome = worst(need, [*failed.values(), UNSECONDED])[0]
                reason = f"{late['date'].sort()[0]}: {UNSECONDED[1]}"
        rows = heard.extra | {need.table: self._with_stored(need, fresh)}
        return Gathered(need, outcome, rows, answers, failed, tuple(heard.disregarded), reason)

    def _late(self, need: Need, heard: Heard, found: Agreement) -> pl.DataFrame | None:
        """Return the dates, as ``date``, from which on one source alone has anything.

        A source that is late shows a bar that is not finished, or the day before's rate: what comes
        before is held against its others and what is stored, the last of it only against another
        source. None where no other was asked, or rows are not of days.
        """
        asked = len(heard.usable) + len(heard.failed)
        if need.table not in {"prices", "series", "fx"} or asked == 1:
            return None
        if len(heard.usable) > 1:
            both = found.rows.join(found.single.select("date"), on="date", how="anti")["date"].max()
            late = found.rows if both is None else found.single.filter(pl.col("date") > both)
        else:
            final = last_final_bar(need.calendar, self.at)
            late = found.rows.filter(pl.col("date") == final)
        stored = self.believed.of(need.table, need.subject)
        return late.select("date").join(stored, on="date", how="anti")

    def _with_stored(self, need: Need, rows: pl.DataFrame) -> pl.DataFrame:
        """Return actions with those stored, which stay: they are written anew as a whole.

        A change of symbol is of no source's telling.
        """
        if need.table != "actions":
            return rows
        stored = self.believed.of("actions", need.subject)
        renamed = rename_actions([need.subject]).filter(pl.col("symbol") == need.subject)
        found = pl.concat([rows, renamed], how="diagonal_relaxed")
        fresh = found.join(stored, on=["ex_date", "kind"], how="anti")
        if fresh.is_empty():  # what another fetch has written meanwhile stays
            return fresh
        return pl.concat([stored, fresh], how="diagonal_relaxed").sort("ex_date", "kind")

    def _ask(self, need: Need) -> Ask | None:
        """Return what to ask for, the last sessions that are stored again; None if all is there."""
        today = self.at.astimezone(need.calendar.zone).date()
        held = self.believed.of(need.table, need.subject)
        since, last = need.since, need.until or date.max
        until = min(self.until, today, last)
        if until < since:
            return None
        if need.table == "actions":  # by which all bars are judged that are stored
            since = min([since, *self.believed.of("prices", need.subject)["date"].sort().head(1)])
            return Ask("actions", need.subject, since, min(today + AHEAD, last), today)
        if need.table == "shares":
            return Ask("shares", need.subject, since, until, today)
        if not held.is_empty():
            scope = self._scope(need, since, until)
            fixed = read_calendar(EURO) if need.table == "fx" else None
            span = unmet(scope, self.believed.known(need), held["date"], fixed=fixed)
            if span is None:
                return None
            since, until = span
        return Ask(need.table, need.subject, since, until, today)

    def _scope(self, need: Need, since: date, until: date, source: str = "") -> Scope:
        series = need.table == "series"
        return Scope(need.subject, since, until, self.at, series=series, source=source)

    def _verdict(self, answer: Answer, need: Need, heard: Heard) -> Verdict:
        """Return what is believed of an answer, after asking what might explain its holes."""
        nothing = need.table == "prices" and answer.outcome == "no_data_unexplained"
        if answer.outcome != "ok" and not nothing:
            rows = TABLES[need.table].empty()
            return Verdict(answer.outcome, rows, (), (), answer.reason)
        verdict = self._checked(answer, need)
        if need.table == "prices" and verdict.missing and self._explained(need, verdict, heard):
            verdict = self._checked(answer, need)
        heard.disregarded += verdict.disregarded
        return verdict

    def _checked(self, answer: Answer, need: Need) -> Verdict:
        scope = self._scope(need, answer.ask.since, answer.ask.until, answer.source)
        known, frame = self.believed.known(need), answer.frame
        if need.table in {"prices", "series"}:
            return check_bars(frame, scope, known)
        if need.table == "actions":
            return check_actions(frame, scope, known)
        stored = self.believed.of(need.table, need.subject)
        if need.table == "shares":
            since = min([scope.since, *frame["date"]])  # what held at the start is older
            scope = replace(scope, since=since)
            return check_shares(frame, scope, known, stored)
        return check_rates(frame, scope, known, stored)

    def _explained(self, need: Need, verdict: Verdict, heard: Heard) -> bool:
        """Ask what may explain holes; return whether anything may."""
        learned = False
        first = verdict.rows["date"].min()
        head = [day for day in verdict.missing if first is None or day < first]  # type: ignore[operator]
        if head and self.believed.known(need).listed is None:
            listing = self._listing(Need("listing", need.subject, need.since))
            heard.extra |= listing.rows
            learned = bool(listing.rows)
        for day in verdict.missing:
            unlisted = len(verdict.missing) > _MANY and day in head
            if unlisted or day in self.believed.days or not need.mainland:
                continue
            told = self._suspended_on(day)
            learned |= told is not None
            heard.disregarded += told or ()
        own = self.believed.of("suspensions", need.subject)
        if "source" in own.columns:  # what was entered is where it is
            heard.extra["suspensions"] = own.filter(pl.col("source").is_not_null())
        return learned or not own.is_empty()

    def _suspended_on(self, day: date) -> tuple[Disregarded, ...] | None:
        """Learn who was suspended; return what is not believed of it, None where nobody answers."""
        self.believed.days.add(day)
        for source in sources_of("suspensions", "", self.sources):
            answer = source.fetch(Ask("suspensions", "", day, day, self.at.date()))
            if answer.outcome == "ok":
                scope = Scope("", day - AHEAD, day, self.at)
                known = Known(read_calendar("XSHG"), stored=self.believed.tables["prices"])
                verdict = check_suspensions(answer.frame, scope, known)
                rows = verdict.rows.select(*TABLES["suspensions"].columns)
                self.believed.add("suspensions", stamped(rows, answer))
                return verdict.disregarded
        return None

    def _listing(self, need: Need) -> Gathered:
        held = self.believed.of("securities", need.subject)
        if held["list_date"].is_not_null().any():
            return Gathered(need, "ok", {})
        failed: dict[str, tuple[Outcome, str]] = {}
        asked_on = self.at.date()
        for source in sources_of("listing", need.subject, self.sources):
            answer = source.fetch(Ask("listing", need.subject, need.since, asked_on, asked_on))
            if answer.outcome == "ok":
                day = pl.lit(answer.frame["list_date"][0]).alias("list_date")
                rows = stamped(answer.frame if held.is_empty() else held.with_columns(day), answer)
                self.believed.add("securities", rows)
                return Gathered(need, "ok", {"securities": rows}, (answer,))
            failed[source.name] = (answer.outcome, answer.reason)
        outcome, reason = worst(need, failed.values())
        return Gathered(need, outcome, {}, (), failed, (), reason)


def _ended(need: Need, heard: Heard, found: Agreement, against: str) -> tuple[Outcome, str]:
    """Return how a need ended on which sources agree, and what stands against ``ok``."""
    if not found.refused.is_empty():
        refused = (entry for entry in found.disregarded if entry.refused)
        return "corrupt", str(next(refused, "sources disagree"))
    if against:
        return "corrupt", against
    if need.table == "actions" and found.rows.is_empty():
        return none_known([answer for answer, _ in heard.usable.values()], ENOUGH)
    best = min(heard.usable.values(), key=lambda pair: pair[1].outcome not in SETTLED)[1]
    return best.outcome, best.reason


def _counts(answer: Answer, verdict: Verdict) -> bool:
    """Return whether an answer came, and all of what it should hold but the last of it."""
    late = answer.outcome == "ok" and verdict.outcome == "transient"
    return verdict.outcome in SETTLED or late
