// Intel's AMX: products of tiles in registers of 16 rows of 64 bytes, as inline functions.
//
// An instruction names its tiles by numbers, so a block of 32 rows by 32 columns is written out here: tiles 0 to 3 are its sums, 4 and 5 rows of A,
// 6 and 7 columns of B. Words are 32 bits: four bytes, or two numbers of bfloat16.

#ifndef AUSCULT_TILES_H
#define AUSCULT_TILES_H

#if defined(__AMX_TILE__) && defined(__AMX_INT8__) && defined(__AMX_BF16__)
#include <immintrin.h>
#include <stdint.h>
#include "vectors.h"

/// The sums of a block: 32 rows of 32.
struct vectors_tile_sums {
    int32_t words[32 * 32];
};

/// Says how large this thread's tiles are, for blocks of `upper` + `lower` rows of A, 16 of each at most, and sets them to zero.
VECTORS_INLINE void vectors_tiles_begin(long upper, long lower) {
    struct {
        uint8_t palette, start;
        uint8_t reserved[14];
        uint16_t row_bytes[16];
        uint8_t rows[16];
    } shapes = {
        .palette = 1,
        .row_bytes = {64, 64, 64, 64, 64, 64, 64, 64},
        .rows = {(uint8_t)upper, (uint8_t)upper, (uint8_t)lower, (uint8_t)lower, (uint8_t)upper, (uint8_t)lower, 16, 16},
    };
    // A tile without rows is none.
    if (lower == 0) shapes.row_bytes[2] = shapes.row_bytes[3] = shapes.row_bytes[5] = 0;
    _tile_loadconfig(&shapes);
}

/// Gives the tiles back, so that the system need not keep them.
VECTORS_INLINE void vectors_tiles_end(void) { _tile_release(); }

VECTORS_INLINE void vectors_tiles_zero_upper(void) {
    _tile_zero(0);
    _tile_zero(1);
}
VECTORS_INLINE void vectors_tiles_zero_lower(void) {
    _tile_zero(2);
    _tile_zero(3);
}

/// Reads 16 rows of words of a panel of 32 columns.
VECTORS_INLINE void vectors_tiles_load_b(const void *_Nonnull b) {
    _tile_loadd(6, b, 128);
    _tile_loadd(7, (const char *)b + 64, 128);
}

/// Adds 16 words of rows of A, unsigned bytes `stride` bytes apart, by what was read of B, signed.
VECTORS_INLINE void vectors_tiles_add_bytes_upper(const void *_Nonnull a, long stride) {
    _tile_loadd(4, a, stride);
    _tile_dpbusd(0, 4, 6);
    _tile_dpbusd(1, 4, 7);
}
VECTORS_INLINE void vectors_tiles_add_bytes_lower(const void *_Nonnull a, long stride) {
    _tile_loadd(5, a, stride);
    _tile_dpbusd(2, 5, 6);
    _tile_dpbusd(3, 5, 7);
}

/// The same of bfloat16.
VECTORS_INLINE void vectors_tiles_add_bf16_upper(const void *_Nonnull a, long stride) {
    _tile_loadd(4, a, stride);
    _tile_dpbf16ps(0, 4, 6);
    _tile_dpbf16ps(1, 4, 7);
}
VECTORS_INLINE void vectors_tiles_add_bf16_lower(const void *_Nonnull a, long stride) {
    _tile_loadd(5, a, stride);
    _tile_dpbf16ps(2, 5, 6);
    _tile_dpbf16ps(3, 5, 7);
}

/// Writes the sums as rows of 32, `stride` bytes apart.
VECTORS_INLINE void vectors_tiles_store_upper(void *_Nonnull to, long stride) {
    _tile_stored(0, to, stride);
    _tile_stored(1, (char *)to + 64, stride);
}
VECTORS_INLINE void vectors_tiles_store_lower(void *_Nonnull to, long stride) {
    _tile_stored(2, to, stride);
    _tile_stored(3, (char *)to + 64, stride);
}
#endif

#endif
