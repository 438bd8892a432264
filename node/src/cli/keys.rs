//! `keys show`, `keys rotate`, `keys recover`, `keys lock`, `keys unlock`, `keys passphrase`.
//!
//! *Source*: ours.

use serde::Serialize;

use super::{
    args::{KeysRecover, KeysRotate, NewPassphrase},
    context::Context,
    error::CliError,
    out::Out,
};
use crate::{
    control::Server,
    daemon::DaemonError,
    journal::Event,
    keys::{KeyDirectory, KeyError, Passphrase, Seed},
    net::NodeKey,
    organisation::own_paper,
    paper::{CardPaper, key_in_words},
    rotation::{self, Recovery, TakenBoard, TakenOver},
};
use concordat_protocol::identity::PublicKey;

/// The keys that the newest card names, and their files.
#[derive(Serialize)]
struct Shown {
    org: String,
    name: String,
    epoch: u64,
    feed_key: String,
    witness_key: String,
    node: String,
    is_locked: bool,
    files: Vec<KeyFile>,
}

#[derive(Serialize)]
struct KeyFile {
    key: &'static str,
    path: String,
    /// Why it cannot be used; nothing if it can.
    fault: Option<String>,
}

pub(super) fn show(context: &Context, out: &Out) -> Result<(), CliError> {
    let (_, home) = context.config()?;
    let paper = own_paper(&home)?;
    let card = paper.card().card();
    let keys = KeyDirectory::open(home.directory())?;
    let shown = Shown {
        org: card.org.to_string(),
        name: paper.inception().legal_name.clone(),
        epoch: card.epoch,
        feed_key: key_in_words(&card.feed_key),
        witness_key: key_in_words(&card.witness_key),
        node: node_name(&paper),
        is_locked: keys.is_locked(),
        files: files(&keys, &paper)?,
    };
    let mut words = vec![
        shown.name.clone(),
        format!("  {}", shown.org),
        format!("  epoch       {}", shown.epoch),
        format!("  feed key    {}", shown.feed_key),
        format!("  witness key {}", shown.witness_key),
        format!("  node        {}", shown.node),
        format!("  locked      {}", if shown.is_locked { "with a passphrase" } else { "no" }),
    ];
    words.extend(shown.files.iter().map(|file| match &file.fault {
        None => format!("  {} key in {}", file.key, file.path),
        Some(fault) => format!("  {} key cannot be used: {fault}", file.key),
    }));
    out.show(&shown, &words)
}

fn files(keys: &KeyDirectory, paper: &CardPaper) -> Result<Vec<KeyFile>, KeyError> {
    let card = paper.card().card();
    let node = PublicKey::ed25519(*card.node_key.as_bytes());
    let file = |key, path: std::path::PathBuf, read: Result<Seed, KeyError>, named: &PublicKey| {
        let path = path.display().to_string();
        let fault = match read {
            Err(error) => Some(error.to_string()),
            Ok(seed) if PublicKey::ed25519(seed.to_public()) != *named => {
                Some(format!("{path} holds another key than the newest card names"))
            }
            Ok(_) => None,
        };
        KeyFile { key, path, fault }
    };
    let epoch = card.epoch;
    Ok(vec![
        file("feed", keys.feed_file(epoch), keys.feed(epoch), &card.feed_key),
        file("witness", keys.witness_file(), keys.witness(), &card.witness_key),
        file("node", keys.node_file(epoch)?, keys.node(epoch), &node),
    ])
}

/// What came of a new key.
#[derive(Serialize)]
struct Changed {
    org: String,
    name: String,
    epoch: u64,
    feed_key: String,
    node: String,
    has_new_node_key: bool,
    has_begun: bool,
    boards: Vec<ChangedBoard>,
    left_out: Vec<String>,
}

#[derive(Serialize)]
struct ChangedBoard {
    board: String,
    title: String,
    feed: String,
    epoch: u64,
    /// The last entry of the epoch before.
    end: u64,
}

pub(super) fn rotate(context: &Context, args: &KeysRotate, out: &Out) -> Result<(), CliError> {
    let (config, home) = context.config()?;
    let taken = rotation::rotate(&home, &config, args.node_key);
    let taken = context.refused("keys-rotate", taken)?;
    tell(&taken, args.node_key, out)
}

pub(super) fn recover(context: &Context, args: KeysRecover, out: &Out) -> Result<(), CliError> {
    let KeysRecover { recovery_key, node_key, ends, older_store } = args;
    let recovery = Recovery { key: recovery_key, ends, accepts_older_store: older_store };
    let (config, home) = context.config()?;
    let taken = rotation::recover(&home, &config, &recovery, node_key);
    let taken = context.refused("keys-recover", taken)?;
    tell(&taken, node_key, out)
}

