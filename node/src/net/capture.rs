//! What peers send, as it comes out of the encryption: for tests, and in no release build.
//!
//! ```text
//!   TCP ─▶ TLS ─▶ yamux ─┬─▶ substream ─▶ here: a copy to <directory>/<process>-<number> ─▶ identify, ping, session
//!            UDP ─▶ QUIC ─┘
//! ```
//!
//! With `CONCORDAT_TEST_CAPTURE=<directory>` in its environment a node that was built with debug assertions
//! writes every byte that it receives, on every substream of every protocol, to files there, one a substream,
//! so that a test can tell that something was never sent. A release build has none of this code.
//!
//! *Invariants.* Nothing is changed on the way, and without the variable nothing is done at all.
//!
//! *Source*: ours; libp2p-core 0.44, `StreamMuxer`.

use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::PathBuf,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
};

use futures::{AsyncRead, AsyncWrite};
use libp2p::core::{StreamMuxer, muxing::StreamMuxerEvent};

const VARIABLE: &str = "CONCORDAT_TEST_CAPTURE";

/// Where substreams are copied to.
#[derive(Debug, Clone)]
pub(super) struct Copies {
    directory: PathBuf,
    number: Arc<AtomicU64>,
}

impl Copies {
    /// `None`: the environment does not ask for copies.
    pub(super) fn wanted() -> Option<Self> {
        let directory = std::env::var_os(VARIABLE).map(PathBuf::from)?;
        Some(Self { directory, number: Arc::default() })
    }

    /// A file for the next substream; a test without its copies must not pass.
    fn next(&self) -> io::Result<File> {
        let number = self.number.fetch_add(1, Ordering::Relaxed);
        let path = self.directory.join(format!("{}-{number}", std::process::id()));
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
    }
}

/// A connection whose substreams are copied.
pub(super) struct Muxer<M> {
    muxer: Pin<Box<M>>,
    copies: Option<Copies>,
}

impl<M> Muxer<M> {
    pub(super) fn new(muxer: M, copies: Option<Copies>) -> Self {
        Self { muxer: Box::pin(muxer), copies }
    }

    fn captured<S, E>(&self, opened: Poll<Result<S, E>>) -> Poll<Result<Substream<S>, E>> {
        opened.map_ok(|stream| Substream {
            stream: Box::pin(stream),
            copy: self.copies.as_ref().map(Copies::next),
        })
    }
}

impl<M: StreamMuxer> StreamMuxer for Muxer<M> {
    type Substream = Substream<M::Substream>;
    type Error = M::Error;

    fn poll_inbound(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Result<Self::Substream, M::Error>> {
        let opened = self.muxer.as_mut().poll_inbound(context);
        self.captured(opened)
    }

    fn poll_outbound(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Result<Self::Substream, M::Error>> {
        let opened = self.muxer.as_mut().poll_outbound(context);
        self.captured(opened)
    }

    fn poll_close(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Result<(), M::Error>> {
        self.muxer.as_mut().poll_close(context)
    }

    fn poll(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Result<StreamMuxerEvent, M::Error>> {
        self.muxer.as_mut().poll(context)
    }
}

/// A substream, and the copy of what comes out of it.
pub(super) struct Substream<S> {
    stream: Pin<Box<S>>,
    copy: Option<io::Result<File>>,
}

impl<S> Substream<S> {
    /// What cannot be copied is not read: a test without its copies must not pass.
    fn copy(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.copy {
            None => Ok(()),
            Some(Ok(file)) => file.write_all(bytes),
            Some(Err(why)) => Err(io::Error::new(why.kind(), "a substream cannot be copied")),
        }
    }
}

impl<S: AsyncRead> AsyncRead for Substream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let read = self.stream.as_mut().poll_read(context, buffer);
        if let Poll::Ready(Ok(read)) = read {
            self.copy(buffer.get(..read).unwrap_or_default())?;
        }
        read
    }
}

impl<S: AsyncWrite> AsyncWrite for Substream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.stream.as_mut().poll_write(context, buffer)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream.as_mut().poll_flush(context)
    }

    fn poll_close(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream.as_mut().poll_close(context)
    }
}
