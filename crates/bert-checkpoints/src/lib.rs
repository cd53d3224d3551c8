//! Folders of a run's state.
