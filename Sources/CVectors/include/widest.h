// Operations over the widest vectors of the instruction set that a module is compiled for: the same names everywhere, so that
// what uses them needs no file for each width. Included by vectors.h.

#ifndef AUSCULT_WIDEST_H
#define AUSCULT_WIDEST_H

#if defined(__AVX512F__)
#define VECTORS_BYTES 64
#elif defined(__AVX2__)
#define VECTORS_BYTES 32
#else
#define VECTORS_BYTES 16
#endif

typedef float vectors_floats __attribute__((vector_size(VECTORS_BYTES)));
typedef double vectors_doubles __attribute__((vector_size(VECTORS_BYTES)));

/// Doubles of a vector.
#define VECTORS_DOUBLES (VECTORS_BYTES / 8)

/// A bit for each lane, the first the lowest: whether x is above the bound. NaN is above nothing.
VECTORS_INLINE uint32_t vectors_above(vectors_floats x, vectors_floats bound) {
#if defined(__AVX512F__)
    return (uint32_t)_mm512_cmp_ps_mask((__m512)x, (__m512)bound, _CMP_GT_OQ);
#elif defined(__AVX2__)
    return (uint32_t)_mm256_movemask_ps(_mm256_cmp_ps((__m256)x, (__m256)bound, _CMP_GT_OQ));
#elif defined(__x86_64__)
    return (uint32_t)_mm_movemask_ps(_mm_cmpgt_ps((__m128)x, (__m128)bound));
#else
    return (uint32_t)(x[0] > bound[0]) | (uint32_t)(x[1] > bound[1]) << 1 | (uint32_t)(x[2] > bound[2]) << 2
        | (uint32_t)(x[3] > bound[3]) << 3;
#endif
}

/// The square root of each lane.
VECTORS_INLINE vectors_floats vectors_root(vectors_floats x) {
#if defined(__AVX512F__)
    return (vectors_floats)_mm512_sqrt_ps((__m512)x);
#elif defined(__AVX2__)
    return (vectors_floats)_mm256_sqrt_ps((__m256)x);
#elif defined(__x86_64__)
    return (vectors_floats)_mm_sqrt_ps((__m128)x);
#elif defined(__aarch64__)
    return (vectors_floats)vsqrtq_f32((float32x4_t)x);
#else
    for (int lane = 0; lane < 4; ++lane) x[lane] = __builtin_sqrtf(x[lane]);
    return x;
#endif
}

/// c + a · b, in one rounding where the instruction set has that.
VECTORS_INLINE vectors_doubles vectors_fused_doubles(vectors_doubles a, vectors_doubles b, vectors_doubles c) {
#if defined(__AVX512F__)
    return (vectors_doubles)_mm512_fmadd_pd((__m512d)a, (__m512d)b, (__m512d)c);
#elif defined(__AVX2__)
    return (vectors_doubles)_mm256_fmadd_pd((__m256d)a, (__m256d)b, (__m256d)c);
#elif defined(__aarch64__)
    return (vectors_doubles)vfmaq_f64((float64x2_t)c, (float64x2_t)a, (float64x2_t)b);
#else
    return c + a * b;
#endif
}

#if defined(__AVX2__)
/// Rows and columns of the square that `vectors_transpose` turns.
#define VECTORS_SQUARE 8

/// out[j][i] = x[i][j] of a square; `ldx` and `ldo` are the distances between rows.
VECTORS_INLINE void vectors_transpose(const float *_Nonnull x, long ldx, float *_Nonnull out, long ldo) {
    __m256 r[8], t[8];
    for (int i = 0; i < 8; ++i) r[i] = _mm256_loadu_ps(x + i * ldx);
    for (int i = 0; i < 8; i += 2) {
        t[i] = _mm256_unpacklo_ps(r[i], r[i + 1]);
        t[i + 1] = _mm256_unpackhi_ps(r[i], r[i + 1]);
    }
    for (int i = 0; i < 8; i += 4) {
        r[i] = _mm256_shuffle_ps(t[i], t[i + 2], 0x44);
        r[i + 1] = _mm256_shuffle_ps(t[i], t[i + 2], 0xee);
        r[i + 2] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0x44);
        r[i + 3] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0xee);
    }
    for (int i = 0; i < 4; ++i) {
        _mm256_storeu_ps(out + i * ldo, _mm256_permute2f128_ps(r[i], r[i + 4], 0x20));
        _mm256_storeu_ps(out + (i + 4) * ldo, _mm256_permute2f128_ps(r[i], r[i + 4], 0x31));
    }
}
#else
/// Rows and columns of the square that `vectors_transpose` turns.
#define VECTORS_SQUARE 4

/// out[j][i] = x[i][j] of a square; `ldx` and `ldo` are the distances between rows.
VECTORS_INLINE void vectors_transpose(const float *_Nonnull x, long ldx, float *_Nonnull out, long ldo) {
    vectors_f32x4 r[4];
    for (int i = 0; i < 4; ++i) __builtin_memcpy(&r[i], x + i * ldx, sizeof r[i]);
    const vectors_f32x4 a = __builtin_shufflevector(r[0], r[1], 0, 4, 1, 5);
    const vectors_f32x4 b = __builtin_shufflevector(r[0], r[1], 2, 6, 3, 7);
    const vectors_f32x4 c = __builtin_shufflevector(r[2], r[3], 0, 4, 1, 5);
    const vectors_f32x4 d = __builtin_shufflevector(r[2], r[3], 2, 6, 3, 7);
    r[0] = __builtin_shufflevector(a, c, 0, 1, 4, 5);
    r[1] = __builtin_shufflevector(a, c, 2, 3, 6, 7);
    r[2] = __builtin_shufflevector(b, d, 0, 1, 4, 5);
    r[3] = __builtin_shufflevector(b, d, 2, 3, 6, 7);
    for (int i = 0; i < 4; ++i) __builtin_memcpy(out + i * ldo, &r[i], sizeof r[i]);
}
#endif

#endif
