//! Every command about artefacts: those of `artefact`, and those beside it that people need every day.
//!
//! *Source*: ours.

use clap::Subcommand;

use crate::control::Pair;

/// Which artefact: the beginning of its id, or its kind if there is only one of it.
type Which = String;

#[derive(Debug, Subcommand)]
pub(crate) enum ArtefactCommand {
    /// Begin an artefact on a board
    Open(Open),
    /// The artefacts of a board, the one begun last first
    List(List),
    /// What an artefact says and what state it is in, now or as it was
    Show(Show),
    /// What one organisation alone may write about a kind of artefact
    Events(Events),
    /// Give fields their values; a text becomes the text given
    Set(Set),
    /// Choose one of several values that were written at once
    Choose(Choose),
    /// Take text out and put text in, at a position
    Text(Text),
    /// Add an item to a list, or elements to a set
    Add(Add),
    /// Remove an item of a list, or elements of a set
    Remove(Remove),
    /// Bring an item back that was removed
    Restore(At),
    /// Move an item of a list
    Move(Move),
    /// Comment, or state a position
    Remark(Remark),
    /// Let more members in
    Widen(Widen),
    /// Settle a conflict
    Settle(Settle),
    /// Close the vote, with every answer that has come
    Close(Proposal),
    /// Prove how it was decided: on which words, by whom, by which rule, when; of mutual aid, who is
    /// bound to give how much to whom
    Prove(Proposal),
    /// Everything that was written about it: what, by whom, in which capacity, known to whom when
    History(One),
    /// Open a document again that is suspended on this node
    Retry(One),
}

