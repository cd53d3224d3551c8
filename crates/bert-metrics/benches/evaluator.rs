//! The scores of ten thousand predictions.

use bert_metrics::classification::matthews_correlation;
use bert_metrics::correlation::spearman;
use bert_metrics::squad::{GoldQuestion, evaluate_v1, evaluate_v2, normalize_answer};
use divan::counter::ItemsCount;
use divan::{Bencher, black_box};

const QUESTIONS: usize = 10_000;

fn main() {
    divan::main();
}

/// A question's id, three gold answers and a prediction that shares words with them.
struct Row {
    id: String,
    answers: [String; 3],
    prediction: String,
}

fn rows() -> Vec<Row> {
    (0..QUESTIONS)
        .map(|n| Row {
            id: format!("{n:024x}"),
            answers: [
                format!("the {n} keepers of an old lighthouse"),
                format!("{n} keepers"),
                format!("Keepers of the Old Lighthouse, {n}"),
            ],
            prediction: format!("{} keepers of the lighthouse", n - n % 2),
        })
        .collect()
}

fn gold(rows: &[Row]) -> impl Iterator<Item = GoldQuestion<'_>> {
    rows.iter().map(|row| GoldQuestion {
        id: &row.id,
        answers: row.answers.iter().map(String::as_str).collect(),
    })
}

fn number(id: &str) -> usize {
    usize::from_str_radix(id, 16).expect("ids are numbers")
}

#[divan::bench]
fn v1(bencher: Bencher<'_, '_>) {
    let rows = rows();
    bencher
        .counter(ItemsCount::new(QUESTIONS))
        .bench_local(|| evaluate_v1(gold(&rows), |id| Some(rows[number(id)].prediction.as_str())));
}

#[divan::bench]
fn v2(bencher: Bencher<'_, '_>) {
    let rows = rows();
    bencher
        .counter(ItemsCount::new(QUESTIONS))
        .bench_local(|| evaluate_v2(gold(&rows), |id| Some(rows[number(id)].prediction.as_str())));
}

#[divan::bench]
fn normalize() -> String {
    normalize_answer(black_box("The Keepers, of an Old Light-House (1901)!"))
}

#[divan::bench]
fn matthews(bencher: Bencher<'_, '_>) {
    let labels: Vec<usize> = (0..QUESTIONS).map(|n| n % 2).collect();
    let predictions: Vec<usize> = (0..QUESTIONS).map(|n| n % 3 % 2).collect();
    bencher
        .counter(ItemsCount::new(QUESTIONS))
        .bench_local(|| matthews_correlation(black_box(&labels), black_box(&predictions)));
}

#[divan::bench]
fn rank_correlation(bencher: Bencher<'_, '_>) {
    // A fixed order without a pattern that a sort could use; one in ten scores is tied.
    let scores: Vec<f64> = (0..QUESTIONS).map(|n| (n * 7_919 % 9_001) as f64).collect();
    let predictions: Vec<f64> = scores.iter().map(|score| score.sqrt().sin()).collect();
    bencher
        .counter(ItemsCount::new(QUESTIONS))
        .bench_local(|| spearman(black_box(&predictions), black_box(&scores)));
}
