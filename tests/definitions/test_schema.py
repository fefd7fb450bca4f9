"""Schemas for editors: committed as generated, and of one mind with the models."""

import json
import re
import runpy
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator, FormatChecker

from indexer.definitions import schema as module
from indexer.definitions.schema import basket_schema, schema_files
from indexer.definitions.text import parse_yaml

BUNDLED = sorted((Path(__file__).parents[2] / "baskets").glob("*.yaml"))
SCHEMAS = {path.name.split(".")[0]: json.loads(text) for path, text in schema_files().items()}

INDEX = {
    "version": "1",
    "id": "example",
    "name": "{en: Example, zh: 例}",
    "currency": "CNY",
    "calendar": "XSHG",
    "base": "{date: 2024-01-02, level: 1000}",
    "weighting": "{scheme: equal}",
    "constituents": "[{symbol: 300308.SZ}]",
}
SERIES = {key: INDEX[key] for key in ("version", "id", "name", "currency", "calendar")} | {
    "kind": "series",
    "symbol": "399006.SZ",
}
STUDY = {key: INDEX[key] for key in ("version", "id", "name")} | {
    "start": "2024-01-02",
    "pairs": "[{leader: a, follower: b}]",
}
SWEEP = {"version": "1", "id": "grid", "study": "some-study", "vary": "{catch_up.enter: [1, 1.5]}"}


def kind_of(keys: dict[str, str]) -> str:
    """Return which schema a file with these keys is held against."""
    return "sweep" if "vary" in keys else "study" if "pairs" in keys else "basket"


