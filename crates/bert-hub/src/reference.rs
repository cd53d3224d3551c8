//! Whether an argument means a folder of this machine or a model of the hub.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::{HubError, ModelName};

/// What an argument such as `--model` refers to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reference {
    /// A path at which there is something.
    Local(PathBuf),
    /// A model of the hub.
    Hub(ModelName),
}

impl Reference {
    /// Decides by the first rule that applies:
    ///
    /// 1. What exists on this machine is local.
    /// 2. What is no [`ModelName`] can only be a path: it begins with `.`, `/` or `~`, ends with `/`, or has two slashes.
    /// 3. `name@revision` and `owner/name@revision` are on the hub.
    /// 4. `a/b` is a path where `a` exists on this machine.
    /// 5. Anything else is on the hub.
    ///
    /// # Errors
    ///
    /// Fails where only a path can be meant and there is nothing at it.
    pub fn parse(path: &Path) -> Result<Self, HubError> {
        if path.exists() {
            return Ok(Self::Local(path.to_owned()));
        }
        let missing = |namesake| HubError::NoSuchFolder {
            path: path.to_owned(),
            namesake,
        };
        let text = path.to_str().ok_or_else(|| missing(None))?;
        let name: ModelName = text.parse().map_err(|_| missing(None))?;
        if !text.contains('@')
            && let Some((folder, _)) = text.split_once('/')
            && Path::new(folder).exists()
        {
            return Err(missing(Some(Namesake {
                folder: folder.to_owned(),
                name,
            })));
        }
        Ok(Self::Hub(name))
    }
}

/// A model of the hub whose owner is called as a folder of this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Namesake {
    folder: String,
    name: ModelName,
}

impl fmt::Display for Namesake {
    /// How to ask for the model all the same.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { folder, name } = self;
        let revision = name.revision();
        write!(
            formatter,
            "{folder} exists here, so this is read as a path; {name}@{revision} is the model of the hub"
        )
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn what_looks_like_a_path_is_never_looked_up_on_the_hub() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let absolute = folder.path().join("nope");
        for text in [
            "./nope",
            "../nope",
            "~/nope",
            "nope/",
            "a/b/c",
            "out/a/b",
            "a//b",
            "",
            absolute.to_str().expect("UTF-8"),
        ] {
            let error = Reference::parse(Path::new(text)).expect_err(text);
            assert!(error.is_bad_input(), "{text}");
            let line = error.to_string();
            assert!(line.contains("found no such folder"), "{line}");
        }
    }

    #[test]
    fn a_slip_beside_a_folder_is_a_path_and_a_revision_asks_the_hub() {
        // Tests run in the package's folder, which has `src`.
        let error = Reference::parse(Path::new("src/nope")).expect_err("there is none");
        let line = error.to_string();
        assert!(
            line.contains("src exists here") && line.contains("src/nope@main"),
            "{line}"
        );
        let found = Reference::parse(Path::new("src/nope@main")).expect("a name");
        let expected = "src/nope".parse().expect("a name");
        assert_eq!(found, Reference::Hub(expected));
    }

    #[test]
    fn what_exists_is_local_even_where_it_could_be_a_name() {
        assert_eq!(
            Reference::parse(Path::new("src")).expect("it exists"),
            Reference::Local("src".into())
        );
        let folder = tempfile::tempdir().expect("a temporary folder");
        let odd = folder.path().join("a@b");
        fs::create_dir(&odd).expect("it is made");
        let found = Reference::parse(&odd).expect("it exists");
        assert_eq!(found, Reference::Local(odd));
    }

    #[test]
    fn names_without_a_namesake_here_are_on_the_hub() {
        for text in [
            "bert-base-uncased",
            "google-bert/bert-base-uncased",
            "owner/name@v1.0",
            "owner/name@refs/pr/1",
        ] {
            let name = text.parse().expect("a name");
            let found = Reference::parse(Path::new(text)).expect(text);
            assert_eq!(found, Reference::Hub(name));
        }
    }
}
