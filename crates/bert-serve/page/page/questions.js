// The panel that answers a question about a passage or from the documents of the server, and marks the answer in its text.

import { asker } from "/page/asking.js";
import { at, bar, element, percent, plural, reveal, scroll, wellFormed } from "/page/elements.js";

const EXAMPLE = {
  passage:
    "Long before steam, millers on the coasts of western Europe learnt to grind grain with the tide. A tidal mill stands "
    + "beside a dam that closes off a creek. While the sea rises, it pushes open the gates in the dam and fills the pond "
    + "behind it; when the sea begins to fall, the weight of the trapped water swings the gates shut. After about three "
    + "hours the level outside is low enough, and the miller lets the pond run out over the wheel.\n\n"
    + "The work followed the moon rather than the sun. High water comes some fifty minutes later each day, so the miller "
    + "was at his stones at noon one week and in the dead of night the next. In return, the tide never failed: a dry "
    + "summer could stop a mill on a stream, and a calm could stop a windmill, but neither could stop the sea. Most tidal "
    + "mills closed in the nineteenth century, when cheap coal and railways let large steam mills feed the towns.",
  questions: [
    "What closes the gates of the dam?",
    "How much later does high water come each day?",
    "Why did most tidal mills close?",
  ],
};
const HISTORY_LIMIT = 50;
const LONG_PASSAGE = 100_000;

const form = at("form");
const passage = at("passage");
const question = at("question");
const result = at("result");
const errors = at("error");
const status = at("status");
const candidates = at("candidates");
const answers = at("answers");
const reading = at("reading");
const asking = asker({ form, result, errors, status, route: "/api/v1/answer", waiting: "Reading…" });

let passageLimit = LONG_PASSAGE;
// The documents of the model that is chosen.
let corpus = null;
const past = [];
let shown = null;

const isOfDocuments = (asked) => asked.passage === undefined;
const inDocuments = () => corpus !== null && at("in-documents").checked;

// Where a Unicode scalar starts in a string, which counts UTF-16 units.
function unitOf(text, scalar) {
  let unit = 0;
  for (let passed = 0; passed < scalar && unit < text.length; passed += 1) {
    unit += text.codePointAt(unit) > 0xffff ? 2 : 1;
  }
  return unit;
}

// The answers and, where the model can tell, that there is none: the likeliest first.
function choices(answered, where) {
  const list = answered.answers.map((answer) => ({ ...answer, none: false }));
  const none = answered.no_answer_probability;
  if (none !== null) {
    const below = list.findIndex((answer) => answer.probability < none);
    list.splice(below < 0 ? list.length : below, 0, { none: true, text: `No answer in the ${where}`, probability: none });
  }
  return list;
}

function mark(entry, choice) {
  // An answer from the documents comes with its sentence.
  const text = entry.passage ?? choice?.sentence ?? "";
  reading.hidden = text === "";
  if (!choice || choice.none) {
    reading.replaceChildren(text);
    return;
  }
  const first = choice.sentence_start ?? 0;
  const start = unitOf(text, choice.start - first);
  const end = unitOf(text, choice.end - first);
  const marked = element("mark", { textContent: text.slice(start, end) });
  reading.replaceChildren(text.slice(0, start), marked, text.slice(end));
  // The passage scrolls in its frame, then the page until the mark is in view.
  reading.scrollTop = marked.offsetTop - (reading.clientHeight - marked.offsetHeight) / 2;
  scroll(marked, "nearest");
}

function candidate(entry, choice, index) {
  const input = element("input", { type: "radio", name: "candidate", value: String(index), checked: index === entry.chosen });
  input.addEventListener("change", () => {
    entry.chosen = index;
    mark(entry, choice);
  });
  const file = choice.file ? [element("span", { className: "file", textContent: choice.file })] : [];
  return element(
    "label",
    { className: "candidate" },
    input,
    element("span", { className: choice.none ? "text none" : "text", textContent: choice.text }),
    element("span", { className: "chance", textContent: percent(choice.probability) }),
    ...file,
    bar(choice.probability),
  );
}

