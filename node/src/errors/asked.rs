//! Codes of what was asked and cannot be, on the command line and over the API.
//!
//! *Source*: ours.

use super::{Part, codes};

/// Boards, artefacts, members, entries: what a command or request names.
pub(super) const ASKED: Part = Part {
    title: "What was named",
    about: "Commands and requests of the API that name a board, a member, an artefact, an entry or a time.",
    codes: codes! {
        "daemon-runs" 1: "A daemon runs for this home, and what was asked needs the store for itself.", "Stop the daemon (`systemctl stop concordat`), run the command, start it again.";
        "excerpt" 1: "Without the content that is left out the bundle gives another answer, or could not be written; a fault of this program.", "Hand on the whole bundle, and report the fault.";
        "exists" 1: "What was to be made is there already.", "Name a file or a directory that is not there yet; nothing is written over.";
        "newer-kind" 1 Away: "The artefact is of a kind, or of a version of one, that this program does not know.", "Upgrade this node. Its entries are kept and shared meanwhile.";
        "no-board" 1 Missing: "This node takes part in no board.", "Found a board, or join one by the board file that its secretariat hands out (`concordat board join`).";
        "no-bundle" 1: "The file is no bundle that can be read.", "Check the path; ask for the file again, as `concordat export` wrote it.";
        "no-proposal" 1 Missing: "The artefact was never put to a decision, its kind is not decided by votes, or what tells of it is not in the file.", "See its state with `concordat artefact show`; `concordat propose` puts it to a decision.";
        "no-store" 1: "The directory holds no store of a node.", "Name a bundle, a copy of a node's directory, or the store in it.";
        "no-time" 1 Unfit: "What should be a time or an entry is neither.", "Write a time as `2017-12-04` or `2017-12-04T12:00Z`, an entry by the beginning of its id.";
        "not-confirmed" 1: "A question was answered with no, or nobody could be asked.", "Run the command in a terminal, or add `--yes` if it is meant.";
        "not-here" 1 Missing: "The opening of the artefact has not come to this node yet.", "Try again when more has arrived; `concordat status` shows what is missing.";
        "nothing-chosen" 1: "No entry of the bundle is of the feed, the kind and the time that were asked for.", "`concordat audit log` lists all entries; mind that times are what their authors claim.";
        "other-board" 1: "The two files are of different boards.", "Compare exports of one board.";
        "unchecked" 1: "Not all of the bundle could be checked, or it lacks content of the decision, so no part of it is handed on.", "`concordat audit verify` lists what is open; ask another member for its bundle.";
        "unknown-artefact" 1 Missing: "No artefact begins with what was named.", "Take one from `concordat artefact list`, or from `concordat audit replay` for a bundle.";
        "unknown-board" 1 Missing: "No board begins with what was named.", "`concordat status` names the boards of this node.";
        "unknown-code" 1: "No code of this catalogue is called so.", "Copy it from between the square brackets of the message.";
        "unknown-entry" 1 Missing: "No entry begins with what was named.", "`concordat log`, `concordat artefact history` and `concordat audit log` show entries with their ids.";
        "unknown-event" 1 Unfit: "The kind of artefact has no event of this name; of the journal: it has none.", "The message lists the events there are; `concordat journal events` those of the journal.";
        "unknown-kind" 1 Unfit: "No kind of artefact is called so on this board, or no kind of entry.", "Take one of those that the message lists.";
        "unknown-member" 1 Missing: "No member is called so.", "Use the short name that the message, or `concordat status`, lists.";
        "unknown-outcome" 1 Unfit: "The journal knows the outcomes `done` and `refused` only.", "Ask for one of these.";
        "unknown-role" 1 Unfit: "No role is called so.", "Take one of those that the message lists.";
        "unknown-rule" 1 Unfit: "The charter has no rule of this name.", "`concordat board show` has the rules; take one of them.";
        "usage" 64: "Two flags contradict each other.", "Leave one of them out; `--help` tells what each does.";
        "which-artefact" 1 Unfit: "What was named may mean several artefacts.", "Write more of the id.";
        "which-board" 1 Unfit: "This node takes part in several boards.", "Say which with `--board`, by the beginning of its id.";
        "which-entry" 1 Unfit: "What was named may mean several entries.", "Write more of the id.";
        "which-feed" 1 Unfit: "Places are counted in one feed, and none was named.", "Say which member with `--feed`.";
        "which-item" 1 Unfit: "What was named may mean several items of a list.", "Write more of the id, or the number of the item.";
        "which-rule" 1 Unfit: "Several rules of the charter could decide this.", "Say which with `--rule`.";
    },
};

