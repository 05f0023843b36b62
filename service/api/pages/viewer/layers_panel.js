import { askActivations, failureWords } from "./api.js";
import { el } from "./dom.js";
import { digits } from "./figure_words.js";
import { button, check, choice } from "./inputs.js";
import { cellAt, drawMap, drawTile, sourceOf, valuesOf } from "./layer_maps.js";
import { layerOption, modelLayers } from "./question.js";

const GAP = 2; // pixels between maps
const ACROSS = [1, 2, 4, 8].map((count) => [count, String(count)]);
const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const TURNS = { PageUp: -1, PageDown: 1 };

/** Build the montage of the maps of a layer, with the cross-hair of the views in all of them. */
export function layersSection(store) {
  const layer = choice("Layer", [], () => show(store.state));
  const across = choice("Maps in a row", ACROSS, () => draw(store.state));
  const own = check("Own scale for each filter", () => show(store.state));
  const load = button("Show the maps", ask);
  const reading = el("p");
  const facts = el("output");
  const status = el("p", { role: "status" });
  const sheet = el("canvas", {
    tabIndex: 0,
    role: "application",
    "aria-label":
      "Maps of the filters. Arrow keys move the cross-hair by a cell, Page Up and Page Down " +
      "choose another filter.",
  });
  const body = el("div", {}, reading, across.element, own.element, facts, sheet);
  const title = el("summary", { text: "Maps of a layer" });
  const element = el("details", { class: "layers" }, title, layer.element, load, status, body);
  const kept = new Map();
  let files = null;
  let maps = null;
  let filter = 0;
  body.hidden = true;

  async function attempt(act) {
    try {
      await act();
      status.textContent = "";
      show(store.state);
    } catch (error) {
      status.textContent = failureWords(error);
    }
  }

  element.ontoggle = () =>
    element.open &&
    attempt(async () => {
      const { layers, default_layer: first } = await modelLayers();
      const value = layer.input.value || first;
      layer.offer(layers.map(layerOption));
      layer.show(value);
    });

  const keyOf = ({ current }) => `${current} ${layer.input.value}`;

  function ask() {
    const key = keyOf(store.state);
    const { files: asked, current } = store.state;
    status.textContent = "The model is at work.";
    attempt(async () => {
      const answer = await askActivations(layer.input.value, asked[current]);
      const values = await Promise.all(answer.filters.map((one) => valuesOf(one, answer.layer)));
      if (asked === files) kept.set(key, { ...answer, values });
      across.show(values.length > 16 ? 8 : 4);
    });
  }

  /** Show the maps of the current image and layer, if they were asked for. */
  function show(state) {
    if (state.files !== files) kept.clear();
    files = state.files;
    maps = kept.get(keyOf(state));
    body.hidden = !maps;
    load.hidden = !body.hidden;
    if (!maps) return;

    const ranges = maps.filters.map(({ black, white }) => [black, white]);
    const lowest = Math.min(...ranges.map(([low]) => low));
    const highest = Math.max(...ranges.map(([, high]) => high));
    maps.tiles = maps.values.map((values, index) =>
      drawMap(values, maps.layer, ...(own.input.checked ? ranges[index] : [lowest, highest])),
    );
    filter %= maps.tiles.length;
    reading.textContent = maps.layer.reading;
    draw(state);
  }

  /** Return the box of a filter's map on a sheet of a width. */
  function boxOf(index, room) {
    const columns = Number(across.input.value);
    const width = (room - GAP * (columns - 1)) / columns;
    const height = (width * maps.layer.height) / maps.layer.width;
    const left = (index % columns) * (width + GAP);
    return { left, top: Math.floor(index / columns) * (height + GAP), width, height };
  }

  function draw({ crosshair, current }) {
    const room = sheet.clientWidth || 340;
    const last = boxOf(maps.tiles.length - 1, room);
    const height = last.top + last.height;
    sheet.style.height = `${height}px`;
    sheet.width = room * devicePixelRatio;
    sheet.height = height * devicePixelRatio;
    const context = sheet.getContext("2d");
    context.scale(devicePixelRatio, devicePixelRatio);

    const cell = crosshair?.index === current ? cellAt(maps, crosshair) : null;
    maps.tiles.forEach((tile, index) =>
      drawTile(context, tile, boxOf(index, room), cell, index === filter),
    );
    facts.textContent = factsOf(cell);
  }

  function factsOf(cell) {
    const { mean, maximum, zero_share: zeros } = maps.filters[filter];
    const index = cell && cell.row * maps.layer.width + cell.column;
    const value = cell
      ? `${digits(maps.values[filter][index])} at column ${cell.column}, row ${cell.row}`
      : "point at a map or a view";
    const dark = `${Math.round(100 * zeros)} % zero`;
    const rest = `mean ${digits(mean)}, maximum ${digits(maximum)}, ${dark}`;
    return `Filter ${filter}: ${value}; ${rest}.`;
  }

  function moveTo(cell) {
    store.change({ crosshair: { index: store.state.current, ...sourceOf(maps, cell) } });
  }

  sheet.onpointermove = sheet.onpointerdown = ({ type, offsetX, offsetY }) => {
    const at = maps.tiles.findIndex((_, index) => {
      const { left, top, width, height } = boxOf(index, sheet.clientWidth);
      return offsetX < left + width && offsetY < top + height && offsetX >= left && offsetY >= top;
    });
    if (at < 0) return;
    if (type === "pointerdown") filter = at;
    const { left, top, width, height } = boxOf(at, sheet.clientWidth);
    const column = Math.floor(((offsetX - left) / width) * maps.layer.width);
    const row = Math.floor(((offsetY - top) / height) * maps.layer.height);
    moveTo({ column, row });
  };

  sheet.onkeydown = (event) => {
    const { key } = event;
    if (!STEPS[key] && !TURNS[key]) return;
    event.preventDefault();
    event.stopPropagation();
    if (STEPS[key]) {
      stepBy(...STEPS[key]);
      return;
    }
    filter = (filter + TURNS[key] + maps.tiles.length) % maps.tiles.length;
    draw(store.state);
  };

  /** Move the cross-hair by cells, from the middle if there is none. */
  function stepBy(right, down) {
    const { crosshair, current } = store.state;
    const { width, height } = maps.layer;
    const here = crosshair?.index === current ? cellAt(maps, crosshair) : null;
    const { column, row } = here ?? { column: width >> 1, row: height >> 1 };
    const within = (value, end) => Math.min(end - 1, Math.max(0, value));
    moveTo({ column: within(column + right, width), row: within(row + down, height) });
  }

  function update(state) {
    if (maps && state.files === files && maps === kept.get(keyOf(state))) draw(state);
    else show(state);
  }

  return { element, keys: ["files", "current", "crosshair"], update };
}
