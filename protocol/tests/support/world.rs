//! A small joint commissioning board with keys from seeds: what all vectors are made of.
//!
//! Organisation n (1 to 6) has the feed key of seed n, n, n…, the witness key of seed n+100, the
//! node key of seed n+150 and the recovery key of seed n+200; each seed is one byte 32 times.

use concordat_protocol::{
    charter::{
        AcceptRole, Acceptance, Charter, DatedName, Founding, KindTerms, Lead, Locality, Member,
        NamedRule, Quorum, Retention, Rule, Scope, Share, ShareOf, Site, Status, Who,
    },
    codec::Fixed,
    feed::{
        CompactEntry, Descriptor, ForkSide, Header, Kind, OpenFeed, Run, Salted, Sealed,
        SignedHead, Tip, inclusion_path, leaf_hash,
    },
    hash::{BoardId, EntryId, FeedId, NodeKey, OrgId, Tag},
    identity::{Card, Code, Inception, KeyPair, Signer, recovery_digest},
    time::TimeMs,
};

/// Noon of 20 November 2017.
pub(crate) const NOON: u64 = 1_511_179_200_000;

const SLUGS: [&str; 6] = ["la-bury", "la-wigan", "ccg-bury", "ccg-trafford", "gmhscp", "nhsi-gm"];
const CLASSES: [&str; 6] = ["council", "council", "ccg", "ccg", "office", "office"];

pub(crate) fn seed(byte: u8) -> KeyPair {
    KeyPair::from_seed(&[byte; 32])
}

pub(crate) fn feed_key(number: u8) -> KeyPair {
    seed(number)
}

pub(crate) fn witness_key(number: u8) -> KeyPair {
    seed(number + 100)
}

pub(crate) fn recovery_key(number: u8) -> KeyPair {
    seed(number + 200)
}

pub(crate) fn node_key(number: u8) -> NodeKey {
    NodeKey::from_bytes(*seed(number + 150).public().as_bytes())
}

pub(crate) fn inception(number: u8) -> Inception {
    let at = usize::from(number) - 1;
    let codes = if number == 1 { vec![Code("gss".into(), "E08000002".into())] } else { vec![] };
    Inception {
        class: CLASSES[at].into(),
        legal_name: format!("The organisation {}", SLUGS[at]),
        codes,
        recovery_digest: recovery_digest(&recovery_key(number).public()),
        nonce: Fixed([number; 16]),
    }
}

pub(crate) fn org(number: u8) -> OrgId {
    inception(number).org_id()
}

pub(crate) fn card(number: u8) -> Card {
    Card {
        org: org(number),
        epoch: 0,
        number: 0,
        feed_key: feed_key(number).public(),
        witness_key: witness_key(number).public(),
        node_key: node_key(number),
        addresses: vec!["/dns4/node.example.nhs.uk/tcp/4001".into()],
        not_before: TimeMs(NOON),
    }
}

pub(crate) fn member(number: u8) -> Member {
    let at = usize::from(number) - 1;
    let inception = inception(number);
    Member {
        org: inception.org_id(),
        slug: SLUGS[at].parse().unwrap(),
        names: vec![DatedName { from: TimeMs(0), name: inception.legal_name }],
        codes: inception.codes,
        class: inception.class,
        status: if number == 6 { Status::Observer } else { Status::Active },
        feed_key: feed_key(number).public(),
        witness_key: witness_key(number).public(),
        recovery_digest: inception.recovery_digest,
        cutoff: None,
    }
}

pub(crate) fn share(numerator: u64, denominator: u64, of: ShareOf) -> Rule {
    Rule::Share(Share { scope: Scope::Board, numerator, denominator, of })
}

pub(crate) fn joint_decision() -> Rule {
    Rule::All(vec![
        Rule::Quorum(Quorum { least: 4, classes: vec![("ccg".into(), 1), ("council".into(), 1)] }),
        share(3, 4, ShareOf::Cast),
        Rule::Majority("council".into()),
        Rule::Majority("ccg".into()),
    ])
}

pub(crate) fn charter() -> Charter {
    let charter = Charter {
        version: 0,
        prev: Charter::NO_PREV,
        nonce: Fixed([9; 16]),
        title: "Small joint commissioning board".into(),
        replaces_board: None,
        rules_version: 1,
        members: (1..=6).map(member).collect(),
        classes: vec!["ccg".into(), "council".into(), "office".into()],
        localities: vec![Locality { name: "bury".into(), orgs: vec![org(1)] }],
        sites: vec![Site { code: "fairfield".into(), name: "Fairfield".into(), org: org(3) }],
        leads: vec![Lead {
            service: "cancer".into(),
            org: org(4),
            from: TimeMs(0),
            to: None,
            limit_pence: 50_000_000,
        }],
        kinds: vec![KindTerms {
            kind: "decision".into(),
            schema_version: 1,
            creates: Who::Everyone,
            edits: Who::Named { classes: vec!["council".into()], orgs: vec![org(5)] },
        }],
        rules: vec![NamedRule { name: "joint decision".into(), rule: joint_decision() }],
        amend: share(2, 3, ShareOf::Members),
        admit: share(2, 3, ShareOf::Members),
        suspend: share(3, 4, ShareOf::Members),
        secretariat: vec![org(5), org(1)],
        closers: vec![org(5), org(2)],
        succession: vec![],
        silence_days: 14,
        retention: vec![Retention { class: "decision_6y".into(), days: 2_192 }],
    };
    charter.in_order()
}

