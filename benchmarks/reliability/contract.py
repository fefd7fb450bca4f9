"""What a description of an API cannot say, for the tool that makes requests from it.

A range begins before it ends, and a CSV that is too long to be whole is asked for by pages: no
schema can compare two parameters, or knows how much is published.
"""

from typing import Any

import schemathesis


@schemathesis.hook
def map_query(context: Any, query: dict[str, Any] | None) -> dict[str, Any] | None:
    """Put the ends of a range in order, where both are text; ask for a page of what may be long."""
    ends = [(query or {}).get(name) for name in ("from", "to")]
    if query and all(isinstance(end, str) for end in ends):
        query["from"], query["to"] = sorted(map(str, ends))
    if query and query.get("format") == "csv" and context.operation.path.endswith("/signals"):
        query.setdefault("limit", 5000)
    return query
