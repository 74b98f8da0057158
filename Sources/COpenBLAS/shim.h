#include <cblas.h>
#include <stdbool.h>

// How OpenBLAS chooses among its kernels: in no header of it, and in every library of it that has kernels of several processors.
extern void gotoblas_dynamic_init(void) __attribute__((weak));
extern void gotoblas_dynamic_quit(void) __attribute__((weak));

/// Whether ``openblas_choose_again`` can be called.
static inline bool openblas_can_choose_again(void) { return gotoblas_dynamic_init && gotoblas_dynamic_quit; }

/// Drops the choice of kernels and makes it anew, by OPENBLAS_CORETYPE where that is set. Nothing else may use the library meanwhile.
static inline void openblas_choose_again(void) {
    gotoblas_dynamic_quit();
    gotoblas_dynamic_init();
}
