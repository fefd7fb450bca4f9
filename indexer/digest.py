"""Digests: the same content gives the same name, on any machine and in any year."""

import hashlib
import json
from collections.abc import Iterable
from typing import Any


def digest_json(content: Any) -> str:
    """Return the SHA-256 of JSON-like content, blind to key order and white space.

    Raises
    ------
    ValueError
        If a number is NaN or infinite: neither has a JSON form.
    """
    return digest_bytes([canonical_json(content).encode()])


def canonical_json(content: Any) -> str:
    """Return JSON-like content as the one text it has: keys in order, no white space.

    Raises
    ------
    ValueError
        If a number is NaN or infinite: neither has a JSON form.
    """
    return json.dumps(
        content, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False
    )


def digest_bytes(parts: Iterable[bytes]) -> str:
    """Return the SHA-256 of the parts, each preceded by its length so that none can leak over."""
    total = hashlib.sha256()
    for part in parts:
        total.update(len(part).to_bytes(8, "big"))
        total.update(part)
    return total.hexdigest()
