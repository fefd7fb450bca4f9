"""A report shows what was published of a session and before it, as known then, or an error."""

from datetime import date

import polars as pl
import pytest

from indexer.errors import LedgerError, MissingInputError
from indexer.ledger.entry import FIRST
from indexer.report.record import Record
from indexer.run import report as module
from indexer.run.decisions import retire
from indexer.run.publication import Asked, publication
from indexer.run.report import report
from indexer.run.verify import verify
from indexer.words import Text
from tests.run.desk import (
    DAYS,
    NOON,
    SYMBOLS,
    basket,
    corrected,
    desk,
    evening,
    folder,
    ledger_url,
    moved,
    prices,
    published,
    told,
)

LATER = NOON.replace(hour=8)


def shown(path, session=None, known_at=None, id="trio"):
    return publication(desk(path).engine, id, Asked(session, known_at))


def reported(path, session=None, known_at=None, **given):
    return report("trio", ledger_url(path), path / "out", Asked(session, known_at), **given)


def levels(path, session=None, known_at=None):
    return shown(path, session, known_at).found.variants["price"].tolist()


def immaterial(path):
    """Publish five sessions, and a sixth whose inputs change the third by a millionth."""
    published(path, DAYS[0], DAYS[4])
    market = folder(path / "m", prices(**moved(SYMBOLS[0], DAYS[2], 0.001)))
    outcome = published(path, DAYS[5], market=market, now=LATER, correct=True, by="Ada", note="x")
    assert outcome.state == "published"


def test_the_last_published_session_is_shown(tmp_path):
    published(tmp_path, DAYS[0], DAYS[4])
    record = shown(tmp_path).record

    assert (record.session, record.revision, record.number) == (DAYS[4].isoformat(), 1, 5)
    assert record.known_at is None
    assert record.digest != FIRST


def test_where_the_data_were_from_is_shown_though_the_folder_says_so_no_more(tmp_path):
    market = folder(tmp_path / "m")
    (market / "manifest.yaml").write_text("source: a vendor")
    published(tmp_path, DAYS[0], DAYS[2], market=market)
    (market / "manifest.yaml").unlink()

    assert shown(tmp_path).found.inputs.source == "a vendor"


def test_another_source_of_the_same_rows_publishes_nothing(tmp_path):
    market = folder(tmp_path / "m")
    published(tmp_path, DAYS[0], DAYS[2], market=market)
    (market / "manifest.yaml").write_text("source: a vendor")
    again = published(tmp_path, DAYS[0], DAYS[2], market=market)

    assert (again.state, shown(tmp_path).found.inputs.source) == ("unchanged", "")


def test_an_earlier_session_is_shown_without_anything_later(tmp_path):
    published(tmp_path, DAYS[0], DAYS[4])
    found = shown(tmp_path, DAYS[2])

    assert found.found.days.tolist() == DAYS[:3]
    assert found.published["date"].to_list() == [day.isoformat() for day in DAYS[:3]]


def test_before_a_correction_the_levels_published_then_are_shown(tmp_path):
    published(tmp_path, DAYS[0], DAYS[4])
    before = levels(tmp_path)
    corrected(tmp_path, folder(tmp_path / "m", prices(**moved(SYMBOLS[0], DAYS[4], 10))), now=LATER)

    assert shown(tmp_path).record.revision == 2
    assert levels(tmp_path) != before
    assert levels(tmp_path, known_at=NOON) == before
    assert shown(tmp_path, known_at=NOON).record == Record(
        5, DAYS[4].isoformat(), 1, "2026-04-10T04:00:00.000000Z", "2026-04-10T04:00:00.000000Z",
        shown(tmp_path, known_at=NOON).record.digest,
    )  # fmt: skip


def test_a_correction_is_told_with_its_reason(tmp_path):
    published(tmp_path, DAYS[0], DAYS[4])
    corrected(tmp_path, folder(tmp_path / "m", prices(**moved(SYMBOLS[0], DAYS[4], 10))), now=LATER)

    assert shown(tmp_path).caveats == (
        Text(
            f"revision 2 of {DAYS[4]} is corrected: bad-price, a note (Ada)",
            f"{DAYS[4]}第2版为更正版，原因：价格错误，a note（Ada）",
        ),
    )


