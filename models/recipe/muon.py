"""Muon (Jordan et al. 2024): momentum whose matrix is orthogonalised before it is applied.

All matrices of one shape are kept as one stack, so that the Newton-Schulz iterations are a few large products
instead of dozens of small ones; on two cores that halves the optimiser's share of a step.
"""

import torch

_QUINTIC = (3.4445, -4.7750, 2.0315)  # coefficients of the original implementation


def orthogonalise(stack: torch.Tensor, iterations: int = 4) -> torch.Tensor:
    """[n, rows, cols] with rows <= cols: singular values towards 1, singular vectors kept.

    For wide matrices the iterations run on the [rows, rows] Gram matrix alone and meet the matrix once at the end: every
    step is a polynomial of that Gram matrix, and such polynomials commute. Four iterations serve as well as the usual
    five here and the optimiser is a tenth of a step instead of a fifth.
    """
    a, b, c = _QUINTIC
    x = stack / (stack.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    wide = x.shape[-1] >= 2 * x.shape[-2]
    gram, product = x @ x.mT, None
    identity = torch.eye(x.shape[-2])
    for iteration in range(iterations):
        polynomial = a * identity + b * gram + c * gram @ gram
        if wide:
            product = polynomial if product is None else polynomial @ product
            gram = polynomial @ gram @ polynomial
        else:
            x = polynomial @ x
            gram = x @ x.mT if iteration + 1 < iterations else gram
    return product @ x if wide else x


class Muon(torch.optim.Optimizer):
    def __init__(self, matrices, lr, momentum=0.95, weight_decay=0.05):
        super().__init__(list(matrices), dict(lr=lr, momentum=momentum, weight_decay=weight_decay))

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            by_shape = {}
            for parameter in group["params"]:
                if parameter.grad is not None:
                    by_shape.setdefault(tuple(sorted(parameter.shape)), []).append(parameter)
            for parameters in by_shape.values():
                self._step_stack(parameters, group)

    def _step_stack(self, parameters, group):
        upright = lambda tensor: tensor if tensor.shape[0] <= tensor.shape[1] else tensor.T  # noqa: E731
        gradient = torch.stack([upright(parameter.grad) for parameter in parameters])
        state = self.state[parameters[0]]  # the stack's momentum lives with its first matrix
        momentum = state.setdefault("momentum", torch.zeros_like(gradient))
        momentum.lerp_(gradient, 1 - group["momentum"])
        update = orthogonalise(gradient.lerp(momentum, group["momentum"]))  # Nesterov
        # Scaled so that an update has the root mean square AdamW's would have (Liu et al. 2025).
        scale = -group["lr"] * 0.2 * max(gradient.shape[-2:]) ** 0.5
        for parameter, step in zip(parameters, update):
            parameter.mul_(1 - group["lr"] * group["weight_decay"])
            parameter.add_(step if parameter.shape[0] <= parameter.shape[1] else step.T, alpha=scale)
