//! A board of four organisations in one process: real engines of three, the first one's store on disk. The
//! fourth has accepted the charter, and holds nothing yet.
//!
//! Writes are committed in groups, as the daemon's writer does. The clock is the benchmark's, so
//! that acknowledgements come as often as in a year.

use std::{
    collections::{BTreeMap, VecDeque},
    fs, mem,
    path::Path,
    sync::Arc,
};

use concordat_node::{
    clock, draft,
    home::Home,
    keys,
    organisation::{Facts, Organisation},
    paper::BoardPaper,
    replica::{Mark, Replica, Snapshot},
    store::{self, EngineKind, Op, Store},
};
use concordat_protocol::{
    charter::{AcceptRole, Acceptance, Founding},
    engine::{BatchId, Effect, Engine, Input, Moment, Standing, Ticket},
    feed::Draft,
    hash::{BoardId, EntryId, FeedId, NodeKey},
    time::TimeMs,
};

/// The short names of the members, councils all.
pub(crate) const MEMBERS: [&str; 3] = ["la-one", "la-two", "la-three"];
/// The short name of the member that has not joined.
const LATE: &str = "la-four";
/// Everything happens before today: 300 days of it.
const PAST_MS: u64 = 300 * 24 * 60 * 60 * 1_000;
/// Somebody acknowledges no more often than this.
const PAUSE_MS: u64 = 61_000;

pub(crate) struct Board {
    pub(crate) id: BoardId,
    pub(crate) feeds: Vec<FeedId>,
    members: Vec<Member>,
    inputs: VecDeque<(usize, Input)>,
    written: BTreeMap<Ticket, EntryId>,
    tickets: u64,
    calls: u64,
    now: u64,
}

struct Member {
    home: Home,
    key: NodeKey,
    store: Store,
    engine: Engine,
    ops: Vec<Op>,
    batch: Option<BatchId>,
}

impl Board {
    /// Founds the board; the first member's home is at `place/la-one`, its store on this engine, that of
    /// the late one at `place/la-four`, and the board's paper at `place/founded.board`.
    pub(crate) fn found(place: &Path, engine: EngineKind) -> Self {
        let organisations: Vec<(Home, Organisation)> =
            MEMBERS.iter().chain([&LATE]).map(|slug| organisation(place, slug)).collect();
        let founding = founding(place, &organisations);
        let mut board = Self {
            id: founding.board(),
            feeds: Vec::new(),
            members: Vec::new(),
            inputs: VecDeque::new(),
            written: BTreeMap::new(),
            tickets: 0,
            calls: 0,
            now: clock::now_ms() - PAST_MS,
        };
        let cards: Vec<_> =
            organisations.iter().map(|(_, one)| one.paper().card().clone()).collect();
        let papers = organisations.iter().map(|(_, one)| one.paper().clone()).collect();
        let paper = BoardPaper::new(founding.clone(), papers).unwrap();
        fs::write(place.join("founded.board"), paper.to_text()).unwrap();
        for (at, (home, one)) in organisations.into_iter().take(MEMBERS.len()).enumerate() {
            let kind = if at == 0 { engine } else { EngineKind::Memory };
            let store = store::open(&home.store(), kind).unwrap();
            let engine = Engine::open(one.identity(), Standing::Sure, &store.reader()).unwrap();
            let key = one.paper().card().card().node_key;
            let member = Member { home, key, store, engine, ops: Vec::new(), batch: None };
            board.members.push(member);
            for card in cards.iter().filter(|card| card.card().org != one.id()) {
                board.inputs.push_back((at, Input::Learn { card: Box::new(card.clone()) }));
            }
            board.inputs.push_back((at, Input::Join { founding: Box::new(founding.clone()) }));
        }
        board.run();
        board.feeds =
            board.members.iter().map(|one| one.engine.own_feeds().next().unwrap().feed).collect();
        board.connect();
        board
    }

    fn connect(&mut self) {
        for at in 0..self.members.len() {
            for other in (0..self.members.len()).filter(|other| *other != at) {
                let peer = self.members[other].key;
                self.inputs.push_back((at, Input::Connected { peer }));
            }
        }
        self.run();
    }

    /// The members write, each its drafts; all of it is durable everywhere on return.
    pub(crate) fn write(&mut self, drafts: Vec<(usize, Draft)>) -> Vec<EntryId> {
        let first = self.tickets;
        for (at, draft) in drafts {
            let ticket = Ticket(self.tickets);
            self.tickets += 1;
            self.inputs.push_back((at, Input::Write { ticket, board: self.id, draft }));
        }
        self.run();
        let written = mem::take(&mut self.written);
        assert_eq!(written.len() as u64, self.tickets - first, "all was written");
        written.into_values().collect()
    }

