//! Nothing: the tests are in `tests/`, the golden cases in `golden/`.