function summary(entry) {
  const best = entry.choices[0];
  let found = "The model found no answer.";
  if (best && best.none) {
    const nowhere = isOfDocuments(entry) ? "The documents seem" : "The passage seems";
    found = `${nowhere} to hold no answer (${percent(best.probability)}).`;
  } else if (best) {
    found = `Marked below, with ${percent(best.probability)} likelihood.`;
  }
  return `${found} Read in ${plural(entry.windows, "window", "windows")}, ${entry.seconds.toFixed(2)} s.`;
}

function show(entry) {
  shown = entry;
  errors.replaceChildren();
  at("result-title").textContent = entry.question;
  status.textContent = summary(entry);
  answers.replaceChildren(...entry.choices.map((choice, index) => candidate(entry, choice, index)));
  candidates.hidden = entry.choices.length === 0;
  mark(entry, entry.choices[entry.chosen]);
  reveal(result, form);
  showPast();
}

function showPast() {
  const rows = past.map((entry) => {
    const best = entry.choices[0];
    const button = element(
      "button",
      { type: "button" },
      element("span", { textContent: entry.question }),
      element("span", { className: "quiet", textContent: best ? best.text : "No answer" }),
    );
    button.setAttribute("aria-current", String(entry === shown));
    button.addEventListener("click", () => {
      asking.stop();
      at(isOfDocuments(entry) ? "in-documents" : "in-passage").checked = true;
      passage.value = entry.passage ?? passage.value;
      question.value = entry.question;
      changed();
      show(entry);
      at("history").querySelector('[aria-current="true"]').focus();
    });
    return element("li", {}, button);
  });
  at("history").replaceChildren(...rows);
  at("past").hidden = rows.length === 0;
}

async function ask() {
  const needed = inDocuments() ? [] : [[passage, "The passage"]];
  if (asking.lacks([...needed, [question, "The question"]])) {
    return;
  }
  const asked = { question: wellFormed(question.value.trim()) };
  if (!inDocuments()) {
    asked.passage = wellFormed(passage.value);
  }
  const reply = await asking.ask({ model: at("questions-model").value, ...asked });
  if (reply) {
    const { answered, seconds } = reply;
    const entry = { ...asked, choices: choices(answered, isOfDocuments(asked) ? "documents" : "passage"), windows: answered.windows, seconds, chosen: 0 };
    past.unshift(entry);
    past.length = Math.min(past.length, HISTORY_LIMIT);
    show(entry);
  }
}

// The length of the passage, if there is to be one, and questions that fit the example.
function changed() {
  at("passage-field").hidden = inDocuments();
  const length = [...passage.value].length;
  const over = length > passageLimit;
  const count = at("count");
  count.textContent = over
    ? `${plural(length, "character", "characters")}, at most ${passageLimit.toLocaleString("en")}`
    : plural(length, "character", "characters");
  count.classList.toggle("over", over);
  const offered = !inDocuments() && passage.value === EXAMPLE.passage ? EXAMPLE.questions : [];
  const group = at("suggestions");
  if (group.childElementCount !== offered.length) {
    group.replaceChildren(...offered.map(suggestion));
  }
}

function suggestion(text) {
  const button = element("button", { type: "button", textContent: text });
  button.addEventListener("click", () => {
    question.value = text;
    ask();
  });
  return button;
}

function fill(newPassage, newQuestion) {
  passage.value = newPassage;
  question.value = newQuestion;
  changed();
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  ask();
});
passage.addEventListener("input", changed);
at("where").addEventListener("change", changed);
at("example").addEventListener("click", () => {
  fill(EXAMPLE.passage, EXAMPLE.questions[0]);
  question.focus();
});
at("clear").addEventListener("click", () => {
  fill("", "");
  passage.focus();
});
fill(EXAMPLE.passage, EXAMPLE.questions[0]);

// What the model that is chosen has: documents, or none.
function use(model) {
  corpus = model.corpus;
  at("where").hidden = corpus === null;
  if (corpus) {
    at("documents").textContent = `The ${plural(corpus.documents, "document", "documents")} of this server`;
    question.value = question.value === EXAMPLE.questions[0] ? "" : question.value;
  }
  changed();
}

function limit(limits) {
  passageLimit = limits.passage_characters;
  changed();
}

export const questions = {
  task: "question-answering",
  title: "Ask the passage",
  panel: at("questions"),
  tab: at("questions-tab"),
  form,
  limit,
  use,
};
