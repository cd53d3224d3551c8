//! What a launcher says of the processes that it starts, before they are joined.

/// One of several processes that a launcher has started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Launch {
    /// The process's number, from 0.
    pub rank: usize,
    /// How many processes there are, more than one.
    pub size: usize,
}

/// Variables that tell a process its number and their number. PMIx tells the number alone; Slurm sets its own also for
/// a script that starts one process, so that they count only beside a number of PMIx.
const VARIABLES: [(&str, &[&str]); 3] = [
    ("OMPI_COMM_WORLD_RANK", &["OMPI_COMM_WORLD_SIZE"]),
    ("PMI_RANK", &["PMI_SIZE"]),
    ("PMIX_RANK", &["SLURM_STEP_NUM_TASKS", "SLURM_NTASKS"]),
];

impl Launch {
    /// What the environment says; `None` for a process that is started alone.
    pub fn of_environment() -> Option<Self> {
        Self::from_variables(|name| std::env::var(name).ok())
    }

    fn from_variables(value: impl Fn(&str) -> Option<String>) -> Option<Self> {
        let number = |name: &str| value(name)?.parse::<usize>().ok();
        let found = VARIABLES.into_iter().find_map(|(rank, sizes)| {
            let rank = number(rank)?;
            let size = sizes.iter().find_map(|size| number(size))?;
            Some(Self { rank, size })
        });
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
            launch.map(|launch| (launch.rank, launch.size))
        };
        for (variables, expected) in [
            (&[][..], None),
            (
                &[("OMPI_COMM_WORLD_RANK", "3"), ("OMPI_COMM_WORLD_SIZE", "4")],
                Some((3, 4)),
            ),
            (
                &[("OMPI_COMM_WORLD_RANK", "0"), ("OMPI_COMM_WORLD_SIZE", "1")],
                None,
            ),
            (&[("PMI_RANK", "1"), ("PMI_SIZE", "2")], Some((1, 2))),
            (&[("PMIX_RANK", "5"), ("SLURM_NTASKS", "8")], Some((5, 8))),
            (&[("SLURM_PROCID", "0"), ("SLURM_NTASKS", "8")], None),
            (&[("PMI_RANK", "one"), ("PMI_SIZE", "2")], None),
        ] {
            assert_eq!(found(variables), expected, "{variables:?}");
        }
    }
}
