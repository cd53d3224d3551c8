//! What a sweep came to: its configurations, the best first, as JSON, as a table and as a page.

use serde::Serialize;

use crate::Statistic;

/// Configurations of one training, compared by their scores on the development set.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SweepSummary {
    /// The task, as reports call it.
    pub task: String,
    /// The program's version.
    pub version: String,
    /// The flags that differ, without dashes.
    pub varied: Vec<String>,
    /// The names of the official scores.
    pub scores: Vec<String>,
    /// Configurations that are not trained yet.
    pub to_come: usize,
    /// The configurations, the best first.
    pub configurations: Vec<SweepRow>,
}

/// A configuration of a sweep.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SweepRow {
    /// The values of the flags that differ.
    pub values: Vec<String>,
    /// Its folder, below that of the sweep, with `/` between its parts.
    pub folder: String,
    /// The share of the whole training that it had: less than 1 where halving left it out.
    pub training: f64,
    /// The score by which configurations are compared, in percent.
    pub score: Option<Statistic>,
    /// The official scores in percent; `None` where one is not defined.
    pub scores: Vec<Option<Statistic>>,
    /// Its runs.
    pub runs: Vec<SweepRun>,
}

/// A run of a configuration.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SweepRun {
    /// Its seed.
    pub seed: u64,
    /// Its folder, below that of the sweep, with `/` between its parts.
    pub folder: String,
    /// The score by which runs are compared, in percent.
    pub score: Option<f64>,
    /// Why it has learnt nothing, where it has not.
    pub degenerate: Option<String>,
    /// The seed of the run in whose place this one counts, which had learnt nothing.
    pub retry_of: Option<u64>,
}

impl SweepRow {
    /// How many of its runs have learnt nothing.
    pub fn degenerate(&self) -> usize {
        let runs = self.runs.iter();
        runs.filter(|run| run.degenerate.is_some()).count()
    }
}

/// A column of a table: its name, and its cells.
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) cells: Vec<String>,
    /// Whether it holds numbers, which stand on the right.
    pub(crate) is_number: bool,
}

impl SweepSummary {
    /// The table, without the folders.
    pub(crate) fn columns(&self) -> Vec<Column> {
        let rows = &self.configurations;
        let column = |name: &str, is_number, cell: &dyn Fn(&SweepRow) -> String| Column {
            name: name.to_owned(),
            cells: rows.iter().map(cell).collect(),
            is_number,
        };
        let number = |found: &Option<Statistic>| {
            found.map_or_else(|| "undefined".to_owned(), |found| found.to_string())
        };
        let mut rank = 0..;
        let ranks = rows
            .iter()
            .map(|_| (rank.next().unwrap_or(0) + 1).to_string());
        let mut columns = vec![Column {
            name: "rank".to_owned(),
            cells: ranks.collect(),
            is_number: true,
        }];
        for (n, flag) in self.varied.iter().enumerate() {
            columns.push(column(flag, false, &|row| row.values[n].clone()));
        }
        if rows.iter().any(|row| row.training < 1.0) {
            let share = |row: &SweepRow| format!("{:.3}", row.training);
            columns.push(column("training", true, &share));
        }
        columns.push(column("score", true, &|row| number(&row.score)));
        for (n, name) in self.scores.iter().enumerate() {
            let cell = |row: &SweepRow| number(row.scores.get(n).unwrap_or(&None));
            columns.push(column(name, true, &cell));
        }
        columns.push(column("runs", true, &|row| row.runs.len().to_string()));
        if rows.iter().any(|row| row.degenerate() > 0) {
            let cell = |row: &SweepRow| row.degenerate().to_string();
            columns.push(column("degenerate", true, &cell));
        }
        columns
    }

    /// The table as text, a line for each configuration below a line of names.
    pub fn to_text(&self) -> String {
        let mut columns = self.columns();
        let folders = self.configurations.iter().map(|row| row.folder.clone());
        columns.push(Column {
            name: "folder".to_owned(),
            cells: folders.collect(),
            is_number: false,
        });
        let mut lines = vec![String::new(); self.configurations.len() + 1];
        for column in columns {
            let cells = || std::iter::once(&column.name).chain(&column.cells);
            let width = cells().map(|cell| cell.chars().count()).max().unwrap_or(0);
            for (line, cell) in lines.iter_mut().zip(cells()) {
                let padding = " ".repeat(width - cell.chars().count());
                if !line.is_empty() {
                    line.push_str("  ");
                }
                let (before, after) = match column.is_number {
                    true => (padding.as_str(), ""),
                    false => ("", padding.as_str()),
                };
                line.push_str(&[before, cell, after].concat());
            }
        }
        let lines = lines.iter().map(|line| line.trim_end().to_owned() + "\n");
        lines.collect()
    }
}
