//! Tokens: who may use the API.
//!
//! ```text
//!   <home>/tokens/        0700
//!     9f3c….json          0600   {"id","name","role","created_ms","revoked_ms","sha256"}
//!
//!   concordat_9f3c…_07ab…        what its holder keeps, shown once
//!             │     └─ 32 random bytes in hex: the secret, of which only the SHA-256 is stored
//!             └─ 16 random bytes in hex: the id, which also stands in what its holder signs
//! ```
//!
//! *Invariants.* No secret is stored or shown again. A revoked token's file stays, so that the
//! organisation can still tell whose id stands in an entry. Files are read at every use: what is revoked
//! is refused from the next request on, with no word to the daemon.
//!
//! *Source*: ours; bearer tokens as in RFC 6750.

use std::{
    fs::{self, DirBuilder},
    io,
    os::unix::fs::{DirBuilderExt, PermissionsExt},
    path::{Path, PathBuf},
};

use concordat_protocol::artefact::guard;
use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::Role;
use crate::{
    clock::{self, EntropyError},
    home::{FileError, Home, Readers, create_file, replace_file},
};

const PREFIX: &str = "concordat";
const ID_BYTES: usize = 16;
const NAME_CHARS_MAX: usize = 200;
/// Permission bits of group and others.
const OTHERS: u32 = 0o077;

/// What is told of a token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenLine {
    /// Its id.
    pub id: String,
    /// What it was called when it was made.
    pub name: String,
    /// What it is for.
    pub role: Role,
    /// When it was made.
    pub created_ms: u64,
    /// When it was revoked.
    pub revoked_ms: Option<u64>,
}

/// A token's file.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Stored {
    #[serde(flatten)]
    line: TokenLine,
    sha256: String,
}

/// Who holds a token that was shown.
#[derive(Debug, Clone)]
pub struct Holder {
    /// The token's id.
    pub id: [u8; ID_BYTES],
    /// What the token is called.
    pub name: String,
    /// What it is for.
    pub role: Role,
}

/// A new token.
#[derive(Debug, Serialize)]
pub struct NewToken {
    /// What its holder keeps; shown this once.
    pub token: String,
    /// What is kept of it.
    #[serde(flatten)]
    pub line: TokenLine,
}

/// Why a token was not made, shown or revoked.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// Not a name.
    #[error("a token's name has 1 to {NAME_CHARS_MAX} characters; say who uses it and for what")]
    BadName,
    /// Somebody's number.
    #[error(transparent)]
    Patient(#[from] guard::PatientNumber),
    /// None is called so.
    #[error("no token has an id that begins so; `concordat token list` shows them")]
    Unknown,
    /// More than one is.
    #[error("more than one token has an id that begins so; write more of it")]
    Ambiguous,
    /// Others could read what is kept, or put something there.
    #[error(
        "{path} is open to others than its owner; run `chmod go= {path}`, and revoke the token"
    )]
    OpenToOthers {
        /// The file.
        path: PathBuf,
    },
    /// Not a token's file.
    #[error("{path} is not a token's file: {source}; remove it, and make a new token")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: serde_json::Error,
    },
    /// The operating system refused.
    #[error(transparent)]
    File(#[from] FileError),
    /// No random bytes.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
}

impl TokenError {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::BadName => "bad-name",
            Self::Patient(_) => "patient-number",
            Self::Unknown => "unknown-token",
            Self::Ambiguous => "which-token",
            Self::OpenToOthers { .. } | Self::Damaged { .. } => "token",
            Self::File(_) => "file",
            Self::Entropy(_) => "system",
        }
    }
}

/// The tokens of one node.
#[derive(Debug, Clone)]
pub struct Tokens(PathBuf);

impl Tokens {
    /// Those of this home.
    #[must_use]
    pub fn of(home: &Home) -> Self {
        Self(home.tokens())
    }

