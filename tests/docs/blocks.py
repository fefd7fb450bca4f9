"""The blocks of code on a page: found, run in a folder with the sample market, compared.

`python -m tests.docs.blocks PAGE...` puts the real output into pages where another is shown.
"""

import contextlib
import io
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from typing import Any

import click
import numpy as np
import yaml

from indexer.cli.app import app, main
from indexer.definitions.basket import Basket
from indexer.definitions.study import Study
from indexer.run.begin import write_templates
from indexer.run.find import validate
from indexer.sweep.plan import problems_of

ROOT = Path(__file__).parents[2]
BESIDE = ("baskets", "benchmarks", "docs", "seeds", "tests", "indexer")  # as in a checkout
ARRAYS = {"a": (300,), "b": (300,), "x": (300, 4), "y": (300,)}  # names the README leaves open

# What differs from one run to the next, and what stands for it.
DIFFERS = (
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)", "<instant>"),
    (r"\d{8}T\d{6}Z-[0-9a-f]{8}", "<run>"),
    (r"\d{8}T\d{6}(?:\.\d+)?Z", "<instant>"),
    (r"\b[0-9a-f]{12,64}\b", "<digest>"),
    (r"^compiling kernels, once on this machine …\n", ""),
    (r"[ \t]+$", ""),
)

# How a command begins that is not run but parsed, and why. A page's name before it: there alone.
NOT_RUN = {
    "python3 -m venv": "makes an environment",
    "pip install": "needs a package index",
    ".venv/bin/pip": "needs a package index",
    ".venv/bin/python -m pytest": "runs these tests",
    ".venv/bin/python -m tests.docs": "runs these tests",
    ".venv/bin/python -m docs.reference": "tests/docs/test_reference.py does the same",
    ".venv/bin/ruff check": "checks style, by itself in CI",
    "python -m benchmarks": "takes from minutes to hours",
    "indexer fetch": "needs a network",
    "indexer constituents": "needs a network",
    "indexer calendar XSHG --against akshare": "needs a network",
    "how-to.md: indexer run my-pairs.yaml --market store/": "needs what fetch brought",
    "README.md: indexer build my-basket.yaml --market store/@12": "needs what fetch brought",
    "README.md: indexer doctor": "says what is late today",
    "README.md: indexer sweep": "how-to.md runs it",
    "operations.md: indexer publish compute-diffusion": "the sample ends before today",
    "operations.md: indexer restate": "needs what was published on that schedule",
    "operations.md: indexer history": "needs what was published on that schedule",
    "operations.md: indexer verify": "needs what was published on that schedule",
    "indexer serve": "stays until it is stopped",
    "curl": "needs a server; tests/web/test_docs.py asks the same without one",
    "scaling.md: indexer sweep grid.yaml": "needs a cluster",
    "sbatch": "needs a cluster",
    "kubectl": "needs a cluster",
}


@dataclass(frozen=True)
class Block:
    """A fenced block: where it begins, its language and its text."""

    page: Path
    start: int  # offset of the text in the page
    language: str
    text: str

    @property
    def place(self) -> str:
        """The page and the line it stands on."""
        line = self.page.read_text("utf-8").count("\n", 0, self.start)
        return f"{self.page.name}:{line}"


