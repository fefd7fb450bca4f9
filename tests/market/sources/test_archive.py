"""Raw replies: kept as they came, found by their digest."""

import gzip
import hashlib
import os

import pytest

from indexer.errors import MarketDataError, MissingInputError, OutputError
from indexer.folders import TEMPORARY
from indexer.market.sources.archive import (
    _place,
    append_disregarded,
    append_reply,
    index_of,
    verify_replies,
)
from tests.market.sources.standin import body_of

URL, WHEN = "https://push2his.eastmoney.com/api", "2026-06-12T12:00:00+00:00"
ASKED = (URL, 200, WHEN)
BODY = '{"name": "寒武纪"}'.encode()


def test_a_body_comes_back_to_the_last_byte_under_its_digest(tmp_path):
    reply = append_reply(tmp_path, ASKED, BODY)

    assert reply.sha256 == hashlib.sha256(BODY).hexdigest()
    assert body_of(tmp_path, reply.sha256) == BODY


def test_the_index_tells_of_every_reply_what_was_asked_and_when(tmp_path):
    append_reply(tmp_path, ASKED, BODY, {"akshare": "1.19.5"})
    append_reply(tmp_path, (f"{URL}?again", 200, WHEN), BODY, {"akshare": "1.19.5"})

    told = list(index_of(tmp_path))

    assert [line["url"] for line in told] == [URL, f"{URL}?again"]
    assert told[0] | {"url": ""} == {
        "url": "",
        "sha256": hashlib.sha256(BODY).hexdigest(),
        "fetched_at": WHEN,
        "size": len(BODY),
        "status": 200,
        "akshare": "1.19.5",
    }


def test_equal_bodies_are_stored_once(tmp_path):
    append_reply(tmp_path, ASKED, BODY)
    append_reply(tmp_path, ASKED, BODY)

    assert len(list(tmp_path.glob("??/*"))) == 1


def test_a_line_cut_off_by_a_crash_is_passed_over(tmp_path):
    append_reply(tmp_path, ASKED, BODY)
    with (tmp_path / "index.jsonl").open("a") as stream:
        stream.write('{"url": "https://')

    assert len(list(index_of(tmp_path))) == 1


def test_what_follows_a_line_cut_off_by_a_crash_is_told(tmp_path):
    with (tmp_path / "index.jsonl").open("w") as stream:
        stream.write('{"url": "https://')
    append_reply(tmp_path, ASKED, BODY)

    assert len(list(index_of(tmp_path))) == 1


def test_an_archive_that_is_not_there_tells_nothing(tmp_path):
    assert list(index_of(tmp_path / "none")) == []


def test_a_line_that_is_no_text_any_more_is_passed_over(tmp_path):
    append_reply(tmp_path, ASKED, BODY)
    with (tmp_path / "index.jsonl").open("ab") as stream:
        stream.write(b'{"url": "\xff"}\n')

    assert len(list(index_of(tmp_path))) == 1


def test_replies_are_counted_that_are_there_as_they_came(tmp_path):
    for body in (BODY, BODY, BODY + b"\n"):
        append_reply(tmp_path, ASKED, body)

    assert verify_replies(tmp_path) == 2


def test_a_reply_that_is_gone_is_named(tmp_path):
    place = _place(tmp_path, append_reply(tmp_path, ASKED, BODY).sha256)
    place.unlink()

    with pytest.raises(MarketDataError, match=f"{place.name}: is gone"):
        verify_replies(tmp_path)


@pytest.mark.parametrize(
    "damage",
    [lambda _: b"", lambda packed: packed[:-9], lambda _: gzip.compress(b"another")],
    ids=["emptied", "cut off", "another"],
)
def test_a_reply_that_is_damaged_is_named(tmp_path, damage):
    place = _place(tmp_path, append_reply(tmp_path, ASKED, BODY).sha256)
    place.write_bytes(damage(place.read_bytes()))

    with pytest.raises(MarketDataError, match=f"{place.name}: is damaged"):
        verify_replies(tmp_path)


@pytest.mark.parametrize("line", ["200", "null", "[1]", "{}", '{"sha256": "x"}', "cut o"])
def test_a_line_of_the_index_that_tells_of_no_reply_is_passed_over(tmp_path, line):
    append_reply(tmp_path, ASKED, BODY)
    with (tmp_path / "index.jsonl").open("a", encoding="utf-8") as index:
        index.write(f"{line}\n")

    assert verify_replies(tmp_path) == 1


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_reply_that_may_not_be_read_is_not_said_to_be_damaged(tmp_path):
    place = _place(tmp_path, append_reply(tmp_path, ASKED, BODY).sha256)
    place.chmod(0)

    with pytest.raises(MissingInputError, match=f"{place}: Permission denied"):
        verify_replies(tmp_path)


def test_any_flipped_bit_of_a_reply_is_told_or_changes_nothing_of_it(tmp_path):
    digest = append_reply(tmp_path, ASKED, BODY).sha256
    place = _place(tmp_path, digest)
    whole = place.read_bytes()
    for n in range(8 * len(whole)):
        flipped = bytearray(whole)
        flipped[n // 8] ^= 1 << n % 8
        place.write_bytes(flipped)
        try:
            verify_replies(tmp_path)
        except MarketDataError:
            continue
        assert body_of(tmp_path, digest) == BODY


@pytest.mark.attack("B2")
def test_a_link_at_the_name_of_a_half_written_reply_is_not_followed(tmp_path):
    mine, digest = tmp_path / "mine", hashlib.sha256(BODY).hexdigest()
    mine.write_text("mine")
    (tmp_path / digest[:2]).mkdir()
    (tmp_path / digest[:2] / f".{digest}.gz.{os.getpid()}{TEMPORARY}").symlink_to(mine)
    append_reply(tmp_path, ASKED, BODY)

    assert mine.read_text() == "mine"
    assert body_of(tmp_path, digest) == BODY


def test_an_archive_that_is_a_file_is_told(tmp_path):
    place = tmp_path / "replies"
    place.write_bytes(b"")

    with pytest.raises(OutputError, match=f"{place}: cannot be written: Not a directory"):
        append_reply(place, ASKED, BODY)
    with pytest.raises(OutputError, match=f"{place}: cannot be written: File exists"):
        append_disregarded(place, [{"rule": "shape"}])


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is always full")
def test_an_archive_on_a_full_disk_is_told(tmp_path):
    (tmp_path / "index.jsonl").symlink_to("/dev/full")

    with pytest.raises(OutputError, match="No space left on device"):
        append_reply(tmp_path, ASKED, BODY)
