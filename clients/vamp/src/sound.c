#include "sound.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HEADER = 58 };

struct sound {
    FILE *file;
    unsigned rate;
    uint64_t samples, most;
    bool is_cut, gave_header;
    /* One block, mixed down; behind the new samples those that may come again. */
    float *mix;
    size_t capacity, tail_at, tail;
};

sound *sound_new(unsigned rate, problem *problem) {
    sound *self = calloc(1, sizeof *self);
    if (!self) {
        problem_say(problem, "out of memory");
        return NULL;
    }
    self->file = tmpfile();
    if (!self->file) {
        problem_say(problem, "no temporary file for the sound: %s", strerror(errno));
        free(self);
        return NULL;
    }
    self->rate = rate;
    self->most = (uint64_t)rate * SOUND_MOST_HOURS * 3600;
    /* Lengths near 2^32 mean "not known" in a WAV file. */
    if (self->most > 0xFFFE0000u / sizeof(float)) self->most = 0xFFFE0000u / sizeof(float);
    return self;
}

void sound_free(sound *self) {
    if (!self) return;
    fclose(self->file);
    free(self->mix);
    free(self);
}

uint64_t sound_samples(const sound *self) {
    return self->samples + self->tail;
}
bool sound_is_cut(const sound *self) {
    return self->is_cut;
}

static bool write_samples(sound *self, const float *samples, size_t count, problem *problem) {
    if (count > self->most - self->samples) {
        count = (size_t)(self->most - self->samples);
        self->is_cut = true;
    }
    if (fwrite(samples, sizeof *samples, count, self->file) != count) {
        return problem_say(problem, "the temporary file for the sound cannot be written: %s", strerror(errno));
    }
    self->samples += count;
    return true;
}

bool sound_add(
    sound *self, const float *const *channels, unsigned channel_count, unsigned step, unsigned count, problem *problem
) {
    if (step > count) step = count;
    if (self->capacity < count) {
        float *mix = realloc(self->mix, count * sizeof *mix);
        if (!mix) return problem_say(problem, "out of memory for a block of %u samples", count);
        self->mix = mix;
        self->capacity = count;
    }
    for (unsigned i = 0; i < count; ++i) {
        double sum = 0;
        for (unsigned channel = 0; channel < channel_count; ++channel) sum += channels[channel][i];
        double mean = sum / channel_count;
        self->mix[i] = isfinite(mean) ? (float)mean : 0;
    }
    self->tail_at = step;
    self->tail = count - step;
    return write_samples(self, self->mix, step, problem);
}

static void little(uint8_t *bytes, uint32_t value, int count) {
    for (int i = 0; i < count; ++i) bytes[i] = (uint8_t)(value >> (8 * i));
}

bool sound_rewind(sound *self, problem *problem) {
    size_t tail = self->tail;
    self->tail = 0;
    if (tail && !write_samples(self, self->mix + self->tail_at, tail, problem)) return false;
    if (fflush(self->file) || fseek(self->file, 0, SEEK_SET)) {
        return problem_say(problem, "the temporary file for the sound: %s", strerror(errno));
    }
    self->gave_header = false;
    return true;
}

/* The header of a WAV file of float32 (format 3), with the chunk "fact" that such a file must have. */
static void write_header(const sound *self, uint8_t *header) {
    uint32_t bytes = (uint32_t)(self->samples * sizeof(float));
    memset(header, 0, HEADER);
    memcpy(header, "RIFF", 4);
    little(header + 4, HEADER - 8 + bytes, 4);
    memcpy(header + 8, "WAVEfmt ", 8);
    little(header + 16, 18, 4);
    little(header + 20, 3, 2);
    little(header + 22, 1, 2);
    little(header + 24, self->rate, 4);
    little(header + 28, self->rate * (uint32_t)sizeof(float), 4);
    little(header + 32, sizeof(float), 2);
    little(header + 34, 32, 2);
    memcpy(header + 38, "fact", 4);
    little(header + 42, 4, 4);
    little(header + 46, (uint32_t)self->samples, 4);
    memcpy(header + 50, "data", 4);
    little(header + 54, bytes, 4);
}

long sound_read(sound *self, uint8_t *bytes, size_t size, problem *problem) {
    size_t count = 0;
    if (!self->gave_header) {
        write_header(self, bytes);
        count = HEADER;
        self->gave_header = true;
    }
    /* Samples lie as this processor has them, which is little-endian wherever the daemon runs. */
    count += fread(bytes + count, 1, size - count, self->file);
    if (ferror(self->file)) {
        problem_say(problem, "the temporary file for the sound cannot be read: %s", strerror(errno));
        return -1;
    }
    return (long)count;
}
