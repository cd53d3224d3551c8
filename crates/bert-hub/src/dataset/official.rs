//! Where the datasets' publishers have them, with the checksums that Hugging Face's `datasets` 1.x and 2.x published in
//! their `dataset_infos.json`, and for SQuAD 1.1 the MD5 sums of the tools of 2018.

use std::borrow::Cow;

use super::{Dataset, Part, Source};

const fn source(url: &'static str, bytes: u64, sha256: &'static str) -> Source {
    Source {
        url: Cow::Borrowed(url),
        bytes,
        sha256: Cow::Borrowed(sha256),
        md5: None,
    }
}

const fn squad_v1(
    url: &'static str,
    bytes: u64,
    sha256: &'static str,
    md5: &'static str,
) -> Source {
    Source {
        url: Cow::Borrowed(url),
        bytes,
        sha256: Cow::Borrowed(sha256),
        md5: Some(Cow::Borrowed(md5)),
    }
}

const fn file(path: &'static str, source: Source) -> Part {
    Part::File { path, source }
}

const fn archive(folder: &'static str, source: Source) -> Part {
    Part::Archive { folder, source }
}

pub(super) fn parts(dataset: Dataset) -> &'static [Part] {
    match dataset {
        Dataset::Squad => &SQUAD,
        Dataset::Squad2 => &SQUAD2,
        Dataset::Swag => &SWAG,
        Dataset::Glue => &GLUE,
    }
}

static SQUAD: [Part; 2] = [
    file(
        "squad/train-v1.1.json",
        squad_v1(
            "https://rajpurkar.github.io/SQuAD-explorer/dataset/train-v1.1.json",
            30_288_272,
            "3527663986b8295af4f7fcdff1ba1ff3f72d07d61a20f487cb238a6ef92fd955",
            "981b29407e0affa3b1b156f72073b945",
        ),
    ),
    file(
        "squad/dev-v1.1.json",
        squad_v1(
            "https://rajpurkar.github.io/SQuAD-explorer/dataset/dev-v1.1.json",
            4_854_279,
            "95aa6a52d5d6a735563366753ca50492a658031da74f301ac5238b03966972c9",
            "3e85deb501d4e538b6bc56f786231552",
        ),
    ),
];

static SQUAD2: [Part; 2] = [
    file(
        "squad2/train-v2.0.json",
        source(
            "https://rajpurkar.github.io/SQuAD-explorer/dataset/train-v2.0.json",
            42_123_633,
            "68dcfbb971bd3e96d5b46c7177b16c1a4e7d4bdef19fb204502738552dede002",
        ),
    ),
    file(
        "squad2/dev-v2.0.json",
        source(
            "https://rajpurkar.github.io/SQuAD-explorer/dataset/dev-v2.0.json",
            4_370_528,
            "80a5225e94905956a6446d296ca1093975c4d3b3260f1d6c8f68bc2ab77182d8",
        ),
    ),
];

static SWAG: [Part; 3] = [
    file(
        "swag/train.csv",
        source(
            "https://raw.githubusercontent.com/rowanz/swagaf/master/data/train.csv",
            28_243_333,
            "5748b51126ac255c5a6f26e1ba473b51116d6c822aeb25e63ecba282c9d0e610",
        ),
    ),
    file(
        "swag/val.csv",
        source(
            "https://raw.githubusercontent.com/rowanz/swagaf/master/data/val.csv",
            7_893_588,
            "c0497b2cd7f3e6b7df995524b1853f62285d60d110d659b19545ca80b2903234",
        ),
    ),
    file(
        "swag/test.csv",
        source(
            "https://raw.githubusercontent.com/rowanz/swagaf/master/data/test.csv",
            7_817_885,
            "a689a1a4e892a65ca625c1f0fcf77bcce004b59ad1caeb134ca5ec080a711cb6",
        ),
    ),
];

static GLUE: [Part; 9] = [
    archive(
        "glue/CoLA",
        source(
            "https://dl.fbaipublicfiles.com/glue/data/CoLA.zip",
            376_971,
            "f212fcd832b8f7b435fb991f101abf89f96b933ab400603bf198960dfc32cbff",
        ),
    ),
    archive(
        "glue/SST-2",
        source(
            "https://dl.fbaipublicfiles.com/glue/data/SST-2.zip",
            7_439_277,
            "d67e16fb55739c1b32cdce9877596db1c127dc322d93c082281f64057c16deaa",
        ),
    ),
    Part::Paraphrases {
        folder: "glue/MRPC",
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
    },
    archive(
        "glue/QQP",
        source(
            "https://dl.fbaipublicfiles.com/glue/data/QQP-clean.zip",
            41_696_084,
            "40e7c862c04eb26ee04b67fd900e76c45c6ba8e6d8fab4f8f1f8072a1a3fbae0",
        ),
    ),
    archive(
        "glue/STS-B",
        source(
            "https://dl.fbaipublicfiles.com/glue/data/STS-B.zip",
            802_872,
            "e60a6393de5a8b5b9bac5020a1554b54e3691f9d600b775bd131e613ac179c85",
        ),
    ),
    archive(
        "glue/MNLI",
        source(
            "https://dl.fbaipublicfiles.com/glue/data/MNLI.zip",
            312_783_507,
            "e7c1d896d26ed6caf700110645df426cc2d8ebf02a5ab743d5a5c68ac1c83633",
        ),
    ),
    archive(
        "glue/QNLI",
        source(
            "https://dl.fbaipublicfiles.com/glue/data/QNLIv2.zip",
            10_627_589,
            "e634e78627a29adaecd4f955359b22bf5e70f2cbd93b493f2d624138a0c0e5f5",
        ),
    ),
    archive(
        "glue/RTE",
        source(
            "https://dl.fbaipublicfiles.com/glue/data/RTE.zip",
            697_150,
            "6bf86de103ecd335f3441bd43574d23fef87ecc695977a63b82d5efb206556ee",
        ),
    ),
    archive(
        "glue/WNLI",
        source(
            "https://dl.fbaipublicfiles.com/glue/data/WNLI.zip",
            28_999,
            "ae0e8e4d16f4d46d4a0a566ec7ecceccfd3fbfaa4a7a4b4e02848c0f2561ac46",
        ),
    ),
];

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_source_is_secure_and_its_hashes_are_whole() {
        let parts: Vec<&Part> = Dataset::ALL.iter().flat_map(|it| parts(*it)).collect();
        let sources: Vec<&Source> = parts.iter().flat_map(|part| part.sources()).collect();
        assert_eq!(sources.len(), 18);
        let mut seen = HashSet::new();
        for source in sources {
            assert!(source.url.starts_with("https://"), "{}", source.url);
            for (hash, length) in [(Some(&source.sha256), 64), (source.md5.as_ref(), 32)] {
                let Some(hash) = hash else { continue };
                assert_eq!(hash.len(), length, "{}", source.url);
                assert!(
                    hash.bytes()
                        .all(|it| it.is_ascii_hexdigit() && !it.is_ascii_uppercase())
                );
                assert!(seen.insert(hash), "{}", source.url);
            }
        }
    }

    #[test]
    fn the_folders_are_those_that_the_reader_expects() {
        let folders: Vec<&str> = parts(Dataset::Glue).iter().map(Part::place).collect();
        let expected = [
            "CoLA", "SST-2", "MRPC", "QQP", "STS-B", "MNLI", "QNLI", "RTE", "WNLI",
        ];
        assert_eq!(folders, expected.map(|task| format!("glue/{task}")));
    }
}
