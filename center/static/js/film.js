/* Plays clips that no browser plays by itself: JPEG pictures in a Matroska file, as USB and older cameras send them.
   Nothing is changed on the way: each picture is shown as the camera made it. It is fetched when somebody presses the
   button, for each look at evidence is entered into its chain of custody. Without scripts, and for what is not JPEG, the
   note inside the element stays. */

const SEGMENT = 0x18538067, INFO = 0x1549a966, SCALE = 0x2ad7b1, TRACKS = 0x1654ae6b, TRACK = 0xae, CODEC = 0x86;
const CLUSTER = 0x1f43b675, TIME = 0xe7, SIMPLE_BLOCK = 0xa3, GROUP = 0xa0, BLOCK = 0xa1;
const PARENTS = new Set([SEGMENT, INFO, TRACKS, TRACK, CLUSTER, GROUP]);

class ClipFilm extends HTMLElement {
  connectedCallback() {
    if (this.querySelector("button")) return;
    this.note = this.firstElementChild;
    this.screen = document.createElement("canvas");
    this.screen.hidden = true;
    this.screen.setAttribute("role", "img");
    this.screen.setAttribute("aria-label", this.getAttribute("label"));
    this.button = document.createElement("button");
    this.button.type = "button";
    this.button.className = "button";
    this.button.textContent = this.dataset.play;
    this.button.addEventListener("click", () => this.press());
    this.slider = document.createElement("input");
    this.slider.type = "range";
    this.slider.step = "any";
    this.slider.setAttribute("aria-label", this.dataset.moment);
    this.slider.addEventListener("input", () => this.seek(Number(this.slider.value)));
    this.told = document.createElement("span");
    this.controls = document.createElement("div");
    this.controls.className = "controls";
    this.controls.append(this.button, this.slider, this.told);
    this.slider.hidden = true;
    this.note.hidden = true;
    this.poster = this.dataset.still ? still(this.dataset.still) : null;
    this.append(...[this.poster, this.screen, this.controls].filter(Boolean));
  }

  disconnectedCallback() {
    this.plays = false;
  }

  async press() {
    if (!this.pictures) await this.load();
    if (!this.pictures?.length) return;
    this.plays = !this.plays;
    this.tell();
    if (!this.plays) return;
    if (this.at_s >= this.length_s) this.at_s = 0;
    this.run(performance.now() - this.at_s * 1000);
  }

  /* Shows what is due until the end or a pause; pictures that this machine is too slow for are stepped over. */
  async run(began) {
    while (this.plays && this.isConnected) {
      await this.show(Math.min((performance.now() - began) / 1000, this.length_s));
      if (this.at_s >= this.length_s) this.plays = false;
      if (this.sought) [began, this.sought] = [performance.now() - this.at_s * 1000, false];
      await new Promise(requestAnimationFrame);
    }
    this.tell();
  }

  async seek(at_s) {
    this.sought = true;
    await this.show(at_s);
  }

  async show(at_s) {
    this.at_s = at_s;
    this.slider.value = at_s;
    this.told.textContent = `${clock(at_s)} / ${clock(this.length_s)}`;
    const picture = this.pictures.findLast((each) => each.at_s <= at_s) ?? this.pictures[0];
    if (picture === this.shown) return;
    this.shown = picture;
    const drawn = await createImageBitmap(picture.jpeg).catch(() => null);
    if (!drawn || picture !== this.shown) return;
    [this.screen.width, this.screen.height] = [drawn.width, drawn.height];
    this.screen.getContext("2d").drawImage(drawn, 0, 0);
    drawn.close();
  }

  async load() {
    this.button.disabled = true;
    this.told.textContent = "";
    try {
      const answer = await fetch(this.getAttribute("src"));
      this.pictures = answer.ok ? read(await answer.arrayBuffer()) : null;
    } catch {
      this.pictures = null;
    }
    this.button.disabled = false;
    if (!this.pictures) {
      this.told.textContent = this.dataset.failed;
      return;
    }
    if (!this.pictures.length) {
      this.controls.hidden = true;
      if (this.poster) this.poster.hidden = true;
      this.note.hidden = false;
      return;
    }
    this.length_s = this.pictures.at(-1).at_s;
    this.slider.max = this.length_s;
    this.slider.hidden = this.screen.hidden = false;
    if (this.poster) this.poster.hidden = true;
    await this.show(0);
  }

  tell() {
    this.button.textContent = this.plays ? this.dataset.pause : this.dataset.play;
    this.toggleAttribute("playing", this.plays);
  }
}

function still(address) {
  const picture = document.createElement("img");
  picture.src = address;
  picture.alt = "";
  return picture;
}

/* The JPEG pictures of a Matroska file (RFC 9559) with their times; none where it holds anything else. */
function read(buffer) {
  const view = new DataView(buffer);
  const film = { scale: 1e6, cluster: 0, codec: "", pictures: [] };
  try {
    walk(view, 0, view.byteLength, film);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error; /* cut off: what came is shown */
  }
  return film.codec === "V_MJPEG" ? film.pictures : [];
}

function walk(view, at, end, film) {
  while (at < end) {
    const id = number(view, at, true);
    const size = number(view, id.next, false);
    const from = size.next;
    const to = size.isOpen ? end : Math.min(from + size.value, end);
    if (PARENTS.has(id.value)) walk(view, from, to, film);
    else if (id.value === SCALE) film.scale = unsigned(view, from, to);
    else if (id.value === CODEC) film.codec = new TextDecoder().decode(new Uint8Array(view.buffer, from, to - from));
    else if (id.value === TIME) film.cluster = unsigned(view, from, to);
    else if (id.value === SIMPLE_BLOCK || id.value === BLOCK) film.pictures.push(picture(view, from, to, film));
    at = to;
  }
}

function picture(view, from, to, film) {
  const track = number(view, from, false);
  const at_s = ((film.cluster + view.getInt16(track.next)) * film.scale) / 1e9;
  return { at_s, jpeg: new Blob([new Uint8Array(view.buffer, track.next + 3, to - track.next - 3)], { type: "image/jpeg" }) };
}

/* A number of variable length (RFC 8794, 4); those that name elements keep the bit that marks their length. */
function number(view, at, isName) {
  const first = view.getUint8(at);
  const length = Math.clz32(first) - 23;
  if (length > 8) throw new RangeError("no number begins with zeros only");
  let value = isName ? first : first & (0xff >> length);
  let isOpen = value === 0xff >> length;
  for (let each = 1; each < length; each += 1) {
    const byte = view.getUint8(at + each);
    value = value * 256 + byte;
    isOpen &&= byte === 0xff;
  }
  return { value, isOpen, next: at + length };
}

function unsigned(view, from, to) {
  let value = 0;
  for (let at = from; at < to; at += 1) value = value * 256 + view.getUint8(at);
  return value;
}

function clock(at_s) {
  return `${Math.floor(at_s / 60)}:${String(Math.floor(at_s % 60)).padStart(2, "0")}`;
}

export function playFilms() {
  customElements.define("clip-film", ClipFilm);
}
