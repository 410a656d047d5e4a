/* Fixed-point arithmetic, bit for bit that of TensorFlow Lite's reference kernels. Twin: rounding.py.
 *
 * A multiplier is m * 2^(shift - 31) with 2^30 <= m < 2^31 and -31 <= shift <= 30. Nothing here allocates,
 * and no function has a state.
 */
#ifndef EC_ROUNDING_H_
#define EC_ROUNDING_H_

#include <stdint.h>

/* Which reference the scaling follows: TensorFlow Lite Micro rounds twice, TFLite of TensorFlow 2.20 and later once. */
#define EC_ROUND_TWICE 0
#define EC_ROUND_ONCE 1

/* Kernels are made for each layer anew, so that its sizes are literals: forced where the compiler can be told to. */
#if defined(__GNUC__)
#define EC_SPECIALIZED static inline __attribute__((always_inline, unused))
#define EC_SHARED static __attribute__((noinline, unused))
#define EC_ALIGNED __attribute__((aligned(4)))
#define EC_UNROLLED _Pragma("GCC unroll 8")
#else
#define EC_SPECIALIZED static inline
#define EC_SHARED static
#define EC_ALIGNED
#define EC_UNROLLED
#endif

/* x * 2^shift without the undefined behaviour of shifting negative numbers; wraps as the hardware does. */
EC_SPECIALIZED int32_t ec_shift_left(int32_t x, int shift) { return (int32_t)((uint32_t)x << shift); }

/* x + y; wraps as the hardware does. */
EC_SPECIALIZED int32_t ec_add(int32_t x, int32_t y) { return (int32_t)((uint32_t)x + (uint32_t)y); }

/* (x * m) / 2^31, halves upwards. Both factors -2^31 is not allowed. */
EC_SPECIALIZED int32_t ec_high_product(int32_t x, int32_t m)
{
    return (int32_t)(((int64_t)x * m + ((int64_t)1 << 30)) >> 31);
}

/* x / 2^exponent, halves away from zero; 0 <= exponent <= 31. */
EC_SPECIALIZED int32_t ec_divide_by_power(int32_t x, int exponent)
{
    const int32_t mask = (int32_t)(((uint32_t)1 << exponent) - 1u);
    const int32_t rest = x & mask;
    return (x >> exponent) + (rest > (mask >> 1) + (x < 0) ? 1 : 0);
}

/* x scaled by a multiplier; the product must fit into int32. */
EC_SPECIALIZED int32_t ec_scale(int32_t x, int32_t m, int shift, int rounding)
{
    if (rounding == EC_ROUND_ONCE) {
        return (int32_t)(((int64_t)x * m + ((int64_t)1 << (30 - shift))) >> (31 - shift));
    }
    return ec_divide_by_power(ec_high_product(ec_shift_left(x, shift > 0 ? shift : 0), m), shift > 0 ? 0 : -shift);
}

/* The same for |x| < 2^30 and shift <= 0: in few instructions where the core has SMMULR. */
EC_SPECIALIZED int32_t ec_scale_small(int32_t x, int32_t m, int shift, int rounding)
{
#if defined(__ARM_FEATURE_DSP) && defined(__thumb__) && defined(__GNUC__)
    if (rounding == EC_ROUND_TWICE) {
        int32_t scaled;
        if (shift == 0 && m == 1 << 30) return (x + 1) >> 1;
        __asm__("smmulr %0, %1, %2" : "=r"(scaled) : "r"(x * 2), "r"(m));
        return shift == 0 ? scaled : (scaled + (scaled >> 31) + (1 << (-shift - 1))) >> -shift;
    }
#endif
    return ec_scale(x, m, shift, rounding);
}

/* A line (lines.py) at x: (x * slope / 2^32, halves upwards, + base) / 2^shift, downwards. */
EC_SPECIALIZED int32_t ec_line(int32_t x, int32_t slope, int32_t base, int shift)
{
#if defined(__ARM_FEATURE_DSP) && defined(__thumb__) && defined(__GNUC__)
    __asm__("smmlar %0, %1, %2, %0" : "+r"(base) : "r"(x), "r"(slope));
    return base >> shift;
#else
    return (base + (int32_t)(((int64_t)x * slope + ((int64_t)1 << 31)) >> 32)) >> shift;
#endif
}

EC_SPECIALIZED int32_t ec_clamp(int32_t x, int32_t lowest, int32_t highest)
{
    return x < lowest ? lowest : x > highest ? highest : x;
}

/* x cut to [lowest, highest], which lies in int8's range: in one instruction where it is that range. */
EC_SPECIALIZED int8_t ec_narrow(int32_t x, int32_t lowest, int32_t highest)
{
#if defined(__ARM_FEATURE_SAT) && defined(__thumb__) && defined(__GNUC__)
    if (lowest == -128 && highest == 127) {
        int32_t cut;
        __asm__("ssat %0, #8, %1" : "=r"(cut) : "r"(x) : "cc");
        return (int8_t)cut;
    }
#endif
    return (int8_t)ec_clamp(x, lowest, highest);
}

#endif /* EC_ROUNDING_H_ */
