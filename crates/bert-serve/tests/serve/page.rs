//! The page's HTML as it is served, kept as a snapshot.

use crate::fake::Running;

#[test]
fn the_page_as_it_is_served() {
    let reply = Running::start().get("/");
    assert_eq!(
        reply.header("content-type"),
        Some("text/html; charset=utf-8")
    );
    insta::assert_snapshot!(reply.text());
}
