//! A bundle that was read: what was found, names in it, and artefacts as they are seen from it.
//!
//! *Source*: ours.

use std::{collections::BTreeSet, path::Path};

use concordat_protocol::{
    audit::{Finding, HeldFeed, Holdings, Report, Severity},
    hash::{ArtefactId, BoardId, OrgId},
};
use serde::Serialize;

use super::{read, source::Source};
use crate::{
    artefact::{Documents, Sight, begins, which},
    cli::{
        error::CliError,
        out::{Out, count_in_words},
    },
    control::{AsOf, Refusal},
};

/// A bundle that was read.
pub(super) struct Opened {
    pub(super) report: Report,
    pub(super) holdings: Holdings,
    documents: Documents,
    file: String,
}

/// What a report rests on, so that two auditors can compare.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Input {
    pub(super) file: String,
    /// What the bundle itself was found to be.
    pub(super) bundle: String,
    /// What is proven or could not be checked in it, with feed and place.
    pub(super) findings: Vec<String>,
    pub(super) feeds: Vec<InputFeed>,
}

/// How far one feed goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct InputFeed {
    pub(super) slug: String,
    pub(super) epoch: u64,
    pub(super) entries: u64,
    /// The last of them.
    pub(super) last: Option<String>,
    pub(super) forked_at: Option<u64>,
}

impl Opened {
    /// Reads and checks a bundle.
    pub(super) fn read(path: &Path, out: &Out) -> Result<Self, CliError> {
        Self::of(&Source::of(path, out)?, path, out)
    }

    /// The same of one that somebody else has at hand; what is told of it is the name of `path`.
    pub(super) fn of(source: &Source, path: &Path, out: &Out) -> Result<Self, CliError> {
        let (report, holdings) = read::gather(source, out)?;
        let file = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        match holdings {
            Some(holdings) => Ok(Self { report, holdings, documents: Documents::unnoted(), file }),
            None => {
                let why = report.findings.first().map(ToString::to_string).unwrap_or_default();
                let message = format!("{file}: {why}; `concordat export` writes one");
                Err(Refusal::new("no-bundle", message).into())
            }
        }
    }

    /// The artefact that a person named.
    pub(super) fn artefact(&self, named: &str) -> Result<ArtefactId, Refusal> {
        let is_meant = |id: &ArtefactId| {
            begins(&id.to_string(), "artefact-", named)
                || self.holdings.kind_of(id).is_some_and(|kind| kind == named)
        };
        let meant: Vec<ArtefactId> = self.holdings.artefacts().filter(is_meant).collect();
        match meant.as_slice() {
            [one] => Ok(*one),
            [] => {
                let message = format!(
                    "no artefact of the bundle begins with {named:?} and none is the only one of that \
                     kind; `concordat audit replay {}` lists them",
                    self.file
                );
                Err(self.doubted(Refusal::new("unknown-artefact", message)))
            }
            several => Err(which("artefact", named, several.iter().map(ToString::to_string))),
        }
    }

    /// An artefact as it is or was; none if it was not begun by then, or its opening is not here.
    pub(super) fn sight(
        &self,
        artefact: &ArtefactId,
        as_of: &AsOf,
    ) -> Result<Option<Sight<'_>>, Refusal> {
        let Some(dossier) = self.holdings.dossier(artefact, true) else { return Ok(None) };
        let Some(charter) = self.holdings.charter(&dossier.board) else { return Ok(None) };
        let sight = Sight::of((&self.documents, charter), dossier, as_of)?;
        Ok(Some(sight).filter(|sight| !sight.dossier.entries.is_empty()))
    }

    /// The feeds that a person named by a member's short name, or by the feed's id; all, if none.
    pub(super) fn feeds_named(&self, named: Option<&str>) -> Result<Vec<HeldFeed>, Refusal> {
        let all = self.holdings.feeds();
        let Some(named) = named else { return Ok(all) };
        let slug = |feed: &HeldFeed| self.slug(&feed.board, &feed.org);
        let is_meant = |feed: &&HeldFeed| slug(feed) == named || feed.feed.to_string() == named;
        let meant: Vec<HeldFeed> = all.iter().filter(is_meant).copied().collect();
        if meant.is_empty() {
            let slugs: BTreeSet<String> = all.iter().map(slug).collect();
            let slugs: Vec<String> = slugs.into_iter().collect();
            let message = format!("no member is called {named:?}; there is {}", slugs.join(", "));
            return Err(self.doubted(Refusal::new("unknown-member", message)));
        }
        Ok(meant)
    }

    /// A refusal that tells beside it that not all of the file holds: what is missed may be what could not be read.
    pub(super) fn doubted(&self, refusal: Refusal) -> Refusal {
        if self.report.exit_status() == 0 {
            return refusal;
        }
        let message = format!("{}. {}", refusal.message, self.report.closing());
        Refusal { message: message.trim_end_matches('.').to_owned(), ..refusal }
    }

    /// The name by which a board knows an organisation.
    pub(super) fn slug(&self, board: &BoardId, org: &OrgId) -> String {
        let charter = self.holdings.charter(board);
        let member = charter.and_then(|charter| charter.member(org));
        member.map_or_else(|| org.to_string(), |member| member.slug.to_string())
    }

    /// What a report about it rests on.
    pub(super) fn input(&self) -> Input {
        let feeds = self.holdings.feeds().into_iter().map(|feed| InputFeed {
            slug: self.slug(&feed.board, &feed.org),
            epoch: feed.epoch,
            entries: feed.size,
            last: feed.last.map(|last| last.to_string()),
            forked_at: feed.fork,
        });
        let told = |finding: &&Finding| finding.severity() > Severity::Note;
        let findings = self.report.findings.iter().filter(told);
        Input {
            file: self.file.clone(),
            bundle: self.report.closing(),
            findings: findings
                .map(|finding| format!("{}: {finding}", finding.severity()))
                .collect(),
            feeds: feeds.collect(),
        }
    }
}

impl Input {
    /// What the bundle itself was found to be, in words.
    pub(super) fn verdict(&self) -> Vec<String> {
        self.findings.iter().chain([&self.bundle]).cloned().collect()
    }

    /// The same in words.
    pub(super) fn in_words(&self) -> Vec<String> {
        let mut lines = vec![format!("read from {}:", self.file)];
        lines.extend(self.feeds.iter().map(|feed| format!("  {}", feed.in_words())));
        lines
    }
}

impl InputFeed {
    pub(super) fn name(&self) -> String {
        feed_name(&self.slug, self.epoch)
    }

    fn in_words(&self) -> String {
        let entries = usize::try_from(self.entries).unwrap_or(usize::MAX);
        let entries = count_in_words(entries, "entry", "entries");
        let last = self.last.as_ref().map(|last| format!(", the last {last}")).unwrap_or_default();
        let fork = self.forked_at.map(|at| format!(", forked at {at}")).unwrap_or_default();
        format!("{}: {entries}{last}{fork}", self.name())
    }
}

/// A feed, as findings name it.
pub(super) fn feed_name(slug: &str, epoch: u64) -> String {
    match epoch {
        0 => slug.to_owned(),
        epoch => format!("{slug} (epoch {epoch})"),
    }
}