/// What is written: edits, events, votes, notes.
pub(super) const EDITED: Part = Part {
    title: "What was to be written",
    about: "Edits, events, votes, comments and notes. Nothing was signed, so nothing has to be taken back.",
    codes: codes! {
        "bad-value" 1 Unfit: "A value is not of the kind that its place asks for.", "Write it as the message says.";
        "cannot-edit" 1 State: "The document does not take this edit as it stands now.", "Look at the artefact again with `concordat artefact show`, and edit what is there.";
        "disk-reserve" 1 State: "Less is free on the disk than `disk_reserve_mb`: nothing new is taken in.", "Free some space. The node goes on by itself, and loses nothing.";
        "empty-note" 1 State: "A note without text.", "Give it a text.";
        "may-not-create" 1 Forbidden: "By the charter this organisation may not begin an artefact of this kind.", "Ask an organisation that may; `concordat board show` has the rules.";
        "may-not-settle" 1 Forbidden: "This conflict is settled by others.", "Ask those whom the message names.";
        "names-outsiders" 1 State: "A remark names organisations outside the artefact's audience.", "Add `--widen` to let them in for good, or write it without naming them.";
        "needs-signatory" 1 Forbidden: "This binds the organisation, and an editor's token does not cover it.", "Use a token of the role `signatory`.";
        "no-closer" 1 Unfit: "The charter names nobody in the audience who may close the vote.", "Widen the audience to the secretariat, or to another that may close.";
        "no-conflict" 1 State: "There is no such conflict open on this field.", "`concordat conflicts` lists what is open.";
        "no-effect" 1 State: "The act would have no effect in the state in which the artefact is, as far as this node knows.", "The message says which step comes first, or who may take it.";
        "not-a-field" 1 Unfit: "The path names an item, or parts of a field, and not a field.", "Name the field itself, as `concordat artefact show` does.";
        "not-a-list" 1 Unfit: "The path is no list.", "Add items to lists, values to sets.";
        "not-a-set" 1 Unfit: "The path is no set.", "Add values to sets, items to lists.";
        "not-an-item" 1 Unfit: "The path is no item of a list.", "Name one, for example `options/1`.";
        "not-decidable" 1 Unfit: "This kind, or this artefact, cannot be put to a decision as asked.", "The message says why.";
        "not-for-staff" 1 Forbidden: "Entries of this kind are written by the node itself.", "Nothing; people have other commands for what they mean.";
        "not-in-audience" 1 Forbidden: "This organisation is outside the artefact's audience.", "Ask a member of the audience to let it in.";
        "not-ready" 1 State: "The artefact cannot take this step yet: something is missing, or waits for a person.", "Do what the message lists, field by field, then try again.";
        "not-signed" 1 Away: "The entry could not be signed.", "See the log of the daemon; try again.";
        "nothing-to-do" 1 Unfit: "What was asked is so already, or there is nothing to do it with.", "Nothing.";
        "observer" 1 Forbidden: "This organisation observes the board, and writes nothing on it.", "Ask a member to write it.";
        "other-artefact" 1 State: "The entry names something that belongs to another artefact.", "Name an entry of this artefact.";
        "own-feed-forked" 1 Away: "This organisation's own feed has two histories: its key was copied, or an old store was started.", "Stop the node; read `docs/keys.md`, and rotate or recover the key.";
        "own-feed-replaced" 1 Away: "Another feed of this organisation has taken the place of the one that this node signs.", "Use the node that holds the new key; if a thief does, `concordat keys recover`.";
        "panicked" 1 Unfit: "The library for documents could not bear this edit; nothing was signed.", "Edit in another way, and report it.";
        "patient-number" 1 Unfit: "What was written holds a valid NHS number.", "Take it out. Patients' data do not belong into what is shared; the message names the field, never the number.";
        "refused-change" 1 Unfit: "Every node would refuse this edit; the message has the rule's code, which `protocol/SPEC.md`, section 18, explains.", "Edit again; if it happens twice, report it.";
        "restoring" 1 Away: "The store may be an older copy, so nothing is signed before partners told how far this organisation's feeds had come.", "Let the daemon run until `concordat status` says so no more.";
        "settled-otherwise" 1 State: "This conflict is settled by another act than a choice.", "The message names the act.";
        "suspended" 1 State: "The document of this artefact cannot be opened on this node; its entries are kept and shared.", "`concordat artefact retry` opens it again; if it does not help, report it.";
        "too-long" 1 Unfit: "What was given is longer than its bound, or has too many parts.", "Shorten it, or send it in parts.";
        "too-many-drafts" 1 Away: "Too many entries wait to be signed.", "Wait until the node has heard from its partners; `concordat status` tells.";
        "too-many-refs" 1 Unfit: "The entry would name more others than one may.", "Name fewer.";
        "unknown-field" 1 Unfit: "There is no field of this name.", "Take one of those that the message lists.";
        "unknown-item" 1 Unfit: "The list has no such item.", "`concordat artefact show` has the items with their ids.";
    },
};

