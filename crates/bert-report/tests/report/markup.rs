//! No text breaks out of a page's markup.

use bert_report::{RunReport, render_comparison};
use proptest::prelude::*;
use scraper::{Html, node::Node};

use crate::fixture::runs;

/// What a page makes of a text.
fn shown(text: &str) -> String {
    text.replace("\r\n", "\n")
        .chars()
        .map(|c| match c {
            '\r' => '\n',
            '\t' | '\n' => c,
            _ if c.is_control() => '\u{fffd}',
            _ => c,
        })
        .collect()
}

/// The elements and the names of their attributes in order, and the texts in order.
fn structure(page: &str) -> (Vec<String>, String) {
    let html = Html::parse_document(page);
    let (mut elements, mut texts) = (Vec::new(), String::new());
    for node in html.tree.nodes() {
        match node.value() {
            Node::Element(element) => {
                let mut names: Vec<&str> = element.attrs().map(|(name, _)| name).collect();
                names.sort_unstable();
                let depth = node.ancestors().count();
                elements.push(format!("{depth} {} {names:?}", element.name()));
            }
            Node::Text(text) => texts.push_str(text),
            Node::Comment(_) => elements.push("comment".to_owned()),
            _ => {}
        }
    }
    (elements, texts)
}

fn pages(runs: &[RunReport]) -> Vec<String> {
    let mut pages: Vec<String> = runs.iter().map(RunReport::render).collect();
    let mut pair = vec![runs[0].clone(), runs[0].clone()];
    pair[1].dir.push("other");
    pair[1].record.inputs[0].sha256.push('x');
    pair[1].record.settings["bert_model"] = "other".into();
    pages.push(render_comparison(&pair).expect("two runs of one task"));
    pages
}

/// Texts that tell themselves apart and sort as their numbers do, whatever follows.
fn numbered(number: usize, rest: &str) -> String {
    format!("~{number:03}{rest}")
}

fn hostile() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec![
        "</script><script>alert(1)</script>",
        "</style></title></svg>",
        "<!-- --!> -->",
        "]]><![CDATA[",
        "\"'><img src=x onerror=alert(1)>",
        "&lt;&amp;&#0;&notanentity",
        "\u{0}\u{1}\u{8}\u{b}\u{7f}\u{9f}",
        "\r\n\r\t\n",
        "\u{d7ff}\u{e000}\u{fffe}\u{ffff}\u{10ffff}",
        "\u{202e}\u{2066}שלום عربي\u{2028}",
        "{}()${}`</textarea><plaintext>",
    ]);
    prop_oneof![
        known.prop_map(str::to_owned),
        ".{0,12}",
        "[<>&\"'/!\\-a-z \u{0}]{0,12}"
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    #[test]
    fn no_text_breaks_out(texts in prop::collection::vec(hostile(), 1..40)) {
        let rest = |number: usize| texts[number % texts.len()].as_str();
        // Paths are cut at their separators: a folder's name has none.
        let name = |number: usize| numbered(number, &rest(number).replace(['/', '\\', '.', '\u{0}'], "_"));
        let hostile = pages(&runs(name));
        let harmless = pages(&runs(|number| numbered(number, if rest(number).is_empty() { "" } else { "a" })));
        for (hostile, harmless) in hostile.iter().zip(&harmless) {
            let (elements, text) = structure(hostile);
            let (expected, plain) = structure(harmless);
            prop_assert_eq!(elements, expected);
            for number in (0..200).filter(|number| plain.contains(&numbered(*number, ""))) {
                // A list is shown as JSON, of a digest in a comparison the first digits, of a folder's path the end.
                let whole = shown(&name(number));
                let json = serde_json::Value::from(name(number)).to_string();
                let digits: String = whole.chars().take(12).collect();
                let is_there = text.contains(&whole)
                    || text.contains(&shown(&json))
                    || text.contains("side by side") && text.contains(&digits);
                prop_assert!(is_there, "{number} {whole:?}");
            }
        }
    }
}

#[test]
fn the_policy_forbids_everything_but_the_style() {
    for page in pages(&runs(|number| format!("text {number}"))) {
        let html = Html::parse_document(&page);
        let policy = scraper::Selector::parse("meta[http-equiv=Content-Security-Policy]").unwrap();
        let policy = html.select(&policy).next().expect("a policy");
        assert_eq!(
            policy.attr("content"),
            Some("default-src 'none'; style-src 'unsafe-inline'; img-src data:")
        );
        for selector in ["script", "link", "img", "iframe", "[src]", "[href]"] {
            let selector = scraper::Selector::parse(selector).unwrap();
            assert_eq!(html.select(&selector).count(), 0, "{selector:?}");
        }
        for selector in [
            "th:not([scope])",
            "svg[role=img]:not(:has(title)):not(:has(desc))",
        ] {
            let selector = scraper::Selector::parse(selector).unwrap();
            assert_eq!(html.select(&selector).count(), 0, "{selector:?}");
        }
    }
}
