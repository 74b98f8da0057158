"""The three analyses in numpy and PyTorch, written from their definitions: what plugins.py and probing.py compare with.

Nothing is taken from the plugins but what must be equal on both sides to be comparable: how a seed divides the rows.
"""

import numpy as np
import torch
from scipy.optimize import minimize

WITHIN = (1, 5, 10, 20, 50, 75, 100)
#: Lower bounds of the bins of distances, in frames.
BINS = (0, *(1 << power for power in range(11)))
MAX_OFFSET = 100


# MARK: - Attention

def attention(pattern, frames, sink_width=25):
    """Sums over the valid queries of one window's pattern, [heads, queries, keys]. -> name -> ([heads, …], rows).

    Distances in seconds, entropy in nats. A window without padding has no row for what is said of padding.
    """
    pattern = pattern[:, :frames].astype(np.float64)
    keys = pattern.shape[2]
    query, key = np.arange(frames)[:, None], np.arange(keys)[None]
    far = np.abs(key - query)
    relative = np.abs((query + 0.5) / frames - (key + 0.5) / frames)
    entropy = -np.where(pattern > 0, pattern * np.log(np.where(pattern > 0, pattern, 1)), 0).sum(-1)
    values = {"distance": (pattern * far).sum(-1) * 0.02, "entropy": entropy,
              "normalised entropy": entropy / np.log(keys), "diagonality": -(pattern * relative).sum(-1)}
    values |= {f"within {k}": (pattern * (far <= k)).sum(-1) for k in WITHIN}
    sums = {name: (value.sum(-1), frames) for name, value in values.items()}
    padded = frames if frames < keys else 0
    sums["padding"] = (pattern[..., frames:].sum((-1, -2)), padded)
    sums["sink"] = (pattern[..., frames:frames + sink_width].sum((-1, -2)), padded)
    upper = (*BINS[1:], keys + 1)
    sums["distances"] = (np.stack([(pattern * ((far >= low) & (far < high))).sum((-1, -2))
                                   for low, high in zip(BINS, upper)], -1), frames)
    offsets = range(-MAX_OFFSET, MAX_OFFSET + 1)
    sums["offsets"] = (np.stack([np.trace(pattern, offset, 1, 2) for offset in offsets], -1), frames)
    return sums


def head_means(windows):
    """`windows`: the sums of each window of one layer. -> name -> [heads, …]; NaN where no row was there."""
    means = {}
    for name in windows[0]:
        rows = sum(window[name][1] for window in windows)
        means[name] = sum(window[name][0] for window in windows) / (rows or np.nan)
    means["offset"], means["offset share"] = peak(means["offsets"])
    return means


def peak(offsets, width=1):
    """The offset with the most mass, and the mass within `width` of it."""
    best = offsets.argmax(-1)
    share = [row[max(0, place - width):place + width + 1].sum() for row, place in zip(offsets, best)]
    return best - MAX_OFFSET, np.array(share)


# MARK: - Probes

def standardised(features, train):
    """-> rows, mean, std; a feature that does not change has std 1."""
    mean, std = features[train].mean(0), features[train].std(0)
    std = np.where(std > 1e-6 * np.maximum(np.abs(mean), 1e-30), std, 1)
    return (features - mean) / std, mean, std


def log_softmax(logits):
    logits = logits - logits.max(1, keepdims=True)
    return logits - np.log(np.exp(logits).sum(1, keepdims=True))


def cross_entropy(logits, labels):
    """The mean over the rows; NaN without any."""
    return -log_softmax(logits)[np.arange(len(labels)), labels].mean() if len(labels) else np.nan


def logistic(features, labels, classes, l2):
    """argmin of mean cross-entropy + l2/2 ‖W‖², by scipy in float64, until the gradient is below 1e-11.

    -> weight [classes, features], bias [classes] with sum 0.
    """
    rows, width = features.shape
    one_hot = np.eye(classes)[labels]

    def objective(point):
        weight, bias = point[:classes * width].reshape(classes, width), point[classes * width:]
        logits = log_softmax(features @ weight.T + bias)
        value = -(logits * one_hot).sum() / rows + l2 / 2 * (weight ** 2).sum()
        residual = (np.exp(logits) - one_hot) / rows
        return value, np.concatenate([(residual.T @ features + l2 * weight).ravel(), residual.sum(0)])

    found = minimize(objective, np.zeros(classes * (width + 1)), jac=True, method="L-BFGS-B",
                     options={"maxiter": 20000, "maxfun": 40000, "ftol": 0, "gtol": 1e-11, "maxcor": 30})
    weight, bias = found.x[:classes * width].reshape(classes, width), found.x[classes * width:]
    return weight, bias - bias.mean()


def macro_f1(truth, answers):
    """The mean of the classes that occur in either."""
    scores = [2 * ((truth == label) & (answers == label)).sum() / ((truth == label).sum() + (answers == label).sum())
              for label in np.union1d(truth, answers)]
    return float(np.mean(scores))


def area_under_curve(scores, positive):
    """The share of pairs that are in order, ties half: by all pairs, without ranks."""
    difference = scores[positive][:, None] - scores[~positive][None]
    return float(((difference > 0) + 0.5 * (difference == 0)).mean()) if difference.size else float("nan")


def mean_area(logits, truth):
    """Of the second of two classes, else the mean of each against the rest, by the probabilities."""
    classes = logits.shape[1]
    scores = np.exp(log_softmax(logits))
    areas = [area_under_curve(scores[:, label], truth == label) for label in ([1] if classes == 2 else range(classes))]
    areas = [area for area in areas if not np.isnan(area)]
    return float(np.mean(areas)) if areas else float("nan")


def bootstrap(right, groups, draws=10000):
    """The 2.5th and 97.5th percentile of the accuracy over draws of groups with replacement; numpy's own draws."""
    names = sorted(set(groups))
    sums = np.array([[right[[group == name for group in groups]].sum(), groups.count(name)] for name in names], float)
    if len(names) < 2:
        return float("nan"), float("nan")
    drawn = sums[np.random.default_rng(0).integers(0, len(names), (draws, len(names)))].sum(1)
    return tuple(np.percentile(drawn[:, 0] / drawn[:, 1], [2.5, 97.5]))


# MARK: - Bigrams

def next_tokens(network, mel, prefix, prompts):
    """Logits [prompts, vocabulary] after prefix + each prompt, with an encoder that hears `mel`, and probabilities."""
    with torch.no_grad():
        audio = network.encoder(torch.as_tensor(mel)[None].float())
        logits = torch.stack([network.decoder(torch.tensor([prefix + prompt]), audio)[0, -1] for prompt in prompts])
    return logits.double().numpy(), torch.softmax(logits.double(), -1).numpy()