/// Of these members, and nothing that is not needed.
pub(crate) fn tiny(numbers: &[u8]) -> Charter {
    let mut classes: Vec<_> = numbers.iter().map(|number| member(*number).class).collect();
    classes.dedup();
    let charter = Charter {
        members: numbers.iter().map(|number| member(*number)).collect(),
        classes,
        localities: vec![],
        sites: vec![],
        leads: vec![],
        kinds: vec![],
        rules: vec![],
        secretariat: vec![],
        closers: vec![],
        retention: vec![],
        ..charter()
    };
    charter.in_order()
}

pub(crate) fn acceptances(charter: &Charter) -> Vec<Acceptance> {
    let hash = charter.hash();
    let both = |number: u8| {
        let keys =
            [(AcceptRole::Feed, feed_key(number)), (AcceptRole::Witness, witness_key(number))];
        keys.map(|(role, key)| Acceptance::sign(hash, org(number), role, &key))
    };
    let mut all: Vec<_> = (1..=6).flat_map(both).collect();
    all.retain(|one| charter.member(&one.org).is_some());
    all.sort_by_key(|one| (one.org, one.role));
    all
}

pub(crate) fn founding(charter: &Charter) -> Founding {
    Founding::new(charter, &acceptances(charter)).unwrap()
}

pub(crate) fn board() -> BoardId {
    charter().board_id().unwrap()
}

pub(crate) fn descriptor(number: u8) -> Descriptor {
    Descriptor { board: board(), org: org(number), epoch: 0, key: feed_key(number).public() }
}

/// A feed in the writing.
#[derive(Clone)]
pub(crate) struct Pen {
    key: KeyPair,
    pub(crate) descriptor: Descriptor,
    pub(crate) tip: Tip,
    pub(crate) entries: Vec<(Header, EntryId, Sealed)>,
    pub(crate) heads: Vec<SignedHead>,
    /// The entries whose payloads do not travel with their run.
    pub(crate) apart: Vec<u64>,
    pub(crate) clock: u64,
}

impl Pen {
    /// A feed without entries.
    pub(crate) fn blank(descriptor: Descriptor, key: KeyPair) -> Self {
        let tip = Tip::empty(descriptor.feed_id());
        let (entries, heads, apart) = (vec![], vec![], vec![]);
        Self { key, descriptor, tip, entries, heads, apart, clock: NOON }
    }

    /// The first feed of an organisation, opened.
    pub(crate) fn of(number: u8) -> Self {
        Self::on(board(), number)
    }

    /// The first feed of an organisation on a board, opened.
    pub(crate) fn on(board: BoardId, number: u8) -> Self {
        let descriptor = Descriptor { board, ..descriptor(number) };
        let mut pen = Self::blank(descriptor, feed_key(number));
        pen.write(Kind::OPEN_FEED, OpenFeed::first(descriptor).to_bytes());
        pen
    }

    pub(crate) fn feed(&self) -> FeedId {
        self.tip.feed()
    }

    pub(crate) fn size(&self) -> u64 {
        self.tip.size()
    }

    pub(crate) fn write(&mut self, kind: Kind, payload: Vec<u8>) {
        self.write_with(kind, payload, |_| ());
    }

    /// Writes an entry whose header is changed before it is signed.
    pub(crate) fn write_with(
        &mut self,
        kind: Kind,
        payload: Vec<u8>,
        change: impl FnOnce(&mut Header),
    ) {
        self.clock += 1_000;
        let sealed = Sealed { payload: Salted::new(Fixed([7; 16]), payload), attribution: None };
        let mut header = Header {
            feed: self.feed(),
            seq: self.tip.size(),
            prev: self.tip.id(),
            charter: self.descriptor.board.as_charter(),
            t: TimeMs(self.clock),
            kind,
            artefact: None,
            refs: vec![],
            payload_hash: sealed.payload.hash(Tag::Payload),
            payload_len: sealed.payload.bytes().len() as u64,
            attribution_hash: None,
        };
        change(&mut header);
        self.push(header, sealed);
    }

    fn push(&mut self, header: Header, sealed: Sealed) {
        self.tip.replay(&header.to_bytes()).unwrap();
        self.entries.push((header, self.tip.id(), sealed));
        self.heads.push(self.tip.head().sign(&self.key));
    }

    /// The run of these entries with the heads that are due and the last.
    pub(crate) fn run(&self, from: usize, end: usize) -> Run {
        let mut tip = Tip::empty(self.feed());
        let mut heads = vec![];
        for (at, (header, ..)) in self.entries.iter().enumerate() {
            tip.replay(&header.to_bytes()).unwrap();
            let size = at + 1;
            if size > from && size <= end && (tip.is_mandatory() || size == end) {
                heads.push(self.heads[at]);
            }
        }
        let compact = |(header, _, sealed): &(Header, EntryId, Sealed)| {
            let carried = (!self.apart.contains(&header.seq)).then(|| sealed.clone());
            CompactEntry::of(header.clone(), carried)
        };
        Run {
            feed: self.feed(),
            from: from as u64,
            before: if from == 0 { EntryId::NONE } else { self.entries[from - 1].1 },
            entries: self.entries[from..end].iter().map(compact).collect(),
            heads,
        }
    }

    /// All of it as one run.
    pub(crate) fn whole(&self) -> Run {
        self.run(0, self.entries.len())
    }

    /// One side of a fork proof.
    pub(crate) fn side(&self, index: usize) -> ForkSide {
        let leaf = |(header, ..): &(Header, EntryId, Sealed)| leaf_hash(&header.to_bytes());
        let leaves: Vec<_> = self.entries.iter().map(leaf).collect();
        let path = inclusion_path(&leaves, index).unwrap();
        ForkSide { head: *self.heads.last().unwrap(), leaf: leaves[index], path }
    }

    pub(crate) fn signer(&self) -> &dyn Signer {
        &self.key
    }
}
