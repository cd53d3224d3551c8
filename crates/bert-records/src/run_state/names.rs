//! The names of run states, and of folders that are not run states yet or any more.

use std::{
    ffi::OsStr,
    process,
    sync::atomic::{AtomicU64, Ordering},
};

const PREFIX: &str = "step-";
const WRITING: &str = ".writing-";
const REMOVING: &str = ".removing-";
const REPLACED: &str = ".replaced-";

/// Why a folder has a hidden name.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Hidden {
    /// It is being written.
    Writing,
    /// It is to be deleted.
    Removing,
    /// It makes way for another run state of its step.
    Replaced,
}

/// `step-00000100`.
pub(crate) fn run_state_name(step: u64) -> String {
    format!("{PREFIX}{step:08}")
}

/// The step of a run state's name. `step-5` is none: [`run_state_name`] would not lead back to it.
pub(crate) fn step_of_name(name: &OsStr) -> Option<u64> {
    let step = name.to_str()?.strip_prefix(PREFIX)?.parse().ok()?;
    (name == run_state_name(step).as_str()).then_some(step)
}

/// A name for a run state's folder that begins with a dot and that this process has not used before.
pub(crate) fn hidden_name(why: Hidden, step: u64) -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let prefix = match why {
        Hidden::Writing => WRITING,
        Hidden::Removing => REMOVING,
        Hidden::Replaced => REPLACED,
    };
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("{prefix}{}-{count}-{}", process::id(), run_state_name(step))
}

/// Whether a name is this crate's to take away.
pub(crate) fn is_hidden(name: &OsStr) -> bool {
    let name = name.as_encoded_bytes();
    let ours = [WRITING, REMOVING, REPLACED];
    ours.iter()
        .any(|prefix| name.starts_with(prefix.as_bytes()))
}

/// The step of a [`Hidden::Replaced`] name.
pub(crate) fn step_of_replaced(name: &OsStr) -> Option<u64> {
    let rest = name.to_str()?.strip_prefix(REPLACED)?;
    step_of_name(OsStr::new(rest.get(rest.find(PREFIX)?..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_leads_to_its_step_and_back() {
        for (step, name) in [
            (0, "step-00000000"),
            (100, "step-00000100"),
            (99_999_999, "step-99999999"),
            (123_456_789, "step-123456789"),
            (u64::MAX, "step-18446744073709551615"),
        ] {
            assert_eq!(run_state_name(step), name);
            assert_eq!(step_of_name(OsStr::new(name)), Some(step));
        }
    }

    #[test]
    fn other_names_have_no_step() {
        for name in [
            "",
            "best",
            "notes.txt",
            "step-",
            "step-5",
            "step-000000100",
            "step-+0000100",
            "step-0000010x",
            "step-00000100.bak",
            "STEP-00000100",
            "step-18446744073709551616",
            ".step-00000100",
        ] {
            assert_eq!(step_of_name(OsStr::new(name)), None, "{name}");
        }
    }

    #[test]
    fn hidden_names_differ_and_only_replaced_ones_have_a_step() {
        let writing = hidden_name(Hidden::Writing, 7);
        assert_ne!(writing, hidden_name(Hidden::Writing, 7));
        for (name, step) in [
            (writing, None),
            (hidden_name(Hidden::Removing, 7), None),
            (hidden_name(Hidden::Replaced, 7), Some(7)),
        ] {
            let name = OsStr::new(&name);
            assert!(is_hidden(name));
            assert_eq!(step_of_name(name), None);
            assert_eq!(step_of_replaced(name), step);
        }
    }
}
