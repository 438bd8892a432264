//! The command's end of the control socket.
//!
//! *Invariants.* `None` only when nobody listens: then the command may act by itself.
//!
//! *Source*: ours.

use std::{
    io::{self, BufRead, BufReader, Write},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
};

use super::{Reply, Request};

/// Why a daemon could not be asked.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// The socket is there, and something is wrong with it.
    #[error("talking to the daemon through {path}: {source}")]
    Io {
        /// The socket.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The daemon went away before it answered.
    #[error(
        "the daemon ended before it answered; look at its log, and at `concordat log` for what \
         was written"
    )]
    NoAnswer,
    /// Something else answered.
    #[error("what answered at {path} is not a concordat daemon of this version: {source}")]
    OtherVersion {
        /// The socket.
        path: PathBuf,
        /// What is wrong with the answer.
        source: serde_json::Error,
    },
}

/// Whether a daemon answers.
#[must_use]
pub fn is_running(path: &Path) -> bool {
    UnixStream::connect(path).is_ok()
}

/// Asks the daemon; `None` when none runs.
///
/// # Errors
/// - [`ControlError`]: one runs, and does not answer as it should.
pub fn ask(path: &Path, request: &Request) -> Result<Option<Reply>, ControlError> {
    let failed = |source| ControlError::Io { path: path.to_path_buf(), source };
    let stream = match UnixStream::connect(path) {
        Ok(stream) => stream,
        Err(error) if is_nobody(&error) => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    let mut line = serde_json::to_vec(request)
        .map_err(|source| ControlError::OtherVersion { path: path.to_path_buf(), source })?;
    line.push(b'\n');
    (&stream).write_all(&line).map_err(failed)?;
    let mut answer = Vec::new();
    let read = BufReader::new(&stream).read_until(b'\n', &mut answer);
    match read {
        Ok(0) => return Err(ControlError::NoAnswer),
        Err(error) if error.kind() == io::ErrorKind::ConnectionReset => {
            return Err(ControlError::NoAnswer);
        }
        Err(error) => return Err(failed(error)),
        Ok(_) if !answer.ends_with(b"\n") => return Err(ControlError::NoAnswer),
        Ok(_) => {}
    }
    serde_json::from_slice(&answer)
        .map(Some)
        .map_err(|source| ControlError::OtherVersion { path: path.to_path_buf(), source })
}

/// No socket, or one that a daemon left behind.
fn is_nobody(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused)
}