    /// Time passes, and everybody acknowledges what came.
    pub(crate) fn acknowledge(&mut self) {
        self.now += PAUSE_MS;
        for at in 0..self.members.len() {
            self.inputs.push_back((at, Input::Tick));
        }
        self.run();
    }

    /// What a member knows now, as its node would see it.
    pub(crate) fn snapshot(&self, at: usize) -> Snapshot {
        let member = &self.members[at];
        let organisation = Arc::new(Organisation::load(&member.home).unwrap());
        let reader = member.store.reader();
        Replica::open(&member.home, organisation, reader, false).unwrap().snapshot()
    }

    /// Handles inputs until nothing is left to do and all is durable.
    fn run(&mut self) {
        loop {
            while let Some((at, input)) = self.inputs.pop_front() {
                self.handle(at, input);
            }
            self.commit();
            if self.inputs.is_empty() {
                return;
            }
        }
    }

    fn handle(&mut self, at: usize, input: Input) {
        self.calls += 1;
        let mut entropy = [0; 32];
        entropy[..8].copy_from_slice(&self.calls.to_be_bytes());
        entropy[8] = u8::try_from(at).unwrap();
        let moment = Moment { now: TimeMs(self.now), entropy };
        let member = &mut self.members[at];
        let from = member.key;
        for effect in member.engine.handle(moment, input, &member.store.reader()) {
            match effect {
                Effect::Persist { batch, ops } => {
                    let member = &mut self.members[at];
                    member.ops.extend(ops.into_iter().map(Op::from));
                    member.batch = Some(batch);
                }
                Effect::Send { peer, frame, .. } => {
                    let to = self.members.iter().position(|one| one.key == peer).unwrap();
                    self.inputs.push_back((to, Input::Received { peer: from, frame }));
                }
                Effect::Written { ticket, id, .. } => drop(self.written.insert(ticket, id)),
                Effect::Refused { why, .. } => panic!("{why}"),
                Effect::Disconnect { peer } => panic!("{peer:?} is told to go"),
                Effect::Admit { .. }
                | Effect::Dismiss { .. }
                | Effect::Materialise { .. }
                | Effect::Report(_) => {}
            }
        }
    }

    fn commit(&mut self) {
        for (at, member) in self.members.iter_mut().enumerate() {
            if let Some(batch) = member.batch.take() {
                let _durable = member.store.commit(mem::take(&mut member.ops)).unwrap();
                self.inputs.push_back((at, Input::Persisted { batch }));
            }
        }
    }
}

fn organisation(place: &Path, slug: &str) -> (Home, Organisation) {
    let directory = place.join(slug);
    let home = Home::new(&directory);
    let keys = keys::create(&directory, &place.join(format!("{slug}.recovery"))).unwrap();
    let facts = Facts {
        class: "council".to_owned(),
        legal_name: format!("The organisation {slug}"),
        codes: Vec::new(),
    };
    let organisation = Organisation::create(&home, keys, facts, &[]).unwrap();
    Mark::default().save(&home.mark()).unwrap();
    (home, organisation)
}

fn founding(place: &Path, organisations: &[(Home, Organisation)]) -> Founding {
    let mut text =
        "title = \"Bench\"\nsecretariat = [\"la-one\"]\ncloses = [\"la-one\"]\n[rules]\n"
            .replace("closes", "closers");
    for rule in ["amend", "admit", "suspend"] {
        text.push_str(&format!("{rule} = \"share(2/3 of members)\"\n"));
    }
    text.push_str("\"joint decision\" = \"all(quorum(2), share(3/4 of cast))\"\n");
    for (slug, (_, one)) in MEMBERS.iter().chain([&LATE]).zip(organisations) {
        fs::write(place.join(format!("{slug}.card")), one.paper().to_text()).unwrap();
        text.push_str(&format!("[[members]]\ncard = \"{slug}.card\"\nslug = \"{slug}\"\n"));
    }
    let file = place.join("board.toml");
    fs::write(&file, text).unwrap();
    let draft = draft::read(&file, [7; 16]).unwrap();
    let charter = draft.charter().hash();
    let accepted = organisations.iter().flat_map(|(_, one)| {
        let accept = |role, signer| Acceptance::sign(charter, one.id(), role, &signer);
        let feed = accept(AcceptRole::Feed, one.feed_signer());
        [feed, accept(AcceptRole::Witness, one.witness_signer())]
    });
    Founding::new(draft.charter(), &accepted.collect::<Vec<_>>()).unwrap()
}
