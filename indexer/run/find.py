"""Where definitions are: the file that is named, else an id beside it, here, or bundled."""

import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

from indexer.definitions.basket import Constituent, Index
from indexer.definitions.read import read_definition, read_sweep
from indexer.definitions.rules import Broken, Listed, breaks
from indexer.definitions.study import Event, Pair, Study
from indexer.definitions.sweep import Sweep
from indexer.definitions.text import closest
from indexer.errors import DefinitionError, Flaw, MissingInputError, Problem
from indexer.folders import is_file, is_there
from indexer.index.schedule import CALENDAR_RULES
from indexer.market.conventions.renames import latest_symbol

_PACKAGE = Path(__file__).parents[1]
_PACKED = _PACKAGE / "bundled"  # in an installed wheel; in a checkout the folders lie beside it
_ROOT = _PACKED if _PACKED.is_dir() else _PACKAGE.parent
BUNDLED_BASKETS = _ROOT / "baskets"
BUNDLED_MARKET = _ROOT / "seeds" / "market"


def definition_named(name: str) -> Index | Study:
    """Return the definition in a file, or the one with an id in ./baskets or bundled.

    Raises
    ------
    MissingInputError
        If there is no such file and no such id.
    DefinitionError
        With everything that is wrong in it, its calendar included.
    """
    found = read_definition(_named(name), RULES)
    if isinstance(found, Sweep):
        message = "is a sweep: name an index or a study, or run it with indexer sweep"
        raise DefinitionError([found.problem((), message)])
    return found


def sweep_named(name: str) -> Sweep:
    """Return the sweep in a file or with an id; raises as `definition_named` does."""
    path, found = _named(name), None
    with suppress(DefinitionError):
        found = read_definition(path)
    if isinstance(found, Sweep):
        return found
    if found is None:
        return read_sweep(path)  # which says what is wrong
    kind, use = ("a study", "run") if isinstance(found, Study) else ("an index", "build")
    message = f"is {kind}: name a sweep, or use indexer {use}"
    raise DefinitionError([found.problem((), message)])


def meant(name: str) -> str:
    """Return what is said of a definition's file where an id is asked for; else nothing."""
    return f": give its id, as {Path(name).stem}" if name.endswith((".yaml", ".yml")) else ""


def _named(name: str) -> Path:
    """Return the file of that name, or the one with that id in ./baskets or bundled.

    Raises
    ------
    MissingInputError
        If it can only be an id, and is none; what reads the file tells the rest.
    """
    path = Path(name)
    if is_file(path):
        return path
    found = next(_places(name, Path("baskets")), path)
    if found is path and not is_there(path) and re.fullmatch(r"[a-z0-9-]+", name):
        files = [file.name for file in sorted(Path().glob("*.yaml"))]
        ids = [
            file.stem for top in (Path("baskets"), BUNDLED_BASKETS) for file in top.glob("*.yaml")
        ]
        hint = closest(name, [*files, *ids])
        message = f"no such file, and no definition of that id in ./baskets or bundled{hint}"
        raise MissingInputError([Flaw(name, None, "", message)])
    return found


def swept_study(sweep: Sweep) -> Study:
    """Return the study that a sweep varies: beside it, in ./baskets, or bundled.

    Raises
    ------
    DefinitionError
        If it is not found, is found and wrong, or is no study.
    """
    id = str(sweep.study)
    path = next(_places(id, Path(sweep.file).parent, Path("baskets")), None)
    if path is None:
        hint = closest(id, (p.stem for p in BUNDLED_BASKETS.glob("*.yaml")))
        raise DefinitionError([sweep.problem(("study",), f"no definition of {id!r} found{hint}")])
    return study_named(str(path))


def swept_baskets(sweep: Sweep) -> list[Path]:
    """Return the files that a sweep's glob names, beside it or from the root, in order.

    Raises
    ------
    DefinitionError
        If there are none, or two have one name.
    """
    pattern, beside = Path(str(sweep.baskets)), Path(sweep.file).parent
    root = Path(pattern.anchor) if pattern.anchor else beside
    own = Path(sweep.file).absolute()
    inside = str(pattern.relative_to(pattern.anchor))
    try:
        files = [f for f in root.glob(inside) if is_file(f) and f.absolute() != own]
    except (ValueError, IndexError) as error:  # such as "a**b", or a folder
        message = f"{sweep.baskets!r} is no pattern of files: {error}"
        raise DefinitionError([sweep.problem(("baskets",), message)]) from error
    files.sort(key=lambda file: (file.stem, file))
    wrong = [] if files else [f"{sweep.baskets} names no file in {root}"]
    for before, file in itertools.pairwise(files):
        if before.stem == file.stem:
            wrong.append(f"{file.stem} is the name of two files, {before} and {file}: name one")
    if wrong:
        raise DefinitionError([sweep.problem(("baskets",), message) for message in wrong])
    return files


