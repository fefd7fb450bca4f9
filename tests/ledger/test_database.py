"""Where a ledger lives, and what is said where there is none, or somebody else has it."""

import contextlib
import errno
import fcntl
import os
import runpy
import sqlite3
import stat
import sys
import threading
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from indexer.cli.exits import exit_code
from indexer.errors import LedgerError, MissingInputError, OutputError, TryAgainError, UsageError
from indexer.ledger import database as module
from indexer.ledger import faults, heads
from indexer.ledger.database import (
    SCHEMA,
    SCHEMAS,
    NoLedgerError,
    name_of,
    open_ledger,
    publishing,
    reading,
)
from indexer.ledger.entry import FIRST
from indexer.ledger.publish import append
from indexer.ledger.tables import metadata
from indexer.ledger.verify import check_chain, check_database
from tests.ledger.chain import DEFINITION, DIGEST, MORNING, OLDER, appended, changed, entry, ledger


def fault(url, kind, *, create=True):
    """Open a ledger, which must fail in one way; return the exit code and what is said."""
    with pytest.raises(kind) as caught:
        open_ledger(url, create=create)
    return exit_code([caught.value]), str(caught.value)


@pytest.mark.attack("F7")
@pytest.mark.parametrize(
    "url",
    [
        "", "nonsense", "nodialect://u:secret@h/x", "mysql://u:secret@h/x",
        "postgresql://u:secret@host:port/db",
    ],
)  # fmt: skip
def test_a_url_that_is_none_is_refused_without_its_password(url):
    code, text = fault(url, UsageError)

    assert code == 2
    assert "sec" not in text


@pytest.mark.parametrize("url", ["nonsense", "nodialect://h/x", "mysql://h/x", "postgres://h/x"])
def test_what_a_ledger_can_be_kept_in_is_told(url):
    """Whatever SQLAlchemy could reach besides."""
    _, text = fault(url, UsageError)

    assert "write sqlite:///FILE, or postgresql://USER@HOST/DATABASE" in text


def test_a_server_that_does_not_answer_is_to_be_tried_again():
    code, text = fault("postgresql://u:secret@127.0.0.1:1/db", TryAgainError)

    assert code == 75
    assert "secret" not in text


@pytest.mark.parametrize("scheme", ["postgresql", "postgresql+psycopg"])
def test_a_driver_that_is_not_installed_is_named_with_its_extra(monkeypatch, scheme):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    code, text = fault(f"{scheme}://u@127.0.0.1:1/db", MissingInputError)

    assert code == 66
    assert text == "psycopg: is not installed: in the checkout, pip install '.[postgres]'"


def test_a_driver_that_is_of_no_extra_is_not_offered_one(monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg2", None)

    assert fault("postgresql+psycopg2://u@127.0.0.1:1/db", UsageError)[0] == 2


@pytest.mark.parametrize("create", [True, False])
@pytest.mark.parametrize(
    ("user", "name", "told"),
    [("indexer", "none", 'database "none" does not'), ("ada", "postgres", 'role "ada" does not')],
)
def test_what_a_server_does_not_know_is_not_to_be_tried_again(server, user, name, told, create):
    url = f"{server}/{name}".replace("//indexer:", f"//{user}:")
    code, text = fault(url, MissingInputError, create=create)

    assert (code, told in text, "mend the URL" in text) == (66, True, True)
    assert "secret" not in text


def driven(reason):
    """Return what is made of the text with which a connection to a server fails."""
    failed = sa.exc.OperationalError("", None, sqlite3.OperationalError(reason))
    return type(faults.fault(failed, "postgresql://u@h/db", None))


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        ("failed to resolve host 'h': [Errno -2] Name or service not known", MissingInputError),
        ("failed to resolve host 'h': [Errno -3] Temporary failure in name", TryAgainError),
        ('could not translate host name "h" to address: No address', MissingInputError),
        ('FATAL:  password authentication failed for user "u"', MissingInputError),
        ("permission denied for schema public", MissingInputError),
        ("FATAL:  the database system is starting up", TryAgainError),
        ("FATAL:  sorry, too many clients already", TryAgainError),
    ],
)
def test_only_what_passes_is_to_be_tried_again(reason, kind):
    assert driven(reason) is kind


