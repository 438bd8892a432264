//! `backup`, `backup verify` and `restore`.
//!
//! *Source*: ours.

use std::{
    path::{Path, PathBuf, absolute},
    time::Duration,
};

use super::{
    args::{Backup, BackupCommand, BackupVerify, Restore},
    context::Context,
    error::CliError,
    out::{Out, bytes_in_words, time_in_words},
};
use crate::{
    backup::{self, Ask, Made, Opened, Seal, restore, verify},
    control::{self, Answer, Reply, Request},
    home::FileError,
    journal::Event,
    keys::Passphrase,
    replica::back_up,
};

const SIGN_OF_LIFE: Duration = Duration::from_millis(200);

pub(super) fn run(context: &Context, args: Backup, out: &Out) -> Result<(), CliError> {
    let Backup { command, out: path, encrypt, passphrase_file } = args;
    match (command, path) {
        (Some(BackupCommand::Verify(args)), _) => check(&args, out),
        (None, Some(path)) => {
            let made = make(context, &path, encrypt.then_some(passphrase_file), out);
            let (made, words) = context.refused("backup", made)?;
            out.show(&made, &words)
        }
        // Which the arguments do not allow.
        (None, None) => Err(CliError::OtherAnswer),
    }
}

/// `passphrase_file` is there if the backup is to be encrypted.
fn make(
    context: &Context,
    path: &Path,
    passphrase_file: Option<Option<PathBuf>>,
    out: &Out,
) -> Result<(Made, Vec<String>), CliError> {
    let (config, home) = context.config()?;
    // The daemon stands in another directory.
    let full = |path: &Path| absolute(path).map_err(FileError::at("finding", path));
    let seal = match passphrase_file {
        None => None,
        Some(file) => Some(Seal::new(&Passphrase::choose(file.as_deref())?)?),
    };
    let ask = Ask {
        out: full(path)?,
        home: full(home.directory())?,
        config: full(context.config_path())?,
        seal,
    };
    let bar = out.progress(0, "rows copied");
    bar.enable_steady_tick(SIGN_OF_LIFE);
    let made = match control::ask(&home.socket(), &Request::Backup(Box::new(ask.clone())))? {
        Some(Reply::Done(Answer::BackedUp(made))) => *made,
        Some(Reply::Done(_)) => return Err(CliError::OtherAnswer),
        Some(Reply::Refused(refusal)) => return Err(refusal.into()),
        None => back_up(&home, &config, &ask, &mut |done, total| {
            bar.set_length(total);
            bar.set_position(done);
        })?,
    };
    bar.finish_and_clear();
    context.record(Event::BackupMade {
        backup_sha256: made.sha256.clone(),
        bytes: made.bytes,
        rows: made.manifest.rows,
        commits: made.manifest.commits,
    })?;
    let mut words = vec![format!("wrote {}, and read it back: it is whole", made.out.display())];
    words.extend(in_words(&made));
    if !made.manifest.has_keys {
        words.push(
            "  the keys are not in it, since they are not locked and it is not encrypted: keep a copy of keys/ apart, \
             or make it with --encrypt"
                .to_owned(),
        );
    }
    Ok((made, words))
}

fn in_words(made: &Made) -> Vec<String> {
    let Made { bytes, sha256, manifest, is_sealed, .. } = made;
    let how = if *is_sealed { "encrypted" } else { "not encrypted" };
    let keys = if manifest.has_keys { "with its keys" } else { "without its keys" };
    vec![
        format!("  {}, {keys}, as of {}", manifest.name, time_in_words(manifest.made_ms)),
        format!(
            "  {} rows at commit {}, {}, {how}",
            manifest.rows,
            manifest.commits,
            bytes_in_words(*bytes)
        ),
        format!("  sha256 {sha256}"),
    ]
}

fn opened(file: &Path, passphrase_file: Option<&Path>) -> Result<Opened, CliError> {
    Ok(Opened::open(file, || Passphrase::of(file, passphrase_file))?)
}

fn check(args: &BackupVerify, out: &Out) -> Result<(), CliError> {
    let made = verify(opened(&args.file, args.passphrase_file.as_deref())?)?;
    let mut words = vec![format!("{} is whole", made.out.display())];
    words.extend(in_words(&made));
    out.show(&made, &words)
}

pub(super) fn restore_to(context: &Context, args: &Restore, out: &Out) -> Result<(), CliError> {
    let opened = opened(&args.file, args.passphrase_file.as_deref())?;
    let bar = out.progress(0, "rows restored");
    let restored = restore(opened, context.directory(), args.engine, &mut |done, total| {
        bar.set_length(total);
        bar.set_position(done);
    })?;
    bar.finish_and_clear();
    let backup::Restored { made, engine } = restored;
    let home = context.directory().display();
    let mut words = vec![format!("made {home} of {}, on {engine}", made.out.display())];
    words.extend(in_words(&made));
    if !made.manifest.has_keys {
        words.push(format!(
            "  put the organisation's keys into {home}/keys first, or make new ones with `concordat keys recover`"
        ));
    }
    words.push(
        "never start the old node again; then run `concordat serve`: it asks its partners how far it had come \
         before it signs"
            .to_owned(),
    );
    out.show(&made, &words)
}
