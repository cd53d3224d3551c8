//! The report that a run leaves.

use std::path::Path;

use bert_backend::{BACKENDS, BURN_VERSION, DeviceChoice};
use bert_report::{DataCheck, Environment, RunDetails, TaskReport, write_card, write_report};
use bert_tasks::check::{CheckSettings, check};
use bert_tokenization::BertTokenizer;
use sysinfo::System;
use tracing::{debug, warn};

use crate::TaskSettings;

/// Leaves `report.json` and `report.html` in the folder of a run that has ended. The run is whole without them.
pub(crate) fn leave(
    dir: &Path,
    task_name: String,
    device: DeviceChoice,
    data: Option<DataCheck>,
    task: Option<TaskReport>,
) {
    let details = RunDetails {
        task_name: Some(task_name),
        environment: environment(device),
        data,
        task,
    };
    match details.write(dir).and_then(|()| write_report(dir)) {
        Ok(report) => {
            for notice in &report.notices {
                warn!("{notice}");
            }
            debug!("{}: written", report.path.display());
        }
        Err(error) => warn!("the run is finished, but its report could not be written: {error}"),
    }
}

/// Looks at the files that a run was trained on. The run is whole without it.
pub(crate) fn look_at_data(task: &TaskSettings, tokenizer: &BertTokenizer) -> Option<DataCheck> {
    let settings = match task {
        TaskSettings::TrainSquad(own) => CheckSettings::of_squad(own),
        TaskSettings::TrainSwag(own) => CheckSettings::of_swag(own),
        TaskSettings::TrainGlue(own) => CheckSettings::of_glue(own),
    }?;
    match check(&settings, tokenizer) {
        Ok(found) => Some(found),
        Err(error) => {
            warn!("the report says nothing of the data: {error}");
            None
        }
    }
}

/// Leaves `README.md`, the model's card, beside a model and its report. The run is whole without it.
pub(crate) fn leave_card(dir: &Path) {
    match write_card(dir) {
        Ok(true) => {}
        Ok(false) => warn!(
            "{}: left as it is: somebody else wrote it",
            dir.join("README.md").display()
        ),
        Err(error) => {
            warn!("the run is finished, but its model card could not be written: {error}")
        }
    }
}

/// The machine and the program, for a report: names and values.
pub fn environment(device: DeviceChoice) -> Environment {
    let mut system = System::new();
    system.refresh_cpu_list(sysinfo::CpuRefreshKind::nothing());
    system.refresh_memory();
    let cpu = system.cpus().first().map_or("", |cpu| cpu.brand().trim());
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let compiled = BACKENDS.iter().filter(|kind| kind.is_compiled_in);
    let features: Vec<&str> = compiled.map(|kind| kind.feature).collect();
    let mut environment = Environment::default();
    environment.push("bert", env!("CARGO_PKG_VERSION"));
    environment.push("Burn", BURN_VERSION);
    environment.push("device", device.to_string());
    if let Some(name) = device.name() {
        environment.push("GPU", name);
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
