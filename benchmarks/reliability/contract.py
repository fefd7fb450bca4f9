"""What a description of an API cannot say, for the tool that makes requests from it.

A range begins before it ends: no schema can compare two parameters.
"""

from typing import Any

import schemathesis


@schemathesis.hook
def map_query(context: Any, query: dict[str, Any] | None) -> dict[str, Any] | None:
    """Put the ends of a range in order, where both of them are text."""
    ends = [(query or {}).get(name) for name in ("from", "to")]
    if query and all(isinstance(end, str) for end in ends):
        query["from"], query["to"] = sorted(map(str, ends))
    return query
