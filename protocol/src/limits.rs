//! Every bound of the protocol, in one place.
//!
//! Two nodes must agree on these, so they are constants and not configuration. A decoder checks
//! its bound before it takes memory. Changing one is a change of the protocol: it goes with
//! `SPEC.md` and the vectors.
//!
//! Source: ours, `SPEC.md` section "Bounds".

/// One kibibyte, so that the bounds below read as the specification writes them.
pub const KIB: usize = 1024;
/// One mebibyte.
pub const MIB: usize = 1024 * KIB;

/// Deepest nesting of CBOR arrays in anything we decode.
pub const CBOR_DEPTH_MAX: usize = 16;

/// Longest header, in bytes.
pub const HEADER_BYTES_MAX: usize = 4 * KIB;
/// Most entries that one entry may rely on.
pub const REFS_MAX: usize = 64;
/// Longest payload, in bytes, without its salt.
pub const PAYLOAD_BYTES_MAX: usize = MIB;
/// Longest staff attribution, in bytes, without its salt.
pub const ATTRIBUTION_BYTES_MAX: usize = KIB;

/// Most headers in one run.
pub const RUN_HEADERS_MAX: usize = 256;
/// Most header bytes in one run, and between two mandatory heads.
pub const RUN_BYTES_MAX: usize = 256 * KIB;
/// Most entries from one mandatory head to the next.
pub const MANDATORY_EVERY: u64 = 256;
/// Longest frame of a session, in bytes.
pub const FRAME_BYTES_MAX: usize = 512 * KIB;
/// Longest piece of a payload sent by itself, in bytes.
pub const PAYLOAD_CHUNK_BYTES: usize = 256 * KIB;
/// Longest payload that travels with its run, in bytes.
pub const PAYLOAD_INLINE_BYTES_MAX: usize = 64 * KIB;
/// Longest run that is pushed to a peer without being asked for, in bytes.
pub const PUSH_BYTES_MAX: usize = 4 * KIB;
/// Frames that may be under way in one direction of a session.
pub const FRAMES_IN_FLIGHT: u32 = 32;
/// Requests that may be unanswered in one direction of a session. Half of the frames: answers
/// always find credit, so two sessions full of requests cannot block each other.
pub const REQUESTS_IN_FLIGHT: usize = 16;
/// Most items in one `have`.
pub const HAVE_ITEMS_MAX: usize = 4_000;
/// Most points in one `compare`.
pub const COMPARE_POINTS_MAX: usize = 32;
/// Most boards named in one `hello`.
pub const BOARDS_MAX: usize = 1_000;

/// Longest charter, in bytes.
pub const CHARTER_BYTES_MAX: usize = 512 * KIB;
/// Most members of a board.
pub const MEMBERS_MAX: usize = 1_000;
/// Most items in one acknowledgement.
pub const ACK_ITEMS_MAX: usize = 1_000;
/// Most missing payloads that one acknowledgement item may name.
pub const ACK_MISSING_MAX: usize = 64;
/// Most points above a fork that are remembered for one acknowledging feed.
pub const ACK_POINTS_MAX: usize = 8;
/// Longest frozen snapshot in a proposal, in bytes.
pub const SNAPSHOT_BYTES_MAX: usize = 256 * KIB;
/// Deepest nesting of lists and objects in canonical JSON.
pub const JSON_DEPTH_MAX: usize = 16;
/// Largest magnitude of an integer in canonical JSON: what every language can hold exactly.
pub const JSON_INTEGER_MAX: u64 = (1 << 53) - 1;
/// Most organisations in one audience.
pub const AUDIENCE_MAX: usize = 1_000;
/// Most entries about one artefact in one feed that have effect.
pub const ARTEFACT_ENTRIES_MAX: usize = 65_536;
/// Most bytes of payloads about one artefact in one feed that have effect.
pub const ARTEFACT_BYTES_MAX: u64 = 64 * MIB as u64;
/// Most operations that one feed may put into one document: several must do so to fill it. A text
/// of eighty pages typed once, or one of twenty pages written anew three times over.
pub const FEED_OPERATIONS_MAX: u64 = 250_000;
/// Most bytes of raw changes that one feed may put into one document: forty thousand small edits.
pub const FEED_CHANGE_BYTES_MAX: u64 = 8 * MIB as u64;
/// Most applied changes of one feed on which no other one of it builds: as many editors at once.
pub const FEED_HEADS_MAX: usize = 32;
/// Most Automerge changes in one entry.
pub const CHANGES_MAX: usize = 256;
/// Longest raw Automerge change, in bytes.
pub const CHANGE_BYTES_MAX: usize = 512 * KIB;
/// Longest attached file, in bytes.
pub const BLOB_BYTES_MAX: u64 = 256 * 1024 * 1024;
/// Length of one piece of an attached file, in bytes.
pub const BLOB_CHUNK_BYTES: u64 = 256 * 1024;
/// Most epochs of one organisation on one board, and most of its feeds of one sort there: opened by
/// recovery, superseded, others.
pub const EPOCHS_MAX: u64 = 64;
/// Most feeds of one organisation on one board, of all sorts.
pub const FEEDS_MAX: u64 = 3 * EPOCHS_MAX;
/// Longest fork proof, in bytes.
pub const FORK_PROOF_BYTES_MAX: usize = 4 * KIB;
/// Longest node card, in bytes.
pub const CARD_BYTES_MAX: usize = 4 * KIB;
/// Most addresses on one node card.
pub const ADDRESSES_MAX: usize = 16;
/// Longest address on a node card, in bytes.
pub const ADDRESS_BYTES_MAX: usize = 128;
/// Longest inception record of an organisation, in bytes.
pub const INCEPTION_BYTES_MAX: usize = 4 * KIB;
/// Longest name of an organisation, a rule or a board, in bytes.
pub const NAME_BYTES_MAX: usize = 256;
/// Most code numbers (ODS, GSS…) of one organisation.
pub const CODES_MAX: usize = 32;

