"""The nightly publication of many indices is what it says: each index, each evening, once."""

from benchmarks.nightly import EVENINGS, QUICK, nightly, told


def test_every_index_is_published_every_evening(tmp_path):
    found = nightly(tmp_path, QUICK)

    assert found.entries == EVENINGS * QUICK.indices
    assert len(found.cpu_seconds) == EVENINGS
    assert f"{QUICK.indices} indices of {QUICK.members} constituents" in told(found)
