//! The nodes together: founded by the files that people hand each other, started, cut off and healed.
//!
//! ```text
//!   init, card export, by each ──▶ board draft ──▶ board accept, by each ──▶ board found ──▶ board join, by each
//! ```
//!
//! *Invariants.* Links are cut outside the nodes, in the relays that their cards name. What all do, so many do
//! at a time as the machine has cores.
//!
//! *Source*: ours.

use std::{
    fs,
    num::NonZeroUsize,
    path::{Path, PathBuf},
    sync::Arc,
    thread,
};

use tokio::runtime::Handle;

use super::{
    DemoError,
    cast::Cast,
    crew::Crew,
    member::{Member, Program},
    relay::Relay,
};
use crate::{home::FileError, store::EngineKind};

/// The rule for what all classes have a say in: it asks for a majority of the trusts too.
pub(super) const JOINT_RULE: &str = "joint decision";
/// The rule for what those decide who pay for care. A trust, which is paid for it, answers that it takes no part: so the
/// number of answers that are needed is higher by all trusts.
pub(super) const COMMISSIONING_RULE: &str = "joint commissioning";

/// Longest path of a Unix socket.
const SOCKET_BYTES_MAX: usize = 107;

/// Every node of the demonstration.
#[derive(Debug)]
pub(super) struct Partnership {
    place: PathBuf,
    pub(super) members: Vec<Member>,
}

impl Partnership {
    /// The nodes of this cast in this directory; none of them is made yet.
    pub(super) fn new(
        cast: &Cast,
        place: &Path,
        crew: &Arc<Crew>,
        runtime: &Handle,
    ) -> Result<Self, DemoError> {
        let program = Program::of_this_process()?;
        let mut members = Vec::new();
        for part in &cast.parts {
            let relay = Relay::start(runtime).map_err(DemoError::system("listening"))?;
            members.push(Member::new(*part, relay, place, (&program, crew)));
        }
        let longest = members.iter().map(|member| member.home().join("control.sock"));
        let longest = longest.max_by_key(|path| path.as_os_str().len()).unwrap_or_default();
        if longest.as_os_str().len() > SOCKET_BYTES_MAX {
            return Err(DemoError::TooLong { path: longest });
        }
        Ok(Self { place: place.to_path_buf(), members })
    }

