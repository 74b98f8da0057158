/*
 * auscult_plugin.h: the binary interface of Auscult's analysis plugins, version 1.0. This header is the manual, and the
 * only thing that a plugin includes. C99; also C++.
 *
 * WHAT A PLUGIN IS
 *   A shared library that exports one symbol, the constant `auscult_plugin` of type auscult_entry, in a folder (a bundle)
 *   beside a manifest.json. Auscult loads it in a process of its own, hands it recordings with the activations that a
 *   speech model computed for them, and takes typed results. A plugin that crashes, hangs or breaks these rules ends its
 *   own run and nothing else.
 *
 * THE LIFE OF A RUN                                        called by the host, in this order
 *   entry.init(bundle)                                     once per process, before all else
 *   entry.get_factory(AUSCULT_FACTORY)                     then factory.count() and factory.describe(i)
 *   factory.create(host, id, arguments)                    an instance
 *     instance.get_extension(AUSCULT_EXT_NEEDS)            optional: needs that depend on the arguments
 *     instance.get_extension(AUSCULT_EXT_STATE)->merge()   where a run goes on from a saved state
 *     instance.activate(run)                               the model is known now
 *     instance.process(clip)                               for each window of each recording, in order; maybe never
 *     AUSCULT_EXT_STATE->save()                            at any time between two process() and before finish()
 *     instance.finish()                                    the results about all recordings are emitted here
 *   instance.destroy()
 *   entry.deinit()                                         once, before the process ends; not after a crash
 *
 * THREADS
 *   All functions of the entry, of the factory and of one instance are called on one thread, one at a time: the *plugin
 *   thread*. Functions of the host are called on the plugin thread too, unless their comment says [any thread]. A plugin
 *   may have threads of its own as long as they end before destroy() returns. It installs no signal handlers.
 *
 * MEMORY
 *   Who allocates frees. Strings are UTF-8 and end with a NUL; none is ever NULL unless its comment says so.
 *   What the host passes to a function is valid until that function returns, and is read-only. What a plugin passes to the
 *   host is copied before that function returns. What describe() returns stays valid until deinit().
 *
 * ERRORS
 *   Functions return auscult_status. After anything but AUSCULT_OK the host asks instance.last_error() for a sentence.
 *   No C++ exception, no longjmp crosses this interface.
 *
 * GROWTH
 *   Every struct begins with struct_size, the size that its maker knew. A reader looks at no member that ends past it.
 *   Members are only ever added at the end. In an array of such structs each lies struct_size after the one before, and
 *   a host lays out arrays as the plugin's abi_minor has them, so that a plugin's index into one stays right.
 *   A host loads a plugin of the same abi_major and an abi_minor not above its own. Everything else is asked for by its
 *   id, which ends in "/1": another number is another interface.
 */
#ifndef AUSCULT_PLUGIN_H
#define AUSCULT_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define AUSCULT_ABI_MAJOR 1
#define AUSCULT_ABI_MINOR 0
/* "AUSC", little-endian. */
#define AUSCULT_MAGIC UINT32_C(0x43535541)

#if defined(__GNUC__)
#define AUSCULT_EXPORT __attribute__((visibility("default")))
#else
#define AUSCULT_EXPORT
#endif

/* What a function returns. Open: treat a code that you do not know as AUSCULT_FAILED. */
typedef int32_t auscult_status;
enum {
    AUSCULT_OK = 0,
    /* It went wrong; last_error() says how. */
    AUSCULT_FAILED = 1,
    /* An argument makes no sense: an unknown parameter, a value out of range. */
    AUSCULT_INVALID_ARGUMENT = 2,
    /* Something that was named is not there: a hook point, a token, a weight. */
    AUSCULT_NOT_FOUND = 3,
    /* The run was cancelled; end soon. */
    AUSCULT_CANCELLED = 4,
    /* Not possible with this host, model or state. */
    AUSCULT_UNSUPPORTED = 5,
    /* A limit was reached: memory, the number of results, the size of one. */
    AUSCULT_LIMIT = 6
};

