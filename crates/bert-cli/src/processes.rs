//! The processes that a launcher such as `mpirun` starts for one command. They are joined before anything is read, and
//! the first alone speaks: the others print warnings, and an error that is theirs alone.

use std::sync::OnceLock;
use std::time::Duration;

use bert_collective::{Alone, Collective, Launch, Queue};
use bert_finetune::FinetuneError;
use bert_training::TrainError;

use crate::exit::bad_usage;

/// How long an error that all processes may have is left to the first one, whose end has the launcher end the others:
/// Open MPI takes two seconds for it.
const GIVE_WAY: Duration = Duration::from_secs(5);
/// How much longer each further process waits, so that one speaks.
const EACH: Duration = Duration::from_millis(100);

static JOINED: OnceLock<Queue> = OnceLock::new();

/// What the launcher says; `None` for a process that is started alone.
pub(crate) fn launch() -> Option<Launch> {
    static LAUNCH: OnceLock<Option<Launch>> = OnceLock::new();
    *LAUNCH.get_or_init(Launch::of_environment)
}

/// Whether this is the process that prints and writes.
pub(crate) fn leads() -> bool {
    launch().is_none_or(|launch| launch.rank == 0)
}

/// What the lines of a process that does not lead begin with.
pub(crate) fn prefix() -> String {
    match launch() {
        Some(launch) if launch.rank > 0 => format!("process {}: ", launch.rank),
        _ => String::new(),
    }
}

/// What is added to an error that the leading process did not have.
pub(crate) fn hint(is_bad_input: bool) -> &'static str {
    if is_bad_input && !leads() {
        "; process 0 found nothing wrong: do all machines see the same files?"
    } else {
        ""
    }
}

/// Joins the processes of this command, where there are several.
///
/// # Errors
/// When the command has no work to share, or the processes cannot be joined.
pub(crate) fn join(shares: bool) -> anyhow::Result<()> {
    let Some(launch) = launch() else {
        return Ok(());
    };
    if !shares {
        let size = launch.size;
        bad_usage!(
            "found {size} processes, expected one: trainings and predictions alone are shared"
        );
    }
    connect(launch)
}

#[cfg(feature = "mpi")]
fn connect(launch: Launch) -> anyhow::Result<()> {
    let queue = bert_collective::mpi::start()?;
    if queue.size() != launch.size {
        bad_usage!(
            "found {} processes that were started and {} that MPI joins, expected as many: start them with the MPI that \
             `bert` is built with",
            launch.size,
            queue.size()
        );
    }
    // Nothing else sets it.
    let _ = JOINED.set(queue);
    Ok(())
}

#[cfg(not(feature = "mpi"))]
fn connect(launch: Launch) -> anyhow::Result<()> {
    let message = format!(
        "found {} processes, expected one: this `bert` is built without MPI, which the feature `mpi` of bert-cli adds",
        launch.size
    );
    Err(crate::exit::BadUsage(message).into())
}

/// Takes leave of the other processes, which do the same, at the end of a command that has succeeded.
pub(crate) fn part() {
    if let Some(queue) = JOINED.get() {
        queue.finish();
    }
}

/// The processes of this command.
pub(crate) fn collective() -> &'static dyn Collective {
    match JOINED.get() {
        Some(queue) => queue,
        None => &Alone,
    }
}

/// Gives the leading process the time to tell an error that it has too, and returns whether this process, which then is
/// still alive, has one to tell. A process that ends ends the others.
pub(crate) fn speaks(error: Option<&anyhow::Error>) -> bool {
    let Some(launch) = launch().filter(|launch| launch.rank > 0) else {
        return true;
    };
    std::thread::sleep(GIVE_WAY + EACH * launch.rank.min(100) as u32);
    let error = error.and_then(|error| error.downcast_ref::<FinetuneError>());
    !matches!(error, Some(FinetuneError::Training(TrainError::Led(_))))
}
