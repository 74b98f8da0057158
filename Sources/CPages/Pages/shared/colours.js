// The colour map: which colours stand for 0…1, and pictures of it.

const channels = colour => [1, 3, 5].map(i => parseInt(colour.slice(i, i + 2), 16));

let names = [], table = [];

/** "#rrggbb", from little to much. */
export function setColours(colours) { names = colours; table = colours.map(channels); }

/** All colours from left to right, as a background. */
export const ramp = () => `linear-gradient(90deg, ${names.filter((_, i) => i % 12 === 0).join(', ')})`;

/**
 * The picture, a pixel a value.
 * values: shares from 0 to 1, row by row from the top; what is not a number has the colour `missing`.
 */
export function paint(canvas, { columns, rows, values }, missing = '#000000') {
  canvas.width = Math.max(columns, 1);
  canvas.height = Math.max(rows, 1);
  const context = canvas.getContext('2d'), image = context.createImageData(canvas.width, canvas.height);
  const none = channels(missing);
  for (let i = 0; i < values.length; i++) {
    const share = Math.min(Math.max(values[i], 0), 1);
    const [r, g, b] = Number.isNaN(share) ? none : table[Math.round(share * (table.length - 1))];
    image.data.set([r, g, b, 255], i * 4);
  }
  context.putImageData(image, 0, 0);
}
