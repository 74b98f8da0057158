// Vector instructions that Swift has no word for, as inline functions over vectors that Swift imports as SIMD types.
//
// A header and nothing else: each kernel module compiles it under its own instruction set.

#ifndef AUSCULT_VECTORS_H
#define AUSCULT_VECTORS_H

#include <stdint.h>

#define VECTORS_INLINE static inline __attribute__((always_inline))

typedef float vectors_f32x4 __attribute__((vector_size(16)));
typedef float vectors_f32x8 __attribute__((vector_size(32)));
typedef float vectors_f32x16 __attribute__((vector_size(64)));
typedef uint16_t vectors_u16x4 __attribute__((vector_size(8)));
typedef uint16_t vectors_u16x8 __attribute__((vector_size(16)));
typedef uint16_t vectors_u16x16 __attribute__((vector_size(32)));
typedef int32_t vectors_i32x4 __attribute__((vector_size(16)));
typedef int32_t vectors_i32x8 __attribute__((vector_size(32)));
typedef int32_t vectors_i32x16 __attribute__((vector_size(64)));
typedef uint8_t vectors_u8x16 __attribute__((vector_size(16)));

#if defined(__F16C__)
#include <immintrin.h>
/// Eight half-precision numbers as float32; exact.
VECTORS_INLINE vectors_f32x8 vectors_widen8(const void *_Nonnull halves) {
    return (vectors_f32x8)_mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)halves));
}

/// The nearest numbers of half precision.
VECTORS_INLINE vectors_u16x8 vectors_narrow8(vectors_f32x8 x) {
    return (vectors_u16x8)_mm256_cvtps_ph((__m256)x, _MM_FROUND_TO_NEAREST_INT);
}
#endif

// Parts of a vector, and its largest lane: lane by lane they would keep all lanes apart, before and after.

#if defined(__AVX2__)
/// Which lanes come before the one of this number.
VECTORS_INLINE __m256i vectors_first8(long count) {
    return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)count), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

/// The first `count` of eight numbers, and `filler` in place of the others, which are not read.
VECTORS_INLINE vectors_f32x8 vectors_load_some8(const float *_Nonnull from, long count, float filler) {
    const __m256i first = vectors_first8(count);
    return (vectors_f32x8)_mm256_blendv_ps(
        _mm256_set1_ps(filler), _mm256_maskload_ps(from, first), _mm256_castsi256_ps(first));
}

/// Writes the first `count` of them.
VECTORS_INLINE void vectors_store_some8(vectors_f32x8 x, float *_Nonnull to, long count) {
    _mm256_maskstore_ps(to, vectors_first8(count), (__m256)x);
}

VECTORS_INLINE float vectors_largest8(vectors_f32x8 x) {
    const __m128 fours = _mm_max_ps(_mm256_extractf128_ps((__m256)x, 1), _mm256_castps256_ps128((__m256)x));
    const __m128 pairs = _mm_max_ps(_mm_movehl_ps(fours, fours), fours);
    return _mm_cvtss_f32(_mm_max_ss(_mm_movehdup_ps(pairs), pairs));
}
#endif

#if defined(__AVX512F__)
/// The first `count` of sixteen numbers, and `filler` in place of the others, which are not read.
VECTORS_INLINE vectors_f32x16 vectors_load_some16(const float *_Nonnull from, long count, float filler) {
    return (vectors_f32x16)_mm512_mask_loadu_ps(_mm512_set1_ps(filler), (__mmask16)((1u << count) - 1), from);
}

/// Writes the first `count` of them.
VECTORS_INLINE void vectors_store_some16(vectors_f32x16 x, float *_Nonnull to, long count) {
    _mm512_mask_storeu_ps(to, (__mmask16)((1u << count) - 1), (__m512)x);
}

VECTORS_INLINE float vectors_largest16(vectors_f32x16 x) {
    const __m256 low = _mm512_castps512_ps256((__m512)x);
    const __m256 high = _mm256_castpd_ps(_mm512_extractf64x4_pd(_mm512_castps_pd((__m512)x), 1));
    return vectors_largest8((vectors_f32x8)_mm256_max_ps(high, low));
}
#endif

#if defined(__AVX512F__)
/// Sixteen half-precision numbers as float32; exact.
VECTORS_INLINE vectors_f32x16 vectors_widen16(const void *_Nonnull halves) {
    return (vectors_f32x16)_mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)halves));
}

/// The nearest numbers of half precision.
VECTORS_INLINE vectors_u16x16 vectors_narrow16(vectors_f32x16 x) {
    return (vectors_u16x16)_mm512_cvtps_ph((__m512)x, _MM_FROUND_TO_NEAREST_INT);
}
#endif

#if defined(__aarch64__)
#include <arm_neon.h>
/// Four half-precision numbers as float32; exact.
VECTORS_INLINE vectors_f32x4 vectors_widen4(const void *_Nonnull halves) {
    return (vectors_f32x4)vcvt_f32_f16(vld1_f16((const __fp16 *)halves));
}

