"""Ours and every rival that is installed here give the right answer, in the reference's layout."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.cases import CASES, Case
from benchmarks.contenders import Contender, present
from benchmarks.measure import EXACT, is_right
from benchmarks.reference import difference

SMALL = {"sessions": 150, "series": 20, "window": 20}
NAMES = [
    pytest.param(case, contender, id=f"{case.name}, {contender.name}")
    for case in CASES
    for contender in present((case.ours, *case.rivals), missing=bool(case.size.missing))
]


def small(case: Case, contender: Contender) -> object:
    """Return the input of a case at a size for tests, as much of it as a contender is given."""
    size = replace(case.quick, **SMALL, least=10 if case.size.missing else None)
    if size.members:
        size = replace(size, members=7, rebalances=3, indices=min(size.indices, 12))
    drawn = case.draw(size)
    return drawn if contender.series is None else drawn.narrowed(contender.series)


@pytest.mark.filterwarnings("ignore")  # of rivals' own making
@pytest.mark.parametrize(("case", "contender"), NAMES)
def test_the_answer_is_right(case: Case, contender: Contender) -> None:
    given = small(case, contender)
    ready = contender.prepare(given)
    for _ in range(2):  # what is kept from one call to the next must not show
        told = difference(ready.read(ready.run()), case.reference(given), relative=case.relative)
        assert is_right(told._asdict(), EXACT)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_part_is_of_the_same_data(case: Case) -> None:
    """What is multiplied up must be a part of what the others do."""
    whole = small(case, case.ours)
    part = whole.narrowed(2)
    assert case.outputs(part) <= case.outputs(whole)
    if hasattr(whole, "values"):
        assert np.array_equal(part.values, whole.values[:, :2], equal_nan=True)


def test_a_rival_that_cannot_be_imported_is_absent() -> None:
    here = Contender("here", prepare=lambda case: case)
    gone = Contender("gone", prepare=lambda case: case, needs=("no_such_module_at_all",))
    assert present([here, gone], missing=False) == [here]


def test_a_rival_that_takes_no_holes_is_left_out_where_there_are_some() -> None:
    whole = Contender("whole", prepare=lambda case: case, holes=False)
    assert present([whole], missing=False) == [whole]
    assert present([whole], missing=True) == []
