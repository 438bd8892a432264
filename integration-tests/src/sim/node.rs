//! One node: a real engine, a disk, a clock, and a signer that remembers what it signed.
//!
//! ```text
//! off ──start──▶ on ──handle──▶ effects          off ◀──crash── on: memory and waiting batches are lost
//! ```
//!
//! *Invariants.* Everything that an engine gets comes through [`Node::handle`]. An engine that
//! panics is a failure of the run, whoever it belongs to.
//!
//! *Source*: ours.

use std::{
    collections::BTreeSet,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::{Arc, Mutex, PoisonError},
};

use concordat_protocol::{
    codec,
    engine::{BoardView, Damaged, Effect, Engine, Identity, Input, Moment, Standing},
    feed::SignedHead,
    hash::{NodeKey, Tag},
    identity::{KeyPair, PublicKey, Signature, Signer},
};

use super::{
    clock::{NodeClock, SimTime},
    disk::Disk,
    founding::Organisation,
    rng::Rng,
};

/// Heads that a signer signed since it was last asked.
type Signed = Arc<Mutex<Vec<SignedHead>>>;

/// Signs, and remembers which heads.
struct Recorder {
    key: KeyPair,
    signed: Signed,
    panics: bool,
}

impl Signer for Recorder {
    fn public(&self) -> PublicKey {
        self.key.public()
    }

    fn sign(&self, tag: Tag, message: &[u8]) -> Signature {
        if self.panics {
            resume_unwind(Box::new("the key was broken on purpose"));
        }
        let signature = self.key.sign(tag, message);
        // A signed head on the wire is an array of two: what is signed, and the signature.
        let bytes = [&[0x82], message, &codec::encode(&signature)].concat();
        if let (Tag::Head, Ok(head)) = (tag, SignedHead::from_bytes(&bytes)) {
            self.signed.lock().unwrap_or_else(PoisonError::into_inner).push(head);
        }
        signature
    }

    fn sign_note(&self, note: &str) -> Signature {
        self.key.sign_note(note)
    }
}

/// A witness key that may sign something else than it is given.
struct Witness {
    key: KeyPair,
    signs_else: bool,
}

impl Signer for Witness {
    fn public(&self) -> PublicKey {
        self.key.public()
    }

    fn sign(&self, tag: Tag, message: &[u8]) -> Signature {
        self.key.sign(tag, message)
    }

    fn sign_note(&self, note: &str) -> Signature {
        self.key.sign_note(if self.signs_else { "something else\n" } else { note })
    }
}

/// What handling one input led to.
#[derive(Debug)]
pub struct Handled {
    /// The effects, in order.
    pub effects: Vec<Effect>,
    /// The heads signed meanwhile.
    pub signed: Vec<SignedHead>,
}

/// One node.
#[derive(Debug)]
pub struct Node {
    /// Which organisation it acts for.
    pub org: usize,
    /// Its disk.
    pub disk: Disk,
    /// Its clock.
    pub clock: NodeClock,
    /// Whom its shell lets in.
    pub admitted: BTreeSet<NodeKey>,
    /// Counts its starts: what was due for an earlier one is void.
    pub start: u64,
    /// A marker of the shell: a restore is not done until the node's own feed is back, on disk.
    pub standing: Standing,
    /// Batches are flushed and confirmed in groups.
    pub is_grouping: bool,
    /// Its key panics instead of signing.
    pub panics: bool,
    /// Its witness key signs something else.
    pub signs_else: bool,
    organisation: Organisation,
    engine: Option<Engine>,
    entropy: Rng,
    signed: Signed,
}

impl Node {
    /// A node that is off, with an empty disk.
    #[must_use]
    pub fn new(org: usize, organisation: Organisation, entropy: Rng) -> Self {
        Self {
            org,
            disk: Disk::default(),
            clock: NodeClock::default(),
            admitted: BTreeSet::new(),
            start: 0,
            standing: Standing::Sure,
            is_grouping: false,
            panics: false,
            signs_else: false,
            organisation,
            engine: None,
            entropy,
            signed: Signed::default(),
        }
    }

    /// Its organisation, with its keys.
    #[must_use]
    pub const fn organisation(&self) -> &Organisation {
        &self.organisation
    }

    /// Gives it the keys, card and openings with which it starts next.
    pub fn take_over(&mut self, organisation: Organisation) {
        self.organisation = organisation;
    }

    /// Whether it runs.
    #[must_use]
    pub const fn is_on(&self) -> bool {
        self.engine.is_some()
    }

    /// Opens the engine over what is flushed. Gives whom to let in.
    ///
    /// # Errors
    /// [`Damaged`], which no disk of a simulation should be.
    pub fn start(&mut self) -> Result<Vec<Effect>, Damaged> {
        let identity = Identity {
            org: self.organisation.org,
            signer: Box::new(Recorder {
                key: self.organisation.feed_key.clone(),
                signed: Arc::clone(&self.signed),
                panics: self.panics,
            }),
            witness: Box::new(Witness {
                key: self.organisation.witness_key.clone(),
                signs_else: self.signs_else,
            }),
            card: self.organisation.card.clone(),
            openings: self.organisation.openings.clone(),
        };
        let engine = Engine::open(identity, self.standing, &self.disk)?;
        let admissions = engine.admissions();
        self.engine = Some(engine);
        self.start += 1;
        Ok(admissions)
    }

    /// Stops without a word.
    pub fn crash(&mut self) {
        self.engine = None;
        self.start += 1;
        self.admitted.clear();
        self.disk.crash();
    }

    /// Lets the engine handle an input; `None` when the node is off.
    ///
    /// # Errors
    /// What the engine said when it panicked.
    pub fn handle(&mut self, now: SimTime, input: Input) -> Result<Option<Handled>, String> {
        let Some(engine) = &mut self.engine else { return Ok(None) };
        let moment = Moment { now: self.clock.now(now), entropy: self.entropy.bytes32() };
        let disk = &self.disk;
        let effects = catch_unwind(AssertUnwindSafe(|| engine.handle(moment, input, disk)))
            .map_err(|panic| said(&*panic))?;
        let signed =
            std::mem::take(&mut *self.signed.lock().unwrap_or_else(PoisonError::into_inner));
        Ok(Some(Handled { effects, signed }))
    }

    /// Takes the marker of a restore away once the node's own feeds are back and on disk.
    pub fn note_restored(&mut self, views: &[BoardView]) {
        let is_done = views.iter().all(|view| !view.is_restoring) && self.disk.is_settled();
        if is_done && !views.is_empty() {
            self.standing = Standing::Sure;
        }
    }

    /// What the engine shows; nothing when the node is off.
    #[must_use]
    pub fn views(&self) -> Vec<BoardView> {
        self.engine.as_ref().map(|engine| engine.views(&self.disk)).unwrap_or_default()
    }
}

fn said(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "without words".to_string())
}
