"""The house: who may import whom, and which modules touch the world.

Adding an arrow or an effect means editing a table here, in review, on purpose.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "indexer"
MODULES = sorted(PACKAGE.rglob("*.py"))
FUNCTION = ast.FunctionDef | ast.AsyncFunctionDef

ABOVE_ALL = "errors arrays words digest definitions market index signals"
MAY_IMPORT = {  # a layer, or one module of it written with a dot
    "errors": "",
    "arrays": "",
    "digest": "",
    "words": "errors",
    "folders": "errors",
    "kernels": "arrays digest folders",
    "definitions": "errors digest",
    "market": "errors arrays digest folders definitions.symbols",
    "index": "errors arrays words definitions market kernels",
    "signals": "errors arrays words definitions index.history market.calendar market.panel kernels",
    "ledger": "errors digest",
    "report": f"{ABOVE_ALL} ledger folders",
    "run": f"{ABOVE_ALL} ledger report folders",
    "web": "errors ledger report",
    "sweep": f"{ABOVE_ALL} report run folders",
    "cli": "errors folders run sweep web",
    "__init__": f"{ABOVE_ALL} kernels run",
}
# A result shows itself in a notebook: the one arrow upwards, and inside the methods that do it.
SHOWN = {
    "index.history": {"report.notebook", "report.drawing"},
    "signals.result": {"report.notebook", "report.drawing"},
}
# A slow or optional dependency is imported inside a function, in the one module that wraps it.
INNER_IMPORTS = {
    "cli.app": {"indexer.run", "indexer.run.find", "indexer.sweep.plan"},
    "cli.attempts": {"indexer.run.attempt", "indexer.run.sessions"},
    "cli.ledger": {
        f"indexer.run.{name}" for name in ("attempt", "desk", "publish", "records", "restate")
    }
    | {"indexer.run.due", "indexer.run.sessions"},
    "cli.begin": {"indexer.run.begin"},
    "cli.decisions": {"indexer.run.decisions", "indexer.run.desk"},
    "cli.calendars": {"indexer.run", "indexer.run.announced", "indexer.run.fetch"},
    "cli.doctor": {"indexer.run.doctor"},
    "cli.fetch": {"indexer.run"},
    "cli.report": {"indexer.run.publication", "indexer.run.report"},
    "cli.screen": {"rich.console", "rich.table"},
    "cli.serve": {
        "indexer.folders",
        "indexer.run.due",
        *(
            f"indexer.web.{name}"
            for name in ("api", "door", "protocol", "ratelimit", "server", "state")
        ),
    },
    "index.history": {"indexer.report.notebook"},
    "cli.sweep": {"indexer.sweep.processes", "indexer.sweep.sweep"},
    "ledger.database": {"alembic", "alembic.config"},
    "market.calendars.listing": {"exchange_calendars"},
    "sweep.cluster": {"distributed", "distributed.scheduler"},
    "market.delta": {"deltalake", "deltalake.exceptions"},
    "market.sources.child": {"akshare"},
    "signals.result": {"indexer.report.notebook"},
}

EFFECTS = {
    "cli.app": {"exit", "screen"},
    "cli.attempts": {"clock"},
    "cli.ledger": {"clock", "exit", "screen"},
    "cli.begin": {"screen"},
    "cli.decisions": {"clock", "screen"},
    "cli.calendars": {"environment", "read", "screen"},
    "cli.doctor": {"clock", "exit", "screen"},
    "cli.fetch": {"clock", "environment", "screen"},
    "cli.process": {"environment", "read", "screen"},  # os.open of nothing
    "cli.report": {"screen"},
    "cli.screen": {"screen"},
    "cli.serve": {"clock", "environment", "read", "screen"},
    "cli.sweep": {"clock", "exit", "screen"},
    "definitions.read": {"read"},
    "definitions.schema": {"write"},
    "definitions.text": {"read"},
    "folders": {"environment", "read", "write"},
    "kernels.bootstrap": {"chance"},
    "kernels.compile": {"read"},
    "kernels.threads": {"process"},
    "ledger.correct": {"read"},
    "ledger.database": {"process", "read", "write"},  # a lock beside the file
    "ledger.faults": {"read"},  # what may be written to
    "ledger.readers": {"read"},  # which file it is
    "market.cache": {"read", "write"},
    "market.calendar": {"read"},
    "market.calendars.listing": {"read", "write"},
    "market.conventions.dated": {"read"},
    "market.conventions.gates": {"read"},
    "market.delta": {"read"},
    "market.delimited": {"read"},
    "market.excerpt": {"read"},
    "market.overlays": {"read", "write"},
    "market.sources.archive": {"read", "write"},
    "market.sources.child": {"environment", "network", "read"},
    "market.sources.guard": {"chance", "clock", "read", "write"},
    "market.sources.worker": {"clock", "process", "read", "write"},
    "market.spread": {"read", "write"},
    "market.store": {"write"},
    "market.strays": {"read"},
    "market.tables": {"read"},
    "report.document": {"read"},
    "report.files": {"read", "write"},
    "report.method": {"chance"},  # names the seed
    "run.begin": {"read"},
    "run.derived": {"read", "write"},
    "run.doctor": {"read"},  # whether there are published files
    "run.calendars": {"read"},
    "run.fetch": {"read"},
    "run.find": {"read"},
    "run.provenance": {"read"},
    "run.attempt": {"read"},  # what was refused before
    "run.supply": {"read"},
    "signals.catchup": {"chance"},
    "signals.inference": {"chance"},
    "signals.pairs": {"chance"},
    "signals.ratios": {"chance"},
    "web.api": {"network"},
    "web.door": {"network", "process"},
    "web.kept": {"process"},
    "web.live": {"read"},
    "web.problem": {"network"},
    "web.protocol": {"exit", "network", "process"},
    "web.server": {"exit", "network"},
    "sweep.cluster": {"clock", "process"},  # how long there has been no scheduler
    "sweep.finished": {"read", "write"},
    "sweep.perform": {"process"},  # one task at a time
    "sweep.processes": {"environment", "exit", "process"},  # of who asks, in workers
    "sweep.sweep": {"read"},  # what stands where the results go
}
NAMES = {
    "clock": {"now", "utcnow", "today", "perf_counter", "monotonic", "process_time", "time_ns"},
    "environment": {"environ", "environb", "getenv", "putenv", "user_cache_path"},
    "exit": {"exit", "_exit", "abort", "SystemExit"},
    "read": {"read_text", "read_bytes", "read_csv", "read_parquet", "is_file", "is_dir", "exists"}
    | {"is_there", "is_folder", "read_file"}
    | {"glob", "rglob", "iterdir", "scandir", "resolve", "lstat", "stat", "memmap"}
    | {"scan_parquet", "scan_csv"},
    "screen": {"print", "echo", "print_exc", "isatty", "input"},
    "write": {"write_text", "write_bytes", "mkdir", "unlink", "rmdir", "rmtree", "mkdtemp"}
    | {"fsync", "flock", "symlink_to", "touch", "chmod", "write_deltalake"},
    "code": {"eval", "exec", "compile", "__import__"},
}
OF_MODULE = {  # names that mean something else elsewhere
    "clock": {"time.time", "time.sleep"},
    "read": {"np.load", "np.fromfile", "os.listdir", "os.walk"},
    "screen": {"sys.stdout", "sys.stderr"},
    "write": {"np.save", "np.savez", "os.replace", "os.rename", "os.remove", "os.link"},
}
IMPORTS = {
    "network": {"socket", "ssl", "http", "urllib", "requests", "httpx", "aiohttp", "akshare"},
    "process": {"subprocess", "multiprocessing", "concurrent", "threading", "asyncio"},
    "code": {"pickle", "marshal", "shelve", "joblib", "dill", "cloudpickle"},
    "chance": {"random", "secrets", "uuid"},
}


def dotted(path: Path) -> str:
    """Return a module's name below the package, a package's being that of its folder."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)


