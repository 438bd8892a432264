"""The audit of a bundle: everything is derived anew from its bytes.

First the records in order: founding files, cards, runs that continue the first
history of their feed. Then the runs that are left, which may be branches. Then
payloads, and last what depends on all of them: acknowledgements, evidence and
settlement.

Source: SPEC, section 15.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Callable, Optional

import bundle
import payloads
from cbor import Refused
from chain import Chain, Entry, Opening, check_opening, read_opening
from charter import OBSERVER, Charter, Member, charter_hash
from checkpoint import Origin, read_checkpoint, read_cosign, verify_checkpoint
from evidence import ForkProof, read_evidence
from feed import (ACK, EVIDENCE, FOR_OBSERVERS, KINDS, OPEN_FEED, WITHHELD, Descriptor, Run, Sealed, read_run,
                  sealed_in)
from founding import read_candidate, read_founding, read_vote
from hashes import id_text
from identity import read_card
from lineage import Extent, Known, check_opening_among, extents
from payloads import AckItem, settled_size

PROVEN, UNCHECKED, NOTE = "proven", "unchecked", "note"
READERS: dict[str, Callable[[bytes], Any]] = {
    "open_feed": read_opening, "ack": payloads.read_ack, "open": payloads.read_open,
    "change": payloads.read_change, "event": payloads.read_event, "remark": payloads.read_event,
    "audience": payloads.read_audience, "proposal": payloads.read_proposal, "signoff": payloads.read_signoff,
    "close": payloads.read_close, "charter_candidate": read_candidate, "charter_vote": read_vote,
    "evidence": read_evidence, "redact": payloads.read_redact, "checkpoint": read_checkpoint,
    "cosign": read_cosign, "blob": payloads.read_blob, "note": payloads.read_note, "card": read_card}
MINUTE, DAY = 60_000, 86_400_000


@dataclass
class Finding:
    severity: str
    code: str
    sentence: str


@dataclass
class History:
    """One chain of a feed. A branch begins at `start`, and shares what is before it."""
    chain: Chain
    start: int = 0
    entries: list[Entry] = field(default_factory=list)

    def entry(self, seq: int) -> Optional[Entry]:
        place = seq - self.start
        return self.entries[place] if 0 <= place < len(self.entries) else None


@dataclass
class Feed:
    descriptor: Descriptor
    board: bytes
    charter: Charter
    member: Member
    first: History
    opening: Optional[Opening] = None
    branches: list[History] = field(default_factory=list)
    broken: bool = False
    misplaced: bool = False
    extent: Extent = field(default_factory=lambda: Extent("stands"))
    fork: Optional[int] = None
    settled: int = 0

    @property
    def size(self) -> int:
        return self.first.chain.size

    def histories(self) -> list[History]:
        return [self.first, *self.branches]

    def is_whole(self) -> bool:
        return not self.broken and not self.misplaced

    def ends_at(self) -> Optional[int]:
        """How many entries count alone, forks aside; None if all."""
        named = self.first.entry(self.extent.end[0]) if self.extent.end else None
        return self.extent.alone(named.id if named else None)

    def as_known(self) -> Known:
        """Its opening; a fork at entry 0 is another opening of the same feed."""
        return Known(self.descriptor, self.opening, self.descriptor.epoch > 0 and self.fork == 0)

    def counts_alone(self, seq: int) -> bool:
        return all(bound is None or seq < bound for bound in (self.ends_at(), self.fork))

    def covers(self, item: AckItem, history: History) -> int:
        """How much of a history an acknowledgement covers: of another one as far as the two are one."""
        held = self.holding(item.seq, item.id)
        if held is None:
            return 0
        bounds = [one.start for one in (held, history) if one is not self.first and held is not history]
        return min([_covers(item), *bounds])

    def holding(self, seq: int, entry_id: bytes) -> Optional[History]:
        """The history that holds this entry."""
        return next((h for h in self.histories() if (e := h.entry(seq)) and e.id == entry_id), None)

    def forked_at(self, index: int) -> None:
        self.fork = index if self.fork is None else min(self.fork, index)


@dataclass
class Ack:
    author: Feed
    seq: int
    item: AckItem


@dataclass
class Acks:
    """Of one feed's acknowledgements of another: the one that names most, and that covers most."""
    highest: Ack
    widest: Ack

    def take(self, ack: Ack) -> None:
        if ack.item.seq > self.highest.item.seq:
            self.highest = ack
        if _covers(ack.item) > _covers(self.widest.item):
            self.widest = ack

    def both(self) -> list[Ack]:
        one, other = self.highest, self.widest
        return [one] + [other] * ((one.item.seq, one.item.id) != (other.item.seq, other.item.id))


