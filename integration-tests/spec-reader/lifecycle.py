"""What an artefact is, from the events and proposals that count: state, rows and capacity.

Pasts are sets of entries, in the plainest form.

Source: SPEC, sections 16.4 to 16.6 and 20.1.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Iterable, Optional

from cbor import Refused
from kinds import DAY_MS, Kind, Statement, days, minute, read_statement, thousandths


@dataclass
class Author:
    org: bytes
    org_class: str
    takes_part: bool
    is_sponsor: bool
    is_secretariat: bool
    localities: list[str]


@dataclass
class Fact:
    entry: bytes
    author: Author
    epoch: int
    seq: int
    refs: list[bytes]
    event: Optional[tuple[str, list[Any]]]
    """Name and values; none for a proposal."""
    past: set[bytes] = field(default_factory=set)


@dataclass
class Step:
    entry: bytes
    to: str
    past: set[bytes]
    proposal: Optional[bytes]
    cause: bytes
    after: Optional[list[tuple[bytes, bool]]]
    """The results that it comes after, by the steps of their proposals; none for all in its past."""


@dataclass
class Hold:
    entry: bytes
    state: str
    during: list[str]
    let_go: list[bytes] = field(default_factory=list)


@dataclass
class Line:
    quantity: int
    begins: int
    ends: int
    set_by: list[bytes]
    confirmed: int = 0
    recalled: bool = False


@dataclass
class Claim:
    line: tuple[bytes, str]
    quantity: int
    confirmed: int = 0
    declined: bool = False
    given_up: list[bytes] = field(default_factory=list)
    """The entries that say so."""

    def outstanding(self) -> int:
        return 0 if self.given_up else self.left(set())

    def left(self, past: set[bytes]) -> int:
        """What a confirmation with this past may confirm."""
        is_off = self.declined or any(entry in past for entry in self.given_up)
        return 0 if is_off else self.quantity - self.confirmed

    def is_unanswered(self) -> bool:
        return not self.confirmed and not self.declined and not self.given_up


class NoEffect(Exception):
    """A fact has none."""


class Waits(NoEffect):
    """A result is missing."""


def expect(holds: Any) -> None:
    if not holds:
        raise NoEffect


def with_pasts(facts: list[Fact]) -> list[Fact]:
    """In order: by size of the past, then by id."""
    known = {fact.entry: fact for fact in facts}
    by_feed = {(fact.author.org, fact.epoch, fact.seq): fact for fact in facts}

    def learn(fact: Fact) -> set[bytes]:
        if not fact.past:
            before = by_feed.get((fact.author.org, fact.epoch, fact.seq - 1))
            for one in [*([before] if before else []), *(known[ref] for ref in fact.refs)]:
                fact.past |= learn(one) | {one.entry}
        return fact.past

    for fact in facts:
        learn(fact)
    return sorted(facts, key=lambda fact: (len(fact.past), fact.entry))


class Lifecycle:
    def __init__(self, kind: Kind, opener: bytes, facts: list[Fact], results: dict[bytes, bool]) -> None:
        self.kind, self.results = kind, results
        self.facts = {fact.entry: fact for fact in facts}
        self.statements: dict[bytes, Statement] = {}
        self.steps: list[Step] = []
        self.holds: dict[bytes, Hold] = {}
        self.rows: dict[tuple[str, str, bytes], Fact] = {}
        self.verdicts: list[Fact] = []
        self.confirmations: list[bytes] = []
        self.aid: Optional[tuple[bytes, str]] = None
        self.lines: dict[tuple[bytes, str], Line] = {}
        self.claims: dict[bytes, Claim] = {}
        self.delivered = False
        self.valid_until: dict[bytes, int] = {}
        self.without_effect: list[bytes] = []
        self.waiting: list[bytes] = []
        own = [fact for fact in facts if fact.author.org == opener]
        self.first = min(own, key=lambda fact: (fact.epoch, fact.seq)).entry if own else None
        for fact in with_pasts(facts):
            try:
                self._take(fact)
            except (NoEffect, Refused) as why:
                self.without_effect.append(fact.entry)
                if isinstance(why, Waits) and self._is_step(fact):
                    self.waiting.append(fact.entry)

    # Where a past leads to.

    def steps_at_end(self, past: Optional[set[bytes]]) -> list[Step]:
        steps = [step for step in self.steps if past is None or step.entry in past]
        return [step for step in steps if not any(step.entry in other.past for other in steps)]

    def _transition(self, step: Step, carried: Optional[bool]) -> Optional[dict[str, Any]]:
        """The transition of a result from where a step led."""
        if step.proposal is None or carried is None:
            return None
        result = "carried" if carried else "not-carried"
        return next((one for one in self.kind.schema["x-transitions"]
                     if one.get("result") == result and step.to in one["from"]), None)

    def _led(self, step: Step, past: Optional[set[bytes]], carried: Optional[bool]) -> str:
        one = self._transition(step, carried)
        return str(one["to"]) if one and self._met(one, past, step.proposal) else step.to

    def _result(self, step: Step) -> Optional[bool]:
        return self.results.get(step.proposal) if step.proposal else None

    def _first(self, past: set[bytes], given: Any) -> tuple[str, Optional[Step]]:
        led = [(self._led(step, past, given(step)), step) for step in self.steps_at_end(past)]
        initial = str(self.kind.schema["x-states"][0]["name"])
        return min(led, key=lambda one: (self.kind.place(one[0]), one[1].entry)) if led else (initial, None)

    def _start(self, past: set[bytes], states: list[str]) -> tuple[Optional[bytes], list[tuple[bytes, bool]]]:
        """The proposal that led to the state before, and the results that a step comes after."""
        if any(entry in past for entry in self.waiting):
            raise Waits
        for given in (self._result, lambda step: None):
            state, first = self._first(past, given)
            if state in states:
                after = []
                for step in self.steps_at_end(past):
                    for carried in (True, False):
                        one = self._transition(step, carried)
                        if one and (given(step) == carried or one["to"] in states):
                            after.append((step.entry, carried))
                return first.proposal if first else None, after
        for carried in (True, False):
            known = {step.entry: self._result(step) for step in self.steps}
            if self._first(past, lambda step: carried if known[step.entry] is None else known[step.entry])[0] in states:
                raise Waits
        raise NoEffect

    def beside(self, past: Optional[set[bytes]], carried: bool) -> list[Step]:
        """Steps of proposals of which no step in the past comes after such a result."""
        steps = [step for step in self.steps if past is None or step.entry in past]
        tips = self.steps_at_end(past)
        return [step for step in steps if step not in tips and self._transition(step, carried) and not any(
            step.entry in other.past and (other.after is None or (step.entry, carried) in other.after)
            for other in steps)]

    def tips(self) -> list[tuple[str, Step]]:
        """Where all steps and results lead to."""
        tips = [(self._led(step, None, self._result(step)), step) for step in self.steps_at_end(None)]
        for carried in (True, False):
            for step in self.beside(None, carried):
                one = self._transition(step, carried)
                if self._result(step) == carried and one and self._met(one, None, step.proposal):
                    tips.append((str(one["to"]), step))
        return sorted(tips, key=lambda tip: (self.kind.place(tip[0]), tip[1].entry))

    def state(self) -> str:
        tips = self.tips()
        return tips[0][0] if tips else str(self.kind.schema["x-states"][0]["name"])

    def _met(self, transition: dict[str, Any], past: Optional[set[bytes]], proposal: Optional[bytes]) -> bool:
        return all(self._is_met(need, past, proposal) for need in transition.get("needs", []))

    def _is_met(self, need: Any, past: Optional[set[bytes]], proposal: Optional[bytes]) -> bool:
        if need == "nothing-confirmed":
            return not any(past is None or entry in past for entry in self.confirmations)
        if not isinstance(need, dict) or "at-least" not in need:
            return True
        last: dict[bytes, Fact] = {}
        for fact in self.verdicts:
            said = self.statements[fact.entry]
            if said.name == need["event"] and said.first_value() == proposal:
                if past is None or fact.entry in past:
                    last[fact.author.org] = fact
        says = [fact for fact in last.values() if fact.author.org_class == need["of"]
                and self.statements[fact.entry].values[1] == need["is"]]
        return len(says) >= need["at-least"]

    # One fact after the other.

    def _take(self, fact: Fact) -> None:
        if fact.event is None:
            self._propose(fact)
            return
        said = read_statement(self.kind, *fact.event, False)
        about = self.kind.about(said.name)
        expect(self._may_write(fact, said, about["x-who"]["organisation"]))
        effect, during = about["x-effect"], about.get("x-during")
        if during is not None:
            self._start(fact.past, during)
        if effect == "capacity" and during:
            expect(not any(self._stands(hold, fact.past) for hold in self.holds.values()))
        self.statements[fact.entry] = said
        if effect == "step":
            self._step(fact, said)
        elif effect == "uphold":
            self._uphold(fact, said)
        elif effect == "capacity":
            getattr(self, "_" + said.name)(fact, said)
        elif effect == "let-go" or "let-go" in effect:
            self._let_go(fact, said, effect)
        elif "hold" in effect:
            self.holds[fact.entry] = Hold(fact.entry, effect["hold"], during or [])
        elif "row-of" in effect:
            self._row(fact, said, effect)

    def _may_write(self, fact: Fact, said: Optional[Statement], among: Any) -> bool:
        author = fact.author
        aid = self.aid[1] if self.aid and self.aid[0] in fact.past else "offer"
        is_offering = author.is_sponsor == (aid != "request")
        named = said.first_value() if said else None
        tests = {"members": True, "sponsor": author.is_sponsor, "secretariat": author.is_secretariat,
                 "locality-named": named in author.localities, "offering-side": is_offering,
                 "requesting-side": not is_offering,
                 "author-of-entry-named": named in fact.past and self.facts[named].author.org == author.org}
        fits = author.org_class in among if isinstance(among, list) else tests[among]
        return author.takes_part and fits

    @staticmethod
    def _stands(hold: Hold, past: set[bytes]) -> bool:
        return hold.entry in past and not any(entry in past for entry in hold.let_go)

    def _is_step(self, fact: Fact) -> bool:
        if fact.event is None:
            return True
        effect = self.kind.about(fact.event[0])["x-effect"]
        return effect in ("step", "uphold") or isinstance(effect, dict) and "let-go" in effect

    def _propose(self, fact: Fact) -> None:
        takes = [one for one in self.kind.schema["x-transitions"] if "proposal" in one]
        expect(takes)
        expect(self._may_write(fact, None, takes[0]["proposal"]["organisation"]))
        _, after = self._start(fact.past, takes[0]["from"])
        self._go(fact, takes[0]["to"], fact.entry, fact.entry, after)

    def _go(self, fact: Fact, to: str, proposal: Optional[bytes], cause: bytes,
            after: Optional[list[tuple[bytes, bool]]]) -> None:
        self.steps.append(Step(fact.entry, to, fact.past, proposal, cause, after))

    def _step(self, fact: Fact, said: Statement) -> None:
        one = next(one for one in self.kind.schema["x-transitions"] if one.get("event") == said.name)
        proposal, after = self._start(fact.past, one["from"])
        expect(self._met(one, fact.past, proposal))
        self._go(fact, one["to"], None, fact.entry, after)
        until = said.first("valid_until")
        if until is not None:
            self.valid_until[fact.author.org] = minute(until) or 0

    def _uphold(self, fact: Fact, said: Statement) -> None:
        if any(entry in fact.past for entry in self.waiting):
            raise Waits
        tips, beside = self.steps_at_end(fact.past), self.beside(fact.past, True)
        named = [step for step in tips + beside if step.entry == said.first_value()]
        expect(named and len(tips) + len(beside) > 1)
        if named[0] in beside:
            if self._result(named[0]) is None:
                raise Waits
            expect(self._result(named[0]))
        self._go(fact, named[0].to, named[0].proposal, named[0].cause, None)

    def _let_go(self, fact: Fact, said: Statement, effect: Any) -> None:
        moves = isinstance(effect, dict) and said.first(said.params[-1].name) == effect["value"]
        if moves and any(entry in fact.past for entry in self.waiting):
            raise Waits
        hold = self.holds.get(said.first_value())
        expect(hold)
        assert hold
        hold.let_go.append(fact.entry)
        if moves:
            try:
                _, after = self._start(fact.past, hold.during)
                self._go(fact, effect["to"], None, fact.entry, after)
            except Waits:
                self.waiting.append(fact.entry)
            except NoEffect:
                pass

    def _row(self, fact: Fact, said: Statement, effect: dict[str, Any]) -> None:
        key = (effect["row-of"], repr(said.values[:effect["leading"]]), fact.author.org)
        if isinstance(said.first_value(), bytes) and len(said.params) > 1:
            self.verdicts.append(fact)
        held = self.rows.get(key)
        if held is None or (held.epoch, held.seq) < (fact.epoch, fact.seq):
            self.rows[key] = fact

    # Capacity: one function an event.

    def _aid_kind(self, fact: Fact, said: Statement) -> None:
        expect(fact.entry == self.first)
        self.aid = (fact.entry, said.first("kind"))

    @staticmethod
    def _span(said: Statement) -> tuple[int, int]:
        begins, ends = minute(said.first("from")) or 0, minute(said.first("to")) or 0
        expect(begins < ends)
        return begins, ends

    @staticmethod
    def _key(fact: Fact, said: Statement) -> tuple[bytes, str]:
        return said.first("offered_by") or fact.author.org, said.first("line")

    def _known(self, fact: Fact, key: tuple[bytes, str]) -> bool:
        return key in self.lines and any(entry in fact.past for entry in self.lines[key].set_by)

    def _line_quantity(self, fact: Fact, said: Statement) -> None:
        begins, ends = self._span(said)
        line = self.lines.setdefault(self._key(fact, said), Line(0, 0, 0, []))
        line.quantity, line.begins, line.ends = thousandths(said.first("qty")), begins, ends
        line.set_by.append(fact.entry)

    def _claim(self, fact: Fact, said: Statement) -> None:
        self._span(said)
        key, quantity = self._key(fact, said), thousandths(said.first("qty"))
        expect(self._known(fact, key) and quantity > 0)
        self.claims[fact.entry] = Claim(key, quantity)

    def _answered(self, fact: Fact, said: Statement, is_own_line: bool) -> Claim:
        claim = self.claims.get(said.first_value())
        expect(claim and said.first_value() in fact.past)
        assert claim
        expect(not is_own_line or claim.line[0] == fact.author.org)
        return claim

    def _confirm(self, fact: Fact, said: Statement) -> None:
        claim, quantity = self._answered(fact, said, True), thousandths(said.first("qty"))
        line = self.lines[claim.line]
        expect(0 < quantity <= min(claim.left(fact.past), line.quantity - line.confirmed))
        claim.confirmed += quantity
        line.confirmed += quantity
        self.confirmations.append(fact.entry)

    def _decline_claim(self, fact: Fact, said: Statement) -> None:
        self._answered(fact, said, True).declined = True

    def _give_up_claim(self, fact: Fact, said: Statement) -> None:
        self._answered(fact, said, False).given_up.append(fact.entry)

    def _recall(self, fact: Fact, said: Statement) -> None:
        expect(self._known(fact, self._key(fact, said)))
        self.lines[self._key(fact, said)].recalled = True

    def _deliver(self, fact: Fact, said: Statement) -> None:
        expect(self._known(fact, self._key(fact, said)))
        self.delivered = True

    def unanswered(self, key: tuple[bytes, str]) -> int:
        claims = self.claims.values()
        return sum(claim.quantity for claim in claims if claim.line == key and claim.is_unanswered())

    # What is shown.

    def open_holds(self) -> list[Hold]:
        return [hold for hold in self.holds.values() if not hold.let_go]

    def shown(self, at: int) -> str:
        states = [self._by_claims_or_day(at), *(hold.state for hold in self.open_holds())]
        return min(states, key=self.kind.place)

    def _by_claims_or_day(self, at: int) -> str:
        state = self.state()
        if state == "offered":
            return self._of_offer(at)
        tips = self.tips()
        said = self.statements.get(tips[0][1].cause) if tips else None
        shown = state
        clocks: Iterable[dict[str, str]] = next(
            one.get("clock", []) for one in self.kind.schema["x-states"] if one["name"] == state)
        for clock in clocks:
            text = said.first(clock["after"]) if said else None
            if text is not None and (days(text) or 0) * DAY_MS + DAY_MS <= at:
                shown = clock["becomes"]
        return shown

    def _of_offer(self, at: int) -> str:
        claims = list(self.claims.values())
        confirmed = [line for line in self.lines.values() if line.confirmed]
        if not confirmed:
            if self.valid_until and max(self.valid_until.values()) <= at:
                return "expired"
            if any(claim.is_unanswered() for claim in claims):
                return "claimed"
            return "declined" if any(claim.declined for claim in claims) else "offered"
        if all(line.recalled for line in confirmed):
            return "recalled"
        if at >= max(line.ends for line in confirmed):
            return "ended"
        if at >= min(line.begins for line in confirmed) or self.delivered:
            return "active"
        waits = [claim for claim in claims if claim.is_unanswered()
                 or min(claim.outstanding(), self.left(claim.line)) > 0]
        return "part_confirmed" if waits else "confirmed"

    def left(self, key: tuple[bytes, str]) -> int:
        return max(0, self.lines[key].quantity - self.lines[key].confirmed)
