/* Follows the centre's live feed (server-sent events) and asks the parts of the page that a notice concerns to fetch
   themselves anew. A part says what it listens to: <section data-live="lead task:T1" hx-get="…" hx-trigger="live">.
   data-later instead of data-live: that may wait a second, so that what is new comes first on a busy machine.
   Notices carry names and ids only; what may be seen is decided when the part is fetched. */

const TOPICS = ["lead", "task", "evidence", "device", "quarantine"];
const EVERYTHING = "*";

/* How long words are gathered from the first on (what one commit told comes together), and how long a part is left in
   peace after it was woken. */
const PACES = [
  { name: "live", gatherMs: 15, restMs: 250 },
  { name: "later", gatherMs: 1000, restMs: 1000 },
];

export function follow(frame) {
  if (!frame) return;
  const feed = new EventSource(frame.dataset.feed);
  const ears = PACES.map(listen);
  const hear = (word) => ears.forEach((ear) => ear(word));
  for (const topic of TOPICS) {
    feed.addEventListener(topic, (event) => {
      hear(topic);
      hear(`${topic}:${JSON.parse(event.data).id}`);
    });
  }
  feed.addEventListener("refresh", () => hear(EVERYTHING));
  feed.addEventListener("open", () => show(true));
  feed.addEventListener("error", () => show(false));
  document.addEventListener("htmx:error", (event) => {
    if (event.target.closest?.("form")) shelve(document.querySelector("[data-unanswered]").content.firstElementChild);
  });
  document.addEventListener("htmx:after:swap", () => welcome());
  addEventListener("pagehide", () => feed.close());
  welcome(true);
}

function listen({ name, gatherMs, restMs }) {
  const gathered = new Set();
  let timer = 0;
  let rested = 0;
  return (word) => {
    gathered.add(word);
    timer ||= setTimeout(() => {
      timer = 0;
      rested = performance.now() + restMs;
      wake(name, gathered);
      gathered.clear();
    }, Math.max(gatherMs, rested - performance.now()));
  };
}

/* Parts wake when a word they listen for was heard, and all of them when something may have been missed. */
function wake(pace, words) {
  for (const part of document.querySelectorAll(`[data-${pace}]`)) {
    const listens = part.dataset[pace].split(/\s+/);
    if (words.has(EVERYTHING) || listens.some((word) => words.has(word))) {
      part.dispatchEvent(new CustomEvent("live"));
    }
  }
}

/* The line that says whether this page still hears the centre. */
function show(connected) {
  for (const line of document.querySelectorAll("[data-connection]")) {
    line.dataset.connection = connected ? "on" : "off";
    for (const words of line.querySelectorAll("[data-when]")) words.hidden = words.dataset.when !== line.dataset.connection;
  }
}

/* Leads that were not on the page before: marked, said aloud to screen readers, told in a toast if out of sight. */
const known = new Set();

function welcome(first = false) {
  const unknown = [...document.querySelectorAll("[data-lead]")].filter((lead) => !known.has(lead.dataset.lead));
  for (const lead of unknown) known.add(lead.dataset.lead);
  if (first || !unknown.length) return;
  const outOfSight = scrollY > 240; // asked before anything is changed: after each change the page is laid out anew for it
  for (const lead of unknown) {
    lead.classList.add("arrived");
    lead.addEventListener("animationend", () => lead.classList.remove("arrived"), { once: true });
    announce(lead.dataset.said);
    if (outOfSight) toast(lead.dataset.said, lead.querySelector("a")?.href ?? "/");
  }
}

function announce(text) {
  const announcer = document.querySelector("[data-announcer]");
  if (announcer) announcer.textContent = text;
}

function toast(text, address) {
  const made = shelve(document.querySelector("[data-toast-template]").content.firstElementChild);
  made.querySelector("span").textContent = text;
  made.querySelector("a").href = address;
}

/* A copy of this message on the shelf, for a while. */
function shelve(message) {
  const made = message.cloneNode(true);
  document.querySelector("[data-toasts]").replaceChildren(made);
  setTimeout(() => made.remove(), 12_000);
  return made;
}
