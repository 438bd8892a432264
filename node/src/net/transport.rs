//! The transports: QUIC, and TCP with TLS and yamux, at addresses or names.
//!
//! ```text
//!   name ─▶ DNS ─┬─▶ QUIC ─────────────────────┬─▶ a multiplexed connection that closes in time
//!                └─▶ TCP ─▶ TLS 1.3 ─▶ yamux ──┘
//! ```
//!
//! Closing a connection says goodbye, and waits until that is written. To a peer that reads nothing any
//! more it is never written once the system's buffer is full, and while the old connection is closing
//! the peer counts as connected and is not dialled. So a goodbye has a deadline.
//!
//! *Invariants.* A close ends within [`GOODBYE`]. Both transports prove the peer's key by its certificate.
//!
//! *Source*: ours; libp2p-swarm 0.48 `connection/pool/task.rs`, which awaits the close without a bound.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use futures::{AsyncRead, AsyncWrite, future::Either};
use libp2p::{
    PeerId, Transport as _,
    core::{
        muxing::{StreamMuxer, StreamMuxerBox, StreamMuxerEvent, SubstreamBox},
        transport::Boxed,
        upgrade::Version,
    },
    dns,
    identity::Keypair,
    quic, tcp, tls, yamux,
};
use tokio::time::Sleep;

use super::NetError;

/// Substreams of a peer on one connection: identify, ping, control and bulk, each way; as many again
/// while a session replaces another.
const STREAMS_MAX: u32 = 32;
/// How long a peer may take to take a goodbye.
const GOODBYE: Duration = Duration::from_secs(5);
/// Over QUIC, a partner that has gone without a word is noticed after this.
const SILENCE_MS: u32 = 20_000;

/// Everything between an address and substreams.
pub(super) fn build(keypair: &Keypair) -> Result<Boxed<(PeerId, StreamMuxerBox)>, NetError> {
    let tls = tls::Config::new(keypair)
        .map_err(|error| NetError::Certificate { source: Box::new(error) })?;
    let tcp = tcp::tokio::Transport::new(tcp::Config::default().nodelay(true))
        .upgrade(Version::V1Lazy)
        .authenticate(tls)
        .multiplex(multiplexer());
    let mut config = quic::Config::new(keypair);
    config.max_idle_timeout = SILENCE_MS;
    config.max_concurrent_stream_limit = STREAMS_MAX;
    let either = quic::tokio::Transport::new(config).or_transport(tcp);
    let wrap = Wrap::new();
    let closing = either.map(move |output, _| match output {
        Either::Left((peer, muxer)) => (peer, wrap.boxed(muxer)),
        Either::Right((peer, muxer)) => (peer, wrap.boxed(muxer)),
    });
    let named =
        dns::tokio::Transport::system(closing).map_err(|source| NetError::Resolver { source })?;
    Ok(named.boxed())
}

fn multiplexer() -> yamux::Config {
    let mut config = yamux::Config::default();
    config.set_max_num_streams(STREAMS_MAX as usize);
    config
}

/// What is put around every connection.
#[derive(Clone)]
struct Wrap {
    /// What is received is copied for tests; see `capture`.
    #[cfg(debug_assertions)]
    copies: Option<super::capture::Copies>,
}

impl Wrap {
    fn new() -> Self {
        Self {
            #[cfg(debug_assertions)]
            copies: super::capture::Copies::wanted(),
        }
    }

    fn boxed<M>(&self, muxer: M) -> StreamMuxerBox
    where
        M: StreamMuxer + Send + 'static,
        M::Substream: AsyncRead + AsyncWrite + Send + 'static,
        M::Error: Send + Sync + 'static,
    {
        #[cfg(debug_assertions)]
        if self.copies.is_some() {
            return InTime::boxed(super::capture::Muxer::new(muxer, self.copies.clone()));
        }
        InTime::boxed(muxer)
    }
}

/// A connection whose close ends in time.
struct InTime {
    muxer: StreamMuxerBox,
    /// Set when closing begins.
    deadline: Option<Pin<Box<Sleep>>>,
}

impl InTime {
    fn boxed<M>(muxer: M) -> StreamMuxerBox
    where
        M: StreamMuxer + Send + 'static,
        M::Substream: AsyncRead + AsyncWrite + Send + 'static,
        M::Error: Send + Sync + 'static,
    {
        StreamMuxerBox::new(Self { muxer: StreamMuxerBox::new(muxer), deadline: None })
    }

    fn muxer(self: Pin<&mut Self>) -> Pin<&mut StreamMuxerBox> {
        Pin::new(&mut self.get_mut().muxer)
    }
}

impl StreamMuxer for InTime {
    type Substream = SubstreamBox;
    type Error = io::Error;

    fn poll_inbound(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Result<SubstreamBox, io::Error>> {
        self.muxer().poll_inbound(context)
    }

    fn poll_outbound(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Result<SubstreamBox, io::Error>> {
        self.muxer().poll_outbound(context)
    }

    fn poll(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Result<StreamMuxerEvent, io::Error>> {
        self.muxer().poll(context)
    }

    fn poll_close(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), io::Error>> {
        let Self { muxer, deadline } = self.get_mut();
        if let Poll::Ready(closed) = Pin::new(muxer).poll_close(context) {
            return Poll::Ready(closed);
        }
        let deadline = deadline.get_or_insert_with(|| Box::pin(tokio::time::sleep(GOODBYE)));
        deadline.as_mut().poll(context).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

#[cfg(test)]
mod tests {
    use libp2p::core::muxing::StreamMuxerExt;

    use super::*;

    /// A peer that reads nothing any more.
    struct Stalled;

    impl StreamMuxer for Stalled {
        type Substream = SubstreamBox;
        type Error = io::Error;

        fn poll_inbound(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Result<SubstreamBox, io::Error>> {
            Poll::Pending
        }

        fn poll_outbound(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Result<SubstreamBox, io::Error>> {
            Poll::Pending
        }

        fn poll(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Result<StreamMuxerEvent, io::Error>> {
            Poll::Pending
        }

        fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), io::Error>> {
            Poll::Pending
        }
    }

    #[tokio::test]
    async fn a_goodbye_that_nobody_takes_ends() {
        let stalled = InTime { muxer: StreamMuxerBox::new(Stalled), deadline: None };
        assert_eq!(stalled.close().await.unwrap_err().kind(), io::ErrorKind::TimedOut);
    }
}
