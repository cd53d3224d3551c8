//! Progress on stderr: a bar on a terminal, a line now and then elsewhere.

use std::io::{self, IsTerminal, Write, stderr};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use bert_collective::Collective;
use bert_finetune::Program;
use bert_tasks::{Counter, Watch};
use bert_training::memory::Advice;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use tracing::info;

use crate::exit::with_flags;
use crate::{allocator, interrupt, processes, terminal};

/// Seconds between two lines where stderr is not a terminal.
const LINE_EVERY: Duration = Duration::from_secs(15);

/// Every bar, so that one is drawn below the other and no log line runs into them.
fn bars() -> &'static MultiProgress {
    static BARS: OnceLock<MultiProgress> = OnceLock::new();
    BARS.get_or_init(|| {
        MultiProgress::with_draw_target(
            if stderr().is_terminal() && !terminal::quiet() && processes::leads() {
                ProgressDrawTarget::stderr_with_hz(5)
            } else {
                ProgressDrawTarget::hidden()
            },
        )
    })
}

/// stderr for log lines: bars make room for them.
pub(crate) struct LogLines;

impl Write for LogLines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let prefix = processes::prefix();
        let line = [prefix.as_bytes(), bytes].concat();
        bars().suspend(|| stderr().write_all(&line))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        stderr().flush()
    }
}

/// A bar or its plain form.
pub(crate) struct Progress {
    bar: ProgressBar,
    what: String,
    unit: &'static str,
    /// Where it began: what an earlier process has done is not counted as speed.
    from: u64,
    total: u64,
    plain: bool,
    started: Instant,
    last_line: Instant,
}

impl Progress {
    /// Starts a bar of which `from` of `total` units are done.
    pub(crate) fn start(what: &str, unit: &'static str, from: usize, total: usize) -> Self {
        let bar = bars().add(ProgressBar::new(total as u64));
        // The message comes last and is cut where the terminal ends.
        let template =
            format!("{{prefix}} [{{bar:16}}] {{pos}}/{{len}} {unit} ({{eta}} left) {{wide_msg}}");
        let style = ProgressStyle::with_template(&template).expect("the template is valid");
        bar.set_style(style.progress_chars("=> "));
        bar.set_prefix(what.to_owned());
        bar.set_position(from as u64);
        bar.reset_eta();
        Self {
            bar,
            what: what.to_owned(),
            unit,
            from: from as u64,
            total: total as u64,
            plain: !stderr().is_terminal(),
            started: Instant::now(),
            last_line: Instant::now(),
        }
    }

    /// Starts a bar of bytes; 0 where their number is not known.
    pub(crate) fn bytes(file: &str, from: u64, total: u64) -> Self {
        let progress = Self::start(file, "bytes", from as usize, total as usize);
        let template = match total {
            0 => "{prefix} {bytes} ({elapsed} gone)",
            _ => "{prefix} [{bar:20}] {bytes}/{total_bytes} {bytes_per_sec} ({eta} left)",
        };
        let style = ProgressStyle::with_template(template).expect("the template is valid");
        progress.bar.set_style(style.progress_chars("=> "));
        progress
    }

    /// `done` units are done; `detail` is computed only where it is shown.
    pub(crate) fn update(&mut self, done: usize, detail: impl FnOnce() -> String) {
        let done = done as u64;
        self.bar.set_position(done);
        if !self.plain {
            self.bar.set_message(detail());
        } else if self.last_line.elapsed() >= LINE_EVERY {
            self.last_line = Instant::now();
            let gone = self.started.elapsed().as_secs_f64();
            let here = done.saturating_sub(self.from).max(1);
            let left = gone / here as f64 * self.total.saturating_sub(done) as f64;
            let mut detail = detail();
            if !detail.is_empty() {
                detail.push(' ');
            }
            let (what, total, unit) = (&self.what, self.total, self.unit);
            info!("{what} {done}/{total} {unit} {detail}({gone:.0} s gone, {left:.0} s left)");
        }
    }
}

impl Counter for Progress {
    fn update(&mut self, done: usize, detail: &dyn Fn() -> String) {
        Progress::update(self, done, detail);
    }
}

/// The program at a terminal: bars, Ctrl-C, and advice when memory runs out.
pub(crate) struct Terminal;

impl Watch for Terminal {
    fn start(&self, what: &str, unit: &'static str, done: usize, total: usize) -> Box<dyn Counter> {
        Box::new(Progress::start(what, unit, done, total))
    }

    fn stop_requested(&self) -> bool {
        interrupt::requested()
    }
}

impl Program for Terminal {
    fn training_begins(&self, advice: &[Advice]) -> io::Result<()> {
        let advice: Vec<String> = advice.iter().map(|a| with_flags(&a.to_string())).collect();
        allocator::advise(&advice);
        interrupt::listen()
    }

    fn training_ends(&self) {
        allocator::forget_advice();
    }

    fn collective(&self) -> &dyn Collective {
        processes::collective()
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
        bars().remove(&self.bar);
    }
}
