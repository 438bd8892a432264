//! Why a step of the demonstration could not be taken.
//!
//! *Source*: ours.

use std::{io, path::PathBuf};

use crate::{
    control::{ControlError, Refusal},
    home::FileError,
};

/// Why a demonstration did not begin, or a step of it could not be taken.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// Somebody asked it to stop.
    #[error("the demonstration was interrupted; every node that it started has ended")]
    Interrupted,
    /// The directory is not for it alone.
    #[error("{path} is not empty; name a directory that is, or that is not there yet")]
    NotEmpty {
        /// As it was named.
        path: PathBuf,
    },
    /// The sockets in it would have too long a path.
    #[error(
        "{path} is too long a path for the sockets of nodes in it, which have 107 bytes at most; name a \
         shorter one with --keep"
    )]
    TooLong {
        /// The path of one such socket.
        path: PathBuf,
    },
    /// A file could not be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// The operating system refused a process, a socket or a signal.
    #[error("{doing}: {source}")]
    System {
        /// What was being done.
        doing: &'static str,
        /// What it said.
        source: io::Error,
    },
    /// A command did not do what it was asked.
    #[error("{who}: `concordat {what}`: {said}")]
    Command {
        /// Whose node.
        who: String,
        /// The arguments.
        what: String,
        /// What it said.
        said: String,
    },
    /// A node could not be asked.
    #[error("{who}: {source}")]
    Control {
        /// Whose node.
        who: String,
        /// Why.
        source: ControlError,
    },
    /// A node refused what was to be done.
    #[error("{who}: {} [{}]", .refusal.message, .refusal.code)]
    Refused {
        /// Whose node.
        who: String,
        /// What it said.
        refusal: Refusal,
    },
    /// No daemon answers.
    #[error("{who}: the node does not run; its log is {log}")]
    NotRunning {
        /// Whose node.
        who: String,
        /// Where it logs.
        log: PathBuf,
    },
    /// A node or a command answered something else.
    #[error("{who}: an answer that does not fit what was asked: {what}")]
    OtherAnswer {
        /// Whose node.
        who: String,
        /// What was asked.
        what: String,
    },
    /// Something was waited for in vain.
    #[error("it never came to be that {what}")]
    NeverCame {
        /// What.
        what: String,
    },
}

impl DemoError {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Interrupted => "interrupted",
            Self::NotEmpty { .. } | Self::TooLong { .. } => "demo-directory",
            Self::File(_) => "file",
            Self::System { .. } => "system",
            Self::Command { .. }
            | Self::Control { .. }
            | Self::Refused { .. }
            | Self::NotRunning { .. }
            | Self::OtherAnswer { .. }
            | Self::NeverCame { .. } => "demo-step",
        }
    }

    /// Puts an error of the operating system beside what was being done.
    pub(super) fn system(doing: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::System { doing, source }
    }
}
