//! Vocabularies, tokens, windows, features, answers and their scores.

use std::fs;
use std::sync::OnceLock;

use bert_datasets::squad::{SquadAnswer, SquadContext, SquadDataset, SquadQuestion, SquadVersion};
use bert_features::squad::{DocStride, SquadFeatureConfig, SquadFeatures, SquadMode};
use bert_features::window::Windows;
use bert_metrics::squad::{exact_match, f1, normalize_answer};
use bert_prediction::squad::{SquadPredictionConfig, WindowLogits, predict};
use bert_tokenization::{BertTokenizer, CharSpan, TokenizationError, tokenizer_files};

use crate::checks::{choice, file, folder, read, same};
use crate::slow_tokenizer;

/// A few tokens of every kind: words, continuations, marks, letters beyond ASCII, ideographs.
const VOCABULARY: &str = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nthe\na\nb\nab\nan\ncat\ncats\nun\nis\nwhere\n##a\n##b\n##ab\n##s\n##able\n\
    ##ly\n##1\n##é\n1\n19\n9\n.\n,\n-\n?\n'\n#\n##\n$\né\ne\n##e\nß\nσ\nς\n##ς\n##σ\n中\n国\nか\nが\n가\n##ᅡ\nᄀ\nI\ni\nThe\nA\nÉ\n";

/// Tokenizers with that vocabulary, which is cased and not.
fn tokenizers() -> &'static [BertTokenizer; 2] {
    static BOTH: OnceLock<[BertTokenizer; 2]> = OnceLock::new();
    BOTH.get_or_init(|| {
        let path = file("own-vocab.txt", VOCABULARY.as_bytes());
        [false, true]
            .map(|lower| BertTokenizer::from_vocab_file(&path, lower).expect("it is a vocabulary"))
    })
}

/// A checkpoint's `vocab.txt`.
pub(crate) fn vocab(data: &[u8]) {
    let (lower, rest) = choice(data, 2);
    let path = file("vocab.txt", rest);
    check_tokenizer(
        BertTokenizer::from_vocab_file(&path, lower == 1),
        "vocab.txt",
    );
}

/// A checkpoint's `tokenizer.json`.
pub(crate) fn tokenizer_json(data: &[u8]) {
    let dir = folder().join("checkpoint");
    fs::create_dir_all(&dir).expect("the folder for temporary files has room");
    file("checkpoint/tokenizer.json", data);
    check_tokenizer(BertTokenizer::from_dir(&dir, None), "checkpoint");
}

/// A tokenizer that was read is written and read again.
fn check_tokenizer(found: Result<BertTokenizer, TokenizationError>, name: &str) {
    let Some(tokenizer) = read(found, name) else {
        return;
    };
    let dir = folder().join("saved");
    fs::create_dir_all(&dir).expect("the folder for temporary files has room");
    for (name, content) in tokenizer_files(&tokenizer, 512) {
        file(&format!("saved/{name}"), &content);
    }
    let back = BertTokenizer::from_dir(&dir, None).expect("it is a tokenizer");
    same(&back.vocab(), &tokenizer.vocab());
    same(&back.do_lower_case(), &tokenizer.do_lower_case());
    let text = "The cat's 中国 ünable";
    same(&back.tokenize(text).ok(), &tokenizer.tokenize(text).ok());
}

/// A text's tokens, beside those of a slow tokenizer.
pub(crate) fn tokenize(data: &[u8]) {
    let (lower, rest) = choice(data, 2);
    let tokenizer = &tokenizers()[lower];
    let text = String::from_utf8_lossy(rest);
    let tokens = tokenizer.tokenize(&text).expect("the vocabulary has [UNK]");
    let length = text.chars().count();
    for pair in tokens.windows(2) {
        assert!(pair[0].span.start <= pair[1].span.end, "{pair:?}");
    }
    for token in &tokens {
        assert!(
            token.span.start < token.span.end && token.span.end <= length,
            "{token:?}"
        );
    }
    same(
        &tokenizer.basic_tokens(&text),
        &slow_tokenizer::words(&text, lower == 1),
    );
    let found: Vec<String> = tokens
        .iter()
        .map(|it| tokenizer.token(it.id).unwrap_or_default().to_owned())
        .collect();
    same(
        &found,
        &slow_tokenizer::pieces(&text, tokenizer.vocab(), lower == 1),
    );
}

/// The windows over a number of tokens.
pub(crate) fn windows(data: &[u8]) {
    let number = |at: usize| {
        usize::from(u16::from_le_bytes(
            [at, at + 1].map(|it| data.get(it).copied().unwrap_or(0)),
        ))
    };
    let (tokens, capacity, stride) = (number(0) % 3000, 1 + number(2) % 600, 1 + number(4) % 700);
    let windows = Windows::new(tokens, capacity, stride);
    let spans: Vec<_> = windows.iter().collect();
    assert_eq!(spans.len(), windows.count());
    assert_eq!((spans[0].start, spans[spans.len() - 1].end), (0, tokens));
    for pair in spans.windows(2) {
        assert_eq!(pair[1].start - pair[0].start, stride.min(capacity));
        assert!(
            pair[1].start <= pair[0].end && pair[0].end < pair[1].end && pair[0].len() == capacity
        );
    }
    let token = number(6);
    if token < tokens {
        // The rule as the scripts state it, over every window.
        let score = |index: &usize| {
            let span = spans[*index];
            (span.start..span.end).contains(&token).then(|| {
                (token - span.start).min(span.end - 1 - token) as f64 + 0.01 * span.len() as f64
            })
        };
        let best = (0..spans.len())
            .filter(|it| score(it).is_some())
            .fold(None, |best, it| match best {
                Some(best) if score(&best) >= score(&it) => Some(best),
                _ => Some(it),
            });
        assert_eq!(Some(windows.max_context(token)), best);
    }
}