def imports(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.ImportFrom):
        yield node.module or ""
    elif isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)


def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", MODULES, ids=dotted)
def test_every_module_imports_only_from_layers_below_it(path: Path):
    layer = dotted(path).split(".")[0]
    allowed = MAY_IMPORT[layer].split()
    found = {name for node in ast.walk(parsed(path)) for name in imports(node)}
    ours = {name.removeprefix("indexer.") for name in found if name.startswith("indexer.")}
    wrong = {
        name
        for name in ours
        if name.split(".")[0] != layer
        and name not in SHOWN.get(dotted(path), set())
        and not any(name == a or name.startswith(f"{a}.") for a in allowed)
    }
    if layer not in {"run", "market"}:
        wrong |= {name for name in ours if name.startswith("market.sources")}

    assert not wrong, f"{dotted(path)} may import {allowed}"


@pytest.mark.parametrize("path", MODULES, ids=dotted)
def test_names_come_from_the_module_that_defines_them(path: Path):
    """No relative imports, and nothing by way of a package's ``__init__``."""
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, "write the full name of the module"
            assert node.module != "indexer", "import from the defining module"
        assert "indexer" not in imports(node), "import from the defining module"


@pytest.mark.parametrize("path", MODULES, ids=dotted)
def test_imports_stand_at_the_top(path: Path):
    """But for the listed ones: what costs start-up time is paid by who needs it."""
    inner = {
        name
        for function in ast.walk(parsed(path))
        if isinstance(function, FUNCTION)
        for node in ast.walk(function)
        for name in imports(node)
    }

    assert inner == INNER_IMPORTS.get(dotted(path), set())


