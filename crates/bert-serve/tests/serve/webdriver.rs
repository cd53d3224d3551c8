//! A browser without a window, led through WebDriver: JSON over HTTP, as chromedriver speaks it.

use std::{
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use bert_test_support::{Prerequisite, skip};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{client::Client, fake::SOON};

/// The key under which WebDriver names an element.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

const CHROMIUM: [&str; 4] = [
    "/usr/bin/chromium",
    "/usr/bin/chromium-browser",
    "/usr/bin/google-chrome",
    "/usr/bin/google-chrome-stable",
];

/// A session of a browser, closed when it is dropped.
pub(crate) struct Browser {
    driver: Driver,
    session: String,
    _profile: TempDir,
}

struct Driver {
    child: Child,
    address: SocketAddr,
}

impl Drop for Driver {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Driver {
    /// Starts it on a port of its choice, where it is installed.
    fn start() -> Option<Self> {
        let mut child = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        let output = child.stdout.take().expect("it is piped");
        let mut lines = BufReader::new(output).lines();
        let port = lines.by_ref().map_while(Result::ok).find_map(|line| {
            let (_, port) = line.split_once("started successfully on port ")?;
            port.trim_end_matches('.').parse::<u16>().ok()
        });
        // What else it says is read, so that it can say it.
        thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
        let address = ([127, 0, 0, 1], port.expect("it says its port")).into();
        Some(Self { child, address })
    }

    fn command(&self, method: &str, path: &str, body: &Value) -> Result<Value, String> {
        let body = if method == "POST" {
            body.to_string()
        } else {
            String::new()
        };
        let mut client = Client::connect(self.address);
        client.send(format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\nconnection: close\r\n\
             content-length: {}\r\n\r\n{body}",
            self.address,
            body.len()
        ));
        let reply = client.reply().ok_or("no answer from chromedriver")?;
        let mut value: Value = serde_json::from_slice(&reply.body).map_err(|it| it.to_string())?;
        if reply.status == 200 {
            Ok(value["value"].take())
        } else {
            Err(format!("{path}: {value}"))
        }
    }
}

impl Browser {
    /// Opens one, or says that there is none.
    pub(crate) fn open() -> Option<Self> {
        let binary = CHROMIUM.into_iter().find(|path| Path::new(path).exists());
        let driver = binary.and_then(|_| Driver::start());
        let (Some(binary), Some(driver)) = (binary, driver) else {
            let reason = "found no chromium or no chromedriver, which this test leads";
            skip(Prerequisite::Browser, reason);
            return None;
        };
        let profile = tempfile::tempdir().expect("a temporary folder");
        let data = format!("--user-data-dir={}", profile.path().display());
        let arguments = [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-dev-shm-usage",
            "--force-prefers-reduced-motion",
            "--window-size=1280,900",
            &data,
        ];
        let wanted = json!({"capabilities": {"alwaysMatch": {
            "browserName": "chrome",
            "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
            "goog:chromeOptions": {"binary": binary, "args": arguments}
        }}});
        let session = driver
            .command("POST", "/session", &wanted)
            .expect("a session");
        let session = session["sessionId"].as_str().expect("its name").to_owned();
        Some(Self {
            driver,
            session,
            _profile: profile,
        })
    }

    fn command(&self, method: &str, path: &str, body: Value) -> Value {
        let path = format!("/session/{}/{path}", self.session);
        let done = self.driver.command(method, &path, &body);
        done.unwrap_or_else(|error| panic!("{error}"))
    }

    pub(crate) fn go(&self, url: &str) {
        self.command("POST", "url", json!({"url": url}));
    }

    /// What a script returns.
    pub(crate) fn run(&self, script: &str) -> Value {
        self.command(
            "POST",
            "execute/sync",
            json!({"script": script, "args": []}),
        )
    }

    /// Waits until an expression is true, or tells what the page shows.
    pub(crate) fn wait_until(&self, expression: &str) {
        let until = Instant::now() + SOON;
        while self.run(&format!("return Boolean({expression})")) != json!(true) {
            let page = || self.run("return document.body.innerText");
            assert!(Instant::now() < until, "not so: {expression}\n{}", page());
            thread::sleep(Duration::from_millis(10));
        }
    }

    fn element(&self, css: &str) -> String {
        let found = self.command(
            "POST",
            "element",
            json!({"using": "css selector", "value": css}),
        );
        found[ELEMENT].as_str().expect("its name").to_owned()
    }

    pub(crate) fn click(&self, css: &str) {
        let element = self.element(css);
        self.command("POST", &format!("element/{element}/click"), json!({}));
    }

    /// Empties a field and puts a text into it as a paste would: chromedriver types no characters above U+FFFF.
    pub(crate) fn fill(&self, css: &str, text: &str) {
        let script = "const field = document.querySelector(arguments[0]); field.value = arguments[1]; \
             field.dispatchEvent(new InputEvent('input', {bubbles: true})); field.focus();";
        self.command(
            "POST",
            "execute/sync",
            json!({"script": script, "args": [css, text]}),
        );
    }

    /// Presses a key where the focus is, with others held down.
    pub(crate) fn press(&self, held: &[char], key: char) {
        let down = |key: char| json!({"type": "keyDown", "value": key.to_string()});
        let up = |key: char| json!({"type": "keyUp", "value": key.to_string()});
        let mut actions: Vec<Value> = held.iter().copied().map(down).collect();
        actions.extend([down(key), up(key)]);
        actions.extend(held.iter().copied().map(up));
        let keyboard = json!({"type": "key", "id": "keyboard", "actions": actions});
        self.command("POST", "actions", json!({"actions": [keyboard]}));
    }

    /// A command of the browser's own protocol.
    pub(crate) fn devtools(&self, name: &str, parameters: Value) -> Value {
        self.command(
            "POST",
            "goog/cdp/execute",
            json!({"cmd": name, "params": parameters}),
        )
    }

    /// Entries of a log since the last time.
    pub(crate) fn log(&self, kind: &str) -> Vec<Value> {
        let entries = self.command("POST", "se/log", json!({"type": kind}));
        entries.as_array().cloned().unwrap_or_default()
    }

    /// A picture of the whole page, in base 64.
    pub(crate) fn picture(&self) -> String {
        let parameters = json!({"format": "png", "captureBeyondViewport": true});
        let picture = self.devtools("Page.captureScreenshot", parameters);
        picture["data"].as_str().expect("a picture").to_owned()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let path = format!("/session/{}", self.session);
        drop(self.driver.command("DELETE", &path, &Value::Null));
    }
}
