//! The command line: one file a command, over a few files that all share.
//!
//! | file | what |
//! |---|---|
//! | `args` | every command and flag there is |
//! | `context` | where the node is, and how it is asked: by its daemon, or here |
//! | `out` | the only place that writes to stdout and stderr |
//! | `table` | rows for spreadsheets |
//! | `error` | every error's code; what codes mean is in `errors` |
//!
//! Text for people by default, one JSON value with `--json`; logs and errors go to stderr.
//!
//! | exit code | means |
//! |---|---|
//! | 0 | done; `audit`: nothing is wrong |
//! | 1 | refused: what was asked cannot be; `audit`: a finding; `store check`: an older copy;
//! | | `doctor`: there is something to mend; `journal verify`: broken; `demo`: a check failed |
//! | 2 | failed: machine, file or daemon; `audit`: it cannot be decided |
//! | 64 | wrong usage |
//!
//! *Invariants.* Commands decide nothing that the node should decide. `audit` needs no node, no
//! network and no key.
//!
//! *Source*: ours.

mod args;
mod artefact;
mod audit;
mod backup;
mod board;
mod card;
mod completions;
mod config;
mod context;
mod demo;
mod doctor;
mod error;
mod explain;
mod export;
mod founding;
mod init;
mod journal;
mod keys;
mod log;
mod note;
mod out;
mod record;
mod serve;
mod status;
mod store;
mod table;
mod token;

use std::{env, process::ExitCode};

use clap::{CommandFactory, Parser};
use concordat_protocol::artefact::guard::{PatientNumber, holds_number};

use args::{
    Args, BoardCommand, CardCommand, Command, ConfigCommand, JournalCommand, KeysCommand,
    StoreCommand, TokenCommand,
};
use context::Context;
use error::{CliError, EXIT_USAGE};
use out::Out;

use crate::control::Refusal;

/// Every command and flag there is, for tests of what documents name.
#[must_use]
pub fn commands() -> clap::Command {
    Args::command()
}

/// Runs the program with the arguments of this process.
#[must_use]
pub fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => {
            let is_wrong = error.use_stderr();
            if is_wrong && names_patient() {
                Out::new(false).error(&patient_number().into());
                return ExitCode::from(EXIT_USAGE);
            }
            // Help asked for goes to stdout, mistakes to stderr; a closed pipe is nobody's fault.
            let _closed = error.print();
            return ExitCode::from(if is_wrong { EXIT_USAGE } else { 0 });
        }
    };
    let out = Out::new(args.json);
    match run(args, &out) {
        Ok(code) => code,
        Err(error) => {
            out.error(&error);
            ExitCode::from(error.exit_code())
        }
    }
}

/// Whether an argument holds a patient's number: what is wrong with it is told by repeating it.
fn names_patient() -> bool {
    env::args_os().any(|argument| holds_number(&argument.to_string_lossy()))
}

fn patient_number() -> Refusal {
    Refusal::new("patient-number", PatientNumber { field: "an argument".to_owned() })
}

fn run(args: Args, out: &Out) -> Result<ExitCode, CliError> {
    let context = Context::new(args.home, args.config);
    if !matches!(args.command, Command::Serve(_)) {
        out.log("warn");
    }
    let done = match args.command {
        // An audit's result is its exit code.
        Command::Audit(command) => return Ok(audit::run(&command, out)),
        // So is a check's.
        Command::Journal(JournalCommand::Verify) => return journal::verify(&context, out),
        Command::Journal(JournalCommand::List(list)) => journal::list(&context, list, out),
        Command::Journal(JournalCommand::Export(export)) => journal::export(&context, &export, out),
        Command::Journal(JournalCommand::Events) => journal::events(out),
        Command::Store(StoreCommand::Check) => return store::check(&context, out),
        Command::Doctor => return doctor::run(&context, out),
        Command::Demo(demo) => return demo::run(demo, out),
        Command::Store(StoreCommand::Migrate(migrate)) => store::migrate(&context, &migrate, out),
        Command::Store(StoreCommand::SetAside) => store::set_aside(&context, out),
        Command::Init(init) => init::run(&context, init, out),
        Command::Card(card) => match card {
            CardCommand::Export(export) => card::export(&context, &export, out),
            CardCommand::Show(show) => card::show(&show, out),
            CardCommand::Add(add) => card::add(&context, &add, out),
        },
        Command::Keys(keys) => match keys {
            KeysCommand::Show => keys::show(&context, out),
            KeysCommand::Rotate(rotate) => keys::rotate(&context, &rotate, out),
            KeysCommand::Recover(recover) => keys::recover(&context, recover, out),
            KeysCommand::Lock(new) => keys::lock(&context, &new, out),
            KeysCommand::Unlock => keys::unlock(&context, out),
            KeysCommand::Passphrase(new) => keys::change_passphrase(&context, &new, out),
        },
        Command::Board(board) => match board {
            BoardCommand::Draft(draft) => founding::draft(&draft, out),
            BoardCommand::Accept(accept) => founding::accept(&context, &accept, out),
            BoardCommand::Found(found) => founding::found(&context, &found, out),
            BoardCommand::Join(join) => founding::join(&context, &join, out),
            BoardCommand::List => board::list(&context, out),
            BoardCommand::Show(show) => board::show(&context, show, out),
        },
        Command::Token(token) => match token {
            TokenCommand::New(new) => token::new(&context, &new, out),
            TokenCommand::List => token::list(&context, out),
            TokenCommand::Revoke(revoke) => token::revoke(&context, &revoke, out),
        },
        Command::Config(ConfigCommand::Check) => config::check(&context, out),
        Command::Config(ConfigCommand::Show) => config::show(&context, out),
        Command::Explain(asked) => explain::run(&asked, out),
        Command::Completions(completions) => completions::run(&completions, out),
        Command::Serve(serve) => serve::run(&context, &serve, out),
        Command::Status => status::run(&context, out),
        Command::Note(note) => note::run(&context, note, out),
        Command::Log(log) => log::run(&context, log, out),
        Command::Artefact(command) => artefact::run(&context, command, out),
        Command::Event(event) => artefact::event(&context, event, out),
        Command::Conflicts(conflicts) => artefact::conflicts(&context, conflicts, out),
        Command::Propose(propose) => artefact::propose(&context, propose, out),
        Command::Sign(sign) => artefact::sign(&context, sign, out),
        Command::Record(command) => record::run(&context, command, out),
        Command::Export(export) => export::run(&context, export, out),
        Command::Backup(backup) => backup::run(&context, backup, out),
        Command::Restore(restore) => backup::restore_to(&context, &restore, out),
    };
    done.map(|()| ExitCode::SUCCESS)
}
