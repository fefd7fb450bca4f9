"""Who is starved of days, and who only had bad luck."""

import pytest

from benchmarks.reliability.contest import FAIR_AFTER, Share, starved


@pytest.mark.parametrize(
    ("won", "days", "told"),
    [
        ((0, FAIR_AFTER), FAIR_AFTER, True),
        ((1, FAIR_AFTER - 1), FAIR_AFTER, False),
        ((0, 25), 25, False),
    ],
)
def test_who_never_gets_a_day_of_very_many_is_starved(won, days, told):
    assert starved([Share(days, 0.1, ()) for days in won], days) is told
