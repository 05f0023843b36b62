/** Return the cell {column, row} at a point of the source, rounded; null outside the maps. */
export function cellAt({ cell_to_source: [[a, , c], [, e, f]], layer }, { x, y }) {
  const [column, row] = [Math.round((x - c) / a), Math.round((y - f) / e)];
  const isInside = column >= 0 && row >= 0 && column < layer.width && row < layer.height;
  return isInside ? { column, row } : null;
}

/** Return the point {x, y} of the source at the centre of a cell. */
export function sourceOf({ cell_to_source: [[a, , c], [, e, f]] }, { column, row }) {
  return { x: a * column + c, y: e * row + f };
}

/** Return the values of a filter's map, to 1/255 of its range from `black` to `white`. */
export async function valuesOf({ png, black, white }, { width, height }) {
  const bytes = Uint8Array.from(atob(png), (letter) => letter.charCodeAt(0));
  const bitmap = await createImageBitmap(new Blob([bytes]), { colorSpaceConversion: "none" });
  const context = new OffscreenCanvas(width, height).getContext("2d");
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  const { data } = context.getImageData(0, 0, width, height);
  const value = (cell) => black + (data[4 * cell] / 255) * (white - black);
  return Float32Array.from({ length: width * height }, (_, cell) => value(cell));
}

/** Return a map as a canvas with one pixel for each cell. */
export function drawMap(values, { width, height }, black, white) {
  const canvas = new OffscreenCanvas(width, height);
  const image = new ImageData(width, height);
  values.forEach((value, cell) => {
    const grey = (255 * (value - black)) / (white - black || 1);
    image.data.set([grey, grey, grey, 255], 4 * cell);
  });
  canvas.getContext("2d").putImageData(image, 0, 0);
  return canvas;
}

/** Draw a map into a box, with lines through a cell, and a frame if it is the chosen one. */
export function drawTile(context, map, { left, top, width, height }, cell, isChosen) {
  context.imageSmoothingEnabled = width < map.width;
  context.drawImage(map, left, top, width, height);
  const lines = new Path2D();
  if (isChosen) lines.rect(left + 1, top + 1, width - 2, height - 2);
  if (cell) {
    const x = left + ((cell.column + 0.5) * width) / map.width;
    const y = top + ((cell.row + 0.5) * height) / map.height;
    lines.addPath(new Path2D(`M${x} ${top}v${height}M${left} ${y}h${width}`));
  }
  for (const [style, thickness] of [["#000", 3], ["#7cc4ff", 1]]) {
    context.strokeStyle = style;
    context.lineWidth = thickness;
    context.stroke(lines);
  }
}
