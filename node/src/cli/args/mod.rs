//! Every command and flag there is.
//!
//! *Invariants.* Nothing is done here. Help texts are what people read first: plain words.
//!
//! *Source*: ours.

pub(super) mod artefact;
pub(super) mod audit;
mod backup;
mod demo;
mod journal;
pub(super) mod record;

use std::path::PathBuf;

pub(super) use artefact::ArtefactCommand;
pub(super) use audit::AuditCommand;
pub(super) use backup::{Backup, BackupCommand, BackupVerify, Restore};
use clap::{Parser, Subcommand, builder::NonEmptyStringValueParser};
use concordat_protocol::identity::Code;
pub(super) use demo::Demo;
pub(super) use journal::{JournalCommand, JournalExport, JournalFormat, JournalList};
use libp2p::Multiaddr;
pub(super) use record::RecordCommand;

use crate::{http::Role, rotation::NamedEnd, store::EngineKind};

/// A node that each organisation of a partnership runs for itself.
#[derive(Debug, Parser)]
#[command(name = "concordat", version, max_term_width = 100)]
pub(super) struct Args {
    /// Directory of the node [default: $CONCORDAT_HOME, or ./concordat-home]
    #[arg(long, global = true, value_name = "DIR")]
    pub(super) home: Option<PathBuf>,
    /// The config file, if it is not concordat.toml in the node's directory
    #[arg(long, global = true, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// Print one JSON value instead of text
    #[arg(long, global = true)]
    pub(super) json: bool,
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make a node: its keys, its organisation's record, its config file
    Init(Init),
    /// Show, hand out and add cards: who an organisation is, and where its node is
    #[command(subcommand)]
    Card(CardCommand),
    /// Show this node's keys, and give it new ones
    #[command(subcommand, visible_alias = "key")]
    Keys(KeysCommand),
    /// Draft, accept, found, join and show boards
    #[command(subcommand)]
    Board(BoardCommand),
    /// Make, list and revoke tokens for the API
    #[command(subcommand)]
    Token(TokenCommand),
    /// Run the node until it is told to stop
    Serve(Serve),
    /// How the node is, whom it meets, and how far its boards have come
    Status,
    /// Look for whatever keeps the node from working, dial every partner, and say what to do
    Doctor,
    /// Write a note to a board
    Note(Note),
    /// Show the entries of a board
    Log(Log),
    /// Begin, edit, show and prove what a board shares
    #[command(subcommand)]
    Artefact(ArtefactCommand),
    /// Write an event about an artefact: what one organisation alone may write
    Event(artefact::Event),
    /// What a person must see: values that were written at once, claims beyond what is offered, and the
    /// like, and who may settle them
    Conflicts(artefact::Conflicts),
    /// Fix the text of an artefact and put it to a decision
    Propose(artefact::Propose),
    /// Answer what was put to a decision
    Sign(artefact::Sign),
    /// Keep private records, which never leave this node, and promote what may
    #[command(subcommand)]
    Record(RecordCommand),
    /// Write all that an auditor needs of a board to one file
    Export(Export),
    /// Check the config file, and show every setting with its value
    #[command(subcommand)]
    Config(ConfigCommand),
    /// What a code means that stands in square brackets at the end of a message, and what to do
    Explain(Explain),
    /// Write what a shell needs to complete commands, to the standard output
    Completions(Completions),
    /// Write the whole node to one file, while it runs or not, and check such files
    Backup(Backup),
    /// Make a node of a backup, in a new directory named by --home
    Restore(Restore),
    /// What this node received, accepted, refused and sent, and what was done to it
    #[command(subcommand)]
    Journal(JournalCommand),
    /// Check this node's store, and move it to another storage engine; the daemon must be stopped
    #[command(subcommand)]
    Store(StoreCommand),
    /// Check what others have exported; needs no node
    #[command(subcommand)]
    Audit(AuditCommand),
    /// A whole partnership on this machine that shows what all of this is for; everything in it is illustrative
    Demo(Demo),
}

#[derive(Debug, clap::Args)]
pub(super) struct Explain {
    /// The code, as it stands in the message, the journal or the log
    #[arg(value_name = "CODE")]
    pub(super) code: String,
}

#[derive(Debug, clap::Args)]
pub(super) struct Init {
    /// The organisation's legal name
    #[arg(long, value_parser = NonEmptyStringValueParser::new())]
    pub(super) name: String,
    /// What kind of organisation it is, for example council
    #[arg(long, value_parser = NonEmptyStringValueParser::new())]
    pub(super) class: String,
    /// A code that others gave it, for example ods:00X; may be repeated
    #[arg(long = "code", value_name = "SCHEME:CODE", value_parser = code)]
    pub(super) codes: Vec<Code>,
    /// Where to write the recovery key: a file outside the node's directory, to be locked away
    #[arg(long, value_name = "FILE")]
    pub(super) recovery_out: PathBuf,
    /// Where partners may connect; may be repeated [default: TCP and QUIC at port 4001]
    #[arg(long, value_name = "ADDRESS")]
    pub(super) listen: Vec<Multiaddr>,
    /// An address by which partners reach the node; may be repeated [default: none, it dials out]
    #[arg(long, value_name = "ADDRESS")]
    pub(super) announce: Vec<Multiaddr>,
}

