//! Where the hub and its cache are: the variables that `huggingface_hub` reads, as it reads them.

use std::env;
use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use crate::HubError;
use crate::fetch::{FetchSettings, url};

/// The hub's address where none is set.
const ENDPOINT: &str = "https://huggingface.co";

/// A secret that identifies the user. It is sent to the hub alone, and never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// Trims line breaks and spaces around the text; `None` if nothing is left.
    ///
    /// # Errors
    ///
    /// Fails where it has characters that cannot be sent.
    pub fn new(text: &str) -> Result<Option<Self>, HubError> {
        let text = text.trim();
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(HubError::Setting {
                name: "HF_TOKEN or the token file",
                // It may be a secret with a typing error in it.
                found: "…".to_owned(),
                expected: "letters, digits and signs alone",
            });
        }
        Ok((!text.is_empty()).then(|| Self(text.to_owned())))
    }

    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Token(…)")
    }
}

/// Where the hub and its cache are.
#[derive(Debug, Clone)]
pub struct HubSettings {
    /// The hub's address, without a slash at its end.
    pub endpoint: String,
    /// The folder with the `models--…` folders.
    pub cache_dir: PathBuf,
    /// Identifies the user.
    pub token: Option<Token>,
    /// Whether requests are forbidden.
    pub offline: bool,
}

impl HubSettings {
    /// Reads `HF_ENDPOINT`; `HF_HUB_CACHE`, `HUGGINGFACE_HUB_CACHE`, `HF_HOME` and `XDG_CACHE_HOME`; `HF_TOKEN`,
    /// `HUGGING_FACE_HUB_TOKEN`, `HF_TOKEN_PATH` and `HF_HUB_DISABLE_IMPLICIT_TOKEN`; `HF_HUB_OFFLINE` and
    /// `TRANSFORMERS_OFFLINE`. A variable that is empty counts as not set.
    ///
    /// # Errors
    ///
    /// Fails where a variable's value cannot be used, and where there is no home folder to fall back to.
    pub fn from_env() -> Result<Self, HubError> {
        let lookup = |name: &str| env::var_os(name);
        read(&lookup, env::home_dir())
    }
}

impl FetchSettings {
    /// The defaults, with `HF_HUB_DOWNLOAD_TIMEOUT` as [`stall_timeout`](Self::stall_timeout): whole seconds, of which 0
    /// means the default, as in `huggingface_hub`.
    ///
    /// # Errors
    ///
    /// Fails where the variable is no number of seconds up to a day.
    pub fn from_env() -> Result<Self, HubError> {
        fetch_settings(env::var_os(DOWNLOAD_TIMEOUT))
    }
}

const DOWNLOAD_TIMEOUT: &str = "HF_HUB_DOWNLOAD_TIMEOUT";

fn fetch_settings(timeout: Option<OsString>) -> Result<FetchSettings, HubError> {
    let mut settings = FetchSettings::default();
    let Some(found) = timeout.filter(|value| !value.is_empty()) else {
        return Ok(settings);
    };
    let seconds = found
        .to_str()
        .and_then(|text| text.trim().parse::<u64>().ok());
    match seconds {
        Some(0) => {}
        Some(seconds @ 1..=86_400) => settings.stall_timeout = Duration::from_secs(seconds),
        _ => {
            return Err(HubError::Setting {
                name: DOWNLOAD_TIMEOUT,
                found: found.to_string_lossy().into_owned(),
                expected: "whole seconds, 86400 at most",
            });
        }
    }
    Ok(settings)
}

type Lookup<'a> = &'a dyn Fn(&str) -> Option<OsString>;

