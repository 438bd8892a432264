//! A good file, and every way in which one can be bad.

use super::*;

fn parse(text: &str) -> Result<Config, ConfigError> {
    Config::parse(text, Path::new("/etc/concordat/node.toml"))
}

fn problems(text: &str) -> Vec<String> {
    match parse(text) {
        Err(ConfigError::Problems { problems, .. }) => {
            problems.iter().map(ToString::to_string).collect()
        }
        other => panic!("expected problems, got {other:?}"),
    }
}

#[test]
fn an_empty_file_is_a_config_of_defaults() {
    let expected = Config {
        home: PathBuf::from("/etc/concordat"),
        listen: ["/ip4/0.0.0.0/tcp/4001", "/ip4/0.0.0.0/udp/4001/quic-v1"]
            .map(|one| one.parse().unwrap())
            .into(),
        announce: Vec::new(),
        http: None,
        store: EngineKind::Sled,
        disk_reserve_bytes: 256_000_000,
        journal_days: 180,
        log: "info".to_owned(),
        redial_ms_min: 1_000,
        redial_ms_max: 300_000,
        sha256: Sha256::digest("").into(),
    };

    assert_eq!(parse("").unwrap(), expected);
}

#[test]
fn every_key_can_be_set() {
    let text = r#"
        home = "/srv/concordat"
        listen = ["/ip4/127.0.0.1/udp/0/quic-v1", "/ip6/::/tcp/443"]
        announce = ["/dns4/node.example.org/tcp/443", "/ip4/192.0.2.7/udp/4001/quic-v1"]
        http = "[::1]:80"
        store = "memory"
        allow_memory_store = true
        disk_reserve_mb = 0
        journal_days = 730
        log = "warn,concordat_node::net=debug"
        redial_ms_min = 10
        redial_ms_max = 20
    "#;
    let addresses =
        |list: [&str; 2]| list.into_iter().map(|one| one.parse().unwrap()).collect::<Vec<_>>();

    let config = parse(text).unwrap();

    assert_eq!(config.home(), Path::new("/srv/concordat"));
    assert_eq!(config.listen(), addresses(["/ip4/127.0.0.1/udp/0/quic-v1", "/ip6/::/tcp/443"]));
    let announced = ["/dns4/node.example.org/tcp/443", "/ip4/192.0.2.7/udp/4001/quic-v1"];
    assert_eq!(config.announce(), addresses(announced));
    assert_eq!(config.http(), Some("[::1]:80".parse().unwrap()));
    assert_eq!(config.store(), EngineKind::Memory);
    assert_eq!(config.disk_reserve_bytes(), 0);
    assert_eq!(config.journal_days(), 730);
    assert_eq!(config.log(), "warn,concordat_node::net=debug");
    assert_eq!((config.redial_ms_min(), config.redial_ms_max()), (10, 20));
}

#[test]
fn every_example_is_a_valid_line() {
    for key in KEYS {
        let parsed = parse(key.example);
        assert!(parsed.is_ok(), "{}: {parsed:?}", key.name);
        assert!(key.example.starts_with(&format!("{} = ", key.name)));
    }
}

#[test]
fn every_key_is_documented() {
    let documentation = include_str!("mod.rs");
    for key in KEYS {
        assert!(documentation.contains(&format!("//! - `{}`: ", key.name)), "{}", key.name);
    }
}

