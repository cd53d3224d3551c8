//! `report.html`: a run, or several side by side, as one page that needs nothing else.
//!
//! Markup is made by `maud`, which escapes; what it is told to take as it is are the style sheet and the plots, which
//! hold no text but ours. Texts of data, settings and paths go through `text::Clean`.

mod axes;
mod comparison;
mod curves;
mod data;
mod glue;
mod page;
mod passage;
mod plot;
mod squad;
mod swag;
mod sweep;
mod tables;
mod text;
mod thinning;

use std::path::Path;

use bert_records::seconds_of;
pub use comparison::{comparison_path, render_comparison};
use maud::{Markup, html};
use serde_json::Value;
pub use sweep::render_sweep;

use crate::{RunReport, Scores, TaskReport};
pub(crate) use tables::leaves;
use text::{Clean, duration, percent};

impl RunReport {
    /// The run as a page: HTML that loads nothing and runs nothing.
    pub fn render(&self) -> String {
        let task = self.task_label();
        let name = self.name();
        let title = task
            .as_ref()
            .map_or_else(|| name.clone(), |task| format!("{name}: {task}"));
        page::page(
            &title,
            self.header(task.as_deref(), &name),
            self.main(),
            &self.record.version,
        )
    }

    /// What the run is called: the last part of its folder's path.
    pub(crate) fn name(&self) -> String {
        // `.` and `..` have no name of their own.
        let whole = self.dir.canonicalize();
        let whole = whole.as_ref().unwrap_or(&self.dir);
        let name = whole.file_name().unwrap_or(whole.as_os_str());
        name.to_string_lossy().into_owned()
    }

    /// The name of the model that the run started from, or the last part of its path.
    fn model(&self) -> Option<&str> {
        let path = self.record.settings.get("bert_model")?.as_str()?;
        Path::new(path)
            .file_name()
            .and_then(|name| name.to_str())
            .or(Some(path))
    }

    /// Seconds from the record's start to its end.
    fn seconds(&self) -> Option<u64> {
        let finished = seconds_of(self.record.finished.as_ref()?)?;
        finished.checked_sub(seconds_of(&self.record.created)?)
    }

    fn header(&self, task: Option<&str>, name: &str) -> Markup {
        let summary = |pointer| {
            self.record
                .summary
                .as_ref()
                .and_then(|summary| summary.pointer(pointer))
        };
        let (state, words) = if self.is_finished() {
            ("done", "finished")
        } else {
            ("open", "unfinished: still running, or interrupted")
        };
        html! {
            p.kicker { @match task { Some(task) => (text::text(task)), None => "Fine-tuning" } }
            h1 { (text::text(name)) }
            dl.facts {
                div { dt { "Status" } dd { span class={"status " (state)} { (words) } } }
                @if !self.record.created.is_empty() { div { dt { "Started" } dd { (when(&self.record.created)) } } }
                @if let Some(seconds) = self.seconds() { div { dt { "Duration" } dd { (duration(seconds as f64)) } } }
                @if let Some(steps) = self.steps() { div { dt { "Steps" } dd { (steps) } } }
                @if let Some(model) = self.model() { div { dt { "Base model" } dd { (text::text(model)) } } }
                div { dt { "Folder" } dd { code { (text::text(&self.dir.display().to_string())) } } }
            }
            (figures(&self.score_rows()))
            @if let Some(Value::String(why)) = summary("/outcome/degenerate") {
                p.warning { strong { "Nothing learnt: " } (text::text(why)) }
            }
        }
    }

    /// Steps done, and of how many where that is known.
    fn steps(&self) -> Option<String> {
        let summary = |key| self.record.summary.as_ref()?.get(key)?.as_u64();
        let logged = || {
            self.metrics
                .steps
                .values()
                .filter_map(|series| series.points.last())
                .map(|point| point.0)
                .reduce(f64::max)
        };
        match (summary("steps"), summary("total_steps")) {
            (Some(steps), Some(total)) if steps != total => Some(format!(
                "{} of {}",
                text::grouped(steps),
                text::grouped(total)
            )),
            (Some(steps), _) => Some(text::grouped(steps)),
            (None, _) => logged().map(|step| format!("{} logged", text::short(step))),
        }
    }

    fn main(&self) -> Markup {
        html! {
            h2 { "Training" }
            (curves::curves(&self.metrics))
            (tables::evaluations(self))
            (tables::results(self))
            @match &self.task {
                Some(TaskReport::Squad(report)) => (squad::squad(report)),
                Some(TaskReport::Swag(report)) => (swag::swag(report)),
                Some(TaskReport::Glue(report)) => (glue::glue(report)),
                None => {},
            }
            @if let Some(check) = &self.data { (data::data(check)) }
            h2 { "What of the data was left out" }
            (tables::left_out(self))
            h2 { "The run" }
            div.pair {
                div { (tables::environment(self)) }
                div { (tables::summary(self)) }
            }
            h2 { "Settings" }
            (tables::settings(self))
            h2 { "Inputs" }
            (tables::inputs(&self.record.inputs))
        }
    }
}

/// The scores that a run is judged by, large: those of the last model. The others' scores, such as those before training,
/// are below them.
fn figures(models: &[(String, Scores)]) -> Markup {
    let Some(((_, scores), others)) = models.split_last() else {
        return html! {};
    };
    let of = |scores: &Scores, name: &str| {
        let found = scores.iter().find(|(other, _)| other == name);
        found.map(|(_, score)| *score)
    };
    html! {
        @if !scores.is_empty() {
            ul.figures { @for (name, score) in scores { li {
                span.name { (text::text(name)) }
                span.figure { (percent(*score)) @if score.is_some() { small { " %" } } }
                @for (model, scores) in others { @if let Some(score) = of(scores, name) {
                    span.note { (text::text(model)) " " (percent(score)) @if score.is_some() { " %" } }
                } }
            } } }
        }
    }
}

/// A date and time as a person reads it.
fn when(date: &str) -> Markup {
    if seconds_of(date).is_none() {
        return text::text(date);
    }
    let (day, time) = date.split_once('T').unwrap_or((date, ""));
    html! { time datetime=(Clean(date)) { (Clean(day)) " " (Clean(time.trim_end_matches('Z'))) " UTC" } }
}