/// Longest slug of a member, in bytes.
pub const SLUG_BYTES_MAX: usize = 32;
/// Most dated names of one member.
pub const DATED_NAMES_MAX: usize = 32;
/// Most items in a list of a charter other than its members.
pub const CHARTER_ITEMS_MAX: usize = 1_000;
/// Deepest nesting of a rule.
pub const RULE_DEPTH_MAX: usize = 6;
/// Most parts of one rule, itself included, and most class minima of one quorum.
pub const RULE_PARTS_MAX: usize = 64;
/// Largest denominator of a share.
pub const SHARE_PARTS_MAX: u64 = 1_000;
/// Longest silence, in days, after which a charter may have a member shown as silent.
pub const SILENCE_DAYS_MAX: u64 = 3_650;
/// Most heads of a document that a proposal may name; above this, authors fold them first.
pub const DOC_HEADS_MAX: usize = 32;
/// Longest event, remark or note, in bytes.
pub const FACT_BYTES_MAX: usize = 64 * KIB;
/// Most values in one event or remark.
pub const FACT_VALUES_MAX: usize = 256;
/// Longest checkpoint with its signatures, in bytes.
pub const CHECKPOINT_BYTES_MAX: usize = 16 * KIB;
/// Most signatures on one checkpoint, and most cosignatures given in one entry.
pub const COSIGNATURES_MAX: usize = 1_000;
/// Longest proof that an entry is under a checkpoint, in bytes.
pub const TLOG_PROOF_BYTES_MAX: usize = 32 * KIB;

/// Most operations in one Automerge change.
pub const OPERATIONS_MAX: u64 = 20_000;
/// Most predecessors in one Automerge change, all its operations together.
pub const PREDECESSORS_MAX: u64 = 40_000;
/// Most marks that one Automerge change may begin.
pub const MARKS_MAX: u32 = 256;
/// Most changes on which one Automerge change may depend.
pub const DEPENDENCIES_MAX: u64 = 64;
/// Largest counter of an operation id.
pub const COUNTER_MAX: u64 = (1 << 31) - 1;
/// Largest counter and largest increment, up or down: a document's sum of them stays below 2^53.
pub const COUNT_MAX: u64 = 1 << 31;
/// Largest time in an Automerge change: what every language can hold exactly.
pub const CHANGE_TIME_MAX: i64 = 1 << 53;
/// Longest message of an Automerge change, in bytes.
pub const CHANGE_MESSAGE_BYTES_MAX: u64 = 1024;
/// Deepest nesting of objects in a document; the root is at 0.
pub const NESTING_MAX: u8 = 16;
/// Most operations over the closure of one change, itself included.
pub const DOCUMENT_OPERATIONS_MAX: u64 = 2_000_000;
/// Most bytes of raw changes over the closure of one change, itself included.
pub const DOCUMENT_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Most levels in an inclusion path: sizes are below 2^63.
pub const PATH_MAX: usize = 63;
/// Largest seq that a feed may reach: sizes and sums stay far below the width of the type.
pub const SEQ_MAX: u64 = (1 << 48) - 1;
/// Largest claimed time, in Unix milliseconds: what every language can hold exactly.
pub const TIME_MS_MAX: u64 = 1 << 53;

