//! The page of a server with models of every task, in a browser: each tab by keyboard, wide and narrow, light and dark.

use bert_serve::{ApiKey, ServeConfig};
use serde_json::json;

use crate::{
    browser::{CONTROL, DOWN, ENTER, TAB, check_logs, keep, visit},
    fake::Running,
    several,
    webdriver::Browser,
};

const RIGHT: char = '\u{e014}';
const LEFT: char = '\u{e012}';
const END: char = '\u{e010}';
const HOME: char = '\u{e011}';

#[test]
fn a_visit_to_every_tab() {
    let Some(browser) = Browser::open() else {
        return;
    };
    let server = several::all();
    visit(&browser, &server, "first");
    are_chosen_by_keyboard(&browser);
    asks_the_model_that_is_chosen(&browser, &server);
    classifies(&browser);
    chooses(&browser);
    names_every_control(&browser);
    check_logs(&browser, &server, "");
    shows_what_is_refused(&browser);
    asks_for_the_key(&browser);
    shows_only_what_the_server_does(&browser);
}

const FOCUS: &str = "document.activeElement.id";

fn shown(browser: &Browser, panel: &str) {
    browser.wait_until(&format!("document.getElementById('{panel}').offsetParent"));
    let panels = browser.run(
        "return [...document.querySelectorAll('[role=tabpanel]')].filter((it) => it.offsetParent).map((it) => it.id)",
    );
    assert_eq!(panels, json!([panel]));
    let selected = browser.run(
        "return [...document.querySelectorAll('[role=tab][aria-selected=true]')].map((it) => it.getAttribute('aria-controls'))",
    );
    assert_eq!(selected, json!([panel]));
}

/// Arrows, Home and End go from tab to tab; Tab leaves them for the form.
fn are_chosen_by_keyboard(browser: &Browser) {
    shown(browser, "questions");
    browser.run("document.getElementById('theme').focus()");
    browser.press(&[], TAB);
    for (key, panel) in [
        (RIGHT, "classes"),
        (RIGHT, "endings"),
        (RIGHT, "questions"),
        (LEFT, "endings"),
        (HOME, "questions"),
        (END, "endings"),
    ] {
        browser.press(&[], key);
        shown(browser, panel);
        browser.wait_until(&format!("{FOCUS} === '{panel}-tab'"));
    }
    assert_eq!(browser.run("return document.title"), "Choose an ending");
    browser.press(&[], HOME);
    browser.press(&[], TAB);
    browser.wait_until(&format!("{FOCUS} === 'questions-model'"));
}

fn asks_the_model_that_is_chosen(browser: &Browser, server: &Running) {
    browser.press(&[], DOWN);
    browser.wait_until("document.getElementById('model').textContent.startsWith('second')");
    browser.fill("#question", "dam");
    browser.press(&[], ENTER);
    browser.wait_until("document.querySelector('#reading mark')?.textContent === 'dam'");
    server.wait_for_metric("bert_questions_total{model=\"second\",outcome=\"answered\"} 1");
}

fn rows(browser: &Browser, list: &str) -> serde_json::Value {
    browser.run(&format!(
        "return [...document.querySelectorAll('#{list} .score')].map((it) => \
         [it.querySelector('.text').textContent, it.querySelector('.chance').textContent, \
          it.querySelector('.bar span').style.width, it.classList.contains('best')])"
    ))
}

fn classifies(browser: &Browser) {
    browser.click("#classes-tab");
    shown(browser, "classes");
    browser.fill("#text", "<b>A</b> film 😀");
    browser.press(&[CONTROL], ENTER);
    browser.wait_until("!document.getElementById('classes-scores').hidden");
    let expected = json!([
        ["text", "75 %", "75%", true],
        ["pair", "25 %", "25%", false]
    ]);
    assert_eq!(rows(browser, "classes-scores"), expected);
    browser.fill("#pair", "another text");
    browser.press(&[], TAB);
    browser.press(&[], ENTER);
    browser.wait_until("document.querySelector('#classes-scores .text').textContent === 'pair'");
    looks_well(browser, "classes");
    // A model of one number has no bar, and a bar's place is not left empty.
    browser.fill("#text", "score");
    browser.fill("#pair", "");
    browser.press(&[CONTROL], ENTER);
    browser
        .wait_until("document.querySelector('#classes-scores .number')?.textContent === '2.500'");
    assert_eq!(
        browser.run("return document.querySelectorAll('#classes-scores .bar').length"),
        0
    );
}

