"""TransformerLens's calls, as cells of two of its tutorials ("Main Demo", "Exploratory Analysis") have them, for Whisper.

Beside PyTorch, where it is installed with transformers: the embedded model's own weights, of this repository.
"""

from __future__ import annotations

from pathlib import Path

import auscult
import numpy as np
import pytest
from auscult import lens

CLIP, OTHER = "demo:en-slt-01", "demo:en-rms-01"
WEIGHTS = Path(__file__).parents[3] / "models" / "default"


@pytest.fixture
def model(daemon):
    return lens.HookedWhisper(client=daemon)


@pytest.fixture(scope="module")
def network():
    """The embedded model in PyTorch, float32, its weights those of the repository."""
    pytest.importorskip("torch", reason="PyTorch is not installed")
    transformers = pytest.importorskip("transformers", reason="transformers is not installed")
    if not (WEIGHTS / "model.safetensors").is_file():
        pytest.skip(f"there are no weights in {WEIGHTS}")
    load = transformers.WhisperForConditionalGeneration.from_pretrained
    return load(WEIGHTS, attn_implementation="eager", dtype="float32", local_files_only=True).eval()


class Reference:
    """PyTorch's values for the log-mel and the tokens that Auscult's model read."""

    def __init__(self, network, model, audio, tokens):
        import torch

        self.torch, self.network = torch, network
        mel = model.client.trace(audio, "log_mel", frames="all")["log_mel"]
        self._inputs = {"input_features": torch.tensor(np.array(mel))[None], "decoder_input_ids": torch.tensor([list(tokens)])}

    def run(self, **hooks):
        """Logits, with PyTorch's forward hooks at modules by name (dots as two underscores)."""
        modules = dict(self.network.named_modules())
        handles = [modules[name.replace("__", ".")].register_forward_hook(hook) for name, hook in hooks.items()]
        try:
            with self.torch.no_grad():
                return self.network(**self._inputs, output_attentions=True)
        finally:
            for handle in handles:
                handle.remove()


def close(ours, theirs):
    theirs = theirs.detach().numpy()[0]
    assert ours.shape == theirs.shape
    assert np.linalg.norm(ours - theirs) <= 2e-5 * np.linalg.norm(theirs)


# Cache: "logits, cache = model.run_with_cache(tokens)", and a look at a pattern.


def test_run_with_cache(model, network):
    logits, cache = model.run_with_cache(CLIP)
    tokens = cache.trace.summary.tokens[0]
    assert logits.shape == (len(tokens), model.cfg.d_vocab)
    pattern = cache["pattern", 0, "decoder"]
    assert pattern.shape == (model.cfg.n_heads, len(tokens), len(tokens))
    assert pattern is cache["decoder.blocks.0.attn.hook_pattern"] is cache["decoder.blocks.0.attn.pattern"]
    np.testing.assert_allclose(pattern.sum(-1), 1, rtol=1e-5)
    assert cache.stack_activation("resid_post").shape == (model.cfg.n_layers, len(tokens), model.cfg.d_model)
    theirs = Reference(network, model, CLIP, tokens).run()
    close(logits, theirs.logits)
    close(pattern, theirs.decoder_attentions[0])
    close(cache["cross_pattern", 1], theirs.cross_attentions[1])
    frames = cache["resid_post", 1, "encoder"].shape[0]
    assert frames == len(cache.trace.times("encoder.blocks.1"))


# Hook: a function that looks at every MLP, as the tutorial's that counts how often neurons fire.


def test_hook(model, network):
    firing = {}
    logits = model.run_with_hooks(
        CLIP, fwd_hooks=[(lambda name: name.endswith("mlp.hook_post"), lambda x, hook: firing.update({hook.name: (x > 0).mean()}))]
    )
    assert list(firing) == [f"{s}.blocks.{i}.mlp.hook_post" for s, n in (("encoder", model.cfg.n_encoder_layers), ("decoder", model.cfg.n_layers)) for i in range(n)]
    plain, cache = model.run_with_cache(CLIP, names_filter="encoder.blocks.*.mlp.1", frames="all")
    assert np.array_equal(logits, plain)
    for name, share in firing.items():
        if name.startswith("encoder"):
            assert share == (cache[name] > 0).mean()


