//! The passphrase that opens a locked directory of keys, and where it comes from.
//!
//! | looked for in this order | who gives it |
//! |---|---|
//! | `$CREDENTIALS_DIRECTORY/concordat-passphrase` | systemd, by `LoadCredentialEncrypted=` |
//! | the file that `$CONCORDAT_PASSPHRASE_FILE` names | whoever starts the process |
//! | the terminal, if there is one | a person, three times at most |
//!
//! *Bounds.* At most 1,024 bytes; a new one has at least 12 characters.
//!
//! *Invariants.* Never an argument, where every user of the machine could read it. Wiped when dropped
//! and never printed. A line end behind it is not part of it.
//!
//! *Source*: ours.

use std::{
    env, fmt, fs,
    io::IsTerminal,
    path::{Path, PathBuf},
};

use zeroize::Zeroizing;

use super::{KeyError, io_at, read_small};

/// What systemd calls it.
const CREDENTIAL: &str = "concordat-passphrase";
const FILE_VARIABLE: &str = "CONCORDAT_PASSPHRASE_FILE";
const CHARACTERS_LEAST: usize = 12;
/// How often a person may mistype it.
const ATTEMPTS: usize = 3;

/// A passphrase.
pub struct Passphrase(Zeroizing<String>);

impl fmt::Debug for Passphrase {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Passphrase(secret)")
    }
}

impl Passphrase {
    pub(super) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    fn of_text(text: &str) -> Self {
        Self(Zeroizing::new(text.trim_end_matches(['\r', '\n']).to_owned()))
    }

    /// The passphrase of something that was locked before, from a file, or from a person who is told of what.
    ///
    /// # Errors
    /// - [`KeyError::NoPassphrase`]: no file is named, and there is no terminal.
    /// - [`KeyError::OpenToOthers`], [`KeyError::Io`]: the file cannot be used.
    pub fn of(what: &Path, file: Option<&Path>) -> Result<Self, KeyError> {
        match file {
            Some(file) => Ok(Self::of_text(&read_small(file)?)),
            None => ask(&format!("passphrase of {}: ", what.display())),
        }
    }

    /// A new passphrase from a file, or from a person who types it twice.
    ///
    /// # Errors
    /// - [`KeyError::WeakPassphrase`]: it is too short.
    /// - [`KeyError::OtherPassphrase`]: the two are not the same.
    /// - [`KeyError::NoPassphrase`]: no file is named, and there is no terminal.
    /// - [`KeyError::OpenToOthers`], [`KeyError::Io`]: the file cannot be used.
    pub fn choose(file: Option<&Path>) -> Result<Self, KeyError> {
        let chosen = match file {
            Some(file) => Self::of_text(&read_small(file)?),
            None => {
                let first = ask("new passphrase: ")?;
                if *first.0 != *ask("once more: ")?.0 {
                    return Err(KeyError::OtherPassphrase);
                }
                first
            }
        };
        match chosen.0.chars().count() {
            CHARACTERS_LEAST.. => Ok(chosen),
            found => Err(KeyError::WeakPassphrase { found, least: CHARACTERS_LEAST }),
        }
    }
}

/// Gives passphrases until one opens.
///
/// # Errors
/// - [`KeyError::NoPassphrase`]: nobody gives one.
/// - whatever `open` says of the last.
pub(super) fn try_open<T>(
    lock: &Path,
    open: impl Fn(&Passphrase) -> Result<T, KeyError>,
) -> Result<T, KeyError> {
    if let Some(given) = given()? {
        return open(&given);
    }
    let mut attempts = 1;
    loop {
        let typed = ask(&format!("passphrase of {}: ", lock.display()))?;
        match open(&typed) {
            Err(KeyError::WrongPassphrase { .. }) if attempts < ATTEMPTS => attempts += 1,
            opened => return opened,
        }
    }
}

/// The passphrase that the process was given, if it was.
fn given() -> Result<Option<Passphrase>, KeyError> {
    if let Some(directory) = env::var_os("CREDENTIALS_DIRECTORY") {
        let path = PathBuf::from(directory).join(CREDENTIAL);
        if path.exists() {
            // Its directory is for this service alone, whatever the file's own bits say.
            let text = fs::read_to_string(&path).map_err(io_at(&path, "reading"))?;
            return Ok(Some(Passphrase::of_text(&Zeroizing::new(text))));
        }
    }
    let file = env::var_os(FILE_VARIABLE).map(PathBuf::from);
    file.map(|file| Ok(Passphrase::of_text(&read_small(&file)?))).transpose()
}

fn ask(words: &str) -> Result<Passphrase, KeyError> {
    if !std::io::stdin().is_terminal() {
        return Err(KeyError::NoPassphrase);
    }
    let typed = rpassword::prompt_password(words);
    let typed = typed.map_err(io_at(Path::new("/dev/tty"), "asking for a passphrase on"))?;
    Ok(Passphrase::of_text(&Zeroizing::new(typed)))
}
