//! The page in a browser, where there is one.

use std::{fs, path::Path};

use bert_serve::ServeConfig;
use serde_json::{Value, json};

use crate::{client::Client, fake::Running, webdriver::Browser};

pub(crate) const ENTER: char = '\u{e007}';
pub(crate) const CONTROL: char = '\u{e009}';
pub(crate) const TAB: char = '\u{e004}';
pub(crate) const DOWN: char = '\u{e015}';

/// Keeps a picture of the page beside the build, to be looked at.
pub(crate) fn keep(browser: &Browser, name: &str) {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(path, decode(&browser.picture())).expect("it is written");
}

fn decode(base64: &str) -> Vec<u8> {
    let digits: Vec<u32> = base64.bytes().filter_map(digit).collect();
    let bytes = digits.chunks(4).flat_map(|four| {
        let bits = four.iter().fold(0, |bits, digit| bits << 6 | digit) << (6 * (4 - four.len()));
        let [_, bytes @ ..] = bits.to_be_bytes();
        bytes.into_iter().take(four.len() - 1)
    });
    bytes.collect()
}

fn digit(byte: u8) -> Option<u32> {
    let digits = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let place = digits.iter().position(|digit| *digit == byte)?;
    u32::try_from(place).ok()
}

const MARKED: &str = "document.querySelector('#reading mark')?.textContent";

/// Fails on what the browser complained of, and on requests to anywhere but the server. `expected` complaints are let pass.
pub(crate) fn check_logs(browser: &Browser, server: &Running, expected: &str) {
    for entry in browser.log("browser") {
        let message = entry["message"].as_str().unwrap_or_default();
        assert!(
            !expected.is_empty() && message.contains(expected),
            "{message}"
        );
    }
    let home = format!("http://{}/", server.address);
    let mut requests = 0;
    for entry in browser.log("performance") {
        let message = entry["message"].as_str().unwrap_or_default();
        let event: Value = serde_json::from_str(message).expect("JSON");
        let event = &event["message"];
        if event["method"] == "Network.requestWillBeSent" {
            let url = event["params"]["request"]["url"].as_str();
            let url = url.expect("an address");
            if url.starts_with(&home) {
                requests += 1;
            } else {
                // The browser's own empty page, and what goes to no host.
                let own = url.starts_with("chrome://") || url.starts_with("data:");
                assert!(own, "{url}");
            }
        }
    }
    assert!(requests > 0, "the log has no requests");
}

pub(crate) fn visit(browser: &Browser, server: &Running, model: &str) {
    browser.go(&format!("http://{}/", server.address));
    browser.wait_until(&format!(
        "document.getElementById('model').textContent.includes('{model}')"
    ));
}

#[test]
fn a_visit_to_the_page() {
    let Some(browser) = Browser::open() else {
        return;
    };
    let server = Running::with(ServeConfig {
        queue: 1,
        max_questions: 1,
        ..Running::config()
    });
    visit(&browser, &server, "word finder");
    marks_what_was_found(&browser);
    is_used_by_keyboard(&browser);
    shows_that_there_is_no_answer(&browser);
    keeps_a_history(&browser);
    looks_well(&browser);
    shows_an_error_on_a_phone(&browser, &server);
    check_logs(&browser, &server, "");
    shows_errors(&browser, &server);
}

