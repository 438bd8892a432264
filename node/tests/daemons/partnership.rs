//! A partnership that founds its board by files, each node behind a proxy of its own.
//!
//! Nodes stand in the order of their keys, so the first dials all others and the last dials nobody:
//! whoever cuts its proxy cuts it off altogether. Members of one class stand in the order in which they
//! were named.

use std::{fs, path::Path};

use crate::{
    process::{Node, done, program, until},
    proxy::Proxy,
};

/// Where a node listens, and what stands on its card.
#[derive(Default)]
pub(crate) struct Reach {
    pub(crate) listen: Vec<String>,
    pub(crate) announce: Vec<String>,
}

impl Reach {
    /// At these, which also stand on the card.
    pub(crate) fn at(addresses: &[&str]) -> Self {
        let listen: Vec<String> = addresses.iter().map(|one| (*one).to_owned()).collect();
        Self { announce: listen.clone(), listen }
    }
}

pub(crate) struct Partnership {
    place: tempfile::TempDir,
    pub(crate) nodes: Vec<Node>,
    pub(crate) proxies: Vec<Proxy>,
    slugs: Vec<String>,
}

impl Partnership {
    pub(crate) fn found(slugs: &[&str]) -> Self {
        Self::found_with(slugs, "", "")
    }

    /// The same, with nodes that keep their stores on this engine.
    pub(crate) fn found_on(engine: &str, slugs: &[&str]) -> Self {
        Self::found_so(&councils(slugs), &format!("store = {engine:?}\n"), ("", ""))
    }

    /// The same, with more lines at the top of the draft and among its rules.
    pub(crate) fn found_with(slugs: &[&str], top: &str, rules: &str) -> Self {
        Self::found_of(&councils(slugs), top, rules)
    }

    /// The same, of members of several classes: short name and class of each.
    pub(crate) fn found_of(members: &[(&str, &str)], top: &str, rules: &str) -> Self {
        Self::found_so(members, "", (top, rules))
    }

    fn found_so(members: &[(&str, &str)], config: &str, (top, rules): (&str, &str)) -> Self {
        let place = tempfile::tempdir().unwrap();
        let mut made: Vec<(String, Node, Proxy, &str)> = members
            .iter()
            .enumerate()
            .map(|(number, (_, class))| {
                let proxy = Proxy::start();
                let name = format!("node-{number}");
                let node = Node::init(place.path(), &name, class, &[proxy.address()]);
                let card = place.path().join(format!("{name}.card"));
                let key = node.json(&["card", "export", "--out", card.to_str().unwrap()]);
                (key["node"].as_str().unwrap().to_owned(), node, proxy, *class)
            })
            .collect();
        // All of one length and in an alphabet that ascends: they order as the keys do.
        made.sort_by(|a, b| a.0.cmp(&b.0));
        // Of each class the members in the order in which they were named.
        let mut left = members.to_vec();
        let slugs = made.iter().map(|(_, _, _, class)| {
            let next = left.iter().position(|(_, of)| of == class).unwrap();
            left.remove(next).0.to_owned()
        });
        let slugs = slugs.collect();
        let (nodes, proxies): (Vec<Node>, Vec<Proxy>) =
            made.into_iter().map(|(_, node, proxy, _)| (node, proxy)).unzip();
        let last = nodes.len() - 1;
        for (number, node) in nodes.iter().enumerate() {
            // The last never dials within a test; the others come back soon.
            let longest = if number == last { 3_600_000 } else { 300 };
            node.configure(&format!("redial_ms_min = 50\nredial_ms_max = {longest}\n{config}"));
        }
        let partnership = Self { place, nodes, proxies, slugs };
        partnership.found_board(top, rules);
        partnership
    }