/* ------------------------------------------------------------------------------------------------ tensors */

enum { AUSCULT_F32 = 1, AUSCULT_F64 = 4, AUSCULT_I32 = 5, AUSCULT_I64 = 6, AUSCULT_U8 = 7 };
typedef int32_t auscult_dtype;

#define AUSCULT_MAX_RANK 8

/* A view of numbers. From the host: read-only, valid while the function that got it runs. */
typedef struct auscult_tensor {
    uint32_t struct_size;
    auscult_dtype dtype;
    uint32_t rank; /* at most AUSCULT_MAX_RANK */
    int64_t shape[AUSCULT_MAX_RANK]; /* outermost first */
    int64_t strides[AUSCULT_MAX_RANK]; /* in elements */
    const void *data;
    /* The hook point that it was captured at, "encoder.blocks.0.attn.pattern"; "" where it is none. For a gradient, the
     * same name with "@grad" behind. */
    const char *hook;
    /* What each axis is: "frame", "mel_frame", "token", "head", "head_dim", "state", "neuron", "vocab", "key_frame",
     * "key_token". */
    const char *axes[AUSCULT_MAX_RANK];
    /* The position, counted from the recording's beginning, that index 0 of the axis of positions stands for. */
    int64_t first_position;
    /* Positions per second along that axis: 50, or 100 for mel frames; 0 for tokens. */
    double positions_per_second;
    /* Positions that overlap audio. Rows beyond are padding, and are there only where needs ask for all frames. */
    int64_t valid_positions;
} auscult_tensor;

/* ------------------------------------------------------------------------------------------------ needs */

enum {
    /* Tensors with the padding after the audio as well. */
    AUSCULT_NEED_ALL_FRAMES = 1u << 0,
    /* The samples of each clip. */
    AUSCULT_NEED_AUDIO = 1u << 1,
    /* The decoder's tokens, and hook points in the decoder. */
    AUSCULT_NEED_DECODER = 1u << 2,
    /* The data set's labels and alignments; a data set without them is refused. */
    AUSCULT_NEED_LABELS = 1u << 3,
    /* Gradients of `objective` with respect to the hook points, beside the values: tensors with "@grad" behind the hook's name, after
     * all values, from the last hook point to the first. Hook points behind the objective have none; nor has a clip for which the
     * objective is a transcript and the model writes nothing. */
    AUSCULT_NEED_GRADIENTS = 1u << 4,
    /* No recordings at all: activate() and finish() do the work through the host's extensions. */
    AUSCULT_NEED_NOTHING_TO_HEAR = 1u << 5,
    /* All recordings in one run, in their order: the states of two instances cannot be merged (those of a training, for
     * example). The host refuses shards, several workers and merging, before any work. See AUSCULT_EXT_STATE. */
    AUSCULT_NEED_ONE_RUN = 1u << 6,
    /* No need, but an offer: it can hear sound that is still being made ("auscult listen --plugin"). process() then gets
     * stretches of one recording as they are heard, of any length, each frame once, with a window_count of 0, which means that it is
     * not known; what is emitted there is shown at once, and finish() is the end of the sound. Between two clips there may be
     * sound that nobody heard, silence or what was lost: `start` and `first_position` say where a clip is.
     * The host refuses it together with AUSCULT_NEED_DECODER, _LABELS, _GRADIENTS and _NOTHING_TO_HEAR, and hears live only what
     * needs encoder activations whose first axis is "frame" or "mel_frame", or audio. */
    AUSCULT_CAN_STREAM = 1u << 7
};

/* What must be there for process(). */
typedef struct auscult_needs {
    uint32_t struct_size;
    uint32_t flags;
    /* Hook points: names or globs ('*' is one part of a name, '**' any number). */
    const char *const *hooks;
    uint32_t hook_count;
    /* With AUSCULT_NEED_GRADIENTS: "transcript_log_probability", "encoder_sum", or what `auscult trace --objective` takes, with absolute
     * paths: "token rug - mug", "encoder.blocks.2.mlp.1:5@frames 10:20". NULL otherwise. */
    const char *objective;
} auscult_needs;

