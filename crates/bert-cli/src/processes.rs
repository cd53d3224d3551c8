//! The processes that a launcher such as `mpirun` or `torchrun` starts for one command. They are joined before anything is read, and
//! the first alone speaks: the others print warnings, and an error that is theirs alone.

use std::sync::OnceLock;
use std::time::Duration;

use bert_collective::{Alone, Collective, Launch, Meeting};
use bert_finetune::FinetuneError;
use bert_training::TrainError;

use crate::exit::bad_usage;

/// How long an error that all processes may have is left to the first one, whose end has the launcher end the others:
/// Open MPI takes two seconds for it.
const GIVE_WAY: Duration = Duration::from_secs(5);
/// How much longer each further process waits, so that one speaks.
const EACH: Duration = Duration::from_millis(100);

static JOINED: OnceLock<Box<dyn Collective>> = OnceLock::new();

/// What the launcher says; `None` for a process that is started alone.
pub(crate) fn launch() -> Option<&'static Launch> {
    static LAUNCH: OnceLock<Option<Launch>> = OnceLock::new();
    LAUNCH.get_or_init(Launch::of_environment).as_ref()
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
    let joined = match &launch.meeting {
        Meeting::Mpi => by_mpi(launch.size)?,
        Meeting::Address {
            address,
            local_rank,
        } => by_gpus(launch, address, *local_rank)?,
    };
    // Nothing else sets it.
    let _ = JOINED.set(joined);
    Ok(())
}

#[cfg(feature = "mpi")]
fn by_mpi(size: usize) -> anyhow::Result<Box<dyn Collective>> {
    let queue = bert_collective::mpi::start()?;
    if queue.size() != size {
        bad_usage!(
            "found {size} processes that were started and {} that MPI joins, expected as many: start them with the MPI that \
             `bert` is built with",
            queue.size()
        );
    }
    Ok(Box::new(queue))
}

#[cfg(not(feature = "mpi"))]
fn by_mpi(size: usize) -> anyhow::Result<Box<dyn Collective>> {
    bad_usage!(
        "found {size} processes, expected one: this `bert` is built without MPI, which the feature `mpi` of bert-cli adds"
    );
}

#[cfg(feature = "cuda")]
fn by_gpus(
    launch: &Launch,
    address: &str,
    local_rank: usize,
) -> anyhow::Result<Box<dyn Collective>> {
    use bert_backend::{Backend, DeviceChoice};
    use bert_training::device_collective::DeviceCollective;

    let choice: DeviceChoice = "cuda".parse().expect("CUDA is compiled in");
    let backend = Backend::open(choice.of_process(local_rank))?;
    let joined = DeviceCollective::join(
        &backend.device,
        launch.rank,
        launch.size,
        local_rank,
        address,
    )?;
    Ok(Box::new(joined))
}

#[cfg(not(feature = "cuda"))]
fn by_gpus(launch: &Launch, _: &str, _: usize) -> anyhow::Result<Box<dyn Collective>> {
    bad_usage!(
        "found {} processes that MASTER_ADDR joins, expected `mpirun`, or a `bert` with CUDA: without MPI, processes talk \
         through their GPUs",
        launch.size
    );
}

/// Takes leave of the other processes, which do the same, at the end of a command that has succeeded.
pub(crate) fn part() {
    if let Some(joined) = JOINED.get() {
        joined.finish();
    }
}

/// The processes of this command.
pub(crate) fn collective() -> &'static dyn Collective {
    match JOINED.get() {
        Some(joined) => joined.as_ref(),
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
