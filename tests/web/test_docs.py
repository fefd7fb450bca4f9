"""What the documentation says of the API is so."""

import re
from pathlib import Path

from indexer.web import door, kept, parameters, server
from indexer.web.api import Readers
from indexer.web.protocol import Bounds

TEXT = (Path(__file__).parents[2] / "docs" / "api.md").read_text("utf-8")


def test_every_address_is_told_with_its_parameters(ask):
    paths = ask("/openapi.json").json["paths"]
    described = {
        path: {p["name"] for p in told["get"]["parameters"]} - {"id", "format"}
        for path, told in paths.items()
    }
    rows = re.findall(r"^\| `(/v1[^`]*)` \| ([^|]*)\|", TEXT, re.MULTILINE)

    assert {path: set(re.findall(r"`(\w+)`", names)) for path, names in rows} == described


def test_what_is_asked_as_an_example_is_answered(ask):
    examples = re.findall(r"^\$ curl -s 'http://127.0.0.1:8000(\S+)'$", TEXT, re.MULTILINE)
    ours = {
        "north-america-compute": "chain-1",
        "domestic-compute": "chain-1",
        "compute-diffusion": "pair",
    }
    for target in examples:
        asked = target
        for name, id in ours.items():
            asked = asked.replace(name, id)
        assert ask(asked).status == 200

    assert len(examples) == 3


def test_the_bounds_are_those_of_the_code(published):
    bounds = Bounds()
    for told in (
        f"to its last | {bounds.receipt:g} s |",
        f"until it is made | {door.TIME:g} s |",
        f"has made room for it | {bounds.delivery:g} s |",
        f"two requests of a connection | {server._IDLE} s |",
        f"| connections | {bounds.connections:,}, or {server._FILES_BESIDE} less",
        f"until its index or study is published again | {kept.ROOM >> 20} MiB |",
        f"readers of the ledger at once | {Readers(published).threads.total_tokens:g} |",
        f"1,000 unless told, {parameters.MAX_ROWS:,} at most",
        f"a target over {door.MAX_TARGET >> 10} KiB; a request over {bounds.request >> 10} KiB",
    ):
        assert told in TEXT


def test_every_status_that_is_described_is_told(ask):
    codes = {
        int(code)
        for told in ask("/openapi.json").json["paths"].values()
        for code in told["get"]["responses"]
    }
    rows = re.findall(r"^\| ([\d, ]+) \| [a-z]", TEXT, re.MULTILINE)

    assert codes - {200} <= {int(code) for row in rows for code in row.split(",")}
