"""The verdict on an Automerge change: good, refused by a rule, or waiting.

Everything here is a set or a walk in the plainest form: closures are sets of
changes, and the order of a text is found by laying the text out.

Source: SPEC, sections 18.3 to 18.5.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Optional

from cbor import Refused
from change import Change, Cursor, Row, read_change

Id = tuple[int, bytes]
"""Counter, then actor: the order of ids."""
ROOT: Id = (0, b"")
HEAD: Id = (0, b"")
MAP, LIST, TEXT = "map", "list", "text"
MAKES = {0: MAP, 2: LIST, 4: TEXT}
PUT, DELETE, INCREMENT, MARKS = 1, 3, 5, 7
NULL, SIGNED, STRING, COUNTER = 0, 4, 6, 8


@dataclass
class Operation:
    object: Id
    deed: str
    """put (of a map's key), insert, update (of an element), delete or increment."""
    target: Any
    """The key, the element after which it inserts, or the element."""
    makes: Optional[str]
    level: int
    is_mark: bool
    is_counter: bool


@dataclass
class Known:
    """A change that was admitted, with all that it reaches."""
    change: Change
    closure: set[bytes]
    operations: dict[Id, Operation]


@dataclass
class Verdict:
    outcome: str
    change: Change
    missing: list[bytes] = field(default_factory=list)
    known: Optional[Known] = None


@dataclass
class History:
    known: dict[bytes, Known] = field(default_factory=dict)

    def judge(self, raw: bytes, half: bytes) -> Verdict:
        """Of the skeleton if nothing is admitted yet, else of a change of this feed."""
        change = read_change(raw)
        is_skeleton = not self.known
        if is_skeleton:
            assert change.actors[0] == bytes(32) and not change.dependencies
        elif change.actors[0][:16] != half:
            raise Refused("actor-feed")
        missing = [one for one in change.dependencies if one not in self.known]
        if missing:
            return Verdict("waiting", change, missing)
        closure: set[bytes] = set()
        for one in change.dependencies:
            closure |= self.known[one].closure | {one}
        before = [self.known[one] for one in closure]
        self._check_place(change, before, is_skeleton)
        operations = Operations(change, before).judged()
        return Verdict("good", change, known=Known(change, closure, operations))

    def admit(self, verdict: Verdict) -> None:
        assert verdict.known
        self.known[verdict.change.hash] = verdict.known

    @staticmethod
    def _check_place(change: Change, before: list[Known], is_skeleton: bool) -> None:
        places = [(one.change.actors[0], one.change.seq) for one in before]
        if len(set(places)) < len(places):
            raise Refused("closure-forked")
        own = [seq for actor, seq in places if actor == change.actors[0]]
        if change.seq != 1 + max(own, default=0):
            raise Refused("seq")
        if change.start_op != 1 + max((one.change.max_op() for one in before), default=0):
            raise Refused("start-op")
        if not change.dependencies and not is_skeleton:
            raise Refused("no-skeleton")
        if not set(change.actors[1:]) <= {actor for actor, _ in places}:
            raise Refused("actor-not-in-closure")
        if sum(len(one.change.rows) for one in before) + len(change.rows) > 2_000_000:
            raise Refused("document-operations")
        if sum(len(one.change.raw) for one in before) + len(change.raw) > 64 * 1024 * 1024:
            raise Refused("document-bytes")


class Operations:
    """The operations of a change, one after the other."""

    def __init__(self, change: Change, before: list[Known]) -> None:
        self.change = change
        self.own: dict[Id, Operation] = {}
        self.all = {id_: operation for one in before for id_, operation in one.operations.items()}
        self.begun: Optional[tuple[Id, Id]] = None
        self.marks = 0

    def judged(self) -> dict[Id, Operation]:
        for place, row in enumerate(self.change.rows):
            id_ = (self.change.start_op + place, self.change.actors[0])
            operation = self._operation(id_, row)
            self.own[id_] = self.all[id_] = operation
            if row.action == MARKS and row.mark is None and not self._ends_later(id_, operation):
                raise Refused("mark-order")
        if self.begun:
            raise Refused("mark-unbalanced")
        return self.own

    def _operation(self, id_: Id, row: Row) -> Operation:
        object_, kind, level = self._object(row)
        if row.action not in (0, 1, 2, 3, 4, 5, 7):
            raise Refused("action")
        check_value(row)
        deed, target = self._target(row, object_, kind)
        if kind == TEXT:
            check_in_text(row, deed)
        if deed == "insert" and row.predecessors:
            raise Refused("insert-with-predecessor")
        if (row.action in (DELETE, INCREMENT) or deed == "update") and not row.predecessors:
            raise Refused("no-predecessor")
        counters = self._predecessors(row, object_, deed, target)
        if row.action == INCREMENT and not counters:
            raise Refused("increment-without-counter")
        self._mark(id_, row, object_, kind, deed)
        makes = MAKES.get(row.action)
        if makes and level >= 16:
            raise Refused("nesting")
        deed = {DELETE: "delete", INCREMENT: "increment"}.get(row.action, deed)
        return Operation(object_, deed, target, makes, level + 1, row.action == MARKS,
                         row.action == PUT and row.value_type == COUNTER)

    def _id(self, actor: int, counter: int) -> Id:
        return counter, self.change.actors[actor]

    def _object(self, row: Row) -> tuple[Id, str, int]:
        actor, counter = row.object
        if actor is None and counter is None:
            return ROOT, MAP, 0
        if actor is None or counter is None:
            raise Refused("object-half")
        found = self.all.get(self._id(actor, counter))
        if found is None:
            raise Refused("object-not-in-closure")
        if found.makes is None:
            raise Refused("not-an-object")
        return self._id(actor, counter), found.makes, found.level

    def _target(self, row: Row, object_: Id, kind: str) -> tuple[str, Any]:
        actor, counter, key = row.key
        if kind == MAP:
            if actor is not None or counter is not None or key is None or row.inserts:
                raise Refused("key-type")
            return "put", key
        if actor is None and counter == 0 and key is None and row.inserts:
            return "insert", HEAD
        if actor is None or not counter or key is not None:
            raise Refused("key-type")
        element = self._id(actor, counter)
        found = self.all.get(element)
        if found is None:
            raise Refused("element-not-in-closure")
        if found.deed != "insert" or found.object != object_:
            raise Refused("element-of-another-list")
        if row.inserts:
            return "insert", element
        if found.is_mark:
            raise Refused("element-is-mark")
        return "update", element

    def _predecessors(self, row: Row, object_: Id, deed: str, target: Any) -> int:
        counters = 0
        before: Optional[Id] = None
        for actor, counter in row.predecessors:
            id_ = self._id(actor, counter)
            if before is not None and before >= id_:
                raise Refused("predecessor-order")
            before = id_
            found = self.all.get(id_)
            if found is None:
                raise Refused("predecessor-not-in-closure")
            same = (found.deed, found.target) == (deed, target)
            is_element = deed == "update" and found.deed == "insert" and id_ == target
            if found.object != object_ or found.is_mark or not (same or is_element):
                raise Refused("predecessor-elsewhere")
            counters += found.is_counter
        return counters

    def _mark(self, id_: Id, row: Row, object_: Id, kind: str, deed: str) -> None:
        begun, self.begun = self.begun, None
        if row.action != MARKS:
            if begun:
                raise Refused("mark-unbalanced")
            return
        if kind != TEXT or deed != "insert":
            raise Refused("mark-place")
        if (row.mark is None) != bool(begun) or (begun and begun[0] != object_):
            raise Refused("mark-unbalanced")
        if row.mark is not None:
            self.begun = (object_, id_)
            self.marks += 1
            if self.marks > 256:
                raise Refused("too-many-marks")

    def _ends_later(self, end: Id, operation: Operation) -> bool:
        """Lays the text out with begin and end in it."""
        children: dict[Id, list[Id]] = {}
        for id_, other in self.all.items():
            if other.deed == "insert" and other.object == operation.object:
                children.setdefault(other.target, []).append(id_)
        ahead = [HEAD]
        begin = (end[0] - 1, end[1])
        while ahead:
            at = ahead.pop()
            if at in (begin, end):
                return at == begin
            ahead.extend(sorted(children.get(at, [])))
        raise AssertionError("the end is in the text")


def check_value(row: Row) -> None:
    value = Cursor(row.value)
    if not _is_well_formed(row.value_type, value) or not _fits(row):
        raise Refused("value")
    if row.action == INCREMENT or (row.action == PUT and row.value_type == COUNTER):
        if abs(Cursor(row.value).sleb()) > 2**31:
            raise Refused("count-size")
    if row.action != MARKS and (row.expands or row.mark is not None):
        raise Refused("mark-fields")
    if row.inserts and row.action in (DELETE, INCREMENT):
        raise Refused("insert")


def _is_well_formed(value_type: int, value: Cursor) -> bool:
    if value_type in (0, 1, 2):
        return not value.data
    if value_type == 5:
        return len(value.data) == 8
    try:
        if value_type == 3:
            value.uleb()
        elif value_type in (SIGNED, COUNTER, 9):
            value.sleb()
        elif value_type == STRING:
            value.take(value.left()).decode("utf-8")
        else:
            return value_type == 7
    except (Refused, UnicodeDecodeError):
        return False
    return not value.left()


def _fits(row: Row) -> bool:
    is_end = row.action == MARKS and row.mark is None
    if row.action in MAKES or row.action == DELETE or is_end:
        return row.value_type == NULL
    return row.action != INCREMENT or row.value_type == SIGNED


def check_in_text(row: Row, deed: str) -> None:
    if deed == "update" and row.action != DELETE:
        raise Refused("text-update")
    is_other_value = row.action == PUT and row.value_type != STRING
    if is_other_value or row.action in (2, 4, INCREMENT):
        raise Refused("text-value")
