"""Train from nothing:  python -m recipe.train --data FOLDER --tokenizer FOLDER --out FOLDER --minutes 100

The learning rate and the helping losses follow the share of the budget that is spent, so a run ends annealed whether the
machine was free or busy. `--resume` continues from OUT/state.pt with the budget that is left. `--start` begins from weights
that exist, an exported folder or a file in openai-whisper's format; the tokenizer must be theirs. The training's own
classifiers are in neither and start anew.
"""

import argparse
import json
import random
import shutil
import time
from pathlib import Path

import torch

from . import noise, openai
from .augment import Augmenter
from .batches import Batcher, Pool
from .decode import HeldOut, transcribe, word_error_rate
from .export import load_folder
from .muon import Muon
from .network import Trainee, build
from .parallel import Job, Workers
from .phonemes import PHONEMES
from .tokenizer import TIMESTAMPS, Tokenizer

LOG_EVERY = 25  # steps
LONGEST_STEP = 10  # seconds that a step counts at most: whoever stops the process for a while takes nothing off the schedule
KEPT = 5  # checkpoints, for the average that is exported


class Schedule:
    """Everything that changes with progress, 0 to 1."""

    def __init__(self, warm_up_steps=150, hold=0.3, help_share=1.0, help_steps=0, least_strength=0.15, beginning=0.06):
        """help_share: of the helping losses' weights; help_steps: over which they grow, while new classifiers learn to be of
        use; least_strength: of the augmentation; beginning: the share of the run with short clips alone."""
        self.warm_up_steps, self.hold, self.beginning = warm_up_steps, hold, beginning
        self.help_share, self.help_steps, self.least_strength = help_share, help_steps, least_strength

    @classmethod
    def from_weights(cls):
        """For a run that begins where another ended: little to warm up, an earlier decline, and no beginner's course."""
        return cls(warm_up_steps=80, hold=0.15, help_share=0.5, help_steps=200, least_strength=0.6, beginning=0.0)

    def rate(self, progress: float, step: int) -> float:
        """Linear warm-up, a plateau, then linearly to (almost) nothing."""
        decay = 1.0 if progress < self.hold else max(0.01, (1 - progress) / (1 - self.hold))
        return min(1.0, (step + 1) / self.warm_up_steps) * decay

    def loss_weights(self, progress: float, step: int) -> dict[str, float]:
        grown = min(1.0, (step + 1) / self.help_steps) if self.help_steps else 1.0
        fade = lambda until: self.help_share * grown * max(0.0, 1 - progress / until)  # noqa: E731
        return {"text": 1.0, "phoneme": 0.6 * fade(0.85), "word": 0.4 * fade(0.8), "guide": 0.3 * fade(0.9)}

    def strength(self, progress: float) -> float:
        """Of the augmentation: a model that hears nothing yet learns little from noise."""
        return min(0.8, self.least_strength + 1.1 * progress)

    @staticmethod
    def full_context_share(progress: float) -> float:
        return 0.04 if progress < 0.85 else 0.2


