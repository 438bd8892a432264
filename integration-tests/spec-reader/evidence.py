"""Fork proofs and the evidence that carries them.

Source: SPEC, section 9.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cbor import Refused, within
from feed import DESCRIPTOR, SIGNED_HEAD, Descriptor, SignedHead, take_descriptor, take_head
from merkle import root_from_path
from shape import ID, KIB, ascending, blob, counted, many, ranged, read, row, uint

SIDE = row(SIGNED_HEAD, ID, many(ID))


@dataclass
class Side:
    head: SignedHead
    leaf: bytes
    path: list[bytes]


def take_side(value: Any) -> Side:
    head, leaf, path = value
    counted(path, 0, 63, "inclusion path")
    return Side(take_head(head), leaf, path)


@dataclass
class ForkProof:
    descriptor: Descriptor
    first: Side
    second: Side
    index: int


def read_fork_proof(data: bytes) -> ForkProof:
    with within("BadProof"):
        shape = row(DESCRIPTOR, SIDE, SIDE, uint)
        descriptor, first, second, index = read(data, 4 * KIB, "fork proof", shape)
        proof = ForkProof(take_descriptor(descriptor), take_side(first), take_side(second), index)
        if proof.first.leaf == proof.second.leaf:
            raise Refused("BadProof.NoContradiction", f"index {index}")
        ascending([proof.first.leaf, proof.second.leaf], "fork proof sides")
    for side in (proof.first, proof.second):
        head = side.head.head
        if head.feed != proof.descriptor.feed_id():
            raise Refused("BadProof.OtherFeed")
        if root_from_path(index, head.size, side.leaf, side.path) != head.root:
            raise Refused("BadProof.Path", f"index {index}, size {head.size}")
        if not side.head.verifies(proof.descriptor.key):
            raise Refused("BadProof.Signature", f"size {head.size}")
    return proof


@dataclass
class Evidence:
    type: int
    body: bytes


def read_evidence(data: bytes) -> tuple[Evidence, ForkProof]:
    with within("BadProof"):
        found = Evidence(*read(data, 5 * KIB, "evidence", row(uint, blob)))
        ranged(found.type, 1, 1, "evidence type")
    return found, read_fork_proof(found.body)
