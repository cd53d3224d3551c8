//! The word lists under `content/swag`.

use serde::Deserialize;

use crate::{DemoDataError, parse};

/// First sentences and who acts in them.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Frames {
    /// Templates with the slots `{who}` and `{opening}`.
    pub(super) frames: Vec<String>,
    /// "the old man": a subject that sentence 2 repeats instead of a pronoun.
    pub(super) roles: Vec<String>,
}

/// Something that people do, and how it may go on.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Activity {
    /// Activities of one group may share an ending, so they never serve as each other's wrong endings.
    pub(super) group: String,
    /// Predicates of the first sentence.
    pub(super) openings: Vec<String>,
    /// Predicates of the second sentence that follow from an opening of this activity alone.
    pub(super) endings: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Activities {
    activity: Vec<Activity>,
}

/// # Errors
///
/// If the file is not what we expect.
pub(super) fn load_frames() -> Result<Frames, DemoDataError> {
    parse(
        "swag/frames.toml",
        include_str!("../../content/swag/frames.toml"),
    )
}

/// # Errors
///
/// If a file is not what we expect.
pub(super) fn load_activities() -> Result<Vec<Activity>, DemoDataError> {
    let files = [
        (
            "swag/activities_in.toml",
            include_str!("../../content/swag/activities_in.toml"),
        ),
        (
            "swag/activities_out.toml",
            include_str!("../../content/swag/activities_out.toml"),
        ),
    ];
    let mut activities = Vec::new();
    for (file, text) in files {
        activities.extend(parse::<Activities>(file, text)?.activity);
    }
    Ok(activities)
}
