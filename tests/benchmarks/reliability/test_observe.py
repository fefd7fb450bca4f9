"""What a folder of publication is told by, whoever was first in it."""

from hashlib import sha256

from benchmarks.reliability.observe import (
    LEDGER,
    MANIFEST,
    digest_of,
    ledger_bundles,
    ledger_rows,
)
from tests.ledger.chain import appended, entry, ledger


def published(folder, *subjects):
    """Return the rows and the bundles of a ledger in which these were published one by one."""
    folder.mkdir()
    engine = ledger(folder)
    for subject in subjects:
        appended(engine, entry(subject=subject, basis=None))
    engine.dispose()
    (file,) = folder.glob("*.db")
    return ledger_rows(file), ledger_bundles(file)


def test_whoever_was_published_first_the_bundles_are_the_same(tmp_path):
    rows, bundles = published(tmp_path / "one", "alpha", "beta")
    other_rows, others = published(tmp_path / "other", "beta", "alpha")

    assert rows != other_rows
    assert bundles == others
    assert sorted(bundles) == ["index alpha", "index beta"]


def test_another_revision_is_another_bundle(tmp_path):
    _, bundles = published(tmp_path / "one", "alpha")
    _, more = published(tmp_path / "other", "alpha", "alpha")

    assert bundles != more


def test_no_ledger_has_no_bundles(tmp_path):
    assert ledger_bundles(tmp_path / LEDGER) == {}


def filed(folder, text, listed=None):
    """Return the digests of a published file and of a manifest that lists it, or other text."""
    folder.mkdir()
    (folder / "one.csv").write_text(text)
    digest = sha256((text if listed is None else listed).encode()).hexdigest()
    (folder / MANIFEST).write_text(f"# files\n{digest}  one.csv\n")
    return digest_of(folder / "one.csv"), digest_of(folder / MANIFEST)


FIRST, SECOND = (f"level,1000.5,2026-01-05T10:00:00.00000{n}Z\n" for n in (0, 1))


def test_whoever_was_published_first_the_files_are_the_same(tmp_path):
    assert filed(tmp_path / "one", FIRST) == filed(tmp_path / "other", SECOND)


def test_a_file_with_another_level_is_another_and_its_manifest_too(tmp_path):
    file, manifest = filed(tmp_path / "one", FIRST)
    other, listing = filed(tmp_path / "other", FIRST.replace("1000.5", "1000.6"))

    assert file != other
    assert manifest != listing


def test_a_manifest_that_lists_what_its_file_is_not_is_another(tmp_path):
    _, manifest = filed(tmp_path / "one", FIRST)
    _, stale = filed(tmp_path / "other", FIRST, listed=SECOND)

    assert manifest != stale
