#include "calls.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auscult/v1/audio.pb-c.h"
#include "auscult/v1/model.pb-c.h"

enum { CHUNK = 1 << 20 };

static Auscult__V1__ModelRef reference(const char *model) {
    Auscult__V1__ModelRef one = AUSCULT__V1__MODEL_REF__INIT;
    one.name = (char *)model;
    return one;
}

bool ask_model(wire *wire, const char *model, problem *problem) {
    Auscult__V1__ModelRef request = reference(model);
    size_t size;
    uint8_t *data = wire_call(wire, "auscult.v1.Model", "Info", &request.base, &size, problem);
    if (!data) return false;
    Auscult__V1__ModelInfo *info = auscult__v1__model_info__unpack(NULL, size, data);
    free(data);
    if (!info) return problem_say(problem, "the daemon described the model in %zu bytes that cannot be read", size);
    bool fine = info->has_vocabulary;
    if (!fine) problem_say(problem, "%s has no vocabulary, and can write nothing down", info->name);
    auscult__v1__model_info__free_unpacked(info, NULL);
    return fine;
}

static uint64_t columns(const Auscult__V1__HookList *list, const char *hook, problem *problem) {
    if (list->n_hooks != 1) {
        problem_say(problem, "the model has %zu hook points called %s; expected one", list->n_hooks, hook);
        return 0;
    }
    const Auscult__V1__HookPoint *point = list->hooks[0];
    if (!point->n_axes || strcmp(point->axes[0], "frame") != 0 || point->n_shape < 2) {
        problem_say(problem, "%s has no columns, frame by frame", hook);
        return 0;
    }
    uint64_t product = 1;
    for (size_t i = 1; i < point->n_shape; ++i) {
        if (!point->shape[i] || product > 0xFFFFFFFFu / point->shape[i]) {
            problem_say(problem, "the daemon gives %s a shape that cannot be", hook);
            return 0;
        }
        product *= point->shape[i];
    }
    return product;
}

uint64_t ask_columns(wire *wire, const char *model, const char *hook, problem *problem) {
    Auscult__V1__ModelRef which = reference(model);
    Auscult__V1__HooksRequest request = AUSCULT__V1__HOOKS_REQUEST__INIT;
    request.model = &which;
    request.pattern = (char *)hook;
    size_t size;
    uint8_t *data = wire_call(wire, "auscult.v1.Model", "Hooks", &request.base, &size, problem);
    if (!data) return 0;
    Auscult__V1__HookList *list = auscult__v1__hook_list__unpack(NULL, size, data);
    free(data);
    if (!list) {
        problem_say(problem, "the daemon described %s in %zu bytes that cannot be read", hook, size);
        return 0;
    }
    uint64_t count = columns(list, hook, problem);
    auscult__v1__hook_list__free_unpacked(list, NULL);
    return count;
}

/* ---------------------------------------------------------------------------------------------------- the sound */

static bool send_sound(wire *wire, uint32_t stream, sound *sound, problem *problem) {
    uint8_t *bytes = malloc(CHUNK);
    if (!bytes) return problem_say(problem, "out of memory");
    Auscult__V1__UploadChunk chunk = AUSCULT__V1__UPLOAD_CHUNK__INIT;
    chunk.encoding = AUSCULT__V1__AUDIO_ENCODING__AUDIO_FILE;
    chunk.data.data = bytes;
    long count = 0;
    bool fine = sound_rewind(sound, problem);
    /* Once the daemon has refused it, the rest is not sent: why is in its answer. */
    while (fine && !wire_has_news(wire, stream) && (count = sound_read(sound, bytes, CHUNK, problem)) > 0) {
        chunk.data.len = (size_t)count;
        fine = wire_send(wire, stream, &chunk.base, problem);
    }
    free(bytes);
    return fine && count >= 0 && (wire_has_news(wire, stream) || wire_end(wire, stream, problem));
}

char *upload(wire *wire, sound *sound, problem *problem) {
    uint32_t stream = wire_begin(wire, "auscult.v1.Audio", "Upload", NULL, problem);
    uint8_t *data;
    size_t size;
    if (!stream || !send_sound(wire, stream, sound, problem) ||
        wire_next(wire, stream, WIRE_SOON, &data, &size, problem) != WIRE_MESSAGE) {
        return NULL;
    }
    Auscult__V1__UploadedAudio *answer = auscult__v1__uploaded_audio__unpack(NULL, size, data);
    free(data);
    char *id = answer && answer->upload_id[0] ? strdup(answer->upload_id) : NULL;
    if (!id) problem_say(problem, "the daemon took the sound and named no upload");
    if (answer) auscult__v1__uploaded_audio__free_unpacked(answer, NULL);
    return id;
}

/* -------------------------------------------------------------------------------------------------- transcripts */

static bool take_transcript_event(
    const Auscult__V1__TranscribeEvent *event, bool (*take)(void *, const Auscult__V1__Segment *), void *context,
    problem *problem
) {
    switch (event->event_case) {
    case AUSCULT__V1__TRANSCRIBE_EVENT__EVENT_SEGMENT:
        return take(context, event->segment) || problem_say(problem, "out of memory for the transcript");
    case AUSCULT__V1__TRANSCRIBE_EVENT__EVENT_DONE:
        for (size_t i = 0; i < event->done->n_notices; ++i) {
            fprintf(stderr, "auscult-vamp: the sound: %s\n", event->done->notices[i]->text);
        }
        return true;
    default: return true;
    }
}

bool transcribe(
    wire *wire, const char *model, const char *upload, bool (*take)(void *, const Auscult__V1__Segment *),
    void *context, problem *problem
) {
    Auscult__V1__ModelRef which = reference(model);
    Auscult__V1__AudioSource audio = AUSCULT__V1__AUDIO_SOURCE__INIT;
    audio.source_case = AUSCULT__V1__AUDIO_SOURCE__SOURCE_UPLOAD_ID;
    audio.upload_id = (char *)upload;
    Auscult__V1__DecodingOptions options = AUSCULT__V1__DECODING_OPTIONS__INIT;
    options.word_timestamps = 1;
    Auscult__V1__TranscribeRequest request = AUSCULT__V1__TRANSCRIBE_REQUEST__INIT;
    request.model = &which;
    request.audio = &audio;
    request.options = &options;
    uint32_t stream = wire_begin(wire, "auscult.v1.Transcribe", "Stream", &request.base, problem);
    if (!stream) return false;
    for (;;) {
        uint8_t *data;
        size_t size;
        wire_news news = wire_next(wire, stream, WIRE_LATE, &data, &size, problem);
        if (news != WIRE_MESSAGE) return news == WIRE_END;
        Auscult__V1__TranscribeEvent *event = auscult__v1__transcribe_event__unpack(NULL, size, data);
        free(data);
        if (!event) return problem_say(problem, "the daemon sent an event of %zu bytes that cannot be read", size);
        bool fine = take_transcript_event(event, take, context, problem);
        auscult__v1__transcribe_event__free_unpacked(event, NULL);
        if (!fine) return false;
    }
}
