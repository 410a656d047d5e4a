/* Rows of a 3x3 depthwise convolution on cores with DSP instructions, over int16 strips.
 *
 * Two products with each SMLAD. Weights stay in registers for a row: (w0, w1) and (w1, w2) of each kernel row. Sums
 * are scaled as in ec_scale_small, for the caller has made sure that they are small (is_plain). Nothing is allocated.
 */
#ifndef EC_DEPTHWISE_DSP_H_
#define EC_DEPTHWISE_DSP_H_

typedef struct {
    int32_t bias, multiplier;
    int right_shift; /* 1 to 20 */
    int zero_point, lowest, highest;
} ec_depthwise_dsp_scaling;

#define EC_DEPTHWISE_DSP(name)                                                                                          \
    EC_SPECIALIZED int32_t ec_##name(uint32_t x, uint32_t y, int32_t sum)                                              \
    {                                                                                                                  \
        __asm__(#name " %0, %1, %2, %3" : "=r"(sum) : "r"(x), "r"(y), "r"(sum));                                       \
        return sum;                                                                                                    \
    }
EC_DEPTHWISE_DSP(smlad)
EC_DEPTHWISE_DSP(smlabt)
EC_DEPTHWISE_DSP(smlatb)

/* Two neighbours as one word; the address need not be aligned to it. */
EC_SPECIALIZED uint32_t ec_depthwise_dsp_pair(const int16_t *from)
{
    uint32_t both;
    __builtin_memcpy(&both, from, sizeof both);
    return both;
}

EC_SPECIALIZED uint32_t ec_depthwise_dsp_join(int low, int high)
{
    return ((uint32_t)low & 0xffffu) | ((uint32_t)high << 16);
}

EC_SPECIALIZED int8_t ec_depthwise_dsp_output(const ec_depthwise_dsp_scaling *scaling, int32_t sum, int32_t half)
{
    int32_t scaled;
    __asm__("smmulr %0, %1, %2" : "=r"(scaled) : "r"(sum * 2), "r"(scaling->multiplier));
    scaled = (scaled + (scaled >> 31) + half) >> scaling->right_shift;
    return ec_narrow(scaled, scaling->lowest, scaling->highest);
}

/* Weights of one channel: (w0, w1) and (w1, w2) of each kernel row. */
typedef struct {
    uint32_t a0, a1, b0, b1, c0, c1;
} ec_depthwise_dsp_weights;

EC_SPECIALIZED ec_depthwise_dsp_weights ec_depthwise_dsp_load(const int8_t *w)
{
    ec_depthwise_dsp_weights all = {ec_depthwise_dsp_join(w[0], w[1]), ec_depthwise_dsp_join(w[1], w[2]),
                                    ec_depthwise_dsp_join(w[3], w[4]), ec_depthwise_dsp_join(w[4], w[5]),
                                    ec_depthwise_dsp_join(w[6], w[7]), ec_depthwise_dsp_join(w[7], w[8])};
    /* Else the compiler joins them anew for each row. */
    __asm__("" : "+r"(all.a0), "+r"(all.a1), "+r"(all.b0), "+r"(all.b1), "+r"(all.c0), "+r"(all.c1));
    return all;
}

/* `half`: half of 2^shift and the zero point, shifted, in one addition. */
EC_SPECIALIZED void ec_depthwise_dsp_row_3x3(const ec_depthwise_dsp_weights *weights, const int16_t *strip, int strip_w,
                                             int stride, int out_w, int out_c,
                                             const ec_depthwise_dsp_scaling *scaling, int32_t half, int8_t *output)
{
    const uint32_t a0 = weights->a0, a1 = weights->a1, b0 = weights->b0, b1 = weights->b1, c0 = weights->c0,
                   c1 = weights->c1;
    int ox = 0;
    if (stride == 1) {
        for (; ox + 1 < out_w; ox += 2, strip += 2, output += 2 * out_c) {
            const uint32_t p0 = ec_depthwise_dsp_pair(strip), p1 = ec_depthwise_dsp_pair(strip + 2);
            const uint32_t q0 = ec_depthwise_dsp_pair(strip + strip_w), q1 = ec_depthwise_dsp_pair(strip + strip_w + 2);
            const uint32_t r0 = ec_depthwise_dsp_pair(strip + 2 * strip_w),
                           r1 = ec_depthwise_dsp_pair(strip + 2 * strip_w + 2);
            int32_t first = ec_smlabt(p1, a1, ec_smlad(p0, a0, scaling->bias));
            int32_t second = ec_smlad(p1, a1, ec_smlatb(p0, a0, scaling->bias));
            first = ec_smlabt(q1, b1, ec_smlad(q0, b0, first));
            second = ec_smlad(q1, b1, ec_smlatb(q0, b0, second));
            first = ec_smlabt(r1, c1, ec_smlad(r0, c0, first));
            second = ec_smlad(r1, c1, ec_smlatb(r0, c0, second));
            output[0] = ec_depthwise_dsp_output(scaling, first, half);
            output[out_c] = ec_depthwise_dsp_output(scaling, second, half);
        }
    }
    for (; ox < out_w; ++ox, strip += stride, output += out_c) {
        const int16_t *const q = strip + strip_w, *const r = q + strip_w;
        int32_t sum = ec_smlad(ec_depthwise_dsp_pair(strip), a0, scaling->bias);
        sum = ec_smlabt((uint32_t)strip[2], a1, sum);
        sum = ec_smlabt((uint32_t)q[2], b1, ec_smlad(ec_depthwise_dsp_pair(q), b0, sum));
        sum = ec_smlabt((uint32_t)r[2], c1, ec_smlad(ec_depthwise_dsp_pair(r), c0, sum));
        *output = ec_depthwise_dsp_output(scaling, sum, half);
    }
}

#endif /* EC_DEPTHWISE_DSP_H_ */
