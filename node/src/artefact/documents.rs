//! Documents of this node: made of changes when somebody looks, kept for a while, and suspended when
//! Automerge cannot open them.
//!
//! ```text
//!   applied changes ─▶ kept? ─ all of its changes among them ─▶ the rest is applied to a copy
//!                        └ no ─▶ made anew
//!                      both under catch_unwind, with a note on disk before and none after
//!
//!   <home>/documents/<artefact>.opening      being opened; found at a start: the node ended meanwhile
//!   <home>/documents/<artefact>.suspended    "<program version> ended" or "… panicked": not opened by this version
//! ```
//!
//! *Invariants.* A document that cannot be opened loses nothing: its entries stay, are acknowledged and
//! shared, and its state is worked out without it.
//!
//! *Source*: ours; formats, section 5.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use concordat_protocol::{
    artefact::{
        document::{Document, Job, Skeleton, Suspended, materialise},
        kind::Kind,
    },
    hash::ArtefactId,
    replay::{Replay, Status},
    verdict::ChangeHash,
};

use super::kept::{Kept, KeptSize};
use crate::home::{FileError, Home, replace_file};

const OPENING: &str = "opening";
const SUSPENDED: &str = "suspended";
const ENDED: &str = "ended";
const PANICKED: &str = "panicked";
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The documents of one node.
#[derive(Debug)]
pub struct Documents {
    /// Where notes are kept; none: nobody needs them.
    directory: Option<PathBuf>,
    skeletons: Mutex<BTreeMap<&'static str, Arc<Skeleton>>>,
    kept: Mutex<Kept>,
    suspended: Mutex<BTreeMap<ArtefactId, Suspended>>,
}

/// How sure to be of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Care {
    /// To look at it.
    Look,
    /// To sign something on top of it: it is saved and loaded on trial.
    Sign,
}

impl Documents {
    /// Finds out which documents this version of the program could not open.
    ///
    /// # Errors
    /// - [`FileError`]: the notes could not be read or written.
    pub fn open(home: &Home) -> Result<Self, FileError> {
        let directory = home.documents();
        let mut suspended = BTreeMap::new();
        let notes = match fs::read_dir(&directory) {
            Ok(notes) => notes.filter_map(Result::ok).map(|note| note.path()).collect(),
            Err(_) => Vec::new(),
        };
        for path in notes {
            let Some((artefact, what)) = read_name(&path) else { continue };
            if what == OPENING {
                suspend(&directory, &artefact, Suspended::Ended)?;
                let _gone = fs::remove_file(&path);
                suspended.insert(artefact, Suspended::Ended);
            } else if let Some(why) =
                fs::read_to_string(&path).ok().and_then(|text| read_note(&text))
            {
                suspended.insert(artefact, why);
            } else {
                let _gone = fs::remove_file(&path);
            }
        }
        Ok(Self {
            directory: Some(directory),
            skeletons: Mutex::default(),
            kept: Mutex::default(),
            suspended: Mutex::new(suspended),
        })
    }

    /// Documents that are looked at once, by a process that may end with them: nothing is noted on disk.
    #[must_use]
    pub fn unnoted() -> Self {
        Self {
            directory: None,
            skeletons: Mutex::default(),
            kept: Mutex::default(),
            suspended: Mutex::default(),
        }
    }

    /// The skeleton of a kind.
    ///
    /// # Errors
    /// - [`Suspended`]: Automerge cannot make it.
    pub fn skeleton(&self, kind: &'static Kind) -> Result<Arc<Skeleton>, Suspended> {
        let mut skeletons = locked(&self.skeletons);
        if let Some(skeleton) = skeletons.get(kind.name) {
            return Ok(Arc::clone(skeleton));
        }
        let skeleton = Arc::new(Skeleton::new(kind)?);
        skeletons.insert(kind.name, Arc::clone(&skeleton));
        Ok(skeleton)
    }

