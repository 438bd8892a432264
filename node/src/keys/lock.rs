//! The lock of a directory of keys: its secrets are kept encrypted, and a passphrase opens them.
//!
//! ```text
//!   <home>/keys/lock      0600
//!     # concordat keys: locked with a passphrase        one comment line
//!     argon2id 65536 3 4                                KiB of memory, passes, lanes
//!     <salt: 32 hex> <nonce: 48 hex> <sealed data key: 96 hex>
//!
//!   <home>/keys/feed.key  0600
//!     # concordat feed key: locked                      one comment line
//!     locked <nonce: 48 hex> <sealed seed: 96 hex>
//!
//!   passphrase ──Argon2id──▶ key of the lock ──opens──▶ data key ──opens──▶ every seed
//! ```
//!
//! Sealed is XChaCha20-Poly1305: 32 bytes and a tag of 16. With the data key in between, another
//! passphrase replaces one file alone, whole or not at all. The sealed data key is bound to the
//! costs, and each seed to the name of its file: files that are exchanged do not open.
//!
//! *Bounds.* What a lock asks of memory and time is checked before either is taken.
//!
//! *Invariants.* No nonce is used twice: each is drawn fresh, of 24 bytes. A data key is wiped when
//! dropped and never printed.
//!
//! *Source*: ours; Argon2id as in RFC 9106, with its second recommended costs.

use std::{
    collections::BTreeMap,
    fmt, io,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use argon2::{Algorithm, Argon2, Params, Version};
use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use data_encoding::HEXLOWER;
use zeroize::Zeroizing;

use super::{KeyError, Passphrase, Seed, is_comment, read_small};
use crate::{
    clock::{entropy, nonce},
    home::replace_file,
};

const FILE: &str = "lock";
/// What a locked key file's line begins with.
const LOCKED: &str = "locked";
/// A seed or data key, and the tag of its seal.
const SEALED_BYTES: usize = 32 + 16;
const NONCE_BYTES: usize = 24;

/// What it costs to try one passphrase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    /// KiB.
    memory: u32,
    passes: u32,
    lanes: u32,
}

impl Cost {
    /// RFC 9106 section 4, the second recommended option: 64 MiB.
    pub const RECOMMENDED: Self = Self { memory: 65_536, passes: 3, lanes: 4 };
    /// For tests, which try many.
    #[cfg(test)]
    pub(super) const LEAST: Self = Self { memory: 32, passes: 1, lanes: 1 };

    /// Nothing that a small machine cannot do.
    const fn is_bearable(self) -> bool {
        let Self { memory, passes, lanes } = self;
        memory >= 8 * lanes
            && memory <= 1_048_576
            && passes >= 1
            && passes <= 64
            && lanes >= 1
            && lanes <= 16
    }

    /// As a line of text.
    #[must_use]
    pub fn to_line(self) -> String {
        let Self { memory, passes, lanes } = self;
        format!("argon2id {memory} {passes} {lanes}")
    }

    /// Reads such a line; `None` if it is another, or asks for more than a small machine can do.
    #[must_use]
    pub fn of_line(line: &str) -> Option<Self> {
        let mut words = line.split(' ');
        let kind = words.next()?;
        let mut number = || words.next()?.parse().ok();
        let cost = Self { memory: number()?, passes: number()?, lanes: number()? };
        let fits = kind == "argon2id" && cost.to_line() == line && cost.is_bearable();
        fits.then_some(cost)
    }

    /// The key that a passphrase makes with this salt.
    ///
    /// # Errors
    /// - [`KeyError::Cipher`]: there is not enough memory.
    pub fn key(
        self,
        passphrase: &Passphrase,
        salt: &[u8; 16],
    ) -> Result<Zeroizing<[u8; 32]>, KeyError> {
        let Self { memory, passes, lanes } = self;
        let params = Params::new(memory, passes, lanes, Some(32)).map_err(|_| KeyError::Cipher)?;
        let mut key = Zeroizing::new([0; 32]);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(passphrase.as_bytes(), salt, key.as_mut())
            .map_err(|_| KeyError::Cipher)?;
        Ok(key)
    }
}

/// A lock, closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Lock {
    path: PathBuf,
    cost: Cost,
    salt: [u8; 16],
    nonce: [u8; NONCE_BYTES],
    sealed: [u8; SEALED_BYTES],
}

/// What opens every seed of a directory.
#[derive(Clone)]
pub(super) struct DataKey(Zeroizing<[u8; 32]>);

impl fmt::Debug for DataKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("DataKey(secret)")
    }
}

/// Data keys of this process by their sealed form: a command opens a directory more than once, and
/// a person is asked once.
static OPENED: Mutex<BTreeMap<[u8; SEALED_BYTES], DataKey>> = Mutex::new(BTreeMap::new());

