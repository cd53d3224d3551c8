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

/// How backends say that memory is short: CubeCL (cubecl-runtime 0.11.3, server/base.rs), CUDA, and others. The clearest
/// come first.
const OUT_OF_MEMORY: [&str; 6] = [
    "out of device memory",
    "out-of-memory",
    "can't allocate buffer of size",
    "cuda_error_out_of_memory",
    "out of memory",
    // CubeCL's words for a copy from the host into memory that could not be had: the copy's own failure takes the place of
    // the allocation's (cubecl-cuda 0.11.3, compute/server.rs, `write`).
    "memory location was never initialized",
];

impl DeviceError {
    /// Reads a failure from the words in which the backend reports it.
    pub fn from_reason(reason: impl Into<String>) -> Self {
        let reason = reason.into();
        // One failure makes others, each told with its cause: a line that speaks of memory says it all.
        let says = |words: &&str| {
            let mut lines = reason.lines();
            lines.find(|line| line.to_lowercase().contains(*words))
        };
        if let Some(line) = OUT_OF_MEMORY.iter().find_map(says) {
            return Self::OutOfMemory(line.trim().to_owned());
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
            "couldn't find resource for that handle: Memory location was never initialized",
        ] {
            let wrapped =
                format!("execution failed\nCaused by:\n  {reason}\nAsked at: no backtrace");
            let error = DeviceError::from_reason(wrapped);
            assert_eq!(error, DeviceError::OutOfMemory(reason.to_owned()));
        }
        let both = "Memory location was never initialized\nCUDA_ERROR_OUT_OF_MEMORY";
        let clearest = DeviceError::OutOfMemory("CUDA_ERROR_OUT_OF_MEMORY".to_owned());
        assert_eq!(DeviceError::from_reason(both), clearest);
        let other = DeviceError::from_reason("the memory is fine");
        assert_eq!(other.to_string(), "the device failed: the memory is fine");
    }
}
