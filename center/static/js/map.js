/* Draws GeoJSON of the register with Leaflet: no tiles, no borders, WGS-84. Elements:
   <div data-map="/address/of.geojson" data-words='{"plot": "Plot", …}'>; checkboxes [data-layer] beside it switch layers.
   Colours come from the style sheet (classes shape-…), so light and dark need nothing here. */

const ORDER = ["grid", "plot", "plant", "view", "lead"];
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
  fit(map, collection, element.dataset.focus);
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
    pointToLayer: (_, at) => L.circleMarker(at, { radius: kind === "lead" ? 8 : 4, weight: 2.5, fillOpacity: 1, className: `shape-${kind}`, color: "", fillColor: "" }),
  });
  const { name, lines = [], href, label } = feature.properties;
  if (name) drawn.bindPopup(() => card(name, lines, href));
  const spot = feature.geometry.type === "Point";
  if (label) drawn.bindTooltip(label, { permanent: true, direction: spot ? "top" : "center", className: `map-label ${kind}`, offset: [0, spot ? -6 : 0] });
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

function fit(map, collection, focus) {
  const near = collection.features.filter((each) => !focus || each.properties.near);
  const bounds = L.geoJSON(near.length ? near : collection.features).getBounds();
  if (bounds.isValid()) map.fitBounds(bounds, { padding: [24, 24], maxZoom: 19 });
  else map.setView([30, 120], 5);
}

for (const element of document.querySelectorAll("[data-map]")) {
  draw(element).catch((error) => {
    element.textContent = JSON.parse(element.dataset.words).failed;
    console.warn(error.message);
  });
}
