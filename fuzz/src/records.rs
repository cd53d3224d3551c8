//! What a run leaves behind: `run.json`, scores, the log of its numbers, and the folders of its states.

use std::fs;
use std::num::NonZeroUsize;

use bert_records::{
    MetricsHistory, MetricsLog, RecordError, RunRecord, RunStateStore, read_eval_results,
    write_eval_results,
};
use serde_json::Value;

use crate::checks::{check_line, choice, file, folder, read, same};

/// `run.json`.
pub(crate) fn run_json(data: &[u8]) {
    file("run.json", data);
    let Some(Some(mut record)) = read(RunRecord::<Value>::read(folder()), "run.json") else {
        return;
    };
    record.summary = record.summary.filter(|it| !it.is_null());
    record
        .write(folder())
        .expect("the folder for temporary files has room");
    let back = RunRecord::<Value>::read(folder()).expect("it is well-formed");
    same(&back, &Some(record));
}

/// `eval_results.json`.
pub(crate) fn results(data: &[u8]) {
    file("eval_results.json", data);
    let Some(results) = read(read_eval_results(folder()), "eval_results.json") else {
        return;
    };
    write_eval_results(folder(), &results).expect("the folder for temporary files has room");
    same(
        &read_eval_results(folder()).expect("it is well-formed"),
        &results,
    );
    let text = fs::read_to_string(folder().join("eval_results.txt")).expect("it is text");
    assert!(text.lines().count() >= results.len());
}

/// `metrics.jsonl`, shown and gone on with.
pub(crate) fn metrics_log(data: &[u8]) {
    let (step, rest) = choice(data, 10);
    let path = file("metrics.jsonl", rest);
    let history = MetricsHistory::read(folder()).expect("a damaged log is shown as far as it goes");
    for series in history.steps.values().chain(history.evaluations.values()) {
        assert!(series.points.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }
    drop(MetricsLog::resume(&path, step as u64, Some("evaluation")).expect("the file can be cut"));
    let kept = fs::read(&path).expect("it is there");
    assert!(rest.starts_with(&kept) && (kept.is_empty() || kept.ends_with(b"\n")));
    let history = MetricsHistory::read(folder()).expect("it is well-formed");
    assert!(
        !history.incomplete
            && history
                .unreadable
                .is_none_or(|it| it.count <= history.lines + kept.len())
    );
    let steps = history.steps.values().flat_map(|it| &it.points);
    assert!(
        steps.clone().all(|(at, _)| *at <= step as f64),
        "a step beyond {step} is kept"
    );
}

/// The folder of a run state: `checksums.json`, then behind a NUL the one file that it may name.
pub(crate) fn run_state(data: &[u8]) {
    let mut parts = data.splitn(2, |byte| *byte == 0);
    let [sums, state] = std::array::from_fn(|_| parts.next().unwrap_or_default());
    let dir = folder().join("states");
    fs::create_dir_all(dir.join("step-00000001")).expect("the folder for temporary files has room");
    file("states/step-00000001/checksums.json", sums);
    file("states/step-00000001/state", state);
    let store = RunStateStore::opened_elsewhere(&dir, NonZeroUsize::MIN);
    let newest = store.newest_intact().expect("the folder can be listed");
    newest
        .damaged
        .iter()
        .for_each(|(_, error)| check_line(error, "step-00000001"));
    // Whatever the file is told to be, a state that is written is intact, and one with another byte is not.
    let fill = |folder: &std::path::Path| {
        fs::write(folder.join("state"), state).expect("there is room");
        Ok::<_, RecordError>(())
    };
    if data.len().is_multiple_of(16) {
        store
            .write(1, &[], fill)
            .expect("the folder for temporary files has room");
        assert_eq!(
            store
                .newest_intact()
                .expect("the folder can be listed")
                .step,
            Some(1)
        );
    }
}
