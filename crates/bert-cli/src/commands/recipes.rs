//! `recipes`: the settings that `--recipe` takes by name, listed or printed.

use serde_json::json;

use crate::args::RecipesArgs;
use crate::config::recipes;
use crate::exit::bad_usage;
use crate::terminal;

/// Prints a recipe's file, or a line for each recipe.
///
/// # Errors
/// When there is no such recipe, the demo's files cannot be written, or stdout is closed.
pub(crate) fn run(args: &RecipesArgs) -> anyhow::Result<()> {
    if let (Some(verb), Some(name)) = (&args.verb, &args.name) {
        print!("{}", recipes::text(verb, name)?);
        return Ok(());
    }
    let listed: Vec<_> = recipes::all()
        .filter(|(verb, ..)| args.verb.as_ref().is_none_or(|own| own == verb))
        .collect();
    if let (Some(verb), true) = (&args.verb, listed.is_empty()) {
        bad_usage!("found {verb:?}, expected train-squad, train-swag or train-glue");
    }
    for (verb, name, what) in listed {
        if terminal::json() {
            let line = json!({"command": verb, "recipe": name, "about": what});
            terminal::line(&line.to_string())?;
        } else {
            terminal::line(&format!("{verb:<12} {name:<8} {what}"))?;
        }
    }
    Ok(())
}
