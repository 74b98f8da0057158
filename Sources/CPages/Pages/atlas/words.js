// Words and places of the atlas.

import { byId } from '../shared/elements.js';

/** "+" and "−", with the typographer's sign. */
export const sideName = side => side === '-' ? '−' : '+';

/** encoder.blocks.2.mlp.1 · 412, or the name that a direction or latent has. */
export const place = feature => `${feature.hook} · ${feature.number}`;

/** Tells it to those who hear the page. */
export function say(text) { byId('live').textContent = text; }
