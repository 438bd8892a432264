//! Codes of the machine: files, config, store, backups, the daemon.
//!
//! *Source*: ours.

use super::{Part, codes};

/// Files, config, the daemon, the demonstration.
pub(super) const MACHINE: Part = Part {
    title: "The machine and the daemon",
    about: "Something is not there, not in order, or failed.",
    codes: codes! {
        "config" 2: "The config file is not in order.", "Mend what the message lists; `concordat config check` tells all of it at once.";
        "daemon" 2: "The daemon does not answer, or answers something else than it was asked.", "See whether it runs and is of the same version as the command.";
        "demo-directory" 1: "The demonstration cannot use this directory.", "Name one that is empty, with a shorter path.";
        "demo-step" 2: "A step of the demonstration failed.", "The message names the node and its log.";
        "export" 2 State: "The board could not be written to a file.", "See whether the disk is full, and who may write there.";
        "file" 2: "A file could not be read or written, or is there already.", "The message names it and says why.";
        "input" 2: "The input could not be read.", "See whether the file is there and who may read it.";
        "interrupted" 2: "The demonstration was interrupted; all its nodes have ended.", "Start it again.";
        "memory-store" 2: "The store is in memory, so only the daemon has it.", "Start the daemon, or set `store` in the config.";
        "no-node" 1: "The directory holds no node.", "Make one with `concordat init`, or name another with `--home`.";
        "node-exists" 1: "There is a node in this directory already, or one was begun.", "Choose another `--home`.";
        "other-version" 2 Malformed: "The daemon cannot read what it was asked: it and the command are of different versions.", "Restart the daemon after an upgrade.";
        "output" 2 Away: "The answer could not be written.", "See whether the disk is full, or whoever reads has ended.";
        "serve" 2: "The daemon could not start, or not go on.", "The message says why; `concordat doctor` looks at all that it needs.";
        "system" 2 Away: "The operating system failed: it gave no randomness, memory or threads.", "See its own log, and try again.";
    },
};

/// The store, and backups of a node.
pub(super) const STORE: Part = Part {
    title: "The store and backups",
    about: "`docs/storage.md` and `docs/backup.md` go through them.",
    codes: codes! {
        "backup-cipher" 2: "The backup could not be encrypted.", "Try again; if it happens twice, report it.";
        "backup-config" 1: "The config in the backup names another home than the one it would be restored to.", "Restore it on the machine that it was made for.";
        "backup-damaged" 1: "The backup was changed after it was written.", "Use another copy.";
        "backup-passphrase" 1: "The passphrase does not open the backup.", "Use the one it was made with; nobody can open it without.";
        "backup-truncated" 1: "The backup ends too early.", "Use another copy.";
        "busy" 2: "The store is in use by another process.", "Stop the other daemon or command that has this home.";
        "disk-full" 2: "The disk is full; nothing that was acknowledged is lost.", "Free some space, and start the daemon again.";
        "high-water" 2: "The file beside the store that says how far it had come is not in order.", "Do what the message says; the node then asks its partners.";
        "home-taken" 1: "There is a node already where the backup was to be restored.", "Name an empty directory with `--home`.";
        "migration-differs" 2: "The migrated store is not the same as the one before.", "Move the new one away, and try again.";
        "not-a-backup" 1: "The file is no backup.", "Check the path.";
        "nothing-to-migrate" 2: "There is no store of another engine.", "Nothing.";
        "nothing-to-set-aside" 2: "There is no store of this engine.", "Check `--home` and the config.";
        "other-engine" 2: "The store is of another engine than the config says.", "Change `store` in the config, or run `concordat store migrate`.";
        "store" 2 Away: "The store could not be read or written.", "Restart the daemon, then `concordat store check` with the daemon stopped.";
        "store-changes-too-fast" 2: "The store changed faster than it could be copied.", "Try again when less is written, or with the daemon stopped.";
        "store-damaged" 2: "What was read is not what was written.", "`concordat store check` names what is damaged, `concordat store set-aside` begins anew beside it.";
        "two-daemons" 2: "Two daemons sign in one home, or in a copy of it.", "Stop one of them for good at once; then start the other.";
        "two-stores" 2: "A migration was cut short: there are two stores.", "Run `concordat store migrate` again with the same `--to`.";
    },
};
