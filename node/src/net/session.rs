//! One session with one peer: opening it, carrying frames, ending it.
//!
//! ```text
//!   lower key (opens)                         higher key (accepts)
//!   open control, write number  ------------>  read number
//!   open bulk, write number     ------------>  read number; both equal: a pair
//!   read number on control      <------------  write number
//!   Connected                                  Connected
//!   frames, both lanes          <----------->  frames, both lanes
//!   Disconnected                               Disconnected
//! ```
//!
//! The number is random. It keeps a control substream from being paired with the bulk substream of
//! an earlier attempt, and the answer tells the opener that neither was lost on the way.
//!
//! *Invariants.* All events of a session are sent by its own task and in order. When the task has
//! ended, none of its substreams is read or written any more.
//!
//! *Source*: ours.

use std::{io, sync::Arc, time::Duration};

use futures::{
    AsyncReadExt, AsyncWriteExt,
    io::{BufReader, BufWriter, ReadHalf, WriteHalf},
};
use libp2p::{PeerId, Stream, StreamProtocol};
use libp2p_stream::Control;
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinSet,
};

use super::{
    End, Lane, NetEvent, NetLimits, NodeKey, SessionId,
    frame::{self, FrameError},
    meter::PeerMeter,
    queue::{Queue, Queued},
};

pub(super) const CONTROL: &str = "/concordat/sync/1";
pub(super) const BULK: &str = "/concordat/bulk/1";
/// For anything that a peer has to answer before a session is up.
const ANSWER: Duration = Duration::from_secs(10);
/// Small frames are gathered to this before they go to the multiplexer.
const BUFFER_BYTES: usize = 8 * 1024;

/// The two substreams of a session.
pub(super) struct Pair {
    pub(super) control: Stream,
    pub(super) bulk: Stream,
}

/// Why a session could not be opened.
#[derive(Debug, thiserror::Error)]
pub(super) enum OpenError {
    #[error("no substream: {0}")]
    Open(#[from] libp2p_stream::OpenStreamError),
    #[error("the number of the session was not exchanged: {0}")]
    Number(#[from] io::Error),
    #[error("the peer answered with the number of another session")]
    OtherNumber,
    #[error("no answer within {} s", ANSWER.as_secs())]
    TimedOut,
}

/// Opens both substreams to a connected peer.
pub(super) async fn open(control: Control, peer: PeerId, number: u64) -> Result<Pair, OpenError> {
    tokio::time::timeout(ANSWER, open_pair(control, peer, number))
        .await
        .unwrap_or(Err(OpenError::TimedOut))
}

async fn open_pair(mut streams: Control, peer: PeerId, number: u64) -> Result<Pair, OpenError> {
    let mut control = streams.open_stream(peer, StreamProtocol::new(CONTROL)).await?;
    write_number(&mut control, number).await?;
    let mut bulk = streams.open_stream(peer, StreamProtocol::new(BULK)).await?;
    write_number(&mut bulk, number).await?;
    if read_number(&mut control).await? != number {
        return Err(OpenError::OtherNumber);
    }
    Ok(Pair { control, bulk })
}

/// Reads the number of a substream that the peer opened; `None` if it does not come.
pub(super) async fn accept(mut stream: Stream) -> Option<(u64, Stream)> {
    let number = tokio::time::timeout(ANSWER, read_number(&mut stream)).await.ok()?.ok()?;
    Some((number, stream))
}

async fn write_number(stream: &mut Stream, number: u64) -> io::Result<()> {
    stream.write_all(&number.to_be_bytes()).await?;
    stream.flush().await
}

async fn read_number(stream: &mut Stream) -> io::Result<u64> {
    let mut bytes = [0; 8];
    stream.read_exact(&mut bytes).await?;
    Ok(u64::from_be_bytes(bytes))
}

/// The driver's end of a session that is up or coming up.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) id: SessionId,
    control: Queue,
    bulk: Queue,
    stop: Option<oneshot::Sender<End>>,
}

impl Session {
    /// Queues a frame.
    pub(super) fn push(&self, lane: Lane, frame: Vec<u8>) -> Result<(), End> {
        match lane {
            Lane::Control => self.control.push(frame),
            Lane::Bulk => self.bulk.push(frame),
        }
    }

    /// Ends the session for this reason, unless another was first.
    pub(super) fn stop(&mut self, reason: End) {
        if let Some(stop) = self.stop.take() {
            // Closed: the task has ended already.
            let _closed = stop.send(reason);
        }
    }
}

/// A session as a task; `run` is its whole life.
pub(super) struct SessionTask {
    peer: NodeKey,
    id: SessionId,
    pair: Pair,
    /// To be told to the opener; the opener itself has been told.
    answer: Option<u64>,
    queued: [Queued; 2],
    stopped: oneshot::Receiver<End>,
    events: mpsc::Sender<NetEvent>,
    meter: Arc<PeerMeter>,
    frame_bytes_max: u32,
}

/// What a session needs besides its substreams.
pub(super) struct Setting<'a> {
    pub(super) peer: NodeKey,
    pub(super) id: SessionId,
    pub(super) limits: &'a NetLimits,
    pub(super) meter: Arc<PeerMeter>,
    pub(super) events: mpsc::Sender<NetEvent>,
}

