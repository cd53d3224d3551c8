//! Clients that no one here wrote, where a Python has them.

use std::{env, path::Path, process::Command};

use bert_serve::{ApiKey, Model, ServeConfig};
use bert_test_support::{Prerequisite, skip};

use crate::{
    fake::{Fake, Running},
    tasks::Lengths,
};

/// Names a Python with `huggingface_hub` and `tritonclient[http]`.
const PYTHON: &str = "BERT_CLIENTS_PYTHON";

#[test]
fn clients_of_hugging_face_and_triton_are_answered() {
    let Some(python) = env::var_os(PYTHON) else {
        skip(
            Prerequisite::Clients,
            "BERT_CLIENTS_PYTHON names no Python with huggingface_hub and tritonclient[http]",
        );
        return;
    };
    let config = ServeConfig {
        api_key: ApiKey::new("secret".into()),
        ..Running::config()
    };
    let server = Running::of_several(config, |watched| {
        vec![
            Model::Questions(Box::new(Fake::named("first", &watched))),
            Model::Texts(Box::new(Lengths::named("classes", &watched))),
        ]
    });
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/serve/clients.py");
    let output = Command::new(python)
        .arg(script)
        .args([&server.address.to_string(), "secret"])
        .output()
        .expect("it starts");
    let said = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}{errors}");
    assert!(said.contains("both clients were answered"), "{said}");
}
