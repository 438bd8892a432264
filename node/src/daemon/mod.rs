//! The daemon: the only place where engine, store, network, API and local commands meet.
//!
//! ```text
//!   peers ──NetEvent──▶┐                       ┌──Persist──▶ store writer ──Durable──┐
//!   cli, http ─Call───▶┤ one task ──▶ engine ──┤──Send, Admit…─▶ network             │
//!   clock, 1 s ───────▶┤                       └──Written, Refused─▶ desk ─▶ command  │
//!   store writer ─────▶┘◀────────────────────────────────────────────────────────────┘
//!   acts prepared ────▶┘        on artefacts: worked out over a snapshot, off the task
//! ```
//!
//! | file | what |
//! |---|---|
//! | `mod` | the loop: whatever comes in becomes an input, whatever comes out is done in its order |
//! | `backlog` | what the writer was handed and has not made durable, and for how long |
//! | `links` | sessions with peers: which is current, and what the engine may say to whom |
//! | `records` | private records: answered aside, written one change at a time |
//! | `reserve` | what is taken in when the disk is nearly full |
//! | `service` | what systemd is told |
//! | `watchdog` | the end of a process whose store hangs |
//! | `strangers` | who was turned away, and how much of it is told |
//! | `notices` | what is told in the log, one line each |
//!
//! *Invariants.* Effects are done in their order. The task waits for no disk and no peer: writes and
//! reads for people are done aside, and when too much waits for the disk it takes in no more.
//! After a failed write or read nothing more is done, and the process ends.
//!
//! *Source*: ours; the engine's contract in `protocol/src/engine/mod.rs`.

mod backlog;
mod links;
mod notices;
mod records;
mod reserve;
mod service;
mod strangers;
mod watchdog;

use std::{sync::Arc, time::Duration};

use concordat_protocol::engine::{Effect, Input};
use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, Interval, MissedTickBehavior},
};

use self::{
    backlog::Backlog,
    links::Links,
    records::{OwnWrite, Records},
    reserve::Reserve,
    strangers::Strangers,
};
use crate::{
    artefact::{Prepared, prepare},
    config::Config,
    contacts::Contacts,
    control::{Answer, Call, Calls, Refusal, Reply, Server, ServerError},
    home::Home,
    http::{Http, HttpError},
    journal::{Aside, Event, Line},
    net::{self, NetConfig, NetError, NetEvent, NetLimits, NetStopped},
    organisation::{Organisation, OrganisationError},
    replica::{About, Begun, Desk, Replica, ReplicaError, Work, Writes},
    store::{self, Reader, Store, StoreError, Writer, WriterStopped},
    view::{Running, WriterLine},
};

/// With more than this on its way to disk, nothing more is taken in.
const WAITING_BYTES_MAX: usize = 64 * 1024 * 1024;
const TICK: Duration = Duration::from_secs(1);
/// How long a command may hold the store when the daemon starts.
const PATIENCE: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(20);

/// What a daemon starts from.
#[derive(Debug)]
pub struct Start {
    /// Where everything is.
    pub home: Home,
    /// Checked.
    pub config: Config,
    /// Whom it acts for.
    pub organisation: Organisation,
    /// The administrator says that the store is an older copy.
    pub is_restored: bool,
}