/// Private records.
pub(super) const RECORDED: Part = Part {
    title: "Private records",
    about: "Commands `concordat record …` and paths `/api/v1/records…`. Nothing of them has left the node.",
    codes: codes! {
        "bad-condition" 1 Unfit: "A condition of a list cannot be read.", "Write a field, one of `=`, `!=`, `>=`, `<=`, `>`, `<`, and a value.";
        "bad-heading" 1: "The first line of the file does not name the fields of the collection.", "Compare it with the collection's file; the message names the column.";
        "bad-key" 1 Unfit: "The key of a record cannot be one.", "Shorten it, or take out what the message names.";
        "bad-row" 1: "A line of the file is no row.", "Mend that line.";
        "bad-rows" 1: "Rows of the file cannot be kept, so nothing was imported.", "Mend them, or keep the others with `--skip-bad --report FILE`.";
        "changed-meanwhile" 1 State: "The record, the artefact or who holds it has changed since it was shown.", "Look at what would leave again, and promote then.";
        "collection" 1 Away: "The file of the collection is not in order.", "Mend what the message lists; `docs/records.md` describes the file.";
        "missing" 1 Unfit: "A field that must have a value has none.", "Give it one.";
        "newer-record" 1 Away: "Something was kept by a later version of this program.", "Upgrade this node.";
        "not-allowed" 1 Forbidden: "The allow-list of the collection does not let this field leave, or not to there.", "Leave the field out, or have an administrator change `[[promote]]` in the collection's file.";
        "not-utf8" 1: "A line of the file is not UTF-8.", "Save the file as UTF-8.";
        "promote-apart" 1 Unfit: "A remark is one act and an edit another.", "Promote each field by itself.";
        "repeated-key" 1 Unfit: "Two rows have the same key.", "Leave one of them out.";
        "unknown-collection" 1 Missing: "There is no collection of this name.", "`concordat record collections` lists them.";
        "unknown-promotion" 1 Missing: "No promotion is called so.", "Take one from `concordat record promotions`.";
        "unknown-record" 1 Missing: "No record begins with what was named.", "`concordat record list` shows them.";
        "which-record" 1 Unfit: "What was named may mean several records.", "Write more of the key.";
        "which-target" 1 Unfit: "The field may go to several places.", "Say to which, as `field=place`.";
    },
};

/// The API itself.
pub(super) const REQUESTED: Part = Part {
    title: "Requests and tokens",
    about: "The API, before it asks the node; and `concordat token`.",
    codes: codes! {
        "bad-body" Malformed: "The body is not whole, or not what the path takes.", "Compare it with `docs/openapi.json`.";
        "bad-name" 1: "A token's name is empty or too long.", "Choose another.";
        "bad-query" Malformed: "The query of the address cannot be read, or asks for two things at once.", "Compare it with `docs/openapi.json`.";
        "body-too-long" TooLarge: "The body is longer than the API takes.", "Send less at once.";
        "metrics" Away: "The figures could not be written down.", "Ask again; see the log of the daemon.";
        "needs-role" Forbidden: "The role of the token does not cover this.", "Use a token of one of the roles that the answer names.";
        "no-answer" Away: "The node ended before it answered.", "Before asking again for something to be written, look whether it was.";
        "no-such-method" WrongMethod: "The path is not asked by this method.", "Compare the request with `docs/openapi.json`.";
        "no-such-path" Missing: "The API has no such path.", "Compare the request with `docs/openapi.json`.";
        "no-token" Unknown: "The request brings no token.", "Send `Authorization: Bearer TOKEN`; `concordat token new` makes one.";
        "not-json" WrongType: "The body is not sent as JSON.", "Send `Content-Type: application/json`.";
        "slow" Away: "The node did not answer in time.", "Before asking again for something to be written, look whether it was.";
        "token" 2 Away: "The file of the tokens cannot be used: it is damaged, or others can read it.", "Do what the message of `concordat token list` says.";
        "too-many-streams" Away: "Too many programs listen to the events at once.", "Close other streams.";
        "unknown-token" 1 Unknown: "No token is known by this secret, or by this id; it may have been revoked.", "`concordat token list` shows them; make another with `concordat token new`.";
        "which-token" 1: "What was named may mean several tokens.", "Write more of the id.";
    },
};
