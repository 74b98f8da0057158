"""Probes of every encoder block, against scipy's on openai-whisper's activations.

Twice. With L2 given the fit is strictly convex: there is one answer, so standardisation, weights, losses, the control
task and every figure of the test part must agree. With L2 chosen on the validation part the choice must be the
reference's, and the reference's accuracy must lie in the plugin's bootstrap interval.
"""

import math

import numpy as np
from safetensors import safe_open

import analyses
import engine
import partition

L2 = 0.1
PENALTIES = (10, 1, 0.1, 0.01, 0.001, 0.0001)


class Rows:
    """The rows of a data set that have a label, divided."""

    def __init__(self, heard, label, speaker_column, target, seed=0):
        labels = [label(recording.labels) for recording in heard]
        numbers = [number for number, name in enumerate(labels) if name is not None]
        self.heard = [heard[number] for number in numbers]
        names = [labels[number] for number in numbers]
        speakers = [recording.labels[speaker_column] or "" for recording in self.heard]
        self.groups, self.by_speaker = partition.groups(names, speakers, numbers)
        self.part = partition.parts(names, self.groups, seed)
        self.train, self.validation, self.test = (
            self.part == part for part in (partition.TRAIN, partition.VALIDATION, partition.TEST))
        self.classes = sorted({name for name, trains in zip(names, self.train) if trains})
        if set(names) - set(self.classes):
            raise SystemExit(f"{target}: the training part has not all of {sorted(set(names))}")
        self.labels = np.array([self.classes.index(name) for name in names])
        # Who says more than one recording; the recording where the speaker is not known, or is the label.
        kinds = [f"speaker {speaker}" if speaker and speaker != name else f"recording {number}"
                 for speaker, name, number in zip(speakers, names, numbers)]
        shares = np.bincount(self.labels[self.train], minlength=len(self.classes)) / self.train.sum()
        self.control = partition.control(kinds, shares, seed)
        # Of a label drawn for a kind that training never saw nothing can be known.
        learnt = {kind for kind, trains in zip(kinds, self.train) if trains}
        tested = [kind in learnt for kind, tests in zip(kinds, self.test) if tests]
        self.control_is_defined = 2 * sum(tested) >= len(tested)
        self.majority = float((self.labels[self.test] == shares.argmax()).mean())

    def features(self, layer):
        # As float32, which is what a probe meets when it is used on a trace.
        return np.stack([recording.means[layer] for recording in self.heard]).astype(np.float32).astype(np.float64)


class Probe:
    """One fit at one layer, and what it gets right."""

    def __init__(self, rows, layer, l2, labels=None):
        self.rows, self.labels = rows, rows.labels if labels is None else labels
        scaled, self.mean, self.std = analyses.standardised(rows.features(layer), rows.train)
        self.weight, self.bias = analyses.logistic(
            scaled[rows.train], self.labels[rows.train], len(rows.classes), l2)
        self.logits = scaled @ self.weight.T + self.bias
        self.right = self.logits.argmax(1) == self.labels
        self.validation_loss = analyses.cross_entropy(self.logits[rows.validation], self.labels[rows.validation])

    def accuracy(self, part):
        return float(self.right[part].mean())


def check(figures, auscult, work, default, data, target, speaker_column, label, heard):
    rows = Rows(heard, label, speaker_column, target)
    print(f"probes of {target}: {rows.train.sum()} train, {rows.validation.sum()} validate, {rows.test.sum()} test, "
          f"by {'speaker' if rows.by_speaker else 'recording'}; {len(rows.classes)} classes")
    out = work.resolve() / "probes.safetensors"
    arguments = (data, "--seed", "0", "-p", f"target={target}", "-p", f"out={out}")
    results = auscult.analysis("probes", default, *arguments, "-p", f"l2={L2}")
    fixed(figures, results["layers"], rows, target, out)
    results = auscult.analysis("probes", default, *arguments)
    chosen(figures, results["layers"], rows, target)
    out.unlink()
    figures.report()


def fixed(figures, table, rows, target, out):
    with safe_open(out, framework="np") as file:
        for layer, row in enumerate(engine.cells(table)):
            hook, probe = row["hook"], Probe(rows, layer, L2)
            control = Probe(rows, layer, L2, rows.control)
            figures.check(hook == f"encoder.blocks.{layer}" and row["converged"] == "yes", f"{target} {hook}",
                          f"expected encoder.blocks.{layer}, converged; converged: {row['converged']}")
            for name in ("mean", "std", "weight", "bias"):
                figures(f"{target}, weights", f"{hook} {name}", file.get_tensor(f"{hook}.{name}"),
                        getattr(probe, name))
            test = rows.test
            expected = {
                "accuracy": probe.accuracy(test), "train_accuracy": probe.accuracy(rows.train),
                "validation_accuracy": probe.accuracy(rows.validation), "validation_loss": probe.validation_loss,
                "macro_f1": analyses.macro_f1(rows.labels[test], probe.logits[test].argmax(1)),
                "auc": analyses.mean_area(probe.logits[test], rows.labels[test]), "majority": rows.majority,
                "control_train_accuracy": control.accuracy(rows.train), "l2": L2,
            }
            if rows.control_is_defined:
                expected["control_accuracy"] = control.accuracy(test)
                expected["selectivity"] = probe.accuracy(test) - control.accuracy(test)
            else:
                undefined = [name for name in ("control_accuracy", "selectivity") if math.isnan(row[name])]
                figures.check(len(undefined) == 2, f"{target} {hook}", "no control accuracy and no selectivity")
            for name, value in expected.items():
                figures(f"{target}, figures at L2 {L2}", f"{hook} {name}", [row[name]], [value])


def chosen(figures, table, rows, target):
    for layer, row in enumerate(engine.cells(table)):
        name = f"{target} {row['hook']}"
        probes = {penalty: Probe(rows, layer, penalty) for penalty in PENALTIES}
        best = min(PENALTIES, key=lambda penalty: (probes[penalty].validation_loss, -penalty))
        probe, group = probes[best], [group for group, tests in zip(rows.groups, rows.test) if tests]
        figures(f"{target}, L2 chosen", f"{row['hook']} l2", [row["l2"]], [best])
        figures(f"{target}, L2 chosen", f"{row['hook']} validation loss", [row["validation_loss"]],
                [probe.validation_loss])
        accuracy = probe.accuracy(rows.test)
        low, high = analyses.bootstrap(probe.right[rows.test], group)
        print(f"  {name}: accuracy {row['accuracy']:.4f} in {row['low_95']:.4f}–{row['high_95']:.4f}; reference "
              f"{accuracy:.4f} in {low:.4f}–{high:.4f}; L2 {best:g}, {len(set(group))} groups in the test part")
        if len(set(group)) > 1:
            figures.check(row["low_95"] - 1e-9 <= accuracy <= row["high_95"] + 1e-9, name,
                          "the reference's accuracy is outside of the interval")
        else:
            figures.check(np.isnan(row["low_95"]), name, "an interval over one group")
            figures(f"{target}, L2 chosen", f"{row['hook']} accuracy", [row["accuracy"]], [accuracy])
