"""How two processes speak: JSON with its length before it, and bytes nobody interprets after it."""

import json
import struct
from typing import Any, BinaryIO

LONGEST = 64 << 20  # bytes of a message, and of what comes with it
_SIZES = struct.Struct(">II")
HEAD = _SIZES.size  # bytes that tell both sizes


def write(stream: BinaryIO, content: dict[str, Any], body: bytes = b"") -> None:
    """Write a message and the bytes that go with it.

    Raises
    ------
    ValueError
        If a number in it is NaN or infinite.
    """
    text = json.dumps(content, allow_nan=False).encode()
    stream.write(_SIZES.pack(len(text), len(body)) + text + body)
    stream.flush()


def sizes(head: bytes) -> tuple[int, int]:
    """Return how long a message and its bytes are, from the bytes that tell them.

    Raises
    ------
    ValueError
        If either is longer than anything that is meant.
    """
    text, body = _SIZES.unpack(head)
    if max(text, body) > LONGEST:
        raise ValueError(f"a message of {text} and {body} bytes")
    return text, body


def message(text: bytes) -> dict[str, Any]:
    """Return a message from its text.

    Raises
    ------
    ValueError
        If it is no JSON.
    TypeError
        If it is no object.
    """
    found = json.loads(text)
    if not isinstance(found, dict):
        raise TypeError("not an object")
    return found


def read(stream: BinaryIO) -> tuple[dict[str, Any], bytes]:
    """Return the next message and its bytes.

    Raises
    ------
    EOFError
        If there is none: the other process has gone.
    """
    text, body = sizes(_exactly(stream, HEAD))
    return message(_exactly(stream, text)), _exactly(stream, body)


def _exactly(stream: BinaryIO, size: int) -> bytes:
    found = stream.read(size)
    if len(found) < size:
        raise EOFError
    return found
