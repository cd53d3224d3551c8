//! Every checkpoint format that must be accepted, and the damaged ones that must not
//! (see `tests/golden/checkpoint-formats/README.md`).

use bert_test_device::test_device;
use std::fs;
use std::path::{Path, PathBuf};

use crate::support::{golden, split};
use bert_model::checkpoint::{
    BERT, HeadPolicy, Weights, initialize, load, load_reinitialized, save, weight_files,
};
use bert_model::heads::{BertForQuestionAnswering, BertForSequenceClassification, TaskModel};
use bert_model::{BertConfig, parameters};

const FRESH: HeadPolicy = HeadPolicy::FreshIfMissing { seed: 7 };

fn read(
    dir: &Path,
    policy: HeadPolicy,
) -> Result<bert_model::checkpoint::Loaded<BertForQuestionAnswering>, String> {
    load(dir, policy, &test_device()).map_err(|error| error.to_string())
}

/// The tiny model's parameters as its own checkpoint has them.
fn reference() -> Vec<parameters::NamedValues> {
    let loaded = read(&golden("tiny-bert/input"), HeadPolicy::MustBeTrained).unwrap();
    assert!(loaded.report.unexpected.is_empty());
    parameters::values(&loaded.model, &BERT)
}

fn encoder(values: Vec<parameters::NamedValues>) -> Vec<parameters::NamedValues> {
    values
        .into_iter()
        .filter(|p| p.name.starts_with("bert."))
        .collect()
}

#[test]
fn every_format_gives_the_same_encoder() {
    for format in ["zip", "legacy", "no-prefix"] {
        let loaded = read(&golden("checkpoint-formats/input").join(format), FRESH).unwrap();
        assert_eq!(
            encoder(parameters::values(&loaded.model, &BERT)),
            encoder(reference()),
            "{format}"
        );
    }
    let half = read(
        &golden("checkpoint-formats/input/fp16"),
        HeadPolicy::MustBeTrained,
    )
    .unwrap();
    for (found, expected) in parameters::values(&half.model, &BERT)
        .iter()
        .zip(reference())
    {
        for (f, e) in found.values.iter().zip(&expected.values) {
            // f16 has 11 significant bits.
            assert!(
                (f - e).abs() <= e.abs() / 1024.0 + 1e-7,
                "{}",
                expected.name
            );
        }
    }
}

#[test]
fn fresh_heads_and_unused_tensors_are_reported_by_name() {
    let zip = read(&golden("checkpoint-formats/input/zip"), FRESH).unwrap();
    assert_eq!(zip.report.fresh, ["qa_outputs.weight", "qa_outputs.bias"]);
    let unexpected = &zip.report.unexpected;
    for name in [
        "bert.embeddings.position_ids",
        "bert.pooler.dense.weight",
        "cls.predictions.transform.LayerNorm.gamma",
        "cls.seq_relationship.bias",
    ] {
        assert!(
            unexpected.iter().any(|u| u == name),
            "{name} in {unexpected:?}"
        );
    }
    let again = read(&golden("checkpoint-formats/input/zip"), FRESH).unwrap();
    assert_eq!(
        parameters::values(&zip.model, &BERT),
        parameters::values(&again.model, &BERT),
        "the draw is seeded"
    );
}

#[test]
fn a_prediction_is_refused_without_a_trained_head() {
    let message = read(
        &golden("checkpoint-formats/input/zip"),
        HeadPolicy::MustBeTrained,
    )
    .err()
    .unwrap();
    assert!(
        message.ends_with(
            "zip/pytorch_model.bin: the checkpoint has no trained head (qa_outputs.weight, qa_outputs.bias), \
             expected one fine-tuned for this task"
        ),
        "{message}"
    );
}

#[test]
fn nothing_in_a_pickle_is_executed() {
    let marker = Path::new("/tmp/bert-pickle-was-executed");
    let _ = fs::remove_file(marker);
    for folder in ["hostile", "hostile-legacy"] {
        let message = read(&golden("checkpoint-formats/input").join(folder), FRESH)
            .err()
            .unwrap();
        assert!(message.contains("pytorch_model.bin: "), "{message}");
        assert!(!marker.exists(), "{folder}");
    }
}

