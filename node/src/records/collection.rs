//! Collections: what the records of one kind hold, and what of them may ever leave.
//!
//! One TOML file each, `<home>/collections/<name>.toml`, read whenever it is needed: what an administrator
//! changes there holds from the next command on.
//!
//! - `title`: what people call it. Text.
//! - `holds`: what it holds and why, in a sentence. Text.
//! - `key`: the fields that make the id of a record, in their order. A list of names of required fields of
//!   the types text, integer, date and choice.
//! - `fields`: tables, in the order of the columns:
//!   - `name`: its name. Small letters, digits, `_`.
//!   - `column`: the heading of its column in CSV files. Text. Default: its name.
//!   - `type`: `text`, `integer`, `money`, `pence`, `decimal`, `date`, `boolean` or `choice`, see `form`.
//!   - `required`: whether every record has it. A boolean. Default: `false`.
//!   - `max_length`: longest text, in characters, 1 to 10000. Default: 200.
//!   - `min`, `max`: least and most, written as the values are.
//!   - `values`: what a choice is made of. A list of texts.
//! - `promote`: tables, the only way out of this node; without them nothing leaves:
//!   - `field`: the field that may leave.
//!   - `kind`: the kind of artefact that it may go into.
//!   - `to`: where, see `target`.
//!
//! *Invariants.* A [`Collection`] is valid: nothing checks it again. Unknown keys are errors. All problems of
//! a file are reported together.
//!
//! *Source*: ours; domain, section 1.6.

use std::{
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
};

use concordat_protocol::artefact::guard::{self, PatientNumber};

use super::{check, form::Form, target::Target};
use crate::{
    control::{CollectionField, Refusal},
    home::Home,
};

/// Longest file of a collection.
const FILE_BYTES_MAX: u64 = 256 * 1024;
/// Most collections of a node.
const COLLECTIONS_MAX: usize = 200;
const EXTENSION: &str = "toml";

/// A checked collection.
#[derive(Debug, Clone)]
pub struct Collection {
    pub(super) name: String,
    pub(super) title: String,
    pub(super) holds: String,
    pub(super) key: Vec<String>,
    pub(super) fields: Vec<Field>,
}

/// One field of a collection.
#[derive(Debug, Clone)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) column: String,
    pub(super) form: Form,
    pub(super) is_required: bool,
    pub(super) targets: Vec<Target>,
}

/// Why there is no such collection.
#[derive(Debug, thiserror::Error)]
pub enum CollectionError {
    /// The file, or the directory, is missing, not readable, or not text.
    #[error("reading the collection {path}: {source}")]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// Not a collection by its size alone.
    #[error("the collection {path} is longer than {FILE_BYTES_MAX} bytes; is it the right file")]
    TooLong {
        /// Which file.
        path: PathBuf,
    },
    /// More files than a node reads.
    #[error("{path} holds more than {COLLECTIONS_MAX} collections; move some of them away")]
    TooMany {
        /// Which directory.
        path: PathBuf,
    },
    /// The name of the file is no name of a collection.
    #[error(
        "{path}: a collection is named by its file, with small letters, digits, - and _, at most 40; \
         rename the file"
    )]
    Name {
        /// Which file.
        path: PathBuf,
    },
    /// Not TOML.
    #[error("{path}, line {line}: not TOML: {reason}")]
    Syntax {
        /// Which file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// What the TOML parser said.
        reason: String,
    },
    /// TOML, but not a collection.
    #[error("{path}: {} to mend\n  {}", problems.len(), problems.join("\n  "))]
    Problems {
        /// Which file.
        path: PathBuf,
        /// Every problem, unknown keys last.
        problems: Vec<String>,
    },
    /// It is named by a patient's number.
    #[error(transparent)]
    Patient(#[from] PatientNumber),
    /// There is none.
    #[error(
        "there is no collection {name:?}; `concordat record collections` lists those there are, and a \
         new one is a file in {directory}"
    )]
    Unknown {
        /// As it was named.
        name: String,
        /// Where its file would be.
        directory: PathBuf,
    },
}

