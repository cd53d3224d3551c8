//! Addresses: what is the same server, and where a redirect leads.

use ureq::http::Uri;

/// Reads an address of http or https.
pub(crate) fn parse(text: &str) -> Option<Uri> {
    let uri: Uri = text.parse().ok()?;
    let known = matches!(uri.scheme_str(), Some("http" | "https"));
    (known && uri.host().is_some_and(|host| !host.is_empty())).then_some(uri)
}

/// Whether two addresses are the same server's: its scheme, host and port.
pub(crate) fn same_origin(one: &Uri, other: &Uri) -> bool {
    let port = |uri: &Uri| {
        uri.port_u16().or(match uri.scheme_str() {
            Some("https") => Some(443),
            _ => Some(80),
        })
    };
    let host = |uri: &Uri| uri.host().unwrap_or_default().to_ascii_lowercase();
    one.scheme_str() == other.scheme_str() && host(one) == host(other) && port(one) == port(other)
}

/// Where a `Location` leads from an address.
pub(crate) fn resolve(base: &Uri, location: &str) -> Option<Uri> {
    let location = location.split('#').next().unwrap_or_default();
    let (scheme, authority) = (base.scheme_str()?, base.authority()?.as_str());
    if location.contains("://") && !location.starts_with(['/', '?']) {
        return parse(location);
    }
    if location.starts_with("//") {
        return parse(&format!("{scheme}:{location}"));
    }
    let path = if location.starts_with('/') {
        location.to_owned()
    } else if location.starts_with('?') {
        format!("{}{location}", base.path())
    } else {
        let folder = base
            .path()
            .rfind('/')
            .map_or("/", |end| &base.path()[..=end]);
        format!("{folder}{location}")
    };
    parse(&format!("{scheme}://{authority}{path}"))
}

/// An address as it may be shown: no user and password, and no query, which may hold a signature.
pub(crate) fn shown(uri: &Uri) -> String {
    let authority = uri.authority().map_or("", |authority| authority.as_str());
    let host = authority.rsplit('@').next().unwrap_or_default();
    format!(
        "{}://{host}{}",
        uri.scheme_str().unwrap_or_default(),
        uri.path()
    )
}

/// Where a mirror has what is at an address: at `<mirror>/<host>/<path>`.
pub(crate) fn mirrored(mirror: &str, url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    format!("{}/{rest}", mirror.trim_end_matches('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirects_lead_where_a_browser_would_go() {
        let base = parse("https://hub.example:8443/a/b/c?d=e").expect("an address");
        for (location, expected) in [
            ("https://cdn.example/x?y=z", "https://cdn.example/x?y=z"),
            ("//cdn.example/x", "https://cdn.example/x"),
            ("/x/y", "https://hub.example:8443/x/y"),
            ("x", "https://hub.example:8443/a/b/x"),
            ("?x=http://y", "https://hub.example:8443/a/b/c?x=http://y"),
            ("/x#part", "https://hub.example:8443/x"),
            ("/x?to=https://y", "https://hub.example:8443/x?to=https://y"),
        ] {
            let found = resolve(&base, location).expect(location);
            assert_eq!(found.to_string(), expected, "{location}");
        }
        for location in ["ftp://x/y", "file:///etc/passwd", "http://", "http:// x"] {
            assert_eq!(resolve(&base, location), None, "{location}");
        }
    }

    #[test]
    fn an_origin_is_scheme_host_and_port() {
        let base = parse("https://hub.example/a").expect("an address");
        for (other, same) in [
            ("https://HUB.example:443/b", true),
            ("http://hub.example/a", false),
            ("https://hub.example:444/a", false),
            ("https://a.hub.example/a", false),
            ("https://hub.example.evil/a", false),
            ("https://hub.example@evil/a", false),
        ] {
            let other = parse(other).expect("an address");
            assert_eq!(same_origin(&base, &other), same, "{other}");
        }
    }

    #[test]
    fn secrets_of_an_address_are_not_shown() {
        let uri = parse("https://user:word@cdn.example/x?Signature=y").expect("an address");
        assert_eq!(shown(&uri), "https://cdn.example/x");
    }

    #[test]
    fn a_mirror_has_each_host_in_a_folder() {
        let found = mirrored("http://localhost:1/m/", "https://host.example/a/b.zip");
        assert_eq!(found, "http://localhost:1/m/host.example/a/b.zip");
    }
}
