//! The high-water mark, written aside: the engine's task hands it over and goes on.
//!
//! Only the newest mark is kept while one is being written, so it costs at most one fsync a tick.
//!
//! *Invariants.* `finish` returns when the last mark handed over is durable or was logged as lost.
//!
//! *Source*: ours.

use tokio::{sync::watch, task::JoinHandle};

use crate::{home::Home, replica::Mark};

#[derive(Debug)]
pub(super) struct Marking {
    newest: watch::Sender<Option<Mark>>,
    writing: JoinHandle<()>,
}

impl Marking {
    pub(super) fn start(home: &Home) -> Self {
        let (newest, mut marks) = watch::channel(None);
        let path = home.mark();
        let writing = tokio::spawn(async move {
            // A mark handed over before the sender is dropped is still seen.
            while marks.changed().await.is_ok() {
                let Some(mark): Option<Mark> = marks.borrow_and_update().clone() else {
                    continue;
                };
                let path = path.clone();
                match tokio::task::spawn_blocking(move || mark.save(&path)).await {
                    Ok(Ok(())) => {}
                    Ok(Err(error)) => tracing::error!(
                        code = "high-water", %error,
                        "the high-water mark was not written: an older store may not be noticed"
                    ),
                    Err(error) => tracing::error!(code = "high-water", %error, "not written"),
                }
            }
        });
        Self { newest, writing }
    }

    pub(super) fn write(&self, mark: Mark) {
        self.newest.send_replace(Some(mark));
    }

    pub(super) async fn finish(self) {
        drop(self.newest);
        // A panic there was logged by the runtime; there is nothing left to lose.
        let _ended = self.writing.await;
    }
}