impl Lock {
    /// The lock of a directory, if it has one.
    ///
    /// # Errors
    /// - [`KeyError::NotALock`]: the file is not one.
    /// - [`KeyError::OpenToOthers`], [`KeyError::Io`]: as for key files.
    pub(super) fn read(directory: &Path) -> Result<Option<Self>, KeyError> {
        let path = directory.join(FILE);
        let text = match read_small(&path) {
            Err(KeyError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                return Ok(None);
            }
            text => text?,
        };
        let mut lines = text.lines().map(str::trim).filter(|line| !is_comment(line));
        let (cost, rest) = (lines.next().and_then(Cost::of_line), lines.next());
        let mut words = rest.unwrap_or_default().split(' ');
        let mut word = || words.next().unwrap_or_default();
        let (salt, nonce, sealed) = (of_hex(word()), of_hex(word()), of_hex(word()));
        let is_all = words.next().is_none() && lines.next().is_none();
        match (cost, salt, nonce, sealed) {
            (Some(cost), Some(salt), Some(nonce), Some(sealed)) if is_all => {
                Ok(Some(Self { path, cost, salt, nonce, sealed }))
            }
            _ => Err(KeyError::NotALock { path }),
        }
    }

    /// Locks a data key with a passphrase, in place of the lock that may be there; durable on return.
    ///
    /// # Errors
    /// - [`KeyError::Entropy`], [`KeyError::File`]: the machine failed; the old lock is still there.
    pub(super) fn write(
        directory: &Path,
        key: &DataKey,
        (passphrase, cost): (&Passphrase, Cost),
    ) -> Result<Self, KeyError> {
        let path = directory.join(FILE);
        let (salt, nonce) = (nonce()?, long_nonce()?);
        let lock = Self { path, cost, salt, nonce, sealed: [0; SEALED_BYTES] };
        let key_of_lock = lock.key_of(passphrase)?;
        let sealed = seal(&key_of_lock, &nonce, &key.0, &cost.to_line());
        let lock = Self { sealed: sealed.ok_or(KeyError::Cipher)?, ..lock };
        replace_file(&lock.path, lock.to_text().as_bytes())?;
        Ok(lock)
    }

    fn to_text(&self) -> String {
        let Self { cost, salt, nonce, sealed, .. } = self;
        let hex = |bytes: &[u8]| HEXLOWER.encode(bytes);
        format!(
            "# concordat keys: locked with a passphrase\n{}\n{} {} {}\n",
            cost.to_line(),
            hex(salt),
            hex(nonce),
            hex(sealed)
        )
    }

    /// Where the lock is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The data key, if this process has opened the lock before.
    pub(super) fn opened(&self) -> Option<DataKey> {
        let opened = OPENED.lock().unwrap_or_else(PoisonError::into_inner);
        opened.get(&self.sealed).cloned()
    }

    /// Opens the lock.
    ///
    /// # Errors
    /// - [`KeyError::WrongPassphrase`]: it does not open, or the file was altered.
    pub(super) fn open(&self, passphrase: &Passphrase) -> Result<DataKey, KeyError> {
        let key = self.key_of(passphrase)?;
        let wrong = || KeyError::WrongPassphrase { path: self.path.clone() };
        let opened = unseal(&key, &self.nonce, &self.sealed, &self.cost.to_line());
        let data_key = DataKey(opened.ok_or_else(wrong)?);
        let mut all = OPENED.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(self.sealed, data_key.clone());
        Ok(data_key)
    }

    fn key_of(&self, passphrase: &Passphrase) -> Result<Zeroizing<[u8; 32]>, KeyError> {
        self.cost.key(passphrase, &self.salt)
    }
}

impl DataKey {
    pub(super) fn generate() -> Result<Self, KeyError> {
        Ok(Self(Zeroizing::new(entropy()?)))
    }

    /// The line of a locked key file.
    pub(super) fn lock(&self, file: &Path, seed: &Seed) -> Result<String, KeyError> {
        let nonce = long_nonce()?;
        let sealed = seal(&self.0, &nonce, seed.as_bytes(), &name_of(file));
        let sealed = sealed.ok_or(KeyError::Cipher)?;
        Ok(format!("{LOCKED} {} {}", HEXLOWER.encode(&nonce), HEXLOWER.encode(&sealed)))
    }

    /// The seed of a locked key file's line.
    ///
    /// # Errors
    /// - [`KeyError::NotAKey`]: it is no such line, or was locked under another name or key.
    pub(super) fn unlock(&self, file: &Path, line: &str) -> Result<Seed, KeyError> {
        let read = || {
            let (nonce, sealed) = line.strip_prefix(LOCKED)?.strip_prefix(' ')?.split_once(' ')?;
            let sealed: [u8; SEALED_BYTES] = of_hex(sealed)?;
            unseal(&self.0, &of_hex(nonce)?, &sealed, &name_of(file))
        };
        read().map(Seed).ok_or_else(|| KeyError::NotAKey { path: file.to_path_buf() })
    }
}

/// Whether a line of a key file is a locked one.
pub(super) fn is_locked(line: &str) -> bool {
    line.starts_with(LOCKED)
}

