//! What the hub says of a file before it is fetched.

use crate::digest::{self, Digest};
use crate::fetch::{Fetcher, Reply, Request};
use crate::name::is_commit;
use crate::{HubError, HubSettings, ModelName, Progress};

/// A file of a model at a commit.
#[derive(Debug)]
pub(super) struct Metadata {
    /// The commit, even where a branch was asked for.
    pub(super) commit: String,
    /// The name of its blob in the cache.
    pub(super) blob: String,
    pub(super) digest: Option<Digest>,
    pub(super) size: Option<u64>,
}

/// What the hub says of a file, or that the model has none of this name.
#[derive(Debug)]
pub(super) enum Answer {
    File(Metadata),
    NoSuchFile {
        /// The commit that lacks it, where the hub says so.
        commit: Option<String>,
    },
}

/// Where a file of a model is.
pub(super) fn address(endpoint: &str, repository: &str, revision: &str, file: &str) -> String {
    // Names and revisions have no other character that means something in an address.
    let revision = revision.replace('/', "%2F");
    format!("{endpoint}/{repository}/resolve/{revision}/{file}")
}

/// Asks for a file's commit, hash and size.
pub(super) fn ask(
    fetcher: &Fetcher,
    settings: &HubSettings,
    name: &ModelName,
    (revision, file): (&str, &str),
    patient: bool,
    progress: &mut dyn Progress,
) -> Result<Answer, HubError> {
    let url = address(&settings.endpoint, name.repository(), revision, file);
    let request = Request {
        url: &url,
        token: settings.token.as_ref(),
        head: true,
        from: 0,
    };
    let reply = fetcher.ask(&request, patient, progress)?;
    let commit = reply
        .header_on_the_way("x-repo-commit")
        .filter(|commit| is_commit(commit))
        .map(str::to_owned);
    match reply.status {
        200 | 300..=399 => {}
        404 if is_no_entry(&reply, revision) => return Ok(Answer::NoSuchFile { commit }),
        status => return Err(refusal(&reply, status, url, settings, name)),
    }
    let not_a_hub = |header| HubError::NotAHub {
        url: url.clone(),
        header,
    };
    let commit = commit.ok_or_else(|| not_a_hub("X-Repo-Commit"))?;
    // A commit that was asked for cannot be answered with another.
    if is_commit(revision) && revision != commit {
        return Err(not_a_hub("X-Repo-Commit"));
    }
    let etag = reply
        .header_on_the_way("x-linked-etag")
        .or_else(|| reply.header_on_the_way("etag"))
        .map(unquoted);
    let size = match reply.header_on_the_way("x-linked-size") {
        Some(size) => size.trim().parse().ok(),
        // That of a redirect is its own.
        None if reply.is_redirect() => None,
        None => reply.length(),
    };
    let digest = etag.and_then(Digest::of_etag);
    let blob = match etag {
        Some(etag) if is_blob_name(etag) => etag.to_owned(),
        // It names no file, but is the same for the same content as far as anybody knows.
        _ => digest::sha256_of(&format!("{commit}/{file}/{}", etag.unwrap_or_default())),
    };
    Ok(Answer::File(Metadata {
        commit,
        blob,
        digest,
        size,
    }))
}

/// An etag without its quotes and the mark of a weak one.
fn unquoted(etag: &str) -> &str {
    let etag = etag.trim();
    etag.strip_prefix("W/").unwrap_or(etag).trim_matches('"')
}

/// Whether an etag can be a file's name and nothing else.
fn is_blob_name(etag: &str) -> bool {
    (1..=128).contains(&etag.len())
        && !etag.starts_with('.')
        && etag
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// Whether the model is there and only the file is not. A mirror may give no reason; then a commit, which only the hub
/// itself can have told, must be right.
fn is_no_entry(reply: &Reply, revision: &str) -> bool {
    match reply.header("x-error-code") {
        Some(code) => code == "EntryNotFound",
        None => is_commit(revision),
    }
}

fn refusal(
    reply: &Reply,
    status: u16,
    url: String,
    settings: &HubSettings,
    name: &ModelName,
) -> HubError {
    let code = reply.header("x-error-code");
    let token = settings.token.is_some();
    match (status, code) {
        (404, Some("RevisionNotFound")) => HubError::NoSuchRevision {
            url,
            name: name.repository().to_owned(),
            revision: name.revision().to_owned(),
        },
        // The hub hides from strangers which names are taken.
        (404, _) | (401, Some("RepoNotFound")) => HubError::NoSuchModel {
            url,
            name: name.repository().to_owned(),
            token,
        },
        (401 | 403, _) => HubError::Refused {
            url,
            status,
            gated: code == Some("GatedRepo"),
            token,
        },
        _ => HubError::Status { url, status },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_etag_names_a_blob_only_if_it_stays_in_the_folder() {
        for (etag, name) in [("\"abc\"", "abc"), ("W/\"abc-1\"", "abc-1"), ("abc", "abc")] {
            assert_eq!(unquoted(etag), name);
            assert!(is_blob_name(name));
        }
        for etag in [
            "",
            "..",
            "../x",
            "a/b",
            "a\\b",
            ".x",
            "a.b",
            "a:b",
            &"a".repeat(129),
        ] {
            assert!(!is_blob_name(etag), "{etag}");
        }
    }

    #[test]
    fn a_branch_s_slash_is_part_of_its_name() {
        assert_eq!(
            address("http://hub", "a/b", "refs/pr/1", "config.json"),
            "http://hub/a/b/resolve/refs%2Fpr%2F1/config.json"
        );
    }
}
