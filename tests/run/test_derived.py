"""Published files are the ledger's, byte for byte, whatever becomes of them."""

import errno
import hashlib
import os
import shutil
import subprocess
from datetime import timedelta
from threading import Thread

import pytest

from indexer.errors import LedgerError, OutputError
from indexer.folders import turn
from indexer.ledger.database import reading
from indexer.ledger.history import COLUMNS, history_rows
from indexer.run import derived, publication
from indexer.run import verify as verification
from indexer.run.decisions import retire
from indexer.run.derived import check_folder, export
from indexer.run.publication import Asked
from indexer.run.publish import record
from indexer.run.report import report
from indexer.run.verify import verify
from tests.run.desk import (
    DAYS,
    NOON,
    SYMBOLS,
    candidate,
    corrected,
    desk,
    files,
    folder,
    ledger_url,
    moved,
    prices,
    published,
    told,
)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Return a folder with six sessions published, one of them corrected."""
    path = tmp_path_factory.mktemp("made")
    published(path, DAYS[0], DAYS[5])
    corrected(path, folder(path / "market", prices(**moved(SYMBOLS[0], DAYS[5], 10))))
    return path


@pytest.fixture
def path(made, tmp_path):
    """Return a copy of it."""
    return shutil.copytree(made, tmp_path / "copy")


def again(path):
    """Publish once more what is published."""
    return published(path, DAYS[0], DAYS[5], market=path / "market", now=NOON + timedelta(3))


NAMES = [
    *(f"trio_{day:%Y%m%d}_r1.csv" for day in DAYS[:6]),
    f"trio_{DAYS[5]:%Y%m%d}_r2.csv",
    "MANIFEST.sha256",
    "latest.csv",
]


def test_files_are_named_by_index_session_and_revision(path):
    found = {name.removeprefix("trio/") for name in files(path / "out")}

    assert {name for name in found if not name.startswith("restatement_")} == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_file_that_was_deleted_is_written_again_by_the_next_run(path, name):
    before = files(path / "out")
    (path / "out" / "trio" / name).unlink()
    again(path)

    assert files(path / "out") == before


def test_all_files_deleted_are_written_again_by_the_next_run(path):
    before = files(path / "out")
    shutil.rmtree(path / "out")
    again(path)

    assert files(path / "out") == before


def test_an_export_is_byte_for_byte_what_was_published(path):
    export(desk(path).engine, path / "elsewhere")

    assert files(path / "elsewhere") == files(path / "out")


def test_an_export_that_waits_has_what_is_published_meanwhile(path):
    with turn(path / "out" / "trio"):
        exporting = Thread(target=export, args=(desk(path).engine, path / "out"))
        exporting.start()
        exporting.join(0.5)  # it has asked what there is, and waits for its turn
        record(desk(path, NOON + timedelta(3)), candidate(path), [DAYS[6]], lambda _: ())
    exporting.join(30)

    assert DAYS[6].isoformat() in (path / "out" / "trio" / "latest.csv").read_text(encoding="utf-8")


def test_an_export_mends_what_was_altered(path):
    before = files(path / "out")
    for name in NAMES:
        (path / "out" / "trio" / name).write_text("altered", encoding="utf-8")
    export(desk(path).engine, path / "out")

    assert files(path / "out") == before


def test_the_manifest_is_read_by_sha256sum(path):
    command = ["sha256sum", "--check", "--strict", "--quiet", "MANIFEST.sha256"]
    found = subprocess.run(command, cwd=path / "out" / "trio", check=False, capture_output=True)

    assert (found.returncode, found.stdout) == (0, b"")


def test_the_manifest_lists_every_file_of_a_session_and_every_notice(path):
    text = (path / "out" / "trio" / "MANIFEST.sha256").read_text(encoding="utf-8")
    listed = {line.split("  ")[1] for line in text.splitlines()[1:]}

    assert "schema 1" in text.splitlines()[0]
    assert listed == set(os.listdir(path / "out" / "trio")) - {"MANIFEST.sha256", "latest.csv"}


def test_the_latest_is_the_last_session_as_it_is_in_force(path):
    out = path / "out" / "trio"

    assert (out / "latest.csv").read_bytes() == (out / NAMES[6]).read_bytes()


def test_a_gap_filled_later_does_not_become_the_latest(path):
    other = path / "other"
    other.mkdir()
    published(other, DAYS[5])
    published(other, DAYS[2])

    assert (other / "out" / "trio" / "latest.csv").read_text("utf-8").splitlines()[1].startswith(
        DAYS[5].isoformat()
    )  # fmt: skip


def test_a_file_has_the_columns_and_cells_of_the_history(path):
    with reading(desk(path).engine) as connection:
        row = history_rows(connection, "trio")[0]
    text = (path / "out" / "trio" / NAMES[0]).read_bytes().decode()

    assert text == f"{','.join(COLUMNS)}\n{','.join(map(str, row))}\n"


def test_the_exact_level_of_a_file_reads_back(path):
    with reading(desk(path).engine) as connection:
        exact = [row[3] for row in history_rows(connection, "trio")]
    read = [
        float((path / "out" / "trio" / name).read_text("utf-8").splitlines()[1].split(",")[3])
        for name in (*NAMES[:5], NAMES[6])
    ]

    assert read == exact


def test_nothing_temporary_is_left(path):
    again(path)

    assert not [name for name in os.listdir(path / "out" / "trio") if name.startswith(".")]


# --- what stands in the way -------------------------------------------------------------------

NEW = f"trio_{DAYS[6]:%Y%m%d}_r1.csv"


def next_one(path):
    return published(path, DAYS[6], market=path / "market")


@pytest.mark.attack("B2")
def test_a_folder_in_the_way_of_a_file_is_told_and_the_level_is_safe(path):
    (path / "out" / "trio" / NEW).mkdir()
    outcome = next_one(path)

    assert isinstance(outcome.error, OutputError)
    assert told(path)[-1][0] == DAYS[6].isoformat()


def test_the_next_run_writes_what_could_not_be_written(path):
    (path / "out" / "trio" / NEW).mkdir()
    next_one(path)
    (path / "out" / "trio" / NEW).rmdir()

    assert next_one(path).state == "unchanged"
    assert verify(desk(path).engine, out=path / "out").files


def test_a_failed_run_leaves_the_files_there_were(path):
    before = files(path / "out")
    (path / "out" / "trio" / NEW).mkdir()
    next_one(path)

    assert files(path / "out") == before


@pytest.mark.attack("B2")
@pytest.mark.parametrize("name", [NEW, "latest.csv", "MANIFEST.sha256"])
def test_a_link_in_the_way_is_not_followed(path, name):
    target, link = path / "target", path / "out" / "trio" / name
    target.write_text("mine", encoding="utf-8")
    link.unlink(missing_ok=True)
    link.symlink_to(target)
    next_one(path)

    assert target.read_text(encoding="utf-8") == "mine"
    assert not link.is_symlink()


@pytest.mark.attack("B2")
@pytest.mark.parametrize("name", NAMES)
def test_a_pipe_in_the_place_of_a_file_is_replaced_by_the_next_run(path, name):
    before = files(path / "out")
    piped(path / "out" / "trio" / name)
    again(path)

    assert files(path / "out") == before


def piped(file):
    """Put a pipe in the place of a file; nobody ever writes to it."""
    file.unlink()
    os.mkfifo(file)


def test_a_folder_in_the_place_of_a_published_file_is_told(path):
    """It was taken for the file, whose digest the manifest has."""
    (path / "out" / "trio" / NAMES[0]).unlink()
    (path / "out" / "trio" / NAMES[0]).mkdir()

    assert isinstance(again(path).error, OutputError)


def test_a_file_in_the_way_of_the_folder_is_told(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "trio").write_text("mine", encoding="utf-8")
    outcome = published(tmp_path, DAYS[0])

    assert isinstance(outcome.error, OutputError)
    assert outcome.error.reason == os.strerror(errno.EEXIST)
    assert (tmp_path / "out" / "trio").read_text(encoding="utf-8") == "mine"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_told(path):
    (path / "out" / "trio").chmod(0o500)
    outcome = next_one(path)
    (path / "out" / "trio").chmod(0o700)

    assert isinstance(outcome.error, OutputError)


def test_a_manifest_that_is_not_ours_is_replaced(path):
    before = files(path / "out")
    (path / "out" / "trio" / "MANIFEST.sha256").write_bytes(b"\xff\xfe nonsense")
    again(path)

    assert files(path / "out") == before


# --- verification -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_a_file_that_differs_in_one_byte_is_named(path, name):
    file = path / "out" / "trio" / name
    text = bytearray(file.read_bytes())
    text[len(text) // 2] ^= 1
    file.write_bytes(text)

    with pytest.raises(LedgerError, match=f"{name}: is not what was published|{name}: .*cannot"):
        verify(desk(path).engine, out=path / "out")


@pytest.mark.parametrize("name", NAMES)
def test_a_file_that_is_missing_is_named(path, name):
    (path / "out" / "trio" / name).unlink()

    with pytest.raises(LedgerError, match=f"{name}: is missing"):
        verify(desk(path).engine, out=path / "out")


@pytest.mark.attack("B2")
@pytest.mark.parametrize("name", NAMES)
def test_a_pipe_in_the_place_of_a_file_is_named_and_not_waited_for(path, name):
    piped(path / "out" / "trio" / name)

    with pytest.raises(LedgerError, match=f"{name}: is missing or cannot be read"):
        verify(desk(path).engine, out=path / "out")


def test_a_file_that_was_never_published_is_named(path):
    (path / "out" / "trio" / "trio_20260310_r1.csv").write_text("made up", encoding="utf-8")

    with pytest.raises(
        LedgerError, match=r"trio_20260310_r1\.csv: is named like a published file, and this ledger"
    ):
        verify(desk(path).engine, out=path / "out")


@pytest.mark.parametrize("name", ["levels.csv", "summary.json", "trio.xlsx", "trio_notes.txt"])
def test_what_is_not_named_like_a_published_file_may_lie_beside_them(path, name):
    """What `build` writes of the same index, by default into the same folder."""
    (path / "out" / "trio" / name).write_text("made up", encoding="utf-8")

    assert verify(desk(path).engine, out=path / "out").files


def test_a_notice_that_was_never_published_is_named(path):
    (path / "out" / "trio" / "restatement_x.txt").write_text("made up", encoding="utf-8")

    with pytest.raises(LedgerError, match=r"restatement_x\.txt: is named like a published file"):
        verify(desk(path).engine, out=path / "out")


def older(path, tmp_path):
    """Publish one session more, and put back a copy of the ledger from before it."""
    shutil.copy(path / "ledger.db", tmp_path / "older.db")
    next_one(path)
    shutil.copy(tmp_path / "older.db", path / "ledger.db")


def test_a_ledger_older_than_its_files_is_found_by_them(path, tmp_path):
    """As from a copy that was put back: its chain is sound."""
    older(path, tmp_path)

    assert verify(desk(path).engine).entries == 7
    with pytest.raises(
        LedgerError, match=f"{NEW}: is named like a published file, and this ledger"
    ):
        verify(desk(path).engine, out=path / "out")


@pytest.mark.parametrize("days", [(DAYS[6], DAYS[6]), (DAYS[7], DAYS[7])], ids=["it", "the next"])
def test_a_ledger_older_than_its_files_publishes_no_second_level_of_a_session(path, tmp_path, days):
    older(path, tmp_path)
    before = files(path / "out")
    outcome = published(path, *days, market=path / "market")

    assert [(r.rule, NEW in r.message) for r in outcome.error.refusals] == [("R37", True)]
    assert files(path / "out") == before
    assert verify(desk(path).engine).entries == 7


def test_a_ledger_that_had_another_level_of_the_last_session_publishes_nothing(path, tmp_path):
    """Both have that session: somebody published it again after a copy was put back."""
    older(path, tmp_path)
    shutil.move(path / "out", tmp_path / "out")
    changed = moved(SYMBOLS[0], DAYS[5], 10) | moved(SYMBOLS[0], DAYS[6], 10)
    market = folder(tmp_path / "other", prices(**changed))
    published(path, DAYS[6], market=market)
    shutil.rmtree(path / "out")
    shutil.move(tmp_path / "out", path / "out")
    outcome = published(path, DAYS[7], market=market)

    assert [refusal.rule for refusal in outcome.error.refusals] == ["R37"]


def test_a_restatement_is_refused_beside_files_of_another_ledger(path, tmp_path):
    older(path, tmp_path)

    with pytest.raises(LedgerError, match=f"{NEW} was published, and not by this ledger"):
        corrected(path, folder(tmp_path / "new", prices(**moved(SYMBOLS[0], DAYS[3], 10))))


def test_nothing_is_retired_beside_files_of_another_ledger(path, tmp_path):
    older(path, tmp_path)

    with pytest.raises(LedgerError, match=f"{NEW} was published, and not by this ledger"):
        retire("trio", "over", desk(path, by="Ada"))
    assert verify(desk(path).engine).entries == 7


def test_an_export_forgets_no_file_of_another_ledger(path, tmp_path):
    """Else the session could be published again, beside its first level."""
    older(path, tmp_path)

    with pytest.raises(LedgerError, match=f"{NEW} was published, and not by this ledger"):
        export(desk(path).engine, path / "out")


def test_files_of_another_ledger_are_known_without_their_manifest(path, tmp_path):
    older(path, tmp_path)
    (path / "out" / "trio" / "MANIFEST.sha256").unlink()

    assert [r.rule for r in published(path, DAYS[7], market=path / "market").error.refusals] == [
        "R37"
    ]


@pytest.fixture
def twice(path, tmp_path):
    """Return a folder whose published files another ledger has, with another level."""
    shutil.copytree(path, tmp_path / "another")
    published(path, DAYS[6], market=path / "market")
    changed = moved(SYMBOLS[0], DAYS[5], 10) | moved(SYMBOLS[0], DAYS[6], 10)
    published(tmp_path / "another", DAYS[6], market=folder(tmp_path / "other", prices(**changed)))
    shutil.rmtree(path / "out")
    shutil.copytree(tmp_path / "another" / "out", path / "out")
    return path


@pytest.mark.parametrize("lost", [[], ["MANIFEST.sha256"]], ids=["whole", "without manifest"])
def test_an_export_writes_over_no_level_that_another_ledger_published(twice, lost):
    for name in lost:
        (twice / "out" / "trio" / name).unlink()
    before = files(twice / "out")
    with pytest.raises(LedgerError, match=f"{NEW} was published, and not by this ledger"):
        export(desk(twice).engine, twice / "out")

    assert files(twice / "out") == before


@pytest.mark.parametrize("lost", [[], ["MANIFEST.sha256"]], ids=["whole", "without manifest"])
def test_nothing_is_published_beside_a_level_that_another_ledger_published(twice, lost):
    for name in lost:
        (twice / "out" / "trio" / name).unlink()
    before = files(twice / "out")
    outcome = published(twice, DAYS[7], market=twice / "market")

    assert [refusal.rule for refusal in outcome.error.refusals] == ["R37"]
    assert files(twice / "out") == before


def test_a_level_that_another_ledger_published_is_named_and_nothing_said_of_exports(twice):
    with pytest.raises(LedgerError) as caught:
        verify(desk(twice).engine, out=twice / "out")
    [told] = (str(one) for one in caught.value.refusals if NEW in str(one))

    assert "was published, and not by this ledger" in told
    assert "export" not in told


def test_a_manifest_that_tells_another_digest_of_a_file_is_what_is_wrong(path):
    manifest = path / "out" / "trio" / "MANIFEST.sha256"
    before = manifest.read_text(encoding="utf-8")
    digest = before.splitlines()[-1][:8]
    manifest.write_text(before.replace(digest, digest[::-1]), encoding="utf-8")
    export(desk(path).engine, path / "out")

    assert manifest.read_text(encoding="utf-8") == before


@pytest.mark.parametrize("lost", [[], ["MANIFEST.sha256"]], ids=["whole", "without manifest"])
def test_a_file_that_was_cut_short_is_written_again(path, lost):
    before = files(path / "out")
    for name in NAMES[:7]:
        file = path / "out" / "trio" / name
        file.write_bytes(file.read_bytes()[:-20])
    for name in lost:
        (path / "out" / "trio" / name).unlink()
    export(desk(path).engine, path / "out")

    assert files(path / "out") == before


def test_a_notice_in_the_words_of_an_older_version_is_written_again(path):
    """Its figures are those of the entries, however it is worded."""
    before, out = files(path / "out"), path / "out" / "trio"
    [notice] = out.glob("restatement_*.txt")
    older = notice.read_text(encoding="utf-8").replace("disregard", "forget")
    notice.write_text(older, encoding="utf-8")
    manifest, digest = out / "MANIFEST.sha256", hashlib.sha256(older.encode()).hexdigest()
    lines = manifest.read_text(encoding="utf-8").splitlines()
    told = [f"{digest}  {notice.name}" if line.endswith(notice.name) else line for line in lines]
    manifest.write_text("\n".join([*told, ""]), encoding="utf-8")
    export(desk(path).engine, path / "out")

    assert files(path / "out") == before


def test_files_of_an_index_are_the_ledgers_also_where_a_study_of_its_id_is_asked_for(path):
    """It is refused for its id, and not for them."""
    check_folder(desk(path).engine, path / "out", "trio", "study")


def test_an_index_first_published_while_files_are_compared_is_none_that_was_lost(path, monkeypatch):
    monkeypatch.setattr(derived, "subjects", lambda _: {})  # as it was when that began

    assert not list(derived.wrong_files(desk(path).engine, path / "out"))


@pytest.mark.parametrize("name", ["**", "[a", "plain.txt"])
def test_what_lies_in_the_folder_of_published_files_is_no_subject(path, name):
    file = path / "out" / name
    file.write_text("a note", encoding="utf-8") if "." in name else file.mkdir()

    assert verify(desk(path).engine, out=path / "out").files


def test_a_file_in_the_place_of_all_folders_is_told(path, tmp_path):
    file = tmp_path / "script"
    file.write_text("", encoding="utf-8")
    file.chmod(0o755)

    with pytest.raises(LedgerError, match="is missing or cannot be read"):
        verify(desk(path).engine, out=file)


def test_files_of_an_index_that_the_ledger_has_lost_are_named(path):
    """No entry is left to tell that there was one."""
    shutil.copytree(path / "out" / "trio", path / "out" / "lost")
    for file in (path / "out" / "lost").glob("trio_*"):
        file.rename(file.with_name(file.name.replace("trio", "lost")))

    with pytest.raises(LedgerError, match=r"lost_20260302_r1\.csv: is named like a published"):
        verify(desk(path).engine, out=path / "out")


def test_levels_are_built_again_from_a_market(path):
    found = verify(desk(path).engine, market=path / "market")

    assert found.built == 6


def test_a_market_that_gives_other_levels_is_found(path):
    other = folder(path / "other", prices(**moved(SYMBOLS[1], DAYS[3], 0.01)))

    with pytest.raises(LedgerError, match=r"trio 2026-03-05 \(entry 4, revision 1\)"):
        verify(desk(path).engine, market=other)


def test_levels_are_built_again_from_what_the_ledger_kept(path):
    """Every one, also that no longer in force."""
    shutil.rmtree(path / "market")

    assert verify(desk(path).engine, inputs=True).built == 7


def test_files_that_are_compared_keep_no_publisher_waiting(path, monkeypatch):
    """As they did on a disk that is slow, or shared."""
    read, states = derived.read_file, []

    def publishing_meanwhile(file):
        if not states:
            states.append("")
            record(desk(path, NOON + timedelta(3)), candidate(path), [DAYS[6]], lambda _: ())
            states.append("published")
        return read(file)

    monkeypatch.setattr(derived, "read_file", publishing_meanwhile)
    found = verify(desk(path).engine, out=path / "out")

    assert (states[-1], found.files) == ("published", True)


def reported(path):
    return report("trio", ledger_url(path), path / "reports", Asked())


def verified(path):
    return verify(desk(path).engine, inputs=True, market=path / "market")


@pytest.mark.parametrize(("module", "use"), [(publication, reported), (verification, verified)])
def test_what_is_built_again_keeps_no_publisher_waiting(path, monkeypatch, module, use):
    """A reader that holds on to the ledger while it builds would hold up the evening."""
    build_again, states = module.built_again, []

    def publishing_meanwhile(*asked):
        states.append(published(path, DAYS[6], market=path / "market").state)
        return build_again(*asked)

    monkeypatch.setattr(module, "built_again", publishing_meanwhile)
    use(path)

    assert states[0] == "published"
