/* Keeps "in 3 hours" and "2 minutes ago" true while a page stays open. Elements: <span data-moment="ISO time">. */

const STEPS = [
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
];
const SOON_MS = 3_600_000;

export function keepMoments(everyMs = 15_000) {
  const words = new Intl.RelativeTimeFormat(document.documentElement.lang, { numeric: "auto" });
  const refresh = () => {
    for (const element of document.querySelectorAll("[data-moment]")) {
      const distance = Date.parse(element.dataset.moment) - Date.now();
      element.textContent = say(words, distance);
      const due = element.closest(".due");
      due?.classList.toggle("over", distance < 0);
      due?.classList.toggle("soon", distance >= 0 && distance < SOON_MS);
    }
  };
  setInterval(refresh, everyMs);
}

function say(words, distance) {
  for (const [unit, size] of STEPS) {
    if (Math.abs(distance) >= size) return words.format(Math.trunc(distance / size), unit);
  }
  return words.format(Math.trunc(distance / 1000), "second");
}
