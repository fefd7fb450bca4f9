"""A run's figures as Prometheus reads them."""

import re

from indexer.report.metrics import Figures, metrics_text

LINE = re.compile(
    r"^(?:# (?:HELP|TYPE) [a-z_]+ .+"
    r'|[a-z_]+(?:\{[a-z]+="(?:[^"\\\n]|\\.)*"(?:,[a-z]+="(?:[^"\\\n]|\\.)*")*\})? -?[0-9.e+]+)$'
)


def text(*figures, refused=None):
    return metrics_text(figures, 1772438400.0, 75, refused or {})


def test_every_line_is_in_the_format():
    figures = (
        Figures("trio", "published", 3, 1772409600.0),
        Figures("b", "failed", 0, None),
    )
    told = text(*figures, refused={"c": 1772409600.5})

    assert told.endswith("\n")
    assert all(LINE.match(line) for line in told.splitlines())


def test_a_metric_is_described_once_before_its_samples():
    lines = text(Figures("a", "published", 1, 1.0), Figures("b", "published", 1, 1.0)).splitlines()
    names = [line.split()[2] for line in lines if line.startswith("# TYPE")]

    assert len(names) == len(set(names)) == 5
    for name in names:
        own = [n for n, line in enumerate(lines) if name in line]
        assert lines[own[0]].startswith("# ")
        assert lines.index(f"# TYPE {name} gauge") < min(
            n for n in own if not lines[n].startswith("#")
        )


def test_what_became_of_an_index_is_one_of_its_states():
    told = text(Figures("a", "published", 1, 1.0), Figures("b", "failed", 0, None))

    assert 'indexer_outcome{subject="a",state="published"} 1' in told
    assert 'indexer_outcome{subject="a",state="failed"} 0' in told
    assert 'indexer_outcome{subject="b",state="failed"} 1' in told


def test_the_exit_code_and_the_instant_are_told():
    told = text()

    assert "indexer_run_exit_code 75\n" in told
    assert "indexer_run_timestamp_seconds 1772438400.0\n" in told


def test_an_index_without_a_session_has_no_last_one():
    assert "indexer_last_session" not in text(Figures("b", "failed", 0, None))


def test_label_values_are_escaped():
    told = text(Figures('a"b\\c\nd', "failed", 0, None))

    assert r'subject="a\"b\\c\nd"' in told
    assert all(LINE.match(line) for line in told.splitlines())
