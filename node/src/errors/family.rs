//! What refusals over HTTP have in common: a status, a title, and what a program does next.
//!
//! *Source*: ours; statuses as in RFC 9110.

/// What refusals have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// The request itself cannot be read.
    Malformed,
    /// Nobody is known by the token.
    Unknown,
    /// The token, or the organisation, may not.
    Forbidden,
    /// What was named is not here.
    Missing,
    /// The path is not asked so.
    WrongMethod,
    /// It does not fit what there is now.
    State,
    /// Too much at once.
    TooLarge,
    /// Not JSON.
    WrongType,
    /// What was typed cannot stand where it was meant to.
    Unfit,
    /// The node cannot, now.
    Away,
}

impl Family {
    /// The HTTP status.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::Malformed => 400,
            Self::Unknown => 401,
            Self::Forbidden => 403,
            Self::Missing => 404,
            Self::WrongMethod => 405,
            Self::State => 409,
            Self::TooLarge => 413,
            Self::WrongType => 415,
            Self::Unfit => 422,
            Self::Away => 503,
        }
    }

    /// What kind of refusal it is.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Malformed => "The request cannot be read",
            Self::Unknown => "The token is not known",
            Self::Forbidden => "This may not be done",
            Self::Missing => "There is no such thing here",
            Self::WrongMethod => "The path is not asked in this way",
            Self::State => "This does not fit what there is now",
            Self::TooLarge => "This is too long",
            Self::WrongType => "This is not JSON",
            Self::Unfit => "This cannot stand here",
            Self::Away => "The node cannot do this now",
        }
    }

    /// What a program does next.
    #[must_use]
    pub const fn next(self) -> &'static str {
        match self {
            Self::Malformed | Self::WrongMethod => {
                "compare the request with /api/v1/openapi.json, and send it again"
            }
            Self::Unknown => {
                "send `Authorization: Bearer` with a token; whoever runs the node makes one with \
                 `concordat token new`"
            }
            Self::Forbidden => "ask somebody whose role, or whose organisation, may do this",
            Self::Missing => {
                "list what there is: GET /api/v1/boards, then GET /api/v1/boards/{board}/artefacts; of \
                 private records GET /api/v1/records"
            }
            Self::State => {
                "look at the artefact or the record again, mend what the detail names, and send the \
                 request again"
            }
            Self::TooLarge => "send less at once",
            Self::WrongType => "send JSON, with `Content-Type: application/json`",
            Self::Unfit => "change what the detail names, and send the request again",
            Self::Away => {
                "GET /readyz tells what is wrong; before asking again for something to be written, \
                 look at the artefact's history, since it may have been"
            }
        }
    }
}