#[test]
fn a_saved_model_is_read_back_to_the_bit() {
    let dir = tempfile::tempdir().unwrap();
    let loaded = read(&golden("tiny-bert/input"), HeadPolicy::MustBeTrained).unwrap();
    save(&loaded.model, &loaded.config, dir.path()).unwrap();
    let again = read(dir.path(), HeadPolicy::MustBeTrained).unwrap();
    assert_eq!(parameters::values(&again.model, &BERT), reference());
    let files: Vec<String> = fs::read_dir(dir.path())
        .unwrap()
        .map(|f| f.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(files.len(), 2, "no temporary file is left: {files:?}");
    let config = fs::read_to_string(dir.path().join("config.json")).unwrap();
    assert!(config.contains("\"BertForQuestionAnswering\""), "{config}");
}

/// A copy of the tiny checkpoint that a test may damage.
fn copy() -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    for file in ["config.json", "model.safetensors"] {
        fs::copy(golden("tiny-bert/input").join(file), dir.path().join(file)).unwrap();
    }
    let path = dir.path().to_owned();
    (dir, path)
}

#[test]
fn a_shape_mismatch_names_the_tensor_and_both_shapes() {
    let (_guard, dir) = copy();
    let config = fs::read_to_string(dir.join("config.json")).unwrap();
    let config = config.replace("\"intermediate_size\": 37", "\"intermediate_size\": 40");
    fs::write(dir.join("config.json"), config).unwrap();
    let message = read(&dir, FRESH).err().unwrap();
    assert!(
        message.ends_with(
            "model.safetensors: tensor bert.encoder.layer.0.intermediate.dense.weight: found shape [37, 32], \
             expected [40, 32]"
        ),
        "{message}"
    );
}

#[test]
fn missing_tensors_are_all_named() {
    let (_guard, dir) = copy();
    let config = fs::read_to_string(dir.join("config.json")).unwrap();
    let config = config.replace("\"num_hidden_layers\": 2", "\"num_hidden_layers\": 3");
    fs::write(dir.join("config.json"), config).unwrap();
    let message = read(&dir, FRESH).err().unwrap();
    assert!(
        message.contains("16 of the model's tensors are missing: "),
        "{message}"
    );
    assert!(
        message.contains("bert.encoder.layer.2.output.LayerNorm.bias"),
        "{message}"
    );
}

#[test]
fn what_the_configuration_alone_makes_large_is_refused_before_it_is_drawn() {
    let (_guard, dir) = copy();
    let path = dir.join("model.safetensors");
    // A whole file, of no tensors.
    fs::write(&path, b"\x02\0\0\0\0\0\0\0{}").unwrap();
    let config = fs::read_to_string(dir.join("config.json")).unwrap();
    let config: serde_json::Value = serde_json::from_str(&config).unwrap();
    for (key, size, expected) in [
        (
            "vocab_size",
            16_777_216_u64,
            "found no tensor bert.embeddings.word_embeddings.weight, which config.json says has shape [16777216, 32], \
             expected at most the 16777216 values of all tensors",
        ),
        (
            "vocab_size",
            16_777_217,
            "vocab_size: found 16777217, expected from 1 to 16777216",
        ),
        (
            "hidden_size",
            u64::MAX,
            "hidden_size: found 18446744073709551615, expected from 1 to 65536",
        ),
    ] {
        let mut config = config.clone();
        config[key] = size.into();
        fs::write(dir.join("config.json"), config.to_string()).unwrap();
        let message = read(&dir, FRESH).err().unwrap();
        assert!(
            message.contains(expected) && !message.contains('\n'),
            "{message}"
        );
    }
}

