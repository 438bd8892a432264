//! The story, chapter by chapter.
//!
//! | file | tells |
//! |---|---|
//! | `founding` | the nodes are founded and meet |
//! | `editing` | two edit one text apart, and set one threshold to two values |
//! | `aid` | two claim more than there is |
//! | `fund` | two clean edits break a sum; the board decides |
//! | `meeting` | several papers are voted on at once, and counted; then |
//! | `outcome` | … what was carried takes effect, and what was not does not |
//! | `versions` | … a standard gets a new version while one locality is away |
//! | `crash` | a node is killed, and catches up |
//! | `private` | records stay private, and two fields of one leave |
//! | `audit` | an auditor checks, and finds one changed byte |
//! | `fork` | a member signs two histories |
//! | `end` | what it cost, and how to go on |
//!
//! *Invariants.* A chapter that cannot go on is a failed check, and the next one begins, with every link mended.
//!
//! *Source*: ours; domain, section 6.

mod aid;
mod audit;
mod crash;
mod editing;
mod end;
mod fork;
mod founding;
mod fund;
mod meeting;
mod outcome;
mod private;
mod versions;

use std::time::Instant;

use super::{
    Check, DemoError,
    cast::Cast,
    checks, deeds,
    partnership::Partnership,
    stage::{Found, Stage},
};
use crate::store::EngineKind;

/// What the chapters share.
pub(super) struct Story<'a> {
    stage: Stage<'a>,
    board: Partnership,
    cast: Cast,
    begun: Instant,
    /// The decision on the winter fund, once it is begun.
    fund: Option<String>,
}

/// One chapter: its title, the check that fails when it cannot go on, and its steps.
struct Chapter {
    title: &'static str,
    id: &'static str,
    steps: fn(&mut Story<'_>) -> Result<(), DemoError>,
}

const fn chapter(
    title: &'static str,
    id: &'static str,
    steps: fn(&mut Story<'_>) -> Result<(), DemoError>,
) -> Chapter {
    Chapter { title, id, steps }
}

/// After the founding, without which there is none of them.
const CHAPTERS: &[Chapter] = &[
    chapter("Two edit one document apart", "editing-goes-on", editing::tell),
    chapter("Two claim more shifts than there are", "aid-goes-on", aid::tell),
    chapter("Two clean edits break a sum, and the board decides", "fund-goes-on", fund::tell),
    chapter("The board meets on several papers", "meeting-goes-on", meeting::tell),
    chapter("A node is killed", "crash-goes-on", crash::tell),
    chapter("What is private stays private", "private-goes-on", private::tell),
    chapter("An auditor checks", "audit-goes-on", audit::tell),
    chapter("A member signs two histories", "fork-goes-on", fork::tell),
];

impl<'a> Story<'a> {
    pub(super) fn new(stage: Stage<'a>, board: Partnership, cast: Cast) -> Self {
        Self { stage, board, cast, begun: Instant::now(), fund: None }
    }

    pub(super) fn into_checks(self) -> Vec<Check> {
        self.stage.into_checks()
    }

    /// Tells all of it.
    ///
    /// # Errors
    /// - [`DemoError::Interrupted`]: somebody said stop.
    pub(super) fn tell(&mut self, engine: EngineKind) -> Result<(), DemoError> {
        if !self.went_on("founding-goes-on", |story| founding::tell(story, engine))? {
            return Ok(());
        }
        for (number, chapter) in (2..).zip(CHAPTERS) {
            self.stage.say("");
            self.stage.say(&format!("{number}. {}", chapter.title));
            self.went_on(chapter.id, |story| match (chapter.steps)(story) {
                Ok(()) => Ok(()),
                Err(DemoError::Interrupted) => Err(DemoError::Interrupted),
                // For the next chapter; what went wrong first is what is told.
                Err(error) => story.mend().and(Err(error)),
            })?;
        }
        Ok(())
    }

    /// Takes steps; whether all could be taken.
    fn went_on(
        &mut self,
        id: &'static str,
        steps: impl FnOnce(&mut Self) -> Result<(), DemoError>,
    ) -> Result<bool, DemoError> {
        match steps(self) {
            Ok(()) => Ok(true),
            Err(DemoError::Interrupted) => Err(DemoError::Interrupted),
            Err(error) => {
                self.stage.check(id, "The chapter goes on.", Found::fault(error.to_string()));
                Ok(false)
            }
        }
    }

    /// Starts whatever does not run, and mends every link.
    fn mend(&self) -> Result<(), DemoError> {
        let (stage, board) = (&self.stage, &self.board);
        for member in board.members.iter().filter(|member| !member.runs()) {
            member.start()?;
            stage.wait("the node answers again", || member.has_started())?;
        }
        self.heal()
    }

    /// Waits until each is connected to all others.
    fn until_met(&self) -> Result<(), DemoError> {
        let (board, others) = (&self.board, self.board.members.len().saturating_sub(1));
        self.stage.wait("every node is connected to every other", || board.all_have(others))
    }

    /// Cuts every link between the nodes, and waits until they have noticed.
    fn cut(&self) -> Result<(), DemoError> {
        self.board.cut();
        let board = &self.board;
        self.stage.wait("the nodes notice that they are apart", || board.all_have(0))
    }

    /// Mends them, and waits until all have met again.
    fn heal(&self) -> Result<(), DemoError> {
        self.board.heal();
        self.until_met()
    }

    /// Waits until every node shows this artefact in this state.
    fn until_all_show(&self, artefact: &str, state: &str) -> Result<(), DemoError> {
        let board = &self.board;
        self.stage.wait(&format!("every node shows the state {state}"), || {
            board.all(|member| Ok(member.show(artefact)?.state_name == state))
        })
    }

    /// Clinicians of as many members as the kind asks for sign a standard's last proposal off.
    fn sign_off_clinically(&self, standard: &str) -> Result<(), DemoError> {
        let values = [("version", "last"), ("verdict", "approve"), ("wording", "last")];
        for slug in self.cast.clinicians().into_iter().flatten() {
            let signs = deeds::event(standard, "clinical_signoff", &values);
            self.board.member(slug)?.act(signs)?;
        }
        Ok(())
    }

    /// Waits until every node holds the same, to the last entry.
    fn until_equal(&self) -> Result<(), DemoError> {
        let board = &self.board;
        self.stage
            .wait("every node holds the same", || Ok(checks::same(board.each(holdings))?.is_well))
    }
}

/// The digest over all that a node durably holds of the board.
fn holdings(member: &super::member::Member) -> Result<String, DemoError> {
    let status = member.status()?;
    Ok(status.boards.into_iter().map(|board| board.digest).collect())
}
