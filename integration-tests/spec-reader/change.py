"""One Automerge change as bytes: envelope, header, and columns in their one canonical form.

What can be said of a change without any other stands here; what it builds on is
for `verdict.py`. A refusal has the code of the rule.

Source: SPEC, sections 18.1 and 18.2.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256
from itertools import chain, repeat
from typing import Any, Callable, Iterator, Optional

from cbor import Refused

MAGIC = bytes.fromhex("856f4a83")
CHANGE = 1
ACTOR = 32
COUNTER_MAX = 2**31 - 1

Run = tuple[Any, int]
Read = Callable[["Cursor"], Any]


class Cursor:
    """Bytes not read yet."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def left(self) -> int:
        return len(self.data) - self.at

    def take(self, length: int) -> bytes:
        if length > self.left():
            raise Refused("cut-short")
        self.at += length
        return self.data[self.at - length:self.at]

    def uleb(self) -> int:
        number, groups = self._groups()
        if number >= 2**64 or (groups[-1] == 0 and len(groups) > 1):
            raise Refused("long-number")
        return number

    def sleb(self) -> int:
        number, groups = self._groups()
        if groups[-1] & 0x40:
            number -= 1 << 7 * len(groups)
        same_sign = len(groups) > 1 and groups[-1] == (0x7f if groups[-2] & 0x40 else 0)
        if same_sign or not -2**63 <= number < 2**63:
            raise Refused("long-number")
        return number

    def _groups(self) -> tuple[int, list[int]]:
        groups: list[int] = []
        while not groups or groups[-1] & 0x80:
            if len(groups) == 10:
                raise Refused("long-number")
            groups.append(self.take(1)[0])
        groups = [group & 0x7f for group in groups]
        return sum(group << 7 * place for place, group in enumerate(groups)), groups

    def text(self) -> str:
        try:
            return self.take(self.uleb()).decode("utf-8")
        except UnicodeDecodeError:
            raise Refused("utf8") from None

    def actor(self) -> bytes:
        if self.uleb() != ACTOR:
            raise Refused("actor-length")
        return self.take(ACTOR)


@dataclass
class Row:
    """One operation; actors are numbers in the change's own list."""
    object: tuple[Optional[int], Optional[int]]
    key: tuple[Optional[int], Optional[int], Optional[str]]
    inserts: bool
    action: int
    value_type: int
    value: bytes
    predecessors: list[tuple[int, int]]
    expands: bool
    mark: Optional[str]


@dataclass
class Change:
    raw: bytes
    hash: bytes
    dependencies: list[bytes] = field(default_factory=list)
    actors: list[bytes] = field(default_factory=list)
    seq: int = 0
    start_op: int = 0
    rows: list[Row] = field(default_factory=list)

    def max_op(self) -> int:
        return self.start_op + len(self.rows) - 1


def read_change(raw: bytes) -> Change:
    if len(raw) > 512 * 1024:
        raise Refused("size")
    cursor = Cursor(raw)
    if cursor.take(4) != MAGIC:
        raise Refused("magic")
    checksum = cursor.take(4)
    if cursor.take(1)[0] != CHANGE:
        raise Refused("chunk-type")
    if cursor.uleb() != cursor.left():
        raise Refused("chunk-length")
    change = Change(raw, sha256(raw[8:]).digest())
    if change.hash[:4] != checksum:
        raise Refused("checksum")
    _read_header(cursor, change)
    columns = _read_columns(cursor)
    if cursor.left():
        raise Refused("extra-bytes")
    change.rows = _rows(columns, len(change.actors))
    return change


def _read_header(cursor: Cursor, change: Change) -> None:
    count = cursor.uleb()
    if count > 64:
        raise Refused("dependency-count")
    change.dependencies = _ascending((cursor.take(32) for _ in range(count)), "dependency-order")
    own = cursor.actor()
    change.seq, change.start_op = cursor.uleb(), cursor.uleb()
    if not 0 <= cursor.sleb() <= 2**53:
        raise Refused("time")
    before = cursor.at
    if cursor.uleb() > 1024:
        raise Refused("message")
    cursor.at = before
    cursor.text()
    count = cursor.uleb()
    others = (_other(cursor, own) for _ in range(count))
    change.actors = [own, *_ascending(others, "actor-order")]


