//! `report`: a run's folder as a page, and runs side by side.

use std::path::PathBuf;

use bert_files::write_atomically;
use bert_report::{ReportError, RunReport, comparison_path, render_comparison, write_report};
use serde_json::json;
use tracing::warn;

use crate::args::ReportArgs;
use crate::exit::bad_usage;
use crate::terminal;

/// Writes `report.html` into each run's folder, or one page that compares them.
///
/// # Errors
/// When a folder holds no run, a file of it is damaged, or a page cannot be written.
pub(crate) fn run(args: &ReportArgs) -> anyhow::Result<()> {
    for dir in &args.runs {
        if !dir.is_dir() {
            bad_usage!(
                "{}: found no such folder, expected the output folder of a run",
                dir.display()
            );
        }
    }
    let pages = if args.compare {
        vec![compare(args)?]
    } else {
        if args.output.is_some() {
            bad_usage!("--output: found no --compare; a run's report goes into its own folder");
        }
        let pages = args.runs.iter().map(|dir| {
            let report = write_report(dir)?;
            report.notices.iter().for_each(|notice| warn!("{notice}"));
            Ok(report.path)
        });
        pages.collect::<Result<_, ReportError>>()?
    };
    for page in &pages {
        if terminal::json() {
            terminal::line(&json!({"report": page}).to_string())?
        } else {
            terminal::line(&page.display().to_string())?
        }
    }
    Ok(())
}

fn compare(args: &ReportArgs) -> anyhow::Result<PathBuf> {
    // Before anything is read: a comparison that cannot be kept is not made.
    let path = match comparison_path(args.output.as_deref()) {
        Err(ReportError::Exists { path }) => bad_usage!(
            "{0}: found a file of this name, expected none; `--output {0}` replaces it",
            path.display()
        ),
        path => path?,
    };
    let runs = args.runs.iter().map(|dir| RunReport::read(dir));
    let runs = runs.collect::<Result<Vec<_>, _>>()?;
    let page = render_comparison(&runs)?;
    write_atomically(&path, |out| out.write_all(page.as_bytes()))?;
    for notice in runs.iter().flat_map(RunReport::notices) {
        warn!("{notice}");
    }
    Ok(path)
}
