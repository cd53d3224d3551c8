//! `check`: what data hold, before anything is trained.

use std::io::{self, Write};

use bert_tasks::check::{CheckSettings, CheckedTask, DataCheck, FileCheck, check};
use bert_tasks::glue::{LabelColumn, TextTask};
use bert_tasks::read_tokenizer;

use crate::args::CheckArgs;
use crate::exit::bad_usage;
use crate::{resolve, terminal};

/// The most labels that are printed.
const LABELS: usize = 12;

/// Columns of the longest bar.
const BAR: usize = 40;

/// Prints what the files hold.
///
/// # Errors
/// When a file is bad, or there is nothing to tell apart.
pub(crate) fn run(args: &CheckArgs) -> anyhow::Result<()> {
    resolve::check_inputs([&args.train_file].into_iter().chain(&args.eval_file))?;
    let task = args.task.0;
    let is_table = task == CheckedTask::Text(TextTask::Csv);
    check_columns(args)?;
    if !is_table && (args.regression || args.multi_label) {
        bad_usage!(
            "--regression and --multi-label: found a task whose labels are known, expected --task csv"
        );
    }
    let dir = resolve::checkpoint_dir(&args.bert_model)?;
    let tokenizer = read_tokenizer(&dir, args.casing.do_lower_case)?;
    let usual = if task == CheckedTask::Squad { 384 } else { 128 };
    let settings = CheckSettings {
        task,
        train_file: args.train_file.clone(),
        eval_file: args.eval_file.clone(),
        max_seq_length: args.max_seq_length.unwrap_or(usual),
        columns: resolve::glue::text_columns(&args.columns),
        question_columns: args.answers.asked(&args.context),
        choice_columns: args.endings.asked(&args.context, &args.columns.label),
        labels: match (args.regression, args.multi_label) {
            _ if !args.columns.label_columns.is_empty() => LabelColumn::Marks,
            (true, _) => LabelColumn::Number,
            (_, true) => LabelColumn::labels(args.label_separator),
            _ => LabelColumn::Class,
        },
    };
    let found = check(&settings, &tokenizer)?;
    if terminal::json() {
        return Ok(terminal::line(&serde_json::to_string(&found)?)?);
    }
    print(&found, &settings)?;
    Ok(())
}

/// Checks that the named columns are ones that rows of the task have.
///
/// # Errors
/// When one is not.
fn check_columns(args: &CheckArgs) -> anyhow::Result<()> {
    let task = args.task.0;
    let (of_texts, of_choices, of_questions) = (
        task == CheckedTask::Text(TextTask::Csv),
        task == CheckedTask::Swag,
        task == CheckedTask::Squad,
    );
    let columns = &args.columns;
    for (flag, is_given, fits) in [
        ("--text-column", columns.text_column.is_some(), of_texts),
        (
            "--text-pair-column",
            columns.text_pair_column.is_some(),
            of_texts,
        ),
        (
            "--label-column",
            columns.label.label_column.is_some(),
            of_texts || of_choices,
        ),
        (
            "--label-columns",
            !columns.label_columns.is_empty(),
            of_texts,
        ),
        (
            "--context-column",
            args.context.context_column.is_some(),
            of_questions || of_choices,
        ),
        (
            "--question-column",
            args.answers.question_column.is_some(),
            of_questions,
        ),
        (
            "--answers-column",
            args.answers.answers_column.is_some(),
            of_questions,
        ),
        (
            "--ending-columns",
            !args.endings.ending_columns.is_empty(),
            of_choices,
        ),
    ] {
        if is_given && !fits {
            bad_usage!(
                "{flag}: found a --task whose rows have no such column, expected one with it"
            );
        }
    }
    Ok(())
}

fn print(found: &DataCheck, settings: &CheckSettings) -> io::Result<()> {
    let mut out = io::stdout().lock();
    for file in &found.files {
        print_file(&mut out, file, settings)?;
    }
    if found.files.len() > 1 {
        let percent = 100.0 * found.overlap as f64 / found.files[1].rows as f64;
        writeln!(
            out,
            "in both files  {} rows ({percent:.1} % of the development file)",
            found.overlap
        )?;
    }
    match found.suggested_max_seq_length {
        _ if settings.task == CheckedTask::Squad => writeln!(
            out,
            "longer contexts are read in windows: --max-seq-length 384 is usual"
        ),
        Some(length) => writeln!(
            out,
            "--max-seq-length {length} holds 99 % of the training rows whole"
        ),
        None => writeln!(
            out,
            "no --max-seq-length up to 512 holds 99 % of the training rows whole"
        ),
    }
}

fn print_file(out: &mut impl Write, file: &FileCheck, settings: &CheckSettings) -> io::Result<()> {
    writeln!(out, "{}", file.path.display())?;
    writeln!(out, "  rows         {}", file.rows)?;
    let odd = [
        (file.empty, "without a text"),
        (file.repeated, "repeat an earlier one"),
        (file.conflicting, "texts with different labels"),
        (
            file.misplaced_answers,
            "answers that do not stand at their offset",
        ),
    ];
    for (count, what) in odd.into_iter().filter(|(count, _)| *count > 0) {
        writeln!(out, "               {count} {what}")?;
    }
    let mut labels: Vec<(&String, &usize)> = file.labels.iter().collect();
    labels.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
    for (n, (label, count)) in labels.iter().take(LABELS).enumerate() {
        let name = if n == 0 { "labels" } else { "" };
        let percent = 100.0 * **count as f64 / file.rows as f64;
        writeln!(out, "  {name:<11}  {count:>7} {percent:>5.1} %  {label}")?;
    }
    if labels.len() > LABELS {
        writeln!(
            out,
            "               and {} more labels",
            labels.len() - LABELS
        )?;
    }
    if let Some(numbers) = file.numbers {
        writeln!(
            out,
            "  numbers      {} to {}, mean {:.4}; always saying the mean is off by {:.4} (root mean square)",
            numbers.least, numbers.most, numbers.mean, numbers.standard_deviation
        )?;
    }
    if let Some(count) = file.unlabelled {
        writeln!(out, "               {count} rows without a label")?;
    }
    if let (Some(majority), Some(random)) = (file.majority_accuracy, file.random_accuracy) {
        writeln!(
            out,
            "  guessing     {:.1} % right by the most frequent label, {:.1} % by chance",
            100.0 * majority,
            100.0 * random
        )?;
    }
    let tokens = &file.tokens;
    writeln!(
        out,
        "  tokens       {} to {}, median {}, 95 % up to {}, 99 % up to {}",
        tokens.least, tokens.most, tokens.median, tokens.percentile_95, tokens.percentile_99
    )?;
    let most = tokens
        .histogram
        .iter()
        .map(|(_, count)| *count)
        .max()
        .unwrap_or(1);
    for (bound, count) in &tokens.histogram {
        let bar = "#".repeat((BAR * count).div_ceil(most));
        writeln!(out, "    up to {bound:>5} {count:>8} {bar}")?;
    }
    writeln!(
        out,
        "  longer than {} (--max-seq-length): {:.1} %, [UNK] {:.2} % of the tokens",
        settings.max_seq_length,
        100.0 * file.cut_share,
        100.0 * file.unknown_share
    )
}