/// Whether the keys need a passphrase now.
#[derive(Serialize)]
struct LockState {
    is_locked: bool,
}

pub(super) fn lock(context: &Context, new: &NewPassphrase, out: &Out) -> Result<(), CliError> {
    let lock = || -> Result<(), CliError> {
        let keys = at_rest(context)?;
        Ok(keys.lock(&Passphrase::choose(new.new_passphrase_file.as_deref())?)?)
    };
    context.refused("keys-lock", lock())?;
    context.record(Event::KeysLocked {})?;
    let words = [
        "the keys are locked: the node starts only with the passphrase",
        "what was in the files before may still be found on the disk; `concordat keys rotate` makes \
         keys that were never there",
    ];
    out.show(&LockState { is_locked: true }, &words.map(str::to_owned))
}

pub(super) fn unlock(context: &Context, out: &Out) -> Result<(), CliError> {
    let unlock = || -> Result<(), CliError> { Ok(at_rest(context)?.unlock()?) };
    context.refused("keys-unlock", unlock())?;
    context.record(Event::KeysUnlocked {})?;
    let words = ["the keys are not locked any more: whoever reads their files has them"];
    out.show(&LockState { is_locked: false }, &words.map(str::to_owned))
}

pub(super) fn change_passphrase(
    context: &Context,
    new: &NewPassphrase,
    out: &Out,
) -> Result<(), CliError> {
    let change = || -> Result<(), CliError> {
        let keys = at_rest(context)?;
        Ok(keys.change_passphrase(&Passphrase::choose(new.new_passphrase_file.as_deref())?)?)
    };
    context.refused("keys-passphrase", change())?;
    context.record(Event::PassphraseChanged {})?;
    let words =
        ["the keys are locked with the new passphrase; an older backup still has the old one"];
    out.show(&LockState { is_locked: true }, &words.map(str::to_owned))
}

/// The keys while no daemon runs: one that does looks at their files, and has no way to ask for a new
/// passphrase.
fn at_rest(context: &Context) -> Result<KeyDirectory, CliError> {
    let (_, home) = context.config()?;
    Server::expect_free(&home.socket()).map_err(DaemonError::from)?;
    Ok(KeyDirectory::open(home.directory())?)
}

fn tell(taken: &TakenOver, has_new_node_key: bool, out: &Out) -> Result<(), CliError> {
    let card = taken.paper.card().card();
    let changed = Changed {
        org: card.org.to_string(),
        name: taken.paper.inception().legal_name.clone(),
        epoch: card.epoch,
        feed_key: key_in_words(&card.feed_key),
        node: node_name(&taken.paper),
        has_new_node_key,
        has_begun: taken.has_begun,
        boards: taken.boards.iter().map(ChangedBoard::of).collect(),
        left_out: taken.left_out.clone(),
    };
    out.show(&changed, &changed.words())
}

impl ChangedBoard {
    fn of(board: &TakenBoard) -> Self {
        Self {
            board: board.descriptor.board.to_string(),
            title: board.title.clone(),
            feed: board.descriptor.feed_id().to_string(),
            epoch: board.descriptor.epoch,
            end: board.end.0,
        }
    }
}

impl Changed {
    fn words(&self) -> Vec<String> {
        let mut words = vec![
            format!("{} has a new feed key, in epoch {}", self.name, self.epoch),
            format!("  feed key    {}", self.feed_key),
            format!("  node        {}", self.node),
        ];
        words.extend(self.boards.iter().map(|board| {
            let before = board.epoch.saturating_sub(1);
            let ChangedBoard { title, epoch, end, .. } = board;
            format!("  {title:?}: epoch {before} ends with entry {end}, epoch {epoch} goes on")
        }));
        words.extend(self.left_out.iter().map(|title| {
            format!(
                "  {title:?}: nothing was signed there, so there is nothing to go on from; the \
                 board has to be founded again"
            )
        }));
        if !self.has_begun {
            words.push(
                "the daemon signs the first entries once partners have told how far the old feed \
                 had come"
                    .to_owned(),
            );
        }
        words.push(if self.has_new_node_key {
            "hand the new card (`concordat card export`) to one partner at least: it lets the node in \
             after `concordat card add --accept-new-key`, and the others learn the card through it"
                .to_owned()
        } else {
            "start the daemon: partners learn the new key from its signed entries".to_owned()
        });
        words
    }
}

fn node_name(paper: &CardPaper) -> String {
    let node = NodeKey::from_bytes(*paper.card().card().node_key.as_bytes());
    node.map(|key| key.to_string()).unwrap_or_default()
}
