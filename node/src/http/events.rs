//! `/api/v1/events`: what changes, as it changes, as server-sent events.
//!
//! ```text
//!   event: begin             id: 1795351200000-16     listening from here on
//!   event: artefact          id: 1795351200000-17     data: {"board":"board-…","artefact":"artefact-…"}
//!   event: missed            id: 1795351200000-90     data: {}: look at everything again
//! ```
//!
//! Whoever comes back with `Last-Event-ID` goes on there.
//!
//! *Invariants.* A stream ends after [`LASTS`]: whoever comes back shows its token again, so a token that
//! was revoked hears no more.
//!
//! *Source*: ours; HTML Living Standard, server-sent events.

use std::{collections::VecDeque, convert::Infallible, sync::Arc, time::Duration};

use axum::{
    extract::State,
    http::HeaderMap,
    response::{
        IntoResponse,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures::stream;
use tokio::{
    sync::{OwnedSemaphorePermit, watch},
    time::{Instant, timeout_at},
};

use super::{
    api::Api,
    changes::{Changes, Place, Since},
    problem::Problem,
};

const LASTS: Duration = Duration::from_secs(600);
/// So that whatever stands between finds the connection in use.
const SIGN_OF_LIFE: Duration = Duration::from_secs(15);

pub(super) async fn listen(
    State(api): State<Api>,
    headers: HeaderMap,
) -> Result<impl IntoResponse, Problem> {
    let Ok(place) = Arc::clone(api.streams()).try_acquire_owned() else {
        let detail = "too many listen at once; close other streams";
        return Err(Problem::new("too-many-streams", detail));
    };
    let last = headers.get("last-event-id").and_then(|id| id.to_str().ok());
    let listener = Listener::new(Arc::clone(api.changes()), last, place);
    let events = stream::unfold(listener, |mut listener| async move {
        let event = listener.next().await?;
        Some((Ok::<_, Infallible>(event), listener))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(SIGN_OF_LIFE)))
}

struct Listener {
    changes: Arc<Changes>,
    told: watch::Receiver<u64>,
    at: Place,
    due: VecDeque<Event>,
    ends: Instant,
    _place: OwnedSemaphorePermit,
}

impl Listener {
    fn new(changes: Arc<Changes>, last: Option<&str>, place: OwnedSemaphorePermit) -> Self {
        let told = changes.listen();
        let here = changes.here();
        let mut due = VecDeque::new();
        // What is no place of ours is before everything.
        let at = match last.map(str::parse) {
            None => {
                due.push_back(event("begin", here).data("{}"));
                here
            }
            Some(Ok(at)) => at,
            Some(Err(_)) => {
                due.push_back(missed(here));
                here
            }
        };
        Self { changes, told, at, due, ends: Instant::now() + LASTS, _place: place }
    }

    /// The next event, when there is one; `None` when the stream has lasted.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.due.pop_front() {
                return Some(event);
            }
            self.take_in();
            if self.due.is_empty() {
                timeout_at(self.ends, self.told.changed()).await.ok()?.ok()?;
            }
        }
    }

    fn take_in(&mut self) {
        match self.changes.since(self.at) {
            Since::News(news) => {
                for (place, changed) in news {
                    let event = event("artefact", place).json_data(&changed);
                    // Two texts always have a JSON form.
                    self.due.extend(event.ok());
                    self.at = place;
                }
            }
            Since::Missed(here) => {
                self.due.push_back(missed(here));
                self.at = here;
            }
        }
    }
}

fn missed(here: Place) -> Event {
    event("missed", here).data("{}")
}

fn event(name: &str, place: Place) -> Event {
    Event::default().event(name).id(place.to_string())
}
