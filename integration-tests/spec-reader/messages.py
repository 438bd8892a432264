"""Frames of a meeting: a tag byte and a CBOR body.

Source: SPEC, section 12.1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable

from cbor import Refused, encode, malformed, within
from evidence import SIDE, take_side
from feed import RUN, read_head, take_run
from hashes import digest
from shape import (ID, KIB, NAME, SEQ_MAX, TIME_MAX, Shape, ascending, blob, counted, many, optional, ranged, read, row,
                   short, text, uint)

POINT = row(uint, ID)


def _hello(body: Any) -> None:
    versions, card, boards, now = body
    counted(versions, 1, 16, "hello versions")
    short(card, 4 * KIB, "hello card")
    counted(boards, 0, 1000, "hello boards")
    ascending(boards, "hello boards")
    ranged(now, 0, TIME_MAX, "hello now")


def _one_number(body: Any) -> None:
    counted(body, 1, 1, "numbers of a frame")


def _have(body: Any) -> None:
    items = body[2]
    counted(items, 0, 4000, "have items")
    ascending([item[0] for item in items], "have items")
    for _, size, _, tips in items:
        ranged(size, 0, SEQ_MAX, "have size")
        counted(tips, 0, 32, "have tips")
        ascending(tips, "have tips")


def _free(body: Any) -> None:
    pass


def _run(body: Any) -> None:
    ranged(body[1], 0, 1, "run last")
    take_run(body[2])


def _compare(body: Any) -> None:
    head, points = body[2], body[3]
    counted(points, 0, 32, "compare points")
    ascending(points, "compare points")
    if points:
        ranged(points[-1][0], 0, SEQ_MAX, "compare point")
    read_head(head)


def _side(body: Any) -> None:
    take_side(body[2])


def _no_payload(body: Any) -> None:
    _, reason, entry = body
    if reason > 2 or (reason == 1) != bool(entry):
        raise malformed("Range", f"no_payload reason {reason}")


@dataclass
class Message:
    name: str
    bound: int
    shape: Shape
    check: Callable[[Any], None]


MESSAGES = {
    1: Message("hello", 42192, row(many(uint), blob, many(ID), uint), _hello),
    2: Message("credit", KIB, many(uint), _one_number),
    3: Message("have", 512 * KIB, row(ID, ID, many(row(ID, uint, ID, many(POINT)))), _have),
    4: Message("ask", KIB, row(ID), _free),
    5: Message("want", KIB, row(uint, ID, uint, ID, optional(POINT)),
               lambda body: ranged(body[2], 0, SEQ_MAX, "want from")),
    6: Message("run", 512 * KIB, row(uint, uint, RUN), _run),
    7: Message("nothing", KIB, many(uint), _one_number),
    8: Message("compare", 4 * KIB, row(uint, ID, blob, many(POINT)), _compare),
    9: Message("side", 4 * KIB, row(ID, uint, SIDE), _side),
    10: Message("want_payload", KIB, row(uint, ID, uint, ID, uint),
                lambda body: ranged(body[2], 0, SEQ_MAX, "want_payload seq")),
    11: Message("payload", 512 * KIB, row(uint, uint, uint, blob),
                lambda body: short(body[3], 256 * KIB, "payload piece")),
    12: Message("no_payload", KIB, row(uint, uint, optional(ID)), _no_payload),
    13: Message("goodbye", 2 * KIB, row(text, text), lambda body: short(body[0], NAME, "goodbye code")),
}


@dataclass
class Frame:
    tag: int
    body: Any

    @property
    def name(self) -> str:
        return MESSAGES[self.tag].name

    def lane(self) -> str:
        bulk = self.name == "payload" or self.name == "run" and self.body[0] != 0
        return "bulk" if bulk else "control"


def read_frame(data: bytes) -> Frame:
    with within("BadFrame"):
        if not data:
            raise malformed("CutShort", "frame")
        short(data, 512 * KIB, "frame")
        message = MESSAGES.get(data[0])
        if message is None:
            raise Refused("BadFrame.Incompatible", f"tag {data[0]}")
        body = read(data[1:], message.bound, message.name, message.shape)
        message.check(body)
    return Frame(data[0], body)


def have_digest(board: bytes, items: Any) -> bytes:
    return digest("have", encode([board, items]))