    /// Makes one.
    ///
    /// # Errors
    /// - [`TokenError::BadName`], [`TokenError::Patient`]: choose another name.
    /// - [`TokenError::File`], [`TokenError::Entropy`]: the machine failed; there is no new token.
    pub fn create(&self, role: Role, name: &str) -> Result<NewToken, TokenError> {
        guard::expect_none("the name", name)?;
        if !(1..=NAME_CHARS_MAX).contains(&name.trim().chars().count()) {
            return Err(TokenError::BadName);
        }
        let (id, secret) = (HEXLOWER.encode(&clock::nonce()?), Zeroizing::new(clock::entropy()?));
        let created_ms = clock::now_ms();
        let name = name.trim().to_owned();
        let line = TokenLine { id: id.clone(), name, role, created_ms, revoked_ms: None };
        let sha256 = HEXLOWER.encode(&Sha256::digest(*secret));
        let stored = to_json(&Stored { line: line.clone(), sha256 });
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.0)
            .map_err(FileError::at("creating", &self.0))?;
        create_file(&self.path(&id), &stored, Readers::Owner)?;
        Ok(NewToken { token: format!("{PREFIX}_{id}_{}", HEXLOWER.encode(&*secret)), line })
    }

    /// All there ever were, the oldest first.
    ///
    /// # Errors
    /// - [`TokenError`]: a file cannot be read or is open to others.
    pub fn list(&self) -> Result<Vec<TokenLine>, TokenError> {
        let files = match fs::read_dir(&self.0) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            files => files.map_err(FileError::at("reading", &self.0))?,
        };
        let mut lines = Vec::new();
        for file in files {
            let path = file.map_err(FileError::at("reading", &self.0))?.path();
            if path.extension().is_some_and(|extension| extension == "json") {
                lines.push(read(&path)?.line);
            }
        }
        lines.sort_by(|a: &TokenLine, b| (a.created_ms, &a.id).cmp(&(b.created_ms, &b.id)));
        Ok(lines)
    }

    /// Revokes the token whose id begins so; one that was revoked stays as it is.
    ///
    /// # Errors
    /// - [`TokenError::Unknown`], [`TokenError::Ambiguous`]: none is meant, or several.
    /// - [`TokenError::File`]: it is not revoked.
    pub fn revoke(&self, id: &str) -> Result<TokenLine, TokenError> {
        let mut meant = self.list()?.into_iter().filter(|line| line.id.starts_with(id));
        let line = match (meant.next(), meant.next()) {
            (Some(line), None) => line,
            (None, _) => return Err(TokenError::Unknown),
            (Some(_), Some(_)) => return Err(TokenError::Ambiguous),
        };
        if line.revoked_ms.is_some() {
            return Ok(line);
        }
        let path = self.path(&line.id);
        let mut stored = read(&path)?;
        stored.line.revoked_ms = Some(clock::now_ms());
        replace_file(&path, &to_json(&stored))?;
        Ok(stored.line)
    }

    /// Who holds a token; `None` if it is not one, or was revoked. Takes the same time however much of
    /// the secret is right.
    ///
    /// # Errors
    /// - [`TokenError`]: its file cannot be read or is open to others.
    pub fn holder(&self, token: &str) -> Result<Option<Holder>, TokenError> {
        let Some((id, secret)) = parts(token) else {
            return Ok(None);
        };
        let path = self.path(&HEXLOWER.encode(&id));
        let stored = match read(&path) {
            Err(TokenError::File(error)) if error.source.kind() == io::ErrorKind::NotFound => {
                return Ok(None);
            }
            stored => stored?,
        };
        let shown = HEXLOWER.encode(&Sha256::digest(secret));
        let is_right: bool = shown.as_bytes().ct_eq(stored.sha256.as_bytes()).into();
        let TokenLine { name, role, revoked_ms, .. } = stored.line;
        Ok((is_right && revoked_ms.is_none()).then_some(Holder { id, name, role }))
    }

    fn path(&self, id: &str) -> PathBuf {
        self.0.join(format!("{id}.json"))
    }
}