impl CollectionError {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unknown { .. } => "unknown-collection",
            Self::Patient(_) => "patient-number",
            _ => "collection",
        }
    }
}

impl From<CollectionError> for Refusal {
    fn from(error: CollectionError) -> Self {
        Self::new(error.code(), error)
    }
}

impl Collection {
    /// Reads and checks the collection of this name.
    ///
    /// # Errors
    /// - [`CollectionError`]: there is none, or something is wrong with it.
    pub fn named(home: &Home, name: &str) -> Result<Self, CollectionError> {
        guard::expect_none("the collection", name)?;
        let directory = home.collections();
        let path = directory.join(name).with_extension(EXTENSION);
        // Checked before it is put into a path.
        if !is_name(name) || !path.exists() {
            return Err(CollectionError::Unknown { name: name.to_owned(), directory });
        }
        Self::load(&path)
    }

    /// Reads and checks the file at `path`.
    ///
    /// # Errors
    /// - [`CollectionError`]: something is wrong with it; every problem there is.
    pub fn load(path: &Path) -> Result<Self, CollectionError> {
        let unreadable = |source| CollectionError::Unreadable { path: path.to_path_buf(), source };
        let mut text = String::new();
        let file = File::open(path).map_err(unreadable)?;
        file.take(FILE_BYTES_MAX + 1).read_to_string(&mut text).map_err(unreadable)?;
        if text.len() as u64 > FILE_BYTES_MAX {
            return Err(CollectionError::TooLong { path: path.to_path_buf() });
        }
        let name = path.file_stem().and_then(|stem| stem.to_str()).filter(|name| is_name(name));
        let Some(name) = name else {
            return Err(CollectionError::Name { path: path.to_path_buf() });
        };
        check::parse(name, &text, path)
    }

    /// All of a node, by name; whatever else stands in the directory is passed over.
    ///
    /// # Errors
    /// - [`CollectionError`]: something is wrong with one of them.
    pub fn all(home: &Home) -> Result<Vec<Self>, CollectionError> {
        let directory = home.collections();
        let unreadable = |source| CollectionError::Unreadable { path: directory.clone(), source };
        let files = match fs::read_dir(&directory) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            files => files.map_err(unreadable)?,
        };
        let mut paths = Vec::new();
        for file in files {
            let path = file.map_err(unreadable)?.path();
            if path.extension().is_some_and(|extension| extension == EXTENSION) {
                paths.push(path);
            }
            if paths.len() > COLLECTIONS_MAX {
                return Err(CollectionError::TooMany { path: directory.clone() });
            }
        }
        paths.sort();
        paths.iter().map(|path| Self::load(path)).collect()
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its title.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.title
    }

    /// The fields that make the id of a record.
    #[must_use]
    pub fn key(&self) -> &[String] {
        &self.key
    }

    /// Field and heading of each column, in their order.
    pub fn columns(&self) -> impl Iterator<Item = (&str, &str)> {
        self.fields.iter().map(|field| (field.name.as_str(), field.column.as_str()))
    }

    /// Its fields, as people read them.
    #[must_use]
    pub fn fields(&self) -> Vec<CollectionField> {
        let shown = |field: &Field| CollectionField {
            name: field.name.clone(),
            is: field.form.to_string(),
            is_required: field.is_required,
            promotes_to: field.targets.iter().map(Target::in_words).collect(),
        };
        self.fields.iter().map(shown).collect()
    }

    pub(super) fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// The field of this name.
    ///
    /// # Errors
    /// - [`Refusal`]: there is none.
    pub(super) fn field_named(&self, name: &str) -> Result<&Field, Refusal> {
        self.field(name).ok_or_else(|| {
            let names: Vec<&str> = self.fields.iter().map(|field| field.name.as_str()).collect();
            let message =
                format!("{} has no field {name:?}; it has {}", self.name, names.join(", "));
            Refusal::new("unknown-field", message)
        })
    }
}

/// Whether this may name a collection.
pub(super) fn is_name(name: &str) -> bool {
    let fits =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte);
    (1..=40).contains(&name.len()) && name.bytes().all(fits)
}
