//! Every target reads its corpus, damaged in simple ways too, and nothing that must hold is broken.

use std::fs;
use std::path::{Path, PathBuf};

use bert_fuzz::TARGETS;

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn names(folder: &Path) -> Vec<String> {
    let entries =
        fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut names: Vec<String> = entries
        .map(|it| {
            it.expect("it is listed")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    names.sort();
    names
}

/// One test, as memory is counted for the process: targets beside each other would be charged for one another.
#[test]
fn what_must_hold_holds_for_the_corpus() {
    let mut expected: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
    expected.sort_unstable();
    assert_eq!(
        names(&folder("corpus")),
        expected,
        "a folder for each target"
    );
    for target in TARGETS {
        target.run(b"");
        let corpus = folder("corpus").join(target.name);
        let seeds = names(&corpus);
        assert!(!seeds.is_empty(), "{}: expected a file", corpus.display());
        for seed in seeds {
            let bytes = fs::read(corpus.join(&seed)).expect("it is readable");
            assert!(
                bytes.len() <= 4096,
                "{}/{seed}: expected at most 4096 bytes",
                corpus.display()
            );
            target.run(&bytes);
            target.run(&bytes[..bytes.len() / 2]);
            let mut damaged = bytes;
            if let Some(byte) = damaged.get_mut(1) {
                *byte ^= 0x55;
            }
            target.run(&damaged);
        }
    }
}

#[test]
fn dictionaries_are_used_and_well_formed() {
    let mut used: Vec<String> = TARGETS
        .iter()
        .flat_map(|it| it.dictionaries)
        .map(|it| format!("{it}.dict"))
        .collect();
    used.sort();
    used.dedup();
    assert_eq!(names(&folder("dictionaries")), used);
    for name in used {
        let text = fs::read_to_string(folder("dictionaries").join(&name)).expect("it is text");
        for line in text.lines() {
            let is_entry = line.len() > 2 && line.starts_with('"') && line.ends_with('"');
            assert!(is_entry || line.starts_with('#'), "{name}: {line}");
        }
    }
}