def test_a_level_that_was_not_restated_is_shown_as_published(tmp_path):
    """The rows of the last entry give another one, below what is worth a revision."""
    immaterial(tmp_path)
    found = shown(tmp_path)
    history = {row[0]: row[1] for row in told(tmp_path)}

    assert found.found.days.tolist() == DAYS[:6]
    assert {
        day.isoformat(): f"{level:.4f}" for day, level in zip(DAYS, levels(tmp_path), strict=False)
    } == history
    assert levels(tmp_path)[2] == levels(tmp_path, DAYS[2])[2]
    assert found.published["level_exact"].to_list() == levels(tmp_path)


def test_the_value_behind_a_level_is_shown_as_published(tmp_path):
    immaterial(tmp_path)
    value = shown(tmp_path).found.market_value

    assert value[2] == shown(tmp_path, DAYS[2]).found.market_value[2]
    assert value[2] / shown(tmp_path).found.divisor[2] == levels(tmp_path)[2]


def test_the_end_of_an_index_is_no_correction(tmp_path):
    published(tmp_path, DAYS[0], DAYS[4])
    retire("trio", "over", desk(tmp_path, LATER, by="Ada"))

    assert shown(tmp_path).caveats == (
        Text(
            f"revision 2 of {DAYS[4]} is retired: over (Ada)",
            f"{DAYS[4]}第2版为终止发布：over（Ada）",
        ),
    )


def test_where_the_inputs_say_otherwise_a_caveat_says_so(tmp_path):
    immaterial(tmp_path)
    (caveat,) = shown(tmp_path).caveats

    assert f"2 earlier sessions (between {DAYS[2]} and {DAYS[3]}) would be others" in caveat.en
    assert "levels by up to 0.001 bp" in caveat.en
    assert shown(tmp_path).found.warnings == (caveat,)


def test_sessions_that_the_inputs_would_make_others_are_told_by_the_record(tmp_path):
    immaterial(tmp_path)

    assert shown(tmp_path).record.differing == (DAYS[2].isoformat(), DAYS[3].isoformat())
    assert shown(tmp_path, DAYS[4]).record.differing == ()


def test_a_report_says_which_contributions_are_calculated_now(tmp_path):
    immaterial(tmp_path)
    page = next(path for path in reported(tmp_path).files if path.suffix == ".html")
    told = f"On 2 of the 6 sessions (<time>{DAYS[2]}</time> to <time>{DAYS[3]}</time>)"

    assert told in page.read_text(encoding="utf-8")


def test_a_session_that_was_restated_alone_is_one_of_them(tmp_path):
    """The last session rests on what its day was before, and on what it was published by then."""
    published(tmp_path, DAYS[0], DAYS[4])
    market = folder(tmp_path / "m", prices(**moved(SYMBOLS[0], DAYS[2], 10)))
    corrected(tmp_path, market, DAYS[2], DAYS[2], now=LATER)

    assert shown(tmp_path).record.revision == 1
    assert shown(tmp_path).record.differing == (DAYS[2].isoformat(),)
    assert shown(tmp_path, known_at=NOON).record.differing == ()


def test_a_variant_that_the_definition_no_longer_has_is_shown_of_no_session(tmp_path):
    published(tmp_path, DAYS[0], DAYS[2], names=[basket(tmp_path, variants=["price", "gross"])])
    market, narrow = tmp_path / "market", basket(tmp_path, variants=["price"])
    corrected(tmp_path, market, DAYS[2], DAYS[2], now=LATER, reason="methodology", basket=narrow)
    found = shown(tmp_path)

    assert list(found.found.variants) == ["price"]
    assert found.record.differing == tuple(day.isoformat() for day in DAYS[:2])


def test_what_somebody_took_upon_himself_is_told_with_his_name(tmp_path):
    rows = [row for row in prices() if (row["symbol"], row["date"]) != (SYMBOLS[0], DAYS[2])]
    terms = {"override": ("R14",), "by": "Ada", "note": "known"}
    published(tmp_path, DAYS[2], market=folder(tmp_path / "m", rows), **terms)
    caveats = [one.en for one in shown(tmp_path).caveats if one.en.startswith("R14: ")]

    assert [text.endswith(" (overridden by Ada: known)") for text in caveats] == [True]


def test_sessions_that_were_never_published_are_told(tmp_path):
    published(tmp_path, DAYS[3], DAYS[4])
    (caveat,) = shown(tmp_path).caveats

    assert caveat.en.startswith(f"2 of 5 sessions were published by then, from {DAYS[3]}")


