// What a spectrum is computed by, as kernels of every instruction set read it, and the vector instructions of its beginning and end.

#ifndef AUSCULT_SPECTRUM_H
#define AUSCULT_SPECTRUM_H

#include "vectors.h"

/// A Fourier transform of windowed real frames, laid out: see Swift's PowerSpectrum, which makes it.
struct spectrum_plan {
    /// Samples of a frame.
    long size;
    /// `size` factors, one a sample.
    const float *_Nonnull window;
    /// Points of the complex transform: size / 2 where that is whole, else size.
    long points;
    /// Stages of the transform and the radix of each; their product is `points`.
    long stages;
    const long *_Nonnull radices;
    /// For each stage of radix r, with n points left before it and m = n / r: exp(−2πi·jp/n) for p < m, 1 ≤ j < r, as pairs; then
    /// exp(−2πi·k/r) for k < r.
    const double *_Nonnull twiddles;
    /// exp(−2πi·k/size), k ≤ size / 4, as pairs, for even sizes.
    const double *_Nonnull half_twiddles;
};

/// Weighted sums over neighbouring bins, many narrow ones.
struct band_filters {
    long bands;
    /// Each band's first bin, and how many it has.
    const int32_t *_Nonnull first_bins;
    const int32_t *_Nonnull counts;
    /// The weights, band after band.
    const double *_Nonnull weights;
};

typedef double vectors_f64x2 __attribute__((vector_size(16)));
typedef double vectors_f64x4 __attribute__((vector_size(32)));
typedef double vectors_f64x8 __attribute__((vector_size(64)));
typedef float vectors_f32x2 __attribute__((vector_size(8)));

#define VECTORS_LOAD4(pointer) \
    ({ \
        vectors_f32x4 loaded; \
        __builtin_memcpy(&loaded, pointer, 16); \
        loaded; \
    })

/// Four samples each of two signals by four factors, the product in float32: sample t of signal l goes to out[2·t + l].
VECTORS_INLINE void vectors_windowed2(
    const float *_Nonnull x0, const float *_Nonnull x1, const float *_Nonnull factors, double *_Nonnull out
) {
    const vectors_f32x4 w = VECTORS_LOAD4(factors);
    const vectors_f32x4 a = VECTORS_LOAD4(x0) * w, b = VECTORS_LOAD4(x1) * w;
    vectors_f64x2 *to = (vectors_f64x2 *)out;
    to[0] = __builtin_convertvector(__builtin_shufflevector(a, b, 0, 4), vectors_f64x2);
    to[1] = __builtin_convertvector(__builtin_shufflevector(a, b, 1, 5), vectors_f64x2);
    to[2] = __builtin_convertvector(__builtin_shufflevector(a, b, 2, 6), vectors_f64x2);
    to[3] = __builtin_convertvector(__builtin_shufflevector(a, b, 3, 7), vectors_f64x2);
}

/// −x; Swift's minus is 0 − x, which no processor fuses with a product.
VECTORS_INLINE vectors_f64x2 vectors_negated2(vectors_f64x2 x) { return -x; }

/// Numbers of double precision, rounded.
VECTORS_INLINE vectors_f32x2 vectors_floats2(vectors_f64x2 x) { return __builtin_convertvector(x, vectors_f32x2); }

#if defined(__AVX__)
/// Rows to columns of four by four.
#define VECTORS_TRANSPOSED(a, b, c, d) \
    const vectors_f32x4 ab_low = __builtin_shufflevector(a, b, 0, 4, 1, 5); \
    const vectors_f32x4 ab_high = __builtin_shufflevector(a, b, 2, 6, 3, 7); \
    const vectors_f32x4 cd_low = __builtin_shufflevector(c, d, 0, 4, 1, 5); \
    const vectors_f32x4 cd_high = __builtin_shufflevector(c, d, 2, 6, 3, 7); \
    const vectors_f32x4 column0 = __builtin_shufflevector(ab_low, cd_low, 0, 1, 4, 5); \
    const vectors_f32x4 column1 = __builtin_shufflevector(ab_low, cd_low, 2, 3, 6, 7); \
    const vectors_f32x4 column2 = __builtin_shufflevector(ab_high, cd_high, 0, 1, 4, 5); \
    const vectors_f32x4 column3 = __builtin_shufflevector(ab_high, cd_high, 2, 3, 6, 7);

/// The same of four signals: sample t of signal l goes to out[4·t + l].
VECTORS_INLINE void vectors_windowed4(
    const float *_Nonnull x0, const float *_Nonnull x1, const float *_Nonnull x2, const float *_Nonnull x3,
    const float *_Nonnull factors, double *_Nonnull out
) {
    const vectors_f32x4 w = VECTORS_LOAD4(factors);
    const vectors_f32x4 a = VECTORS_LOAD4(x0) * w, b = VECTORS_LOAD4(x1) * w;
    const vectors_f32x4 c = VECTORS_LOAD4(x2) * w, d = VECTORS_LOAD4(x3) * w;
    VECTORS_TRANSPOSED(a, b, c, d)
    vectors_f64x4 *to = (vectors_f64x4 *)out;
    to[0] = __builtin_convertvector(column0, vectors_f64x4);
    to[1] = __builtin_convertvector(column1, vectors_f64x4);
    to[2] = __builtin_convertvector(column2, vectors_f64x4);
    to[3] = __builtin_convertvector(column3, vectors_f64x4);
}

/// −x; Swift's minus is 0 − x, which no processor fuses with a product.
VECTORS_INLINE vectors_f64x4 vectors_negated4(vectors_f64x4 x) { return -x; }

/// Numbers of double precision, rounded.
VECTORS_INLINE vectors_f32x4 vectors_floats4(vectors_f64x4 x) { return __builtin_convertvector(x, vectors_f32x4); }
#endif

#if defined(__AVX512F__)
/// Half a column of eight signals: those of lanes `lane` to `lane` + 3; sample t of signal l goes to out[8·t + l].
VECTORS_INLINE void vectors_windowed8(
    const float *_Nonnull x0, const float *_Nonnull x1, const float *_Nonnull x2, const float *_Nonnull x3,
    const float *_Nonnull factors, double *_Nonnull out
) {
    const vectors_f32x4 w = VECTORS_LOAD4(factors);
    const vectors_f32x4 a = VECTORS_LOAD4(x0) * w, b = VECTORS_LOAD4(x1) * w;
    const vectors_f32x4 c = VECTORS_LOAD4(x2) * w, d = VECTORS_LOAD4(x3) * w;
    VECTORS_TRANSPOSED(a, b, c, d)
    *(vectors_f64x4 *)out = __builtin_convertvector(column0, vectors_f64x4);
    *(vectors_f64x4 *)(out + 8) = __builtin_convertvector(column1, vectors_f64x4);
    *(vectors_f64x4 *)(out + 16) = __builtin_convertvector(column2, vectors_f64x4);
    *(vectors_f64x4 *)(out + 24) = __builtin_convertvector(column3, vectors_f64x4);
}

/// −x; Swift's minus is 0 − x, which no processor fuses with a product.
VECTORS_INLINE vectors_f64x8 vectors_negated8(vectors_f64x8 x) { return -x; }

/// Numbers of double precision, rounded.
VECTORS_INLINE vectors_f32x8 vectors_floats8(vectors_f64x8 x) { return __builtin_convertvector(x, vectors_f32x8); }
#endif

#endif