    /// A file of the demonstration.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.place.join(name)
    }

    /// The member of this short name.
    pub(super) fn member(&self, slug: &str) -> Result<&Member, DemoError> {
        let found = self.members.iter().find(|member| member.slug() == slug);
        found.ok_or_else(|| DemoError::NeverCame { what: format!("{slug} takes part") })
    }

    /// All but this one.
    pub(super) fn others<'a>(&'a self, slug: &'a str) -> impl Iterator<Item = &'a Member> {
        self.members.iter().filter(move |member| member.slug() != slug)
    }

    /// What each of them tells, beside its short name; each is asked only when its answer is taken.
    pub(super) fn each<T>(
        &self,
        tells: impl Fn(&Member) -> Result<T, DemoError>,
    ) -> impl Iterator<Item = Result<(&'static str, T), DemoError>> {
        self.members.iter().map(move |member| Ok((member.slug(), tells(member)?)))
    }

    /// Whether something holds of each; the first of which it does not ends the asking.
    pub(super) fn all(
        &self,
        holds: impl Fn(&Member) -> Result<bool, DemoError>,
    ) -> Result<bool, DemoError> {
        for member in &self.members {
            if !holds(member)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Does something for all of them, several at a time; stops at the first that fails.
    pub(super) fn for_all(
        &self,
        does: impl Fn(&Member) -> Result<(), DemoError> + Sync,
    ) -> Result<(), DemoError> {
        let cores = thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let shares = self.members.chunks(self.members.len().div_ceil(cores).max(1));
        let does = &does;
        thread::scope(|scope| {
            let running: Vec<_> =
                shares.map(|share| scope.spawn(move || share.iter().try_for_each(does))).collect();
            running.into_iter().try_for_each(|one| {
                let ended = || DemoError::NeverCame { what: "a step came to its end".to_owned() };
                one.join().unwrap_or_else(|_| Err(ended()))
            })
        })
    }

    /// Makes the nodes, and founds their board by files.
    pub(super) fn found(&self, cast: &Cast, engine: EngineKind) -> Result<(), DemoError> {
        let papers = self.file("papers");
        fs::create_dir_all(&papers).map_err(FileError::at("making", &papers))?;
        let paper = |name: &str| papers.join(name).display().to_string();
        self.for_all(|member| {
            let (slug, address) = (member.slug(), member.relay.address());
            let recovery = paper(&format!("{slug}.recovery"));
            member.json(&[
                "init",
                "--name",
                member.part.name,
                "--class",
                member.part.class,
                "--recovery-out",
                &recovery,
                "--listen",
                "/ip4/127.0.0.1/tcp/0",
                "--announce",
                &address,
            ])?;
            member.configure(&config(engine, self.members.len()))?;
            member.json(&["card", "export", "--out", &paper(&format!("{slug}.card"))]).map(drop)
        })?;

        let (toml, draft, board) = (paper("board.toml"), paper("board.draft"), paper("demo.board"));
        fs::write(&toml, draft_of(cast)).map_err(FileError::at("writing", Path::new(&toml)))?;
        let sponsor = self.member(cast.sponsor)?;
        sponsor.json(&["board", "draft", &toml, "--out", &draft])?;
        let acceptance = |slug: &str| paper(&format!("{slug}.accept"));
        self.for_all(|member| {
            let out = acceptance(member.slug());
            member.json(&["board", "accept", &draft, "--out", &out]).map(drop)
        })?;
        let acceptances: Vec<String> =
            self.members.iter().map(|member| acceptance(member.slug())).collect();
        let mut args = Vec::from(["board", "found", draft.as_str(), "--out", board.as_str()]);
        args.extend(acceptances.iter().map(String::as_str));
        sponsor.json(&args)?;
        self.for_all(|member| match member.slug() == cast.sponsor {
            true => Ok(()),
            false => member.json(&["board", "join", &board]).map(drop),
        })
    }

    /// Cuts every link between the nodes.
    pub(super) fn cut(&self) {
        self.members.iter().for_each(|member| member.relay.cut());
    }

    /// Mends every link.
    pub(super) fn heal(&self) {
        self.members.iter().for_each(|member| member.relay.heal());
    }

    /// Whether each is connected to so many others.
    pub(super) fn all_have(&self, connected: usize) -> Result<bool, DemoError> {
        self.all(|member| Ok(member.connected()? == connected))
    }
}

/// What is added to each node's config. With many nodes apart, dials that come to nothing would take the machine up.
fn config(engine: EngineKind, nodes: usize) -> String {
    let (first, longest) = if nodes > 10 { (500, 4_000) } else { (50, 400) };
    format!(
        "store = \"{}\"\nhttp = \"127.0.0.1:0\"\nredial_ms_min = {first}\nredial_ms_max = {longest}\n",
        engine.name()
    )
}

/// The draft of the board. Its rules are illustrative.
fn draft_of(cast: &Cast) -> String {
    let mut toml = format!(
        "# Illustrative: these are not the rules of any board.\ntitle = \"Demonstration board\"\nsecretariat = \
         [\"{}\", \"{office}\"]\nclosers = [\"{office}\"]\n",
        cast.sponsor,
        office = cast.office
    );
    for part in &cast.parts {
        let (slug, class) = (part.slug, part.class);
        let status = if part.is_observer { "status = \"observer\"\n" } else { "" };
        toml.push_str(&format!(
            "\n[[members]]\ncard = \"{slug}.card\"\nslug = \"{slug}\"\nclass = \"{class}\"\n{status}"
        ));
    }
    toml.push_str("\n[localities]\n");
    for (locality, members) in cast.localities() {
        toml.push_str(&format!("{locality} = {members:?}\n"));
    }
    let payers = "share(3/4 of cast), majority(council), majority(ccg)";
    let (all, (least, some)) = (cast.quorum, cast.payers_quorum);
    toml.push_str(&format!(
        "\n[rules]\n{JOINT_RULE:?} = \"all(quorum({all}), {payers}, majority(trust))\"\n{COMMISSIONING_RULE:?} = \
         \"all(quorum({least}, council {some}, ccg {some}), {payers})\"\n"
    ));
    for rule in ["amend", "admit", "suspend"] {
        toml.push_str(&format!("{rule} = \"share(2/3 of members)\"\n"));
    }
    toml
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{config::Config, demo::cast::Size};

    #[test]
    fn the_draft_names_every_member_once_and_the_classes_that_decide() {
        let cast = Cast::of(Size::Ten);
        let draft: toml::Table = draft_of(&cast).parse().unwrap();
        let members = draft["members"].as_array().unwrap();
        let slugs: Vec<&str> = members.iter().map(|one| one["slug"].as_str().unwrap()).collect();
        let parts: Vec<&str> = cast.parts.iter().map(|part| part.slug).collect();
        assert_eq!(slugs, parts);
        let observers = members.iter().filter(|one| one.get("status").is_some()).count();
        assert_eq!(observers, 1);
        assert!(draft["rules"][JOINT_RULE].as_str().unwrap().contains("quorum(7)"));
        let payers = draft["rules"][COMMISSIONING_RULE].as_str().unwrap();
        assert!(payers.contains("quorum(8, council 1, ccg 1)") && !payers.contains("trust"));
        let bury = draft["localities"]["bury"].as_array().unwrap();
        assert_eq!(bury.len(), 3);
        assert_eq!(draft["localities"].as_table().unwrap().len(), 8);
    }

    #[test]
    fn what_is_added_to_a_config_is_right() {
        for engine in [EngineKind::Sled, EngineKind::Redb] {
            for nodes in [5, 36] {
                let parsed =
                    Config::parse(&config(engine, nodes), Path::new("concordat.toml")).unwrap();
                assert_eq!(parsed.store(), engine);
            }
        }
    }
}
