//! Codes of what partners are sent away for, and of the daemon's log.
//!
//! *Source*: ours; faults of runs as in `protocol/SPEC.md`.

use super::{Part, codes};

/// Why the session with a partner's node was ended.
pub(super) const SENT_AWAY: Part = Part {
    title: "Why a partner was sent away",
    about: "Beside `peer-dropped`, `run-refused` and `told-to-go` in the journal and the log, and beside `bad-card`. Nothing of what it \
            sent was kept. It is met again later; if it happens often, tell its IT team the code.",
    codes: codes! {
        "compare-bad-head": "The head by which it compares a feed is not signed by the feed's key.", "Tell its IT team: its node is damaged or broken into.";
        "false-accusation": "It showed a proof of two histories that proves nothing.", "Tell its IT team: its node is damaged or broken into.";
        "feed-not-opened": "A feed that does not begin with its opening. Its author signed that.", "Tell the author's IT team.";
        "feed-opened-again": "A feed that opens itself twice. Its author signed that.", "Tell the author's IT team.";
        "foreign-card": "It showed a card of another organisation or node than it is known as.", "Tell its IT team.";
        "incompatible": "It speaks other versions of the protocol.", "Upgrade the older node of the two.";
        "malformed": "It sent bytes that are no message.", "Tell its IT team: its node is damaged, of another program, or broken into.";
        "no-hello": "It did not begin with a hello.", "Tell its IT team.";
        "not-the-target": "It answered with other entries than the ones it had told of.", "Tell its IT team.";
        "overrun": "It sent more than it was let send.", "Tell its IT team.";
        "payload-mismatch": "Content that is not the one that the entry names.", "Tell its IT team.";
        "payload-out-of-place": "A piece of content that does not continue the one before.", "Tell its IT team.";
        "run-bad-header": "An entry whose header breaks a rule.", "Tell its IT team.";
        "run-bad-signature": "Entries whose head is not signed by the feed's key.", "Tell its IT team: somebody changed them.";
        "run-missing-head": "Entries without a signed head that is due.", "Tell its IT team.";
        "run-other-entries": "Entries that their signed head is not over.", "Tell its IT team: somebody changed them.";
        "run-other-feed": "Entries of another feed than it said.", "Tell its IT team.";
        "run-stray-head": "A signed head that has no place in its entries.", "Tell its IT team.";
        "run-uncovered": "Entries without a signed head.", "Tell its IT team.";
        "run-wrong-prev": "An entry that does not follow the one before it.", "Tell its IT team.";
        "run-wrong-seq": "An entry with another number than its place.", "Tell its IT team.";
        "stranger": "A node whose key is on no card was turned away.", "If it is a partner's, add its newest card; else nothing.";
        "too-many-feeds": "It told of more feeds than a board can have.", "Tell its IT team.";
    },
};

/// Lines of the daemon's log, beside the journal's events that are told there too.
pub(super) const LOG: Part = Part {
    title: "The log of the daemon",
    about: "`concordat serve` writes a line for each, with its `code`. Those of the journal's events \
            (`docs/journal.md`) stand in it too.",
    codes: codes! {
        "away": "A partner could not be reached; the line says when it is tried again.", "Nothing; if it stays so, `concordat doctor`.";
        "bad-address": "A card names an address that cannot be dialled.", "Ask the partner for a card with the right one.";
        "bad-frame": "A frame could not be sent.", "Report it: this is a fault of the program.";
        "bad-node-key": "A card names a node key that cannot be met: it is none of the kind that nodes use.", "Ask the organisation for its newest card.";
        "clock": "Whether this node's clock agrees with those of its partners.", "If it does not, set it, and run a time service.";
        "control": "A command could not be answered once.", "Run it again.";
        "disk-space": "There is space on the disk again.", "Nothing.";
        "documents": "No note could be made that a document is being opened.", "See whether the disk is full.";
        "ended": "The daemon could not go on.", "The line says why; systemd starts it again.";
        "forked": "An organisation signed two histories.", "Ring it: its key or its store was copied.";
        "http": "The API is served.", "Nothing.";
        "http-records": "A program did something with private records.", "Nothing; it is told so that it can be reviewed.";
        "http-token": "A token could not be looked up.", "`concordat token list` says what is wrong with the file.";
        "http-wrote": "A program wrote something on a board.", "Nothing; it is told so that it can be reviewed.";
        "incoming": "A connection failed before a key was proved; one line an hour for each address.", "Nothing.";
        "listener": "The node can no longer listen at an address.", "See the network of this machine; restart the daemon.";
        "new-card": "This node's card has changed, since its config has.", "Hand it to the partners, unless the boards spread it.";
        "no-notice": "systemd could not be told that the daemon is ready.", "See `docs/service.md`.";
        "records-log": "A part of the log of private records cannot be read.", "The line says whether it was begun anew from a sound store, or where a copy is kept and that a backup may have the rest.";
        "restored": "The store may be an older copy: nothing is signed before partners told how far it had come.", "Let the daemon run.";
        "scrubbed": "All that is stored is what was written.", "Nothing.";
        "serving": "The daemon runs, for this organisation.", "Nothing.";
        "silent": "A partner answered no pings, and its connection was closed.", "Nothing; it is dialled again.";
        "stopped": "The daemon has stopped.", "Nothing.";
        "stopping": "The daemon was told to stop, and does.", "Nothing.";
        "store-behind": "The store lost its last commits; private records were taken from their own log.", "Have the disk looked at; what is shared comes from partners.";
        "store-hangs": "A commit did not end, so the daemon did.", "Have the disk looked at; systemd starts the daemon again.";
        "store-index": "The index of the store was damaged and made anew.", "Have the disk looked at.";
        "strangers": "How many more attempts of strangers there were in the last hour.", "Nothing; see `docs/network.md` if they are many.";
    },
};
