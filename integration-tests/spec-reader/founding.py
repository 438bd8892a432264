"""Acceptances, founding files, candidates for a charter and votes on them.

Source: SPEC, sections 5.4 and 5.5.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cbor import Refused, encode, malformed, within
from charter import ACTIVE, OBSERVER, Charter, charter_hash, check_sense, read_charter
from hashes import ZERO, signed
from shape import (ID, KEY, KIB, SEQ_MAX, SIGNATURE, ascending, blob, check, counted, key, many, optional,
                   ranged, read, row, uint)

FEED_KEY, WITNESS_KEY = 0, 1


@dataclass
class Acceptance:
    org: bytes
    role: int
    key: list[Any]
    signature: list[Any]


@dataclass
class Candidate:
    """A charter with acceptances: the form of founding files and of candidates."""
    charter_bytes: bytes
    acceptances: list[Acceptance]


def read_candidate(data: bytes, what: str = "charter candidate") -> tuple[Candidate, Charter]:
    shape = row(blob, many(row(ID, uint, KEY, SIGNATURE)))
    charter_bytes, rows = read(data, 1024 * KIB, what, shape)
    charter = read_charter(charter_bytes)
    acceptances = [Acceptance(*item) for item in rows]
    counted(acceptances, 0, 2000, "acceptances")
    for acceptance in acceptances:
        ranged(acceptance.role, FEED_KEY, WITNESS_KEY, "acceptance role")
        key(acceptance.key, "acceptance key")
    ascending([(a.org, a.role) for a in acceptances], "acceptances")
    return Candidate(charter_bytes, acceptances), charter


def read_founding(data: bytes) -> tuple[Candidate, Charter]:
    """A founding file whose charter makes sense and is accepted by all it names."""
    with within("Unfounded"):
        candidate, charter = read_candidate(data, "founding file")
    if charter.version != 0 or charter.prev != ZERO:
        raise Refused("Unfounded.NotFirst", f"version {charter.version}")
    try:
        check_sense(charter)
    except Refused as refused:
        raise Refused("Unfounded." + refused.code, refused.why) from refused
    for member in charter.members:
        if member.status not in (ACTIVE, OBSERVER) or member.cutoff:
            raise Refused("Unfounded.NotFresh", member.slug)
    _check_acceptances(candidate, charter)
    return candidate, charter


def _check_acceptances(candidate: Candidate, charter: Charter) -> None:
    given = {(a.org, a.role): a for a in candidate.acceptances}
    charter_id = charter_hash(candidate.charter_bytes)
    for member in charter.members:
        for role, asked in ((FEED_KEY, member.feed_key), (WITNESS_KEY, member.witness_key)):
            acceptance = given.pop((member.org, role), None)
            if acceptance is None:
                raise Refused("Unfounded.Acceptance.Missing", f"{member.slug}, role {role}")
            if acceptance.key != asked:
                raise Refused("Unfounded.Acceptance.OtherKey", f"{member.slug}, role {role}")
            message = encode([charter_id, member.org, role, asked])
            if not signed("accept", asked[1], message, acceptance.signature):
                raise Refused("Unfounded.Acceptance.Signature", f"{member.slug}, role {role}")
    for org, role in given:
        raise Refused("Unfounded.Acceptance.Unasked", f"{org.hex()}, role {role}")


@dataclass
class Vote:
    version: int
    ballot: int
    phase: int
    choice: list[bytes]
    ids: list[bytes]

    def says(self) -> str:
        return {0: "MoveOn", 1: "Approve" if self.choice else "RejectAll", 2: "Confirm"}[self.phase]


def read_vote(data: bytes) -> Vote:
    shape = row(uint, uint, uint, optional(ID), many(ID))
    vote = Vote(*read(data, 1024 * KIB, "charter vote", shape))
    ranged(vote.version, 1, SEQ_MAX, "charter vote version")
    ranged(vote.ballot, 0, SEQ_MAX, "charter vote ballot")
    ranged(vote.phase, 0, 2, "charter vote phase")
    counted(vote.ids, 0, 1000, "charter vote ids")
    ascending(vote.ids, "charter vote ids")
    if vote.phase == 0:
        check(vote.ballot >= 1 and len(vote.ids) == len(vote.choice), "charter vote")
    elif vote.phase == 1:
        check(bool(vote.ids) == (vote.ballot > 0), "charter vote")
    elif not vote.choice or not vote.ids:
        raise malformed("Shape", "charter vote")
    return vote
