//! A hub with the models of a folder.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;

/// What the hub says of every file's commit.
const COMMIT: &str = "1111111111111111111111111111111111111111";

/// Serves the models `owner/NAME` from the folders `NAME` in `dir` as long as the process lives; its address.
pub(crate) fn start(dir: &Path) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let dir = dir.to_owned();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let dir = dir.clone();
            std::thread::spawn(move || {
                // A client that was killed takes no answer.
                let _ = answer(&stream, &dir);
            });
        }
    });
    address
}

/// Answers one request, such as `GET /owner/squad-model/resolve/main/config.json`.
fn answer(mut stream: &TcpStream, dir: &Path) -> std::io::Result<()> {
    let lines = BufReader::new(stream).lines();
    let request: Vec<String> = lines
        .map_while(Result::ok)
        .take_while(|line| !line.is_empty())
        .collect();
    let words: Vec<&str> = request
        .first()
        .map_or("", String::as_str)
        .split(' ')
        .collect();
    let [method, path, _] = words[..] else {
        return Ok(());
    };
    let file = match path.split('/').collect::<Vec<_>>()[..] {
        ["", "owner", model, "resolve", _, file] => dir.join(model).join(file),
        _ => PathBuf::new(),
    };
    let common = format!("x-repo-commit: {COMMIT}\r\nconnection: close\r\n");
    let Ok(bytes) = fs::read(&file) else {
        return write!(
            stream,
            "HTTP/1.1 404 Not Found\r\nx-error-code: EntryNotFound\r\ncontent-length: 0\r\n{common}\r\n"
        );
    };
    let (hash, length) = (sha256(&file), bytes.len());
    write!(
        stream,
        "HTTP/1.1 200 OK\r\netag: \"{hash}\"\r\ncontent-length: {length}\r\n{common}\r\n"
    )?;
    if method == "GET" {
        stream.write_all(&bytes)?;
    }
    Ok(())
}

fn sha256(file: &Path) -> String {
    let output = Command::new("sha256sum").arg(file).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.split(' ').next().unwrap().to_owned()
}
