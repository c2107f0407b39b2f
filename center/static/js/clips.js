/* Says so where this browser cannot play a clip: H.265 plays in few, and the clip is exactly as the camera sent it. */

export function tellUnplayable() {
  /* Errors do not bubble; listening on the way down hears those of players that htmx brings later, too. */
  document.addEventListener("error", (event) => show(event.target), true);
  for (const player of document.querySelectorAll("video")) if (player.error) show(player);
}

function show(player) {
  if (!(player instanceof HTMLVideoElement)) return;
  const note = player.parentElement.querySelector("[data-unplayable]");
  if (!note) return;
  player.hidden = true;
  note.hidden = false;
}
