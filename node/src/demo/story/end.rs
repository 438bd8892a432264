//! What it cost, and how to go on by hand.
//!
//! *Source*: ours.

use super::Story;
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
        let program = std::env::current_exe().map_err(DemoError::system("finding the program"))?;
        let command = format!("{} --home {}", program.display(), sponsor.home().display());
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
