/* The sums of wide_dot.h on cores with DSP instructions (Armv7E-M, Armv8-M).
 *
 * For four products: a load of weights, two of inputs, two SXTB16, two SMLALD, whose sum has 64 bits. Words are read at
 * any address, which these cores do. Nothing here allocates or writes.
 */
#ifndef EC_WIDE_DOT_DSP_H_
#define EC_WIDE_DOT_DSP_H_

#define EC_WIDE_DOT_DSP_FOUR                                                                                           \
    "ldr r12, [%[w]], #4\n"                                                                                            \
    "ldr %[x0], [%[x]], #4\n"                                                                                          \
    "ldr %[x1], [%[x]], #4\n"                                                                                          \
    "sxtb16 lr, r12\n"                                                                                                 \
    "sxtb16 r12, r12, ror #8\n"                                                                                        \
    "smlald %Q[sum], %R[sum], %[x0], lr\n"                                                                             \
    "smlald %Q[sum], %R[sum], %[x1], r12\n"

EC_SHARED int64_t ec_wide_dot_dsp(const int16_t *x, const int8_t *w, int count, int64_t sum)
{
    const int16_t *const whole = x + (count & ~15), *const end = x + (count & ~3);
    int32_t x0, x1;
    if (x != whole) {
        __asm__ volatile("1:\n" EC_WIDE_DOT_DSP_FOUR EC_WIDE_DOT_DSP_FOUR EC_WIDE_DOT_DSP_FOUR EC_WIDE_DOT_DSP_FOUR
                         "cmp %[x], %[end]\n"
                         "bne 1b\n"
                         : [x] "+r"(x), [w] "+r"(w), [sum] "+r"(sum), [x0] "=&r"(x0), [x1] "=&r"(x1)
                         : [end] "r"(whole)
                         : "r12", "lr", "cc", "memory");
    }
    if (x != end) {
        __asm__ volatile("1:\n" EC_WIDE_DOT_DSP_FOUR
                         "cmp %[x], %[end]\n"
                         "bne 1b\n"
                         : [x] "+r"(x), [w] "+r"(w), [sum] "+r"(sum), [x0] "=&r"(x0), [x1] "=&r"(x1)
                         : [end] "r"(end)
                         : "r12", "lr", "cc", "memory");
    }
    for (count &= 3; count > 0; --count) sum += *x++ * *w++;
    return sum;
}

#endif /* EC_WIDE_DOT_DSP_H_ */
