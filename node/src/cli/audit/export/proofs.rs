//! What a decision rests on, entry by entry: the proof of each under a checkpoint of its feed.
//!
//! | entry | file |
//! |---|---|
//! | the proposal | `proofs/proposal.tlog-proof` |
//! | the sign-off of a member that counts | `proofs/sign-off-SLUG.tlog-proof` |
//! | the closing, if the result rests on one | `proofs/closing.tlog-proof` |
//! | – | `policies/SLUG.txt` for each of their authors, `SLUG.EPOCH.txt` after a change of key |
//!
//! Nodes write checkpoints of their own accord, and old ones wrote none: then there is no file, and why is said.
//!
//! *Invariant.* Short names have no dots, so no two feeds have one file.
//!
//! *Source*: ours; C2SP tlog-proof and tlog-policy.

use std::collections::BTreeMap;

use concordat_protocol::{
    audit::{Logged, Unlogged},
    decision::{Deed, Proof},
    hash::EntryId,
};
use serde::Serialize;

use crate::cli::{audit::opened::Opened, out::Out};

/// One entry that the decision rests on.
struct Log {
    /// What it is, as file names have it.
    what: String,
    entry: String,
    logged: Result<Logged, String>,
}

/// All of them.
pub(super) struct Logs {
    logs: Vec<Log>,
    /// Policies by the names of their files.
    policies: BTreeMap<String, String>,
}

/// One of them, as it is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct LogLine {
    /// `proposal`, `sign-off-SLUG` or `closing`.
    pub(super) what: String,
    pub(super) entry: String,
    /// The file with its proof, if there is a checkpoint that covers it.
    pub(super) proof: Option<String>,
    /// How many entries the checkpoint covers.
    pub(super) checkpoint_size: Option<u64>,
    /// How many of the others with a vote cosigned the checkpoint.
    pub(super) cosigned: usize,
    /// How many it takes, by the policy.
    pub(super) needed: usize,
    pub(super) is_enough: bool,
    /// Why there is no proof.
    pub(super) why_not: Option<String>,
}

impl Logs {
    /// What this proof rests on.
    pub(super) fn of(opened: &Opened, proof: &Proof, out: &Out) -> Self {
        let votes = proof.seats.iter().filter_map(|seat| {
            let signed = seat.signed.as_ref()?;
            Some((format!("sign-off-{}", seat.org), signed))
        });
        let closing = proof.closed.iter().map(|closed| ("closing".to_owned(), closed));
        let all =
            [("proposal".to_owned(), &proof.proposed)].into_iter().chain(votes).chain(closing);
        let all: Vec<(String, &Deed)> = all.collect();
        let bar = out.progress(all.len() as u64, "entries proven");
        let mut policies = BTreeMap::new();
        let log = |(what, deed)| {
            bar.inc(1);
            Log::of(opened, what, deed, &mut policies)
        };
        let logs = all.into_iter().map(log).collect();
        bar.finish_and_clear();
        Self { logs, policies }
    }

    /// The files.
    pub(super) fn files(&self) -> Vec<(String, Vec<u8>)> {
        let policies = self.policies.iter();
        let policies = policies.map(|(name, text)| (name.clone(), text.clone().into_bytes()));
        let proofs = self.logs.iter().filter_map(|log| {
            let logged = log.logged.as_ref().ok()?;
            Some((log.file(), logged.proof.to_bytes()))
        });
        policies.chain(proofs).collect()
    }

    pub(super) fn lines(&self) -> Vec<LogLine> {
        self.logs.iter().map(Log::line).collect()
    }
}

impl Log {
    fn of(
        opened: &Opened,
        what: String,
        deed: &Deed,
        policies: &mut BTreeMap<String, String>,
    ) -> Self {
        let entry = deed.entry.clone();
        let id: Option<EntryId> = entry.parse().ok();
        let Some((id, feed)) = id.and_then(|id| Some((id, opened.holdings.feed_of(&id)?))) else {
            return Self { what, entry, logged: Err(Unlogged::Unknown.to_string()) };
        };
        let held = opened.holdings.feeds().into_iter().find(|held| held.feed == feed);
        if let (Some(held), Some(policy)) = (held, opened.holdings.policy(&feed)) {
            let slug = opened.slug(&held.board, &held.org);
            let name = match held.epoch {
                0 => format!("policies/{slug}.txt"),
                epoch => format!("policies/{slug}.{epoch}.txt"),
            };
            policies.insert(name, policy.to_text());
        }
        let logged = opened.holdings.logged(&id).map_err(|why| why.to_string());
        Self { what, entry, logged }
    }

    fn file(&self) -> String {
        format!("proofs/{}.tlog-proof", self.what)
    }

    fn line(&self) -> LogLine {
        let logged = self.logged.as_ref().ok();
        LogLine {
            what: self.what.clone(),
            entry: self.entry.clone(),
            proof: logged.map(|_| self.file()),
            checkpoint_size: logged.map(|one| one.checkpoint.checkpoint().size),
            cosigned: logged.map_or(0, |one| one.policy.counts(&one.checkpoint)),
            needed: logged.map_or(0, |one| one.policy.threshold()),
            is_enough: logged.is_some_and(|one| one.policy.is_met_by(&one.checkpoint)),
            why_not: self.logged.as_ref().err().cloned(),
        }
    }
}

impl LogLine {
    pub(super) fn in_words(&self) -> String {
        let Self { what, cosigned, needed, .. } = self;
        match (&self.why_not, self.checkpoint_size) {
            (None, Some(size)) => {
                let enough = if self.is_enough { "enough" } else { "not enough" };
                format!(
                    "{what}: under a checkpoint of {size} entries that {cosigned} of the others cosigned, \
                     {enough} ({needed} are needed)"
                )
            }
            (why, _) => {
                let why = why.as_deref().unwrap_or("not known");
                format!("{what}: under no checkpoint: {why}")
            }
        }
    }
}