/// A state dict of protocol 2 with a tensor `w` of shape `[rows]` whose values are one, `stride` apart, in the format of before
/// the zip archives.
fn one_value_for_many(rows: u32) -> Vec<u8> {
    let mut file = Vec::new();
    // The magic number, the protocol and the system.
    file.extend(b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.");
    file.extend(b"\x80\x02M\xe9\x03.");
    file.extend(b"\x80\x02}(X\x0d\0\0\0little_endian\x88u.");
    // {"w": _rebuild_tensor_v2(storage, 0, (rows,), (0,), False, {})}
    file.extend(b"\x80\x02}X\x01\0\0\0wctorch._utils\n_rebuild_tensor_v2\n((X\x07\0\0\0storagectorch\nFloatStorage\n");
    file.extend(b"X\x01\0\0\x000X\x03\0\0\0cpuK\x01NtQK\0J");
    file.extend(rows.to_le_bytes());
    file.extend(b"\x85K\0\x85\x89}tRs.");
    // The keys of the storages, then the storage: its length and its value.
    file.extend(b"\x80\x02]X\x01\0\0\x000a.");
    file.extend(1_u64.to_le_bytes());
    file.extend(1.5_f32.to_le_bytes());
    file
}

#[test]
fn one_value_does_not_stand_for_a_tensor_that_fills_memory() {
    let (_guard, dir) = copy();
    fs::remove_file(dir.join("model.safetensors")).unwrap();
    let path = dir.join("pytorch_model.bin");
    fs::write(&path, one_value_for_many(8)).unwrap();
    let mut weights = Weights::open(&dir, &BERT).unwrap();
    assert_eq!(weights.take("w", &[8]).unwrap(), Some(vec![1.5; 8]));
    fs::write(&path, one_value_for_many(1 << 30)).unwrap();
    let message = Weights::open(&dir, &BERT).err().unwrap().to_string();
    assert!(
        message.contains("found tensors of 4294967296 bytes in "),
        "{message}"
    );
}

#[test]
fn layers_that_the_configuration_does_not_count_are_refused() {
    let (_guard, dir) = copy();
    let config = fs::read_to_string(dir.join("config.json")).unwrap();
    let config = config.replace("\"num_hidden_layers\": 2", "\"num_hidden_layers\": 1");
    fs::write(dir.join("config.json"), config).unwrap();
    let path = dir.join("model.safetensors");
    for policy in [FRESH, HeadPolicy::MustBeTrained] {
        assert_eq!(
            read(&dir, policy).err().unwrap(),
            format!(
                "{}: found 2 layers of the encoder, expected 1, the num_hidden_layers of config.json",
                path.display()
            )
        );
    }
}

#[test]
fn damaged_weight_files_are_one_clear_line() {
    for damage in [0, 7, 100, 2000] {
        let (_guard, dir) = copy();
        let path = dir.join("model.safetensors");
        let bytes = fs::read(&path).unwrap();
        fs::write(&path, &bytes[..damage]).unwrap();
        let message = read(&dir, FRESH).err().unwrap();
        assert!(
            message.contains("model.safetensors: not a complete safetensors file"),
            "{message}"
        );
        assert!(!message.contains('\n'));
    }
    let (_guard, dir) = copy();
    fs::remove_file(dir.join("model.safetensors")).unwrap();
    let message = read(&dir, FRESH).err().unwrap();
    assert!(
        message.contains("found neither model.safetensors nor pytorch_model.bin"),
        "{message}"
    );
    for bytes in [&b""[..], b"not a pickle", &[0x80, 2, b'.'], b"PK\x03\x04"] {
        fs::write(dir.join("pytorch_model.bin"), bytes).unwrap();
        let message = read(&dir, FRESH).err().unwrap();
        assert!(message.contains("pytorch_model.bin: "), "{message}");
    }
}

#[test]
fn a_weight_that_is_not_finite_is_refused() {
    let (_guard, dir) = copy();
    let path = dir.join("model.safetensors");
    let mut bytes = fs::read(&path).unwrap();
    let end = bytes.len();
    bytes[end - 4..].copy_from_slice(&f32::NAN.to_le_bytes());
    fs::write(&path, bytes).unwrap();
    let message = read(&dir, FRESH).err().unwrap();
    assert!(
        message.contains("found NaN at element") && message.contains("expected finite numbers"),
        "{message}"
    );
}

#[test]
fn a_model_from_scratch_follows_the_config_and_the_seed() {
    let config = BertConfig::read(&golden("tiny-bert/input/config.json")).unwrap();
    let draw = |seed| {
        let model: BertForQuestionAnswering = initialize(&config, seed, &test_device());
        parameters::values(&model, &BERT)
    };
    let first = draw(1);
    assert_eq!(first, draw(1));
    assert_ne!(first, draw(2));
    for parameter in first {
        let mean = parameter.values.iter().sum::<f32>() / parameter.values.len() as f32;
        if parameter.name.ends_with("LayerNorm.weight") {
            assert!(parameter.values.iter().all(|v| *v == 1.0));
        } else if parameter.name.ends_with(".bias") {
            assert!(parameter.values.iter().all(|v| *v == 0.0));
        } else if parameter.name.ends_with("position_embeddings.weight") {
            // Position 0: sines are 0, cosines 1.
            assert_eq!(parameter.values[..4], [0.0, 0.1, 0.0, 0.1]);
        } else {
            let deviation = (parameter.values.iter().map(|v| v * v).sum::<f32>()
                / parameter.values.len() as f32)
                .sqrt();
            // The smallest table has 64 values.
            assert!(
                (deviation - 0.02).abs() < 0.008 && mean.abs() < 0.01,
                "{}",
                parameter.name
            );
        }
    }
}

#[test]
fn weights_in_several_files_are_those_of_one() {
    let (_guard, dir) = copy();
    split(&dir);
    let loaded = read(&dir, HeadPolicy::MustBeTrained).unwrap();
    assert_eq!(parameters::values(&loaded.model, &BERT), reference());
    let index = dir.join("model.safetensors.index.json");
    assert_eq!(loaded.report.path, index);
    let files = weight_files(&dir).unwrap();
    assert_eq!(files.len(), 3);
    assert_eq!(files[0], index);
}

#[test]
fn an_index_that_files_contradict_is_refused() {
    let (_guard, dir) = copy();
    split(&dir);
    let index = dir.join("model.safetensors.index.json");
    let text = fs::read_to_string(&index).unwrap();
    let first = "model-00001-of-00002.safetensors";
    let outside = format!("../{first}");
    for (from, to, expected) in [
        (
            first,
            outside.as_str(),
            "expected the name of a .safetensors file in this folder",
        ),
        (
            first,
            "model-00001-of-00002.bin",
            "expected the name of a .safetensors file in this folder",
        ),
        (
            first,
            "model-00009-of-00002.safetensors",
            "model-00009-of-00002.safetensors: no such file",
        ),
        (
            "weight_map",
            "weights",
            "index.json: missing field `weight_map`",
        ),
        (
            "qa_outputs.bias",
            "qa_outputs.other",
            ": found no tensor qa_outputs.other, expected it here as ",
        ),
    ] {
        assert!(text.contains(from), "{from}");
        fs::write(&index, text.replace(from, to)).unwrap();
        let message = read(&dir, FRESH).err().unwrap();
        assert!(message.contains(expected), "{message}");
        assert!(!message.contains('\n'), "{message}");
    }
    fs::write(&index, r#"{"weight_map": {}}"#).unwrap();
    let message = read(&dir, FRESH).err().unwrap();
    assert!(message.contains("found no tensors"), "{message}");
}

/// The parameters of a model whose top layers are drawn anew, and what the load told.
fn reinitialized<M: TaskModel>(layers: usize, seed: u64) -> Vec<parameters::NamedValues> {
    let dir = golden("tiny-bert/input");
    let config = BertConfig::read(&dir.join("config.json")).unwrap();
    let policy = HeadPolicy::FreshIfMissing { seed };
    let device = test_device();
    let loaded = load_reinitialized::<M>(&dir, config, policy, layers, &device).unwrap();
    let is_expected = |name: &String| name.starts_with(M::HEAD) || name.contains("pooler");
    assert!(
        loaded.report.fresh.iter().all(is_expected),
        "{:?}",
        loaded.report
    );
    parameters::values(&loaded.model, &BERT)
}

#[test]
fn top_layers_and_the_pooler_are_drawn_anew_by_the_seed() {
    let stored = reinitialized::<BertForQuestionAnswering>(0, 7);
    assert_eq!(stored, reference());
    let anew = reinitialized::<BertForQuestionAnswering>(1, 7);
    assert_eq!(anew, reinitialized::<BertForQuestionAnswering>(1, 7));
    for (anew, stored) in anew.iter().zip(&stored) {
        let (name, is_drawn) = (&anew.name, anew.name.contains(".layer.1."));
        assert_eq!(anew.values != stored.values, is_drawn, "{name}");
        let constant = match name {
            name if name.ends_with("LayerNorm.weight") => Some(1.0),
            name if name.ends_with("bias") => Some(0.0),
            _ => None,
        };
        if let (true, Some(constant)) = (is_drawn, constant) {
            assert!(anew.values.iter().all(|value| *value == constant), "{name}");
        }
    }
    let other = reinitialized::<BertForQuestionAnswering>(1, 8);
    assert_ne!(anew, other);
    // A task with a pooler: those of layers are drawn alike, whatever else is.
    let classifier = reinitialized::<BertForSequenceClassification>(2, 7);
    for own in &classifier {
        let in_embeddings = own.name.contains("embeddings");
        let same = stored.iter().find(|it| it.name == own.name);
        let is_stored = same.is_some_and(|it| it.values == own.values);
        assert_eq!(is_stored, in_embeddings, "{}", own.name);
        if own.name.contains(".layer.1.") {
            assert!(anew.contains(own), "{}", own.name);
        }
    }
}