/* ------------------------------------------------------------------------------------------------ parameters */

enum {
    AUSCULT_PARAMETER_INTEGER = 1,
    AUSCULT_PARAMETER_NUMBER = 2,
    AUSCULT_PARAMETER_TEXT = 3,
    AUSCULT_PARAMETER_BOOLEAN = 4, /* "true" or "false" */
    AUSCULT_PARAMETER_CHOICE = 5,
    AUSCULT_PARAMETER_PATH = 6, /* absolute */
    /* A column that the recordings have, or one of the choices. The host refuses another before the first recording, and a
     * column with fewer different values than `minimum`. */
    AUSCULT_PARAMETER_COLUMN = 7
};

typedef struct auscult_parameter {
    uint32_t struct_size;
    int32_t kind;
    const char *id; /* letters, digits, '_' and '-' */
    const char *description;
    /* As text, as an argument has it. */
    const char *default_value;
    /* For numbers and integers; -INFINITY and INFINITY where there is no bound. Of a column: of its different values. */
    double minimum;
    double maximum;
    /* For a choice; for a column, what it may be instead. */
    const char *const *choices;
    uint32_t choice_count;
} auscult_parameter;

typedef struct auscult_argument {
    const char *id;
    const char *value;
} auscult_argument;

/* ------------------------------------------------------------------------------------------------ outputs */

enum {
    AUSCULT_SCALAR = 1,
    AUSCULT_VECTOR = 2,
    AUSCULT_MATRIX = 3,
    AUSCULT_TABLE = 4,
    AUSCULT_TIMED_EVENTS = 5,
    AUSCULT_AUDIO_CLIP = 6,
    AUSCULT_TEXT = 7
};

enum {
    AUSCULT_PLOT_NONE = 1,
    AUSCULT_PLOT_BAR = 2,
    AUSCULT_PLOT_HEAT_MAP = 3,
    AUSCULT_PLOT_LINE = 4,
    AUSCULT_PLOT_SPECTROGRAM_OVERLAY = 5,
    AUSCULT_PLOT_PLAYER = 6
};

/* One axis of a vector or a matrix. */
typedef struct auscult_axis {
    uint32_t struct_size;
    const char *name;
    const char *unit; /* "" for none */
    /* One for each position; label_count 0 for none. */
    const char *const *labels;
    uint32_t label_count;
    /* Without labels, position i stands for first + i * step. */
    double first;
    double step;
} auscult_axis;

/* A result that a plugin promises. What it emits under another id, or of another kind, is refused. */
typedef struct auscult_output {
    uint32_t struct_size;
    int32_t kind;
    int32_t plot;
    const char *id;
    const char *title;
    const char *unit;
    const char *description;
    /* Two for a matrix, one for a vector, else none. What is not known before may be left to the value. */
    const auscult_axis *axes;
    uint32_t axis_count;
} auscult_output;

/* ------------------------------------------------------------------------------------------------ descriptor */

typedef struct auscult_descriptor {
    uint32_t struct_size;
    const char *id; /* reverse DNS: "org.example.loudness"; the same as in manifest.json */
    const char *name;
    const char *version;
    const char *vendor;
    const char *licence; /* SPDX */
    const char *description;
    auscult_needs needs;
    const auscult_parameter *parameters;
    uint32_t parameter_count;
    const auscult_output *outputs;
    uint32_t output_count;
} auscult_descriptor;

/* ------------------------------------------------------------------------------------------------ clips */

/* Something that lasts from start to end, in seconds from the recording's beginning, half open. */
typedef struct auscult_timed_label {
    double start;
    double end;
    const char *label;
} auscult_timed_label;

/* A column of the data set. */
typedef struct auscult_label {
    const char *column; /* "language", "speaker", "text", or any column of a manifest */
    const char *value;
} auscult_label;

