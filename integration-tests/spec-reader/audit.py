"""The audit of a bundle: everything is derived anew from its bytes.

First the records in order: founding files, cards, runs that continue the first
history of their feed. Then the runs that are left, which may be branches. Then
payloads, and last what depends on all of them: acknowledgements, evidence and
settlement.

Source: SPEC, section 15.
"""

from __future__ import annotations

from typing import Any, Callable, Optional

import bundle
import payloads
from cbor import Refused
from chain import Chain, Entry, Misbehaved, check_opening, read_opening
from charter import OBSERVER, Charter, Member, charter_hash
from checkpoint import read_checkpoint, read_cosign
from cosigned import Cosignatures, check_checkpoint
from evidence import ForkProof, read_evidence
from feed import (ACK, EVIDENCE, FOR_OBSERVERS, KINDS, OPEN_FEED, WITHHELD, Descriptor, Run, Sealed, read_run,
                  sealed_in)
from finding import NOTE, PROVEN, UNCHECKED, Finding, Place
from founding import read_candidate, read_founding, read_vote
from hashes import id_text
from histories import Ack, Acks, Feed, History
from identity import read_card
from lineage import check_opening_among, extents
from payloads import settled_size

READERS: dict[str, Callable[[bytes], Any]] = {
    "open_feed": read_opening, "ack": payloads.read_ack, "open": payloads.read_open,
    "change": payloads.read_change, "event": payloads.read_event, "remark": payloads.read_event,
    "audience": payloads.read_audience, "proposal": payloads.read_proposal, "signoff": payloads.read_signoff,
    "close": payloads.read_close, "charter_candidate": read_candidate, "charter_vote": read_vote,
    "evidence": read_evidence, "redact": payloads.read_redact, "checkpoint": read_checkpoint,
    "cosign": read_cosign, "blob": payloads.read_blob, "note": payloads.read_note, "card": read_card}
