//! Which key files an epoch uses, and how new ones come and old ones go.
//!
//! ```text
//!   newest card       feed key        node key
//!   epoch 0           feed.key        node.key
//!   epoch 1           feed-1.key      node.key        rotated without --node-key
//!   epoch 2           feed-2.key      node-2.key      rotated with it
//! ```
//!
//! The card is the switch: new files lie beside the old ones, used by nobody, until the card of their
//! epoch takes the place of the old card. A file of a later epoch than the card's was left by a command
//! that did not come to its end.
//!
//! *Invariants.* No file is overwritten. A file is only removed when the card in use names another key,
//! and its caller has made sure that nothing rests on it.
//!
//! *Source*: ours.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::{
    ADVICE, DIRECTORY, KeyError, Passphrase, RECOVERY_PUBLIC, Seed, io_at, key_text,
    lock::{Cost, DataKey, Lock, is_locked},
    name_of, passphrase, read_line, refuse_others, seed_of_hex, sync_directory, write_new,
    write_seed,
};
use crate::home::{remove_file, replace_file};

/// The directory of keys of one node.
#[derive(Debug, Clone)]
pub struct KeyDirectory {
    path: PathBuf,
    /// Closed until a key is read.
    lock: Option<Lock>,
}

/// Keys that were just made, and are used by nobody yet.
#[derive(Debug, Clone)]
pub struct NewKeys {
    /// Will sign heads.
    pub feed: Seed,
    /// Will identify the node, if it is to have a new key too.
    pub node: Option<Seed>,
}

impl NewKeys {
    /// Fresh keys, in memory alone.
    ///
    /// # Errors
    /// - [`KeyError::Entropy`]: the operating system gave no random bytes.
    pub fn generate(with_node: bool) -> Result<Self, KeyError> {
        let node = if with_node { Some(Seed::generate()?) } else { None };
        Ok(Self { feed: Seed::generate()?, node })
    }
}

