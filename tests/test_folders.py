"""Private folders: who else could write to them, or put another one in their place."""

import os
from pathlib import Path

import pytest

from indexer.folders import cache_folder, private_folder, read_file


def test_it_is_made_for_this_user_alone(tmp_path: Path) -> None:
    found = private_folder(tmp_path / "a" / "b")

    assert found == tmp_path / "a" / "b"
    assert found.stat().st_mode & 0o777 == 0o700
    assert private_folder(found) == found


@pytest.mark.attack("D5")
@pytest.mark.parametrize("mode", [0o777, 0o1777, 0o770, 0o750, 0o701, 0o704])
def test_one_that_is_open_to_others_is_not_trusted(tmp_path: Path, mode: int) -> None:
    folder = tmp_path / "open"
    folder.mkdir()
    folder.chmod(mode)

    assert private_folder(folder) is None


@pytest.mark.attack("D5")
def test_one_of_another_owner_is_not_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "theirs"
    assert private_folder(folder) == folder
    monkeypatch.setattr(os, "geteuid", lambda: folder.stat().st_uid + 1)

    assert private_folder(folder) is None


@pytest.mark.attack("D5")
def test_a_symbolic_link_is_not_trusted(tmp_path: Path) -> None:
    target = private_folder(tmp_path / "target")
    assert target is not None
    (tmp_path / "link").symlink_to(target)

    assert private_folder(tmp_path / "link") is None


def test_a_link_on_the_way_is_followed_once(tmp_path: Path) -> None:
    """What is used afterwards does not pass through it."""
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")

    assert private_folder(tmp_path / "link" / "kept") == tmp_path / "real" / "kept"


@pytest.mark.attack("D5")
def test_one_that_anybody_could_move_away_is_not_trusted(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    inside = private_folder(shared / "of" / "mine")
    assert inside is not None

    shared.chmod(0o777)
    assert private_folder(inside) is None
    shared.chmod(0o1777)  # as /tmp: only its owner may move it
    assert private_folder(inside) == inside


def test_without_a_place_there_is_none(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "circle").symlink_to(tmp_path / "circle")

    assert private_folder(tmp_path / "file") is None
    assert private_folder(tmp_path / "file" / "below") is None
    assert private_folder(tmp_path / "circle" / "below") is None


def test_it_is_never_made_in_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where the user has no home: the cache folder is then a relative path."""
    monkeypatch.chdir(tmp_path)

    assert private_folder(Path("kept")) is None
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(os.name != "posix", reason="the variable is one of XDG")
def test_the_cache_folder_is_below_that_of_the_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))

    assert cache_folder("closes") == tmp_path / "indexer" / "closes"


@pytest.mark.attack("B2")
@pytest.mark.parametrize("kind", ["pipe", "link to a pipe", "device", "folder"])
def test_what_is_no_file_is_not_read_and_not_waited_for(tmp_path: Path, kind: str) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link to a pipe").symlink_to("pipe")
    (tmp_path / "device").symlink_to("/dev/zero")
    (tmp_path / "folder").mkdir()

    with pytest.raises(OSError, match=r"is no file|Is a directory"):
        read_file(tmp_path / kind)


def test_a_file_is_read_also_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"some")
    (tmp_path / "link").symlink_to("file")

    assert read_file(tmp_path / "link") == b"some"
