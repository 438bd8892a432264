//! Random votes, one of whose five members may sign two histories, as readers come to know them: entries of
//! each history in their order, histories in any, payloads when they come. What a reader once shows as fixed
//! never changes to another result, and no two readers show different ones.

use proptest::prelude::*;

use super::{votes::Vote, *};

/// Members 1 to 5 at places 0 to 4; the last one closes.
const MEMBERS: usize = 5;
const CLOSER: usize = 4;

fn small(number: usize) -> u8 {
    u8::try_from(number).unwrap()
}

/// The member at a place.
fn number(place: usize) -> u8 {
    small(place) + 1
}

/// What a member writes.
#[derive(Debug, Clone)]
enum Act {
    Sign(Answer),
    /// The sign-offs listed, as a mask over members. By whoever it is: only the closer may.
    Close(u8),
    /// All but the last few entries of the feeds in the mask.
    Ack(u8, usize),
}

/// One entry.
#[derive(Debug, Clone)]
enum Item {
    Sign(Answer),
    Close(Vec<EntryId>),
    /// So many entries of a history of a member.
    Ack(Vec<(usize, u16, usize)>),
}

/// A history of a member's feed.
#[derive(Debug, Clone, Default)]
struct Told {
    items: Vec<Item>,
    /// How many entries of each member it has acknowledged.
    held: [usize; MEMBERS],
}

/// Everything that was ever written.
#[derive(Debug)]
struct World {
    histories: Vec<[Option<Told>; 2]>,
    /// Whose feed is forked, and at which entry.
    fork: Option<(usize, usize)>,
    /// Which history of a forked feed each member holds.
    sides: [u16; MEMBERS],
}

fn any_act() -> impl Strategy<Value = Act> {
    let answer = prop_oneof![5 => Just(Answer::Approve), 1 => Just(Answer::Reject)];
    let mask = prop_oneof![3 => Just(u8::MAX), 2 => any::<u8>()];
    let lag = prop_oneof![4 => Just(0), 1 => Just(1usize)];
    prop_oneof![
        2 => answer.prop_map(Act::Sign),
        5 => (mask, lag).prop_map(|(mask, lag)| Act::Ack(mask, lag)),
    ]
}

/// What all members write, one after the other; somewhere in between closings, by who may and who may not.
fn any_steps() -> impl Strategy<Value = Vec<(usize, bool, Act)>> {
    let steps = proptest::collection::vec((0..MEMBERS, any::<bool>(), any_act()), 25..70);
    let listed = prop_oneof![Just(0), any::<u8>()];
    let closing = (any::<prop::sample::Index>(), any::<bool>(), listed);
    let closings =
        proptest::collection::vec((closing, prop_oneof![4 => Just(CLOSER), 1 => 0..MEMBERS]), 0..3);
    (steps, closings).prop_map(|(mut steps, closings)| {
        for ((at, on, listed), by) in closings {
            steps.insert(at.index(steps.len()), (by, on, Act::Close(listed)));
        }
        steps
    })
}

/// Says of each entry which one stands before it in its history.
fn link(dossier: &mut Dossier) {
    let all = dossier.entries.clone();
    for entry in &mut dossier.entries {
        let is_below = |one: &&Entry| {
            let shares = one.histories.iter().any(|history| entry.histories.contains(history));
            one.feed == entry.feed && one.by.seq < entry.by.seq && shares
        };
        let below = all.iter().filter(is_below).max_by_key(|one| one.by.seq);
        entry.after = below.map(|one| one.by.entry);
    }
}

impl World {
    fn of(steps: &[(usize, bool, Act)], fork: Option<(usize, usize)>, sides: u8) -> Self {
        let mut world = Self {
            histories: vec![[Some(Told::default()), None]; MEMBERS],
            fork: None,
            sides: core::array::from_fn(|place| u16::from(sides >> place & 1)),
        };
        for (number, (by, on, act)) in steps.iter().enumerate() {
            if let Some((forked, _)) = fork.filter(|(_, at)| *at == number) {
                let first = world.histories[forked][0].clone().unwrap();
                world.fork = Some((forked, first.items.len()));
                world.histories[forked][1] = Some(first);
            }
            let is_forked = world.fork.is_some_and(|(forked, _)| forked == *by);
            world.write(*by, u16::from(is_forked && *on), act);
        }
        world
    }

    fn write(&mut self, by: usize, on: u16, act: &Act) {
        let mut told = self.histories[by][usize::from(on)].take().unwrap();
        let item = match act {
            // Once is enough: which of two counts is for other tests.
            Act::Sign(answer) => {
                let has_signed = told.items.iter().any(|item| matches!(item, Item::Sign(_)));
                (!has_signed).then_some(Item::Sign(*answer))
            }
            Act::Close(mask) => Some(Item::Close(self.sign_offs(*mask))),
            Act::Ack(mask, lag) => {
                let others = (0..MEMBERS).filter(|of| *of != by && mask >> of & 1 == 1);
                let mut items = vec![];
                for of in others {
                    let history = self.side(by, of);
                    let size = self.told(of, history).items.len().saturating_sub(*lag);
                    if size > told.held[of] {
                        told.held[of] = size;
                        items.push((of, history, size));
                    }
                }
                (!items.is_empty()).then_some(Item::Ack(items))
            }
        };
        told.items.extend(item);
        self.histories[by][usize::from(on)] = Some(told);
    }

