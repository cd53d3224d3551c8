//! What a folder of results may hold after a fault.

use std::fs;
use std::path::Path;

use bert_test_support::{json, names};
use safetensors::SafeTensors;

/// The lock of a process, which means nothing once that has ended: where the disk fails, it stays.
const LOCK: &str = ".bert-lock";

/// Names of what is not finished; the next run removes them.
const UNFINISHED: [&str; 3] = [".bert-tmp-", ".writing-", LOCK];

/// The files of a run state, without which it is none.
const RUN_STATE: [&str; 6] = [
    "checksums.json",
    "config.json",
    "model.safetensors",
    "optimizer.safetensors",
    "trainer_state.json",
    "vocab.txt",
];

pub(crate) fn is_unfinished(name: &str) -> bool {
    UNFINISHED.iter().any(|start| name.starts_with(start))
}

/// Checks that what stands under a final name is whole.
pub(crate) fn check_whole(dir: &Path, context: &str) {
    for name in names(dir) {
        let path = dir.join(&name);
        if is_unfinished(&name) {
            continue;
        }
        if path.is_dir() {
            if name.starts_with("step-") {
                let found = names(&path);
                let missing = RUN_STATE
                    .iter()
                    .find(|file| !found.iter().any(|name| name == *file));
                assert_eq!(missing, None, "{}: {context}", path.display());
            }
            check_whole(&path, context);
        } else if name.ends_with(".safetensors") {
            let bytes = fs::read(&path).unwrap();
            let read = SafeTensors::deserialize(&bytes);
            assert!(read.is_ok(), "{}: {read:?}: {context}", path.display());
        } else if name.ends_with(".json") {
            let _ = json(&path);
        } else if name.ends_with(".jsonl") {
            let text = fs::read_to_string(&path).unwrap();
            // A log grows line by line; the next run drops a last line that is not whole.
            let whole = if name == "metrics.jsonl" {
                &text[..text.rfind('\n').map_or(0, |at| at + 1)]
            } else {
                &text
            };
            for line in whole.lines() {
                let read = serde_json::from_str::<serde_json::Value>(line);
                assert!(read.is_ok(), "{}: {line:?}: {context}", path.display());
            }
        }
    }
}

/// Checks that nothing unfinished is left.
pub(crate) fn check_clean(dir: &Path, context: &str) {
    for name in names(dir) {
        let path = dir.join(&name);
        assert!(
            !is_unfinished(&name),
            "{} is left: {context}",
            path.display()
        );
        if path.is_dir() {
            check_clean(&path, context);
        }
    }
}