impl KeyDirectory {
    /// The directory of keys in a home.
    ///
    /// # Errors
    /// - [`KeyError::NoKeys`]: there is none.
    /// - [`KeyError::OpenToOthers`]: others than its owner can read it.
    pub fn open(home: &Path) -> Result<Self, KeyError> {
        use std::os::unix::fs::PermissionsExt;
        let path = home.join(DIRECTORY);
        match fs::metadata(&path) {
            Ok(found) => refuse_others(&path, found.permissions().mode())?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(KeyError::NoKeys { path });
            }
            Err(error) => return Err(io_at(&path, "reading")(error)),
        }
        Ok(Self { lock: Lock::read(&path)?, path })
    }

    /// Whether the keys are locked with a passphrase.
    #[must_use]
    pub const fn is_locked(&self) -> bool {
        self.lock.is_some()
    }

    /// The file of the feed key of an epoch.
    #[must_use]
    pub fn feed_file(&self, epoch: u64) -> PathBuf {
        self.path.join(file_name("feed", epoch))
    }

    /// The file of the node key that is in use in an epoch: the newest that is not of a later one.
    ///
    /// # Errors
    /// - [`KeyError::Io`]: the directory cannot be read.
    pub fn node_file(&self, epoch: u64) -> Result<PathBuf, KeyError> {
        let made = self.epochs_of("node")?;
        let newest = made.into_iter().filter(|made| *made <= epoch).max().unwrap_or(0);
        Ok(self.path.join(file_name("node", newest)))
    }

    /// The file of the witness key.
    #[must_use]
    pub fn witness_file(&self) -> PathBuf {
        self.path.join(file_name("witness", 0))
    }

    /// The feed key of an epoch.
    ///
    /// # Errors
    /// - [`KeyError::FeedKeyLost`]: there is no such file.
    /// - others as for [`super::load`].
    pub fn feed(&self, epoch: u64) -> Result<Seed, KeyError> {
        let path = self.feed_file(epoch);
        match self.seed(&path) {
            Err(KeyError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                Err(KeyError::FeedKeyLost { path })
            }
            read => read,
        }
    }

    /// The node key that is in use in an epoch.
    ///
    /// # Errors
    /// - as for [`super::load`].
    pub fn node(&self, epoch: u64) -> Result<Seed, KeyError> {
        self.seed(&self.node_file(epoch)?)
    }

    /// The witness key.
    ///
    /// # Errors
    /// - as for [`super::load`].
    pub fn witness(&self) -> Result<Seed, KeyError> {
        self.seed(&self.witness_file())
    }

    /// The public part of the recovery key.
    ///
    /// # Errors
    /// - as for [`super::load`].
    pub fn recovery_public(&self) -> Result<[u8; 32], KeyError> {
        let path = self.path.join(RECOVERY_PUBLIC);
        Ok(*seed_of_hex(&path, &read_line(&path)?)?.as_bytes())
    }

    /// The feed key of an epoch, if a command that did not come to its end has left one.
    ///
    /// # Errors
    /// - as for [`super::load`].
    pub fn left_over(&self, epoch: u64) -> Result<Option<Seed>, KeyError> {
        match self.feed(epoch) {
            Ok(seed) => Ok(Some(seed)),
            // Cut short while it was written, so it never was in use.
            Err(KeyError::FeedKeyLost { .. } | KeyError::NotAKey { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Writes the keys of an epoch beside those in use, in place of any that were left over; durable
    /// on return.
    ///
    /// # Errors
    /// - [`KeyError::Io`]: the machine failed; the card still names the keys that were in use.
    pub fn add(&self, epoch: u64, new: &NewKeys) -> Result<(), KeyError> {
        for name in ["feed", "node"] {
            remove(&self.path.join(file_name(name, epoch)))?;
        }
        let lock = self.lock.as_ref().map(open).transpose()?;
        let write = |name: &str, seed: &Seed| {
            let path = self.path.join(file_name(name, epoch));
            match &lock {
                None => write_seed(&path, name, seed, ADVICE),
                Some(key) => write_new(&path, locked_text(key, &path, seed)?.as_bytes()),
            }
        };
        write("feed", &new.feed)?;
        if let Some(node) = &new.node {
            write("node", node)?;
        }
        sync_directory(&self.path)
    }

    /// Locks every key with a passphrase. A call that did not come to its end can be made again: the
    /// keys are readable in between, locked or not.
    ///
    /// # Errors
    /// - [`KeyError::AlreadySo`]: all are locked.
    /// - [`KeyError::File`]: the disk said no.
    pub fn lock(&self, passphrase: &Passphrase) -> Result<(), KeyError> {
        self.lock_at(passphrase, Cost::RECOMMENDED)
    }

    fn lock_at(&self, passphrase: &Passphrase, cost: Cost) -> Result<(), KeyError> {
        let open_files = self.secret_files(|line| !is_locked(line))?;
        if open_files.is_empty() {
            return Err(KeyError::AlreadySo { path: self.path.clone(), state: "locked" });
        }
        let key = match &self.lock {
            Some(lock) => lock.open(passphrase)?,
            None => {
                let written = Lock::write(&self.path, &DataKey::generate()?, (passphrase, cost))?;
                // Read back before a key is locked with it.
                let read = Lock::read(&self.path)?.filter(|read| *read == written);
                let differs = || KeyError::NotALock { path: written.path().to_path_buf() };
                read.ok_or_else(differs)?.open(passphrase)?
            }
        };
        for (path, line) in open_files {
            let seed = seed_of_hex(&path, &line)?;
            replace_file(&path, locked_text(&key, &path, &seed)?.as_bytes())?;
        }
        Ok(())
    }

    /// Writes every key without a lock again, and then removes the lock.
    ///
    /// # Errors
    /// - [`KeyError::AlreadySo`]: there is no lock.
    /// - [`KeyError::WrongPassphrase`], [`KeyError::NoPassphrase`]: it does not open.
    /// - [`KeyError::File`]: the disk said no.
    pub fn unlock(&self) -> Result<(), KeyError> {
        let key = open(self.expect_lock()?)?;
        for (path, line) in self.secret_files(is_locked)? {
            let seed = key.unlock(&path, &line)?;
            replace_file(&path, key_text(name_of(&path), &seed, ADVICE).as_bytes())?;
        }
        Ok(remove_file(self.expect_lock()?.path())?)
    }

    /// Replaces the passphrase: one file is written, whole or not at all.
    ///
    /// # Errors
    /// - [`KeyError::AlreadySo`]: there is no lock.
    /// - [`KeyError::WrongPassphrase`], [`KeyError::NoPassphrase`]: the old one does not open it.
    /// - [`KeyError::File`]: the disk said no; the old passphrase opens it.
    pub fn change_passphrase(&self, new: &Passphrase) -> Result<(), KeyError> {
        let key = open(self.expect_lock()?)?;
        Lock::write(&self.path, &key, (new, Cost::RECOMMENDED)).map(|_lock| ())
    }

    fn expect_lock(&self) -> Result<&Lock, KeyError> {
        let not_so = || KeyError::AlreadySo { path: self.path.clone(), state: "not locked" };
        self.lock.as_ref().ok_or_else(not_so)
    }

    /// The seed of a key file, locked or not.
    fn seed(&self, path: &Path) -> Result<Seed, KeyError> {
        let line = read_line(path)?;
        match &self.lock {
            _ if !is_locked(&line) => seed_of_hex(path, &line),
            Some(lock) => open(lock)?.unlock(path, &line),
            None => Err(KeyError::LockLost { path: path.to_path_buf() }),
        }
    }

    /// The files of secrets of which the line is such a one, and the lines.
    fn secret_files(
        &self,
        is_such: impl Fn(&str) -> bool,
    ) -> Result<Vec<(PathBuf, zeroize::Zeroizing<String>)>, KeyError> {
        let mut found = Vec::new();
        for name in ["feed", "node", "witness"] {
            for epoch in self.epochs_of(name)? {
                let path = self.path.join(file_name(name, epoch));
                let line = read_line(&path)?;
                if is_such(&line) {
                    found.push((path, line));
                }
            }
        }
        Ok(found)
    }

    /// Removes the key files that were in use before an epoch: what is not there cannot be stolen.
    ///
    /// # Errors
    /// - [`KeyError::Io`]: a file could not be removed.
    pub fn remove_older(&self, epoch: u64) -> Result<(), KeyError> {
        let node = self.node_file(epoch)?;
        let feeds = self.epochs_of("feed")?.into_iter().map(|made| ("feed", made));
        let nodes = self.epochs_of("node")?.into_iter().map(|made| ("node", made));
        for (name, made) in feeds.chain(nodes).filter(|(_, made)| *made < epoch) {
            let path = self.path.join(file_name(name, made));
            if path != node {
                remove(&path)?;
            }
        }
        sync_directory(&self.path)
    }

    /// The epochs of which there is a file of this kind of key.
    fn epochs_of(&self, name: &str) -> Result<Vec<u64>, KeyError> {
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.path).map_err(io_at(&self.path, "reading"))? {
            let entry = entry.map_err(io_at(&self.path, "reading"))?;
            found.extend(entry.file_name().to_str().and_then(|file| epoch_of(name, file)));
        }
        Ok(found)
    }
}

/// Opens a lock with the passphrase that somebody gives.
fn open(lock: &Lock) -> Result<DataKey, KeyError> {
    let ask = || passphrase::try_open(lock.path(), |passphrase| lock.open(passphrase));
    lock.opened().map_or_else(ask, Ok)
}

fn locked_text(key: &DataKey, path: &Path, seed: &Seed) -> Result<String, KeyError> {
    let name = name_of(path);
    Ok(format!("# concordat {name} key: locked\n{}\n", key.lock(path, seed)?))
}

fn file_name(name: &str, epoch: u64) -> String {
    if epoch == 0 { format!("{name}.key") } else { format!("{name}-{epoch}.key") }
}

fn epoch_of(name: &str, file: &str) -> Option<u64> {
    let stem = file.strip_prefix(name)?.strip_suffix(".key")?;
    let epoch = if stem.is_empty() { 0 } else { stem.strip_prefix('-')?.parse().ok()? };
    (file_name(name, epoch) == file).then_some(epoch)
}

fn remove(path: &Path) -> Result<(), KeyError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(io_at(path, "removing")(error))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::{create, load};

    #[test]
    fn an_epoch_uses_its_own_feed_key_and_the_newest_node_key() {
        let place = tempfile::tempdir().unwrap();
        let home = place.path().join("home");
        let first = create(&home, &place.path().join("recovery.key")).unwrap();
        let keys = KeyDirectory::open(&home).unwrap();
        let (one, two) = (NewKeys::generate(false).unwrap(), NewKeys::generate(true).unwrap());
        keys.add(1, &one).unwrap();
        keys.add(2, &two).unwrap();

        let in_use = |epoch| {
            let keys = load(&home, epoch).unwrap();
            (*keys.feed.as_bytes(), *keys.node.as_bytes())
        };
        let bytes = |seed: &Seed| *seed.as_bytes();
        let (node_0, node_2) = (bytes(&first.node), bytes(two.node.as_ref().unwrap()));
        assert_eq!(in_use(0), (bytes(&first.feed), node_0));
        assert_eq!(in_use(1), (bytes(&one.feed), node_0));
        assert_eq!(in_use(2), (bytes(&two.feed), node_2));

        keys.remove_older(1).unwrap();
        assert!(matches!(load(&home, 0), Err(KeyError::FeedKeyLost { .. })));
        assert_eq!(in_use(1), (bytes(&one.feed), node_0));
        keys.remove_older(2).unwrap();
        assert_eq!(in_use(2), (bytes(&two.feed), node_2));
        let names: Vec<_> = fs::read_dir(home.join("keys")).unwrap().collect();
        assert_eq!(names.len(), 4, "{names:?}");
    }

    #[test]
    fn keys_that_were_left_over_give_way_to_new_ones() {
        let place = tempfile::tempdir().unwrap();
        let home = place.path().join("home");
        create(&home, &place.path().join("recovery.key")).unwrap();
        let keys = KeyDirectory::open(&home).unwrap();
        assert!(keys.left_over(1).unwrap().is_none());
        keys.add(1, &NewKeys::generate(true).unwrap()).unwrap();
        assert!(keys.left_over(1).unwrap().is_some());

        let new = NewKeys::generate(false).unwrap();
        keys.add(1, &new).unwrap();

        assert_eq!(keys.feed(1).unwrap().as_bytes(), new.feed.as_bytes());
        assert_eq!(keys.node_file(1).unwrap(), home.join("keys/node.key"));
        fs::write(keys.feed_file(1), "cut sh").unwrap();
        assert!(keys.left_over(1).unwrap().is_none());
    }

    #[test]
    fn only_file_names_that_are_written_here_are_read() {
        let read =
            ["feed.key", "feed-3.key", "feed-0.key", "feed-03.key", "feed-x.key", "node.key"];
        let epochs = read.map(|file| epoch_of("feed", file));
        assert_eq!(epochs, [Some(0), Some(3), None, None, None, None]);
    }

    #[test]
    fn locked_keys_are_read_rotated_and_unlocked_again() {
        let place = tempfile::tempdir().unwrap();
        let home = place.path().join("home");
        let made = create(&home, &place.path().join("recovery.key")).unwrap();
        let file = place.path().join("passphrase");
        replace_file(&file, b"five words make a good one").unwrap();
        let chosen = Passphrase::choose(Some(&file)).unwrap();
        let directory = || KeyDirectory::open(&home).unwrap();
        let plain = fs::read(home.join("keys/feed.key")).unwrap();

        directory().lock_at(&chosen, Cost::LEAST).unwrap();

        assert!(directory().is_locked());
        let hex = data_encoding::HEXLOWER.encode(made.feed.as_bytes());
        let locked = fs::read_to_string(home.join("keys/feed.key")).unwrap();
        assert!(
            locked.starts_with("# concordat feed key: locked\nlocked ") && !locked.contains(&hex)
        );
        let loaded = load(&home, 0).unwrap();
        for (one, other) in [
            (&made.feed, &loaded.feed),
            (&made.witness, &loaded.witness),
            (&made.node, &loaded.node),
        ] {
            assert_eq!(one.as_bytes(), other.as_bytes());
        }
        let new = NewKeys::generate(true).unwrap();
        directory().add(1, &new).unwrap();
        assert_eq!(directory().feed(1).unwrap().as_bytes(), new.feed.as_bytes());
        assert!(fs::read_to_string(directory().feed_file(1)).unwrap().contains("\nlocked "));
        let again = directory().lock_at(&chosen, Cost::LEAST).unwrap_err();
        assert!(matches!(again, KeyError::AlreadySo { state: "locked", .. }), "{again}");

        directory().unlock().unwrap();

        assert_eq!(fs::read(home.join("keys/feed.key")).unwrap(), plain);
        assert!(!directory().is_locked());
        assert_eq!(load(&home, 1).unwrap().node.as_bytes(), new.node.unwrap().as_bytes());
    }

    /// A crash between two files leaves keys of both kinds: all are read, and the call can be made
    /// again.
    #[test]
    fn locking_that_did_not_come_to_its_end_is_taken_up_again() {
        let place = tempfile::tempdir().unwrap();
        let home = place.path().join("home");
        let made = create(&home, &place.path().join("recovery.key")).unwrap();
        let plain = fs::read(home.join("keys/node.key")).unwrap();
        let file = place.path().join("passphrase");
        replace_file(&file, b"five words make a good one").unwrap();
        let chosen = Passphrase::choose(Some(&file)).unwrap();
        let directory = || KeyDirectory::open(&home).unwrap();
        directory().lock_at(&chosen, Cost::LEAST).unwrap();
        replace_file(&home.join("keys/node.key"), &plain).unwrap();

        assert_eq!(load(&home, 0).unwrap().node.as_bytes(), made.node.as_bytes());
        directory().lock_at(&chosen, Cost::LEAST).unwrap();

        assert_ne!(fs::read(home.join("keys/node.key")).unwrap(), plain);
        fs::remove_file(home.join("keys/lock")).unwrap();
        assert!(matches!(load(&home, 0), Err(KeyError::LockLost { .. })));
    }
}
