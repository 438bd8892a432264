//! Codes of what an audit, `doctor` and `journal verify` find.
//!
//! *Source*: ours; findings as in `protocol/SPEC.md`, section 15.

use super::{Part, codes};

/// Findings of an audit. Exit codes: 1 proven, 2 unchecked, 0 a note.
pub(super) const FINDINGS: Part = Part {
    title: "What an audit finds",
    about: "`concordat audit verify` and the other `audit` commands. Exit code 1: it is proven that somebody \
            signed what breaks a rule. 2: something could not be checked, and nobody is accused. 0: a note.",
    codes: codes! {
        "AccusesUnknown" 2: "Evidence about a feed that is not in the file.", "Ask for a file that has that feed.";
        "AcknowledgedOther" 2: "Somebody acknowledged another entry than the one that is here.", "Ask that member for its bundle, and compare.";
        "AcknowledgedUnknown" 2: "Somebody acknowledged entries of a feed that is not here.", "Ask that member for its bundle.";
        "AfterEnd" 2: "Something follows the end of the file.", "The file was changed. Ask for it again.";
        "BackDated" 2: "An entry claims a time more than 15 minutes below one that its author had claimed before.", "When it was written is not known; who acknowledged it, and when, bounds it.";
        "BadCard" 2: "A card in the file does not read, or nobody signed it.", "The file was damaged. Ask for it again.";
        "BadFirstOpening" 1: "A member opened its first feed against the rules.", "Keep the file; ask the member.";
        "BadPayload" 1: "A member signed content that is not what its kind says.", "Keep the file; ask the member.";
        "BeyondEnd" 0: "Entries after the end that their author's next key named.", "They do not count. Nothing.";
        "BrokenRun" 2: "Entries that no signed head vouches for: they were changed after they were signed.", "The author did not do it. Ask another member for its bundle, and compare.";
        "ClockAhead" 0: "An entry claims a time long after somebody received it.", "A clock is wrong; tell the member.";
        "ClockBack" 0: "The claimed times of a feed go back by less than 15 minutes.", "A clock was put right. Nothing.";
        "ClockJump" 0: "The claimed times of a feed jump by more than a year.", "A clock was wrong, or nothing was written for long.";
        "CosignedOther" 2: "Somebody cosigned a checkpoint of other entries of a feed than the ones that are here.", "A second history is missing, or the cosignature is false. Ask that member for its bundle, and compare.";
        "Damaged" 2: "The file cannot be read from here on.", "It was cut or changed. Ask for it again.";
        "EndsEarly" 2: "Others acknowledged more of this feed than the file has.", "Ask one of them for its bundle.";
        "ForeignCard" 0: "A card of somebody who is not a member.", "It counts for nothing. Nothing.";
        "ForkProven" 1: "A member signed two histories of one feed, and the proof is in an entry.", "Nothing that it wrote from there on counts by itself. Ask it whether an old copy of its node was started, or its key was stolen.";
        "Gap" 2: "Entries of a feed are left out, or out of order.", "Ask another member for its bundle, and compare.";
        "MisSigned" 1: "A member signed a feed that is not opened, or is opened twice.", "Keep the file; ask the member.";
        "NewerKind" 0: "An entry of a kind that this version does not know.", "Use a newer program to see what it says.";
        "NewerRecord" 2: "The file has a record that this version does not know.", "Use a newer program.";
        "NoEnd" 2: "The file has no end.", "It was cut. Ask for it again.";
        "NotForObservers" 1: "An observer wrote what observers may not.", "Keep the file; ask the observer.";
        "NotFounded" 2: "The file does not hold the founding of its board.", "Ask for it again.";
        "OpenedTwice" 1: "Two keys opened the same epoch of a member.", "Ask the member which is its own; nothing of a contested feed counts.";
        "OpeningRefused" 2: "The opening of a feed breaks a rule.", "Nothing of that feed counts. Ask the member.";
        "OtherCharter" 2: "An entry follows a charter that is not in the file.", "Ask for a newer file, or use a newer program.";
        "Outsider" 2: "Entries of somebody who is not a member.", "They count for nothing. Ask who made the file.";
        "PayloadAbsent" 2: "Content is missing that every holder has.", "The entry itself is sound. Ask another member.";
        "PayloadAltered" 2: "Content is not what the entry names.", "The entry itself is sound. Ask another member.";
        "PayloadUnasked" 2: "Content in the file belongs to no entry in it.", "Ask for the file again.";
        "PayloadWithheld" 0: "What an entry says is not in this file: it is kept to an audience, or the file is an excerpt.", "It is missing, not forged. Ask a member of the audience.";
        "Repeated" 2: "Entries stand in the file twice.", "Ask for it again.";
        "SecondHistory" 1: "The file holds two histories of one feed, both signed.", "As for `ForkProven`.";
        "Silent" 0: "A member wrote nothing.", "Nothing.";
        "Superseded" 0: "Another feed took the place of this one.", "Its entries up to there count. Nothing.";
        "Unplaced" 2: "Entries that do not follow from those before them.", "Ask another member for its bundle, and compare.";
        "Unreadable" 2: "A record of the file does not read.", "The file was changed. Ask for it again.";
        "WrongCount" 2: "The file does not hold as many records as it says.", "It was changed. Ask for it again.";
    },
};