/* One window of one recording. A recording that fits the model's window is one clip. */
typedef struct auscult_clip {
    uint32_t struct_size;
    /* Of the recording in the data set, from 0; the same in every shard of it. */
    uint64_t recording;
    uint32_t window; /* from 0 */
    uint32_t window_count; /* 0: not known, see AUSCULT_CAN_STREAM */
    const char *name; /* as the recording was named */
    double start; /* seconds, of this window in the recording */
    double duration; /* seconds of audio in this window */
    int64_t valid_frames; /* encoder frames that overlap audio */
    /* The hook points that were asked for, in the order of the forward pass. */
    const auscult_tensor *tensors;
    uint32_t tensor_count;
    /* 16 kHz mono float32, with AUSCULT_NEED_AUDIO; else NULL. */
    const float *samples;
    uint64_t sample_count;
    /* What the decoder read, with AUSCULT_NEED_DECODER; else NULL. */
    const int32_t *tokens;
    uint32_t token_count;
    /* The data set's columns for this recording; any number, also where labels were not asked for. */
    const auscult_label *labels;
    uint32_t label_count;
    /* Phonemes and words with their times, where the data set has them. */
    const auscult_timed_label *phonemes;
    uint32_t phoneme_count;
    const auscult_timed_label *words;
    uint32_t word_count;
} auscult_clip;

/* The model of a run. */
typedef struct auscult_run {
    uint32_t struct_size;
    const char *model; /* its name */
    const char *model_sha256;
    uint32_t n_mels, n_audio_ctx, n_audio_state, n_audio_head, n_audio_layer;
    uint32_t n_vocab, n_text_ctx, n_text_state, n_text_head, n_text_layer;
    /* Recordings that this process will see; 0 where it is not known. */
    uint64_t recordings;
    /* Seed of the random numbers. A plugin that draws at random uses this and nothing else. */
    uint64_t seed;
    /* The numbers that the model computes with: "exact", "int8", "bf16". A host may be older than this member. */
    const char *precision;
} auscult_run;

/* ------------------------------------------------------------------------------------------------ values */

typedef struct auscult_cell {
    const char *text; /* NULL for a number */
    double number;
} auscult_cell;

typedef struct auscult_event {
    double start;
    double end;
    const char *label;
    double value;
} auscult_event;

/* A value of a declared output. Only the members of its kind count. Numbers must be finite, unless may_be_nan is set:
 * then a NaN is drawn as "no value". */
typedef struct auscult_value {
    uint32_t struct_size;
    int32_t kind;
    uint32_t may_be_nan;
    /* The recording that it is about; "" where it is about all of them. */
    const char *recording;
    double scalar; /* AUSCULT_SCALAR */
    const char *text; /* AUSCULT_TEXT */
    /* AUSCULT_VECTOR, AUSCULT_MATRIX: F32 or F64, rank 1 or 2; hook, axes and positions are not looked at. */
    const auscult_tensor *array;
    /* In place of the declared axes; axis_count 0 for those. */
    const auscult_axis *axes;
    uint32_t axis_count;
    /* AUSCULT_TABLE: row-major, row_count * column_count cells. */
    const char *const *columns;
    uint32_t column_count;
    const auscult_cell *cells;
    uint64_t row_count;
    /* AUSCULT_TIMED_EVENTS */
    const auscult_event *events;
    uint64_t event_count;
    /* AUSCULT_AUDIO_CLIP: mono, full scale +-1. */
    const float *samples;
    uint64_t sample_count;
    uint32_t sample_rate;
} auscult_value;

/* ------------------------------------------------------------------------------------------------ the host */

