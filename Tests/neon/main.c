// Prints how far the kernels of aarch64 are from plain loops; see check-neon.sh.
#include <stdio.h>

double check_product(void), check_halves(void), check_layer_norm(void), check_softmax(void), check_gelu(void), check_spectrum(void);

static int failed;

static void report(const char *name, double error, double limit) {
    const int is_right = error <= limit;
    printf("%-30s %-8.1e of %-8.1e %s\n", name, error, limit, is_right ? "right" : "WRONG");
    failed |= !is_right;
}

int main(void) {
    // Rounding of sums of 385 products below 1; all 65,536 numbers; then as the tests of the other instruction sets.
    report("products", check_product(), 5e-5);
    report("half precision", check_halves(), 0);
    report("layer normalisation", check_layer_norm(), 2e-6);
    report("softmax", check_softmax(), 1e-6);
    report("GELU", check_gelu(), 2e-6);
    report("power spectra", check_spectrum(), 1e-12);
    return failed;
}
