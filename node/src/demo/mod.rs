//! `demo`: a whole partnership on one machine, which shows what Concordat is for.
//!
//! ```text
//!   cli ──Options──▶ run ──▶ story ──▶ partnership ──▶ member ──▶ a node's process, behind a relay
//!    ▲                         │
//!    └── Narrator, checks ◀── stage ◀── checks: what nodes and auditors say
//! ```
//!
//! | file | what |
//! |---|---|
//! | `cast` | who takes part, by size |
//! | `papers` | what the board meets on, and how the members answer |
//! | `records` | what organisations keep to themselves |
//! | `story` | the chapters |
//! | `stage` | telling, waiting, and keeping account of what was found |
//! | `checks` | what must be seen for a sentence to hold |
//! | `partnership` | the nodes together: founded, started, cut off |
//! | `member`, `deeds` | one node, and what is asked of it |
//! | `crew` | processes, all of which end with the demonstration |
//! | `relay` | what partners dial, so that links can be cut outside the nodes |
//! | `place` | the directory of it all |
//!
//! *Invariants.* Nodes are processes of this program with stores, keys and config of their own, and are asked as people and
//! programs ask them. Every sentence about them is computed from what they say.
//!
//! *Source*: ours; domain, sections 3 and 6.

mod cast;
mod checks;
mod crew;
mod deeds;
mod error;
mod member;
mod papers;
mod partnership;
mod place;
mod records;
mod relay;
mod stage;
mod story;

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::runtime::{Builder, Runtime};

pub use cast::Size;
pub use error::DemoError;
pub use stage::{Check, Narrator};

use cast::Cast;
use crew::Crew;
use partnership::Partnership;
use place::Place;
use stage::Stage;
use story::Story;

use crate::store::EngineKind;

/// What is to be shown, and how.
#[derive(Debug, Clone)]
pub struct Options {
    /// How many nodes.
    pub size: Size,
    /// What they keep their stores on.
    pub engine: EngineKind,
    /// Whether to end after the story; otherwise the nodes stay up until somebody says stop.
    pub is_once: bool,
    /// The directory to use and to leave; without it one that goes away in the end.
    pub keep: Option<PathBuf>,
}

/// Tells the story; every check that was made, in order. Every process that was started has ended on return.
///
/// # Errors
/// - [`DemoError`]: it could not begin, or was interrupted before the end of the story.
pub fn run(options: &Options, narrator: &dyn Narrator) -> Result<Vec<Check>, DemoError> {
    let runtime = Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(DemoError::system("starting the relays"))?;
    let place = Place::of(options.keep.as_deref())?;
    let (crew, stop) = (Arc::new(Crew::default()), Arc::new(AtomicBool::new(false)));
    let stopped = end_when_told(&runtime, &crew, &stop)?;

    let cast = Cast::of(options.size);
    let board = Partnership::new(&cast, place.path(), &crew, runtime.handle())?;
    let mut story = Story::new(Stage::new(narrator, &stop), board, cast);
    let told = story.tell(options.engine);
    if told.is_ok() {
        story.tell_costs(crew.memory());
        story.tell_of_the_file(options.is_once && options.keep.is_none())?;
    }
    if told.is_ok() && !options.is_once {
        story.tell_how_to_explore()?;
        // Err: the task that waits for the signal was cancelled, which nothing does.
        let _signalled = runtime.block_on(stopped);
    }
    crew.end_all();
    let checks = story.into_checks();
    told.map(|()| checks)
}

/// Ends every node as soon as somebody says stop, whatever the story waits for.
fn end_when_told(
    runtime: &Runtime,
    crew: &Arc<Crew>,
    stop: &Arc<AtomicBool>,
) -> Result<tokio::task::JoinHandle<()>, DemoError> {
    use tokio::signal::unix::{SignalKind, signal};
    let _entered = runtime.enter();
    let listening = |kind| signal(kind).map_err(DemoError::system("listening for signals"));
    let mut terminate = listening(SignalKind::terminate())?;
    let mut interrupt = listening(SignalKind::interrupt())?;
    let mut hang_up = listening(SignalKind::hangup())?;
    let (crew, stop) = (Arc::clone(crew), Arc::clone(stop));
    Ok(runtime.spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            _ = hang_up.recv() => {}
        }
        stop.store(true, Ordering::SeqCst);
        // Err: ending them panicked; the crew's drop ends them then.
        let _ended = tokio::task::spawn_blocking(move || crew.end_all()).await;
    }))
}