def test_kernels_are_compiled_at_one_door():
    """Where they are kept, and what is said of it, is settled there for all of them."""
    found = {
        dotted(path)
        for path in MODULES
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.ImportFrom)
        and (node.module or "").split(".")[0] == "numba"
        and {alias.name for alias in node.names} & {"jit", "njit", "guvectorize", "vectorize"}
    }

    assert found == {"kernels.compile"}


BY_PROCESSOR = {
    *("linalg", "dot", "vdot", "vecdot", "matvec", "vecmat", "matmul", "inner", "tensordot"),
    *("einsum", "convolve", "correlate", "corrcoef", "cov", "polyfit", "log", "log2", "log10"),
    *("log1p", "exp", "exp2", "expm1", "power", "float_power", "cbrt", "sin", "cos", "tan"),
    *("sinh", "cosh", "tanh", "arcsin", "arccos", "arctan", "arcsinh", "arccosh", "arctanh"),
}


def by_processor(tree: ast.Module) -> Iterator[str]:
    """Yield what numpy leaves to BLAS, or calculates as the processor can."""
    named = {f"np.{name}" for name in BY_PROCESSOR}
    for node in ast.walk(tree):
        if isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.MatMult):
            yield "@"
        elif isinstance(node, ast.Attribute) and ast.unparse(node) in named:
            yield node.attr


def test_no_number_goes_by_the_processor():
    """Compiled code is apart: its functions are the C library's, one value at a time."""
    calculating = [path for path in MODULES if dotted(path).split(".")[0] in ("index", "signals")]
    found = {dotted(path): set(by_processor(parsed(path))) for path in calculating}

    assert {name: told for name, told in found.items() if told} == {
        "index.holes": {"@"}  # of whole numbers
    }


def test_the_scan_sees_what_goes_by_the_processor():
    text = "a @ b\na @= b\nnp.linalg.qr(a)\nnp.log(a)\nmath.log(a)\nlog(a)\n"

    assert sorted(by_processor(ast.parse(text))) == ["@", "@", "linalg", "log"]


