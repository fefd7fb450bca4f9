"""Where compiled kernels are kept, and that no state of that folder can do harm."""

import logging
import os
import pickle
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numba import config

from indexer.kernels import compile as door
from indexer.kernels.compile import compiled

pytestmark = pytest.mark.skipif(config.DISABLE_JIT, reason="numba is told not to compile")

PACKAGE = Path(door.__file__).parents[1]
ONCE = ["compiling kernels, once on this machine …"]


def _double(x, out):
    for i in range(x.size):
        out[i] = 2.0 * x[i]


@pytest.fixture(autouse=True)
def user_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the cache folder of a user who has compiled nothing and set nothing."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(config, "CACHE_DIR", "")
    _forget()
    yield tmp_path / "cache"
    _forget()


def _forget() -> None:
    door._kernel_folder.cache_clear()
    door._announce.cache_clear()


@pytest.fixture
def double(caplog: pytest.LogCaptureFixture) -> Callable[[], tuple[bool, list[str]]]:
    """Return a way to use a kernel as in a new process: whether it was kept, and what is said."""

    def use() -> tuple[bool, list[str]]:
        _forget()
        caplog.clear()
        kernel, out = compiled()(_double), np.empty(3)
        with caplog.at_level(logging.INFO, logger="indexer"):
            kernel(np.array([1.0, 2.0, 3.0]), out)
        assert out.tolist() == [2.0, 4.0, 6.0]
        return bool(kernel.stats.cache_hits), [record.getMessage() for record in caplog.records]

    return use


def files(folder: Path, suffix: str = "") -> list[Path]:
    return sorted(path for path in folder.rglob(f"*{suffix}") if path.is_file())


def test_a_kernel_is_compiled_once_and_kept(double: Any, user_cache: Path) -> None:
    assert double() == (False, ONCE)
    assert double() == (True, [])
    assert (user_cache / "indexer" / "kernels").stat().st_mode & 0o777 == 0o700
    assert [path.suffix for path in files(user_cache)] == [".nbc", ".nbi"]


def test_nothing_is_kept_beside_the_source(double: Any) -> None:
    before = files(Path(__file__).parent, ".nbi")
    double()

    assert files(Path(__file__).parent, ".nbi") == before


def test_it_is_said_once_for_all_kernels(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="indexer"):
        for _ in range(2):
            compiled(nogil=True)(_double)(np.zeros(1), np.zeros(1))
            shutil.rmtree(door._kernel_folder() or "")

    assert [record.getMessage() for record in caplog.records] == ONCE


def test_what_the_user_has_set_for_numba_counts(
    double: Any, user_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(config, "CACHE_DIR", str(tmp_path / "own"))
    double()

    assert double() == (True, [])
    assert len(files(tmp_path / "own" / "indexer")) == 2
    assert not user_cache.exists()


def test_the_settings_of_other_kernels_stay(double: Any) -> None:
    before = config.CACHE_DIR, config.CACHE_LOCATOR_CLASSES
    double()

    assert before == (config.CACHE_DIR, config.CACHE_LOCATOR_CLASSES)


class _Poison:
    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self):
        return os.mkdir, (str(self.mark),)


@pytest.mark.attack("D5")
@pytest.mark.parametrize("open_folder", ["", "indexer"])
def test_what_others_could_have_put_there_is_not_executed(
    double: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, open_folder: str
) -> None:
    """Numba unpickles an index before it looks at what is in it."""
    top, mark = tmp_path / "theirs", tmp_path / "executed"
    monkeypatch.setattr(config, "CACHE_DIR", str(top))
    double()
    (index,) = files(top, ".nbi")
    index.write_bytes(pickle.dumps(_Poison(mark)))
    (top / open_folder).chmod(0o777)
    kept, said = double()

    assert not mark.exists()
    assert not kept
    assert said == [
        f"compiling kernels, in every run: NUMBA_CACHE_DIR {top} is not this user's alone …"
    ]
    (top / open_folder).chmod(0o700)  # the poison is one: trusted, it is executed
    double()
    assert mark.exists()


@pytest.mark.attack("D5")
def test_of_another_owner_nothing_is_used(
    double: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    double()
    monkeypatch.setattr(os, "geteuid", lambda: tmp_path.stat().st_uid + 1)

    assert double()[0] is False


def test_without_any_folder_kernels_are_compiled_all_the_same(
    double: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/dev/null/none")
    kept, said = double()

    assert not kept
    assert said == ["compiling kernels, in every run: there is no private folder to keep them in …"]


@pytest.mark.parametrize("suffix", [".nbi", ".nbc"])
@pytest.mark.parametrize("keep", [0, -1], ids=["nothing", "most"])
def test_a_file_that_was_cut_short_is_compiled_again(
    double: Any, user_cache: Path, suffix: str, keep: int
) -> None:
    double()
    (file,) = files(user_cache, suffix)
    file.write_bytes(file.read_bytes()[:keep])

    assert double() == (False, ONCE)
    assert double() == (True, [])


def test_a_file_that_is_gone_is_compiled_again(double: Any, user_cache: Path) -> None:
    double()
    files(user_cache, ".nbc")[0].unlink()

    assert double() == (False, ONCE)
    assert double() == (True, [])


def test_a_folder_lost_on_the_way_costs_only_time(user_cache: Path) -> None:
    kernel, out = compiled()(_double), np.empty(1)
    shutil.rmtree(user_cache)
    user_cache.touch()
    kernel(np.ones(1), out)

    assert out[0] == 2.0


def test_a_full_disk_costs_only_time(double: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", full)
        assert double()[0] is False
    assert double()[0] is False
    assert double()[0] is True


def test_division_by_zero_is_that_of_numpy() -> None:
    def ratio(x, out):
        out[0] = x[0] / x[1]

    out = np.empty(1)
    compiled()(ratio)(np.array([1.0, 0.0]), out)

    assert out[0] == np.inf


OUTER = """
import numpy as np
from indexer.kernels.compile import compiled
from indexer.kernels.inner import inner
@compiled()
def outer(out):
    out[0] = inner()
out = np.empty(1)
outer(out)
print(out[0], len(outer.stats.cache_hits))
"""
INNER = "from indexer.kernels.compile import compiled\n@compiled()\ndef inner():\n    return {}\n"


def test_a_kernel_whose_part_has_changed_elsewhere_is_compiled_again(tmp_path: Path) -> None:
    """Numba itself looks only at the file a kernel stands in."""
    kernels = tmp_path / "indexer" / "kernels"
    shutil.copytree(PACKAGE, tmp_path / "indexer", ignore=shutil.ignore_patterns("__pycache__"))
    (kernels / "outer.py").write_text(OUTER, encoding="utf-8")
    said = []
    for value in (1.0, 1.0, 2.0):
        (kernels / "inner.py").write_text(INNER.format(value), encoding="utf-8")
        command = [sys.executable, "-B", "-m", "indexer.kernels.outer"]
        found = subprocess.run(command, check=True, capture_output=True, text=True, cwd=tmp_path)
        said.append(found.stdout)

    assert said == ["1.0 0\n", "1.0 1\n", "2.0 0\n"]
