"""Small sparse dictionaries in the layouts of SAELens and sparsify, with what numpy makes of some activations.

    python3 Tests/Fixtures/dictionaries/generate.py

Each folder has cfg.json and the weights as those libraries name and shape them, and expected.safetensors: x, codes and
reconstruction, by the definitions written out below. Shares no code with what is tested.
"""

import json
import pathlib
import struct

import numpy

HERE = pathlib.Path(__file__).parent
D, M, K, ROWS = 6, 10, 3, 7


def write(path, tensors):
    header, data = {}, b""
    for name, array in tensors.items():
        array = numpy.array(array, order="C")
        kind = {"float32": "F32", "float64": "F64"}[array.dtype.name]
        header[name] = {
            "dtype": kind, "shape": list(array.shape), "data_offsets": [len(data), len(data) + array.nbytes]}
        data += array.tobytes()
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def top(a, k):
    z = numpy.zeros_like(a)
    for row, values in enumerate(a):
        for i in numpy.argsort(-values, kind="stable")[:k]:
            z[row, i] = max(values[i], 0)
    return z


def dictionary(folder, config, weights, file, x, encode, normalise=lambda x: (x, 1, 0), w_dec=None, b_dec=None):
    place = HERE / folder
    place.mkdir(exist_ok=True)
    (place / "cfg.json").write_text(json.dumps(config) + "\n")
    write(place / file, weights)
    inside, factor, mean = normalise(x.astype(numpy.float64))
    z = encode(inside)
    back = (z @ w_dec + b_dec) * factor + mean
    write(place / "expected.safetensors", {
        "x": x, "codes": z.astype(numpy.float32), "reconstruction": back.astype(numpy.float32)})


def main():
    r = numpy.random.default_rng(7)
    f = lambda *shape: r.normal(size=shape).astype(numpy.float32)
    w_enc, w_dec, b_enc, b_dec, x = f(D, M), f(M, D), f(M), f(D), f(ROWS, D) * 3
    threshold = numpy.abs(f(M))
    W = {"W_enc": w_enc, "W_dec": w_dec, "b_enc": b_enc, "b_dec": b_dec}
    base = {"d_in": D, "d_sae": M, "dtype": "float32", "device": "cpu", "apply_b_dec_to_input": True,
            "normalize_activations": "none", "reshape_activations": "none"}
    meta = {"metadata": {"sae_lens_version": "6.22.1", "hook_name": "blocks.2.hook_resid_post", "model_name": "tiny"}}
    pre = lambda v, subtract=True: (v - (b_dec if subtract else 0)) @ w_enc.astype(numpy.float64) + b_enc

    def constant(v):
        norm = numpy.linalg.norm(v, axis=1, keepdims=True) / D**0.5
        return v / norm, norm, 0

    def layer(v):
        mean, std = v.mean(1, keepdims=True), v.std(1, ddof=1, keepdims=True)
        return (v - mean) / (std + 1e-5), std, mean

    relu = lambda a: numpy.maximum(a, 0)
    jump = lambda a: relu(a) * (a > threshold)
    common = {"w_dec": w_dec, "b_dec": b_dec, "x": x, "file": "sae_weights.safetensors"}
    dictionary("standard", {**base, **meta, "architecture": "standard", "apply_b_dec_to_input": False}, W,
               encode=lambda v: relu(pre(v, False)), **common)
    # SAELens 5 and before: the hook beside the rest, and topk under the name of standard.
    dictionary("standard-topk", {**base, "architecture": "standard", "activation_fn_str": "topk",
                                 "activation_fn_kwargs": {"k": K}, "hook_name": "blocks.2.hook_resid_post",
                                 "model_name": "tiny"}, W, encode=lambda v: top(pre(v), K), **common)
    dictionary("topk-layer-norm", {**base, **meta, "architecture": "topk", "k": K,
                                   "normalize_activations": "layer_norm"}, W,
               encode=lambda v: top(pre(v), K), normalise=layer, **common)
    dictionary("jumprelu", {**base, **meta, "architecture": "jumprelu",
                            "normalize_activations": "constant_norm_rescale"}, {**W, "threshold": threshold},
               encode=lambda v: jump(pre(v)), normalise=constant, **common)
    norms = numpy.linalg.norm(w_dec.astype(numpy.float64), axis=1)
    dictionary("topk-rescaled", {**base, **meta, "architecture": "topk", "k": K, "rescale_acts_by_decoder_norm": True},
               W, encode=lambda v: top(pre(v) * norms, K),
               **{**common, "w_dec": w_dec / norms[:, None]})
    dictionary("batchtopk", {**base, **meta, "architecture": "batchtopk", "k": 3.0,
                             "rescale_acts_by_decoder_norm": False},
               {**W, "topk_threshold": numpy.array(0.75)},
               encode=lambda v: relu(pre(v)) * (pre(v) > 0.75), **common)
    dictionary("sparsify.layer", {"activation": "topk", "expansion_factor": 32, "normalize_decoder": True,
                                  "num_latents": M, "k": K, "multi_topk": False, "skip_connection": False,
                                  "transcode": False, "d_in": D},
               {"b_dec": b_dec, "W_dec": w_dec, "encoder.weight": w_enc.T, "encoder.bias": b_enc},
               encode=lambda v: top(pre(v), K), **{**common, "file": "sae.safetensors"})


main()