/// Why a daemon did not start, or ended.
#[derive(Debug, thiserror::Error)]
pub enum DaemonError {
    /// The store said no.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The card could not be renewed, or old keys not be removed.
    #[error(transparent)]
    Organisation(#[from] OrganisationError),
    /// The replica said no.
    #[error(transparent)]
    Replica(#[from] ReplicaError),
    /// The network said no.
    #[error(transparent)]
    Net(#[from] NetError),
    /// The control socket said no.
    #[error(transparent)]
    Control(#[from] ServerError),
    /// The API could not be served.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// The writer ended before the daemon did.
    #[error(transparent)]
    Writer(#[from] WriterStopped),
    /// The network ended before the daemon did.
    #[error(transparent)]
    Stopped(#[from] NetStopped),
    /// The operating system refused a thread or a signal.
    #[error("starting the daemon: {0}")]
    System(#[from] std::io::Error),
}

/// A running daemon.
struct Daemon {
    replica: Replica,
    desk: Desk,
    links: Links,
    writer: Writer,
    reserve: Reserve,
    backlog: Backlog,
    strangers: Strangers,
    records: Records,
    http: Option<Http>,
    preparing: mpsc::UnboundedSender<Ready>,
    journal_days: u64,
}

/// An act that was prepared, and who waits for its answer.
struct Ready {
    prepared: Result<Prepared, Refusal>,
    about: About,
    reply: oneshot::Sender<Reply>,
}

/// What the daemon waits for.
struct Inbox {
    events: mpsc::Receiver<NetEvent>,
    reports: mpsc::UnboundedReceiver<store::Report>,
    calls: mpsc::Receiver<Call>,
    ready: mpsc::UnboundedReceiver<Ready>,
    own: mpsc::UnboundedReceiver<OwnWrite>,
    ticks: Interval,
}

/// Runs a daemon until it is told to stop.
///
/// # Errors
/// - [`DaemonError`]: it did not start, or could not go on.
pub async fn run(start: Start) -> Result<(), DaemonError> {
    let stop = stop_signal()?;
    let Start { home, config, mut organisation, is_restored } = start;
    let seed = organisation.keys().node.clone();
    Server::expect_free(&home.socket())?;
    let store = open_store(&home, &config).await?;
    // With the store locked no other command makes cards.
    if organisation.announce(&home, config.announce())? {
        notices::new_card(&organisation);
    }
    let reader = store.reader();
    let mut replica = Replica::open(&home, Arc::new(organisation), reader.apart(), is_restored)?;
    tell_start(&mut replica, &config, &reader)?;
    if replica.has_begun() {
        replica.organisation().forget_older(&home)?;
    }
    let (asking, calls) = Calls::open();
    let server = Server::start(&home.socket(), asking.clone())?;
    let (records, own) = Records::new(&home, asking.clone(), replica.journal().aside());
    let http = match config.http() {
        Some(address) => {
            Some(Http::start(address, &home, asking, replica.journal().aside()).await?)
        }
        None => None,
    };
    let (reported, reports) = mpsc::unbounded_channel();
    // The receiver outlives the writer, so the report always finds it.
    let scrubbed = reported.clone();
    let writer = Writer::start(store, move |report| drop(reported.send(report)))?;
    let _watching = watchdog::start(writer.clock())?;
    let contacts = Contacts::load(&reader)?;
    scrub(reader, scrubbed, replica.journal().aside())?;
    let (net, events) = net::start(net_config(&config), seed.as_bytes())?;
    notices::serving(&replica, &home);
    let (preparing, ready) = mpsc::unbounded_channel();
    let mut daemon = Daemon {
        replica,
        desk: Desk::default(),
        links: Links::new(net, contacts),
        writer,
        reserve: Reserve::new(&home.store(), config.disk_reserve_bytes()),
        backlog: Backlog::default(),
        strangers: Strangers::new(Instant::now()),
        records,
        http,
        preparing,
        journal_days: config.journal_days(),
    };
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut inbox = Inbox { events, reports, calls, ready, own, ticks };
    service::ready();
    let ended = daemon.serve(&mut inbox, stop).await;
    service::stopping();
    drop((server, daemon.http.take()));
    let closed = daemon.close(inbox).await;
    ended.and(closed)
}

fn tell_start(replica: &mut Replica, config: &Config, reader: &Reader) -> Result<(), StoreError> {
    let journal = replica.journal();
    journal.tell(Event::DaemonStarted {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        config_sha256: data_encoding::HEXLOWER.encode(config.sha256()),
    });
    let (rows, commits) = (reader.size()?.entries, reader.commits());
    let engine = config.store().name().to_owned();
    journal.tell(Event::StoreOpened { engine, rows, commits });
    Ok(())
}

/// Opens the store, waiting a little for a command that is at work in it.
async fn open_store(home: &Home, config: &Config) -> Result<Store, StoreError> {
    let give_up = Instant::now() + PATIENCE;
    loop {
        match store::open(&home.store(), config.store()) {
            Err(StoreError::Locked { .. }) if Instant::now() < give_up => {
                tokio::time::sleep(PAUSE).await;
            }
            opened => return opened,
        }
    }
}

/// Compares all that is stored with what was written, aside; damage ends the daemon.
fn scrub(
    reader: Reader,
    reported: mpsc::UnboundedSender<store::Report>,
    aside: Aside,
) -> Result<(), std::io::Error> {
    let scrub = move || match reader.scrub() {
        Ok(_sound_or_mended) => {
            aside.tell(Line::done(Event::StoreScrubbed {}));
            tracing::info!(code = "scrubbed", "all that is stored is what was written");
        }
        // Err: the daemon has ended.
        Err(error) => drop(reported.send(store::Report::Fatal(error))),
    };
    // Not one of the runtime's, for which the end of the process would wait.
    std::thread::Builder::new().name("scrub".to_owned()).spawn(scrub).map(|_thread| ())
}

fn net_config(config: &Config) -> NetConfig {
    NetConfig {
        listen: config.listen().to_vec(),
        is_announced: !config.announce().is_empty(),
        redial_ms_min: config.redial_ms_min(),
        redial_ms_max: config.redial_ms_max(),
        limits: NetLimits::default(),
    }
}

/// Resolves when the process is asked to end; listening begins at once.
fn stop_signal() -> Result<impl Future<Output = &'static str>, std::io::Error> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => "SIGTERM",
            _ = interrupt.recv() => "SIGINT",
        }
    })
}

impl Daemon {
    async fn serve(
        &mut self,
        inbox: &mut Inbox,
        stop: impl Future<Output = &'static str>,
    ) -> Result<(), DaemonError> {
        tokio::pin!(stop);
        let admissions = self.replica.admissions();
        self.perform(admissions).await?;
        loop {
            let takes_in = self.writer.waiting_bytes() < WAITING_BYTES_MAX;
            let has_space = !self.reserve.is_low();
            tokio::select! {
                signal = &mut stop => {
                    tracing::info!(code = "stopping", signal, "stopping");
                    self.replica.journal().tell(Event::DaemonStopped { why: signal.to_owned() });
                    return Ok(());
                }
                Some(report) = inbox.reports.recv() => self.reported(report).await?,
                _ = inbox.ticks.tick() => self.tick().await?,
                Some(call) = inbox.calls.recv(), if takes_in => self.called(call).await?,
                Some(ready) = inbox.ready.recv() => self.ready(ready).await?,
                Some(OwnWrite { ops, durable }) = inbox.own.recv() => {
                    let told = move || {
                        let _gone = durable.send(());
                    };
                    self.writer.submit_more(ops, None, Some(Box::new(told)))?;
                }
                event = inbox.events.recv(), if takes_in && has_space => match event {
                    Some(event) => self.met(event).await?,
                    None => return Err(NetStopped.into()),
                },
            }
            self.begin_acts();
        }
    }

    async fn handle(&mut self, input: Input) -> Result<(), DaemonError> {
        let effects = self.replica.handle(input)?;
        self.perform(effects).await
    }

    /// Does effects in their order.
    async fn perform(&mut self, effects: Vec<Effect>) -> Result<(), DaemonError> {
        for effect in effects {
            match effect {
                Effect::Persist { batch, ops } => {
                    let Writes { ops, lines } = self.replica.writes(batch, ops);
                    self.writer.submit(batch, ops, Some(lines))?;
                    self.backlog.submitted(batch);
                }
                Effect::Send { peer, lane, frame } => self.links.send(peer, lane, frame).await?,
                Effect::Disconnect { peer } => self.links.drop_peer(peer).await?,
                Effect::Admit { peer, addresses } => self.links.admit(peer, &addresses).await?,
                Effect::Dismiss { peer } => self.links.dismiss(peer).await?,
                Effect::Written { ticket, id, seq } => self.desk.written(ticket, id, seq),
                Effect::Refused { ticket, why } => self.desk.refused(ticket, &why),
                // Documents are made when somebody looks, and are known by the changes in them.
                Effect::Materialise { board, artefact } => {
                    if let Some(http) = &self.http {
                        http.changed(&board, &artefact);
                    }
                }
                Effect::Report(report) => notices::report(&report),
            }
        }
        Ok(())
    }

    async fn tick(&mut self) -> Result<(), DaemonError> {
        let told = self.reserve.measure();
        told.into_iter().for_each(|event| self.replica.journal().tell(event));
        if let Some(untold) = self.strangers.hour_over(Instant::now()) {
            notices::more_strangers(untold);
        }
        self.handle(Input::Tick).await?;
        self.links.note_contacts();
        self.write_contacts()?;
        if let Some(Writes { ops, lines }) = self.replica.tick_writes(self.journal_days)? {
            self.writer.submit_more(ops, Some(lines), None)?;
        }
        Ok(())
    }

    /// Writes what waits for no batch; then answers whoever waits for it.
    fn write_more(&mut self, then: Option<store::Then>) -> Result<(), WriterStopped> {
        match (self.replica.more_writes(), then) {
            (Some(Writes { ops, lines }), then) => self.writer.submit_more(ops, Some(lines), then),
            (None, Some(then)) => {
                then();
                Ok(())
            }
            (None, None) => Ok(()),
        }
    }

    fn write_contacts(&mut self) -> Result<(), WriterStopped> {
        let rows = self.links.take_contacts();
        if rows.is_empty() { Ok(()) } else { self.writer.submit_more(rows, None, None) }
    }

    async fn reported(&mut self, report: store::Report) -> Result<(), DaemonError> {
        match report {
            store::Report::Fatal(error) => Err(error.into()),
            store::Report::Durable(batches) => {
                let Some(batch) = batches.last().copied() else {
                    return Ok(());
                };
                self.backlog.durable(batch);
                self.desk.durable(batch);
                self.handle(Input::Persisted { batch }).await
            }
        }
    }

    /// For `status`.
    fn running(&self) -> Running {
        let writer = WriterLine {
            waiting_bytes: self.writer.waiting_bytes(),
            waiting_ms: self.backlog.waiting_ms(),
        };
        let http = self.http.as_ref().map(|http| http.address().to_string());
        let (disk, strangers) = (self.reserve.warning(), self.strangers.attempts());
        Running { http, writer, disk, strangers, ..self.links.running() }
    }

    async fn called(&mut self, call: Call) -> Result<(), DaemonError> {
        if self.reserve.is_low() && !call.order.only_looks() {
            let refusal = self.reserve.refusal();
            let event = Event::ActRefused {
                act: call.order.name().to_owned(),
                channel: call.order.channel(),
            };
            self.replica.journal().tell_refused(event, &refusal.code);
            let _gone = call.reply.send(Reply::Refused(refusal));
            return Ok(());
        }
        match self.desk.take(call.order, call.reply, &mut self.replica)? {
            Work::Effects(effects) => self.perform(effects).await,
            Work::Record(reply) => {
                // Err: whoever told it has gone; it is durable all the same.
                let then = || drop(reply.send(Reply::Done(Answer::Recorded)));
                Ok(self.write_more(Some(Box::new(then)))?)
            }
            Work::Read(question, reply) => {
                let (snapshot, running) = (self.replica.snapshot(), self.running());
                // Not awaited: the command waits for its answer, the engine does not.
                let _reading = tokio::task::spawn_blocking(move || {
                    let _gone = reply.send(snapshot.answer(question, Some(&running)));
                });
                Ok(())
            }
            Work::Records(asked, reply) => {
                self.records.begin(*asked, self.replica.snapshot(), reply);
                Ok(())
            }
        }
    }

    /// Prepares the next act of each artefact on which none is under way.
    fn begin_acts(&mut self) {
        while let Some(Begun { act, about, reply }) = self.desk.next_act() {
            let (snapshot, preparing) = (self.replica.snapshot(), self.preparing.clone());
            let _preparing = tokio::task::spawn_blocking(move || {
                let prepared = prepare(&snapshot, &act);
                // Err: the daemon ends, and whoever waits sees that.
                let _ended = preparing.send(Ready { prepared, about, reply });
            });
        }
    }

    async fn ready(&mut self, ready: Ready) -> Result<(), DaemonError> {
        let Ready { prepared, about, reply } = ready;
        let effects = self.desk.prepared(prepared, (about, reply), &mut self.replica)?;
        self.perform(effects).await
    }

    async fn met(&mut self, event: NetEvent) -> Result<(), DaemonError> {
        let told = notices::journalled(&event);
        told.into_iter().for_each(|line| self.replica.journal().take(None, line));
        notices::event(&event, &mut self.strangers);
        match self.links.input_of(event) {
            Some(input) => self.handle(input).await,
            None => Ok(()),
        }
    }

    /// Ends the network, then writes what was accepted, the mark with it.
    async fn close(mut self, mut inbox: Inbox) -> Result<(), DaemonError> {
        self.links.shut_down(&mut inbox.events).await;
        let noted = self.write_contacts();
        let written = self.write_out(&mut inbox).await;
        let Self { writer, .. } = self;
        // Joins the writer's thread, which may still be in a commit.
        let finished = tokio::task::spawn_blocking(move || writer.finish()).await;
        written?;
        finished.map_err(std::io::Error::other)?;
        while let Ok(report) = inbox.reports.try_recv() {
            if let store::Report::Fatal(error) = report {
                return Err(error.into());
            }
        }
        noted?;
        tracing::info!(code = "stopped", "stopped");
        Ok(())
    }

    /// Waits until all that was submitted, and all that follows from it, is durable.
    async fn write_out(&mut self, inbox: &mut Inbox) -> Result<(), DaemonError> {
        while self.backlog.is_waiting() {
            match inbox.reports.recv().await {
                Some(report) => self.reported(report).await?,
                None => return Err(WriterStopped.into()),
            }
        }
        Ok(self.write_more(None)?)
    }
}
