/* Fixed-point numbers of 32 bits, bit for bit those of gemmlowp as the reference uses them. Twin: exponential.py.
 *
 * Nothing here allocates, and no function has a state.
 */
#ifndef EC_FIXED_POINT_H_
#define EC_FIXED_POINT_H_

#include "rounding.h"

/* (x * y) / 2^31 for any two factors, halves away from zero; both -2^31 is not allowed. */
EC_SPECIALIZED int32_t ec_fixed_product(int32_t x, int32_t y)
{
    const int64_t both = (int64_t)x * y;
    const int64_t nudge = both >= 0 ? (int64_t)1 << 30 : 1 - ((int64_t)1 << 30);
    return (int32_t)((both + nudge) / ((int64_t)1 << 31));
}

/* x * 2^exponent for exponent > 0, at the nearer end where it does not fit. */
EC_SPECIALIZED int32_t ec_fixed_lift(int32_t x, int exponent)
{
    const int32_t highest = (int32_t)(((uint32_t)1 << (31 - exponent)) - 1u);
    if (x > highest) return 2147483647;
    if (x < -highest - 1) return -2147483647 - 1;
    return ec_shift_left(x, exponent);
}

/* 1 / sqrt(x) for x >= 0 as a multiplier and a shift; 0 counts as 1. */
EC_SHARED int32_t ec_fixed_inverse_root(int32_t x, int *shift)
{
    int32_t half, root = 1 << 28;
    int right = 11, i;
    if (x <= 1) {
        *shift = 0;
        return 2147483647;
    }
    for (; x >= 1 << 29; x /= 4) ++right;
    for (; x < 1 << 27; x *= 4) --right;
    half = ec_divide_by_power(x >> 1, 1);
    for (i = 0; i < 5; ++i) {
        const int32_t cube = ec_fixed_lift(ec_fixed_product(ec_fixed_product(root, root), root), 6);
        root = ec_fixed_lift(ec_fixed_product((1 << 28) + (1 << 27), root) - ec_fixed_product(half, cube), 3);
    }
    root = ec_fixed_product(root, 1518500250); /* sqrt(1/2) in Q0.31 */
    if (right < 0) {
        root = ec_shift_left(root, -right);
        right = 0;
    }
    *shift = -right;
    return root;
}

#endif /* EC_FIXED_POINT_H_ */
