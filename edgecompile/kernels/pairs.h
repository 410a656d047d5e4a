/* Products with weights of two output channels in one int16. Twin: pairs.py.
 *
 * v = a + 256 * b, a the even channel's weight (sign-extended low byte), b the odd one's. Inputs are int16 in groups
 * of four in the order k, k+2, k+1, k+3; for four pixels at once a group is 16 values: the pair (k, k+2) of each
 * pixel, then the pair (k+1, k+3) of each. Arrays are 4-byte aligned. Nothing here allocates.
 */
#ifndef EC_PAIRS_H_
#define EC_PAIRS_H_

#include "rounding.h"

/* How sums become outputs: output = clamp(sum scaled by the channel's multiplier + zero point).
 * `channels` is int32[pairs][4]: bias and multiplier of the even channel, then of the odd one. `right_shift` is
 * int8[pairs][2]: by how much to the right, negative to the left.
 */
typedef struct {
    const int32_t *channels;
    const int8_t *right_shift;
    int zero_point, lowest, highest;
    int is_plain; /* all shifts to the right, all sums small (pairs.py) */
    int rounding;
    const int32_t *lines; /* where line_shift is not 0, sums are scaled as in lines.h instead */
    int line_shift, base;
} ec_pairs_scaling;

/* The place of input k of pixel 0 among the int16 of four pixels. */
EC_SPECIALIZED int ec_pairs_place(int k) { return (k / 4) * 16 + (k % 2) * 8 + (k % 4) / 2; }

/* Spread `count` bytes of four pixels, a multiple of four; gives the place behind what was written. */
EC_SPECIALIZED int16_t *ec_pairs_spread_portable(const int8_t *p0, const int8_t *p1, const int8_t *p2,
                                                 const int8_t *p3, int count, int16_t *to)
{
    const int8_t *const from[4] = {p0, p1, p2, p3};
    int i, k;
    for (k = 0; k < count; k += 4, to += 16) {
        for (i = 0; i < 4; ++i) {
            to[2 * i] = from[i][k];
            to[2 * i + 1] = from[i][k + 2];
            to[2 * i + 8] = from[i][k + 1];
            to[2 * i + 9] = from[i][k + 3];
        }
    }
    return to;
}

EC_SPECIALIZED int8_t ec_pairs_output(const ec_pairs_scaling *scaling, int channel, int32_t sum)
{
    const int32_t *const constants = scaling->channels + 2 * channel;
    int32_t whole;
    if (scaling->line_shift) {
        const int32_t *const line = scaling->lines + channel / 2 * 4;
        const int32_t offset = line[channel % 2 * 3], slope = line[1 + channel % 2];
        whole = ec_line(sum * 256 + offset, slope, scaling->base, scaling->line_shift);
        return ec_narrow(whole, scaling->lowest, scaling->highest);
    }
    whole = ec_add(sum, constants[0]);
#if defined(__ARM_FEATURE_DSP) && defined(__thumb__) && defined(__GNUC__)
    if (scaling->is_plain) {
        const int right = scaling->right_shift[channel];
        const int32_t half = ((2 * scaling->zero_point + 1) * (1 << right)) >> 1;
        int32_t product;
        __asm__("smmulr %0, %1, %2" : "=r"(product) : "r"(whole * 2), "r"(constants[1]));
        return ec_narrow((product + (product >> 31) + half) >> right, scaling->lowest, scaling->highest);
    }
#endif
    const int32_t scaled = ec_scale(whole, constants[1], -scaling->right_shift[channel], scaling->rounding);
    return ec_narrow(ec_add(scaled, scaling->zero_point), scaling->lowest, scaling->highest);
}

/* Four pixels times all weights; pixel i goes to output + (i % 2) * step_1 + (i / 2) * step_2, which may be one place
 * for pixels that are the same.
 */
EC_SHARED void ec_pairs_times_four_portable(const int16_t *weights, const int16_t *pixels, int groups, int channels,
                                            const ec_pairs_scaling *scaling, int8_t *output, int step_1, int step_2)
{
    int channel, i, k;
    for (channel = 0; channel < channels; channel += 2, weights += groups * 4) {
        int32_t even[4] = {0, 0, 0, 0}, odd[4] = {0, 0, 0, 0};
        for (k = 0; k < groups * 4; ++k) {
            const int32_t a = (int8_t)(weights[k] & 0xff), b = (weights[k] - a) / 256;
            const int16_t *const x = pixels + (k / 2) * 8 + (k % 2);
            for (i = 0; i < 4; ++i) {
                even[i] += a * x[2 * i];
                odd[i] += b * x[2 * i];
            }
        }
        for (i = 0; i < 4; ++i) {
            int8_t *const to = output + (i % 2) * step_1 + (i / 2) * step_2 + channel;
            to[0] = ec_pairs_output(scaling, channel, even[i]);
            if (channel + 1 < channels) to[1] = ec_pairs_output(scaling, channel + 1, odd[i]);
        }
    }
}

#if defined(__ARM_FEATURE_DSP) && defined(__thumb__) && defined(__GNUC__)
#include "pairs_dsp.h"
#endif

EC_SPECIALIZED int16_t *ec_pairs_spread(const int8_t *p0, const int8_t *p1, const int8_t *p2, const int8_t *p3,
                                        int count, int16_t *to)
{
#ifdef EC_PAIRS_DSP_H_
    ec_pairs_dsp_spread(p0, p1, p2, p3, to, to + 4 * count);
    return to + 4 * count;
#else
    return ec_pairs_spread_portable(p0, p1, p2, p3, count, to);
#endif
}

EC_SPECIALIZED void ec_pairs_times_four(const int16_t *weights, const int16_t *pixels, int groups, int channels,
                                        const ec_pairs_scaling *scaling, int8_t *output, int step_1, int step_2)
{
#ifdef EC_PAIRS_DSP_H_
    if (scaling->is_plain) {
        ec_pairs_times_four_dsp(weights, pixels, groups, channels, scaling, output, step_1, step_2);
        return;
    }
#endif
    ec_pairs_times_four_portable(weights, pixels, groups, channels, scaling, output, step_1, step_2);
}

#endif /* EC_PAIRS_H_ */
