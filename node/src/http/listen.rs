//! Two doors: a loopback port, and a Unix socket for the node's own user.
//!
//! *Invariants.* At each door at most [`CONNECTIONS_MAX`] connections are served; others wait to be let
//! in. One that sends no request for [`HEADERS_WAIT`] is closed. Aborting a door ends its connections.
//!
//! *Source*: ours.

use std::{
    fs, io,
    net::SocketAddr,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use axum::{Router, serve::Listener};
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, UnixListener},
    sync::Semaphore,
    task::{JoinHandle, JoinSet},
};

const CONNECTIONS_MAX: usize = 128;
/// For the next request of a connection that is kept open, too.
const HEADERS_WAIT: Duration = Duration::from_secs(30);
const HEADER_BYTES_MAX: usize = 64 * 1024;

/// Why the API is not served.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// The port is not to be had.
    #[error("serving the API on {address}: {source}; put another port into `http` in the config")]
    Port {
        /// The address.
        address: SocketAddr,
        /// What the operating system said.
        source: io::Error,
    },
    /// The socket is not to be had.
    #[error(
        "opening the API's socket {path}: {source}; its path may have at most 107 bytes, and its \
         directory must be writable"
    )]
    Socket {
        /// The socket.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
}

/// Serves on a port; the address tells which, if it was left to the system.
///
/// # Errors
/// - [`HttpError::Port`]: it is taken.
pub(super) async fn on_port(
    address: SocketAddr,
    router: Router,
) -> Result<(SocketAddr, JoinHandle<()>), HttpError> {
    let failed = |source| HttpError::Port { address, source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok((address, tokio::spawn(let_in(listener, router))))
}

/// Serves at a path, taking the place of a socket that a daemon left behind: no other runs, since it
/// would hold the control socket.
///
/// # Errors
/// - [`HttpError::Socket`]: the operating system refused.
pub(super) fn on_socket(path: &Path, router: Router) -> Result<JoinHandle<()>, HttpError> {
    let failed = |source| HttpError::Socket { path: path.to_path_buf(), source };
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
        Ok(()) | Err(_) => {}
    }
    let listener = UnixListener::bind(path).map_err(failed)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).map_err(failed)?;
    Ok(tokio::spawn(let_in(listener, router)))
}

/// Serves whoever comes, until it is aborted; the connections end with it.
async fn let_in(mut listener: impl Listener, router: Router) {
    let (places, mut open) = (Arc::new(Semaphore::new(CONNECTIONS_MAX)), JoinSet::new());
    // Err: it is closed, which nobody does.
    while let Ok(place) = Arc::clone(&places).acquire_owned().await {
        // Tries again by itself when it fails.
        let (stream, _) = listener.accept().await;
        while open.try_join_next().is_some() {}
        let served = serve(stream, router.clone());
        open.spawn(async move {
            served.await;
            drop(place);
        });
    }
}

async fn serve(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, router: Router) {
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADERS_WAIT)
        .max_buf_size(HEADER_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    // Whoever asked has gone, or spoke no HTTP: there is nobody to tell.
    let _gone = served.await;
}
