//! A TCP relay in front of a node: what its partners dial, so that it can be cut off from outside.
//!
//! ```text
//!   partner ──dials──▶ relay ──▶ node        a cut ends what is open, and takes in nothing new
//! ```
//!
//! *Invariants.* It carries bytes and looks at none. It listens on loopback alone. A cut ends every connection
//! that was open or being opened.
//!
//! *Source*: ours.

use std::{io, net::Ipv4Addr};

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    runtime::Handle,
    sync::watch,
    task::JoinHandle,
};

/// Where connections go now.
#[derive(Debug, Clone, Copy, Default)]
struct Route {
    /// The port on which the node listens, once it does.
    to: Option<u16>,
    is_cut: bool,
    /// How often it was cut: a connection lives as long as this stays.
    cuts: u64,
}

/// A relay; dropping it ends it, and every connection through it.
#[derive(Debug)]
pub(super) struct Relay {
    port: u16,
    route: watch::Sender<Route>,
    listening: JoinHandle<()>,
}

impl Relay {
    /// Listens on a port of the system's choice; nobody is behind it yet.
    ///
    /// # Errors
    /// - [`io::Error`]: the system gave no port.
    pub(super) fn start(runtime: &Handle) -> io::Result<Self> {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let port = listener.local_addr()?.port();
        let (route, watched) = watch::channel(Route::default());
        let listening = runtime.spawn(listen(listener, watched));
        Ok(Self { port, route, listening })
    }

    /// The address that partners dial.
    pub(super) fn address(&self) -> String {
        format!("/ip4/127.0.0.1/tcp/{}", self.port)
    }

    /// Who is behind it now.
    pub(super) fn forward_to(&self, port: u16) {
        self.route.send_modify(|route| route.to = Some(port));
    }

    pub(super) fn cut(&self) {
        self.route.send_modify(|route| {
            route.is_cut = true;
            route.cuts = route.cuts.saturating_add(1);
        });
    }

    pub(super) fn heal(&self) {
        self.route.send_modify(|route| route.is_cut = false);
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

async fn listen(listener: std::net::TcpListener, route: watch::Receiver<Route>) {
    let Ok(listener) = TcpListener::from_std(listener) else { return };
    loop {
        match listener.accept().await {
            Ok((incoming, _)) => drop(tokio::spawn(carry(incoming, route.clone()))),
            // Of the one connection; the next may be well.
            Err(_) => tokio::task::yield_now().await,
        }
    }
}

/// Both ways, until either end closes, or the relay is cut or dropped.
async fn carry(mut incoming: TcpStream, mut route: watch::Receiver<Route>) {
    let now = *route.borrow_and_update();
    let Some(port) = now.to.filter(|_| !now.is_cut) else { return };
    let Ok(mut outgoing) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await else { return };
    let _faster = (incoming.set_nodelay(true), outgoing.set_nodelay(true));
    tokio::select! {
        _ended = copy_bidirectional(&mut incoming, &mut outgoing) => {}
        _cut = route.wait_for(|route| route.cuts != now.cuts) => {}
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read, Write},
        net::{TcpListener, TcpStream},
        time::Duration,
    };

    use super::*;

    fn dial(relay: &Relay) -> TcpStream {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, relay.port)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        stream
    }

    /// Whether the other end has closed.
    fn is_closed(stream: &mut TcpStream) -> bool {
        match stream.read(&mut [0; 8]) {
            Ok(read) => read == 0,
            Err(error) => error.kind() == io::ErrorKind::ConnectionReset,
        }
    }

    #[test]
    fn bytes_go_both_ways_until_it_is_cut_and_again_when_it_is_healed() {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let node = TcpListener::bind("127.0.0.1:0").unwrap();
        let relay = Relay::start(runtime.handle()).unwrap();
        assert!(is_closed(&mut dial(&relay)));
        relay.forward_to(node.local_addr().unwrap().port());
        let exchange = || {
            let mut dialled = dial(&relay);
            dialled.write_all(b"ask").unwrap();
            let (mut taken, _) = node.accept().unwrap();
            let mut asked = [0; 3];
            taken.read_exact(&mut asked).unwrap();
            taken.write_all(b"told").unwrap();
            let mut told = [0; 4];
            dialled.read_exact(&mut told).unwrap();
            assert_eq!((&asked, &told), (b"ask", b"told"));
            (dialled, taken)
        };
        let (mut dialled, mut taken) = exchange();

        relay.cut();
        assert!(is_closed(&mut dialled) && is_closed(&mut taken));
        assert!(is_closed(&mut dial(&relay)));

        relay.heal();
        exchange();
    }
}