/// A dataset of one question: settings, then the question, the answer and the context, a line each.
fn dataset(data: &[u8]) -> (SquadDataset, SquadFeatureConfig, usize) {
    let byte = |at: usize| usize::from(data.get(at).copied().unwrap_or(0));
    let config = SquadFeatureConfig {
        max_seq_length: byte(0),
        doc_stride: byte(1),
        doc_stride_is: if byte(2) % 2 == 0 {
            DocStride::Distance
        } else {
            DocStride::Overlap
        },
        max_query_length: byte(3) % 16,
    };
    let text = String::from_utf8_lossy(data.get(5..).unwrap_or_default());
    let mut lines = text.splitn(3, '\n').map(str::to_owned);
    let [question, answer, context] = std::array::from_fn(|_| lines.next().unwrap_or_default());
    // Where the answer stands, or a place that it need not stand at.
    let start = context
        .find(&answer)
        .map(|at| context[..at].chars().count());
    let length = context.chars().count();
    let answers = match start.or(length.checked_sub(1).map(|last| byte(4).min(last))) {
        Some(start) if start < length => vec![SquadAnswer {
            text: answer,
            start,
        }],
        _ => Vec::new(),
    };
    let question = SquadQuestion {
        id: "q".to_owned(),
        text: question,
        context: 0,
        is_labelled: true,
        is_impossible: answers.is_empty(),
        answers,
    };
    let dataset = SquadDataset {
        version: SquadVersion::V2_0,
        contexts: vec![SquadContext {
            title: "".into(),
            text: context,
        }],
        questions: vec![question],
    };
    (dataset, config, byte(4))
}

/// The windows of a question.
pub(crate) fn features(data: &[u8]) {
    let (dataset, config, lower) = dataset(data);
    let tokenizer = &tokenizers()[lower % 2];
    if let Err(error) = config.validate() {
        return crate::checks::check_line(&error, "found");
    }
    let convert = |mode| {
        read(
            SquadFeatures::convert(&dataset, tokenizer, &config, mode),
            "found",
        )
    };
    let Some(features) = convert(SquadMode::Evaluation) else {
        return;
    };
    let tokens = tokenizer
        .tokenize(&dataset.contexts[0].text)
        .expect("the vocabulary has [UNK]");
    let mut covered = vec![false; tokens.len()];
    let mut counted = vec![0; tokens.len()];
    for (index, window) in features.windows.iter().enumerate() {
        assert!(features.len_of(index) <= config.max_seq_length);
        let mut ids = Vec::new();
        features.write_input_ids(index, &mut ids);
        assert_eq!(ids.len(), features.len_of(index));
        for token in window.span.start..window.span.end {
            covered[token] = true;
            counted[token] += usize::from(features.is_max_context(index, token));
        }
    }
    assert!(covered.iter().all(|it| *it), "a token is in no window");
    assert!(
        counted.iter().all(|it| *it == 1),
        "a token does not count in one window"
    );
    let Some(training) = convert(SquadMode::Training) else {
        return;
    };
    for (index, window) in training.windows.iter().enumerate() {
        let answer = window.answer.expect("training windows have positions");
        assert!(answer.start <= answer.end && (answer.end as usize) < training.len_of(index));
    }
}

/// The text of an answer, whatever the model says of the tokens.
pub(crate) fn answers(data: &[u8]) {
    let (dataset, config, seed) = dataset(data);
    let config = SquadFeatureConfig {
        max_seq_length: config.max_seq_length.max(24),
        max_query_length: 8,
        ..config
    };
    let tokenizer = &tokenizers()[seed % 2];
    let Ok(features) = SquadFeatures::convert(&dataset, tokenizer, &config, SquadMode::Evaluation)
    else {
        return;
    };
    let logit =
        |token: usize, edge: usize| ((token * 37 + edge * 11 + 1) * (2 * seed + 1) % 251) as f32;
    let logits: Vec<WindowLogits> = (0..features.windows.len())
        .map(|window| {
            let edge = |edge| {
                (0..features.len_of(window))
                    .map(|token| logit(token, edge))
                    .collect()
            };
            WindowLogits {
                start: edge(0),
                end: edge(1),
            }
        })
        .collect();
    let settings = SquadPredictionConfig {
        version_2_with_negative: seed % 4 > 1,
        ..SquadPredictionConfig::default()
    };
    let predictions =
        predict(&dataset, &features, tokenizer, &logits, &settings).expect("the logits fit");
    let context: Vec<char> = dataset.contexts[0].text.chars().collect();
    for entry in &predictions[0].n_best {
        assert!((0.0..=1.0).contains(&entry.probability), "{entry:?}");
        if let Some(CharSpan { start, end }) = entry.span {
            assert!(start < end && end <= context.len(), "{entry:?}");
            let there: String = context[start..end].iter().collect();
            let letters = |text: &str| text.split(is_space).collect::<String>();
            assert_eq!(letters(&there), letters(&entry.text), "{entry:?}");
        }
    }
}

/// What separates the words of a context.
fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n' | '\u{202f}')
}

/// Scores of two answers, a line each.
pub(crate) fn metrics(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (one, other) = text.split_once('\n').unwrap_or((&text, ""));
    let normal = normalize_answer(one);
    same(&normalize_answer(&normal), &normal);
    let score = f1(one, other);
    assert!(
        (0.0..=1.0).contains(&score) && (score - f1(other, one)).abs() < 1e-12,
        "{score}"
    );
    assert!(
        !exact_match(one, other) || normal.is_empty() || (score - 1.0).abs() < 1e-12,
        "{score}"
    );
}