def study_named(name: str) -> Study:
    """Return the study in a file or with an id; raises as `definition_named` does."""
    found = definition_named(name)
    if not isinstance(found, Study):
        message = "is an index: name a study, a definition with pairs"
        raise DefinitionError([found.problem((), message)])
    return found


def index_named(name: str) -> Index:
    """Return the index in a file or with an id; raises as `definition_named` does."""
    found = definition_named(name)
    if isinstance(found, Study):
        raise DefinitionError([found.problem(("pairs",), "this is a study: name an index")])
    return found


def indices_of(study: Study) -> dict[str, Index]:
    """Return every index a study names, by id: those of its pairs, the benchmark, its events'.

    Each is found beside the study, else in ./baskets, else among the bundled ones.

    Raises
    ------
    DefinitionError
        With every index that is not found, or is found and wrong.
    """
    beside = Path(study.file).parent
    asked = (study.pairs, study.benchmark, study.events)
    problems = [study.problem(*rule) for rule in _every_index_is_there(beside, *asked)]
    found: dict[str, Index] = {}
    where: dict[str, tuple[str | int, ...]] = {}
    for trail, id in _references(*asked):
        where.setdefault(id, trail)
    for id, trail in where.items():
        for path in itertools.islice(_places(id, beside, Path("baskets")), 1):
            try:
                one = read_definition(path, RULES)
            except DefinitionError as error:
                problems += error.problems
                continue
            if isinstance(one, Study | Sweep):
                kind = "study" if isinstance(one, Study) else "sweep"
                message = f"{id!r} is a {kind} ({one.file}): name an index"
                problems.append(study.problem(trail, message))
            else:
                found[id] = one
    if problems:
        raise DefinitionError(problems)
    return found


def check(found: Index | Study) -> None:
    """Raise if a definition breaks a rule that calendars or conventions of markets know of.

    Raises
    ------
    DefinitionError
        With every such rule, and where it is broken.
    """
    problems = [found.problem(*rule) for rule in breaks(RULES, dict(found))]
    if problems:
        raise DefinitionError(problems)


def _one_security_once(listed: Listed) -> Broken:
    held: dict[str, list[Constituent]] = {}
    for n, constituent in listed.items():
        others = held.setdefault(latest_symbol(constituent.symbol), [])
        for other in others:
            if other.symbol != constituent.symbol and constituent.overlaps(other):
                message = (
                    f"{constituent.symbol} and {other.symbol} are one security, held twice: list "
                    f"one of them, or end one where the other begins"
                )
                yield ("constituents", n, "symbol"), message
        others.append(constituent)


RULES = (*CALENDAR_RULES, _one_security_once)  # of what stands outside a definition's file


def _every_index_is_there(
    beside: Path, pairs: Sequence[Pair], benchmark: str, events: Sequence[Event]
) -> Broken:
    for trail, id in _references(pairs, benchmark, events):
        if not any(_places(id, beside, Path("baskets"))):
            hint = closest(id, (p.stem for p in BUNDLED_BASKETS.glob("*.yaml")))
            yield trail, f"no definition of {id!r} found{hint}"


def _references(pairs: Sequence[Pair], benchmark: str, events: Sequence[Event]) -> Broken:
    """Yield where a study names an index, and the id."""
    for n, pair in enumerate(pairs):
        yield ("pairs", n, "leader"), pair.leader
        yield ("pairs", n, "follower"), pair.follower
    yield ("benchmark",), benchmark
    for n, event in enumerate(events):
        for k, id in enumerate(event.indices):
            yield ("events", n, "indices", k), id


def _with_its_indices(path: Path) -> Index | Study | Sweep:
    """Return the definition in a file; of a study that is wrong it is told what it names, too."""
    try:
        return read_definition(path, RULES)
    except DefinitionError:
        return read_definition(path, (*RULES, partial(_every_index_is_there, path.parent)))


def _places(id: str, *folders: Path) -> Iterator[Path]:
    """Yield the files in which a definition with this id may stand, nearest first."""
    for folder in (*folders, BUNDLED_BASKETS):
        path = folder / f"{id}.yaml"
        if is_file(path):
            yield path


def validate(names: Sequence[str], of_sweep: Callable[[Sweep], Sequence[Problem]]) -> list[Problem]:
    """Return every problem of every file or id, studies with the indices they name.

    Parameters
    ----------
    of_sweep : the problems of the items that a sweep lists; may raise ``DefinitionError``

    Raises
    ------
    MissingInputError
        If definitions are missing and the others are sound.
    """
    problems: list[Problem] = []
    missing: list[Flaw] = []
    for name in names:
        try:
            found = _with_its_indices(_named(name))
            if isinstance(found, Sweep):
                problems += of_sweep(found)
            if isinstance(found, Study):
                indices_of(found)
        except DefinitionError as error:
            problems += error.problems
        except MissingInputError as error:
            missing += error.flaws
    if missing and not problems:
        raise MissingInputError(missing)
    problems += [Problem(flaw.table, 1, 1, "", flaw.message) for flaw in missing]
    return list(dict.fromkeys(problems))
