//! `--processes N`: a training or a prediction in several processes of this machine, which `mpirun` starts.

use std::fmt;
use std::process::Command;

use crate::invocation::Invocation;

/// What installs MPI here, where `mpirun` is missing.
const INSTALL: &str = "apt-get install libopenmpi-dev openmpi-bin libclang-dev";

/// Verbs whose work can be shared begin with one of these.
const PREFIXES: [&str; 2] = ["train-", "predict-"];

/// `--processes` that cannot be followed.
#[derive(Debug)]
pub(crate) struct BadProcesses(String);

impl fmt::Display for BadProcesses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for BadProcesses {}

/// Takes `--processes` out of a verb's flags; `None` where one process does all.
///
/// # Errors
/// When it is no number, the verb's work is not shared, or `mpirun` is not there.
pub(crate) fn choose(invocation: &mut Invocation) -> Result<Option<usize>, BadProcesses> {
    let Some(number) = number(invocation)? else {
        return Ok(None);
    };
    if !Command::new("mpirun")
        .arg("--version")
        .output()
        .is_ok_and(|it| it.status.success())
    {
        return Err(BadProcesses(format!(
            "--processes: found no mpirun, expected MPI to be installed, on Debian with `{INSTALL}`"
        )));
    }
    Ok(Some(number))
}

fn number(invocation: &mut Invocation) -> Result<Option<usize>, BadProcesses> {
    let Some(value) = invocation.take_value("--processes") else {
        return Ok(None);
    };
    let value = value.unwrap_or_default();
    let Some(number) = value.parse().ok().filter(|number| *number > 0) else {
        return Err(BadProcesses(format!(
            "--processes: found {value:?}, expected a number from 1 on"
        )));
    };
    let verb = &invocation.verb;
    if !PREFIXES.iter().any(|prefix| verb.starts_with(prefix)) {
        return Err(BadProcesses(format!(
            "--processes: found {verb}, expected a training or a prediction"
        )));
    }
    Ok((number > 1).then_some(number))
}

/// `program` in several processes, which share the processor's cores.
pub(crate) fn start(processes: usize, program: &Command) -> Command {
    let mut mpirun = Command::new("mpirun");
    mpirun.args(["-n", &processes.to_string()]);
    if is_open_mpi() {
        // More processes than cores are no error, nor is a container, whose user is root.
        mpirun.args([
            "--oversubscribe",
            "--bind-to",
            "none",
            "--allow-run-as-root",
        ]);
    }
    mpirun.arg(program.get_program()).args(program.get_args());
    for (name, value) in program.get_envs() {
        if let Some(value) = value {
            mpirun.env(name, value);
        }
    }
    if std::env::var_os("RAYON_NUM_THREADS").is_none() {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        mpirun.env("RAYON_NUM_THREADS", (cores / processes).max(1).to_string());
    }
    mpirun
}

fn is_open_mpi() -> bool {
    let version = Command::new("mpirun").arg("--version").output();
    version.is_ok_and(|it| String::from_utf8_lossy(&it.stdout).contains("Open MPI"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_processes_is_taken_out_of_the_flags() {
        for (line, expected, left) in [
            (
                "train-squad --processes 4 --seed 1",
                Ok(Some(4)),
                "train-squad --seed 1",
            ),
            ("--processes=2 predict-glue", Ok(Some(2)), "predict-glue"),
            ("train-squad --processes 1", Ok(None), "train-squad"),
            ("ask Who?", Ok(None), "ask Who?"),
            (
                "train-squad --processes many",
                Err("--processes: found \"many\", expected a number from 1 on"),
                "train-squad",
            ),
            (
                "train-squad --processes",
                Err("--processes: found \"\", expected a number from 1 on"),
                "train-squad",
            ),
            (
                "ask --processes 2",
                Err("--processes: found ask, expected a training or a prediction"),
                "ask",
            ),
        ] {
            let words = line.split_whitespace().map(str::to_owned).collect();
            let mut invocation = Invocation::parse(words).unwrap();
            let found = number(&mut invocation).map_err(|error| error.to_string());
            assert_eq!(found, expected.map_err(str::to_owned), "{line}");
            assert_eq!(invocation.into_arguments().join(" "), left);
        }
    }
}
