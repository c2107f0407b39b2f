/* Draws GeoJSON of the register with Leaflet: no tiles, no borders, WGS-84. Elements:
   <div data-map="/address/of.geojson" data-words='{"plot": "Plot", …}'>; checkboxes [data-layer] beside it switch layers.
   Colours come from the style sheet (classes shape-…), so light and dark need nothing here. */

const ORDER = ["grid", "plot", "plant", "view", "lead"];
const STEPS_DEGREES = [0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 5, 20];
const SHAPES = {
  grid: { weight: 1.5, fillOpacity: 0.04, dashArray: "6 5" },
  plot: { weight: 2, fillOpacity: 0.22 },
  plant: { weight: 2, fillOpacity: 0.22 },
  view: { weight: 2, fillOpacity: 0.1, dashArray: "2 5" },
};

async function draw(element) {
  const answer = await fetch(element.dataset.map, { headers: { Accept: "application/geo+json" } });
  if (!answer.ok) throw new Error(`map: ${answer.status}`);
  const collection = await answer.json();
  const map = L.map(element, { attributionControl: false, zoomSnap: 0.25, scrollWheelZoom: !element.dataset.calm });
  const words = JSON.parse(element.dataset.words);
  map.zoomControl.remove();
  L.control.zoom({ zoomInTitle: words.zoomIn, zoomOutTitle: words.zoomOut }).addTo(map);
  L.control.attribution({ prefix: false }).addAttribution(words.attribution).addTo(map);
  L.control.scale({ imperial: false }).addTo(map);
  const named = [];
  const layers = new Map(ORDER.map((kind) => [kind, L.layerGroup().addTo(map)]));
  for (const kind of ORDER) {
    for (const feature of collection.features.filter((each) => each.properties.layer === kind)) {
      const drawn = shape(feature, kind).addTo(layers.get(kind));
      if (feature.properties.label) named.push([drawn, feature.properties.label_zooms]);
    }
  }
  const name = () => named.forEach(([drawn, [from, to]]) => nameIt(drawn, map.getZoom() >= from && map.getZoom() < to));
  map.on("zoomend layeradd", name);
  fit(map, collection);
  rule(map);
  name();
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  for (const button of document.querySelectorAll(`[data-fly][data-of="${element.id}"]`)) {
    button.addEventListener("click", () => {
      const [west, south, east, north] = button.dataset.fly.split(",").map(Number);
      if (button.dataset.fly) map.flyToBounds([[south, west], [north, east]], { padding: [40, 40], animate: !calm, duration: 0.8 });
      else fit(map, collection);
    });
  }
  for (const box of document.querySelectorAll(`[data-layer][data-of="${element.id}"]`)) {
    const layer = layers.get(box.dataset.layer);
    const apply = () => (box.checked ? layer.addTo(map) : layer.remove());
    box.addEventListener("change", apply);
    apply();
  }
  element.dataset.drawn = "yes";
}

function shape(feature, kind) {
  const drawn = L.geoJSON(feature, {
    style: { ...SHAPES[kind], className: `shape-${kind}`, color: "", fillColor: "" },
    pointToLayer: (_, at) => L.circleMarker(at, { radius: kind === "lead" ? 11 : 4, weight: 2.5, fillOpacity: 1, className: `shape-${kind}`, color: "", fillColor: "" }),
  });
  const { name, lines = [], href, label } = feature.properties;
  if (name) drawn.bindPopup(() => card(name, lines, href));
  const spot = feature.geometry.type === "Point";
  if (label) drawn.bindTooltip(label, { permanent: true, direction: (spot && kind !== "lead") || kind === "plant" ? "top" : "center", className: `map-label on-${kind}`, offset: [0, 0] });
  return drawn;
}

/* A name is shown only while there is room for it; the point that carries a garden's name goes with it. */
function nameIt(drawn, shown) {
  drawn.eachLayer((layer) => {
    const part = layer.getTooltip()?.getElement() ?? drawn.getTooltip()?.getElement();
    if (part) part.classList.toggle("away", !shown);
    if (layer.feature.geometry.type === "Point" && layer.feature.properties.layer !== "lead") {
      layer.getElement?.()?.classList.toggle("away", !shown);
    }
  });
}

function card(name, lines, href) {
  const box = document.createElement("div");
  const title = document.createElement(href ? "a" : "strong");
  if (href) title.href = href;
  title.textContent = name;
  box.append(title);
  for (const line of lines) {
    const row = document.createElement("div");
    row.textContent = line;
    box.append(row);
  }
  return box;
}

/* Lines of longitude and latitude, so that WGS-84 can be read off the map. */
function rule(map) {
  const lines = L.layerGroup().addTo(map);
  const pane = map.createPane("graticule");
  pane.style.zIndex = 250;
  const draw = () => {
    lines.clearLayers();
    const bounds = map.getBounds();
    const degrees = (bounds.getEast() - bounds.getWest()) / Math.max(map.getSize().x / 150, 1);
    const step = STEPS_DEGREES.find((each) => each >= degrees) ?? STEPS_DEGREES.at(-1);
    const digits = Math.max(0, Math.ceil(-Math.log10(step)));
    const south = bounds.getSouth(), west = bounds.getWest();
    for (let east = Math.ceil(west / step) * step; east < bounds.getEast(); east += step) {
      line([[south, east], [bounds.getNorth(), east]], [bounds.getNorth(), east], `${east.toFixed(digits)}°`, "bottom");
    }
    for (let north = Math.ceil(south / step) * step; north < bounds.getNorth(); north += step) {
      line([[north, west], [north, bounds.getEast()]], [north, bounds.getEast()], `${north.toFixed(digits)}°`, "left");
    }
  };
  const line = (ends, at, text, direction) => {
    L.polyline(ends, { pane: "graticule", className: "graticule", color: "", weight: 1, interactive: false }).addTo(lines);
    L.tooltip(at, { content: text, permanent: true, direction, className: "map-label degrees", offset: [0, 0], pane: "graticule" }).addTo(lines);
  };
  map.on("moveend", draw);
  draw();
}

function fit(map, collection) {
  const near = collection.features.filter((each) => each.properties.near);
  const bounds = L.geoJSON(near.length ? near : collection.features).getBounds();
  if (bounds.isValid()) map.fitBounds(bounds, { paddingTopLeft: [48, 40], paddingBottomRight: [48, 32], maxZoom: 19 });
  else map.setView([30, 120], 5);
}

for (const element of document.querySelectorAll("[data-map]")) {
  draw(element).catch((error) => {
    element.textContent = JSON.parse(element.dataset.words).failed;
    console.warn(error.message);
  });
}
