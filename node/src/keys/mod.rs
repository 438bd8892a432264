//! An organisation's secret keys on disk.
//!
//! ```text
//!   <home>/keys/          0700
//!     feed.key            0600   signs heads, one for all boards of the organisation; feed-3.key in
//!                                the epoch of card 3
//!     witness.key         0600   cosigns checkpoints
//!     node.key            0600   the transport's key; its public part is the libp2p PeerId;
//!                                node-3.key if it was made with the feed key of epoch 3
//!     recovery.pub        0600   public part of the recovery key
//!   <elsewhere>           0600   the recovery seed: written once, then kept off this machine
//!
//!     lock                0600   if the three secrets are locked with a passphrase, see `lock`
//!
//!   # concordat feed key: keep it secret and on this machine      one comment line
//!   9f3c…                                                         64 hex digits, 32 bytes
//! ```
//!
//! *Invariants.* No key is ever overwritten with another; the newest card says which of them are in use, see
//! `epochs`. Files and their directory are durable before `create`
//! returns. A secret that others can read is not used. Seeds are wiped from memory when dropped and
//! never printed. Knows nothing of entries or boards: whoever signs is given a [`Seed`].
//!
//! *Source*: ours; Ed25519 seeds as in RFC 8032 section 5.1.5.

mod epochs;
mod error;
mod lock;
mod passphrase;

use std::{
    fmt,
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::Path,
};

use data_encoding::HEXLOWER;
use ed25519_dalek::SigningKey;
use zeroize::Zeroizing;

pub use epochs::{KeyDirectory, NewKeys};
pub use error::KeyError;
pub use lock::Cost;
pub use passphrase::Passphrase;

use crate::clock::{EntropyError, entropy};

const DIRECTORY: &str = "keys";
const RECOVERY_PUBLIC: &str = "recovery.pub";
/// A key file has about 130 bytes; anything much longer is some other file.
const FILE_BYTES_MAX: u64 = 1024;
/// What a key file that is not locked tells whoever opens it.
const ADVICE: &str = "keep it secret and on this machine";
/// Permission bits of group and others.
const OTHERS: u32 = 0o077;

/// 32 secret bytes; wiped when dropped, never shown.
#[derive(Clone)]
pub struct Seed(Zeroizing<[u8; 32]>);

impl Seed {
    /// A fresh seed from the operating system.
    ///
    /// # Errors
    /// - [`EntropyError`]: the operating system gave no random bytes.
    pub fn generate() -> Result<Self, EntropyError> {
        Ok(Self(Zeroizing::new(entropy()?)))
    }

    /// The secret bytes, for the one who signs.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The Ed25519 public key of this seed.
    #[must_use]
    pub fn to_public(&self) -> [u8; 32] {
        SigningKey::from_bytes(&self.0).verifying_key().to_bytes()
    }
}

impl fmt::Debug for Seed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Seed(secret)")
    }
}

/// What a running node holds: three secrets, and the public part of the fourth.
#[derive(Debug)]
pub struct Keys {
    /// Signs heads.
    pub feed: Seed,
    /// Cosigns checkpoints.
    pub witness: Seed,
    /// Identifies the node to its peers.
    pub node: Seed,
    /// Public part of the recovery key; its digest stands in the organisation's inception.
    pub recovery_public: [u8; 32],
}