fn read(lookup: Lookup<'_>, home: Option<PathBuf>) -> Result<HubSettings, HubError> {
    let get = |name: &str| lookup(name).filter(|value| !value.is_empty());
    let path = |name: &str| get(name).map(|value| expand(value, lookup, home.as_ref()));
    let hf_home = match (path("HF_HOME"), path("XDG_CACHE_HOME"), &home) {
        (Some(hf_home), _, _) => Some(hf_home),
        (None, Some(cache), _) => Some(cache.join("huggingface")),
        (None, None, Some(home)) => Some(home.join(".cache").join("huggingface")),
        (None, None, None) => None,
    };
    let cache_dir = path("HF_HUB_CACHE")
        .or_else(|| path("HUGGINGFACE_HUB_CACHE"))
        .or_else(|| hf_home.as_ref().map(|it| it.join("hub")))
        .ok_or(HubError::NoHome)?;
    let token_path = path("HF_TOKEN_PATH").or_else(|| hf_home.map(|it| it.join("token")));
    let text = |name: &'static str| match get(name).map(OsString::into_string) {
        None => Ok(None),
        Some(Ok(text)) => Ok(Some(text)),
        Some(Err(_)) => Err(HubError::Setting {
            name,
            found: "…".to_owned(),
            expected: "UTF-8",
        }),
    };
    let given =
        text("HF_TOKEN")?.map_or_else(|| text("HUGGING_FACE_HUB_TOKEN"), |it| Ok(Some(it)))?;
    let token = if is_true(text("HF_HUB_DISABLE_IMPLICIT_TOKEN")?.as_deref()) {
        None
    } else {
        let filed = || fs::read_to_string(token_path?).ok();
        match given.or_else(filed) {
            Some(text) => Token::new(&text)?,
            None => None,
        }
    };
    let offline = match text("HF_HUB_OFFLINE")? {
        Some(value) => is_true(Some(&value)),
        None => is_true(text("TRANSFORMERS_OFFLINE")?.as_deref()),
    };
    Ok(HubSettings {
        endpoint: endpoint(text("HF_ENDPOINT")?)?,
        cache_dir,
        token,
        offline,
    })
}

fn endpoint(given: Option<String>) -> Result<String, HubError> {
    let Some(given) = given else {
        return Ok(ENDPOINT.to_owned());
    };
    let trimmed = given.trim_end_matches('/');
    match url::parse(trimmed) {
        Some(uri) if uri.query().is_none() => Ok(trimmed.to_owned()),
        _ => Err(HubError::Setting {
            name: "HF_ENDPOINT",
            found: given,
            expected: "an address such as https://huggingface.co",
        }),
    }
}

/// What `huggingface_hub` takes for yes.
fn is_true(value: Option<&str>) -> bool {
    value.is_some_and(|value| {
        ["1", "ON", "YES", "TRUE"]
            .iter()
            .any(|yes| value.eq_ignore_ascii_case(yes))
    })
}

