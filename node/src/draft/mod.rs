//! Board drafts: a TOML file of members and rules becomes a charter that people can accept.
//!
//! ```toml
//! title = "Wigan joint commissioning board"
//! silence_days = 14                      # default 14: then a member is shown as silent
//! classes = ["ccg", "council"]           # default: those of the members
//! secretariat = ["la-wigan"]             # default: nobody
//! closers = ["la-wigan"]                 # default: nobody
//!
//! [[members]]
//! card = "cards/la-wigan.card"           # relative to this file
//! slug = "la-wigan"
//! class = "council"                      # default: as its inception record says
//! status = "active"                      # default; or "observer"
//!
//! [rules]                                # see `rule` for how they are written; see `terms` for
//!                                        # [[kinds]] and [localities]
//! amend = "share(2/3 of members)"
//! admit = "share(2/3 of members)"
//! suspend = "share(3/4 of members)"
//! "joint decision" = "all(quorum(2), majority(council), majority(ccg))"
//! ```
//!
//! *Invariants.* A drafted charter may found a board: nobody is asked to accept one that cannot.
//! Names and keys come from cards alone; nobody types them. Unknown keys are errors.
//!
//! *Source*: ours; formats, section 8.

mod rule;
mod terms;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use concordat_protocol::{
    charter::{BadSlug, Charter, DatedName, Member, NamedRule, Rule, Slug, Status},
    codec::Fixed,
    hash::OrgId,
    time::TimeMs,
};
use serde::Deserialize;

pub use rule::BadRule;
use terms::{KindLines, Named};

use crate::{
    home::FileError,
    paper::{self, CardPaper, DraftPaper, PaperError},
};