@pytest.mark.parametrize(
    ("id", "session", "known_at", "message"),
    [
        ("nobody", None, None, "is no index or study that was ever published"),
        ("trio", DAYS[6], None, "was not published: the 5 published sessions run from"),
        ("trio", date(2026, 3, 7), None, "session 2026-03-07 was not published"),
        ("trio", None, evening(DAYS[0]), "nothing was published by 2026-03-02T08:00:00"),
    ],
)
def test_what_was_not_published_is_not_shown(tmp_path, id, session, known_at, message):
    published(tmp_path, DAYS[0], DAYS[4])

    with pytest.raises(MissingInputError, match=message):
        shown(tmp_path, session, known_at, id=id)


def test_inputs_that_were_altered_are_found_and_nothing_is_written(tmp_path):
    """The rows of the first entry, under the last: their digest is not that of the entry."""
    published(tmp_path, DAYS[0], DAYS[4])
    with desk(tmp_path).engine.connect() as connection:
        connection.exec_driver_sql("DROP TRIGGER entries_no_update")
        connection.exec_driver_sql(
            "UPDATE entries SET inputs = (SELECT inputs FROM entries WHERE number = 1), "
            "basis = NULL WHERE number = 5"
        )
        connection.commit()

    with pytest.raises(LedgerError, match="entry 5, revision 1"):
        reported(tmp_path)
    assert not (tmp_path / "out" / "trio" / "report").exists()


def test_content_that_was_altered_is_found(tmp_path):
    published(tmp_path, DAYS[0], DAYS[4])
    with desk(tmp_path).engine.connect() as connection:
        connection.exec_driver_sql("DROP TRIGGER entries_no_update")
        connection.exec_driver_sql("UPDATE entries SET content = 'x', code = 'x' WHERE number = 5")
        connection.commit()

    with pytest.raises(LedgerError, match=r"is another.*published by another version"):
        reported(tmp_path)


def test_reports_stand_beside_published_files(tmp_path):
    published(tmp_path, DAYS[0], DAYS[4])
    made = reported(tmp_path)
    folder = tmp_path / "out" / "trio" / "report" / "20260306_r1"

    assert {path.parent for path in made.files} == {folder}
    assert (folder / "trio_20260306_r1.xlsx").is_file()
    page = (folder / "trio_20260306_r1.html").read_text(encoding="utf-8")
    assert made.record.digest[:12] in page
    assert verify(desk(tmp_path).engine, out=tmp_path / "out").files


def test_a_report_as_known_at_an_instant_has_a_folder_of_its_own(tmp_path):
    """What was published of earlier sessions by then is another thing than what stands now."""
    published(tmp_path, DAYS[0], DAYS[4])
    now = {path: path.read_bytes() for path in reported(tmp_path).files}
    made = reported(tmp_path, known_at=LATER)
    name = "20260306_r1_at_20260410T080000Z"

    assert {path.parent.name for path in made.files} == {name}
    assert made.files[0].name == f"trio_{name}.html"
    assert {path: path.read_bytes() for path in now} == now


def test_reports_as_known_at_two_instants_of_one_second_are_two(tmp_path):
    published(tmp_path, DAYS[0], DAYS[4])
    one, other = (reported(tmp_path, known_at=LATER.replace(microsecond=n)) for n in (1, 20))

    assert not set(one.files) & set(other.files)


def test_the_same_report_has_the_same_bytes(tmp_path):
    published(tmp_path, DAYS[0], DAYS[4])
    first = {path: path.read_bytes() for path in reported(tmp_path).files}

    assert {path: path.read_bytes() for path in reported(tmp_path).files} == first


def test_with_a_mark_of_byte_order_every_table_has_one(tmp_path):
    published(tmp_path, DAYS[0], DAYS[4])
    tables = [path for path in reported(tmp_path, bom=True).files if path.suffix == ".csv"]

    assert len(tables) == 6
    assert all(path.read_bytes().startswith(b"\xef\xbb\xbf") for path in tables)
    assert pl.read_csv(tables[0])["level"].to_list() == levels(tmp_path)


def test_a_report_that_cannot_be_drawn_leaves_the_last_one(tmp_path, monkeypatch):
    published(tmp_path, DAYS[0], DAYS[4])
    first = {path: path.read_bytes() for path in reported(tmp_path).files}
    monkeypatch.setattr(module, "index_workbook", lambda *_: 1 / 0)

    with pytest.raises(ZeroDivisionError):
        reported(tmp_path)
    assert {path: path.read_bytes() for path in first} == first
