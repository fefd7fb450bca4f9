"""What made a number, besides definition and market: the code that ran, and the written rules."""

from functools import lru_cache
from importlib import metadata
from pathlib import Path

from indexer.digest import digest_bytes, digest_json

METHODOLOGY = "1"  # of the formulas; a change of what a number means takes the next one

_PACKAGE = Path(__file__).parents[1]
_CODE = (
    *("arrays.py", "definitions", "digest.py", "index", "kernels", "market", "signals"),
    # what a published row is made of, and which rows its digest is of
    *("ledger/entry.py", "ledger/tables.py", "run/entries.py", "run/results.py"),
)
_NO_CODE = "market/sources"  # fetching computes nothing
_RULES = ("ledger/corrections.yaml", "market/conventions/gates.yaml")
_KINDS = {".py", ".yaml", ".csv", ".txt"}
_LIBRARIES = ("exchange-calendars", "llvmlite", "numba", "numpy", "polars")


@lru_cache
def code_digest(*more: str) -> str:
    """Return the SHA-256 of everything that computes: our files, and the libraries' versions.

    Parameters
    ----------
    more : further files, by their place in the package, that what is asked for comes from
    """
    places = (_PACKAGE / name for name in (*_CODE, *more))
    files = sorted(p for place in places for p in (place, *place.rglob("*")) if p.suffix in _KINDS)
    names = {path.relative_to(_PACKAGE).as_posix(): path for path in files}
    ours = {
        name: digest_bytes([path.read_bytes()])
        for name, path in names.items()
        if not name.startswith(_NO_CODE)
    }
    return digest_json({"files": ours, "versions": {n: metadata.version(n) for n in _LIBRARIES}})


@lru_cache
def methodology() -> str:
    """Return the version of the formulas and the SHA-256 of the rules of publication."""
    rules = [(_PACKAGE / name).read_bytes() for name in _RULES]
    return f"{METHODOLOGY}-{digest_bytes(rules)[:16]}"
