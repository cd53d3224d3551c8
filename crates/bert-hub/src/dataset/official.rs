//! Where the datasets' publishers have them, with the checksums that Hugging Face's `datasets` 1.x and 2.x published in
//! their `dataset_infos.json`, and for SQuAD 1.1 the MD5 sums of the tools of 2018. What is published of GLUE stands in
//! the table of its tasks.

use std::borrow::Cow;
use std::sync::LazyLock;

use bert_datasets::glue::{GlueDownload, GlueSource, TASKS};

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

/// The tasks of the table that are published.
static GLUE: LazyLock<Vec<Part>> = LazyLock::new(|| {
    let published = TASKS.iter().filter_map(|task| {
        let folder = Cow::Owned(format!("glue/{}", task.folder));
        Some(match task.download? {
            GlueDownload::Archive(archive) => Part::Archive {
                folder,
                source: glue_source(archive),
            },
            GlueDownload::Paraphrases {
                train,
                test,
                dev_ids,
            } => Part::Paraphrases {
                folder,
                train: glue_source(train),
                test: glue_source(test),
                dev_ids: glue_source(dev_ids),
            },
        })
    });
    published.collect()
});

const fn glue_source(published: GlueSource) -> Source {
    source(published.url, published.bytes, published.sha256)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_source_is_secure_and_its_hashes_are_whole() {
        let parts: Vec<&Part> = Dataset::ALL.iter().flat_map(|it| parts(*it)).collect();
        let sources: Vec<&Source> = parts.iter().flat_map(|part| part.sources()).collect();
        assert!(sources.len() >= Dataset::ALL.len());
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
}
