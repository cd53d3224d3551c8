// The panel that chooses the ending of a beginning.

import { asker } from "/page/asking.js";
import { at, element, percent, reveal, score, wellFormed } from "/page/elements.js";

const EXAMPLE = {
  context: "She lifts the lid of the old piano and strikes a key, but no sound comes.",
  start: "Then she",
  endings: ["looks inside, at the strings.", "is poured into the glass.", "rows across the lake.", "has been painted twice."],
};
const FEWEST = 2;
const MOST = 26;

const form = at("endings-form");
const context = at("context");
const start = at("start");
const list = at("endings-list");
const add = at("endings-add");
const result = at("endings-result");
const status = at("endings-status");
const scores = at("endings-scores");
const asking = asker({
  form,
  result,
  errors: at("endings-error"),
  status,
  route: "/api/v1/choose",
  waiting: "Reading the endings…",
});

const fields = () => [...list.querySelectorAll("input")];

function row(text) {
  const label = element("label", {});
  const input = element("input", { type: "text", dir: "auto", value: text });
  const remove = element("button", { type: "button", className: "plain", textContent: "Remove" });
  const made = element("li", {}, label, input, remove);
  remove.addEventListener("click", () => {
    const place = fields().indexOf(input);
    made.remove();
    number();
    fields()[Math.min(place, fields().length - 1)].focus();
  });
  return made;
}

function number() {
  const rows = [...list.children];
  rows.forEach((made, place) => {
    const [label, input, remove] = made.children;
    input.id = `ending-${place + 1}`;
    label.htmlFor = input.id;
    label.textContent = `Ending ${place + 1}`;
    remove.setAttribute("aria-label", `Remove ending ${place + 1}`);
    remove.disabled = rows.length <= FEWEST;
  });
  add.disabled = rows.length >= MOST;
}

function fill(example) {
  context.value = example.context;
  start.value = example.start;
  list.replaceChildren(...example.endings.map(row));
  number();
}

async function ask() {
  const named = fields().map((field, place) => [field, `Ending ${place + 1}`]);
  if (asking.lacks([[context, "The context"], ...named])) {
    return;
  }
  const endings = fields().map((field) => wellFormed(field.value));
  const reply = await asking.ask({
    model: at("endings-model").value,
    context: wellFormed(context.value),
    start: wellFormed(start.value),
    endings,
  });
  if (reply) {
    show(reply, endings);
  }
}

function show({ answered, seconds }, endings) {
  const { choice, probabilities } = answered;
  status.textContent = `Ending ${choice + 1}, with ${percent(probabilities[choice])} likelihood. ${seconds.toFixed(2)} s.`;
  scores.replaceChildren(...endings.map((text, place) => score(text, probabilities[place], place === choice)));
  scores.hidden = false;
  reveal(result, form);
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  ask();
});
add.addEventListener("click", () => {
  const made = row("");
  list.append(made);
  number();
  made.querySelector("input").focus();
});
at("endings-example").addEventListener("click", () => {
  fill(EXAMPLE);
  context.focus();
});
at("endings-clear").addEventListener("click", () => {
  fill({ context: "", start: "", endings: ["", ""] });
  context.focus();
});
fill(EXAMPLE);

export const endings = { task: "multiple-choice", title: "Choose an ending", panel: at("endings"), tab: at("endings-tab"), form };
