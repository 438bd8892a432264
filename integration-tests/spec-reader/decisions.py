"""Decisions: which sign-offs are in time, and what comes of a proposal.

Source: SPEC, sections 19.3 to 19.8.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Optional

import rules
from canonical import read_wording
from cbor import Refused
from charter import ACTIVE, Charter
from payloads import ANSWERS, Close, Proposal, Signoff

OUTCOMES: dict[rules.Outcome, str] = {True: "true", False: "false", None: "open"}


@dataclass
class Written:
    entry: bytes
    org: bytes
    epoch: int
    seq: int
    charter: bytes
    settled: bool
    standing: str  # stands, forked or void
    branch: Optional[bytes]

    def may_count(self) -> bool:
        return self.standing == "stands" or self.standing == "forked" and self.settled

    def place(self) -> tuple[bytes, int, int, bytes]:
        return self.org, self.epoch, self.seq, self.entry

    def on_other_branch(self, other: "Written") -> bool:
        return (self.branch is not None and other.branch is not None and self.epoch == other.epoch
                and self.branch != other.branch)


@dataclass
class SignedOff:
    by: Written
    says: Signoff
    in_time: bool


@dataclass
class Closed:
    by: Written
    says: Close
    unread: set[bytes]


@dataclass
class Papers:
    charters: list[tuple[bytes, Charter]]
    audience: list[bytes]  # none: everyone
    by: Written
    says: Proposal
    sign_offs: list[SignedOff]
    closings: list[Closed]
    shut: set[bytes]
    contested: set[bytes]


@dataclass
class Poll:
    result: str
    why: Optional[str] = None
    rule: rules.Outcome = None
    quorum: rules.Outcome = None
    seats: dict[bytes, Optional[str]] = field(default_factory=dict)
    fates: dict[bytes, str] = field(default_factory=dict)
    trace: list[Any] = field(default_factory=list)
    spare: Optional[int] = None
    codes: set[str] = field(default_factory=set)
    remaining: Optional[tuple[str, Optional[int]]] = None


def bounds(others: int, covered: list[tuple[int, bool]], own: Optional[int]) -> tuple[int, Optional[int]]:
    """What is in time of a feed, and from where on nothing will be."""
    def at_place(values: list[float]) -> float:
        return (sorted(values, reverse=True) + [0] * others)[others // 2]
    in_time = at_place([entries for entries, _ in covered])
    unknown = [float("inf")] * (others - len(covered))
    shut = at_place(unknown + [entries if closed else float("inf") for entries, closed in covered])
    if own is not None:
        in_time, shut = min(in_time, own), min(shut, own)
    return int(in_time), None if shut == float("inf") else int(shut)


def no_effect(papers: Papers, charter: Charter) -> Optional[str]:
    says = papers.says
    if papers.by.standing == "void":
        return "Void"
    try:
        wording = read_wording(says.snapshot)
    except Refused:
        return "Snapshot"
    if wording.digest() != says.wording:
        return "Digest"
    rule = dict(charter.rules).get(says.rule)
    if rule is None:
        return "UnknownRule"
    if papers.audience and not counted(rule, charter) | {says.closer} <= set(papers.audience):
        return "OutsideAudience"
    return None if closes(charter, says.closer) else "NotACloser"


def counted(rule: Any, charter: Charter) -> set[bytes]:
    seats = charter.seats()
    found: set[bytes] = set()
    for part in rules.walk(rule):
        if part[0] == rules.ORG:
            found.add(part[1])
        elif part[0] == rules.QUORUM or part[0] == rules.SHARE and not part[1]:
            found |= set(seats)
        elif part[0] in (rules.MAJORITY, rules.SHARE):
            found |= {org for org, class_name in seats.items() if class_name in rules.classes_of(part)}
    return found


def closes(charter: Charter, org: bytes) -> bool:
    member = charter.member(org)
    return member is not None and member.status == ACTIVE and org in charter.closers


def may_close(papers: Papers, by: Written) -> bool:
    holder: Optional[bytes] = papers.says.closer
    for identifier, charter in papers.charters:
        if holder is None or not closes(charter, holder):
            holder = next((org for org in charter.closers if closes(charter, org)), None)
        if identifier == by.charter:
            return holder == by.org
    return False


def poll(papers: Papers) -> Poll:
    charter = papers.charters[0][1]
    why = no_effect(papers, charter)
    if why is not None:
        return Poll("without effect", why)
    return _Count(papers, charter).poll()


class _Count:
    def __init__(self, papers: Papers, charter: Charter) -> None:
        self.papers, self.charter = papers, charter
        self.rule = dict(charter.rules)[papers.says.rule]
        self.classes = charter.seats()
        self.first: dict[bytes, SignedOff] = {}
        self.disputed: dict[bytes, str] = {}  # with the other answer, or absent
        self.signed = sorted((one for one in papers.sign_offs if one.says.proposal == papers.by.entry),
                             key=lambda one: one.by.place())
        for one in self.signed:
            right = one.says.wording == papers.says.wording
            if right and one.by.may_count() and one.by.org in self.classes:
                self._hear(one)
        for org, one in self.first.items():
            if one.by.entry in papers.contested:
                self.disputed.setdefault(org, "absent")

    def _hear(self, one: SignedOff) -> None:
        first = self.first.setdefault(one.by.org, one)
        anew = (first.by.branch is not None and first.by.epoch != one.by.epoch and one.by.settled
                and first.says.answer != one.says.answer)
        if anew or first.by.on_other_branch(one.by):
            self.disputed.setdefault(one.by.org, ANSWERS[one.says.answer])

    def closings(self) -> list[Closed]:
        kept: list[Closed] = []
        for one in sorted(self.papers.closings, key=lambda one: one.by.place()):
            same = [other for other in kept if other.by.org == one.by.org]
            if (one.says.proposal == self.papers.by.entry and one.by.settled and one.by.may_count()
                    and may_close(self.papers, one.by)
                    and all(other.by.on_other_branch(one.by) for other in same)):
                kept.append(one)
        order = [identifier for identifier, _ in self.papers.charters]
        return sorted(kept, key=lambda one: (order.index(one.by.charter), one.by.place()))

    def seats(self, closing: Optional[Closed]) -> dict[bytes, Optional[str]]:
        listed = closing.says.counted if closing else []
        found: dict[bytes, Optional[str]] = {}
        for org in self.classes:
            one = self.first.get(org)
            if org in self.disputed and not (
                    self.disputed[org] == "absent" and one and one.by.entry in listed):
                one = None
            found[org] = None
            if one and one.by.settled and (one.in_time or one.by.entry in listed):
                found[org] = ANSWERS[one.says.answer]
            elif org in self.disputed or one and one.by.entry in listed:
                continue
            elif closing and not closing.unread and org in self.papers.shut:
                found[org] = "absent"
        return found

    def outcome(self, seats: dict[bytes, Optional[str]]) -> tuple[str, rules.Outcome, rules.Outcome]:
        given = rules.Seats(self.classes, seats)
        rule, quorum = rules.trace(self.rule, given)[0][1], _quorum(self.rule, given)
        result = ("carried" if rule else "inquorate" if quorum is False
                  else "failed" if rule is False and quorum else "open")
        return result, rule, quorum

    def poll(self) -> Poll:
        closings: list[Optional[Closed]] = list(self.closings()) or [None]
        ways = [(closing, self.seats(closing)) for closing in closings]
        fixed = [way for way in ways if self.outcome(way[1])[0] != "open"]
        closing, seats = (fixed or ways)[0]
        result, rule, quorum = self.outcome(seats)
        if not self.papers.by.settled:
            result = "open"
        elif len({self.outcome(way[1])[0] for way in fixed}) > 1 or result == "open" and self._disputed(seats):
            result = "disputed"
        given = rules.Seats(self.classes, seats)
        lines = [(depth, OUTCOMES[outcome], *_figures(part, given, outcome))
                 for (depth, outcome), part in zip(rules.trace(self.rule, given), _parts(self.rule))]
        fates = {one.by.entry: self._fate(one, seats, closing) for one in self.signed}
        return Poll(result, None, rule, quorum, seats, fates, [list(line) for line in lines],
                    _spare(self.rule, given), self._codes(fates), self._remaining(seats))

    def _disputed(self, seats: dict[bytes, Optional[str]]) -> bool:
        firsts = {org: ANSWERS[self.first[org].says.answer] for org in self.disputed}
        given = {org: answer for org, answer in seats.items() if answer is not None}
        return bool(firsts) and any(
            self.outcome({**seats, **answers, **given})[0] != "open" for answers in (firsts, self.disputed))

    def _remaining(self, seats: dict[bytes, Optional[str]]) -> Optional[tuple[str, Optional[int]]]:
        forked = [org for org, answer in seats.items()
                  if answer in ANSWERS and self.first[org].by.branch is not None]
        left = {**seats, **{org: "absent" for org in forked}}
        return (self.outcome(left)[0], _spare(self.rule, rules.Seats(self.classes, left))) if forked else None

    def _fate(self, one: SignedOff, seats: dict[bytes, Optional[str]], closing: Optional[Closed]) -> str:
        org, first = one.by.org, self.first.get(one.by.org)
        listed = closing is not None and one.by.entry in closing.says.counted
        if self.papers.audience and org not in self.papers.audience:
            return "outside audience"
        if org not in self.classes:
            return "no vote"
        if one.by.standing == "void":
            return "void"
        if not one.by.may_count():
            return "held"
        if one.says.wording != self.papers.says.wording:
            return "stale"
        if org in self.disputed and seats[org] is None:
            return "disputed"
        if first is not None and first.by.entry != one.by.entry:
            return "repeated" if first.says.answer == one.says.answer else "contradicts"
        if seats[org] in ANSWERS:
            return "counted"
        shut = org in self.papers.shut and not one.in_time and not listed
        return "late" if seats[org] == "absent" or shut else "waiting"

    def _codes(self, fates: dict[bytes, str]) -> set[str]:
        codes = {"C15"} if self.papers.by.branch is not None else set()
        answers: dict[bytes, set[int]] = {}
        known = dict(self.papers.charters)
        for one in self.signed:
            fate = fates[one.by.entry]
            if fate == "stale":
                codes.add("C7")
            if fate == "counted" and one.by.branch is not None:
                codes.add("C15")
            members = [found.member(one.by.org) for found in (self.charter, known.get(one.by.charter, self.charter))]
            if len({(m.class_name, m.status) if m else None for m in members}) > 1:
                codes.add("C11")
            right = one.says.wording == self.papers.says.wording
            if right and fate not in ("void", "no vote", "outside audience"):
                answers.setdefault(one.by.org, set()).add(one.says.answer)
        return codes | ({"C6"} if any(len(given) > 1 for given in answers.values()) else set())


def _quorum(rule: Any, seats: rules.Seats) -> rules.Outcome:
    """The quorums that the rule cannot do without."""
    if rule[0] == rules.QUORUM:
        return rules.trace(rule, seats)[0][1]
    found = [_quorum(part, seats) for part in rule[1]] if rule[0] == rules.ALL else []
    return False if False in found else None if None in found else True


def _parts(rule: Any) -> list[Any]:
    """What each line of the trace tests; minima of a quorum as `(scope, least)`."""
    found: list[Any] = []
    for part in rules.walk(rule):
        found.append(part)
        if part[0] == rules.QUORUM:
            found += [([], part[1])] + [([class_name], least) for class_name, least in part[2]]
    return found


def _counts(scope: list[str], seats: rules.Seats) -> tuple[int, int, int, int]:
    """For, against, still open, and all seats in the scope."""
    size = sum(class_name in (scope or [class_name]) for class_name in seats.classes.values())
    still = sum(answer is None and seats.classes[org] in (scope or [seats.classes[org]])
                for org, answer in seats.answers.items())
    return seats.count(("approve",), scope), seats.count(("reject",), scope), still, size


def _figures(part: Any, seats: rules.Seats, outcome: rules.Outcome) -> tuple[Optional[int], Optional[int]]:
    """Thousandths of a share, and the spare of a line."""
    spare = _spare(part, seats) if outcome else None
    if isinstance(part, tuple) or part[0] != rules.SHARE:
        return None, spare
    _, scope, n, d, of = part
    approve, reject, _, size = _counts(scope, seats)
    whole = size if of else approve + reject
    if whole == 0:
        return None, spare
    nearest = (approve * 1000 + whole // 2) // whole
    only_looks = nearest * d >= n * 1000 and approve * d < n * whole
    return (approve * 1000 // whole if only_looks else nearest), spare


def _spare(part: Any, seats: rules.Seats) -> Optional[int]:
    """How many answers could be taken away and it would still hold; none if it does not."""
    if isinstance(part, tuple):
        left = seats.count(tuple(ANSWERS), part[0]) - part[1]
        return left if left >= 0 else None
    if rules.trace(part, seats)[0][1] is not True:
        return None
    if part[0] == rules.QUORUM:
        return min(seats.count(tuple(ANSWERS), scope) - n for scope, n in [([], part[1])] + [
            ([class_name], least) for class_name, least in part[2]])
    if part[0] in (rules.ALL, rules.ANY, rules.AT_LEAST):
        needed = {rules.ANY: 1, rules.AT_LEAST: part[1]}.get(part[0], len(part[-1]))
        below = [found for found in (_spare(one, seats) for one in part[-1]) if found is not None]
        return sorted(below, reverse=True)[needed - 1]
    if part[0] == rules.ORG:
        return 0
    scope = rules.classes_of(part)
    approve, reject, still, size = _counts(scope, seats)
    against = reject + still
    if part[0] == rules.MAJORITY:
        return approve - against - 1
    _, _, n, d, of = part
    least = -(-n * size // d) if of else 1 if against == 0 else -(-n * against // (d - n))
    return approve - max(least, 1)
