"""A run's figures as Prometheus reads them."""

import re

from indexer.report.metrics import Figures, metrics_text

LINE = re.compile(
    r"^(?:# (?:HELP|TYPE) [a-z_]+ .+"
    r'|[a-z_]+(?:\{[a-z]+="(?:[^"\\\n]|\\.)*"(?:,[a-z]+="(?:[^"\\\n]|\\.)*")*\})? -?[0-9.e+]+)$'
)


def text(*figures, refused=None, last=None):
    return metrics_text(figures, 1772438400.0, 75, refused or {}, last or {})


def test_every_line_is_in_the_format():
    figures = (
        Figures("trio", "published", 3),
        Figures("b", "failed", 0),
    )
    told = text(*figures, refused={"c": 1772409600.5}, last={"trio": 1772409600.0})

    assert told.endswith("\n")
    assert all(LINE.match(line) for line in told.splitlines())


def test_a_metric_is_described_once_before_its_samples():
    figures = (Figures("a", "published", 1), Figures("b", "published", 1))
    lines = text(*figures, last={"a": 1.0, "b": 1.0}).splitlines()
    names = [line.split()[2] for line in lines if line.startswith("# TYPE")]

    assert len(names) == len(set(names)) == 5
    for name in names:
        own = [n for n, line in enumerate(lines) if name in line]
        assert lines[own[0]].startswith("# ")
        assert lines.index(f"# TYPE {name} gauge") < min(
            n for n in own if not lines[n].startswith("#")
        )


def test_what_became_of_an_index_is_one_of_its_states():
    told = text(Figures("a", "published", 1), Figures("b", "failed", 0))

    assert 'indexer_outcome{subject="a",state="published"} 1' in told
    assert 'indexer_outcome{subject="a",state="failed"} 0' in told
    assert 'indexer_outcome{subject="b",state="failed"} 1' in told


def test_the_exit_code_and_the_instant_are_told():
    told = text()

    assert "indexer_run_exit_code 75\n" in told
    assert "indexer_run_timestamp_seconds 1772438400.0\n" in told


def test_of_an_index_that_this_run_says_nothing_of_the_last_session_stands_there():
    told = text(Figures("b", "failed", 0), last={"a": 1.0})

    assert 'indexer_last_session_timestamp_seconds{subject="a"} 1.0' in told
    assert 'indexer_last_session_timestamp_seconds{subject="b"}' not in told


def test_label_values_are_escaped():
    told = text(Figures('a"b\\c\nd', "failed", 0))

    assert r'subject="a\"b\\c\nd"' in told
    assert all(LINE.match(line) for line in told.splitlines())