/// A session over this pair: the driver's end, and the task to be spawned.
pub(super) fn prepare(
    setting: Setting<'_>,
    pair: Pair,
    answer: Option<u64>,
) -> (Session, SessionTask) {
    let Setting { peer, id, limits, meter, events } = setting;
    let (control, control_queued) = Queue::new(Lane::Control, limits, &meter);
    let (bulk, bulk_queued) = Queue::new(Lane::Bulk, limits, &meter);
    let (stop, stopped) = oneshot::channel();
    let queued = [control_queued, bulk_queued];
    let frame_bytes_max = limits.frame_bytes_max;
    (
        Session { id, control, bulk, stop: Some(stop) },
        SessionTask { peer, id, pair, answer, queued, stopped, events, meter, frame_bytes_max },
    )
}

impl SessionTask {
    /// Answers if need be, tells `Connected`, carries frames until something ends, tells
    /// `Disconnected`. Without an answer sent nothing is told at all.
    pub(super) async fn run(mut self) -> End {
        if let Some(number) = self.answer {
            let write = write_number(&mut self.pair.control, number);
            match tokio::time::timeout(ANSWER, write).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => {
                    return End::Io { lane: Lane::Control, kind: error.kind() };
                }
                Err(_) => {
                    return End::Io { lane: Lane::Control, kind: io::ErrorKind::TimedOut };
                }
            }
        }
        let (peer, session, events) = (self.peer, self.id, self.events.clone());
        // If the daemon no longer listens, the driver ends everything by itself.
        let _gone = events.send(NetEvent::Connected { peer, session }).await;
        let reason = self.carry().await;
        let told = NetEvent::Disconnected { peer, session, reason: reason.clone() };
        let _gone = events.send(told).await;
        reason
    }

    async fn carry(self) -> End {
        let [control_queued, bulk_queued] = self.queued;
        let mut tasks = JoinSet::new();
        for (lane, stream, queued) in [
            (Lane::Control, self.pair.control, control_queued),
            (Lane::Bulk, self.pair.bulk, bulk_queued),
        ] {
            let (reading, writing) = stream.split();
            let reader = Reader {
                peer: self.peer,
                lane,
                events: self.events.clone(),
                meter: Arc::clone(&self.meter),
                frame_bytes_max: self.frame_bytes_max,
            };
            tasks.spawn(reader.run(reading));
            tasks.spawn(write_queued(queued, writing));
        }
        let reason = tokio::select! {
            // First: a stop closes the connection too, whose end says less.
            biased;
            stopped = self.stopped => stopped.unwrap_or(End::Shutdown),
            first = tasks.join_next() => match first {
                Some(Ok(reason)) => reason,
                Some(Err(_)) | None => End::OurFault,
            },
        };
        // Ends and awaits the rest: no frame may follow the end of its session.
        tasks.shutdown().await;
        reason
    }
}

struct Reader {
    peer: NodeKey,
    lane: Lane,
    events: mpsc::Sender<NetEvent>,
    meter: Arc<PeerMeter>,
    frame_bytes_max: u32,
}

impl Reader {
    /// Waits when the daemon is busy: then the peer's window fills, and the peer waits too.
    async fn run(self, stream: ReadHalf<Stream>) -> End {
        let Self { peer, lane, .. } = self;
        let mut stream = BufReader::with_capacity(BUFFER_BYTES, stream);
        loop {
            let bytes = match frame::read(&mut stream, self.frame_bytes_max).await {
                Ok(Some(bytes)) => bytes,
                Ok(None) => return End::Closed,
                Err(FrameError::BadLength(bytes)) => {
                    return End::BadLength { lane, bytes, max: self.frame_bytes_max };
                }
                Err(FrameError::Io(kind)) => return io_end(lane, kind),
            };
            self.meter.lane(lane).received(&bytes);
            if self.events.send(NetEvent::Frame { peer, lane, bytes }).await.is_err() {
                return End::Shutdown;
            }
        }
    }
}

/// Flushes whenever nothing waits, so that small frames share a write and none lies about.
async fn write_queued(mut queued: Queued, stream: WriteHalf<Stream>) -> End {
    let mut stream = BufWriter::with_capacity(BUFFER_BYTES, stream);
    while let Some(frame) = queued.frames.recv().await {
        let frame = queued.current.insert(frame);
        if let Err(error) = frame::write(&mut stream, frame).await {
            return io_end(queued.lane, error.kind());
        }
        if let Some(frame) = queued.current.take() {
            queued.meter.lane(queued.lane).sent(&frame);
        }
        if queued.frames.is_empty()
            && let Err(error) = stream.flush().await
        {
            return io_end(queued.lane, error.kind());
        }
    }
    // The driver has let go of the session without a reason.
    End::Shutdown
}

/// A peer that goes away shows in one of several ways.
const fn io_end(lane: Lane, kind: io::ErrorKind) -> End {
    match kind {
        io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::BrokenPipe
        | io::ErrorKind::NotConnected
        | io::ErrorKind::WriteZero
        | io::ErrorKind::UnexpectedEof => End::Closed,
        _ => End::Io { lane, kind },
    }
}
