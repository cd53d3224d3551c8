//! By what the processes add up their gradients.

use burn::tensor::Device;
use serde::{Deserialize, Serialize};

use crate::TrainError;
use crate::collective::Collective;

/// What adds up the gradients of several processes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "clap", derive(clap::ValueEnum))]
#[serde(rename_all = "snake_case")]
pub enum ReduceBackend {
    /// MPI, by way of host memory, whatever the device
    Mpi,
    /// NVIDIA's NCCL, from GPU to GPU; each process has one of its own
    Nccl,
}

/// How the processes add up gradients.
#[derive(Debug)]
pub(crate) enum Way {
    /// There is one process.
    None,
    /// Through host memory.
    Host,
    /// On the devices.
    #[cfg(feature = "cuda")]
    Device(bert_kernels::device_group::DeviceGroup),
}

impl Way {
    /// What adds up the gradients; `None` where there is one process.
    pub(crate) fn name(&self) -> Option<&'static str> {
        match self {
            Self::None => None,
            Self::Host => Some("the host"),
            #[cfg(feature = "cuda")]
            Self::Device(_) => Some("NCCL"),
        }
    }

    /// The way that a setting names, or the best one there is; the same in all processes.
    ///
    /// # Errors
    /// When the setting cannot be followed, or a process not be reached.
    #[cfg(feature = "cuda")]
    pub(crate) fn choose(
        wanted: Option<ReduceBackend>,
        collective: &dyn Collective,
        device: &Device,
    ) -> Result<Self, TrainError> {
        if collective.size() == 1 {
            return Ok(Self::None);
        }
        if wanted == Some(ReduceBackend::Mpi) {
            return Ok(Self::Host);
        }
        nccl::join(wanted == Some(ReduceBackend::Nccl), collective, device)
    }

    /// The same in a build without CUDA.
    ///
    /// # Errors
    /// When NCCL is named.
    #[cfg(not(feature = "cuda"))]
    pub(crate) fn choose(
        wanted: Option<ReduceBackend>,
        collective: &dyn Collective,
        _: &Device,
    ) -> Result<Self, TrainError> {
        match wanted {
            _ if collective.size() == 1 => Ok(Self::None),
            Some(ReduceBackend::Nccl) => Err(not_there("a build without CUDA")),
            _ => Ok(Self::Host),
        }
    }
}

/// The setting cannot be followed.
fn not_there(found: impl Into<String>) -> TrainError {
    TrainError::Setting {
        setting: "reduce_backend",
        found: found.into(),
        expected: "for nccl a GPU of NVIDIA for each process and the library libnccl.so; without the setting the sums go \
                   through MPI"
            .to_owned(),
    }
}

#[cfg(feature = "cuda")]
mod nccl {
    use std::collections::HashSet;
    use std::net::{TcpListener, UdpSocket};

    use bert_kernels::device_group::{ADDRESS, DeviceGroup};
    use burn::tensor::Device;
    use serde::{Deserialize, Serialize};
    use sysinfo::System;

    use super::{Way, not_there};
    use crate::TrainError;
    use crate::collective::{Collective, made_by_leader};

    /// What a process says of itself.
    #[derive(Serialize, Deserialize)]
    struct Place {
        machine: Option<String>,
        /// The card and its place on the bus, if NCCL takes it.
        device: Option<String>,
    }

    impl Place {
        fn own(device: &Device) -> Self {
            Self {
                machine: System::host_name(),
                device: DeviceGroup::takes(device).then(|| format!("{:?}", device.identity())),
            }
        }
    }

    /// Joins the processes' devices where each has its own; else sums go through the host, unless NCCL is `wanted`.
    pub(super) fn join(
        wanted: bool,
        collective: &dyn Collective,
        device: &Device,
    ) -> Result<Way, TrainError> {
        let json = |error: serde_json::Error| TrainError::Led(error.to_string());
        let own = serde_json::to_vec(&Place::own(device)).map_err(json)?;
        let places = collective.gather(own)?;
        let places = places
            .iter()
            .map(|place| serde_json::from_slice::<Place>(place));
        let places = places.collect::<Result<Vec<_>, _>>().map_err(json)?;
        if let Some(without) = places.iter().position(|place| place.device.is_none()) {
            return if wanted {
                Err(not_there(format!("none in process {without}")))
            } else {
                Ok(Way::Host)
            };
        }
        let devices: HashSet<_> = places
            .iter()
            .map(|place| (&place.machine, &place.device))
            .collect();
        // NCCL refuses a card that is there twice.
        if !wanted && devices.len() < places.len() {
            return Ok(Way::Host);
        }
        let machines: HashSet<_> = places.iter().map(|place| &place.machine).collect();
        let address = made_by_leader(collective, || address(machines.len() > 1))?;
        let group = DeviceGroup::join(device, collective.rank(), collective.size(), &address)?;
        Ok(Way::Device(group))
    }

    /// Where the others find this process: the address that the user has set, or a port that is free now.
    fn address(several_machines: bool) -> Result<String, TrainError> {
        if let Ok(set) = std::env::var(ADDRESS) {
            return Ok(set);
        }
        let free = || {
            let host = match std::env::var("MASTER_ADDR") {
                Ok(host) if several_machines => host,
                _ if several_machines => {
                    // Nothing is sent: the system says which of its addresses the others would see.
                    let towards = UdpSocket::bind("0.0.0.0:0")?;
                    towards.connect("192.0.2.1:9")?;
                    towards.local_addr()?.ip().to_string()
                }
                _ => "127.0.0.1".to_owned(),
            };
            let port = TcpListener::bind("0.0.0.0:0")?.local_addr()?.port();
            Ok(format!("{host}:{port}"))
        };
        free().map_err(|error: std::io::Error| TrainError::Setting {
            setting: ADDRESS,
            found: error.to_string(),
            expected: "the address and port of process 0, such as 10.0.0.1:29500".to_owned(),
        })
    }
}
