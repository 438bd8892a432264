//! What every kind has: envelope fields, common events and remarks.
//!
//! The id, the kind, the board, the audience and the sponsor stand in the entry that opened the
//! artefact; its state follows from events. They are no fields.

use crate::artefact::{
    codes,
    kind::{
        Among, Effect, EventKind, Field, Meanwhile, Param, Role,
        Scalar::{Artefact, Bool, Code, Date, Entry, Enum, Hash, Org, Text, Url},
        Who,
    },
};

/// Any member, as an editor.
pub(super) const EDITORS: Who = Who::new(Among::Members, Role::Editor);
/// Any member, by its signatory.
pub(super) const SIGNATORIES: Who = Who::new(Among::Members, Role::Signatory);
/// Any member, by who answers for clinical safety.
pub(super) const SAFETY: Who = Who::new(Among::Members, Role::ClinicalSafety);
/// The organisation that opened the artefact.
pub(super) const SPONSOR: Who = Who::new(Among::Sponsor, Role::SponsorEditor);
/// The board's secretariat.
pub(super) const SECRETARIAT: Who = Who::new(Among::Secretariat, Role::Secretariat);

/// The id of an item of a list.
pub(super) const ITEM: crate::artefact::kind::Scalar = Text { max: 64 };
/// A sentence or two.
pub(super) const LINE: crate::artefact::kind::Scalar = Text { max: 300 };
/// Some paragraphs.
pub(super) const PASSAGE: crate::artefact::kind::Scalar = Text { max: 8_000 };

/// The codes of conflicts that a person settles.
const CONFLICT: crate::artefact::kind::Scalar =
    Enum(&["C1", "C2", "C3", "C4", "C5", "C6", "C7", "C8", "C9", "C10"]);

/// A paper that something rests on.
const PAPER: &[Field] = &[
    Field::one("title", "Title", Text { max: 150 }).decidable(),
    Field::one("url", "Address", Url).decidable(),
    Field::one("artefact", "Artefact", Artefact).decidable(),
    Field::one("digest", "SHA-256 of the file", Hash).decidable(),
    Field::one("date", "Date", Date).decidable(),
];

/// The envelope.
pub(super) const FIELDS: &[Field] = &[
    Field::one("title", "Title", Text { max: 150 }).decidable(),
    Field::set("programmes", "Programmes", Code(codes::PROGRAMMES)),
    Field::set("tags", "Tags", Text { max: 64 }),
    Field::set("geography", "Localities", Code(codes::LOCALITIES)).decidable(),
    Field::one("classification", "Classification", Enum(&["OFFICIAL", "OFFICIAL-SENSITIVE"]))
        .meanwhile(Meanwhile::Strictest),
    Field::record(
        "publication",
        "Publication",
        &[
            Field::one(
                "status",
                "Status",
                Enum(&["published", "planned", "embargoed", "not_planned"]),
            )
            .meanwhile(Meanwhile::Strictest),
            Field::one("until", "Embargoed until", Date),
        ],
    ),
    Field::record(
        "exemption",
        "Ground for a private session or a redaction",
        &[Field::one("code", "Code", Text { max: 64 }), Field::one("text", "Reason", LINE)],
    ),
    Field::list("evidence", "Evidence", PAPER).decidable(),
    Field::list("related", "Related papers", PAPER),
    Field::list("precedents", "Where it has been done before", PAPER).decidable(),
    Field::one("retention_class", "Retention class", Code(codes::RETENTION_CLASSES)),
];

/// Events of every kind.
pub(super) const EVENTS: &[EventKind] = &[
    EventKind::new(
        "set_reference",
        "Gave the reference",
        SECRETARIAT,
        &[Param::one("reference", "Reference", Text { max: 40 })],
    )
    .does(Effect::Row { table: "reference", key: 0 }),
    EventKind::new(
        "mark_illustrative",
        "Marked as invented for a demonstration",
        SPONSOR,
        &[Param::one("illustrative", "Invented", Bool)],
    )
    .does(Effect::Row { table: "illustrative", key: 0 }),
    EventKind::new(
        "settle_conflict",
        "Settled a conflict",
        EDITORS,
        &[
            Param::one("code", "Code of the conflict", CONFLICT),
            Param::one("field", "Field", LINE),
            Param::one("chosen", "What was chosen", PASSAGE),
            Param::optional("reason", "Reason", PASSAGE),
        ],
    ),
    EventKind::new(
        "uphold",
        "Upheld one of several steps taken at once",
        SECRETARIAT,
        &[
            Param::one("step", "The step upheld", Entry),
            Param::optional("reason", "Reason", PASSAGE),
        ],
    )
    .does(Effect::Uphold),
];

/// Remarks of every kind.
pub(super) const REMARKS: &[EventKind] = &[
    EventKind::new(
        "comment",
        "Commented",
        EDITORS,
        &[
            Param::one("text", "Text", PASSAGE),
            Param::optional("anchor", "Field it is about", LINE),
            Param::optional("reply_to", "Comment it answers", Entry),
            Param::many("mentions", "Organisations it names", Org, 100),
        ],
    ),
    EventKind::new(
        "position",
        "Stated a position",
        SIGNATORIES,
        &[
            Param::one("text", "Text", PASSAGE),
            Param::optional("proposal", "Proposal it is about", Entry),
            Param::many("mentions", "Organisations it names", Org, 100),
        ],
    ),
];
