//! Network namespaces: machines of a test's own, with cables that can be pulled out.
//!
//! ```text
//!   namespace of a member            namespace "hub"
//!     eth0  10.77.0.1/24 ==== veth ==== port ── bridge "lan0"      a switch
//!     eth1  10.77.1.1/24 ==== veth ==== port ── bridge "lan1"      another, with no way between them
//! ```
//!
//! Nothing of the machine's own network is touched: each cable is made with both ends in namespaces.
//! Files of a daemon, and its control socket, are the machine's own, so commands need no namespace.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
};

use crate::mounts::{not_tested, run};

static MADE: AtomicU32 = AtomicU32::new(0);

/// Namespaces that are there until this is dropped, after the daemons in them.
pub(crate) struct Net {
    prefix: String,
    namespaces: Vec<String>,
    servers: Vec<Child>,
}

fn ip(args: &[&str]) -> Result<(), String> {
    run(Command::new("ip").args(args))
}

impl Net {
    /// So many members, with nothing between them yet. `None` where namespaces cannot be made, see
    /// [`not_tested`].
    pub(crate) fn new(members: usize) -> Option<Self> {
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let prefix = format!("concordat-test-{}-{number}", std::process::id());
        let mut net = Self { prefix, namespaces: vec![], servers: vec![] };
        if let Err(why) = net.add("hub") {
            return not_tested(&format!("iproute2, and the right to make namespaces: {why}"));
        }
        for member in 0..members {
            net.add(&member.to_string()).unwrap();
        }
        Some(net)
    }

    fn add(&mut self, name: &str) -> Result<(), String> {
        let namespace = format!("{}-{name}", self.prefix);
        ip(&["netns", "add", &namespace])?;
        // First, so that whatever fails from here on is taken away again.
        self.namespaces.push(namespace.clone());
        ip(&["-n", &namespace, "link", "set", "lo", "up"])
    }

    fn hub(&self) -> &str {
        &self.namespaces[0]
    }

    /// The namespace of a member.
    pub(crate) fn of(&self, member: usize) -> &str {
        &self.namespaces[member + 1]
    }

    /// A switch.
    pub(crate) fn lan(&self, number: usize) {
        let bridge = format!("lan{number}");
        ip(&["-n", self.hub(), "link", "add", &bridge, "type", "bridge"]).unwrap();
        ip(&["-n", self.hub(), "link", "set", &bridge, "up"]).unwrap();
    }

    fn port(lan: usize, member: usize) -> String {
        format!("port{lan}-{member}")
    }

    /// A cable from a member to a switch, and the member's address there.
    pub(crate) fn wire(&self, member: usize, lan: usize, address: &str) {
        let (inside, port, bridge) =
            (format!("eth{lan}"), Self::port(lan, member), format!("lan{lan}"));
        let (hub, own) = (self.hub(), self.of(member));
        let cable = ["type", "veth", "peer", "name", &port, "netns", hub];
        ip(&[&["link", "add", &inside, "netns", own][..], &cable].concat()).unwrap();
        ip(&["-n", hub, "link", "set", &port, "master", &bridge, "up"]).unwrap();
        ip(&["-n", own, "link", "set", &inside, "up"]).unwrap();
        self.address("add", member, lan, address);
    }

    /// Gives a member an address (`add`), or takes it away (`del`).
    pub(crate) fn address(&self, change: &str, member: usize, lan: usize, address: &str) {
        let inside = format!("eth{lan}");
        let address = format!("{address}/24");
        ip(&["-n", self.of(member), "addr", change, &address, "dev", &inside]).unwrap();
    }

    /// Pulls a member's cable out of the switch.
    pub(crate) fn cut(&self, member: usize, lan: usize) {
        ip(&["-n", self.hub(), "link", "set", &Self::port(lan, member), "down"]).unwrap();
    }

    /// Puts it back.
    pub(crate) fn heal(&self, member: usize, lan: usize) {
        ip(&["-n", self.hub(), "link", "set", &Self::port(lan, member), "up"]).unwrap();
    }

    /// Runs a DNS server beside a member, which that member and nobody else asks. It answers every
    /// question for an IPv4 address with what stands in this file at that moment.
    pub(crate) fn name_server(&mut self, member: usize, answer: &Path) {
        let namespace = self.of(member).to_owned();
        fs::create_dir_all(files_of(&namespace)).unwrap();
        fs::write(files_of(&namespace).join("resolv.conf"), "nameserver 127.0.0.1\n").unwrap();
        let mut server = Command::new("ip");
        server.args(["netns", "exec", &namespace, "python3", "-c", NAME_SERVER]).arg(answer);
        self.servers.push(server.stdin(Stdio::null()).spawn().unwrap());
    }
}

/// Where `ip netns exec` finds what it puts in the place of files in `/etc`.
fn files_of(namespace: &str) -> PathBuf {
    Path::new("/etc/netns").join(namespace)
}

impl Drop for Net {
    fn drop(&mut self) {
        for server in &mut self.servers {
            let _ended = server.kill();
            let _ended = server.wait();
        }
        for namespace in &self.namespaces {
            let _gone = ip(&["netns", "del", namespace]);
            let _none = fs::remove_dir_all(files_of(namespace));
        }
    }
}

/// Questions begin after 12 bytes and end with type and class; answers live one second.
const NAME_SERVER: &str = r"
import socket, struct, sys
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(('127.0.0.1', 53))
while True:
    query, client = server.recvfrom(4096)
    end = query.index(0, 12) + 5
    answers = b''
    if query[end - 4:end - 2] == b'\0\1':
        address = socket.inet_aton(open(sys.argv[1]).read().strip())
        answers = struct.pack('>HHHIH', 0xc00c, 1, 1, 1, 4) + address
    head = query[:2] + struct.pack('>HHHHH', 0x8180, 1, 1 if answers else 0, 0, 0)
    server.sendto(head + query[12:end] + answers, client)
";
