// In the audio thread: gathers what the microphone gives into pieces of a tenth of a second.

class Recorder extends AudioWorkletProcessor {
  constructor() {
    super();
    this.piece = new Float32Array(1600);
    this.count = 0;
  }

  process([input]) {
    for (const sample of input[0] ?? []) {
      this.piece[this.count++] = sample;
      if (this.count < this.piece.length) continue;
      this.port.postMessage(this.piece.slice());
      this.count = 0;
    }
    return true;
  }
}

registerProcessor('recorder', Recorder);
