// Sound from PortAudio without locks: a callback in C that copies what comes into a ring, and a reader on the other side of it.
#pragma once
#include <stddef.h>
#include <stdint.h>

typedef struct auscult_ring auscult_ring;

/// Samples that lie one after the other, as the callback got them.
typedef struct {
    /// How many.
    uint32_t frames;
    /// Whether the sound interface says that some before them were lost; nobody knows how many.
    uint32_t overflow;
    /// Samples before them that the ring had no room for.
    uint64_t lost;
    /// When the first was captured, in seconds of the stream's clock.
    double time;
} auscult_block;

/// A ring for `samples` samples and `blocks` blocks; both are rounded up to powers of two. NULL where there is no memory.
auscult_ring *auscult_ring_create(size_t samples, size_t blocks);
void auscult_ring_free(auscult_ring *ring);

/// Puts a block in, all of it or nothing; what finds no room is counted, and told with the next block. One thread writes. Neither
/// allocates nor waits.
void auscult_ring_write(auscult_ring *ring, const float *samples, uint32_t frames, int overflow, double time);

/// Takes the oldest block out: 1 with `block` and its samples; 0 where there is none; -1 where `capacity` is less than it has.
/// One thread reads.
int auscult_ring_read(auscult_ring *ring, float *samples, size_t capacity, auscult_block *block);

/// Waits until a block may be there, for `milliseconds` at most.
void auscult_ring_wait(auscult_ring *ring, int milliseconds);

typedef struct auscult_stream auscult_stream;

/// Opens and starts the device of this number: mono samples at its rate, into `ring`. Returns 0 with `stream`, or the number of
/// PortAudio's error.
int auscult_stream_start(int device, double rate, double latency, auscult_ring *ring, auscult_stream **stream);
/// Seconds of the stream's clock now.
double auscult_stream_now(auscult_stream *stream);
/// Seconds that the device and its driver hold sound back, as they say.
double auscult_stream_latency(auscult_stream *stream);
/// 1 while it runs, 0 where it has stopped by itself, or the number of PortAudio's error.
int auscult_stream_is_active(auscult_stream *stream);
void auscult_stream_stop(auscult_stream *stream);
