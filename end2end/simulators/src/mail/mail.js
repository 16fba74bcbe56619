// The mail sink's page: a list of mails beside the one that is read.
const list = document.getElementById("list");
const article = document.getElementById("mail");
const count = document.getElementById("count");
let messages = [];
let current = null;

function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children.filter((child) => child !== null));
  return made;
}

function time(date) {
  if (!date) return "";
  const at = new Date(date);
  const today = at.toDateString() === new Date().toDateString();
  const style = today ? { timeStyle: "short" } : { dateStyle: "medium", timeStyle: "short" };
  return new Intl.DateTimeFormat(undefined, style).format(at);
}

function drawList() {
  count.textContent = messages.length === 1 ? "1 mail" : `${messages.length} mails`;
  list.replaceChildren(...messages.toReversed().map((message) => {
    const item = element("button", { type: "button" },
      element("span", { className: "to", textContent: `To ${message.to.join(", ")}` }),
      element("time", { textContent: time(message.date), dateTime: message.date ?? "" }),
      element("span", { className: "subject", textContent: message.subject || "(no subject)" }),
      element("span", { className: "hint", textContent: (message.text ?? "").slice(0, 120) }));
    item.dataset.messageId = message.id;
    item.setAttribute("aria-current", String(message.id === current));
    item.addEventListener("click", () => read(message.id));
    return item;
  }));
  if (!messages.length) list.append(element("p", { className: "empty", textContent: "No mail yet." }));
}

function views(message) {
  const found = [];
  if (message.html !== null) {
    found.push(["Message", () => {
      const frame = element("iframe", { title: "The mail's HTML", srcdoc: message.html });
      // No script, no form, no top navigation; links open beside the page.
      frame.setAttribute("sandbox", "allow-popups");
      return frame;
    }]);
  }
  if (message.text !== null) found.push(["Text", () => element("pre", { textContent: message.text })]);
  for (const part of message.attachments) {
    const name = part.filename ?? part.content_type.split(";")[0];
    found.push([name, () => element("pre", { textContent: part.text ?? "(this attachment is no text)" })]);
  }
  found.push(["Source", () => element("pre", { textContent: message.raw })]);
  return found;
}

function read(id) {
  const message = messages.find((known) => known.id === id);
  if (!message) return;
  current = id;
  document.body.classList.add("reading");
  const body = element("div");
  const tabs = element("div", { className: "tabs" });
  tabs.setAttribute("role", "tablist");
  const all = views(message).map(([name, draw]) => {
    const tab = element("button", { type: "button", textContent: name });
    tab.setAttribute("role", "tab");
    tab.addEventListener("click", () => {
      for (const other of tabs.children) other.setAttribute("aria-selected", String(other === tab));
      body.replaceChildren(draw());
    });
    return tab;
  });
  tabs.append(...all);
  const back = element("button", { type: "button", className: "quiet back", textContent: "← All mails" });
  back.addEventListener("click", () => document.body.classList.remove("reading"));
  const facts = element("dl");
  for (const [name, value] of [["From", message.from], ["To", message.to.join(", ")], ["Sent", time(message.date)]]) {
    facts.append(element("dt", { textContent: name }), element("dd", { textContent: value }));
  }
  article.replaceChildren(back, element("h2", { textContent: message.subject || "(no subject)" }), facts, tabs, body);
  all[0].click();
  drawList();
}

async function refresh() {
  const answer = await fetch("/messages");
  const fresh = await answer.json();
  const changed = fresh.length !== messages.length || fresh.at(-1)?.id !== messages.at(-1)?.id;
  messages = fresh;
  if (changed || !list.childElementCount) drawList();
  count.classList.remove("lost");
}

document.getElementById("clear").addEventListener("click", async () => {
  await fetch("/messages", { method: "DELETE" });
  location.reload();
});

async function keepFresh() {
  try {
    await refresh();
  } catch {
    count.textContent = "The mail sink cannot be reached.";
  }
  setTimeout(keepFresh, 1500);
}
keepFresh();