fn code(text: &str) -> Result<Code, String> {
    match text.split_once(':') {
        Some((scheme, code)) if !scheme.is_empty() && !code.is_empty() => {
            Ok(Code(scheme.to_owned(), code.to_owned()))
        }
        _ => Err("a code is written as scheme:code, for example ods:00X".to_owned()),
    }
}

#[derive(Debug, Subcommand)]
pub(super) enum CardCommand {
    /// Write this organisation's card, to hand it to partners
    Export(CardExport),
    /// Show what a card file says, and check it
    Show(CardShow),
    /// Know a partner's node by its card
    Add(CardAdd),
}

#[derive(Debug, clap::Args)]
pub(super) struct CardExport {
    /// Write to this file [default: print it]
    #[arg(long, value_name = "FILE")]
    pub(super) out: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(super) struct CardShow {
    /// The card file
    pub(super) file: PathBuf,
}

#[derive(Debug, clap::Args)]
pub(super) struct CardAdd {
    /// The card file
    pub(super) file: PathBuf,
    /// The organisation has told you by another way that it has new keys
    #[arg(long)]
    pub(super) accept_new_key: bool,
}

#[derive(Debug, Subcommand)]
pub(super) enum KeysCommand {
    /// Show which keys the newest card names, and whether their files are there
    Show,
    /// Replace the feed key, which is known and which nobody else has; the daemon must be stopped
    Rotate(KeysRotate),
    /// Replace a feed key that is lost or stolen, with the recovery key; the daemon must be stopped
    Recover(KeysRecover),
    /// Keep the keys encrypted: the node then needs a passphrase to start; the daemon must be stopped
    Lock(NewPassphrase),
    /// Keep the keys readable again, for whoever can read their files; the daemon must be stopped
    Unlock,
    /// Replace the passphrase of locked keys; the daemon must be stopped
    Passphrase(NewPassphrase),
}

#[derive(Debug, clap::Args)]
pub(super) struct NewPassphrase {
    /// A file that holds the new passphrase [default: it is asked for at the terminal]
    #[arg(long, value_name = "FILE")]
    pub(super) new_passphrase_file: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(super) struct KeysRotate {
    /// Replace the node key too: then every partner must add the new card before it lets the node in
    #[arg(long)]
    pub(super) node_key: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct KeysRecover {
    /// The file that `concordat init --recovery-out` wrote
    #[arg(long, value_name = "FILE")]
    pub(super) recovery_key: PathBuf,
    /// Replace the node key too: needed if it is lost or stolen with the feed key
    #[arg(long)]
    pub(super) node_key: bool,
    /// Where a thief wrote on in this organisation's name: the last entry that it wrote itself on a
    /// board, which is named by the beginning of its id. Entries after it have no effect, but for
    /// those that were settled already. May be repeated [default: the last entry that is held here]
    #[arg(long = "end", value_name = "BOARD=SEQ", value_parser = named_end)]
    pub(super) ends: Vec<NamedEnd>,
    /// Go on although the store may be an older copy: what it does not hold is cut off
    #[arg(long)]
    pub(super) older_store: bool,
}

fn named_end(text: &str) -> Result<NamedEnd, String> {
    let parsed = text.split_once('=').and_then(|(board, seq)| {
        let board = Some(board.to_owned()).filter(|board| !board.is_empty())?;
        Some(NamedEnd { board, seq: seq.parse().ok()? })
    });
    parsed.ok_or_else(|| "an end is written as BOARD=SEQ, for example board-1f3a=120".to_owned())
}

#[derive(Debug, Subcommand)]
pub(super) enum BoardCommand {
    /// Make a draft charter of a TOML file that lists members and rules
    Draft(BoardDraft),
    /// Show a draft charter in words, and accept it with this organisation's keys
    Accept(BoardAccept),
    /// Found a board of a draft and everybody's acceptance, and join it
    Found(BoardFound),
    /// Join a board that was founded
    Join(BoardJoin),
    /// The boards that this node takes part in
    List,
    /// Show a board's charter in words
    Show(BoardShow),
}

#[derive(Debug, clap::Args)]
pub(super) struct BoardDraft {
    /// The TOML file
    pub(super) file: PathBuf,
    /// Where to write the draft
    #[arg(long, value_name = "FILE")]
    pub(super) out: PathBuf,
}

#[derive(Debug, clap::Args)]
pub(super) struct BoardAccept {
    /// The draft file
    pub(super) draft: PathBuf,
    /// Where to write the acceptance
    #[arg(long, value_name = "FILE")]
    pub(super) out: PathBuf,
}

#[derive(Debug, clap::Args)]
pub(super) struct BoardFound {
    /// The draft file
    pub(super) draft: PathBuf,
    /// One acceptance file of each member
    pub(super) acceptances: Vec<PathBuf>,
    /// Where to write the board file, for the others to join
    #[arg(long, value_name = "FILE")]
    pub(super) out: PathBuf,
}

#[derive(Debug, clap::Args)]
pub(super) struct BoardJoin {
    /// The board file
    pub(super) file: PathBuf,
}

#[derive(Debug, clap::Args)]
pub(super) struct BoardShow {
    /// The beginning of the board's id; not needed if there is only one
    pub(super) board: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(super) enum TokenCommand {
    /// Make a token, and show it this once
    New(TokenNew),
    /// All tokens there ever were, without their secrets
    List,
    /// Revoke a token; it is refused from the next request on
    Revoke(TokenRevoke),
}

#[derive(Debug, clap::Args)]
pub(super) struct TokenNew {
    /// What it is for: viewer, editor, signatory, auditor or node_admin
    #[arg(long, value_parser = role)]
    pub(super) role: Role,
    /// Who uses it and for what, for your own records
    #[arg(long)]
    pub(super) name: String,
}

#[derive(Debug, clap::Args)]
pub(super) struct TokenRevoke {
    /// The beginning of the token's id
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    pub(super) id: String,
}

fn role(text: &str) -> Result<Role, String> {
    Role::ALL.into_iter().find(|role| role.name() == text).ok_or_else(|| {
        let names = Role::ALL.map(Role::name).join(", ");
        format!("a role is one of {names}")
    })
}

#[derive(Debug, clap::Args)]
pub(super) struct Serve {
    /// The store was put back from a backup: ask partners how far it had come before signing
    #[arg(long)]
    pub(super) restored: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct Note {
    /// The beginning of the board's id; not needed if there is only one
    #[arg(long)]
    pub(super) board: Option<String>,
    /// Write each line of the standard input as a note of its own
    #[arg(long, conflicts_with = "text")]
    pub(super) stdin_lines: bool,
    /// The text [default: the standard input]
    pub(super) text: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(super) struct Log {
    /// The beginning of the board's id; not needed if there is only one
    #[arg(long)]
    pub(super) board: Option<String>,
    /// Of one member alone, by its short name
    #[arg(long, value_name = "MEMBER")]
    pub(super) feed: Option<String>,
    /// From this place in the member's feed on [default: the last entries]
    #[arg(long, value_name = "SEQ", requires = "feed")]
    pub(super) from: Option<u64>,
    /// At most so many entries
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub(super) limit: usize,
}

#[derive(Debug, clap::Args)]
pub(super) struct Export {
    /// The beginning of the board's id; not needed if there is only one
    #[arg(long)]
    pub(super) board: Option<String>,
    /// Where to write the bundle
    #[arg(long, value_name = "FILE", default_value = "board.bundle", conflicts_with = "dir")]
    pub(super) out: PathBuf,
    /// Make this directory, and write the bundle into it with a page that says how to check it by hand
    #[arg(long, value_name = "DIR")]
    pub(super) dir: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(super) enum ConfigCommand {
    /// Check the file: every mistake in it is told at once
    Check,
    /// Show every setting there is, with its value in this file or by default
    Show,
}

#[derive(Debug, clap::Args)]
pub(super) struct Completions {
    /// Which shell: bash, elvish, fish, powershell or zsh
    pub(super) shell: clap_complete::Shell,
}

#[derive(Debug, Subcommand)]
pub(super) enum StoreCommand {
    /// Read every row, and compare it with its checksum and with what was counted; exit code 0: sound,
    /// 1: sound, and perhaps an older copy, 2: damaged
    Check,
    /// Copy every row to another storage engine, compare, and keep the old store aside
    Migrate(StoreMigrate),
    /// Put a new store in the place of a damaged one, which is kept; the daemon then fetches from partners
    SetAside,
}

#[derive(Debug, clap::Args)]
pub(super) struct StoreMigrate {
    /// The storage engine: sled or redb
    #[arg(long, value_name = "ENGINE", value_parser = engine_on_disk)]
    pub(super) to: EngineKind,
}

fn engine_on_disk(name: &str) -> Result<EngineKind, String> {
    let kind = name.parse().ok().filter(|kind| *kind != EngineKind::Memory);
    kind.ok_or_else(|| "a store moves to sled or to redb".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_commands_do_not_contradict_each_other() {
        Args::command().debug_assert();
    }

    #[test]
    fn an_end_is_board_and_seq() {
        let end = NamedEnd { board: "board-1f".into(), seq: 12 };
        assert_eq!(named_end("board-1f=12"), Ok(end));
        for wrong in ["board-1f", "=12", "board-1f=", "board-1f=-1"] {
            assert!(named_end(wrong).unwrap_err().contains("BOARD=SEQ"), "{wrong}");
        }
    }

    #[test]
    fn a_code_is_scheme_and_code() {
        assert_eq!(code("ods:00X"), Ok(Code("ods".into(), "00X".into())));
        assert_eq!(code("url:a:b"), Ok(Code("url".into(), "a:b".into())));
        for wrong in ["ods", ":00X", "ods:"] {
            assert!(code(wrong).unwrap_err().contains("scheme:code"), "{wrong}");
        }
    }
}
