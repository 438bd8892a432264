//! What it cost, and how to go on by hand.
//!
//! *Source*: ours.

use super::{Story, audit::auditors_bundle};
use crate::{
    demo::{DemoError, crew::Memory},
    home::config_file,
};

impl Story<'_> {
    /// Tells how many checks held, and what the nodes took of the machine.
    pub(in crate::demo) fn tell_costs(&self, memory: Memory) {
        let checks = self.stage.checks();
        let held = checks.iter().filter(|check| check.ok).count();
        self.stage.say("");
        self.stage.say(&format!("{held} of {} checks held.", checks.len()));
        let took = self.begun.elapsed().as_secs();
        let Memory { now_kb, largest_kb, nodes } = memory;
        self.stage.say(&match nodes {
            0 => format!("It took {took} s."),
            _ => format!(
                "It took {took} s; {nodes} nodes hold {} MB of resident memory together, the largest had {} MB.",
                now_kb / 1_024,
                largest_kb / 1_024
            ),
        });
    }

    /// Tells where the file is that the auditor had, and how to go on with it; or that nothing stays.
    ///
    /// # Errors
    /// - [`DemoError`]: this program cannot be found.
    pub(in crate::demo) fn tell_of_the_file(&self, goes_away: bool) -> Result<(), DemoError> {
        self.stage.say("");
        if goes_away {
            self.stage.say(
                "All of it is removed now. With --keep DIR it stays, and in it the file that the auditor had.",
            );
            return Ok(());
        }
        let (bundle, program) = (auditors_bundle(&self.board), program()?);
        let bundle = bundle.display();
        self.stage
            .say("The file that the auditor had, and what to ask of it (docs/audit.md has more):");
        for what in ["verify", "replay"] {
            self.stage.say(&format!("  {program} audit {what} {bundle}"));
        }
        if let Some(fund) = &self.fund {
            self.stage.say(&format!("  {program} audit prove {bundle} {fund}"));
        }
        Ok(())
    }

    /// Tells what somebody can look at while the nodes stay up.
    ///
    /// # Errors
    /// - [`DemoError`]: a token could not be made.
    pub(in crate::demo) fn tell_how_to_explore(&self) -> Result<(), DemoError> {
        let stage = &self.stage;
        let sponsor = self.board.member(self.cast.sponsor)?;
        let role = ["token", "new", "--role", "signatory", "--name", "Demonstration"];
        let made = sponsor.json(&role)?;
        let token = made.get("token").and_then(|token| token.as_str()).unwrap_or_default();
        let api = sponsor.status()?.listening.and_then(|listening| listening.http);
        let api = api.unwrap_or_default();
        let command = format!("{} --home {}", program()?, sponsor.home().display());
        stage.say("");
        stage.say(
            "The nodes stay up until Ctrl-C. Each has a directory, with its config file in it:",
        );
        for member in &self.board.members {
            stage.say(&format!("  {}", config_file(member.home()).display()));
        }
        stage.say("Commands to try; another --home is another organisation:");
        for what in
            ["status", "artefact list", "artefact show mutual_aid", "conflicts", "journal list"]
        {
            stage.say(&format!("  {command} {what}"));
        }
        stage.say(&format!(
            "The API of {}, with a token that may do whatever it may:",
            sponsor.slug()
        ));
        stage.say(&format!(
            "  curl --header 'Authorization: Bearer {token}' http://{api}/api/v1/boards"
        ));
        Ok(())
    }
}

/// This program, as it can be typed.
fn program() -> Result<String, DemoError> {
    let program = std::env::current_exe().map_err(DemoError::system("finding the program"))?;
    Ok(program.display().to_string())
}
