//! The files under `data/demo` are what the generator writes.

use std::path::Path;

/// Rebuild them with `cargo run -p bert-demo-data` after a change.
#[test]
fn committed_files_equal_the_generators_output() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data/demo");
    for file in bert_demo_data::demo_files().unwrap() {
        let path = folder.join(file.path);
        let committed =
            std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert!(
            committed == file.bytes,
            "{} differs from the generator's output",
            path.display()
        );
    }
}

#[test]
fn the_files_stay_small() {
    let size: usize = bert_demo_data::demo_files()
        .unwrap()
        .iter()
        .map(|file| file.bytes.len())
        .sum();
    assert!(size < 2_500_000, "{size} bytes");
}
