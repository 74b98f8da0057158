/*
 * The sound that a host plays to a plugin: mixed down to mono, at the host's rate, kept in a file without a name so
 * that memory stays bounded, and given back as the bytes of a WAV file (float32), which the daemon resamples as it does
 * with any recording.
 */
#ifndef AUSCULT_VAMP_SOUND_H
#define AUSCULT_VAMP_SOUND_H

#include "wire.h"

/* Hours that are kept at most; what a WAV file can count (4 GiB of samples) is less above 49.7 kHz. */
#define SOUND_MOST_HOURS 6

typedef struct sound sound;

/* NULL where no file can be made. `rate` in hertz, a whole number. */
sound *sound_new(unsigned rate, problem *problem);
void sound_free(sound *sound);

/* Adds a block of `count` samples a channel, of which the first `step` are new and the others come again with the next
 * block, if there is one. Samples that are no finite numbers count as 0. */
bool sound_add(
    sound *sound, const float *const *channels, unsigned channel_count, unsigned step, unsigned count, problem *problem
);

/* Samples a channel so far. */
uint64_t sound_samples(const sound *sound);
/* Whether there was more than is kept; what came after that is left out. */
bool sound_is_cut(const sound *sound);

/* Closes the sound, and begins to read: at most `size` bytes into `bytes`, 0 at the end, −1 for a failure. */
bool sound_rewind(sound *sound, problem *problem);
long sound_read(sound *sound, uint8_t *bytes, size_t size, problem *problem);

#endif
