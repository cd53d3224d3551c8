//! Which device is meant.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::usage::DeviceMemory;
use crate::{BACKENDS, BackendKind};

/// A device by its backend and number: `cpu`, `cuda:0`.
#[derive(Debug, Clone, Copy)]
pub struct DeviceChoice {
    kind: &'static BackendKind,
    /// `None` where the user names none.
    number: Option<usize>,
}

impl DeviceChoice {
    /// What follows from the device's backend.
    pub fn kind(self) -> &'static BackendKind {
        self.kind
    }

    /// The device's number among those of its backend.
    pub fn number(self) -> usize {
        self.number.unwrap_or(0)
    }

    /// The device of one of several processes of a machine: each has one of its own, unless the user names a number.
    pub fn of_process(self, local_rank: usize) -> Self {
        let own = self.kind.is_numbered.then_some(local_rank);
        Self {
            number: self.number.or(own),
            ..self
        }
    }

    /// The backends that are compiled in and come before this device's where the user names none.
    pub fn passed_over(self) -> impl Iterator<Item = &'static str> {
        let before = BACKENDS
            .iter()
            .take_while(move |kind| kind.name != self.kind.name);
        let compiled = before.filter(|kind| kind.is_compiled_in);
        compiled.map(|kind| kind.name)
    }

    /// The model of the device; `None` where nothing tells it.
    pub fn name(self) -> Option<String> {
        (self.kind.device_name)(self.number())
    }

    /// What the driver tells of the device's memory; `None` where it tells nothing.
    pub fn memory(self) -> Option<DeviceMemory> {
        (self.kind.memory)(self.number())
    }
}

impl Default for DeviceChoice {
    /// The first device of the first backend that is compiled in and has one. Where none has, opening the first that
    /// is compiled in says what is missing.
    fn default() -> Self {
        let compiled = || BACKENDS.iter().filter(|kind| kind.is_compiled_in);
        let kind = compiled().find(|kind| (kind.is_present)());
        let kind = kind.or_else(|| compiled().next());
        Self {
            kind: kind.unwrap_or(&BACKENDS[BACKENDS.len() - 1]),
            number: None,
        }
    }
}

impl PartialEq for DeviceChoice {
    fn eq(&self, other: &Self) -> bool {
        (self.kind.name, self.number()) == (other.kind.name, other.number())
    }
}

impl Eq for DeviceChoice {}

impl FromStr for DeviceChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, number) = match text.split_once(':') {
            Some((name, number)) => (name, Some(number)),
            None => (text, None),
        };
        let kind = BACKENDS.iter().find(|kind| kind.name == name);
        let choice = kind.and_then(|kind| {
            let number = match number {
                None => None,
                Some(number) => Some(number.parse().ok().filter(|_| kind.is_numbered)?),
            };
            Some(Self { kind, number })
        });
        choice.ok_or_else(|| format!("found {text:?}, expected {}", names()))
    }
}

/// What `FromStr` accepts, for a message.
fn names() -> String {
    let mut names = Vec::new();
    for kind in BACKENDS.iter().rev() {
        names.push(kind.name.to_owned());
        if kind.is_numbered {
            names.push(format!("{}:N", kind.name));
        }
    }
    let last = names.pop().unwrap_or_default();
    format!("{} or {last}", names.join(", "))
}

impl fmt::Display for DeviceChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.name)?;
        if self.kind.is_numbered {
            write!(f, ":{}", self.number())?;
        }
        Ok(())
    }
}

impl Serialize for DeviceChoice {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for DeviceChoice {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_are_read_and_written() {
        for (text, written) in [
            ("cpu", "cpu"),
            ("cuda", "cuda:0"),
            ("cuda:3", "cuda:3"),
            ("wgpu", "wgpu:0"),
            ("wgpu:1", "wgpu:1"),
        ] {
            let choice: DeviceChoice = text.parse().unwrap();
            assert_eq!(choice.to_string(), written);
            assert_eq!(written.parse(), Ok(choice));
        }
        for text in ["", "gpu", "cpu:0", "cuda:", "cuda:x", "cuda:-1", "wgpu:x"] {
            let message = text.parse::<DeviceChoice>().unwrap_err();
            assert_eq!(
                message,
                format!("found {text:?}, expected cpu, wgpu, wgpu:N, cuda or cuda:N")
            );
        }
    }

    #[test]
    fn each_process_has_a_device_of_its_own_unless_one_is_named() {
        for (text, local_rank, expected) in [
            ("cuda", 0, "cuda:0"),
            ("cuda", 3, "cuda:3"),
            ("cuda:1", 3, "cuda:1"),
            ("cpu", 3, "cpu"),
        ] {
            let choice: DeviceChoice = text.parse().unwrap();
            assert_eq!(choice.of_process(local_rank).to_string(), expected);
        }
    }

    #[test]
    fn a_default_is_never_a_backend_that_is_not_compiled_in() {
        let choice = DeviceChoice::default();
        let any = BACKENDS.iter().any(|kind| kind.is_compiled_in);
        assert!(choice.kind().is_compiled_in || !any, "{choice}");
    }
}