class EditorLoader(yaml.SafeLoader):
    """YAML 1.2's core schema, which is what editors read: no dates, no octal, no ``yes``."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 (PyYAML's own attribute)


for tag, pattern, first in (
    ("null", r"^(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]),
    ("bool", r"^(?:true|True|TRUE|false|False|FALSE)$", list("tTfF")),
    ("int", r"^[-+]?[0-9]+$", list("-+0123456789")),
    (
        "float",
        r"^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$",
        list("-+.0123456789"),
    ),
):
    EditorLoader.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(pattern), first)
EditorLoader.add_constructor(
    "tag:yaml.org,2002:int", lambda loader, node: int(loader.construct_scalar(node))
)


def complaints(name: str, text: str) -> list[str]:
    """Return what an editor underlines in a file."""
    content = yaml.load(text, EditorLoader)  # noqa: S506 (a safe loader)
    validator = Draft7Validator(SCHEMAS[name], format_checker=FormatChecker())
    return [error.message for error in validator.iter_errors(content)]


def text_of(keys: dict[str, str], **changes: str | None) -> str:
    return "".join(f"{key}: {value}\n" for key, value in (keys | changes).items() if value)


def test_the_committed_schemas_are_current() -> None:
    for path, text in schema_files().items():
        assert path.read_text(encoding="utf-8") == text, "run python -m indexer.definitions.schema"


def test_the_module_writes_the_files_beside_itself(tmp_path: Path) -> None:
    copy = tmp_path / "schema.py"
    copy.write_text(Path(module.__file__).read_text(encoding="utf-8"), encoding="utf-8")
    runpy.run_path(str(copy), run_name="__main__")
    written = {path.name: path.read_text(encoding="utf-8") for path in tmp_path.glob("*.json")}

    assert written == {path.name: text for path, text in schema_files().items()}


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_is_a_schema(name: str) -> None:
    Draft7Validator.check_schema(SCHEMAS[name])


def test_there_is_no_null_in_a_schema() -> None:
    assert "null" not in json.dumps(SCHEMAS)


@pytest.mark.parametrize("path", BUNDLED, ids=lambda path: path.stem)
def test_an_editor_accepts_every_bundled_definition(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    name = "study" if "pairs" in parse_yaml(text, path.name).content else "basket"

    assert f"$schema=../indexer/definitions/{name}.schema.json" in text
    assert complaints(name, text) == []


@pytest.mark.parametrize(
    ("keys", "changes"),
    [
        (INDEX, {}),
        (INDEX, {"kind": "index"}),
        (INDEX, {"version": "'1'"}),
        (INDEX, {"id": "50", "name": "{en: 360, zh: 三六零}"}),
        (INDEX, {"constituents": "[{symbol: 002371, name: 360}, {symbol: 300308}]"}),
        (INDEX, {"constituents": "[{symbol: 700.HK, from: 2024-01-02, until: '2025-01-02'}]"}),
        (INDEX, {"constituents": "[{symbol: 300308, weight: 1, segment: 5}]"}),
        (INDEX, {"constituents": None, "constituents_file": "list.csv"}),
        (INDEX, {"rebalance": "{frequency: quarterly, day: 15, months: [1, 4, 7, 10]}"}),
        (INDEX, {"rebalance": "{frequency: quarterly, day: '15'}"}),
        (INDEX, {"rebalance": "{day: third friday}"}),
        (INDEX, {"withholding": "0"}),
        (INDEX, {"withholding": "0.1"}),
        (INDEX, {"withholding": "{view: non-resident, CN: 0.10, HK: 0}"}),
        (INDEX, {"weighting": "{scheme: fixed, normalise: true}"}),
        (INDEX, {"weighting": "{scheme: equal, caps: {constituent: 1, segment: .5}}"}),
        (INDEX, {"base": "{date: 2024-01-02, level: 1e3}"}),
        (INDEX, {"calendar": "24/5", "max_stale": "250", "publish": "{decimals: 0}"}),
        (SERIES, {}),
        (SERIES, {"base": "{date: 2024-01-02, level: 1000}", "symbol": "399006"}),
        (STUDY, {}),
        (STUDY, {"cutoff": "18:00 Asia/Shanghai", "currency": "CNY", "variant": "gross"}),
        (STUDY, {"windows": "{correlation: [20], zscore: 120}", "catch_up": "{enter: 1}"}),
        (STUDY, {"events": "[{date: 2026-07-02, name: x, indices: [star-50]}]"}),
        (STUDY, {"events": "[{date: 2026-07-02, name: {en: x, zh: 例}, indices: [star-50]}]"}),
        (INDEX, {"description": "{en: x, zh: 例}"}),
        (STUDY, {"description": "x"}),
        (STUDY, {"overlays": "[{symbol: HSTECH.HK, name: x}]"}),
        (SWEEP, {}),
        (SWEEP, {"study": None, "baskets": "'*.yaml'", "evaluate": "{cost_bps: 20}"}),
        (SWEEP, {"vary": "{weighting.scheme: [equal], windows.correlation: [20, [20, 60]]}"}),
    ],
)
def test_an_editor_accepts_natural_yaml(
    keys: dict[str, str], changes: dict[str, str | None]
) -> None:
    assert complaints(kind_of(keys), text_of(keys, **changes)) == []


@pytest.mark.parametrize(
    ("keys", "changes"),
    [
        (INDEX, {"version": "2"}),
        (INDEX, {"version": None}),
        (INDEX, {"weigthing": "{}"}),
        (INDEX, {"kind": "serie"}),
        (INDEX, {"id": "Example"}),
        (INDEX, {"currency": "yuan"}),
        (INDEX, {"base": "{date: 2024-13-01, level: 1}"}),
        (INDEX, {"base": "{date: 2024-01-02, level: 0}"}),
        (INDEX, {"base": "{date: 2024-01-02, level: high}"}),
        (INDEX, {"weighting": "{scheme: equall}"}),
        (INDEX, {"weighting": "{scheme: equal, caps: {constituent: 10}}"}),
        (INDEX, {"weighting": "{scheme: fixed, normalise: 1}"}),
        (INDEX, {"rebalance": "{day: 32}"}),
        (INDEX, {"rebalance": "{day: 0}"}),
        (INDEX, {"rebalance": "{day: fifth friday}"}),
        (INDEX, {"rebalance": "{months: [13]}"}),
        (INDEX, {"withholding": "10"}),
        (INDEX, {"withholding": "{cn: 0.1}"}),
        (INDEX, {"withholding": "{CN: 10}"}),
        (INDEX, {"max_stale": "~"}),
        (INDEX, {"constituents": "[]"}),
        (INDEX, {"constituents": "[300308.SZ]"}),
        (INDEX, {"constituents": "[{symbol: 300308.SZ, form: 2024-01-02}]"}),
        (INDEX, {"constituents": "[{symbol: 300308.SZ, from_: 2024-01-02}]"}),
        (INDEX, {"constituents": None}),
        (INDEX, {"constituents_file": "list.csv"}),
        (SERIES, {"weighting": "{scheme: equal}"}),
        (SERIES, {"symbol": None}),
        (STUDY, {"pairs": "[]"}),
        (STUDY, {"pairs": "[{leader: a, folower: b}]"}),
        (STUDY, {"currency": "Local"}),
        (STUDY, {"windows": "{correlation: 60}"}),
        (STUDY, {"events": "[{date: 2026-07, name: x, indices: [a]}]"}),
        (SWEEP, {"study": None}),
        (SWEEP, {"baskets": "'*.yaml'"}),
        (SWEEP, {"vary": "{catch_up.enter: 1}"}),
        (SWEEP, {"vary": "{catch_up.enter: []}"}),
        (SWEEP, {"vary": "{catch_up..enter: [1]}"}),
        (SWEEP, {"evaluate": "{cost_bps: -1}"}),
        (SWEEP, {"name": "{en: x}"}),
    ],
)
def test_an_editor_underlines_what_is_wrong(
    keys: dict[str, str], changes: dict[str, str | None]
) -> None:
    assert complaints(kind_of(keys), text_of(keys, **changes))


@pytest.mark.parametrize("kind", ["Basket", "Series"])
def test_an_editor_tells_what_marks_levels_as_back_tested(kind: str) -> None:
    key = basket_schema()["$defs"][kind]["properties"]["selected_on"]

    assert "without it, none is" in key["description"]
