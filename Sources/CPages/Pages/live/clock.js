// The time that is shown: everything that runs along it ends with the newest sound.

/** Seconds that are shown. */
export const shown = 10;

/** Seconds of sound so far, and whether the picture stands still. */
export const clock = { end: 0, held: false, at: 0 };

/** Sound is known up to here. */
export function heardUntil(seconds) { clock.end = Math.max(clock.end, seconds); }

/** The right edge of the picture, once a frame. */
export function advance() { if (!clock.held) clock.at = clock.end; }

export function restart() { clock.end = 0; clock.at = 0; }

/** A canvas at its own size on this screen. */
export function fit(canvas) {
  const box = canvas.getBoundingClientRect(), scale = devicePixelRatio || 1;
  const width = Math.max(1, Math.round(box.width * scale)), height = Math.max(1, Math.round(box.height * scale));
  if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
  return { context: canvas.getContext('2d'), width, height };
}
