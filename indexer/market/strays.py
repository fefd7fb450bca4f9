"""Files of a market folder that nothing reads, though by their names somebody thinks so."""

from collections.abc import Collection, Iterator
from difflib import get_close_matches
from pathlib import Path

from indexer.errors import Flaw

_READ = ("csv", "parquet")
_TABLES = (*_READ, "pq", "tsv", "txt", "json", "xls", "xlsx", "ods", "csv.gz", "csv.zip")
_MANIFESTS = ("yaml", "yml", "json", "toml", "txt")
_MANIFEST, _MANIFEST_FILE = "manifest", "manifest.yaml"
_ALIKE = 0.77  # security is securities
_SHORT = 3  # letters of a name that are too few for another to be alike


def strays(folder: Path, tables: Collection[str]) -> Iterator[Flaw]:
    """Yield the files with nearly the name of a table, or of the manifest, by name.

    A table in a format that is not read may lie beside the table. What is like no name, what is
    hidden and folders are nobody's business.
    """
    try:
        files = sorted(path.name for path in folder.iterdir())
    except OSError:  # a folder that may be entered and not listed
        return
    there = {name for name in tables if {name, *(f"{name}.{s}" for s in _READ)} & set(files)}
    for file in files:
        word, _, form = file.casefold().partition(".")
        if form in _TABLES and (meant := _nearest(word, tables)):
            read = [f"{meant}.{s}" for s in _READ]
            beside = meant in there and word == meant and form not in _READ
            if file not in read and not beside:
                names = " or ".join(read)
                yield Flaw(file, None, "", f"is not read, {names} would be: rename it or move it")
        elif form in _MANIFESTS and _nearest(word, (_MANIFEST,)) and _MANIFEST_FILE not in files:
            yield Flaw(file, None, "", f"is not read, {_MANIFEST_FILE} would be: rename it")


def _nearest(word: str, names: Collection[str]) -> str:
    """Return the name that a word is or is like; empty where there is none.

    One with a digit or a mark in it, as ``prices_old`` and ``shares2``, was named so on purpose.
    """
    if word in names:
        return word
    if not word.isalpha():
        return ""
    long = [name for name in names if len(name) > _SHORT and abs(len(name) - len(word)) <= _SHORT]
    return next(iter(get_close_matches(word, long, 1, _ALIKE)), "")
