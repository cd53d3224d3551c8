//! `report`: a run's folder as a page, and runs side by side; and what a run leaves for it.

use std::path::{Path, PathBuf};

use bert_report::{
    Environment, RunDetails, RunReport, TaskReport, render_comparison, write_atomically,
    write_report,
};
use serde_json::json;
use sysinfo::System;
use tracing::{info, warn};

use crate::args::ReportArgs;
use crate::backend::DeviceChoice;
use crate::exit::bad_usage;
use crate::{monitor, terminal};

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

/// Leaves `report.json` and `report.html` in the folder of a run that has ended. The run is whole without them.
pub(crate) fn leave(dir: &Path, task_name: String, device: DeviceChoice, task: Option<TaskReport>) {
    let details = RunDetails {
        task_name: Some(task_name),
        environment: environment(device),
        task,
    };
    match details.write(dir).and_then(|()| write_report(dir)) {
        Ok(page) => info!("{}: curves, scores and the worst mistakes", page.display()),
        Err(error) => warn!("the run is finished, but its report could not be written: {error}"),
    }
}

/// Where this process runs.
fn environment(device: DeviceChoice) -> Environment {
    let mut system = System::new();
    system.refresh_cpu_list(sysinfo::CpuRefreshKind::nothing());
    system.refresh_memory();
    let cpu = system.cpus().first().map_or("", |cpu| cpu.brand().trim());
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let features: Vec<&str> = [
        ("flex", cfg!(feature = "flex")),
        ("cuda", cfg!(feature = "cuda")),
    ]
    .into_iter()
    .filter_map(|(name, on)| on.then_some(name))
    .collect();
    let mut environment = Environment::default();
    environment.push("bert", env!("CARGO_PKG_VERSION"));
    environment.push("Burn", "0.22.1");
    environment.push("device", device.to_string());
    if let Some(info) = device.cuda_index().and_then(monitor::device_info) {
        environment.push("GPU", info.name);
    }
    environment.push("processor", cpu);
    environment.push("cores", cores.to_string());
    environment.push(
        "memory",
        format!(
            "{:.1} GiB",
            system.total_memory() as f64 / (1_u64 << 30) as f64
        ),
    );
    environment.push(
        "system",
        System::long_os_version().unwrap_or_else(|| std::env::consts::OS.to_owned()),
    );
    environment.push("architecture", std::env::consts::ARCH);
    environment.push("built with", features.join(", "));
    environment
}