/// Puts the home folder for `~` at the start, and variables' values for `$NAME` and `${NAME}`. What is not set stays as
/// it is written, and so does a path that is not UTF-8.
fn expand(value: OsString, lookup: Lookup<'_>, home: Option<&PathBuf>) -> PathBuf {
    let Ok(text) = value.clone().into_string() else {
        return value.into();
    };
    let mut path = OsString::new();
    let mut rest = match (text.strip_prefix('~'), home) {
        (Some(rest), Some(home)) if rest.is_empty() || rest.starts_with('/') => {
            path.push(home);
            rest
        }
        _ => &*text,
    };
    while let Some(dollar) = rest.find('$') {
        path.push(&rest[..dollar]);
        let after = &rest[dollar + 1..];
        let (name, length) = match after.strip_prefix('{') {
            Some(braced) => match braced.find('}') {
                Some(end) => (&braced[..end], end + 2),
                None => ("", 0),
            },
            None => {
                let end = after
                    .find(|it: char| !it.is_ascii_alphanumeric() && it != '_')
                    .unwrap_or(after.len());
                (&after[..end], end)
            }
        };
        // An empty name, or one with `=` or a zero in it, is no variable's.
        let is_name = !name.is_empty() && !name.contains(['=', '\0']);
        match is_name.then(|| lookup(name)).flatten() {
            Some(value) => path.push(value),
            None => path.push(&rest[dollar..=dollar + length]),
        }
        rest = &after[length..];
    }
    path.push(rest);
    path.into()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn settings(variables: &[(&str, &str)]) -> Result<HubSettings, HubError> {
        let lookup = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| OsString::from(value))
        };
        read(&lookup, Some("/home/me".into()))
    }

    #[test]
    fn the_cache_is_where_python_has_it() {
        for (variables, expected) in [
            (&[][..], "/home/me/.cache/huggingface/hub"),
            (&[("XDG_CACHE_HOME", "/x")], "/x/huggingface/hub"),
            (&[("XDG_CACHE_HOME", "/x"), ("HF_HOME", "/h")], "/h/hub"),
            (&[("HF_HOME", "~/h")], "/home/me/h/hub"),
            (&[("HF_HOME", "")], "/home/me/.cache/huggingface/hub"),
            (
                &[("HF_HOME", "/h"), ("HUGGINGFACE_HUB_CACHE", "/old")],
                "/old",
            ),
            (
                &[("HUGGINGFACE_HUB_CACHE", "/old"), ("HF_HUB_CACHE", "/new")],
                "/new",
            ),
            (
                &[("HF_HUB_CACHE", "$A/${A}/$B/${B}x$"), ("A", "/a")],
                "/a//a/$B/${B}x$",
            ),
            (&[("HF_HUB_CACHE", "a${")], "a${"),
            (&[("HF_HUB_CACHE", "/\u{e9}$\u{e9}")], "/\u{e9}$\u{e9}"),
        ] {
            let found = settings(variables).expect("they make sense").cache_dir;
            assert_eq!(found, Path::new(expected), "{variables:?}");
        }
        let error = read(&|_| None, None).expect_err("there is no home");
        assert!(matches!(error, HubError::NoHome));
    }

    #[test]
    fn the_token_is_the_variable_s_or_the_file_s() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let home = folder.path().to_str().expect("UTF-8");
        let file = folder.path().join("token");
        let token = |variables: &[(&str, &str)]| {
            settings(variables)
                .expect("they make sense")
                .token
                .map(|token| token.reveal().to_owned())
        };
        assert_eq!(token(&[("HF_HOME", home)]), None);
        fs::write(&file, "hf_file\n").expect("it is written");
        assert_eq!(token(&[("HF_HOME", home)]).as_deref(), Some("hf_file"));
        let both = [("HF_HOME", home), ("HF_TOKEN", "hf_variable")];
        assert_eq!(token(&both).as_deref(), Some("hf_variable"));
        let path = file.to_str().expect("UTF-8");
        assert_eq!(
            token(&[("HF_TOKEN_PATH", path)]).as_deref(),
            Some("hf_file")
        );
        let none = [("HF_HOME", home), ("HF_HUB_DISABLE_IMPLICIT_TOKEN", "1")];
        assert_eq!(token(&none), None);
        let error = settings(&[("HF_TOKEN", "hf_secr\net")]).expect_err("it cannot be sent");
        assert!(!error.to_string().contains("secr"), "{error}");
        let shown = format!("{:?}", settings(&both).expect("they make sense"));
        assert!(!shown.contains("hf_variable"), "{shown}");
    }

    #[test]
    fn offline_is_what_python_takes_for_it() {
        for (variables, expected) in [
            (&[][..], false),
            (&[("HF_HUB_OFFLINE", "1")], true),
            (&[("HF_HUB_OFFLINE", "yes")], true),
            (&[("HF_HUB_OFFLINE", "0")], false),
            (&[("TRANSFORMERS_OFFLINE", "True")], true),
            (
                &[("HF_HUB_OFFLINE", "0"), ("TRANSFORMERS_OFFLINE", "1")],
                false,
            ),
        ] {
            let found = settings(variables).expect("they make sense").offline;
            assert_eq!(found, expected, "{variables:?}");
        }
    }

    #[test]
    fn the_timeout_is_whole_seconds() {
        let default = FetchSettings::default().stall_timeout;
        for (text, expected) in [
            (None, default),
            (Some(""), default),
            (Some("0"), default),
            (Some("7"), Duration::from_secs(7)),
        ] {
            let found = fetch_settings(text.map(OsString::from)).expect("it can be used");
            assert_eq!(found.stall_timeout, expected, "{text:?}");
        }
        for text in ["-1", "1.5", "86401", "long", "99999999999999999999"] {
            let error = fetch_settings(Some(text.into())).expect_err(text);
            assert!(error.is_bad_input());
            assert!(error.to_string().contains(DOWNLOAD_TIMEOUT), "{error}");
        }
    }

    #[test]
    fn the_endpoint_is_an_address() {
        let found = settings(&[("HF_ENDPOINT", "http://mirror:1/x/")]).expect("it makes sense");
        assert_eq!(found.endpoint, "http://mirror:1/x");
        for bad in ["mirror", "ftp://mirror", "http://", "http://a?b"] {
            let error = settings(&[("HF_ENDPOINT", bad)]).expect_err(bad);
            assert!(error.is_bad_input());
            assert!(error.to_string().contains("HF_ENDPOINT"), "{error}");
        }
    }
}
