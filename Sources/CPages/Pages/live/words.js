// What is said: final text, then what two looks agree on, then what may change.

import { el } from '../shared/elements.js';

const most = 200;

class Line {
  constructor(node) {
    this.node = node;
    this.restart();
  }

  restart() {
    this.stable = el('span', { class: 'stable' });
    this.tentative = el('span', { class: 'tentative' });
    this.node.replaceChildren(this.stable, this.tentative);
  }

  add(node) {
    this.stable.before(node);
    while (this.node.childNodes.length > most) this.node.firstChild.remove();
    this.node.scrollTop = this.node.scrollHeight;
  }

  final(text) {
    this.add(el('span', {}, text));
    this.guess('', '');
  }

  guess(text, stable) {
    const sure = text.startsWith(stable) ? stable : '';
    this.stable.textContent = sure;
    this.tentative.textContent = text.slice(sure.length);
    this.node.scrollTop = this.node.scrollHeight;
  }
}

export class Words {
  constructor(node, plain) {
    this.plain = plain;
    this.lines = [new Line(node), new Line(plain.querySelector('p'))];
  }

  restart() {
    for (const line of this.lines) line.restart();
    this.plain.hidden = true;
  }

  take(event) {
    const line = this.lines[event.plain ? 1 : 0];
    if (event.plain) this.plain.hidden = false;
    if (event.event === 'segment') line.final(event.text); else line.guess(event.text, event.stable);
  }

  /** Something that happened between words. */
  note(kind, text) { this.lines[0].add(el('span', { class: kind }, text)); }
}