# Ablate: "head_ablation_hook", which sets a head's values to zero.


def test_ablate(model, network):
    def head_ablation_hook(value, hook):
        assert hook.layer() == 1
        value[:, 3, :] = 0
        return value

    def reference_hook(module, inputs, output):
        output = output.clone()
        output[..., 3 * model.cfg.d_head : 4 * model.cfg.d_head] = 0
        return output

    logits, cache = model.run_with_cache(CLIP, names_filter="decoder.unembed")
    ablated = model.run_with_hooks(CLIP, fwd_hooks=[("decoder.blocks.1.attn.hook_v", head_ablation_hook)])
    assert not np.array_equal(ablated, logits)
    reference = Reference(network, model, CLIP, cache.trace.summary.tokens[0])
    close(ablated, reference.run(model__decoder__layers__1__self_attn__v_proj=reference_hook).logits)


# Patch: the residual stream of a clean run into a corrupted one, at one position.


def test_patch(model, network):
    clean_logits, clean = model.run_with_cache(CLIP, names_filter="decoder.blocks.*.hook_resid_post")
    tokens = list(clean.trace.summary.tokens[0])

    def patch(resid, hook, pos=len(tokens) - 1):
        resid[pos] = clean[hook.name][pos]
        return resid

    corrupted, _ = model.run_with_cache(OTHER, names_filter=[], tokens=tokens)
    patched = model.run_with_hooks(OTHER, fwd_hooks=[("decoder.blocks.0.hook_resid_post", patch)], tokens=tokens)
    assert np.array_equal(patched[:-1], corrupted[:-1]) and not np.array_equal(patched[-1], corrupted[-1])

    def reference_hook(module, inputs, output):
        hidden = output[0] if isinstance(output, tuple) else output
        hidden = hidden.clone()
        hidden[0, -1] = reference.torch.tensor(np.array(clean["resid_post", 0][-1]))
        return (hidden, *output[1:]) if isinstance(output, tuple) else hidden

    reference = Reference(network, model, OTHER, tokens)
    close(patched, reference.run(model__decoder__layers__0=reference_hook).logits)


# Logit lens: what the residual stream would say after each block.


def test_logit_lens(model, network):
    lens_logits = model.logit_lens(CLIP)
    logits, cache = model.run_with_cache(CLIP, names_filter="decoder.blocks.*.hook_resid_pre")
    assert lens_logits.shape == (model.cfg.n_layers + 1, *logits.shape) and np.array_equal(lens_logits[-1], logits)
    torch = Reference(network, model, CLIP, cache.trace.summary.tokens[0]).torch
    with torch.no_grad():
        for layer in range(model.cfg.n_layers):
            resid = torch.tensor(np.array(cache["resid_pre", layer]))[None]
            close(lens_logits[layer], network.proj_out(network.model.decoder.layer_norm(resid)))


def test_names_go_both_ways(model, daemon):
    names = [one.name for one in daemon.hooks()]
    assert len(model.hook_dict) == len(names)
    for name in names:
        (back,) = daemon.hooks(lens.lens_name(name))
        assert back.name == name
    assert model.to_string(model.to_tokens(" the goat")) == " the goat"
    assert model.cfg.d_head * model.cfg.n_heads == model.cfg.d_model
    with pytest.raises(auscult.InvalidArgument, match="not in a block"):
        model.hook_dict["decoder.ln_final"].layer()
    _, cache = model.run_with_cache(CLIP, names_filter="decoder.blocks.0.attn.hook_pattern")
    with pytest.raises(KeyError, match="decoder.blocks.0.attn.pattern"):
        cache["pattern", 7]