/// Markup stays text, and the place of an answer is right after characters of two UTF-16 units.
fn marks_what_was_found(browser: &Browser) {
    let passage = "😀👩‍👩‍👧 <script>document.title='broken'</script> שלום עולם, then the kettle sang.\nThe 🫖 kettle again.";
    browser.fill("#passage", passage);
    browser.fill("#question", "<b>What</b> sang, the kettle");
    browser.press(&[], ENTER);
    browser.wait_until(&format!("{MARKED} === 'kettle'"));
    let before = browser
        .run("return document.querySelector('#reading mark').previousSibling.textContent.length");
    let expected = passage
        .find("kettle")
        .map(|at| passage[..at].encode_utf16().count());
    assert_eq!(before.as_u64(), expected.map(|at| at as u64));
    let text = browser.run("return document.getElementById('reading').textContent");
    assert_eq!(text, passage);
    let title = browser.run("return document.title");
    assert_eq!(title, "Ask the passage");
    let inner =
        browser.run("return document.querySelectorAll('main script, main b, main img').length");
    assert_eq!(inner, 0);

    browser.fill("#question", "עולם");
    browser.press(&[], ENTER);
    browser.wait_until(&format!("{MARKED} === 'עולם'"));
    browser.fill("#question", "<script>document.title='broken'</script>");
    browser.press(&[CONTROL], ENTER);
    browser.wait_until(&format!("{MARKED}?.startsWith('<script>')"));
}

/// From the question the arrow keys choose among the candidates, whatever is in between.
fn is_used_by_keyboard(browser: &Browser) {
    browser.fill("#passage", "One kettle, another kettle, a third kettle.");
    browser.fill("#question", "kettle");
    // Anywhere, the passage included.
    browser.run("document.getElementById('passage').focus()");
    browser.press(&[CONTROL], ENTER);
    browser.wait_until("document.querySelectorAll('.candidate').length === 4");
    for _ in 0..40 {
        if browser.run("return document.activeElement.type") == "radio" {
            break;
        }
        browser.press(&[], TAB);
    }
    let before = "document.querySelector('#reading mark')?.previousSibling.textContent";
    for (expected, chance) in [
        ("One kettle, another ", "40 %"),
        ("One kettle, another kettle, a third ", "20 %"),
    ] {
        browser.press(&[], DOWN);
        browser.wait_until(&format!("{before} === {}", json!(expected)));
        let shown = browser
            .run("return document.querySelector('.candidate:has(:checked) .chance').textContent");
        assert_eq!(shown, chance);
    }
    // The last candidate is that there is none.
    browser.press(&[], DOWN);
    browser.wait_until(&format!("{MARKED} === undefined"));
    let names = browser.run(
        "return [...document.querySelectorAll('input, textarea, button')].filter((it) => it.offsetParent \
         && !(it.labels?.length || it.textContent.trim())).length",
    );
    assert_eq!(names, 0, "every control has a name");
}

fn shows_that_there_is_no_answer(browser: &Browser) {
    browser.fill("#question", "saucepan");
    browser.press(&[], ENTER);
    browser.wait_until("document.getElementById('status').textContent.includes('no answer')");
    let text = browser.run("return document.querySelector('.candidate .text').textContent");
    assert_eq!(text, "No answer in the passage");
    assert_eq!(
        browser.run(&format!("return {MARKED} ?? null")),
        Value::Null
    );
}

fn keeps_a_history(browser: &Browser) {
    let asked = browser.run("return [...document.querySelectorAll('#history li span:first-child')].map((it) => it.textContent)");
    let expected = [
        "saucepan",
        "kettle",
        "<script>document.title='broken'</script>",
        "עולם",
        "<b>What</b> sang, the kettle",
    ];
    assert_eq!(asked, json!(expected));
    browser.click("#history li:nth-child(5) button");
    browser.wait_until(&format!("{MARKED} === 'kettle'"));
    let passage = browser.run("return document.getElementById('passage').value");
    assert!(
        passage.as_str().is_some_and(|it| it.contains("sang")),
        "{passage}"
    );
}

