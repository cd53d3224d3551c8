//! What a launcher says of the processes that it starts, before they are joined.

/// One of several processes that a launcher has started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Launch {
    /// The process's number, from 0.
    pub rank: usize,
    /// How many processes there are, more than one.
    pub size: usize,
    /// What joins them.
    pub meeting: Meeting,
}

/// What joins processes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Meeting {
    /// MPI, whose launcher has started them.
    Mpi,
    /// An address, which all know, of the process 0.
    Address {
        /// Host and port.
        address: String,
        /// The process's number among those of its machine, from 0.
        local_rank: usize,
    },
}

/// Variables by which a launcher of MPI tells a process its number and their number. PMIx tells the number alone; Slurm
/// sets its own also for a script that starts one process, so that they count only beside a number of PMIx.
const MPI: [(&str, &[&str]); 3] = [
    ("OMPI_COMM_WORLD_RANK", &["OMPI_COMM_WORLD_SIZE"]),
    ("PMI_RANK", &["PMI_SIZE"]),
    ("PMIX_RANK", &["SLURM_STEP_NUM_TASKS", "SLURM_NTASKS"]),
];

/// The same for launchers that name an address in `MASTER_ADDR` and `MASTER_PORT`, with the number on the machine: `torchrun`
/// and Kubernetes' PyTorchJob, and Slurm in a script that sets the address.
const ADDRESSED: [[&str; 3]; 2] = [
    ["RANK", "WORLD_SIZE", "LOCAL_RANK"],
    ["SLURM_PROCID", "SLURM_NTASKS", "SLURM_LOCALID"],
];

impl Launch {
    /// What the environment says; `None` for a process that is started alone.
    pub fn of_environment() -> Option<Self> {
        Self::from_variables(|name| std::env::var(name).ok())
    }

    fn from_variables(value: impl Fn(&str) -> Option<String>) -> Option<Self> {
        let number = |name: &str| value(name)?.parse::<usize>().ok();
        let by_mpi = || {
            MPI.into_iter().find_map(|(rank, sizes)| {
                Some(Self {
                    rank: number(rank)?,
                    size: sizes.iter().find_map(|size| number(size))?,
                    meeting: Meeting::Mpi,
                })
            })
        };
        let by_address = || {
            let (host, port) = (value("MASTER_ADDR")?, number("MASTER_PORT")?);
            // The agent of torchrun keeps the port itself; the next one is as free as that of any launcher.
            let is_taken = value("TORCHELASTIC_USE_AGENT_STORE").is_some_and(|it| it == "True");
            let port = port + usize::from(is_taken);
            ADDRESSED.into_iter().find_map(|[rank, size, local_rank]| {
                let rank = number(rank)?;
                Some(Self {
                    rank,
                    size: number(size)?,
                    meeting: Meeting::Address {
                        address: format!("{host}:{port}"),
                        // A launcher that does not tell starts one process on each machine.
                        local_rank: number(local_rank).unwrap_or(0),
                    },
                })
            })
        };
        let found = by_mpi().or_else(by_address);
        found.filter(|launch| launch.size > 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn launchers_are_told_apart_from_a_single_process() {
        let found = |variables: &[(&str, &str)]| {
            let launch = Launch::from_variables(|name| {
                let pair = variables.iter().find(|(own, _)| *own == name);
                pair.map(|(_, value)| (*value).to_owned())
            });
            launch.map(|launch| (launch.rank, launch.size, launch.meeting))
        };
        let mpi = |rank, size| Some((rank, size, Meeting::Mpi));
        let at = |rank, size, address: &str, local_rank| {
            let address = address.to_owned();
            Some((
                rank,
                size,
                Meeting::Address {
                    address,
                    local_rank,
                },
            ))
        };
        let master = [("MASTER_ADDR", "10.0.0.1"), ("MASTER_PORT", "29500")];
        let with_master = |own: &[(&'static str, &'static str)]| [&master[..], own].concat();
        for (variables, expected) in [
            (vec![], None),
            (
                vec![("OMPI_COMM_WORLD_RANK", "3"), ("OMPI_COMM_WORLD_SIZE", "4")],
                mpi(3, 4),
            ),
            (
                vec![("OMPI_COMM_WORLD_RANK", "0"), ("OMPI_COMM_WORLD_SIZE", "1")],
                None,
            ),
            (vec![("PMI_RANK", "1"), ("PMI_SIZE", "2")], mpi(1, 2)),
            (vec![("PMIX_RANK", "5"), ("SLURM_NTASKS", "8")], mpi(5, 8)),
            (vec![("SLURM_PROCID", "0"), ("SLURM_NTASKS", "8")], None),
            (vec![("PMI_RANK", "one"), ("PMI_SIZE", "2")], None),
            (vec![("RANK", "1"), ("WORLD_SIZE", "2")], None),
            (
                with_master(&[("RANK", "5"), ("WORLD_SIZE", "8"), ("LOCAL_RANK", "1")]),
                at(5, 8, "10.0.0.1:29500", 1),
            ),
            (
                with_master(&[("RANK", "1"), ("WORLD_SIZE", "2")]),
                at(1, 2, "10.0.0.1:29500", 0),
            ),
            (
                with_master(&[
                    ("RANK", "0"),
                    ("WORLD_SIZE", "2"),
                    ("LOCAL_RANK", "0"),
                    ("TORCHELASTIC_USE_AGENT_STORE", "True"),
                ]),
                at(0, 2, "10.0.0.1:29501", 0),
            ),
            (
                with_master(&[
                    ("SLURM_PROCID", "3"),
                    ("SLURM_NTASKS", "4"),
                    ("SLURM_LOCALID", "3"),
                ]),
                at(3, 4, "10.0.0.1:29500", 3),
            ),
            (with_master(&[("RANK", "0"), ("WORLD_SIZE", "1")]), None),
        ] {
            assert_eq!(found(&variables), expected, "{variables:?}");
        }
    }
}