/// Makes new keys in `<home>/keys/` and writes the recovery seed to `recovery_out`.
///
/// # Errors
/// - [`KeyError::Exists`]: there are keys already, or a file at `recovery_out`; nothing is changed.
/// - [`KeyError::RecoveryAtHome`]: whoever takes the machine or its backup would take both.
/// - [`KeyError::Entropy`], [`KeyError::Io`]: the machine failed; what was begun stays, `load`
///   refuses it, and a person removes it.
pub fn create(home: &Path, recovery_out: &Path) -> Result<Keys, KeyError> {
    let directory = home.join(DIRECTORY);
    DirBuilder::new().recursive(true).mode(0o700).create(home).map_err(io_at(home, "creating"))?;
    refuse_recovery_at_home(home, recovery_out)?;
    let recovery = Seed::generate()?;
    let keys = Keys {
        feed: Seed::generate()?,
        witness: Seed::generate()?,
        node: Seed::generate()?,
        recovery_public: recovery.to_public(),
    };

    DirBuilder::new().mode(0o700).create(&directory).map_err(create_error(&directory))?;
    let written_out = write_seed(recovery_out, "recovery", &recovery, "print it, lock it away");
    if let Err(error) = written_out {
        // Still empty: without it the person can call again with a better path.
        let _removed = fs::remove_dir(&directory);
        return Err(error);
    }
    for (name, seed) in [("feed", &keys.feed), ("witness", &keys.witness), ("node", &keys.node)] {
        let path = directory.join(format!("{name}.key"));
        write_seed(&path, name, seed, ADVICE)?;
    }
    let public = HEXLOWER.encode(&keys.recovery_public);
    let text = format!("# concordat recovery key: public part\n{public}\n");
    write_new(&directory.join(RECOVERY_PUBLIC), text.as_bytes())?;
    sync_directory(&directory)?;
    sync_directory(home)?;
    Ok(keys)
}

/// Reads the keys that are in use in the epoch of the newest card.
///
/// # Errors
/// - [`KeyError::NoKeys`]: there are none yet.
/// - [`KeyError::OpenToOthers`]: a file or the directory can be read by others than its owner.
/// - [`KeyError::FeedKeyLost`]: there is no file of the feed key.
/// - [`KeyError::NotAKey`]: a file does not hold 64 hex digits.
/// - [`KeyError::NoPassphrase`], [`KeyError::WrongPassphrase`]: the keys are locked.
/// - [`KeyError::Io`]: a file is missing or cannot be read.
pub fn load(home: &Path, epoch: u64) -> Result<Keys, KeyError> {
    let keys = KeyDirectory::open(home)?;
    Ok(Keys {
        feed: keys.feed(epoch)?,
        witness: keys.witness()?,
        node: keys.node(epoch)?,
        recovery_public: keys.recovery_public()?,
    })
}

/// Reads a recovery seed back from where it was kept, to sign a new epoch.
///
/// # Errors
/// - as [`load`], of this one file.
pub fn load_recovery(path: &Path) -> Result<Seed, KeyError> {
    let line = read_line(path)?;
    seed_of_hex(path, &line)
}

fn refuse_recovery_at_home(home: &Path, recovery_out: &Path) -> Result<(), KeyError> {
    let parent = match recovery_out.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        Some(_) | None => Path::new("."),
    };
    let parent = fs::canonicalize(parent).map_err(io_at(parent, "finding"))?;
    let home = fs::canonicalize(home).map_err(io_at(home, "finding"))?;
    if parent.starts_with(&home) {
        return Err(KeyError::RecoveryAtHome { path: recovery_out.to_path_buf(), home });
    }
    Ok(())
}

fn write_seed(path: &Path, name: &str, seed: &Seed, advice: &str) -> Result<(), KeyError> {
    write_new(path, key_text(name, seed, advice).as_bytes())?;
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => sync_directory(parent),
        Some(_) | None => sync_directory(Path::new(".")),
    }
}

/// What a key file holds that is not locked.
fn key_text(name: &str, seed: &Seed, advice: &str) -> Zeroizing<String> {
    let hex = Zeroizing::new(HEXLOWER.encode(seed.as_bytes()));
    Zeroizing::new(format!("# concordat {name} key: {advice}\n{}\n", *hex))
}

/// Which key a file holds, by its name: `feed` of `feed-3.key`.
fn name_of(path: &Path) -> &str {
    let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    stem.split('-').next().unwrap_or_default()
}

fn write_new(path: &Path, bytes: &[u8]) -> Result<(), KeyError> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .map_err(create_error(path))?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(io_at(path, "writing"))
}

