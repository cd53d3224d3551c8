//! Hugging Face checkpoint folders, read and written.
//!
//! Weights may be in `model.safetensors` or `pytorch_model.bin` (read as data: nothing in it is
//! executed), or in the several files that an index beside them names, with or without the `bert.` prefix, under today's names or the old `gamma` and `beta`,
//! in F64, F32, F16 or BF16. They are written as F32 under today's names.

mod load;
mod names;
mod save;
mod shards;
mod tensor_file;
mod weights;

pub use load::{HeadPolicy, LoadReport, Loaded, initialize, load, load_as, load_reinitialized};
pub use names::{BERT, TensorNames};
pub use save::{config_of, save, save_values};
pub use shards::weight_files;
pub use tensor_file::{read_tensors, write_tensors};
pub use weights::Weights;