/// A file with one thing wrong, and what is said of it.
const BAD: &[(&str, &str)] = &[
    (
        "home = 7",
        "home = 7: must be text, not integer; \
             for example: home = \"/var/lib/concordat\"",
    ),
    ("home = \"\"", "home = \"\": must not be empty; for example: home = \"/var/lib/concordat\""),
    (
        "listen = \"/ip4/0.0.0.0/tcp/1\"",
        "listen = \"/ip4/0.0.0.0/tcp/1\": must be a list of addresses, not string; \
             for example: listen = [\"/ip4/0.0.0.0/tcp/4001\", \"/ip4/0.0.0.0/udp/4001/quic-v1\"]",
    ),
    (
        "listen = [4001]",
        "listen = 4001: must be an address as text, not integer; \
             for example: listen = [\"/ip4/0.0.0.0/tcp/4001\", \"/ip4/0.0.0.0/udp/4001/quic-v1\"]",
    ),
    (
        "listen = [\"/ip4/0.0.0.0/udp/4001\"]",
        "listen = \"/ip4/0.0.0.0/udp/4001\": this node listens on /ip4/ADDRESS/tcp/PORT and \
             /ip4/ADDRESS/udp/PORT/quic-v1, and on both with ip6; \
             for example: listen = [\"/ip4/0.0.0.0/tcp/4001\", \"/ip4/0.0.0.0/udp/4001/quic-v1\"]",
    ),
    (
        "listen = [\"/ip4/0.0.0.0/tcp/1\", \"/ip4/0.0.0.0/tcp/1\"]",
        "listen = \"/ip4/0.0.0.0/tcp/1\": stands there twice; \
             for example: listen = [\"/ip4/0.0.0.0/tcp/4001\", \"/ip4/0.0.0.0/udp/4001/quic-v1\"]",
    ),
    (
        "announce = [\"/ip4/0.0.0.0/tcp/4001\"]",
        "announce = \"/ip4/0.0.0.0/tcp/4001\": nobody can dial this; \
             announce the address by which partners reach the node; \
             for example: announce = [\"/dns4/node.example.org/tcp/4001\"]",
    ),
    (
        "announce = [\"/dns4/node.example.org/tcp/0\"]",
        "announce = \"/dns4/node.example.org/tcp/0\": nobody can dial this; \
             announce the address by which partners reach the node; \
             for example: announce = [\"/dns4/node.example.org/tcp/4001\"]",
    ),
    (
        "announce = [\"/ip4/192.0.2.7/udp/0/quic-v1\"]",
        "announce = \"/ip4/192.0.2.7/udp/0/quic-v1\": nobody can dial this; \
             announce the address by which partners reach the node; \
             for example: announce = [\"/dns4/node.example.org/tcp/4001\"]",
    ),
    (
        "announce = [\"/memory/7\"]",
        "announce = \"/memory/7\": an announced address has a host (ip4, ip6, dns, dns4 or \
             dns6), then /tcp/PORT or /udp/PORT/quic-v1, and nothing else; \
             for example: announce = [\"/dns4/node.example.org/tcp/4001\"]",
    ),
    (
        "http = \"0.0.0.0:4080\"",
        "http = \"0.0.0.0:4080\": the API carries tokens and content without TLS, so it is for this \
             machine alone: 127.0.0.1 or [::1]; put a web server with TLS in front of it for others; \
             for example: http = \"127.0.0.1:4080\"",
    ),
    (
        "http = \"localhost\"",
        "http = \"localhost\": not an IP address with a port; for example: http = \"127.0.0.1:4080\"",
    ),
    (
        "store = \"sled2\"",
        "store = \"sled2\": the storage engines of this version are \"sled\", \"redb\" and \
             \"memory\"; for example: store = \"sled\"",
    ),
    (
        "store = \"memory\"",
        "store = \"memory\": a memory store forgets on restart what this node has acknowledged \
             to its partners; it is for demonstrations, and needs allow_memory_store = true beside \
             it; for example: store = \"sled\"",
    ),
    (
        "allow_memory_store = \"yes\"",
        "allow_memory_store = \"yes\": must be true or false, not string; \
             for example: allow_memory_store = false",
    ),
    (
        "disk_reserve_mb = 1000001",
        "disk_reserve_mb = 1000001: must be between 0 and 1000000 MB; \
             for example: disk_reserve_mb = 256",
    ),
    (
        "redial_ms_min = 9",
        "redial_ms_min = 9: must be between 10 and 3600000 ms; \
             for example: redial_ms_min = 1000",
    ),
    (
        "redial_ms_max = -1",
        "redial_ms_max = -1: must be between 10 and 3600000 ms; \
             for example: redial_ms_max = 300000",
    ),
    (
        "redial_ms_max = 1.5",
        "redial_ms_max = 1.5: must be a whole number of milliseconds, not float; \
             for example: redial_ms_max = 300000",
    ),
    (
        "redial_ms_max = 500",
        "redial_ms_max = 500: must not be less than redial_ms_min, which is 1000; \
             for example: redial_ms_max = 300000",
    ),
    (
        "redial_ms = 500",
        "redial_ms = 500: there is no such key, perhaps redial_ms_min is meant; \
             for example: redial_ms_min = 1000",
    ),
    ("colour = \"red\"", "colour = \"red\": there is no such key"),
];

