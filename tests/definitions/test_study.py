"""Study definitions: defaults, what is derived from them, and every broken kind with its place."""

from datetime import date, time
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from indexer.definitions.read import read_study
from indexer.definitions.study import Study
from indexer.errors import DefinitionError

HEAD = """version: 1
id: example
name: {en: Example}
start: 2024-01-02
"""
PAIRS = "[{leader: a, follower: b}]"


def written(folder: Path, pairs: str = PAIRS, **keys: str) -> Path:
    file = folder / "example.yaml"
    lines = [f"{key}: {value}\n" for key, value in ({"pairs": pairs} | keys).items()]
    file.write_text(HEAD + "".join(lines), encoding="utf-8")
    return file


def study(folder: Path, pairs: str = PAIRS, **keys: str) -> Study:
    return read_study(written(folder, pairs, **keys))


def test_the_defaults_are_those_of_the_contract(tmp_path: Path) -> None:
    default = study(tmp_path)
    stated = study(
        tmp_path,
        calendar="XSHG",
        cutoff='"18:00 Asia/Shanghai"',
        currency="local",
        variant="price",
        benchmark="csi-all-share",
        windows="{correlation: [20, 60, 120], momentum: [20, 40], zscore: 250, beta: 120, gap: 60}",
        catch_up="{enter: 1.0, turn: 1.0, close: 0.5}",
        bootstrap="{replications: 999, seed: 20260507}",
        events="[]",
        overlays="[]",
    )
    assert default.start == date(2024, 1, 2)
    assert stated.model_dump() == default.model_dump()
    assert stated.digest == default.digest


def test_indices_are_named_once_leaders_before_their_followers(tmp_path: Path) -> None:
    pairs = "[{leader: c, follower: a}, {leader: c, follower: b}, {leader: a, follower: d}]"
    assert study(tmp_path, pairs).indices == ("c", "a", "b", "d")


@pytest.mark.parametrize(
    ("cutoff", "hour", "zone"),
    [
        ("18:00 Asia/Shanghai", time(18), "Asia/Shanghai"),
        ("00:00 UTC", time(0), "UTC"),
        ("23:59 America/New_York", time(23, 59), "America/New_York"),
    ],
)
def test_the_cut_off_is_an_hour_in_a_zone(
    tmp_path: Path, cutoff: str, hour: time, zone: str
) -> None:
    assert study(tmp_path, cutoff=f"'{cutoff}'").cutoff_time == (hour, ZoneInfo(zone))


def test_events_and_overlays_are_read(tmp_path: Path) -> None:
    read = study(
        tmp_path,
        events="[{date: 2026-07-02, name: Meta, indices: [chinext, star-50]}]",
        overlays="[{symbol: hstech.hi, name: Tech}]",
    )
    assert (read.events[0].date, read.events[0].indices) == (
        date(2026, 7, 2),
        ("chinext", "star-50"),
    )
    assert read.overlays[0].symbol == "HSTECH.HK"


