/* CONV_2D of 1x1 and stride 1, int8[pixels, in_c] to int8[pixels, out_c]: one function for all layers of a kind.
 *
 * layer    settings (see the struct), read where they are needed
 * input    int8, at any address
 * output   int8; may overlap the input where each block of four pixels is written over what has been read: blocks are
 *          made from the first to the last, or, if is_backward, from the last to the first
 * scratch  int16[groups * 16]: the inputs of four pixels; must not overlap the others; 4-byte aligned
 *
 * Weights are int16[ceil(out_c / 2)][groups * 4]: two output channels in each (pairs.h), with groups = ceil(in_c / 4).
 * The bias has the input's zero point folded in. Nothing is allocated, nothing outside the output is written.
 */
#ifndef EC_CONV_2D_1X1_S8_H_
#define EC_CONV_2D_1X1_S8_H_

#include "lines.h"

typedef struct {
    const int16_t *weights;
    const int32_t *lines;    /* lines.h; null where sums are scaled as in pairs.h, which reads the next two */
    const int32_t *channels; /* bias and multiplier of each */
    const int8_t *right_shift;
    uint32_t pixels, in_c, out_c;
    int32_t base; /* of the lines */
    int16_t output_zero_point, lowest, highest;
    uint8_t is_backward, line_shift, is_plain, rounding;
} ec_conv_2d_1x1_s8_layer;

/* Blocks of four pixels, what is left over as two that are each there twice, or one four times. */
EC_SPECIALIZED unsigned ec_conv_2d_1x1_s8_blocks(unsigned pixels) { return pixels / 4 + (pixels % 4 + 1) / 2; }

/* A block's first pixel, and the others' distances from it. */
EC_SPECIALIZED unsigned ec_conv_2d_1x1_s8_block(unsigned pixels, unsigned block, int *step_1, int *step_2)
{
    const unsigned whole = pixels / 4;
    unsigned first = 4 * block;
    *step_1 = 1;
    *step_2 = 2;
    if (block >= whole) {
        first -= 2 * (block - whole);
        *step_1 = 0;
        *step_2 = first + 1 < pixels ? 1 : 0;
    }
    return first;
}

/* The last inputs of four pixels, fewer than four of each, and zeros: a group. */
EC_SHARED void ec_conv_2d_1x1_s8_rest(const int8_t *from, int rest, int in_c, int step_1, int step_2, int16_t *group)
{
    int i, k;
    for (i = 0; i < 4; ++i, group += 2) {
        const int8_t *const pixel = from + ((i % 2) * step_1 + (i / 2) * step_2) * in_c;
        for (k = 0; k < 4; ++k) group[ec_pairs_place(k)] = (int16_t)(k < rest ? pixel[k] : 0);
    }
}

EC_SPECIALIZED void ec_conv_2d_1x1_s8_gather(const int8_t *from, int in_c, int step_1, int step_2, int16_t *scratch)
{
    const int whole = (int)((unsigned)in_c / 4 * 4);
    const int8_t *const p2 = from + step_2 * in_c;
    scratch = ec_pairs_spread(from, from + step_1 * in_c, p2, p2 + step_1 * in_c, whole, scratch);
    if (whole != in_c) ec_conv_2d_1x1_s8_rest(from + whole, in_c - whole, in_c, step_1, step_2, scratch);
}

EC_SPECIALIZED void ec_conv_2d_1x1_s8_run(const ec_conv_2d_1x1_s8_layer *layer, int line_shift, int is_plain,
                                          const int8_t *input, int8_t *output, int16_t *scratch)
{
    const int in_c = (int)layer->in_c, out_c = (int)layer->out_c, groups = (int)((layer->in_c + 3) / 4);
    const unsigned blocks = ec_conv_2d_1x1_s8_blocks(layer->pixels);
    const ec_pairs_scaling scaling = {layer->channels, layer->right_shift, layer->output_zero_point, layer->lowest,
                                      layer->highest,  is_plain,           layer->rounding, 0, 0, 0};
    ec_lines_work work;
    unsigned i;
    if (line_shift) ec_lines_begin(&work, layer->weights, scratch, groups, out_c, layer->lines, layer->base);
    for (i = 0; i < blocks; ++i) {
        int step_1, step_2;
        const unsigned block = layer->is_backward ? blocks - 1 - i : i;
        const int pixel = (int)ec_conv_2d_1x1_s8_block(layer->pixels, block, &step_1, &step_2);
        ec_conv_2d_1x1_s8_gather(input + pixel * in_c, in_c, step_1, step_2, scratch);
        if (line_shift) {
            ec_lines_place(&work, output + pixel * out_c, step_1 * out_c, step_2 * out_c);
            ec_lines_times_four(&work, line_shift, out_c, layer->lowest, layer->highest);
        } else {
            ec_pairs_times_four(layer->weights, scratch, groups, out_c, &scaling, output + pixel * out_c,
                                step_1 * out_c, step_2 * out_c);
        }
    }
}

#define EC_CONV_2D_1X1_S8(name, line_shift, is_plain)                                                                  \
    EC_SHARED void name(const ec_conv_2d_1x1_s8_layer *layer, const int8_t *input, int8_t *output, void *scratch)      \
    {                                                                                                                  \
        ec_conv_2d_1x1_s8_run(layer, line_shift, is_plain, input, output, (int16_t *)scratch);                         \
    }
EC_CONV_2D_1X1_S8(ec_conv_2d_1x1_s8_lines_9, 9, 0)
EC_CONV_2D_1X1_S8(ec_conv_2d_1x1_s8_lines_12, 12, 0)
EC_CONV_2D_1X1_S8(ec_conv_2d_1x1_s8_lines_15, 15, 0)
EC_CONV_2D_1X1_S8(ec_conv_2d_1x1_s8_plain, 0, 1)
EC_CONV_2D_1X1_S8(ec_conv_2d_1x1_s8_any, 0, 0)

EC_SPECIALIZED void ec_conv_2d_1x1_s8(const ec_conv_2d_1x1_s8_layer *layer, const int8_t *input, int8_t *output,
                                      void *scratch)
{
    if (layer->line_shift == 9) {
        ec_conv_2d_1x1_s8_lines_9(layer, input, output, scratch);
    } else if (layer->line_shift == 12) {
        ec_conv_2d_1x1_s8_lines_12(layer, input, output, scratch);
    } else if (layer->line_shift == 15) {
        ec_conv_2d_1x1_s8_lines_15(layer, input, output, scratch);
    } else if (layer->is_plain) {
        ec_conv_2d_1x1_s8_plain(layer, input, output, scratch);
    } else {
        ec_conv_2d_1x1_s8_any(layer, input, output, scratch);
    }
}

#endif /* EC_CONV_2D_1X1_S8_H_ */