def effects(tree: ast.Module) -> Iterator[str]:
    """Yield the effects a module's text can have, by the names it calls and imports."""
    for node in ast.walk(tree):
        for name in imports(node):
            yield from (kind for kind, tops in IMPORTS.items() if name.split(".")[0] in tops)
        if isinstance(node, ast.Attribute):
            touched = {kind for kind, names in NAMES.items() if node.attr in names}
            yield from touched - {"code"}  # re.compile is no code from data
            full = ast.unparse(node)
            yield from (kind for kind, names in OF_MODULE.items() if full in names)
            if node.attr in {"random", "rand", "default_rng", "seed"}:
                yield "chance"
        if isinstance(node, ast.Raise) and ast.unparse(node).startswith("raise SystemExit"):
            yield "exit"
        if not isinstance(node, ast.Call):
            continue
        if isinstance(node.func, ast.Name):
            yield from (kind for kind, names in NAMES.items() if node.func.id in names)
        called = getattr(node.func, "attr", getattr(node.func, "id", ""))
        if called in {"write_csv", "write_parquet", "write_json"} and node.args:
            yield "write"  # without a target they return text
        if called == "open":
            after_path = node.args[isinstance(node.func, ast.Name) :]
            modes = [str(a.value) for a in after_path if isinstance(a, ast.Constant)]
            yield "write" if any(set(mode) & set("wxa+") for mode in modes) else "read"


@pytest.mark.attack("D6")
def test_effects_live_in_the_listed_modules():
    """Files, clock, environment, screen, network, processes, chance and code from data."""
    found = {dotted(path): set(effects(parsed(path))) for path in MODULES}

    assert {name: kinds for name, kinds in found.items() if kinds} == EFFECTS


SEEN = [
    *((kind, f"import {top}") for kind, tops in IMPORTS.items() for top in sorted(tops)),
    *((kind, f"{name}()") for kind, names in NAMES.items() for name in sorted(names)),
    *((kind, f"{name}()") for kind, names in OF_MODULE.items() for name in sorted(names)),
    *((kind, f"a.{n}") for kind in NAMES if kind != "code" for n in sorted(NAMES[kind])),
    *(("chance", "np.random"), ("exit", "raise SystemExit(3)"), ("write", "open('a', 'w')")),
    *(("read", "open('a')"), ("write", "frame.write_csv(path)")),
]


@pytest.mark.attack("D6")
@pytest.mark.parametrize(("kind", "text"), SEEN)
def test_the_scan_sees_an_effect_by_every_name(kind, text):
    """A scan that finds nothing would pass every house."""
    assert kind in set(effects(ast.parse(text)))


BANNED = (
    "utils helpers common misc base core manager handler engine service processor context data info"
)


@pytest.mark.parametrize("path", MODULES, ids=dotted)
def test_sizes_and_names_stay_within_the_guides(path: Path):
    tree = parsed(path)
    functions = [n for n in ast.walk(tree) if isinstance(n, FUNCTION)]
    long = [f.name for f in functions if _lines(f) > 50]
    classes = {n.name.lower() for n in ast.walk(tree) if isinstance(n, ast.ClassDef)}

    assert len(path.read_text(encoding="utf-8").splitlines()) <= 350
    assert not long
    assert not (classes | {path.stem}) & set(BANNED.split()) - {"base"}  # Base: the field's word


def hidden(tree: ast.Module) -> Iterator[str]:
    """Yield the functions and imports of a module that something inside a function is named as."""
    above = {n.name for n in tree.body if isinstance(n, FUNCTION | ast.ClassDef)}
    for node in tree.body:
        if isinstance(node, ast.ImportFrom):
            above |= {alias.asname or alias.name for alias in node.names}
    for function in ast.walk(tree):
        if isinstance(function, FUNCTION):
            inside = [n for n in ast.walk(function) if isinstance(n, ast.Name)]
            own = {n.id for n in inside if isinstance(n.ctx, ast.Store)}
            given = function.args
            own |= {a.arg for a in (*given.posonlyargs, *given.args, *given.kwonlyargs)}
            yield from sorted(own & above)


# A command is named for what it does, its arguments for what is given: the same word may be both.
@pytest.mark.parametrize("path", [p for p in MODULES if p.parent.name != "cli"], ids=dotted)
def test_a_name_means_one_thing_in_a_module(path: Path):
    assert not list(hidden(parsed(path)))


