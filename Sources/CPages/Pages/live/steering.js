// Interventions, each with a switch; more can be written.

import { el } from '../shared/elements.js';
import { tell } from './source.js';

export class Steering {
  /** `failed` gets what the engine does not take. */
  constructor(node, { interventions, steering }, failed) {
    Object.assign(this, { node, failed });
    this.input = el('input', { type: 'text', placeholder: 'encoder.blocks.2.attn.z @heads 3 = zero', 'aria-label': 'Another intervention',
      spellcheck: 'false', autocomplete: 'off' });
    this.form = el('form', { onsubmit: event => { event.preventDefault(); this.add(); } }, this.input,
      el('button', { class: 'plain' }, 'Add'));
    node.append(this.form);
    for (const text of new Set([...interventions, ...steering])) this.place(text, steering.includes(text));
  }

  place(text, isOn) {
    const box = el('input', { type: 'checkbox', checked: isOn, onchange: () => this.send(box) });
    box.value = text;
    this.form.before(el('label', {}, box, text));
    return box;
  }

  /** What holds. */
  set(steering) { for (const box of this.boxes) box.checked = steering.includes(box.value); }

  get boxes() { return [...this.node.querySelectorAll('input[type=checkbox]')]; }

  add() {
    const text = this.input.value.trim();
    if (!text) return;
    const known = this.boxes.find(box => box.value === text);
    const box = known ?? this.place(text, false);
    box.checked = true;
    this.send(box);
    this.input.value = '';
  }

  async send(changed) {
    try {
      await tell('steer', {}, JSON.stringify(this.boxes.filter(box => box.checked).map(box => box.value)));
      this.failed(null);
    } catch (error) {
      changed.checked = !changed.checked;
      this.failed(error);
    }
  }
}