    fn told(&self, of: usize, history: u16) -> &Told {
        self.histories[of][usize::from(history)].as_ref().unwrap()
    }

    /// The history of another's feed that a member holds.
    fn side(&self, by: usize, of: usize) -> u16 {
        self.fork.filter(|(forked, _)| *forked == of).map_or(0, |_| self.sides[by])
    }

    /// Sign-offs of these members, one each.
    fn sign_offs(&self, mask: u8) -> Vec<EntryId> {
        let mut ids = vec![];
        for by in (0..MEMBERS).filter(|by| mask >> by & 1 == 1) {
            for (on, told) in (0..).zip(self.histories[by].iter().flatten()) {
                let mut signed = told.items.iter().zip(0..);
                let first = signed.find(|(item, _)| matches!(item, Item::Sign(_)));
                ids.extend(first.map(|(_, seq)| self.id(by, on, seq)));
            }
        }
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    /// Entries below a fork have one id on both histories.
    fn id(&self, by: usize, on: u16, seq: usize) -> EntryId {
        let mut id = [0xee; 32];
        let above = self.fork.is_some_and(|(forked, at)| forked == by && seq >= at);
        (id[0], id[1], id[2]) = (small(by), small(seq), if above { small(on.into()) } else { 0 });
        EntryId::from_bytes(id)
    }

    /// Whether two histories of a member's feed have this entry in common.
    fn is_shared(&self, of: usize, seq: usize) -> bool {
        self.fork.is_none_or(|(forked, at)| forked != of || seq < at)
    }
}

/// What a reader holds.
#[derive(Debug, Clone, Default)]
struct Reader {
    sizes: [[usize; 2]; MEMBERS],
    payloads: BTreeSet<EntryId>,
}

impl Reader {
    /// How many entries of a history are here.
    fn size(&self, world: &World, of: usize, on: u16) -> usize {
        let [own, other] = [on, 1 - on].map(|on| self.sizes[of][usize::from(on)]);
        let shared = world.fork.filter(|(forked, _)| *forked == of).map_or(0, |(_, at)| at);
        own.max(other.min(shared))
    }

    /// The histories of which the reader holds anything that is not part of another; the first, if of none.
    fn known(&self, world: &World, of: usize) -> Vec<u16> {
        let above = |on: &u16| {
            world.fork.is_some_and(|(forked, at)| forked == of && self.size(world, of, *on) > at)
        };
        let known: Vec<u16> = [0, 1].into_iter().filter(above).collect();
        if known.is_empty() { vec![0] } else { known }
    }

    /// The dossier that follows.
    fn dossier(&self, world: &World, vote: &Vote) -> Dossier {
        let mut dossier = vote.board.dossier.clone();
        let base = |of: usize| vote.size(number(of));
        for of in 0..MEMBERS {
            let known = self.known(world, of);
            let mut size = 0;
            for on in &known {
                size = size.max(self.size(world, of, *on));
                let items = &world.told(of, *on).items[..self.size(world, of, *on)];
                for (seq, item) in items.iter().enumerate() {
                    let at = (of, *on, seq);
                    match item {
                        Item::Ack(items) => {
                            let said = items.iter().map(|item| self.said(world, at, *item, base));
                            dossier.acknowledged.extend(said);
                        }
                        Item::Sign(answer) => {
                            let (proposal, wording) = (vote.proposal, vote.wording);
                            let says = SignOff { proposal, answer: *answer, wording };
                            let entry = self.entry(world, vote, at, Kind::SIGNOFF, says.to_bytes());
                            dossier.entries.push(entry);
                        }
                        Item::Close(counted) => {
                            let says = Close { proposal: vote.proposal, counted: counted.clone() };
                            let entry = self.entry(world, vote, at, Kind::CLOSE, says.to_bytes());
                            dossier.entries.push(entry);
                        }
                    }
                }
            }
            dossier.feeds.get_mut(&feed(number(of))).unwrap().1 += size as u64;
        }
        dossier.entries.sort_by_key(|one| one.by.entry);
        dossier.entries.dedup_by_key(|one| one.by.entry);
        link(&mut dossier);
        dossier
    }

    fn said(
        &self,
        world: &World,
        (by, on, seq): (usize, u16, usize),
        (of, history, entries): (usize, u16, usize),
        base: impl Fn(usize) -> u64,
    ) -> Acknowledged {
        let holds = |on: &u16| {
            let is_this = *on == history || world.is_shared(of, entries - 1);
            is_this && self.size(world, of, *on) >= entries
        };
        Acknowledged {
            by: org(number(by)),
            feed: feed(number(by)),
            history: on,
            place: (0, base(by) + seq as u64),
            of: feed(number(of)),
            on: self.known(world, of).into_iter().find(holds),
            entries: base(of) + entries as u64,
            received_at: TimeMs(NOON),
        }
    }

