/* Dot products of int8 rows with four pixels: the layout that cores with Helium (MVE) multiply fastest. Twin: dot.py.
 *
 * Weights are rows int8[channels][row] as in the file, and zeros behind the last row for what sixteen at a time read
 * beyond it. Pixels are int8[chunks][4][16]: sixteen inputs of each of four pixels, zeros behind the last input.
 * What scales sums is int32[5] for each two channels: bias and multiplier of one, bias and multiplier of the other, and
 * their shifts to the left in the lowest two bytes. Where channels are odd in number, the last two are made in the last
 * turn, one of them for the second time. Arrays are 4-byte aligned. Nothing here allocates.
 */
#ifndef EC_DOT_H_
#define EC_DOT_H_

#include "rounding.h"

#define EC_DOT_PIXELS 4
#define EC_DOT_CHUNK 16

/* How sums become outputs: output = clamp(sum scaled by the channel's multiplier + zero point). */
typedef struct {
    const int32_t *pairs;
    int zero_point, lowest, highest;
    int is_plain;    /* all shifts to the right, all sums below 2^30, scaled as TensorFlow Lite Micro does it */
    int is_positive; /* the lowest output is the zero point: how negative numbers are rounded does not matter */
    int rounding;
} ec_dot_scaling;

/* The place of input k of pixel i. */
EC_SPECIALIZED int ec_dot_place(int k, int i)
{
    return (k / EC_DOT_CHUNK) * (EC_DOT_PIXELS * EC_DOT_CHUNK) + i * EC_DOT_CHUNK + k % EC_DOT_CHUNK;
}

/* The first of the two channels of a turn. */
EC_SPECIALIZED int ec_dot_first(int pair, int channels) { return 2 * pair < channels - 1 ? 2 * pair : channels - 2; }

/* Channel `which` (0 or 1) of five words. */
EC_SPECIALIZED int8_t ec_dot_output(const ec_dot_scaling *scaling, const int32_t *five, int which, int32_t sum)
{
    const int shift = (int8_t)(((uint32_t)five[4] >> (8 * which)) & 0xffu);
    const int32_t scaled = ec_scale(ec_add(sum, five[2 * which]), five[2 * which + 1], shift, scaling->rounding);
    return ec_narrow(ec_add(scaled, scaling->zero_point), scaling->lowest, scaling->highest);
}

/* Four pixels times all weights; pixel i goes to output + (i % 2) * step_1 + (i / 2) * step_2, which may be one place
 * for pixels that are the same. There are two channels or more.
 */
EC_SHARED void ec_dot_times_four_portable(const int8_t *weights, int row, const int8_t *pixels, int channels,
                                          const ec_dot_scaling *scaling, int8_t *output, int step_1, int step_2)
{
    int pair, which, i, k;
    for (pair = 0; 2 * pair < channels; ++pair) {
        for (which = 0; which < 2; ++which) {
            const int channel = ec_dot_first(pair, channels) + which;
            const int8_t *const weight = weights + channel * row;
            for (i = 0; i < EC_DOT_PIXELS; ++i) {
                int32_t sum = 0;
                for (k = 0; k < row; ++k) sum += weight[k] * pixels[ec_dot_place(k, i)];
                output[(i % 2) * step_1 + (i / 2) * step_2 + channel] =
                    ec_dot_output(scaling, scaling->pairs + 5 * pair, which, sum);
            }
        }
    }
}

#if defined(__ARM_FEATURE_MVE) && defined(__thumb__) && defined(__GNUC__)
#include "dot_mve.h"
#endif

#endif /* EC_DOT_H_ */
