//! Processes that no MPI joins: what they tell each other goes through their GPUs, as gradients do.
//!
//! NCCL, as CubeCL has it, adds up numbers. So each byte of a message is a number of a sum to which the process that sends
//! it adds the byte, and the others nothing: four times the bytes, for messages of which few are long.

use bert_collective::{Collective, CollectiveError, Pending, ReducePrecision};
use bert_kernels::device_fault;
use bert_kernels::device_group::DeviceGroup;
use burn::tensor::{Device, FloatDType, Tensor};

/// Lengths are sent in two parts, which 32-bit floats hold exactly.
const PART: usize = 1 << 20;

/// A process, which all call in the same order, each from one thread.
#[derive(Debug)]
pub struct DeviceCollective {
    group: DeviceGroup,
    device: Device,
    rank: usize,
    size: usize,
    local_rank: usize,
}

impl DeviceCollective {
    /// Joins the process `rank` of `size`, the one with number `local_rank` on its machine, with the others, by the `address` of
    /// process 0.
    ///
    /// # Errors
    /// When the device is not one of NCCL's, or NCCL fails.
    pub fn join(
        device: &Device,
        rank: usize,
        size: usize,
        local_rank: usize,
        address: &str,
    ) -> Result<Self, CollectiveError> {
        if !DeviceGroup::takes(device) {
            let missing = "found no library libnccl.so, expected NCCL, in Debian's and NVIDIA's package libnccl-dev";
            return Err(CollectiveError::NotJoined(missing.to_owned()));
        }
        let group = DeviceGroup::join(device, rank, size, address)
            .map_err(|error| CollectiveError::NotJoined(error.to_string()))?;
        Ok(Self {
            group,
            device: device.clone(),
            rank,
            size,
            local_rank,
        })
    }

    fn sum(
        &self,
        numbers: &[f32],
        precision: ReducePrecision,
    ) -> Result<Vec<f32>, CollectiveError> {
        if numbers.is_empty() {
            return Ok(Vec::new());
        }
        let numbers = Tensor::<1>::from_floats(numbers, &self.device);
        let sum = self.group.start_sum(match precision {
            ReducePrecision::Fp32 => numbers,
            ReducePrecision::Bf16 => numbers.cast(FloatDType::BF16),
        });
        self.group.wait();
        let failed = |reason: String| CollectiveError::Failed(reason);
        let sum = sum.cast(FloatDType::F32).try_into_vec_as();
        let sum = sum.map_err(|error| failed(format!("{error:?}")))?;
        device_fault::check().map_err(|error| failed(error.to_string()))?;
        Ok(sum)
    }

    /// Adds this process's numbers, which start at a place among `count`, to those of the others.
    fn place(
        &self,
        own: impl Iterator<Item = f32>,
        start: usize,
        count: usize,
    ) -> Result<Vec<f32>, CollectiveError> {
        let mut numbers = vec![0.0; count];
        for (number, own) in numbers[start..].iter_mut().zip(own) {
            *number = own;
        }
        self.sum(&numbers, ReducePrecision::Fp32)
    }

    /// The number of bytes of every process.
    fn lengths(&self, own: usize) -> Result<Vec<usize>, CollectiveError> {
        let parts = [own / PART, own % PART].map(|part| part as f32);
        let all = self.place(parts.into_iter(), 2 * self.rank, 2 * self.size)?;
        let (pairs, _) = all.as_chunks();
        let length = |[high, low]: &[f32; 2]| *high as usize * PART + *low as usize;
        Ok(pairs.iter().map(length).collect())
    }
}

fn floats(bytes: &[u8]) -> impl Iterator<Item = f32> {
    bytes.iter().map(|byte| f32::from(*byte))
}

fn bytes(floats: &[f32]) -> Vec<u8> {
    floats.iter().map(|float| *float as u8).collect()
}

impl Collective for DeviceCollective {
    fn rank(&self) -> usize {
        self.rank
    }

    fn size(&self) -> usize {
        self.size
    }

    fn local_rank(&self) -> usize {
        self.local_rank
    }

    fn start_sum(&self, numbers: Vec<f32>, precision: ReducePrecision) -> Pending<Vec<f32>> {
        Pending::done(self.sum(&numbers, precision))
    }

    fn broadcast(&self, own: Vec<u8>) -> Result<Vec<u8>, CollectiveError> {
        let own = if self.leads() { own } else { Vec::new() };
        let length = self.lengths(own.len())?.iter().sum();
        Ok(bytes(&self.place(floats(&own), 0, length)?))
    }

    fn gather(&self, own: Vec<u8>) -> Result<Vec<Vec<u8>>, CollectiveError> {
        let lengths = self.lengths(own.len())?;
        let start = lengths[..self.rank].iter().sum();
        let all = self.place(floats(&own), start, lengths.iter().sum())?;
        let mut left = all.as_slice();
        let split = lengths.into_iter().map(|length| {
            let (own, others) = left.split_at(length);
            left = others;
            bytes(own)
        });
        Ok(split.collect())
    }
}