class Training:
    def __init__(self, arguments):
        self.arguments = arguments
        self.resumed = torch.load(arguments.out / "state.pt", weights_only=False) if arguments.resume else {}
        self.warm = bool(arguments.start) or self.resumed.get("warm", False)
        self.schedule = Schedule.from_weights() if self.warm else Schedule()
        self.rng = random.Random(arguments.seed)
        torch.manual_seed(arguments.seed)
        self.tokenizer = Tokenizer(arguments.tokenizer)
        self.model = build(self.tokenizer.size)
        if arguments.start:
            self.model.load_state_dict(weights(arguments.start))
            if arguments.smooth_timestamps:
                smooth_timestamps(self.model, arguments.smooth_timestamps)
        self.trainee = Trainee(self.model, len(PHONEMES))
        if arguments.decoder_only:
            self.trainee.keep_encoder()
        self.step, self.clips, self.seconds = 0, 0, 0.0
        self.pool = Pool(arguments.data, self.tokenizer)
        self.optimisers = self._optimisers()
        self.out = arguments.out
        self.out.mkdir(parents=True, exist_ok=True)
        names = None
        if arguments.resume:
            names = self._load()
            self.pool.refresh(names)
        self.pool.refresh()
        if arguments.resume:
            self.pool.uses[:len(self.resumed["uses"])] = self.resumed["uses"]
        worker_rng = random.Random()
        augmenter = Augmenter(worker_rng, noise.bank(arguments.seed, 160))
        self.planner = Batcher(self.pool, None, self.rng, arguments.frames)
        self.workers = Workers(self.trainee, Batcher(self.pool, augmenter, worker_rng), arguments.workers)

    def _optimisers(self):
        """Muon for the blocks' matrices; AdamW for embeddings, convolutions, heads, biases and norms."""
        named = [(name, p) for name, p in self.trainee.named_parameters() if p.requires_grad]
        matrices = [p for name, p in named if p.dim() == 2 and ".blocks." in name]
        chosen = set(map(id, matrices))
        rest = [p for _, p in named if id(p) not in chosen]
        adamw = torch.optim.AdamW(
            [{"params": [p for p in rest if p.dim() >= 2], "weight_decay": 0.05},
             {"params": [p for p in rest if p.dim() < 2], "weight_decay": 0.0}],
            lr=self.arguments.lr, betas=(0.9, 0.98), foreach=True)
        return [Muon(matrices, lr=self.arguments.muon_lr), adamw]

    @property
    def progress(self) -> float:
        if self.arguments.steps:
            return self.step / self.arguments.steps
        return self.seconds / (60 * self.arguments.minutes)

    def run(self):
        log = open(self.out / "log.jsonl", "a")
        mark, averages, saved, evaluated = time.time(), {}, time.time(), self.seconds
        for batches in self._planned_steps():
            losses = self.train_step(batches)
            now = time.time()
            self.seconds, mark = self.seconds + min(now - mark, LONGEST_STEP), now
            for name, value in losses.items():
                averages[name] = 0.95 * averages.get(name, value) + 0.05 * value
            if self.step % LOG_EVERY == 0:
                self._log(log, {"losses": {name: round(value, 4) for name, value in averages.items()}})
            if now - saved > 60 * self.arguments.save_minutes:
                self.save()
                saved = now
            if self.seconds - evaluated > 60 * self.arguments.evaluate_minutes:
                evaluated = self.seconds
                self._log(log, {"wer": self.evaluate(60)})
            if self.progress >= 1:
                break
        self.save()
        self._log(log, {"wer": self.evaluate(None), "final": True})

    def _planned_steps(self):
        """Forever: rounds over the clips used least, short ones first at the very beginning."""
        while True:
            self.pool.refresh()
            beginning = self.progress < self.schedule.beginning
            for step in self.planner.plan(
                    2500 if beginning else 5000, join_share=0.0 if beginning else self.arguments.join_share,
                    longest_text=4 if beginning else None,
                    recording_share=self.arguments.recording_share if self.warm and not beginning else 0.0):
                yield step

    def train_step(self, items):
        progress, rng = self.progress, self.rng
        full = rng.random() < self.schedule.full_context_share(progress)
        if full:
            items = rng.sample(items, min(len(items), self.arguments.frames // 300))
        options = dict(strength=self.schedule.strength(progress), full=full,
                       timestamps=self.arguments.timestamps if self.warm or progress >= 0.2 else 0.0)
        parts = min(len(items), self.arguments.micro_batches)
        jobs = [Job(items[part::parts], rng.getrandbits(60), len(items[part::parts]) / len(items), self.pool.names,
                    self.schedule.loss_weights(progress, self.step), options) for part in range(parts)]
        losses = self.workers.step(jobs)
        norm = torch.nn.utils.clip_grad_norm_(self.workers.parameters, 1.0)
        rate = self.schedule.rate(progress, self.step)
        for optimiser, peak in zip(self.optimisers, (self.arguments.muon_lr, self.arguments.lr)):
            for group in optimiser.param_groups:
                group["lr"] = peak * rate
            optimiser.step()
        self.step, self.clips = self.step + 1, self.clips + sum(len(item.parts) for item in items)
        return losses | {"gradient_norm": norm.item()}

    def evaluate(self, count):
        rates = {}
        for name in ("sentences", "voices"):
            if (self.arguments.data / f"{name}-0000.json").exists():
                held_out = HeldOut(self.arguments.data, name, count)
                references = [record["text"] for record in held_out.records]
                rates[name] = round(word_error_rate(zip(transcribe(self.model, self.tokenizer, held_out), references)), 4)
        return rates

    def _log(self, log, entry):
        entry = {"step": self.step, "clips": self.clips, "minutes": round(self.seconds / 60, 2),
                 "progress": round(self.progress, 4), "pool": len(self.pool.examples)} | entry
        print(json.dumps(entry), file=log, flush=True)
        print(json.dumps(entry), flush=True)

    def save(self):
        state = {
            "trainee": self.trainee.state_dict(), "optimisers": [o.state_dict() for o in self.optimisers],
            "step": self.step, "clips": self.clips, "seconds": self.seconds, "uses": self.pool.uses,
            "shards": self.pool.names, "rng": self.rng.getstate(), "warm": self.warm, "torch_rng": torch.get_rng_state(),
        }
        torch.save(state, self.out / "state.partial")
        (self.out / "state.partial").rename(self.out / "state.pt")
        model = {"dims": vars(self.model.dims), "model_state_dict": self.model.state_dict()}
        torch.save(model, self.out / "model.partial")
        (self.out / "model.partial").rename(self.out / "model.pt")
        shutil.copy(self.out / "model.pt", self.out / f"model-{self.step:06}.pt")
        for old in sorted(self.out.glob("model-*.pt"))[:-KEPT]:
            old.unlink()

    def _load(self):
        state = self.resumed
        self.trainee.load_state_dict(state["trainee"])
        for optimiser, saved in zip(self.optimisers, state["optimisers"]):
            optimiser.load_state_dict(saved)
        self.step, self.clips, self.seconds = state["step"], state["clips"], state["seconds"]
        self.rng.setstate(state["rng"])
        torch.set_rng_state(state["torch_rng"])
        return state["shards"]


@torch.no_grad()
def smooth_timestamps(model, frames: float):
    """A timestamp's embedding becomes a mean of its neighbours', under a bell of this width: rare ones then share what frequent ones learnt."""
    steps, embedding = torch.arange(TIMESTAMPS), model.decoder.token_embedding.weight
    bells = torch.softmax(-0.5 * ((steps[:, None] - steps) / frames).square(), -1)
    embedding[-TIMESTAMPS:] = bells @ embedding[-TIMESTAMPS:]


def weights(path: Path) -> dict[str, torch.Tensor]:
    """Under openai's names: of an exported folder, or of a file as openai-whisper saves them."""
    return load_folder(path) if path.is_dir() else openai.load(path).state_dict()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--tokenizer", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    budget = parser.add_mutually_exclusive_group(required=True)
    budget.add_argument("--minutes", type=float, help="wall-clock budget, over all resumptions together")
    budget.add_argument("--steps", type=int)
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--start", type=Path, help="weights to begin from: an exported folder or a .pt; lower --lr and --muon-lr for it")
    parser.add_argument("--smooth-timestamps", type=float, default=0.0, help="width in frames of a bell over the timestamps' embeddings, with --start")
    parser.add_argument("--decoder-only", action="store_true", help="leave the encoder as it is: a step takes half as long")
    parser.add_argument("--join-share", type=float, default=0.25, help="of the clips, those that others follow, up to the whole window")
    parser.add_argument("--recording-share", type=float, default=0.07,
                        help="of the clips of a further run, those that begin a recording, of which every window is shown")
    parser.add_argument("--timestamps", type=float, default=0.25, help="share of single clips that have them; of joined ones three times it")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--micro-batches", type=int, default=3, help="parts a step is cut into for the workers")
    parser.add_argument("--frames", type=int, default=2600, help="encoder frames a step")
    parser.add_argument("--lr", type=float, default=2e-3, help="AdamW's peak")
    parser.add_argument("--muon-lr", type=float, default=6e-3)
    parser.add_argument("--save-minutes", type=float, default=3)
    parser.add_argument("--evaluate-minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    Training(arguments).run()


if __name__ == "__main__":
    main()
