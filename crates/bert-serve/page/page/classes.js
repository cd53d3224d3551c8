// The panel that classifies a text or a pair of texts.

import { asker } from "/page/asking.js";
import { at, element, percent, reveal, score, wellFormed } from "/page/elements.js";

const EXAMPLE = "The film takes its time, and I would not have it a minute shorter.";

const form = at("classes-form");
const text = at("text");
const pair = at("pair");
const result = at("classes-result");
const status = at("classes-status");
const scores = at("classes-scores");
const asking = asker({
  form,
  result,
  errors: at("classes-error"),
  status,
  route: "/api/v1/classify",
  waiting: "Reading the text…",
});

async function ask() {
  if (asking.lacks([[text, "The text"]])) {
    return;
  }
  const asked = { model: at("classes-model").value, text: wellFormed(text.value) };
  if (pair.value.trim()) {
    asked.pair = wellFormed(pair.value);
  }
  const reply = await asking.ask(asked);
  if (reply) {
    show(reply);
  }
}

function show({ answered, seconds }) {
  const { classes } = answered;
  if (classes) {
    status.textContent = `${classes[0].label}, with ${percent(classes[0].probability)} likelihood. ${seconds.toFixed(2)} s.`;
    scores.replaceChildren(...classes.map(({ label, probability }, place) => score(label, probability, place === 0)));
  } else {
    status.textContent = `On the scale that the model was trained on. ${seconds.toFixed(2)} s.`;
    const number = element("span", { className: "number", textContent: answered.score.toFixed(3) });
    scores.replaceChildren(element("li", { className: "score best" }, number));
  }
  at("classes-title").textContent = classes ? "Classes" : "Score";
  scores.hidden = false;
  reveal(result, form);
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  ask();
});
at("classes-example").addEventListener("click", () => {
  text.value = EXAMPLE;
  pair.value = "";
  text.focus();
});
at("classes-clear").addEventListener("click", () => {
  text.value = "";
  pair.value = "";
  text.focus();
});
text.value = EXAMPLE;

export const classes = { task: "text-classification", title: "Classify a text", panel: at("classes"), tab: at("classes-tab"), form };
