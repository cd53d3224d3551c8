//! The end: what is in flight is finished, in time or not.

use std::{
    net::TcpStream,
    time::{Duration, Instant},
};

use bert_serve::{Ended, ServeConfig, ServeError, Server};

use crate::{
    client::{Client, about, post},
    fake::{Running, SOON},
};

#[test]
fn what_is_in_flight_is_finished_and_nothing_more_is_accepted() {
    let mut server = Running::start();
    server.watched.shut();
    let mut first = server.ask("first");
    server.watched.wait_for(1);
    let mut second = server.ask("second");
    server.wait_for_queue(1);
    server.handle.shutdown();
    server.handle.shutdown();
    let until = Instant::now() + SOON;
    while TcpStream::connect(server.address).is_ok() {
        assert!(Instant::now() < until, "it still accepts connections");
        std::thread::sleep(Duration::from_millis(2));
    }
    server.watched.open();
    for client in [&mut first, &mut second] {
        let reply = client.reply().expect("an answer");
        assert_eq!(reply.status, 200);
        assert_eq!(reply.header("connection"), Some("close"));
    }
    assert_eq!(server.ended(), Ended::Drained);
}

#[test]
fn idle_connections_do_not_hold_it_up() {
    let mut server = Running::with(ServeConfig {
        header_timeout: SOON,
        ..Running::config()
    });
    let silent = Client::connect(server.address);
    let mut idle = Client::connect(server.address);
    idle.send("GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n");
    assert_eq!(idle.reply().expect("an answer").status, 200);
    server.wait_for_metric("bert_http_connections 3");
    let started = Instant::now();
    server.handle.shutdown();
    assert_eq!(server.ended(), Ended::Drained);
    let took = started.elapsed();
    assert!(took < SOON / 2, "it took {took:?}");
    drop(silent);
}

#[test]
fn a_request_on_its_way_in_is_still_taken() {
    let mut server = Running::start();
    let request = post(&about("two", "one two"));
    let mut client = Client::connect(server.address);
    client.send(&request[..request.len() - 3]);
    server.wait_for_metric("bert_http_requests_in_flight 2");
    server.handle.shutdown();
    client.send(&request[request.len() - 3..]);
    assert_eq!(client.reply().expect("an answer").status, 200);
    assert_eq!(server.ended(), Ended::Drained);
}

#[test]
fn the_end_is_not_put_off_for_ever() {
    let mut server = Running::with(ServeConfig {
        shutdown_timeout: Duration::from_millis(100),
        ..Running::config()
    });
    server.watched.shut();
    let mut first = server.ask("first");
    server.watched.wait_for(1);
    server.handle.shutdown();
    assert_eq!(server.ended(), Ended::CutOff { connections: 1 });
    assert!(first.reply().is_none());
}

#[test]
fn an_address_in_use_is_named() {
    let server = Running::start();
    let config = ServeConfig {
        address: server.address,
        ..Running::config()
    };
    let error = Server::bind(config).expect_err("it is in use");
    assert!(matches!(error, ServeError::Bind { .. }), "{error}");
    let message = error.to_string();
    let start = format!("{}: cannot listen: ", server.address);
    assert!(message.starts_with(&start), "{message}");
    assert_eq!(message.lines().count(), 1, "{message}");
}