/// The rules for changes that this program knows.
const RULES_VERSION: u64 = 1;
const SILENCE_DAYS: u64 = 14;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    title: String,
    #[serde(default = "silence_days")]
    silence_days: u64,
    classes: Option<BTreeSet<String>>,
    #[serde(default)]
    secretariat: Vec<String>,
    #[serde(default)]
    closers: Vec<String>,
    members: Vec<MemberLines>,
    kinds: Option<Vec<KindLines>>,
    #[serde(default)]
    localities: BTreeMap<String, Vec<String>>,
    rules: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct MemberLines {
    card: PathBuf,
    slug: String,
    class: Option<String>,
    #[serde(default)]
    status: StatusWord,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum StatusWord {
    #[default]
    Active,
    Observer,
}

const fn silence_days() -> u64 {
    SILENCE_DAYS
}

/// Why a file is no draft of a board.
#[derive(Debug, thiserror::Error)]
pub enum DraftError {
    /// The file could not be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// Not TOML, or not the keys of a draft.
    #[error("{path}: {reason}")]
    Toml {
        /// Which file.
        path: PathBuf,
        /// What the TOML parser said, with the line.
        reason: String,
    },
    /// A member's card file.
    #[error("the card {path} of {slug}: {source}")]
    Card {
        /// The member's short name.
        slug: String,
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        source: PaperError,
    },
    /// A short name that is none.
    #[error("the member {slug:?}: {source}")]
    Slug {
        /// As written.
        slug: String,
        /// How they are written.
        source: BadSlug,
    },
    /// A list names somebody who is no member.
    #[error("{list} names {slug:?}, and no member is called so")]
    UnknownMember {
        /// Which list.
        list: &'static str,
        /// As written.
        slug: String,
    },
    /// A kind that this program does not know.
    #[error("no kind of artefact is called {kind:?}; there is decision, mutual_aid and standard")]
    UnknownKind {
        /// As written.
        kind: String,
    },
    /// Somebody who may create or edit is neither a member nor a class.
    #[error("{list} names {name:?}, and no member and no class is called so")]
    UnknownWho {
        /// Which list.
        list: &'static str,
        /// As written.
        name: String,
    },
    /// One of the charter's own rules is not there.
    #[error("the rule {name} is missing; for example: {name} = \"share(2/3 of members)\"")]
    MissingRule {
        /// amend, admit or suspend.
        name: &'static str,
    },
    /// A rule that cannot be read.
    #[error("the rule {name:?}, {source}")]
    Rule {
        /// Its name.
        name: String,
        /// What is wrong with it.
        source: BadRule,
    },
    /// The charter makes no sense.
    #[error("this cannot be founded: {0}")]
    Unfounded(#[source] PaperError),
}

/// Reads a draft and the cards it names, and makes a charter of them.
///
/// # Errors
/// - [`DraftError`]: the first thing that is wrong.
pub fn read(path: &Path, nonce: [u8; 16]) -> Result<DraftPaper, DraftError> {
    let text = std::fs::read_to_string(path).map_err(FileError::at("reading", path))?;
    let file: File = toml::from_str(&text).map_err(|error| DraftError::Toml {
        path: path.to_path_buf(),
        reason: error.to_string().trim().to_owned(),
    })?;
    let beside = path.parent().unwrap_or_else(|| Path::new(""));
    let mut cards = Vec::new();
    let mut members = Vec::new();
    for lines in &file.members {
        let card = read_card(beside, lines)?;
        members.push(member(lines, &card)?);
        cards.push(card);
    }
    let charter = charter(file, members, nonce)?;
    DraftPaper::new(charter.in_order(), cards).map_err(DraftError::Unfounded)
}

fn read_card(beside: &Path, lines: &MemberLines) -> Result<CardPaper, DraftError> {
    let path = beside.join(&lines.card);
    let paper = paper::read_text(&path).and_then(|text| CardPaper::from_text(&text));
    paper.map_err(|source| DraftError::Card { slug: lines.slug.clone(), path, source })
}

fn member(lines: &MemberLines, paper: &CardPaper) -> Result<Member, DraftError> {
    let (inception, card) = (paper.inception(), paper.card().card());
    let slug: Slug = lines
        .slug
        .parse()
        .map_err(|source| DraftError::Slug { slug: lines.slug.clone(), source })?;
    Ok(Member {
        org: card.org,
        slug,
        names: vec![DatedName { from: TimeMs(0), name: inception.legal_name.clone() }],
        codes: inception.codes.clone(),
        class: lines.class.clone().unwrap_or_else(|| inception.class.clone()),
        status: match lines.status {
            StatusWord::Active => Status::Active,
            StatusWord::Observer => Status::Observer,
        },
        feed_key: card.feed_key,
        witness_key: card.witness_key,
        recovery_digest: inception.recovery_digest,
        cutoff: None,
    })
}

fn charter(file: File, members: Vec<Member>, nonce: [u8; 16]) -> Result<Charter, DraftError> {
    let by_slug: BTreeMap<String, OrgId> =
        members.iter().map(|member| (member.slug.to_string(), member.org)).collect();
    let mut rules = read_rules(&file.rules, &by_slug)?;
    let mut own = |name: &'static str| rules.remove(name).ok_or(DraftError::MissingRule { name });
    let (amend, admit, suspend) = (own("amend")?, own("admit")?, own("suspend")?);
    let classes =
        file.classes.unwrap_or_else(|| members.iter().map(|member| member.class.clone()).collect());
    let classes: Vec<String> = classes.into_iter().collect();
    let named = Named { classes: &classes, orgs: &by_slug };
    let kinds = named.kinds(file.kinds.as_ref())?;
    let localities = named.localities(&file.localities)?;
    Ok(Charter {
        version: 0,
        prev: Charter::NO_PREV,
        nonce: Fixed(nonce),
        title: file.title,
        replaces_board: None,
        rules_version: RULES_VERSION,
        members,
        classes,
        localities,
        sites: Vec::new(),
        leads: Vec::new(),
        kinds,
        rules: rules.into_iter().map(|(name, rule)| NamedRule { name, rule }).collect(),
        amend,
        admit,
        suspend,
        secretariat: orgs("secretariat", &file.secretariat, &by_slug)?,
        closers: orgs("closers", &file.closers, &by_slug)?,
        succession: Vec::new(),
        silence_days: file.silence_days,
        retention: Vec::new(),
    })
}

fn read_rules(
    texts: &BTreeMap<String, String>,
    by_slug: &BTreeMap<String, OrgId>,
) -> Result<BTreeMap<String, Rule>, DraftError> {
    let read = |(name, text): (&String, &String)| match rule::read(text, by_slug) {
        Ok(rule) => Ok((name.clone(), rule)),
        Err(source) => Err(DraftError::Rule { name: name.clone(), source }),
    };
    texts.iter().map(read).collect()
}

fn orgs(
    list: &'static str,
    slugs: &[String],
    by_slug: &BTreeMap<String, OrgId>,
) -> Result<Vec<OrgId>, DraftError> {
    let find = |slug: &String| {
        let org = by_slug.get(slug).copied();
        org.ok_or_else(|| DraftError::UnknownMember { list, slug: slug.clone() })
    };
    slugs.iter().map(find).collect()
}
