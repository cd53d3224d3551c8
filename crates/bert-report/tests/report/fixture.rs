//! Small runs of every task, with texts of the test's choosing.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use bert_records::{InputFile, MetricsHistory, RunRecord, Series, UnreadableLines};
use bert_report::{
    AnsweredQuestion, ChosenEnding, ClassifiedText, DataCheck, Environment, FileCheck, GlueReport,
    GlueSet, GoldSpan, Lengths, Numbers, RegressionExample, RunReport, SquadReport, SwagReport,
    TaskReport,
};
use serde_json::{Map, Value, json};

/// One run of each task. Every text of theirs is what `text` makes of its number.
pub(crate) fn runs(mut text: impl FnMut(usize) -> String) -> Vec<RunReport> {
    let mut number = 0;
    let mut next = || {
        number += 1;
        text(number)
    };
    let tasks = [squad(&mut next), swag(&mut next), glue(&mut next)];
    tasks.map(|task| run(task, &mut next)).into()
}

fn run(task: TaskReport, next: &mut impl FnMut() -> String) -> RunReport {
    let settings: Map<String, Value> = [
        ("bert_model".to_owned(), json!(next())),
        (next(), json!(next())),
        (next(), json!([next()])),
        (next(), json!({(next()): {(next()): next()}})),
    ]
    .into_iter()
    .collect();
    let mut record = RunRecord::new(&next(), 42, Value::Object(settings), Vec::new());
    record.inputs = vec![InputFile {
        path: next(),
        bytes: 5000,
        sha256: next(),
    }];
    record.finish(json!({
        "steps": 3,
        "left_out": [next()],
        "outcome": {
            "degenerate": next(),
            "table": [[next(), [{"name": "untrained", "percent": 1.0}]], [next(), [{"name": next(), "percent": 50.0}]]],
        },
        (next()): next(),
    }));
    record.created = next();
    record.finished = Some(next());
    let series = |factor: f64| Series {
        points: (1..=3)
            .map(|step| (f64::from(step), factor / f64::from(step)))
            .collect(),
    };
    let mut environment = Environment::default();
    environment.push(next(), next());
    RunReport {
        dir: PathBuf::from(next()),
        record,
        absent: BTreeSet::new(),
        other: [(next(), json!(next()))].into_iter().collect(),
        metrics: MetricsHistory {
            steps: [("loss".to_owned(), series(5.0))].into(),
            evaluations: [
                (format!("f1{}", next()), series(50.0)),
                ("score".to_owned(), series(40.0)),
            ]
            .into(),
            lines: 6,
            unreadable: Some(UnreadableLines { count: 2, first: 3 }),
            incomplete: false,
        },
        results: BTreeMap::from([(next(), json!(0.5)), (next(), json!(next()))]),
        task_name: Some(next()),
        task: Some(task),
        environment,
        data: Some(DataCheck {
            files: vec![file(next), file(next)],
            overlap: 1,
            suggested_max_seq_length: Some(48),
        }),
    }
}

fn file(next: &mut impl FnMut() -> String) -> FileCheck {
    FileCheck {
        path: PathBuf::from(next()),
        rows: 1000,
        labels: [(next(), 700), (next(), 300)].into(),
        numbers: Some(Numbers {
            least: -1.0,
            mean: 2.5,
            most: 5.0,
            standard_deviation: 1.5,
        }),
        unlabelled: Some(2),
        majority_accuracy: Some(0.7),
        random_accuracy: Some(0.58),
        empty: 3,
        repeated: 4,
        conflicting: 5,
        misplaced_answers: 6,
        tokens: Lengths {
            least: 3,
            median: 20,
            percentile_95: 40,
            percentile_99: 48,
            most: 60,
            histogram: vec![(32, 900), (48, 90), (60, 10)],
        },
        cut_share: 0.01,
        unknown_share: 0.002,
    }
}

fn squad(next: &mut impl FnMut() -> String) -> TaskReport {
    let example = AnsweredQuestion {
        id: next(),
        title: Some(next()),
        question: next(),
        context: next(),
        // Beyond the passage: where it ends depends on the texts.
        gold: vec![GoldSpan {
            text: next(),
            start: 10_000,
        }],
        prediction: next(),
        predicted_span: Some((0, 2)),
        probability: 0.9,
        f1: 0.25,
        exact: false,
        windows: 2,
    };
    let unmarked = AnsweredQuestion {
        gold: Vec::new(),
        ..example.clone()
    };
    TaskReport::Squad(SquadReport::from_examples([example, unmarked]))
}

fn swag(next: &mut impl FnMut() -> String) -> TaskReport {
    let example = ChosenEnding {
        id: next(),
        context: next(),
        start: next(),
        endings: (0..4).map(|_| next()).collect(),
        probabilities: vec![0.1, 0.2, 0.6, 0.1],
        gold: 1,
        chosen: 2,
    };
    TaskReport::Swag(SwagReport::from_examples([example]))
}

fn glue(next: &mut impl FnMut() -> String) -> TaskReport {
    let example = ClassifiedText {
        id: next(),
        text_a: next(),
        text_b: Some(next()),
        gold: 0,
        predicted: 1,
        probabilities: vec![0.3, 0.7].into(),
    };
    let labels = vec![next(), next()];
    let classes = GlueSet::classification(next(), labels, [example]).expect("there are two labels");
    let scored = RegressionExample {
        id: next(),
        text_a: next(),
        text_b: None,
        gold: 1.0,
        predicted: 4.5,
    };
    let scores = GlueSet::regression(next(), [scored]);
    TaskReport::Glue(GlueReport {
        sets: vec![classes, scores],
    })
}
