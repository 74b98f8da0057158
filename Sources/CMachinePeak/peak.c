// The peak loops. The accumulators are as many as the latency of a fused multiply-add times the units that do them, and
// named one by one, so that they stay in registers. They begin at numbers that the compiler does not know: a chain that begins at
// 1 stays there, and clang computes it beforehand (scripts/check-machine-peak.sh counts what is left).
#include "CMachinePeak.h"

#include <stddef.h>
#include <sys/mman.h>

static volatile float sink;      // so that no loop is optimised away
static volatile float begin = 1;  // so that no chain is

#if defined(__x86_64__)
#include <immintrin.h>

enum instructions { PLAIN, AVX2, AVX512 };

static enum instructions best(void) {
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f")) return AVX512;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return AVX2;
    return PLAIN;
}

// Twelve chains: five cycles of latency at most, two units, and a little over.
#define CHAINS(STEP) STEP(0) STEP(1) STEP(2) STEP(3) STEP(4) STEP(5) STEP(6) STEP(7) STEP(8) STEP(9) STEP(10) STEP(11)
enum { CHAIN_COUNT = 12 };

__attribute__((target("avx2,fma"))) static uint64_t multiply_add_avx2(uint64_t rounds) {
    // x ← x · 0.999 + 0.001 stays near 1: no denormals, no infinities.
    const __m256 factor = _mm256_set1_ps(0.999f), addend = _mm256_set1_ps(0.001f);
    const float first = begin;
#define START(i) __m256 x##i = _mm256_set1_ps(first + 0.01f * i);
#define STEP(i) x##i = _mm256_fmadd_ps(x##i, factor, addend);
#define SUM(i) sum = _mm256_add_ps(sum, x##i);
    CHAINS(START)
    for (uint64_t round = 0; round < rounds; round++) { CHAINS(STEP) }
    __m256 sum = _mm256_setzero_ps();
    CHAINS(SUM)
    sink = _mm256_cvtss_f32(sum);
#undef START
#undef STEP
#undef SUM
    return rounds * CHAIN_COUNT * 8 * 2;
}

__attribute__((target("avx512f"))) static uint64_t multiply_add_avx512(uint64_t rounds) {
    const __m512 factor = _mm512_set1_ps(0.999f), addend = _mm512_set1_ps(0.001f);
    const float first = begin;
#define START(i) __m512 x##i = _mm512_set1_ps(first + 0.01f * i);
#define STEP(i) x##i = _mm512_fmadd_ps(x##i, factor, addend);
#define SUM(i) sum = _mm512_add_ps(sum, x##i);
    CHAINS(START)
    for (uint64_t round = 0; round < rounds; round++) { CHAINS(STEP) }
    __m512 sum = _mm512_setzero_ps();
    CHAINS(SUM)
    sink = _mm512_cvtss_f32(sum);
#undef START
#undef STEP
#undef SUM
    return rounds * CHAIN_COUNT * 16 * 2;
}

__attribute__((target("avx2"))) static float read_avx2(const float *from, uint64_t count) {
    // Eight places at once: on a Zen 3 that reads a third more than one. Their distance is no power of two, at which they
    // would drive one another out of the cache.
    const uint64_t skew = 16 * 37, room = count / 8 / 16 * 16, part = room > skew ? room - skew : 0;
    __m256 a = _mm256_setzero_ps(), b = a, c = a, d = a;
    for (uint64_t i = 0; i < part; i += 16) {
#define READ(x, stream)                                                                \
    x = _mm256_add_ps(x, _mm256_loadu_ps(from + stream * part + i));                   \
    x = _mm256_add_ps(x, _mm256_loadu_ps(from + stream * part + i + 8));
        READ(a, 0) READ(b, 1) READ(c, 2) READ(d, 3) READ(a, 4) READ(b, 5) READ(c, 6) READ(d, 7)
#undef READ
    }
    float lanes[8], sum = 0;
    _mm256_storeu_ps(lanes, _mm256_add_ps(_mm256_add_ps(a, b), _mm256_add_ps(c, d)));
    for (int lane = 0; lane < 8; lane++) sum += lanes[lane];
    for (uint64_t i = 8 * part; i < count; i++) sum += from[i];
    return sum;
}
#endif

// Four lanes, which any compiler turns into the vectors of its target; on aarch64 these are NEON's, which every such
// processor has, with a fused multiply-add. Two to a unit and cycle need as many chains.
typedef float lanes __attribute__((vector_size(16)));

static uint64_t multiply_add_plain(uint64_t rounds) {
    const lanes factor = {0.999f, 0.999f, 0.999f, 0.999f}, addend = {0.001f, 0.001f, 0.001f, 0.001f};
    const float first = begin;
    // Chains that begin alike would be computed once.
#define START(i) lanes x##i = {first + 0.01f * i, first, first, first};
    START(0) START(1) START(2) START(3) START(4) START(5) START(6) START(7)
    START(8) START(9) START(10) START(11) START(12) START(13) START(14) START(15)
#undef START
#define STEP(i) x##i = x##i * factor + addend;
    for (uint64_t round = 0; round < rounds; round++) {
#pragma STDC FP_CONTRACT ON
        STEP(0) STEP(1) STEP(2) STEP(3) STEP(4) STEP(5) STEP(6) STEP(7)
        STEP(8) STEP(9) STEP(10) STEP(11) STEP(12) STEP(13) STEP(14) STEP(15)
    }
#undef STEP
    lanes sum = x0 + x1 + x2 + x3 + x4 + x5 + x6 + x7 + x8 + x9 + x10 + x11 + x12 + x13 + x14 + x15;
    sink = sum[0];
    return rounds * 16 * 4 * 2;
}

static float read_plain(const float *from, uint64_t count) {
    lanes a = {0}, b = a, c = a, d = a;
    uint64_t i = 0;
    for (; i + 16 <= count; i += 16) {
        lanes next[4];
        __builtin_memcpy(next, from + i, sizeof next);
        a += next[0];
        b += next[1];
        c += next[2];
        d += next[3];
    }
    lanes all = a + b + c + d;
    float sum = all[0] + all[1] + all[2] + all[3];
    for (; i < count; i++) sum += from[i];
    return sum;
}

float *machine_peak_memory(uint64_t count) {
    float *memory = mmap(NULL, count * sizeof(float), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return NULL;
#ifdef MADV_HUGEPAGE
    madvise(memory, count * sizeof(float), MADV_HUGEPAGE);
#endif
    // Written, so that the pages are there.
    for (uint64_t i = 0; i < count; i++) memory[i] = 1;
    return memory;
}

void machine_peak_release(float *memory, uint64_t count) {
    if (memory) munmap(memory, count * sizeof(float));
}

const char *machine_peak_instructions(void) {
#if defined(__x86_64__)
    switch (best()) {
        case AVX512: return "avx512f";
        case AVX2: return "avx2+fma";
        case PLAIN: break;
    }
#endif
    return "plain";
}

uint64_t machine_peak_multiply_add(uint64_t rounds) {
#if defined(__x86_64__)
    switch (best()) {
        case AVX512: return multiply_add_avx512(rounds);
        case AVX2: return multiply_add_avx2(rounds);
        case PLAIN: break;
    }
#endif
    return multiply_add_plain(rounds);
}

float machine_peak_read(const float *from, uint64_t count) {
    float sum;
#if defined(__x86_64__)
    sum = best() == PLAIN ? read_plain(from, count) : read_avx2(from, count);
#else
    sum = read_plain(from, count);
#endif
    sink = sum;
    return sum;
}