#[test]
fn each_bad_value_is_named_with_reason_and_example() {
    for (text, expected) in BAD {
        assert_eq!(problems(text), [*expected]);
    }
}

#[test]
fn text_that_is_no_address_or_no_filter_is_named() {
    let address = problems("listen = [\"0.0.0.0:4001\"]");
    assert_eq!(address.len(), 1);
    assert!(address[0].starts_with("listen = \"0.0.0.0:4001\": not an address: "), "{address:?}");
    let filter = problems("log = \"concordat=loudly\"");
    assert_eq!(filter.len(), 1);
    assert!(filter[0].starts_with("log = \"concordat=loudly\": not a log filter: "), "{filter:?}");
}

#[test]
fn a_card_holds_eight_addresses() {
    let list = |count: usize| {
        let one = |index| format!("\"/ip4/192.0.2.{index}/tcp/4001\"");
        format!("announce = [{}]", (1..=count).map(one).collect::<Vec<_>>().join(", "))
    };

    assert_eq!(parse(&list(8)).unwrap().announce().len(), 8);
    assert_eq!(
        problems(&list(9)),
        ["announce = 9 addresses: 9 addresses, and a card holds at most 8; \
          for example: announce = [\"/dns4/node.example.org/tcp/4001\"]"]
    );
}

#[test]
fn all_problems_are_told_at_once() {
    let error = parse("home = 1\nstore = 2\nlisten = [3]\nlogg = \"info\"").unwrap_err();

    let text = error.to_string();

    let starts: Vec<&str> =
        text.lines().map(|line| line.trim().split(": ").next().unwrap()).collect();
    assert_eq!(
        starts,
        ["/etc/concordat/node.toml", "home = 1", "listen = 3", "store = 2", "logg = \"info\""]
    );
    assert!(text.starts_with("/etc/concordat/node.toml: 4 to mend\n"));
}

#[test]
fn what_is_not_toml_is_told_by_line() {
    let error = parse("home = \"a\"\nlisten = [\n").unwrap_err();
    assert!(matches!(error, ConfigError::Syntax { line: 2.., .. }), "{error:?}");
    let twice = parse("home = \"a\"\nhome = \"b\"").unwrap_err();
    assert!(matches!(twice, ConfigError::Syntax { line: 2, .. }), "{twice:?}");
}

#[test]
fn a_file_is_read_and_a_missing_one_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("node.toml");

    let missing = Config::load(&path).unwrap_err();
    std::fs::write(&path, "log = \"debug\"").unwrap();
    let config = Config::load(&path).unwrap();

    assert!(matches!(missing, ConfigError::Unreadable { .. }));
    assert_eq!(config.log(), "debug");
    assert_eq!(config.home(), directory.path());
    std::fs::write(&path, " ".repeat(1024 * 1024 + 1)).unwrap();
    assert!(matches!(Config::load(&path), Err(ConfigError::TooLong { .. })));
}

#[test]
fn all_settings_make_a_file_that_says_the_same() {
    for text in [
        "",
        "store = \"memory\"\nallow_memory_store = true",
        "listen = []\nhttp = \"127.0.0.1:8420\"",
    ] {
        let config = parse(text).unwrap();
        let settings = config.settings();
        let again = parse(&settings.to_string()).unwrap();
        assert_eq!(Config { sha256: config.sha256, ..again }, config);
        let http = config.http().map(|_| check::HTTP.name);
        let shown = KEYS.iter().filter(|key| key.name != check::HTTP.name || http.is_some());
        assert!(shown.clone().all(|key| settings.contains_key(key.name)), "{settings}");
        assert_eq!(settings.len(), shown.count());
    }
}