@pytest.mark.attack("F7")
def test_no_password_among_the_options_is_told():
    url = "postgresql://u:one@h/db?sslpassword=two&password=three&application_name=x"
    name = name_of(sa.create_engine(url))

    assert not {"one", "two", "three"} & set(name.replace("=", "&").split("&"))
    assert "one" not in name
    assert "application_name=x" in name


@pytest.mark.parametrize("create", [True, False])
def test_a_folder_in_its_place_is_refused(tmp_path, create):
    code, text = fault(f"sqlite:///{tmp_path}", LedgerError, create=create)

    assert (code, "is a folder" in text) == (65, True)


def test_a_folder_that_is_missing_is_told(tmp_path):
    code, text = fault(f"sqlite:///{tmp_path / 'no' / 'ledger.db'}", MissingInputError)

    assert (code, "no such folder" in text) == (66, True)


def test_a_ledger_that_is_not_there_is_not_made_by_reading(tmp_path):
    file = tmp_path / "ledger.db"
    code, text = fault(f"sqlite:///{file}", MissingInputError, create=False)

    assert (code, "publish first" in text, file.exists()) == (66, True, False)


def test_an_empty_database_is_no_ledger_to_read(tmp_path):
    file = tmp_path / "ledger.db"
    sqlite3.connect(file).close()
    file.touch()

    assert "holds no ledger" in fault(f"sqlite:///{file}", MissingInputError, create=False)[1]


@pytest.mark.parametrize("create", [True, False])
def test_a_file_that_is_no_database_is_refused(tmp_path, create):
    file = tmp_path / "ledger.db"
    file.write_bytes(b"symbol,date,close\n" * 500)
    code, text = fault(f"sqlite:///{file}", LedgerError, create=create)

    assert (code, "not a database" in text) == (65, True)


def test_a_ledger_of_a_newer_version_is_not_touched(tmp_path):
    ledger(tmp_path).dispose()
    file = tmp_path / "ledger.db"
    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    before = file.read_bytes()
    code, text = fault(f"sqlite:///{file}", LedgerError)

    assert (code, "newer version" in text, SCHEMA in text) == (65, True, True)
    assert file.read_bytes() == before


@pytest.mark.parametrize("create", [True, False])
@pytest.mark.parametrize("told", ["'0000'", "''", "'abcd'", "'00020'", "x'30303031'", "'०००३'"])
def test_a_version_that_never_was_is_damage(tmp_path, told, create):
    engine = ledger(tmp_path)
    changed(engine, f"UPDATE alembic_version SET version_num = {told}")  # noqa: S608
    code, text = fault(str(engine.url), LedgerError, create=create)

    assert (code, "the database is damaged: it says that its schema is " in text) == (65, True)
    assert "of 0001, 0002" in text


@pytest.mark.parametrize("create", [True, False])
@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("DELETE FROM alembic_version", "nothing"),
        ("INSERT INTO alembic_version VALUES ('0001')", "'0001' and '0002'"),
    ],
)
def test_a_ledger_that_does_not_say_its_version_once_is_damaged(tmp_path, change, told, create):
    engine = ledger(tmp_path)
    changed(engine, change)
    code, text = fault(str(engine.url), LedgerError, create=create)

    assert (code, f"damaged: it says that its schema is {told}, not one" in text) == (65, True)


@pytest.mark.parametrize("create", [True, False])
@pytest.mark.parametrize(
    "left", ["DROP INDEX entries_of_subject", "ALTER TABLE entries DROP COLUMN source", "SELECT 1"]
)
def test_tables_that_are_newer_than_the_version_says_are_damage(tmp_path, left, create):
    """The next publication could not bring them up to date, however often it is tried."""
    engine = ledger(tmp_path)
    changed(engine, "UPDATE alembic_version SET version_num = '0001'", left)
    code, text = fault(str(engine.url), LedgerError, create=create)

    assert (code, "its schema is '0001', yet its tables are newer" in text) == (65, True)


