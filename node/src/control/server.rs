//! The daemon's end of the control socket: one task for each connection.
//!
//! ```text
//!   line ──▶ Request ──▶ Order (papers verified here, off the engine's task) ──▶ daemon
//!   line ◀── Reply   ◀──────────────────── oneshot ◀─────────────────────────────┘
//! ```
//!
//! *Invariants.* At most [`CALLS_MAX`] orders wait, and [`CONNECTIONS_MAX`] clients are served;
//! others wait to be let in. A request beyond its bound ends its connection with an answer.
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
    sync::{Semaphore, mpsc, oneshot},
    task::JoinHandle,
};

use super::{REQUEST_BYTES_MAX, Refusal, Reply, Request, is_running};
use crate::replica::Order;

const CALLS_MAX: usize = 64;
const CONNECTIONS_MAX: usize = 64;

/// One order, and where its answer goes.
#[derive(Debug)]
pub struct Call {
    /// What is asked.
    pub order: Order,
    /// Dropped without an answer only when the daemon ends.
    pub reply: oneshot::Sender<Reply>,
}

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
    pub fn start(path: &Path) -> Result<(Self, mpsc::Receiver<Call>), ServerError> {
        let failed = |source| ServerError::Io { path: path.to_path_buf(), source };
        Self::expect_free(path)?;
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
            Ok(()) | Err(_) => {}
        }
        let listener = UnixListener::bind(path).map_err(failed)?;
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).map_err(failed)?;
        let (calls, received) = mpsc::channel(CALLS_MAX);
        let accepting = tokio::spawn(accept(listener, calls));
        Ok((Self { path: path.to_path_buf(), accepting }, received))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
        // Left behind, it would only be taken for that of a daemon that was killed.
        let _removed = fs::remove_file(&self.path);
    }
}

async fn accept(listener: UnixListener, calls: mpsc::Sender<Call>) {
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

async fn serve(stream: UnixStream, calls: mpsc::Sender<Call>) -> io::Result<()> {
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
            answer(line, &calls).await
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

async fn answer(line: Vec<u8>, calls: &mpsc::Sender<Call>) -> Option<Reply> {
    let read = tokio::task::spawn_blocking(move || {
        let request: Request =
            serde_json::from_slice(&line).map_err(|error| Refusal::new("other-version", error))?;
        Order::read(request)
    });
    let order = match read.await.ok()? {
        Ok(order) => order,
        Err(refusal) => return Some(Reply::Refused(refusal)),
    };
    let (reply, answer) = oneshot::channel();
    calls.send(Call { order, reply }).await.ok()?;
    answer.await.ok()
}
