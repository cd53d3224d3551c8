//! No text breaks out: the page never changes, and the API's JSON gives any text back as it was.

use std::sync::LazyLock;

use proptest::prelude::*;
use serde_json::json;

use crate::fake::Running;

static SERVER: LazyLock<Running> = LazyLock::new(Running::start);

/// Text with more of what has a meaning in HTML, JSON and HTTP than chance has.
fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        any::<String>(),
        prop::sample::select(vec![
            "<script>alert(1)</script>",
            "</textarea>",
            "<img src=x onerror=alert(1)>",
            "\0",
            "\r\n\r\n",
            "\u{2028}",
            "\u{202e}",
            "\u{feff}",
            "😀",
            "e\u{301}",
            "&lt;",
            "\\u0000",
            "\"",
            "'",
            "\\",
            "</",
            "]]>",
            "<!--",
        ])
        .prop_map(str::to_owned),
    ];
    prop::collection::vec(piece, 1..6).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_comes_back_as_it_was_and_leaves_no_trace(word in text(), before in text(), after in text()) {
        // The answerer looks for the last word.
        let word: String = word.split_whitespace().collect();
        let word = word.trim_end_matches('?');
        prop_assume!(!word.is_empty());
        let files = ["/", "/page.js", "/page.css"];
        let pages = files.map(|path| SERVER.get(path).body);
        let passage = format!("{before}{word}{after}");
        let reply = SERVER.post(json!({"question": word, "passage": passage}).to_string());
        prop_assert_eq!(reply.status, 200);
        let body = reply.json();
        let answer = &body["answers"][0];
        prop_assert_eq!(answer["text"].as_str(), Some(word));
        let place = |name: &str| answer[name].as_u64().and_then(|at| usize::try_from(at).ok());
        let (start, end) = (place("start").unwrap_or(0), place("end").unwrap_or(0));
        let found: String = passage.chars().skip(start).take(end - start).collect();
        prop_assert_eq!(found, word);
        prop_assert_eq!(files.map(|path| SERVER.get(path).body), pages);
    }
}

#[test]
fn the_page_names_no_other_host_and_writes_no_markup() {
    for path in [
        "/",
        "/page.css",
        "/page.js",
        "/page/elements.js",
        "/page/asking.js",
        "/page/questions.js",
        "/page/classes.js",
        "/page/endings.js",
    ] {
        let reply = SERVER.get(path);
        assert_eq!(reply.status, 200, "{path}");
        let text = reply.text();
        for word in [
            "://",
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            "eval(",
            " style=",
            " onclick=",
            "@import",
            "url(",
        ] {
            assert!(!text.contains(word), "{path} has {word:?}");
        }
    }
}
