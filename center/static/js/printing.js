/* Buttons that print the page; without scripts they are not shown, and the browser's own menu does it. */

export function offerPrinting() {
  for (const button of document.querySelectorAll("[data-print]")) {
    button.addEventListener("click", () => window.print());
  }
}
