//! The crate as a training run uses it, on real folders.

mod damage;
mod fixture;
mod killed;
mod leftovers;
mod pruning;
mod writing;