/// Id and secret of what may be a token. Only hex digits get through, so the id is no path.
fn parts(token: &str) -> Option<([u8; ID_BYTES], Zeroizing<Vec<u8>>)> {
    let (id, secret) = token.strip_prefix(PREFIX)?.strip_prefix('_')?.split_once('_')?;
    let id = HEXLOWER.decode(id.as_bytes()).ok()?.try_into().ok()?;
    Some((id, Zeroizing::new(HEXLOWER.decode(secret.as_bytes()).ok()?)))
}

fn read(path: &Path) -> Result<Stored, TokenError> {
    let reading = || FileError::at("reading", path);
    let mode = fs::metadata(path).map_err(reading())?.permissions().mode();
    if mode & OTHERS != 0 {
        return Err(TokenError::OpenToOthers { path: path.to_path_buf() });
    }
    let bytes = fs::read(path).map_err(reading())?;
    let damaged = |source| TokenError::Damaged { path: path.to_path_buf(), source };
    serde_json::from_slice(&bytes).map_err(damaged)
}

#[expect(clippy::expect_used, reason = "strings and numbers always have a JSON form")]
fn to_json(stored: &Stored) -> Vec<u8> {
    serde_json::to_vec(stored).expect("invariant: a token's file is plain values")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens() -> (tempfile::TempDir, Tokens) {
        let place = tempfile::tempdir().unwrap();
        let tokens = Tokens::of(&Home::new(place.path()));
        (place, tokens)
    }

    #[test]
    fn a_token_is_known_until_it_is_revoked_and_stays_listed() {
        let (_place, tokens) = tokens();
        let made = tokens.create(Role::Editor, " The intranet ").unwrap();
        let holder = tokens.holder(&made.token).unwrap().unwrap();
        assert_eq!((holder.name.as_str(), holder.role), ("The intranet", Role::Editor));
        assert_eq!(HEXLOWER.encode(&holder.id), made.line.id);

        let revoked = tokens.revoke(&made.line.id[..8]).unwrap();

        assert!(tokens.holder(&made.token).unwrap().is_none());
        assert!(revoked.revoked_ms.is_some());
        assert_eq!(tokens.revoke(&made.line.id).unwrap(), revoked);
        assert_eq!(tokens.list().unwrap(), [revoked]);
    }

    #[test]
    fn what_is_kept_is_for_its_owner_and_holds_no_secret() {
        let (_place, tokens) = tokens();
        let made = tokens.create(Role::Viewer, "Board papers").unwrap();
        let path = tokens.path(&made.line.id);
        let kept = fs::read_to_string(&path).unwrap();
        assert!(!kept.contains(made.token.rsplit('_').next().unwrap()));
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);

        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(tokens.holder(&made.token), Err(TokenError::OpenToOthers { .. })));
    }

    #[test]
    fn what_is_no_token_is_nobodys() {
        let (_place, tokens) = tokens();
        let made = tokens.create(Role::Viewer, "Board papers").unwrap();
        let other = tokens.create(Role::Viewer, "Minutes").unwrap();
        let secret = other.token.rsplit('_').next().unwrap();
        let mixed = format!("{PREFIX}_{}_{secret}", made.line.id);
        for token in ["", "concordat", "concordat_../x_00", "concordat__", &mixed, secret] {
            assert!(tokens.holder(token).unwrap().is_none(), "{token}");
        }
    }

    #[test]
    fn a_name_is_short_and_nobodys_number() {
        let (_place, tokens) = tokens();
        assert!(matches!(tokens.create(Role::Viewer, "  "), Err(TokenError::BadName)));
        let long = "x".repeat(NAME_CHARS_MAX + 1);
        assert!(matches!(tokens.create(Role::Viewer, &long), Err(TokenError::BadName)));
        let number = tokens.create(Role::Viewer, "943 476 5919");
        assert!(matches!(number, Err(TokenError::Patient(_))));
        assert_eq!(tokens.list().unwrap(), []);
    }
}