// How the bounds depend on each other.
const _: () = {
    // A run, its heads and its overhead fit a frame.
    assert!(RUN_BYTES_MAX * 3 / 2 <= FRAME_BYTES_MAX);
    // One inline payload fits beside the longest header.
    assert!(PAYLOAD_INLINE_BYTES_MAX + HEADER_BYTES_MAX < FRAME_BYTES_MAX);
    // A chunk and its envelope fit a frame.
    assert!(PAYLOAD_CHUNK_BYTES + KIB < FRAME_BYTES_MAX);
    // The longest header takes every ref it may have.
    assert!(REFS_MAX * 35 + KIB < HEADER_BYTES_MAX);
    // Between two mandatory heads there is never more than one run can carry.
    assert!(MANDATORY_EVERY <= RUN_HEADERS_MAX as u64);
    // A full `have` fits a frame: an item without tips takes at most 100 bytes.
    assert!(HAVE_ITEMS_MAX * 100 < FRAME_BYTES_MAX);
    // Two heads, two paths and a descriptor fit a fork proof for any feed below 2^40 entries.
    assert!(2 * (40 * 34 + 250) + 250 < FORK_PROOF_BYTES_MAX);
    // Half of the credit is left for answers.
    assert!(REQUESTS_IN_FLIGHT as u64 * 2 <= FRAMES_IN_FLIGHT as u64);
    // The longest checkpoint, the longest path and the longest header in base64 fit a proof.
    assert!(
        CHECKPOINT_BYTES_MAX + PATH_MAX * 45 + HEADER_BYTES_MAX * 3 / 2 + KIB
            < TLOG_PROOF_BYTES_MAX
    );
    // A proposal's snapshot, a charter and a whole acknowledgement fit a payload.
    assert!(SNAPSHOT_BYTES_MAX + KIB < PAYLOAD_BYTES_MAX);
    assert!(CHARTER_BYTES_MAX + MEMBERS_MAX * 400 < PAYLOAD_BYTES_MAX);
    assert!(ACK_ITEMS_MAX * (100 + ACK_MISSING_MAX * 9) < PAYLOAD_BYTES_MAX);
    assert!(CHANGE_BYTES_MAX < PAYLOAD_BYTES_MAX);
    // Operations are numbered without gaps: no counter of a document passes its number of them.
    assert!(DOCUMENT_OPERATIONS_MAX < COUNTER_MAX && COUNTER_MAX < u32::MAX as u64);
    assert!(DOCUMENT_BYTES_MAX < u32::MAX as u64);
    assert!(DOCUMENT_OPERATIONS_MAX * COUNT_MAX < 1 << 53);
    // It takes eight feeds to fill a document.
    assert!(FEED_OPERATIONS_MAX * 8 <= DOCUMENT_OPERATIONS_MAX);
    assert!(FEED_CHANGE_BYTES_MAX * 8 <= DOCUMENT_BYTES_MAX);
    assert!(OPERATIONS_MAX < FEED_OPERATIONS_MAX && FEED_HEADS_MAX <= DOC_HEADS_MAX);
    // The deepest rule fits a charter: three levels above it, two a step, and a pair in a leaf.
    assert!(3 + 2 * RULE_DEPTH_MAX < CBOR_DEPTH_MAX);
    // Facts travel with their run; a file's piece hashes and all cosignatures fit a payload.
    assert!(FACT_BYTES_MAX <= PAYLOAD_INLINE_BYTES_MAX);
    assert!(BLOB_BYTES_MAX / BLOB_CHUNK_BYTES * 34 + 1024 < PAYLOAD_BYTES_MAX as u64);
    assert!(COSIGNATURES_MAX * 300 < PAYLOAD_BYTES_MAX);
};
