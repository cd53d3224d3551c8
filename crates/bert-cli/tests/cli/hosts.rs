//! Several machines, each of which is a network namespace of this one, joined by a pair of virtual network devices.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, id};

use bert_test_support::{Prerequisite, Workspace, repository, skip};

use crate::processes::{assert_same_steps, has_mpi, run, words};
use crate::support::stderr;
use crate::training_support::text;

/// Two namespaces, which end with the test.
struct Hosts {
    /// How `mpirun` starts a command on a host.
    agent: PathBuf,
}

fn name(host: usize) -> String {
    format!("bert-{}-{host}", id())
}

fn address(host: usize) -> String {
    format!("10.77.0.{host}")
}

/// Whether `ip` does what the words say.
fn ip(words: &str) -> Result<(), String> {
    let mut command = Command::new("ip");
    match command.args(words.split_whitespace()).output() {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(stderr(&output).trim().to_owned()),
        Err(error) => Err(format!("ip: {error}")),
    }
}

impl Hosts {
    /// Makes the hosts; `Err` says why that is not possible here.
    fn new(dir: &Path) -> Result<Self, String> {
        let agent = dir.join("agent");
        // Host and command, as `ssh` takes them.
        let script = format!(
            "host=${{1##*.}}\nshift\nexec ip netns exec bert-{}-$host unshare --uts sh -c \"hostname host$host; $*\"\n",
            id()
        );
        fs::write(&agent, script).map_err(|error| error.to_string())?;
        let hosts = Self { agent };
        let [first, second] = [name(1), name(2)];
        ip(&format!("netns add {first}"))?;
        ip(&format!("netns add {second}"))?;
        ip(&format!(
            "link add wire1 netns {first} type veth peer name wire2 netns {second}"
        ))?;
        for host in [1, 2] {
            let (name, address) = (name(host), address(host));
            ip(&format!("-n {name} addr add {address}/24 dev wire{host}"))?;
            ip(&format!("-n {name} link set wire{host} up"))?;
            ip(&format!("-n {name} link set lo up"))?;
        }
        Ok(hosts)
    }

    /// `bert` in a process on each host, started on the first.
    fn mpirun(&self, words: &[String]) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &name(1), "unshare", "--uts", "sh", "-c"]);
        command.args(["hostname host1; exec mpirun \"$@\"", "sh"]);
        command.args(["--allow-run-as-root", "--bind-to", "none", "-n", "2"]);
        let both = [1, 2].map(|host| format!("{}:1", address(host))).join(",");
        command.args(["--host", &both]);
        for (setting, value) in [
            (
                "plm_rsh_agent",
                format!("sh {}", text(&self.agent)).as_str(),
            ),
            ("btl_tcp_if_include", "10.77.0.0/24"),
            ("oob_tcp_if_include", "10.77.0.0/24"),
        ] {
            command.args(["--mca", setting, value]);
        }
        command.args(["-x", "RAYON_NUM_THREADS", env!("CARGO_BIN_EXE_bert")]);
        command.args(words).env("RAYON_NUM_THREADS", "1");
        command
    }
}

impl Drop for Hosts {
    fn drop(&mut self) {
        for host in [1, 2] {
            // One that was not made cannot be removed.
            let _ = ip(&format!("netns del {}", name(host)));
        }
    }
}

#[test]
fn two_hosts_do_the_steps_of_one() {
    if !has_mpi() {
        return;
    }
    let workspace = Workspace::new();
    let hosts = match Hosts::new(&workspace.path("")) {
        Ok(hosts) => hosts,
        Err(reason) => {
            let reason = format!("network namespaces cannot be made: {reason}");
            skip(Prerequisite::Namespaces, &reason);
            return;
        }
    };
    let flags = ["--num-train-epochs", "1", "--train-batch-size", "4"];
    run(1, &words(&workspace, "one", &flags));
    let mut together = hosts.mpirun(&words(&workspace, "two", &flags));
    let output = together.current_dir(repository()).output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    assert_same_steps(&workspace.path("two"), &workspace.path("one"));
}