    /// The document that the applied changes come to, and what `look` makes of it.
    ///
    /// # Errors
    /// - [`Suspended`]: it cannot be opened on this node, now or until the next upgrade.
    pub fn with<R>(
        &self,
        artefact: &ArtefactId,
        skeleton: &Arc<Skeleton>,
        replay: &Replay,
        care: Care,
        look: impl FnOnce(&Document) -> R,
    ) -> Result<(Document, R), Suspended> {
        self.guarded(artefact, || {
            let document = self.make(artefact, skeleton, replay, care)?;
            let seen = look(&document);
            Ok((document, seen))
        })
    }

    /// The same, of a part of the entries: neither taken from what is kept nor kept.
    ///
    /// # Errors
    /// As [`Documents::with`].
    pub fn with_apart<R>(
        &self,
        artefact: &ArtefactId,
        skeleton: &Arc<Skeleton>,
        replay: &Replay,
        look: impl FnOnce(&Document) -> R,
    ) -> Result<(Document, R), Suspended> {
        self.guarded(artefact, || {
            let changes = replay.applied().map(<[u8]>::to_vec).collect();
            let skeleton = Arc::clone(skeleton);
            let document = materialise(&Job { skeleton, saved: None, changes, trial: false })?;
            let seen = look(&document);
            Ok((document, seen))
        })
    }

    /// What `look` makes of a document that was opened before.
    ///
    /// # Errors
    /// - [`Suspended`]: it was suspended since, or is now.
    pub fn look<R>(&self, artefact: &ArtefactId, look: impl FnOnce() -> R) -> Result<R, Suspended> {
        self.guarded(artefact, || Ok(look()))
    }

    /// Does something that may panic, or end the process, with a note on disk meanwhile.
    fn guarded<R>(
        &self,
        artefact: &ArtefactId,
        work: impl FnOnce() -> Result<R, Suspended>,
    ) -> Result<R, Suspended> {
        if let Some(why) = locked(&self.suspended).get(artefact) {
            return Err(*why);
        }
        let note = self.directory.as_ref().map(|directory| Note::write(directory, artefact));
        let done = catch_unwind(AssertUnwindSafe(work));
        drop(note);
        done.unwrap_or_else(|_| {
            let why = Suspended::Panicked;
            locked(&self.kept).remove(artefact);
            locked(&self.suspended).insert(*artefact, why);
            let noted = self.directory.as_ref().map(|directory| suspend(directory, artefact, why));
            if let Some(Err(error)) = noted {
                tracing::error!(code = "suspended", %error, "the note was not written");
            }
            tracing::error!(code = "suspended", artefact = %artefact, "{why}");
            Err(why)
        })
    }

    fn make(
        &self,
        artefact: &ArtefactId,
        skeleton: &Arc<Skeleton>,
        replay: &Replay,
        care: Care,
    ) -> Result<Document, Suspended> {
        let applied = replay.changes.iter().filter(|one| one.status == Status::Applied);
        let changes: BTreeSet<ChangeHash> = applied.clone().map(|one| one.hash).collect();
        let found = locked(&self.kept).find(artefact, &changes);
        let (base, has, was_tried) = match found {
            Some((document, has, is_tried)) => (Some(document), has, is_tried),
            None => (None, BTreeSet::new(), false),
        };
        let rest: Vec<Vec<u8>> =
            applied.filter(|one| !has.contains(&one.hash)).map(|one| one.raw.clone()).collect();
        let is_new = !rest.is_empty() || base.is_none();
        let mut document = match base {
            Some(document) if rest.is_empty() => document,
            Some(document) => document.with(&rest)?,
            None => {
                let skeleton = Arc::clone(skeleton);
                materialise(&Job { skeleton, saved: None, changes: rest, trial: false })?
            }
        };
        let needs_trial = care == Care::Sign && (is_new || !was_tried);
        if needs_trial {
            document.try_save()?;
        }
        if is_new || needs_trial {
            let is_tried = care == Care::Sign || (was_tried && !is_new);
            locked(&self.kept).keep(*artefact, document.clone(), changes, is_tried);
        }
        Ok(document)
    }

