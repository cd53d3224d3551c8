// The page: its panels, one for each task that a model of the server does, and its colours.

import { UNREACHABLE, headers, useKey } from "/page/asking.js";
import { classes } from "/page/classes.js";
import { at, element } from "/page/elements.js";
import { endings } from "/page/endings.js";
import { questions } from "/page/questions.js";

const PANELS = [questions, classes, endings];
let chosen = null;

// The panels that are shown as tabs.
const open = () => PANELS.filter((it) => it.models?.length);

function choose(panel) {
  chosen = panel;
  for (const it of PANELS) {
    const selected = it === panel;
    it.panel.hidden = !selected;
    it.tab.setAttribute("aria-selected", String(selected));
    it.tab.tabIndex = selected ? 0 : -1;
  }
  at("title").textContent = panel.title;
  document.title = panel.title;
  describe();
}

// The line below the title is about the model that would be asked, and so is what the panel offers.
function describe() {
  const name = chosen.panel.querySelector("select").value;
  const model = chosen.models.find((it) => it.name === name);
  chosen.use?.(model);
  const size = new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 3 }).format(model.parameters);
  at("model").textContent = [model.name, `${size} parameters`, `${model.max_length} tokens at once`, model.device].join(" · ");
}

for (const panel of PANELS) {
  panel.panel.querySelector("select").addEventListener("change", describe);
  panel.tab.addEventListener("click", () => choose(panel));
  panel.tab.addEventListener("keydown", (event) => {
    const tabs = open();
    const places = { ArrowRight: tabs.indexOf(panel) + 1, ArrowLeft: tabs.indexOf(panel) - 1, Home: 0, End: -1 };
    const next = tabs.at(places[event.key] % tabs.length);
    if (event.key in places) {
      event.preventDefault();
      choose(next);
      next.tab.focus();
    }
  });
}

document.addEventListener("keydown", (event) => {
  if (chosen && event.key === "Enter" && (event.ctrlKey || event.metaKey) && !event.isComposing) {
    event.preventDefault();
    chosen.form.requestSubmit();
  }
});

at("key-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  useKey(at("key").value.trim());
  at("key-error").textContent = "";
  await introduce();
  if (!at("key-form").hidden) {
    at("key-error").textContent = "The server has another key.";
  }
});

async function introduce() {
  try {
    const response = await fetch("/api/v1/models", { headers: headers() });
    at("key-form").hidden = response.status !== 401;
    if (response.status === 401) {
      at("key").focus();
      return;
    }
    const { models, limits } = await response.json();
    for (const panel of PANELS) {
      panel.models = models.filter(({ task }) => task === panel.task).map(({ model }) => model);
      panel.tab.hidden = panel.models.length === 0;
      const select = panel.panel.querySelector("select");
      select.replaceChildren(...panel.models.map(({ name }) => element("option", { value: name, textContent: name })));
      select.parentElement.hidden = panel.models.length < 2;
      panel.limit?.(limits);
    }
    at("tabs").hidden = open().length < 2;
    choose(open()[0]);
  } catch {
    at("model").textContent = UNREACHABLE;
  }
}

// Storage can be switched off; the choice then lasts for the visit.
const THEME = "theme";
function remembered() {
  try {
    return localStorage.getItem(THEME);
  } catch {
    return null;
  }
}

function isDark() {
  const chosen = document.documentElement.dataset.theme;
  return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}

function showTheme() {
  at("theme").setAttribute("aria-pressed", String(isDark()));
}

at("theme").addEventListener("click", () => {
  const theme = isDark() ? "light" : "dark";
  document.documentElement.dataset.theme = theme;
  try {
    localStorage.setItem(THEME, theme);
  } catch {
    // See above.
  }
  showTheme();
});

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", showTheme);

const theme = remembered();
if (theme === "dark" || theme === "light") {
  document.documentElement.dataset.theme = theme;
}
showTheme();
introduce();
