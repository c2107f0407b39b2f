/* Boxes drawn on a picture, in its own pixels; they stand in the form's field, a line for each, where they can be typed too. */

for (const form of document.querySelectorAll("[data-redaction]")) prepare(form);

function prepare(form) {
  const drawing = form.querySelector("[data-drawing]");
  const picture = drawing.querySelector("img");
  const field = form.querySelector("[data-boxes]");
  const draw = form.querySelector("[data-draw]");
  let start = null;

  const show = () => {
    for (const old of drawing.querySelectorAll("span")) old.remove();
    if (!picture.naturalWidth) return;
    for (const box of boxesOf(field.value)) drawing.append(patch(box, picture));
  };
  const at = (event) => {
    const place = picture.getBoundingClientRect();
    return {
      x: within(Math.round(((event.clientX - place.left) / place.width) * picture.naturalWidth), picture.naturalWidth),
      y: within(Math.round(((event.clientY - place.top) / place.height) * picture.naturalHeight), picture.naturalHeight),
    };
  };
  const boxTo = (end) => [
    Math.min(start.x, end.x),
    Math.min(start.y, end.y),
    Math.abs(end.x - start.x),
    Math.abs(end.y - start.y),
  ];

  form.querySelector("[data-tools]").hidden = false;
  draw.addEventListener("click", () => {
    const on = draw.getAttribute("aria-pressed") !== "true";
    draw.setAttribute("aria-pressed", String(on));
    drawing.classList.toggle("active", on);
  });
  form.querySelector("[data-undo]").addEventListener("click", () => {
    field.value = linesOf(field.value).slice(0, -1).join("\n");
    show();
  });
  drawing.addEventListener("dragstart", (event) => event.preventDefault());
  drawing.addEventListener("pointerdown", (event) => {
    if (!drawing.classList.contains("active") || !event.isPrimary || event.button) return;
    event.preventDefault();
    drawing.setPointerCapture(event.pointerId);
    start = at(event);
  });
  drawing.addEventListener("pointermove", (event) => {
    if (!start || !event.isPrimary) return;
    show();
    drawing.append(patch(boxTo(at(event)), picture));
  });
  drawing.addEventListener("pointerup", (event) => {
    if (!start || !event.isPrimary) return;
    const box = boxTo(at(event));
    start = null;
    if (box[2] > 1 && box[3] > 1) field.value = [...linesOf(field.value), box.join(",")].join("\n");
    show();
  });
  drawing.addEventListener("pointercancel", () => {
    start = null;
    show();
  });
  field.addEventListener("input", show);
  picture.addEventListener("load", show);
  show();
}

function within(value, most) {
  return Math.max(0, Math.min(value, most));
}

function linesOf(text) {
  return text.split("\n").filter((line) => line.trim());
}

function boxesOf(text) {
  return linesOf(text)
    .map((line) => line.trim().split(/[,，\s]+/).map(Number))
    .filter((box) => box.length === 4 && box.every(Number.isInteger));
}

function patch([x, y, width, height], picture) {
  const span = document.createElement("span");
  span.style.left = `${(100 * x) / picture.naturalWidth}%`;
  span.style.top = `${(100 * y) / picture.naturalHeight}%`;
  span.style.width = `${(100 * width) / picture.naturalWidth}%`;
  span.style.height = `${(100 * height) / picture.naturalHeight}%`;
  return span;
}
