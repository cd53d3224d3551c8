//! Sums that never leave the devices.
//!
//! A sum begins as soon as this process adds nothing to a gradient, on a stream of its own beside the backward pass. The
//! device waits for all of them at the end of the step; the process does not.

use std::collections::HashMap;

use bert_kernels::device_group::DeviceGroup;
use bert_model::parameters::ParameterInfo;
use burn::module::ParamId;
use burn::optim::GradientsParams;
use burn::tensor::{FloatDType, IndexingUpdateOp, Int, Shape, Tensor};

use super::{LookedUp, Reduced, Reduction};
use crate::TrainError;
use crate::collective::ReducePrecision;

/// What one step's gradients go through.
pub(super) struct DeviceReduction<'a> {
    group: &'a DeviceGroup,
    precision: ReducePrecision,
    parameters: &'a HashMap<ParamId, ParameterInfo>,
    looked_up: LookedUp<'a>,
    under_way: Vec<(Vec<Member>, Tensor<1>)>,
}

/// A gradient's place in a sum, which follows that of the one before.
struct Member {
    id: ParamId,
    shape: Shape,
}

impl<'a> DeviceReduction<'a> {
    pub(super) fn new(
        group: &'a DeviceGroup,
        precision: ReducePrecision,
        parameters: &'a HashMap<ParamId, ParameterInfo>,
        looked_up: LookedUp<'a>,
    ) -> Self {
        Self {
            group,
            precision,
            parameters,
            looked_up,
            under_way: Vec::new(),
        }
    }

    fn start(&mut self, members: Vec<Member>, numbers: Tensor<1>) {
        let numbers = match self.precision {
            ReducePrecision::Fp32 => numbers,
            ReducePrecision::Bf16 => numbers.cast(FloatDType::BF16),
        };
        self.under_way
            .push((members, self.group.start_sum(numbers)));
    }

    /// The places of the table's rows, `[rows]`, on the device of `like`.
    fn rows<const D: usize>(&self, like: &Tensor<D>) -> Tensor<1, Int> {
        let rows: Vec<i32> = self.looked_up.rows.iter().map(|row| *row as i32).collect();
        Tensor::from_ints(rows.as_slice(), &like.device())
    }

    /// The gradient of a member, from its part of a sum.
    fn whole(&self, member: &Member, sum: Tensor<1>) -> Tensor<2> {
        let [entries, width] = member.shape.dims();
        if member.id != self.looked_up.table {
            return sum.reshape([entries, width]);
        }
        let (places, sums) = (self.rows(&sum), sum.reshape([-1, width as i32]));
        let zeros = Tensor::zeros([entries, width], &sums.device());
        zeros.select_assign(0, places, sums, IndexingUpdateOp::Add)
    }
}

impl Reduction for DeviceReduction<'_> {
    fn add(
        &mut self,
        gradients: &mut GradientsParams,
        finished: &[ParamId],
    ) -> Result<Vec<ParamId>, TrainError> {
        // Vectors are small: they travel together.
        let (mut vectors, mut numbers) = (Vec::new(), Vec::new());
        for id in finished {
            let Some(info) = self.parameters.get(id) else {
                unreachable!("a gradient is that of a parameter");
            };
            let member = Member {
                id: *id,
                shape: info.shape.clone(),
            };
            if info.shape.num_dims() == 1 {
                if let Some(gradient) = gradients.remove::<1>(*id) {
                    vectors.push(member);
                    numbers.push(gradient);
                }
            } else if let Some(mut gradient) = gradients.remove::<2>(*id) {
                if *id == self.looked_up.table {
                    let rows = self.rows(&gradient);
                    gradient = gradient.select(0, rows);
                }
                self.start(vec![member], gradient.reshape([-1]));
            }
        }
        if !vectors.is_empty() {
            self.start(vectors, Tensor::cat(numbers, 0));
        }
        Ok(Vec::new())
    }

    fn finish(
        &mut self,
        gradients: &mut GradientsParams,
        loss: Tensor<1>,
    ) -> Result<Reduced, TrainError> {
        let loss = self.group.start_sum(loss);
        self.group.wait();
        let mut known = Vec::new();
        for (members, sum) in std::mem::take(&mut self.under_way) {
            let sum = sum.cast(FloatDType::F32);
            let mut start = 0;
            for member in members {
                if member.shape.num_dims() == 2 {
                    gradients.register(member.id, self.whole(&member, sum.clone()));
                } else {
                    let count = member.shape.num_elements();
                    gradients.register(member.id, sum.clone().narrow(0, start, count));
                    start += count;
                }
                known.push(member.id);
            }
        }
        Ok(Reduced {
            known,
            loss,
            waiting: None,
            slowest: None,
        })
    }
}
