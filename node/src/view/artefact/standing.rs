//! Why entries and changes do not count, in words.
//!
//! *Source*: ours; formats, section 5.

use concordat_protocol::replay::{Lack, Standing, Status};

/// Whether an entry counts, or why not.
#[must_use]
pub fn standing_in_words(standing: Standing) -> String {
    match standing {
        Standing::Counts => "it counts",
        Standing::Held => "held: its feed is forked, and this history is not settled",
        Standing::Void => "void: it lies beyond the end of its author's feed",
        Standing::Waiting(Lack::Charter) => "waiting: the charter that it names is not here",
        Standing::Waiting(Lack::Entry) => "waiting: an entry that it relies on is not here",
        Standing::Waiting(Lack::Payload) => "waiting: its content has not come",
        Standing::Withheld => "withheld: this organisation is not in the audience",
        Standing::Beyond => {
            "without effect: its feed says more about this artefact than may have effect"
        }
        Standing::NoPart => "without effect: its author is no active member",
        Standing::OutsideAudience => {
            "without effect: its author was not in the audience, as far as it knew"
        }
        Standing::MayNotBegin => {
            "without effect: by the charter whoever began it may not begin this kind of artefact"
        }
        Standing::MayNotEdit => {
            "without effect: by the charter its author may not edit this kind of artefact"
        }
    }
    .to_owned()
}

/// What became of a change.
#[must_use]
pub fn status_in_words(status: &Status) -> String {
    match status {
        Status::Applied => "applied".to_owned(),
        Status::Refused(rule) => format!("refused: {rule}"),
        Status::Entry(standing) => standing_in_words(*standing),
        Status::Shares { entry, .. } => {
            format!("it builds on a change in {entry} that is not applied")
        }
        Status::Unknown { entry } => format!("waiting: it may build on {entry}, which is not here"),
    }
}
