//! Who may ask: keys, origins, request ids, encryption, and readiness before the end.

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    sync::Arc,
    time::{Duration, Instant},
};

use bert_serve::{ApiKey, Ended, ServeConfig, ServeError, Server, TlsFiles};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned, crypto::ring};

use crate::{
    client::{Client, Reply, about},
    fake::{Running, SOON},
};

fn request(server: &Running, method: &str, path: &str, lines: &str) -> Reply {
    let body = String::from_utf8(about("two", "one two")).expect("UTF-8");
    server.raw(format!(
        "{method} {path} HTTP/1.1\r\nhost: localhost\r\n{lines}content-type: application/json\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    ))
}

#[test]
fn a_key_is_needed_for_all_but_the_page_and_health() {
    let server = Running::with(ServeConfig {
        api_key: ApiKey::new("secret-1".into()),
        ..Running::config()
    });
    for path in [
        "/",
        "/page.js",
        "/openapi.json",
        "/healthz",
        "/health",
        "/ping",
        "/v2/health/live",
        "/v2/health/ready",
    ] {
        assert_eq!(server.get(path).status, 200, "{path}");
    }
    for (method, path) in [
        ("GET", "/metrics"),
        ("GET", "/api/v1/models"),
        ("POST", "/api/v1/answer"),
        ("POST", "/"),
        ("POST", "/models/word%20finder"),
        ("POST", "/invocations"),
        ("POST", "/predict"),
        ("GET", "/info"),
        ("GET", "/v2"),
        ("GET", "/v2/models/word%20finder"),
        ("POST", "/v2/models/word%20finder/infer"),
        ("GET", "/nothing"),
    ] {
        for lines in [
            "",
            "authorization: Bearer secret-2\r\n",
            "authorization: Basic secret-1\r\n",
        ] {
            let reply = request(&server, method, path, lines);
            assert_eq!(reply.status, 401, "{method} {path} {lines}");
            assert_eq!(reply.header("www-authenticate"), Some("Bearer"));
            assert!(!reply.text().contains("secret"), "{}", reply.text());
        }
        let reply = request(&server, method, path, "authorization: Bearer secret-1\r\n");
        assert_ne!(reply.status, 401, "{method} {path}");
    }
    assert_eq!(server.watched.batches().len(), 1);
}

#[test]
fn a_page_of_another_site_does_not_ask() {
    let server = Running::start();
    for (lines, status) in [
        ("origin: http://localhost\r\n", 200),
        (
            "origin: https://localhost\r\nsec-fetch-site: same-origin\r\n",
            200,
        ),
        (
            "origin: https://proxy.example\r\nsec-fetch-site: same-origin\r\n",
            200,
        ),
        ("sec-fetch-site: none\r\n", 200),
        ("origin: http://localhost:81\r\n", 403),
        ("origin: http://evil.example\r\n", 403),
        ("origin: null\r\n", 403),
        ("origin: localhost\r\n", 403),
        ("sec-fetch-site: cross-site\r\n", 403),
        (
            "origin: http://localhost\r\nsec-fetch-site: same-site\r\n",
            403,
        ),
    ] {
        let reply = request(&server, "POST", "/api/v1/answer", lines);
        assert_eq!(reply.status, status, "{lines}");
        assert_eq!(reply.header("access-control-allow-origin"), None, "{lines}");
    }
}

#[test]
fn an_origin_that_is_allowed_may_ask_and_read() {
    let server = Running::with(ServeConfig {
        allowed_origins: vec!["https://a.example".into()],
        api_key: ApiKey::new("secret".into()),
        ..Running::config()
    });
    let asks = "sec-fetch-site: cross-site\r\naccess-control-request-method: POST\r\naccess-control-request-headers: authorization\r\n";
    let preflight = |origin: &str| {
        request(
            &server,
            "OPTIONS",
            "/predict",
            &format!("origin: {origin}\r\n{asks}"),
        )
    };
    let reply = preflight("https://a.example");
    assert_eq!(reply.status, 204);
    assert_eq!(
        reply.header("access-control-allow-origin"),
        Some("https://a.example")
    );
    assert_eq!(
        reply.header("access-control-allow-methods"),
        Some("GET, POST")
    );
    assert!(
        reply
            .header("access-control-allow-headers")
            .is_some_and(|it| it.contains("authorization"))
    );
    assert_eq!(reply.header("access-control-allow-credentials"), None);
    for stranger in [
        "https://a.example.evil.example",
        "http://a.example",
        "https://b.example",
        "null",
    ] {
        let reply = preflight(stranger);
        assert_eq!(reply.status, 405, "{stranger}");
        assert_eq!(
            reply.header("access-control-allow-origin"),
            None,
            "{stranger}"
        );
        assert_eq!(reply.header("vary"), Some("origin"));
    }
    let asks = "origin: https://a.example\r\nsec-fetch-site: cross-site\r\nauthorization: Bearer secret\r\n";
    let reply = request(&server, "POST", "/api/v1/answer", asks);
    assert_eq!(reply.status, 200);
    assert_eq!(
        reply.header("access-control-allow-origin"),
        Some("https://a.example")
    );
    for origin in ["*", "https://a.example/", "a.example"] {
        let error = Server::bind(ServeConfig {
            allowed_origins: vec![origin.into()],
            ..Running::config()
        });
        assert!(matches!(error, Err(ServeError::Origin { .. })), "{origin}");
    }
}

#[test]
fn an_answer_has_the_id_of_its_request() {
    let server = Running::start();
    let id = |lines: &str| {
        let reply = request(&server, "GET", "/healthz", lines);
        reply.header("x-request-id").expect("an id").to_owned()
    };
    assert_eq!(id("x-request-id: a-B_1.2:3\r\n"), "a-B_1.2:3");
    let long = format!("x-request-id: {}\r\n", "a".repeat(129));
    let made: Vec<String> = ["", "x-request-id: a b\r\n", "x-request-id: <b>\r\n", &long]
        .map(id)
        .into();
    for (place, one) in made.iter().enumerate() {
        assert_eq!(one.len(), 32, "{one}");
        assert!(!made[..place].contains(one), "{made:?}");
    }
    let refused = server.get("/nothing");
    assert!(refused.header("x-request-id").is_some());
}

#[test]
fn the_server_says_that_it_is_not_ready_before_it_refuses() {
    let mut server = Running::with(ServeConfig {
        drain_delay: Duration::from_secs(2),
        ..Running::config()
    });
    assert_eq!(server.get("/v2/health/ready").status, 200);
    let started = Instant::now();
    server.handle.shutdown();
    let until = started + SOON;
    while server.get("/v2/health/ready").status == 200 {
        assert!(Instant::now() < until, "it still says that it is ready");
    }
    for path in [
        "/healthz",
        "/health",
        "/ping",
        "/v2/models/word%20finder/ready",
    ] {
        assert_eq!(server.get(path).status, 503, "{path}");
    }
    assert_eq!(server.get("/v2/health/live").status, 200);
    assert_eq!(server.post(about("two", "one two")).status, 200);
    assert_eq!(server.ended(), Ended::Drained);
    assert!(started.elapsed() >= Duration::from_secs(2));
}

#[test]
fn it_speaks_tls_where_it_has_a_certificate() {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let dir = tempfile::tempdir().expect("a folder");
    let files = TlsFiles {
        cert: dir.path().join("cert.pem"),
        key: dir.path().join("key.pem"),
    };
    fs::write(&files.cert, made.cert.pem()).expect("it is written");
    fs::write(&files.key, made.signing_key.serialize_pem()).expect("it is written");
    let server = Running::with(ServeConfig {
        tls: Some(files.clone()),
        header_timeout: Duration::from_secs(1),
        ..Running::config()
    });
    // Clients that do not speak TLS, or say nothing, lose their connections.
    for bytes in [
        "",
        "GET / HTTP/1.1\r\nhost: localhost\r\n\r\n",
        "\u{16}\u{3}\u{1}",
    ] {
        let mut client = Client::connect(server.address);
        client.send(bytes);
        assert!(client.is_closed_within(SOON), "{bytes:?}");
    }
    let mut roots = RootCertStore::empty();
    roots.add(made.cert.der().clone()).expect("a certificate");
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = "localhost".try_into().expect("a name");
    let client = ClientConnection::new(Arc::new(config), name).expect("a client");
    let stream = TcpStream::connect(server.address).expect("it listens");
    let mut stream = StreamOwned::new(client, stream);
    let body = String::from_utf8(about("two", "one two")).expect("UTF-8");
    write!(
        stream,
        "POST /api/v1/answer HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .expect("it is read");
    let mut reply = String::new();
    stream.read_to_string(&mut reply).expect("an answer");
    assert!(reply.starts_with("HTTP/1.1 200"), "{reply}");

    // Files that are none, and a key of another certificate.
    let other =
        rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let key = dir.path().join("other.pem");
    fs::write(&key, other.signing_key.serialize_pem()).expect("it is written");
    let nowhere = dir.path().join("nowhere.pem");
    for (cert, key, named) in [
        (&files.cert, &key, &key),
        (&nowhere, &files.key, &nowhere),
        (&files.cert, &files.cert, &files.cert),
        (&files.key, &files.key, &files.key),
    ] {
        let config = ServeConfig {
            tls: Some(TlsFiles {
                cert: cert.clone(),
                key: key.clone(),
            }),
            ..Running::config()
        };
        let error = Server::bind(config).expect_err("it cannot encrypt");
        assert!(
            matches!(&error, ServeError::Tls { path, .. } if path == named),
            "{error}"
        );
        assert_eq!(error.to_string().lines().count(), 1, "{error}");
    }
}