typedef struct auscult_host auscult_host;
struct auscult_host {
    uint32_t struct_size;
    uint16_t abi_major;
    uint16_t abi_minor;
    const char *name; /* "auscult" */
    const char *version;
    /* The host's own; not for the plugin. */
    void *context;
    /* Gives a result, in process() or finish(). Copied before it returns.
     * AUSCULT_INVALID_ARGUMENT: not declared, of another kind, of a wrong shape, or a number that is not finite;
     * AUSCULT_LIMIT: too many or too large. What was refused is not kept, and the run goes on. */
    auscult_status (*emit)(const auscult_host *host, const char *output_id, const auscult_value *value);
    /* An interface of the host by its id; NULL where it has none of it. Valid until destroy() returns. [any thread] */
    const void *(*get_extension)(const auscult_host *host, const char *id);
    /* Why the last function of the host, of this or of an extension, did not return AUSCULT_OK. Valid until the next. */
    const char *(*last_error)(const auscult_host *host);
};

/* Messages for people, and progress. */
#define AUSCULT_HOST_LOG "auscult.host.log/1"
enum { AUSCULT_LOG_DEBUG = 0, AUSCULT_LOG_INFO = 1, AUSCULT_LOG_WARNING = 2, AUSCULT_LOG_ERROR = 3 };
typedef struct auscult_host_log {
    uint32_t struct_size;
    void (*log)(const auscult_host *host, int32_t level, const char *message); /* [any thread] */
    /* Each call has a deadline, which begins anew whenever `done` (at most `total`) is larger than before in its `unit`: a
     * call that takes long reports its progress. [any thread] */
    void (*progress)(const auscult_host *host, double done, double total, const char *unit);
    /* Not 0 where the run is to end: return AUSCULT_CANCELLED soon. Ask in long loops. [any thread] */
    int32_t (*is_cancelled)(const auscult_host *host);
} auscult_host_log;

/* The model's tokenizer. */
#define AUSCULT_HOST_TOKENIZER "auscult.host.tokenizer/1"
typedef struct auscult_host_tokenizer {
    uint32_t struct_size;
    /* Writes up to `capacity` ids, and how many there are into `count`. `parse_special`: whether "<|en|>" means that token. */
    auscult_status (*encode)(const auscult_host *host, const char *text, int32_t parse_special, int32_t *ids,
                             uint32_t capacity, uint32_t *count);
    /* Writes up to `capacity` bytes of UTF-8, without a NUL, and how many there are into `count`. */
    auscult_status (*decode)(const auscult_host *host, const int32_t *ids, uint32_t id_count, char *text,
                             uint64_t capacity, uint64_t *count);
} auscult_host_tokenizer;

/* Gets tensors from a function of the host; called on the plugin thread, once for each tensor. What it returns, where it
 * is not AUSCULT_OK, ends the function that calls it, which returns the same. */
typedef auscult_status (*auscult_tensor_sink)(void *context, const auscult_tensor *tensor);

/* The model's parameters, by openai/whisper's names: "decoder.token_embedding.weight". */
#define AUSCULT_HOST_WEIGHTS "auscult.host.weights/1"
typedef struct auscult_host_weights {
    uint32_t struct_size;
    auscult_status (*get)(const auscult_host *host, const char *name, auscult_tensor_sink sink, void *context);
} auscult_host_weights;

/* Runs of the model that the plugin asks for itself. */
#define AUSCULT_HOST_MODEL "auscult.host.model/1"
typedef struct auscult_host_model {
    uint32_t struct_size;
    /* Runs the model on samples (16 kHz mono, at most one window; NULL for all padding) under interventions in their text
     * form, and gives the hook points that the globs name. `tokens`: what the decoder reads; NULL for none. As much of the
     * window is encoded as in the run's own passes ("--context auto": no more than there is sound). */
    auscult_status (*run)(const auscult_host *host, const float *samples, uint64_t sample_count,
                          const int32_t *tokens, uint32_t token_count, const char *const *interventions,
                          uint32_t intervention_count, const char *const *hooks, uint32_t hook_count,
                          auscult_tensor_sink sink, void *context);
    /* The logits after the last token of each of `sequence_count` sequences of `token_count` tokens, which all attend to
     * `audio`, [n_audio_ctx, n_audio_state] (NULL for what the encoder gives for all padding). One tensor
     * [sequence_count, n_vocab]. At most 1024 sequences at once. */
    auscult_status (*decode)(const auscult_host *host, const auscult_tensor *audio, const int32_t *tokens,
                             uint32_t sequence_count, uint32_t token_count, auscult_tensor_sink sink, void *context);
    /* The transcript of samples of any length under interventions. Text as for a tokenizer's decode. */
    auscult_status (*transcribe)(const auscult_host *host, const float *samples, uint64_t sample_count,
                                 const char *language, const char *const *interventions, uint32_t intervention_count,
                                 char *text, uint64_t capacity, uint64_t *count);
} auscult_host_model;

