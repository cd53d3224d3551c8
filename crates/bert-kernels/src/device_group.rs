//! Processes that add up tensors of their GPUs, one each, by NVIDIA's NCCL: numbers go from device to device.
//!
//! Burn's all-reduce is made for the devices of one process. CubeCL 0.11 gives a device the rank that its number has in the
//! list of devices, sorted by type and then by number (`cubecl-server/src/command/collective.rs`), and no process sees
//! the list of another. So each names a list in which its own number comes at its rank, and a number that it does not have
//! everywhere else. NCCL joins the processes at the address in `NCCL_COMM_ID`, where the process with rank 0 listens.

use burn::tensor::{Device, Tensor};
use burn_backend::distributed::{DistributedOps, ReduceOperation};
use burn_backend::{DeviceId, DeviceOps};
use burn_cubecl::{Cube, CubeDevice};

use crate::DeviceError;
use crate::cube::{exact, plain};

/// The variable of NCCL that says where the process with rank 0 listens for the others.
pub const ADDRESS: &str = "NCCL_COMM_ID";

/// The processes, each with its device.
#[derive(Debug, Clone)]
pub struct DeviceGroup {
    device: CubeDevice,
    members: Vec<DeviceId>,
}

impl DeviceGroup {
    /// Whether a device can be one of a group: it is NVIDIA's, and the library of NCCL is there.
    pub fn takes(device: &Device) -> bool {
        let probe = Tensor::<1>::zeros([1], device).try_into_primitive::<Cube>();
        probe.is_ok_and(|probe| probe.client.device().client().has_device_transport())
    }

    /// Joins as many processes as `size` says, of which this is the one with number `rank`, and has them add up a number.
    /// All call it together, with one address of the process 0, host and port; that of [`ADDRESS`] takes its place.
    ///
    /// # Errors
    /// When NCCL fails, or the sum is wrong.
    pub fn join(
        device: &Device,
        rank: usize,
        size: usize,
        address: &str,
    ) -> Result<Self, DeviceError> {
        if std::env::var_os(ADDRESS).is_none() {
            // SAFETY: the other threads wait for this one, those of the devices for launches and one of MPI for messages.
            unsafe { std::env::set_var(ADDRESS, address) };
        }
        let probe = Tensor::<1>::ones([1], device);
        let device = plain(probe.clone()).client.device().clone();
        let group = Self {
            members: members(device.id(), rank, size),
            device,
        };
        let sum = group.start_sum(probe);
        group.wait();
        let sum: f32 = sum
            .try_into_scalar()
            .map_err(|error| DeviceError::from_reason(format!("NCCL: {error:?}")))?;
        crate::device_fault::check()?;
        if sum == size as f32 {
            Ok(group)
        } else {
            let reason = format!("NCCL adds up 1 of each of {size} processes to {sum}");
            Err(DeviceError::from_reason(reason))
        }
    }

    /// Begins to add up numbers over all processes, each of which gives as many, in the order of other sums. Nothing may read
    /// the result before [`wait`](Self::wait).
    ///
    /// # Shapes
    /// - `numbers`, output: `[count]`
    pub fn start_sum(&self, numbers: Tensor<1>) -> Tensor<1> {
        let members = self.members.clone();
        // CubeCL adds up all that a handle has. Of a tensor's handle that may be more in one process than in another.
        let numbers = exact(plain(numbers));
        let sum = Cube::all_reduce(numbers, ReduceOperation::Sum, members);
        // SAFETY: no operation takes it before the device waits, which the caller has promised.
        Tensor::from_primitive::<Cube>(unsafe { sum.assume_resolved() })
    }

    /// Has the device wait for the sums that have begun before it goes on. The process does not wait.
    pub fn wait(&self) {
        Cube::sync_collective(&self.device);
    }
}

/// A list of devices in which the place of `own` number is `rank`.
fn members(own: DeviceId, rank: usize, size: usize) -> Vec<DeviceId> {
    // Numbers of one list differ from that of the device alone, so that any other one will do.
    let other = own.index_id ^ 1;
    let member = |place: usize| DeviceId {
        type_id: place as u16,
        index_id: if place == rank { own.index_id } else { other },
    };
    (0..size).map(member).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_a_device_is_at_its_rank_alone() {
        for number in [0, 1, 6] {
            for rank in 0..4 {
                let own = DeviceId {
                    type_id: 0,
                    index_id: number,
                };
                let mut members = members(own, rank, 4);
                members.sort();
                let places = members.iter().enumerate();
                let found: Vec<usize> = places
                    .filter(|(_, member)| member.index_id == number)
                    .map(|(place, _)| place)
                    .collect();
                assert_eq!(found, [rank]);
            }
        }
    }
}
