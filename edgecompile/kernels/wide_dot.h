/* Sums of int16 inputs times int8 weights, in 64 bits, as the reference for int16 activations takes them.
 *
 * Weights of each four inputs lie in the order 0, 2, 1, 3, so that one SXTB16 spreads two that follow each other; what
 * is left over, fewer than four, lies as it is. Inputs are int16 that follow each other, at any even address; weights
 * are at any address. Nothing here allocates or writes.
 */
#ifndef EC_WIDE_DOT_H_
#define EC_WIDE_DOT_H_

#include "rounding.h"

EC_SPECIALIZED int64_t ec_wide_dot_portable(const int16_t *x, const int8_t *w, int count, int64_t sum)
{
    for (; count >= 4; count -= 4, x += 4, w += 4) {
        sum += x[0] * w[0] + x[1] * w[2];
        sum += x[2] * w[1] + x[3] * w[3];
    }
    for (; count > 0; --count) sum += *x++ * *w++;
    return sum;
}

#if defined(__ARM_FEATURE_DSP) && defined(__ARM_FEATURE_UNALIGNED) && defined(__thumb__) && defined(__GNUC__)
#include "wide_dot_dsp.h"
#endif

EC_SPECIALIZED int64_t ec_wide_dot(const int16_t *x, const int8_t *w, int count, int64_t sum)
{
#ifdef EC_WIDE_DOT_DSP_H_
    return ec_wide_dot_dsp(x, w, count, sum);
#else
    return ec_wide_dot_portable(x, w, count, sum);
#endif
}

#endif /* EC_WIDE_DOT_H_ */
