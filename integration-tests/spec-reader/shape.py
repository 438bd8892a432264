"""The shape of a wire type, and the checks that its fields share.

Reading anything goes in three steps: the CBOR alone (`cbor.decode`), the shape
(which item is a number, bytes, text or a list: `read`), then the values.

The wire types of this reader are dataclasses whose fields are the items of the
array, in order; what is optional stays `[]` or `[x]`. So one function writes
them all: `to_bytes`.

Source: SPEC, sections 1 and 21.
"""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any, Callable, Iterable

import ed25519
from cbor import Value, decode, encode, malformed

SEQ_MAX = 2**48 - 1
TIME_MAX = 2**53
KIB = 1024
NAME = 256

Shape = Callable[[Value], bool]


def uint(value: Value) -> bool:
    return isinstance(value, int)


def text(value: Value) -> bool:
    return isinstance(value, str)


def blob(value: Value) -> bool:
    return isinstance(value, bytes)


def anything(value: Value) -> bool:
    return True


def fixed(length: int) -> Shape:
    return lambda value: isinstance(value, bytes) and len(value) == length


def row(*shapes: Shape) -> Shape:
    return lambda value: (isinstance(value, list) and len(value) == len(shapes)
                          and all(shape(item) for shape, item in zip(shapes, value)))


def many(shape: Shape) -> Shape:
    return lambda value: isinstance(value, list) and all(map(shape, value))


def optional(shape: Shape) -> Shape:
    return lambda value: isinstance(value, list) and len(value) <= 1 and all(map(shape, value))


ID = fixed(32)
KEY = row(uint, ID)
SIGNATURE = row(uint, fixed(64))


def read(data: bytes, max_bytes: int, what: str, shape: Shape) -> Any:
    """Typed `Any`, because `shape` has checked what a type checker cannot know."""
    value = decode(data, max_bytes, what)
    check(shape(value), what)
    return value


def check(good: bool, what: str) -> None:
    if not good:
        raise malformed("Shape", what)


def to_bytes(item: Any) -> bytes:
    return encode(_plain(item))


def _plain(item: Any) -> Value:
    if is_dataclass(item):
        return [_plain(getattr(item, field.name)) for field in fields(item)]
    return [_plain(inner) for inner in item] if isinstance(item, list) else item


def version_one(found: int, what: str) -> None:
    if found != 1:
        raise malformed("Version", f"{what}: {found}, this reader knows 1")


def ranged(value: int, low: int, high: int, what: str) -> None:
    if not low <= value <= high:
        raise malformed("Range", f"{what}: {value}, not {low} to {high}")


def counted(items: Any, low: int, high: int, what: str) -> None:
    if not low <= len(items) <= high:
        raise malformed("Count", f"{what}: {len(items)}, not {low} to {high}")


def short(item: Any, most: int, what: str) -> None:
    length = len(item.encode() if isinstance(item, str) else item)
    if length > most:
        raise malformed("TooLong", f"{what}: {length} bytes, at most {most}")


def filled(item: Any, most: int, what: str) -> None:
    short(item, most, what)
    if not item:
        raise malformed("Count", f"{what}: empty")


def name(item: str, what: str) -> None:
    filled(item, NAME, what)


def ascending(items: Iterable[Any], what: str) -> None:
    rows = list(items)
    if any(a >= b for a, b in zip(rows, rows[1:])):
        raise malformed("NotAscending", what)


def key(pair: Any, what: str) -> bytes:
    """The bytes of a public key `[alg, bytes]` that may be used."""
    algorithm, found = pair
    if algorithm != 1 or ed25519.key_fault(found):
        raise malformed("BadKey", what)
    return bytes(found)
