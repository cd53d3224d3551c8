use clap::CommandFactory;

use super::*;
use crate::args::{Cli, with_hyphens};

/// A command line without its first word, as the user types it.
fn translated(line: &str) -> anyhow::Result<Translated> {
    let words = format!("bert {line}");
    let words = words.split_whitespace().map(OsString::from);
    translate(&Cli::command(), with_hyphens(words).collect())
}

fn flags(line: &str) -> String {
    let translated = translated(line).unwrap();
    let words = translated.arguments[2..].iter();
    let words: Vec<&str> = words.map(|word| word.to_str().unwrap()).collect();
    words.join(" ")
}

fn refused(line: &str) -> String {
    translated(line).unwrap_err().to_string()
}

fn notes(line: &str) -> String {
    translated(line).unwrap().notes.join("\n")
}

/// A command line of `transformers`, with more.
fn there(verb: &str, more: &str) -> String {
    format!("{verb} --model_name_or_path m {more}")
}

#[test]
fn a_command_line_of_ours_stays_as_it_is() {
    for line in [
        "train-squad --bert-model m --doc-stride 64 --eval-steps 5 --do-train",
        "train-swag --bert-model m --warmup-steps 5 --max-grad-norm 2 -- --bf16",
        "predict-squad --model m --tf32 x",
        "--quiet train-glue --task mrpc",
    ] {
        let words: Vec<OsString> = format!("bert {line}")
            .split_whitespace()
            .map(OsString::from)
            .collect();
        let found = translated(line).unwrap();
        assert_eq!(found.arguments, words, "{line}");
        assert!(
            found.notes.is_empty() && found.defaults.is_empty(),
            "{found:?}"
        );
        assert!(found.decisions.is_empty(), "{found:?}");
    }
}

#[test]
fn names_become_ours() {
    for (line, expected) in [
        (
            "train-glue --task csv --do_regression --label_smoothing_factor 0.1",
            "--task csv --regression --label-smoothing=0.1",
        ),
        (
            "train-glue --task_name rte --warmup_ratio 0.06",
            "--task-name rte --warmup-proportion=0.06",
        ),
        (
            "train-glue --task rte --per_device_train_batch_size 4 --gradient_accumulation_steps=2",
            "--task rte --gradient-accumulation-steps=2 --train-batch-size=8",
        ),
        (
            "train-squad --validation_file v.json --do_train True --fp16 False",
            "--do-train --predict-file=v.json",
        ),
        (
            "train-swag --validation_file v.csv --save_total_limit 3 --bf16 --tf32 true",
            "--keep-last=3 --eval-file=v.csv --precision=bf16",
        ),
        (
            "train-swag --tf32 False --use_cpu --gradient_checkpointing 1",
            "--gradient-checkpointing --no-cuda --precision=fp32",
        ),
        (
            "train-squad --lr_scheduler_type cosine --max_eval_samples 7",
            "--max-eval-examples=7 --schedule=half-cosine",
        ),
        (
            "train-squad --lr_scheduler_type constant",
            "--schedule=constant --warmup-steps=0",
        ),
        ("train-squad --do_eval", "--do-predict"),
        ("run_squad.py --bert_model b", "--bert-model b"),
        (
            "examples/question-answering/run_qa.py --bert_model b",
            "--bert-model b",
        ),
    ] {
        assert_eq!(flags(line), expected, "{line}");
    }
}