/// Pictures, wide and narrow, light and dark; nothing sticks out sideways.
fn looks_well(browser: &Browser) {
    browser.click("#example");
    browser.fill("#question", "When does the pond run out: the tide");
    browser.press(&[], ENTER);
    browser.wait_until(&format!("{MARKED} === 'tide'"));
    let background = "return getComputedStyle(document.body).backgroundColor";
    for (width, height, size) in [(1280, 900, "wide"), (360, 780, "narrow")] {
        browser.devtools(
            "Emulation.setDeviceMetricsOverride",
            json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": size == "narrow"}),
        );
        let mut seen = Vec::new();
        for theme in ["light", "dark"] {
            let media = json!({"features": [{"name": "prefers-color-scheme", "value": theme}]});
            browser.devtools("Emulation.setEmulatedMedia", media);
            seen.push(browser.run(background));
            let overflow = browser.run("return document.documentElement.scrollWidth - document.documentElement.clientWidth");
            assert!(
                overflow.as_i64().is_some_and(|it| it <= 0),
                "{size}: {overflow}"
            );
            keep(browser, &format!("{size}-{theme}.png"));
        }
        assert_ne!(seen[0], seen[1], "dark is not light");
    }
    // The switch goes against what the system prefers, here dark, and is remembered.
    let dark = browser.run(background);
    let pressed = "return document.getElementById('theme').getAttribute('aria-pressed')";
    assert_eq!(browser.run(pressed), "true");
    browser.click("#theme");
    assert_ne!(browser.run(background), dark);
    assert_eq!(browser.run(pressed), "false");
    browser.run("location.reload()");
    browser.wait_until("document.getElementById('model').textContent.includes('word finder')");
    assert_ne!(browser.run(background), dark);
    browser.devtools("Emulation.clearDeviceMetricsOverride", json!({}));
}

/// Keeps the model at work on one question with another waiting, so that the next one is refused as `busy`.
fn make_busy(server: &Running) -> [Client; 2] {
    server.watched.shut();
    let batches = server.watched.batches().len();
    let first = server.ask("first");
    server.watched.wait_for(batches + 1);
    let second = server.ask("second");
    server.wait_for_queue(1);
    [first, second]
}

/// Lets the model go on.
fn make_idle(server: &Running, clients: [Client; 2]) {
    server.watched.open();
    for mut client in clients {
        assert_eq!(client.reply().expect("an answer").status, 200);
    }
}

/// An error is in view without scrolling, at the width of a phone.
fn shows_an_error_on_a_phone(browser: &Browser, server: &Running) {
    browser.devtools(
        "Emulation.setDeviceMetricsOverride",
        json!({"width": 390, "height": 664, "deviceScaleFactor": 1, "mobile": true}),
    );
    browser.run("location.reload()");
    browser.wait_until("document.getElementById('model').textContent.includes('word finder')");
    browser.run("scrollTo(0, 0)");
    let clients = make_busy(server);
    browser.click("#ask");
    browser.wait_until("document.getElementById('error').textContent.includes('busy')");
    // The point in the middle of the error shows the error, so it is neither outside nor covered.
    let shown = browser.run(
        "const error = document.getElementById('error'); const box = error.getBoundingClientRect(); \
         const found = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2); \
         return box.top >= 0 && box.bottom <= innerHeight && error.contains(found)",
    );
    keep(browser, "phone-error.png");
    assert_eq!(shown, true, "the error is out of view");
    make_idle(server, clients);
    browser.devtools("Emulation.clearDeviceMetricsOverride", json!({}));
    // The browser's own complaint about the status.
    browser.log("browser");
}

/// A server that is busy, and one that has gone.
fn shows_errors(browser: &Browser, server: &Running) {
    let clients = make_busy(server);
    browser.fill("#question", "tide");
    browser.press(&[], ENTER);
    browser.wait_until("document.getElementById('error').textContent.includes('busy')");
    keep(browser, "busy.png");
    make_idle(server, clients);
    browser.click("#error button");
    browser.wait_until(&format!("{MARKED} === 'tide'"));
    assert_eq!(
        browser.run("return document.getElementById('error').textContent"),
        ""
    );
    check_logs(browser, server, "503");

    server.handle.shutdown();
    browser.wait_until("fetch('/healthz').then(() => false, () => true)");
    browser.press(&[CONTROL], ENTER);
    browser
        .wait_until("document.getElementById('error').textContent.includes('cannot be reached')");
}
