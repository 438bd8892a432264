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
    DIRECTORY, KeyError, RECOVERY_PUBLIC, Seed, io_at, read_32_bytes, refuse_others,
    sync_directory, write_seed,
};

/// The directory of keys of one node.
#[derive(Debug, Clone)]
pub struct KeyDirectory(PathBuf);

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
        Ok(Self(path))
    }

    /// The file of the feed key of an epoch.
    #[must_use]
    pub fn feed_file(&self, epoch: u64) -> PathBuf {
        self.0.join(file_name("feed", epoch))
    }

    /// The file of the node key that is in use in an epoch: the newest that is not of a later one.
    ///
    /// # Errors
    /// - [`KeyError::Io`]: the directory cannot be read.
    pub fn node_file(&self, epoch: u64) -> Result<PathBuf, KeyError> {
        let made = self.epochs_of("node")?;
        let newest = made.into_iter().filter(|made| *made <= epoch).max().unwrap_or(0);
        Ok(self.0.join(file_name("node", newest)))
    }

    /// The file of the witness key.
    #[must_use]
    pub fn witness_file(&self) -> PathBuf {
        self.0.join(file_name("witness", 0))
    }

    /// The feed key of an epoch.
    ///
    /// # Errors
    /// - [`KeyError::FeedKeyLost`]: there is no such file.
    /// - others as for [`super::load`].
    pub fn feed(&self, epoch: u64) -> Result<Seed, KeyError> {
        let path = self.feed_file(epoch);
        match read_32_bytes(&path) {
            Err(KeyError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                Err(KeyError::FeedKeyLost { path })
            }
            read => read.map(Seed),
        }
    }

    /// The node key that is in use in an epoch.
    ///
    /// # Errors
    /// - as for [`super::load`].
    pub fn node(&self, epoch: u64) -> Result<Seed, KeyError> {
        read_32_bytes(&self.node_file(epoch)?).map(Seed)
    }

    /// The witness key.
    ///
    /// # Errors
    /// - as for [`super::load`].
    pub fn witness(&self) -> Result<Seed, KeyError> {
        read_32_bytes(&self.witness_file()).map(Seed)
    }

    /// The public part of the recovery key.
    ///
    /// # Errors
    /// - as for [`super::load`].
    pub fn recovery_public(&self) -> Result<[u8; 32], KeyError> {
        Ok(*read_32_bytes(&self.0.join(RECOVERY_PUBLIC))?)
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
            remove(&self.0.join(file_name(name, epoch)))?;
        }
        let advice = "keep it secret and on this machine";
        write_seed(&self.0.join(file_name("feed", epoch)), "feed", &new.feed, advice)?;
        if let Some(node) = &new.node {
            write_seed(&self.0.join(file_name("node", epoch)), "node", node, advice)?;
        }
        sync_directory(&self.0)
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
            let path = self.0.join(file_name(name, made));
            if path != node {
                remove(&path)?;
            }
        }
        sync_directory(&self.0)
    }

    /// The epochs of which there is a file of this kind of key.
    fn epochs_of(&self, name: &str) -> Result<Vec<u64>, KeyError> {
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.0).map_err(io_at(&self.0, "reading"))? {
            let entry = entry.map_err(io_at(&self.0, "reading"))?;
            found.extend(entry.file_name().to_str().and_then(|file| epoch_of(name, file)));
        }
        Ok(found)
    }
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
}