/// The nearest numbers of half precision.
VECTORS_INLINE vectors_u16x4 vectors_narrow4(vectors_f32x4 x) {
    return (vectors_u16x4)vcvt_f16_f32((float32x4_t)x);
}
#elif defined(__x86_64__)
#include <emmintrin.h>
/// Four half-precision numbers as float32; exact. Exponent and fraction are moved to their places and the exponent's bias is mended
/// by a product with 2^112, which makes subnormal numbers right as well; infinities and NaNs keep theirs.
VECTORS_INLINE vectors_f32x4 vectors_widen4(const void *_Nonnull halves) {
    const __m128i bits = _mm_unpacklo_epi16(_mm_loadl_epi64((const __m128i *)halves), _mm_setzero_si128());
    const __m128i rest = _mm_and_si128(bits, _mm_set1_epi32(0x7fff));
    const __m128i sign = _mm_slli_epi32(_mm_xor_si128(bits, rest), 16);
    const __m128 scaled = _mm_mul_ps(
        _mm_castsi128_ps(_mm_slli_epi32(rest, 13)), _mm_castsi128_ps(_mm_set1_epi32(0x77800000)));
    const __m128i infinite = _mm_and_si128(_mm_cmpgt_epi32(rest, _mm_set1_epi32(0x7bff)), _mm_set1_epi32(0x7f800000));
    return (vectors_f32x4)_mm_or_si128(_mm_or_si128(_mm_castps_si128(scaled), infinite), sign);
}

/// Numbers of half precision: the same numbers where half precision has them, and some others where not.
VECTORS_INLINE vectors_u16x4 vectors_narrow4(vectors_f32x4 x) {
    const __m128i bits = _mm_castps_si128((__m128)x);
    const __m128i sign = _mm_srli_epi32(_mm_and_si128(bits, _mm_set1_epi32((int)0x80000000u)), 16);
    const __m128 rest = _mm_castsi128_ps(_mm_and_si128(bits, _mm_set1_epi32(0x7fffffff)));
    const __m128i scaled = _mm_castps_si128(_mm_mul_ps(rest, _mm_castsi128_ps(_mm_set1_epi32(0x07800000))));
    const __m128i halves = _mm_and_si128(_mm_srli_epi32(scaled, 13), _mm_set1_epi32(0x7fff));
    const __m128i all = _mm_or_si128(halves, sign);
    // The lower 16 bits of each: moved to the top, so that the pack's saturation keeps them.
    const __m128i high = _mm_srai_epi32(_mm_slli_epi32(all, 16), 16);
    vectors_u16x8 packed = (vectors_u16x8)_mm_packs_epi32(high, high);
    return (vectors_u16x4){packed[0], packed[1], packed[2], packed[3]};
}
#endif

// Products of bytes and of bfloat16. A word is 32 bits of neighbouring elements of one row: two, or four where the processor sums
// products of four bytes.

#if defined(__aarch64__) || defined(__x86_64__)
/// Whole numbers as float32.
VECTORS_INLINE vectors_f32x4 vectors_float4(vectors_i32x4 x) { return __builtin_convertvector(x, vectors_f32x4); }

/// The lower 16 bits of each lane.
VECTORS_INLINE void vectors_store_low4(vectors_i32x4 x, void *_Nonnull to) {
    const vectors_u16x4 low = __builtin_convertvector(x, vectors_u16x4);
    __builtin_memcpy(to, &low, sizeof low);
}
#endif

#if defined(__aarch64__)
/// Eight signed bytes as eight numbers of 16 bits.
VECTORS_INLINE vectors_i32x4 vectors_bytes4(const void *_Nonnull bytes) {
    return (vectors_i32x4)vmovl_s8(vld1_s8((const int8_t *)bytes));
}

/// sums + a₀ b₀ + a₁ b₁ for each lane of two numbers of 16 bits.
VECTORS_INLINE vectors_i32x4 vectors_dot_pairs4(vectors_i32x4 sums, vectors_i32x4 a, vectors_i32x4 b) {
    const int16x8_t x = (int16x8_t)a, y = (int16x8_t)b;
    const int32x4_t low = vmull_s16(vget_low_s16(x), vget_low_s16(y));
    return sums + (vectors_i32x4)vpaddq_s32(low, vmull_high_s16(x, y));
}
#elif defined(__x86_64__)
/// Eight signed bytes as eight numbers of 16 bits.
VECTORS_INLINE vectors_i32x4 vectors_bytes4(const void *_Nonnull bytes) {
    const __m128i b = _mm_loadl_epi64((const __m128i *)bytes);
    return (vectors_i32x4)_mm_srai_epi16(_mm_unpacklo_epi8(b, b), 8);
}