def _other(cursor: Cursor, own: bytes) -> bytes:
    actor = cursor.actor()
    if actor == own:
        raise Refused("actor-order")
    return actor


def _ascending(items: Iterator[bytes], code: str) -> list[bytes]:
    found: list[bytes] = []
    for item in items:
        if found and found[-1] >= item:
            raise Refused(code)
        found.append(item)
    return found


# Columns. A run is a value, None for empty rows, and how many rows have it.

OBJECT_ACTOR, OBJECT_COUNTER, KEY_ACTOR, KEY_COUNTER, KEY_TEXT = 0x01, 0x02, 0x11, 0x13, 0x15
INSERT, ACTION, VALUE_META, VALUE = 0x34, 0x42, 0x56, 0x57
COUNTS, PREDECESSOR_ACTOR, PREDECESSOR_COUNTER, EXPAND, MARK = 0x70, 0x71, 0x73, 0x94, 0xa5
COLUMNS = (OBJECT_ACTOR, OBJECT_COUNTER, KEY_ACTOR, KEY_COUNTER, KEY_TEXT, INSERT, ACTION, VALUE_META, VALUE,
           COUNTS, PREDECESSOR_ACTOR, PREDECESSOR_COUNTER, EXPAND, MARK)


def _read_columns(cursor: Cursor) -> dict[int, bytes]:
    lengths: dict[int, int] = {}
    last = -1
    for _ in range(cursor.uleb()):
        column, length = cursor.uleb(), cursor.uleb()
        if column not in COLUMNS or column <= last or length == 0:
            raise Refused("columns")
        lengths[column] = length
        last = column
    return {column: cursor.take(length) for column, length in lengths.items()}


def _runs(data: bytes, read: Read) -> Iterator[Run]:
    cursor = Cursor(data)
    kind, last, filled = "", None, False
    while cursor.left():
        count = cursor.sleb()
        if count == 0:
            rows = cursor.uleb()
            if rows == 0 or kind == "empty":
                raise Refused("canonical")
            kind = "empty"
            yield None, rows
            continue
        if count == 1 or (count < 0 and kind == "single"):
            raise Refused("canonical")
        for _ in range(max(1, -count)):
            value = read(cursor)
            if kind in ("single", "repeated") and value == last:
                raise Refused("canonical")
            kind, last, filled = "repeated" if count > 1 else "single", value, True
            yield value, max(1, count)
    if kind == "empty" and not filled:
        raise Refused("canonical")


def numbers(data: bytes) -> Iterator[Run]:
    return _runs(data, Cursor.uleb)


def texts(data: bytes) -> Iterator[Run]:
    return _runs(data, Cursor.text)


def differences(data: bytes, least: int) -> Iterator[Run]:
    """Runs of differences, of which no sum leaves its range."""
    total = 0
    for step, rows in _runs(data, Cursor.sleb):
        if step is not None:
            ends = total + step, total + step * rows
            if not all(least <= end <= COUNTER_MAX for end in ends):
                raise Refused("counter-range")
            total = ends[1]
        yield step, rows


def flags(data: bytes) -> Iterator[Run]:
    cursor = Cursor(data)
    value = False
    while cursor.left():
        is_first = cursor.at == 0
        rows = cursor.uleb()
        if rows == 0 and not (is_first and cursor.left()):
            raise Refused("canonical")
        yield value, rows
        value = not value


def _counted(data: bytes, runs: Iterator[Run], expected: int, optional: bool) -> Iterator[Run]:
    """The same runs, if they come to as many rows as there must be."""
    if not data and optional:
        return
    total = 0
    for value, rows in runs:
        total += rows
        if total > expected:
            raise Refused("column-length")
        if value is None and not optional:
            raise Refused("column-null")
        yield value, rows
    if total != expected:
        raise Refused("column-length")


