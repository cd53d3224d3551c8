use super::*;

#[test]
fn files_that_are_wrong_for_every_task() {
    for task in TASKS {
        for empty in ["", "\n", "\r\n\n", "\u{feff}"] {
            assert_eq!(
                message(task, empty),
                "x.tsv: the file is empty, expected tab-separated rows"
            );
        }
        assert_eq!(
            message(task, b"a\n\xff"),
            "x.tsv: byte 2 (line 2): found 0xff, expected UTF-8 text"
        );
        let (text, _) = labelled(task);
        if task.columns.without_header.is_empty() {
            let header = text.split('\n').next().unwrap();
            for text in [header.to_owned(), format!("{header}\n\n")] {
                assert_eq!(
                    message(task, text),
                    "x.tsv: found no usable row, expected at least one row"
                );
            }
        }
        if !task.has_broken_rows {
            let (lines, columns) = (
                text.lines().count(),
                text.split('\n').next().unwrap().split('\t').count(),
            );
            let place = format!("x.tsv:{}: found", lines + 1);
            assert_eq!(
                message(task, format!("{text}\n{text}")),
                format!("{place} 0 columns, expected {columns}")
            );
            assert_eq!(
                message(task, format!("{text}a\"\n{text}")),
                format!("{place} 1 columns, expected {columns}")
            );
            let wide = text.lines().last().unwrap();
            assert_eq!(
                message(task, format!("{text}{wide}\t")),
                format!("{place} {} columns, expected {columns}", columns + 1)
            );
        }
    }
}

#[test]
fn wrong_headers() {
    let cases = [
        (
            task("mrpc"),
            "index\tsentence1\tsentence2\tlabel\n",
            ":1: no column \"#1 String\", \"#2 String\": found \"index\", \"sentence1\", \"sentence2\", \"label\", \
             expected the header of MRPC",
        ),
        (
            task("rte"),
            "0\tIt rains.\tIt is wet.\tentailment\n",
            ":1: no column \"sentence1\", \"sentence2\": found \"0\", \"It rains.\", \"It is wet.\", \"entailment\", \
             expected the header of RTE",
        ),
        (
            task("sst-2"),
            "\nsentence\tlabel\n",
            ":1: no column \"sentence\": found none, expected the header of SST-2",
        ),
        (
            task("qnli"),
            "index,question,sentence,label\n",
            ":1: no column \"question\", \"sentence\": found \"index,question,sentence,label\", expected the header \
             of QNLI",
        ),
        (
            task("wnli"),
            "sentence1\tsentence2\tlabel\tsentence1\n",
            ":1: found the columns \"sentence1\" and \"sentence1\", expected one of them",
        ),
        (
            task("sts-b"),
            "sentence1\tsentence2\tscore\tscore\n",
            ":1: found the columns \"score\" and \"score\", expected one of them",
        ),
        (
            task("cola"),
            "sentence\tlabel\na\t1\n",
            ":1: found 2 columns, expected CoLA's 4 (source, label, judgement, sentence) or the header index, sentence",
        ),
        (
            task("cola"),
            "\na\t1\t\tb\n",
            ":1: found 0 columns, expected CoLA's 4 (source, label, judgement, sentence) or the header index, sentence",
        ),
        (
            task("cola"),
            "index\tsentence1\tsentence2\tlabel\n",
            ":1: label: found \"sentence1\", expected one of \"0\", \"1\"",
        ),
        (
            task("cola"),
            "index\tsentence\n",
            ": found no usable row, expected at least one row",
        ),
    ];
    for (task, text, expected) in cases {
        assert_eq!(message(task, text), format!("x.tsv{expected}"), "{text:?}");
    }
}

#[test]
fn wrong_labels() {
    let long = "x".repeat(500);
    for task in TASKS {
        let line = 1 + usize::from(task.columns.without_header.is_empty());
        for found in [
            "", "-1", "NaN", "inf", "-inf", "abc", "5.1", "5,0", "-0.1", "1e9", "1 ", "\r1", &long,
        ] {
            let shown = if found == long {
                format!("\"{}\"…", &long[..60])
            } else {
                format!("{found:?}")
            };
            let expected = if task.is_regression() {
                format!("score: found {shown}, expected a number from 0 to 5")
            } else {
                let labels: Vec<String> = task.labels.iter().map(|it| format!("{it:?}")).collect();
                format!(
                    "label: found {shown}, expected one of {}",
                    labels.join(", ")
                )
            };
            assert_eq!(
                message(task, with_label(task, found)),
                format!("x.tsv:{line}: {expected}"),
                "{task}"
            );
        }
    }
    assert_eq!(
        message(task("rte"), with_label(task("rte"), "-")),
        "x.tsv:2: label: found \"-\", expected one of \"entailment\", \"not_entailment\""
    );
}

proptest! {
    #[test]
    fn any_bytes_give_one_line(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        for task in TASKS {
            if let Err(error) = parse(task, Path::new("x.tsv"), &bytes) {
                prop_assert!(!error.to_string().contains('\n'));
            }
        }
    }

    #[test]
    fn any_text_in_a_file_gives_one_line(text in "\\PC*|([0-5a\"\\-.\r\n]|\t|\t\t\t)*") {
        for task in TASKS {
            let text = labelled(task).0 + &text;
            if let Err(error) = parse(task, Path::new("x.tsv"), text.as_bytes()) {
                prop_assert!(!error.to_string().contains('\n'), "{}", error);
            }
        }
    }
}