    fn entry(
        &self,
        world: &World,
        vote: &Vote,
        (by, on, seq): (usize, u16, usize),
        kind: Kind,
        payload: Vec<u8>,
    ) -> Entry {
        use crate::decision::Standing as Stands;
        let id = world.id(by, on, seq);
        let known = self.known(world, by);
        let shared = world.is_shared(by, seq);
        let standing = match shared || known.len() < 2 {
            true => Stands::Stands,
            false => Stands::Forked { branch: world.id(by, on, world.fork.unwrap().1) },
        };
        let by_number = number(by);
        let sealed = Sealed { payload: Salted::new(Fixed([7; 16]), payload), attribution: None };
        let is_here = self.payloads.contains(&id);
        Entry {
            by: Written {
                entry: id,
                org: org(by_number),
                epoch: 0,
                seq: vote.size(by_number) + seq as u64,
                at: TimeMs(NOON),
                charter: vote.board.charter.hash(),
                settled: self.is_settled(world, (by, on, seq)),
                standing,
            },
            feed: feed(by_number),
            kind,
            refs: vec![vote.proposal],
            content: if is_here { Content::Here(sealed) } else { Content::Due },
            is_kept: true,
            after: None,
            histories: if shared { known } else { vec![on] },
        }
    }

    /// Whether three of the four others acknowledged it, as far as is known here.
    fn is_settled(&self, world: &World, (by, on, seq): (usize, u16, usize)) -> bool {
        let covers = |(of, history, entries): &(usize, u16, usize)| {
            let is_on_it = *history == on || world.is_shared(by, seq);
            *of == by && *entries > seq && is_on_it && self.size(world, by, *history) >= *entries
        };
        let says = |other: &usize| {
            self.known(world, *other).into_iter().any(|on| {
                let items = &world.told(*other, on).items[..self.size(world, *other, on)];
                items
                    .iter()
                    .any(|item| matches!(item, Item::Ack(items) if items.iter().any(covers)))
            })
        };
        (0..MEMBERS).filter(|other| *other != by).filter(says).count() >= 3
    }
}

/// What a reader shows as everything comes in this order.
fn shows(world: &World, vote: &Vote, order: &[prop::sample::Index]) -> Vec<Ruling> {
    let mut reader = Reader::default();
    let mut shown = vec![];
    let mut late: Vec<EntryId> = vec![];
    let mut order = order.iter().cycle();
    let ground = vote.board.ground();
    loop {
        let streams = (0..MEMBERS).flat_map(|of| [0, 1].map(|on| (of, on)));
        let more: Vec<(usize, usize)> = streams
            .filter(|(of, on)| {
                let told = world.histories[*of][*on].as_ref();
                told.is_some_and(|told| told.items.len() > reader.sizes[*of][*on])
            })
            .collect();
        if more.is_empty() && late.is_empty() {
            return shown;
        }
        let next = order.next().unwrap();
        let chosen = next.index(more.len() + late.len());
        match more.get(chosen) {
            Some((of, on)) => {
                let seq = reader.sizes[*of][*on];
                reader.sizes[*of][*on] += 1;
                let id = world.id(*of, u16::from(small(*on)), seq);
                let is_ack =
                    matches!(world.told(*of, u16::from(small(*on))).items[seq], Item::Ack(_));
                if !is_ack && next.index(3) == 0 {
                    late.push(id);
                } else if !is_ack && !late.contains(&id) {
                    reader.payloads.insert(id);
                }
            }
            None => _ = reader.payloads.insert(late.remove(chosen - more.len())),
        }
        let replay = replay(ground, &reader.dossier(world, vote));
        shown.push(replay.proposals[&vote.proposal].poll.ruling.clone());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn a_result_that_is_fixed_stays_in_any_order_of_arrival(
        steps in any_steps(),
        fork in proptest::option::of((0..MEMBERS, 0usize..40)),
        sides in any::<u8>(),
        orders in proptest::collection::vec(
            proptest::collection::vec(any::<prop::sample::Index>(), 60), 1..4,
        ),
    ) {
        let world = World::of(&steps, fork, sides);
        let vote = Vote::new();
        let mut fixed: Option<Ruling> = None;
        for order in &orders {
            let mut own: Option<Ruling> = None;
            for ruling in shows(&world, &vote, order) {
                if ruling == Ruling::Disputed {
                    prop_assert!(world.fork.is_some(), "nobody contradicted itself");
                    continue;
                }
                if let Some(own) = own.as_ref().filter(|own| **own != ruling) {
                    prop_assert!(false, "{own:?} became {ruling:?}");
                }
                if ruling != Ruling::Open {
                    let first = fixed.get_or_insert_with(|| ruling.clone());
                    prop_assert!(world.fork.is_some() || *first == ruling, "{first:?} and {ruling:?}");
                    own = Some(ruling);
                }
            }
        }
    }
}
