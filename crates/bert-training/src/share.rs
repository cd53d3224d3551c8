//! Which part of a step's examples each of several processes computes.
//!
//! The processes take a step's micro-batches in turn. Where these are not a multiple of the processes, each is cut into
//! pieces of neighbouring rows first. A piece is padded as its micro-batch is, and has that part of its dropout masks: the
//! step is to the last bit of a mask the step of one process.

use std::ops::Range;

use crate::batches::StepExamples;

/// One process of several.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    /// Its number, from 0.
    pub rank: usize,
    /// How many there are, at least one.
    pub size: usize,
}

impl Share {
    /// That of the only process.
    pub const WHOLE: Self = Self { rank: 0, size: 1 };
}

/// A part of a micro-batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// The micro-batch's place in its step.
    pub micro_batch: usize,
    /// The places of its examples in the micro-batch.
    pub examples: Range<usize>,
    /// Whether its gradients count. A process for which nothing is left computes one example for nothing: every process
    /// adds to every sum.
    pub counts: bool,
}

/// Into how many pieces each of a step's micro-batches is cut.
pub(crate) fn pieces_of(micro_batches: usize, processes: usize) -> usize {
    let (mut a, mut b) = (micro_batches, processes);
    while b > 0 {
        (a, b) = (b, a % b);
    }
    processes / a.max(1)
}

/// The pieces of each process, by rank, in the order in which it computes them. `width` is that of a micro-batch, by
/// which the work is dealt: the largest piece first, each to who has least.
pub(crate) fn deal(
    step: &StepExamples,
    processes: usize,
    width: impl Fn(usize) -> usize,
) -> Vec<Vec<Piece>> {
    let micro_batches = &step.micro_batches;
    let cut = pieces_of(micro_batches.len(), processes);
    let mut pieces = Vec::with_capacity(micro_batches.len() * cut);
    for (micro_batch, examples) in micro_batches.iter().enumerate() {
        let count = examples.len();
        let pieces_here = (0..cut).map(|n| Piece {
            micro_batch,
            examples: count * n / cut..count * (n + 1) / cut,
            counts: true,
        });
        pieces.extend(pieces_here.filter(|piece| !piece.examples.is_empty()));
    }
    let work = |piece: &Piece| piece.examples.len() * width(piece.micro_batch);
    // Stable: every process deals in the same way.
    pieces.sort_by_key(|piece| std::cmp::Reverse(work(piece)));
    let mut dealt = vec![(0, Vec::new()); processes];
    for piece in pieces {
        let least = dealt.iter_mut().min_by_key(|(work, _)| *work);
        let (sum, own) = least.expect("there are processes");
        *sum += work(&piece);
        own.push(piece);
    }
    let dealt = dealt.into_iter().map(|(_, mut own)| {
        own.sort_by_key(|piece| (piece.micro_batch, piece.examples.start));
        if own.is_empty() {
            own.push(Piece {
                micro_batch: 0,
                examples: 0..1,
                counts: false,
            });
        }
        own
    });
    dealt.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(sizes: &[usize]) -> StepExamples {
        let mut next = 0;
        let micro_batches = sizes.iter().map(|size| {
            next += size;
            (next - size..next).collect()
        });
        StepExamples {
            micro_batches: micro_batches.collect(),
        }
    }

    #[test]
    fn every_example_is_computed_once_whatever_the_number_of_processes() {
        for sizes in [&[12][..], &[4, 4, 4], &[6, 6], &[4, 1], &[1], &[5, 5, 2]] {
            let step = step(sizes);
            for processes in 1..9 {
                let dealt = deal(&step, processes, |_| 16);
                assert_eq!(dealt.len(), processes);
                let mut seen: Vec<usize> = dealt
                    .iter()
                    .flatten()
                    .filter(|piece| piece.counts)
                    .flat_map(|piece| {
                        &step.micro_batches[piece.micro_batch][piece.examples.clone()]
                    })
                    .copied()
                    .collect();
                seen.sort_unstable();
                let all: Vec<usize> = (0..step.len()).collect();
                assert_eq!(seen, all, "{sizes:?} on {processes}");
                assert!(dealt.iter().all(|own| !own.is_empty()));
            }
        }
    }

    #[test]
    fn whole_micro_batches_are_dealt_where_they_can_be() {
        let numbers = |sizes: &[usize], processes| -> Vec<Vec<(usize, Range<usize>)>> {
            let dealt = deal(&step(sizes), processes, |_| 1).into_iter();
            let numbers = dealt.map(|own| {
                own.into_iter()
                    .map(|piece| (piece.micro_batch, piece.examples))
                    .collect()
            });
            numbers.collect()
        };
        let of_four = numbers(&[3, 3, 3, 3], 2);
        assert_eq!(of_four, [[(0, 0..3), (2, 0..3)], [(1, 0..3), (3, 0..3)]]);
        assert_eq!(numbers(&[12], 2), [[(0, 0..6)], [(0, 6..12)]]);
        let of_three = numbers(&[4, 4, 4], 2);
        assert_eq!(of_three[0], [(0, 0..2), (1, 0..2), (2, 0..2)]);
    }

    #[test]
    fn work_is_dealt_by_tokens() {
        // Two wide micro-batches and two narrow ones: nobody gets both wide ones.
        let widths = [100, 90, 20, 10];
        let dealt = deal(&step(&[2, 2, 2, 2]), 2, |micro_batch| widths[micro_batch]);
        let work: Vec<usize> = dealt
            .iter()
            .map(|own| own.iter().map(|piece| widths[piece.micro_batch]).sum())
            .collect();
        assert_eq!(work, [110, 110]);
    }

    #[test]
    fn who_has_nothing_to_compute_computes_for_nothing() {
        let dealt = deal(&step(&[1]), 3, |_| 8);
        let counts: Vec<bool> = dealt.iter().map(|own| own[0].counts).collect();
        assert_eq!(counts, [true, false, false]);
    }
}