    /// How much is kept in memory.
    #[must_use]
    pub fn kept(&self) -> KeptSize {
        locked(&self.kept).size()
    }

    /// Lets a document be opened again by this version. Says whether it was suspended.
    pub fn retry(&self, artefact: &ArtefactId) -> bool {
        if let Some(directory) = &self.directory {
            let _gone = fs::remove_file(note_path(directory, artefact, SUSPENDED));
        }
        locked(&self.suspended).remove(artefact).is_some()
    }
}

/// Says on disk, for as long as it lives, that a document is being opened.
///
/// It need not outlive a power cut, only this process: nothing is synced.
struct Note(PathBuf);

impl Note {
    fn write(directory: &Path, artefact: &ArtefactId) -> Self {
        let path = note_path(directory, artefact, OPENING);
        let written = fs::create_dir_all(directory).and_then(|()| fs::write(&path, ""));
        if let Err(error) = written {
            tracing::warn!(code = "documents", %error, "no note that a document is being opened");
        }
        Self(path)
    }
}

impl Drop for Note {
    fn drop(&mut self) {
        let _gone = fs::remove_file(&self.0);
    }
}

fn note_path(directory: &Path, artefact: &ArtefactId, what: &str) -> PathBuf {
    directory.join(format!("{artefact}.{what}"))
}

fn read_name(path: &Path) -> Option<(ArtefactId, String)> {
    let what = path.extension()?.to_str()?.to_owned();
    let artefact = path.file_stem()?.to_str()?.parse().ok()?;
    Some((artefact, what))
}

/// Why a document was suspended, unless that was another version of the program.
fn read_note(text: &str) -> Option<Suspended> {
    let (version, word) = text.trim_end().split_once(' ')?;
    let why = if word == ENDED { Suspended::Ended } else { Suspended::Panicked };
    (version == VERSION).then_some(why)
}

fn suspend(directory: &Path, artefact: &ArtefactId, why: Suspended) -> Result<(), FileError> {
    let path = note_path(directory, artefact, SUSPENDED);
    let word = if why == Suspended::Ended { ENDED } else { PANICKED };
    let text = format!("{VERSION} {word}\n");
    replace_file(&path, text.as_bytes())
}

/// What a lock holds stays whole when a thread panics: nothing is changed half.
fn locked<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn artefact() -> ArtefactId {
        ArtefactId::from_bytes([7; 32])
    }

    #[test]
    fn a_document_that_panics_is_suspended_across_starts_until_it_is_tried_again() {
        let place = tempfile::tempdir().unwrap();
        let home = Home::new(place.path());
        let documents = Documents::open(&home).unwrap();
        let panics = || documents.guarded(&artefact(), || -> Result<(), _> { panic!("a bug") });
        assert_eq!(panics(), Err(Suspended::Panicked));
        let works = |documents: &Documents| documents.guarded(&artefact(), || Ok(1));
        assert_eq!(works(&documents), Err(Suspended::Panicked));

        let documents = Documents::open(&home).unwrap();
        assert_eq!(works(&documents), Err(Suspended::Panicked));
        assert!(documents.retry(&artefact()) && !documents.retry(&artefact()));
        assert_eq!(works(&documents), Ok(1));
        assert_eq!(fs::read_dir(home.documents()).unwrap().count(), 0);
    }

    #[test]
    fn another_version_of_the_program_tries_again() {
        let place = tempfile::tempdir().unwrap();
        let home = Home::new(place.path());
        fs::create_dir_all(home.documents()).unwrap();
        let note = note_path(&home.documents(), &artefact(), SUSPENDED);
        fs::write(&note, "0.0.0 ended\n").unwrap();
        let documents = Documents::open(&home).unwrap();
        assert_eq!(documents.guarded(&artefact(), || Ok(1)), Ok(1));
        assert!(!note.exists());
    }
}
