/* Products of weights that were unpacked before: a row of two output channels times blocks of four pixels.
 *
 * A row is unpacked once and serves several blocks. Its words hold two int16, of inputs k (low half) and k+1: for
 * each two inputs one word of the even channel, one of the odd one. A list, for rows of which only parts are there,
 * has before these two how many words of a channel lie between them and the ones before, and one (the first: how many
 * lie before them). Pixels are int16[inputs / 2][4][2]: inputs k and k+1 of each of four pixels. Arrays are 4-byte
 * aligned. Nothing here allocates.
 */
#ifndef EC_ROWS_H_
#define EC_ROWS_H_

#include "pairs.h"

/* Where a block of four pixels goes: i to output + (i % 2) * step_1 + (i / 2) * step_2, which may be one place for
 * pixels that are the same. `output` moves on by the channels that were made.
 */
typedef struct {
    int8_t *output;
    int32_t step_1, step_2;
} ec_rows_place;

/* The place of input k of pixel 0 among the int16 of four pixels. */
EC_SPECIALIZED int ec_rows_pixel(int k) { return (k / 2) * 8 + k % 2; }

/* Spread `count` bytes of four pixels, an even number; gives the place behind what was written. */
EC_SPECIALIZED int16_t *ec_rows_spread_portable(const int8_t *p0, const int8_t *p1, const int8_t *p2,
                                                const int8_t *p3, int count, int16_t *to)
{
    int k;
    for (k = 0; k < count; k += 2, to += 8) {
        to[0] = p0[k];
        to[1] = p0[k + 1];
        to[2] = p1[k];
        to[3] = p1[k + 1];
        to[4] = p2[k];
        to[5] = p2[k + 1];
        to[6] = p3[k];
        to[7] = p3[k + 1];
    }
    return to;
}

/* Two weights as a word. */
EC_SPECIALIZED uint32_t ec_rows_word(int low, int high)
{
    return ((uint32_t)low & 0xffffu) | ((uint32_t)high << 16);
}

/* sum + x0 * (low half of w) + x1 * (high half). */
EC_SPECIALIZED int32_t ec_rows_two(uint32_t w, int x0, int x1, int32_t sum)
{
    return sum + (int16_t)(w & 0xffffu) * x0 + (int16_t)(w >> 16) * x1;
}

/* A row times `count` blocks, `block` int16 apart; `channel` is the even one, of `channels`. */
EC_SHARED void ec_rows_times_blocks_portable(const uint32_t *row, const uint32_t *end, int is_list,
                                             const int16_t *pixels, int block, ec_rows_place *places, int count,
                                             const ec_pairs_scaling *scaling, int channel, int channels)
{
    for (; count > 0; --count, ++places, pixels += block) {
        int32_t even[4] = {0, 0, 0, 0}, odd[4] = {0, 0, 0, 0};
        const int16_t *x = pixels;
        const uint32_t *word;
        int i;
        for (word = row; word != end; word += 2) {
            if (is_list) x += *word++ * 8;
            for (i = 0; i < 4; ++i) {
                even[i] = ec_rows_two(word[0], x[2 * i], x[2 * i + 1], even[i]);
                odd[i] = ec_rows_two(word[1], x[2 * i], x[2 * i + 1], odd[i]);
            }
            if (!is_list) x += 8;
        }
        for (i = 0; i < 4; ++i) {
            int8_t *const to = places->output + (i % 2) * places->step_1 + (i / 2) * places->step_2;
            to[0] = ec_pairs_output(scaling, channel, even[i]);
            if (channel + 1 < channels) to[1] = ec_pairs_output(scaling, channel + 1, odd[i]);
        }
        places->output += 2;
    }
}

#if defined(__ARM_FEATURE_DSP) && defined(__thumb__) && defined(__GNUC__)
#include "rows_dsp.h"
#endif

EC_SPECIALIZED int16_t *ec_rows_spread(const int8_t *p0, const int8_t *p1, const int8_t *p2, const int8_t *p3,
                                       int count, int16_t *to)
{
#ifdef EC_ROWS_DSP_H_
    const int whole = count / 4 * 4;
    ec_rows_dsp_spread(p0, p1, p2, p3, to, to + 4 * whole);
    if (whole == count) return to + 4 * count;
    return ec_rows_spread_portable(p0 + whole, p1 + whole, p2 + whole, p3 + whole, 2, to + 4 * whole);
#else
    return ec_rows_spread_portable(p0, p1, p2, p3, count, to);
#endif
}

EC_SPECIALIZED void ec_rows_times_blocks(const uint32_t *row, const uint32_t *end, int is_list, const int16_t *pixels,
                                         int block, ec_rows_place *places, int count, const ec_pairs_scaling *scaling,
                                         int channel, int channels)
{
#ifdef EC_ROWS_DSP_H_
    if (scaling->is_plain || scaling->line_shift) {
        ec_rows_times_blocks_dsp(row, end, is_list, pixels, block, places, count, scaling, channel, channels);
        return;
    }
#endif
    ec_rows_times_blocks_portable(row, end, is_list, pixels, block, places, count, scaling, channel, channels);
}

#endif /* EC_ROWS_H_ */
