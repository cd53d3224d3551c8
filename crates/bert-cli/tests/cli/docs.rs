//! The committed page of flags.

use std::fs;

use bert_test_support::repository;

use crate::support::done;

#[test]
fn the_page_of_flags_is_what_the_binary_prints() {
    let committed = fs::read_to_string(repository().join("docs/flags.md")).unwrap();
    let printed = done(&["docs-flags"]);
    let differs = committed
        .lines()
        .zip(printed.lines())
        .find(|(committed, printed)| committed != printed);
    assert!(
        committed == printed,
        "docs/flags.md is not what the binary prints: run `cargo xtask docs`; the first difference: {differs:?}"
    );
}

#[test]
fn the_tables_of_spellings_are_what_the_binary_prints() {
    let page = fs::read_to_string(repository().join("docs/coming-from-python.md")).unwrap();
    let printed = done(&["docs-spellings"]);
    assert!(
        page.contains(&format!(
            "table.rs. -->\n\n{printed}\n<!-- End of the tables. -->\n"
        )),
        "docs/coming-from-python.md has other tables than the binary prints: run `cargo xtask docs`"
    );
}
