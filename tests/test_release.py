"""What is installed is what was locked, and what is built is the same whoever builds it."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import indexer

ROOT = Path(__file__).parents[1]
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
PROJECT = SETTINGS["project"]
EXTRAS = {  # of what is locked in each file
    "requirements.txt": ("build",),
    "requirements-web.txt": ("web",),
    "requirements-dev.txt": ("build", "web", "dist", "postgres", "test", "dev"),
}
PINNED = re.compile(r"([\w.-]+)==(\S+)( ; [^;]+?)?(( +--hash=sha256:[0-9a-f]{64})+)")


def lines(lock: str) -> list[str]:
    text = (ROOT / lock).read_text("utf-8").replace("\\\n", " ")
    return [line.strip() for line in text.splitlines() if line.strip() and line[0] != "#"]


def test_the_package_says_its_version() -> None:
    assert indexer.__version__ == PROJECT["version"]


def versions(lock: str) -> dict[str, set[str]]:
    """Return the versions of each package in a lock: there may be one for each kind of system."""
    found: dict[str, set[str]] = {}
    for line in lines(lock):
        name, _, rest = line.partition("==")
        found.setdefault(name, set()).add(rest.split()[0])
    return found


@pytest.mark.attack("F1")
@pytest.mark.parametrize("lock", EXTRAS)
def test_every_package_is_locked_to_a_version_and_its_digests(lock: str) -> None:
    assert [line for line in lines(lock) if not PINNED.fullmatch(line)] == []


@pytest.mark.attack("F1")
@pytest.mark.parametrize(("lock", "extras"), EXTRAS.items())
def test_what_is_locked_is_what_the_project_asks_for(lock: str, extras: tuple[str, ...]) -> None:
    named = [PROJECT["dependencies"], *(PROJECT["optional-dependencies"][e] for e in extras)]
    asked = [Requirement(text) for texts in named for text in texts]
    locked = versions(lock)

    for one in asked:
        if one.name != "indexer":
            found = locked[one.name.lower().replace("_", "-")]
            assert all(version in one.specifier for version in found), one
    assert all(found <= versions("requirements-dev.txt")[name] for name, found in locked.items())


def forged(folder: Path, name: str, version: str) -> str:
    """Write a wheel under the name and version of another; return its digest."""
    wheel, told = folder / f"{name}-{version}-py3-none-any.whl", f"{name}-{version}.dist-info"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(
            f"{told}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        )
        archive.writestr(
            f"{told}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{told}/RECORD", "")
    return hashlib.sha256(wheel.read_bytes()).hexdigest()


def installed(folder: Path, line: str) -> tuple[bool, str]:
    """Try to install one line of a lock from a folder alone; return whether it was, and why not."""
    (folder / "lock.txt").write_text(line, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pip", "--isolated", "install", "--require-hashes", "--no-index",
         "--no-deps", "--find-links", str(folder), "--target", str(folder / "there"),
         "-r", str(folder / "lock.txt")],
        check=False, capture_output=True, text=True,
        env=os.environ | {"PIP_CONFIG_FILE": os.devnull},
    )  # fmt: skip
    return done.returncode == 0, done.stderr


@pytest.mark.attack("F1")
def test_a_package_put_in_the_place_of_a_locked_one_is_not_installed(tmp_path: Path) -> None:
    (line,) = [line for line in lines("requirements.txt") if line.startswith("click==")]
    (version,) = versions("requirements.txt")["click"]
    digest = forged(tmp_path, "click", version)

    assert installed(tmp_path, f"click=={version} --hash=sha256:{digest}")[0]
    for lock in (line, f"click=={version}"):
        done, said = installed(tmp_path, lock)
        assert (done, "hashes" in said.lower()) == (False, True)


@pytest.mark.attack("F1")
@pytest.mark.parametrize(
    "name", ["README.md", "README.zh-CN.md", "CONTRIBUTING.md", "docs/tutorial.md"]
)
def test_no_way_to_set_up_goes_past_the_lock(name: str) -> None:
    blocks = re.findall(r"^```sh$(.*?)^```$", (ROOT / name).read_text("utf-8"), re.M | re.S)
    ways = [line for block in blocks for line in block.splitlines() if "pip install" in line]

    assert ways
    assert [way for way in ways if "--require-hashes" not in way and "--no-deps" not in way] == []


@pytest.mark.attack("F3")
def test_no_package_that_is_locked_asks_for_our_source() -> None:
    """Licences are permissive, or end at their own files."""
    asking = re.compile(r"\b[AL]?GPL|General Public|SSPL|Commons Clause", re.IGNORECASE)
    told = {}
    for name in versions("requirements.txt"):
        with suppress(PackageNotFoundError):  # of another system
            found = metadata(name)
            kinds = [c for c in found.get_all("Classifier", []) if c.startswith("License")]
            stated = found.get("License-Expression") or found.get("License") or ""
            told[name] = " ".join([stated.partition("\n")[0], *kinds])

    assert len(told) > 50
    assert all(told.values())
    assert [name for name, text in told.items() if asking.search(text)] == []


@pytest.mark.attack("F3")
def test_the_package_is_held_to_the_rules_of_security_and_each_exception_has_a_reason() -> None:
    rules = SETTINGS["tool"]["ruff"]["lint"]
    excused = {
        place: {code for code in codes if re.fullmatch(r"S\d+", code)}
        for place, codes in rules["per-file-ignores"].items()
    }
    noted = [
        (path.name, line)
        for path in (ROOT / "indexer").rglob("*.py")
        for line in path.read_text("utf-8").splitlines()
        if re.search(r"# noqa: .*\bS\d+", line)
    ]

    assert "S" in rules["select"]
    assert not [code for code in rules["ignore"] if re.fullmatch(r"S\d*", code)]
    assert not [place for place, codes in excused.items() if codes and place.startswith("indexer")]
    assert "ruff check ." in (ROOT / ".ci" / "run").read_text("utf-8")
    assert [one for one in noted if not re.search(r"# noqa: \S+ +\(.+\)$", one[1])] == []


PARTS = ("indexer", "baskets", "seeds", "README.md", "LICENSE", "NOTICE", "pyproject.toml")


def built(folder: Path, mask: int = 0o022, seed: str = "1") -> Path:
    """Build the wheel from a copy of its parts, as somebody else would."""
    folder.mkdir()
    for part in PARTS:
        if (ROOT / part).is_dir():
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(
                ROOT / part, folder / part, ignore=ignored, copy_function=shutil.copyfile
            )
        else:
            shutil.copyfile(ROOT / part, folder / part)
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", "made"],
        check=True, capture_output=True, cwd=folder, umask=mask,
        env=os.environ | {"PYTHONHASHSEED": seed.strip("-"), "TZ": f"UTC{seed}"},
    )  # fmt: skip
    (wheel,) = (folder / "made").iterdir()
    return wheel


@pytest.mark.attack("F4")
def test_a_wheel_is_the_same_to_the_byte_whoever_builds_it(tmp_path: Path) -> None:
    one, other = built(tmp_path / "a"), built(tmp_path / "other", 0o077, "-5")

    assert one.read_bytes() == other.read_bytes()


def test_a_wheel_says_that_the_package_is_typed(tmp_path: Path) -> None:
    assert "Typing :: Typed" in PROJECT["classifiers"]
    with zipfile.ZipFile(built(tmp_path / "a")) as wheel:
        assert "indexer/py.typed" in wheel.namelist()
