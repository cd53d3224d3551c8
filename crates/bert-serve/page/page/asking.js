// A request at a time for each panel, its errors, and the time that it took.

import { element, scroll } from "/page/elements.js";

export const UNREACHABLE = "The server cannot be reached. Is it still running?";

// The server's key, where it has one, for this visit.
const KEY = "key";
let key = null;
try {
  key = sessionStorage.getItem(KEY);
} catch {
  // Storage is switched off.
}

export function useKey(given) {
  key = given;
  try {
    sessionStorage.setItem(KEY, given);
  } catch {
    // See above.
  }
}

export function headers() {
  // A header's value has visible characters; a key with others is wrong in any case.
  return key && /^[\x21-\x7e]+$/.test(key) ? { Authorization: `Bearer ${key}` } : {};
}

export function asker({ form, result, errors, status, route, waiting }) {
  let running = null;

  function busy(is) {
    form.classList.toggle("busy", is);
    result.classList.toggle("busy", is);
    result.setAttribute("aria-busy", String(is));
  }

  function stop() {
    running?.abort();
    running = null;
    busy(false);
  }

  function fail(message, again) {
    status.textContent = "";
    errors.replaceChildren(element("span", { textContent: message }));
    if (again) {
      const button = element("button", { type: "button", className: "plain", textContent: "Try again" });
      button.addEventListener("click", () => form.requestSubmit());
      errors.append(button);
    }
    scroll(errors, "nearest");
  }

  async function explain(response) {
    const body = await response.json().catch(() => null);
    const said = body?.error?.message ?? `The server answered with status ${response.status}.`;
    if (response.status === 503) {
      fail(`The server is busy. ${said}`, true);
    } else {
      fail(said, response.status >= 500);
    }
  }

  // The first of the fields that is blank is named and focused.
  function lacks(fields) {
    const blank = fields.find(([field]) => !field.value.trim());
    if (!blank) {
      return false;
    }
    fail(`${blank[1]} is empty.`, false);
    blank[0].focus();
    return true;
  }

  // What the server answers, with the seconds that it took; null where it does not, or where this was stopped.
  async function ask(body) {
    stop();
    const abort = new AbortController();
    running = abort;
    busy(true);
    errors.replaceChildren();
    status.textContent = waiting;
    const started = performance.now();
    try {
      const response = await fetch(route, {
        method: "POST",
        headers: { "Content-Type": "application/json", ...headers() },
        body: JSON.stringify(body),
        signal: abort.signal,
      });
      if (!response.ok) {
        await explain(response);
        return null;
      }
      const answered = await response.json();
      return { answered, seconds: (performance.now() - started) / 1000 };
    } catch {
      if (running === abort) {
        fail(UNREACHABLE, true);
      }
      return null;
    } finally {
      if (running === abort) {
        stop();
      }
    }
  }

  return { ask, stop, fail, lacks };
}
