"""What the documentation says of the API is so."""

import re
from pathlib import Path

import pytest

from indexer.web import door, kept, parameters, server
from indexer.web.api import Readers
from indexer.web.protocol import Bounds

TEXT = (Path(__file__).parents[2] / "docs" / "api.md").read_text("utf-8")


def test_every_address_is_told_with_its_parameters(ask):
    paths = ask("/openapi.json").json["paths"]
    described = {
        path: {p["name"] for p in told["get"]["parameters"] if p["in"] == "query"} - {"format"}
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

    assert codes - {200, 304} <= {int(code) for row in rows for code in row.split(",")}


def test_every_address_with_an_id_describes_what_is_not_there(ask):
    paths = ask("/openapi.json").json["paths"]
    told = {path for path, found in paths.items() if "404" in found["get"]["responses"]}

    assert told == {path for path in paths if "{id}" in path}


def described(ask, target):
    """Return what is described of an address that is asked without an id of its own."""
    path = re.sub("/(chain-1|pair)", "/{id}", target.partition("?")[0])
    return ask("/openapi.json").json["paths"][path]["get"]


TARGETS = [
    "/v1/indices?limit=1",
    "/v1/indices/chain-1",
    "/v1/indices/chain-1/levels?limit=1",
    "/v1/indices/chain-1/constituents",
    "/v1/studies",
    "/v1/studies/pair",
    "/v1/studies/pair/signals?limit=1",
    "/v1/status",
]


@pytest.mark.parametrize("target", TARGETS)
def test_the_headers_that_are_described_are_those_of_the_answer(ask, target):
    told = described(ask, target)["responses"]["200"]["headers"]
    headers = ask(target).headers.keys()

    assert ("etag" in headers) == ("ETag" in told)
    assert "link" not in headers or "Link" in told


@pytest.mark.parametrize("target", TARGETS)
def test_that_an_answer_is_not_sent_again_is_described_where_it_is_so(ask, target):
    told = described(ask, target)
    asks = {"If-None-Match"} & {one["name"] for one in told["parameters"]}
    again = ask(target, headers=dict.fromkeys(asks, "*")).status

    assert again == (304 if asks else 200)
    assert ("304" in told["responses"]) == bool(asks)


def test_the_token_that_a_server_may_want_is_described(ask):
    told = ask("/openapi.json").json

    assert told["security"] == [{}, {"bearer": []}]
    assert told["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"
