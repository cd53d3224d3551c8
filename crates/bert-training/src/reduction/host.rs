//! Sums by way of host memory.
//!
//! Gradients leave the device as soon as this process adds nothing to them, are joined to buckets, and go to the
//! [`Collective`], whose thread adds bucket after bucket. Sums go back to the device when they are known.

use std::collections::{HashMap, VecDeque};
use std::time::Instant;

use bert_collective::Pending;
use bert_model::DeviceError;
use bert_model::parameters::ParameterInfo;
use burn::module::ParamId;
use burn::optim::GradientsParams;
use burn::tensor::{Device, Shape, Tensor, TensorData};

use super::{LookedUp, Reduced, Reduction};
use crate::TrainError;
use crate::collective::{Collective, ReducePrecision};

/// Numbers of a bucket that is not filled further: 4 MiB. Smaller ones cost more messages, larger ones are known later.
const FULL: usize = 1 << 20;

/// What one step's gradients go through.
pub(super) struct HostReduction<'a> {
    collective: &'a dyn Collective,
    precision: ReducePrecision,
    parameters: &'a HashMap<ParamId, ParameterInfo>,
    looked_up: LookedUp<'a>,
    started: Instant,
    filling: Bucket,
    /// Buckets whose sums are not known, in the order in which they will be.
    under_way: VecDeque<(Vec<Member>, Pending<Vec<f32>>)>,
}

/// Gradients one after the other.
#[derive(Default)]
struct Bucket {
    members: Vec<Member>,
    numbers: Vec<f32>,
}

/// A gradient's place in a bucket, which follows that of the one before, and on a device.
struct Member {
    id: ParamId,
    shape: Shape,
    device: Device,
    /// The whole gradient, where some of its rows alone are in the bucket.
    whole: Option<Vec<f32>>,
}

impl<'a> HostReduction<'a> {
    pub(super) fn new(
        collective: &'a dyn Collective,
        precision: ReducePrecision,
        parameters: &'a HashMap<ParamId, ParameterInfo>,
        looked_up: LookedUp<'a>,
    ) -> Self {
        Self {
            collective,
            precision,
            parameters,
            looked_up,
            started: Instant::now(),
            filling: Bucket::default(),
            under_way: VecDeque::new(),
        }
    }

    fn take<const D: usize>(
        &mut self,
        id: ParamId,
        gradients: &mut GradientsParams,
    ) -> Result<(), TrainError> {
        let Some(gradient) = gradients.remove::<D>(id) else {
            return Ok(());
        };
        let (shape, device) = (gradient.shape(), gradient.device());
        let mut numbers = read(gradient)?;
        let filling = &mut self.filling;
        let mut whole = None;
        if id == self.looked_up.table {
            let width = shape[D - 1];
            for row in self.looked_up.rows {
                filling
                    .numbers
                    .extend_from_slice(&numbers[row * width..][..width]);
            }
            whole = Some(numbers);
        } else {
            filling.numbers.append(&mut numbers);
        }
        filling.members.push(Member {
            id,
            shape,
            device,
            whole,
        });
        Ok(())
    }

    /// Begins to add up the bucket that is being filled.
    fn send(&mut self) {
        let Bucket { members, numbers } = std::mem::take(&mut self.filling);
        let sum = self.collective.start_sum(numbers, self.precision);
        self.under_way.push_back((members, sum));
    }

    /// Waits for the sums of the next bucket and puts them back.
    fn put_back_next(
        &mut self,
        gradients: &mut GradientsParams,
        known: &mut Vec<ParamId>,
    ) -> Result<(), TrainError> {
        let Some((members, sums)) = self.under_way.pop_front() else {
            return Ok(());
        };
        let sums = sums.wait()?;
        let mut left = sums.as_slice();
        for member in members {
            let Member {
                id,
                shape,
                device,
                whole,
            } = member;
            let dims = shape.num_dims();
            let width = shape[dims - 1];
            let count = match &whole {
                Some(_) => self.looked_up.rows.len() * width,
                None => shape.num_elements(),
            };
            let (own, others) = left.split_at(count);
            left = others;
            let numbers = match whole {
                Some(mut whole) => {
                    for (row, sums) in self.looked_up.rows.iter().zip(own.chunks_exact(width)) {
                        whole[row * width..][..width].copy_from_slice(sums);
                    }
                    whole
                }
                None => own.to_vec(),
            };
            let data = TensorData::new(numbers, shape);
            match dims {
                1 => gradients.register(id, Tensor::<1>::from_data(data, &device)),
                _ => gradients.register(id, Tensor::<2>::from_data(data, &device)),
            }
            known.push(id);
        }
        Ok(())
    }
}

impl Reduction for HostReduction<'_> {
    fn add(
        &mut self,
        gradients: &mut GradientsParams,
        finished: &[ParamId],
    ) -> Result<Vec<ParamId>, TrainError> {
        for id in finished {
            match self.parameters.get(id).map(|info| info.shape.num_dims()) {
                Some(1) => self.take::<1>(*id, gradients)?,
                Some(2) => self.take::<2>(*id, gradients)?,
                other => unreachable!("a parameter is a vector or a matrix, found {other:?}"),
            }
        }
        if self.filling.numbers.len() >= FULL {
            self.send();
        }
        let mut known = Vec::new();
        while let Some((_, sum)) = self.under_way.front_mut() {
            if !sum.is_done() {
                break;
            }
            self.put_back_next(gradients, &mut known)?;
        }
        Ok(known)
    }

    fn finish(
        &mut self,
        gradients: &mut GradientsParams,
        loss: Tensor<1>,
    ) -> Result<Reduced, TrainError> {
        self.send();
        let device = loss.device();
        let mut told = read(loss)?;
        told.resize(1 + self.collective.size(), 0.0);
        told[1 + self.collective.rank()] = self.started.elapsed().as_secs_f32();
        // Few numbers: they are not rounded.
        let told = self.collective.start_sum(told, ReducePrecision::Fp32);
        let started = Instant::now();
        let mut known = Vec::new();
        while !self.under_way.is_empty() {
            self.put_back_next(gradients, &mut known)?;
        }
        let told = told.wait()?;
        let waiting = started.elapsed().as_secs_f64();
        let seconds = told[1..].iter().enumerate();
        let slowest = seconds.max_by(|(_, one), (_, other)| one.total_cmp(other));
        Ok(Reduced {
            known,
            loss: Tensor::from_floats(&told[..1], &device),
            waiting: Some(waiting),
            slowest: slowest.map(|(process, _)| process),
        })
    }
}

/// Reads a tensor from its device, row-major.
fn read<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f32>, DeviceError> {
    let read = tensor.try_into_vec_as();
    read.map_err(|error| DeviceError::from_reason(format!("{error:?}")))
}
