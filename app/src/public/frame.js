// In a frame on a site: tells the page around it, through the channel that the widget's loader hands over, how tall this page
// is and what came of the visitor's step, and takes from there what the site knows of the visitor, which so stands in no address.
// Which sites may frame the page is decided by its policy (`frame-ancestors`).

const OWN = ["name", "email", "phone", "notes"];

/** The texts of an answer, of which a site may give several. */
const textsOf = (answer) => [answer].flat().filter((text) => typeof text === "string");

/** Puts an answer into a field; whether the field has taken it. */
const put = (controls, answer) => {
  const texts = textsOf(answer);
  const [first] = controls;
  if (!first || !texts.length) return false;
  if (first.type !== "checkbox" && first.type !== "radio") {
    const before = first.value;
    first.value = texts[0];
    if (first.value !== "" || texts[0] === "") return true;
    first.value = before;
    return false;
  }
  // A box alone is ticked by any text; of choices, several stand on lines.
  const chosen = controls.length === 1 && first.value === "on" ? texts.filter(Boolean).map(() => "on") : texts.flatMap((text) => text.split("\n"));
  for (const control of controls) control.checked = chosen.includes(control.value);
  return controls.some((control) => control.checked);
};

/** Fills the form in, unless the visitor has done so, and hides what the site answers itself and the form accepts. */
const fill = ({ prefill = {}, hidden = {}, tracking = {} }) => {
  const form = document.querySelector("form#details");
  if (!form) return;
  const controlsOf = (name) => [...form.elements].filter((control) => control.name === name && control.type !== "hidden");
  if (!("typed" in form.dataset)) {
    for (const name of OWN) put(controlsOf(name), prefill[name]);
    for (const [id, answer] of Object.entries(prefill.answers ?? {})) put(controlsOf(`answers.${id}`), answer);
  }
  for (const [id, answer] of Object.entries(hidden))
    for (const name of OWN.includes(id) ? [id, `answers.${id}`] : [`answers.${id}`]) {
      const controls = controlsOf(name);
      const field = controls[0]?.closest(".field");
      if (field && !field.matches(".is-wrong") && put(controls, answer)) field.hidden = controls.every((control) => control.checkValidity());
    }
  for (const [name, value] of Object.entries(tracking))
    if (typeof value === "string") form.append(Object.assign(document.createElement("input"), { type: "hidden", name: `tracking.${name}`, value }));
};

addEventListener("message", ({ data, source, ports: [port] }) => {
  if (data !== "cupo:frame" || source !== parent || !port) return;
  const tell = (name, detail) => port.postMessage({ name, detail });
  port.onmessage = ({ data }) => fill(JSON.parse(data));
  const page = document.documentElement;
  new ResizeObserver(() => tell("height", page.getBoundingClientRect().height)).observe(page);
  const { told, start, end } = document.body.dataset;
  if (told) tell(told, start ? { start, end } : {});
});