def _covers(item: AckItem) -> int:
    through = item.complete_through()
    return 0 if through is None else through + 1


class Audit:
    def __init__(self, data: bytes) -> None:
        self.findings: list[Finding] = []
        self.boards: dict[bytes, Charter] = {}
        self.feeds: dict[bytes, Feed] = {}
        self.refused: set[bytes] = set()
        self.sealed: dict[bytes, Sealed] = {}
        self.left: list[tuple[int, Run, int]] = []
        self.due: dict[int, tuple[Feed, list[Entry], bool]] = {}
        self.silent: set[int] = set()
        self.acks: dict[tuple[bytes, bytes], Acks] = {}
        records, damage = bundle.read_records(data)
        if damage:
            self.find(UNCHECKED, "Damaged", f"after record {len(records)}: {damage}")
        records = self._check_end(records, whole=data.startswith(bundle.MAGIC))
        self._read_records(records)
        self._read_branches()
        self._read_payload_records(records)
        for feed, absent, _ in self.due.values():
            self._check_absent(feed, absent)
        for feed in self.feeds.values():
            self._check_entries(feed)
        for feed in self.feeds.values():
            self._tell_second_histories(feed)
        self._tell_lineage()
        self._check_acks()
        for feed in self.feeds.values():
            self._settle(feed)
            if feed.size == 0 and feed.is_whole():
                self.find(NOTE, "Silent", f"the bundle holds no entry of {feed.member.slug}")

    def find(self, severity: str, code: str, sentence: str) -> None:
        self.findings.append(Finding(severity, code, sentence))

    def exit_status(self) -> int:
        found = {finding.severity for finding in self.findings}
        return 1 if PROVEN in found else 2 if UNCHECKED in found else 0

    def entries(self) -> int:
        """Entries of the first histories: what stands on branches alone is not counted."""
        return sum(feed.size for feed in self.feeds.values())

    def settled(self) -> int:
        return sum(feed.settled for feed in self.feeds.values())

    # The file

    def _check_end(self, records: list[bundle.Record], whole: bool) -> list[bundle.Record]:
        """Gives the records up to the end."""
        end = next((record for record in records if record.tag == bundle.END), None)
        if end is None:
            if whole:
                self.find(UNCHECKED, "NoEnd", f"the bundle stops after record {len(records)} without its end")
            return records
        try:
            count = bundle.read_bundle_end(end.body)
            if count != end.number - 1:
                self.find(UNCHECKED, "WrongCount", f"{count} records are told, there are {end.number - 1}")
        except Refused as refused:
            self.find(UNCHECKED, "Unreadable", f"record {end.number}: {refused}")
        if end is not records[-1]:
            self.find(UNCHECKED, "AfterEnd", f"{len(records) - end.number} records stand after the end")
        return records[:end.number]

    def _read_records(self, records: list[bundle.Record]) -> None:
        for record in records:
            if record.tag == bundle.FOUNDING:
                self._read_founding(record)
            elif record.tag == bundle.CARD:
                self._read_card(record)
            elif record.tag == bundle.RUN:
                self._read_run(record)
            elif record.tag not in (bundle.PAYLOAD, bundle.END):
                self.find(UNCHECKED, "NewerRecord", f"record {record.number} has tag {record.tag}")

    def _read_founding(self, record: bundle.Record) -> None:
        try:
            candidate, charter = read_founding(record.body)
        except Refused as refused:
            return self.find(UNCHECKED, "NotFounded", f"record {record.number}: {refused}")
        board = charter_hash(candidate.charter_bytes)
        self.boards[board] = charter
        for member in charter.members:
            self._add_feed(Descriptor(board, member.org, 0, 1, member.feed_key[1]), charter, member)

    def _add_feed(self, descriptor: Descriptor, charter: Charter, member: Member) -> Feed:
        chain = Chain(descriptor.feed_id(), descriptor.key)
        feed = Feed(descriptor, descriptor.board, charter, member, History(chain))
        return self.feeds.setdefault(chain.feed, feed)

    def _read_card(self, record: bundle.Record) -> None:
        try:
            card = read_card(record.body)[1]
        except Refused as refused:
            return self.find(UNCHECKED, "BadCard", f"record {record.number}: {refused}")
        if not any((feed.member.org, feed.descriptor.key) == (card.org, card.feed_key[1])
                   for feed in self.feeds.values()):
            self.find(NOTE, "ForeignCard", f"record {record.number} is of no member's first feed key")

    # Runs

    def _read_run(self, record: bundle.Record) -> None:
        try:
            run = read_run(record.body)
        except Refused as refused:
            self.silent.add(record.number)
            return self.find(UNCHECKED, "Unreadable", f"record {record.number}: {refused}")
        feed = self.feeds.get(run.feed) or self._open_feed(run, record.number)
        if feed and not feed.broken and (run.start, run.before) == (feed.size, feed.first.chain.last):
            return self._extend(feed, feed.first, run, record.number)
        self.silent.add(record.number)
        if feed:
            self.left.append((record.number, run, feed.size))

    def _open_feed(self, run: Run, number: int) -> Optional[Feed]:
        """The feed that an unknown run opens: a later epoch, or what must not be."""
        if run.feed in self.refused:
            return None
        sealed = sealed_in(run.entries[0])
        try:
            opening = read_opening(sealed.payload) if sealed else None
        except Refused:
            opening = None
        if run.start or opening is None or run.entries[0].kind != OPEN_FEED:
            self.refused.add(run.feed)
            self.find(UNCHECKED, "Outsider", f"record {number} is of a feed that nothing opens")
            return None
        try:
            here = opening.descriptor
            charter = self.boards.get(here.board)
            member = charter.member(here.org) if charter else None
            if charter is None or member is None:
                raise Refused("BadOpening.NotAMember")
            known = [feed.as_known() for feed in self._feeds_of(here.board, here.org)]
            check_opening_among(opening, run.feed, here.board, charter, known)
        except Refused as refused:
            self.refused.add(run.feed)
            self.find(UNCHECKED, "OpeningRefused", f"record {number}: {refused}")
            return None
        feed = self._add_feed(here, charter, member)
        feed.opening = opening
        return feed

    def _feeds_of(self, board: bytes, org: bytes) -> list[Feed]:
        return [feed for feed in self.feeds.values() if (feed.board, feed.member.org) == (board, org)]

    def _extend(self, feed: Feed, history: History, run: Run, number: int) -> None:
        try:
            chain, entries, _ = history.chain.extended(run)
        except Refused as refused:
            self.silent.add(number)
            feed.broken = feed.broken or history is feed.first
            if refused.code in ("Misbehaved.NotOpened", "Misbehaved.OpenedAgain"):
                self.find(PROVEN, "MisSigned", f"{feed.member.slug}: {refused}")
            else:
                self.find(UNCHECKED, "BrokenRun", f"{feed.member.slug} from entry {run.start}: {refused}")
            return
        history.chain = chain
        history.entries += entries
        self.due[number] = feed, [], history is feed.first
        for entry, compact in zip(entries, run.entries):
            sealed = sealed_in(compact)
            if sealed is None:
                self.due[number][1].append(entry)
            elif history is feed.first:
                self.sealed[entry.id] = sealed

    def _read_branches(self) -> None:
        for number, run, size in self.left:
            feed = self.feeds[run.feed]
            branch = next((h for h in feed.branches if (h.chain.size, h.chain.last) == (run.start, run.before)),
                          None) or self._new_branch(feed, run, size)
            if branch is None:
                continue
            self._extend(feed, branch, run, number)
            if branch in feed.branches or not branch.entries:
                continue
            if branch.entries[0].id == feed.first.entries[run.start].id:
                self.find(UNCHECKED, "Repeated", f"{feed.member.slug}: entry {run.start} stands there twice")
                del self.due[number]
                continue
            feed.branches.append(branch)

    def _new_branch(self, feed: Feed, run: Run, size: int) -> Optional[History]:
        """Where a run leaves the first history, of which so much stands before the run."""
        chain = Chain(feed.first.chain.feed, feed.first.chain.key)
        for entry in feed.first.entries[:run.start]:
            chain.append(entry.header)
        if (chain.size, chain.last) == (run.start, run.before) and run.start < size:
            return History(chain, run.start)
        if feed.is_whole():
            feed.misplaced = True
            self.find(UNCHECKED, "Gap" if run.start > size else "Unplaced",
                      f"{feed.member.slug}: {size} entries, then a run from entry {run.start} that continues nothing")
        return None

    # Payloads and entries

    def _read_payload_records(self, records: list[bundle.Record]) -> None:
        feed: Optional[Feed] = None
        due: list[Entry] = []
        silent = False
        for record in records:
            if record.tag == bundle.RUN:
                feed, due, is_first = self.due.get(record.number, (None, [], True))
                silent = record.number in self.silent or not is_first
            elif record.tag != bundle.PAYLOAD:
                feed, due = None, []
            else:
                self._read_payload_record(record, feed, due, silent)

    def _read_payload_record(self, record: bundle.Record, feed: Optional[Feed], due: list[Entry],
                             silent: bool) -> None:
        try:
            named, sealed = bundle.read_bundle_payload(record.body)
        except Refused as refused:
            return self.find(UNCHECKED, "Unreadable", f"record {record.number}: {refused}")
        entry = next((entry for entry in due if (entry.header.seq, entry.id) == (named.seq, named.id)), None)
        if feed is None or entry is None or named.feed != feed.first.chain.feed:
            if not silent:
                self.find(UNCHECKED, "PayloadUnasked", f"record {record.number}: entry {named.seq}")
            return
        due.remove(entry)
        if not sealed.fits(entry.header):
            self.find(UNCHECKED, "PayloadAltered", f"entry {named.seq} of {feed.member.slug}")
        elif entry in feed.first.entries:
            self.sealed[named.id] = sealed

    def _check_entries(self, feed: Feed) -> None:
        before: Optional[int] = None
        for entry in feed.first.entries:
            self._check_header(feed, entry)
            self._check_payload(feed, entry)
            time = entry.header.t_ms
            if before is not None and time < before:
                self.find(NOTE, "ClockBack", f"entry {entry.header.seq} of {feed.member.slug}")
            if before is not None and time > before + 366 * DAY:
                self.find(NOTE, "ClockJump", f"entry {entry.header.seq} of {feed.member.slug}")
            before = time

    def _check_header(self, feed: Feed, entry: Entry) -> None:
        header = entry.header
        what = f"entry {header.seq} of {feed.member.slug}"
        if header.charter != feed.board:
            self.find(UNCHECKED, "OtherCharter", f"{what} names {id_text('charter', header.charter)}")
        if header.kind not in KINDS:
            self.find(NOTE, "NewerKind", f"{what} is of kind {header.kind}")
        elif feed.member.status == OBSERVER and header.kind not in FOR_OBSERVERS:
            self.find(PROVEN, "NotForObservers", f"{what} is of kind {header.kind}")

    def _check_absent(self, feed: Feed, absent: list[Entry]) -> None:
        for entry in absent:
            withheld = bool(entry.header.kind & WITHHELD)
            self.find(NOTE if withheld else UNCHECKED, "PayloadWithheld" if withheld else "PayloadAbsent",
                      f"entry {entry.header.seq} of {feed.member.slug}")

    def _check_payload(self, feed: Feed, entry: Entry) -> None:
        sealed = self.sealed.get(entry.id)
        if sealed is None or entry.header.kind not in KINDS:
            return
        try:
            self._apply(feed, entry, READERS[KINDS[entry.header.kind]](sealed.payload))
        except Refused as refused:
            first = refused.code.startswith("BadOpening.")
            self.find(PROVEN, "BadFirstOpening" if first else "BadPayload",
                      f"entry {entry.header.seq} of {feed.member.slug}: {refused}")

    def _apply(self, feed: Feed, entry: Entry, payload: Any) -> None:
        if entry.header.kind == OPEN_FEED and feed.descriptor.epoch == 0:
            check_opening(payload, feed.first.chain.feed, feed.board, feed.charter, None)
        elif entry.header.kind == ACK and entry.header.charter == feed.board:
            for item in payload:
                ack = Ack(feed, entry.header.seq, item)
                self.acks.setdefault((feed.first.chain.feed, item.feed), Acks(ack, ack)).take(ack)
        elif entry.header.kind == EVIDENCE:
            self._accuse(feed, entry, payload[1])
        elif KINDS[entry.header.kind] == "checkpoint":
            here = feed.descriptor
            verify_checkpoint(payload, Origin(here.board, here.org, here.epoch), here.key, {})
        elif KINDS[entry.header.kind] == "card":
            here, card = feed.descriptor, payload[1]
            if (card.org, card.feed_key) != (here.org, [here.alg, here.key]):
                raise Refused("ForeignCard", id_text("org", card.org))

    def _accuse(self, feed: Feed, entry: Entry, proof: ForkProof) -> None:
        accused = self.feeds.get(proof.descriptor.feed_id())
        if accused is None:
            return self.find(UNCHECKED, "AccusesUnknown", f"entry {entry.header.seq} of {feed.member.slug}")
        accused.forked_at(proof.index)
        self.find(PROVEN, "ForkProven", f"{accused.member.slug} signed two histories that part at entry "
                  f"{proof.index}; entry {entry.header.seq} of {feed.member.slug} proves it")

    def _tell_second_histories(self, feed: Feed) -> None:
        for branch in feed.branches:
            if feed.fork is None or branch.start < feed.fork:
                self.find(PROVEN, "SecondHistory",
                          f"{feed.member.slug} signed two histories that part at entry {branch.start}")
            feed.forked_at(branch.start)

    def _tell_lineage(self) -> None:
        for board, org in {(feed.board, feed.member.org) for feed in self.feeds.values()}:
            feeds = self._feeds_of(board, org)
            for feed, extent in zip(feeds, extents([feed.as_known() for feed in feeds])):
                feed.extent = extent
                self._tell_extent(feed)

    def _tell_extent(self, feed: Feed) -> None:
        what = f"epoch {feed.descriptor.epoch} of {feed.member.slug}"
        ends_at = feed.ends_at()
        if feed.extent.state == "contested":
            self.find(PROVEN, "OpenedTwice", f"{what} was opened more than once")
        elif feed.extent.state == "superseded":
            self.find(NOTE, "Superseded", f"{what} gave way to another, opened by the recovery key")
        elif ends_at is not None and feed.size > ends_at:
            self.find(NOTE, "BeyondEnd", f"{what} has {feed.size} entries, and ends at {ends_at}")

    # Acknowledgements

    def _check_acks(self) -> None:
        for ack in (ack for acks in self.acks.values() for ack in acks.both()):
            feed, item, who = self.feeds.get(ack.item.feed), ack.item, ack.author.member.slug
            if feed is None:
                self.find(UNCHECKED, "AcknowledgedUnknown", f"{who}: {id_text('feed', item.feed)}")
            elif feed.member.org == ack.author.member.org:
                continue
            elif history := feed.holding(item.seq, item.id):
                named = history.entry(item.seq)
                if named and named.header.t_ms > item.received_at + 15 * MINUTE:
                    self.find(NOTE, "ClockAhead", f"entry {item.seq} of {feed.member.slug}")
            elif feed.is_whole() and ack is self.acks[ack.author.first.chain.feed, item.feed].highest:
                size = max(history.chain.size for history in feed.histories())
                self.find(UNCHECKED, "EndsEarly" if item.seq >= size else "AcknowledgedOther",
                          f"{size} entries of {feed.member.slug}, but {who} acknowledged entry {item.seq}")

    def _settle(self, feed: Feed) -> None:
        """The settled size, at least: of several histories that of the one with most."""
        feed.settled = max(self._settled_on(feed, history) for history in feed.histories())

    def _settled_on(self, feed: Feed, history: History) -> int:
        others = set(feed.charter.seats()) - {feed.member.org}
        covered: dict[bytes, int] = {}
        for (_, acknowledged), acks in self.acks.items():
            ack, org = acks.widest, acks.widest.author.member.org
            counts = ack.author.counts_alone(ack.seq)
            if acknowledged == feed.first.chain.feed and org in others and counts:
                covered[org] = max(covered.get(org, 0), feed.covers(ack.item, history))
        return settled_size(history.chain.size, len(others), list(covered.values()))
