"""Training a sparse autoencoder in PyTorch, as lean as it goes: what `auscult-bench sae` measures ours beside.

The mathematics are those of plugins/sae without its auxiliary loss, which has nothing to do in the measured steps: no latent has
been silent for long enough. Dense products, fused Adam. `topk sparse` adds up the k directions (`embedding_bag`) instead.
"""

import torch
import torch.nn.functional as F


class Rectangle(torch.autograd.Function):
    """JumpReLU: z where z > θ, with a rectangle of the bandwidth for the step's derivative (Rajamanoharan et al. 2024)."""

    @staticmethod
    def forward(context, z, log_threshold, bandwidth, step):
        threshold = log_threshold.exp()
        context.save_for_backward(z, threshold)
        context.bandwidth, context.step = bandwidth, step
        return torch.where(z > threshold, z, 0)

    @staticmethod
    def backward(context, slopes):
        z, threshold = context.saved_tensors
        near = (z - threshold).abs() < context.bandwidth / 2
        step = context.step(z, threshold)
        along = -(threshold / context.bandwidth) * torch.where(near, threshold * slopes + step, 0).sum(0)
        return torch.where(z > threshold, slopes, 0), along, None, None


class Training:
    def __init__(self, samples, variant, width, latents, batch, k):
        generator = torch.Generator().manual_seed(0)
        data = torch.from_numpy(samples).view(-1, width)
        centre = data.mean(0)
        self.data, self.unit = data - centre, (data - centre).pow(2).mean().sqrt()
        self.variant, self.batch, self.k, self.generator = variant, batch, k, generator
        decoder = F.normalize(torch.rand(latents, width, generator=generator) * 2 - 1, dim=1)
        self.encoder, self.decoder = decoder.clone().requires_grad_(), decoder.requires_grad_()
        self.bias, self.ground = torch.zeros(latents, requires_grad=True), torch.zeros(width, requires_grad=True)
        parameters = [self.encoder, self.decoder, self.bias, self.ground]
        groups = [{"params": parameters}]
        if variant == "jumprelu":
            z = F.relu(self.drawn() @ self.encoder.detach().T).flatten()
            start = z.topk(k * batch).values[-1].log()
            self.threshold = start.repeat(latents).requires_grad_()
            groups.append({"params": [self.threshold], "lr": 1e-2})
        self.optimiser = torch.optim.Adam(groups, lr=1e-3, fused=True)
        self.silent = torch.zeros(latents)
        self.explained = self.active = 0.0

    def drawn(self):
        return self.data[torch.randint(len(self.data), (self.batch,), generator=self.generator)] / self.unit

    def reconstruct(self, x):
        """-> x̂, codes (or which latents are active, and how much), the penalty"""
        before = (x - self.ground) @ self.encoder.T + self.bias
        if self.variant == "topk sparse":
            values, places = F.relu(before).topk(self.k, dim=1, sorted=False)
            made = F.embedding_bag(places, self.decoder, mode="sum", per_sample_weights=values)
            return made + self.ground, (values, places), 0
        penalty = 0
        if self.variant == "batchtopk":
            z = F.relu(before)
            z = torch.where(z >= z.flatten().topk(self.k * len(x), sorted=False).values.min(), z, 0)
        elif self.variant == "topk":
            kept = F.relu(before).topk(self.k, dim=1, sorted=False)
            z = torch.zeros_like(before).scatter(1, kept.indices, kept.values)
        elif self.variant == "jumprelu":
            z = Rectangle.apply(before, self.threshold, 0.5, self.excess)
            penalty = self.penalty
        else:
            z = F.relu(before)
            penalty = 1.5 * z.sum() / x.numel()
        return z @ self.decoder + self.ground, z, penalty

    def excess(self, z, threshold):
        over = (z > threshold).sum() / len(z) / self.k - 1
        return 2 * over / (self.k * len(z))

    penalty = 0

    def step(self):
        x = self.drawn()
        made, z, penalty = self.reconstruct(x)
        error = (x - made).pow(2)
        loss = error.mean() + penalty
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        with torch.no_grad():
            self.decoder.grad -= (self.decoder.grad * self.decoder).sum(1, keepdim=True) * self.decoder
            self.optimiser.step()
            self.decoder /= self.decoder.norm(dim=1, keepdim=True)
            if isinstance(z, tuple):
                fired = torch.zeros(len(self.silent)).index_fill_(0, z[1][z[0] > 0], 1) > 0
                active = (z[0] > 0).sum()
            else:
                fired = (z > 0).any(0)
                active = (z > 0).sum()
            self.silent = torch.where(fired, 0, self.silent + len(x))
            self.explained = 1 - error.sum().item() / (x - x.mean(0)).pow(2).sum().item()
            self.active = active.item() / len(x)

    def figures(self):
        return f"explained {self.explained:.3f}, L0 {self.active:.1f}"
