"""A few evenings of fetching while a share of all answers fails."""

from benchmarks.days import simulate
from benchmarks.ground import SILENT
from benchmarks.standin.faults import KINDS

QUIET = tuple(kind for kind in KINDS if kind not in SILENT)


def test_evenings_with_a_third_of_answers_faulted_leave_no_wrong_row():
    found = simulate(2, share=0.3, kinds=QUIET, deadline=30.0)

    assert (found["wrong"], found["faulted"] > 10) == (0, True)
    assert not found["lacking"] or found["refusals"]


def test_without_faults_nothing_is_refused_and_nothing_is_lacking():
    found = simulate(1, share=0.0, deadline=30.0)

    assert (found["wrong"], found["lacking"], found["attempts_refused"]) == (0, [], 0)
