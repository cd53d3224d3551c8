//! The table of the tasks. Whatever is particular to one of them is in its row.

use bert_metrics::Metric;

use super::{GlueColumns, GlueDevFile, GlueDownload, GlueSource, GlueTask, GlueTestFile};

/// Every task, in the order of the leaderboard.
pub static TASKS: &[GlueTask] = &[
    // Whether a sentence is acceptable English.
    GlueTask {
        name: "cola",
        folder: "CoLA",
        test_files: &[test("CoLA.tsv")],
        columns: GlueColumns {
            without_header: &["source", "label", "judgement", "sentence"],
            ..sentence("sentence")
        },
        label_names: &["unacceptable", "acceptable"],
        metric: Metric::Matthews,
        download: archive(
            "https://dl.fbaipublicfiles.com/glue/data/CoLA.zip",
            376_971,
            "f212fcd832b8f7b435fb991f101abf89f96b933ab400603bf198960dfc32cbff",
        ),
        ..COMMON
    },
    // Whether a film review is positive.
    GlueTask {
        name: "sst-2",
        aliases: &["sst2"],
        folder: "SST-2",
        test_files: &[test("SST-2.tsv")],
        columns: sentence("sentence"),
        label_names: &["negative", "positive"],
        download: archive(
            "https://dl.fbaipublicfiles.com/glue/data/SST-2.zip",
            7_439_277,
            "d67e16fb55739c1b32cdce9877596db1c127dc322d93c082281f64057c16deaa",
        ),
        ..COMMON
    },
    // Whether two sentences of the news say the same.
    GlueTask {
        name: "mrpc",
        folder: "MRPC",
        test_files: &[test("MRPC.tsv")],
        columns: GlueColumns {
            label: "Quality",
            ..pair("#1 String", "#2 String")
        },
        label_names: &["not_equivalent", "equivalent"],
        metric: Metric::F1AndAccuracy,
        download: Some(GlueDownload::Paraphrases {
            train: source(
                "https://dl.fbaipublicfiles.com/senteval/senteval_data/msr_paraphrase_train.txt",
                1_047_044,
                "60a9b09084528f0673eedee2b69cb941920f0b8cd0eeccefc464a98768457f89",
            ),
            test: source(
                "https://dl.fbaipublicfiles.com/senteval/senteval_data/msr_paraphrase_test.txt",
                441_275,
                "a04e271090879aaba6423d65b94950c089298587d9c084bf9cd7439bd785f784",
            ),
            dev_ids: source(
                "https://dl.fbaipublicfiles.com/glue/data/mrpc_dev_ids.tsv",
                6_222,
                "971d7767d81b997fd9060ade0ec23c4fc31cbb226a55d1bd4a1bac474eb81dc7",
            ),
        }),
        ..COMMON
    },
    // How similar two sentences are, 0 to 5.
    GlueTask {
        name: "sts-b",
        aliases: &["stsb"],
        folder: "STS-B",
        test_files: &[test("STS-B.tsv")],
        columns: GlueColumns {
            label: "score",
            ..pair("sentence1", "sentence2")
        },
        labels: &[],
        metric: Metric::Correlation,
        download: archive(
            "https://dl.fbaipublicfiles.com/glue/data/STS-B.zip",
            802_872,
            "e60a6393de5a8b5b9bac5020a1554b54e3691f9d600b775bd131e613ac179c85",
        ),
        ..COMMON
    },
    // Whether two questions of Quora ask the same. Some questions of the official files hold line breaks.
    GlueTask {
        name: "qqp",
        folder: "QQP",
        test_files: &[test("QQP.tsv")],
        columns: GlueColumns {
            label: "is_duplicate",
            index: "id",
            ..pair("question1", "question2")
        },
        label_names: &["not_duplicate", "duplicate"],
        has_broken_rows: true,
        metric: Metric::F1AndAccuracy,
        download: archive(
            "https://dl.fbaipublicfiles.com/glue/data/QQP-clean.zip",
            41_696_084,
            "40e7c862c04eb26ee04b67fd900e76c45c6ba8e6d8fab4f8f1f8072a1a3fbae0",
        ),
        ..COMMON
    },
    // Whether a text contradicts a sentence, entails it or neither. The official scripts have numbered its labels in
    // several ways. Its gold label is `-` where the annotators did not agree (Bowman et al. 2015, 3.2).
    GlueTask {
        name: "mnli",
        folder: "MNLI",
        dev_files: &[
            GlueDevFile {
                file: "dev_matched.tsv",
                suffix: "",
                score_name: None,
            },
            GlueDevFile {
                file: "dev_mismatched.tsv",
                suffix: "_mm",
                score_name: Some("mismatched"),
            },
        ],
        test_files: &[
            GlueTestFile {
                file: "test_matched.tsv",
                submission: "MNLI-m.tsv",
            },
            GlueTestFile {
                file: "test_mismatched.tsv",
                submission: "MNLI-mm.tsv",
            },
        ],
        columns: GlueColumns {
            label: "gold_label",
            ..pair("sentence1", "sentence2")
        },
        labels: &["contradiction", "entailment", "neutral"],
        label_names: &["contradiction", "entailment", "neutral"],
        unnamed_labels_are_in_order: false,
        no_gold_label: Some("-"),
        download: archive(
            "https://dl.fbaipublicfiles.com/glue/data/MNLI.zip",
            312_783_507,
            "e7c1d896d26ed6caf700110645df426cc2d8ebf02a5ab743d5a5c68ac1c83633",
        ),
        ..COMMON
    },
    // Whether a sentence answers a question.
    GlueTask {
        name: "qnli",
        folder: "QNLI",
        test_files: &[test("QNLI.tsv")],
        columns: pair("question", "sentence"),
        labels: &["entailment", "not_entailment"],
        label_names: &["entailment", "not_entailment"],
        download: archive(
            "https://dl.fbaipublicfiles.com/glue/data/QNLIv2.zip",
            10_627_589,
            "e634e78627a29adaecd4f955359b22bf5e70f2cbd93b493f2d624138a0c0e5f5",
        ),
        ..COMMON
    },
    // Whether a text entails a sentence.
    GlueTask {
        name: "rte",
        folder: "RTE",
        test_files: &[test("RTE.tsv")],
        columns: pair("sentence1", "sentence2"),
        labels: &["entailment", "not_entailment"],
        label_names: &["entailment", "not_entailment"],
        download: archive(
            "https://dl.fbaipublicfiles.com/glue/data/RTE.zip",
            697_150,
            "6bf86de103ecd335f3441bd43574d23fef87ecc695977a63b82d5efb206556ee",
        ),
        ..COMMON
    },
    // Whether a sentence with a pronoun resolved follows from the original.
    GlueTask {
        name: "wnli",
        folder: "WNLI",
        test_files: &[test("WNLI.tsv")],
        columns: pair("sentence1", "sentence2"),
        label_names: &["not_entailment", "entailment"],
        download: archive(
            "https://dl.fbaipublicfiles.com/glue/data/WNLI.zip",
            28_999,
            "ae0e8e4d16f4d46d4a0a566ec7ecceccfd3fbfaa4a7a4b4e02848c0f2561ac46",
        ),
        ..COMMON
    },
];

