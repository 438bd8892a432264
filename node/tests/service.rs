//! The unit for systemd: what it promises to whoever installs it, and what systemd itself says of it.

// Says to lints that all of this is test code.
#![cfg(test)]

use std::{collections::BTreeMap, fs, io, process::Command};

const UNIT: &str = include_str!("../../config/systemd/concordat.service");
/// Of 100 that a service without any sandbox has.
const EXPOSURE_MAX: &str = "20";

/// Section and key to the values, in their order.
fn settings() -> BTreeMap<(String, String), Vec<String>> {
    let mut section = String::new();
    let mut settings: BTreeMap<_, Vec<String>> = BTreeMap::new();
    for line in UNIT.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            name.clone_into(&mut section);
            continue;
        }
        let (key, value) = line.split_once('=').unwrap_or_else(|| panic!("{line:?}"));
        settings.entry((section.clone(), key.to_owned())).or_default().push(value.to_owned());
    }
    settings
}

#[test]
fn the_unit_promises_what_the_page_says() {
    let settings = settings();
    for (key, value) in [
        ("Type", "notify"),
        ("ExecStart", "/usr/bin/concordat --home /var/lib/concordat serve --json"),
        ("NoNewPrivileges", "yes"),
        ("ProtectSystem", "strict"),
        ("CapabilityBoundingSet", ""),
        ("StateDirectory", "concordat"),
        ("StateDirectoryMode", "0700"),
        ("LoadCredential", "concordat-passphrase"),
        ("UnsetEnvironment", "SSLKEYLOGFILE"),
        ("Restart", "on-failure"),
        ("LimitCORE", "0"),
    ] {
        let found = settings.get(&("Service".to_owned(), key.to_owned()));
        assert_eq!(found, Some(&vec![value.to_owned()]), "{key}");
    }
    assert!(!settings.contains_key(&("Service".to_owned(), "Environment".to_owned())));
}

/// Runs systemd's own check; `None` where there is none.
fn analyze(args: &[&str]) -> Option<(bool, String)> {
    let output = match Command::new("systemd-analyze").args(args).output() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            assert!(std::env::var_os("CI").is_none(), "this needs systemd-analyze");
            println!("not tested: this needs systemd-analyze");
            return None;
        }
        output => output.unwrap(),
    };
    let said = [output.stdout, output.stderr].concat();
    Some((output.status.success(), String::from_utf8_lossy(&said).into_owned()))
}

#[test]
fn systemd_understands_the_unit_and_finds_it_closed() {
    let place = tempfile::tempdir().unwrap();
    let unit = place.path().join("concordat.service");
    // It looks whether the program is there.
    fs::write(&unit, UNIT.replace("/usr/bin/concordat", env!("CARGO_BIN_EXE_concordat"))).unwrap();
    let unit = unit.to_str().unwrap();

    let Some((is_well, said)) = analyze(&["verify", "--man=no", unit]) else { return };
    assert!(is_well && !said.contains("concordat.service:"), "{said}");
    let args = ["security", "--offline=true", "--no-pager", "--threshold", EXPOSURE_MAX, unit];
    let (is_closed, said) = analyze(&args).unwrap();
    assert!(is_closed, "{said}");
}
