# %% [markdown]
# # Listening to what happens inside a model
# A tour in cells; any editor that knows `# %%` runs them one by one, and `python listen.py` runs them all.

# %%
import numpy as np

import auscult

client = auscult.connect()
clip = "demo:en-slt-01"

# %% [markdown]
# ## What is said

# %%
transcript = client.transcribe(clip, word_timestamps=True)
print(f"{transcript.language}:{transcript.text}")
for segment in transcript.segments:
    for word in segment.words or ():
        print(f"  {word.start:5.2f} s  {word.word}")

# %% [markdown]
# ## Where one can look

# %%
for hook in client.hooks("encoder.blocks.2.**"):
    print(f"{hook.name:40} {dict(zip(hook.axes, hook.shape))}")

# %% [markdown]
# ## The neuron with the largest value, and when
# The array has the shape (frames, neurons). It lies in memory that the daemon shares: nothing is copied.

# %%
name = "encoder.blocks.2.mlp.1"
trace = client.trace(clip, [name])
neurons = trace[name]
frame, neuron = np.unravel_index(neurons.argmax(), neurons.shape)
print(f"neuron {neuron} is {neurons[frame, neuron]:.2f} at {trace.times(name)[frame]:.2f} s")

# %% [markdown]
# ## What the model writes without what it heard then
# All neurons of the block are silenced for a quarter of a second around that moment.

# %%
first = max(int(frame) - 6, 0)
silenced = auscult.Intervention(name, zero=True, positions=(first, min(first + 12, len(neurons))))
changed = client.transcribe(clip, interventions=[silenced])
print("before:", transcript.text)
print("after: ", changed.text)

# %%
client.close()