fn name_of(file: &Path) -> String {
    file.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn long_nonce() -> Result<[u8; NONCE_BYTES], KeyError> {
    let mut bytes = [0; NONCE_BYTES];
    bytes.copy_from_slice(&entropy()?[..NONCE_BYTES]);
    Ok(bytes)
}

fn seal(
    key: &[u8; 32],
    nonce: &[u8; NONCE_BYTES],
    secret: &[u8; 32],
    bound_to: &str,
) -> Option<[u8; SEALED_BYTES]> {
    let payload = Payload { msg: secret, aad: bound_to.as_bytes() };
    let cipher = XChaCha20Poly1305::new(&(*key).into());
    cipher.encrypt(&XNonce::from(*nonce), payload).ok()?.try_into().ok()
}

fn unseal(
    key: &[u8; 32],
    nonce: &[u8; NONCE_BYTES],
    sealed: &[u8; SEALED_BYTES],
    bound_to: &str,
) -> Option<Zeroizing<[u8; 32]>> {
    let payload = Payload { msg: sealed, aad: bound_to.as_bytes() };
    let cipher = XChaCha20Poly1305::new(&(*key).into());
    let opened = Zeroizing::new(cipher.decrypt(&XNonce::from(*nonce), payload).ok()?);
    let mut secret = Zeroizing::new([0; 32]);
    (opened.len() == secret.len()).then(|| secret.copy_from_slice(&opened))?;
    Some(secret)
}

fn of_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    if HEXLOWER.decode_len(text.len()) != Ok(N) {
        return None;
    }
    HEXLOWER.decode_mut(text.as_bytes(), &mut bytes).ok()?;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passphrase(text: &str) -> Passphrase {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("passphrase");
        replace_file(&file, text.as_bytes()).unwrap();
        Passphrase::choose(Some(&file)).unwrap()
    }

    #[test]
    fn a_lock_opens_with_its_passphrase_alone() {
        let directory = tempfile::tempdir().unwrap();
        assert_eq!(Lock::read(directory.path()).unwrap(), None);
        let key = DataKey::generate().unwrap();
        let right = passphrase("five words make a good one\n");
        let written = Lock::write(directory.path(), &key, (&right, Cost::LEAST)).unwrap();

        let read = Lock::read(directory.path()).unwrap().unwrap();

        assert_eq!(read, written);
        assert_eq!(*read.open(&right).unwrap().0, *key.0);
        assert_eq!(*read.opened().unwrap().0, *key.0, "it is asked for once");
        let wrong = read.open(&passphrase("five words make a good two")).unwrap_err();
        assert!(matches!(wrong, KeyError::WrongPassphrase { .. }), "{wrong}");
        assert_eq!(format!("{key:?} {right:?}"), "DataKey(secret) Passphrase(secret)");
    }

    #[test]
    fn a_seed_opens_under_its_own_name_and_key_alone() {
        let (key, other) = (DataKey::generate().unwrap(), DataKey::generate().unwrap());
        let seed = Seed::generate().unwrap();
        let (feed, node) = (Path::new("keys/feed.key"), Path::new("keys/node.key"));

        let line = key.lock(feed, &seed).unwrap();

        assert!(is_locked(&line));
        assert_eq!(key.unlock(feed, &line).unwrap().as_bytes(), seed.as_bytes());
        let flipped = line.replace(&line[60..61], if &line[60..61] == "0" { "1" } else { "0" });
        for (key, file, line) in
            [(&key, node, &line), (&other, feed, &line), (&key, feed, &flipped)]
        {
            let refused = key.unlock(file, line).unwrap_err();
            assert!(matches!(refused, KeyError::NotAKey { path } if path == file));
        }
    }

    /// Whoever can write the file must not be able to make the node take all memory or time.
    #[test]
    fn a_lock_that_is_mangled_or_asks_for_too_much_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let key = DataKey::generate().unwrap();
        let chosen = passphrase("five words make a good one");
        let lock = Lock::write(directory.path(), &key, (&chosen, Cost::LEAST)).unwrap();
        let good = lock.to_text();
        let cost = Cost::LEAST.to_line();
        let costs =
            ["argon2id 1048577 1 1", "argon2id 32 65 1", "argon2id 32 1 5", "argon2id 32 0 1"];
        let mut bad: Vec<String> = costs.iter().map(|other| good.replace(&cost, other)).collect();
        bad.extend([
            good.replace("argon2id", "argon2i"),
            good.replace("32 1 1", "032 1 1"),
            good.trim_end().trim_end_matches(|_: char| true).to_owned(),
            format!("{good}more\n"),
            good.trim_end()[..good.len() - 3].to_owned(),
        ]);
        for text in bad {
            replace_file(lock.path(), text.as_bytes()).unwrap();
            let refused = Lock::read(directory.path()).unwrap_err();
            assert!(matches!(refused, KeyError::NotALock { .. }), "{text}");
        }
    }

    #[test]
    fn a_new_passphrase_has_twelve_characters() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("passphrase");
        replace_file(&file, b"eleven char\n").unwrap();
        let refused = Passphrase::choose(Some(&file)).unwrap_err();
        assert!(matches!(refused, KeyError::WeakPassphrase { found: 11, least: 12 }));
    }
}