/* A pass of the model that a plugin asks for, and what of it is wanted. */
typedef struct auscult_pass {
    uint32_t struct_size;
    /* What is heard: 16 kHz mono, at most one window, padded as in the run's own passes ("--context auto": no more than there is
     * sound). NULL for a log-mel, or for all padding. */
    const float *samples;
    uint64_t sample_count;
    /* The encoder's input itself, in place of samples: F32 [n_mels, mel frames], an even number of frames and at most
     * 2 * n_audio_ctx. It is taken as it is, and as many frames are encoded as it has. valid_positions of it: the mel frames
     * that are sound, the others being padding; 0 for all. Hook, axes and the other positions are not looked at. NULL for none. */
    const auscult_tensor *log_mel;
    /* What the decoder reads, exactly; of these the prompt is what comes before the first that is no special token. NULL: where
     * a hook point or an objective in the decoder is wanted, it reads the text of an objective that has one, and otherwise what
     * the model writes itself. */
    const int32_t *tokens;
    uint32_t token_count;
    /* In their text form, with absolute paths. Words ("@word 3") are those of the samples; a log-mel has none. */
    const char *const *interventions;
    uint32_t intervention_count;
    /* What is differentiated, at most 64, as `auscult trace --objective` takes it, with absolute paths: "text hot questions",
     * "token rug - mug", "encoder.blocks.2.mlp.1:5@frames 10:20", "/home/me/direction.safetensors". 0 for values alone. */
    const char *const *objectives;
    uint32_t objective_count;
    /* Hook points whose values and gradients are wanted: names or globs; "log_mel" is the encoder's input. None: only what the
     * objectives come to. */
    const char *const *hooks;
    uint32_t hook_count;
} auscult_pass;

/* Runs of the model with gradients, and on log-mels. */
#define AUSCULT_HOST_GRADIENTS "auscult.host.gradients/1"
typedef struct auscult_host_gradients {
    uint32_t struct_size;
    /* Runs the model once, goes back through it once for each objective, and gives, in this order: "tokens" (I32), where the
     * decoder read any; "log_mel" [n_mels, mel frames]; the values at hook points as the forward pass comes by them; and, from the
     * last hook point to the first, "log_mel" at the end, their gradients, of the same shapes: "NAME@grad", of several objectives
     * "NAME@grad1", "NAME@grad2", … A hook point behind all of an objective has none of it. Padding's positions are left out
     * unless the plugin needs all frames.
     * What interventions put in counts as constant; a gradient goes through all of them but edges ("@to").
     * `values`: room for objective_count numbers, what the objectives come to, written before the first tensor is given; NULL
     * where they are not wanted.
     * AUSCULT_UNSUPPORTED: objectives with a model whose precision is not "exact", or with an edge. */
    auscult_status (*run)(const auscult_host *host, const auscult_pass *pass, double *values, auscult_tensor_sink sink,
                          void *context);
} auscult_host_gradients;

/* A folder of the plugin's own that stays from run to run. It is there when this is asked for. */
#define AUSCULT_HOST_FOLDER "auscult.host.folder/1"
typedef struct auscult_host_folder {
    uint32_t struct_size;
    const char *(*path)(const auscult_host *host);
} auscult_host_folder;

/* ------------------------------------------------------------------------------------------------ an instance */

