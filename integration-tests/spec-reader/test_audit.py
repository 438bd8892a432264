"""Bundles made here, with the keys of the vectors (seeds of one byte, SPEC section 24)."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from typing import Any, Optional

import bundle
import ed25519
import hashes
import test_vectors
from audit import Audit
from cbor import Refused, encode
from chain import Chain, Opening
from feed import Compact, Descriptor, Head, Run, Sealed, SignedHead
from lineage import Known, expect_room
from shape import to_bytes

Findings = list[tuple[str, str]]
NOTE, OPEN_FEED, ACK = 1554, 257, 2


def public(seed: int) -> bytes:
    return ed25519.encode_point(ed25519.multiply(ed25519.BASE, _secret(seed)[0]))


def _secret(seed: int) -> tuple[int, bytes]:
    expanded = hashlib.sha512(bytes([seed]) * 32).digest()
    return int.from_bytes(expanded[:32], "little") & (1 << 254) - 8 | 1 << 254, expanded[32:]


def sign(seed: int, tag: str, message: bytes) -> list[Any]:
    secret, prefix = _secret(seed)
    tagged = hashes.tagged(tag, message)
    r = int.from_bytes(hashlib.sha512(prefix + tagged).digest(), "little") % ed25519.L
    point = ed25519.encode_point(ed25519.multiply(ed25519.BASE, r))
    k = int.from_bytes(hashlib.sha512(point + public(seed) + tagged).digest(), "little")
    return [1, point + ((r + k * secret) % ed25519.L).to_bytes(32, "little")]


class Author:
    """Signs runs of one feed; its key is of the seed given."""

    def __init__(self, board: bytes, org: bytes, seed: int, epoch: int = 0) -> None:
        self.seed, self.board = seed, board
        self.descriptor = Descriptor(board, org, epoch, 1, public(seed))
        self.chain = Chain(self.descriptor.feed_id(), self.descriptor.key)
        self.t_ms = 1_511_179_200_000

    def opening(self, old: Optional["Author"] = None, recovery: Optional[int] = None) -> tuple[int, bytes]:
        """The opening of entry 0, after what `old` has; warranted by its key, or the recovery key of this seed."""
        end = [[old.chain.size - 1, old.chain.last]] if old else []
        message = to_bytes([self.descriptor, end])
        prior = [(0, old.seed)] if old and recovery is None else [(2, recovery)] if recovery else []
        signers = sorted([*prior, (1, self.seed)]) if old else []
        warrants = [[role, [1, public(seed)], sign(seed, "epoch", message)] for role, seed in signers]
        return OPEN_FEED, to_bytes([self.descriptor, end, warrants])

    def ack(self, other: "Author", seq: Optional[int] = None, entry_id: Optional[bytes] = None) -> tuple[int, bytes]:
        last = other.chain.size - 1 if seq is None else seq
        item = [other.chain.feed, last, entry_id or other.chain.last, last, [], self.t_ms]
        return ACK, to_bytes([item])

    def write(self, *entries: tuple[int, bytes]) -> bytes:
        """A run of these entries, with a head after each."""
        compacts = [Compact(0, self.t_ms + place, kind, [], [], [Sealed([bytes(16), payload], [])], [])
                    for place, (kind, payload) in enumerate(entries)]
        start, before, heads = self.chain.size, self.chain.last, []
        run = Run(self.chain.feed, start, before, [self.board], compacts, [])
        for place in range(len(entries)):
            self.chain.append(run.header(place, self.chain.last))
            head = Head(1, self.chain.feed, self.chain.size, self.chain.last, self.chain.frontier.root())
            heads.append(SignedHead(head, sign(self.seed, "head", to_bytes(head))))
        run.heads = heads
        self.t_ms += 1000
        return to_bytes(run)


def note(text: str) -> tuple[int, bytes]:
    return NOTE, encode([text])


class Audits(unittest.TestCase):
    def setUp(self) -> None:
        vector = next(v for v in test_vectors.load("charter")["good"] if v["name"] == "a board of six")
        self.founding = test_vectors.unhex(vector["hex"])
        charter = test_vectors.founded()[1]
        self.board = hashes.id_bytes("board", vector["board"])
        self.orgs = {m.slug: m.org for m in charter.members}
        self.seeds = {m.slug: next(n for n in range(1, 20) if public(n) == m.feed_key[1])
                      for m in charter.members}
        self.observer = next(m.slug for m in charter.members if m.status == 1)

    def author(self, slug: str, seed: Optional[int] = None, epoch: int = 0) -> Author:
        return Author(self.board, self.orgs[slug], seed or self.seeds[slug], epoch)

    def audit(self, *runs: bytes) -> Audit:
        bodies = [(bundle.FOUNDING, self.founding)] + [(bundle.RUN, run) for run in runs]
        bodies.append((bundle.END, encode([len(bodies)])))
        records = [(len(body) + 1).to_bytes(4, "big") + bytes([tag]) + body for tag, body in bodies]
        return Audit(bundle.MAGIC + b"".join(records))

    def findings(self, *runs: bytes) -> Findings:
        return [(f.severity, f.code) for f in self.audit(*runs).findings if f.code != "Silent"]

    def opened(self, slug: str) -> tuple[Author, bytes]:
        author = self.author(slug)
        return author, author.write(author.opening(), note("one"))

    def test_three_of_four_others_settle_and_two_do_not(self) -> None:
        bury, run = self.opened("la-bury")
        acks = []
        for slug in ("la-wigan", "ccg-bury", "gmhscp"):
            author = self.author(slug)
            acks.append(author.write(author.opening(), author.ack(bury)))
        for count, settled in ((2, 0), (3, 2)):
            audit = self.audit(run, *acks[:count])
            self.assertEqual(audit.exit_status(), 0)
            self.assertEqual((audit.feeds[bury.chain.feed].settled, audit.settled()), (settled, settled))

    def test_a_rotation_opens_the_next_epoch(self) -> None:
        old, run = self.opened("la-bury")
        new = self.author("la-bury", seed=30, epoch=1)
        rotation = new.write(new.opening(old), note("two"))
        audit = self.audit(run, rotation)
        self.assertEqual((audit.exit_status(), audit.entries()), (0, 4))
        self.assertEqual(self.findings(rotation, run), [])

    def test_an_epoch_under_a_key_of_an_earlier_one_is_refused(self) -> None:
        first, run = self.opened("la-bury")
        new = self.author("la-bury", seed=30, epoch=1)
        rotation = new.write(new.opening(first))
        again = self.author("la-bury", epoch=2)
        back = again.write(again.opening(new))
        self.assertEqual(self.findings(run, rotation, back), [("unchecked", "OpeningRefused")])

    def test_an_epoch_that_nobody_warrants_is_refused(self) -> None:
        _, run = self.opened("la-bury")
        thief = self.author("la-bury", seed=30, epoch=1)
        stranger, _ = self.opened("la-wigan")
        stolen = thief.write(thief.opening(stranger), note("two"))
        self.assertEqual(self.findings(run, stolen), [("unchecked", "OpeningRefused")])

    def acknowledged_by_two_of_three(self) -> tuple[Author, list[bytes]]:
        """A feed, and its run with those of the first two of the three that would settle it."""
        bury, run = self.opened("la-bury")
        authors = map(self.author, ("la-wigan", "ccg-bury"))
        return bury, [run, *(author.write(author.opening(), author.ack(bury)) for author in authors)]

    def settled(self, bury: Author, *runs: bytes) -> tuple[int, Findings]:
        audit = self.audit(*runs)
        found = {(f.severity, f.code) for f in audit.findings if f.code != "Silent"}
        return audit.feeds[bury.chain.feed].settled, sorted(found)

    def test_an_acknowledgement_beyond_an_end_settles_nothing(self) -> None:
        bury, runs = self.acknowledged_by_two_of_three()
        owner, new = self.author("gmhscp"), self.author("gmhscp", seed=30, epoch=1)
        first = owner.write(owner.opening())
        rotation = new.write(new.opening(owner))
        stolen = owner.write(owner.ack(bury))
        beyond = [("note", "BeyondEnd")]
        self.assertEqual(self.settled(bury, *runs, first, stolen), (2, []))
        self.assertEqual(self.settled(bury, *runs, first, stolen, rotation), (0, beyond))
        self.assertEqual(self.settled(bury, *runs, rotation, first, stolen), (0, beyond))
        self.assertEqual(self.settled(bury, *runs, first, rotation), (0, []))
        again = new.write(new.ack(bury))
        self.assertEqual(self.settled(bury, *runs, first, stolen, rotation, again), (2, beyond))

    def test_a_feed_ends_before_the_entry_that_its_end_contradicts(self) -> None:
        bury, runs = self.acknowledged_by_two_of_three()
        owner, thief, new = self.author("gmhscp"), self.author("gmhscp"), self.author("gmhscp", 30, 1)
        owner.write(owner.opening(), note("mine"))
        stolen = thief.write(thief.opening(), thief.ack(bury))
        rotation = new.write(new.opening(owner))
        self.assertEqual(self.settled(bury, *runs, stolen, rotation), (0, [("note", "BeyondEnd")]))
        agreed = self.author("gmhscp", 31, 1)
        rotation = agreed.write(agreed.opening(thief))
        self.assertEqual(self.settled(bury, *runs, stolen, rotation), (2, []))

    def test_a_recovery_beats_a_rotation_and_what_follows_from_it(self) -> None:
        bury, runs = self.acknowledged_by_two_of_three()
        owner = self.author("gmhscp")
        thief, further, new, next_one = (self.author("gmhscp", seed, epoch)
                                         for seed, epoch in ((30, 1), (31, 2), (32, 1), (33, 2)))
        first = owner.write(owner.opening())
        stolen = thief.write(thief.opening(owner), thief.ack(bury))
        onwards = further.write(further.opening(thief), further.ack(bury))
        taken_back = new.write(new.opening(owner, self.seeds["gmhscp"] + 200))
        superseded = [("note", "Superseded")]
        self.assertEqual(self.settled(bury, *runs, first, stolen, onwards), (2, []))
        for order in ((stolen, onwards, taken_back), (taken_back, stolen, onwards), (stolen, taken_back, onwards)):
            self.assertEqual(self.settled(bury, *runs, first, *order), (0, superseded))
        again = next_one.write(next_one.opening(new, self.seeds["gmhscp"] + 200), next_one.ack(bury))
        found = self.settled(bury, *runs, first, stolen, taken_back, again)
        self.assertEqual(found, (2, superseded), "a recovery is never superseded, though it follows what is")

    def test_two_openings_of_one_epoch_by_equal_right_contest_each_other(self) -> None:
        bury, runs = self.acknowledged_by_two_of_three()
        owner = self.author("gmhscp")
        one, other = (self.author("gmhscp", seed, 1) for seed in (30, 31))
        first = owner.write(owner.opening())
        rivals = [rival.write(rival.opening(owner), rival.ack(bury)) for rival in (one, other)]
        twice = [("proven", "OpenedTwice")]
        self.assertEqual(self.settled(bury, *runs, first, *rivals), (0, twice))
        audit = self.audit(first, *rivals)
        self.assertEqual([f.code for f in audit.findings].count("OpenedTwice"), 2)
        damaged = rivals[1][:-1] + bytes([rivals[1][-1] ^ 1])
        found = self.settled(bury, *runs, first, rivals[0], damaged)
        self.assertEqual(found, (0, [*twice, ("unchecked", "BrokenRun")]), "an opening is signed by itself")

    def test_no_sort_of_feeds_uses_up_the_room_of_another(self) -> None:
        def known(key: int, epoch: int, role: int, prior: int = 0) -> Known:
            descriptor = Descriptor(self.board, self.orgs["la-bury"], epoch, 1, bytes([key]) * 32)
            warrants = [[role, [1, bytes([prior]) * 32], []]] if epoch else []
            return Known(descriptor, Opening(descriptor, [[0, bytes(32)]], warrants))

        feeds = [known(0, 0, 0)] + [known(key, 1, 0) for key in range(1, 64)]
        with self.assertRaisesRegex(Refused, "TooMany"):
            expect_room(known(64, 1, 0), feeds)
        expect_room(known(64, 1, 2), feeds)
        feeds.append(known(64, 1, 2))
        expect_room(known(65, 2, 0, 64), feeds)
        expect_room(known(66, 1, 0), feeds)
        feeds.append(known(66, 1, 0))
        for refused in (known(67, 1, 0), known(67, 2, 0, 66), known(67, 64, 2)):
            with self.assertRaisesRegex(Refused, "TooMany"):
                expect_room(refused, feeds)

    def test_what_an_author_signed_against_the_rules_is_proven(self) -> None:
        author, run = self.opened("la-bury")
        again = author.write(author.opening())
        self.assertEqual(self.findings(run, again), [("proven", "MisSigned")])
        author, run = self.opened("la-bury")
        self.assertEqual(self.findings(run, author.write((NOTE, b"\xff"))), [("proven", "BadPayload")])
        author, other = self.author("la-bury"), self.author("la-wigan")
        self.assertEqual(self.findings(author.write(other.opening())), [("proven", "BadFirstOpening")])
        _, run = self.opened(self.observer)
        self.assertEqual(self.findings(run), [("proven", "NotForObservers")])

    def test_runs_left_out_repeated_or_out_of_place_are_unchecked(self) -> None:
        author, run = self.opened("la-bury")
        second, third = author.write(note("two")), author.write(note("three"))
        self.assertEqual(self.findings(run, third), [("unchecked", "Gap")])
        self.assertEqual(self.findings(run, run, second), [("unchecked", "Repeated")])
        stranger = Author(self.board, bytes(32), 40)
        self.assertEqual(self.findings(stranger.write(note("one"))), [("unchecked", "Outsider")])

    def test_acknowledgements_that_do_not_match_are_unchecked(self) -> None:
        bury, run = self.opened("la-bury")
        for seq, entry_id, code in ((9, bytes(32), "EndsEarly"), (1, bytes(32), "AcknowledgedOther")):
            wigan = self.author("la-wigan")
            ack = wigan.write(wigan.opening(), wigan.ack(bury, seq, entry_id))
            self.assertEqual(self.findings(run, ack), [("unchecked", code)])

    def test_two_histories_stand_below_the_entry_where_they_part(self) -> None:
        one, two = self.author("la-bury"), self.author("la-bury")
        first, same = one.write(one.opening()), two.write(two.opening())
        self.assertEqual(first, same)
        audit = self.audit(first, one.write(note("yes")), two.write(note("no")), two.write(note("never")))
        self.assertEqual([(f.severity, f.code) for f in audit.findings][:1], [("proven", "SecondHistory")])
        feed = audit.feeds[one.chain.feed]
        self.assertEqual((feed.fork, feed.size, feed.branches[0].chain.size), (1, 2, 3))

    def test_the_command_line_gives_feeds_findings_and_the_exit_status(self) -> None:
        reader = Path(__file__).with_name("concordat_reader.py")
        for vector in (v for v in test_vectors.load("bundle")["bad"] if "exit_status" in v):
            with tempfile.NamedTemporaryFile() as file:
                file.write(test_vectors.unhex(vector["hex"]))
                file.flush()
                done = subprocess.run([sys.executable, reader, "verify", "--json", file.name],
                                      capture_output=True, text=True)
            lines = list(map(json.loads, done.stdout.splitlines()))
            self.assertEqual((done.returncode, done.stderr), (vector["exit_status"], ""))
            self.assertEqual(lines[-1]["entries"], vector["entries"])
            self.assertEqual(sum(line["size"] for line in lines if line["type"] == "feed"), vector["entries"])


if __name__ == "__main__":
    unittest.main()
