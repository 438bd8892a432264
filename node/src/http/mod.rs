//! The API: JSON under `/api/v1`, what changed as it changes, health and figures.
//!
//! ```text
//!   GET   /healthz /readyz /metrics                       whoever reaches the door
//!   GET   /api/v1/openapi.json
//!   GET   /api/v1/status  peers                           a token that may watch
//!   GET   /api/v1/boards  boards/B                        … that may read
//!   GET   /api/v1/boards/B/artefacts  artefacts/A  artefacts/A/{history,conflicts,proposals,proof}
//!   GET   /api/v1/events                                  … as server-sent events
//!   GET   /api/v1/boards/B/log                            … that may audit
//!   GET   /api/v1/journal                                 … that may read the journal
//!   POST  /api/v1/boards/B/artefacts                      … that may write
//!   POST  /api/v1/artefacts/A/{edits,events,remarks,audience,settlements}
//!   POST  /api/v1/artefacts/A/{proposals,signoffs,closings}   … that may bind the organisation
//!   GET   /api/v1/records  records/C  records/C/R  records/C/R/leaving  promotions   … that may keep records
//!   POST  /api/v1/records/C  records/C/deletions  records/C/R/promotions
//! ```
//!
//! | file | what |
//! |---|---|
//! | `routes` | the table above as data: router, access and document follow from it |
//! | `listen` | two doors, a loopback port and a Unix socket, and the bounds of a connection |
//! | `api` | what every handler holds: the way to the daemon |
//! | `role`, `token`, `auth` | what may be done; by whom; whether this request may |
//! | `body` | what a request brings, read within its bounds |
//! | `problem` | every refusal, as problem details |
//! | `node`, `boards`, `artefacts`, `acts`, `records` | one file a resource; `acts` are those that write |
//! | `changes`, `events` | what changed, and the stream that tells it |
//! | `journal` | this node's own account of what it did and saw |
//! | `health`, `metrics` | whether the node can do its work; its figures |
//! | `openapi` | the document, made of the table and the types |
//!
//! *Invariants.* Asks the daemon as the command line does, by the same requests and with the same answers,
//! and never opens the store: whatever a command refuses is refused here. "Written" is only said of what
//! is durable. Listens for this machine alone. What a caller typed is neither logged nor, if it holds a
//! patient's number, said again. No cookies and no CORS, so no page in a browser can borrow a token.
//!
//! *Source*: ours; RFC 9110, RFC 9457, OpenAPI 3.1.

mod acts;
mod api;
mod artefacts;
mod auth;
mod boards;
mod body;
mod changes;
mod events;
mod health;
mod journal;
mod listen;
mod metrics;
mod node;
mod openapi;
mod problem;
mod records;
mod role;
mod routes;
mod token;

use std::{net::SocketAddr, path::PathBuf, sync::Arc};

use concordat_protocol::hash::{ArtefactId, BoardId};
use tokio::task::JoinHandle;

pub use listen::HttpError;
pub use role::{Permission, Role};
pub use token::{Holder, NewToken, TokenError, TokenLine, Tokens};

use api::Api;
use changes::Changes;

use crate::{control::Calls, home::Home, journal::Aside};

/// The API of a running daemon; dropping it ends it, and removes the socket.
#[derive(Debug)]
pub struct Http {
    address: SocketAddr,
    socket: PathBuf,
    changes: Arc<Changes>,
    doors: [JoinHandle<()>; 2],
}

impl Http {
    /// Serves the API at a loopback address and at the home's socket.
    ///
    /// # Errors
    /// - [`HttpError`]: the port or the socket is not to be had.
    pub async fn start(
        address: SocketAddr,
        home: &Home,
        calls: Calls,
        journal: Aside,
    ) -> Result<Self, HttpError> {
        let changes = Arc::new(Changes::new());
        let router = routes::router(Api::new(home, (calls, journal), Arc::clone(&changes)));
        let (address, tcp) = listen::on_port(address, router.clone()).await?;
        let socket = home.http_socket();
        let unix = listen::on_socket(&socket, router)?;
        tracing::info!(code = "http", %address, socket = %socket.display(), "serving the API");
        Ok(Self { address, socket, changes, doors: [tcp, unix] })
    }

    /// The loopback address with its real port.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Tells whoever listens that something has come about an artefact, and is durable.
    pub fn changed(&self, board: &BoardId, artefact: &ArtefactId) {
        self.changes.tell(board, artefact);
    }
}

impl Drop for Http {
    fn drop(&mut self) {
        for door in &self.doors {
            door.abort();
        }
        let _removed = std::fs::remove_file(&self.socket);
    }
}
