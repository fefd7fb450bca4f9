"""Errors are planted in every module, and looked for by tests that there are."""

from collections import Counter

import pytest

from benchmarks.mutants import LAYERS, ROOT, measure
from benchmarks.reliability.record import files


def test_every_module_is_in_one_layer() -> None:
    counts = Counter(path for layer in LAYERS.values() for path in files(layer.code))
    every = files(("indexer/*.py", ":!indexer/ledger/migrations", ":!indexer/*/templates"))
    assert counts == Counter(every)


@pytest.mark.parametrize("layer", LAYERS.values(), ids=LAYERS)
def test_the_tests_of_a_layer_are_there(layer) -> None:
    assert [path for path in (*layer.first, *layer.rest) if not (ROOT / path).exists()] == []


def test_a_layer_that_is_none_is_told(tmp_path) -> None:
    with pytest.raises(SystemExit, match="no layers nosuch: there are ledger, publish"):
        list(measure(tmp_path, ["nosuch"], drawn=1, processes=1))


def test_where_nothing_can_plant_errors_that_is_told(tmp_path) -> None:
    with pytest.raises(SystemExit, match=r"benchmarks/rivals\.sh makes its environment"):
        list(measure(tmp_path, ["ledger"], drawn=1, processes=1))
