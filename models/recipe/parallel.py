"""Data parallelism on a few contended cores: one thread a worker, and whoever is free takes the next micro-batch.

Threads inside one operation wait for the slowest core at every matrix product. Workers that share nothing but the
parameters and a sum of gradients wait once a step, and the queue gives a worker on a busy core less to do.
"""

import queue
from dataclasses import dataclass, field

import torch
import torch.multiprocessing as multiprocessing


@dataclass
class Job:
    """A micro-batch: what to build, the weights of the losses, and its share of the step."""

    items: list
    seed: int
    share: float
    shards: list[str]
    weights: dict[str, float]
    options: dict = field(default_factory=dict)


class Workers:
    def __init__(self, trainee: torch.nn.Module, batcher, count: int):
        """Forks, so that the parent must not have started threads of its own."""
        context = multiprocessing.get_context("fork")
        self.parameters = list(trainee.parameters())
        for parameter in self.parameters:
            parameter.data.share_memory_()
        self.gradients = [torch.zeros_like(parameter.data).share_memory_() for parameter in self.parameters]
        self._lock, self._jobs, self._results = context.Lock(), context.Queue(), context.Queue()
        self._processes = [context.Process(target=self._serve, args=(trainee, batcher), daemon=True)
                           for _ in range(count)]
        for process in self._processes:
            process.start()

    def step(self, jobs: list[Job]) -> dict[str, float]:
        """Run the jobs, leave the gradient's sum in each parameter's .grad, return the mean losses."""
        for gradient in self.gradients:
            gradient.zero_()
        for job in sorted(jobs, key=lambda job: -len(job.items)):
            self._jobs.put(job)
        losses = {}
        for _ in jobs:
            share, values = self._result()
            for name, value in values.items():
                losses[name] = losses.get(name, 0.0) + share * value
        for parameter, gradient in zip(self.parameters, self.gradients):
            parameter.grad = gradient
        return losses

    def _result(self):
        while True:
            try:
                return self._results.get(timeout=10)
            except queue.Empty:
                if not all(process.is_alive() for process in self._processes):
                    raise RuntimeError("a training worker has died; its error is above") from None

    def _serve(self, trainee, batcher):
        torch.set_num_threads(1)
        torch.set_flush_denormal(True)
        while True:
            job = self._jobs.get()
            if len(job.shards) > len(batcher.pool.names):
                batcher.pool.refresh(job.shards)
            batcher.reseed(job.seed)
            losses = trainee(batcher.batch(job.items, **job.options))
            (job.share * sum(job.weights[name] * loss for name, loss in losses.items())).backward()
            with self._lock:
                for parameter, gradient in zip(self.parameters, self.gradients):
                    if parameter.grad is not None:
                        gradient += parameter.grad
                        parameter.grad = None
            self._results.put((job.share, {name: loss.item() for name, loss in losses.items()}))
