//! No response needs fragments (RFC 9715): how long datagrams are, and what the kernel is told of the path.

use std::process::{Command, Stdio};

use crate::dns::{query, udp_octets};
use crate::namu::{Folder, Namu, command, eventually, program, skipped};
use hickory_proto::rr::RecordType;

#[test]
fn datagrams_are_short_and_the_kernel_is_told_not_to_believe_in_a_path_mtu() {
    let Some(strace) = program("strace") else {
        return skipped("fragments: strace is not installed, so nobody sees what the kernel is told");
    };
    // The tracer as a process apart: the one started is the server itself.
    let mut tried = Command::new(&strace);
    let tried = tried.args(["-D", "-f", "-o", "/dev/null", "true"]).stderr(Stdio::null()).status();
    if !tried.is_ok_and(|status| status.success()) {
        return skipped("fragments: strace may not trace here");
    }
    let folder = Folder::new();
    let records: String = (0..100).map(|host| format!("many A 198.51.100.{host}\n")).collect();
    let zone = "$ORIGIN big.test.\n$TTL 300\n@ SOA ns1 admin 7 3600 600 86400 60\n@ NS ns1\n";
    folder.write("zones/big.test.zone", &format!("{zone}ns1 A 192.0.2.1\n{records}"));
    let server = command(&folder.path, &["run", "--port", "0"]);
    let mut traced = Command::new(&strace);
    traced.args(["-D", "-f", "-qq", "-e", "trace=setsockopt", "-o", "calls"]).arg(server.get_program());
    traced.args(server.get_args()).current_dir(&folder.path).stdin(Stdio::null());
    traced.env("RUNTIME_DIRECTORY", &folder.path);
    let namu = Namu::spawn(traced);
    let mut asked = query("many.big.test.", RecordType::A);
    for payload in [512u16, 1232, 4096, 65_535] {
        // The class of the OPT record at the end is the payload size (RFC 6891 6.1.2).
        let at = asked.len() - 8;
        asked[at..at + 2].copy_from_slice(&payload.to_be_bytes());
        let reply = udp_octets(namu.address(), &asked).expect("a response");
        assert!(reply.len() <= usize::from(payload.min(1232)), "{payload}: {} octets", reply.len());
        assert_ne!(reply[2] & 2, 0, "{payload}: TC says that there is more");
    }
    // The tracer writes what it saw in its own time.
    let omits = |name: &str, value: &str| {
        let calls = folder.read("calls");
        calls.lines().any(|call| call.contains(name) && call.contains(value))
    };
    // 5 is IP_PMTUDISC_OMIT, of which some versions do not know the name.
    let is_told = || ["[5]", "IP_PMTUDISC_OMIT"].iter().any(|value| omits("IP_MTU_DISCOVER", value));
    eventually("IP_MTU_DISCOVER is set", is_told);
}
