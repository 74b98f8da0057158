"""The three analyses in numpy and PyTorch, written from their definitions: what plugins.py compares with.

Nothing is taken from the plugins but what must be equal on both sides to be comparable: the split's parts of a probe.
"""

import numpy as np
import torch
from scipy.optimize import minimize


def attention(patterns, valid, within=(1, 5, 10, 20, 50, 75, 100), sink_width=25):
    """Means over the valid queries of all recordings. `patterns`: [heads, frames, frames] for each recording.

    -> name -> [heads]. Distances in seconds, entropy in nats.
    """
    sums, rows = {}, 0
    for pattern, frames in zip(patterns, valid):
        pattern = pattern[:, :frames].astype(np.float64)
        keys = pattern.shape[2]
        query, key = np.arange(frames)[:, None], np.arange(keys)[None]
        far = np.abs(key - query)
        relative = np.abs((query + 0.5) / frames - (key + 0.5) / frames)
        entropy = -np.where(pattern > 0, pattern * np.log(np.where(pattern > 0, pattern, 1)), 0).sum(-1)
        values = {"distance": (pattern * far).sum(-1) * 0.02, "entropy": entropy,
                  "normalised entropy": entropy / np.log(keys), "diagonality": -(pattern * relative).sum(-1),
                  "padding": pattern[..., frames:].sum(-1), "sink": pattern[..., frames:frames + sink_width].sum(-1)}
        values |= {f"within {k}": (pattern * (far <= k)).sum(-1) for k in within}
        for name, value in values.items():
            sums[name] = sums.get(name, 0) + value.sum(-1)
        rows += frames
    return {name: value / rows for name, value in sums.items()}


def standardised(features, train):
    """-> rows, mean, std; a feature that does not change has std 1."""
    mean, std = features[train].mean(0), features[train].std(0)
    std = np.where(std > 1e-6 * np.maximum(np.abs(mean), 1e-30), std, 1)
    return (features - mean) / std, mean, std


def logistic(features, labels, classes, l2):
    """argmin of mean cross-entropy + l2/2 ‖W‖², by scipy in float64, until the gradient is below 1e-9.

    -> weight [classes, features], bias [classes] with sum 0.
    """
    rows, width = features.shape
    one_hot = np.eye(classes)[labels]

    def objective(point):
        weight, bias = point[:classes * width].reshape(classes, width), point[classes * width:]
        logits = features @ weight.T + bias
        logits -= logits.max(1, keepdims=True)
        partition = np.log(np.exp(logits).sum(1, keepdims=True))
        value = -((logits - partition) * one_hot).sum() / rows + l2 / 2 * (weight ** 2).sum()
        residual = (np.exp(logits - partition) - one_hot) / rows
        return value, np.concatenate([(residual.T @ features + l2 * weight).ravel(), residual.sum(0)])

    found = minimize(objective, np.zeros(classes * (width + 1)), jac=True, method="L-BFGS-B",
                     options={"maxiter": 20000, "maxfun": 40000, "ftol": 1e-16, "gtol": 1e-9, "maxcor": 30})
    weight, bias = found.x[:classes * width].reshape(classes, width), found.x[classes * width:]
    return weight, bias - bias.mean()


def area_under_curve(scores, positive):
    """The share of pairs that are in order, ties half: by all pairs, without ranks."""
    difference = scores[positive][:, None] - scores[~positive][None]
    return float(((difference > 0) + 0.5 * (difference == 0)).mean()) if difference.size else float("nan")


def next_tokens(network, mel, prefix, prompts):
    """Logits [prompts, vocabulary] after prefix + each prompt, with an encoder that hears `mel`, and probabilities."""
    with torch.no_grad():
        audio = network.encoder(torch.as_tensor(mel)[None].float())
        logits = torch.stack([network.decoder(torch.tensor([prefix + prompt]), audio)[0, -1] for prompt in prompts])
    return logits.double().numpy(), torch.softmax(logits.double(), -1).numpy()
