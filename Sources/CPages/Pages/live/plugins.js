// What plugins say of the sound: of each the newest value of every result, and what the session says of the plugin.

import { el } from '../shared/elements.js';
import { digits, fixed } from '../shared/numbers.js';

const mostRows = 8, mostLabels = 12;

/** A result in a line or a small table; large arrays in numbers about them. */
function shown(result, unit) {
  const withUnit = text => unit ? `${text} ${unit}` : text;
  switch (result.kind) {
    case 'scalar': return withUnit(digits(result.value));
    case 'vector':
    case 'matrix': {
      const [low, high] = result.range;
      return withUnit(`${result.shape.join(' × ')} numbers, ${digits(low)} to ${digits(high)}`);
    }
    case 'table': return table(result);
    case 'events': return result.events.slice(-mostLabels).map(one => one.label || fixed(one.start, 2)).join(' · ');
    case 'audio': return `${fixed(result.seconds, 2)} s of sound`;
    default: return result.text ?? '';
  }
}

function table({ columns, rows }) {
  const cell = value => typeof value === 'number' ? digits(value) : value ?? '–';
  const body = rows.slice(0, mostRows).map(row => el('tr', {}, row.map(value => el('td', {}, cell(value)))));
  const rest = rows.length > mostRows ? el('p', { class: 'quiet' }, `and ${rows.length - mostRows} rows more`) : null;
  return [el('table', {}, el('thead', {}, el('tr', {}, columns.map(name => el('th', {}, name)))), el('tbody', {}, body)), rest];
}

export class Plugins {
  constructor(node) {
    this.node = node;
    this.restart();
  }

  restart() {
    this.sections = new Map();
    this.node.replaceChildren();
  }

  take(event) {
    const section = this.section(event.plugin);
    if (event.result) this.put(section, event);
    else section.note.textContent = event.failure ? `hears no more: ${event.failure}` : `${event.level}: ${event.message}`;
  }

  section(id) {
    let section = this.sections.get(id);
    if (!section) {
      section = { values: new Map(), list: el('dl'), note: el('p', { class: 'quiet' }) };
      this.sections.set(id, section);
      this.node.append(el('div', { class: 'plugin' }, el('h2', {}, id), section.list, section.note));
    }
    return section;
  }

  put(section, { result, title, unit, start, end }) {
    let place = section.values.get(result.output);
    if (!place) {
      place = { value: el('dd'), time: el('small') };
      section.values.set(result.output, place);
      section.list.append(el('div', {}, el('dt', {}, title || result.output, ' ', place.time), place.value));
    }
    place.time.textContent = `${fixed(start, 1)}–${fixed(end, 1)} s`;
    place.value.replaceChildren(...[shown(result, unit)].flat().filter(Boolean));
  }
}