@pytest.mark.parametrize("create", [True, False])
def test_an_older_ledger_without_its_entries_is_damaged(tmp_path, create):
    url = older(tmp_path)
    with contextlib.closing(sqlite3.connect(tmp_path / "ledger.db")) as other:
        other.execute("DROP TABLE entries")
    code, text = fault(url, LedgerError, create=create)

    assert (code, "its schema is '0001', yet there is no table entries" in text) == (65, True)


def test_tables_of_somebody_else_are_not_to_be_tried_again(tmp_path):
    file = tmp_path / "ledger.db"
    with contextlib.closing(sqlite3.connect(file)) as other:
        other.execute("CREATE TABLE levels (name TEXT)")
    code, text = fault(f"sqlite:///{file}", LedgerError)

    assert (code, "table levels already exists" in text) == (65, True)


def test_the_versions_that_are_known_are_those_of_the_migrations():
    files = Path(module.__file__).with_name("migrations").glob("versions/ledger_*.py")

    assert tuple(sorted(path.stem.removeprefix("ledger_") for path in files)) == SCHEMAS


def older(folder):
    """Return a ledger with one entry as the first version of the schema had it."""
    engine = ledger(folder)
    appended(engine, entry())
    changed(engine, *OLDER)
    return f"sqlite:///{folder / 'ledger.db'}"


def test_where_nothing_may_be_written_there_is_no_use_in_trying_again(tmp_path, monkeypatch):
    allowed = os.access
    monkeypatch.setattr(os, "access", lambda path, how: path != tmp_path and allowed(path, how))
    monkeypatch.setattr(sqlite3.dbapi2, "connect", unopened)

    with pytest.raises(OutputError, match=f"{tmp_path}: cannot be written: it is not allowed"):
        open_ledger(f"sqlite:///{tmp_path / 'ledger.db'}", create=True)


def unopened(*_, **__):
    raise sqlite3.OperationalError("unable to open database file")


def test_an_older_ledger_is_brought_up_to_date_by_the_next_publication(tmp_path):
    engine = open_ledger(older(tmp_path), create=True)
    indices = sa.inspect(engine).get_indexes("entries")

    assert "entries_of_subject" in {index["name"] for index in indices}
    with reading(engine) as connection:
        assert check_chain(connection)[0] == 1


def test_a_new_ledger_has_the_tables_as_they_are_told(tmp_path):
    """Columns with their types, what may be null, keys and indices."""
    with ledger(tmp_path).connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})

        assert compare_metadata(context, metadata) == []


def test_there_is_no_ledger_in_memory_to_read():
    with pytest.raises(NoLedgerError, match="holds no ledger"):
        open_ledger("sqlite://", read_only=True)


def test_an_older_ledger_is_not_changed_by_reading(tmp_path):
    code, text = fault(older(tmp_path), MissingInputError, create=False)

    assert (code, "the next publication brings it up to date" in text) == (66, True)


def test_the_entry_appended_last_is_found_without_reading_the_others(tmp_path):
    """As it was, an evening of the twentieth year cost five times one of the first."""
    engine = ledger(tmp_path)
    question = str(heads._BY_NUMBER.compile(engine))
    with reading(engine) as connection:
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {question}", ("a",) * 4)

        assert [row[3] for row in plan] == [
            "SEARCH entries USING INDEX entries_of_subject (kind=? AND subject=?)"
        ]


def test_a_new_ledger_is_empty_and_sound(tmp_path):
    with reading(ledger(tmp_path)) as connection:
        check_database(connection)
        assert check_chain(connection) == (0, FIRST)


@pytest.mark.attack("F5")
def test_a_commit_survives_a_power_cut_by_the_settings_of_the_database(tmp_path):
    with reading(ledger(tmp_path)) as connection:
        told = [connection.exec_driver_sql(f"PRAGMA {name}").scalar()
                for name in ("journal_mode", "synchronous", "foreign_keys")]  # fmt: skip

    assert told == ["delete", 3, 1]


