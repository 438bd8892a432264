//! File systems of a test's own.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

/// A file system that is there until it is dropped.
pub(crate) struct Mount(PathBuf);

impl Mount {
    /// `None` where nothing can be mounted, see [`not_tested`].
    pub(crate) fn new(args: &[&str], point: &Path) -> Option<Self> {
        fs::create_dir_all(point).unwrap();
        match run(Command::new("mount").args(args).arg(point)) {
            Ok(()) => Some(Self(point.to_path_buf())),
            Err(why) => not_tested(&format!("the right to mount file systems: {why}")),
        }
    }

    /// In memory, of this size.
    pub(crate) fn in_memory(megabytes: u64, point: &Path) -> Option<Self> {
        Self::new(&["-t", "tmpfs", "-o", &format!("size={megabytes}m"), "tmpfs"], point)
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        // Whoever still has a file open keeps it a little longer.
        let _gone = run(Command::new("umount").arg("--lazy").arg(&self.0));
    }
}

/// For a test that cannot be made here, and so ends; with `CI` set it fails.
pub(crate) fn not_tested<T>(needed: &str) -> Option<T> {
    assert!(env::var_os("CI").is_none(), "this needs {needed}");
    println!("not tested: this needs {needed}");
    None
}

/// Err: what it said.
pub(crate) fn run(command: &mut Command) -> Result<(), String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    match output.status.success() {
        true => Ok(()),
        false => Err(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr).trim())),
    }
}