def blocks(page: Path) -> list[Block]:
    """Return the fenced blocks of a page, in order."""
    text = page.read_text("utf-8")
    found = re.finditer(r"^```([\w-]*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return [Block(page, m.start(2), m[1], m[2]) for m in found]


def steps(block: Block) -> list[tuple[str, str]]:
    """Return the commands of a block of shell, each with the output shown below it.

    A command goes on after a backslash, ``&&`` and ``|``, and in a here-document.
    """
    lines, found = block.text.splitlines(), list[tuple[str, str]]()
    session = block.language == "sh-session"
    while lines:
        line = lines.pop(0)
        if session and not line.startswith("$ "):
            before, shown = found.pop()
            found.append((before, f"{shown}{line}\n"))
            continue
        command = line.removeprefix("$ ") if session else line
        while command.endswith(("\\", "&&", "|")) and lines:
            command += "\n" + lines.pop(0).removeprefix("> ")
        if here := re.search(r"<<'?(\w+)'?", command):
            while here and lines and not command.endswith(f"\n{here[1]}"):
                command += "\n" + lines.pop(0)
        if command.strip() and not command.startswith("#"):
            found.append((command, ""))
    return found


def commands(page: Path) -> list[str]:
    """Return every single command on a page."""
    shells = [block for block in blocks(page) if block.language in ("sh", "sh-session")]
    found = [command for block in shells for command, _ in steps(block)]
    return [part.strip() for command in found for part in command.split("&&\n")]


def normal(text: str) -> str:
    """Return output without what differs from run to run."""
    for pattern, stands in DIFFERS:
        text = re.sub(pattern, stands, text, flags=re.MULTILINE)
    return text.strip("\n")


@dataclass
class Desk:
    """A folder in which a page's blocks run one after the other."""

    folder: Path
    status: int = 0
    variables: dict[str, str] = field(default_factory=dict)
    names: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in BESIDE:
            (self.folder / name).symlink_to(ROOT / name)
        shutil.copytree(ROOT / "seeds" / "market", self.folder / "market")
        rng = np.random.default_rng(20260507)
        self.names |= {name: rng.standard_normal(shape) for name, shape in ARRAYS.items()}

    def run(self, page: str, command: str) -> str | None:
        """Return what a command prints; None where it is not run but only parsed."""
        said = [self._part(page, part.strip()) for part in command.split("&&\n")]
        ran = [text for text in said if text is not None]
        return "".join(ran) if ran else None

    def _part(self, page: str, command: str) -> str | None:
        for entry in NOT_RUN:
            where, _, begins = entry.rpartition(": ")
            if command.startswith(begins) and where in ("", page):
                parse(command)
                return None
        return self._shell(command)

    def _shell(self, command: str) -> str:
        command = command.replace("\\\n", " ")
        if given := re.fullmatch(r"(\w+)=\$\((.*)\)", command):
            self.variables[given[1]] = self._shell(given[2]).strip()
            return ""
        if command == "echo $?":
            status, self.status = self.status, 0
            return f"{status}\n"
        if command.startswith("cd "):
            self.folder = self.folder / command.removeprefix("cd ").strip()
            return ""
        ours = re.match(r"(?:\.venv/bin/)?indexer (.*?)(2>/dev/null)?\s*((?:[|>] ?).*)?$", command)
        if not ours:
            return self._bash(command)
        said = self._indexer(ours[1], apart=bool(ours[2] or ours[3]))
        if ours[3]:
            status, said = self.status, self._bash(f"cat {ours[3]}", said)
            self.status = self.status or (status if ours[3].startswith(">") else 0)
        return said

    def _bash(self, command: str, given: str = "") -> str:
        done = subprocess.run(
            ["/bin/bash", "-c", command], cwd=self.folder, input=given.encode(),
            env=os.environ | self.variables, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            check=False,
        )  # fmt: skip
        self.status = done.returncode
        return done.stdout.decode()

    def _indexer(self, text: str, *, apart: bool) -> str:
        """Run the command line in this process; return what it prints, messages unless apart."""
        expanded = re.sub(r"\$(\w+)", lambda found: self.variables[found[1]], text)
        before, folder = sys.argv, Path.cwd()
        sys.argv = ["indexer", *shlex.split(expanded, comments=True)]
        out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True) for _ in range(2))
        os.chdir(self.folder)
        try:
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err if apart else out):
                main()
        except SystemExit as stopped:
            self.status = int(stopped.code or 0)
        finally:
            sys.argv = before
            os.chdir(folder)
        return out.buffer.getvalue().decode()

    def python(self, block: Block) -> str:
        """Run a block of Python beside those before it, and return what it prints."""
        out, folder = io.StringIO(), Path.cwd()
        os.chdir(self.folder)
        try:
            with contextlib.redirect_stdout(out):
                exec(compile(block.text, block.place, "exec"), self.names)  # noqa: S102
        finally:
            os.chdir(folder)
        return out.getvalue()

    def definition(self, block: Block, *, check: bool) -> None:
        """Write a definition under its id, or a part of one into the template; validate it."""
        given = yaml.load(block.text, yaml.BaseLoader)  # noqa: S506 (text alone)
        whole = "version" in given and "id" in given
        path = self.folder / f"{given['id'] if whole else 'part'}.yaml"
        path.write_text(block.text if whole else self._completed(given), encoding="utf-8")
        if check:
            problems = validate([str(path)], problems_of)
            assert not problems, f"{block.place}: " + "\n".join(map(str, problems))
        if not whole:
            path.unlink()

    def _completed(self, given: dict[str, Any]) -> str:
        kinds: dict[str, type[Basket] | type[Study]] = {"my-basket": Basket, "my-study": Study}
        name = next(n for n, kind in kinds.items() if set(given) <= _keys(kind))
        with tempfile.TemporaryDirectory() as folder:
            write_templates(Path(folder))
            text = (Path(folder) / f"{name}.yaml").read_text("utf-8")
        whole = yaml.load(text, yaml.BaseLoader)  # noqa: S506
        whole |= given | {"id": "part"}
        if "constituents_file" in given:
            del whole["constituents"]
        return yaml.safe_dump(whole, allow_unicode=True)


