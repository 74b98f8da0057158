// Elements of drawings.

import { fill } from './elements.js';

export function svg(name, properties = {}, ...children) {
  return fill(document.createElementNS('http://www.w3.org/2000/svg', name), properties, children);
}
