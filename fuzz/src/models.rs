//! A checkpoint's `config.json` and weights.

use std::fs;
use std::path::Path;

use bert_model::BertConfig;
use bert_model::checkpoint::{BERT, Weights, read_tensors, write_tensors};

use crate::checks::{choice, file, folder, read, same};

/// Shapes that the tensors of the corpus have.
const SHAPES: [&[usize]; 4] = [&[2], &[2, 2], &[3, 2], &[1]];

/// `config.json`.
pub(crate) fn config(data: &[u8]) {
    let path = file("config.json", data);
    let Some(mut config) = read(BertConfig::read(&path), "config.json") else {
        return;
    };
    let written = serde_json::to_vec(&config).expect("it has a form");
    same(
        &BertConfig::read(&file("again.json", &written)).expect("it is well-formed"),
        &config,
    );
    let labels = config.label_list();
    config.set_label_list(&labels);
    assert_eq!(config.label_list().outputs(), labels.outputs());
    assert!(config.head_size() >= 1 && config.architectures().count() <= data.len());
}

/// `model.safetensors`, alone or behind an index (after a NUL), and a file that a run state has.
pub(crate) fn safetensors(data: &[u8]) {
    let (kind, rest) = choice(data, 2);
    let dir = fresh("safetensors");
    let (index, weights) = match (kind, rest.iter().position(|byte| *byte == 0)) {
        (1, Some(end)) => (Some(&rest[..end]), &rest[end + 1..]),
        _ => (None, rest),
    };
    match index {
        Some(index) => {
            file("safetensors/model.safetensors.index.json", index);
            file("safetensors/a.safetensors", weights);
        }
        None => drop(file("safetensors/model.safetensors", weights)),
    }
    take_all(&dir);
    let Some(tensors) = read(
        read_tensors(&file("tensors.safetensors", weights)),
        "tensors.safetensors",
    ) else {
        return;
    };
    let tensors: Vec<_> = tensors.into_values().collect();
    let path = folder().join("again.safetensors");
    if read(write_tensors(&path, &tensors), "again.safetensors").is_some() {
        let back = read_tensors(&path).expect("it is well-formed");
        assert_eq!(back.len(), tensors.len());
        for tensor in &tensors {
            same(&back.get(&tensor.name), &Some(tensor));
        }
    }
}

/// `pytorch_model.bin`.
pub(crate) fn pytorch(data: &[u8]) {
    let dir = fresh("pytorch");
    file("pytorch/pytorch_model.bin", data);
    take_all(&dir);
}

fn fresh(name: &str) -> std::path::PathBuf {
    let dir = folder().join(name);
    let _ = fs::remove_dir_all(&dir);
    fs::create_dir_all(&dir).expect("the folder for temporary files has room");
    dir
}

/// Takes every tensor out that has one of the shapes.
fn take_all(dir: &Path) {
    let Some(mut weights) = read(Weights::open(dir, &BERT), &dir.display().to_string()) else {
        return;
    };
    for name in weights.remaining() {
        let name = name.strip_prefix("bert.").unwrap_or(&name);
        for shape in SHAPES {
            let values = read(weights.take(name, shape), &dir.display().to_string()).flatten();
            assert!(values.is_none_or(|it| it.len() == shape.iter().product::<usize>()));
        }
    }
}