def _keys(kind: type[Basket] | type[Study]) -> set[str]:
    """Return the keys a definition may have at its top."""
    return {"constituents_file", *(f.alias or name for name, f in kind.model_fields.items())}


def parse(command: str) -> None:
    """Raise if the arguments of a call of ours in a command are none it takes."""
    found = re.search(r"(?:^|[/ ])indexer (\w+)(.*)", command.replace("\\\n", " "), re.DOTALL)
    if found:
        assert found[1] in app.commands, f"no command {found[1]}: {command}"
        given = re.split(r"\s(?:[|>]|2>)", found[2])[0]
        with app.make_context("indexer", [], resilient_parsing=True) as outer:
            told = shlex.split(given, comments=True)
            app.commands[found[1]].make_context(found[1], told, parent=outer)


def replayed(page: Path, desk: Desk) -> Iterator[tuple[Block, str]]:
    """Run a page's blocks; yield those that show output, with their text as it would be."""
    found, before = blocks(page), ""
    for block, after in zip_longest(found, found[1:]):
        match block.language:
            case "sh" | "sh-session":
                made, before = _commands(block, desk)
                if block.language == "sh-session":
                    yield block, made
            case "python":
                before = desk.python(block)
            case "text":
                yield block, before
            case "yaml":
                told = after is not None and after.text.startswith("$ indexer validate")
                desk.definition(block, check=not told)
            case "ini" | "crontab":
                for line in block.text.splitlines():
                    parse(line)
            case _:
                assert block.language in {"csv", "nginx"}, f"{block.place}: {block.language!r}"


def _commands(block: Block, desk: Desk) -> tuple[str, str]:
    """Run a block of shell; return its text with what was printed, and that alone."""
    page, made, printed = block.page.name, "", ""
    taken = steps(block)
    compared = any(shown for _, shown in taken)
    for n, (command, shown) in enumerate(taken):
        said = desk.run(page, command)
        asked = [after for after, _ in taken[n + 1 : n + 2]] == ["echo $?"]
        assert desk.status == 0 or asked, f"{block.place}: {command}: {said}"
        made += f"$ {command}\n" + (said if compared and said is not None else shown)
        printed += said or ""
    return made, printed


def rewrite(page: Path) -> None:
    """Put the real output in the place of what a page shows, if any of it is another.

    All of it then: instants that one output tells are named by others.
    """
    text, made = page.read_text("utf-8"), list[tuple[Block, str]]()
    try:
        with tempfile.TemporaryDirectory() as folder:
            made.extend(replayed(page, Desk(Path(folder))))
    finally:
        stale = any(normal(new) != normal(block.text) for block, new in made)
        for block, new in reversed(made if stale else []):
            text = text[: block.start] + new + text[block.start + len(block.text) :]
        page.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    for name in sys.argv[1:]:
        try:
            rewrite(Path(name).resolve())
        except (AssertionError, click.ClickException) as error:
            sys.exit(f"{name}: {error}")
