use super::*;

fn read(name: &Path, bytes: &[u8]) -> Result<SquadDataset, DatasetError> {
    crate::squad::parse(name, bytes, &QuestionColumns::default())
}

const ROW: &str = r#"{"id": "a", "title": "t", "context": "x y", "question": "q", "answers": {"text": ["y"], "answer_start": [2]}}"#;
const EMPTY: &str =
    r#"{"id": 7, "context": "x y", "question": "r", "answers": {"text": [], "answer_start": []}}"#;

fn dataset(name: &str, text: &str) -> SquadDataset {
    read(Path::new(name), text.as_bytes()).unwrap()
}

#[test]
fn every_layout_gives_the_same_questions() {
    let expected = dataset("a.jsonl", &format!("{ROW}\n{EMPTY}\n"));
    assert_eq!(expected.version, SquadVersion::V2_0);
    assert_eq!(expected.contexts.len(), 1);
    assert_eq!(expected.questions[0].answers[0].text, "y");
    assert_eq!(expected.questions[1].id, "7");
    assert!(expected.questions[1].is_impossible && expected.questions[1].is_labelled);
    for (name, text) in [
        ("a.json", format!("{ROW}\n{EMPTY}\n")),
        ("a.json", format!("[{ROW}, {EMPTY}]")),
        (
            "a.json",
            format!("{{\"version\": \"x\", \"data\": [{ROW}, {EMPTY}]}}"),
        ),
        ("a.ndjson.gz", format!("{ROW}\n{EMPTY}")),
    ] {
        assert_eq!(dataset(name, &text), expected, "{name}: {text}");
    }
}

#[test]
fn a_table_has_the_questions_of_objects() {
    let expected = dataset("a.jsonl", &format!("{ROW}\n{EMPTY}\n"));
    for (name, text) in [
        (
            "a.csv",
            "id,title,context,question,answers.text,answers.answer_start\na,t,x y,q,y,2\n7,,x y,r,,\n",
        ),
        (
            "a.csv",
            "ID, Title,context,Question,Answers.Text,answers.answer_start\n\
             a,t,x y,q,\"[\"\"y\"\"]\",[2]\n7,,x y,r,[],[]\n",
        ),
        (
            "a.tsv",
            "id\ttitle\tcontext\tquestion\tanswers\n\
             a\tt\tx y\tq\t\"{\"\"text\"\": [\"\"y\"\"], \"\"answer_start\"\": [2]}\"\n7\t\tx y\tr\t\n",
        ),
        (
            "a.jsonl",
            "{\"id\": \"a\", \"title\": \"t\", \"context\": \"x y\", \"question\": \"q\", \"answers.text\": [\"y\"], \
             \"answers.answer_start\": [2]}\n{\"id\": 7, \"context\": \"x y\", \"question\": \"r\", \"answers.text\": [], \
             \"answers.answer_start\": []}",
        ),
    ] {
        assert_eq!(dataset(name, text), expected, "{name}: {text}");
    }
    // A text that is a number stays a text.
    let number = "context,question,answers.text,answers.answer_start\nin 1984,q,1984,3\n";
    assert_eq!(
        dataset("a.csv", number).questions[0].answers[0].text,
        "1984"
    );
}

#[test]
fn columns_have_the_names_that_are_asked_for() {
    let columns = QuestionColumns {
        context: Some("passage".to_owned()),
        question: Some("query".to_owned()),
        answers: Some("gold".to_owned()),
    };
    let expected = dataset("a.jsonl", ROW);
    let renamed = ROW
        .replace("context", "passage")
        .replace("question", "query")
        .replace("answers", "gold");
    for (name, text) in [
        ("a.jsonl", renamed.clone()),
        ("a.json", format!("{{\"data\": [{renamed}]}}")),
        ("a.json", renamed.clone()),
        // Another column has the usual name.
        (
            "a.jsonl",
            renamed.replace("{\"id\"", "{\"question\": 1, \"id\""),
        ),
        (
            "a.csv",
            "id,title,passage,query,gold.text,gold.answer_start\na,t,x y,q,y,2\n".to_owned(),
        ),
    ] {
        let found = crate::squad::parse(Path::new(name), text.as_bytes(), &columns);
        assert_eq!(found.unwrap(), expected, "{name}: {text}");
    }
    for (name, text, expected) in [
        (
            "a.jsonl",
            ROW.to_owned(),
            "a.jsonl:1: no column \"passage\": found \"answers\", \"context\"",
        ),
        (
            "a.json",
            "{\"version\": \"1.1\", \"data\": [{\"paragraphs\": []}]}".to_owned(),
            "a.json: found SQuAD's own layout",
        ),
    ] {
        let error = crate::squad::parse(Path::new(name), text.as_bytes(), &columns);
        let error = error.unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}");
    }
}

#[test]
fn rows_that_all_have_answers_are_as_in_v1_and_without_any_nothing_is_labelled() {
    assert_eq!(dataset("a.jsonl", ROW).version, SquadVersion::V1_1);
    let unlabelled = dataset("a.jsonl", EMPTY);
    assert_eq!(unlabelled.version, SquadVersion::V1_1);
    assert_eq!(unlabelled.unlabelled(), 1);
    let without_id = dataset("b.jsonl", r#"{"context": "x", "question": "q"}"#);
    assert_eq!(without_id.questions[0].id, "b-0");
}

#[test]
fn wrong_rows_are_one_line() {
    let far = ROW.replace("[2]", "[3]");
    let uneven = ROW.replace("[2]", "[]");
    for (text, expected) in [
        (format!("{ROW}\n{ROW}"), "row 2.id: found \"a\" again"),
        (far, "row 1, answer 0.answer_start: found 3"),
        (uneven, "a.jsonl:1: answers: found 1 texts and 0 places"),
        (format!("{ROW}\n{{\"question\": 1}}"), "a.jsonl:2:"),
        (
            ROW.replace("\"context\": \"x y\", ", ""),
            "missing field `context`",
        ),
        (String::new(), "the file is empty"),
        (
            ROW.replace("[2]", "[\"2\"]"),
            "a.jsonl:1: answers.answer_start[0]: invalid type",
        ),
    ] {
        let error = read(Path::new("a.jsonl"), text.as_bytes())
            .unwrap_err()
            .to_string();
        assert!(
            error.contains(expected) && !error.contains('\n'),
            "{text}: {error}"
        );
    }
    for (text, expected) in [
        ("id,question\n1,q\n", "a.csv:1: no column \"context\""),
        (
            "context,question,answers\nx,q,y\n",
            "a.csv:2: answers: invalid type: string \"y\"",
        ),
        (
            "context,question,answers.text,answers.answer_start\nx,q,y,z\n",
            "a.csv:2: answers.answer_start[0]: invalid type: string \"z\"",
        ),
        ("context,question\n", "a.csv: found no questions"),
    ] {
        let error = read(Path::new("a.csv"), text.as_bytes()).unwrap_err();
        assert!(error.to_string().starts_with(expected), "{text}: {error}");
    }
}
