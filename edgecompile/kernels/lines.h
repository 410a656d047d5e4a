/* Products with paired weights (pairs.h) whose sums become outputs on lines. Twin: lines.py.
 *
 * lines    int32[pairs of channels][4]: offset and slope of the even channel, slope and offset of the odd one
 * base     of the layer, as is the shift to the right: 9, 12 or 15, a literal
 *
 * An output is ec_line(256 * sum + offset, slope), cut to int8; the twin has made sure that this is what the reference
 * gives for every sum there can be, and that nothing overflows. Nothing here allocates.
 */
#ifndef EC_LINES_H_
#define EC_LINES_H_

#include "pairs.h"

/* What stays from block to block of four pixels, and what moves. The assembly reads it by its offsets. */
typedef struct {
    const int16_t *weights;
    const int16_t *pixels; /* int16[groups][16] */
    const int32_t *lines;
    int8_t *output;
    int32_t base;
    uint32_t skipped;      /* bytes of code to skip in the first turn of eight halves of groups: 48 for each */
    const int16_t *end;    /* of the pixels */
    const int16_t *behind; /* the weights */
    int32_t step_1, step_2, step_3;
    int32_t is_odd; /* the number of channels */
} ec_lines_work;

EC_SPECIALIZED void ec_lines_begin(ec_lines_work *work, const int16_t *weights, const int16_t *pixels, int groups,
                                   int channels, const int32_t *lines, int base)
{
    work->weights = weights;
    work->pixels = pixels;
    work->lines = lines;
    work->base = base;
    work->skipped = (9u - 2u * (uint32_t)groups) % 8u * 48u;
    work->end = pixels + groups * 16;
    work->behind = weights + (channels + 1) / 2 * groups * 4;
    work->is_odd = channels % 2;
}

/* Where outputs of the next block go: pixel i to output + (i % 2) * step_1 + (i / 2) * step_2, which may be one place
 * for pixels that are the same.
 */
EC_SPECIALIZED void ec_lines_place(ec_lines_work *work, int8_t *output, int step_1, int step_2)
{
    /* Less the two outputs that a pixel has got when the next one is written. */
    work->output = output;
    work->step_1 = step_1 - 2;
    work->step_2 = step_2 - 2;
    work->step_3 = step_1 + step_2 - 2;
}

EC_SHARED void ec_lines_times_four_portable(const ec_lines_work *work, int shift)
{
    const int inputs = (int)(work->end - work->pixels) / 4;
    const int32_t steps[4] = {0, work->step_1 + 2, work->step_2 + 2, work->step_3 + 2};
    const int16_t *weights = work->weights;
    const int32_t *line = work->lines;
    int8_t *output = work->output;
    int i, k;
    for (; weights != work->behind; weights += inputs, line += 4, output += 2) {
        for (i = 0; i < 4; ++i) {
            int32_t even = 0, odd = 0;
            for (k = 0; k < inputs; ++k) {
                const int32_t a = (int8_t)(weights[k] & 0xff), b = (weights[k] - a) / 256;
                const int32_t x = work->pixels[(k / 2) * 8 + (k % 2) + 2 * i];
                even += a * x;
                odd += b * x;
            }
            even = ec_line(even * 256 + line[0], line[1], work->base, shift);
            odd = ec_line(odd * 256 + line[3], line[2], work->base, shift);
            output[steps[i]] = ec_narrow(even, -128, 127);
            if (weights + inputs != work->behind || !work->is_odd) output[steps[i] + 1] = ec_narrow(odd, -128, 127);
        }
    }
}

#if defined(__ARM_FEATURE_DSP) && defined(__thumb__) && defined(__GNUC__)
#include "lines_dsp.h"
#endif

/* What a block got, cut to [lowest, highest]. */
EC_SHARED void ec_lines_cut(const ec_lines_work *work, int channels, int lowest, int highest)
{
    int i, channel;
    for (i = 0; i < 4; ++i) {
        int8_t *const to = work->output + (i % 2) * (work->step_1 + 2) + (i / 2) * (work->step_2 + 2);
        for (channel = 0; channel < channels; ++channel) to[channel] = (int8_t)ec_clamp(to[channel], lowest, highest);
    }
}

/* The block's outputs, cut to [lowest, highest]. */
EC_SPECIALIZED void ec_lines_times_four(const ec_lines_work *work, int shift, int channels, int lowest, int highest)
{
#ifdef EC_LINES_DSP_H_
    if (shift == 9) {
        ec_lines_dsp_run_9(work);
    } else if (shift == 12) {
        ec_lines_dsp_run_12(work);
    } else {
        ec_lines_dsp_run_15(work);
    }
#else
    ec_lines_times_four_portable(work, shift);
#endif
    if (lowest > -128 || highest < 127) ec_lines_cut(work, channels, lowest, highest);
}

#endif /* EC_LINES_H_ */
