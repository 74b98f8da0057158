// How long after a sound what it made is here: the newest events of each kind, by the clock of this machine.

const most = 200, kinds = { level: 'level', readings: 'features', hypothesis: 'words' };

export class Latency {
  constructor(node) {
    this.node = node;
    this.restart();
  }

  restart() {
    this.delays = Object.fromEntries(Object.values(kinds).map(name => [name, []]));
    this.node.textContent = '';
  }

  take(event) {
    const delays = this.delays[kinds[event.event]];
    if (!delays || event.captured === undefined) return;
    delays.push(Date.now() - event.captured * 1000);
    if (delays.length > most) delays.shift();
  }

  show() {
    const parts = Object.entries(this.delays).filter(([, delays]) => delays.length).map(([name, delays]) => {
      const sorted = [...delays].sort((a, b) => a - b), at = share => Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]);
      return `${name} ${at(.5)} / ${at(.95)} ms`;
    });
    this.node.textContent = parts.length ? `latency (median / 95 %)  ${parts.join('   ')}` : '';
  }
}
