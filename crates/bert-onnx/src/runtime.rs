//! ONNX Runtime, loaded while the program runs: nothing is linked, and who has none misses only the check.

use std::path::Path;

use ort::environment::Environment;
use ort::session::Session;
use ort::session::builder::SessionBuilder;
use ort::value::Tensor;

use crate::OnnxError;

/// A loaded ONNX Runtime.
pub struct Runtime {
    environment: Environment,
}

/// Rows as a file takes them.
pub(crate) struct Rows {
    pub(crate) shape: Vec<usize>,
    pub(crate) input_ids: Vec<i64>,
    pub(crate) attention_mask: Vec<i64>,
    pub(crate) token_type_ids: Vec<i64>,
}

impl Runtime {
    /// Loads the library at `path`: its file, or a name that the system's loader finds.
    ///
    /// # Errors
    /// When there is none, or it is older than this program needs.
    pub fn load(path: &Path) -> Result<Self, OnnxError> {
        let failed = |error: &dyn std::error::Error| {
            let text = error.to_string();
            OnnxError::Runtime(text.lines().next().unwrap_or_default().to_owned())
        };
        let builder = ort::init_from(path).map_err(|error| failed(&error))?;
        let environment = builder.build().map_err(|error| failed(&error))?;
        Ok(Self { environment })
    }

    /// A file in memory, ready to run.
    pub(crate) fn open(&self, file: &[u8]) -> Result<Session, OnnxError> {
        let builder = SessionBuilder::new(&self.environment);
        let session = builder.and_then(|mut builder| builder.commit_from_memory(file));
        session.map_err(|error| OnnxError::Refused(error.to_string()))
    }
}

/// The outputs of these names for rows.
pub(crate) fn run(
    session: &mut Session,
    rows: &Rows,
    outputs: &[&str],
) -> Result<Vec<Vec<f32>>, OnnxError> {
    let refused = |error: ort::Error| OnnxError::Refused(error.to_string());
    let tensor = |values: &[i64]| Tensor::from_array((rows.shape.clone(), values.to_vec()));
    let inputs = ort::inputs! {
        "input_ids" => tensor(&rows.input_ids).map_err(refused)?,
        "attention_mask" => tensor(&rows.attention_mask).map_err(refused)?,
        "token_type_ids" => tensor(&rows.token_type_ids).map_err(refused)?,
    };
    let found = session.run(inputs).map_err(refused)?;
    let values = outputs.iter().map(|name| {
        let (_, values) = found[*name].try_extract_tensor::<f32>().map_err(refused)?;
        Ok(values.to_vec())
    });
    values.collect()
}
