#include <portaudio.h>
#include <stdlib.h>

#include "CCapture.h"

struct auscult_stream {
    PaStream *stream;
};

// Real time: nothing here allocates, waits, or calls anything that may.
static int receive(const void *input, void *output, unsigned long frames, const PaStreamCallbackTimeInfo *time,
                   PaStreamCallbackFlags flags, void *ring) {
    (void)output;
    if (input)
        auscult_ring_write(ring, input, (uint32_t)frames, (flags & paInputOverflow) != 0, time->inputBufferAdcTime);
    return paContinue;
}

int auscult_stream_start(int device, double rate, double latency, auscult_ring *ring, auscult_stream **stream) {
    auscult_stream *made = calloc(1, sizeof *made);
    if (!made) return paInsufficientMemory;
    PaStreamParameters input = {
        .device = device, .channelCount = 1, .sampleFormat = paFloat32, .suggestedLatency = latency};
    PaError reason = Pa_OpenStream(
        &made->stream, &input, NULL, rate, paFramesPerBufferUnspecified, paClipOff | paDitherOff, receive, ring);
    if (reason == paNoError && (reason = Pa_StartStream(made->stream)) != paNoError) Pa_CloseStream(made->stream);
    if (reason != paNoError) {
        free(made);
        return reason;
    }
    *stream = made;
    return 0;
}

double auscult_stream_now(auscult_stream *stream) { return Pa_GetStreamTime(stream->stream); }

double auscult_stream_latency(auscult_stream *stream) {
    const PaStreamInfo *info = Pa_GetStreamInfo(stream->stream);
    return info ? info->inputLatency : 0;
}

int auscult_stream_is_active(auscult_stream *stream) { return Pa_IsStreamActive(stream->stream); }

void auscult_stream_stop(auscult_stream *stream) {
    Pa_AbortStream(stream->stream);
    Pa_CloseStream(stream->stream);
    free(stream);
}
