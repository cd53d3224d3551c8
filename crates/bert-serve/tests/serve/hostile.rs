//! Clients that mean harm, or cannot do better. After each, the server answers as before.

use std::{
    io::Write,
    net::TcpStream,
    time::{Duration, Instant},
};

use bert_serve::ServeConfig;

use crate::{
    client::{Client, about, post},
    fake::{Running, SOON},
};

/// How long [`impatient`] waits: long enough for a busy machine to send a request.
const IMPATIENCE: Duration = Duration::from_secs(1);

/// A server that does not wait for long.
fn impatient() -> Running {
    Running::with(ServeConfig {
        header_timeout: IMPATIENCE,
        write_timeout: IMPATIENCE,
        ..Running::config()
    })
}

#[test]
fn what_is_not_http_is_refused() {
    let server = Running::start();
    let many_headers = format!(
        "GET / HTTP/1.1\r\nhost: localhost\r\n{}\r\n",
        "a: b\r\n".repeat(10_000)
    );
    let long_header = format!(
        "GET / HTTP/1.1\r\nhost: localhost\r\na: {}\r\n\r\n",
        "b".repeat(1 << 20)
    );
    let long_path = format!(
        "GET /{} HTTP/1.1\r\nhost: localhost\r\n\r\n",
        "a".repeat(1 << 20)
    );
    let inputs: [&[u8]; 12] = [
        b"\0\0\0\0\r\n\r\n",
        b"\xff\xfe\xfd\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /\0 HTTP/1.1\r\nhost: localhost\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: localhost\r\nx: \0\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost localhost\r\n\r\n",
        b"POST /api/v1/answer HTTP/1.1\r\nhost: localhost\r\ncontent-length: -1\r\n\r\n",
        many_headers.as_bytes(),
        long_header.as_bytes(),
        long_path.as_bytes(),
    ];
    for input in inputs {
        let mut client = Client::connect(server.address);
        client.send(input);
        let start = String::from_utf8_lossy(&input[..input.len().min(60)]).into_owned();
        if let Some(reply) = client.reply() {
            assert!((400..=505).contains(&reply.status), "{start:?}: {reply:?}");
        }
        assert!(client.is_closed_within(SOON), "{start:?}");
        server.is_well();
    }
}

#[test]
fn lengths_that_contradict_each_other_are_refused() {
    let server = Running::start();
    let body = String::from_utf8(about("two", "one two")).expect("UTF-8");
    let length = body.len();
    for lines in [
        format!("content-length: {length}\r\ncontent-length: 1\r\n"),
        format!("transfer-encoding: gzip\r\ncontent-length: {length}\r\n"),
    ] {
        let reply = server.raw(format!(
            "POST /api/v1/answer HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n{lines}\r\n{body}"
        ));
        assert_eq!(reply.status, 400, "{lines}");
    }
    let broken = "POST /api/v1/answer HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
         transfer-encoding: chunked\r\n\r\nzz\r\n";
    assert_eq!(
        server.raw(broken).refusal(),
        (400, "body_broken".to_owned())
    );
    server.is_well();
}

#[test]
fn garbage_after_a_good_request_ends_the_connection() {
    let server = Running::start();
    let mut client = Client::connect(server.address);
    let good = post(&about("two", "one two"));
    client.send([&good[..], &good[..], b"\0garbage\r\n\r\n"].concat());
    for _ in 0..2 {
        let reply = client.reply().expect("an answer");
        assert_eq!(reply.json()["answers"][0]["text"], "two");
    }
    assert!(client.is_closed_within(SOON));
    server.is_well();
}

#[test]
fn connections_that_say_nothing_are_closed() {
    let server = impatient();
    let started = Instant::now();
    let mut silent = Client::connect(server.address);
    let mut idle = Client::connect(server.address);
    idle.send("GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n");
    assert_eq!(idle.reply().expect("an answer").status, 200);
    assert!(silent.is_closed_within(SOON));
    assert!(idle.is_closed_within(SOON));
    assert!(started.elapsed() >= IMPATIENCE);
    server.is_well();
}

#[test]
fn a_head_that_comes_byte_by_byte_is_not_waited_for() {
    let server = impatient();
    let mut stream = TcpStream::connect(server.address).expect("it listens");
    let started = Instant::now();
    stream
        .write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\nx: ")
        .expect("it is read");
    while stream.write_all(b"a").is_ok() {
        let open = started.elapsed();
        assert!(open < SOON, "still open after {open:?}");
        std::thread::sleep(Duration::from_millis(10));
    }
    server.is_well();
}

#[test]
fn a_client_that_does_not_read_its_answers_loses_its_connection() {
    let server = impatient();
    let mut stream = TcpStream::connect(server.address).expect("it listens");
    stream
        .set_write_timeout(Some(Duration::from_millis(50)))
        .expect("a time limit");
    let requests = "GET /page.js HTTP/1.1\r\nhost: localhost\r\n\r\n".repeat(100);
    let started = Instant::now();
    // Full buffers are no error here, a closed connection is.
    loop {
        match stream.write(requests.as_bytes()) {
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(_) => break,
        }
        let open = started.elapsed();
        assert!(open < SOON, "still open after {open:?}");
    }
    server.wait_for_metric("bert_http_connections 1");
    server.is_well();
}

#[test]
fn connections_above_the_limit_wait_their_turn() {
    let server = Running::with(ServeConfig {
        max_connections: 2,
        header_timeout: IMPATIENCE,
        ..Running::config()
    });
    let silent = [(); 5].map(|()| Client::connect(server.address));
    server.is_well();
    drop(silent);
    server.is_well();
}

#[test]
fn text_of_any_kind_comes_back_as_it_was() {
    let server = Running::start();
    let passage = "\0\u{1}</script><script>alert(1)</script>\u{202e}\u{feff}\u{10ffff} \"two\" \\";
    let reply = server.post(about("two", passage));
    let answer = &reply.json()["answers"][0];
    let (start, end) = (answer["start"].as_u64(), answer["end"].as_u64());
    let found: String = passage
        .chars()
        .skip(start.expect("a number") as usize)
        .take((end.expect("a number") - start.expect("a number")) as usize)
        .collect();
    assert_eq!(found, "two");
    let reply = server.post(about("</script><script>alert(1)</script>", passage));
    assert_eq!(
        reply.json()["answers"][0]["text"],
        "</script><script>alert(1)</script>"
    );
}