/// What most tasks have in common; a row says the rest.
const COMMON: GlueTask = GlueTask {
    name: "",
    aliases: &[],
    folder: "",
    train_file: "train.tsv",
    dev_files: &[GlueDevFile {
        file: "dev.tsv",
        suffix: "",
        score_name: None,
    }],
    test_files: &[],
    columns: sentence(""),
    labels: &["0", "1"],
    label_names: &[],
    unnamed_labels_are_in_order: true,
    no_gold_label: None,
    has_broken_rows: false,
    metric: Metric::Accuracy,
    download: None,
};

const fn test(submission: &'static str) -> GlueTestFile {
    GlueTestFile {
        file: "test.tsv",
        submission,
    }
}

const fn sentence(text_a: &'static str) -> GlueColumns {
    GlueColumns {
        text_a,
        text_b: None,
        label: "label",
        index: "index",
        without_header: &[],
    }
}

const fn pair(text_a: &'static str, text_b: &'static str) -> GlueColumns {
    GlueColumns {
        text_b: Some(text_b),
        ..sentence(text_a)
    }
}

const fn source(url: &'static str, bytes: u64, sha256: &'static str) -> GlueSource {
    GlueSource { url, bytes, sha256 }
}

const fn archive(url: &'static str, bytes: u64, sha256: &'static str) -> Option<GlueDownload> {
    Some(GlueDownload::Archive(source(url, bytes, sha256)))
}
