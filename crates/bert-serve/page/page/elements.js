// What the panels are made of. Whatever comes from a person or the server becomes text only, through textContent.

export const at = (id) => document.getElementById(id);

export function element(name, properties, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

// A text from the keyboard can hold half a surrogate pair, which no server can read.
export function wellFormed(text) {
  return typeof text.toWellFormed === "function" ? text.toWellFormed() : text;
}

export function percent(probability) {
  const value = probability * 100;
  if (value > 0 && value < 0.1) {
    return "< 0.1 %";
  }
  return `${value.toFixed(value >= 10 && value < 99.5 ? 0 : 1)} %`;
}

export function plural(count, one, many) {
  return `${count.toLocaleString("en")} ${count === 1 ? one : many}`;
}

// A bar for the eye; the number beside it is for everyone.
export function bar(probability) {
  const fill = element("span", {});
  fill.style.width = `${probability * 100}%`;
  const made = element("span", { className: "bar" }, fill);
  made.setAttribute("aria-hidden", "true");
  return made;
}

// A row of a list of scores.
export function score(text, probability, best) {
  return element(
    "li",
    { className: best ? "score best" : "score" },
    element("span", { className: "text", textContent: text }),
    element("span", { className: "chance", textContent: percent(probability) }),
    bar(probability),
  );
}

export function scroll(target, block) {
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  target.scrollIntoView({ block, behavior: calm ? "auto" : "smooth" });
}

// Where the result is below the form, it comes into view.
export function reveal(result, form) {
  if (result.offsetTop > form.offsetTop) {
    scroll(result, "start");
  }
}
