//! The daemon's end of the control socket: one task for each connection.
//!
//! ```text
//!   line ──▶ Request ──calls──▶ daemon
//!   line ◀── Reply   ◀────────────┘
//! ```
//!
//! *Invariants.* At most [`CONNECTIONS_MAX`] clients are served; others wait to be let in. A request
//! beyond its bound ends its connection with an answer.
//!
//! *Source*: ours.

use std::{
    fs, io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{UnixListener, UnixStream},
    sync::Semaphore,
    task::JoinHandle,
};

use super::{Calls, REQUEST_BYTES_MAX, Refusal, Reply, is_running};

const CONNECTIONS_MAX: usize = 64;

/// Why there is no control socket.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// Another daemon answers there.
    #[error("a daemon runs already for this home: it answers at {path}; stop it first")]
    Taken {
        /// The socket.
        path: PathBuf,
    },
    /// The operating system refused.
    #[error(
        "opening the control socket {path}: {source}; its path may have at most 107 bytes, and its \
         directory must be writable"
    )]
    Io {
        /// The socket.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
}

/// The running server; dropping it ends it, and removes the socket.
#[derive(Debug)]
pub struct Server {
    path: PathBuf,
    accepting: JoinHandle<()>,
}

impl Server {
    /// Tells whether another daemon answers at `path`, before anything is opened.
    ///
    /// # Errors
    /// - [`ServerError::Taken`]: one does.
    pub fn expect_free(path: &Path) -> Result<(), ServerError> {
        if is_running(path) { Err(ServerError::Taken { path: path.to_path_buf() }) } else { Ok(()) }
    }

    /// Listens at `path`, taking the place of a socket that nobody listens at.
    ///
    /// # Errors
    /// - [`ServerError::Taken`]: somebody does.
    /// - [`ServerError::Io`]: the operating system refused.
    pub fn start(path: &Path, calls: Calls) -> Result<Self, ServerError> {
        let failed = |source| ServerError::Io { path: path.to_path_buf(), source };
        Self::expect_free(path)?;
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
            Ok(()) | Err(_) => {}
        }
        let listener = UnixListener::bind(path).map_err(failed)?;
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).map_err(failed)?;
        let accepting = tokio::spawn(accept(listener, calls));
        Ok(Self { path: path.to_path_buf(), accepting })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
        // Left behind, it would only be taken for that of a daemon that was killed.
        let _removed = fs::remove_file(&self.path);
    }
}

async fn accept(listener: UnixListener, calls: Calls) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else {
            return;
        };
        match listener.accept().await {
            Ok((stream, _)) => {
                let calls = calls.clone();
                tokio::spawn(async move {
                    // The client went away; its order, if it gave one, is done.
                    let _gone = serve(stream, calls).await;
                    drop(place);
                });
            }
            Err(error) => {
                tracing::warn!(code = "control", %error, "the control socket failed once");
                tokio::task::yield_now().await;
            }
        }
    }
}

async fn serve(stream: UnixStream, calls: Calls) -> io::Result<()> {
    let (reading, mut writing) = stream.into_split();
    let mut reading = BufReader::new(reading);
    loop {
        let mut line = Vec::new();
        let read = (&mut reading).take(REQUEST_BYTES_MAX).read_until(b'\n', &mut line).await?;
        if read == 0 {
            return Ok(());
        }
        let is_whole = line.ends_with(b"\n");
        let reply = if is_whole {
            let read = move || {
                serde_json::from_slice(&line).map_err(|error| Refusal::new("other-version", error))
            };
            calls.ask(read).await
        } else {
            let message = format!("a request has at most {REQUEST_BYTES_MAX} bytes and one line");
            Some(Reply::Refused(Refusal::new("too-long", message)))
        };
        let Some(reply) = reply else {
            // The daemon is ending: the client sees the connection close.
            return Ok(());
        };
        let mut bytes = serde_json::to_vec(&reply)?;
        bytes.push(b'\n');
        writing.write_all(&bytes).await?;
        if !is_whole {
            return Ok(());
        }
    }
}