#[derive(Debug, clap::Args)]
pub(crate) struct One {
    /// The artefact: the beginning of its id, or its kind if there is only one of it
    pub(crate) artefact: Which,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Conflicts {
    /// The artefact: the beginning of its id, or its kind if there is only one of it [default: every
    /// artefact that has a conflict which nobody has settled]
    pub(crate) artefact: Option<Which>,
    /// Of one board alone: the beginning of its id
    #[arg(long, conflicts_with = "artefact")]
    pub(crate) board: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Open {
    /// What kind: decision, standard or mutual_aid
    pub(crate) kind: String,
    /// The beginning of the board's id; not needed if there is only one
    #[arg(long)]
    pub(crate) board: Option<String>,
    /// Its title
    #[arg(long)]
    pub(crate) title: Option<String>,
    /// A member that receives its content, beside this one; may be repeated [default: all]
    #[arg(long, value_name = "MEMBER")]
    pub(crate) audience: Vec<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct List {
    /// The beginning of the board's id; not needed if there is only one
    pub(crate) board: Option<String>,
    /// Those after this one: the last that was shown
    #[arg(long, value_name = "ARTEFACT")]
    pub(crate) after: Option<Which>,
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub(crate) limit: usize,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Events {
    /// The kind, for example mutual_aid
    pub(crate) kind: String,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Show {
    /// The artefact: the beginning of its id, or its kind if there is only one of it
    pub(crate) artefact: Which,
    /// As the author of this entry knew it
    #[arg(long, value_name = "ENTRY", conflicts_with_all = ["by", "known_to"])]
    pub(crate) at: Option<String>,
    /// What was written by this day, as 2017-12-04, or moment, as 2017-12-04T12:00Z, as its authors claim
    #[arg(long, value_name = "TIME", conflicts_with = "known_to")]
    pub(crate) by: Option<String>,
    /// What this member had acknowledged or written
    #[arg(long, value_name = "MEMBER")]
    pub(crate) known_to: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Set {
    /// The artefact: the beginning of its id, or its kind if there is only one of it
    pub(crate) artefact: Which,
    /// Field and value, for example finance/total_pence=£3,000,000; nothing after = takes it away
    #[arg(required = true, value_name = "FIELD=VALUE", value_parser = pair)]
    pub(crate) values: Vec<Pair>,
    /// In which role [default: the one that is needed]
    #[arg(long = "as", value_name = "ROLE")]
    pub(crate) role: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Choose {
    /// The artefact: the beginning of its id, or its kind if there is only one of it
    pub(crate) artefact: Which,
    /// The field
    pub(crate) field: String,
    /// The value
    pub(crate) value: String,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Text {
    /// The artefact: the beginning of its id, or its kind if there is only one of it
    pub(crate) artefact: Which,
    /// The field
    pub(crate) field: String,
    /// Where, in UTF-16 code units [default: at the end]
    #[arg(long, value_name = "POSITION")]
    pub(crate) at: Option<u64>,
    /// How much goes
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) delete: u64,
    /// What comes
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub(crate) insert: String,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Add {
    /// The artefact: the beginning of its id, or its kind if there is only one of it
    pub(crate) artefact: Which,
    /// The list or the set
    pub(crate) field: String,
    /// For a list the fields of the item, as name=value; for a set its elements
    pub(crate) values: Vec<String>,
    /// After which item: its place, or the beginning of its id [default: last]
    #[arg(long, value_name = "ITEM")]
    pub(crate) after: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Remove {
    /// The artefact: the beginning of its id, or its kind if there is only one of it
    pub(crate) artefact: Which,
    /// The item, as finance/split/2, or the set
    pub(crate) field: String,
    /// The elements of the set
    pub(crate) values: Vec<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct At {
    /// The artefact: the beginning of its id, or its kind if there is only one of it
    pub(crate) artefact: Which,
    /// The item, as finance/split/2 or by the beginning of its id
    pub(crate) item: String,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Move {
    #[command(flatten)]
    pub(crate) at: At,
    /// After which item [default: first]
    #[arg(long, value_name = "ITEM")]
    pub(crate) after: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Event {
    /// The artefact: the beginning of its id, or its kind if there is only one of it
    pub(crate) artefact: Which,
    /// Which event; `concordat artefact events KIND` lists them
    pub(crate) name: String,
    /// Its values
    #[arg(value_name = "NAME=VALUE", value_parser = pair)]
    pub(crate) values: Vec<Pair>,
    /// In which role [default: the one that is needed]
    #[arg(long = "as", value_name = "ROLE")]
    pub(crate) role: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Remark {
    /// The artefact: the beginning of its id, or its kind if there is only one of it
    pub(crate) artefact: Which,
    /// comment or position
    pub(crate) name: String,
    /// Its values: text, and what else it takes
    #[arg(value_name = "NAME=VALUE", value_parser = pair)]
    pub(crate) values: Vec<Pair>,
    /// Let in whom it names: they receive all of the artefact
    #[arg(long)]
    pub(crate) widen: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Widen {
    /// The artefact: the beginning of its id, or its kind if there is only one of it
    pub(crate) artefact: Which,
    /// The members
    #[arg(required = true, value_name = "MEMBER")]
    pub(crate) members: Vec<String>,
    /// Why: mentioned, takes-part, successor or named
    #[arg(long, default_value = "takes-part")]
    pub(crate) reason: String,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Settle {
    /// The artefact: the beginning of its id, or its kind if there is only one of it
    pub(crate) artefact: Which,
    /// C1 to C10
    pub(crate) code: String,
    /// What it is about, as it is shown
    pub(crate) about: String,
    /// What holds: for C1 one of the values, for C3 keep or remove, else a sentence
    #[arg(long, value_name = "WHAT")]
    pub(crate) chosen: String,
    /// Why
    #[arg(long)]
    pub(crate) reason: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Propose {
    /// The artefact: the beginning of its id, or its kind if there is only one of it
    pub(crate) artefact: Which,
    /// Which of the charter's rules decides; not needed if there is only one
    #[arg(long)]
    pub(crate) rule: Option<String>,
    /// Who may close the vote [default: the first of the charter's closers]
    #[arg(long, value_name = "MEMBER")]
    pub(crate) closer: Option<String>,
    /// By which day it should be closed [default: in 14 days]
    #[arg(long, value_name = "DAY")]
    pub(crate) closes_on: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Sign {
    /// The artefact: the beginning of its id, or its kind if there is only one of it
    pub(crate) artefact: Which,
    /// For it
    #[arg(long, group = "answer")]
    pub(crate) approve: bool,
    /// Against it
    #[arg(long, group = "answer")]
    pub(crate) reject: bool,
    /// Neither
    #[arg(long, group = "answer")]
    pub(crate) abstain: bool,
    /// Takes no part, because of an interest
    #[arg(long, group = "answer")]
    pub(crate) recuse: bool,
    /// Which proposal [default: the last]
    #[arg(long, value_name = "ENTRY")]
    pub(crate) proposal: Option<String>,
    /// In which role [default: the one that is needed]
    #[arg(long = "as", value_name = "ROLE")]
    pub(crate) role: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Proposal {
    /// The artefact: the beginning of its id, or its kind if there is only one of it
    pub(crate) artefact: Which,
    /// Which proposal [default: the last]
    #[arg(long, value_name = "ENTRY")]
    pub(crate) proposal: Option<String>,
}

/// Reads a name and a value.
pub(crate) fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("a value is written as name=value, for example title=\"Winter fund\"".to_owned()),
    }
}