def test_the_scan_sees_a_name_of_two_meanings():
    text = "from a import b, c\ndef d(b):\n    d = 1\n    for c in b:\n        e = c\n"

    assert list(hidden(ast.parse(text))) == ["b", "c", "d"]


def _lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Return the length of a function's body without its docstring."""
    body = function.body[1:] if ast.get_docstring(function) else function.body
    return (function.end_lineno or 0) - body[0].lineno + 1 if body else 0


TIMES = ("np.timedelta64", "np.datetime64")


def without_unit(tree: ast.Module) -> Iterator[str]:
    """Yield the times and spans of numpy's that are made of a text or a number without a unit."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func).startswith(TIMES):
            told = ast.unparse(node)
            if len(node.args) == 1 and (told.startswith(TIMES[0]) or "NaT" in told):
                yield told


def test_times_are_made_with_their_unit():
    """One without is taken for that of whatever it meets, and numpy gives that up."""
    files = [*MODULES, *Path(__file__).parent.rglob("*.py")]

    assert {str(path): told for path in files for told in without_unit(parsed(path))} == {}


def compared(tree: ast.Module, arrays: set[str]) -> Iterator[str]:
    """Yield the records with a field of arrays or frames that are compared by what they hold."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            record = " ".join(map(ast.unparse, node.decorator_list))
            fields = [part.annotation for part in node.body if isinstance(part, ast.AnnAssign)]
            held = set(re.findall(r"\w+", " ".join(map(ast.unparse, fields))))
            if "dataclass" in record and "eq=False" not in record and held & arrays:
                yield node.name


def test_a_record_of_arrays_is_equal_to_itself_alone():
    """Two arrays are equal place by place: to ask whether their records are would be an error."""
    tops = [node for node in parsed(PACKAGE / "arrays.py").body if isinstance(node, ast.Assign)]
    arrays = {ast.unparse(node.targets[0]) for node in tops} | {"ndarray", "DataFrame"}
    found = {(dotted(path), name) for path in MODULES for name in compared(parsed(path), arrays)}

    assert "Vector" in arrays
    assert found == set()


def test_the_scan_sees_a_record_that_is_compared():
    text = "@dataclass(frozen=True)\nclass A:\n    b: tuple[Vector, ...]\n"

    assert list(compared(ast.parse(text), {"Vector"})) == ["A"]
    assert not list(compared(ast.parse(text.replace("True", "True, eq=False")), {"Vector"}))


MADE_STATEMENTS = {  # of words and numbers that stand in the module itself
    ("ledger.database", "f'PRAGMA {pragma}'"),
    ("ledger.database", "f'SET LOCAL lock_timeout = {wait}'"),
    ("ledger.migrations.versions.ledger_0001", "text"),
    ("ledger.readers", "f'PRAGMA {pragma}'"),
}
ASKS = {"execute", "exec_driver_sql", "executescript", "executemany", "text", "DDL"}


def statements(tree: ast.Module) -> Iterator[str]:
    """Yield what is given to a database, or made a statement, and is no text as it stands."""
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args):
            continue
        sql = node.func.attr in ASKS - {"text"} or ast.unparse(node.func) == "sa.text"
        made = ast.JoinedStr | ast.BinOp | ast.Call
        if isinstance(node.args[0], made) and not ast.unparse(node.args[0]).startswith("sa."):
            yield from [ast.unparse(node.args[0])] * sql
        elif ast.unparse(node.func) == "op.execute" and isinstance(node.args[0], ast.Name):
            yield ast.unparse(node.args[0])


@pytest.mark.attack("C3")
def test_no_statement_is_made_of_what_is_asked_for():
    found = {(dotted(path), made) for path in MODULES for made in statements(parsed(path))}

    assert found == MADE_STATEMENTS


@pytest.mark.attack("C3")
def test_the_scan_sees_a_statement_that_is_made():
    text = "c.execute(f'SELECT {x}')\nc.exec_driver_sql('a' + x)\nsa.text('a{}'.format(x))\n"

    assert len(list(statements(ast.parse(text)))) == 3