    /// The same without proxies: each node listens at and announces what it is given, and all dial
    /// again soon. The draft has more lines at the top and among its rules. They stand in the order of the slugs.
    pub(crate) fn found_at(members: &[(&str, Reach)], (top, rules): (&str, &str)) -> Self {
        let place = tempfile::tempdir().unwrap();
        let nodes = (0..).zip(members).map(|(number, (_, reach))| {
            let name = format!("node-{number}");
            let Reach { listen, announce } = reach;
            let node = Node::init_at(place.path(), &name, "council", listen, announce);
            let card = place.path().join(format!("{name}.card"));
            node.run(&["card", "export", "--out", card.to_str().unwrap()]);
            node.configure("redial_ms_min = 50\nredial_ms_max = 300\n");
            node
        });
        let nodes = nodes.collect();
        let slugs = members.iter().map(|(slug, _)| (*slug).to_owned()).collect();
        let partnership = Self { place, nodes, proxies: vec![], slugs };
        partnership.found_board(top, rules);
        partnership
    }

    pub(crate) fn path(&self) -> &Path {
        self.place.path()
    }

    pub(crate) fn file(&self, name: &str) -> String {
        self.path().join(name).to_str().unwrap().to_owned()
    }

    /// The card file of a node.
    pub(crate) fn card(&self, number: usize) -> String {
        self.file(&format!("{}.card", self.nodes[number].name()))
    }

    pub(crate) fn board_file(&self) -> String {
        self.file("founded.board")
    }

    /// Which node is the member's.
    pub(crate) fn number_of(&self, slug: &str) -> usize {
        self.slugs.iter().position(|one| one == slug).unwrap()
    }

    /// The member's node.
    pub(crate) fn node_of(&self, slug: &str) -> &Node {
        &self.nodes[self.number_of(slug)]
    }

    fn found_board(&self, top: &str, rules: &str) {
        let mut toml = format!("title = \"Three daemons\"\n{top}[rules]\n{rules}");
        for rule in ["amend", "admit", "suspend"] {
            toml.push_str(&format!("{rule} = \"share(2/3 of members)\"\n"));
        }
        for (node, slug) in self.nodes.iter().zip(&self.slugs) {
            let card = format!("{}.card", node.name());
            toml.push_str(&format!("[[members]]\ncard = {card:?}\nslug = {slug:?}\n"));
        }
        fs::write(self.path().join("board.toml"), toml).unwrap();
        let draft = self.file("board.draft");
        let args = ["board", "draft", &self.file("board.toml"), "--out", &draft];
        done(program().args(args).output().unwrap(), &args);

        let mut acceptances = vec![];
        for node in &self.nodes {
            let out = self.file(&format!("{}.accept", node.name()));
            node.run(&["board", "accept", &draft, "--out", &out]);
            acceptances.push(out);
        }
        let board = self.board_file();
        let mut args = vec!["board", "found", &draft, "--out", &board];
        args.extend(acceptances.iter().map(String::as_str));
        self.nodes[0].run(&args);
        for node in &self.nodes[1..] {
            node.run(&["board", "join", &board]);
        }
    }

    /// Starts a node's daemon, and forwards its proxy to it.
    pub(crate) fn serve(&mut self, number: usize) {
        let port = self.nodes[number].serve();
        if let Some(proxy) = self.proxies.get(number) {
            proxy.forward_to(port);
        }
    }

    pub(crate) fn serve_all(&mut self) {
        for number in 0..self.nodes.len() {
            self.serve(number);
        }
    }

    /// Forwards again to where the node listens now.
    pub(crate) fn heal(&self, number: usize) {
        let status = self.nodes[number].status();
        let address = status["listening"]["addresses"][0].as_str().unwrap();
        self.proxies[number].forward_to(address.rsplit('/').next().unwrap().parse().unwrap());
        self.proxies[number].heal();
    }

    pub(crate) fn until_all_meet(&self) {
        let others = self.nodes.len() - 1;
        until("all have met", || self.nodes.iter().all(|node| node.connected() == others));
    }
}

/// All of one class.
fn councils<'a>(slugs: &[&'a str]) -> Vec<(&'a str, &'a str)> {
    slugs.iter().map(|slug| (*slug, "council")).collect()
}
