"""Bundles: the records of a file.

    "concordat-bundle/1\\n"  then records:  length u32 BE | tag | body

Source: SPEC, section 14.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional

from feed import Sealed, read_sealed
from shape import ID, SEQ_MAX, blob, ranged, read, row, uint

MAGIC = b"concordat-bundle/1\n"
RECORD_MAX = 1_050_688
FOUNDING, CARD, RUN, PAYLOAD, END = range(1, 6)


@dataclass
class Record:
    number: int
    tag: int
    body: bytes


def read_records(data: bytes) -> tuple[list[Record], Optional[str]]:
    """The whole records, and what is wrong with the file after them."""
    if not data.startswith(MAGIC):
        return [], "this is not a bundle"
    records: list[Record] = []
    at = len(MAGIC)
    while at < len(data):
        length = int.from_bytes(data[at:at + 4], "big")
        start, end = at + 4, at + 4 + length
        if start > len(data) or end > len(data) or not 1 <= length <= RECORD_MAX:
            return records, f"the record at byte {at} is cut short or has a wrong length"
        records.append(Record(len(records) + 1, data[start], data[start + 1:end]))
        at = end
    return records, None


@dataclass
class BundlePayload:
    feed: bytes
    seq: int
    id: bytes
    sealed_bytes: bytes


def read_bundle_payload(data: bytes) -> tuple[BundlePayload, Sealed]:
    found = BundlePayload(*read(data, RECORD_MAX, "bundle payload", row(ID, uint, ID, blob)))
    ranged(found.seq, 0, SEQ_MAX, "bundle payload seq")
    return found, read_sealed(found.sealed_bytes)


def read_bundle_end(data: bytes) -> int:
    (count,) = read(data, 16, "bundle end", row(uint))
    return int(count)
