#define _GNU_SOURCE
#include <errno.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "CCapture.h"

// One writer, one reader. Each moves its own counter, which never goes back, and reads the other's.
struct auscult_ring {
    float *samples;
    auscult_block *blocks;
    size_t sample_mask, block_mask;
    // The writer's.
    _Alignas(64) _Atomic size_t written_blocks;
    size_t written_samples;
    uint64_t lost;
    int overflow;
    // The reader's.
    _Alignas(64) _Atomic size_t read_blocks;
    _Atomic size_t read_samples;
    sem_t filled;
};

static size_t power_of_two(size_t least) {
    size_t size = 1;
    while (size < least && size < (SIZE_MAX >> 1)) size <<= 1;
    return size;
}

auscult_ring *auscult_ring_create(size_t samples, size_t blocks) {
    auscult_ring *ring = NULL;
    if (posix_memalign((void **)&ring, 64, sizeof *ring) != 0) return NULL;
    memset(ring, 0, sizeof *ring);
    ring->sample_mask = power_of_two(samples) - 1;
    ring->block_mask = power_of_two(blocks) - 1;
    ring->samples = calloc(ring->sample_mask + 1, sizeof *ring->samples);
    ring->blocks = calloc(ring->block_mask + 1, sizeof *ring->blocks);
    if (!ring->samples || !ring->blocks || sem_init(&ring->filled, 0, 0) != 0) {
        free(ring->samples);
        free(ring->blocks);
        free(ring);
        return NULL;
    }
    return ring;
}

void auscult_ring_free(auscult_ring *ring) {
    sem_destroy(&ring->filled);
    free(ring->samples);
    free(ring->blocks);
    free(ring);
}

void auscult_ring_write(auscult_ring *ring, const float *samples, uint32_t frames, int overflow, double time) {
    ring->overflow |= overflow;
    size_t block = atomic_load_explicit(&ring->written_blocks, memory_order_relaxed);
    size_t free_blocks = ring->block_mask + 1 - (block - atomic_load_explicit(&ring->read_blocks, memory_order_acquire));
    size_t used = ring->written_samples - atomic_load_explicit(&ring->read_samples, memory_order_acquire);
    if (free_blocks == 0 || frames > ring->sample_mask + 1 - used) {
        ring->lost += frames;
        return;
    }
    size_t first = ring->written_samples & ring->sample_mask, room = ring->sample_mask + 1 - first;
    size_t head = frames < room ? frames : room;
    memcpy(ring->samples + first, samples, head * sizeof *samples);
    memcpy(ring->samples, samples + head, (frames - head) * sizeof *samples);
    ring->written_samples += frames;
    ring->blocks[block & ring->block_mask] = (auscult_block){
        .frames = frames, .overflow = (uint32_t)ring->overflow, .lost = ring->lost, .time = time};
    ring->overflow = 0;
    ring->lost = 0;
    atomic_store_explicit(&ring->written_blocks, block + 1, memory_order_release);
    // Takes no lock; wakes a reader that sleeps.
    sem_post(&ring->filled);
}

int auscult_ring_read(auscult_ring *ring, float *samples, size_t capacity, auscult_block *block) {
    size_t at = atomic_load_explicit(&ring->read_blocks, memory_order_relaxed);
    if (at == atomic_load_explicit(&ring->written_blocks, memory_order_acquire)) return 0;
    *block = ring->blocks[at & ring->block_mask];
    if (block->frames > capacity) return -1;
    size_t from = atomic_load_explicit(&ring->read_samples, memory_order_relaxed);
    size_t first = from & ring->sample_mask, room = ring->sample_mask + 1 - first;
    size_t head = block->frames < room ? block->frames : room;
    memcpy(samples, ring->samples + first, head * sizeof *samples);
    memcpy(samples + head, ring->samples, (block->frames - head) * sizeof *samples);
    atomic_store_explicit(&ring->read_samples, from + block->frames, memory_order_release);
    atomic_store_explicit(&ring->read_blocks, at + 1, memory_order_release);
    return 1;
}

void auscult_ring_wait(auscult_ring *ring, int milliseconds) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += (long)(milliseconds % 1000) * 1000000;
    until.tv_sec += milliseconds / 1000 + until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    // Whatever ends it, the caller looks.
    (void)sem_timedwait(&ring->filled, &until);
}