typedef struct auscult_instance auscult_instance;
struct auscult_instance {
    uint32_t struct_size;
    /* The plugin's own; not for the host. */
    void *context;
    auscult_status (*activate)(const auscult_instance *self, const auscult_run *run);
    auscult_status (*process)(const auscult_instance *self, const auscult_clip *clip);
    auscult_status (*finish)(const auscult_instance *self);
    /* Frees everything, this struct too. Also after an error, and at any time. */
    void (*destroy)(const auscult_instance *self);
    /* An interface of the plugin by its id; NULL where it has none of it. Valid until destroy(). */
    const void *(*get_extension)(const auscult_instance *self, const char *id);
    /* Why the last function of this instance did not return AUSCULT_OK; "" where it did. Valid until the next call. */
    const char *(*last_error)(const auscult_instance *self);
};

/* Needs that depend on the arguments: the layers that were asked for, say. Asked right after create(). */
#define AUSCULT_EXT_NEEDS "auscult.plugin.needs/1"
typedef struct auscult_ext_needs {
    uint32_t struct_size;
    /* Valid until destroy(). */
    const auscult_needs *(*needs)(const auscult_instance *self);
} auscult_ext_needs;

/* An analysis over a data set is a monoid: the states of two instances can be merged, and the result is the same as if
 * one had processed all their recordings, in their order. So a run survives a crash, and is split over processes and
 * machines.
 * With AUSCULT_NEED_ONE_RUN it is none: then merge() into a new instance still goes on where the other stopped, but
 * merge() into one that has processed something returns AUSCULT_UNSUPPORTED. */
#define AUSCULT_EXT_STATE "auscult.plugin.state/1"
typedef auscult_status (*auscult_byte_sink)(void *context, const void *bytes, uint64_t size);
typedef struct auscult_ext_state {
    uint32_t struct_size;
    /* Writes all that the instance has gathered since create(), in any number of pieces. The instance goes on as before. */
    auscult_status (*save)(const auscult_instance *self, auscult_byte_sink sink, void *context);
    /* Takes in what another instance with the same arguments has saved, as if its recordings had been processed after
     * this one's. Into a new instance: goes on where the other stopped. The bytes may be damaged: check them.
     * AUSCULT_UNSUPPORTED: this analysis merges no two states, and declares that in its needs (AUSCULT_NEED_ONE_RUN). */
    auscult_status (*merge)(const auscult_instance *self, const void *bytes, uint64_t size);
} auscult_ext_state;

/* ------------------------------------------------------------------------------------------------ the library */

#define AUSCULT_FACTORY "auscult.plugin-factory/1"
typedef struct auscult_factory {
    uint32_t struct_size;
    /* Plugins in this library. */
    uint32_t (*count)(void);
    /* NULL past the last. */
    const auscult_descriptor *(*describe)(uint32_t index);
    /* A new instance in `instance`. Arguments that are not given have their defaults; the host has checked kinds and
     * ranges. Where it fails, `error` (of `error_capacity` bytes, which may be 0) gets a sentence, cut to fit, with a NUL. */
    auscult_status (*create)(const auscult_host *host, const char *plugin_id, const auscult_argument *arguments,
                             uint32_t argument_count, const auscult_instance **instance, char *error,
                             uint32_t error_capacity);
} auscult_factory;

/* The one symbol that a library exports: AUSCULT_EXPORT const auscult_entry auscult_plugin = { ... }; */
typedef struct auscult_entry {
    uint32_t magic; /* AUSCULT_MAGIC */
    uint32_t struct_size;
    uint16_t abi_major; /* AUSCULT_ABI_MAJOR */
    uint16_t abi_minor; /* AUSCULT_ABI_MINOR */
    uint32_t reserved; /* 0 */
    /* `bundle`: the folder that the library lies in. Anything but AUSCULT_OK: the library is not used. */
    auscult_status (*init)(const char *bundle);
    void (*deinit)(void);
    /* NULL for an id that it does not know. */
    const void *(*get_factory)(const char *id);
} auscult_entry;

#ifdef __cplusplus
}
#endif

#endif