#[test]
fn a_command_line_of_transformers_means_what_it_means_there() {
    let found = translated(&there(
        "train-squad",
        "--train_file t --gradient_accumulation_steps 3",
    ))
    .unwrap();
    let defaults: Vec<String> = found
        .defaults
        .iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    let expected = [
        "train_batch_size=24",
        "schedule=linear",
        "warmup_proportion=0",
        "optim=adamw",
        "weight_decay=0",
        "grad_clip=global",
        "doc_stride_is=overlap",
    ];
    assert_eq!(defaults, expected);
    let of_squad = translated(&there("run_squad.py", "--model_type bert")).unwrap();
    assert!(
        of_squad
            .defaults
            .iter()
            .all(|(key, _)| *key != "doc_stride_is"),
        "{of_squad:?}"
    );
    let of_swag = translated(&there("train-swag", "--train_file t")).unwrap();
    assert!(
        of_swag
            .defaults
            .contains(&("max_seq_length", "512".to_owned()))
    );

    for (more, expected) in [
        (
            "--max_steps -1 --num_train_epochs 2",
            "--num-train-epochs 2 --bert-model=m",
        ),
        (
            "--max_steps 9 --num_train_epochs 2",
            "--bert-model=m --max-steps=9",
        ),
        ("--max_grad_norm 0", "--bert-model=m --grad-clip=none"),
        (
            "--warmup_steps 0 --warmup_ratio 0.1",
            "--bert-model=m --warmup-proportion=0.1",
        ),
        (
            "--warmup_steps 0.1",
            "--bert-model=m --warmup-proportion=0.1",
        ),
        (
            "--warmup_steps 10 --warmup_ratio 0.1",
            "--bert-model=m --warmup-steps=10",
        ),
        (
            "--evaluation_strategy steps --logging_steps 50",
            "--bert-model=m --eval-steps=50",
        ),
        ("--eval_strategy steps", "--bert-model=m --eval-steps=500"),
        (
            "--eval_strategy epoch --save_strategy epoch --load_best_model_at_end",
            "--bert-model=m --eval-strategy=epoch --save-strategy=epoch",
        ),
        ("--eval_steps 50", "--bert-model=m"),
        ("--save_steps -1", "--bert-model=m"),
        ("--optim adamw_torch", "--bert-model=m --optim=adamw"),
        ("--optim adamw_hf", "--bert-model=m --optim=adamw"),
        ("--optim bert_adam", "--bert-model=m --optim=bert-adam"),
        ("--save_strategy no", "--bert-model=m --save-strategy=no"),
        ("--do_eval --do_predict", "--bert-model=m --do-eval"),
        ("--model_revision main", "--bert-model=m"),
        ("--model_revision v2", "--bert-model=m@v2"),
    ] {
        let line = there("train-swag", &format!("--train_file t {more}"));
        assert_eq!(flags(&line), format!("--train-file t {expected}"), "{more}");
    }
}

#[test]
fn data_are_those_of_the_scripts() {
    let downloads = crate::config::downloads_dir().display().to_string();
    for (line, expected) in [
        (there("train-squad", "--dataset_name rajpurkar/squad_v2"),
         format!("--bert-model=m --train-file={downloads}/squad2/train-v2.0.json --predict-file={downloads}/squad2/dev-v2.0.json")),
        (there("train-swag", ""), format!("--bert-model=m --data-dir={downloads}/swag")),
        (there("train-glue", "--task_name rte"), format!("--task-name rte --bert-model=m --data-dir={downloads}/glue")),
        (there("train-glue", "--dataset_name glue --dataset_config_name rte"),
         format!("--bert-model=m --data-dir={downloads}/glue --task=rte")),
        (there("train-glue", "--train_file t.csv"), "--train-file t.csv --bert-model=m --task=csv".to_owned()),
        (there("train-squad", "--data_dir d --version_2_with_negative"),
         "--version-2-with-negative --bert-model=m --train-file=d/train-v2.0.json --predict-file=d/dev-v2.0.json".to_owned()),
        (there("train-squad", "--test_file t.json --max_predict_samples 5"),
         "--bert-model=m --predict-file=t.json --max-eval-examples=5".to_owned()),
    ] {
        assert_eq!(flags(&line), expected, "{line}");
    }
}

#[test]
fn what_does_nothing_is_said_in_a_line() {
    for (more, expected) in [
        (
            "--overwrite_cache",
            "--overwrite-cache does nothing here: there is no cache of features",
        ),
        (
            "--report_to wandb tensorboard --seed 1",
            "--report-to does nothing here: TensorBoard files, metrics.jsonl and report.html are always written",
        ),
        (
            "--logging_steps 5",
            "--logging-steps does nothing here: every step is in metrics.jsonl and TensorBoard",
        ),
        ("--overwrite_cache False", ""),
        (
            "--load_best_model_at_end --eval_strategy epoch",
            "models are compared by F1, not by the loss as there without --metric-for-best-model",
        ),
        (
            "--eval_strategy epoch",
            "the best model is the result, not the last one as there without --load-best-model-at-end",
        ),
        (
            "--load_best_model_at_end --eval_strategy epoch --metric_for_best_model eval_f1 --greater_is_better True",
            "",
        ),
        ("--optim adamw_torch --push_to_hub False", ""),
    ] {
        assert_eq!(notes(&there("train-squad", more)), expected, "{more}");
    }
}

