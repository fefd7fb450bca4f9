"""What a folder of publication is told by, whoever was first in it."""

from benchmarks.reliability.observe import LEDGER, ledger_bundles, ledger_rows
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