@pytest.mark.attack("F5")
def test_a_write_ahead_log_that_somebody_has_begun_is_ended_by_the_next_publication(tmp_path):
    """Before 3.51.3 SQLite could lose a ledger in one that two processes write to."""
    engine = ledger(tmp_path)
    engine.dispose()
    with contextlib.closing(sqlite3.connect(tmp_path / "ledger.db")) as other:
        assert other.execute("PRAGMA journal_mode=WAL").fetchone() == ("wal",)
    appended(engine, entry())

    assert {path.name for path in tmp_path.iterdir()} == {"ledger.db", "ledger.db.lock"}
    with reading(engine) as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "delete"


def test_a_reader_sees_one_state(tmp_path):
    engine = ledger(tmp_path)
    appended(engine, entry())
    with reading(engine) as connection:
        before = check_chain(connection)

        assert check_chain(connection) == before


def test_a_publisher_waits_for_its_turn_and_no_longer(tmp_path):
    engine = ledger(tmp_path)
    with publishing(engine), pytest.raises(TryAgainError, match="another publisher has held it"):
        publishing(engine, patience=0.05).__enter__()


def test_a_publisher_waits_a_minute_for_whoever_reads(tmp_path):
    with publishing(ledger(tmp_path)) as connection:
        assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar() == 60_000


def test_a_link_in_the_place_of_the_lock_is_not_followed(tmp_path):
    """Somebody else's file would be made, or held."""
    ledger(tmp_path).dispose()
    lock, other = tmp_path / "ledger.db.lock", tmp_path / "other"
    lock.unlink()
    lock.symlink_to(other)
    engine = open_ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    with pytest.raises(TryAgainError, match="symbolic links"):
        publishing(engine).__enter__()

    assert not other.exists()


def test_there_is_one_turn_whichever_way_to_the_ledger_is_taken(tmp_path):
    engine = ledger(tmp_path)
    (tmp_path / "link.db").symlink_to(tmp_path / "ledger.db")
    other = open_ledger(f"sqlite:///{tmp_path / 'link.db'}")
    with publishing(engine), pytest.raises(TryAgainError, match="another publisher has held it"):
        publishing(other, patience=0.05).__enter__()


def test_who_waits_gets_the_turn_when_it_is_free(tmp_path):
    engine = ledger(tmp_path)
    free, done = threading.Event(), []

    def hold():
        with publishing(engine):
            free.set()
            free_again.wait(5)

    free_again = threading.Event()
    holder = threading.Thread(target=hold)
    holder.start()
    free.wait(5)
    threading.Timer(0.05, free_again.set).start()
    done += appended(engine, entry())
    holder.join()

    assert [e.number for e in done] == [1]


def test_who_gave_up_leaves_the_turn_to_others(tmp_path):
    engine = ledger(tmp_path)
    with publishing(engine), pytest.raises(TryAgainError):
        publishing(engine, patience=0.01).__enter__()

    assert appended(engine, entry())[0].number == 1


def test_a_turn_that_comes_as_patience_ends_is_taken(tmp_path, monkeypatch):
    """The thread that waited has the lock, and is not over yet."""
    waits = threading.Event()

    class Late(threading.Thread):
        def start(self):
            super().start()
            waits.set()

        def is_alive(self):
            self.join(5)
            assert self.daemon  # one that waits for ever must not keep the program
            return True

    engine = ledger(tmp_path)
    with publishing(engine):
        done = threading.Thread(target=lambda: appended(engine, entry()), daemon=True)
        monkeypatch.setattr(threading, "Thread", Late)
        done.start()
        waits.wait(5)
    done.join(5)

    assert not done.is_alive()
    assert heads.last_number(engine.connect()) == 1


@pytest.mark.parametrize("asked", ["at once", "while another holds it"])
def test_a_lock_that_the_system_does_not_give_is_no_turn(tmp_path, monkeypatch, asked):
    engine, flock, at_once = ledger(tmp_path), fcntl.flock, fcntl.LOCK_EX | fcntl.LOCK_NB

    def none_left(handle, how):
        if how == at_once and asked == "while another holds it":
            return flock(handle, how)
        raise OSError(errno.ENOLCK, "No locks available")

    with publishing(engine), monkeypatch.context() as without:
        without.setattr(fcntl, "flock", none_left)
        handles = len(os.listdir("/proc/self/fd"))
        with pytest.raises(TryAgainError, match="No locks available"):
            publishing(engine).__enter__()

        assert len(os.listdir("/proc/self/fd")) == handles


