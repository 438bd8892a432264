"""Kinds as their schemas say, events read against them, and the skeletons of documents.

Source: SPEC, sections 16.1 to 16.3 and 17.2; docs/schemas.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import date
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, Iterator, Optional

from cbor import Refused
from change import MAGIC

SCHEMAS = Path(__file__).resolve().parents[2] / "docs" / "schemas"
DAY = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
MINUTE = re.compile(r"([0-9-]{10})T([0-9]{2}):([0-9]{2})Z")
DAY_MS = 86_400_000


@dataclass
class Param:
    name: str
    scalar: dict[str, Any]
    most: Optional[int]
    """None if it stands alone, else how many a list of it may have."""


@dataclass
class Kind:
    schema: dict[str, Any]

    def params(self, event: str) -> list[Param]:
        return [param(found) for found in self.schema["$defs"][event]["prefixItems"][1]["prefixItems"]]

    def about(self, event: str) -> dict[str, Any]:
        return dict(self.schema["$defs"][event])

    def place(self, state: str) -> tuple[int, int]:
        """Ascending by caution, the most cautious first, then by place."""
        names = [one["name"] for one in self.schema["x-states"]]
        cautions = ["suspended", "withdrawn", "called_in", "deferred", "plain", "approved"]
        at = names.index(state)
        return cautions.index(self.schema["x-states"][at]["caution"]), at


def param(found: dict[str, Any]) -> Param:
    if found.get("type") == "array":
        return Param(found["items"]["x-name"], found["items"], found["maxItems"])
    return Param(found["x-name"], found, None)


@cache
def kind_of(name: str, version: int) -> Kind:
    return Kind(json.loads((SCHEMAS / f"{name}-{version}.json").read_text()))


@dataclass
class Statement:
    name: str
    given: dict[str, list[Any]]
    values: list[Any]
    params: list[Param]

    def first(self, name: str) -> Any:
        return next(iter(self.given.get(name, [])), None)

    def first_value(self) -> Any:
        return self.first(self.params[0].name) if self.params else None


def read_statement(kind: Kind, name: str, values: list[Any], is_remark: bool) -> Statement:
    if name not in kind.schema["x-remarks" if is_remark else "x-events"]:
        raise Refused("BadEvent.Unknown")
    params = kind.params(name)
    if len(values) != len(params):
        raise Refused("BadEvent.Values")
    given: dict[str, list[Any]] = {}
    for one, value in zip(params, values):
        items = [value]
        if one.most is not None:
            if not isinstance(value, list) or len(value) > one.most:
                raise Refused("BadEvent.Listed")
            items = value
        if not all(fits(one.scalar, item) for item in items):
            raise Refused("BadEvent.Misfit")
        given[one.name] = items
    return Statement(name, given, values, params)


def fits(scalar: dict[str, Any], value: Any) -> bool:
    """Whether a value of an event is of its form: SPEC, section 16.1."""
    pattern = scalar.get("pattern", "")
    if scalar.get("enum") == [0, 1]:
        return isinstance(value, int) and value in (0, 1)
    if scalar.get("type") == "integer":
        return isinstance(value, int) and scalar["minimum"] <= value <= scalar["maximum"]
    if re.match(r"\^(org|artefact|entry)-", pattern) or "{64}$" in pattern and "0-9a-f" in pattern:
        return isinstance(value, bytes) and len(value) == 32
    if not isinstance(value, str):
        return False
    if "enum" in scalar:
        return value in scalar["enum"]
    if not re.fullmatch(pattern.strip("^$") or r"(?s:.*)", value):
        return False
    if pattern == r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$":
        return days(value) is not None
    if "T[0-9]" in pattern:
        return minute(value) is not None
    return scalar.get("minLength", 0) <= len(value) <= scalar.get("maxLength", 2**32)


def days(text: str) -> Optional[int]:
    """Days since 1970."""
    found = DAY.fullmatch(text)
    if found is None or not 1900 <= int(found[1]) <= 2199:
        return None
    try:
        return (date(*map(int, found.groups())) - date(1970, 1, 1)).days
    except ValueError:
        return None


def minute(text: str) -> Optional[int]:
    """Milliseconds since 1970."""
    found = MINUTE.fullmatch(text)
    day = days(found[1]) if found else None
    if found is None or day is None or day < 0 or int(found[2]) > 23 or int(found[3]) > 59:
        return None
    return day * DAY_MS + (int(found[2]) * 60 + int(found[3])) * 60_000


def thousandths(text: str) -> int:
    whole, _, fraction = text.partition(".")
    return int(whole) * 1000 + int(fraction.ljust(3, "0"))


# Skeletons: one change, written column by column.

MAKES = {"text": 4, "edited-item-stays": 0, "adding-wins": 0, "part-by-part": 0}


def made(kind: Kind) -> Iterator[tuple[int, str, int]]:
    """Every object of the skeleton: in which operation's (0 the root), under which key, and its action."""
    ahead = [(0, kind.schema["properties"])]
    counter = 0
    for holder, fields in ahead:
        for name, field in fields.items():
            merges = field.get("x-merges")
            if merges in MAKES:
                counter += 1
                yield holder, name, MAKES[merges]
                if merges == "part-by-part":
                    ahead.append((counter, field["properties"]))


def skeleton(kind: Kind, name: str, version: int) -> bytes:
    operations = list(made(kind))
    count = len(operations)
    holders = [holder or None for holder, _, _ in operations]
    columns = {
        0x01: runs([None if holder is None else uleb(0) for holder in holders]),
        0x02: runs([None if holder is None else uleb(holder) for holder in holders]),
        0x15: runs([sized(key.encode()) for _, key, _ in operations]), 0x34: uleb(count),
        0x42: runs([uleb(action) for _, _, action in operations]), 0x56: runs([uleb(0)] * count),
        0x70: runs([uleb(0)] * count)}
    if not any(holders):
        del columns[0x01], columns[0x02]
    message = f"concordat/skeleton/{name}/{version}".encode()
    heads = b"".join(uleb(column) + uleb(len(data)) for column, data in columns.items())
    body = (uleb(0) + sized(bytes(32)) + uleb(1) + uleb(1) + sleb(0) + sized(message) + uleb(0)
            + uleb(len(columns)) + heads + b"".join(columns.values()))
    hashed = b"\x01" + sized(body)
    return MAGIC + sha256(hashed).digest()[:4] + hashed


def runs(rows: list[Optional[bytes]]) -> bytes:
    """Values with their repetitions, in the one canonical form."""
    groups: list[tuple[Optional[bytes], int]] = []
    for row in rows:
        if groups and groups[-1][0] == row:
            groups[-1] = (row, groups[-1][1] + 1)
        else:
            groups.append((row, 1))
    written, singles = b"", []
    for value, times in [*groups, (None, 0)]:
        if value is not None and times == 1:
            singles.append(value)
            continue
        if singles:
            written += sleb(-len(singles)) + b"".join(singles)
            singles = []
        if times:
            written += b"\x00" + uleb(times) if value is None else sleb(times) + value
    return written


def sized(data: bytes) -> bytes:
    return uleb(len(data)) + data


def uleb(number: int) -> bytes:
    written = bytearray()
    while True:
        written.append(number & 0x7f | (0x80 if number > 0x7f else 0))
        number >>= 7
        if not number:
            return bytes(written)


def sleb(number: int) -> bytes:
    written = bytearray()
    while True:
        group, number = number & 0x7f, number >> 7
        is_last = number == (-1 if group & 0x40 else 0)
        written.append(group | (0 if is_last else 0x80))
        if is_last:
            return bytes(written)
