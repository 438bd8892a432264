"""The CBOR that Concordat uses: unsigned integers, byte strings, text, arrays.

A value is an int, bytes, str or list. Lengths are definite, every number takes
the fewest bytes, arrays nest at most 16 deep, text is UTF-8; anything else is
refused, so that `encode(decode(b)) == b` for every `b` that is accepted.

Every refusal in this reader is a `Refused` with the code that SPEC gives it,
"Malformed.CutShort" for instance; `within` puts an outer name before it.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import Iterator, Union

Value = Union[int, bytes, str, "list[Value]"]

MAX_DEPTH = 16


class Refused(Exception):
    def __init__(self, code: str, why: str = "") -> None:
        super().__init__(f"{code}: {why}" if why else code)
        self.code, self.why = code, why


def malformed(name: str, why: str) -> Refused:
    return Refused("Malformed." + name, why)


@contextmanager
def within(outer: str) -> Iterator[None]:
    """Gives a refusal of the form of something the name of that thing's refusals."""
    try:
        yield
    except Refused as refused:
        if not refused.code.startswith("Malformed."):
            raise
        raise Refused(f"{outer}.{refused.code}", refused.why) from refused


def decode(data: bytes, max_bytes: int, what: str = "item") -> Value:
    if len(data) > max_bytes:
        raise malformed("TooLong", f"{what}: {len(data)} bytes, at most {max_bytes}")
    value, end = _item(data, 0, 0, what)
    if end != len(data):
        raise malformed("Trailing", f"{what}: {len(data) - end} bytes after the end")
    return value


def _item(data: bytes, at: int, depth: int, what: str) -> tuple[Value, int]:
    major, number, end = _number(data, at, what)
    left = len(data) - end
    if major == 0:
        return number, end
    if major in (2, 3, 4) and number > left:
        raise malformed("CutShort", f"{what} at {len(data)}")
    if major == 2:
        return data[end:end + number], end + number
    if major == 3:
        try:
            return data[end:end + number].decode("utf-8"), end + number
        except UnicodeDecodeError:
            raise malformed("NotUtf8", f"{what} at {at}") from None
    if major == 4:
        if depth >= MAX_DEPTH:
            raise malformed("TooDeep", f"{what} at {end}")
        items = []
        for _ in range(number):
            value, end = _item(data, end, depth + 1, what)
            items.append(value)
        return items, end
    raise malformed("ForeignType", f"{what} at {at}")


def _number(data: bytes, at: int, what: str) -> tuple[int, int, int]:
    """The first byte's type and the number that it begins."""
    if at >= len(data):
        raise malformed("CutShort", f"{what} at {at}")
    major, info = data[at] >> 5, data[at] & 31
    if info < 24:
        return major, info, at + 1
    if info > 27:
        raise malformed("ForeignType", f"{what} at {at}")
    width = 1 << info - 24
    end = at + 1 + width
    if end > len(data):
        raise malformed("CutShort", f"{what} at {len(data)}")
    number = int.from_bytes(data[at + 1:end], "big")
    if number < (24 if width == 1 else 1 << 4 * width):
        raise malformed("NotShortest", f"{what} at {at}")
    return major, number, end


def encode(value: Value) -> bytes:
    if isinstance(value, int):
        return _head(0, value)
    if isinstance(value, bytes):
        return _head(2, len(value)) + value
    if isinstance(value, str):
        encoded = value.encode("utf-8")
        return _head(3, len(encoded)) + encoded
    return _head(4, len(value)) + b"".join(map(encode, value))


def _head(major: int, number: int) -> bytes:
    if number < 24:
        return bytes([major << 5 | number])
    width = next(w for w in (1, 2, 4, 8) if number < 1 << 8 * w)
    return bytes([major << 5 | 23 + width.bit_length()]) + number.to_bytes(width, "big")