def test_publishers_of_all_versions_take_turns_at_one_lock_of_postgresql():
    assert module._TURN == 7310894311706259304


def test_a_lock_of_sqlite_is_to_be_tried_again(tmp_path):
    engine = ledger(tmp_path)
    other = sqlite3.connect(tmp_path / "ledger.db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA busy_timeout = 1")
    with pytest.raises(TryAgainError, match="locked"), reading(engine) as connection:
        check_chain(connection)
    other.close()


def test_two_publishers_take_turns_on_postgresql(database):
    engine = open_ledger(database("turns"), create=True)
    with publishing(engine), pytest.raises(TryAgainError, match="lock timeout"):
        publishing(engine, patience=0.05).__enter__()
    appended(engine, entry())
    engine.dispose()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("DROP TABLE levels", 'relation "levels" does not exist'),
        ("ALTER TABLE levels DROP COLUMN level_exact", "level_exact does not exist"),
    ],
)
def test_a_table_or_column_that_postgresql_lacks_is_damage(database, change, told):
    engine = open_ledger(database("gone"), create=True)
    appended(engine, entry())
    with engine.begin() as connection:
        connection.exec_driver_sql(change)
    with pytest.raises(LedgerError, match=told), reading(engine) as connection:
        check_chain(connection)
    engine.dispose()


def test_a_lock_that_cannot_be_taken_is_to_be_tried_again(tmp_path):
    engine = ledger(tmp_path)
    lock = tmp_path / "ledger.db.lock"
    lock.unlink()
    lock.mkdir()
    with pytest.raises(TryAgainError, match="Is a directory"):
        publishing(engine).__enter__()


def test_what_the_system_does_not_allow_and_nobody_knows_why_is_to_be_tried_again(
    tmp_path, monkeypatch
):
    engine = ledger(tmp_path)
    monkeypatch.setattr(os, "open", forbidden)
    with pytest.raises(TryAgainError, match="Permission denied"):
        publishing(engine).__enter__()


def test_a_lock_that_is_not_allowed_there_is_no_use_in_trying_again(tmp_path, monkeypatch):
    engine, allowed = ledger(tmp_path), os.access
    monkeypatch.setattr(os, "open", forbidden)
    monkeypatch.setattr(os, "access", lambda path, how: path != tmp_path and allowed(path, how))
    with pytest.raises(OutputError, match=f"{tmp_path}: cannot be written: it is not allowed"):
        publishing(engine).__enter__()


def test_a_ledger_that_may_not_be_read_is_told_as_that(tmp_path, monkeypatch):
    engine, file, allowed = ledger(tmp_path), tmp_path / "ledger.db", os.access
    monkeypatch.setattr(os, "access", lambda path, how: path != file and allowed(path, how))
    told = faults.fault(PermissionError(errno.EACCES, "Permission denied"), "it", file)
    engine.dispose()

    assert isinstance(told, MissingInputError)
    assert str(told) == f"{file}: cannot be read: it is not allowed"


def test_a_lock_is_nobodys_to_hold_who_may_not_read_the_ledger(tmp_path):
    before = os.umask(0)
    try:
        ledger(tmp_path).dispose()
    finally:
        os.umask(before)

    assert stat.S_IMODE((tmp_path / "ledger.db.lock").stat().st_mode) == 0o640


def forbidden(*_, **__):
    raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


def test_where_the_system_has_no_such_lock_that_of_sqlite_has_to_do(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "fcntl", None)
    elsewhere = runpy.run_path(module.__file__)
    engine = elsewhere["open_ledger"](f"sqlite:///{tmp_path / 'ledger.db'}", create=True)
    with elsewhere["publishing"](engine) as connection:
        append(connection, [entry()], MORNING, {DIGEST: DEFINITION})
    engine.dispose()

    assert sorted(path.name for path in tmp_path.iterdir()) == ["ledger.db"]
