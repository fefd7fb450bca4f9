"""What a public function raises itself, its docstring says, or whose docstring does."""

import ast
from collections.abc import Iterator
from pathlib import Path

import indexer

PACKAGE = Path(indexer.__file__).parent
COMMANDS = PACKAGE / "cli"  # docstrings there are help, and errors are told to the user
Function = ast.FunctionDef | ast.AsyncFunctionDef
BUGS = {"AssertionError", "NotImplementedError"}


def raised(function: Function) -> set[str]:
    """Return the names of the errors a function makes, not those of functions inside it."""
    found, left = set(), list[ast.AST](function.body)
    while left:
        node = left.pop()
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
            found.add(ast.unparse(node.exc.func).rpartition(".")[2])
        if not isinstance(node, Function | ast.ClassDef | ast.Lambda):
            left += ast.iter_child_nodes(node)
    return {name for name in found if name[:1].isupper()} - BUGS


def public(node: ast.AST) -> Iterator[Function]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, Function | ast.ClassDef) and child.name[0] != "_":
            if isinstance(child, Function):
                yield child
            else:
                yield from public(child)


def untold(text: str) -> dict[str, set[str]]:
    """Return the errors of which a function's docstring tells nothing, by its name."""
    found = {}
    for function in public(ast.parse(text)):
        told = ast.get_docstring(function) or ""
        names = {name for name in raised(function) if name not in told}
        if names and "raises as `" not in " ".join(told.split()):
            found[function.name] = names
    return found


def test_docstrings_name_what_is_raised():
    files = [path for path in PACKAGE.rglob("*.py") if COMMANDS not in path.parents]
    found = {str(path.relative_to(PACKAGE)): untold(path.read_text("utf-8")) for path in files}

    assert {path: names for path, names in found.items() if names} == {}


def test_the_scan_sees_an_error_that_is_not_told():
    text = 'def f(x):\n    """Return x."""\n    if x:\n        raise errors.Bad(x)\n    return x\n'

    assert untold(text) == untold(f"async {text}") == {"f": {"Bad"}}
    assert untold(text.replace("Return x.", "Return x; raises as `g` does.")) == {}
