//! What a device says when it fails.

/// A failure of the device.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeviceError {
    /// It has not enough memory; smaller settings may help.
    #[error("out of memory: {0}")]
    OutOfMemory(String),
    /// It failed in another way.
    #[error("the device failed: {0}")]
    Failed(String),
}

/// How backends say that memory is short: CubeCL (cubecl-runtime 0.11.3, server/base.rs), CUDA, and others.
const OUT_OF_MEMORY: [&str; 5] = [
    "out of device memory",
    "out-of-memory",
    "can't allocate buffer of size",
    "cuda_error_out_of_memory",
    "out of memory",
];

impl DeviceError {
    /// Reads a failure from the words in which the backend reports it.
    pub fn from_reason(reason: impl Into<String>) -> Self {
        let reason = reason.into();
        let lower = reason.to_lowercase();
        if OUT_OF_MEMORY.iter().any(|words| lower.contains(words)) {
            // One line, whatever the driver writes.
            let words: Vec<&str> = reason.split_whitespace().collect();
            return Self::OutOfMemory(words.join(" "));
        }
        Self::Failed(reason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn out_of_memory_is_known_by_its_words() {
        for reason in [
            "out of device memory allocating 1024 bytes",
            "An out-of-memory error happened during launch",
            "can't allocate buffer of size: 99",
            "CUDA_ERROR_OUT_OF_MEMORY",
        ] {
            let wrapped = format!("execution failed: {reason}\n  backtrace");
            let error = DeviceError::from_reason(wrapped);
            assert!(matches!(error, DeviceError::OutOfMemory(_)), "{error}");
            assert!(!error.to_string().contains('\n'));
        }
        let other = DeviceError::from_reason("the memory is fine");
        assert_eq!(other.to_string(), "the device failed: the memory is fine");
    }
}
