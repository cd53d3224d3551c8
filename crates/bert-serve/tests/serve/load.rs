//! Many clients at once.

use std::{
    collections::BTreeMap,
    thread,
    time::{Duration, Instant},
};

use crate::{
    client::{Client, about, post},
    fake::{Running, SOON},
};

#[test]
fn two_hundred_clients_get_their_own_answers_or_are_told_to_wait() {
    let server = Running::start();
    let address = server.address;
    // The first batches are slow enough for the queue to fill.
    server.watched.shut();
    let clients: Vec<_> = (0..200)
        .map(|i| {
            thread::spawn(move || {
                let mut client = Client::connect(address);
                let name = format!("name{i}x");
                client.send(post(&about(&name, &format!("It is {name}."))));
                let reply = client.reply().expect("an answer");
                if reply.status == 200 {
                    assert_eq!(reply.json()["answers"][0]["text"], name);
                }
                reply.status
            })
        })
        .collect();
    server.wait_for_queue(64);
    let until = Instant::now() + SOON;
    while clients.iter().filter(|it| it.is_finished()).count() < 50 {
        assert!(Instant::now() < until, "nobody is refused");
        thread::sleep(Duration::from_millis(2));
    }
    server.watched.open();
    let mut statuses = BTreeMap::new();
    for client in clients {
        *statuses
            .entry(client.join().expect("no panic"))
            .or_insert(0) += 1;
    }
    let known: Vec<u16> = statuses.keys().copied().collect();
    assert_eq!(known, [200, 503], "{statuses:?}");
    assert!(statuses[&200] >= 65, "{statuses:?}");
    let largest = server.watched.batches().iter().map(Vec::len).max();
    assert_eq!(largest, Some(16));
    server.is_well();
}