fn sync_directory(path: &Path) -> Result<(), KeyError> {
    File::open(path).and_then(|file| file.sync_all()).map_err(io_at(path, "writing"))
}

/// The one line of a key file that is no comment.
fn read_line(path: &Path) -> Result<Zeroizing<String>, KeyError> {
    let text = read_small(path)?;
    let mut lines = text.lines().map(str::trim).filter(|line| !is_comment(line));
    match (lines.next(), lines.next()) {
        (Some(line), None) => Ok(Zeroizing::new(line.to_owned())),
        _ => Err(KeyError::NotAKey { path: path.to_path_buf() }),
    }
}

/// The text of a small file that nobody else can read.
fn read_small(path: &Path) -> Result<Zeroizing<String>, KeyError> {
    let file = File::open(path).map_err(io_at(path, "reading"))?;
    // Of the open file, so that it cannot be exchanged in between.
    let found = file.metadata().map_err(io_at(path, "reading"))?;
    refuse_others(path, found.permissions().mode())?;
    let mut text = Zeroizing::new(String::with_capacity(256));
    file.take(FILE_BYTES_MAX).read_to_string(&mut text).map_err(io_at(path, "reading"))?;
    Ok(text)
}

fn seed_of_hex(path: &Path, hex: &str) -> Result<Seed, KeyError> {
    let not_a_key = || KeyError::NotAKey { path: path.to_path_buf() };
    let mut bytes = Zeroizing::new([0; 32]);
    if HEXLOWER.decode_len(hex.len()) != Ok(bytes.len()) {
        return Err(not_a_key());
    }
    HEXLOWER.decode_mut(hex.as_bytes(), bytes.as_mut()).map_err(|_| not_a_key())?;
    Ok(Seed(bytes))
}

fn is_comment(line: &str) -> bool {
    line.is_empty() || line.starts_with('#')
}

fn refuse_others(path: &Path, mode: u32) -> Result<(), KeyError> {
    if mode & OTHERS == 0 {
        return Ok(());
    }
    Err(KeyError::OpenToOthers { path: path.to_path_buf(), mode: mode & 0o7777 })
}

fn io_at(path: &Path, doing: &'static str) -> impl FnOnce(io::Error) -> KeyError {
    move |source| KeyError::Io { path: path.to_path_buf(), doing, source }
}