def _count_operations(data: bytes) -> int:
    count = 0
    for value, rows in numbers(data):
        count += rows
        if count > 20_000:
            raise Refused("too-many-operations")
        if value is None:
            raise Refused("column-null")
    return count


def _rows(columns: dict[int, bytes], actors: int) -> list[Row]:
    count = _count_operations(columns.get(ACTION, b""))
    used = _check(columns, count, actors)
    if used | {0} != set(range(actors)):
        raise Refused("actor-unused")
    return list(_expanded(columns, count))


def _check(columns: dict[int, bytes], count: int, actors: int) -> set[int]:
    """Each column by itself, in ascending order; gives the actors that are named."""
    used: set[int] = set()

    def actor(value: Any, rows: int) -> None:
        if value is not None:
            if value >= actors:
                raise Refused("actor-index")
            used.add(value)

    def counter(value: Any, rows: int) -> None:
        if value is not None and not 1 <= value <= COUNTER_MAX:
            raise Refused("counter-range")

    def check(column: int, read: Callable[[bytes], Iterator[Run]], rows: int, optional: bool,
              each: Callable[[Any, int], None] = lambda value, rows: None) -> int:
        data = columns.get(column, b"")
        total = 0
        for value, many in _counted(data, read(data), rows, optional):
            each(value, many)
            total += (value if isinstance(value, int) else 0) * many
        return total

    check(OBJECT_ACTOR, numbers, count, True, actor)
    check(OBJECT_COUNTER, numbers, count, True, counter)
    check(KEY_ACTOR, numbers, count, True, actor)
    check(KEY_COUNTER, lambda data: differences(data, 0), count, True)
    check(KEY_TEXT, texts, count, True)
    check(INSERT, flags, count, False)
    sizes: list[int] = []
    check(VALUE_META, numbers, count, False, lambda value, rows: sizes.append(value // 16 * rows))
    if sum(sizes) != len(columns.get(VALUE, b"")):
        raise Refused("value-length")
    predecessors = check(COUNTS, numbers, count, False)
    if predecessors > 40_000:
        raise Refused("too-many-predecessors")
    check(PREDECESSOR_ACTOR, numbers, predecessors, False, actor)
    check(PREDECESSOR_COUNTER, lambda data: differences(data, 1), predecessors, False)
    if not check(EXPAND, flags, count, True) and EXPAND in columns:
        raise Refused("canonical")
    check(MARK, texts, count, True)
    return used


def _spread(runs: Iterator[Run]) -> Iterator[Any]:
    """Row by row; a column that is missing has empty rows for ever."""
    return chain((value for value, rows in runs for _ in range(rows)), repeat(None))


def _sums(runs: Iterator[Run]) -> Iterator[Optional[int]]:
    total = 0
    for step in _spread(runs):
        total += step or 0
        yield None if step is None else total


def _expanded(columns: dict[int, bytes], count: int) -> Iterator[Row]:
    def of(column: int, read: Callable[[bytes], Iterator[Run]] = numbers) -> Iterator[Any]:
        return _spread(read(columns.get(column, b"")))

    objects = zip(of(OBJECT_ACTOR), of(OBJECT_COUNTER))
    key_counters = _sums(differences(columns.get(KEY_COUNTER, b""), 0))
    keys = zip(of(KEY_ACTOR), key_counters, of(KEY_TEXT, texts))
    inserts, actions, metas = of(INSERT, flags), of(ACTION), of(VALUE_META)
    values = Cursor(columns.get(VALUE, b""))
    counts, actors = of(COUNTS), of(PREDECESSOR_ACTOR)
    counters = _sums(differences(columns.get(PREDECESSOR_COUNTER, b""), 1))
    expands, marks = of(EXPAND, flags), of(MARK, texts)
    for _ in range(count):
        size, value_type = divmod(next(metas), 16)
        predecessors = [(next(actors), next(counters) or 0) for _ in range(next(counts))]
        yield Row(next(objects), next(keys), next(inserts), next(actions), value_type, values.take(size),
                  predecessors, bool(next(expands)), next(marks))
