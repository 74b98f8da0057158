"""Gradients at every hook point by PyTorch's autograd, of openai-whisper's own forward pass.

Arrays are those of reference.py. Weights are constants; the log-mel is a variable. With a model in double precision (precise.py)
everything is in double precision.
"""

import contextlib
from types import MethodType

import torch
import torch.nn.functional as F
from whisper.model import MultiHeadAttention, disable_sdpa

import reference


def gradients(network, mel, tokens, objective):
    """`objective(values) -> scalar`, of the values of all hook points by name, each [positions, ...] and part of the graph.

    Returns the objective's value, and name -> array of the network's precision, "log_mel" among them.
    """
    network.requires_grad_(False)
    tensors, views = {}, {}

    def store(name, value, view):
        if isinstance(value, tuple):  # scores and patterns: `recording` has them with their gradients
            return
        if name == "decoder.token_embedding":
            value.requires_grad_()  # the weights are constants, and what was looked up in them is a variable
        if value.requires_grad:
            value.retain_grad()
        tensors[name], views[name] = value, view

    names = {module: name for name, module in network.named_modules()}
    mel = torch.as_tensor(mel)[None].to(network.decoder.token_embedding.weight.dtype).requires_grad_()
    with reference.watched(network, store), recording(network, names, store), disable_sdpa():
        audio = network.encoder(mel)
        network.decoder(torch.tensor([tokens]), audio)
    value = objective({name: views[name](tensor)[0] for name, tensor in tensors.items()})
    value.backward()
    found = {"log_mel": mel.grad[0]}
    for name, tensor in tensors.items():
        if tensor.grad is not None:
            found[name] = views[name](tensor.grad)[0]
    # After GELU, the convolutions' outputs are no module's; the second one's enters the first block's sum as it is.
    found["encoder.conv2"] = found["encoder.positional"]
    return value.item(), {name: grad.contiguous().numpy().copy() for name, grad in found.items()}


@contextlib.contextmanager
def recording(network, names, store):
    """openai-whisper's attention, line for line, but for its scores and patterns, which it keeps; and GELU's output."""
    def attention(self, q, k, v, mask=None):
        n_batch, n_ctx, n_state = q.shape
        scale = (n_state // self.n_head) ** -0.25
        q = q.view(*q.shape[:2], self.n_head, -1).permute(0, 2, 1, 3)
        k = k.view(*k.shape[:2], self.n_head, -1).permute(0, 2, 1, 3)
        v = v.view(*v.shape[:2], self.n_head, -1).permute(0, 2, 1, 3)
        qk = (q * scale) @ (k * scale).transpose(-1, -2)
        if mask is not None:
            qk = qk + mask[:n_ctx, :n_ctx]
        store(f"{names[self]}.scores", qk, lambda value: value)
        pattern = F.softmax(qk, dim=-1)
        store(f"{names[self]}.pattern", pattern, lambda value: value)
        return (pattern @ v).permute(0, 2, 1, 3).flatten(start_dim=2), qk.detach()

    modules = [module for module in network.modules() if isinstance(module, MultiHeadAttention)]
    for module in modules:
        module.qkv_attention = MethodType(attention, module)
    entry = network.encoder.conv2.register_forward_pre_hook(
        lambda _, inputs: store("encoder.conv1", inputs[0], lambda value: value.permute(0, 2, 1)))
    try:
        yield
    finally:
        entry.remove()
        for module in modules:
            del module.qkv_attention


# Objectives, of the values of all hook points.

def encoder_sum(values):
    return values["encoder.ln_post"].sum()


def log_probability(tokens, prompt):
    """Of the tokens after the first `prompt`, each given those before it."""
    def objective(values):
        logs = values["decoder.logits"].log_softmax(-1)
        return sum(logs[position - 1, tokens[position]] for position in range(prompt, len(tokens)))
    return objective


def logit(token, other, position):
    """Of a token behind a position, less another's."""
    return lambda values: values["decoder.logits"][position, token] - values["decoder.logits"][position, other]


def element(hook, column, frames):
    """A column of a hook point, over frames."""
    return lambda values: values[hook][frames[0]:frames[1], column].sum()