fn create_error(path: &Path) -> impl FnOnce(io::Error) -> KeyError {
    move |source| match source.kind() {
        io::ErrorKind::AlreadyExists => KeyError::Exists { path: path.to_path_buf() },
        _ => KeyError::Io { path: path.to_path_buf(), doing: "creating", source },
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    struct Place {
        _directory: tempfile::TempDir,
        home: PathBuf,
        recovery: PathBuf,
    }

    fn place() -> Place {
        let directory = tempfile::tempdir().unwrap();
        let home = directory.path().join("home");
        let recovery = directory.path().join("recovery.key");
        Place { _directory: directory, home, recovery }
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o7777
    }

    #[test]
    fn what_was_created_is_loaded_again() {
        let place = place();

        let created = create(&place.home, &place.recovery).unwrap();
        let loaded = load(&place.home, 0).unwrap();

        for (one, other) in [
            (&created.feed, &loaded.feed),
            (&created.witness, &loaded.witness),
            (&created.node, &loaded.node),
        ] {
            assert_eq!(one.as_bytes(), other.as_bytes());
        }
        assert_eq!(created.recovery_public, loaded.recovery_public);
        let recovery = load_recovery(&place.recovery).unwrap();
        assert_eq!(recovery.to_public(), created.recovery_public);
    }

    #[test]
    fn all_keys_differ_and_none_is_printed() {
        let place = place();
        let keys = create(&place.home, &place.recovery).unwrap();

        let all = [
            keys.feed.to_public(),
            keys.witness.to_public(),
            keys.node.to_public(),
            keys.recovery_public,
        ];

        for (index, key) in all.iter().enumerate() {
            assert!(!all[..index].contains(key));
        }
        assert_eq!(format!("{:?}", keys.feed), "Seed(secret)");
    }

    #[test]
    fn files_are_for_their_owner_alone() {
        let place = place();
        create(&place.home, &place.recovery).unwrap();
        let directory = place.home.join("keys");

        let mut files: Vec<_> = fs::read_dir(&directory)
            .unwrap()
            .map(|entry| entry.unwrap())
            .map(|entry| (entry.file_name().into_string().unwrap(), mode(&entry.path())))
            .collect();
        files.sort();

        let expected = ["feed.key", "node.key", "recovery.pub", "witness.key"];
        assert_eq!(files, expected.map(|name| (name.to_owned(), 0o600)));
        assert_eq!(mode(&directory), 0o700);
        assert_eq!(mode(&place.recovery), 0o600);
    }

    #[test]
    fn a_second_creation_is_refused_and_changes_nothing() {
        let place = place();
        create(&place.home, &place.recovery).unwrap();
        let before = fs::read(place.home.join("keys/feed.key")).unwrap();
        let other = place.recovery.with_file_name("other.key");

        let refused = create(&place.home, &other).unwrap_err();

        assert!(matches!(refused, KeyError::Exists { path } if path == place.home.join("keys")));
        assert_eq!(fs::read(place.home.join("keys/feed.key")).unwrap(), before);
        assert!(!other.exists());
    }

    #[test]
    fn an_existing_recovery_file_is_kept_and_another_path_can_be_tried() {
        let place = place();
        fs::write(&place.recovery, "precious").unwrap();

        let refused = create(&place.home, &place.recovery).unwrap_err();

        assert!(matches!(refused, KeyError::Exists { path } if path == place.recovery));
        assert_eq!(fs::read_to_string(&place.recovery).unwrap(), "precious");
        create(&place.home, &place.recovery.with_file_name("other.key")).unwrap();
    }

    #[test]
    fn the_recovery_key_may_not_stay_at_home() {
        let place = place();

        let refused = create(&place.home, &place.home.join("recovery.key")).unwrap_err();

        assert!(matches!(refused, KeyError::RecoveryAtHome { .. }), "{refused}");
        assert!(!place.home.join("keys").exists());
    }

    #[test]
    fn a_secret_that_others_can_read_is_refused_with_what_to_do() {
        let place = place();
        create(&place.home, &place.recovery).unwrap();
        let feed = place.home.join("keys/feed.key");
        let keys = place.home.join("keys");

        for (path, open_mode, closed_mode) in [(&feed, 0o640, 0o600), (&keys, 0o701, 0o700)] {
            fs::set_permissions(path, fs::Permissions::from_mode(open_mode)).unwrap();
            let refused = load(&place.home, 0).unwrap_err().to_string();
            fs::set_permissions(path, fs::Permissions::from_mode(closed_mode)).unwrap();

            let expected = format!(
                "{0} can be read or written by others (mode {open_mode:04o}); run `chmod go-rwx \
                 {0}`, and replace the key if someone else has used this machine",
                path.display()
            );
            assert_eq!(refused, expected);
        }
        load(&place.home, 0).unwrap();
    }

    #[test]
    fn a_missing_or_mangled_key_is_named() {
        let place = place();
        assert!(matches!(load(&place.home, 0), Err(KeyError::NoKeys { .. })));
        create(&place.home, &place.recovery).unwrap();
        let witness = place.home.join("keys/witness.key");

        for text in ["", "# only a comment\n", "abc\n", &"f".repeat(66), &"F".repeat(64), "é\n"] {
            fs::write(&witness, text).unwrap();
            let refused = load(&place.home, 0).unwrap_err();
            assert!(matches!(refused, KeyError::NotAKey { path } if path == witness));
        }
        fs::remove_file(&witness).unwrap();
        let refused = load(&place.home, 0).unwrap_err();
        assert!(matches!(refused, KeyError::Io { path, .. } if path == witness));
    }
}