fn chooses(browser: &Browser) {
    browser.click("#endings-tab");
    shown(browser, "endings");
    let endings = || browser.run("return document.querySelectorAll('#endings-list input').length");
    assert_eq!(endings(), 4);
    browser.click("#endings-add");
    browser.wait_until(&format!("{FOCUS} === 'ending-5'"));
    browser.fill(
        "#ending-5",
        "is the longest ending of all of them, <i>without</i> markup.",
    );
    // The button after the field removes it, and focus stays in the list.
    browser.run("document.getElementById('ending-2').focus()");
    browser.press(&[], TAB);
    browser.press(&[], ENTER);
    assert_eq!(endings(), 4);
    browser.wait_until(&format!("{FOCUS} === 'ending-2'"));
    browser.press(&[], ENTER);
    browser.wait_until("!document.getElementById('endings-scores').hidden");
    let rows = rows(browser, "endings-scores");
    assert_eq!(
        rows[3],
        json!([
            "is the longest ending of all of them, <i>without</i> markup.",
            "100.0 %",
            "100%",
            true
        ])
    );
    assert_eq!(rows[0][3], false);
    looks_well(browser, "endings");
    for _ in 0..2 {
        browser.click("#endings-list li:first-child button");
    }
    let disabled =
        browser.run("return document.querySelectorAll('#endings-list button:disabled').length");
    assert_eq!((endings(), disabled), (json!(2), json!(2)));
}

/// Pictures, and nothing sticks out sideways.
fn looks_well(browser: &Browser, panel: &str) {
    for (width, height, size) in [(1280, 900, "wide"), (360, 780, "narrow")] {
        browser.devtools(
            "Emulation.setDeviceMetricsOverride",
            json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": size == "narrow"}),
        );
        for theme in ["light", "dark"] {
            let media = json!({"features": [{"name": "prefers-color-scheme", "value": theme}]});
            browser.devtools("Emulation.setEmulatedMedia", media);
            let overflow = browser.run("return document.documentElement.scrollWidth - document.documentElement.clientWidth");
            assert!(
                overflow.as_i64().is_some_and(|it| it <= 0),
                "{panel} {size}: {overflow}"
            );
            keep(browser, &format!("{panel}-{size}-{theme}.png"));
        }
    }
    browser.devtools("Emulation.clearDeviceMetricsOverride", json!({}));
}

fn names_every_control(browser: &Browser) {
    let nameless = browser.run(
        "return [...document.querySelectorAll('input, textarea, select, button')].filter((it) => \
         !(it.labels?.length || it.textContent.trim() || it.getAttribute('aria-label'))).length",
    );
    assert_eq!(nameless, 0, "every control has a name");
}

/// Before a request, and by the server.
fn shows_what_is_refused(browser: &Browser) {
    browser.fill("#ending-2", " ");
    browser.press(&[], ENTER);
    browser.wait_until(
        "document.getElementById('endings-error').textContent === 'Ending 2 is empty.'",
    );
    assert_eq!(browser.run(&format!("return {FOCUS}")), "ending-2");
    browser.click("#classes-tab");
    browser.fill("#text", "fail");
    browser.press(&[CONTROL], ENTER);
    browser.wait_until(
        "document.getElementById('classes-error').textContent.includes('The model failed')",
    );
    browser.log("browser");
}

/// A server with a key asks for it, once a visit.
fn asks_for_the_key(browser: &Browser) {
    let server = Running::with(ServeConfig {
        api_key: ApiKey::new("secret".into()),
        ..Running::config()
    });
    browser.go(&format!("http://{}/", server.address));
    browser.wait_until("document.getElementById('key').offsetParent");
    browser.wait_until(&format!("{FOCUS} === 'key'"));
    browser.fill("#key", "ä");
    browser.press(&[], ENTER);
    browser.wait_until("document.getElementById('key-error').textContent.includes('another key')");
    keep(browser, "key.png");
    browser.fill("#key", "secret");
    browser.press(&[], ENTER);
    shown(browser, "questions");
    browser.fill("#question", "dam");
    browser.press(&[], ENTER);
    browser.wait_until("document.querySelector('#reading mark')?.textContent === 'dam'");
    browser.run("location.reload()");
    shown(browser, "questions");
    assert_eq!(
        browser.run("return document.getElementById('key-form').hidden"),
        true
    );
}

/// Without tabs, where there is one task.
fn shows_only_what_the_server_does(browser: &Browser) {
    let server = crate::tasks::classifier(Running::config());
    visit(browser, &server, "lengths");
    shown(browser, "classes");
    let tabs = browser.run("return Boolean(document.getElementById('tabs').offsetParent)");
    assert_eq!(tabs, false);
    assert_eq!(browser.run("return document.title"), "Classify a text");
}