/// sums + a₀ b₀ + a₁ b₁ for each lane of two numbers of 16 bits.
VECTORS_INLINE vectors_i32x4 vectors_dot_pairs4(vectors_i32x4 sums, vectors_i32x4 a, vectors_i32x4 b) {
    return sums + (vectors_i32x4)_mm_madd_epi16((__m128i)a, (__m128i)b);
}
#endif

#if defined(__AVX2__)
/// Whole numbers as float32.
VECTORS_INLINE vectors_f32x8 vectors_float8(vectors_i32x8 x) { return __builtin_convertvector(x, vectors_f32x8); }

/// The lower 16 bits of each lane.
VECTORS_INLINE void vectors_store_low8(vectors_i32x8 x, void *_Nonnull to) {
    const vectors_u16x8 low = __builtin_convertvector(x, vectors_u16x8);
    __builtin_memcpy(to, &low, sizeof low);
}

/// Sixteen signed bytes as sixteen numbers of 16 bits.
VECTORS_INLINE vectors_i32x8 vectors_bytes8(const void *_Nonnull bytes) {
    return (vectors_i32x8)_mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)bytes));
}

/// sums + a₀ b₀ + a₁ b₁ for each lane of two numbers of 16 bits.
VECTORS_INLINE vectors_i32x8 vectors_dot_pairs8(vectors_i32x8 sums, vectors_i32x8 a, vectors_i32x8 b) {
    return sums + (vectors_i32x8)_mm256_madd_epi16((__m256i)a, (__m256i)b);
}
#endif

#if defined(__AVX512BW__)
/// Whole numbers as float32.
VECTORS_INLINE vectors_f32x16 vectors_float16(vectors_i32x16 x) { return __builtin_convertvector(x, vectors_f32x16); }

/// The lower 16 bits of each lane.
VECTORS_INLINE void vectors_store_low16(vectors_i32x16 x, void *_Nonnull to) {
    const vectors_u16x16 low = __builtin_convertvector(x, vectors_u16x16);
    __builtin_memcpy(to, &low, sizeof low);
}

/// Thirty-two signed bytes as thirty-two numbers of 16 bits.
VECTORS_INLINE vectors_i32x16 vectors_bytes16(const void *_Nonnull bytes) {
    return (vectors_i32x16)_mm512_cvtepi8_epi16(_mm256_loadu_si256((const __m256i *)bytes));
}

/// sums + a₀ b₀ + a₁ b₁ for each lane of two numbers of 16 bits.
VECTORS_INLINE vectors_i32x16 vectors_dot_pairs16(vectors_i32x16 sums, vectors_i32x16 a, vectors_i32x16 b) {
    return sums + (vectors_i32x16)_mm512_madd_epi16((__m512i)a, (__m512i)b);
}
#endif

#if defined(__AVX512VNNI__)
/// The lowest byte of each lane, its highest bit turned: a signed number + 128, unsigned.
VECTORS_INLINE void vectors_store_offset_bytes16(vectors_i32x16 x, void *_Nonnull to) {
    const vectors_u8x16 low = __builtin_convertvector(x, vectors_u8x16) ^ 0x80;
    __builtin_memcpy(to, &low, sizeof low);
}

/// sums + Σ aᵢ bᵢ for each lane of four bytes, unsigned in a and signed in b. Nothing saturates.
VECTORS_INLINE vectors_i32x16 vectors_dot_quads16(vectors_i32x16 sums, vectors_i32x16 a, vectors_i32x16 b) {
    return (vectors_i32x16)_mm512_dpbusd_epi32((__m512i)sums, (__m512i)a, (__m512i)b);
}
#endif

#if defined(__AVX512BF16__)
/// sums + a₁ b₁ + a₀ b₀ for each lane of two numbers of bfloat16; subnormal numbers count as 0.
VECTORS_INLINE vectors_f32x16 vectors_dot_bf16(vectors_f32x16 sums, vectors_i32x16 a, vectors_i32x16 b) {
    return (vectors_f32x16)_mm512_dpbf16_ps((__m512)sums, (__m512bh)a, (__m512bh)b);
}
#endif

/// Asks for the line of memory there to be brought to the second cache; it need not be memory at all.
VECTORS_INLINE void vectors_fetch(const void *_Nonnull address) { __builtin_prefetch(address, 0, 2); }

/// Copies `count` floats past the caches, for what nobody reads soon: a capture larger than any cache, which else would be read from
/// memory before it is written.
static inline void vectors_stream(const float *_Nonnull from, float *_Nonnull to, long count) {
#if defined(__x86_64__)
    if (((uintptr_t)to & 15) == 0) {
        long i = 0;
        for (; i + 4 <= count; i += 4) _mm_stream_ps(to + i, _mm_loadu_ps(from + i));
        for (; i < count; ++i) to[i] = from[i];
        return;
    }
#endif
    for (long i = 0; i < count; ++i) to[i] = from[i];
}

/// What was streamed is seen by others after this.
static inline void vectors_stream_fence(void) {
#if defined(__x86_64__)
    _mm_sfence();
#endif
}

#include "widest.h"

#endif
