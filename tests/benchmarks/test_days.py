"""A few evenings of fetching while a share of all requests fails."""

from benchmarks.days import QUIET, simulate


def test_three_evenings_with_a_third_of_requests_faulted_leave_no_wrong_row():
    found = simulate(3, share=0.3, count=2, kinds=QUIET, deadline=30.0)

    assert (found["wrong"], found["faulted"] > 10) == (0, True)
    assert found["complete"] or found["lacking"] or found["refusals"]


def test_without_faults_nothing_is_refused_and_nothing_is_lacking():
    found = simulate(2, share=0.0, count=2)

    assert (found["wrong"], found["lacking"], found["attempts_refused"]) == (0, [], 0)