#[test]
fn what_is_not_here_is_refused_with_what_to_use() {
    for (verb, more, expected) in [
        (
            "train-squad",
            "--deepspeed c.json",
            "--deepspeed: found c.json, expected none: --optimize-on-cpu",
        ),
        (
            "train-squad",
            "--push_to_hub",
            "--push-to-hub: found true, expected false: `hf upload",
        ),
        (
            "train-squad",
            "--model_type xlnet",
            "--model-type: found xlnet, expected bert",
        ),
        (
            "train-squad",
            "--dataset_name imdb",
            "--dataset-name: found imdb, expected squad or squad_v2",
        ),
        (
            "train-squad",
            "--optim adafactor",
            "--optim: found adafactor, expected adamw_torch, adamw or bert_adam",
        ),
        (
            "train-squad",
            "--lr_scheduler_type greedy",
            "--lr-scheduler-type: found greedy, expected linear",
        ),
        (
            "train-squad",
            "--eval_strategy steps --eval_steps 0.1",
            "--eval-steps: found 0.1, a share of the run's steps",
        ),
        (
            "train-squad",
            "--load_best_model_at_end",
            "--load-best-model-at-end: found no evaluations",
        ),
        (
            "train-squad",
            "--eval_strategy epoch --metric_for_best_model exact_match",
            "--metric-for-best-model: found exact_match, expected f1",
        ),
        (
            "train-glue",
            "--task_name mrpc --metric_for_best_model f1",
            "expected combined_score",
        ),
        (
            "train-squad",
            "--tokenizer_name other",
            "--tokenizer-name: found other, expected m",
        ),
        (
            "train-squad",
            "--train_batch_size 3 --per_device_train_batch_size 3",
            "found both",
        ),
        (
            "train-squad",
            "--per_device_train_batch_size x",
            "--per-device-train-batch-size: found x",
        ),
        ("train-squad", "--max_steps", "--max-steps: found no value"),
        (
            "train-squad",
            "--bf16=maybe",
            "--bf16: found maybe, expected true or false",
        ),
        (
            "train-swag",
            "--label_smoothing_factor 0.1",
            "--label-smoothing-factor: found 0.1, expected 0",
        ),
    ] {
        let line = refused(&there(verb, more));
        assert!(line.contains(expected), "{more}: {line}");
        assert_eq!(line.lines().count(), 1, "{line}");
    }
}

/// `TrainingArguments` of `transformers` 2.11.0, 3.5.1, 4.44.0, 4.57.1 and 5.24.0, without `_n_gpu`, which is no flag.
const TRAINING_ARGUMENTS: &str = include_str!("training_arguments.txt");

#[test]
fn every_training_argument_is_ours_or_in_the_table() {
    let command = Cli::command();
    let verb = command.find_subcommand("train-squad").unwrap();
    let names: Vec<String> = TRAINING_ARGUMENTS
        .split_whitespace()
        .map(|name| name.replace('_', "-"))
        .collect();
    assert!(names.len() > 140, "{}", names.len());
    let is_known = |name: &str| {
        table::TABLE.iter().any(|row| row.is_named(name))
            || verb.get_arguments().any(|arg| arg.get_long() == Some(name))
    };
    let unknown: Vec<&String> = names.iter().filter(|name| !is_known(name)).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}

#[test]
fn the_table_names_flags_of_ours_and_no_name_twice() {
    let command = Cli::command();
    for verb in spelling::ALL {
        let subcommand = command.find_subcommand(verb.name()).unwrap();
        let mut seen: Vec<&str> = Vec::new();
        for row in table::TABLE.iter().filter(|row| row.verbs.contains(verb)) {
            for name in [row.flag].iter().chain(row.aliases) {
                assert!(!seen.contains(name), "{name} is in the table twice");
                seen.push(name);
            }
            if let Becomes::Flag(ours) = row.becomes {
                let is_flag = subcommand.get_arguments().any(|arg| {
                    let aliases = arg.get_all_aliases();
                    arg.get_long() == Some(ours) || aliases.is_some_and(|all| all.contains(&ours))
                });
                assert!(is_flag, "{} becomes {ours}, which is no flag", row.flag);
            }
        }
    }
}
