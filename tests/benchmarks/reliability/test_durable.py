"""What a disk may hold after a loss of power."""

import random
from pathlib import Path

from benchmarks.reliability.durable import Disk, write_disk

NEVER_DRAWN = 0


def left(folder: Path, *steps: tuple[object, ...], drawn: int = NEVER_DRAWN) -> set[object]:
    disk = Disk(folder)
    for step in steps:
        disk.do(step)
    return set(disk.left(random.Random(1), drawn))  # noqa: S311


def test_nothing_is_sure_before_it_is_synchronised(tmp_path):
    found = left(tmp_path, ("create", "/a", 0), ("write", 0, 0, b"level"))

    root = ("/", None)
    assert found == {(root,), (root, ("/a", b"")), (root, ("/a", b"level"))}


def test_content_that_was_synchronised_stays(tmp_path):
    found = left(tmp_path, ("create", "/a", 0), ("write", 0, 0, b"level"), ("fsync", 0))

    assert found == {(("/", None),), (("/", None), ("/a", b"level"))}


def test_a_name_is_sure_once_its_folder_was_synchronised(tmp_path):
    made = (("create", "/a", 0), ("write", 0, 0, b"level"), ("fsync", 0))
    found = left(tmp_path, *made, ("rename", "/a", "/b"), ("fsyncdir", "/"))

    assert found == {(("/", None), ("/b", b"level"))}


def test_what_lies_in_a_folder_goes_with_it(tmp_path):
    made = (("mkdir", "/out"), ("create", "/out/a", 0), ("fsync", 0), ("fsyncdir", "/out"))

    assert (("/", None),) in left(tmp_path, *made)


def test_writes_may_come_in_any_order(tmp_path):
    (tmp_path / "a").write_bytes(b"....")
    writes = (("write", 0, 0, b"ab"), ("write", 0, 2, b"cd"))
    found = {disk[1][1] for disk in left(tmp_path, *writes, drawn=50)}

    assert found >= {b"....", b"ab..", b"..cd", b"abcd"}


def test_a_write_may_end_between_two_sectors(tmp_path):
    (tmp_path / "a").write_bytes(bytes(1024))
    found = {disk[1][1] for disk in left(tmp_path, ("write", 0, 0, b"x" * 1024), drawn=50)}

    assert b"x" * 512 + bytes(512) in found


def test_a_disk_is_written_as_it_was_left(tmp_path):
    write_disk((("/", None), ("/out", None), ("/out/a", b"level")), tmp_path)

    assert (tmp_path / "out" / "a").read_bytes() == b"level"