/// What `doctor` finds beside `config`, `keys`, `store` and `disk-reserve`, which mean what they mean elsewhere.
pub(super) const DOCTOR: Part = Part {
    title: "What `concordat doctor` finds",
    about: "Of these and of `config`, `keys`, `store`, `clock` and `disk-reserve`. The command ends with 1 if anything is to be \
            mended. If another address of the same partner works, it is a note, and nothing has to be done.",
    codes: codes! {
        "announces-nothing": "The card names no address.", "Nothing; partners cannot dial this node, so it dials them.";
        "connected": "A session with the partner's node began, or goes on.", "Nothing.";
        "dials-us": "The partner's card names no address.", "Nothing; it has to dial this node.";
        "disk": "How much is free where the store is, or why that cannot be told.", "See whether the disk is still mounted.";
        "failed": "No connection, for a reason that the system gave.", "`docs/network.md` has what a firewall has to let through.";
        "home": "The directory of the node.", "See whether its disk is mounted, and whose it is.";
        "home-open" 1: "Other users of the machine can look into the node's directory.", "`chmod 700` it.";
        "listening": "The daemon listens at this address.", "Nothing.";
        "listens-nowhere": "The config names no address to listen at.", "Nothing; partners cannot dial this node, so it dials them.";
        "no-name": "The name in the address leads nowhere.", "Ask the partner whether it is right, and see this machine's name server.";
        "no-partners": "No partner is known.", "Add their cards, or join a board.";
        "not-looked-at": "Partners were not dialled.", "Mend what stands above it first.";
        "other-node" 1: "Another node answers at the partner's address.", "Ask for its newest card; if it has none, somebody stands between.";
        "port-free": "The daemon could listen at this port.", "Nothing.";
        "port-taken" 1: "Another program has the port.", "Stop it, or choose another port in `listen`.";
        "proxy": "A proxy is set, and not used.", "Nothing.";
        "reached": "The partner's node answers with the key on its card.", "Nothing.";
        "refused": "The machine is there, and nobody listens at the port.", "Ask the partner whether its node runs, and whether it listens there.";
        "store-older" 1: "The store may be an older copy; partners are being asked.", "Let the daemon run until `concordat status` says so no more.";
        "tls-key-log" 1: "`SSLKEYLOGFILE` is set: a daemon started so would write the secrets of TLS to a file.", "Unset it, also in the service's environment.";
        "turned-away" 1: "The partner's node is there and does not know this node's card.", "Hand it this node's newest card.";
        "unanswered": "Nothing answers: a firewall drops it, or the machine is off.", "Have the firewalls on both sides looked at; `docs/network.md` has the lines to ask for.";
        "undecided": "It answers with its key and is too busy to say more.", "Nothing; look again later.";
    },
};

/// Faults of the journal.
pub(super) const JOURNAL: Part = Part {
    title: "What `concordat journal verify` finds",
    about: "And `journal-cut`, which the journal itself tells. Somebody with access to the node's disk did it, or the \
            disk is failing: keep a copy, and compare with the last export. `docs/journal.md` says what it proves.",
    codes: codes! {
        "journal-anchor" 1: "What the journal says it removed for its age does not fit what is left.", "Compare with the last export.";
        "journal-changed" 1: "An entry is not the one that was written.", "Compare with the last export.";
        "journal-garbled" 1: "A row of the journal is no entry.", "Compare with the last export.";
        "journal-missing" 1: "Entries are missing between two others.", "Compare with the last export.";
        "journal-moved" 1: "An entry stands in the place of another.", "Compare with the last export.";
    },
};
