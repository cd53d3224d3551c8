//! `report`: a run's folder as a page, and runs side by side.

use std::path::PathBuf;

use bert_report::{RunReport, render_comparison, write_atomically, write_report};
use serde_json::json;

use crate::args::ReportArgs;
use crate::exit::bad_usage;
use crate::terminal;

/// Where a comparison goes, where the user does not say.
const COMPARISON: &str = "comparison.html";

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
    let pages = match args.compare {
        true => vec![compare(args)?],
        false => {
            if args.output.is_some() {
                bad_usage!("--output: found no --compare; a run's report goes into its own folder");
            }
            let pages = args.runs.iter().map(|dir| write_report(dir));
            pages.collect::<Result<_, _>>()?
        }
    };
    for page in &pages {
        match terminal::json() {
            true => terminal::line(&json!({"report": page}).to_string())?,
            false => terminal::line(&page.display().to_string())?,
        }
    }
    Ok(())
}

fn compare(args: &ReportArgs) -> anyhow::Result<PathBuf> {
    let runs = args.runs.iter().map(|dir| RunReport::read(dir));
    let runs = runs.collect::<Result<Vec<_>, _>>()?;
    let page = render_comparison(&runs)?;
    let path = args.output.clone().unwrap_or_else(|| COMPARISON.into());
    write_atomically(&path, |out| out.write_all(page.as_bytes()))?;
    Ok(path)
}
