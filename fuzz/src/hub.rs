//! What a hub answers: headers, redirects, bodies, and archives that are unpacked.

use std::collections::VecDeque;
use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::time::Duration;

use bert_hub::{
    FetchSettings, Fetcher, Hub, HubSettings, ModelName, NoProgress, Part, Source, download_parts,
};
use sha2::{Digest, Sha256};

use crate::checks::{check_line, choice, folder};

/// What separates the answers of a case.
const NEXT: &[u8] = b"\n====\n";

/// The answers that are yet to be given, one a connection.
fn answers() -> MutexGuard<'static, VecDeque<Vec<u8>>> {
    static ANSWERS: Mutex<VecDeque<Vec<u8>>> = Mutex::new(VecDeque::new());
    ANSWERS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The port of a server that gives them.
fn port() -> u16 {
    static PORT: OnceLock<u16> = OnceLock::new();
    *PORT.get_or_init(|| {
        let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).expect("a port is free");
        let port = listener.local_addr().expect("it listens").port();
        thread::spawn(move || listener.incoming().flatten().for_each(answer));
        port
    })
}

fn answer(mut stream: TcpStream) {
    let mut request = Vec::new();
    let mut part = [0; 1024];
    while !request.ends_with(b"\r\n\r\n") {
        match stream.read(&mut part) {
            Ok(length @ 1..) => request.extend_from_slice(&part[..length]),
            _ => return,
        }
    }
    let bytes = answers().pop_front().unwrap_or_default();
    // The client may have had enough.
    let _ = stream
        .write_all(&bytes)
        .and_then(|()| stream.shutdown(Shutdown::Write));
}

/// Another address of this machine for each case: that of a connection that has ended cannot be used for a minute.
pub(crate) fn next_address() -> Ipv4Addr {
    static COUNT: AtomicU32 = AtomicU32::new(1);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    Ipv4Addr::from(0x7f00_0000 | (1 + count % 0xff_fffd))
}

fn fetcher() -> &'static Fetcher {
    static FETCHER: OnceLock<Fetcher> = OnceLock::new();
    FETCHER.get_or_init(|| {
        let settings = FetchSettings {
            stall_timeout: Duration::from_secs(1),
            retries: 1,
            backoff: Duration::ZERO,
            longest_wait: Duration::ZERO,
            ..FetchSettings::default()
        };
        Fetcher::new(settings).expect("there is no mirror")
    })
}

/// A model that is fetched, or an archive of a dataset.
pub(crate) fn model(data: &[u8]) {
    let (kind, rest) = choice(data, 2);
    let dir = folder().join("hub");
    let _ = fs::remove_dir_all(&dir);
    let endpoint = format!("http://{}:{}", next_address(), port());
    if kind == 1 {
        return archive(rest, &endpoint);
    }
    *answers() = split(rest);
    let settings = HubSettings {
        endpoint,
        cache_dir: dir.clone(),
        token: None,
        offline: false,
    };
    let name = "owner/name".parse::<ModelName>().expect("it is a name");
    match Hub::new(settings, fetcher().clone()).model(&name, &mut NoProgress) {
        Ok(found) => assert!(found.starts_with(&dir) && found.join("config.json").is_file()),
        Err(error) => check_line(&error, ""),
    }
}

/// An archive that has the hash that is asked for, and anything inside.
fn archive(bytes: &[u8], endpoint: &str) {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", bytes.len());
    *answers() = VecDeque::from([[head.as_bytes(), bytes].concat()]);
    let sha256: String = Sha256::digest(bytes)
        .iter()
        .map(|it| format!("{it:02x}"))
        .collect();
    let source = Source {
        url: format!("{endpoint}/x.zip").into(),
        bytes: bytes.len() as u64,
        sha256: sha256.into(),
        md5: None,
    };
    let dir = folder().join("hub");
    let part = Part::Archive {
        folder: "X".into(),
        source,
    };
    match download_parts(&[part], &dir, fetcher(), &mut NoProgress) {
        Ok(files) => assert!(
            files
                .iter()
                .all(|it| it.parent() == Some(&dir.join("X")) && it.is_file())
        ),
        Err(error) => check_line(&error, ""),
    }
}

fn split(mut bytes: &[u8]) -> VecDeque<Vec<u8>> {
    let mut parts = VecDeque::new();
    while let Some(at) = bytes.windows(NEXT.len()).position(|it| it == NEXT) {
        parts.push_back(bytes[..at].to_vec());
        bytes = &bytes[at + NEXT.len()..];
    }
    parts.push_back(bytes.to_vec());
    parts
}
