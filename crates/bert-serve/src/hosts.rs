//! By which names requests may address the server.
//!
//! A page of another site can make a browser look up a name of that site's as 127.0.0.1 (DNS rebinding); its
//! requests then count as the site's own. Their `Host` header gives them away: it holds that name. An IP address there
//! cannot have come from a look-up.

use std::{collections::BTreeSet, net::IpAddr};

use axum::http::{HeaderMap, Uri, header, uri::Authority};

use crate::ServeConfig;

/// The rule for a request's host.
#[derive(Debug)]
pub(crate) enum HostRule {
    /// The server is bound to a public address, and no names are given.
    Any,
    /// IP addresses, `localhost` and these names, in lower case.
    Listed(BTreeSet<String>),
}

/// What a rule has against a request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum BadHost {
    /// None is stated, or several, or one that cannot be read.
    Unclear,
    /// One that is not allowed.
    Refused,
}

impl HostRule {
    pub(crate) fn new(config: &ServeConfig) -> Self {
        if config.allowed_hosts.is_empty() && !config.address.ip().to_canonical().is_loopback() {
            return Self::Any;
        }
        let names = config.allowed_hosts.iter();
        Self::Listed(names.map(|name| name.to_ascii_lowercase()).collect())
    }

    /// Checks the `Host` header and, where the request line names a host too, that one.
    pub(crate) fn check(&self, uri: &Uri, headers: &HeaderMap) -> Result<(), BadHost> {
        let mut stated = headers.get_all(header::HOST).iter();
        let (Some(host), None) = (stated.next(), stated.next()) else {
            return Err(BadHost::Unclear);
        };
        let host: Authority = Authority::try_from(host.as_bytes()).map_err(|_| BadHost::Unclear)?;
        for authority in [Some(&host), uri.authority()].into_iter().flatten() {
            if authority.as_str().contains('@') {
                return Err(BadHost::Unclear);
            }
            if !self.allows(authority.host()) {
                return Err(BadHost::Refused);
            }
        }
        Ok(())
    }

    fn allows(&self, host: &str) -> bool {
        let Self::Listed(names) = self else {
            return true;
        };
        let host = host.to_ascii_lowercase();
        let bare = host
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
            .unwrap_or(&host);
        bare.parse::<IpAddr>().is_ok() || host == "localhost" || names.contains(&host)
    }
}

/// Whether `name` is a host name that could be allowed.
pub(crate) fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 253
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(rule: &HostRule, uri: &str, hosts: &[&str]) -> Result<(), BadHost> {
        let mut headers = HeaderMap::new();
        for host in hosts {
            headers.append(header::HOST, host.parse().expect("a header's value"));
        }
        rule.check(&uri.parse().expect("a URI"), &headers)
    }

    #[test]
    fn only_names_that_no_stranger_can_point_here_pass() {
        let rule = HostRule::new(&ServeConfig {
            allowed_hosts: vec!["Gpu-Box.example".into()],
            ..ServeConfig::default()
        });
        for (uri, hosts, expected) in [
            ("/", &["localhost"][..], Ok(())),
            ("/", &["LOCALHOST:8080"], Ok(())),
            ("/", &["127.0.0.1:1"], Ok(())),
            ("/", &["[::1]:8080"], Ok(())),
            ("/", &["192.168.1.7"], Ok(())),
            ("/", &["gpu-box.EXAMPLE:99"], Ok(())),
            ("http://localhost/", &["localhost"], Ok(())),
            (
                "http://evil.example/",
                &["localhost"],
                Err(BadHost::Refused),
            ),
            ("/", &["evil.example"], Err(BadHost::Refused)),
            ("/", &["localhost.evil.example"], Err(BadHost::Refused)),
            ("/", &["127.0.0.1.evil.example"], Err(BadHost::Refused)),
            ("/", &["localhost."], Err(BadHost::Refused)),
            ("/", &["user@localhost"], Err(BadHost::Unclear)),
            ("/", &[""], Err(BadHost::Unclear)),
            ("/", &["a b"], Err(BadHost::Unclear)),
            ("/", &[], Err(BadHost::Unclear)),
            ("/", &["localhost", "localhost"], Err(BadHost::Unclear)),
        ] {
            assert_eq!(check(&rule, uri, hosts), expected, "{uri} {hosts:?}");
        }
    }

    #[test]
    fn a_public_address_takes_every_name_until_there_is_a_list() {
        let public = ServeConfig {
            address: ([0, 0, 0, 0], 80).into(),
            ..ServeConfig::default()
        };
        assert_eq!(
            check(&HostRule::new(&public), "/", &["any.example"]),
            Ok(())
        );
        let listed = ServeConfig {
            allowed_hosts: vec!["one.example".into()],
            ..public
        };
        let rule = HostRule::new(&listed);
        assert_eq!(check(&rule, "/", &["one.example"]), Ok(()));
        assert_eq!(check(&rule, "/", &["any.example"]), Err(BadHost::Refused));
    }
}