BROKEN = {
    "no pairs": ("[]", {}, "5:8: pairs: got [], expected at least one item"),
    "no follower": ("[{leader: a}]", {}, "5:9: pairs[0].follower: required key is missing"),
    "follower misspelt": (
        "[{leader: a, follower: b, folower: c}]",
        {},
        "5:34: pairs[0].folower: unknown key; did you mean 'follower'?",
    ),
    "bad id": ("[{leader: A, follower: b}]", {}, "5:18: pairs[0].leader: got 'A', expected a-z"),
    "with itself": (
        "[{leader: a, follower: a}]",
        {},
        "5:31: pairs[0].follower: 'a' is compared with itself",
    ),
    "pair twice": (
        "[{leader: a, follower: b}, {leader: b, follower: a}, {leader: a, follower: b}]",
        {},
        "5:61: pairs[2]: given already at pairs[0]",
    ),
    "start": (PAIRS, {"calendar": "shanghai"}, "6:11: calendar: got 'shanghai', expected ISO"),
    "currency": (PAIRS, {"currency": "Local"}, "6:11: currency: got 'Local', expected local, or"),
    "variant": (PAIRS, {"variant": "grss"}, "6:10: variant: got 'grss', expected 'price', 'gross'"),
    "benchmark": (PAIRS, {"benchmark": "CSI 300"}, "6:12: benchmark: got 'CSI 300', expected a-z"),
    "windows": (
        PAIRS,
        {"windows": "{corelation: [20]}"},
        "6:11: windows.corelation: unknown key; did you mean 'correlation'?",
    ),
    "window alone": (
        PAIRS,
        {"windows": "{correlation: 60}"},
        "6:24: windows.correlation: got '60', expected a list",
    ),
    "window of one": (
        PAIRS,
        {"windows": "{correlation: [20, 1]}"},
        "6:29: windows.correlation[1]: got '1': input should be greater than or equal to 2",
    ),
    "no windows": (
        PAIRS,
        {"windows": "{momentum: []}"},
        "6:21: windows.momentum: got [], expected at least one item",
    ),
    "window twice": (
        PAIRS,
        {"windows": "{correlation: [20, 60, 20]}"},
        "6:24: windows.correlation: [20, 60, 20] names a length twice",
    ),
    "event index twice": (
        PAIRS,
        {"events": "[{date: 2026-07-02, name: News, indices: [c, d, c]}]"},
        "6:57: events[0].indices[2]: 'c' is named twice",
    ),
    "momentum twice": (
        PAIRS,
        {"windows": "{momentum: [5, 5]}"},
        "6:21: windows.momentum: [5, 5] names a length twice",
    ),
    "beta too short": (PAIRS, {"windows": "{beta: 2}"}, "6:17: windows.beta: got '2'"),
    "enter": (PAIRS, {"catch_up": "{enter: 0}"}, "6:19: catch_up.enter: got '0'"),
    "close": (PAIRS, {"catch_up": "{close: 1.5}"}, "6:19: catch_up.close: got '1.5'"),
    "replications": (PAIRS, {"bootstrap": "{replications: 98}"}, "6:27: bootstrap.replications"),
    "too many": (PAIRS, {"bootstrap": "{replications: 100001}"}, "6:27: bootstrap.replications"),
    "seed": (PAIRS, {"bootstrap": "{seed: -1}"}, "6:19: bootstrap.seed: got '-1'"),
    "event": (
        PAIRS,
        {"events": "[{date: 2026-07, name: x, indices: [a]}]"},
        "6:17: events[0].date: '2026-07' is not a date",
    ),
    "event of nothing": (
        PAIRS,
        {"events": "[{date: 2026-07-02, name: x, indices: []}]"},
        "6:47: events[0].indices: got [], expected at least one item",
    ),
    "index of an event": (
        PAIRS,
        {"events": "[{date: 2026-07-02, name: x, indices: [a, B!]}]"},
        "6:51: events[0].indices[1]: got 'B!', expected",
    ),
    "overlay": (
        PAIRS,
        {"overlays": "[{symbol: nothing, name: x}]"},
        "6:21: overlays[0].symbol: 'nothing' is not a symbol",
    ),
    "series key": (PAIRS, {"symbol": "399006.SZ"}, "6:1: symbol: unknown key; known are version"),
}


@pytest.mark.parametrize(("pairs", "keys", "said"), BROKEN.values(), ids=BROKEN)
def test_a_broken_study_is_named_with_its_place(
    tmp_path: Path, pairs: str, keys: dict[str, str], said: str
) -> None:
    file = written(tmp_path, pairs, **keys)
    with pytest.raises(DefinitionError) as refused:
        read_study(file)
    [problem] = refused.value.problems
    assert str(problem).startswith(f"{file}:{said}")


@pytest.mark.parametrize(
    "cutoff",
    [
        *("18:00", "18:00 ", "Asia/Shanghai", "18 Asia/Shanghai", "6:00 UTC", "24:00 UTC"),
        *("18:60 UTC", "18:00:30 UTC", "18:00+08:00 UTC", "T18 UTC", "1８:00 UTC", "18:00  UTC"),
        *("18:00 Asia", "18:00 Mars/Base", "18:00 ../UTC", "18:00 /etc/localtime"),
    ],
)
def test_what_is_no_hour_and_zone_is_refused(tmp_path: Path, cutoff: str) -> None:
    with pytest.raises(
        DefinitionError, match="is not an hour and a zone that is known: '18:00 Asia/Shanghai'"
    ):
        study(tmp_path, cutoff=f"'{cutoff}'")


MEANINGFUL = [
    {},
    {"calendar": "XHKG"},
    {"cutoff": "'17:00 Asia/Shanghai'"},
    {"currency": "CNY"},
    {"variant": "gross"},
    {"benchmark": "csi-300"},
    {"pairs": "[{leader: b, follower: a}]"},
    {"pairs": "[{leader: a, follower: b}, {leader: a, follower: c}]"},
    {"windows": "{correlation: [20]}"},
    {"windows": "{momentum: [20]}"},
    {"windows": "{zscore: 120}"},
    {"windows": "{beta: 60}"},
    {"windows": "{gap: 20}"},
    {"catch_up": "{enter: 2}"},
    {"catch_up": "{turn: 2}"},
    {"catch_up": "{close: 0.25}"},
    {"bootstrap": "{replications: 99}"},
    {"bootstrap": "{seed: 1}"},
    {"events": "[{date: 2026-07-02, name: x, indices: [a]}]"},
    {"overlays": "[{symbol: HSTECH.HK, name: x}]"},
]


def test_the_digest_tells_every_meaningful_change_from_every_other(tmp_path: Path) -> None:
    digests = {study(tmp_path, **changes).digest for changes in MEANINGFUL}
    assert len(digests) == len(MEANINGFUL)