MINUTE, DAY = 60_000, 86_400_000
KINDS_TOLD_MAX = 64


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
        self.cosigned = Cosignatures()
        records, damage = bundle.read_records(data)
        if damage:
            self.find(UNCHECKED, "Damaged", Place(record=len(records)),
                      f"after record {len(records)}: {damage}")
        records = self._check_end(records, whole=data.startswith(bundle.MAGIC))
        self._read_records(records)
        self._read_branches()
        self._read_payload_records(records)
        for feed, absent, _ in self.due.values():
            self._check_absent(feed, absent)
        for feed in self.feeds.values():
            self._check_entries(feed)
        for feed in self.feeds.values():
            self._tell_proven(feed)
            self._tell_second_histories(feed)
        self._tell_lineage()
        self._check_acks()
        self._check_cosigned()
        for feed in self.feeds.values():
            self._settle(feed)
            if feed.size == 0 and feed.is_whole():
                self.find(NOTE, "Silent", feed.at(), f"the bundle holds no entry of {feed.member.slug}")

    def find(self, severity: str, code: str, place: Place, sentence: str) -> None:
        self.findings.append(Finding(severity, code, place, sentence))

    def find_record(self, severity: str, code: str, number: int, why: object) -> None:
        self.find(severity, code, Place(record=number), f"record {number}: {why}")

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
                self.find_record(UNCHECKED, "NoEnd", len(records), "the bundle stops after it without its end")
            return records
        try:
            count = bundle.read_bundle_end(end.body)
            if count != end.number - 1:
                self.find(UNCHECKED, "WrongCount", Place(), f"{count} records are told, there are {end.number - 1}")
        except Refused as refused:
            self.find_record(UNCHECKED, "Unreadable", end.number, refused)
        if end is not records[-1]:
            self.find_record(UNCHECKED, "AfterEnd", end.number + 1, "it stands after the end")
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
                self.find_record(UNCHECKED, "NewerRecord", record.number, f"it has tag {record.tag}")

    def _read_founding(self, record: bundle.Record) -> None:
        try:
            candidate, charter = read_founding(record.body)
        except Refused as refused:
            return self.find_record(UNCHECKED, "NotFounded", record.number, refused)
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
            return self.find_record(UNCHECKED, "BadCard", record.number, refused)
        if not any((feed.member.org, feed.descriptor.key) == (card.org, card.feed_key[1])
                   for feed in self.feeds.values()):
            self.find_record(NOTE, "ForeignCard", record.number, "it is of no member's first feed key")

    # Runs

    def _read_run(self, record: bundle.Record) -> None:
        try:
            run = read_run(record.body)
        except Refused as refused:
            self.silent.add(record.number)
            return self.find_record(UNCHECKED, "Unreadable", record.number, refused)
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
            self.find(UNCHECKED, "Outsider", Place(run.feed, run.start, record=number),
                      f"record {number} is of a feed that nothing opens")
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
            self.find(UNCHECKED, "OpeningRefused", Place(run.feed, 0, record=number), f"record {number}: {refused}")
            return None
        feed = self._add_feed(here, charter, member)
        feed.opening = opening
        return feed

    def _feeds_of(self, board: bytes, org: bytes) -> list[Feed]:
        return [feed for feed in self.feeds.values() if (feed.board, feed.member.org) == (board, org)]

    def _extend(self, feed: Feed, history: History, run: Run, number: int) -> None:
        try:
            chain, entries, _ = history.chain.extended(run)
        except Misbehaved as refused:
            self.silent.add(number)
            feed.broken = feed.broken or history is feed.first
            if refused.code in ("Misbehaved.NotOpened", "Misbehaved.OpenedAgain"):
                self.find(PROVEN, "MisSigned", feed.at(refused.start), f"{feed.member.slug}: {refused}")
            else:
                self.find(UNCHECKED, "BrokenRun", feed.at(refused.start, refused.end),
                          f"{feed.member.slug} from entry {refused.start}: {refused}")
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
                self.find(UNCHECKED, "Repeated", feed.at(run.start),
                          f"{feed.member.slug}: entry {run.start} stands there twice")
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
            is_gap = run.start > size
            self.find(UNCHECKED, "Gap" if is_gap else "Unplaced",
                      feed.at(size, run.start) if is_gap else feed.at(run.start),
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
            return self.find_record(UNCHECKED, "Unreadable", record.number, refused)
        entry = next((entry for entry in due if (entry.header.seq, entry.id) == (named.seq, named.id)), None)
        if feed is None or entry is None or named.feed != feed.first.chain.feed:
            if not silent:
                place = Place(named.feed, named.seq, record=record.number)
                self.find(UNCHECKED, "PayloadUnasked", place, f"record {record.number}: entry {named.seq}")
            return
        due.remove(entry)
        if not sealed.fits(entry.header):
            self.find(UNCHECKED, "PayloadAltered", feed.at(named.seq), f"entry {named.seq} of {feed.member.slug}")
        elif entry in feed.first.entries:
            self.sealed[named.id] = sealed

    def _check_entries(self, feed: Feed) -> None:
        before: Optional[int] = None
        latest = 0
        for entry in feed.first.entries:
            self._check_header(feed, entry)
            self._check_payload(feed, entry)
            time = entry.header.t_ms
            latest = max(latest, time)
            if latest - time > 15 * MINUTE:
                self._tell_once(feed, entry, UNCHECKED, "BackDated", f"by {latest - time} ms")
            elif before is not None and time < before:
                self._tell_once(feed, entry, NOTE, "ClockBack", f"by {before - time} ms")
            if before is not None and time > before + 366 * DAY:
                self._tell_once(feed, entry, NOTE, "ClockJump", f"by {time - before} ms")
            before = time

    def _tell_once(self, feed: Feed, entry: Entry, severity: str, code: str, why: str) -> None:
        if not feed.is_told(code):
            seq = entry.header.seq
            self.find(severity, code, feed.at(seq), f"entry {seq} of {feed.member.slug}: {why}")

    def _check_header(self, feed: Feed, entry: Entry) -> None:
        header = entry.header
        if header.charter != feed.board:
            self._tell_once(feed, entry, UNCHECKED, "OtherCharter", id_text("charter", header.charter))
        is_newer = header.kind not in KINDS
        if not is_newer and (feed.member.status != OBSERVER or header.kind in FOR_OBSERVERS):
            return
        kinds_told = sum(isinstance(told, int) for told in feed.told)
        if kinds_told < KINDS_TOLD_MAX and not feed.is_told(header.kind):
            severity, code = (NOTE, "NewerKind") if is_newer else (PROVEN, "NotForObservers")
            self.find(severity, code, feed.at(header.seq),
                      f"entry {header.seq} of {feed.member.slug} is of kind {header.kind}")

    def _check_absent(self, feed: Feed, absent: list[Entry]) -> None:
        for entry in absent:
            withheld = bool(entry.header.kind & WITHHELD)
            self.find(NOTE if withheld else UNCHECKED, "PayloadWithheld" if withheld else "PayloadAbsent",
                      feed.at(entry.header.seq), f"entry {entry.header.seq} of {feed.member.slug}")

    def _check_payload(self, feed: Feed, entry: Entry) -> None:
        sealed = self.sealed.get(entry.id)
        if sealed is None or entry.header.kind not in KINDS:
            return
        try:
            self._apply(feed, entry, READERS[KINDS[entry.header.kind]](sealed.payload))
        except Refused as refused:
            first = refused.code.startswith("BadOpening.")
            self.find(PROVEN, "BadFirstOpening" if first else "BadPayload", feed.at(entry.header.seq),
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
            check_checkpoint(feed, entry.header.seq, payload)
        elif KINDS[entry.header.kind] == "cosign":
            self.cosigned.take(feed, entry.header.seq, payload)
        elif KINDS[entry.header.kind] == "card":
            here, card = feed.descriptor, payload[1]
            if (card.org, card.feed_key) != (here.org, [here.alg, here.key]):
                raise Refused("ForeignCard", id_text("org", card.org))

    def _accuse(self, feed: Feed, entry: Entry, proof: ForkProof) -> None:
        accused = self.feeds.get(proof.descriptor.feed_id())
        if accused is None:
            return self.find(UNCHECKED, "AccusesUnknown", feed.at(entry.header.seq),
                             f"entry {entry.header.seq} of {feed.member.slug}")
        if accused.fork is None or proof.index < accused.fork:
            accused.fork, accused.proof = proof.index, (feed, entry.header.seq)

    def _tell_proven(self, feed: Feed) -> None:
        """Of all evidence about a feed that of the lowest index."""
        if feed.fork is not None and feed.proof:
            by, seq = feed.proof
            self.find(PROVEN, "ForkProven", feed.at(feed.fork),
                      f"{feed.member.slug} signed two histories that part at entry {feed.fork}; "
                      f"entry {seq} of {by.member.slug} proves it")

    def _tell_second_histories(self, feed: Feed) -> None:
        for branch in feed.branches:
            if feed.fork is None or branch.start < feed.fork:
                self.find(PROVEN, "SecondHistory", feed.at(branch.start),
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
            self.find(PROVEN, "OpenedTwice", feed.at(), f"{what} was opened more than once")
        elif feed.extent.state == "superseded":
            self.find(NOTE, "Superseded", feed.at(), f"{what} gave way to another, opened by the recovery key")
        elif ends_at is not None and feed.size > ends_at:
            self.find(NOTE, "BeyondEnd", feed.at(ends_at, feed.size),
                      f"{what} has {feed.size} entries, and ends at {ends_at}")

    # Acknowledgements

    def _check_acks(self) -> None:
        for ack in (ack for acks in self.acks.values() for ack in acks.both()):
            feed, item, who = self.feeds.get(ack.item.feed), ack.item, ack.author.member.slug
            is_highest = ack is self.acks[ack.author.first.chain.feed, item.feed].highest
            if feed is None:
                if is_highest:
                    self.find(UNCHECKED, "AcknowledgedUnknown", Place(item.feed, item.seq),
                              f"{who}: entry {item.seq} of {id_text('feed', item.feed)}")
            elif feed.member.org == ack.author.member.org:
                continue
            elif history := feed.holding(item.seq, item.id):
                named = history.entry(item.seq)
                if named and named.header.t_ms > item.received_at + 15 * MINUTE:
                    self.find(NOTE, "ClockAhead", feed.at(item.seq), f"entry {item.seq} of {feed.member.slug}")
            elif feed.is_whole() and is_highest:
                size = max(history.chain.size for history in feed.histories())
                is_early = item.seq >= size
                start = size if is_early else self._agreed_below(feed, item.seq)
                self.find(UNCHECKED, "EndsEarly" if is_early else "AcknowledgedOther", feed.at(start, item.seq + 1),
                          f"{size} entries of {feed.member.slug}, but {who} acknowledged entry {item.seq}")

    def _check_cosigned(self) -> None:
        for feed, claim in self.cosigned.unheld(list(self.feeds.values())):
            self.find(UNCHECKED, "CosignedOther", feed.at(0, claim.given.size),
                      f"entry {claim.seq} of {claim.by.member.slug} cosigns {claim.given.size} entries of "
                      f"{feed.member.slug}, and others are there")

    def _agreed_below(self, feed: Feed, seq: int) -> int:
        """How many entries below this one some acknowledgement agrees with."""
        items = [ack.item for (_, of), acks in self.acks.items() if of == feed.first.chain.feed
                 for ack in (acks.highest, acks.widest)]
        return max((item.seq + 1 for item in items if item.seq < seq and feed.holding(item.seq, item.id)), default=0)

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
